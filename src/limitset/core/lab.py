"""What does the laboratory keep of one net at one size of problem?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from limitset.core.columns import Kind

UNTRAINED: Final = "untrained"
"""The bench on which nothing is trained: random blocks, no anchor."""

NET_KINDS: Final[Mapping[str, Kind]] = {
    "system": Kind.TEXT,
    "task": Kind.TEXT,
    "norm": Kind.TEXT,
    "injection": Kind.TEXT,
    "seed": Kind.NUMBER,
    "gain": Kind.NUMBER,
    "size": Kind.NUMBER,
    "trained_size": Kind.NUMBER,
    "usual": Kind.NUMBER,
    "far": Kind.NUMBER,
    "inputs": Kind.NUMBER,
    "settled": Kind.NUMBER,
    "settled_wrong": Kind.NUMBER,
    "arrival": Kind.NUMBER,
    "drift": Kind.NUMBER,
    "right_usual": Kind.NUMBER,
    "right_far": Kind.NUMBER,
    "same_start": Kind.NUMBER,
    "same_damped": Kind.NUMBER,
    "same_solver": Kind.NUMBER,
    "right_start": Kind.NUMBER,
    "alignment": Kind.NUMBER,
    "residual": Kind.NUMBER,
    "growth": Kind.NUMBER,
    "across_inputs": Kind.NUMBER,
    "radius": Kind.NUMBER,
    "stable": Kind.NUMBER,
    "exponent": Kind.NUMBER,
    "origin": Kind.TEXT,
    "kinds": Kind.TEXT,
    "certificate": Kind.TEXT,
    "loss": Kind.NUMBER,
    "rights": Kind.NUMBERS,
    "settled_by": Kind.NUMBERS,
}
"""Columns of the nets table, one row a net and size.

`size` is the length of strings or the number of empty cells (1 for untrained blocks); `usual` the steps of
the training, `far` the steps run. Shares are of inputs: settled, settled_wrong, drift, right at `usual` and
at `far`, in the same place from a swapped start, by half steps and by another solver, right from a swapped
start. `alignment`, `residual`: mean cosine and median residual of the swapped start; `growth`: median norm at
the end over the norm after `usual` steps; `across_inputs`: mean cosine of the ends of different inputs;
`radius`: median spectral radius at settled ends; `stable`: share of them surely below 1; `exponent`: median
largest exponent along orbits that did not settle; `rights`, `settled_by`: shares after each step.
"""
