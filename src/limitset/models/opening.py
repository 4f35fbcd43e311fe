"""Which model does this text name, and how is it loaded?"""

from __future__ import annotations

import difflib
import hashlib
import importlib.util
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from limitset.core.errors import DependencyError, InputError
from limitset.core.provenance import sha256_of
from limitset.core.replies import LanguageModel
from limitset.models.endpoints import Endpoint, endpoint_of, is_endpoint
from limitset.models.http_model import HttpModel
from limitset.models.packaged import PACKAGED, Style, cache_folder, known, manifest_of, model_folder
from limitset.models.scripted import ScriptedModel

SCRIPTED: Final = "scripted:"
HUB_ID: Final = re.compile(r"[\w.-]+/[\w.-]+")
Precision = Literal["float32", "float16", "bfloat16"]

_DECIDING: Final = (
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "tokenizer.model",
    "chat_template.jinja",
    "special_tokens_map.json",
)


@dataclass(frozen=True, kw_only=True)
class ModelSource:
    """Where a model is and what it is, before it is loaded.

    Parameters
    ----------
    name
        What a reader calls it.
    identity
        Name, sha256 of the weight files, and a hash of configuration and tokenizer.
    style
        How it is asked.
    path
        Folder, or script file; the current folder for an endpoint.
    kind
        "packaged", "folder", "hub", "scripted" or "endpoint".
    licence
        Short name; empty where it is not known.
    attribution
        The line that must stand on a page made with it; empty where none is known.
    endpoint
        Who is asked; None for weights and scripts.
    """

    name: str
    identity: str
    style: Style
    path: Path
    kind: Literal["packaged", "folder", "hub", "scripted", "endpoint"]
    licence: str = ""
    attribution: str = ""
    endpoint: Endpoint | None = None


def resolve(spec: str) -> ModelSource:
    """Find a model without loading it.

    Parameters
    ----------
    spec
        A packaged name, a folder that transformers wrote, a hub id ``org/name``, ``scripted:FILE.json``, or
        an endpoint, ``openai:NAME@http://host:port/v1`` or ``FILE.toml:NAME``, which is not contacted.

    Returns
    -------
    ModelSource
        Quick for packaged models (their manifest holds the hashes); the weights of other folders are
        hashed once and remembered by size and time of change.

    Raises
    ------
    InputError
        When nothing has that name, or the folder is not a model.
    DependencyError
        When a packaged model has not been fetched, or the hub cannot be reached.

    Examples
    --------
    >>> resolve("smollm2")
    Traceback (most recent call last):
        ...
    limitset.core.errors.InputError: a model is smollm2-135m-instruct, gemma-3-270m, a folder, ...
    """
    if spec.startswith(SCRIPTED):
        path = Path(spec.removeprefix(SCRIPTED))
        script = ScriptedModel.read(path)
        return ModelSource(
            name=script.name, identity=script.identity, style=script.style, path=path, kind="scripted"
        )
    if is_endpoint(spec):
        one = endpoint_of(spec)
        return ModelSource(
            name=one.name,
            identity=one.identity,
            style=one.style,
            path=Path(),
            kind="endpoint",
            endpoint=one,
        )
    if spec in PACKAGED:
        return _packaged(spec)
    if Path(spec).expanduser().is_dir():
        return _folder(Path(spec).expanduser().resolve(), name=Path(spec).resolve().name, kind="folder")
    if spec.startswith((".", "/", "~")):
        raise InputError.of(
            expected=f"{spec} must be a folder with a model", got="no folder there", fix="Check the path."
        )
    if HUB_ID.fullmatch(spec):
        return _folder(_hub_folder(spec), name=spec, kind="hub")
    close = difflib.get_close_matches(spec.lower(), PACKAGED, n=1, cutoff=0.3)
    raise InputError.of(
        expected=f"a model is {', '.join(PACKAGED)}, a folder, a hub id org/name, "
        "openai:NAME@URL, or scripted:FILE.json",
        got=repr(spec),
        fix=f"Did you mean {close[0]}?" if close else "Check the path.",
    )


