"""The wrong-when-unanimous curve."""

from itertools import combinations, permutations

import numpy as np
import pytest

from limitset.core.ends import Ends
from limitset.core.errors import InputError
from limitset.core.items import Items
from limitset.core.levels import Level
from limitset.core.tallies import tallied
from limitset.datasets.planted import (
    clones_world,
    independent_world,
    mixture_world,
    planted_panel,
    planted_tallies,
    population_phi,
    stratified_world,
)
from limitset.instruments.truth.unanimity import wrong_when_unanimous


def _tallies(answers, anchor_error=None):
    """Build runs from {question: {(system, paraphrase): string of ends}}."""
    rows = [
        {
            "item": item,
            "system": system,
            "paraphrase": paraphrase,
            "seed": seed,
            "end": None if end == "-" else end,
            "right": None if end == "-" else float(end == "r"),
        }
        for item, cells in answers.items()
        for (system, paraphrase), ends in cells.items()
        for seed, end in enumerate(ends)
    ]
    names = list(answers)
    return tallied(
        Ends.of_rows(rows), Items.of(item=names, text=names, anchor_error=[anchor_error] * len(names))
    )


HAND = {f"q{n}": {("m", "p"): "xxxr"} for n in range(8)} | {f"r{n}": {("m", "p"): "rrrx"} for n in range(12)}


def test_by_hand():
    # xxxr: two runs all x (3*2)/(4*3) = 1/2, all r 0; three all x (3*2*1)/(4*3*2) = 1/4; rrrx the other way
    # phi_1 = (8*3/4 + 12*1/4) / 20 = .45, phi_2 = 8/2 / (8/2 + 12/2) = .4, phi_3 the same; four never agree
    got = wrong_when_unanimous(_tallies(HAND))
    assert got.curve.value[:3].tolist() == pytest.approx([0.45, 0.4, 0.4])
    assert got.curve.axes["k"].tolist() == [1, 2, 3, 4]
    assert got.curve.one(source="seed", k=4).blank_reason == "it never happened"
    floor = got.floor.one(source="seed")
    assert (floor.value, floor.parameters["k"]) == (pytest.approx(0.4), 3)
    assert got.slope.one(source="seed").value == pytest.approx(0.0)


def _brute(answers, source, k):
    """Enumerate runs: within a cell without replacement; one run each of different paraphrases or systems."""
    mass = {True: 0.0, False: 0.0}
    for cells in answers.values():
        found, groups = {True: 0.0, False: 0.0}, 0
        for right, weight, known in _chances(cells, source, k):
            groups += known
            found[right] += weight
        for right in mass:
            mass[right] += found[right] / groups
    return mass[False] / (mass[True] + mass[False])


def _chances(cells, source, k):
    if source == "seed":
        for ends in cells.values():
            draws = list(permutations(ends, k))
            for answer in set(ends) - {"-"}:
                yield answer == "r", sum(set(draw) == {answer} for draw in draws) / len(draws), 0
            yield True, 0.0, 1
        return
    systems = sorted({system for system, _ in cells})
    groups = (
        [[[cells[key]] for key in cells if key[0] == system] for system in systems]
        if source == "paraphrase"
        else [[[cells[key] for key in cells if key[0] == system] for system in systems]]
    )
    for units in groups:
        chosen = list(combinations(units, k))
        for answer in {end for unit in units for ends in unit for end in ends} - {"-"}:
            chance = np.mean(
                [
                    np.prod([np.mean([ends.count(answer) / len(ends) for ends in unit]) for unit in pick])
                    for pick in chosen
                ]
            )
            yield answer == "r", chance, 0
        yield True, 0.0, 1


@pytest.mark.parametrize(
    ("source", "k"), [("seed", 2), ("seed", 3), ("paraphrase", 2), ("model", 2), ("model", 3)]
)
def test_equals_enumeration_of_runs(source, k):
    rng = np.random.default_rng(7)
    answers = {
        f"q{n}": {
            (system, paraphrase): "".join(rng.choice(list("rrxxy-"), size=4))
            for system in "abc"
            for paraphrase in "pq"
        }
        for n in range(25)
    }
    got = wrong_when_unanimous(_tallies(answers)).curve.one(source=source, k=k)
    assert got.value == pytest.approx(_brute(answers, source, k), abs=1e-12)


