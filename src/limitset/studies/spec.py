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


Study = Annotated[FirstLook | PanelAudit, Field(discriminator="kind")]
_STUDY: TypeAdapter[FirstLook | PanelAudit] = TypeAdapter(Study)


def read_study(path: Path) -> FirstLook | PanelAudit:
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


def parse_study(text: str, *, name: str) -> FirstLook | PanelAudit:
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


def validated(values: dict[str, Any], *, name: str) -> FirstLook | PanelAudit:
    """Check a study given as plain values."""
    try:
        # through JSON: TOML arrays are lists where the schema has tuples, and strictness is kept
        return _STUDY.validate_json(json.dumps(values, default=str), strict=True)
    except ValidationError as error:
        raise InputError(_all_mistakes(error, name)) from error


def to_toml(study: FirstLook | PanelAudit) -> str:
    """Write a study file with every default spelled out."""
    return tomli_w.dumps(study.model_dump(mode="json"))


def _all_mistakes(error: ValidationError, name: str) -> str:
    lines = []
    for mistake in error.errors():
        place = ".".join(str(part) for part in mistake["loc"] if part not in ("first_look", "panel_audit"))
        got = "" if mistake["type"] == "missing" else f"; got {_short(mistake['input'])}"
        lines.append(f"{name}: {place or 'kind'}: {mistake['msg'][0].lower()}{mistake['msg'][1:]}{got}")
    return "\n".join(lines)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
