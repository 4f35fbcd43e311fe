"""When each member of a panel votes once, what do the votes count for, and what does their agreement say?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from limitset.core.columns import frozen
from limitset.core.errors import InputError
from limitset.core.intervals import Interval, share_or_bound
from limitset.core.levels import Level
from limitset.core.results import Measurement, MeasurementTable
from limitset.core.tallies import Tallies
from limitset.instruments.truth.best_subset import best_subset
from limitset.instruments.truth.unanimity import wrong_when_unanimous
from limitset.instruments.truth.votes import effective_number

STUDY: Final = "panel_votes"
VERSION: Final = 1

MOST_AGREE: Final = 9
"""Members whose agreement the curve follows; all of them count in ``wrong_when_all_agree``."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PanelVotes:
    """What the votes of a panel are worth, one run a member.

    Parameters
    ----------
    estimates
        ``worth`` (independent votes beyond the first, by members beyond the first), ``worth_of_members``
        (the same with the chance of each member to be wrong in place of one run), ``wrong_when_all_agree``
        and ``vote_gain`` (share right of the vote less that of the member that did best on other questions).
    curve
        The wrong-when-unanimous curve, up to nine members.
    members
        Who votes.
    """

    estimates: Mapping[str, Measurement]
    curve: MeasurementTable
    members: tuple[str, ...]


def panel_votes(tallies: Tallies, *, confidence: float = 0.95, rng: np.random.Generator) -> PanelVotes:
    """Measure what the votes of a panel count for, how wrong they are in agreement, and what voting gains.

    Parameters
    ----------
    tallies
        Counts of runs of two systems or more, every answer right or wrong.
    confidence
        Coverage aimed at, in (0, 1).
    rng
        Draws the run that a member casts where it has several, and cuts the questions into parts.

    Returns
    -------
    PanelVotes
        Blank with its reason where the table cannot tell.

    Raises
    ------
    InputError
        When an answer has no anchor, there is one system, or no question was answered by all.

    References
    ----------
    As `effective_number`, `wrong_when_unanimous` and `best_subset`.

    Examples
    --------
    >>> from limitset.datasets.planted import clones_world, planted_tallies
    >>> rng = np.random.default_rng(0)
    >>> clones = planted_tallies(clones_world(accuracy=0.6, models=5), questions=200, seeds=1, rng=rng)
    >>> round(panel_votes(clones, rng=rng).estimates["worth"].value, 9)  # five clones have one vote
    0.0
    """
    tallies.require_anchor()
    members = tuple(str(name) for name in np.unique(tallies.systems.astype(str)))
    if len(members) < 2:
        raise InputError.of(
            expected="a panel has two members or more", got=len(members), fix="Give replies of other systems."
        )
    votes = one_vote_each(tallies, rng=rng)
    if not votes.items.size:
        raise InputError.of(
            expected="some question must have replies of every member",
            got=f"{tallies.items.size} questions, none of them",
            fix="Leave out the members that lack most questions.",
        )
    gains = best_subset(tallies, rng=rng, sizes=[1], confidence=confidence).gains
    best = [row for row in gains.rows() if row.parameters["against"] == "all"]
    gain = best[0] if best else None
    return PanelVotes(
        estimates={
            "worth": _worth(votes, "votes", "worth", confidence),
            "worth_of_members": _worth(tallies, "models", "worth_of_members", confidence),
            "wrong_when_all_agree": _agreed(tallies, confidence),
            "vote_gain": _measured(
                "vote_gain",
                Interval.blank("too few questions to choose a member on some and judge it on others")
                if gain is None
                else Interval(
                    value=-gain.value,
                    low=-gain.high,
                    high=-gain.low,
                    n=gain.n,
                    blank_reason=gain.blank_reason,
                ),
                confidence,
            ),
        },
        curve=wrong_when_unanimous(tallies, k_max=min(len(members), MOST_AGREE), confidence=confidence).curve,
        members=members,
    )


def one_vote_each(tallies: Tallies, *, rng: np.random.Generator) -> Tallies:
    """Return one run of each system, drawn from its runs, on the questions that all of them have runs on.

    Examples
    --------
    >>> from limitset.datasets.planted import mixture_world, planted_tallies
    >>> rng = np.random.default_rng(0)
    >>> panel = planted_tallies(mixture_world(models=3), questions=4, seeds=8, rng=rng)
    >>> votes = one_vote_each(panel, rng=rng)
    >>> int(votes.runs.max()), int(votes.counts.sum())
    (1, 12)
    """
    pooled = tallies.by_system()
    pooled = pooled.of_questions(np.asarray((pooled.runs > 0).all(axis=0)))
    order = np.argsort(pooled.class_item, kind="stable")
    owner, counts = pooled.class_item[order], pooled.counts[:, order]
    up_to = np.concatenate([np.zeros((counts.shape[0], 1), dtype=np.int64), counts.cumsum(axis=1)], axis=1)
    # runs of a question stand in the order of its classes, those without an answer last
    first = up_to[:, np.searchsorted(owner, np.arange(pooled.items.size))]
    drawn = np.floor(rng.random(pooled.runs.shape) * pooled.runs).astype(np.int64) + first
    at = drawn[:, owner]
    cast = np.zeros(pooled.counts.shape, dtype=np.int64)
    cast[:, order] = (up_to[:, :-1] <= at) & (at < up_to[:, 1:])
    last = up_to[:, np.searchsorted(owner, np.arange(pooled.items.size), side="right")]
    answered = (drawn < last).astype(np.int64)
    return replace(
        pooled,
        counts=frozen(cast),
        runs=frozen(np.ones_like(answered)),
        abstained=frozen(1 - answered),
        unparsed=frozen(np.zeros_like(answered)),
    )


def _worth(tallies: Tallies, unit: str, name: str, confidence: float) -> Measurement:
    """Kish's number of independent voters less one, by the voters less one."""
    got = effective_number(tallies, confidence=confidence).values.one(unit=unit)
    pooled = tallies.by_system()
    right, runs = np.where(pooled.right, pooled.counts, 0).sum(axis=1), pooled.runs.sum(axis=1)
    others = int(((right > 0) & (right < runs)).sum()) - 1
    if got.blank or others < 1:
        blank = Interval.blank(got.blank_reason or "fewer than two members are wrong at times")
        return _measured(name, blank, confidence)
    low, value, high = ((number - 1) / others for number in (got.low, got.value, got.high))
    return _measured(name, Interval(value=value, low=low, high=high, n=got.n), confidence)


def _agreed(tallies: Tallies, confidence: float) -> Measurement:
    """Chance that one run of each member all give one wrong answer, by the chance that they give one."""
    pooled = tallies.by_system()
    pooled = pooled.of_questions(np.asarray((pooled.runs > 0).all(axis=0)))
    chance = np.prod(pooled.counts / pooled.runs[:, pooled.class_item], axis=0)
    wrong, right = (pooled.by_question(np.where(side, chance, 0.0)) for side in (~pooled.right, pooled.right))
    told = share_or_bound(wrong, right, confidence=confidence, anchor_error=pooled.key_error)
    return _measured("wrong_when_all_agree", told, confidence)


def _measured(name: str, got: Interval, confidence: float) -> Measurement:
    return Measurement(
        instrument=f"{STUDY}.{name}",
        version=VERSION,
        level=Level.ANSWER,
        value=got.value,
        low=got.low,
        high=got.high,
        n=got.n,
        interval_method="over questions, as the instruments give it",
        confidence=confidence,
        blank_reason=got.blank_reason,
    )
