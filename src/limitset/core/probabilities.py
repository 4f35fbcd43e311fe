"""What probability did each system give to each choice of each question?"""

from __future__ import annotations

from typing import Final

import numpy as np
from jaxtyping import Float, Int

from limitset.core.ends import Ends
from limitset.core.errors import InputError
from limitset.core.levels import Status
from limitset.core.pair_sums import PairPanel, by_question

CLOSE: Final = 1e-6
"""Probabilities of the choices sum to 1 up to this."""


def probability_panel(ends: Ends) -> tuple[PairPanel, int]:
    """Read the probabilities of the choices, averaged over the runs of a system on a question.

    Parameters
    ----------
    ends
        Runs; greedy ones, and rows without probabilities that sum to 1, are left out.

    Returns
    -------
    PairPanel, int
        Questions with a run that is right, whose likeliest choice is the right one; and how many questions
        with probabilities have no such run and are left out.

    Raises
    ------
    InputError
        When no question is left.

    References
    ----------
    Goel et al. (2025), arXiv:2502.04313, section 3 (probabilities of choices in place of answers).

    Examples
    --------
    >>> ends = Ends.of(item=["p", "p"], system=["a", "b"], end="x", right=[1, None],
    ...     choice_probabilities=[(0.75, 0.25), (0.5, 0.5)])
    >>> panel, left_out = probability_panel(ends)
    >>> panel.right.tolist(), panel.wrong.tolist(), panel.choices.tolist(), left_out
    ([[0.75], [0.5]], [[0.25], [0.5]], [2.0], 0)
    """
    rows, flat, sizes = _probabilities(ends)
    ends = ends.where(rows)
    item, system = ends.coded("item"), ends.coded("system")
    items, question = np.unique(item.codes, return_inverse=True)
    # systems in the order in which they come
    seen = dict.fromkeys(system.codes.tolist())
    place = {code: index for index, code in enumerate(seen)}
    who = np.array([place[code] for code in system.codes.tolist()], dtype=np.int64)
    choices = np.zeros(items.size, dtype=np.int64)
    choices[question] = sizes
    fits = choices[question] == sizes
    gold = _gold(flat, sizes, question, ends.numbers("right"), items.size)
    known = (gold >= 0) & (choices >= 2)
    if not known.any():
        raise InputError.of(
            expected="one question or more with choice_probabilities and a run that is right",
            got=f"{items.size} questions with probabilities, none of them",
            fix="Give `right`.",
        )
    kept = fits & known[question]
    starts = np.cumsum(sizes) - sizes
    offset = np.cumsum(choices) - choices
    row_of = np.repeat(np.arange(sizes.size), sizes)
    inside = kept[row_of]
    column = (offset[question] - starts)[row_of] + np.arange(flat.size)
    width = int(choices.sum())
    totals = np.bincount(
        who[row_of[inside]] * width + column[inside], weights=flat[inside], minlength=len(seen) * width
    ).reshape(len(seen), width)
    runs = np.bincount(who[kept] * items.size + question[kept], minlength=len(seen) * items.size).reshape(
        len(seen), items.size
    )
    owner = np.repeat(np.arange(items.size), choices)
    mass = totals / np.maximum(runs, 1)[:, owner]
    is_gold = np.arange(width) == np.where(known, offset + gold, -1)[owner]
    questions = np.flatnonzero(known)
    renumbered = np.full(items.size, -1)
    renumbered[questions] = np.arange(questions.size)
    wrong = known[owner] & ~is_gold
    right = by_question(mass[:, is_gold], renumbered[owner[is_gold]], questions.size)
    lost = by_question(mass[:, wrong], renumbered[owner[wrong]], questions.size)
    panel = PairPanel(
        names=np.array([system.values[code] for code in seen], dtype=object),
        items=np.array([item.values[items[row]] for row in questions], dtype=object),
        clusters=np.arange(questions.size),
        answered=right + lost,
        right=right,
        wrong=mass[:, wrong],
        item=renumbered[owner[wrong]],
        choices=choices[questions].astype(np.float64),
        choices_from="probabilities of the choices",
    )
    return panel, int(items.size - questions.size)


def _probabilities(
    ends: Ends,
) -> tuple[Int[np.ndarray, " n"], Float[np.ndarray, " f"], Int[np.ndarray, " n"]]:
    """Rows that count, their probabilities in one row after the other, and how many each has."""
    column = np.asarray(ends.columns["choice_probabilities"])
    counted = (ends.numbers("greedy") != 1) & (ends.texts("status") == Status.ANSWERED.value)
    rows = np.array([row for row in np.flatnonzero(counted) if column[row]], dtype=np.int64)
    sizes = np.array([len(column[row]) for row in rows], dtype=np.int64)
    flat = (
        np.concatenate([np.asarray(column[row], dtype=np.float64) for row in rows])
        if rows.size
        else np.zeros(0)
    )
    owner = np.repeat(np.arange(rows.size), sizes)
    sums = np.bincount(owner, weights=flat, minlength=rows.size)
    good = np.abs(sums - 1) <= CLOSE  # false for NaN
    return rows[good], flat[good[owner]], sizes[good]


def _gold(
    flat: Float[np.ndarray, " f"],
    sizes: Int[np.ndarray, " n"],
    question: Int[np.ndarray, " n"],
    right: Float[np.ndarray, " n"],
    questions: int,
) -> Int[np.ndarray, " q"]:
    """Index of the right choice of each question, -1 where no run says it or two runs say different ones."""
    owner = np.repeat(np.arange(sizes.size), sizes)
    starts = np.cumsum(sizes) - sizes
    top = np.maximum.reduceat(flat, starts) if sizes.size else np.zeros(0)
    at = np.flatnonzero(flat == top[owner])
    likeliest = np.full(sizes.size, -1)
    likeliest[owner[at[::-1]]] = (at - starts[owner[at]])[::-1]
    said = np.flatnonzero(right == 1)
    low, high = np.full(questions, np.iinfo(np.int64).max), np.full(questions, -1)
    np.minimum.at(low, question[said], likeliest[said])
    np.maximum.at(high, question[said], likeliest[said])
    return np.where(low == high, high, -1)
