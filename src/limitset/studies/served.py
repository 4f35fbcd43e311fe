"""What did servers say about the replies that they gave, and what must a reader know of it?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from limitset.core.columns import Column, Kind, plain
from limitset.core.ends import Ends
from limitset.core.levels import Level
from limitset.core.replies import Draw, Reply
from limitset.core.undefined import UNMATCHED

TABLE: Final = "served"
SERVED_KINDS: Final[Mapping[str, Kind]] = {
    "item": Kind.TEXT,
    "system": Kind.TEXT,
    "paraphrase": Kind.TEXT,
    "seed": Kind.NUMBER,
    "temperature": Kind.NUMBER,
    "model": Kind.TEXT,
    "fingerprint": Kind.TEXT,
    "seed_sent": Kind.NUMBER,
    "prompt_tokens": Kind.NUMBER,
    "reply_tokens": Kind.NUMBER,
    "finish": Kind.TEXT,
    "reason": Kind.TEXT,
}
"""One row a reply of a server; ``finish`` is in our words, ``reason`` in the server's."""

NAMED: Final = 4
"""So many names or fingerprints are shown."""


def served_row(row: Mapping[str, Any], draw: Draw, reply: Reply) -> dict[str, Any] | None:
    """Return what a server said of one reply; None for a model that runs here.

    Parameters
    ----------
    row
        The run, as it stands in ``ends``.
    draw, reply
        What was asked for and what came.
    """
    if reply.served is None:
        return None
    told = reply.served
    return {
        **{name: row[name] for name in ("item", "system", "paraphrase")},
        "seed": draw.seed,
        "temperature": draw.temperature,
        "model": told.model or None,
        "fingerprint": told.fingerprint or None,
        "seed_sent": told.seed,
        "prompt_tokens": told.prompt_tokens,
        "reply_tokens": told.reply_tokens,
        "finish": reply.finish,
        "reason": told.reason or None,
    }


def served_notes(table: Mapping[str, Column], identities: Mapping[str, str], ends: Ends) -> tuple[str, ...]:
    """Say, a model behind a server each, what is unknown of it and what the server told.

    Parameters
    ----------
    table
        The table ``served``.
    identities
        Model to its identity, as the lock has it.
    ends
        The runs of the study.

    Returns
    -------
    tuple of str
        Sentences without a full stop; none where every model ran here.
    """
    columns = {name: plain(table[name]) for name in SERVED_KINDS}
    systems = columns["system"]
    notes: list[str] = []
    for system in dict.fromkeys(systems.tolist()):
        mask = systems == system
        one = {name: column[mask] for name, column in columns.items()}
        address = identities.get(system, system).removeprefix(f"{system}; weights unknown, ")
        notes.append(
            f"the weights of {system} are unknown: it was {address}, and whoever runs that server may change "
            f"them at any time"
        )
        notes.append(f"the server of {system} {_told(one)}")
        runs = ends.having(level=Level.ANSWER.value, system=str(system))
        if drew_nothing(runs):
            warm = int((runs.numbers("greedy") != 1).sum())
            notes.append(
                f"all {warm:,} runs of {system} at a temperature above 0 say word for word what its greedy "
                f"run says: either it is that sure, or its server does not sample"
            )
    return tuple(notes)


def drew_nothing(runs: Ends, *, least: int = 20) -> bool:
    """Say whether every warm run of one model repeats its greedy run of the same question and wording.

    Parameters
    ----------
    runs
        Answers of one model.
    least
        With fewer warm runs nothing is said.

    Examples
    --------
    >>> runs = Ends.of(item="q", system="m", end="a", seed=[0, 0, 1], temperature=[0, 1, 1], greedy=[1, 0, 0],
    ...                text=["A", "A", "A."])
    >>> drew_nothing(runs, least=2), drew_nothing(runs.where(np.array([0, 1])), least=1)
    (False, True)
    """
    greedy = runs.numbers("greedy") == 1
    if not greedy.any() or int((~greedy).sum()) < least:
        return False
    items, wordings = runs.coded("item"), runs.coded("paraphrase")
    keys = items.codes.astype(np.int64) * (len(wordings.values) + 1) + wordings.codes + 1
    said = np.full(int(keys.max()) + 1, UNMATCHED, dtype=np.int64)
    texts = runs.coded("text").codes
    said[keys[greedy]] = texts[greedy]
    return bool((said[keys[~greedy]] == texts[~greedy]).all())


def _told(one: Mapping[str, np.ndarray]) -> str:
    runs = one["finish"].size
    parts = [
        f"called the model {_named(one['model'])} in {runs:,} replies",
        f"gave the fingerprint {_named(one['fingerprint'])}"
        if _some(one["fingerprint"])
        else "gave no fingerprint",
        _seeds(one["seed_sent"], runs),
    ]
    counted = [np.asarray(one[name], dtype=float) for name in ("prompt_tokens", "reply_tokens")]
    if not all(np.isnan(tokens).all() for tokens in counted):
        read, written = (int(np.nansum(tokens)) for tokens in counted)
        parts.append(f"counted {read:,} tokens read and {written:,} written")
    finishes = Counter(one["finish"].tolist())
    parts.append(f"clipped {finishes['length']:,} replies at the limit of tokens")
    parts.append(f"refused {finishes['refused']:,}")
    return ", ".join(parts[:-1]) + f" and {parts[-1]}"


def _seeds(sent: np.ndarray, runs: int) -> str:
    seeded = int((~np.isnan(np.asarray(sent, dtype=float))).sum())
    if seeded == runs:
        return "was sent a seed with each (whether it used it is not known)"
    return "takes no seed" if seeded == 0 else f"took a seed for {seeded:,} of them"


def _some(values: np.ndarray) -> bool:
    return any(value is not None for value in values.tolist())


def _named(values: np.ndarray) -> str:
    counts = Counter("(no name)" if value is None else str(value) for value in values.tolist())
    shown = counts.most_common(NAMED)
    if len(counts) == 1:
        return shown[0][0]
    more = f" and {len(counts) - NAMED} more" if len(counts) > NAMED else ""
    return ", ".join(f"{name} ({count:,})" for name, count in shown) + more
