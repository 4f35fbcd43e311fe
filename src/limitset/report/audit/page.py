"""Which sentences and figures, in which order, make the page of an audit?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from limitset.report.analysis import Analysis
from limitset.report.audit import lead
from limitset.report.audit.panel import Panel
from limitset.report.audit.section import Section
from limitset.report.first_page import build_page
from limitset.report.page import Figure, Page

FIRST = ("worth", "agreed", "outside")
"""Figures that a reader meets first; the others follow in the order of their topics."""
LAST = ("survival", "unanimity", "sharing", "variance", "outcomes")
"""Figures of the first look that an audit of several systems has better ones for, or for its last readers."""
MOST_ADVICE = 7


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
    )
    topics = {section.topic: section for section in sections}
    return replace(
        plain,
        headline=lead.headline(analysis, panel, topics) or plain.headline,
        decisions=(lead.decisions(analysis, panel, topics) or plain.decisions)[:MOST_ADVICE],
        figures=_ordered([*plain.figures, *(one for section in sections for one in section.figures)]),
        tables=(*plain.tables, *(one for section in sections for one in section.tables)),
        definitions=(*plain.definitions, *(one for section in sections for one in section.definitions)),
        numbers=(
            *plain.numbers,
            *(record for section in sections for table in section.measured for record in table.records()),
        ),
        limits=(*plain.limits, *(one for section in sections for one in section.limits)),
    )


def _ordered(figures: Sequence[Figure]) -> tuple[Figure, ...]:
    def place(figure: Figure) -> int:
        if figure.name in FIRST:
            return FIRST.index(figure.name) - len(FIRST)
        return 1 + LAST.index(figure.name) if figure.name in LAST else 0

    return tuple(sorted(figures, key=place))
