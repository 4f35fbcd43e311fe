"""Which sentences and figures, in which order, make the page of an audit?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from limitset.report.analysis import Analysis
from limitset.report.audit import lead
from limitset.report.audit.panel import Panel
from limitset.report.audit.section import Section
from limitset.report.first_page import build_page
from limitset.report.page import Figure, Page, Table

FIRST: Final = (
    *("panel-error", "bias", "severity"),
    *("worth", "labels", "agreed", "outside", "members", "pairs"),
)
"""Figures that a reader meets first; the others follow in the order of their topics."""
LAST: Final = ("unanimity", "variance", "outcomes")
"""Figures of the first look that wait for the last readers."""
REPLACED: Final[Mapping[str, str]] = {
    "survival": "worth",
    "sharing": "pairs",
    "outcomes": "comparison",
    "accuracy": "comparison",
}
"""Figure to the one of an audit that says the same and more; the numbers of both stay on the page."""
CLASSES: Final = ("give the same wrong answer", "Questions to check outside first")
"""How titles of tables end that count answers as right or wrong."""
MOST_ADVICE: Final = 6
KEYLESS: Final = "Without a key nobody can say"
"""How topics begin what they cannot say without a key: said once on the page, for all."""


def audit_page(
    analysis: Analysis,
    panel: Panel,
    sections: Sequence[Section],
    *,
    title: str,
    scope: str,
    date: str,
    provenance: Mapping[str, str] | None = None,
    attributions: tuple[str, ...] = (),
    notes: tuple[str, ...] = (),
) -> Page:
    """Build the page of an audit from what every topic found.

    Parameters
    ----------
    analysis
        What the instruments of a first look measured.
    panel
        The runs.
    sections
        One a topic, in order.
    title, scope, date, provenance, attributions, notes
        As for `build_page`.

    Returns
    -------
    Page
        Ready for `render` and `show`.
    """
    plain = build_page(
        analysis,
        title=title,
        scope=scope,
        date=date,
        provenance=provenance,
        attributions=attributions,
        notes=notes,
        noun=panel.noun,
    )
    topics = {section.topic: section for section in sections}
    return replace(
        plain,
        headline=lead.headline(analysis, panel, topics) or plain.headline,
        decisions=(lead.decisions(analysis, panel, topics) or plain.decisions)[:MOST_ADVICE],
        figures=_chosen(analysis, [*plain.figures, *(one for each in sections for one in each.figures)]),
        tables=(*_classes(plain.tables, topics), *(one for section in sections for one in section.tables)),
        definitions=(*plain.definitions, *(one for section in sections for one in section.definitions)),
        numbers=(
            *plain.numbers,
            *(record for section in sections for table in section.measured for record in table.records()),
        ),
        measured=(*plain.measured, *(table for section in sections for table in section.measured)),
        limits=(*plain.limits, *_limits(analysis, sections)),
    )


def _classes(tables: Sequence[Table], topics: Mapping[str, Section]) -> tuple[Table, ...]:
    """Leave out tables of classes where judges give grades that are measured as numbers."""
    graded = lead.found_in(topics, "score_errors.panel") is not None
    return tuple(one for one in tables if not (graded and one.title.endswith(CLASSES)))


def _limits(analysis: Analysis, sections: Sequence[Section]) -> list[str]:
    told = [one for section in sections for one in section.limits]
    return told if analysis.truth is not None else [one for one in told if not one.startswith(KEYLESS)]


def _chosen(analysis: Analysis, figures: Sequence[Figure]) -> tuple[Figure, ...]:
    names = {figure.name for figure in figures}
    kept = [one for one in figures if REPLACED.get(one.name) not in names]
    if analysis.variance is not None and any("+" in name for name in _parts(analysis)):
        # one run of each: what varies with the model and what by chance stand in one bar
        kept = [one for one in kept if one.name != "variance"]
    return _ordered(kept)


def _parts(analysis: Analysis) -> list[str]:
    if analysis.variance is None:
        return []
    return [str(name) for names in analysis.variance.shares.axes.values() for name in names]


def _ordered(figures: Sequence[Figure]) -> tuple[Figure, ...]:
    def place(figure: Figure) -> int:
        if figure.name in FIRST:
            return FIRST.index(figure.name) - len(FIRST)
        return 1 + LAST.index(figure.name) if figure.name in LAST else 0

    return tuple(sorted(figures, key=place))
