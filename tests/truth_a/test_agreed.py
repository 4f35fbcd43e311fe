"""Wrong when agreed, with its coverage."""

import numpy as np
import pytest

from limitset.core.ends import Ends
from limitset.core.errors import InputError
from limitset.core.items import Items
from limitset.core.levels import Level
from limitset.core.tallies import tallied
from limitset.datasets.planted import mixture_world, planted_tallies, population_agreed, stratified_world
from limitset.instruments.truth.agreed import wrong_when_agreed


def _tallies(answers, anchor_error=None):
    rows = [
        {
            "item": item,
            "system": f"m{place % 2}",
            "seed": place,
            "end": None if end == "-" else end,
            "right": None if end == "-" else float(end == "r"),
        }
        for item, ends in answers.items()
        for place, end in enumerate(ends)
    ]
    names = list(answers)
    items = Items.of(
        item=names, text=names, stratum=[n[0] for n in names], anchor_error=[anchor_error] * len(names)
    )
    return tallied(Ends.of_rows(rows), items)


# ten questions of each: all right; 3 of 4 wrong; a tie of right and wrong; one answer among abstentions
QUESTIONS = (
    {f"a{n}": "rrrr" for n in range(10)}
    | {f"b{n}": "xxxr" for n in range(10)}
    | {f"c{n}": "rrxx" for n in range(10)}
    | {f"d{n}": "x---" for n in range(10)}
)


def test_by_hand():
    got = wrong_when_agreed(_tallies(QUESTIONS), thresholds=(0.25, 0.5, 0.75, 1.0))
    # modal shares 1, .75, .5, .25; wrong 0, 1, 1/2, 1
    rates = got.rates.where(stratum="all")
    assert rates.value[:3].tolist() == [2.5 / 4, 1.5 / 3, 1 / 2]
    assert got.coverage.where(stratum="all").value.tolist() == [1, 3 / 4, 2 / 4, 1 / 4]
    # ten questions agree fully and none is wrong: a bound; few on both sides, so 1 - .025 ** (1 / 10)
    full = got.rates.one(stratum="all", threshold=1.0)
    assert (full.blank, full.low, full.high) == (True, 0.0, pytest.approx(1 - 0.025**0.1))
    assert full.blank_reason == "no question carries it"


def test_strata_first_all_last():
    got = wrong_when_agreed(_tallies(QUESTIONS), thresholds=(0.5,))
    assert got.rates.axes["stratum"].tolist() == ["a", "b", "c", "d", "all"]
    assert got.rates.one(stratum="c", threshold=0.5).value == 0.5
    nothing = got.rates.one(stratum="d", threshold=0.5)
    assert (nothing.blank_reason, got.coverage.one(stratum="d", threshold=0.5).value) == (
        "it never happened",
        0,
    )


def test_known_value_of_the_mixture():
    panel = planted_tallies(mixture_world(models=9), questions=40_000, seeds=1, rng=np.random.default_rng(3))
    got = wrong_when_agreed(panel, thresholds=(7 / 9,))
    assert got.rates.one(stratum="all", threshold=7 / 9).value == pytest.approx(0.1411, abs=0.006)
    assert got.coverage.one(stratum="all", threshold=7 / 9).value == pytest.approx(0.6619, abs=0.007)


@pytest.mark.parametrize("threshold", [0.25, 0.5, 0.75])
def test_agrees_with_exact_enumeration(threshold):
    world = stratified_world().abstaining(0.1)
    panel = planted_tallies(world, questions=20_000, seeds=2, rng=np.random.default_rng(4))
    got = wrong_when_agreed(panel, thresholds=(threshold,))
    rate, coverage = population_agreed(world, threshold=threshold, seeds=2)
    assert got.rates.one(stratum="all", threshold=threshold).value == pytest.approx(rate, abs=0.012)
    assert got.coverage.one(stratum="all", threshold=threshold).value == pytest.approx(coverage, abs=0.012)


def test_brute_force():
    tallies = _tallies(QUESTIONS)
    for threshold in (0.25, 0.5, 0.75):
        wrong = agreed = 0.0
        for ends in QUESTIONS.values():
            said = [end for end in ends if end != "-"]
            top = max(said.count(answer) for answer in said)
            if top / len(ends) < threshold:
                continue
            tied = {answer for answer in said if said.count(answer) == top}
            agreed += 1
            wrong += len(tied - {"r"}) / len(tied)
        got = wrong_when_agreed(tallies, thresholds=(threshold,)).rates.one(
            stratum="all", threshold=threshold
        )
        assert got.value == pytest.approx(wrong / agreed)


def test_keywords_move_the_answer():
    tallies = _tallies(QUESTIONS)
    slim, wide = (
        wrong_when_agreed(tallies, thresholds=(0.5,), confidence=c).rates.one(stratum="all", threshold=0.5)
        for c in (0.8, 0.99)
    )
    assert wide.low < slim.low < slim.high < wide.high
    assert wrong_when_agreed(tallies, level=Level.TEXT).rates.level is Level.TEXT


def test_a_doubtful_key_widens_by_its_share_of_the_agreed():
    sure, doubtful = (
        wrong_when_agreed(_tallies(QUESTIONS, error), thresholds=(0.5,)).rates.one(
            stratum="all", threshold=0.5
        )
        for error in (0.0, 0.03)
    )
    assert sure.low - doubtful.low == pytest.approx(0.03 / 0.75)
    assert doubtful.high - sure.high == pytest.approx(0.03 / 0.75)


def test_laws():
    plain = wrong_when_agreed(_tallies(QUESTIONS), thresholds=(0.5,)).rates.where(stratum="all")
    for other in (
        dict(reversed(QUESTIONS.items())),
        {name: ends.replace("x", "z") for name, ends in QUESTIONS.items()},
        {name: ends[::-1] for name, ends in QUESTIONS.items()},
    ):
        got = wrong_when_agreed(_tallies(other), thresholds=(0.5,)).rates.where(stratum="all")
        assert got.value.tolist() == plain.value.tolist()
        assert got.low.tolist() == pytest.approx(plain.low.tolist())
    twice = {f"{name}{copy}": ends for name, ends in QUESTIONS.items() for copy in "xy"}
    doubled = wrong_when_agreed(_tallies(twice), thresholds=(0.5,)).rates.where(stratum="all")
    assert doubled.value.tolist() == plain.value.tolist()
    assert plain.low[0] < doubled.low[0] < doubled.high[0] < plain.high[0]


def test_refusals():
    for bad in ((0.0,), (1.2,), ()):
        with pytest.raises(InputError, match="thresholds must lie in"):
            wrong_when_agreed(_tallies(QUESTIONS), thresholds=bad)
    with pytest.raises(InputError, match="right or wrong"):
        wrong_when_agreed(tallied(Ends.of(item=["q"], system=["m"], end=["a"])))
