"""How are a user's own questions read from a file?

JSON Lines or CSV with the columns ``question`` and ``key``; see `read_questions` for the others.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from limitset.core.errors import InputError
from limitset.datasets.questions import Question, QuestionSet

FORMS: Final = ("name", "number", "code", "list", "choice")
COLUMNS: Final = (
    "question",
    "key",
    "accepted",
    "item",
    "lure",
    "stratum",
    "form",
    "wording2",
    "wording3",
    "anchor",
    "anchor_error",
    "date",
    "licence",
)
TEMPLATES: Final = (
    "{question}",
    "Please answer this question. {question}",
    "{question} Give only the answer.",
)
"""Wordings for questions that bring only one; the first is the question as it stands."""

KIND: Final = "user"


def read_questions(path: Path | str, *, allow_missing_keys: bool = False) -> QuestionSet:
    r"""Read questions from a JSON Lines or CSV file.

    Parameters
    ----------
    path
        UTF-8 file ending in ``.jsonl``, ``.ndjson`` or ``.csv``. Columns: ``question`` (required); ``key``
        or ``accepted`` (right answers, several split by ``|``, or a list in JSON); ``item`` (id); ``lure``;
        ``stratum``; ``form`` (name, number, code, list or choice); ``wording2``, ``wording3``; ``anchor``,
        ``anchor_error``, ``date``, ``licence``.
    allow_missing_keys
        Whether some questions may have a key and others not.

    Returns
    -------
    QuestionSet
        Three wordings each. Without a key column nothing is right or wrong: no question has an anchor.

    Raises
    ------
    InputError
        Naming file and line: another ending, text that is not UTF-8, a line that is not whole, a missing
        question or key, an unknown column or form, two questions with one id, a lure that is also a key.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "mine.csv"
    ...     _ = file.write_text("question,key\nCapital of Australia?,Canberra\n")
    ...     asked = read_questions(file)
    >>> asked.name, asked.items.texts("text").tolist(), asked.wordings
    ('mine', ['Capital of Australia?'], 3)
    """
    path = Path(path)
    rows = list(_rows(path))
    if not rows:
        raise InputError.of(
            expected=f"{path} must hold a question", got="no rows", fix="Add a line with question and key."
        )
    _check_columns(path, rows)
    keyed = any("key" in row or "accepted" in row for _, row in rows)
    questions = [
        _question(path, line, row, keyed=keyed and not allow_missing_keys, name=path.stem)
        for line, row in rows
    ]
    _check_ids(path, [line for line, _ in rows], questions)
    return QuestionSet.of(path.stem, questions, exemplars={KIND: _exemplars(questions)})


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield line number and record, line 1 the first of the file."""
    text = _text(path)
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        for number, line in enumerate(text.split("\n"), start=1):
            if line.strip():
                yield number, _json_row(path, number, line)
        return
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        for row in reader:
            if None in row or None in row.values():
                raise _bad(path, reader.line_num, "every line must have as many cells as the first", "another number of cells", "Quote cells that hold a comma.")  # noqa: E501  # fmt: skip
            yield (
                reader.line_num,
                {str(name).strip(): cell for name, cell in row.items() if cell.strip()}
                | ({"key": ""} if "key" in row and not row["key"].strip() else {}),
            )
    except csv.Error as error:
        raise _bad(
            path, reader.line_num, "the file must be CSV", error, "Check the quotes on this line."
        ) from error


def _text(path: Path) -> str:
    if path.suffix.lower() not in (".jsonl", ".ndjson", ".csv"):
        raise InputError.of(
            expected="a file of questions must end in .jsonl, .ndjson or .csv",
            got=path.name,
            fix="Rename it or save it in one of these formats.",
        )
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError.of(
            expected=f"{path} must be a file that can be read",
            got=error.strerror or error,
            fix="Check the path.",
        ) from error
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise _bad(
            path, line, "the file must be UTF-8", f"byte 0x{raw[error.start]:02x}", "Save it as UTF-8."
        ) from error


