"""Do nets that generalise end with representations more alike than nets that memorise?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy import stats
from torch import Tensor

from limitset.core.errors import InputError
from limitset.core.intervals import Interval, jackknife_error
from limitset.core.streams import Streams
from limitset.core.undefined import UNDEFINED
from limitset.datasets.planted.sums import ANSWERS, draw_sums
from limitset.datasets.planted.twins import one_thread
from limitset.instruments.alignment.cka import linear_cka

GENERALISERS_VERSION: Final = 1
WIDTH: Final = 128
BATCH: Final = 256
PEAK_RATE: Final = 0.003
GENERAL: Final = "generalise"
SAME: Final = "memorise the same labels"
OTHER: Final = "memorise labels of their own"
ARMS: Final = (GENERAL, SAME, OTHER)

Sides = Mapping[str, Float[np.ndarray, "n m"]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Images:
    """Sums of two digits as images: each segment is several pixels, each blurred by itself.

    Parameters
    ----------
    inputs : (n, 14 pixels) float32
        Brightness.
    answers : (n,)
        Last digit of the sum.
    """

    inputs: Float[np.ndarray, "n d"]
    answers: Int[np.ndarray, " n"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Group:
    """Nets of one arm.

    Parameters
    ----------
    arm
        Which.
    hidden : (nets, n, width)
        Activations of the last hidden layer on unseen images.
    fitted, right : (nets,)
        Share of its own labels that each net gives on the images it learned, and of right answers on unseen
        ones.
    """

    arm: str
    hidden: Float[np.ndarray, "k n w"]
    fitted: Float[np.ndarray, " k"]
    right: Float[np.ndarray, " k"]


def images(count: int, *, pixels: int, blur: float, rng: np.random.Generator) -> Images:
    """Draw sums of two digits as images.

    Examples
    --------
    >>> images(3, pixels=4, blur=0.3, rng=np.random.default_rng(0)).inputs.shape
    (3, 56)
    """
    sharp = draw_sums(count, rng=rng, blur=0.0)
    inputs = np.repeat(sharp.inputs, pixels, axis=1)
    noise = blur * rng.standard_normal(inputs.shape, dtype=np.float32)
    return Images(inputs=(inputs + noise).astype(np.float32), answers=np.array(sharp.answers))


def labels_of(
    arm: str, answers: Int[np.ndarray, " n"], nets: int, streams: Streams
) -> Int[np.ndarray, "k n"]:
    """Return the labels that each net of an arm learns: the answers, or answers shuffled over the images.

    Raises
    ------
    InputError
        For an unknown arm.

    Examples
    --------
    >>> got = labels_of(SAME, np.arange(10), 2, Streams(0))
    >>> bool((got[0] == got[1]).all()), sorted(got[0].tolist()) == list(range(10))
    (True, True)
    """
    if arm not in ARMS:
        raise InputError.of(expected=f"an arm is one of {', '.join(ARMS)}", got=arm, fix="Use one of these.")
    if arm == GENERAL:
        return np.tile(answers, (nets, 1))
    deals = [streams.child(arm).generator(net if arm == OTHER else 0) for net in range(nets)]
    return np.stack([rng.permutation(answers) for rng in deals])


def trained_group(
    arm: str, learned: Images, unseen: Images, *, nets: int, steps: int, streams: Streams, name: str = ""
) -> Group:
    """Train nets of one arm on the same images, each from its own start, and look at them on unseen ones.

    Parameters
    ----------
    arm
        One of `ARMS`.
    learned, unseen
        Images.
    nets
        How many, all trained at once.
    steps
        Updates (Adam, batches of 256, rate rising to .003 and falling to 0).
    streams
        Draws starts, batches and shuffled labels.
    name
        Another name gives the same arm other starts and batches.

    Returns
    -------
    Group
        Activations and accuracies.
    """
    labels = torch.from_numpy(labels_of(arm, learned.answers, nets, streams).astype(np.int64))
    streams = streams.child("nets", arm, name)
    with one_thread():
        weights = _starts(nets, learned.inputs.shape[1], streams.child("start"))
        inputs = torch.from_numpy(learned.inputs)
        _train(weights, inputs, labels, steps=steps, streams=streams.child("batches"))
        with torch.no_grad():
            _, given = _forward(weights, inputs.expand(nets, -1, -1))
            hidden, answered = _forward(weights, torch.from_numpy(unseen.inputs).expand(nets, -1, -1))
    answers = torch.from_numpy(unseen.answers.astype(np.int64))
    return Group(
        arm=arm,
        hidden=hidden.numpy(),
        fitted=(given.argmax(-1) == labels).double().mean(dim=1).numpy(),
        right=(answered.argmax(-1) == answers).double().mean(dim=1).numpy(),
    )


def similarities(first: Group, second: Group) -> Float[np.ndarray, "k m"]:
    """Return linear CKA of the nets of two groups, or of one with itself (NaN where a net meets itself)."""
    own = first is second
    table = np.full((len(first.hidden), len(second.hidden)), UNDEFINED)
    for row, one in enumerate(first.hidden):
        for column, other in enumerate(second.hidden):
            if own and row >= column:
                continue
            table[row, column] = linear_cka(one, other).similarity.value
            if own:
                table[column, row] = table[row, column]
    return table


def over_nets(
    statistic: Callable[[Mapping[str, np.ndarray]], float],
    nets: Mapping[str, int],
    *,
    confidence: float,
) -> Interval:
    """Interval of a statistic of several groups by leaving out one net at a time.

    Parameters
    ----------
    statistic
        Group to the numbers of the nets that stay, to a number.
    nets
        How many nets each group has.
    confidence
        Coverage aimed at, in (0, 1).

    Returns
    -------
    Interval
        Squared errors of the groups add, degrees of freedom as Welch.

    Examples
    --------
    >>> x, y = np.array([1.0, 2.0, 3.0]), np.array([1.0, 1.0, 1.0])
    >>> got = over_nets(lambda stay: float(x[stay["x"]].mean() - y[stay["y"]].mean()), {"x": 3, "y": 3},
    ...     confidence=0.95)
    >>> round(got.value, 2), round(got.high - got.value, 2)  # 4.30 * 1 / sqrt(3)
    (1.0, 2.48)
    """
    everyone = {group: np.arange(count) for group, count in nets.items()}
    whole = statistic(everyone)
    variances = []
    for group, count in nets.items():
        without = [statistic({**everyone, group: np.delete(everyone[group], net)}) for net in range(count)]
        variances.append(jackknife_error(np.array(without)) ** 2)
    total = float(sum(variances))
    squares = [variance**2 / (count - 1) for variance, count in zip(variances, nets.values(), strict=True)]
    degrees = total**2 / sum(squares) if total else 1.0
    half = float(stats.t.ppf(0.5 + confidence / 2, degrees)) * total**0.5
    return Interval(value=whole, low=whole - half, high=whole + half, n=float(min(nets.values())))


def mean_of(table: Float[np.ndarray, "k m"], rows: np.ndarray, columns: np.ndarray) -> float:
    """Return the mean similarity of the nets that stay; no net is compared with itself."""
    return float(np.nanmean(table[np.ix_(rows, columns)]))


def _starts(nets: int, inputs: int, streams: Streams) -> list[Tensor]:
    sizes: Sequence[int] = (inputs, WIDTH, WIDTH, ANSWERS)
    generators = [streams.generator(net) for net in range(nets)]
    parts: list[Tensor] = []
    for fan_in, fan_out in pairwise(sizes):
        drawn = [rng.standard_normal((fan_in, fan_out), dtype=np.float32) for rng in generators]
        parts.append(torch.from_numpy(np.float32(np.sqrt(2 / fan_in)) * np.stack(drawn)))
        parts.append(torch.zeros(nets, 1, fan_out))
    return parts


def _forward(weights: Sequence[Tensor], inputs: Tensor) -> tuple[Tensor, Tensor]:
    """Return the activations of the last hidden layer, and the logits."""
    first = torch.relu(torch.baddbmm(weights[1], inputs, weights[0]))
    second = torch.relu(torch.baddbmm(weights[3], first, weights[2]))
    return second, torch.baddbmm(weights[5], second, weights[4])


def _train(weights: list[Tensor], inputs: Tensor, labels: Tensor, *, steps: int, streams: Streams) -> None:
    nets, count = labels.shape
    rows = torch.arange(nets)[:, None]
    order = np.stack([streams.generator(net).integers(0, count, (steps, BATCH)) for net in range(nets)])
    picks = torch.from_numpy(order)
    for part in weights:
        part.requires_grad_()
    optimizer = torch.optim.Adam(weights, lr=PEAK_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_RATE, total_steps=steps + 1)
    for step in range(steps):
        pick = picks[:, step]
        _, logits = _forward(weights, inputs[pick])
        # the sum over nets, so that each net's gradient is that of its own mean loss
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels[rows, pick].flatten()) * nets
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    for part in weights:
        part.requires_grad_(False)
