"""How does a GGUF file become a folder that transformers loads in seconds?"""

from __future__ import annotations

import copy
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import pre_tokenizers
from transformers import AutoModelForCausalLM, AutoTokenizer

from limitset.models.quiet import quiet_transformers


def convert(gguf: Path, folder: Path, *, digits_apart: bool) -> None:
    """Write float32 weights, configuration and tokenizer of a GGUF file into a folder.

    Parameters
    ----------
    gguf
        The file.
    folder
        Where to write.
    digits_apart
        Put back the splitting of digits that the GGUF reader loses: without it runs of white space before a
        digit are cut otherwise than in training.

    Notes
    -----
    `save_pretrained` refuses a model that came from GGUF, so the tensors are written directly; the loaded
    logits are equal bit for bit.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with quiet_transformers():
        tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
        model = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
    if digits_apart:
        tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
        )
    tokenizer.save_pretrained(folder)
    config = copy.deepcopy(model.config)
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    config.dtype = torch.float32
    config.save_pretrained(folder)
    model.generation_config.save_pretrained(folder)
    state = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    if config.tie_word_embeddings:
        state.pop("lm_head.weight", None)  # the same memory as the embedding
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
