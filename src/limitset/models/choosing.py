"""Which token does a uniform number pick from these logits?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch

from limitset.core.undefined import UNDEFINED

BLOCK: Final = 32
"""Rows turned into probabilities at once: 32 rows of 262,144 tokens are 34 MB."""

NUCLEUS: Final = 512
"""Tokens looked at first for a nucleus; wider nuclei are sorted whole."""


@dataclass(frozen=True)
class Choice:
    """One chosen token, its log-probability at temperature 1, and the gap to the second best (greedy)."""

    token: int
    logprob: float
    margin: float


def choose(
    logits: torch.Tensor,
    *,
    rows: Sequence[int],
    temperatures: Sequence[float],
    uniforms: Sequence[float],
    top_p: float,
) -> list[Choice]:
    """Pick one token a draw by inverting the distribution function.

    Parameters
    ----------
    logits : (m, v) float32
        One row a distinct context.
    rows : (n,)
        Which context each draw continues.
    temperatures : (n,)
        0 takes the most likely token.
    uniforms : (n,)
        Numbers in [0, 1).
    top_p
        Mass of the nucleus, after the temperature is applied.

    Returns
    -------
    list
        One `Choice` a draw.

    References
    ----------
    Nucleus: Holtzman et al. (2020), arXiv:1904.09751, section 3.1. Inversion: Devroye (1986), Non-Uniform
    Random Variate Generation, doi:10.1007/978-1-4613-8643-8, section III.2.

    Examples
    --------
    >>> logits = torch.log(torch.tensor([[0.1, 0.6, 0.3]]))
    >>> picked = choose(logits, rows=[0, 0, 0], temperatures=[0, 1, 1], uniforms=[0, 0.05, 0.8], top_p=1.0)
    >>> [one.token for one in picked], round(picked[0].margin, 4)
    ([1, 0, 2], 0.6931)
    """
    tokens = [0] * len(rows)
    margins = [UNDEFINED] * len(rows)
    groups: dict[tuple[int, float], list[int]] = {}
    for draw, (row, temperature) in enumerate(zip(rows, temperatures, strict=True)):
        groups.setdefault((row, temperature), []).append(draw)
    greedy = [(row, draws) for (row, temperature), draws in groups.items() if temperature == 0]
    warm = [(row, temperature, draws) for (row, temperature), draws in groups.items() if temperature != 0]
    if greedy:
        best = logits[[row for row, _ in greedy]].topk(2, dim=-1)
        gaps = (best.values[:, 0] - best.values[:, 1]).tolist()
        for (_, draws), token, gap in zip(greedy, best.indices[:, 0].tolist(), gaps, strict=True):
            for draw in draws:
                tokens[draw], margins[draw] = token, gap
    for start in range(0, len(warm), BLOCK):
        block = warm[start : start + BLOCK]
        heat = torch.tensor([temperature for _, temperature, _ in block], device=logits.device)
        scaled = logits[[row for row, _, _ in block]] / heat[:, None]
        members, order = _distribution(torch.softmax(scaled, dim=-1), top_p)
        for line, (_, _, draws) in enumerate(block):
            picked = _inverted(members[line], [uniforms[draw] for draw in draws])
            if order is not None:
                picked = order[line][picked]
            for draw, token in zip(draws, picked.tolist(), strict=True):
                tokens[draw] = token
    index = torch.tensor(rows, device=logits.device)
    chosen = logits[index, torch.tensor(tokens, device=logits.device)]
    logprobs = (chosen - torch.logsumexp(logits, dim=-1)[index]).tolist()
    return [Choice(*one) for one in zip(tokens, logprobs, margins, strict=True)]


def _distribution(probabilities: torch.Tensor, top_p: float) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Return cumulated mass (n, k), and which token each column is (None: column = token)."""
    if top_p >= 1:
        return probabilities.cumsum(-1), None
    values, indices = probabilities.topk(min(NUCLEUS, probabilities.shape[-1]), dim=-1)
    if bool((values.sum(-1) < top_p).any()):
        values, indices = probabilities.sort(dim=-1, descending=True)
    before = values.cumsum(-1) - values
    return torch.where(before < top_p, values, 0.0).cumsum(-1), indices


def _inverted(cumulated: torch.Tensor, uniforms: list[float]) -> torch.Tensor:
    total = cumulated[-1]
    # rounding a uniform just below 1 may reach the total itself, past the last token with mass
    target = torch.tensor(uniforms, dtype=cumulated.dtype, device=cumulated.device) * total
    target = torch.minimum(target, torch.nextafter(total, torch.zeros_like(total)))
    return torch.searchsorted(cumulated.contiguous(), target, right=True)
