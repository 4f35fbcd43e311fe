"""What do the given paths hold together: one file of replies, or logs of evaluations to be joined?"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeVar

from limitset.core.errors import InputError
from limitset.core.levels import Status
from limitset.logs.evaluation_log import EvaluationLog, OfferedLog, Question, Reply, content_hash
from limitset.logs.finding import Found, find_logs
from limitset.logs.inspect_judges import judges_of
from limitset.logs.inspect_log import offered_by_inspect, open_inspect
from limitset.logs.joining import join_logs
from limitset.logs.lm_eval import read_lm_eval
from limitset.logs.replies import Replies, read_replies

One = TypeVar("One")
ABOUT: Final = ("stratum", "lure", "form", "cluster", "twin", "anchor_error")
"""Columns of a question that a file of replies may fill and logs do not."""


def read_panel(
    paths: Sequence[Path],
    *,
    names: Mapping[str, str] | None = None,
    filter_name: str | None = None,
    judges: str | None = None,
) -> tuple[Replies, Found]:
    """Read a file of replies, or logs of evaluations, or both, into one panel.

    Parameters
    ----------
    paths
        Files and folders.
    names
        Our column to the name in a file of replies.
    filter_name
        Filter (lm-evaluation-harness) or scorer (Inspect) to use where a task has several.
    judges
        Take the scorers of Inspect logs as judges; this one holds the key, "none" where none does.

    Returns
    -------
    Replies, Found
        The panel with its notes, and the files it was read from.

    Raises
    ------
    InputError
        When a file is broken or the logs cannot be joined.
    """
    found = find_logs(paths)
    if judges is not None:
        _only_inspect(found)
    if len(found.tables) == 1 and not (found.lm_eval or found.inspect):
        if filter_name is not None:
            raise InputError.of(
                expected="--filter is for logs of evaluations",
                got=f"it with {found.tables[0].name}",
                fix="Leave it out.",
            )
        return read_replies(found.tables[0], names=names), found
    read: list[Sequence[EvaluationLog | OfferedLog]] = [read_lm_eval(path) for path in found.lm_eval]
    read += [
        offered_by_inspect(path) if judges is None else judges_of(open_inspect(path), key=judges)
        for path in found.inspect
    ]
    tables = [read_replies(path, names=names) for path in found.tables]
    for path, table in zip(found.tables, tables, strict=True):
        read += [[log] for log in _logs(path, table)]
    panel = join_logs(read, wanted=filter_name)
    columns = {ours: theirs for table in tables for ours, theirs in table.columns.items()}
    return Replies(ends=panel.ends, items=panel.items, columns=columns, notes=panel.notes), found


def _only_inspect(found: Found) -> None:
    if found.lm_eval or found.tables or not found.inspect:
        raise InputError.of(
            expected="--judges is for logs of Inspect alone",
            got=(found.lm_eval or found.tables or found.files or ("no log",))[0],
            fix="Leave it out; a file of replies names its judges in a column.",
        )


def _logs(path: Path, table: Replies) -> list[EvaluationLog]:
    """Return one log for each model of a file of replies."""
    questions = {
        row["item"]: Question(
            identity=content_hash([row["item"], row["text"], row["accepted"]]),
            text=row["text"],
            accepted=tuple(row["accepted"] or ()),
            about={name: row[name] for name in ABOUT if _told(row[name])},
        )
        for row in table.items.rows()
    }
    replies: dict[str, list[Reply]] = {}
    for row in table.ends.rows():
        replies.setdefault(row["system"], []).append(
            Reply(
                identity=questions[row["item"]].identity,
                text=row["text"] or "",
                end=row["end"],
                status=Status(row["status"]),
                right=_or_none(row["right"], bool),
                score=_or_none(row["score"], float),
                logprob=_or_none(row["logprob"], float),
                confidence=_or_none(row["confidence"], float),
                temperature=_or_none(row["temperature"], float),
                paraphrase=row["paraphrase"],
            )
        )
    return [
        EvaluationLog(
            path=path,
            tool="replies",
            model=model,
            task=path.stem,
            questions={questions[item].identity: questions[item] for item in questions},
            replies=found,
            notes=table.notes,
            marks=True,
        )
        for model, found in replies.items()
    ]


def _told(value: object) -> bool:
    return value is not None and not (isinstance(value, float) and math.isnan(value))


def _or_none(value: float, read: Callable[[float], One]) -> One | None:
    return None if math.isnan(value) else read(value)
