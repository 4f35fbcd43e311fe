"""What does the page say of which system is better than which?"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from limitset.charts.comparison import MOST, standings_chart
from limitset.charts.shown import percent, visible
from limitset.core.results import Measurement, MeasurementTable
from limitset.core.tallies import Tallies
from limitset.instruments.truth.accuracy import accuracy
from limitset.instruments.truth.paired_comparison import PairedComparison, paired_comparison
from limitset.report.audit.accuracy import MOST_ROWS, guessing_advice
from limitset.report.audit.copies import Copies, copies_of
from limitset.report.audit.noun import counted, in_words
from limitset.report.audit.panel import Panel
from limitset.report.audit.points import counted_on, listed, points
from limitset.report.audit.section import Section
from limitset.report.first_page import data_table
from limitset.report.page import Definition, Figure, Table

TOPIC: Final = 31
ROWS: Final = 10
"""Rows of the table of the leader against the others."""
NAMED: Final = 3
"""Up to so many systems that are surely not the best are named in the title."""
NO_COPIES: Final = Copies(groups=(), questions=(), alike=())
SMALL: Final = 0.02
"""Systems whose whole interval is nearer than this are alike."""
DEFINITIONS: Final = (
    Definition(
        term="surely better",
        plain="Right more often on the questions that both were asked, by an interval that excludes 0. All "
        "pairs are judged together: the chance that any of the intervals misses is 5 %.",
        formula="0 not in d_{ab} ± c · se(d_{ab}),   c: 95 % quantile of the largest of all pairs",
    ),
    Definition(
        term="ranks left",
        plain="From one more than the number of systems that are surely better, to all but those that are "
        "surely worse.",
        formula="1 + #{b surely better}   to   m - #{b surely worse}",
    ),
)


def comparison_section(panel: Panel) -> Section:
    """Say which systems are surely better than which, and what would settle the rest.

    Parameters
    ----------
    panel
        The runs.

    Returns
    -------
    Section
        Without figures where nothing checks the answers, or there is one system.
    """
    if panel.anchored is None:
        return Section(
            topic="comparison", limits=("Without a key nobody can say which system is right more often.",)
        )
    if len(set(panel.anchored.systems)) < 2:
        return Section(topic="comparison", limits=("One system: there is nothing to compare it with.",))
    found = paired_comparison(panel.anchored, rng=panel.rng(TOPIC))
    order, copies = _order(found), copies_of(panel)
    figure = Figure(
        name="comparison",
        title=comparison_title(found, panel.noun, copies=copies),
        chart=standings_chart(found.standings, _shares(panel.anchored)),
        caption=_caption(panel, found),
        table=data_table(found.standings),
        shown=(_leader_table(found, order, copies),),
    )
    return Section(
        topic="comparison",
        figures=(figure,),
        advice=(*guessing_advice(panel), *comparison_advice(found, copies=copies)),
        measured=(pairs_on_page(found.pairs, order), pairs_on_page(found.needed, order), found.standings),
        definitions=DEFINITIONS,
        limits=_limits(found, panel.anchored),
    )


def comparison_title(found: PairedComparison, noun: str, *, copies: Copies = NO_COPIES) -> str:
    """State how far the order of the systems is sure, and name who is surely worse."""
    order = _order(found)
    if len(order) > 2:
        return _several(found, noun, copies)
    first, second = visible(order[0]), visible(order[1])
    pair = found.between(order[0], order[1])
    if pair.low > 0:
        return f"{first} is right more often than {second}: by {points(pair)}"
    if copies.same(order[0], order[1]):
        return f"{first} and {second} give the same answers to {_questions(pair)}"
    return f"{first} and {second} cannot be told apart on {_questions(pair)}"


def _several(found: PairedComparison, noun: str, copies: Copies) -> str:
    order, leaders = _order(found), _leaders(found)
    count = len(order)
    out = count - len(leaders)
    if len(leaders) == 1:
        return f"{visible(leaders[0])} is surely better than each of the other {counted(count - 1, noun)}"
    if not _decided(found).any():
        one = bool(copies.groups) and len(copies.groups[0]) == count
        whole = counted(count, noun)
        return f"The {whole} give the same answers" if one else f"No two of the {whole} can be told apart"
    if out == 0:
        return f"Each of the {counted(count, noun)} may still be the best"
    told = f"{in_words(len(leaders)).capitalize()} of the {counted(count, noun)} may be the best"
    worst = surely_worst(found)
    if worst is not None:
        rest = f"; {in_words(out - 1)} more {'is' if out == 2 else 'are'} surely not" if out > 1 else ""
        return f"{told}; {visible(worst)} is surely worse than the other {in_words(count - 1)}{rest}"
    others = [name for name in order if name not in leaders]
    names = listed(others, most=NAMED) if out <= NAMED else in_words(out)
    return f"{told}; {names} {'is' if out == 1 else 'are'} surely not"


def surely_worst(found: PairedComparison) -> str | None:
    """Return the system that is surely worse than each of the others, None where there is none."""
    last = np.asarray(found.standings.low) >= len(found.standings)
    return str(found.standings.axes["system"][last][0]) if last.any() and last.size > 2 else None


def comparison_advice(found: PairedComparison, *, copies: Copies = NO_COPIES) -> tuple[str, ...]:
    """Say which choice the runs allow, and how many questions would settle the open one."""
    told = _choice(found, copies)
    worst = surely_worst(found)
    if worst is None:
        return told
    count = len(found.standings) - 1
    above = [name for name in _order(found) if name != worst]
    nearest = min(above, key=lambda name: found.between(name, worst).value)
    return (
        *told,
        f"{visible(worst)} is surely worse than the other {in_words(count)}: right less often than the next, "
        f"{visible(nearest)}, by {points(found.between(nearest, worst))}.",
    )


def _choice(found: PairedComparison, copies: Copies) -> tuple[str, ...]:
    order, leaders = _order(found), _leaders(found)
    first = order[0]
    told = []
    if len(leaders) == 1:
        first = leaders[0]
        next_best = next(name for name in order if name != first)
        pair = found.between(first, next_best)
        beaten = visible(next_best) + (", the next," if len(order) > 2 else "")
        told.append(
            f"Choose {visible(first)} if being right is what counts: it beats {beaten} by {points(pair)} on "
            f"the same {_questions(pair)}."
        )
        rest = [name for name in order if name != first]
        second = rest[0]
        open_ones = _others(found, second, rest[1:], copies)
        if open_ones:
            told.append(_undecided(found, second, open_ones))
        return tuple(told)
    open_ones = _others(found, first, order, copies)
    if open_ones:
        return (_undecided(found, first, open_ones),)
    same = [name for name in order if name != first and copies.same(first, name)]
    if not same:
        return ()
    return (f"{listed([first, *same], most=5)} give the same answers: choose between them by price.",)


def _others(found: PairedComparison, first: str, names: list[str], copies: Copies) -> list[str]:
    """Return those that one cannot be told from; its copies give the same answers and stay out."""
    return [
        name
        for name in names
        if name != first and not copies.same(first, name) and _open(found.between(first, name))
    ]


def _undecided(found: PairedComparison, first: str, others: list[str]) -> str:
    """Name systems that cannot be told from one, the nearest one first, and what would settle that."""
    nearest = others[0]
    pair = found.between(first, nearest)
    names = listed([first, *others], most=5)
    told = (
        f"{names} cannot be told apart"
        if len(others) == 1
        else f"{visible(first)} cannot be told from {listed(others, most=5)}"
    )
    if pair.blank:
        return f"{told}: {pair.blank_reason}."
    told = (
        f"{told}: {visible(first)} less {visible(nearest)} is {points(pair)} on the same {_questions(pair)}"
    )
    needed = _needed(found, first, nearest)
    if needed.blank:
        reach = max(-pair.low, pair.high)
        if reach <= SMALL:
            return f"{told}. Choose by price: they differ by {100 * reach:.1f} points at most."
        return f"{told}. Up to {100 * reach:.0f} points are possible: ask more questions before you choose."
    more = f"About {_round(needed.value):,} questions would settle it"
    return f"{told}. {more}, if the difference is what it seems."


def _leader_table(found: PairedComparison, order: list[str], copies: Copies) -> Table:
    rows = []
    for name in order[1 : ROWS + 1]:
        pair, needed = found.between(order[0], name), _needed(found, order[0], name)
        more = f"about {_round(needed.value):,} questions" if not needed.blank else needed.blank_reason
        if copies.same(order[0], name):
            rows.append((visible(name), "the same answers", pair.n, "they are one"))
            continue
        rows.append((visible(name), points(pair), pair.n, more))
    return Table(
        title=f"{visible(order[0])}, the first, against the others",
        columns=("against", "right more often by", "common questions", "what would settle it"),
        rows=tuple(rows),
        note="" if len(order) <= ROWS + 1 else f"The next {ROWS} of {len(order) - 1}.",
    )


def pairs_on_page(table: MeasurementTable, order: list[str]) -> MeasurementTable:
    """Return all pairs, or those among the first 20 systems where there are more than 2,000."""
    if len(table) <= MOST_ROWS:
        return table
    first = order[:MOST]
    kept = np.isin(table.axes["system"].astype(str), first) & np.isin(
        table.axes["against"].astype(str), first
    )
    return MeasurementTable(
        **{
            **{name: getattr(table, name) for name in table.__dataclass_fields__},
            **{
                name: np.asarray(getattr(table, name))[kept]
                for name in ("value", "low", "high", "n", "null_kind", "blank_reason")
            },
            "axes": {name: axis[kept] for name, axis in table.axes.items()},
        }
    )


def _caption(panel: Panel, found: PairedComparison) -> str:
    tallies = panel.anchored if panel.anchored is not None else panel.tallies
    told = [
        counted_on(tallies, panel.noun),
        "Dot: rank by share right. Bar: ranks left when every pair is judged on its common questions, all "
        "pairs together (95 %).",
    ]
    systems = len(found.standings)
    if systems > MOST:
        told.append(f"The first {MOST} of {systems}; the table has the others.")
    return " ".join(told)


def _limits(found: PairedComparison, tallies: Tallies) -> tuple[str, ...]:
    told = []
    if found.sets > 1:
        least = int(np.asarray(found.pairs.n).min())
        told.append(
            f"Not all systems were asked the same questions ({found.sets} different sets): each pair is "
            f"compared on its common ones, at least {least:,}."
        )
    if len(found.pairs) > MOST_ROWS:
        told.append(
            f"Of {len(found.pairs):,} pairs the page has those among the first {MOST}; "
            "`limitset.instruments.truth.paired_comparison` returns all."
        )
    if found.pairs.interval_method.startswith("Bonferroni"):
        told.append("Intervals of the comparison are Bonferroni's, a little wider than needed.")
    if tallies.key_error > 0:
        told.append(
            f"{100 * tallies.key_error:.1f} % of the keys may be wrong: intervals of differences are wider "
            "by what that could move."
        )
    return tuple(told)


def _order(found: PairedComparison) -> list[str]:
    """Return the systems by rank; of equals, those with fewer ranks left first."""
    table = found.standings
    keys = (np.asarray(table.high), np.asarray(table.low), np.asarray(table.value))
    return [str(name) for name in table.axes["system"][np.lexsort(keys)]]


def _leaders(found: PairedComparison) -> list[str]:
    table = found.standings
    return [str(name) for name in table.axes["system"][np.asarray(table.low) <= 1]]


def _decided(found: PairedComparison) -> np.ndarray:
    return (np.asarray(found.pairs.low) > 0) | (np.asarray(found.pairs.high) < 0)


def _open(pair: Measurement) -> bool:
    return math.isnan(pair.low) or pair.low <= 0 <= pair.high


def _needed(found: PairedComparison, system: str, against: str) -> Measurement:
    known = found.needed.where(system=system, against=against)
    return known.one() if len(known) else found.needed.one(system=against, against=system)


def _shares(tallies: Tallies) -> dict[str, str]:
    rows = accuracy(tallies).right.where(stratum="all").rows()
    return {visible(str(row.parameters["system"])): percent(row) for row in rows}


def _questions(pair: Measurement) -> str:
    return f"{pair.n:,.0f} question{'s' * (pair.n != 1)}"


def _round(number: float) -> int:
    """Round up to two digits."""
    digits = max(0, int(math.log10(number)) - 1)
    return int(math.ceil(number / 10**digits - 1e-9) * 10**digits)
