"""How does a sample of an Inspect log become a reply, as one of its scorers saw it?"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from limitset.core.answers import AnswerClass
from limitset.core.levels import Status
from limitset.logs.evaluation_log import (
    LONGEST_END,
    LONGEST_REPLY,
    Question,
    Reply,
    answer_of,
    clipped,
    content_hash,
)

SHORTENED: Final = 5_120
"""Characters from which a summary cuts a question; answers lose their line breaks at any length."""

ATTACHED: Final = "attachment://"
"""What stands before the name of a long text that the sample keeps elsewhere."""

VALUES: Final[Mapping[str, float]] = {"C": 1.0, "I": 0.0, "P": 0.5, "N": 0.0}
"""Correct, incorrect, partly correct, no answer."""

Samples = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""From a summary to its whole sample."""


class Scored:
    """Replies of one log under one scorer, sample by sample."""

    def __init__(self, *, scorer: str, whole: Samples, prompt: str, temperature: float | None) -> None:
        self.scorer, self._whole, self._prompt, self._temperature = scorer, whole, prompt, temperature
        self.questions: dict[str, Question] = {}
        self.replies: list[Reply] = []
        self.counts: dict[str, int] = {}
        self._seen: set[tuple[str, int]] = set()
        self._asked: dict[Any, Question] = {}
        self._answers: dict[tuple[str, str, bool | None], AnswerClass] = {}

    def add(self, sample: Mapping[str, Any]) -> None:
        """Take one sample."""
        if _may_be_cut(sample):
            sample = self._whole(sample)
        question = self._question(sample)
        epoch = sample.get("epoch", 1)
        epoch = epoch if isinstance(epoch, int) and 0 < epoch < 1_000_000 else 1
        if (question.identity, epoch) in self._seen:
            self._count("sample whose question and target another sample has too: the first kept")
            return
        self._seen.add((question.identity, epoch))
        self.questions.setdefault(question.identity, question)
        self.replies.append(self._reply(sample, question, epoch))

    def _question(self, sample: Mapping[str, Any]) -> Question:
        asked, target = sample.get("input"), sample.get("target")
        if not (isinstance(asked, str) and isinstance(target, str)) or sample.get("choices"):
            return _question(sample)
        # epochs ask the same question again
        known = self._asked.get((asked, target))
        if known is None:
            known = self._asked[asked, target] = _question(sample)
        return known

    def _class(self, said: str, question: Question, right: bool | None) -> AnswerClass:
        place = said, question.identity, right
        if place not in self._answers:
            self._answers[place] = answer_of(said, question, right=right, scored=True)
        return self._answers[place]

    def _reply(self, sample: Mapping[str, Any], question: Question, epoch: int) -> Reply:
        entry = mapping_of(sample.get("scores")).get(self.scorer)
        if sample.get("error") or not isinstance(entry, dict):
            self._count("sample that failed or was not scored: counts as an error")
            return self._row(question, epoch, text="", end=None, status=Status.ERROR)
        value = entry.get("value")
        score = score_of(value)
        right = bool(score) if score in (0.0, 1.0) else None
        if value == "N":
            return self._row(
                question, epoch, text="", end=None, status=Status.ABSTAINED, right=False, score=0.0
            )
        if right is None:
            self._count("reply with a score between 0 and 1 (partly right), or with one that is no number")
        said = said_of(entry, sample)
        if right is not True and _reads_otherwise(said):
            full = self._whole(sample)
            said = said_of(mapping_of(mapping_of(full.get("scores")).get(self.scorer)), full)
        said = said or ""
        if len(said) > LONGEST_REPLY:
            self._count(f"reply longer than {LONGEST_REPLY:,} characters: clipped there")
        chosen = _chosen(said, question.choices) if question.choices and not right else None
        if chosen is not None:
            end = f"{chosen} (scored wrong)" if right is False and chosen in question.accepted else chosen
            return self._row(
                question, epoch, text=said, end=end, status=Status.ANSWERED, right=right, score=score
            )
        got = self._class(said, question, right)
        return self._row(
            question, epoch, text=said, end=got.end, status=got.status, right=got.right, score=score
        )

    def _row(
        self,
        question: Question,
        epoch: int,
        *,
        text: str,
        end: str | None,
        status: Status,
        right: bool | None = None,
        score: float | None = None,
    ) -> Reply:
        return Reply(
            identity=question.identity,
            text=clipped(text),
            end=end,
            status=status,
            right=right,
            repeat=epoch - 1,
            score=score,
            prompt=self._prompt,
            temperature=self._temperature,
        )

    def _count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1


