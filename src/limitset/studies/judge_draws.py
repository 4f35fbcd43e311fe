"""When a judge grades the same answers many times, does it repeat itself, and is it right?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from jaxtyping import Bool, Float, Int

from limitset.core.errors import InputError
from limitset.core.intervals import Interval, wilson
from limitset.core.levels import Level
from limitset.core.replies import LanguageModel, Message, Prompt
from limitset.core.results import Measurement
from limitset.core.scores import ScoreTable
from limitset.core.undefined import UNDEFINED
from limitset.datasets.questions import QuestionSet, Style
from limitset.instruments.truth.omega import omega_total
from limitset.instruments.truth.reliability import reliability

STUDY: Final = "judge_draws"
VERSION: Final = 1

GRADES: Final = ("1", "2", "3", "4", "5")
PARCELS: Final = 10
"""Draws are averaged in so many parcels, the raters of omega; their sum is that of all draws."""
RUBRICS: Final = (
    "Grade the answer from 1 (wrong) to 5 (right). Reply with one number.",
    "How sure is it that the answer is correct, from 1 (not at all) to 5 (fully)? Reply with one number.",
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Graded:
    """Answers to be graded.

    Parameters
    ----------
    questions, answers
        What is shown to the judge.
    right : (q,)
        Whether the answer is right.
    """

    questions: tuple[str, ...]
    answers: tuple[str, ...]
    right: Bool[np.ndarray, " q"]


def graded_answers(questions: QuestionSet) -> Graded:
    """Give every second question of a kind its right answer, and the others a wrong one of the same kind.

    The wrong answer is the popular one where one is known, else the right answer to the next question of the
    kind that has another.

    Examples
    --------
    >>> from limitset.datasets.anchored import anchored
    >>> got = graded_answers(anchored().take(40, seed=0))
    >>> len(got.answers), int(got.right.sum()) in range(16, 25)
    (40, True)
    """
    texts: list[str] = []
    answers: list[str] = []
    right: list[bool] = []
    for kind in questions.kinds:
        own = [one for one in questions.questions.values() if one.kind == kind]
        for at, one in enumerate(own):
            others = [other.accepted[0] for other in own[at + 1 :] + own[:at]]
            wrong = [one.lure, *(other for other in others if other not in one.accepted)]
            known = next((text for text in wrong if text is not None), None)
            says_right = known is None or len(texts) % 2 == 0
            texts.append(one.wordings[0])
            answers.append(one.accepted[0] if says_right or known is None else known)
            right.append(says_right)
    return Graded(questions=tuple(texts), answers=tuple(answers), right=np.array(right))


def grade_laws(
    model: LanguageModel, graded: Graded, *, rubric: int, style: Style
) -> tuple[Float[np.ndarray, "q g"], Float[np.ndarray, " q"]]:
    """Return the logits of each grade as the next token of a judge, one pass an item.

    Returns
    -------
    logits (q, 5), mass (q,)
        Log-probabilities of the grades at temperature 1, and what they sum to.

    Raises
    ------
    InputError
        When the model has no logits to look at.
    """
    source: Any = model
    if not hasattr(model, "next_token_logits"):
        raise InputError.of(
            expected="a judge must show the law of its next token",
            got=f"{model.name}, which only replies",
            fix="Name a packaged model or a folder of weights.",
        )
    tokens = [source.tokenizer(grade, add_special_tokens=False).input_ids[-1] for grade in GRADES]
    logits = np.empty((len(graded.answers), len(GRADES)))
    for row, (question, answer) in enumerate(zip(graded.questions, graded.answers, strict=True)):
        prompt = _prompt(question, answer, RUBRICS[rubric], style)
        law = source.next_token_logits(source.embeddings(prompt)).detach().float().log_softmax(-1)
        logits[row] = law[tokens].double().cpu().numpy()
    return logits, np.exp(logits).sum(axis=1)


def drawn_grades(
    logits: Float[np.ndarray, "q g"], *, draws: int, temperature: float, rng: np.random.Generator
) -> Int[np.ndarray, "q draws"]:
    """Draw grades 1 to 5 from the laws of the items.

    Examples
    --------
    >>> sure = np.array([[0.0, 0, 0, 0, 50], [50, 0, 0, 0, 0]])
    >>> drawn_grades(sure, draws=3, temperature=1.0, rng=np.random.default_rng(0)).tolist()
    [[5, 5, 5], [1, 1, 1]]
    """
    scaled = logits / temperature
    chance = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    edges = (chance / chance.sum(axis=1, keepdims=True)).cumsum(axis=1)
    at = rng.random((logits.shape[0], draws, 1)) > edges[:, None, :-1]
    return np.asarray(at.sum(axis=2) + 1)


def judged(
    grades: Int[np.ndarray, "q draws"],
    right: Bool[np.ndarray, " q"],
    *,
    confidence: float = 0.95,
    rng: np.random.Generator,
) -> Mapping[str, Measurement]:
    """Measure how reliable the mean of all grades is, and one grade, and how far from chance the judge is.

    Parameters
    ----------
    grades : (q, draws)
        Of each answer, as many draws as parcels or a multiple.
    right : (q,)
        Whether the answer is right.
    confidence
        Coverage aimed at, in (0, 1).
    rng
        Shuffles for the null of omega.

    Returns
    -------
    dict
        ``omega`` of the mean of all draws, ``one_draw`` (reliability of one of them), and ``above_chance``:
        share of answers on which "the mean grade is above its median" says what is true, less one half.

    References
    ----------
    As `omega_total` and `reliability`; as used for judges: arXiv:2412.12509.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> seen = rng.normal(size=(400, 1)) * np.array([[-2.0, -1, 0, 1, 2]])  # not of the truth
    >>> grades = drawn_grades(seen, draws=100, temperature=1.0, rng=rng)
    >>> got = judged(grades, rng.random(400) < 0.5, rng=rng)
    >>> got["omega"].low > 0.9, abs(got["above_chance"].value) < 0.1
    (True, True)
    """
    items, draws = grades.shape
    parcels = grades.reshape(items, PARCELS, draws // PARCELS).mean(axis=2).T
    table = _table([f"parcel {one}" for one in range(PARCELS)], parcels[:, :, None])
    omega = omega_total(table, rng=rng, confidence=confidence).values.one(
        coefficient="omega_total", null_kind=""
    )
    own = reliability(_table(["judge"], grades[None].astype(np.float64)), confidence=confidence).own
    single = [row for row in own.rows() if row.parameters["draws"] == 1 and not row.null_kind]
    mean = grades.mean(axis=1)
    agreed = int(((mean > np.median(mean)) == right).sum())
    share = wilson(agreed, items, confidence=confidence)
    apart = Interval(value=share.value - 0.5, low=share.low - 0.5, high=share.high - 0.5, n=float(items))
    return {
        "omega": _named("omega", _interval(omega), confidence),
        "one_draw": _named("one_draw", _interval(single[0]), confidence),
        "above_chance": _named("above_chance", apart, confidence),
    }


def factor_scores(
    loadings: Sequence[float], *, items: int, rng: np.random.Generator, confidence: float = 0.95
) -> Measurement:
    """Return omega of planted raters that see one common thing with these loadings.

    Examples
    --------
    >>> got = factor_scores([0.5, 0.6, 0.7, 0.8], items=2000, rng=np.random.default_rng(0))
    >>> got.low < 6.76 / 9.02 < got.high
    True
    """
    loads = np.array(loadings)[:, None]
    scores = loads * rng.normal(size=items) + np.sqrt(1 - loads**2) * rng.normal(size=(loads.size, items))
    table = _table([f"rater {one}" for one in range(loads.size)], scores[:, :, None])
    got = omega_total(table, rng=rng, confidence=confidence).values.one(
        coefficient="omega_total", null_kind=""
    )
    return _named("omega", _interval(got), confidence)


def _table(systems: list[str], scores: Float[np.ndarray, "m q r"]) -> ScoreTable:
    items = scores.shape[1]
    return ScoreTable(
        systems=np.array(systems, dtype=object),
        items=np.arange(items),
        scores=scores,
        key=np.full(items, UNDEFINED),
    )


def _interval(got: Measurement) -> Interval:
    return Interval(value=got.value, low=got.low, high=got.high, n=got.n, blank_reason=got.blank_reason)


def _named(name: str, got: Interval, confidence: float) -> Measurement:
    return Measurement(
        instrument=f"{STUDY}.{name}",
        version=VERSION,
        level=Level.ANSWER,
        value=got.value,
        low=got.low,
        high=got.high,
        n=got.n,
        interval_method="over items: jackknife, or Wilson for shares",
        confidence=confidence,
        blank_reason=got.blank_reason,
    )


def _prompt(question: str, answer: str, rubric: str, style: Style) -> Prompt:
    shown = f"Question: {question}\nAnswer: {answer}\n{rubric}"
    return (Message("user", shown),) if style == "chat" else f"{shown}\nNumber: "
