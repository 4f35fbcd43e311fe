"""What rows does a chunk of text loops leave?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from limitset.core.answers import AnswerClass, classify
from limitset.core.ends import Ends
from limitset.core.replies import LanguageModel
from limitset.core.streams import Streams
from limitset.datasets.questions import QuestionSet
from limitset.instruments.dynamics.orbits import iterate
from limitset.maps.loop_rows import ORBIT_KINDS, loop_rows
from limitset.maps.text import TEXT_MAP_VERSION, Style, TextMap, text_starts
from limitset.store.tables import TablePart

LOOPING_VERSION: Final = TEXT_MAP_VERSION
"""Rows of loops change with the prompts and the tidying of a state."""


def looped(
    chunk: Mapping[str, Any], model: LanguageModel, style: Style, questions: QuestionSet, rng: Streams
) -> dict[str, TablePart]:
    """Let a model go on from its own greedy answer to every question of the chunk.

    Parameters
    ----------
    chunk
        ``items``, ``instruction`` and ``loops`` (steps, max_tokens) of a loop task.
    model, style
        The model, and whether it is asked by conversation or by examples.
    questions
        Where the items come from.
    rng
        Streams of the study.

    Returns
    -------
    dict
        The parts of the tables ``ends`` and ``orbits``.
    """
    items, instruction, loops = list(chunk["items"]), str(chunk["instruction"]), chunk["loops"]
    texts = [str(questions.items.texts("text")[questions.items.position(item)]) for item in items]
    streams = rng.child("loop", instruction)
    limit = int(loops["max_tokens"])
    starts = text_starts(model, texts, instruction=instruction, style=style, max_tokens=limit, rng=streams)
    text_map = TextMap(
        model=model, questions=tuple(texts), instruction=instruction, style=style, max_tokens=limit
    )
    orbits = iterate(text_map, starts, steps=int(loops["steps"]), rng=streams)
    rows = loop_rows(
        orbits,
        items,
        system=model.name,
        loop=instruction,
        classify=lambda text, item: classified(text, item, questions),
        runtime=model.identity,
        source="first look",
    )
    return {
        "ends": TablePart.of_ends(Ends.of_rows(rows.ends)),
        "orbits": TablePart.of_rows(rows.orbits, ORBIT_KINDS),
    }


def classified(text: str, item: str, questions: QuestionSet) -> AnswerClass:
    """Say which answer to an item a text gives."""
    position = questions.items.position(item)
    return classify(
        text,
        question=str(questions.items.texts("text")[position]),
        accepted=questions.items.accepted(item),
        lure=questions.items.texts("lure")[position],
        form=questions.items.texts("form")[position],
    )
