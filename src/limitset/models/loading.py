"""How does a folder of weights become a model on a device?"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer

from limitset.core.errors import InputError
from limitset.models.quiet import quiet_transformers
from limitset.models.sampling import VERSION as SAMPLING
from limitset.models.torch_model import TorchModel


def load(folder: Path, *, name: str, identity: str, device: str, dtype: str) -> TorchModel:
    """Load weights and tokenizer of a folder, without touching the network.

    Raises
    ------
    InputError
        For weights or a tokenizer that cannot be read, or a device that is not there.
    """
    where = best_device() if device == "auto" else device
    try:
        with quiet_transformers():
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            model, report = AutoModelForCausalLM.from_pretrained(
                folder, dtype=getattr(torch, dtype), local_files_only=True, output_loading_info=True
            )
    except (
        SafetensorError,
        OSError,
        ValueError,
        KeyError,
        RuntimeError,
        EOFError,
        pickle.UnpicklingError,
    ) as error:
        raise InputError.of(
            expected=f"the files in {folder} must be a causal language model",
            got=str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__,
            fix="Fetch or save it again.",
        ) from error
    _check_whole(folder, report)
    runtime = f"torch {torch.__version__}, transformers {transformers.__version__}, sampling {SAMPLING}"
    return TorchModel(
        _placed(model, where), tokenizer, name=name, identity=f"{identity}; {runtime}; {dtype}; {where}"
    )


def best_device() -> str:
    """Return "cuda", "mps" or "cpu", whichever is there first."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _check_whole(folder: Path, report: dict[str, Any]) -> None:
    absent = sorted(report.get("missing_keys", ())) + sorted(map(str, report.get("mismatched_keys", ())))
    if absent:
        raise InputError.of(
            expected=f"the weights in {folder} must hold every tensor of the model",
            got=f"no usable {absent[0]}" + (f" and {len(absent) - 1} more" if len(absent) > 1 else ""),
            fix="Fetch or save it again.",
        )


def _placed(model: Any, device: str) -> Any:
    try:
        return model.to(device)
    except (RuntimeError, AssertionError) as error:
        raise InputError.of(
            expected="the device must be there and hold the model",
            got=f"{device}: {str(error).splitlines()[0]}",
            fix="Use device='cpu' or 'auto'.",
        ) from error
