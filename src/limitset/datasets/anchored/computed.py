"""Which questions have answers that anybody can compute?

Strings, numbers and the calendar: every key is the value of the expression in this file, so the chance that
it is wrong is that of a fault in these few lines.
"""

from __future__ import annotations

import calendar
from typing import Final

import numpy as np

from limitset.datasets.questions import Question

ANCHOR: Final = "computed"
SEED: Final = 20251122
"""Fixes which of the possible questions are in the set; any other number would do."""


def _question(kind: str, name: str, wordings: tuple[str, ...], answer: str, form: str) -> Question:
    return Question(
        item=f"{kind}-{name}",
        kind=kind,
        wordings=wordings,
        accepted=(answer,),
        stratum="computed",
        form=form,
        anchor=ANCHOR,
        anchor_error=0.0,
        licence="none needed: facts computed here",
    )


def sums(pairs: list[tuple[int, int]]) -> list[Question]:
    """Ask for a + b."""
    return [
        _question(
            "sum",
            f"{a}-{b}",
            (f"What is {a} plus {b}?", f"{a} + {b} = ?", f"Add {a} and {b}. What do you get?"),
            str(a + b),
            "number",
        )
        for a, b in pairs
    ]


def differences(pairs: list[tuple[int, int]]) -> list[Question]:
    """Ask for a - b, a >= b."""
    return [
        _question(
            "difference",
            f"{a}-{b}",
            (f"What is {a} minus {b}?", f"{a} - {b} = ?", f"Take {b} away from {a}. What is left?"),
            str(a - b),
            "number",
        )
        for a, b in pairs
    ]


def products(pairs: list[tuple[int, int]]) -> list[Question]:
    """Ask for a times b."""
    return [
        _question(
            "product",
            f"{a}-{b}",
            (f"What is {a} times {b}?", f"{a} x {b} = ?", f"Multiply {a} by {b}. What do you get?"),
            str(a * b),
            "number",
        )
        for a, b in pairs
    ]


def days_later(pairs: list[tuple[int, int]]) -> list[Question]:
    """Ask which weekday comes so many days after another (0 is Monday)."""
    return [
        _question(
            "weekday",
            f"{calendar.day_name[day].lower()}-{later}",
            (
                f"Today is {calendar.day_name[day]}. What day will it be in {later} days?",
                f"Which day of the week comes {later} days after {calendar.day_name[day]}?",
                f"If it is {calendar.day_name[day]} now, which day is it {later} days from now?",
            ),
            calendar.day_name[(day + later) % 7],
            "name",
        )
        for day, later in pairs
    ]


def month_lengths(months: list[int]) -> list[Question]:
    """Ask how many days a month has; February is left out, since it has two lengths."""
    return [
        _question(
            "month",
            calendar.month_name[month].lower(),
            (
                f"How many days does {calendar.month_name[month]} have?",
                f"How many days are there in {calendar.month_name[month]}?",
                f"{calendar.month_name[month]} is a month of how many days?",
            ),
            str(calendar.monthrange(2025, month)[1]),
            "number",
        )
        for month in months
    ]


FACTORS: Final = {
    ("minutes", "hours"): 60,
    ("hours", "days"): 24,
    ("days", "weeks"): 7,
    ("months", "years"): 12,
    ("centimetres", "metres"): 100,
    ("grams", "kilograms"): 1000,
    ("inches", "feet"): 12,
    ("seconds", "minutes"): 60,
    ("millimetres", "centimetres"): 10,
    ("feet", "yards"): 3,
}
"""(small unit, large unit) to how many of the small make one of the large, exact by definition."""

COUNTS: Final = (2, 2, 3, 2, 3, 2, 2, 3, 4, 5)
"""How many of the large unit are asked about, in the order of `FACTORS`."""


def conversions(asked: list[tuple[str, str, int]]) -> list[Question]:
    """Ask how many small units are in so many large ones."""
    return [
        _question(
            "conversion",
            f"{small}-{count}-{large}",
            (
                f"How many {small} are there in {count} {large}?",
                f"{count} {large} are how many {small}?",
                f"Convert {count} {large} to {small}. How many {small}?",
            ),
            str(count * FACTORS[small, large]),
            "number",
        )
        for small, large, count in asked
    ]


def letter_counts(asked: list[tuple[str, str]]) -> list[Question]:
    """Ask how often a letter stands in a word."""
    return [
        _question(
            "letters",
            f"{letter}-{word}",
            (
                f'How many times does the letter "{letter}" occur in the word "{word}"?',
                f'How many "{letter}"s are in "{word}"?',
                f'Count the letter "{letter}" in "{word}". How many are there?',
            ),
            str(word.count(letter)),
            "number",
        )
        for letter, word in asked
    ]


