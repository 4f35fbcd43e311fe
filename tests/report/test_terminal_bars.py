"""What does a row of bars say of a kind of question without any rate?"""

from __future__ import annotations

import math

import pytest

from limitset.report.page import Page
from limitset.report.terminal import curve_lines


def lines(low: float, high: float) -> list[str]:
    def row(stratum: str, votes: int, value: float, low: float, high: float) -> dict[str, object]:
        return {
            "instrument": "surviving_error",
            "system": "all",
            "stratum": stratum,
            "votes": votes,
            "value": value,
            "low": low,
            "high": high,
        }

    numbers = [row("easy", votes, 0.2, 0.1, 0.3) for votes in (1, 2, 3)]
    numbers += [row("trap", votes, math.nan, low, high) for votes in (1, 2, 3)]
    return curve_lines(Page(title="t", scope="s", date="d", headline=(), numbers=tuple(numbers)))


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.697, 1.0, "wrong: at least 69 %"),
        (0.0, 0.041, "wrong: at most 5 %"),
        (0.2, 0.6, "blank"),
        (math.nan, math.nan, "blank"),
    ],
)
def test_a_blank_kind_of_question_shows_its_bound(low: float, high: float, words: str) -> None:
    row = next(line for line in lines(low, high) if "trap" in line)
    assert row.endswith(f"···  {words}")
