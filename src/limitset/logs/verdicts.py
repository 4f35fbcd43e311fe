"""Which answer does each reply of a table give, and is it right?

Every distinct pair of question and reply is judged once, however many rows hold it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from jaxtyping import Float

from limitset.core.answers import AnswerClass, classify, normalised
from limitset.core.columns import Coded, Column, by_first_row, coded, distinct_rows, frozen
from limitset.core.errors import InputError
from limitset.core.levels import Status
from limitset.core.undefined import UNDEFINED
from limitset.logs.evaluation_log import LONGEST_END

SCORED_WRONG: Final = " (scored wrong)"
"""Stands behind an answer that the log calls wrong here and right elsewhere, or that reads like the key."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """What the first row of an item says about it."""

    item: str
    text: str
    accepted: tuple[str, ...]
    lure: str | None
    form: str | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Judged:
    """Answer class, status and verdict of each row."""

    end: Coded
    status: Coded
    right: Float[np.ndarray, " n"]
    contradicted: int
    """Rows whose answer the log calls wrong although it reads like a right one."""


def judged_replies(item: Coded, reply: Coded, questions: Sequence[Question], verdict: Coded | None) -> Judged:
    """Judge the replies of all rows.

    Parameters
    ----------
    item
        Item of each row, coded in the order of `questions`.
    reply
        Text of each reply; every row has one, which may be "".
    questions
        One for each item.
    verdict
        "1", "0" or nothing as the log has it; None where the log has no verdicts.
    """

    def one(question: Question, row: int) -> AnswerClass:
        return classify(
            reply.values[reply.codes[row]],
            question=question.text,
            accepted=question.accepted,
            lure=question.lure,
            form=question.form,
        )

    def named(row: int) -> str:
        return normalised(reply.values[reply.codes[row]])[:LONGEST_END] or "right"

    return _judged((item, reply), questions, verdict, one, named)


def judged_scores(
    item: Coded, score: Float[np.ndarray, " n"], questions: Sequence[Question], verdict: Coded | None
) -> Judged:
    """Judge rows whose answer is the number that a judge gives; keys are numbers too.

    Raises
    ------
    InputError
        When a key is no number.
    """
    keys = [frozenset(_number(key, question) for key in question.accepted) for question in questions]
    place = {question.item: own for question, own in zip(questions, keys, strict=True)}

    def one(question: Question, row: int) -> AnswerClass:
        value, accepted = float(score[row]), place[question.item]
        if np.isnan(value):
            return AnswerClass(end=None, status=Status.ABSTAINED, right=False if accepted else None)
        right = value in accepted if accepted else None
        return AnswerClass(end=score_text(value), status=Status.ANSWERED, right=right)

    return _judged((item, score), questions, verdict, one, lambda row: score_text(float(score[row])))


def score_text(value: float) -> str:
    """Write a score as the name of its class.

    Examples
    --------
    >>> score_text(7.0), score_text(3.5)
    ('7', '3.5')
    """
    return str(int(value)) if value.is_integer() else repr(value)


def _judged(
    columns: tuple[Coded, Column],
    questions: Sequence[Question],
    verdict: Coded | None,
    one: Callable[[Question, int], AnswerClass],
    named: Callable[[int], str],
) -> Judged:
    first, kind = distinct_rows([*columns, *([] if verdict is None else [verdict])])
    owner = columns[0].codes[first]
    found = [one(questions[own], row) for own, row in zip(owner.tolist(), first.tolist(), strict=True)]
    contradicted = np.zeros(first.size, dtype=bool)
    if verdict is not None:
        told = [verdict.values[code] if code >= 0 else "" for code in verdict.codes[first].tolist()]
        found = [
            _by_verdict(answer, questions[own], says, row, named)
            for answer, own, says, row in zip(found, owner.tolist(), told, first.tolist(), strict=True)
        ]
        both = {(own, got.end) for own, got in zip(owner.tolist(), found, strict=True) if got.right}
        for place, (own, got) in enumerate(zip(owner.tolist(), found, strict=True)):
            reads_right = got.end is not None and got.end.endswith(SCORED_WRONG)
            if not got.right and got.end is not None and (reads_right or (own, got.end) in both):
                end = got.end if reads_right else f"{got.end}{SCORED_WRONG}"
                found[place], contradicted[place] = replace(got, end=end), True
    rights = np.array([UNDEFINED if got.right is None else float(got.right) for got in found])
    return Judged(
        end=_spread(coded(got.end for got in found), kind),
        status=_spread(coded(got.status.value for got in found), kind),
        right=frozen(rights[kind]),
        contradicted=int(np.bincount(kind, minlength=first.size)[contradicted].sum()),
    )


def _by_verdict(
    found: AnswerClass, question: Question, says: str, row: int, named: Callable[[int], str]
) -> AnswerClass:
    if says == "1":
        end = question.accepted[0] if question.accepted else found.end
        return AnswerClass(end=named(row) if end is None else end, status=Status.ANSWERED, right=True)
    if says == "0":
        end = f"{found.end}{SCORED_WRONG}" if found.right else found.end
        return AnswerClass(end=end, status=found.status, right=False)
    return found


def _spread(kinds: Coded, kind: np.ndarray) -> Coded:
    """Give each row the text of its kind, coded by first appearance."""
    codes = kinds.codes[kind]
    order, number = by_first_row(codes, count=len(kinds.values))
    return Coded(frozen(number[codes]), tuple(kinds.values[one] for one in order))


def _number(key: str, question: Question) -> float:
    try:
        return float(key.replace(",", ""))
    except ValueError as error:
        raise InputError.of(
            expected="the key of a score must be a number",
            got=f"{key[:40]!r} for {question.item!r}",
            fix="Give the score that is right, or add a column of answers.",
        ) from error
