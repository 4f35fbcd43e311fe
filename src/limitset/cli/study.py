"""What is in this study, and is this study file right?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(
    no_args_is_help=True,
    help=(
        "Look at a study folder, or check a study file before it runs.\n\n"
        "Example: limitset study show first-look"
    ),
)

_Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]


@app.command()
def show(
    path: Annotated[Path, typer.Argument(help="A study folder.")],
    as_json: _Json = False,
) -> None:
    """Say what a study is, how far it is, and what failed.

    For example:

      limitset study show first-look
    """
    from limitset.store.study_folder import StudyFolder

    with StudyFolder.open(path) as folder:
        record = _record(folder)
    if as_json:
        typer.echo(json.dumps(record, indent=2, ensure_ascii=False))
        return
    for line in _lines(record):
        typer.echo(line)


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="A study file (TOML).")],
    as_json: _Json = False,
) -> None:
    """Read a study file and say what it means, without running anything.

    For example:

      limitset study check first-look.toml
    """
    from limitset.studies.spec import read_study

    study = read_study(file)
    if as_json:
        typer.echo(study.model_dump_json(indent=2))
        return
    typer.echo(f"{file} is a {study.kind} study. With every default filled in:")
    for key, value in study.model_dump(mode="json").items():
        typer.echo(f"  {key} = {json.dumps(value, ensure_ascii=False)}")


def _record(folder: Any) -> dict[str, Any]:
    progress = folder.progress()
    return {
        "path": str(folder.path),
        "state": _state(progress),
        "tasks": {
            "total": progress.total,
            "done": progress.done,
            "running": progress.running,
            "failed": progress.failed,
        },
        "kinds": {kind: {"done": one.done, "left": one.left} for kind, one in progress.kinds.items()},
        "rows": folder.tables(),
        "report": str(folder.report_path) if folder.report_path.exists() else None,
        "failures": [
            {"hash": one.hash, "kind": one.kind, "tries": one.tries, "error": one.error}
            for one in folder.failures()
        ],
        "packages": folder.packages(),
        "lock": dict(folder.lock),
    }


def _state(progress: Any) -> str:
    if progress.left:
        return "running" if progress.running else "unfinished"
    return "done, some tasks failed" if progress.failed else "done"


def _lines(record: dict[str, Any]) -> list[str]:
    from limitset.cli.query import printable

    tasks, rows = record["tasks"], record["rows"]
    lines = [
        f"{record['path']}: {record['state']}",
        f"tasks   {tasks['done']} of {tasks['total']} done, {tasks['running']} running,"
        f" {tasks['failed']} failed",
        *(f"  {kind}: {one['done']} done, {one['left']} left" for kind, one in record["kinds"].items()),
        "rows    " + (", ".join(f"{table} {count}" for table, count in rows.items()) or "none yet"),
        f"page    {record['report'] or 'none yet'}",
        f"spec    {record['lock']['spec_hash'][:16]}",
        *(f"  {key} = {_short(value)}" for key, value in record["lock"].get("spec", {}).items()),
    ]
    if len(record["packages"]) > 1:
        lines.append(f"note    {len(record['packages'])} sets of package versions worked on it (see --json)")
    lines += [f"failed  {one['kind']} {one['hash'][:8]}: {one['error']}" for one in record["failures"]]
    return [printable(line) for line in lines]


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 100 else text[:97] + "..."
