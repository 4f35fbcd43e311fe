"""How are many continuations of many prompts computed with every distinct prefix computed once?

The tokens of a chunk form a tree: prompts that begin alike share nodes, draws that agree so far share nodes.
The nodes are laid in one sequence of batch 1, each seeing its own ancestors only, so there is no padding and
no copy of a key or value.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import torch
from transformers import DynamicCache

ROOT: Final = -1
"""Parent of the first token of a prompt."""

PIECE: Final = 1024
"""Nodes computed at once while prompts are read: bounds the mask at this many rows."""

COMPACT_ABOVE: Final = 512
"""Dead nodes are swept out when they are the majority of at least so many."""


class TokenTree:
    """Tokens, who descends from whom, and the keys and values of every node.

    Parameters
    ----------
    model
        A causal language model of transformers that takes a four-dimensional attention mask.

    References
    ----------
    Attention over a tree of tokens by a mask of ancestors: Miao et al. (2024), SpecInfer, arXiv:2305.09781,
    doi:10.1145/3620666.3651335.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        # without a configuration every layer keeps all of its keys; windows are in the masks below
        self._cache = DynamicCache()
        self._tokens: list[int] = []
        self._positions = np.zeros(0, dtype=np.int64)
        self._sees = np.zeros((0, 0), dtype=bool)
        self._children: dict[tuple[int, int], int] = {}
        self._computed = 0

    def __len__(self) -> int:
        return len(self._tokens)

    def add_path(self, tokens: Sequence[int]) -> int:
        """Add a prompt and return its last node; the part shared with earlier prompts is not added again."""
        node = ROOT
        for token in tokens:
            child = self._children.get((node, token))
            node = self._added(node, token) if child is None else child
        return node

    def add_children(self, parents: Sequence[int], tokens: Sequence[int]) -> list[int]:
        """Add one node a pair and return the nodes."""
        return [self._added(parent, token) for parent, token in zip(parents, tokens, strict=True)]

    @torch.inference_mode()
    def logits(self, nodes: Sequence[int]) -> torch.Tensor:
        """Compute all nodes not yet computed and return the next-token logits (n, vocabulary) of some.

        Every asked node must be among those not yet computed.
        """
        order = {node: row for row, node in enumerate(nodes)}
        out: torch.Tensor | None = None
        while self._computed < len(self._tokens):
            start, stop = self._computed, min(self._computed + PIECE, len(self._tokens))
            wanted = [node for node in range(start, stop) if node in order]
            part = self._forward(start, stop, [node - start for node in wanted])
            if wanted == list(nodes):
                out = part.float()  # the usual case, without a copy of a row of 262,144 numbers each
            elif wanted:
                if out is None:
                    out = part.new_empty((len(nodes), part.shape[-1]), dtype=torch.float32)
                out[[order[node] for node in wanted]] = part.float()
            self._computed = stop
        if out is None:
            raise ValueError("no node to compute")
        return out

    def compact(self, frontier: Sequence[int]) -> list[int]:
        """Forget nodes from which no frontier node descends, when they are many; return the new frontier."""
        total = len(self._tokens)
        kept = np.flatnonzero(self._sees[list(frontier), :total].any(axis=0))
        if total < COMPACT_ABOVE or 2 * kept.size > total:
            return list(frontier)
        index = torch.as_tensor(kept, device=self._model.device)
        for layer in self._cache.layers:
            layer.keys = layer.keys.index_select(2, index)
            layer.values = layer.values.index_select(2, index)
        self._sees = self._sees[np.ix_(kept, kept)]
        self._positions = self._positions[kept]
        self._tokens = [self._tokens[node] for node in kept]
        self._children = {}  # prompts are never added after the first reply token
        self._computed = len(self._tokens)
        renumbered = {int(old): new for new, old in enumerate(kept)}
        return [renumbered[node] for node in frontier]

    def _added(self, parent: int, token: int) -> int:
        node = len(self._tokens)
        if node >= self._sees.shape[0]:
            self._grow(max(256, 2 * node))
        self._tokens.append(token)
        if parent != ROOT:
            self._sees[node, :node] = self._sees[parent, :node]
            self._positions[node] = self._positions[parent] + 1
        else:
            self._sees[node, :node] = False
            self._positions[node] = 0
        self._sees[node, node] = True
        self._children[parent, token] = node
        return node

    def _grow(self, size: int) -> None:
        old = self._sees.shape[0]
        sees = np.zeros((size, size), dtype=bool)
        sees[:old, :old] = self._sees
        self._sees = sees
        self._positions = np.concatenate([self._positions, np.zeros(size - old, dtype=np.int64)])

    def _forward(self, start: int, stop: int, keep: list[int]) -> torch.Tensor:
        device = self._model.device
        positions = self._positions[start:stop]
        output = self._model(
            input_ids=torch.tensor([self._tokens[start:stop]], device=device),
            position_ids=torch.as_tensor(positions, device=device)[None],
            attention_mask=self._masks(start, stop),
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=torch.tensor(keep, dtype=torch.long, device=device),
        )
        return output.logits[0]  # type: ignore[no-any-return]

    def _masks(self, start: int, stop: int) -> Any:
        sees = self._sees[start:stop, :stop]
        kinds, window = attention_kinds(self._model.config)
        if kinds == {"full_attention"}:
            return self._mask(sees)
        distance = self._positions[start:stop, None] - self._positions[None, :stop]
        near = self._mask(sees & (distance < window))
        if kinds == {"sliding_attention"}:
            return near
        return {"full_attention": self._mask(sees), "sliding_attention": near}

    def _mask(self, sees: np.ndarray) -> torch.Tensor:
        dtype, device = self._model.dtype, self._model.device
        visible = torch.as_tensor(sees, device=device)
        mask = torch.zeros(visible.shape, dtype=dtype, device=device)
        return mask.masked_fill_(~visible, torch.finfo(dtype).min)[None, None]


def attention_kinds(config: Any) -> tuple[set[str], int]:
    """Return which kinds of attention layers a model has, and the window of the sliding ones."""
    window = getattr(config, "sliding_window", None) or 0
    kinds = getattr(config, "layer_types", None)
    if kinds:
        return set(kinds), window
    return ({"sliding_attention"} if window else {"full_attention"}), window
