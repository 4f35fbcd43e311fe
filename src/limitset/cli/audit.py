"""`limitset audit`: what a file of replies is worth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from limitset.cli.output import announce, command_line, print_json, today


def audit(
    replies: Annotated[
        Path, typer.Argument(help="CSV, TSV, JSONL or Parquet: question, model, answer and key.")
    ],
    mapped: Annotated[
        list[str] | None, typer.Option("--map", help="OURS=YOURS, where a column is not recognised. Repeat.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Study folder.")] = Path("audit"),
    seed: Annotated[int, typer.Option(min=0, help="Seed of the resampling.")] = 0,
    open_page: Annotated[bool, typer.Option("--open/--no-open", help="Open the page when done.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Judge replies that you already have: no model is needed.

    Without a key column the page shows what agreement can show, and says what it cannot.

    For example:

      limitset audit replies.csv

      limitset audit judged.parquet --map model=judge --map answer=verdict --json
    """
    from limitset.studies import panel_audit

    done = panel_audit.run_audit(
        replies, out, names=_pairs(mapped or []), seed=seed, date=today(), command=command_line()
    )
    if as_json:
        print_json(done.summary())
        return
    announce(done.page, done.path, open_page=open_page)


def _pairs(mapped: list[str]) -> dict[str, str]:
    from limitset.core.errors import InputError

    pairs = {}
    for one in mapped:
        ours, equals, theirs = one.partition("=")
        if not (ours and equals and theirs):
            raise InputError.of(
                expected="--map takes OURS=YOURS", got=one, fix="For example: --map answer=verdict."
            )
        pairs[ours] = theirs
    return pairs
