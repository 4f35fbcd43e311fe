"""Which topics make the page of an audit, in which order?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from limitset.report.audit.panel import Panel
from limitset.report.audit.section import Section

TOPICS: Final[tuple[Callable[[Panel], Section], ...]] = ()
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
