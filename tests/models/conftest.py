"""Tiny random models, made on the spot; and the packaged ones for tests marked `model`."""

from __future__ import annotations

import os
import string

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")

SMOLLM2 = "smollm2-135m-instruct"
GEMMA = "gemma-3-270m"
WORDS = ["<s>", "</s>", "<pad>", *string.ascii_lowercase, " ", ".", "\n", *"0123456789", "é", "東"]


def tiny_tokenizer():
    """One token a character."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    vocabulary = {word: index for index, word in enumerate(WORDS)}
    backend = Tokenizer(models.WordLevel(vocabulary, unk_token="."))
    backend.pre_tokenizer = pre_tokenizers.Split(Regex("[\\s\\S]"), "isolated")
    backend.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token="<s>", eos_token="</s>", pad_token="<pad>"
    )


def tiny_llama():
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(1)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(WORDS),
            hidden_size=32,
            intermediate_size=48,
            num_hidden_layers=3,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=256,
            bos_token_id=0,
            eos_token_id=1,
            pad_token_id=2,
            initializer_range=0.4,
        )
    ).eval()


def tiny_gemma(window: int = 8):
    import torch
    from transformers import Gemma3ForCausalLM, Gemma3TextConfig

    torch.manual_seed(2)
    return Gemma3ForCausalLM(
        Gemma3TextConfig(
            vocab_size=len(WORDS),
            hidden_size=32,
            intermediate_size=48,
            num_hidden_layers=4,
            num_attention_heads=2,
            num_key_value_heads=1,
            head_dim=16,
            sliding_window=window,
            layer_types=["sliding_attention", "full_attention"] * 2,
            max_position_embeddings=256,
            bos_token_id=0,
            eos_token_id=1,
            pad_token_id=2,
            initializer_range=0.4,
        )
    ).eval()


@pytest.fixture(scope="session")
def llama():
    return tiny_llama()


@pytest.fixture(scope="session")
def gemma():
    return tiny_gemma()


@pytest.fixture(scope="session")
def letters():
    return tiny_tokenizer()


@pytest.fixture(scope="session")
def torch_llama(llama, letters):
    from limitset.models.torch_model import TorchModel

    return TorchModel(llama, letters, name="tiny-llama", identity="tiny-llama@test")


@pytest.fixture(scope="session")
def torch_gemma(gemma, letters):
    from limitset.models.torch_model import TorchModel

    return TorchModel(gemma, letters, name="tiny-gemma", identity="tiny-gemma@test")


@pytest.fixture
def tiny_folder(tmp_path, llama, letters, monkeypatch):
    """A transformers folder, with an empty cache of limitset beside it."""
    monkeypatch.setenv("LIMITSET_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "tiny"
    llama.save_pretrained(folder)
    letters.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def packaged_model():
    """Open a packaged model from the user's cache, fetching it once."""
    from limitset.models.getting import get
    from limitset.models.opening import open_model

    opened = {}

    def opener(name: str):
        if name not in opened:
            get(name, accept_licence=True)
            opened[name] = open_model(name, device="cpu")
        return opened[name]

    return opener