def _pooled_counts(panel, k):
    counts, runs = panel.counts.sum(axis=0), panel.runs.sum(axis=0)[0]
    chance = np.prod([(counts - j).clip(0) / (runs - j) for j in range(k)], axis=0)
    return chance[~panel.right].sum() / panel.items.size


@pytest.mark.parametrize(("k", "factor"), [(2, 0.93), (4, 0.62), (8, 0.02)])
def test_pooling_a_stratified_design_would_be_too_low(k, factor):
    # two systems, always wrong and always right, eight runs each: within cells P(k all wrong) = 1/2
    answers = {f"q{n}": {("a", "p"): "x" * 8, ("b", "p"): "r" * 8} for n in range(20)}
    tallies = _tallies(answers)
    got = wrong_when_unanimous(tallies).curve.one(source="seed", k=k)
    assert got.value == pytest.approx(0.5)
    # k runs of the whole design agree on x with chance 1/2^k; pooled counts give (8)_k / (16)_k instead:
    # 56/240 against 1/4, 1680/43680 against 1/16, 1/12870 against 1/256
    assert _pooled_counts(tallies, k) * 2**k == pytest.approx(factor, abs=0.005)


@pytest.mark.parametrize("source", ["seed", "paraphrase", "model"])
@pytest.mark.parametrize("k", [1, 2])
def test_unbiased_on_a_stratified_design(source, k):
    world = stratified_world().abstaining(0.1)
    panel = planted_tallies(world, questions=30_000, seeds=3, rng=np.random.default_rng(8))
    got = wrong_when_unanimous(panel).curve.one(source=source, k=k)
    assert got.value == pytest.approx(population_phi(world, source=source, k=k), abs=0.01)


def test_known_values():
    world = independent_world(accuracy=0.4, wrong_classes=10)
    panel = planted_tallies(world, questions=30_000, seeds=8, rng=np.random.default_rng(9))
    curve = wrong_when_unanimous(panel).curve
    assert curve.one(source="seed", k=2).value == pytest.approx(0.184, abs=0.004)
    assert curve.one(source="seed", k=4).value == pytest.approx(0.005, abs=0.002)
    clones = planted_tallies(
        clones_world(accuracy=0.6), questions=4000, seeds=2, rng=np.random.default_rng(9)
    )
    by_model = wrong_when_unanimous(clones).curve.where(source="model")
    assert (
        by_model.value.tolist() == [by_model.value[0]] * 3
    )  # clones never disagree: more of them say nothing


def test_true_modes_drive_the_curve_to_zero():
    # T4: where the true class is the mode of every question, phi_k falls towards 0
    world = independent_world(accuracy=0.6, wrong_classes=1)
    panel = planted_tallies(world, questions=3000, seeds=8, rng=np.random.default_rng(2))
    value = wrong_when_unanimous(panel).curve.where(source="seed").value
    assert (np.diff(value[~np.isnan(value)]) < 0).all()


def test_few_false_questions_are_blank_with_a_bound():
    answers = {f"q{n}": {("m", "p"): "rrrr"} for n in range(97)} | {
        f"t{n}": {("m", "p"): "xxxx"} for n in range(3)
    }
    got = wrong_when_unanimous(_tallies(answers))
    point = got.curve.one(source="seed", k=4)
    assert (point.blank_reason, point.low) == ("fewer than 5 questions carry it", 0)
    assert 0.03 < point.high < 0.1
    assert got.floor.one(source="seed").blank_reason == "every point is blank"
    assert got.curve.notes == ("4 of 4 points are blank",)
    none = _tallies({f"q{n}": {("m", "p"): "rr"} for n in range(100)})
    assert wrong_when_unanimous(none).curve.one(source="seed", k=2).high == pytest.approx(0.03, abs=6e-4)


def test_floor_and_slope_stand_at_the_last_point_told():
    panel = planted_tallies(mixture_world(models=2), questions=300, seeds=4, rng=np.random.default_rng(1))
    got = wrong_when_unanimous(panel)
    curve = got.curve.where(source="seed").value
    floor, slope = got.floor.one(source="seed"), got.slope.one(source="seed")
    assert floor.value == curve[3]
    assert slope.value == pytest.approx(curve[3] - curve[2])
    assert slope.low < slope.value < min(slope.high, 0)
    assert got.floor.one(source="paraphrase").blank_reason == "fewer than two paraphrases"
    assert "paraphrase" not in got.curve.axes["source"]


