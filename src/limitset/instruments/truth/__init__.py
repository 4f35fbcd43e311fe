"""Is the answer that runs agree on right?"""

import sys
from types import ModuleType
from typing import Any

from limitset.core.lazy_names import loaded

_HOMES = {
    "accuracy": "limitset.instruments.truth.accuracy",
    "best_subset": "limitset.instruments.truth.best_subset",
    "calibration": "limitset.instruments.truth.calibration",
    "chance_adjusted": "limitset.instruments.truth.chance_adjusted",
    "chance_adjusted_probabilities": "limitset.instruments.truth.chance_adjusted",
    "condorcet": "limitset.instruments.truth.condorcet",
    "confident_false": "limitset.instruments.truth.confidence",
    "effective_number": "limitset.instruments.truth.votes",
    "error_consistency": "limitset.instruments.truth.error_consistency",
    "escalation": "limitset.instruments.truth.escalation",
    "false_collision": "limitset.instruments.truth.collision",
    "find_traps": "limitset.instruments.truth.traps",
    "fleiss_kappa": "limitset.instruments.truth.fleiss",
    "krippendorff_alpha": "limitset.instruments.truth.krippendorff",
    "label_plan": "limitset.instruments.truth.label_plan",
    "labelled": "limitset.instruments.truth.labelled",
    "member_value": "limitset.instruments.truth.member_value",
    "omega_total": "limitset.instruments.truth.omega",
    "outcomes": "limitset.instruments.truth.outcomes",
    "paired_comparison": "limitset.instruments.truth.paired_comparison",
    "pass_at_k": "limitset.instruments.truth.pass_at_k",
    "ranking": "limitset.instruments.truth.confidence",
    "reliability": "limitset.instruments.truth.reliability",
    "same_wrong": "limitset.instruments.truth.same_wrong",
    "same_wrong_pairs": "limitset.instruments.truth.same_wrong",
    "score_errors": "limitset.instruments.truth.score_errors",
    "self_agreement": "limitset.instruments.truth.self_agreement",
    "severity": "limitset.instruments.truth.severity",
    "stale_answers": "limitset.instruments.truth.stale_answers",
    "surviving_error": "limitset.instruments.truth.surviving",
    "unanimity_nulls": "limitset.instruments.truth.nulls",
    "variance_shares": "limitset.instruments.truth.variance",
    "voting_gain": "limitset.instruments.truth.voting_gain",
    "wrong_or_silent": "limitset.instruments.truth.confidence",
    "wrong_when_agreed": "limitset.instruments.truth.agreed",
    "wrong_when_unanimous": "limitset.instruments.truth.unanimity",
}
__all__ = [
    "accuracy",
    "best_subset",
    "calibration",
    "chance_adjusted",
    "chance_adjusted_probabilities",
    "condorcet",
    "confident_false",
    "effective_number",
    "error_consistency",
    "escalation",
    "false_collision",
    "find_traps",
    "fleiss_kappa",
    "krippendorff_alpha",
    "label_plan",
    "labelled",
    "member_value",
    "omega_total",
    "outcomes",
    "paired_comparison",
    "pass_at_k",
    "ranking",
    "reliability",
    "same_wrong",
    "same_wrong_pairs",
    "score_errors",
    "self_agreement",
    "severity",
    "stale_answers",
    "surviving_error",
    "unanimity_nulls",
    "variance_shares",
    "voting_gain",
    "wrong_or_silent",
    "wrong_when_agreed",
    "wrong_when_unanimous",
]


def __getattr__(name: str) -> Any:
    return loaded(__name__, _HOMES, name)


def __dir__() -> list[str]:
    return __all__


class _Instruments(ModuleType):
    """A package in which `truth.outcomes` is the function, also after its file was imported by name."""

    def __setattr__(self, name: str, value: Any) -> None:
        # the import system binds a loaded file to its package; three files bear the name of their function
        named_alike = isinstance(value, ModuleType) and _HOMES.get(name) == f"{__name__}.{name}"
        super().__setattr__(name, getattr(value, name) if named_alike else value)


sys.modules[__name__].__class__ = _Instruments