def _json_row(path: Path, number: int, line: str) -> Mapping[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _bad(
            path,
            number,
            "every line must be one whole JSON object",
            "a line that breaks off or is not JSON",
            "Write the line again, or take it out.",
        ) from error
    if not isinstance(row, dict):
        raise _bad(
            path, number, "every line must be a JSON object", type(row).__name__, 'Use {"question": ...}.'
        )
    return {name: value for name, value in row.items() if value is not None or name in ("key", "accepted")}


def _question(path: Path, line: int, row: Mapping[str, Any], *, keyed: bool, name: str) -> Question:
    text = _cell(row, "question")
    if not text:
        raise _bad(path, line, "every row needs a question", "none", "Fill in the column question.")
    accepted = _keys(row.get("key") if row.get("key") not in (None, "") else row.get("accepted"))
    if keyed and not accepted:
        raise _bad(
            path,
            line,
            "every question needs a key",
            "none",
            "Fill it in, leave the whole column out, or pass allow_missing_keys=True.",
        )
    lure = _cell(row, "lure") or None
    if lure in accepted:
        raise _bad(path, line, "the lure must be a wrong answer", f"the key {lure}", "Take it out of one.")
    form = _cell(row, "form") or None
    if form is not None and form not in FORMS:
        raise _bad(path, line, f"form must be one of {', '.join(FORMS)}", form, "Use one of them.")
    return Question(
        item=_cell(row, "item") or f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:8]}",
        kind=KIND,
        wordings=_wordings(path, line, row, text),
        accepted=accepted,
        lure=lure,
        stratum=_cell(row, "stratum") or None,
        form=form,
        anchor=_cell(row, "anchor") or (path.name if accepted else None),
        anchor_error=_error(path, line, row),
        date=_cell(row, "date") or None,
        licence=_cell(row, "licence") or None,
    )


def _wordings(path: Path, line: int, row: Mapping[str, Any], text: str) -> tuple[str, ...]:
    own = (text, _cell(row, "wording2"), _cell(row, "wording3"))
    wordings = tuple(one or TEMPLATES[at].replace("{question}", text) for at, one in enumerate(own))
    if len(set(wordings)) < len(wordings):
        raise _bad(path, line, "the three wordings must differ", "one twice", "Word it anew or leave it out.")
    return wordings


def _keys(value: Any) -> tuple[str, ...]:
    parts = value if isinstance(value, list) else str("" if value is None else value).split("|")
    return tuple(dict.fromkeys(text for part in parts if (text := str(part).strip())))


def _cell(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return "" if value is None else str(value).strip()


def _error(path: Path, line: int, row: Mapping[str, Any]) -> float | None:
    text = _cell(row, "anchor_error")
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0 <= value <= 1:
        raise _bad(path, line, "anchor_error must be a share in [0, 1]", text, "Write it as 0.02.")
    return value


def _check_columns(path: Path, rows: list[tuple[int, Mapping[str, Any]]]) -> None:
    for line, row in rows:
        unknown = [str(name) for name in row if name not in COLUMNS]
        if unknown:
            raise _bad(
                path, line, f"columns may be {', '.join(COLUMNS)}", ", ".join(unknown), "Rename or drop them."
            )


def _check_ids(path: Path, lines: list[int], questions: list[Question]) -> None:
    seen: dict[str, int] = {}
    for line, one in zip(lines, questions, strict=True):
        if one.item in seen:
            raise _bad(
                path,
                line,
                "every question must stand in the file once",
                f"{one.item} again (first on line {seen[one.item]})",
                "Take one out, or give it another item.",
            )
        seen[one.item] = line


def _bad(path: Path, line: int, expected: str, got: object, fix: str) -> InputError:
    return InputError.of(expected=f"{path}, line {line}: {expected}", got=got, fix=fix)


def _exemplars(questions: list[Question]) -> tuple[Question, ...]:
    """Return three plain questions that teach a base model to answer in few words."""
    asked = {text for one in questions for text in one.wordings}
    rows = [
        ("How many legs does a spider have?", "8"),
        ("Which gas do plants take in from the air?", "Carbon dioxide"),
        ("Who wrote Hamlet?", "William Shakespeare"),
    ]
    shown = tuple(
        Question(
            item=f"shown-{at}",
            kind=KIND,
            wordings=tuple(template.replace("{question}", text) for template in TEMPLATES),
            accepted=(answer,),
        )
        for at, (text, answer) in enumerate(rows)
    )
    return tuple(one for one in shown if not asked.intersection(one.wordings))
