"""When runs agree, are they right more often than their independence would make them?

What a table of keyed replies says on three claims: that unanimity is as good as independence, that a vote
removes the error, and that none of the ends of a question is truer than another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float

from limitset.core.agreements import Source, longest
from limitset.core.ends import Ends
from limitset.core.intervals import Interval, jackknife_interval
from limitset.core.items import Items
from limitset.core.levels import Level
from limitset.core.results import Measurement, MeasurementTable, Scalar
from limitset.core.tallies import Tallies
from limitset.core.undefined import UNDEFINED
from limitset.instruments.truth.nulls import unanimity_nulls
from limitset.instruments.truth.surviving import surviving_error
from limitset.instruments.truth.traps import find_traps
from limitset.instruments.truth.unanimity import wrong_when_unanimous
from limitset.studies.small_looks import reply_texts

STUDY: Final = "agreed_panels"
VERSION: Final = 1

LEAST_RUNS: Final = 2
"""An answer is an end of a question when so many runs of one cell give it: once may be noise."""
LEAST_QUESTIONS: Final = 5
"""With fewer questions that differ there is no interval."""
NO_AGREEMENT: Final = "no two runs of one question, and no two systems"


@dataclass(frozen=True, kw_only=True, eq=False)
class AgreedPanel:
    """What a keyed table of replies says of agreement.

    Parameters
    ----------
    estimates
        ``excess`` (share wrong of k unanimous runs, less the upper null that keeps each question's
        difficulty), ``wrong_when_unanimous``, ``null`` (the upper one), ``surviving_share``, ``truth_gap``
        (share of questions whose commonest end is right, less that of their other ends) and ``model_gap``
        (accuracy of the first of two systems less that of the second).
    curve
        The wrong-when-unanimous curve.
    source, k
        How the runs differ that are compared, and how many agree.
    """

    estimates: Mapping[str, Measurement]
    curve: MeasurementTable
    source: str
    k: int


def agreed_panel(
    tallies: Tallies, *, k: int, confidence: float = 0.95, rng: np.random.Generator
) -> AgreedPanel:
    """Measure what agreement of `k` runs is worth, what voting leaves, and whether larger ends are truer.

    Parameters
    ----------
    tallies
        Counts of runs, every answer right or wrong.
    k
        Runs that agree, 2 or more. Runs of one system and wording where there are two or more of them, else
        runs of different systems, else of different wordings; fewer than `k` where the table has fewer.
    confidence
        Coverage aimed at, in (0, 1).
    rng
        Source of the draws of votes and halves.

    Returns
    -------
    AgreedPanel
        Blank with its reason where the table cannot tell.

    Raises
    ------
    InputError
        When an answer has no anchor.

    References
    ----------
    As `wrong_when_unanimous`, `unanimity_nulls` and `surviving_error`.

    Examples
    --------
    >>> from limitset.datasets.planted import independent_world, planted_tallies
    >>> rng, world = np.random.default_rng(0), independent_world(accuracy=0.5, wrong_classes=3)
    >>> panel = planted_tallies(world, questions=300, seeds=8, rng=rng)
    >>> got = agreed_panel(panel, k=4, rng=rng)
    >>> got.source, got.k, got.estimates["truth_gap"].low > 0
    ('seed', 4, True)
    """
    tallies.require_anchor()
    source, reached = _source(tallies)
    most = min(k, reached)
    curve = wrong_when_unanimous(tallies, k_max=max(most, 1), confidence=confidence).curve
    surviving = surviving_error(tallies, rng=rng, confidence=confidence).share
    estimates: dict[str, Measurement] = {
        "surviving_share": surviving.one(system="all", stratum="all"),
        # where a cell has one run, all runs of a question are one population
        "truth_gap": _measured(
            "truth_gap",
            *_truth_gap(tallies if source == Source.SEED else tallies.pooled()),
            confidence,
            {"least_runs": LEAST_RUNS},
        ),
        "model_gap": _measured("model_gap", *_model_gap(tallies), confidence, {}),
    }
    if most < 2:
        for name in ("excess", "wrong_when_unanimous", "null"):
            estimates[name] = _measured(name, np.zeros(0), NO_AGREEMENT, confidence, {})
        return AgreedPanel(estimates=estimates, curve=curve, source=source, k=most)
    nulls = unanimity_nulls(tallies, k_max=most, rng=rng)
    place: dict[str, Scalar] = {"source": source, "k": most}
    estimates |= {
        "excess": nulls.excess(curve).one(**place),
        "wrong_when_unanimous": curve.one(**place),
        "null": _upper(nulls.curve.where(null_kind="difficulty_kept", **place)),
    }
    return AgreedPanel(estimates=estimates, curve=curve, source=source, k=most)


def agreed_falsehoods(
    ends: Ends, items: Items, tallies: Tallies, *, most: int = 6, share: float = 0.75
) -> tuple[dict[str, Scalar], ...]:
    """Return the questions whose runs agree most on a wrong answer, with one reply and the key.

    Parameters
    ----------
    ends, items, tallies
        The same runs as rows and as counts.
    most
        How many questions.
    share
        Least share of the runs of a question that give the answer.

    Returns
    -------
    tuple of records
        question, agreed (the wrong answer), share, reply, key.

    Examples
    --------
    >>> from limitset.core.tallies import tallied
    >>> ends = Ends.of(item=["q"] * 2, system="m", seed=[0, 1], end="Sydney", right=0, text="Sydney.")
    >>> items = Items.of(item=["q"], text=["Capital of Australia?"], accepted=[["Canberra"]])
    >>> agreed_falsehoods(ends, items, tallied(ends, items))[0]["reply"]
    'Sydney.'
    """
    table = find_traps(tallies, items, share=share).table
    order = np.argsort(-table.value, kind="stable")[:most]
    found: list[dict[str, Scalar]] = []
    for row in order:
        item, end = str(table.axes["item"][row]), str(table.axes["end"][row])
        at = items.position(item)
        found.append(
            {
                "question": str(items.texts("text")[at]),
                "agreed": end,
                "share": round(float(table.value[row]), 3),
                "reply": next(iter(reply_texts(ends, item, end)), ""),
                "key": next(iter(items.accepted(item)), ""),
            }
        )
    return tuple(found)


def _source(tallies: Tallies) -> tuple[str, int]:
    for source in (Source.SEED, Source.MODEL, Source.PARAPHRASE):
        reached = longest(tallies, source)
        if reached >= 2:
            return str(source), reached
    return str(Source.SEED), 1


def _upper(table: MeasurementTable) -> Measurement:
    """Return the higher of the two estimates of the null."""
    rows = list(table.rows())
    told = [row for row in rows if not row.blank]
    return max(told, key=lambda row: row.value) if told else rows[0]


def _truth_gap(tallies: Tallies) -> tuple[Float[np.ndarray, " q"], str]:
    """Per cell and question: is the commonest end right, less the share of its other ends that are.

    Only questions whose runs settle in two ends at least, one of them the commonest. A question stands
    once: its cells are averaged.
    """
    gaps = []
    for question in range(tallies.items.size):
        classes = np.flatnonzero(tallies.class_item == question)
        seen = [_gap(counts, tallies.right[classes]) for counts in tallies.counts[:, classes]]
        told = [one for one in seen if not np.isnan(one)]
        if told:
            gaps.append(float(np.mean(told)))
    return np.array(gaps, dtype=np.float64), "no question has two ends, one of them the commonest"


def _gap(counts: np.ndarray, right: np.ndarray) -> float:
    ends = np.flatnonzero(counts >= LEAST_RUNS)
    if ends.size < 2:
        return UNDEFINED
    order = ends[np.argsort(-counts[ends], kind="stable")]
    if counts[order[0]] == counts[order[1]]:
        return UNDEFINED
    return float(right[order[0]]) - float(right[order[1:]].mean())


def _model_gap(tallies: Tallies) -> tuple[Float[np.ndarray, " q"], str]:
    """Share of right runs of the first system less that of the second, by question."""
    names = list(dict.fromkeys(str(name) for name in tallies.systems))
    if len(names) != 2:
        return np.zeros(0), "there are not two systems to compare"
    shares = []
    for name in names:
        own = tallies.of_system(name).pooled()
        runs = own.runs[0].astype(np.float64)
        runs[runs == 0] = UNDEFINED
        shares.append(own.by_question(np.where(own.right, own.counts[0], 0).astype(np.float64)) / runs)
    both = shares[0] - shares[1]
    return both[~np.isnan(both)], "no question was answered by both systems"


def _measured(
    name: str,
    values: Float[np.ndarray, " q"],
    empty: str,
    confidence: float,
    parameters: Mapping[str, Scalar],
) -> Measurement:
    got, n = Interval.blank(empty), values.size
    if n >= LEAST_QUESTIONS and np.unique(values).size > 1:
        without = (values.sum() - values) / (n - 1)
        got = jackknife_interval(float(values.mean()), without, confidence=confidence)
    elif n:
        got = Interval.blank(f"only {n} questions, or all alike: too few to tell")
    return Measurement(
        instrument=f"{STUDY}.{name}",
        version=VERSION,
        level=Level.ANSWER,
        value=got.value,
        low=got.low,
        high=got.high,
        n=float(n),
        interval_method="jackknife over questions",
        confidence=confidence,
        blank_reason=got.blank_reason,
        parameters=parameters,
    )
