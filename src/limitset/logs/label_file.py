"""What does a list of questions to label belong to, and which rows of it came back?

A plan is two files beside each other: a CSV that a person fills in, and a TOML that says what it belongs to.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from limitset.charts.shown import visible
from limitset.core.errors import InputError
from limitset.core.items import Items
from limitset.core.tallies import Tallies

NEEDED: Final = ("item", "question", "label", "plan")
KIND: Final = "label plan"
LONGEST_FILE: Final = 50_000_000
"""Bytes; a list that people label is smaller."""
LONGEST_QUESTION: Final = 2_000
_FORMULA: Final = ("=", "+", "-", "@")
"""A spreadsheet would run a cell that begins like this."""


@dataclass(frozen=True, kw_only=True)
class PlanFile:
    """What a plan on disk says of itself (its TOML).

    Parameters
    ----------
    panel
        Hash of the questions and answers it was drawn from; see `panel_hash`.
    shows
        "blind": answers shuffled, without counts. "counts": the commonest first, with counts.
    items
        Names of the questions, in the order of labelling.
    """

    panel: str
    seed: int
    threshold: float
    half_width: float
    cuts: tuple[float, ...]
    shows: str
    items: tuple[str, ...]

    @property
    def identity(self) -> str:
        """A short name of the plan, which stands in every row; no spreadsheet takes it for a number."""
        told = [self.panel, self.threshold, list(self.cuts), self.shows, sorted(self.items)]
        return f"plan-{hashlib.sha256(json.dumps(told).encode()).hexdigest()[:10]}"


class LabelCell(NamedTuple):
    """What stands in the label column, and where."""

    label: str
    line: int
    path: Path


def panel_hash(tallies: Tallies, items: Items) -> str:
    """Hash questions, answers and who gave them how often; the order of rows does not matter.

    Examples
    --------
    >>> from limitset.core.ends import Ends
    >>> from limitset.core.tallies import tallied
    >>> items = Items.of(item=["p", "q"], text=["P?", "Q?"])
    >>> ends = Ends.of(item=["p", "q"], system="m", end=["a", "b"])
    >>> turned = Ends.of(item=["q", "p"], system="m", end=["b", "a"])
    >>> panel_hash(tallied(ends), items) == panel_hash(tallied(turned), items)
    True
    """
    own = tallies.by_system()
    systems = np.argsort(own.systems.astype(str), kind="stable")
    names, classes = own.items.astype(str), own.class_name.astype(str)
    order = np.lexsort((classes, names[own.class_item])) if classes.size else np.zeros(0, dtype=np.int64)
    question = np.argsort(names, kind="stable")
    texts = dict(zip(items.texts("item"), items.texts("text"), strict=True))
    told = hashlib.sha256()
    told.update(json.dumps([[name, texts.get(name)] for name in names[question].tolist()]).encode())
    told.update(json.dumps(own.systems[systems].astype(str).tolist()).encode())
    told.update(json.dumps([names[own.class_item[order]].tolist(), classes[order].tolist()]).encode())
    told.update(np.ascontiguousarray(own.counts[np.ix_(systems, order)].astype("<i8")).tobytes())
    told.update(np.ascontiguousarray(own.runs[np.ix_(systems, question)].astype("<i8")).tobytes())
    return told.hexdigest()


def read_plan(path: Path) -> PlanFile:
    """Read what a filled list belongs to.

    Raises
    ------
    InputError
        When the TOML beside the list is missing or is none.
    """
    beside = path.with_suffix(".toml")
    if not beside.is_file():
        raise InputError.of(
            expected=f"{beside.name} must stand beside {path.name}: it says what the labels belong to",
            got="none there",
            fix="Copy it there under that name; --label-plan wrote it.",
        )
    try:
        values = tomllib.loads(beside.read_text(encoding="utf-8"))
        plan = PlanFile(
            panel=str(values["panel"]),
            seed=int(values["seed"]),
            threshold=float(values["threshold"]),
            half_width=float(values["half_width"]),
            cuts=tuple(float(cut) for cut in values["cuts"]),
            shows=str(values["shows"]),
            items=tuple(str(one) for one in values["items"]),
        )
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
        raise InputError.of(
            expected=f"{beside.name} must be the file that --label-plan wrote",
            got=f"{type(error).__name__}: {error}",
            fix="Take the one that was written with the list.",
        ) from error
    if values.get("kind") != KIND or values.get("plan") != plan.identity:
        raise InputError.of(
            expected=f"{beside.name} must be as --label-plan wrote it",
            got="a changed one" if values.get("kind") == KIND else f"kind {values.get('kind')!r}",
            fix="Take the one that was written with the list.",
        )
    return plan


def label_cells(path: Path, plan: PlanFile, items: Items) -> dict[str, LabelCell]:
    """Return the label of each planned question that the file holds; "" where it is not filled.

    Raises
    ------
    InputError
        For rows of another list, unknown items, changed questions and items twice; the line is named.
    """
    planned = set(plan.items)
    shown = {row["item"]: shown_question(row["text"]) for row in items.rows() if row["item"] in planned}
    by_question: dict[str, list[str]] = {}
    for name, question in shown.items():
        by_question.setdefault(_bare(question), []).append(name)
    found: dict[str, LabelCell] = {}
    for line, cell in filled_rows(path):
        name, question = cell["item"].strip(), _bare(cell["question"])
        if cell["plan"].strip() != plan.identity:
            raise InputError.of(
                expected=f"rows of {path} must belong to {plan.identity}",
                got=f"{cell['plan'].strip()[:40] or 'nothing'} at line {line}",
                fix="Do not mix lists: label each in its own file.",
            )
        # a spreadsheet writes an id such as 123456e78901 anew as a number: the question still names it
        alike = by_question.get(question, [])
        if name not in shown and len(alike) == 1:
            name = alike[0]
        if name not in shown:
            raise InputError.of(
                expected=f"items of {path} must be those of its plan",
                got=f"{name[:60]!r} at line {line}",
                fix="Take that row out.",
            )
        if question != _bare(shown[name]):
            raise InputError.of(
                expected=f"questions of {path} must stand as they were asked",
                got=f"a changed one for {name!r} at line {line}",
                fix=f"It was: {shown[name][:80]}",
            )
        if name in found:
            raise InputError.of(
                expected=f"{path} must hold each item once",
                got=f"{name!r} at lines {found[name].line} and {line}",
                fix="Keep one of them.",
            )
        found[name] = LabelCell(" ".join(cell["label"].split()), line, path)
    return found


def _bare(question: str) -> str:
    """Return a question without what a spreadsheet changes: blanks, and the guard before a formula."""
    return " ".join(question.split()).removeprefix("'")


def shown_question(text: str) -> str:
    """Return a question as a cell shows it: one line, clipped, and no formula.

    Examples
    --------
    >>> shown_question("=1+1"), shown_question(" two   lines")
    ("'=1+1", 'two lines')
    """
    return guarded(one_line(text, LONGEST_QUESTION))


def one_line(text: str, most: int) -> str:
    """Return a text on one line, at most so long, with control characters as escapes."""
    line = visible(" ".join(text.split()))
    return line if len(line) <= most else f"{line[: most - 1]}…"


def guarded(cell: str) -> str:
    """Return a cell that no spreadsheet runs as a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def filled_rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the line and the cells of each row that holds anything, under lower-case names."""
    text = _text_of(path)
    lines = text.splitlines()
    told = 1 if lines and lines[0].casefold().startswith("sep=") else 0
    heads = lines[told] if len(lines) > told else ""
    between = max(",;\t", key=heads.count)
    csv.field_size_limit(LONGEST_FILE)
    reader = csv.reader(io.StringIO("\n".join(lines[told:]), newline=""), delimiter=between, strict=True)
    names: list[str] | None = None
    while True:
        line = reader.line_num + 1 + told
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise InputError.of(
                expected=f"{path} must be well-formed CSV",
                got=f"{error} at line {line}",
                fix="Check quotes there.",
            ) from error
        if names is None:
            names = _checked_names(cells, path)
        elif any(cell.strip() for cell in cells):
            if len(cells) != len(names):
                raise InputError.of(
                    expected=f"every row of {path} must have {len(names)} cells",
                    got=f"{len(cells)} at line {line}",
                    fix="Quote cells that hold a separator.",
                )
            yield line, dict(zip(names, cells, strict=True))


def _text_of(path: Path) -> str:
    if not path.is_file() or path.suffix.lower() not in (".csv", ".tsv", ".txt"):
        raise InputError.of(
            expected=f"{path} must be a filled list of labels (CSV)",
            got="another kind of file" if path.is_file() else "none there",
            fix="Save it as CSV." if path.is_file() else "Check the path.",
        )
    if path.stat().st_size > LONGEST_FILE:
        raise InputError.of(
            expected=f"{path} must be a list that people filled in",
            got=f"{path.stat().st_size:,} bytes",
            fix=f"It may have {LONGEST_FILE:,}.",
        )
    raw = path.read_bytes().removeprefix(codecs.BOM_UTF8)
    code = "utf-16" if raw[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8"
    try:
        return raw.decode(code)
    except UnicodeDecodeError as error:
        raise InputError.of(
            expected=f"{path} must be UTF-8",
            got=f"byte {raw[error.start]:#x} at line {raw[: error.start].count(10) + 1}",
            fix="Save it as CSV UTF-8.",
        ) from error


def _checked_names(cells: list[str], path: Path) -> list[str]:
    names = [cell.strip().lower() for cell in cells]
    missing = [name for name in NEEDED if names.count(name) != 1]
    if missing:
        raise InputError.of(
            expected=f"{path} must have the columns {', '.join(NEEDED)} once each",
            got=f"{missing[0]} {names.count(missing[0])} times",
            fix="Leave the columns of the plan as they are; more of your own may stand beside them.",
        )
    return names
