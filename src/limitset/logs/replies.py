"""How does a file of replies (question, model, answer, key) become Ends and Items?"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from limitset.core.answers import classify
from limitset.core.ends import Ends
from limitset.core.errors import InputError
from limitset.core.items import Items
from limitset.core.levels import Level
from limitset.logs.evaluation_log import LONGEST_REPLY, clipped
from limitset.logs.records import read_records

KEYS_BETWEEN: Final = "|"
"""Several accepted answers in one cell stand apart by this."""

NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "question": ("question", "prompt", "input", "query"),
    "model": ("model", "system", "judge", "model_name", "rater"),
    "answer": ("answer", "reply", "response", "output", "completion", "text"),
    "key": ("key", "target", "gold", "accepted", "label", "correct_answer", "reference"),
    "item": ("item", "id", "question_id", "item_id"),
    "seed": ("seed", "run", "epoch", "sample", "repeat"),
    "paraphrase": ("paraphrase", "wording", "template"),
    "temperature": ("temperature",),
    "stratum": ("stratum", "category", "subject", "topic"),
    "lure": ("lure", "distractor"),
    "confidence": ("confidence",),
    "form": ("form",),
    "anchor_error": ("anchor_error", "key_error"),
}
"""Our column to the names it is recognised by."""

REQUIRED: Final = ("model", "answer")


class Row(NamedTuple):
    """One record of the file under our names, and where it stands."""

    cell: Mapping[str, Any]
    line: int
    path: Path


@dataclass(frozen=True, kw_only=True, eq=False)
class Replies:
    """What a file of replies holds."""

    ends: Ends
    items: Items
    columns: Mapping[str, str]
    """Our column to the column of the file it was read from."""
    notes: tuple[str, ...]


def read_replies(path: Path, *, names: Mapping[str, str] | None = None) -> Replies:
    r"""Read a CSV, TSV, JSON lines or Parquet file of replies.

    Parameters
    ----------
    path
        One row a reply: `question` (or `item`), `model`, `answer`, and where there is one `key`; several
        accepted answers in a cell stand apart by ``|``. `seed`, `paraphrase`, `temperature`, `stratum`,
        `lure`, `confidence`, `form` and `anchor_error` (chance that the key is wrong) are used where present.
    names
        Our column to the file's own name, where it is not recognised.

    Returns
    -------
    Replies
        Ends (one row a reply) and Items (one row a question).

    Raises
    ------
    InputError
        When a needed column is missing, a cell that must be filled is empty, or one question has two
        keys; the line is named.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "r.csv"
    >>> _ = file.write_text("question,model,answer,key\nCapital of Australia?,m,Sydney,Canberra\n")
    >>> read_replies(file).ends.numbers("right").tolist()
    [0.0]
    """
    records = read_records(path)
    every_name = dict.fromkeys(name for _, record in records for name in record)
    columns = _columns(every_name, names or {}, path)
    questions: dict[str, dict[str, Any]] = {}
    rows: list[dict[str, Any]] = []
    seen: dict[tuple[str, ...], int] = {}
    for line, record in records:
        if columns["answer"] not in record:
            raise InputError.of(
                expected=f"every record of {path} needs {columns['answer']}",
                got=f"none at line {line}",
                fix="Name the column alike everywhere; an empty answer counts as none given.",
            )
        row = Row({ours: record.get(theirs) for ours, theirs in columns.items()}, line, path)
        item = _remember(questions, row, keyed="key" in columns)
        rows.append(_run(row, questions[item], seen))
    long = sum(len(_text(record.get(columns["answer"])) or "") > LONGEST_REPLY for _, record in records)
    anonymous = "seed" not in columns and any(count > 1 for count in seen.values())
    notes: tuple[str, ...] = (
        ("runs had no seed column: repeated rows of one question count as separate runs",)
        if anonymous
        else ()
    )
    if long:
        notes += (f"{long:,} × reply longer than {LONGEST_REPLY:,} characters: clipped there",)
    return Replies(
        ends=Ends.of_rows(rows), items=Items.of_rows(list(questions.values())), columns=columns, notes=notes
    )


def _columns(record: Mapping[str, Any], names: Mapping[str, str], path: Path) -> dict[str, str]:
    unknown = sorted(set(names) - set(NAMES))
    if unknown:
        raise InputError.of(
            expected=f"mapped columns are {', '.join(NAMES)}", got=unknown[0], fix="Use one of these."
        )
    absent = sorted(theirs for theirs in names.values() if theirs not in record)
    if absent:
        raise InputError.of(
            expected=f"mapped columns must stand in {path}",
            got=f"{absent[0]}, not among {', '.join(record)}",
            fix="Check its spelling.",
        )
    lowered = {name.strip().lower(): name for name in record}
    found = dict(names)
    for ours, known in NAMES.items():
        match = next((lowered[name] for name in known if name in lowered), None)
        if ours not in found and match is not None and match not in found.values():
            found[ours] = match
    missing = [name for name in REQUIRED if name not in found]
    if "question" not in found and "item" not in found:
        missing.insert(0, "question")
    if missing:
        raise InputError.of(
            expected=f"{path} must have the columns question, model and answer (and key, to be judged)",
            got=f"no {', '.join(missing)} among {', '.join(record)}",
            fix=f"Rename it, or say which it is: --map {missing[0]}=YOUR_COLUMN.",
        )
    return found


def _remember(questions: dict[str, dict[str, Any]], row: Row, *, keyed: bool) -> str:
    cell, line, path = row
    text = _text(cell.get("question")) or _text(cell.get("item"))
    if not text:
        raise InputError.of(
            expected=f"every row of {path} needs its question", got=f"none at line {line}", fix="Fill it."
        )
    item = _text(cell.get("item")) or hashlib.sha256(text.encode()).hexdigest()[:12]
    accepted = _accepted(cell.get("key"))
    if keyed and not accepted:
        raise InputError.of(
            expected=f"every row of {path} needs its key, once there is a key column",
            got=f"none at line {line} ({text[:60]})",
            fix="Fill it, or leave the column out to see what agreement alone can show.",
        )
    known = questions.setdefault(
        item,
        {
            "item": item,
            "text": text,
            "accepted": accepted,
            "lure": _text(cell.get("lure")),
            "stratum": _text(cell.get("stratum")),
            "form": _text(cell.get("form"))
            or ("number" if accepted and all(map(_is_number, accepted)) else None),
            "anchor": f"key of {path.name}" if accepted else None,
            "anchor_error": _number(row, "anchor_error"),
        },
    )
    if known["accepted"] != accepted or known["text"] != text:
        what = "key" if known["text"] == text else "question text"
        raise InputError.of(
            expected=f"one item of {path} must have one {what}",
            got=f"another for {item!r} at line {line}",
            fix="Give it another id, or mend the cell.",
        )
    return item


def _run(row: Row, question: Mapping[str, Any], seen: dict[tuple[str, ...], int]) -> dict[str, Any]:
    cell, line, path = row
    item = question["item"]
    system = _text(cell.get("model"))
    if not system:
        raise InputError.of(
            expected=f"every row of {path} needs its model", got=f"none at line {line}", fix="Fill it."
        )
    reply = clipped(_text(cell.get("answer")) or "")
    answer = classify(
        reply,
        question=question["text"],
        accepted=question["accepted"],
        lure=question["lure"],
        form=question["form"],
    )
    paraphrase = _text(cell.get("paraphrase"))
    temperature = _number(row, "temperature")
    place = (item, system, paraphrase or "", str(temperature))
    count = seen[place] = seen.get(place, -1) + 1
    seed = _number(row, "seed")
    return {
        "source": path.name,
        "level": Level.ANSWER.value,
        "item": item,
        "system": system,
        "paraphrase": paraphrase,
        "seed": float(count) if seed is None else seed,
        "temperature": temperature,
        "end": answer.end,
        "status": answer.status.value,
        "right": None if answer.right is None else float(answer.right),
        "confidence": _number(row, "confidence"),
        "text": reply,
    }


def _accepted(value: Any) -> tuple[str, ...]:
    if isinstance(value, list | tuple):
        return tuple(str(one) for one in value if str(one).strip())
    return tuple(part.strip() for part in (_text(value) or "").split(KEYS_BETWEEN) if part.strip())


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", ""))
    except ValueError:
        return False
    return True


def _text(value: Any) -> str | None:
    if value is None or (isinstance(value, float) and value != value):  # noqa: PLR0124 - NaN
        return None
    return str(value).strip() or None


def _number(row: Row, name: str) -> float | None:
    text = _text(row.cell.get(name))
    if text is None:
        return None
    try:
        return float(text)
    except ValueError as error:
        raise InputError.of(
            expected=f"{name} in {row.path} must be a number",
            got=f"{text[:40]!r} at line {row.line}",
            fix="Mend or empty it.",
        ) from error
