"""Shares of outcomes: worked by hand, against brute force, and laws."""

from __future__ import annotations

import numpy as np
import pytest

from limitset.core.ends import Ends
from limitset.core.errors import InputError
from limitset.core.intervals import wilson
from limitset.core.items import Items
from limitset.core.levels import Level
from limitset.core.tallies import tallied
from limitset.datasets.planted.panels import planted_panel, planted_tallies, stratified_world
from limitset.instruments.truth.outcomes import OUTCOMES, outcomes


def small() -> tuple[Ends, Items]:
    rows = [
        {"item": "p", "system": "a", "seed": 0, "end": "x", "right": 1},
        {"item": "p", "system": "a", "seed": 1, "end": "y", "right": 0},
        {"item": "q", "system": "a", "seed": 0, "end": None, "status": "abstained"},
        {"item": "q", "system": "a", "seed": 1, "end": None, "status": "unparsed"},
        {"item": "q", "system": "a", "seed": 2, "end": "z", "right": 0},
        {"item": "q", "system": "a", "seed": 3, "end": "z", "right": 0},
        {"item": "p", "system": "b", "seed": 0, "end": "x", "right": 1},
    ]
    items = Items.of(item=["p", "q"], text=["p?", "q?"], stratum=["easy", "lure"])
    return Ends.of_rows(rows), items


def test_by_hand() -> None:
    ends, items = small()
    rates = outcomes(tallied(ends, items)).rates
    # system a: p is right 1/2, wrong 1/2; q is wrong 2/4, abstained 1/4, unparsed 1/4; questions weigh the same
    assert rates.where(system="a", stratum="all").value.tolist() == [0.25, 0.5, 0.125, 0.125]
    # all runs: p is right 2/3, wrong 1/3
    assert rates.one(system="all", stratum="easy", outcome="right").value == pytest.approx(2 / 3)
    assert rates.axes["outcome"][:4].tolist() == list(OUTCOMES)
    assert (rates.axes["system"][-1], rates.axes["stratum"][-1]) == ("all", "all")
    assert rates.one(system="a", stratum="all", outcome="right").n == 2


def test_blank_where_a_system_has_no_run() -> None:
    ends, items = small()
    row = outcomes(tallied(ends, items)).rates.one(system="b", stratum="lure", outcome="wrong")
    assert row.blank
    assert "no run" in row.blank_reason


def test_never_is_bounded_by_wilson_over_questions() -> None:
    ends = Ends.of(item=[f"q{q}" for q in range(40)], system="m", end="x", right=1)
    row = outcomes(tallied(ends)).rates.one(system="m", outcome="wrong")
    assert (row.value, row.low) == (0.0, pytest.approx(0.0, abs=1e-12))
    assert row.high == pytest.approx(wilson(0, 40).high)


def test_shares_sum_to_one_and_match_brute_force() -> None:
    ends, items = planted_panel(
        stratified_world().abstaining(0.2), questions=60, seeds=3, rng=np.random.default_rng(0)
    )
    rates = outcomes(tallied(ends, items)).rates
    totals = rates.value.reshape(-1, 4).sum(axis=1)
    np.testing.assert_allclose(totals, 1.0, rtol=0, atol=1e-12)
    assert ((rates.low <= rates.value) & (rates.value <= rates.high)).all()
    rows = [row for row in ends.rows() if row["system"] == "m1"]
    per_question = {}
    for row in rows:
        per_question.setdefault(row["item"], []).append(row["right"] == 0)
    expected = np.mean([np.mean(value) for value in per_question.values()])
    got = rates.one(system="m1", stratum="all", outcome="wrong").value
    assert got == pytest.approx(expected)


def test_every_keyword_moves_the_answer() -> None:
    ends, items = planted_panel(stratified_world(), questions=60, seeds=3, rng=np.random.default_rng(0))
    tallies = tallied(ends, items)
    wide, narrow = (outcomes(tallies, confidence=c).rates for c in (0.99, 0.8))
    assert (wide.high[0] - wide.low[0]) > (narrow.high[0] - narrow.low[0])
    assert outcomes(tallies, level=Level.TEXT).rates.level is Level.TEXT


def test_wrong_keys_widen_right_and_wrong_only() -> None:
    ends, items = planted_panel(
        stratified_world().abstaining(0.2), questions=60, seeds=3, rng=np.random.default_rng(0)
    )
    doubtful = Items.of(
        item=items.texts("item"),
        text=items.texts("text"),
        stratum=items.texts("stratum"),
        anchor_error=[0.02] * 60,
    )
    sure, unsure = outcomes(tallied(ends, items)).rates, outcomes(tallied(ends, doubtful)).rates
    for outcome, widening in (("right", 0.02), ("wrong", 0.02), ("abstained", 0.0)):
        a, b = (one.one(system="m0", stratum="all", outcome=outcome) for one in (sure, unsure))
        assert (a.low - b.low, b.high - a.high) == pytest.approx((widening, widening))


def test_item_order_does_not_matter() -> None:
    ends, items = planted_panel(stratified_world(), questions=30, seeds=2, rng=np.random.default_rng(0))
    shuffled = ends.where(np.random.default_rng(1).permutation(len(ends)))
    got, other = outcomes(tallied(ends, items)).rates, outcomes(tallied(shuffled, items)).rates
    for row in got.rows():
        twin = other.one(**{axis: row.parameters[axis] for axis in got.axes})
        assert row.value == pytest.approx(twin.value)
        assert row.low == pytest.approx(twin.low)


def test_refuses_answers_without_an_anchor() -> None:
    with pytest.raises(InputError, match="no anchor"):
        outcomes(tallied(Ends.of(item=["q"], system="m", end="x")))


@pytest.mark.slow
def test_intervals_cover() -> None:
    world, rng = stratified_world().abstaining(0.1), np.random.default_rng(0)
    truth = float(world.weights @ (world.shares[:, 0, :, 1:].sum(axis=2).mean(axis=1)))
    hits = 0
    for _ in range(1000):
        row = outcomes(planted_tallies(world, questions=100, seeds=2, rng=rng)).rates.one(
            system="m0", stratum="all", outcome="wrong"
        )
        hits += row.low <= truth <= row.high
    assert 930 <= hits <= 970
