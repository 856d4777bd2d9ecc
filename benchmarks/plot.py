"""The plot of the cases: everybody's time as a multiple of ours, on one thread."""

from __future__ import annotations

from typing import Any

from measure import RESULTS
from targets import ours

SHOWN = ("bare products", "PyTorch eager", "PyTorch compiled", "PyTorch chunked", "JAX jit",
         "scikit-learn", "numpy, whole batch")  # fmt: skip
TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20)


def draw_races(races: list[dict[str, Any]]) -> None:
    """Draw ``kernels.svg``, or say that matplotlib is missing."""
    try:
        import matplotlib as mpl
    except ImportError:
        print("matplotlib is not installed: no plot")
        return
    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "kernels"  # the same figures give the same file
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(2, 1, figsize=(9, 7), layout="constrained")
    for axis, dtype in zip(axes, ("float64", "float32"), strict=True):
        shown = [race for race in races if is_plain(race) and race["dtype"] == dtype]
        draw_bars(axis, shown)
        axis.set(title=f"{dtype}, one thread", ylabel="times the seconds of ours", yscale="log")
        axis.set_yticks(TICKS, [f"{tick:g}" for tick in TICKS], minor=False)
        axis.minorticks_off()
    figure.legend(*axes[0].get_legend_handles_labels(), ncols=4, fontsize="small", loc="outside upper center")
    figure.savefig(RESULTS / "kernels.svg", metadata={"Date": None})
    plt.close(figure)


def is_plain(race: dict[str, Any]) -> bool:
    """Tell whether a race had one thread, all instructions and no neighbour."""
    return race["threads"] == 1 and not race["avx2"] and not race["neighbour"]


def draw_bars(axis: Any, races: list[dict[str, Any]]) -> None:
    """Draw a group of bars for each case."""
    width = 0.8 / len(SHOWN)
    for place, name in enumerate(SHOWN):
        known = [(number, race) for number, race in enumerate(races) if name in race["seconds"]]
        axis.bar(
            [number + (place - len(SHOWN) / 2 + 0.5) * width for number, _ in known],
            [race["seconds"][name]["median"] / ours(race)[1] - 1 for _, race in known],
            width,
            bottom=1,
            label=name,
        )
    axis.axhline(1, color="black", linewidth=0.8)
    names = [race["name"].replace(", ", "\n", 1) for race in races]
    axis.set_xticks(range(len(races)), names, fontsize="small")
