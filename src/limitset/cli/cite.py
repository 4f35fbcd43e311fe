"""`limitset cite`: the works behind an instrument, as BibTeX."""

from __future__ import annotations

import sys
from typing import Annotated

import typer


def cite(
    instrument: Annotated[
        str | None, typer.Argument(help="Name of an instrument; left out, the names are listed.")
    ] = None,
) -> None:
    """Print the works that an instrument rests on.

    For example:

      limitset cite surviving_error

      limitset cite wrong_when_unanimous > refs.bib
    """
    from limitset.report.references import citations, instruments

    if instrument is None:
        sys.stdout.write("\n".join(instruments()) + "\n")
        return
    sys.stdout.write(citations(instrument) + "\n")
