"""What rows does asking a chunk of questions leave?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from limitset.core.answers import AnswerClass, classify
from limitset.core.columns import Kind
from limitset.core.ends import Ends
from limitset.core.levels import Level, Status
from limitset.core.replies import Draw, LanguageModel, Reply
from limitset.core.streams import Streams
from limitset.datasets.questions import QuestionSet, Style
from limitset.store.tables import TablePart
from limitset.studies.served import SERVED_KINDS, served_row
from limitset.studies.served import TABLE as SERVED

SOURCE: Final = "first look"
GREEDY: Final = Draw(seed=0, temperature=0.0)
GREEDY_KINDS: Final[Mapping[str, Kind]] = {
    "item": Kind.TEXT,
    "system": Kind.TEXT,
    "paraphrase": Kind.TEXT,
    "text": Kind.TEXT,
    "end": Kind.TEXT,
    "logprob": Kind.NUMBER,
    "margin": Kind.NUMBER,
}
"""The table of greedy replies: near margin 0 a reply hangs on a tie and another machine may differ."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Asked:
    """A model, how it is asked, what it is asked, and where random numbers come from."""

    model: LanguageModel
    style: Style
    questions: QuestionSet
    rng: Streams


def sampled(chunk: Mapping[str, Any], asked: Asked) -> dict[str, TablePart]:
    """Ask every question of a chunk once greedily and once a seed.

    Parameters
    ----------
    chunk
        ``items``, ``wording`` and ``sampling`` (seeds, temperature, top_p, max_tokens) of a sample task.
    asked
        The model and the questions.

    Returns
    -------
    dict
        The parts of the tables ``ends`` and ``greedy``, and of ``served`` where a server replied.
    """
    sampling, wording, items = chunk["sampling"], int(chunk["wording"]), list(chunk["items"])
    draws = [GREEDY, *(Draw(seed, sampling["temperature"]) for seed in range(sampling["seeds"]))]
    replies = asked.model.generate(
        [asked.questions.prompt(item, wording=wording, style=asked.style) for item in items],
        rows=[f"{item}/{wording}" for item in items],
        draws=draws,
        max_tokens=sampling["max_tokens"],
        top_p=sampling["top_p"],
        stop=asked.questions.stop(asked.style),
        rng=asked.rng,
    )
    rows: list[dict[str, Any]] = []
    greedy: list[dict[str, Any]] = []
    served: list[dict[str, Any]] = []
    for item, of_item in zip(items, replies, strict=True):
        for draw, reply in zip(draws, of_item, strict=True):
            row = _row(item, wording, draw, reply, asked)
            rows.append(row)
            told = served_row(row, draw, reply)
            if told is not None:
                served.append(told)
            if draw.greedy:
                greedy.append({name: {**row, "margin": reply.margin}[name] for name in GREEDY_KINDS})
    parts = {"ends": TablePart.of_ends(Ends.of_rows(rows)), "greedy": TablePart.of_rows(greedy, GREEDY_KINDS)}
    return {**parts, SERVED: TablePart.of_rows(served, SERVED_KINDS)} if served else parts


def classified(text: str, item: str, questions: QuestionSet) -> AnswerClass:
    """Say which answer to an item a text gives."""
    question = questions.question(item)
    return classify(
        text,
        question=question.wordings[0],
        accepted=question.accepted,
        lure=question.lure,
        form=question.form,
    )


def _row(item: str, wording: int, draw: Draw, reply: Reply, asked: Asked) -> dict[str, Any]:
    answer = classified(reply.text, item, asked.questions)
    if reply.finish == "refused":  # in words that need not look like a refusal, or in none
        wrong = False if asked.questions.question(item).accepted else None
        answer = AnswerClass(end=None, status=Status.ABSTAINED, right=wrong)
    return {
        "source": SOURCE,
        "level": Level.ANSWER.value,
        "item": item,
        "system": asked.model.name,
        "paraphrase": f"wording {wording + 1}",
        "seed": draw.seed,
        "temperature": draw.temperature,
        "end": answer.end,
        "status": answer.status.value,
        "right": None if answer.right is None else float(answer.right),
        "logprob": reply.logprob,
        "greedy": float(draw.greedy),
        "runtime": asked.model.identity,
        "text": reply.text,
    }
