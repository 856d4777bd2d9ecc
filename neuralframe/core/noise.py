"""Noise: what disturbs a network while it learns, so that it relies on no single input or neuron."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from neuralframe.core.components import Component
from neuralframe.core.validation import number
from neuralframe.exceptions import ParameterError, TopologyError

if TYPE_CHECKING:
    from neuralframe.core.arrays import Vector
    from neuralframe.core.noise_draw import Numbers
    from neuralframe.core.topology import LayerSpec, Topology


class Noise(Component):
    """A kind of noise.

    Derive one of your own by writing `factors`, or `shifts`, or both. They may depend on their arguments and
    the noise's own parameters alone.
    """

    @classmethod
    def given(cls, noise: Any) -> tuple[Noise, ...]:
        """Return kinds of noise from one of them, several or None.

        Raises
        ------
        ParameterError
            If something else is among them.

        """
        if noise is None:
            return ()
        kinds = tuple(noise) if isinstance(noise, Iterable) and not isinstance(noise, str) else (noise,)
        if not all(isinstance(kind, Noise) for kind in kinds):
            raise ParameterError(
                f"noise takes nf.Dropout(0.5), nf.InputNoise(0.1) or several of them; got {noise!r}"
            )
        return kinds

    def check(self, topology: Topology) -> None:
        """Raise `TopologyError` if the noise does not suit a network; called before training begins."""

    def factors(self, layer: LayerSpec, numbers: Numbers) -> Vector | None:  # noqa: ARG002
        """Return what a layer's outputs are multiplied by, (n_samples, size), or None to leave them alone.

        Called for each input layer and each hidden layer, for the samples of a block or some of them.
        """
        return None

    def shifts(self, layer: LayerSpec, numbers: Numbers) -> Vector | None:  # noqa: ARG002
        """Return what is then added to the values of an input layer, (n_samples, size), or None."""
        return None


def _shares(given: Any) -> Any:
    pairs = given.items() if isinstance(given, Mapping) else given
    if not isinstance(pairs, Iterable) or isinstance(pairs, str):
        return given  # a number, or what is refused for not being one
    try:
        return tuple((str(name), share) for name, share in pairs)
    except (TypeError, ValueError):
        raise ParameterError(
            f'Dropout takes a share such as 0.5, or shares by the names of layers: {{"hidden": 0.5}}; '
            f"got {given!r}"
        ) from None


def _check_shares(instance: Dropout, attribute: Any, value: Any) -> None:
    shares = [share for _, share in value] if isinstance(value, tuple) else [value]
    for share in shares:
        number(at_least=0, below=1)(instance, attribute, share)


@attrs.frozen
class Dropout(Noise):
    """Switch off each neuron with some probability, anew for every sample and iteration.

    The outputs of those that are left are multiplied by 1/(1 - share), so that what the next layer is fed
    stays the same in the mean and the trained network is used as it is.

    Parameters
    ----------
    share : float, or mapping of str to float; at least 0 and below 1
        The probability, for all hidden layers; or for layers by name, such as
        ``{"input": 0.2, "hidden": 0.5}``. Outputs are never dropped.

    References
    ----------
    N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever and R. Salakhutdinov (2014). Dropout: a simple
    way to prevent neural networks from overfitting. JMLR 15, 1929-1958; the scaling as in section 10.

    Examples
    --------
    >>> Dropout({"hidden": 0.5})
    Dropout(share=(('hidden', 0.5),))

    """

    share: float | tuple[tuple[str, float], ...] = attrs.field(
        default=0.5, converter=_shares, validator=_check_shares
    )

    def check(self, topology: Topology) -> None:
        """Refuse names that no input or hidden layer has, and a network of which nothing is dropped."""
        known = {layer.name for i, layer in enumerate(topology.layers) if i not in topology.outputs}
        for name, _ in self.share if isinstance(self.share, tuple) else ():
            if name not in known:
                raise TopologyError(
                    f"Dropout: no input or hidden layer is called {name!r}; there are "
                    f"{', '.join(sorted(known))}"
                )
        dropped = [layer for layer in topology.layers if layer.name in known and self.share_of(layer)]
        if not dropped and self.share:
            raise TopologyError("Dropout: the network has no hidden layer to drop neurons of")

    def factors(self, layer: LayerSpec, numbers: Numbers) -> Vector | None:
        """Return 0 for what is dropped, and for the rest what keeps the mean."""
        share = self.share_of(layer)
        if not share:
            return None
        return np.where(numbers.uniform(layer.size) < share, 0.0, 1 / (1 - share))

    def share_of(self, layer: LayerSpec) -> float:
        """Return the probability with which a neuron of an input or hidden layer is dropped."""
        if isinstance(self.share, tuple):
            return dict(self.share).get(layer.name, 0.0)
        return 0.0 if layer.is_input else self.share


@attrs.frozen
class InputNoise(Noise):
    """Add normally distributed numbers to the inputs, anew for every sample and iteration.

    Parameters
    ----------
    deviation : float, at least 0
        Standard deviation, in units of the inputs as the network sees them: normalized.

    References
    ----------
    C. M. Bishop (1995). Training with noise is equivalent to Tikhonov regularization. Neural Computation 7,
    108-116.

    """

    deviation: float = attrs.field(default=0.1, validator=number(at_least=0))

    def shifts(self, layer: LayerSpec, numbers: Numbers) -> Vector | None:
        """Return what is added to the inputs."""
        return self.deviation * numbers.normal(layer.size)
