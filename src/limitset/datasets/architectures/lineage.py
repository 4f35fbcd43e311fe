"""From which models does a model inherit its code?

Two records exist: classes of a *modular* file (from which the published file is generated) that are based on
classes of another model, and comments that say from where a class was copied.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Mapping
from typing import Final

_COPIED: Final = re.compile(
    r"# Copied from transformers\.(?:models\.(?:deprecated\.)?(\w+)\.)?modeling_(?!tf_|flax_)(\w+?)\.\w+"
)
_WEIGHTY: Final = re.compile(r"(Attention|DecoderLayer|Block|Model|ForCausalLM)$")


def parents(modular: str, *, own: str) -> list[str]:
    """Return the models whose classes a modular file extends, the one that gives most classes first.

    Ties go to the model that gives attention, layer, model or head.

    Examples
    --------
    >>> parents('''
    ... from ..llama.modeling_llama import LlamaMLP, LlamaModel
    ... from ..gemma.modeling_gemma import GemmaRMSNorm
    ... class A(LlamaMLP): pass
    ... class B(GemmaRMSNorm): pass
    ... class C(LlamaModel): pass
    ... ''', own="new")
    ['llama', 'gemma']
    """
    tree = ast.parse(modular)
    origin: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level == 2 and node.module:
            folder = node.module.removeprefix("deprecated.").split(".")[0]
            origin |= {alias.asname or alias.name: folder for alias in node.names}
    given: Counter[str] = Counter()
    weighty: Counter[str] = Counter()
    for node in tree.body:
        for base in node.bases if isinstance(node, ast.ClassDef) else ():
            folder = origin.get(base.id, own) if isinstance(base, ast.Name) else own
            if folder not in {own, "auto"}:
                given[folder] += 1
                weighty[folder] += bool(_WEIGHTY.search(base.id if isinstance(base, ast.Name) else ""))
    return sorted(given, key=lambda folder: (-given[folder], -weighty[folder], folder))


def copied_from(modeling: str, *, own: str) -> list[str]:
    """Return the models that comments name as sources of copies, most copies first.

    Examples
    --------
    >>> copied_from("# Copied from transformers.models.llama.modeling_llama.LlamaMLP", own="phi")
    ['llama']
    """
    named = Counter(folder or stem for folder, stem in _COPIED.findall(modeling))
    named.pop(own, None)
    return [name for name, _ in named.most_common()]


def roots(first_parent: Mapping[str, str]) -> dict[str, str]:
    """Return the model at which each line of first parents ends; a model without a parent is its own root.

    A circle of parents ends at the first of its names in the alphabet.

    Examples
    --------
    >>> roots({"mistral": "llama", "llama": "", "mixtral": "mistral"})
    {'mistral': 'llama', 'llama': 'llama', 'mixtral': 'llama'}
    """
    return {name: _end(name, first_parent) for name in first_parent}


def ancestors(name: str, given: Mapping[str, list[str]]) -> set[str]:
    """Return every model that code of this one comes from, over all parents and their parents."""
    found: set[str] = set()
    waiting = list(given.get(name, ()))
    while waiting:
        one = waiting.pop()
        if one not in found and one != name:
            found.add(one)
            waiting += given.get(one, ())
    return found


def _end(name: str, first_parent: Mapping[str, str]) -> str:
    walked = [name]
    while parent := first_parent.get(walked[-1], ""):
        if parent in walked:
            return min(walked[walked.index(parent) :])
        walked.append(parent)
    return walked[-1]