def sortings(lists: list[tuple[int, ...]]) -> list[Question]:
    """Ask for the same numbers, smallest first."""
    return [
        _question(
            "sorting",
            "-".join(map(str, numbers)),
            (
                f"Sort from smallest to largest: {', '.join(map(str, numbers))}.",
                f"Put these numbers in increasing order: {', '.join(map(str, numbers))}.",
                f"Write {', '.join(map(str, numbers))} with the smallest first.",
            ),
            ", ".join(map(str, sorted(numbers))),
            "list",
        )
        for numbers in lists
    ]


def successors(numbers: list[int]) -> list[Question]:
    """Ask for the next whole number."""
    return [
        _question(
            "next",
            str(number),
            (
                f"Which number comes right after {number}?",
                f"Counting up, what follows {number}?",
                f"What is the next whole number after {number}?",
            ),
            str(number + 1),
            "number",
        )
        for number in numbers
    ]


def first_letters(words: list[str]) -> list[Question]:
    """Ask for the first letter of a word."""
    return [
        _question(
            "initial",
            word,
            (
                f'What is the first letter of the word "{word}"?',
                f'With which letter does "{word}" begin?',
                f'Name the first letter of "{word}".',
            ),
            word[0].upper(),
            "code",
        )
        for word in words
    ]


def parities(numbers: list[int]) -> list[Question]:
    """Ask whether a number is odd or even."""
    return [
        _question(
            "parity",
            str(number),
            (
                f"Is {number} odd or even?",
                f"Is the number {number} even or odd?",
                f"Odd or even: which is {number}?",
            ),
            "odd" if number % 2 else "even",
            "choice",
        )
        for number in numbers
    ]


def larger_of_two(pairs: list[tuple[int, int]]) -> list[Question]:
    """Ask which of two whole numbers is larger."""
    return [
        _question(
            "larger",
            f"{a}-{b}",
            (
                f"Which number is larger, {a} or {b}?",
                f"Which is the bigger number: {a} or {b}?",
                f"Of {a} and {b}, which one is greater?",
            ),
            str(max(a, b)),
            "number",
        )
        for a, b in pairs
    ]


def computed() -> list[Question]:
    """Return the computed questions, about a hundred, easy enough for a model of 100 million weights."""
    rng = np.random.default_rng(SEED)
    small = _pairs(rng, 2, 10, 8)
    return [
        *sums([*_pairs(rng, 2, 10, 8), *_pairs(rng, 11, 30, 2)]),
        *differences([(a + b, b) for a, b in _pairs(rng, 2, 10, 8)]),
        *products(small),
        *days_later([*((day, 1) for day in range(7)), *((day, 3) for day in range(5))]),
        *month_lengths([1, 4, 5, 7, 8, 9, 10, 11]),
        *conversions([(*units, n) for units, n in zip(FACTORS, COUNTS, strict=True)]),
        *letter_counts(
            [("r", "strawberry"), ("e", "cheese"), ("p", "apple"), ("s", "mississippi"), ("o", "tomorrow"),
             ("a", "banana"), ("t", "butter"), ("l", "parallel")]
        ),
        *sortings([tuple(rng.choice(np.arange(1, 20), 3, replace=False).tolist()) for _ in range(8)]),
        *successors([8, 12, 19, 24, 30, 39, 46, 57, 69, 75, 88, 99]),
        *first_letters(
            ["apple", "house", "river", "garden", "window", "music", "tiger", "ocean", "bread", "piano"]
        ),
        *parities(rng.choice(np.arange(10, 100), 8, replace=False).tolist()),
        *larger_of_two([(a, b) for a, b in rng.choice(np.arange(100, 1000), (8, 2), replace=False).tolist()]),
    ]  # fmt: skip


def computed_exemplars() -> dict[str, tuple[Question, ...]]:
    """Return worked examples of every computed kind, none of them asked."""
    return {
        "sum": tuple(sums([(1, 1), (4, 10), (31, 2)])),
        "difference": tuple(differences([(3, 1), (20, 10), (15, 14)])),
        "product": tuple(products([(1, 8), (10, 3), (2, 11)])),
        "weekday": tuple(days_later([(0, 2), (4, 4), (5, 2)])),
        "month": tuple(month_lengths([3, 6, 12])),
        "conversion": tuple(
            conversions([("days", "weeks", 2), ("minutes", "hours", 3), ("grams", "kilograms", 5)])
        ),
        "letters": tuple(letter_counts([("n", "sun"), ("e", "tree"), ("z", "house")])),
        "sorting": tuple(sortings([(21, 5, 30), (40, 22, 2), (1, 33, 25)])),
        "next": tuple(successors([3, 16, 41])),
        "initial": tuple(first_letters(["dog", "lemon", "yellow"])),
        "parity": tuple(parities([7, 4, 102])),
        "larger": tuple(larger_of_two([(12, 70), (98, 31), (5, 40)])),
    }


def _pairs(rng: np.random.Generator, low: int, high: int, count: int) -> list[tuple[int, int]]:
    """Draw different pairs of whole numbers in [low, high)."""
    grid = [(a, b) for a in range(low, high) for b in range(low, high)]
    return [grid[at] for at in sorted(rng.choice(len(grid), count, replace=False))]
