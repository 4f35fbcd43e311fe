"""Variance shares: by hand, a simulation with known components, pair enumeration, and laws."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from limitset.core.ends import Ends
from limitset.core.errors import InputError
from limitset.core.levels import Level
from limitset.core.tallies import tallied
from limitset.datasets.planted.panels import planted_panel, planted_tallies, stratified_world
from limitset.instruments.truth.variance import COMPONENTS, variance_shares


def crossed(answer, *, questions: int, models: int, paraphrases: int, seeds: int) -> Ends:
    return Ends.of_rows(
        [
            {"item": f"q{q}", "system": f"m{m}", "paraphrase": f"p{p}", "seed": s, "end": answer(q, m, p, s)}
            for q in range(questions)
            for m in range(models)
            for p in range(paraphrases)
            for s in range(seeds)
        ]
    )


def test_by_hand() -> None:
    # one question, models a and b, paraphrases x and y, two seeds; ends: ax 1 1, ay 1 2, bx 1 1, by 3 3
    # c_ss = (1 + 0 + 1 + 1) / 4 = .75; c_sd: ax-ay 1/2, bx-by 0 -> .25; c_ds: ax-bx 1, ay-by 0 -> .5
    # c_dd: ax-by 0, ay-bx 1/2 -> .25
    # question .25, model 0, paraphrase .25, model x paraphrase .75 - .25 - .5 + .25 = .25, seed .25
    ends = {"m0p0": "11", "m0p1": "12", "m1p0": "11", "m1p1": "33"}
    got = variance_shares(
        tallied(
            crossed(lambda q, m, p, s: ends[f"m{m}p{p}"][s], questions=1, models=2, paraphrases=2, seeds=2)
        )
    )
    assert got.shares.axes["component"].tolist() == list(COMPONENTS)
    np.testing.assert_allclose(got.shares.value, [0.25, 0.0, 0.25, 0.25, 0.25], rtol=0, atol=1e-15)
    np.testing.assert_allclose(got.agreement.value, [0.75, 0.25, 0.5, 0.25])
    assert np.isnan(got.shares.low).all()  # one question: nothing can be left out


def test_known_components() -> None:
    # the end of a run is decided wholly by one factor, chosen for each question
    truth = np.array([0.35, 0.25, 0.15, 0.05, 0.2])
    rng = np.random.default_rng(0)
    kind = rng.choice(5, size=300, p=truth)

    def answer(q: int, m: int, p: int, s: int) -> str:
        return ["same", f"{m}", f"{p}", f"{m} {p}", f"{m} {p} {s}"][kind[q]]

    ends = crossed(answer, questions=300, models=3, paraphrases=2, seeds=2)
    shares = variance_shares(tallied(ends)).shares
    realised = np.bincount(kind, minlength=5) / 300
    np.testing.assert_allclose(shares.value, realised, rtol=0, atol=1e-12)
    # a share is a mean over questions: its interval is that of a proportion
    half = 1.96793 * np.sqrt(realised * (1 - realised) / 299)
    np.testing.assert_allclose(shares.high - shares.value, half, rtol=1e-3)


def test_unbiased_in_a_world_with_exact_shares() -> None:
    world = stratified_world().abstaining(0.1)
    s = world.shares
    pair = np.einsum("tmpc,tnrc->tmpnr", s, s)
    m, p = s.shape[1:3]
    kinds = {"ss": [], "sd": [], "ds": [], "dd": []}
    for a in range(m):
        for b in range(p):
            for c in range(m):
                for d in range(p):
                    name = ("s" if a == c else "d") + ("s" if b == d else "d")
                    kinds[name].append(world.weights @ pair[:, a, b, c, d])
    c = {name: np.mean(values) for name, values in kinds.items()}
    truth = [
        c["dd"],
        c["sd"] - c["dd"],
        c["ds"] - c["dd"],
        c["ss"] - c["sd"] - c["ds"] + c["dd"],
        1 - c["ss"],
    ]
    got = variance_shares(
        planted_tallies(world, questions=20_000, seeds=2, rng=np.random.default_rng(0))
    ).shares
    np.testing.assert_allclose(got.value, truth, rtol=0, atol=0.01)
    assert ((got.low <= truth) & (truth <= got.high)).sum() >= 4


def test_against_enumeration_of_pairs() -> None:
    ends, items = planted_panel(
        stratified_world().abstaining(0.2), questions=12, seeds=3, rng=np.random.default_rng(3)
    )
    got = variance_shares(tallied(ends, items)).agreement
    for name in ("ss", "sd", "ds", "dd"):
        means = []
        for item in dict.fromkeys(ends.texts("item")):
            rows = [row for row in ends.rows() if row["item"] == item]
            found = [
                a["end"] is not None and a["end"] == b["end"]
                for a, b in permutations(rows, 2)
                if (a["system"] == b["system"]) == (name[0] == "s")
                and (a["paraphrase"] == b["paraphrase"]) == (name[1] == "s")
            ]
            means.append(np.mean(found))
        assert got.one(pair=name).value == pytest.approx(np.mean(means))


def test_sums_to_one_and_may_fall_below_zero() -> None:
    # independent coin tosses: the true shares of model and paraphrase are 0
    rng = np.random.default_rng(1)
    tossed = rng.integers(2, size=(30, 2, 2, 2))
    ends = crossed(lambda q, m, p, s: str(tossed[q, m, p, s]), questions=30, models=2, paraphrases=2, seeds=2)
    got = variance_shares(tallied(ends)).shares
    assert got.value.sum() == pytest.approx(1.0)
    assert got.value[1:4].min() < 0
    assert any("below 0" in note for note in got.notes)


@pytest.mark.parametrize(
    ("models", "paraphrases", "seeds", "names"),
    [
        (1, 2, 2, ["question + model", "paraphrase + model_x_paraphrase", "seed"]),
        (2, 1, 2, ["question + paraphrase", "model + model_x_paraphrase", "seed"]),
        (1, 1, 2, ["question + model + paraphrase + model_x_paraphrase", "seed"]),
        (2, 2, 1, ["question", "model", "paraphrase", "model_x_paraphrase + seed"]),
        (2, 1, 1, ["question + paraphrase", "model + model_x_paraphrase + seed"]),
        (1, 2, 1, ["question + model", "paraphrase + model_x_paraphrase + seed"]),
    ],
)
def test_what_the_design_cannot_tell_apart_is_merged(
    models: int, paraphrases: int, seeds: int, names: list[str]
) -> None:
    def answer(q: int, m: int, p: int, s: int) -> str:
        return str((q * 7 + m * 3 + p * 5 + s) % 3)

    got = variance_shares(
        tallied(crossed(answer, questions=8, models=models, paraphrases=paraphrases, seeds=seeds))
    ).shares
    known = ~np.isnan(got.value)
    assert sorted(got.axes["component"][known]) == sorted(names)
    assert got.value[known].sum() == pytest.approx(1.0)
    assert all("tells it apart" in reason for reason in got.blank_reason[~known])
    assert got.axes["component"][:5].tolist() == list(COMPONENTS)


def test_paraphrases_with_different_names_are_nested() -> None:
    ends = Ends.of_rows(
        [
            {"item": f"q{q}", "system": m, "paraphrase": f"{m}{p}", "seed": s, "end": f"{m}{p}"}
            for q in range(3)
            for m in "ab"
            for p in range(2)
            for s in range(2)
        ]
    )
    got = variance_shares(tallied(ends)).shares
    assert got.one(component="paraphrase + model_x_paraphrase").value == 1.0
    assert got.one(component="question").value == 0.0


def test_laws_and_keywords() -> None:
    tallies = planted_tallies(stratified_world(), questions=40, seeds=2, rng=np.random.default_rng(0))
    got = variance_shares(tallies).shares
    other = variance_shares(tallies._cells(np.array([3, 1, 0, 2]))).shares
    np.testing.assert_allclose(got.value, other.value)
    np.testing.assert_allclose(got.low, other.low)
    # no anchor is needed: truth swapped is the same decomposition
    swapped = variance_shares(replace(tallies, class_right=1 - tallies.class_right)).shares
    np.testing.assert_array_equal(got.value, swapped.value)
    wide = variance_shares(tallies, confidence=0.99, level=Level.TEXT).shares
    assert wide.high[0] > got.high[0]
    assert wide.level is Level.TEXT


def test_needs_two_runs() -> None:
    with pytest.raises(InputError, match="two runs of one question"):
        variance_shares(tallied(Ends.of(item=["p", "q"], system="m", end="x")))


@pytest.mark.slow
def test_intervals_cover() -> None:
    world, rng = stratified_world(), np.random.default_rng(0)
    whole = variance_shares(planted_tallies(world, questions=200_000, seeds=2, rng=rng)).shares.value
    hits = np.zeros(5)
    for _ in range(1000):
        got = variance_shares(planted_tallies(world, questions=100, seeds=2, rng=rng)).shares
        hits += (got.low <= whole) & (whole <= got.high)
    assert (hits >= 925).all()
    assert (hits <= 970).all()