def open_model(spec: str, *, device: str = "auto", dtype: Precision = "float32") -> LanguageModel:
    """Load a model.

    Parameters
    ----------
    spec
        As in `resolve`.
    device
        "cpu", "cuda", "mps", or "auto" for the best there is.
    dtype
        Precision of the weights; float32 unless memory forbids: half precision moves logits by up to 0.5.

    Returns
    -------
    LanguageModel
        A `TorchModel`, a `ScriptedModel` for scripts, an `HttpModel` for endpoints.

    Raises
    ------
    InputError, DependencyError
        As `resolve`; also for weights that cannot be read and an unknown device.
    """
    source = resolve(spec)
    if source.kind == "scripted":
        return ScriptedModel.read(source.path)
    if source.endpoint is not None:
        return HttpModel(source.endpoint)
    for module in ("torch", "transformers"):
        if importlib.util.find_spec(module) is None:
            raise DependencyError.of(
                expected="language models need torch and transformers",
                got=f"no {module}",
                fix="Install limitset[models].",
            )
    from limitset.models.loading import load

    return load(source.path, name=source.name, identity=source.identity, device=device, dtype=dtype)


def _packaged(name: str) -> ModelSource:
    model, folder = known(name), model_folder(name)
    manifest = manifest_of(folder)
    if manifest is None:
        accept = " --accept-licence" if model.terms else ""
        raise DependencyError.of(
            expected=f"the model {name} must be fetched before it is used",
            got=f"nothing in {folder}",
            fix=f"Run `limitset models get {name}{accept}`.",
        )
    weights = [entry["sha256"] for entry in manifest["weights"].values()]
    for file, entry in manifest["weights"].items():
        path = folder / file
        size = path.stat().st_size if path.is_file() else 0
        if size != entry["bytes"]:
            raise InputError.of(
                expected=f"{path} must have {entry['bytes']} bytes",
                got=size,
                fix=f"Delete the folder {folder} and run `limitset models get {name}` again.",
            )
    return ModelSource(
        name=name,
        identity=_identity(name, weights, folder),
        style=model.style,
        path=folder,
        kind="packaged",
        licence=model.licence,
        attribution=model.attribution,
    )


def _folder(folder: Path, *, name: str, kind: Literal["folder", "hub"]) -> ModelSource:
    weights = sorted(folder.glob("*.safetensors")) or sorted(folder.glob("pytorch_model*.bin"))
    if not weights or not (folder / "config.json").is_file():
        raise InputError.of(
            expected=f"{folder} must hold config.json and weights (*.safetensors)",
            got="no weights" if (folder / "config.json").is_file() else "no config.json",
            fix="Give a folder written by save_pretrained.",
        )
    for path in weights:
        _require_whole(path)
    return ModelSource(
        name=name,
        identity=_identity(name, [_remembered_sha256(path) for path in weights], folder),
        style="chat" if _has_chat_template(folder) else "few_shot",
        path=folder,
        kind=kind,
    )


def _require_whole(weights: Path) -> None:
    """Refuse cut-off weights before a study folder is made for them."""
    if weights.suffix != ".safetensors":
        return
    import safetensors

    try:
        with safetensors.safe_open(weights, framework="numpy") as tensors:
            tensors.keys()
    except (safetensors.SafetensorError, OSError) as error:
        raise InputError.of(
            expected=f"{weights} must be a whole safetensors file", got=error, fix="Fetch or save it again."
        ) from error


def _hub_folder(spec: str) -> Path:
    if importlib.util.find_spec("huggingface_hub") is None:
        raise DependencyError.of(
            expected="models of the hub need huggingface_hub", got="none", fix="Install limitset[models]."
        )
    from limitset.models.hub import snapshot

    return snapshot(spec)


def _has_chat_template(folder: Path) -> bool:
    if (folder / "chat_template.jinja").is_file() or (folder / "chat_template.json").is_file():
        return True
    path = folder / "tokenizer_config.json"
    try:
        return path.is_file() and bool(json.loads(path.read_text("utf-8")).get("chat_template"))
    except ValueError as error:
        raise InputError.of(expected=f"{path} must be JSON", got=error, fix="Write it again.") from error


def _identity(name: str, weights: list[str], folder: Path) -> str:
    rest = hashlib.sha256()
    for file in _DECIDING:
        path = folder / file
        if path.is_file():
            rest.update(file.encode() + b"\0" + sha256_of(path).encode())
    joined = weights[0] if len(weights) == 1 else hashlib.sha256("".join(weights).encode()).hexdigest()
    return f"{name}@sha256:{joined}+{rest.hexdigest()[:12]}"


def _remembered_sha256(path: Path) -> str:
    about = path.resolve().stat()
    address = f"{path.resolve()}\0{about.st_size}\0{about.st_mtime_ns}"
    note = cache_folder() / "hashes" / hashlib.sha256(address.encode()).hexdigest()[:32]
    if note.is_file():
        remembered: Any = note.read_text("ascii").strip()
        if re.fullmatch(r"[0-9a-f]{64}", remembered):
            return str(remembered)
    digest = sha256_of(path)
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(digest + "\n", "ascii")
    return digest
