"""The kernels beside everybody else's: every table for a machine by one command.

python benchmarks/kernels.py [cases] [vectors] [growth] [memory] [training] [startup] [gpu] [--small]

Without names everything is measured. Peers are an extra (``pip install '.[peers]'``); those that are missing
are named and left out. Each part goes into files of its own below ``benchmarks/results``: a Markdown table,
the figures as JSON, and for the cases a plot. With ``--small`` large cases have a tenth of their samples,
everybody has fewer turns, and nothing is written.
"""

from __future__ import annotations

import argparse
from importlib import import_module

from measure import environment, keep

PARTS = {
    "cases": ("kernels", "Kernels: one loss and gradient", "kernel_cases"),
    "vectors": ("kernels_vectors", "Many weight vectors in one pass", "many_vectors"),
    "growth": ("kernels_growth", "Growth with samples, width and depth", "growth"),
    "memory": ("kernels_memory", "Memory above the data", "memory"),
    "training": ("kernels_training", "Time to a fixed loss", "training_time"),
    "startup": ("kernels_startup", "Start-up of a mapper", "startup"),
    "gpu": ("kernels_gpu", "Kernels on a GPU", "gpu"),
}
"""File, title and module of each part; a module has ``measure(small, seconds)``."""


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(PARTS), default=[])
    parser.add_argument("--small", action="store_true", help="a quick look that is not kept")
    parser.add_argument("--seconds", type=float, default=6, help="for each case of each table (6)")
    options = parser.parse_args()
    unknown = set(options.parts) - set(PARTS)
    if unknown:
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    for name in options.parts or PARTS:
        file, title, module = PARTS[name]
        texts, data = import_module(module).measure(small=options.small, seconds=options.seconds)
        if options.small:
            print("\n\n".join([f"# {title}", environment(), *texts]))
        else:
            keep(file, title, texts, data)


if __name__ == "__main__":
    main()
