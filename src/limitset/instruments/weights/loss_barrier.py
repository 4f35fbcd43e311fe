"""How high does the loss rise on the straight way from one net to another?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from limitset.core.columns import frozen
from limitset.core.errors import InputError, UndefinedError
from limitset.core.intervals import Interval, jackknife_interval
from limitset.core.levels import Level
from limitset.core.results import Measurement
from limitset.core.undefined import UNDEFINED

INSTRUMENT: Final = "loss_barrier"
VERSION: Final = 1

Weights = Mapping[str, Tensor]
Loss = Callable[[Weights], Tensor | float]


@dataclass(frozen=True, kw_only=True, eq=False)
class LossBarrier:
    """The loss along the straight way between two nets.

    Parameters
    ----------
    barrier
        Highest rise of the loss above the straight line between its two ends, in the loss's unit, 0 or more;
        0: none, the nets lie in one basin as far as this way shows.
    position
        Where on the way it is, in [0, 1]; 0 is the first net.
    positions : (p,)
        Where the loss was measured.
    losses : (p,)
        The loss there.
    """

    barrier: Measurement
    position: float
    positions: Float[np.ndarray, " p"]
    losses: Float[np.ndarray, " p"]


@dataclass(frozen=True, kw_only=True, eq=False)
class MatchedBarrier:
    """The barrier before and after the hidden units of the second net are put in the order of the first.

    Parameters
    ----------
    before, after
        The barrier to the second net as it is, and to the same function with its units reordered.
    order : (h,)
        Unit of the second net that stands in each place.
    """

    before: LossBarrier
    after: LossBarrier
    order: Int[np.ndarray, " h"]


def loss_barrier(
    weights_a: Weights, weights_b: Weights, loss: Loss, *, points: int = 11, confidence: float = 0.95
) -> LossBarrier:
    r"""Measure the barrier of the loss on the segment between two nets of one shape.

    .. math:: B = \max_{\alpha \in [0, 1]} L\big((1 - \alpha) w_a + \alpha w_b\big)
        - \big[(1 - \alpha) L(w_a) + \alpha L(w_b)\big]

    Parameters
    ----------
    weights_a, weights_b
        Name to tensor, the same names and shapes. Tensors of whole numbers (counters) are taken from
        `weights_a` all along the way.
    loss
        Loss of the net with the given weights: one number, or one an example (n,), whose mean is the loss.
    points
        Places on the way, both ends among them, 3 or more.
    confidence
        Coverage of the interval, in (0, 1).

    Returns
    -------
    LossBarrier
        The interval is a jackknife over examples; there is none when the loss is one number.

    Raises
    ------
    InputError
        When names or shapes differ, or `points` is below 3.
    UndefinedError
        When a loss is not finite.

    Notes
    -----
    Both ends are on the way, so the barrier of a convex loss is 0, never below. The maximum is over `points`
    places: a narrow ridge between two of them is missed; an odd number has the middle among them. Statistics
    of batch normalisation do not interpolate: recompute them inside `loss`. A barrier is one straight way in
    one order of the hidden units; `matched_barrier` is the control.

    References
    ----------
    Frankle et al. (2020), arXiv:1912.05671, section 2 (instability: the same with the mean of the two ends in
    place of the line between them); Entezari et al. (2022), arXiv:2110.06296, section 2 (this form).

    Examples
    --------
    >>> a, b = ({"w": torch.tensor([sign * 0.5**0.5], dtype=torch.float64)} for sign in (-1, 1))
    >>> got = loss_barrier(a, b, lambda w: (w["w"] ** 4 - w["w"] ** 2).sum())
    >>> round(got.barrier.value, 12), got.position  # from -1/4 at both minima to 0 between them
    (0.25, 0.5)
    """
    _check(weights_a, weights_b, points)
    positions = np.linspace(0.0, 1.0, points)
    with torch.no_grad():
        rows = [_losses(loss(_between(weights_a, weights_b, float(place)))) for place in positions]
    if len({row.size for row in rows}) > 1:
        raise InputError.of(
            expected="the loss must speak of the same examples all along the way",
            got=f"{', '.join(str(row.size) for row in rows)} numbers",
            fix="Use one batch.",
        )
    table = np.stack(rows)  # (points, examples)
    excess = _excess(table.mean(axis=1), positions)
    top = int(excess.argmax())
    n = table.shape[1]
    interval = Interval(value=float(excess[top]), low=UNDEFINED, high=UNDEFINED, n=float(n))
    if n > 1:
        without = (table.sum(axis=1, keepdims=True) - table) / (n - 1)
        tops = _excess(without, positions).max(axis=0)
        got = jackknife_interval(interval.value, tops, confidence=confidence)
        interval = Interval(value=got.value, low=max(got.low, 0.0), high=got.high, n=float(n))
    measured = Measurement(
        instrument=INSTRUMENT,
        version=VERSION,
        level=Level.WEIGHTS,
        value=interval.value,
        low=interval.low,
        high=interval.high,
        interval_method="jackknife over examples" if n > 1 else "",
        confidence=confidence,
        n=interval.n,
        parameters={"points": points},
        notes=("n counts examples of one pair of nets, not pairs of nets",)
        if n > 1
        else ("the loss is one number: give one an example for an interval",),
    )
    return LossBarrier(
        barrier=measured,
        position=float(positions[top]),
        positions=frozen(positions),
        losses=frozen(table.mean(axis=1)),
    )


def matched_barrier(
    weights_a: Weights,
    weights_b: Weights,
    loss: Loss,
    *,
    incoming: Sequence[str],
    outgoing: Sequence[str],
    points: int = 11,
    confidence: float = 0.95,
) -> MatchedBarrier:
    r"""Measure the barrier before and after matching the hidden units of one layer.

    .. math:: \pi = \arg\max_\pi \sum_h \langle u_h, v_{\pi(h)} \rangle

    with u and v all weights into and out of a unit, of the first net and the second.

    Parameters
    ----------
    weights_a, weights_b, loss, points, confidence
        As in `loss_barrier`.
    incoming
        Names of the tensors (h, ...) with one row a hidden unit: weights into the layer, and its bias.
    outgoing
        Names of the tensors (o, h, ...) with one column a hidden unit: weights out of the layer.

    Returns
    -------
    MatchedBarrier
        Both barriers and the order. The reordered net computes the same function as `weights_b`.

    Raises
    ------
    InputError
        As `loss_barrier`; when a name is missing or the tensors do not agree on the number of units.

    Notes
    -----
    Exact for one hidden layer: the best match of the weights, not the lowest barrier. Deeper nets need all
    layers matched together; matching one of them may leave the barrier as it was.

    References
    ----------
    Entezari et al. (2022), arXiv:2110.06296, section 2 (barriers up to permutations); Ainsworth et al.
    (2023), arXiv:2209.04836, section 3.2 (matching weights by linear assignment).

    Examples
    --------
    >>> draw = torch.Generator().manual_seed(0)
    >>> a = {"in": torch.randn(8, 4, generator=draw), "out": torch.randn(2, 8, generator=draw)}
    >>> b = {"in": a["in"].flip(0), "out": a["out"].flip(1)}  # the same function, units in another order
    >>> x = torch.randn(50, 4, generator=draw)
    >>> run = lambda w: torch.relu(x @ w["in"].T) @ w["out"].T
    >>> got = matched_barrier(a, b, lambda w: (run(w) - run(a)).square().mean(dim=1),
    ...     incoming=["in"], outgoing=["out"])
    >>> got.before.barrier.value > 0.1, got.after.barrier.value < 1e-9, got.order.tolist()
    (True, True, [7, 6, 5, 4, 3, 2, 1, 0])
    """
    _check(weights_a, weights_b, points)
    ours, theirs = (_units(weights, incoming, outgoing) for weights in (weights_a, weights_b))
    _, order = linear_sum_assignment(ours @ theirs.T, maximize=True)
    place = torch.from_numpy(order)
    moved = {
        **{name: weights_b[name][place.to(weights_b[name].device)] for name in incoming},
        **{name: weights_b[name][:, place.to(weights_b[name].device)] for name in outgoing},
    }
    before, after = (
        loss_barrier(weights_a, other, loss, points=points, confidence=confidence)
        for other in (weights_b, {**weights_b, **moved})
    )
    return MatchedBarrier(before=before, after=after, order=frozen(order))


def _between(weights_a: Weights, weights_b: Weights, place: float) -> Weights:
    # the ends are the nets themselves, to the last bit
    return {
        name: (1 - place) * tensor + place * weights_b[name] if tensor.is_floating_point() else tensor
        for name, tensor in weights_a.items()
    }


def _losses(loss: Tensor | float) -> Float[np.ndarray, " n"]:
    values = torch.as_tensor(loss).detach().double().reshape(-1).cpu().numpy()
    if not values.size or not np.isfinite(values).all():
        raise UndefinedError.of(
            expected="the loss must be finite numbers all along the way",
            got=values[~np.isfinite(values)][:1].tolist() or "none",
            fix="Mend the loss.",
        )
    return np.asarray(values)


def _excess(losses: np.ndarray, positions: np.ndarray) -> np.ndarray:
    share = positions.reshape(-1, *[1] * (losses.ndim - 1))
    return np.asarray(losses - ((1 - share) * losses[0] + share * losses[-1]))


def _units(weights: Weights, incoming: Sequence[str], outgoing: Sequence[str]) -> Float[np.ndarray, "h k"]:
    missing = [name for name in (*incoming, *outgoing) if name not in weights]
    if missing or not incoming or not outgoing:
        raise InputError.of(
            expected=f"incoming and outgoing must name tensors among {', '.join(weights)}",
            got=missing or "none",
            fix="Name the tensors before and after the hidden layer.",
        )
    into, out = ([tuple(weights[name].shape) for name in names] for names in (incoming, outgoing))
    counts = {shape[:1] for shape in into} | {shape[1:2] for shape in out}
    if len(counts) > 1 or () in counts:
        raise InputError.of(
            expected="incoming tensors (h, ...) and outgoing tensors (o, h, ...) of the same units",
            got=", ".join(map(str, into + out)),
            fix="Name the tensors of one hidden layer.",
        )
    sides = [weights[name] for name in incoming] + [weights[name].transpose(0, 1) for name in outgoing]
    flat = [side.detach().double().reshape(len(side), -1).cpu().numpy() for side in sides]
    return np.concatenate(flat, axis=1)


def _check(weights_a: Weights, weights_b: Weights, points: int) -> None:
    shapes = [{name: tuple(t.shape) for name, t in one.items()} for one in (weights_a, weights_b)]
    if shapes[0] != shapes[1] or not shapes[0]:
        odd = sorted(
            name for name in {**shapes[0], **shapes[1]} if shapes[0].get(name) != shapes[1].get(name)
        )
        raise InputError.of(
            expected="both nets must have the same weights, by name and shape",
            got=f"differing {', '.join(odd)}" if odd else "no weights",
            fix="Compare nets of one architecture.",
        )
    if points < 3:
        raise InputError.of(
            expected="points must be 3 or more, both ends among them", got=points, fix="Use 11."
        )
