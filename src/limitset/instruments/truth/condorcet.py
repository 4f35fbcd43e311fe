"""Does a majority of these voters do as well as a majority of independent ones?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from limitset.core.agreements import Source, groups_of, reached_by_most, unit_shares
from limitset.core.errors import InputError
from limitset.core.intervals import Interval, columns_of, jackknife_interval
from limitset.core.levels import Level
from limitset.core.majorities import MOST_VOTES, equivalent_votes, mean_of_shares, predicted_majorities
from limitset.core.results import MeasurementTable
from limitset.core.tallies import Tallies
from limitset.core.undefined import UNDEFINED
from limitset.core.voting import after_one_run_each, after_votes

INSTRUMENT = "condorcet"
VERSION = 1

ESTIMATES = ("observed", "independent", "correlated")


@dataclass(frozen=True, kw_only=True, eq=False)
class Condorcet:
    """Accuracy of a vote against the same vote among independent voters.

    Parameters
    ----------
    accuracy
        Axes `unit` ("votes": runs of the whole design; "models": one run each of different systems), `size`
        (odd), `estimate`: "observed" plurality, "independent" binomial majority at the mean accuracy,
        "correlated" beta-binomial majority with the measured mean correlation. The last two carry their
        name in `null_kind`.
    equivalent
        Axes `unit`, `size`, `outcome`: how many independent voters of the mean accuracy would be as
        accurate as the plurality at the largest odd size. Outcome "below one vote" has no value but the
        bound [0, 1].
    """

    accuracy: MeasurementTable
    equivalent: MeasurementTable


def condorcet(
    tallies: Tallies,
    *,
    rng: np.random.Generator,
    draws: int = 200,
    size_max: int = 15,
    confidence: float = 0.95,
    level: Level = Level.ANSWER,
) -> Condorcet:
    r"""Observed plurality accuracy beside the independent majority ``P(Bin(M, p) > M / 2)``, M odd.

    Parameters
    ----------
    tallies
        Runs by cell and answer class, every answer checked by an anchor.
    rng
        Draws the voters.
    draws
        Subsets of voters drawn for each question and size, 1 or more.
    size_max
        Largest panel; the voters at hand bound it too.
    confidence
        Coverage aimed at, in (0, 1).
    level
        Which map the runs belong to.

    Returns
    -------
    Condorcet
        Accuracies in [0, 1] and the equivalent number of voters, 1 or more. A run that abstains casts no
        vote and is not right; a tied plurality counts the share of right answers among the tied.

    Raises
    ------
    InputError
        When an answer has no anchor, or `draws` or `size_max` is below 1.

    Notes
    -----
    A plurality needs fewer votes than a majority, so independent voters with many different wrong answers
    may do better than the binomial. A size is used where every question can fill it. Between odd numbers the
    majority is continued by the incomplete beta function ``I_p((M + 1) / 2, (M + 1) / 2)``.

    References
    ----------
    Condorcet (1785); Grofman, Owen and Feld (1983), doi:10.1007/BF00125672 (the jury theorem).
    Beta-binomial votes: Ladha (1992), doi:10.2307/2111584, and Griffiths (1973), doi:10.2307/2529131.

    Examples
    --------
    >>> from limitset.core.ends import Ends
    >>> from limitset.core.tallies import tallied
    >>> rows = [dict(item=f"q{q}", system=f"m{m}", end="yx"[r], right=r)
    ...         for m in range(3) for q, r in enumerate([1, 1, 1, 0])]
    >>> got = condorcet(tallied(Ends.of_rows(rows)), rng=np.random.default_rng(0))
    >>> [round(row.value, 4) for row in got.accuracy.where(unit="models", size=3).rows()]
    [0.75, 0.8438, 0.75]
    """
    tallies.require_anchor()
    if draws < 1 or size_max < 1:
        raise InputError.of(
            expected="draws and size_max must be 1 or more", got=f"{draws} and {size_max}", fix="Raise them."
        )
    accuracy: list[tuple[str, int, str, Interval]] = []
    equivalent: list[tuple[str, int, str, Interval]] = []
    for unit, everyone in (("votes", _runs(tallies)), ("models", _models(tallies))):
        largest = max(1, min(size_max, reached_by_most(everyone.voters)))
        sizes = list(range(1, largest + 1, 2))
        panel = everyone.of(everyone.voters >= sizes[-1])
        observed = panel.votes(sizes, draws, rng)
        for size, won in zip(sizes, observed, strict=True):
            rows = _estimates(won, panel.right, panel.pair, size, confidence)
            accuracy += [(unit, size, name, row) for name, row in zip(ESTIMATES, rows, strict=True)]
        equivalent.append((unit, sizes[-1], *_equivalent(observed[-1], panel.right, sizes[-1], confidence)))
    parameters = {"draws": draws, "size_max": size_max}
    return Condorcet(
        accuracy=_table(accuracy, "estimate", level, confidence, parameters),
        equivalent=_table(equivalent, "outcome", level, confidence, parameters),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Panel:
    """Voters of a question, the chance that one of them is right, and that two different ones are."""

    tallies: Tallies
    shares: Float[np.ndarray, "m k"] | None
    """Chance of each class for each model; None where the runs themselves vote."""
    present: Bool[np.ndarray, "m q"]
    voters: Int[np.ndarray, " q"]
    right: Float[np.ndarray, " q"]
    pair: Float[np.ndarray, " q"]

    def of(self, mask: Bool[np.ndarray, " q"]) -> _Panel:
        shares = None if self.shares is None else self.shares[:, mask[self.tallies.class_item]]
        return _Panel(
            tallies=self.tallies.of_questions(mask),
            shares=shares,
            present=self.present[:, mask],
            voters=self.voters[mask],
            right=self.right[mask],
            pair=self.pair[mask],
        )

    def votes(self, sizes: list[int], draws: int, rng: np.random.Generator) -> Float[np.ndarray, "s q"]:
        """Chance that the plurality of each size is right."""
        if self.shares is None:
            wrong, silent = after_votes(self.tallies.pooled(), sizes, draws=draws, rng=rng)
        else:
            wrong, silent = after_one_run_each(
                self.tallies, self.shares, self.present, sizes, draws=draws, rng=rng
            )
        return np.asarray(1.0 - wrong - silent)


def _runs(tallies: Tallies) -> _Panel:
    pooled = tallies.pooled()
    counts, runs = pooled.counts[0], pooled.runs[0]
    right = tallies.by_question((counts * tallies.right).astype(np.float64))
    return _panel(tallies, None, present=runs[None] > 0, voters=runs, right=right, pair=right * (right - 1))


def _models(tallies: Tallies) -> _Panel:
    units = groups_of(tallies, Source.MODEL)[0]
    shares, present = unit_shares(tallies, tallies.counts, tallies.class_item, units)
    right = np.stack([tallies.by_question(row * tallies.right) for row in shares])
    total = right.sum(axis=0)
    return _panel(
        tallies,
        shares,
        present=present,
        voters=present.sum(axis=0),
        right=total,
        pair=total**2 - np.square(right).sum(axis=0),
    )


def _panel(
    tallies: Tallies,
    shares: np.ndarray | None,
    *,
    present: np.ndarray,
    voters: np.ndarray,
    right: np.ndarray,
    pair: np.ndarray,
) -> _Panel:
    pairs = np.where(voters > 1, voters * (voters - 1.0), UNDEFINED)
    return _Panel(
        tallies=tallies,
        shares=shares,
        present=present,
        voters=voters,
        right=right / np.maximum(voters, 1),
        pair=pair / pairs,
    )


def _estimates(
    won: Float[np.ndarray, " n"],
    right: Float[np.ndarray, " n"],
    pair: Float[np.ndarray, " n"],
    size: int,
    confidence: float,
) -> tuple[Interval, Interval, Interval]:
    return (
        mean_of_shares(won, confidence=confidence),
        *predicted_majorities(right, pair, size, confidence=confidence),
    )


def _equivalent(
    won: Float[np.ndarray, " q"], right: Float[np.ndarray, " q"], size: int, confidence: float
) -> tuple[str, Interval]:
    n = float(won.size)
    if size < 3 or n == 0:
        reason = "a panel of three or more is needed"
        return "no panel", Interval(value=UNDEFINED, low=UNDEFINED, high=UNDEFINED, n=n, blank_reason=reason)
    value = float(equivalent_votes(won.mean(), right.mean()))
    if np.isnan(value):
        reason = (
            "below one vote: one voter alone does as well or better, or is right at most half of the time"
        )
        return "below one vote", Interval(value=UNDEFINED, low=0.0, high=1.0, n=n, blank_reason=reason)
    if np.isinf(value):
        reason = f"no number of independent voters up to {MOST_VOTES:.0f} is as accurate"
        return "no limit", Interval(value=UNDEFINED, low=UNDEFINED, high=UNDEFINED, n=n, blank_reason=reason)
    left_out = equivalent_votes(_without(won), _without(right))
    logs = np.log(np.where(np.isfinite(left_out), left_out, UNDEFINED))
    got = jackknife_interval(np.log(value), logs, confidence=confidence)
    return "equivalent", Interval(value=value, low=float(np.exp(got.low)), high=float(np.exp(got.high)), n=n)


def _without(values: Float[np.ndarray, " q"]) -> Float[np.ndarray, " q"]:
    return np.asarray((values.sum() - values) / max(values.size - 1, 1))


def _table(
    rows: list[tuple[str, int, str, Interval]],
    last: str,
    level: Level,
    confidence: float,
    parameters: Mapping[str, int],
) -> MeasurementTable:
    names = [row[2] for row in rows]
    return MeasurementTable(
        instrument=INSTRUMENT if last == "estimate" else f"{INSTRUMENT}.equivalent",
        version=VERSION,
        level=level,
        axes={
            "unit": np.array([row[0] for row in rows], dtype=object),
            "size": np.array([row[1] for row in rows]),
            last: np.array(names, dtype=object),
        },
        null_kind=["" if last == "outcome" or name == "observed" else name for name in names],
        interval_method="jackknife over questions, on the logit or log scale where one is natural",
        confidence=confidence,
        parameters=parameters,
        notes=("plurality ties are split evenly", "an abstention casts no vote and is not right"),
        **columns_of([row[3] for row in rows]),
    )
