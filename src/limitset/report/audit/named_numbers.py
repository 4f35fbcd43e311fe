"""Which numbers can a gate name, and how is each one measured on a panel?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np

from limitset.core.gates import EVERYTHING, Signature, Term
from limitset.core.results import Measurement
from limitset.core.tallies import Tallies
from limitset.report.audit.named_kinds import Asked, Named, blank
from limitset.report.audit.named_outcomes import OUTCOMES
from limitset.report.audit.named_pairs import PAIRS
from limitset.report.audit.panel import Panel

NO_KEY: Final = "nothing outside the models checks these answers: the audit has no key"
NAMED: Final[Mapping[str, Named]] = {**OUTCOMES, **PAIRS}
"""Every name that a gate knows."""
KNOWN: Final[Mapping[str, Signature]] = {name: named.signature for name, named in NAMED.items()}


def asked_of(panel: Panel, term: Term, *, confidence: float = 0.95) -> Asked | None:
    """Return the questions that a term is about; None where they need a key and there is none."""
    named = NAMED[term.name]
    if named.keyed:
        found = panel.anchored
        if found is None:
            return None
    else:
        found = _as_if_keyed(panel.tallies)
    if term.stratum != EVERYTHING:
        found = found.of_stratum(term.stratum)
    return Asked(panel=panel, tallies=found, term=term, confidence=confidence)


def measured(panel: Panel, term: Term, *, confidence: float = 0.95) -> Measurement:
    """Measure one named number on a panel.

    Parameters
    ----------
    panel
        The runs.
    term
        Which number, of which systems, on which stratum; its names are known to exist.
    confidence
        Coverage aimed at, in (0, 1).

    Returns
    -------
    Measurement
        Blank, with the reason, where this audit cannot give it.
    """
    asked = asked_of(panel, term, confidence=confidence)
    if asked is None:
        return blank(term, NO_KEY, confidence=confidence)
    absent = [name for name in asked.systems if not _ran(asked.tallies, name)]
    if asked.tallies.items.size == 0 or absent:
        who = f"{absent[0]} has" if absent else "there is"
        return blank(term, f"{who} no checked run on these questions", confidence=confidence)
    return NAMED[term.name].measured(asked)


def _ran(tallies: Tallies, name: str) -> bool:
    return bool(tallies.runs[tallies.systems.astype(str) == name].any())


def _as_if_keyed(tallies: Tallies) -> Tallies:
    """Call every answer wrong: for numbers that do not ask what is right."""
    return replace(tallies, class_right=np.zeros(tallies.class_item.size))
