"""Which numbers of gates can labels of some questions give, where the replies have no key?"""

from __future__ import annotations

from typing import Final

from limitset.core.gates import EVERYTHING, Term
from limitset.core.results import Measurement
from limitset.instruments.truth.labelled import labelled
from limitset.logs.labels import Labels
from limitset.report.audit.named_kinds import blank
from limitset.report.audit.panel import Panel

GIVEN: Final = ("wrong_when_agreed", "error_after_voting", "accuracy")
"""What `labelled` measures."""


def measured_from_labels(
    panel: Panel, labels: Labels, term: Term, *, confidence: float = 0.95
) -> Measurement | None:
    """Measure a named number from labels of a random draw of questions, weighted by level of agreement.

    Parameters
    ----------
    panel
        The runs; nothing checks them.
    labels
        What somebody labelled.
    term
        Which number.
    confidence
        Coverage aimed at, in (0, 1).

    Returns
    -------
    Measurement or None
        None where the panel has keys, and where labels do not give this number.
    """
    of_one_model = term.name == "error_after_voting" and bool(term.arguments)
    if panel.anchored is not None or term.name not in GIVEN or term.stratum != EVERYTHING or of_one_model:
        return None
    if not labels.labelled.any() or (term.name == "accuracy" and not term.arguments):
        return None
    plan = labels.plan
    found = labelled(
        labels.on(panel.tallies), cuts=plan.cuts, threshold=plan.threshold, confidence=confidence
    )
    if term.name == "error_after_voting":
        return found.values.one(quantity="vote wrong", system="all")
    if term.name == "accuracy":
        rows = list(found.values.where(quantity="accuracy", system=term.arguments[0]).rows())
        return rows[0] if rows else blank(term, "the labels do not judge this model", confidence=confidence)
    if term.arguments[0] not in plan.cuts:
        drawn = ", ".join(f"{cut:g}" for cut in plan.cuts)
        reason = f"labels were drawn for agreement of {drawn}"
        return blank(term, reason, confidence=confidence)
    return found.rates.one(threshold=term.arguments[0])
