"""Which systems share errors with which, and is it more than shared difficulty gives?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy import stats

from limitset.charts.pairs import (
    MOST,
    at_both_ends,
    groups_above,
    names_of,
    pairs_chart,
    pairs_matrix,
    picked,
    square,
    strongest_chart,
)
from limitset.charts.sharing import sharing_chart
from limitset.charts.shown import percent, visible, with_interval
from limitset.core.columns import missing
from limitset.core.errors import InputError
from limitset.core.pair_intervals import wilson_ends
from limitset.core.results import Measurement, MeasurementTable
from limitset.core.tallies import Tallies
from limitset.instruments.truth.chance_adjusted import (
    ChanceAdjusted,
    chance_adjusted,
    chance_adjusted_probabilities,
)
from limitset.instruments.truth.error_consistency import ErrorConsistency, error_consistency
from limitset.instruments.truth.same_wrong import SameWrong, same_wrong, same_wrong_pairs
from limitset.report.audit.pair_choices import choices_allowed
from limitset.report.audit.panel import Panel
from limitset.report.audit.points import counted_on, listed
from limitset.report.audit.section import Section
from limitset.report.first_page import data_table
from limitset.report.page import Definition, Figure, Table

TOPIC: Final = 31
"""Stream of the draws."""
LABELLED: Final = 12
"""Systems up to which the matrix carries its numbers."""
MATRIX: Final = 40
"""Systems up to which pairs are drawn as a matrix; of more, those at both ends."""
WHOLE: Final = 400
"""Rows up to which a table of pairs goes on the page whole."""
DRAWS: Final = 200
AFFORDED: Final = 4_000_000
"""Runs drawn for the nulls of the panel, over all draws: bounds them to some seconds."""

DEFINITIONS: Final = (
    Definition(
        term="same wrong answer",
        plain="Of the questions that both get wrong, the share on which they give the same wrong answer. How "
        "hard the questions are does not move it; how popular one wrong answer is does.",
        formula="P(a = b | both wrong)",
    ),
    Definition(
        term="agreement beyond chance (kappa_p, CAPA)",
        plain="How much more often two systems give the same answer than independent ones of the same "
        "accuracies would: 1 always, 0 as chance. It counts shared difficulty as agreement.",
        formula="(o − e) / (1 − e),   e = p_{a} p_{b} + (1 − p_{a})(1 − p_{b}) mean 1/(C − 1)",
    ),
    Definition(
        term="difficulty-only floor",
        plain="The kappa_p that two independent systems have because some questions are hard for everybody, "
        "read off how both go together with all others. No kappa_p is an excess before it stands above it.",
    ),
    Definition(
        term="error consistency",
        plain="As kappa_p, for being right or wrong alone, whichever wrong answer it was.",
        formula="(o − e) / (1 − e),   e = p_{a} p_{b} + (1 − p_{a})(1 − p_{b})",
    ),
)


@dataclass(frozen=True, kw_only=True, eq=False)
class PairsFound:
    """What was measured on all pairs."""

    same: SameWrong
    joint: MeasurementTable
    """Same-wrong of all pairs, with intervals that hold for all of them together."""
    kappa: ChanceAdjusted
    consistency: ErrorConsistency
    likely: ChanceAdjusted | None
    choices: str
    """Where the number of possible answers comes from."""

    @property
    def count(self) -> int:
        """Number of pairs."""
        return len(self.kappa.excess)


def pairs_section(panel: Panel) -> Section:
    """Say who gives the same wrong answers, and who agrees beyond shared difficulty.

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
        return Section(topic="pairs", limits=("Without a key nobody can say who shares errors with whom.",))
    if len(panel.systems) < 2:
        return Section(topic="pairs", limits=(f"Shared errors take two {panel.noun}s.",))
    found = _found(panel, panel.anchored)
    figures = [_same_figure(panel, found), _floor_figure(panel, found)]
    return Section(
        topic="pairs",
        figures=tuple(figures),
        advice=_advice(panel, found),
        measured=_measured(found),
        definitions=DEFINITIONS,
        limits=_limits(panel, found),
    )


def pairs_title(panel: Panel, found: PairsFound) -> str:
    """State which pair shares most, and what all pairs share."""
    top = strongest(found)
    if top is None:
        return f"Too few questions are wrong for two {panel.noun}s to say who shares errors"
    first, second = _both(top)
    stated = f"{first} and {second}: the same wrong answer on {percent(top)} of what both miss"
    if found.count == 1:
        return stated
    return f"{stated}; all pairs {percent(_all(found)).split(' [')[0]}"


def floor_title(panel: Panel, found: PairsFound) -> str:
    """State how many pairs agree beyond shared difficulty."""
    value, floor = (found.kappa.panel.one(statistic=name) for name in ("kappa_p", "floor"))
    if value.blank:
        return "Agreement beyond chance cannot be measured on these answers"
    if floor.blank:
        return (
            f"{panel.noun.capitalize()}s agree beyond chance: {with_interval(value)} (kappa_p); how much of "
            f"it is difficulty takes four {panel.noun}s"
        )
    above = int(_surely_above(found).sum())
    known = int((~np.isnan(found.kappa.excess.value)).sum())
    few = "No pair agrees" if above == 0 else f"{above:,} of {known:,} pairs agree{'s' * (above == 1)}"
    return f"{few} more than hard questions explain ({'no ' * (above == 0)}kappa_p above its floor)"


