"""Which questions would be asked, and what counts as right?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def questions(
    file: Annotated[Path | None, typer.Option(help="Your own questions, JSONL or CSV.")] = None,
    stratum: Annotated[str | None, typer.Option(help="Only this stratum: lure, recall or computed.")] = None,
    count: Annotated[int | None, typer.Option(help="At most so many, evenly over the strata.", min=1)] = None,
    seed: Annotated[int, typer.Option(help="Decides which, with --count.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List questions with their keys, lures and anchors.

    For example:

      limitset questions --count 30                 what a study of 30 questions would ask
      limitset questions --stratum lure             questions with a popular wrong answer
      limitset questions --file mine.jsonl --json   your own, as they were understood
    """
    import json

    from limitset.core.errors import InputError
    from limitset.datasets.anchored import anchored
    from limitset.datasets.user_questions import read_questions

    asked = anchored() if file is None else read_questions(file)
    if stratum is not None:
        strata = sorted({one.stratum for one in asked.questions.values() if one.stratum})
        if stratum not in strata:
            raise InputError.of(
                expected=f"stratum must be {', '.join(strata) or 'left out: these questions have none'}",
                got=stratum,
                fix="Use one of them.",
            )
        asked = asked.only([item for item, one in asked.questions.items() if one.stratum == stratum])
    if count is not None:
        asked = asked.take(count, seed=seed)
    if as_json:
        for one in asked.questions.values():
            typer.echo(json.dumps(vars(one), ensure_ascii=False))
        return
    _show([list(map(_plain, _cells(one))) for one in asked.questions.values()])
    for sentence in asked.attributions():
        typer.echo(sentence)


def _cells(one: object) -> list[str]:
    row = vars(one)
    return [
        row["stratum"] or "",
        row["wordings"][0],
        " | ".join(row["accepted"]) or "no anchor",
        row["lure"] or "",
        row["anchor"] or "",
    ]


def _plain(text: str) -> str:
    """Return a text without control signs, which could move the cursor of a terminal."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def _show(rows: list[list[str]]) -> None:
    """Print a table of at most five columns."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("stratum", "question", "accepted", "lure", "anchor"):
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    Console().print(table)
    Console().print(f"{len(rows)} questions")
