"""Error that survives voting."""

from itertools import combinations

import numpy as np
import pytest

from limitset.core.ends import Ends
from limitset.core.errors import InputError
from limitset.core.items import Items
from limitset.core.levels import Level
from limitset.core.tallies import tallied
from limitset.datasets.planted import mixture_world, planted_tallies, population_error, stratified_world
from limitset.instruments.truth.surviving import surviving_error


def _rng(seed=0):
    return np.random.default_rng(seed)


def _tallies(answers, systems=None):
    """Build runs from {question: string of ends}: r right, letters wrong, - no answer."""
    rows = [
        {
            "item": item,
            "system": systems[place] if systems else "m",
            "seed": place,
            "end": None if end == "-" else end,
            "right": None if end == "-" else float(end == "r"),
        }
        for item, ends in answers.items()
        for place, end in enumerate(ends)
    ]
    return tallied(Ends.of_rows(rows))


def _subsets(ends, votes):
    """P(plurality wrong), P(silent) over all subsets, ties split evenly."""
    wrong = silent = 0.0
    chosen = list(combinations(ends, votes))
    for runs in chosen:
        said = [run for run in runs if run != "-"]
        if not said:
            silent += 1
            continue
        counts = {answer: said.count(answer) for answer in said}
        tied = [answer for answer, count in counts.items() if count == max(counts.values())]
        wrong += sum(answer != "r" for answer in tied) / len(tied)
    return wrong / len(chosen), silent / len(chosen)


QUESTIONS = {f"q{n}": "rrab" for n in range(10)} | {f"t{n}": "aaar" for n in range(10)}


def test_by_hand():
    # rrab: e_1 = 2/4; e_4 = 0 (r leads). e_2: pairs rr right, ra ra rb rb split, ab wrong: (4 / 2 + 1) / 6 = 1/2
    # aaar: e_1 = 3/4; e_4 = 1. e_2: three aa wrong, three ar split: (3 + 1.5) / 6 = 3/4
    got = surviving_error(_tallies(QUESTIONS), draws=4000, rng=_rng())
    curve = got.curve.where(system="all", stratum="all")
    assert curve.axes["votes"].tolist() == [1, 2, 3, 4]
    assert not any("left out" in note for note in got.curve.notes)
    assert curve.value[0] == (2 / 4 + 3 / 4) / 2
    assert curve.value[1] == pytest.approx((1 / 2 + 3 / 4) / 2, abs=0.004)
    assert curve.value[3] == 0.5
    assert got.share.one(system="all", stratum="all").value == pytest.approx(0.5 / 0.625)


@pytest.mark.parametrize("ends", ["rab", "rraab", "r-a-b", "aa--r-", "----"])
def test_equals_enumeration_of_all_subsets(ends):
    tallies = _tallies({f"q{n}": ends for n in range(12)} | {f"o{n}": "r" * len(ends) for n in range(12)})
    got = surviving_error(tallies, draws=3000, rng=_rng(1))
    for votes in range(1, len(ends) + 1):
        wrong, silent = _subsets(ends, votes)
        point = got.curve.one(system="all", stratum="all", votes=votes)
        if wrong:
            assert point.value == pytest.approx(wrong / 2, abs=0.004)
        else:
            assert point.blank
            assert point.low == 0
        quiet = got.silent.one(system="all", stratum="all", votes=votes)
        assert quiet.value == pytest.approx(silent / 2, abs=0.004)


def test_known_value_of_nine_voters():
    panel = planted_tallies(mixture_world(models=9), questions=3000, seeds=1, rng=_rng(2))
    got = surviving_error(panel, votes=(1, 9), draws=1, rng=_rng())
    nine = got.curve.one(system="all", stratum="all", votes=9)
    assert nine.low < 1 - 0.658 < nine.high
    assert nine.high - nine.low < 0.04


def test_systems_stand_by_themselves():
    panel = planted_tallies(stratified_world(), questions=2000, seeds=4, rng=_rng(3))
    got = surviving_error(panel, draws=50, rng=_rng())
    first, second = (got.curve.one(system=name, stratum="all", votes=1).value for name in ("m0", "m1"))
    both = got.curve.one(system="all", stratum="all", votes=1).value
    assert both == pytest.approx((first + second) / 2)
    assert first != second
    eight = got.curve.one(system="all", stratum="all", votes=8)
    assert eight.low < population_error(stratified_world(), votes=8, seeds=4) < eight.high
    assert max(got.curve.where(system="m0").axes["votes"]) == 8
    assert max(got.curve.where(system="all").axes["votes"]) == 16


