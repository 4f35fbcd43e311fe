"""How much of the agreement between two runs is agreement on a falsehood?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from limitset.core.agreements import falling_shares
from limitset.core.errors import InputError
from limitset.core.intervals import Interval, columns_of, jackknife_interval, share_or_bound
from limitset.core.levels import Level
from limitset.core.results import MeasurementTable
from limitset.core.tallies import Tallies
from limitset.core.undefined import UNDEFINED
from limitset.core.voting import modal

INSTRUMENT = "false_collision"
VERSION = 1
THRESHOLDS = (0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1.0)
QUANTITIES = ("collision", "false_collision", "closure_gap")
_ROUNDING = 1e-9


@dataclass(frozen=True, kw_only=True, eq=False)
class FalseCollision:
    """Agreement of two runs and of the mode.

    Parameters
    ----------
    values
        Axes stratum, quantity. collision: P(two runs agree), in [0, 1]. false_collision: P(two runs agree on
        a wrong answer), in [0, collision]. closure_gap: mean modal share less P(modal answer right), in
        [-1, 1]; above 0: agreement promises more than is true.
    false_mass
        M(b) = mean of the modal share over questions where it is at least b and the modal answer wrong, 0
        elsewhere; in [0, 1]; axes stratum, threshold.
    """

    values: MeasurementTable
    false_mass: MeasurementTable


def false_collision(
    tallies: Tallies,
    *,
    thresholds: Sequence[float] = THRESHOLDS,
    confidence: float = 0.95,
    level: Level = Level.ANSWER,
) -> FalseCollision:
    """Chance that two runs of the design agree, its wrong part, and what the mode promises beyond truth.

    ``collision = mean_q sum_y pi_q(y)^2``, false over wrong y alone; ``closure gap = E[b_q] - P(a_q right)``;
    ``M(b) = E[b_q 1{a_q wrong} 1{b_q >= b}]``.

    Parameters
    ----------
    tallies
        Counts of runs, every answer right or wrong.
    thresholds
        Modal shares b, each in (0, 1].
    confidence
        Coverage aimed at, in (0, 1).
    level
        Which map the runs are of.

    Returns
    -------
    FalseCollision
        A row a stratum, all questions last.

    Raises
    ------
    InputError
        When an answer has no anchor, or a threshold lies outside (0, 1].

    Notes
    -----
    Collisions are unbiased: falling factorials within a cell, products of shares across cells; a cell with
    one run is not paired with itself. The plug-in mean modal share is too high (the largest of noisy shares);
    how often a run left out gives the mode of the others is too low. The interval of the closure gap runs
    from the low end of the second to the high end of the first. M(b) is of the observed shares: with
    more runs fewer questions pass b by chance.

    References
    ----------
    Simpson (1949), doi:10.1038/163688a0 (unbiased chance that two draws agree).
    Guo et al. (2017), arXiv:1706.04599, eq. 2 (confidence less accuracy; here the modal share is confidence).

    Examples
    --------
    >>> from limitset.datasets.planted import mixture_world, planted_tallies
    >>> panel = planted_tallies(mixture_world(), questions=500, seeds=8, rng=np.random.default_rng(0))
    >>> got = false_collision(panel).values.one(stratum="all", quantity="false_collision")
    >>> got.low < 0.1435 < got.high  # .6 * .01 + .2 * 3 / 16 + .2 * (.49 + .01)
    True
    """
    tallies.require_anchor()
    outside = [b for b in thresholds if not 0 < b <= 1]
    if outside or not thresholds:
        raise InputError.of(
            expected="thresholds must lie in (0, 1]", got=outside or "none", fix="Give shares of the runs."
        )
    keys: list[tuple[str, str]] = []
    values: list[Interval] = []
    mass_keys: list[tuple[str, float]] = []
    masses: list[Interval] = []
    bias = UNDEFINED
    for stratum, part in tallies.by_stratum():
        agree, false, paired = _pairs(part)
        error = part.key_error
        keys += [(stratum, quantity) for quantity in QUANTITIES]
        values.append(share_or_bound(agree[paired], 1 - agree[paired], confidence=confidence))
        values.append(
            share_or_bound(false[paired], 1 - false[paired], confidence=confidence, anchor_error=error)
        )
        gap, bias = _gap(part.pooled(), confidence, error)
        values.append(gap)
        share, wrong = modal(part.pooled())
        for b in thresholds:
            held = share * wrong * (share >= b - _ROUNDING)
            mass_keys.append((stratum, float(b)))
            masses.append(share_or_bound(held, 1 - held, confidence=confidence, anchor_error=error))
    notes = ("the closure gap is biased upward; its interval reaches down to the leave-one-run-out value",)

    def table(
        name: str, axes: dict[str, np.ndarray], intervals: list[Interval], notes: tuple[str, ...]
    ) -> MeasurementTable:
        return MeasurementTable(
            instrument=name,
            version=VERSION,
            level=level,
            axes=axes,
            interval_method="logit jackknife over questions (closure gap: jackknife)",
            confidence=confidence,
            parameters={"runs": int(tallies.runs.sum(axis=0).max(initial=0)), "gap_bias_at_most": bias},
            notes=notes,
            **columns_of(intervals),
        )

    return FalseCollision(
        values=table(
            INSTRUMENT,
            {"stratum": np.array([k[0] for k in keys]), "quantity": np.array([k[1] for k in keys])},
            values,
            notes,
        ),
        false_mass=table(
            f"{INSTRUMENT}.false_mass",
            {
                "stratum": np.array([k[0] for k in mass_keys]),
                "threshold": np.array([k[1] for k in mass_keys]),
            },
            masses,
            ("of the observed shares: more runs leave fewer questions above a threshold by chance",),
        ),
    )


def _pairs(
    tallies: Tallies,
) -> tuple[Float[np.ndarray, " q"], Float[np.ndarray, " q"], np.ndarray]:
    """Chance that two runs agree, that they agree wrongly, and where two runs exist."""
    agree, squares, shares = np.zeros(tallies.class_item.size), *np.zeros((2, tallies.class_item.size))
    cells, doubles = np.zeros(tallies.items.size), np.zeros(tallies.items.size)
    for counts, runs in zip(tallies.counts, tallies.runs, strict=True):
        single, double = falling_shares(counts, runs[tallies.class_item], 2)
        shares += single
        squares += single**2
        agree += double
        cells += runs > 0
        doubles += runs > 1
    pairs = cells * (cells - 1) + doubles
    per_class = (shares**2 - squares + agree) / np.maximum(pairs, 1)[tallies.class_item]
    false = tallies.by_question(np.where(tallies.right, 0.0, per_class))
    return tallies.by_question(per_class), false, pairs > 0


def _gap(pooled: Tallies, confidence: float, key_error: float) -> tuple[Interval, float]:
    """Mean modal share less P(modal right), with the bound of its bias in the interval."""
    share, wrong = modal(pooled)
    answered = share > 0
    right = np.where(answered, 1 - wrong, 0.0)
    most, least = share - right, _left_out(pooled) - right
    bias = float((most - least).mean())
    if share.size < 2:
        return Interval.blank("fewer than two questions"), bias
    ends = [_mean_interval(one, confidence) for one in (least, most)]
    low, high = ends[0].low - key_error, ends[1].high + key_error
    return Interval(value=ends[1].value, low=max(low, -1.0), high=min(high, 1.0), n=float(share.size)), bias


def _mean_interval(values: Float[np.ndarray, " q"], confidence: float) -> Interval:
    return jackknife_interval(
        float(values.mean()), (values.sum() - values) / (values.size - 1), confidence=confidence
    )


def _left_out(pooled: Tallies) -> Float[np.ndarray, " q"]:
    """Chance that a run left out gives the modal answer of the others: on average at most the true share."""
    counts, runs, owner = pooled.counts[0], pooled.runs[0], pooled.class_item
    order = np.lexsort((-counts, owner))
    place = np.arange(order.size) - np.searchsorted(owner[order], owner[order])
    top, second = (np.zeros(runs.size, dtype=np.int64) for _ in range(2))
    top[owner[order][place == 0]] = counts[order][place == 0]
    second[owner[order][place == 1]] = counts[order][place == 1]
    at_top = pooled.by_question((counts == top[owner]).astype(float))[owner]
    at_second = pooled.by_question((counts == second[owner]).astype(float))[owner]
    alone = (counts == top[owner]) & (at_top == 1)
    lead = counts - 1 - second[owner]
    hit = np.where(alone & (lead > 0), 1.0, 0.0)
    # left out, the leader falls level with those one behind it: the mode is drawn among them
    hit = np.where(alone & (lead == 0) & (counts > 1), 1 / (1 + at_second), hit)
    return np.asarray(pooled.by_question(hit * counts / np.maximum(runs, 1)[owner]))