def strongest(found: PairsFound) -> Measurement | None:
    """Return the pair that shares most, with an interval that allows for having been picked."""
    seen = np.flatnonzero((np.asarray(found.joint.null_kind) == "") & ~np.isnan(found.joint.value))
    if seen.size == 0:
        return None
    return next(picked(found.joint, seen[[int(np.argmax(found.joint.value[seen]))]]).rows())


def _found(panel: Panel, tallies: Tallies) -> PairsFound:
    names = panel.systems
    count = len(names) * (len(names) - 1) // 2
    if len(names) <= MATRIX:
        draws = int(np.clip(AFFORDED // max(tallies.counts.sum(), 1), 10, DRAWS))
        same = same_wrong(tallies, rng=panel.rng(TOPIC), draws=draws)
    else:
        same = same_wrong_pairs(tallies)
    clustered = np.unique(tallies.clusters).size < tallies.items.size
    joint = same_wrong_pairs(tallies, confidence=1 - 0.05 / count).pairs if clustered else _joint(same.pairs)
    choices, words = choices_allowed(panel, tallies)
    likely = None
    if not missing(panel.ends.columns["choice_probabilities"]).all():
        try:
            likely = chance_adjusted_probabilities(panel.ends)
        except InputError:  # nobody is right on a question with probabilities
            likely = None
        likely = likely if likely is not None and len(likely.excess) else None
    return PairsFound(
        same=same,
        joint=joint,
        kappa=chance_adjusted(tallies, choices=choices),
        consistency=error_consistency(tallies),
        likely=likely,
        choices=words,
    )


def _joint(pairs: MeasurementTable) -> MeasurementTable:
    """Give every pair Wilson's interval at the confidence at which all of them hold together."""
    seen = np.asarray(pairs.null_kind) == ""
    confidence = 1 - 0.05 / max(int(seen.sum()), 1)
    low, high = np.array(pairs.low), np.array(pairs.high)
    known = seen & ~np.isnan(pairs.value)
    low[known], high[known] = wilson_ends(
        pairs.value[known], np.asarray(pairs.n)[known], confidence=confidence
    )
    method = "Wilson with the effective number of questions, for all pairs together"
    return replace(pairs, low=low, high=high, confidence=confidence, interval_method=method)


def _same_figure(panel: Panel, found: PairsFound) -> Figure:
    systems = len(panel.systems)
    pairs, rate = found.same.pairs, _all(found)
    several = (
        f" The interval in the title allows for having been picked out of {found.count:,} pairs; all pairs "
        f"together give the same wrong answer on {percent(rate)} of the questions that both get wrong."
        if found.count > 1
        else ""
    )
    if systems <= LABELLED:
        chart = sharing_chart(pairs, found.same.panel)
        words = (
            "Vermilion: more than two others share on the same questions; blue: less."
            if systems > 3
            else "Grey: what popular wrong answers alone would give, and what answers to other questions "
            "give."
        )
    elif systems <= MATRIX:
        chart = pairs_matrix(pairs)
        words = (
            "Vermilion: more than two others share on the same questions; blue: less. Columns stand in the "
            "order of the rows."
        )
    else:
        chart = strongest_chart(found.joint, panel=rate.value)
        words = (
            f"The pairs that share most and least, of {found.count:,}; their intervals hold for all pairs "
            "together. Grey tick: two others on the same questions. Dashed: all pairs."
        )
    return Figure(
        name="pairs",
        title=pairs_title(panel, found),
        chart=chart,
        caption=f"{counted_on(_tallies(panel), panel.noun)} {words}{several}",
        table=data_table(_shown(pairs if systems <= MATRIX else found.joint)),
        shown=_groups_table(panel, found),
    )


def _floor_figure(panel: Panel, found: PairsFound) -> Figure:
    cut = f" {MOST} of {found.count:,} pairs shown: those at both ends." if found.count > MOST else ""
    likely = ""
    if found.likely is not None:
        names = ("kappa_p of probabilities", "floor")
        told = [with_interval(found.likely.panel.one(statistic=name)) for name in names]
        likely = f" From the probabilities of the choices: {told[0]} on average, {told[1]} from hard ones."
    value, floor = (found.consistency.panel.one(statistic=name) for name in ("error consistency", "floor"))
    part = "" if floor.blank else f"; hard questions alone give {with_interval(floor)}"
    same = (
        ""
        if value.blank
        else f" Being right or wrong on the same questions, beyond chance (error consistency): "
        f"{with_interval(value)} on average{part}."
    )
    kappa, alone = (found.kappa.panel.one(statistic=name) for name in ("kappa_p", "floor"))
    beyond = (
        ""
        if kappa.blank or alone.blank
        else f" All pairs agree beyond chance (kappa_p) {with_interval(kappa)} on average; hard questions "
        f"alone give {with_interval(alone)} (the floor)."
    )
    return Figure(
        name="pairs-floor",
        title=floor_title(panel, found),
        chart=pairs_chart(found.kappa.pairs),
        caption=f"{counted_on(_tallies(panel), panel.noun)} Grey box: independent systems that share the "
        f"difficulty of the questions, with its interval. Possible answers: {found.choices}."
        f"{beyond}{likely}{same}{cut}",
        table=data_table(_shown(found.kappa.pairs)),
    )


def _surely_above(found: PairsFound) -> np.ndarray:
    """Say of every pair whether its excess stands above 0 with an interval that holds for all pairs."""
    excess = found.kappa.excess
    degrees = max(int(excess.parameters["groups"]) - 1, 1)
    known = max(int((~np.isnan(excess.value)).sum()), 1)
    wider = stats.t.ppf(1 - 0.025 / known, degrees) / stats.t.ppf(0.975, degrees)
    return np.asarray(excess.value - (excess.value - np.asarray(excess.low)) * wider > 0)


def _advice(panel: Panel, found: PairsFound) -> tuple[str, ...]:
    """Name the pair that is nearly one voter: its wrong answers are shared beyond two others."""
    joint, count = found.joint, found.count
    low, null = np.asarray(joint.low)[:count], joint.value[count:]
    above = low > null
    if len(panel.systems) >= 4:
        above &= _surely_above(found)
    rows = np.flatnonzero(above)
    if rows.size == 0:
        return ()
    best = int(rows[np.argmax(joint.value[rows])])
    top, others = picked(joint, np.array([best, best + count])).rows()
    first, second = _both(top)
    more = f" The same holds for {rows.size - 1:,} more pair{'s' * (rows.size > 2)}." if rows.size > 1 else ""
    return (
        f"Do not count {first} and {second} as two: when both are wrong they give the same wrong answer "
        f"{percent(top)} of the time, two other {panel.noun}s on the same questions {percent(others)}.{more}",
    )


def _groups_table(panel: Panel, found: PairsFound) -> tuple[Table, ...]:
    """List groups of systems that share wrong answers among themselves, where there are many systems."""
    rate = _all(found)
    if len(panel.systems) <= LABELLED or rate.blank:
        return ()
    names = names_of(found.same.pairs)
    values = square(found.same.pairs, names, "")
    least = (1 + rate.value) / 2
    rows = []
    for group in groups_above(values, least)[:MOST]:
        inside = values[np.ix_(group, group)][np.triu_indices(len(group), 1)]
        rows.append(
            (
                len(group),
                listed([names[place] for place in group], most=8),
                f"{100 * np.nanmean(inside):.0f} %",
            )
        )
    if not rows:
        return ()
    table = Table(
        title=f"Groups of {panel.noun}s that share wrong answers",
        columns=(f"{panel.noun}s", "which", "same wrong answer, on average"),
        rows=tuple(rows),
        note=f"Joined while two members of two groups share at least {100 * least:.0f} % on average: half "
        f"way from all pairs ({100 * rate.value:.0f} %) to always.",
    )
    return (table,)


def _measured(found: PairsFound) -> tuple[MeasurementTable, ...]:
    tables = [found.same.pairs, found.same.panel]
    for one in (found.kappa, found.consistency, found.likely):
        tables += [] if one is None else [one.pairs, one.excess, one.panel]
    return tuple(_shown(table) for table in tables)


def _shown(table: MeasurementTable) -> MeasurementTable:
    return table if len(table) <= WHOLE else at_both_ends(table, most=2 * MOST)


def _limits(panel: Panel, found: PairsFound) -> tuple[str, ...]:
    told = []
    if len(found.same.pairs) > WHOLE:
        told.append(
            f"Of {found.count:,} pairs the page lists the {MOST * 2} at both ends of each measure; all of "
            "them: limitset.instruments.truth.same_wrong_pairs and chance_adjusted."
        )
    if len(panel.systems) > MATRIX:
        told.append(
            f"Whether all {len(panel.systems)} {panel.noun}s share more than popular wrong answers give is "
            f"not measured: more than {MATRIX} {panel.noun}s."
        )
    if 2 <= len(panel.systems) < 4:
        told.append(
            f"With {len(panel.systems)} {panel.noun}s no kappa_p can be called an excess: the difficulty of "
            "the questions is read off two others."
        )
    if found.likely is not None:
        told += [
            f"Probabilities of choices: {note}." for note in found.likely.pairs.notes if "left out" in note
        ]
    return tuple(told)


def _all(found: PairsFound) -> Measurement:
    return found.same.panel.one(statistic="same_wrong", null_kind="")


def _both(row: Measurement) -> tuple[str, str]:
    return visible(str(row.parameters["first"])), visible(str(row.parameters["second"]))


def _tallies(panel: Panel) -> Tallies:
    return panel.tallies if panel.anchored is None else panel.anchored
