"""What does a study file say, and is it well formed?

TOML, one pydantic model a recipe, told apart by `kind`. All mistakes of a file are reported together.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from limitset.core.errors import InputError

Instruction = Literal["rewrite", "again"]


class Strict(BaseModel):
    """A part of a study file: no unknown names, no silent conversions."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Questions(Strict):
    """Which questions are asked."""

    source: str = "anchored"
    """`anchored`, or the path of a JSONL or CSV file."""
    count: int = Field(default=150, ge=1)
    seed: int = Field(default=0, ge=0)


class Sampling(Strict):
    """How each question is asked."""

    paraphrases: int = Field(default=2, ge=1, le=3)
    seeds: int = Field(default=4, ge=1, le=1000)
    temperature: float = Field(default=0.7, gt=0, le=5)
    top_p: float = Field(default=1.0, gt=0, le=1)
    max_tokens: int = Field(default=16, ge=1, le=1024)


class Loops(Strict):
    """How a model is made to rewrite its own text again and again; count 0 leaves the loops out."""

    instructions: tuple[Instruction, ...] = ("rewrite", "again")
    count: int = Field(default=20, ge=0)
    steps: int = Field(default=8, ge=1, le=1000)
    max_tokens: int = Field(default=16, ge=1, le=1024)


class FirstLook(Strict):
    """Two or more models, many runs of the same anchored questions, and text loops."""

    kind: Literal["first_look"]
    schema_version: Literal[1] = 1
    models: tuple[str, ...] = Field(min_length=1)
    seed: int = Field(default=0, ge=0)
    chunk: int = Field(default=25, ge=1)
    """Questions a task: fixed here, so that a resumed study runs the same batches."""
    questions: Questions = Questions()
    sampling: Sampling = Sampling()
    loops: Loops = Loops()


class PanelAudit(Strict):
    """A file of replies that somebody already has."""

    kind: Literal["panel_audit"]
    schema_version: Literal[1] = 1
    replies: str
    seed: int = Field(default=0, ge=0)


class Trace(Strict):
    """A looped model that somebody wrote, run from many starts and along several paths."""

    kind: Literal["trace"]
    schema_version: Literal[1] = 1
    loop: str
    """MODULE:OBJECT or FILE.py:OBJECT."""
    steps: int = Field(default=0, ge=0, le=1_000_000)
    """How far each input is run; 0: eight times its usual number of steps, at least 100."""
    tolerance: float = Field(default=1e-3, gt=0, lt=1)
    """How near to its limit, relative to its norm, a state counts as there."""
    chunk: int = Field(default=128, ge=2)
    """Inputs a task."""
    spectra: int = Field(default=32, ge=0)
    """Settled inputs a task whose leading eigenvalues are computed."""
    seed: int = Field(default=0, ge=0)


Norm = Literal["none", "pre", "post", "sandwich"]
Injection = Literal["start", "additive", "concatenated", "gated"]
LabTask = Literal["untrained", "prefix sums", "parity", "sudoku"]


class Bench(Strict):
    """One task of the laboratory and the nets trained on it."""

    task: LabTask
    norms: tuple[Norm, ...] = ("none", "pre", "post", "sandwich")
    injections: tuple[Injection, ...] = ("start", "additive", "concatenated", "gated")
    seeds: int = Field(default=3, ge=1, le=100)
    gains: tuple[float, ...] = (0.5, 1.0, 2.0)
    """Scales of the random weights; trained nets have none."""
    train_steps: int = Field(default=800, ge=1)
    problems: int = Field(default=256, ge=8)
    """Held-out problems of each size."""
    far: int = Field(default=100, ge=1)
    """Steps far beyond those of the training."""


class Recurrence(Strict):
    """The laboratory: normalization by injection, trained nets or untrained blocks."""

    kind: Literal["recurrence"]
    schema_version: Literal[1] = 1
    benches: tuple[Bench, ...] = Field(min_length=1)
    tolerance: float = Field(default=1e-3, gt=0, lt=1)
    seed: int = Field(default=0, ge=0)


AnyStudy = FirstLook | PanelAudit | Trace | Recurrence
Study = Annotated[AnyStudy, Field(discriminator="kind")]
_STUDY: TypeAdapter[AnyStudy] = TypeAdapter(Study)
_KINDS = ("first_look", "panel_audit", "trace", "recurrence")


def read_study(path: Path) -> AnyStudy:
    """Read a study file.

    Raises
    ------
    InputError
        When the file is absent, is not TOML (with line and column), or breaks the schema: every mistake on
        a line of its own, with its place in the file.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError.of(
            expected="the study file must be a readable UTF-8 text", got=error, fix="Check the path."
        ) from error
    return parse_study(text, name=str(path))


def parse_study(text: str, *, name: str) -> AnyStudy:
    r"""Read the text of a study file; `name` stands in the errors.

    Examples
    --------
    >>> parse_study('kind = "first_look"\nmodels = ["a", "b"]', name="x.toml").sampling.seeds
    4
    """
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError.of(expected=f"{name} must be TOML", got=error, fix="Mend that place.") from error
    return validated(values, name=name)


def validated(values: dict[str, Any], *, name: str) -> AnyStudy:
    """Check a study given as plain values."""
    try:
        # through JSON: TOML arrays are lists where the schema has tuples, and strictness is kept
        return _STUDY.validate_json(json.dumps(values, default=str), strict=True)
    except ValidationError as error:
        raise InputError(_all_mistakes(error, name)) from error


def to_toml(study: AnyStudy) -> str:
    """Write a study file with every default spelled out."""
    return tomli_w.dumps(study.model_dump(mode="json"))


def _all_mistakes(error: ValidationError, name: str) -> str:
    lines = []
    for mistake in error.errors():
        place = ".".join(str(part) for part in mistake["loc"] if part not in _KINDS)
        got = "" if mistake["type"] == "missing" else f"; got {_short(mistake['input'])}"
        lines.append(f"{name}: {place or 'kind'}: {mistake['msg'][0].lower()}{mistake['msg'][1:]}{got}")
    return "\n".join(lines)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
