"""Where do many runs of a map of numeric states go, which settle, and since which step?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from torch import Tensor

from limitset.core.protocols import SelfMap
from limitset.core.streams import Streams
from limitset.core.tensor_runs import TensorRuns
from limitset.numerics.running.iteration import OnTensorStep, iterated

INSTRUMENT: Final = "tensor_orbits"
VERSION: Final = 1


def run_tensors(
    map: SelfMap[Any],
    starts: Tensor,
    *,
    steps: int,
    rng: Streams,
    rows: Sequence[int] | np.ndarray | None = None,
    tolerance: float | None = None,
    bound: float = 1e6,
    hold: Sequence[int] = (),
    on_step: OnTensorStep | None = None,
    resume_from: TensorRuns | None = None,
    memory: int | None = None,
) -> TensorRuns:
    r"""Apply a map of tensors again and again to many starts, and stop each run when it settles or diverges.

    .. math:: x_{t+1} = f(x_t), \qquad
        r_t = \frac{\|x_{t+1} - x_t\|}{\|x_{t+1}\|}, \qquad
        D_t = a_t \frac{q}{1 - q}, \quad q = \left(\frac{a_t}{a_{t-h}}\right)^{1/h}

    with a_t the longest of the last h steps (4 to 16, an eighth of the steps run). A run has settled on a
    fixed point when D_t, the estimated distance to its limit, is below tolerance x ‖x_t‖ for four steps; when
    it no longer moves, or by no more than two rounding units for 16 steps; or when it has gone to and fro
    within the tolerance for 32 steps and got nowhere. It has settled on a p-cycle when the same holds of the
    states p steps apart.

    Parameters
    ----------
    map
        The map; it gets `rows`, and at step t (from 1) the streams ``rng.child("step", t)``.
    starts : (b, *shape)
        Starting states, floating point; they are not written to.
    steps
        How many steps each run gets at most, counted from its start, 1 or more.
    rng
        Random streams, for maps that draw, and for sketches of states of more than 16 numbers.
    rows : (b,)
        Which row of the held input each start belongs to; default 0 ... b - 1.
    tolerance
        Distance that counts as none, relative to the norm of the state, in [4 rounding units, 1); default
        1e-5 for float32, 1e-9 for float64, 4 rounding units for shorter types. For a run that falls to zero
        it is relative to its largest norm.
    bound
        Norm, in units of the larger of 1 and the norm of the start, beyond which geometric growth is
        divergence; above 1.
    hold
        Rows whose every state is kept; others hold three states and 16 numbers a step.
    on_step
        Called after every application with the step, the rows and a copy of their new states (a tensor).
    resume_from
        Go on from runs of the same map, starts and streams, up to `steps` in all, with the same bits as an
        uninterrupted run.
    memory
        Bytes that may be used; default what is free.

    Returns
    -------
    TensorRuns
        Residuals, norms, status, arrival (steps, inf for never), period (0 for never) and last state of each
        run.

    Raises
    ------
    InputError
        For no starts, starts that are not finite real tensors, a tolerance below the dtype, a plan that does
        not fit into memory, runs that are not of these starts; for a map that changes shape or type, turns
        finite states into NaN, writes into the states it is given, fails on a part of the batch, says
        deterministic and is not, or whose images depend on the other rows of the batch.

    Notes
    -----
    A small residual is no evidence by itself: along x -> sqrt(1 + x^2) it falls as 1/(2 t) and nothing is
    fixed. Here the ratio of successive steps tends to 1, D_t to the norm itself, and the run stays undecided
    with the note "drift". "Never" means: not within `steps`. A run that passes a saddle nearer than the
    tolerance, or starts within rounding of an unstable fixed point, is called settled there: `limit_sets`
    refutes that such an end attracts. Arrival is counted from distances to the last state plus D_t; for
    states of more than 16 numbers distances are read from 16 random sums put to scale by the true lengths of
    the steps. Checks at the start apply the map once more to the batch and to three rows alone. A map that is
    not deterministic never settles.

    References
    ----------
    Brent (1980), doi:10.1007/BF01933190 (checkpoints at powers of two); Alon, Matias, Szegedy (1999),
    doi:10.1006/jcss.1997.1545 (sums under random signs keep distances); Datseris and Wagemakers (2022),
    doi:10.1063/5.0076568 (words, inf for never). The rule of settling: own definition.

    Examples
    --------
    >>> import torch
    >>> from limitset.maps.latent import TensorMap
    >>> flip = TensorMap(step=lambda x: -x)
    >>> got = run_tensors(flip, torch.tensor([[0.0], [2.0]]), steps=50, rng=Streams(0))
    >>> got.periods.tolist(), got.arrival.tolist()
    ([1, 2], [0.0, 0.0])
    >>> drift = TensorMap(step=lambda x: torch.sqrt(1 + x**2))
    >>> got = run_tensors(drift, torch.tensor([[0.0]]), steps=400, rng=Streams(0))
    >>> got.status[0].value, got.notes[0]
    ('undecided', 'drift')
    """
    return iterated(
        map,
        starts,
        rows=rows,
        steps=steps,
        tolerance=tolerance,
        bound=bound,
        hold=hold,
        on_step=on_step,
        resume_from=resume_from,
        memory=memory,
        rng=rng,
    )
