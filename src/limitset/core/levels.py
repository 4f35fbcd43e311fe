"""Which map is meant: of hidden states, texts, answers, weights, representations, or a field?"""

from __future__ import annotations

from enum import StrEnum


class Level(StrEnum):
    """The level of a map, a row, a measurement or a claim.

    Existence, uniqueness, stability and basin mean different things on different levels, so nothing is
    stated without one.
    """

    HIDDEN = "hidden"
    """h -> f(h; x)."""
    TEXT = "text"
    """s -> model(instruction, s)."""
    ANSWER = "answer"
    """Repeated runs of one question."""
    WEIGHTS = "weights"
    """Training, fine-tuning, training on own output."""
    REPRESENTATION = "representation"
    """Activations of many models on the same items."""
    ECOSYSTEM = "ecosystem"
    """Adoption across published architectures and interfaces."""


class Status(StrEnum):
    """How one run ended."""

    ANSWERED = "answered"
    ABSTAINED = "abstained"
    UNPARSED = "unparsed"
    ERROR = "error"
    SETTLED = "settled"
    UNDECIDED = "undecided"
    DIVERGED = "diverged"
