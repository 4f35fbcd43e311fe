"""How does a table of replies (question, model, answer, key) become Ends and Items?"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Float

from limitset.core.columns import (
    Coded,
    Column,
    by_first_row,
    constant,
    distinct_rows,
    first_rows,
    frozen,
    grouped,
)
from limitset.core.ends import Ends
from limitset.core.items import Items
from limitset.core.levels import Level
from limitset.core.undefined import UNMATCHED
from limitset.logs.columnar import ABSENT, ReplyTable, open_table, text_of, texts_of
from limitset.logs.evaluation_log import LONGEST_REPLY, clipped
from limitset.logs.reply_columns import ReplyColumns, recognised
from limitset.logs.verdicts import Judged, Question, judged_replies, judged_scores

KEYS_BETWEEN: Final = "|"
"""Several accepted answers in one cell stand apart by this."""

VERDICTS: Final = {"1": "1", "1.0": "1", "true": "1", "0": "0", "0.0": "0", "false": "0"}
"""What a cell of `right` may say, in any case."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Replies:
    """What a table of replies holds."""

    ends: Ends
    items: Items
    columns: Mapping[str, str]
    """Our column to the column of the table it was read from."""
    notes: tuple[str, ...]


def read_replies(path: Path, *, names: Mapping[str, str] | None = None) -> Replies:
    r"""Read a CSV, TSV, JSON lines or Parquet file of replies.

    Parameters
    ----------
    path
        One row a reply: `question` (or `item`), `model`, `answer`, and where there is one `key`; several
        accepted answers in a cell stand apart by ``|``. `right` (1, 0, true, false) is a verdict that the log
        holds already: it needs no key, and decides where there is one. `score` is a number that a judge
        gives; where there is no `answer` it is the answer, and keys are numbers. `seed`, `paraphrase`,
        `temperature`, `stratum`, `lure`, `confidence`, `logprob`, `form`, `cluster` (passage or document of
        the question), `twin` (item of which this one is a changed copy) and `anchor_error` (chance that the
        key is wrong) are used where present.
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
    return replies_of(open_table(path), names=names)


def replies_of(table: ReplyTable, *, names: Mapping[str, str] | None = None) -> Replies:
    """Judge the replies of a table; see `read_replies`.

    Each distinct cell is read once and each distinct pair of question and reply judged once; rows are codes.
    """
    read = ReplyColumns(table, recognised(table.columns, names or {}, table.name))
    reply, long = _replies(read)
    item, questions, rows = _questions(read)
    system = read.texts("model")
    read.mistake(system.codes < 0, 4, "every row of {} needs its model", lambda _: "none", "Fill it.")
    numbers = {name: read.numbers(name, rank) for rank, name in enumerate(NUMBERS, start=5)}
    anchor_error = read.numbers("anchor_error", 2)
    verdict = _verdicts(read)
    read.raise_first()
    judged = (
        judged_scores(item, numbers["score"], questions, verdict)
        if reply is None
        else judged_replies(item, reply, questions, verdict)
    )
    paraphrase = read.texts("paraphrase")
    places: list[Column] = [item, system, paraphrase, numbers["temperature"]]
    seed, again = _seeds(numbers["seed"], places, named="seed" in read.columns)
    ends = Ends.of(
        source=table.source,
        level=Level.ANSWER.value,
        item=item,
        system=system,
        paraphrase=paraphrase,
        seed=seed,
        end=judged.end,
        status=judged.status,
        right=judged.right,
        text=reply,
        **{name: numbers[name] for name in ("temperature", "confidence", "logprob", "score")},
    )
    items = _items(read, questions, rows, anchor_error[rows], judged=verdict is not None)
    return Replies(ends=ends, items=items, columns=read.columns, notes=(*again, *long, *_told(judged)))


NUMBERS: Final = ("temperature", "seed", "confidence", "score", "logprob")


def _replies(read: ReplyColumns) -> tuple[Coded | None, tuple[str, ...]]:
    """Return the text of each reply, "" where none was given; None where scores are the answers."""
    if "answer" not in read.columns:
        return None, ()
    cells = read.table.cells(read.columns["answer"])
    if ABSENT in cells.values:
        lacking = cells.codes == cells.values.index(ABSENT)
        read.mistake(
            lacking,
            -1,
            f"every record of {{}} needs {read.columns['answer']}",
            lambda _: "none",
            "Name the column alike everywhere; an empty answer counts as none given.",
        )
    given = texts_of(cells)
    kept: dict[str, int] = {}
    own = [kept.setdefault(clipped(text), len(kept)) for text in given.values]
    if (given.codes < 0).any():
        own.append(kept.setdefault("", len(kept)))
    codes = np.array(own or [0], dtype=np.int32)[given.codes]
    order, number = by_first_row(codes, count=len(kept))
    texts = tuple(kept)
    long = np.array([*(len(text) > LONGEST_REPLY for text in given.values), False])
    rows = int(long[given.codes].sum()) if long.any() else 0
    note = (f"{rows:,} × reply longer than {LONGEST_REPLY:,} characters: clipped there",) if rows else ()
    return Coded(frozen(number[codes]), tuple(texts[one] for one in order)), note


def _questions(read: ReplyColumns) -> tuple[Coded, list[Question], np.ndarray]:
    """Return the item of each row, each question as its first row tells it, and those rows."""
    asked, given = read.texts("question"), read.texts("item")
    neither = (asked.codes < 0) & (given.codes < 0)
    read.mistake(neither, 0, "every row of {} needs its question", lambda _: "none", "Fill it.")
    key, accepted = _accepted(read)
    first, pair = distinct_rows([asked, given])
    texts = [_at(asked, row) or _at(given, row) or "" for row in first.tolist()]
    names = [
        _at(given, row) or hashlib.sha256(text.encode()).hexdigest()[:12]
        for row, text in zip(first.tolist(), texts, strict=True)
    ]
    known: dict[str, int] = {}
    item = np.array([known.setdefault(name, len(known)) for name in names], dtype=np.int32)[pair]
    order, number = by_first_row(item, count=len(known))
    item, ids = frozen(number[item]), [list(known)[one] for one in order]
    rows = first_rows(item, count=len(ids))
    told: dict[str, int] = {}
    text = np.array([told.setdefault(one, len(told)) for one in texts], dtype=np.int32)
    # most tables name a question in one column only: then a question has one text by itself
    other = text[pair] != text[pair[rows]][item] if first.size > len(ids) else None
    if "key" in read.columns:
        read.mistake(
            key < 0,
            1,
            "every row of {} needs its key, once there is a key column",
            lambda row: f"none\n ({texts[pair[row]][:60]})",
            "Fill it, or leave the column out to see what agreement alone can show.",
        )
    changed = key != key[rows][item]
    if other is not None and other.any():
        what = int(np.flatnonzero(other | changed)[0])
        kind = "question text" if other[what] else "key"
        changed = changed | other
    else:
        kind = "key"
    read.mistake(
        changed,
        3,
        f"one item of {{}} must have one {kind}",
        lambda row: f"another for {(_at(given, row) or texts[pair[row]][:60])!r}",
        "Give it another id, or mend the cell.",
    )
    lure, form = read.texts("lure"), read.texts("form")
    questions = [
        Question(
            item=name,
            text=texts[pair[row]],
            accepted=accepted[key[row]] if key[row] >= 0 else (),
            lure=_at(lure, row),
            form=_at(form, row) or _form(accepted[key[row]] if key[row] >= 0 else ()),
        )
        for name, row in zip(ids, rows.tolist(), strict=True)
    ]
    return Coded(item, tuple(ids)), questions, rows


def _accepted(read: ReplyColumns) -> tuple[np.ndarray, list[tuple[str, ...]]]:
    """Return the accepted answers of each row as a code, -1 where there is none, and what codes mean."""
    if "key" not in read.columns:
        return constant(UNMATCHED, read.table.length, dtype=np.int32), []
    cells = read.table.cells(read.columns["key"])
    seen: dict[tuple[str, ...], int] = {}
    own = []
    for value in cells.values:
        keys = _keys(value)
        own.append(seen.setdefault(keys, len(seen)) if keys else UNMATCHED)
    return np.array([*own, UNMATCHED], dtype=np.int32)[cells.codes], list(seen)


def _keys(value: Any) -> tuple[str, ...]:
    if isinstance(value, list | tuple):
        return tuple(str(one) for one in value if str(one).strip())
    return tuple(part.strip() for part in (text_of(value) or "").split(KEYS_BETWEEN) if part.strip())


def _form(accepted: tuple[str, ...]) -> str | None:
    try:
        numbers = [float(one.replace(",", "")) for one in accepted]
    except ValueError:
        return None
    return "number" if numbers else None


def _verdicts(read: ReplyColumns) -> Coded | None:
    if "right" not in read.columns:
        return None
    told = texts_of(read.table.cells(read.columns["right"]))
    says = [VERDICTS.get(text.lower()) for text in told.values]
    odd = np.array([*(one is None for one in says), False])
    read.mistake(
        odd[told.codes],
        10,
        "right in {} must be 1, 0, true or false",
        lambda row: repr(str(_at(told, row))[:40]),
        "Mend or empty it, or map another column: --map right=YOUR_COLUMN.",
    )
    names = ("0", "1")
    number = np.array([*(-1 if one is None else names.index(one) for one in says), -1], dtype=np.int32)
    return Coded(frozen(number[told.codes]), names)


def _seeds(
    seed: Float[np.ndarray, " n"], places: list[Column], *, named: bool
) -> tuple[Float[np.ndarray, " n"], tuple[str, ...]]:
    """Give runs without a seed their number within their place, in the order of the rows."""
    lacking = np.isnan(seed)
    if not lacking.any():
        return seed, ()
    place = grouped(places)
    count = np.arange(seed.size)
    if place is not None:
        order = np.argsort(place, kind="stable")
        new = np.flatnonzero(np.diff(place[order], prepend=-1) != 0)
        count = np.empty(seed.size, dtype=np.int64)
        count[order] = np.arange(seed.size) - np.repeat(new, np.diff(new, append=seed.size))
    note = "runs had no seed column: repeated rows of one question count as separate runs"
    return np.where(lacking, count, seed), () if named or not count.any() else (note,)


def _items(
    read: ReplyColumns, questions: list[Question], rows: np.ndarray, anchor_error: np.ndarray, *, judged: bool
) -> Items:
    source = read.table.source
    anchors = [
        f"key of {source}" if one.accepted else f"verdicts of {source}" if judged else None
        for one in questions
    ]
    columns = {name: read.texts(name) for name in ("stratum", "cluster", "twin")}
    return Items.of(
        item=[one.item for one in questions],
        text=[one.text for one in questions],
        accepted=[one.accepted for one in questions],
        lure=[one.lure for one in questions],
        form=[one.form for one in questions],
        anchor=anchors,
        anchor_error=anchor_error,
        **{name: [_at(column, row) for row in rows.tolist()] for name, column in columns.items()},
    )


def _told(judged: Judged) -> tuple[str, ...]:
    if not judged.contradicted:
        return ()
    return (
        f"{judged.contradicted:,} × answer that the log calls wrong although it is called right elsewhere or "
        "reads like the key: kept apart as a class of its own",
    )


def _at(column: Coded, row: int) -> str | None:
    code = column.codes[row]
    return column.values[code] if code >= 0 else None