def test_strata_come_before_all():
    panel = planted_tallies(mixture_world(), questions=200, seeds=5, rng=_rng())
    got = surviving_error(panel, rng=_rng(), draws=10).share.where(system="m0")
    assert got.axes["stratum"][-1] == "all"
    assert set(got.axes["stratum"]) == {"easy", "dispersed", "trap", "all"}
    # voting makes traps worse, and removes nearly all error on easy questions
    assert got.one(stratum="trap").value > 1
    assert got.one(stratum="easy").blank or got.one(stratum="easy").value < 0.5


def test_few_wrong_questions_are_blank_with_a_bound():
    tallies = _tallies({f"q{n}": "rrrr" for n in range(97)} | {f"t{n}": "aaaa" for n in range(3)})
    got = surviving_error(tallies, rng=_rng())
    point = got.curve.one(system="all", stratum="all", votes=4)
    assert (point.blank, point.low, point.blank_reason) == (True, 0.0, "fewer than 5 questions carry it")
    assert 0.03 < point.high < 0.1
    share = got.share.one(system="all", stratum="all")
    assert share.blank
    assert share.high == pytest.approx(point.high / 0.03)


def test_few_right_questions_are_blank_with_a_lower_bound():
    tallies = _tallies({f"q{n}": "aaaa" for n in range(97)} | {f"t{n}": "rrrr" for n in range(3)})
    got = surviving_error(tallies, rng=_rng())
    point = got.curve.one(system="all", stratum="all", votes=4)
    assert (point.blank, point.high, point.blank_reason) == (
        True,
        1.0,
        "fewer than 5 questions carry the rest",
    )
    assert 0.9 < point.low < 0.97
    share = got.share.one(system="all", stratum="all")
    # e_1 is 1 at most
    assert (share.blank, share.low) == (True, point.low)
    assert share.high == pytest.approx(1 / 0.97)


def test_share_is_judged_after_the_last_vote():
    # rrabc: four votes tie r with a wrong one whenever an r is left out, five do not: e_1 = 3/5, e_5 = 0
    tallies = _tallies({f"q{n}": "rrabc" for n in range(10)} | {f"t{n}": "rrrrr" for n in range(10)})
    got = surviving_error(tallies, rng=_rng(), draws=50)
    assert got.curve.one(system="all", stratum="all", votes=4).value > 0.1
    share = got.share.one(system="all", stratum="all")
    # none of twenty: 1 - .05^(1 / 20), over e_1 = .3
    assert (share.blank_reason, share.n) == ("no question carries it", 20)
    assert share.high == pytest.approx((1 - 0.05 ** (1 / 20)) / 0.3)


def test_no_event_is_bounded_by_about_three_over_n():
    got = surviving_error(_tallies({f"q{n}": "rr" for n in range(100)}), rng=_rng())
    assert got.curve.one(system="all", stratum="all", votes=2).high == pytest.approx(3 / 100, rel=0.02)
    assert got.share.one(system="all", stratum="all").blank


def test_one_run_has_no_surviving_share():
    got = surviving_error(_tallies({f"q{n}": "ra"[n % 2] for n in range(40)}), rng=_rng())
    assert got.share.one(system="all", stratum="all").blank_reason == "one run a question"


def test_questions_with_fewer_runs_are_left_out_and_said():
    tallies = _tallies({f"q{n}": "ra" * 4 for n in range(39)} | {"short": "a"})
    got = surviving_error(tallies, rng=_rng(), draws=5)
    assert got.curve.one(system="all", stratum="all", votes=1).value == 0.5
    assert "all: 1 questions with fewer runs left out" in got.curve.notes


def test_unequal_runs_are_voted_each_from_its_own():
    tallies = _tallies({f"q{n}": "rab" for n in range(20)} | {f"p{n}": "aaaar" for n in range(20)})
    got = surviving_error(tallies, votes=(1, 3), rng=_rng(), draws=2000)
    expected = (_subsets("rab", 3)[0] + _subsets("aaaar", 3)[0]) / 2
    assert got.curve.one(system="all", stratum="all", votes=3).value == pytest.approx(expected, abs=0.005)


def test_more_votes_than_runs_are_blank():
    got = surviving_error(_tallies(QUESTIONS), votes=(1, 9), rng=_rng(), draws=5)
    assert got.curve.one(system="all", stratum="all", votes=9).blank_reason == "fewer than 9 runs a question"


