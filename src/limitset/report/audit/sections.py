"""Which topics make the page of an audit, in which order?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from limitset.report.audit.accuracy import accuracy_section
from limitset.report.audit.calibration import calibration_section
from limitset.report.audit.comparison import comparison_section
from limitset.report.audit.copies import copies_section
from limitset.report.audit.members import members_section
from limitset.report.audit.ordinal import ordinal_section
from limitset.report.audit.outside import outside_section
from limitset.report.audit.pairs import pairs_section
from limitset.report.audit.panel import Panel
from limitset.report.audit.pass_at_k import pass_at_k_section
from limitset.report.audit.reliability import reliability_section
from limitset.report.audit.section import Section
from limitset.report.audit.stale import stale_section
from limitset.report.audit.voting import voting_section
from limitset.report.audit.worth import worth_section

TOPICS: Final[tuple[Callable[[Panel], Section], ...]] = (
    copies_section,
    worth_section,
    voting_section,
    outside_section,
    members_section,
    pairs_section,
    ordinal_section,
    comparison_section,
    accuracy_section,
    reliability_section,
    calibration_section,
    pass_at_k_section,
    stale_section,
)
"""In the order in which the page is read: together, each, pairs, again, confidence, special forms."""


def sections_of(panel: Panel) -> tuple[Section, ...]:
    """Measure every topic.

    Parameters
    ----------
    panel
        The runs.

    Returns
    -------
    tuple of Section
        One a topic; a topic that has nothing to say has a section without figures, and says why.
    """
    return tuple(topic(panel) for topic in TOPICS)
