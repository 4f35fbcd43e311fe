"""What was asked in one record of lm-evaluation-harness, with which choices, and what is accepted?"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from limitset.logs.evaluation_log import LONGEST_END, Question, clipped, content_hash

TEXTS: Final = (
    "question",
    "query",
    "problem",
    "input",
    "instruction",
    "prompt",
    "ctx",
    "sentence",
    "goal",
    "text",
)
"""Fields of a document that hold its question, in the order of trust."""

FINAL: Final = "####"
"""GSM8K and its kin write the worked answer, this, and then the answer."""


def question_of(record: Mapping[str, Any], sent: Sequence[tuple[str, Any]], *, choices: int) -> Question:
    """Return the question of a record.

    Parameters
    ----------
    record
        One line of the file.
    sent
        (prompt, rest) of each request.
    choices
        How many log-likelihoods there are; 0 for a generated answer.

    Examples
    --------
    >>> record = {"doc": {"question": "Its capital?"}, "target": "1"}
    >>> question_of(record, [("Q", " Sydney"), ("Q", " Canberra")], choices=2).accepted
    ('Canberra',)
    """
    doc = record["doc"]
    offered = _choices(doc, sent, choices) if choices else ()
    target = record["target"]
    accepted = _indexed(target, offered) if choices else _accepted(target)
    text = _text(doc) or sent[0][0]
    doc_hash = str(record.get("doc_hash") or content_hash(doc))
    return Question(
        identity=f"{doc_hash[:32]}{content_hash([offered, accepted])}",
        text=clipped(text),
        accepted=accepted,
        choices=offered,
    )


def _text(doc: Any) -> str | None:
    if not isinstance(doc, dict):
        return str(doc) if isinstance(doc, str) else None
    lowered = {str(name).lower(): value for name, value in doc.items()}
    return next(
        (
            lowered[name].strip()
            for name in TEXTS
            if isinstance(lowered.get(name), str) and lowered[name].strip()
        ),
        None,
    )


def _choices(doc: Any, sent: Sequence[tuple[str, Any]], count: int) -> tuple[str, ...]:
    """Return the choices as they were scored; a second pass without the prompt is no choice."""
    # acc_mutual_info scores every choice again after an empty prompt
    asked = [one for one in sent if one[0]] if any(not one[0] for one in sent) else list(sent)
    asked = asked[:count]
    texts = [str(rest).strip() for _, rest in asked]
    if len(set(texts)) < len(texts):
        known = doc.get("choices") or doc.get("options") if isinstance(doc, dict) else None
        listed = [str(one).strip() for one in known] if isinstance(known, list) else []
        texts = listed if len(set(listed)) == len(asked) else [f"choice {n + 1}" for n in range(len(asked))]
    return tuple(one[:LONGEST_END] for one in texts)


def _indexed(target: Any, choices: tuple[str, ...]) -> tuple[str, ...]:
    """Return the accepted choices: their places, or their texts, as text or not."""
    found = []
    for one in _values(target):
        text = str(one).strip()
        # the harness reads digits as a place, also where a choice is the same digits
        if text.isdecimal() and len(text) < 6 and int(text) < len(choices):
            found.append(choices[int(text)])
        elif text in choices:
            found.append(text)
    return tuple(dict.fromkeys(found))


def _accepted(target: Any) -> tuple[str, ...]:
    texts = [str(one).rpartition(FINAL)[2].strip() for one in _values(target) if one is not None]
    return tuple(dict.fromkeys(text[:LONGEST_END] for text in texts if text))


def _values(target: Any) -> list[Any]:
    """Return the targets; a list of them was written as its Python text."""
    if isinstance(target, list):
        return target
    if isinstance(target, str) and target.startswith("[") and target.endswith("]") and len(target) < 10_000:
        for read in (json.loads, ast.literal_eval):
            try:
                found = read(target)
            except (ValueError, SyntaxError, RecursionError, MemoryError):
                continue
            if isinstance(found, list):
                return [one for one in found if isinstance(one, str | int | float)]
    return [target]