def _may_be_cut(sample: Mapping[str, Any]) -> bool:
    if "completed" not in sample:
        return False
    asked, target = sample.get("input"), sample.get("target")
    if isinstance(asked, str) and isinstance(target, str):
        return len(asked) >= SHORTENED or len(target) >= SHORTENED
    return len(asked_of(asked)) >= SHORTENED or any(len(str(one)) >= SHORTENED for one in values_of(target))


def _reads_otherwise(said: str | None) -> bool:
    """Say whether the whole sample may hold another answer: line breaks are gone, long ones are cut."""
    return said is None or said.endswith("...") or (said != "" and said.split() != [said])


def said_of(entry: Mapping[str, Any], sample: Mapping[str, Any]) -> str | None:
    """Return what was answered: as the scorer read it, also where it read nothing, else the completion."""
    answer = entry.get("answer")
    if isinstance(answer, str):
        return _attached(answer, sample)
    completion = mapping_of(sample.get("output")).get("completion")
    return _attached(completion, sample) if isinstance(completion, str) else None


def _attached(text: str, sample: Mapping[str, Any]) -> str:
    """Return the text that a long one was replaced by."""
    if not text.startswith(ATTACHED):
        return text
    found = mapping_of(sample.get("attachments")).get(text.removeprefix(ATTACHED))
    return found if isinstance(found, str) else text


def _question(sample: Mapping[str, Any]) -> Question:
    text = _attached(asked_of(sample.get("input")), sample) or f"sample {sample.get('id')}"
    choices = tuple(str(one)[:LONGEST_END] for one in values_of(sample.get("choices")))
    targets = [str(one) for one in values_of(sample.get("target"))]
    if len(set(choices)) < len(choices):
        choices = tuple(f"{chr(65 + n)}: {one}" for n, one in enumerate(choices))
    accepted = [_lettered(one, choices) or one for one in sorted(targets)] if choices else targets
    if choices and len(accepted) > 1:
        # several letters are one answer: all of them
        accepted = [", ".join(accepted)]
    accepted = [one[:LONGEST_END] for one in accepted if one.strip()]
    return Question(
        identity=content_hash([text, choices, targets]),
        text=clipped(text),
        accepted=tuple(dict.fromkeys(accepted)),
        choices=choices,
    )


def asked_of(value: Any) -> str:
    """Return the text of an input: itself, or the messages of the user."""
    if isinstance(value, str):
        return value
    messages = [mapping_of(one) for one in values_of(value)]
    asked = [one for one in messages if one.get("role") == "user"] or messages
    return "\n".join(_content(one.get("content")) for one in asked)


def _content(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "\n".join(str(mapping_of(one).get("text", "")) for one in values_of(value))


def _chosen(said: str, choices: Sequence[str]) -> str | None:
    """Return the choice that a letter, several letters, or its text stands for."""
    letters = sorted(one.strip() for one in said.split(","))
    named = [_lettered(one, choices) for one in letters]
    if letters and all(named):
        return ", ".join(str(one) for one in named)
    return next((one for one in choices if one.casefold() == said.strip().casefold()), None)


def _lettered(text: str, choices: Sequence[str]) -> str | None:
    place = ord(text) - ord("A") if len(text) == 1 else -1
    return choices[place] if 0 <= place < len(choices) else None


def score_of(value: Any) -> float | None:
    """Return a value of a scorer as a number, None where it is none."""
    if isinstance(value, str):
        return VALUES.get(value)
    return number_of(value)


def number_of(value: Any) -> float | None:
    """Return a finite number, None for anything else."""
    if not isinstance(value, bool | int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def values_of(value: Any) -> list[Any]:
    """Return a list as it is, nothing as no values, anything else as one."""
    return value if isinstance(value, list) else [] if value is None else [value]


def mapping_of(value: Any) -> Mapping[str, Any]:
    """Return an object as it is, anything else as an empty one."""
    return value if isinstance(value, dict) else {}
