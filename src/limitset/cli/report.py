"""`limitset report`: the page of a finished study, written anew."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    study: Annotated[Path, typer.Argument(help="Folder of a finished study.")],
    open_page: Annotated[bool, typer.Option("--open/--no-open", help="Open the page when done.")] = False,
    png: Annotated[
        Path | None, typer.Option("--png", help="Also write every figure as PNG and SVG into this folder.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Measure a finished study anew from its rows, and write its page.

    For example:

      limitset report first-look --open

      limitset report audit --png figures
    """
    from limitset.cli.output import announce, print_json
    from limitset.report.export import save_chart
    from limitset.store.disk import disk_errors
    from limitset.studies.reporting import rebuild

    done = rebuild(study)
    if png is not None:
        with disk_errors(png, doing="write the figures"):
            png.mkdir(parents=True, exist_ok=True)
            for figure in done.page.figures:
                for ending in ("png", "svg"):
                    save_chart(figure.chart, png / f"{figure.name}.{ending}")
    if as_json:
        print_json(done.summary())
        return
    announce(done.page, done.path, open_page=open_page)
