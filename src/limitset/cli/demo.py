"""`limitset demo`: scores that cannot tell truth from falsehood, in one minute."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from limitset.cli.output import announce, command_line, print_json, today


def demo(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the page.")] = Path("demo"),
    seed: Annotated[int, typer.Option(help="Seed of every random draw.")] = 0,
    nets: Annotated[int, typer.Option(min=2, max=50, help="Nets of each kind.")] = 8,
    open_page: Annotated[bool, typer.Option("--open/--no-open", help="Open the page when done.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> int:
    """Train nets on true and on false answers: only an anchor tells them apart.

    Nothing is downloaded; it takes less than a minute on two cores and needs the extra "models" (torch).
    Ends with status 1 when the twins differ where they should not, 3 when more nets are needed.

    For example:

      limitset demo

      limitset demo --seed 7 --out twins --open
    """
    # before numpy is loaded: its products here are so small that threads wait longer than they work
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    _require_torch()
    from limitset.core.exits import ExitStatus
    from limitset.core.verdicts import Verdict
    from limitset.studies.demo import run_demo

    done = run_demo(out=out, seed=seed, nets=nets, date=today(), command=command_line(), progress=_say)
    if as_json:
        print_json(done.summary())
    else:
        announce(done.page, done.path, open_page=open_page)
    return {
        Verdict.HOLDS: ExitStatus.DONE,
        Verdict.FAILS: ExitStatus.FAIL,
        Verdict.CANT_TELL: ExitStatus.INCONCLUSIVE,
    }[done.verdict]


def _require_torch() -> None:
    from importlib.util import find_spec

    from limitset.core.errors import DependencyError

    if find_spec("torch") is None:
        raise DependencyError.of(
            expected="the demo trains small nets with torch",
            got="no torch",
            fix="Run: pip install 'limitset[models]'.",
        )


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
