"""What rows does a chunk of text loops leave?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from limitset.core.ends import Ends
from limitset.core.loops import ORBIT_KINDS
from limitset.instruments.dynamics.orbits import iterate
from limitset.maps.text import TextMap, text_starts
from limitset.maps.text_rows import loop_rows
from limitset.store.tables import TablePart
from limitset.studies.asking import SOURCE, Asked, classified


def looped(chunk: Mapping[str, Any], asked: Asked) -> dict[str, TablePart]:
    """Let a model go on from its own greedy answer to every question of the chunk.

    Parameters
    ----------
    chunk
        ``items``, ``instruction`` and ``loops`` (steps, max_tokens) of a loop task.
    asked
        The model and the questions.

    Returns
    -------
    dict
        The parts of the tables ``ends`` and ``orbits``.
    """
    items, instruction, loops = list(chunk["items"]), str(chunk["instruction"]), chunk["loops"]
    texts = [asked.questions.text(item) for item in items]
    streams = asked.rng.child("loop", instruction)
    limit = int(loops["max_tokens"])
    starts = text_starts(
        asked.model, texts, instruction=instruction, style=asked.style, max_tokens=limit, rng=streams
    )
    text_map = TextMap(
        model=asked.model,
        questions=tuple(texts),
        instruction=instruction,
        style=asked.style,
        max_tokens=limit,
    )
    rows = loop_rows(
        iterate(text_map, starts, steps=int(loops["steps"]), rng=streams),
        items,
        system=asked.model.name,
        loop=instruction,
        classify=lambda text, item: classified(text, item, asked.questions),
        runtime=asked.model.identity,
        source=SOURCE,
    )
    return {
        "ends": TablePart.of_ends(Ends.of_rows(rows.ends)),
        "orbits": TablePart.of_rows(rows.orbits, ORBIT_KINDS),
    }