def test_single_runs_tell_no_seed_floor():
    panel = planted_tallies(mixture_world(models=5), questions=300, seeds=1, rng=np.random.default_rng(1))
    got = wrong_when_unanimous(panel)
    assert got.floor.one(source="seed").blank_reason == "fewer than two runs of one cell"
    assert got.curve.where(source="seed").axes["k"].tolist() == [1]
    assert got.curve.where(source="model").axes["k"].tolist() == [1, 2, 3, 4, 5]


def test_a_doubtful_key_widens_by_its_share_of_unanimity():
    # P(two agree) = 20 questions * 1/2 / 20 = 1/2: 2 % of miskeyed questions move phi by up to 4 points
    sure, doubtful = (
        wrong_when_unanimous(_tallies(HAND, error)).curve.one(source="seed", k=2) for error in (0.0, 0.02)
    )
    assert sure.low - doubtful.low == pytest.approx(0.02 / 0.5)
    assert doubtful.high - sure.high == pytest.approx(0.02 / 0.5)


def test_keywords_move_the_answer():
    tallies = _tallies(HAND)
    assert wrong_when_unanimous(tallies, k_max=2).curve.axes["k"].tolist() == [1, 2]
    slim, wide = (
        wrong_when_unanimous(tallies, confidence=c).curve.one(source="seed", k=2) for c in (0.8, 0.99)
    )
    assert wide.low < slim.low < slim.high < wide.high
    slopes = [
        wrong_when_unanimous(tallies, k_max=2, confidence=c).slope.one(source="seed") for c in (0.8, 0.99)
    ]
    assert slopes[1].low < slopes[0].low
    assert wrong_when_unanimous(tallies, level=Level.TEXT).curve.level is Level.TEXT


def test_laws():
    ends, items = planted_panel(stratified_world(), questions=80, seeds=3, rng=np.random.default_rng(6))
    plain = wrong_when_unanimous(tallied(ends, items)).curve
    shuffled = ends.where(np.random.default_rng(1).permutation(len(ends)))
    renamed = ends.with_columns(end=[f"other {text}" for text in ends.texts("end")])
    for other in (shuffled, renamed):
        got = wrong_when_unanimous(tallied(other, items)).curve
        key = {(row.parameters["source"], row.parameters["k"]): row for row in got.rows()}
        for row in plain.rows():
            same = key[row.parameters["source"], row.parameters["k"]]
            assert (same.value, same.low, same.high) == pytest.approx((row.value, row.low, row.high))
    copy = ends.with_columns(item=[f"copy {text}" for text in ends.texts("item")])
    doubled = wrong_when_unanimous(tallied(Ends.joined([ends, copy]))).curve
    assert doubled.value == pytest.approx(plain.value)
    assert ((doubled.high - doubled.low) < (plain.high - plain.low)).all()


def test_missing_cells_are_left_out_of_the_average():
    whole = {f"q{n}": {("a", "p"): "xxr", ("b", "p"): "xrr"} for n in range(30)}
    part = whole | {"gap": {("a", "p"): "xxr"}}
    got = wrong_when_unanimous(_tallies(part)).curve.one(source="model", k=2)
    # the lone question has no pair of systems: 2/3 * 1/3 wrong and 1/3 * 2/3 right on all others
    assert got.value == pytest.approx(0.5)
    seed = wrong_when_unanimous(_tallies(part)).curve.one(source="seed", k=2)
    # thirty questions: half of 1/3 each way; the lone one: 1/3 wrong
    assert seed.value == pytest.approx((30 / 6 + 1 / 3) / (30 / 3 + 1 / 3))


def test_refusals():
    with pytest.raises(InputError, match="k_max must be 1 or more"):
        wrong_when_unanimous(_tallies(HAND), k_max=0)
    with pytest.raises(InputError, match="right or wrong"):
        wrong_when_unanimous(tallied(Ends.of(item=["q"], system=["m"], end=["a"])))
