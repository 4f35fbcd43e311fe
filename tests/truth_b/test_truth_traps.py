"""Traps: by hand, brute force, and the winner's curse."""

from __future__ import annotations

import numpy as np
import pytest

from limitset.core.ends import Ends
from limitset.core.errors import InputError
from limitset.core.items import Items
from limitset.core.levels import Level
from limitset.core.tallies import tallied
from limitset.datasets.planted.panels import independent_world, mixture_world, planted_panel
from limitset.instruments.truth.traps import find_traps


def small() -> tuple[Ends, Items]:
    answers = {
        ("au", "a"): ["Sydney", "Sydney"],
        ("au", "b"): ["Sydney", "Canberra"],
        ("tr", "a"): ["Istanbul", "Istanbul"],
        ("tr", "b"): ["ISTANBUL!", "ISTANBUL!"],
        ("fr", "a"): ["Paris", "Paris"],
        ("fr", "b"): ["Lyon", "Lyon"],
        ("de", "a"): ["Berlin", None],
        ("de", "b"): [None, None],
    }
    right = {"Canberra", "Ankara", "Paris", "Berlin"}
    rows = [
        {
            "item": item,
            "system": system,
            "seed": s,
            "end": end,
            "right": None if end is None else end in right,
        }
        for (item, system), ends in answers.items()
        for s, end in enumerate(ends)
    ]
    items = Items.of(
        item=["au", "tr", "fr", "de"],
        text=["?"] * 4,
        lure=["sydney", "Istanbul", None, None],
        stratum=["lure", "lure", "plain", "plain"],
    )
    return Ends.of_rows(rows), items


def test_by_hand() -> None:
    ends, items = small()
    got = find_traps(tallied(ends, items), items, rng=np.random.default_rng(0))
    table = got.table
    # au: Sydney 3/4, both models (b by a tie); fr: Lyon ties with Paris at 1/2; tr: two spellings tie at 1/2
    assert table.axes["item"].tolist()[0] == "au"
    assert table.one(item="au").value == 0.75
    assert table.one(item="au").parameters["systems"] == "a, b"
    assert table.one(item="au").parameters["everyone"] == "yes"
    assert table.one(item="au").parameters["lure"] == "yes"  # compared without case
    assert table.one(item="fr").parameters["systems"] == "b"
    assert table.one(item="fr").parameters["lure"] == ""
    assert table.where(item="tr").axes["lure"].tolist() == ["yes", "yes"]  # and without punctuation
    # error that survives: au 1, tr 1 (both tied answers are wrong), fr 1/2, de 0; in all 2.5
    assert got.check_first.axes["item"].tolist() == ["au", "tr", "fr"]
    assert got.check_first.axes["stratum"].tolist() == ["lure", "lure", "plain"]
    np.testing.assert_allclose(got.check_first.value, [0.4, 0.4, 0.2])
    np.testing.assert_allclose(got.concentration.value, [0.4, 0.8, 1.0])


def test_share_moves_the_table() -> None:
    ends, items = small()
    tallies = tallied(ends, items)
    assert find_traps(tallies, items, share=0.75).table.axes["item"].tolist() == ["au"]
    assert len(find_traps(tallies, items, share=0.76).table) == 0


def test_planted_traps_are_found() -> None:
    ends, items = planted_panel(
        mixture_world(models=2), questions=200, seeds=10, rng=np.random.default_rng(0)
    )
    table = find_traps(tallied(ends, items), items).table
    lured = table.where(lure="yes")
    strata = dict(zip(items.texts("item"), items.texts("stratum"), strict=True))
    assert {strata[item] for item in lured.axes["item"]} == {"trap"}
    assert len(lured) >= 0.85 * sum(stratum == "trap" for stratum in strata.values())
    assert ((table.low <= table.value) & (table.value <= table.high)).all()
    everyone = (table.axes["everyone"] == "yes").astype(int)
    assert (np.diff(everyone) <= 0).all()  # strongest first
    assert (np.diff(table.value[everyone == 1]) <= 0).all()


def test_surviving_error_by_brute_force() -> None:
    ends, items = planted_panel(
        mixture_world(models=2).abstaining(0.2), questions=40, seeds=3, rng=np.random.default_rng(1)
    )
    got = find_traps(tallied(ends, items), items).check_first
    expected = {}
    for item in items.texts("item"):
        ended = [(row["end"], row["right"]) for row in ends.rows() if row["item"] == item and row["end"]]
        counts = {one: sum(other == one for other in ended) for one in set(ended)}
        top = [one for one, count in counts.items() if count == max(counts.values())]
        error = np.mean([right == 0 for _, right in top]) if top else 0.0
        if error > 0:
            expected[item] = error
    total = sum(expected.values())
    assert dict(zip(got.axes["item"], got.value, strict=True)) == pytest.approx(
        {item: error / total for item, error in expected.items()}
    )
    assert (np.diff(got.value) <= 1e-15).all()


def test_the_split_pays_for_the_winners_curse() -> None:
    # no question is worse than another, so the truth is that m of q questions hold m / q of the error
    world = independent_world(accuracy=0.4, wrong_classes=2)
    ends, items = planted_panel(world, questions=100, seeds=8, rng=np.random.default_rng(0))
    got = find_traps(tallied(ends, items), items, rng=np.random.default_rng(1))
    m = len(got.concentration) // 2
    assert got.concentration.value[m - 1] > m / 100 + 0.15
    split = got.concentration_split.one(items=m)
    assert split.low < split.value < got.concentration.value[m - 1]
    assert split.value == pytest.approx(m / 100, abs=0.1)
    assert (np.diff(got.concentration_split.value) >= 0).all()


def test_keywords_and_blanks() -> None:
    ends, items = planted_panel(mixture_world(), questions=60, seeds=6, rng=np.random.default_rng(0))
    tallies = tallied(ends, items)
    without = find_traps(tallies, items)
    assert "no random generator" in without.concentration_split.blank_reason[0]
    got = find_traps(tallies, items, rng=np.random.default_rng(0), draws=50)
    again = find_traps(tallies, items, rng=np.random.default_rng(0), draws=50)
    other = find_traps(tallies, items, rng=np.random.default_rng(0), draws=51)
    np.testing.assert_array_equal(got.concentration_split.value, again.concentration_split.value)
    assert (got.concentration_split.value != other.concentration_split.value).any()
    wide = find_traps(
        tallies, items, rng=np.random.default_rng(0), draws=50, confidence=0.99, level=Level.TEXT
    )
    assert wide.table.low[0] < got.table.low[0]
    assert wide.concentration_split.low[3] <= got.concentration_split.low[3]
    assert wide.table.level is Level.TEXT


def test_no_surviving_error() -> None:
    ends = Ends.of(item=["p", "q"], system="m", end="x", right=1)
    items = Items.of(item=["p", "q"], text=["?", "?"])
    got = find_traps(tallied(ends, items), items, rng=np.random.default_rng(0))
    assert [len(one) for one in (got.table, got.check_first, got.concentration, got.concentration_split)] == [
        0
    ] * 4


def test_refusals() -> None:
    ends, items = small()
    with pytest.raises(InputError, match="share must be in"):
        find_traps(tallied(ends, items), items, share=0.0)
    with pytest.raises(InputError, match="must be in the table"):
        find_traps(tallied(ends), items.where(np.array([2, 3])))
    with pytest.raises(InputError, match="no anchor"):
        find_traps(tallied(Ends.of(item=["au"], system="m", end="x")), items)
