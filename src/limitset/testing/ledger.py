"""Which instrument obeys which law, and why does it break the others?

Every instrument is listed with every law; a test demands that the lists are complete, that what is listed as
obeyed holds, and that what is listed as broken does break.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Tabled:
    """The laws of one instrument.

    Parameters
    ----------
    obeys
        Laws that hold.
    breaks
        Laws that do not, with the reason.
    noise
        Difference that its random draws may make (relative, above 1), 0 where it draws nothing.
    """

    obeys: frozenset[str]
    breaks: Mapping[str, str] = field(default_factory=dict)
    noise: float = 0.0

    @property
    def laws(self) -> frozenset[str]:
        """Every law listed."""
        return self.obeys | frozenset(self.breaks)


def _tabled(obeys: str, *, noise: float = 0.0, **breaks: str) -> Tabled:
    return Tabled(obeys=frozenset(obeys.split()), breaks=MappingProxyType(breaks), noise=noise)


_WITHOUT = "runs are drawn without replacement from those there are: a run and its copy always agree"
_ORDER = "item_order cell_order relabelling"
_PAIR_ORDER = "a pair is named in the order of its systems"

TRUTH_LEDGER: Final[Mapping[str, Tabled]] = MappingProxyType(
    {
        "accuracy": _tabled(f"{_ORDER} duplicates runs_twice bounds"),
        "best_subset": _tabled(
            f"{_ORDER} duplicates runs_twice",
            noise=0.1,
            bounds="gains are differences",
        ),
        "chance_adjusted": _tabled(
            "item_order relabelling duplicates runs_twice bounds",
            cell_order=_PAIR_ORDER,
        ),
        "condorcet": _tabled(
            f"{_ORDER} duplicates",
            noise=0.04,
            runs_twice=_WITHOUT,
            bounds="the equivalent number of votes is a number of votes",
        ),
        "effective_number": _tabled(
            f"{_ORDER} duplicates",
            runs_twice="sampling noise of a model's accuracy is taken out by the number of its runs",
            bounds="an effective number counts votes or models",
        ),
        "escalation": _tabled(f"{_ORDER} duplicates runs_twice bounds"),
        "error_consistency": _tabled(
            "item_order relabelling duplicates runs_twice bounds",
            cell_order=_PAIR_ORDER,
        ),
        "false_collision": _tabled(
            f"{_ORDER} duplicates",
            runs_twice=_WITHOUT,
            bounds="the closure gap is a difference",
        ),
        "find_traps": _tabled(
            "item_order relabelling bounds",
            noise=0.02,
            runs_twice="runs are cut in halves, one to find and one to measure: copies stand in both",
            cell_order="the systems that share a trap are listed in their order",
            duplicates="traps are listed by question",
        ),
        "fleiss_kappa": _tabled(f"{_ORDER} duplicates bounds", runs_twice=_WITHOUT),
        "krippendorff_alpha": _tabled(
            f"{_ORDER} bounds",
            duplicates="chance is counted over pairs of different answers: one of n (n - 1) more pairs",
            runs_twice=_WITHOUT,
        ),
        "member_value": _tabled(
            f"{_ORDER} duplicates runs_twice",
            noise=0.02,
            bounds="what a system adds is a difference",
        ),
        "omega_total": _tabled(f"{_ORDER} duplicates runs_twice bounds"),
        "label_plan": _tabled(
            f"{_ORDER} runs_twice bounds",
            duplicates="of twice as many questions a smaller share need be labelled",
        ),
        "labelled": _tabled(f"{_ORDER} duplicates runs_twice bounds"),
        "outcomes": _tabled(f"{_ORDER} duplicates runs_twice bounds"),
        "paired_comparison": _tabled(
            "item_order relabelling runs_twice",
            cell_order="a pair is named in the order of its systems",
            duplicates="the questions that would settle a pair are fewer where its error is smaller",
            bounds="a difference may be negative, and ranks pass 1",
        ),
        "pass_at_k": _tabled(
            "item_order cell_order relabelling duplicates bounds",
            noise=0.03,
            runs_twice=_WITHOUT,
        ),
        "reliability": _tabled(
            _ORDER,
            duplicates="mean squares divide by the number of questions less one",
            runs_twice="the reliability of k draws is named by their number",
            bounds="the range of coin tosses lies on both sides of 0",
        ),
        "same_wrong": _tabled(
            "item_order relabelling bounds",
            noise=0.02,
            cell_order="a pair is named in the order of its systems",
            duplicates="in the shuffled null a question meets its own copy, which is another question",
            runs_twice="the popularity null cuts runs in halves: copies stand in both",
        ),
        "same_wrong_pairs": _tabled(
            "item_order relabelling duplicates runs_twice bounds",
            cell_order=_PAIR_ORDER,
        ),
        "self_agreement": _tabled(
            f"{_ORDER} bounds",
            duplicates="chance is taken over pairs of different questions: copies are such a pair",
            runs_twice=_WITHOUT,
        ),
        "stale_answers": _tabled(
            "item_order cell_order runs_twice",
            relabelling="an answer is stale where it has the words of the old key",
            duplicates="by chance a question meets the key of its own copy, which is another question",
            bounds="a drop is a difference",
        ),
        "surviving_error": _tabled(
            f"{_ORDER} duplicates",
            noise=0.03,
            runs_twice=_WITHOUT,
            bounds="the surviving share is a ratio of errors, above 1 where voting makes it worse",
        ),
        "unanimity_nulls": _tabled(f"{_ORDER} duplicates bounds", noise=0.02, runs_twice=_WITHOUT),
        "variance_shares": _tabled(
            f"{_ORDER} duplicates",
            runs_twice="the share of the seed is estimated from runs of one cell",
            bounds="unbiased components may come out below 0",
        ),
        "voting_gain": _tabled(
            f"{_ORDER} duplicates",
            noise=0.012,
            runs_twice=_WITHOUT,
            bounds="the change from all votes is a difference",
        ),
        "wrong_or_silent": _tabled(f"{_ORDER} duplicates runs_twice bounds"),
        "wrong_when_agreed": _tabled(f"{_ORDER} duplicates runs_twice bounds"),
        "wrong_when_unanimous": _tabled(
            _ORDER,
            duplicates="more questions lift blanks, so that the floor is read at a larger k",
            runs_twice=_WITHOUT,
            bounds="the slope of the floor is a difference",
        ),
    }
)

NOT_OF_TALLIES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "calibration": "it compares confidences with keys and counts no answers",
        "chance_adjusted_probabilities": "it reads probabilities of choices from the runs themselves",
        "confident_false": "it compares confidences with keys and counts no answers",
        "ranking": "it orders scores of answers and counts no answers",
        "score_errors": "it takes scores with a key, which counts of answers do not hold",
        "severity": "it takes scores, which counts of answers do not hold",
    }
)
"""Instruments of the truth package to which the laws of tallies do not apply, and why."""

_ALL_TOGETHER = "it speaks of texts after `arrival` steps, counted from the start"

DYNAMICS_LEDGER: Final[Mapping[str, Tabled]] = MappingProxyType(
    {
        "brent": _tabled("start_order relabelling duplicates restart bounds"),
        "find_cycle": _tabled("start_order relabelling duplicates restart bounds"),
        "iterate": _tabled("start_order relabelling duplicates restart bounds"),
        "loop_ends": _tabled("start_order relabelling duplicates bounds", restart=_ALL_TOGETHER),
        "text_limit_sets": _tabled("start_order relabelling duplicates restart bounds"),
    }
)

_ALL_OF_TENSORS = "start_order duplicates rotation scale restart precision bounds"

TENSOR_LEDGER: Final[Mapping[str, Tabled]] = MappingProxyType(
    {
        "continuation": _tabled(_ALL_OF_TENSORS),
        "find_fixed_points": _tabled(
            "start_order duplicates rotation scale precision bounds",
            restart="starts one step further on lie nearer to what attracts: fewer unstable points show",
        ),
        "limit_sets": _tabled(_ALL_OF_TENSORS, noise=1e-4),
        "lyapunov_spectrum": _tabled(_ALL_OF_TENSORS, noise=1e-4),
        "orbit_diagram": _tabled(
            "start_order duplicates scale restart precision bounds",
            rotation="it shows one number of the state, and a turn mixes it with the others",
        ),
        "run_tensors": _tabled(_ALL_OF_TENSORS),
    }
)
"""Laws of the instruments that run maps of tensors from starts."""

NOT_OF_ORBITS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "perturbation_stability": "it asks about answers to noisy inputs and iterates nothing",
        "path_independence": "it compares ends that are given and iterates nothing",
        "template_or_iteration": "it judges measurements and iterates nothing",
        "stopping": "it reads residuals that were recorded and iterates nothing",
        "beyond_training": "it counts right answers and iterates nothing",
        "spectrum": "it takes derivatives at states that are given and iterates nothing",
        "growth": "it takes powers of derivatives at states that are given and iterates nothing",
        "stretch_by_part": "its states are tensors, and it measures derivatives along them",
        "certify": "it bounds a map over a whole set and iterates nothing",
        "union_of": "it joins two lists of fixed points and iterates nothing",
        "return_time": "its states are tensors, and it asks about shocks at states that are given",
        "smallest_shock": "its states are tensors, and it asks about shocks at states that are given",
    }
)
"""Instruments of the dynamics package to which the laws of orbits do not apply, and why."""

_OF_DESIGNS = "design_order relabelling feature_order"

ECOSYSTEM_LEDGER: Final[Mapping[str, Tabled]] = MappingProxyType(
    {
        "group_departure": _tabled(
            _OF_DESIGNS,
            noise=0.06,
            duplicates="a design and its copy are a pair within a group that differs in nothing",
            bounds="the gap is a difference",
        ),
        "layer_dependence": _tabled(
            _OF_DESIGNS,
            noise=0.06,
            duplicates="chance gives twice as many designs half as much, and less is taken off",
            bounds="an excess over chance may come out below 0, and bits have no upper end of 1",
        ),
        "similarity_change": _tabled(
            _OF_DESIGNS,
            noise=0.06,
            duplicates="a design and its copy are a pair that differs in nothing",
            bounds="the change is a difference",
        ),
        "stack_diversity": _tabled(
            f"{_OF_DESIGNS} bounds",
            noise=0.06,
            duplicates="a design and its copy are a pair that does not differ",
        ),
        "stack_share": _tabled("design_order feature_order relabelling duplicates bounds"),
        "stack_similarity": _tabled(
            f"{_OF_DESIGNS} bounds",
            duplicates="a design and its copy are a pair that differs in nothing",
        ),
        "share_change": _tabled(
            "design_order feature_order relabelling duplicates",
            bounds="the change is a difference",
        ),
    }
)
"""Laws of the instruments that compare published designs; values are compared, not intervals."""
