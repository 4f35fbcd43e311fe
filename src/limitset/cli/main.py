"""Which command was meant, and how does it end?

Own modules are imported inside commands, so that `limitset --help` loads nothing heavy.
"""

from __future__ import annotations

import os
import sys
import traceback
from typing import Annotated

import typer

from limitset import __version__
from limitset.cli import (
    ask,
    audit,
    cite,
    claims,
    demo,
    doctor,
    library,
    models,
    pack,
    query,
    questions,
    report,
    study,
    trace,
)
from limitset.cli import (
    run as run_command,
)
from limitset.core.errors import LimitsetError
from limitset.core.exits import ExitStatus

INTERRUPTED = 130
"""What a shell expects of a command that was stopped by Ctrl-C."""

app = typer.Typer(
    name="limitset",
    help="Where language models end up when you run them again and again, and how often that place is wrong.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
)
app.command("run")(run_command.run)
app.command("demo")(demo.demo)
app.command("audit")(audit.audit)
app.command("trace")(trace.trace)
app.command("ask")(ask.ask)
app.add_typer(claims.app, name="claims")
app.add_typer(library.app, name="library")
app.command("report")(report.report)
app.command("query")(query.query)
app.command("pack")(pack.pack)
app.add_typer(models.app, name="models")
app.command("questions")(questions.questions)
app.add_typer(study.app, name="study")
app.command("doctor")(doctor.doctor)
app.command("cite")(cite.cite)


def _print_version(wanted: bool | None) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool | None,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version."),
    ] = None,
) -> None:
    """Where language models end up when you run them again and again, and how often that place is wrong.

    Three questions, always apart: settled? same? right?
    """


def run() -> None:
    """Run a command and exit with its status."""
    # threads that wait by spinning slow a shared machine down many times over; set before torch is loaded
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    sys.exit(status_of(sys.argv[1:]))


def status_of(arguments: list[str]) -> int:
    """Run a command and return its exit status.

    Errors that limitset raises on purpose become one line and status 2; anything else keeps its traceback
    and gives 70.
    """
    try:
        status = app(arguments, standalone_mode=False)
    except LimitsetError as error:
        return _complain(str(error), ExitStatus.BAD_INPUT)
    except typer.exceptions.TyperException as error:
        return _complain(f"{error.format_message()} See: limitset --help.", ExitStatus.BAD_INPUT)
    except (KeyboardInterrupt, typer.Abort):
        return _complain(
            "stopped; what is finished is kept, the same command goes on from there", INTERRUPTED
        )
    except BrokenPipeError:  # the reader of our output went away: `limitset query ... | head`
        sys.stderr.close()
        return ExitStatus.DONE
    except Exception:  # noqa: BLE001 - the last resort: keep the traceback, say whose fault it is
        traceback.print_exc()
        return _complain(
            "this is a fault of limitset, not of your input; please report it", ExitStatus.INTERNAL
        )
    if status == INTERRUPTED:  # typer itself turns Ctrl-C into this number, without a word
        _complain("stopped; what is finished is kept, the same command goes on from there", INTERRUPTED)
    return int(status or ExitStatus.DONE)


def _complain(message: str, status: int) -> int:
    sys.stderr.write("".join(f"limitset: {line}\n" for line in message.splitlines()))
    return status
