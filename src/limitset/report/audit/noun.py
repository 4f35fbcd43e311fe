"""What are the systems of this panel called: models, judges, raters?"""

from __future__ import annotations

from typing import Final

NOUNS: Final = {"judge": "judge", "rater": "rater", "annotator": "annotator", "grader": "grader"}
"""Column that names the system to what one of them is called; any other is a model."""
WORDS: Final = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def noun_of(column: str) -> str:
    """Return what one system is called, by the column of the log that names it.

    Examples
    --------
    >>> noun_of("Judge"), noun_of("rater_id"), noun_of("model_name")
    ('judge', 'rater', 'model')
    """
    told = column.strip().lower().removesuffix("_id").removesuffix("_name")
    return NOUNS.get(told, "model")


def counted(count: int, noun: str) -> str:
    """Write a number of systems in words where it is small.

    Examples
    --------
    >>> counted(5, "judge"), counted(349, "model"), counted(1, "model")
    ('five judges', '349 models', 'one model')
    """
    return f"{in_words(count)} {noun}{'s' * (count != 1)}"


def in_words(count: int) -> str:
    """Write a small number in words, a larger one in digits."""
    return WORDS[count] if count < len(WORDS) else f"{count:,}"
