"""Could any model serve this request?"""

from __future__ import annotations

from collections.abc import Sequence

from limitset.core.errors import InputError
from limitset.core.replies import Draw, Prompt


def check_request(
    prompts: Sequence[Prompt],
    *,
    rows: Sequence[str],
    draws: Sequence[Draw],
    max_tokens: int,
    top_p: float,
    stop: tuple[str, ...],
) -> None:
    """Refuse a request that no model could serve."""
    if len(rows) != len(prompts):
        raise InputError.of(
            expected="every prompt needs one row name",
            got=f"{len(prompts)} prompts and {len(rows)} rows",
            fix="Name each prompt.",
        )
    if max_tokens < 1:
        raise InputError.of(expected="max_tokens must be 1 or more", got=max_tokens, fix="Raise it.")
    if not 0 < top_p <= 1:
        raise InputError.of(expected="top_p must be in (0, 1]", got=top_p, fix="Use 1 for no cut.")
    cold = [draw.temperature for draw in draws if not 0 <= draw.temperature < float("inf")]
    if cold:
        raise InputError.of(expected="temperature must be 0 or above", got=cold[0], fix="Use 0 for greedy.")
    if "" in stop:
        raise InputError.of(expected="a stop text must hold a character", got="''", fix="Drop it.")
