"""How does a finished command tell a person, or a machine, what it found?"""

from __future__ import annotations

import json
import os
import shlex
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from limitset.core.json_values import plain

if TYPE_CHECKING:
    from rich.console import Console

    from limitset.report.page import Page


def today() -> str:
    """Return today's date for a reader; below the command line dates are arguments."""
    return date.today().strftime("%-d %b %Y")


def command_line() -> str:
    """Return the command as it was typed, for the methods section of the page."""
    return shlex.join(["limitset", *sys.argv[1:]])


def console() -> Console:
    """Return where a person reads."""
    from rich.console import Console

    class Patient(Console):
        """Goes on when its reader has gone away (`limitset audit ... | head`): the status still tells."""

        def on_broken_pipe(self) -> None:
            # rich would exit with 1, which is the status of a failed gate
            self.quiet = True
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    return Patient(highlight=False)


def announce(page: Page, path: Path, *, open_page: bool) -> None:
    """Show the first screen in the terminal and say where the page is."""
    from limitset.report.terminal import show

    show(page, console())
    sys.stdout.write(f"\npage: {path}\n")
    if open_page:
        import webbrowser

        webbrowser.open(path.resolve().as_uri())


def print_json(value: Any) -> None:
    """Write JSON to standard output; NaN becomes null and infinity "inf": every reader can parse it."""
    sys.stdout.write(json.dumps(plain(value), ensure_ascii=False, indent=2) + "\n")
