"""Which systems give the same answers, so that they are one voter counted several times?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from weakref import WeakKeyDictionary

import numpy as np

from limitset.charts.shown import percent, visible
from limitset.core.intervals import wilson
from limitset.core.levels import Level
from limitset.core.results import Measurement
from limitset.core.tallies import Tallies
from limitset.report.audit.noun import in_words
from limitset.report.audit.panel import Panel
from limitset.report.audit.points import listed
from limitset.report.audit.section import Section
from limitset.report.page import Definition, Table

FEWEST: Final = 20
"""Common questions from which on the same answers are no accident."""
NEAR: Final = 0.98
"""Pairs that agree on so many of their common questions are listed."""
SHARED: Final = 3
"""With a key: mistakes from which on the same answers are more than being right."""
MOST: Final = 15
"""Pairs on the page."""
MOST_COMPARED: Final = 4_000_000_000
"""Systems squared by questions, up to which pairs are compared."""
DEFINITIONS: Final = (
    Definition(
        term="the same answers",
        plain="On every question that both were asked, at least 20, both give the same answer or both give "
        "none; with several runs, each answer in the same share of the runs.",
        formula="counts_{aqk} / runs_{aq} = counts_{bqk} / runs_{bq}   for all q, k",
    ),
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Copies:
    """Systems that give the same answers, and pairs that nearly do.

    Parameters
    ----------
    groups
        Names of the systems of each group, in the order of the panel; the largest group first.
    questions
        The fewest common questions of two systems of each group.
    alike
        Two names, questions on which they agree, and common questions, of pairs that agree on at least 98 %
        but not on all; the most alike first.
    compared
        Whether the pairs were compared at all; very large panels are not.
    """

    groups: tuple[tuple[str, ...], ...]
    questions: tuple[int, ...]
    alike: tuple[tuple[str, str, int, int], ...]
    compared: bool = True

    def same(self, first: str, second: str) -> bool:
        """Say whether two systems give the same answers."""
        return any(first in group and second in group for group in self.groups)


_FOUND: WeakKeyDictionary[Panel, Copies] = WeakKeyDictionary()


def copies_of(panel: Panel) -> Copies:
    """Compare the answers of a panel once for every section that asks."""
    if panel not in _FOUND:
        _FOUND[panel] = same_answers(panel.tallies)
    return _FOUND[panel]


def copies_section(panel: Panel) -> Section:
    """Name the systems that are one voter counted several times.

    Parameters
    ----------
    panel
        The runs, with keys or without.

    Returns
    -------
    Section
        Empty where no two systems give the same, or nearly the same, answers.
    """
    found = copies_of(panel)
    if not found.compared:
        return Section(
            topic="copies",
            limits=("Too many systems and questions to compare all pairs: copies are not looked for.",),
        )
    if not (found.groups or found.alike):
        return Section(topic="copies")
    return Section(
        topic="copies",
        advice=_advice(_telling(found, panel.anchored)),
        tables=(_table(found, panel.noun),),
        definitions=DEFINITIONS,
    )


def same_answers(tallies: Tallies) -> Copies:
    """Find the systems that give the same answers on at least 20 common questions.

    Parameters
    ----------
    tallies
        Runs by cell and answer class, with keys or without. The cells of a system are pooled. A system that
        never answers is left out.

    Returns
    -------
    Copies
        Groups and near pairs.

    Examples
    --------
    >>> from limitset.core.ends import Ends
    >>> from limitset.core.tallies import tallied
    >>> ends = Ends.of(item=[f"q{n}" for n in range(20)] * 3, system=["a"] * 20 + ["b"] * 20 + ["c"] * 20,
    ...     end=["x"] * 40 + ["y"] * 20)
    >>> got = same_answers(tallied(ends))
    >>> got.groups, got.questions, got.same("a", "c")
    ((('a', 'b'),), (20,), False)
    """
    names, codes = _codes(tallies)
    if len(names) < 2:
        return Copies(groups=(), questions=(), alike=())
    if len(names) ** 2 * codes.shape[1] > MOST_COMPARED:
        return Copies(groups=(), questions=(), alike=(), compared=False)
    known = codes != 0
    numbers = known.astype(np.float32)
    common = np.rint(numbers @ numbers.T).astype(np.int64)
    asked = known.sum(axis=1)
    agreed = np.zeros_like(common)
    for row in range(len(names) - 1):
        equal = (codes[row] == codes[row + 1 :]).sum(axis=1)
        # questions that neither was asked have the code 0 in both
        neither = codes.shape[1] - asked[row] - asked[row + 1 :] + common[row, row + 1 :]
        agreed[row, row + 1 :] = equal - neither
    agreed += agreed.T
    enough = common >= FEWEST
    np.fill_diagonal(enough, False)
    groups = _cliques((agreed == common) & enough)
    firsts, seconds = np.nonzero(np.triu((agreed < common) & (agreed >= NEAR * common) & enough))
    ranked = np.argsort(-agreed[firsts, seconds] / common[firsts, seconds], kind="stable")
    return Copies(
        groups=tuple(tuple(names[one] for one in group) for group in groups),
        questions=tuple(int(common[np.ix_(group, group)].min()) for group in groups),
        alike=tuple(
            (names[first], names[second], int(agreed[first, second]), int(common[first, second]))
            for first, second in zip(firsts[ranked].tolist(), seconds[ranked].tolist(), strict=True)
        ),
    )


def _codes(tallies: Tallies) -> tuple[list[str], np.ndarray]:
    """Return the systems and a code of the answers of each on each question, 0 where it was not asked."""
    systems = tallies.systems.astype(str)
    mark = np.random.default_rng(0).random(tallies.class_item.size) + 1.0
    names, rows = [], []
    for name in dict.fromkeys(systems.tolist()):
        cells = np.flatnonzero(systems == name)
        counts, runs = tallies.counts[cells].sum(axis=0), tallies.runs[cells].sum(axis=0)
        if not counts.any():
            continue
        # equal fractions are equal numbers, so the same answers give the same sum to the last bit
        share = counts / np.maximum(runs, 1)[tallies.class_item]
        total = tallies.by_question(share * mark)
        names.append(name)
        rows.append(np.where(runs > 0, total.view(np.uint64) * np.uint64(2) + np.uint64(1), np.uint64(0)))
    return names, np.array(rows, dtype=np.uint64).reshape(len(names), tallies.items.size)


def _cliques(same: np.ndarray) -> list[list[int]]:
    """Put systems together of which every two are the same, the largest group first."""
    groups: list[list[int]] = []
    for one in np.flatnonzero(same.any(axis=1)).tolist():
        home = next((group for group in groups if same[one, group].all()), None)
        if home is None:
            groups.append([one])
        else:
            home.append(one)
    return sorted((group for group in groups if len(group) > 1), key=len, reverse=True)


def _telling(found: Copies, anchored: Tallies | None) -> Copies:
    """Keep what being right does not explain: with a key, systems that share mistakes or silence."""
    if anchored is None:
        return found
    wrong = {}
    for name in {*(group[0] for group in found.groups), *(pair[0] for pair in found.alike)}:
        cells = anchored.systems.astype(str) == name
        runs = anchored.runs[cells].sum(axis=0)
        right = anchored.by_question(anchored.counts[cells].sum(axis=0) * anchored.right.astype(np.float64))
        wrong[name] = int((right < runs).sum())
    kept = [place for place, group in enumerate(found.groups) if wrong[group[0]] >= SHARED]
    return Copies(
        groups=tuple(found.groups[place] for place in kept),
        questions=tuple(found.questions[place] for place in kept),
        alike=tuple(
            pair for pair in found.alike if wrong[pair[0]] >= max(SHARED, 2 * (pair[3] - pair[2]) + 1)
        ),
    )


def _advice(found: Copies) -> tuple[str, ...]:
    told = []
    if found.groups:
        group, questions = found.groups[0], found.questions[0]
        times = "twice" if len(group) == 2 else f"{in_words(len(group))} times"
        more = ""
        if len(found.groups) > 1:
            rest = len(found.groups) - 1
            more = f" {in_words(rest).capitalize()} more group{'s' * (rest > 1)} of copies: see the table."
        told.append(
            f"{listed(group, most=5)} give the same answer on all {questions:,} questions: count them as "
            f"one. With {'both' if len(group) == 2 else 'all of them'} in, the numbers below count that "
            f"voter {times}.{more}"
        )
    if found.alike:
        first, second, agreed, common = found.alike[0]
        rest = len(found.alike) - 1
        more = f" {rest:,} more pair{'s are' if rest > 1 else ' is'} as near: see the table." if rest else ""
        told.append(
            f"Look whether {visible(first)} and {visible(second)} are one system: they give the same answer "
            f"on {percent(_share(agreed, common))} of {common:,} questions.{more}"
        )
    return tuple(told)


def _table(found: Copies, noun: str) -> Table:
    rows: list[tuple[object, ...]] = [
        (listed(group, most=10), f"{questions:,}", percent(_share(questions, questions)))
        for group, questions in zip(found.groups, found.questions, strict=True)
    ]
    rows += [
        (listed((first, second), most=2), f"{common:,}", percent(_share(agreed, common)))
        for first, second, agreed, common in found.alike
    ]
    cut = f" The first {MOST} of {len(rows):,}." if len(rows) > MOST else ""
    return Table(
        title=f"{noun.capitalize()}s that give the same, or nearly the same, answers",
        columns=(f"{noun}s", "common questions", "same answer"),
        rows=tuple(rows[:MOST]),
        note="Wilson's 95 % intervals over questions. Two that are always right agree as well: look at what "
        f"they are.{cut}",
    )


def _share(agreed: int, common: int) -> Measurement:
    ends = wilson(agreed, common)
    return Measurement(
        instrument="same_answers",
        version=1,
        level=Level.ANSWER,
        value=agreed / common,
        low=ends.low,
        high=ends.high,
        n=common,
        interval_method="Wilson",
    )


def names_of(names: Sequence[str], found: Copies, *, most: int) -> str:
    """List names; copies that are all among them stand together as one.

    Examples
    --------
    >>> found = Copies(groups=(("a", "b"),), questions=(30,), alike=())
    >>> names_of(["a", "b", "c"], found, most=3), names_of(["a", "c"], found, most=3)
    ('a = b and c', 'a and c')
    """
    whole = [group for group in found.groups if set(group) <= set(names)]
    firsts = {group[0]: group for group in whole}
    later = {name for group in whole for name in group[1:]}
    told = [" = ".join(firsts.get(name, (name,))[:3]) for name in names if name not in later]
    return listed(told, most=most)
