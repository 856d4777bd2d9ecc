"""``kernel="auto"``: which kernel computes a network, by the size of the work and by what is installed.

The choice is made once, where a training starts, and its name travels with every job. It looks at the
network, the data, this machine, and whether blocks are computed in this process: elsewhere it is numpy, for
tasks may have nothing else. One kernel gives the same bits on every engine; two differ in the last ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from neuralframe.kernels.candidates import CANDIDATES, missing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from neuralframe.kernels.candidates import Missing
    from neuralframe.kernels.work import Work


@attrs.frozen
class Choice:
    """The kernel that was chosen.

    Attributes
    ----------
    name : str
        What it is called.
    reason : str
        Why it was chosen.
    alternatives : mapping of str to str
        The first thing that spoke against each of those that would have been preferred.

    """

    name: str
    reason: str
    alternatives: Mapping[str, str]


def choose(work: Work, *, missing: Missing = missing) -> Choice:
    """Return the kernel for some work.

    A graphics processor is taken where the work is large, compiled code where the network is narrow and the
    data are large enough that the time saved pays for starting it, numpy for everything else, and wherever
    other processes compute.

    Parameters
    ----------
    work : Work
        The network, the number of samples and of passes over them.
    missing : callable
        Tells what a kernel of some name lacks on a machine, by default on this one; an empty text is
        nothing. It is asked last, and only about kernels that suit the work.

    Returns
    -------
    Choice
        The same for the same arguments, whatever the number of workers.

    Examples
    --------
    >>> import neuralframe as nf
    >>> from neuralframe.kernels.work import Work
    >>> net = nf.MultilayerPerceptron(8, 16, 3)
    >>> choose(Work(topology=net.topology, n_samples=4177)).name
    'numpy'

    """
    alternatives: dict[str, str] = {}
    for candidate in CANDIDATES.values():
        objection = next(candidate.objections(work, missing), None) or candidate.failure()
        if not objection:
            break
        alternatives[candidate.name] = objection
    return Choice(candidate.name, candidate.merit(work), alternatives)