def test_keywords_move_the_answer():
    tallies = _tallies(QUESTIONS)
    wide = surviving_error(tallies, rng=_rng(), draws=9, confidence=0.99).curve.one(
        system="all", stratum="all", votes=4
    )
    slim = surviving_error(tallies, rng=_rng(), draws=9, confidence=0.8).curve.one(
        system="all", stratum="all", votes=4
    )
    assert wide.low < slim.low < slim.high < wide.high
    # twelve runs or fewer are counted exactly, whatever the draws; sixteen are drawn
    many = _tallies({item: ends * 4 for item, ends in QUESTIONS.items()})
    exact = {surviving_error(tallies, rng=_rng(seed), draws=3).curve.value[1] for seed in (0, 1)}
    assert len(exact) == 1
    values = {
        (draws, seed): surviving_error(many, rng=_rng(seed), draws=draws).curve.value[1]
        for draws, seed in ((3, 0), (3, 1), (4, 0))
    }
    assert len(set(values.values())) == 3
    assert surviving_error(tallies, rng=_rng(), level=Level.TEXT).curve.level is Level.TEXT


def test_a_doubtful_key_widens_the_interval():
    names = list(QUESTIONS)
    rows = [
        {"item": q, "system": "m", "seed": s, "end": e, "right": float(e == "r")}
        for q, ends in QUESTIONS.items()
        for s, e in enumerate(ends)
    ]
    sure, doubtful = (
        surviving_error(
            tallied(Ends.of_rows(rows), Items.of(item=names, text=names, anchor_error=[error] * 20)),
            rng=_rng(),
            draws=9,
        )
        for error in (0.0, 0.03)
    )
    for name, by in (("curve", 0.03), ("share", 0.03 / 0.625)):
        one, other = (
            list(getattr(got, name).where(system="all", stratum="all").rows())[-1] for got in (sure, doubtful)
        )
        assert one.low - other.low == pytest.approx(by)
        assert other.high - one.high == pytest.approx(by)


@pytest.mark.parametrize(("right", "by"), [(2, (0.03, 0.0)), (18, (0.0, 0.03 / 0.1))])
def test_a_doubtful_key_widens_the_bound_of_the_share(right, by):
    names = [f"q{n}" for n in range(20)]
    ends = Ends.of(
        item=names * 2,
        system="m",
        seed=[0] * 20 + [1] * 20,
        end=["r"] * right + ["a"] * (20 - right) + ["r"] * right + ["a"] * (20 - right),
        right=([1] * right + [0] * (20 - right)) * 2,
    )
    sure, doubtful = (
        surviving_error(
            tallied(ends, Items.of(item=names, text=names, anchor_error=[error] * 20)), rng=_rng()
        ).share.one(system="all", stratum="all")
        for error in (0.0, 0.03)
    )
    assert sure.blank
    assert (sure.low - doubtful.low, doubtful.high - sure.high) == pytest.approx(by)


def test_laws():
    tallies = _tallies(QUESTIONS)
    backwards = _tallies(dict(reversed(QUESTIONS.items())))
    renamed = _tallies({q: ends.replace("a", "z") for q, ends in QUESTIONS.items()})
    twice = _tallies({f"{q}{copy}": ends for q, ends in QUESTIONS.items() for copy in "xy"})
    exact = [
        surviving_error(one, votes=(1, 4), draws=1, rng=_rng()).curve.where(system="all")
        for one in (tallies, backwards, renamed, twice)
    ]
    for other in exact[1:]:
        assert other.value.tolist() == exact[0].value.tolist()
    assert (exact[3].high - exact[3].low)[0] < (exact[0].high - exact[0].low)[0]


def test_refusals():
    with pytest.raises(InputError, match="draws and votes must be 1 or more"):
        surviving_error(_tallies(QUESTIONS), votes=(0,), rng=_rng())
    with pytest.raises(InputError, match="draws and votes must be 1 or more"):
        surviving_error(_tallies(QUESTIONS), draws=0, rng=_rng())
    unknown = tallied(Ends.of(item=["q"], system=["m"], end=["a"]))
    with pytest.raises(InputError, match="right or wrong"):
        surviving_error(unknown, rng=_rng())


def test_memory_is_bounded_by_chunks(monkeypatch):
    panel = planted_tallies(mixture_world(), questions=60, seeds=6, rng=_rng())
    whole = surviving_error(panel, draws=300, rng=_rng())
    monkeypatch.setattr("limitset.core.voting._CELLS_AT_ONCE", 5000)
    parts = surviving_error(panel, draws=300, rng=_rng())
    assert np.allclose(whole.curve.value, parts.curve.value, atol=0.02, equal_nan=True)
