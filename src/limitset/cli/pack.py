"""How is a study made into one file to send?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def pack(
    study: Annotated[Path, typer.Argument(help="A study folder.")],
    out: Annotated[Path | None, typer.Argument(help="The zip file to make; STUDY.zip when left out.")] = None,
    without_text: Annotated[
        bool, typer.Option("--without-text", help="Leave questions and replies in full behind.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the manifest as JSON on stdout.")] = False,
) -> None:
    """Pack a study into one zip file with the sha256 of everything in it.

    Packing twice gives the same bytes. Classified ends and accepted answers always go along.

    For example:

      limitset pack first-look

      limitset pack first-look share.zip --without-text
    """
    from limitset.store.sharing import pack as packed_into

    target = out or study.with_name(f"{study.resolve().name}.zip")
    packed = packed_into(study, target, with_text=not without_text)
    if as_json:
        files = [{"name": file.name, "sha256": file.sha256, "size": file.size} for file in packed]
        typer.echo(json.dumps({"zip": str(target), "files": files}, indent=2, ensure_ascii=False))
        return
    size = sum(file.size for file in packed)
    typer.echo(
        f"{target}: {len(packed)} files, {size / 1e6:.1f} MB" + (", without text" if without_text else "")
    )
