"""What does one log of an evaluation hold, whichever tool wrote it?

One `EvaluationLog` is one model on one task, read with one filter (lm-evaluation-harness) or one scorer
(Inspect). Readers make them; `joining` makes Ends and Items of many.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from limitset.core.answers import AnswerClass, classify, normalised
from limitset.core.levels import Status

LONGEST_REPLY: Final = 20_000
"""Characters kept of a reply: forty pages. The rest is left out and a note says so."""

LONGEST_END: Final = 200
"""Characters of the name of an answer class."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question as a log puts it.

    Parameters
    ----------
    identity
        Content hash as the tool gives it, of question and target.
    text
        What was asked, without examples and templates where the log keeps them apart.
    accepted
        Accepted answers; () where the log has no target.
    choices
        The choices offered; () for a free answer.
    about
        What else is known of it, by column of Items: stratum, lure, form, cluster, twin, anchor error.
    """

    identity: str
    text: str
    accepted: tuple[str, ...]
    choices: tuple[str, ...] = ()
    about: Mapping[str, str | float] = field(default_factory=dict, compare=False)

    @cached_property
    def content(self) -> str:
        """Hash of question, choices and accepted answers: alike whichever tool asked."""
        told = [" ".join(self.text.split()), sorted(self.choices), sorted(self.accepted)]
        return content_hash(told)


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One scored reply to a question of the same log."""

    identity: str
    text: str
    end: str | None
    status: Status
    right: bool | None
    repeat: int = 0
    score: float | None = None
    logprob: float | None = None
    confidence: float | None = None
    choice_probabilities: tuple[float, ...] | None = None
    prompt: str = ""
    """Hash of what was sent: examples, template and settings included."""
    temperature: float | None = None
    paraphrase: str | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class EvaluationLog:
    """One model on one task, read with one filter or scorer."""

    path: Path
    tool: str
    model: str
    task: str
    settings: str = ""
    """What tells two models of one name apart: arguments of the model."""
    version: str = ""
    filter: str = "none"
    questions: Mapping[str, Question] = field(default_factory=dict)
    replies: Sequence[Reply] = ()
    notes: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    """What a reader of the page must know of some replies, and of how many."""
    marks: bool = False
    """Whether the scores of the replies are marks that the system gave, not marks that it got."""

    def read(self) -> EvaluationLog:
        """Return itself: it is read already."""
        return self


@dataclass(frozen=True, kw_only=True)
class OfferedLog:
    """A log that is read when it is chosen: files have filters that nobody asks for."""

    path: Path
    tool: str
    task: str
    filter: str
    read: Callable[[], EvaluationLog]


def content_hash(value: Any) -> str:
    """Return a short hash of JSON-ready values.

    Examples
    --------
    >>> content_hash(["a", 1]) == content_hash(["a", 1]), len(content_hash("a"))
    (True, 16)
    """
    text = json.dumps(value, sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def clipped(text: str) -> str:
    """Return at most `LONGEST_REPLY` characters of a text."""
    return text if len(text) <= LONGEST_REPLY else text[:LONGEST_REPLY]


def answer_of(answer: str, question: Question, *, right: bool | None, scored: bool) -> AnswerClass:
    """Say to which class an answer belongs, when its log has called it right or wrong.

    The log's own score decides what is right. A wrong answer that reads like an accepted one gets a class
    of its own, so that no class is right in one run and wrong in another.

    Parameters
    ----------
    answer
        What the log says was answered.
    question
        With its accepted answers.
    right
        The log's score; None where it is neither 0 nor 1.
    scored
        Whether the log's score decides; else the canonicaliser does.

    Examples
    --------
    >>> asked = Question(identity="q", text="Its capital?", accepted=("Canberra",))
    >>> answer_of("It is Canberra.", asked, right=False, scored=True).end
    'Canberra (scored wrong)'
    >>> answer_of("canberra", asked, right=None, scored=False)
    AnswerClass(end='Canberra', status=<Status.ANSWERED: 'answered'>, right=True)
    """
    if scored and right and question.accepted:
        return AnswerClass(end=question.accepted[0], status=Status.ANSWERED, right=True)
    form = "number" if question.accepted and all(map(_is_number, question.accepted)) else None
    found = classify(
        clipped(answer), question=question.text, accepted=question.accepted, lure=None, form=form
    )
    if not scored:
        return _short(found)
    if right:
        return AnswerClass(
            end=normalised(answer)[:LONGEST_END] or "right", status=Status.ANSWERED, right=True
        )
    if found.status is Status.ANSWERED and found.right:
        told = "scored wrong" if right is False else "partly right"
        return AnswerClass(end=f"{found.end} ({told})", status=Status.ANSWERED, right=right)
    return _short(AnswerClass(end=found.end, status=found.status, right=right))


def _short(found: AnswerClass) -> AnswerClass:
    if found.end is None or len(found.end) <= LONGEST_END:
        return found
    # the hash keeps two long answers apart that begin alike
    end = f"{found.end[:LONGEST_END]} {content_hash(found.end)[:6]}"
    return AnswerClass(end=end, status=found.status, right=found.right)


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", ""))
    except ValueError:
        return False
    return True
