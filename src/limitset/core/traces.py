"""What does a trace of one looped model leave behind, row by row?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from limitset.core.columns import Kind
from limitset.core.other_ways import SWAPPED_SOLVER, SWAPPED_START

OWN: Final = "own start"
"""The model run as it is used."""
DAMPED: Final = "damped steps"
"""Every step taken half: another path with the same fixed points."""
ARMS: Final = (OWN, SWAPPED_START, DAMPED, SWAPPED_SOLVER)

TRACE_KINDS: Final[Mapping[str, Kind]] = {
    "item": Kind.TEXT,
    "system": Kind.TEXT,
    "arm": Kind.TEXT,
    "kind": Kind.TEXT,
    "note": Kind.TEXT,
    "period": Kind.NUMBER,
    "steps": Kind.NUMBER,
    "arrival": Kind.NUMBER,
    "residual": Kind.NUMBER,
    "norm": Kind.NUMBER,
    "reach": Kind.NUMBER,
    "distance": Kind.NUMBER,
    "cosine": Kind.NUMBER,
    "right": Kind.NUMBER,
    "radius": Kind.NUMBER,
    "radius_error": Kind.NUMBER,
    "exponent": Kind.NUMBER,
    "growth": Kind.NUMBER,
    "across": Kind.NUMBER,
    "residuals": Kind.NUMBERS,
    "rights": Kind.NUMBERS,
    "path_x": Kind.NUMBERS,
    "path_y": Kind.NUMBERS,
}
"""Columns of the traces table, one row an input and arm.

`kind` is a `LimitKind`; `arrival` inf for never; `residual` the last one, relative to the norm; `reach` the
largest norm on the way; `distance`
from the end of the own start, relative to its norm; `growth` the last norm over that after the usual steps;
`across` the cosine with the end of another input; `residuals` and `rights` one number a step, `rights`
from the start on; `path_x`, `path_y` the orbit on two principal directions of the ends, for a few inputs.
"""

EIGENVALUE_KINDS: Final[Mapping[str, Kind]] = {
    "item": Kind.TEXT,
    "system": Kind.TEXT,
    "real": Kind.NUMBER,
    "imaginary": Kind.NUMBER,
    "error": Kind.NUMBER,
}
"""Columns of the eigenvalues table: leading eigenvalues of the Jacobian at the end of some inputs."""
