"""Which classes of a release are causal language models, and which of them are pure text decoders?"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from limitset.datasets.architectures.wheels import Wheel

CAUSAL: Final = "CAUSAL_LM"
_ENCODERS: Final = ("MASKED_LM",)
_WITH_ENCODER: Final = ("SEQ_TO_SEQ_CAUSAL_LM", "SPEECH_SEQ_2_SEQ")
_MAPPING: Final = re.compile(r"^MODEL_FOR_(\w+?)_MAPPING(?:_NAMES)?$")
_CODE: Final = re.compile(
    r"^transformers/(?:models/(?:deprecated/)?(?P<folder>[^/]+)/)?modeling_(?!tf_|flax_)(?P<stem>\w+)\.py$"
)
_SENSES: Final = re.compile(
    r"\b(vision_config|audio_config|image_token\w*|audio_token_id|speech_config|vq_config|image_size)\b"
)
BY_HAND: Final[Mapping[str, str]] = MappingProxyType(
    {
        # registered for masked language modelling as well, yet published as decoders
        "reformer": "text",
        # one class serves masked, translation and causal training; it is published as an encoder
        "xlm": "encoder",
        # halves of encoder-decoder models, registered without them
        "bert_generation": "encoder-decoder",
        "trocr": "encoder-decoder",
        "speech_to_text_2": "encoder-decoder",
        "musicgen": "encoder-decoder",
        "musicgen_melody": "encoder-decoder",
        # speaks audio through a codec, without an audio configuration
        "moshi": "multimodal",
        # its configuration speaks of images, its model does not
        "ministral3": "text",
        # proposes tokens for another model to check: no language model of its own
        "gemma4_assistant": "assistant",
        "gemma4_unified_assistant": "assistant",
    }
)
"""Folders whose kind the rules of `kind_of` get wrong, after reading them."""


@dataclass(frozen=True, kw_only=True)
class Head:
    """A class with a causal language modelling head, and where it is defined.

    Parameters
    ----------
    name
        Class, such as ``LlamaForCausalLM``.
    folder
        Folder of the model, such as ``llama``; in flat releases the end of the file name.
    path
        File that defines it.
    """

    name: str
    folder: str
    path: str


def mappings(wheel: Wheel) -> dict[str, dict[str, str]]:
    """Return task to (model type to class) from the tables of the automatic classes."""
    path = next(
        (name for name in wheel.names if name.endswith("/modeling_auto.py") and "_tf_" not in name), ""
    )
    found: dict[str, dict[str, str]] = {}
    for node in ast.parse(wheel.text(path)).body if path else ():
        target = _target(node)
        named = _MAPPING.match(target)
        if named and isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            table = dict(_pairs(node.value))
            if table:
                found[named[1]] = table
    return found


def heads(wheel: Wheel, names: set[str]) -> list[Head]:
    """Return where classes of these names are defined."""
    found = []
    for path in wheel.names:
        place = _CODE.match(path)
        if place is None:
            continue
        defined = set(re.findall(r"^class (\w+)\(", wheel.text(path), re.M)) & names
        folder = place["folder"] or place["stem"]
        found += [Head(name=name, folder=folder, path=path) for name in sorted(defined)]
    return found


def kind_of(head: Head, wheel: Wheel, tables: Mapping[str, Mapping[str, str]]) -> str:
    """Return text, encoder, encoder-decoder, multimodal or assistant.

    A model type that is also registered for masked language modelling is an encoder, one registered for
    sequence to sequence has an encoder, and a folder that processes images or sound is multimodal.
    """
    if head.folder in BY_HAND:
        return BY_HAND[head.folder]
    types = {kind for kind, name in tables.get(CAUSAL, {}).items() if name == head.name}
    if any(types & set(tables.get(task, {})) for task in _WITH_ENCODER):
        return "encoder-decoder"
    if any(types & set(tables.get(task, {})) for task in _ENCODERS):
        return "encoder"
    folder = head.path.rsplit("/", 1)[0] + "/"
    files = [name[len(folder) :] for name in wheel.names if name.startswith(folder)]
    if any(name.startswith(("image_processing", "video_processing", "feature_extraction")) for name in files):
        return "multimodal"
    settings = [folder + name for name in files if name.startswith("configuration_")]
    return "multimodal" if any(_SENSES.search(wheel.text(name)) for name in settings) else "text"


def _target(node: ast.stmt) -> str:
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return node.target.id
    return ""


def _pairs(value: ast.expr) -> Iterator[tuple[str, str]]:
    """Yield key and class of ``OrderedDict([("llama", "LlamaForCausalLM"), ...])`` in its older forms too."""
    for node in ast.walk(value):
        if isinstance(node, ast.Tuple) and len(node.elts) == 2:
            key, name = (_word(one) for one in node.elts)
            if key and name:
                yield key, name
        elif isinstance(node, ast.Dict):
            yield from _entries(node.keys, node.values)


def _entries(keys: Sequence[ast.expr | None], values: Sequence[ast.expr]) -> Iterator[tuple[str, str]]:
    for one, other in zip(keys, values, strict=True):
        key, name = _word(one), _word(other)
        if key and name:
            yield key, name


def _word(node: ast.expr | None) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return node.id if isinstance(node, ast.Name) else ""
