"""`limitset audit`: what replies that somebody already has are worth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from limitset.cli.output import announce, command_line, console, print_json, today


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
        list[str] | None,
        typer.Option(
            "--map",
            help="OURS=YOURS, where a column is not recognised; score=YOURS where judges grade. Repeat.",
        ),
    ] = None,
    filter_name: Annotated[
        str | None,
        typer.Option("--filter", help="Filter or scorer to use, where a task was scored by several."),
    ] = None,
    label_plan: Annotated[
        Path | None,
        typer.Option(help="Write the questions to label to this CSV file, where the replies have no key."),
    ] = None,
    labels: Annotated[
        Path | None, typer.Option(help="That file, filled in whole or in part; a TOML stands beside it.")
    ] = None,
    label_width: Annotated[
        float, typer.Option(help="Wanted half of the interval of wrong-when-agreed, as a share.")
    ] = 0.05,
    label_threshold: Annotated[
        float, typer.Option(help="Share of runs from which an answer counts as agreed, for --label-plan.")
    ] = 0.8,
    label_shows: Annotated[
        str, typer.Option(help="blind: answers shuffled; counts: the commonest first, with counts.")
    ] = "blind",
    judges: Annotated[
        str | None,
        typer.Option(
            "--judges",
            help="Take the scorers of Inspect logs as judges of the answers; the one named here holds the "
            "key (none: no key).",
        ),
    ] = None,
    gate: Annotated[
        list[str] | None,
        typer.Option("--gate", help="A bar that a number must reach, such as 'n_eff >= 3'. Repeat."),
    ] = None,
    gates: Annotated[Path | None, typer.Option("--gates", help="TOML file of gates.")] = None,
    baseline: Annotated[
        Path | None,
        typer.Option("--baseline", help="Folder of an earlier audit: what changed, and gates on it."),
    ] = None,
    junit: Annotated[
        Path | None, typer.Option("--junit", help="Write the gates to this file as JUnit XML.")
    ] = None,
    markdown: Annotated[
        Path | None,
        typer.Option("--markdown", help="Write a summary for a pull request to this file."),
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Study folder.")] = Path("audit"),
    seed: Annotated[int, typer.Option(min=0, help="Seed of the resampling.")] = 0,
    open_page: Annotated[bool, typer.Option("--open/--no-open", help="Open the page when done.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> int:
    """Judge replies that you already have: no model is needed.

    Without a key column the page shows what agreement can show, and says what it cannot: --label-plan writes
    the questions to label, --labels reads them back.

    For example:

      limitset audit --sample

      limitset audit replies.csv

      limitset audit judged.parquet --map model=judge --map answer=verdict --json

      limitset audit graded.csv --map score=answer

      limitset audit lm_eval_output --filter strict-match

      limitset audit logs/one.eval logs/two.eval

      limitset audit logs --judges human

      limitset audit replies.csv --label-plan plan.csv

      limitset audit replies.csv --labels plan.csv

      limitset audit replies.csv --gate 'n_eff >= 3' --gate 'accuracy(a) - accuracy(b) >= 0'

      limitset audit today.csv -o today --baseline yesterday --gates gates.toml --junit gates.xml

    With gates the exit status is 0 when all pass, 1 when one fails, else 3 when one cannot be told.
    """
    from limitset.studies import gating, panel_audit

    wanted = gating.gates_of(gate or [], gates, baseline=baseline is not None)
    earlier = gating.baseline_of(baseline, out)
    done = panel_audit.run_audit(
        _paths(replies or [], sample=sample),
        out,
        names=_pairs(mapped or []),
        filter_name=filter_name,
        judges=judges,
        labels=labels,
        say=lambda plan: typer.echo(plan, err=True),
        checked=lambda ends, items: gating.require_names(wanted, ends, items, baseline=earlier),
        seed=seed,
        date=today(),
        command=command_line(),
    )
    decided = gating.decide(done, wanted, baseline=earlier)
    gating.write_outputs(decided, {"junit": junit, "markdown": markdown})
    written = None
    if label_plan is not None:
        from limitset.studies.labelling import plan_of_study

        written = plan_of_study(
            done.folder,
            label_plan,
            labels=labels,
            threshold=label_threshold,
            half_width=label_width,
            shows=label_shows,
            seed=seed,
        )
    if as_json:
        print_json(decided.summary() | ({"label plan": written.summary()} if written else {}))
        return decided.status
    announce(decided.finished.page, done.path, open_page=open_page)
    if written:
        typer.echo(f"labels: {written.told}")
    gating.show(decided, console())
    return decided.status


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
