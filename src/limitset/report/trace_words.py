"""What does every word of a trace mean, and what can the page not say?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from limitset.report.page import Definition

if TYPE_CHECKING:
    from limitset.report.trace_findings import TraceFindings

DEFINITIONS: Final = (
    Definition(
        term="step",
        plain="One application of the model's own map to its state, the input held.",
        formula="h_{t+1} = f(h_{t}; x)",
    ),
    Definition(
        term="settled",
        plain="The state stays within the tolerance of its limit, relative to its norm, from that step on. "
        "The distance left is estimated from how fast the steps shrink: a state whose steps fall as 1/t "
        "drifts, "
        "and never settles, however small its relative step.",
        formula="‖h_{t} − h_{∞}‖ ≤ τ ‖h_{∞}‖,   ‖h_{∞} − h_{t}‖ ≈ a_{t} q / (1 − q)",
    ),
    Definition(
        term="right",
        plain="The answer read off the state equals the key in every place. The key comes from outside "
        "the model; without one the page says no anchor.",
    ),
    Definition(
        term="stop",
        plain="The first step from which on the share that is right stays as at the usual number of "
        "steps. It "
        "is chosen on one half of the inputs and judged on the other, both ways.",
        formula="saving = 1 − steps taken / usual steps",
    ),
    Definition(
        term="same place",
        plain="Both ways settle, and the two ends lie within ten tolerances of each other.",
        formula="‖h' − h‖ ≤ 10 τ ‖h‖",
    ),
    Definition(
        term="iterates or replays",
        plain="A model that iterates reaches a point that belongs to the input: swapped starts and swapped "
        "solvers lead to it and going on does not lose it. A model that replays has learned a path of so "
        "many steps; from elsewhere, or further on, it is lost. The rule is fixed beforehand: iterates, when "
        "in every way at least 80 % surely come to the same place and accuracy surely falls by less than 5 "
        "points far beyond the usual steps; replays, when surely fewer than 50 % do and answers are lost or "
        "ends lie elsewhere.",
    ),
    Definition(
        term="alignment (AA)",
        plain="Mean cosine between the ends of two ways; 1 is the same direction.",
        formula="cos(h, h')",
    ),
    Definition(
        term="eigenvalue, spectral radius",
        plain="By how much a small error is multiplied in one step, along the directions that decide in the "
        "long run; the radius is the largest. Below 1 the end attracts what is near it.",
        formula="J v = λ v,   ρ = max |λ|",
    ),
)


def limits(found: TraceFindings) -> tuple[str, ...]:
    """Say what this page cannot."""
    told = [
        f"It speaks of these {found.inputs} inputs and of {found.steps} steps: never means not within them.",
        "That an end attracts was computed at the end found, in floating point: it is an observation, no "
        "proof that no other end exists. limitset.dynamics has certificates for maps with known bounds.",
    ]
    if not found.anchored:
        told.append("No anchor: settled and same say nothing about right.")
    if "swapped start" not in found.ways:
        told.append("The step holds no input (it takes no rows), so starts cannot be swapped between inputs.")
    return tuple(told)
