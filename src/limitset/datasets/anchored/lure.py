"""Which questions have a popular wrong answer that is known beforehand?

A lure follows from a rule, never from a model's reply: the largest city where it is not the capital; the
euro in Europe outside the euro area; the first letters of an element whose symbol begins otherwise; the
longer decimal, and the fraction with the larger bottom, where the other one is larger.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from limitset.datasets.anchored import elements, money, places
from limitset.datasets.anchored.computed import ANCHOR, SEED
from limitset.datasets.questions import Question


def lures() -> list[Question]:
    """Return the questions of the lure stratum."""
    countries = places.countries()
    return [
        *(places.capital_question(one, kind="capital", lure=one.larger) for one in countries if one.larger),
        *(_state(one) for one in places.states() if one.larger),
        *(money.currency_question(one, lure="Euro") for one in countries if one.code in money.EUROPE),
        *(elements.symbol_question(name) for name in elements.irregular()),
        *decimals(),
        *fractions(),
    ]


def decimals() -> list[Question]:
    """Ask which of two decimals is larger, where the smaller one has more digits: 9.11 or 9.9."""
    rng = np.random.default_rng(SEED + 1)
    pairs = [(9, 9, 11)]
    while len(pairs) < 14:
        whole, tenth = int(rng.integers(1, 20)), int(rng.integers(3, 10))
        longer = int(rng.integers(10, 10 * tenth))
        if longer > tenth and (whole, tenth, longer) not in pairs and longer % 10:
            pairs.append((whole, tenth, longer))
    return [
        _decimal(whole, tenth, longer, swap=at % 2 == 0) for at, (whole, tenth, longer) in enumerate(pairs)
    ]


def fractions() -> list[Question]:
    """Ask which of two unit fractions is larger."""
    pairs = [(2, 3), (3, 4), (2, 5), (4, 5), (3, 8), (5, 6), (4, 10), (6, 9), (7, 8), (5, 12)]
    return [_fraction(low, high, swap=at % 2 == 0) for at, (low, high) in enumerate(pairs)]


def exemplars() -> dict[str, tuple[Question, ...]]:
    """Return worked examples of the kinds that stand only here."""
    return {
        # right answers of both lengths and in both places, so that no example teaches a shortcut
        "decimal": (
            _choice("decimal", "shown-1", right="2.61", lure="2.5", swap=True),
            _choice("decimal", "shown-2", right="30.7", lure="30.25", swap=False),
            _choice("decimal", "shown-3", right="14.37", lure="14.2", swap=False),
        ),
        "fraction": (
            _choice("fraction", "shown-1", right="3/5", lure="1/2", swap=True),
            _choice("fraction", "shown-2", right="1/9", lure="1/10", swap=False),
            _choice("fraction", "shown-3", right="6/7", lure="2/7", swap=False),
        ),
    }


def _state(place: places.Place) -> Question:
    question = places.capital_question(place, kind="state", lure=place.larger)
    return replace(question, wordings=places.state_or_country("state", place.name))


def _decimal(whole: int, tenth: int, longer: int, *, swap: bool) -> Question:
    # tenth is one digit and longer has two and does not pass 10 * tenth, so the shorter one is larger
    right, lure = f"{whole}.{tenth}", f"{whole}.{longer}"
    return _choice("decimal", f"{right}-{lure}", right=right, lure=lure, swap=swap)


def _fraction(low: int, high: int, *, swap: bool) -> Question:
    return _choice("fraction", f"{low}-{high}", right=f"1/{low}", lure=f"1/{high}", swap=swap)


def _choice(kind: str, name: str, *, right: str, lure: str, swap: bool) -> Question:
    first, second = (lure, right) if swap else (right, lure)
    return Question(
        item=f"{kind}-{name}",
        kind=kind,
        wordings=(
            f"Which is larger, {first} or {second}?",
            f"Which of these two numbers is greater: {first} or {second}?",
            f"Of {first} and {second}, which one is bigger?",
        ),
        accepted=(right,),
        lure=lure,
        stratum="lure",
        form="number" if kind == "decimal" else "choice",
        anchor=ANCHOR,
        anchor_error=0.0,
        licence="none needed: facts computed here",
    )
