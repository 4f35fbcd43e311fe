"""`limitset audit`: what replies that somebody already has are worth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from limitset.cli.output import announce, command_line, print_json, today


def audit(
    replies: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="PATH...",
            help="Files of replies (CSV, TSV, JSONL, Parquet), or files and folders of logs of "
            "lm-evaluation-harness (--log_samples) and Inspect (.eval, .json).",
        ),
    ] = None,
    sample: Annotated[
        bool, typer.Option("--sample", help="Audit the sample panel that comes along: no log is needed.")
    ] = False,
    mapped: Annotated[
        list[str] | None, typer.Option("--map", help="OURS=YOURS, where a column is not recognised. Repeat.")
    ] = None,
    filter_name: Annotated[
        str | None,
        typer.Option("--filter", help="Filter or scorer to use, where a task was scored by several."),
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Study folder.")] = Path("audit"),
    seed: Annotated[int, typer.Option(min=0, help="Seed of the resampling.")] = 0,
    open_page: Annotated[bool, typer.Option("--open/--no-open", help="Open the page when done.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Judge replies that you already have: no model is needed.

    Without a key column the page shows what agreement can show, and says what it cannot.

    For example:

      limitset audit --sample

      limitset audit replies.csv

      limitset audit judged.parquet --map model=judge --map answer=verdict --json

      limitset audit lm_eval_output --filter strict-match

      limitset audit logs/one.eval logs/two.eval
    """
    from limitset.studies import panel_audit

    done = panel_audit.run_audit(
        _paths(replies or [], sample=sample),
        out,
        names=_pairs(mapped or []),
        filter_name=filter_name,
        seed=seed,
        date=today(),
        command=command_line(),
    )
    if as_json:
        print_json(done.summary())
        return
    announce(done.page, done.path, open_page=open_page)


def _paths(replies: list[Path], *, sample: bool) -> list[Path]:
    from limitset.core.errors import InputError
    from limitset.datasets.sample_panel import PANEL

    if sample == bool(replies):
        raise InputError.of(
            expected="audit takes the paths of replies or logs, or --sample alone",
            got="both" if sample else "neither",
            fix="For example: limitset audit --sample.",
        )
    return [PANEL] if sample else replies


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
