"""Chance-adjusted agreement of pairs: by hand, published values, brute force, the floor, nulls and laws."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from limitset.core.ends import Ends
from limitset.core.errors import InputError
from limitset.core.intervals import wilson
from limitset.core.levels import Level
from limitset.core.pair_intervals import wilson_ends
from limitset.core.pair_sums import adjusted, choices_of, groups_of_questions, pair_panel, pair_sums
from limitset.core.tallies import Tallies, tallied
from limitset.datasets.planted.panels import (
    World,
    clones_world,
    independent_world,
    mixture_world,
    planted_tallies,
    shared_difficulty_world,
    stratified_world,
)
from limitset.instruments.truth.chance_adjusted import chance_adjusted, chance_adjusted_probabilities
from limitset.instruments.truth.error_consistency import error_consistency
from limitset.instruments.truth.same_wrong import same_wrong, same_wrong_pairs


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def single(answers: list[str], *, right: str = "0") -> Tallies:
    """One run of each system (a string) on each question (a letter): - did not answer."""
    rows = [
        {
            "item": f"q{q}",
            "system": f"m{m}",
            "end": None if end == "-" else end,
            "right": None if end == "-" else int(end == right),
        }
        for m, row in enumerate(answers)
        for q, end in enumerate(row)
    ]
    return tallied(Ends.of_rows(rows))


def four(questions: int) -> np.ndarray:
    return np.full(questions, 4.0)


def value(table, **wanted):
    return table.one(first="m0", second="m1", **wanted)


def brute(tallies: Tallies, choices: np.ndarray) -> dict[tuple[int, int], float]:
    """Kappa_p of every pair, question by question and answer by answer."""
    names = list(dict.fromkeys(tallies.systems))
    right, answers = [], []
    for name in names:
        cells = np.flatnonzero(tallies.systems == name)
        share = (tallies.counts[cells] / tallies.runs[cells][:, tallies.class_item]).mean(axis=0)
        answers.append(share)
        right.append([share[(tallies.class_item == q) & tallies.right].sum() for q in range(choices.size)])
    out = {}
    for a, b in combinations(range(len(names)), 2):
        o = pa = pb = u = n = 0.0
        for q in range(choices.size):
            own = np.flatnonzero(tallies.class_item == q)
            met = answers[a][own].sum() * answers[b][own].sum()
            wrong = own[~tallies.right[own]]
            o += right[a][q] * right[b][q] + (answers[a][wrong] * answers[b][wrong]).sum()
            pa += right[a][q] * answers[b][own].sum()
            pb += right[b][q] * answers[a][own].sum()
            u += met / (choices[q] - 1)
            n += met
        e = pa / n * pb / n + (1 - pa / n) * (1 - pb / n) * u / n
        out[a, b] = (o / n - e) / (1 - e)
    return out


def test_published_values() -> None:
    # gold 0000, a 0012, b 0111, C = 4: o = 2/4 (items 1 and 3), pa = 1/2, pb = 1/4,
    # e = 1/8 + (1/2)(3/4)/3 = 1/4, kappa_p = 1/3; EC: right or wrong together on items 1, 3, 4: o = 3/4,
    # e = 1/8 + 3/8 = 1/2, so 1/2
    tallies = single(["0012" * 5, "0111" * 5])
    got = value(chance_adjusted(tallies, choices=four(20)).pairs, null_kind="")
    assert got.value == pytest.approx(1 / 3)
    assert got.n == 20
    assert got.low < 1 / 3 < got.high <= 1
    assert value(error_consistency(tallies).pairs, null_kind="").value == pytest.approx(0.5)


def test_choices_move_chance() -> None:
    # with two possible answers e = 1/8 + 3/8 = o, so nothing is left
    tallies = single(["0012" * 5, "0111" * 5])
    assert value(
        chance_adjusted(tallies, choices=np.full(20, 2.0)).pairs, null_kind=""
    ).value == pytest.approx(0)
    # by default the three labels seen count: e = 1/8 + (3/8) / 2 = 5/16, kappa_p = (3/16) / (11/16)
    got = value(chance_adjusted(tallies).pairs, null_kind="")
    assert got.value == pytest.approx(3 / 11)
    assert got.parameters["choices"] == "labels that the questions share"


def test_choices_are_labels_or_seen_answers() -> None:
    labels, source = choices_of(single(["0123" * 5, "0000" * 5]))
    assert (set(labels), source) == ({4.0}, "labels that the questions share")
    # four questions, four answers: no labels; the right one and the wrong one seen on each question
    seen, source = choices_of(single(["0123", "0000"]))
    assert (seen.tolist(), source) == ([2.0, 2.0, 2.0, 2.0], "answers seen on the question")
    two = replace(single(["0123" * 5, "0000" * 5]), strata=np.array(["a"] * 16 + ["b"] * 4, dtype=object))
    counts, source = choices_of(two)  # 16 questions are too few for four labels, 4 even fewer
    assert (counts.tolist(), source) == ([2.0] * 20, "answers seen on the question")
    # a class that nobody gave is not seen
    empty = replace(two, counts=np.zeros_like(two.counts))
    assert choices_of(empty)[0].tolist() == [2.0] * 20


@pytest.mark.parametrize(("probabilities", "expected"), [((0.25,) * 4, 0.0), ((1.0, 0.0, 0.0, 0.0), 1.0)])
def test_identical_probabilities(probabilities: tuple[float, ...], expected: float) -> None:
    # uniform over four: o = 1/4; pa = pb = 1/4, e = 1/16 + (9/16)/3 = 1/4. One-hot on both sides, half right: 1
    shifted = [probabilities if q < 6 else tuple(np.roll(probabilities, 1)) for q in range(12)]
    third = [(1.0, 0.0, 0.0, 0.0)] * 12  # says which choice is right
    ends = Ends.of(
        item=[*range(12)] * 3,
        system=["m0"] * 12 + ["m1"] * 12 + ["m2"] * 12,
        end="x",
        right=[None] * 24 + [1] * 12,
        choice_probabilities=[*shifted, *shifted, *third],
    )
    got = value(chance_adjusted_probabilities(ends).pairs, null_kind="")
    assert got.value == pytest.approx(expected)
    assert got.parameters["measure"] == "kappa_p of probabilities"
    assert got.parameters["choices"] == "probabilities of the choices"


def test_probabilities_that_are_certain_are_answers() -> None:
    answers = ["0012" * 5, "0111" * 5]
    ends = Ends.of(
        item=[*range(20)] * 2,
        system=["m0"] * 20 + ["m1"] * 20,
        end=[*"".join(answers)],
        right=[int(one == "0") for one in "".join(answers)],
        choice_probabilities=[tuple(np.eye(4)[int(one)]) for one in "".join(answers)],
    )
    got = chance_adjusted_probabilities(ends)
    # items 3 and 4 of each four: nobody says which choice is right, so they are left out: 00 against 01
    assert any("10 questions left out" in note for note in got.pairs.notes)
    assert value(got.pairs, null_kind="").value == pytest.approx((0.5 - 0.5) / (1 - 0.5))
    known = ends.with_columns(right=[1.0] * 20 + [float(one == "0") for one in answers[1]])
    with pytest.raises(InputError, match="a run that is right"):
        chance_adjusted_probabilities(known.with_columns(right=0.0))


def test_probabilities_by_hand() -> None:
    # m0 (.7, .2, .1), m1 (.5, .5, 0), the first is right: o = .45, e = .35 + (.3)(.5)/2 = .425
    rows = [(0.7, 0.2, 0.1)] * 8 + [(0.5, 0.5, 0.0)] * 8
    ends = Ends.of(
        item=[*range(8)] * 2, system=["m0"] * 8 + ["m1"] * 8, end="x", right=1, choice_probabilities=rows
    )
    got = value(chance_adjusted_probabilities(ends).pairs, null_kind="")
    assert got.value == pytest.approx(0.025 / 0.575)
    # a greedy run and one whose numbers do not sum to 1 count for nothing
    more = Ends.joined(
        [
            ends,
            Ends.of(item=[0], system="m0", end="x", seed=7, greedy=1, choice_probabilities=[(0, 0, 1)]),
            Ends.of(item=[0], system="m0", end="x", seed=8, choice_probabilities=[(0.9, 0.9, 0.9)]),
        ]
    )
    assert value(chance_adjusted_probabilities(more).pairs, null_kind="").value == pytest.approx(
        0.025 / 0.575
    )


@pytest.mark.parametrize("seeds", [1, 3])
def test_all_pairs_against_brute_force(seeds: int) -> None:
    tallies = planted_tallies(stratified_world().abstaining(0.1), questions=60, seeds=seeds, rng=rng(1))
    tallies = replace(tallies, systems=np.array(list("abcd"), dtype=object))
    choices = rng().integers(2, 9, size=60).astype(float)
    got = chance_adjusted(tallies, choices=choices).pairs
    for (a, b), expected in brute(tallies, choices).items():
        assert got.one(first="abcd"[a], second="abcd"[b], null_kind="").value == pytest.approx(
            expected, abs=1e-12
        )


def test_single_precision_is_exact_for_whole_numbers() -> None:
    panel = pair_panel(planted_tallies(mixture_world(models=6), questions=300, seeds=1, rng=rng()))
    assert panel.wrong.dtype == np.float32
    exact = panel.wrong.astype(np.float64) @ panel.wrong.astype(np.float64).T
    np.testing.assert_array_equal(pair_sums(panel).same.sum(axis=0), exact)
    assert (
        pair_panel(planted_tallies(mixture_world(models=2), questions=9, seeds=3, rng=rng())).wrong.dtype
        == float
    )


def test_both_perfect_is_blank_with_the_reason() -> None:
    # the reference returns nan: 0 / 0
    got = value(chance_adjusted(single(["0" * 20, "0" * 20]), choices=four(20)).pairs, null_kind="")
    assert got.blank
    assert "both are always right" in got.blank_reason
    # one perfect: e = pb = o, so 0
    one = value(chance_adjusted(single(["0" * 20, "01" * 10]), choices=four(20)).pairs, null_kind="")
    assert one.value == pytest.approx(0)


def test_not_answering_together_is_no_agreement() -> None:
    # both fail to answer half of the questions; on the others they agree as independent systems would:
    # right on 1/2, o = 1/4 + (1/4)/3 = 1/3 = e
    a = "-" * 12 + "000000" + "123123"
    b = "-" * 12 + "000111" + "000111"
    both = single([a, b])
    agreed = np.mean([x == y for x, y in zip(a[12:], b[12:], strict=True)])
    assert agreed == pytest.approx((3 + 1) / 12)  # three right together, one alike (1 and 1)
    got = value(chance_adjusted(both, choices=four(24)).pairs, null_kind="")
    alone = value(chance_adjusted(single([a[12:], b[12:]]), choices=four(12)).pairs, null_kind="")
    assert got.value == pytest.approx(alone.value)
    assert got.value == pytest.approx(0)
    assert got.n == 12
    # as an answer of its own, the failure would count as agreeing: far above
    named = single([a.replace("-", "9"), b.replace("-", "9")])
    assert value(chance_adjusted(named, choices=four(24)).pairs, null_kind="").value > 0.4
    assert value(error_consistency(both).pairs, null_kind="").n == 12


def test_identical_systems_keep_a_width() -> None:
    got = chance_adjusted(single(["0123" * 10] * 2), choices=four(40)).pairs
    row = value(got, null_kind="")
    assert row.value == 1.0
    # Wilson of 40 of 40: low .9124; e = 1/16 + (9/16)/3 = 1/4
    assert row.low == pytest.approx((wilson(40, 40).low - 0.25) / 0.75)
    assert row.high == 1.0


def test_few_questions_are_blank() -> None:
    row = value(chance_adjusted(single(["0012", "0111"]), choices=four(4)).pairs, null_kind="")
    assert "fewer than 5 questions" in row.blank_reason
    assert np.isnan(chance_adjusted(single(["0012"])).panel.value).all()


def test_difficulty_alone_is_the_floor() -> None:
    # accuracies .95 .7 .4 .1, four answers: mean .5375, variance of the accuracies .1017,
    # e = .2889 + .2139/3 = .3602, kappa_p = (4/3)(.1017)/.6398 = .2119; EC = 2 (.1017) / (1 - .5028) = .409
    tallies = planted_tallies(shared_difficulty_world(models=6), questions=6000, seeds=1, rng=rng(3))
    kappa = chance_adjusted(tallies)
    for result, exact in ((kappa, 0.2119), (error_consistency(tallies), 0.4090)):
        means = result.panel.value
        assert means[0] == pytest.approx(exact, abs=0.015)
        assert means[1] == pytest.approx(exact, abs=0.015)
        assert result.panel.low[2] < 0 < result.panel.high[2]
    held = (kappa.excess.low <= 0) & (kappa.excess.high >= 0)
    assert held.mean() > 0.7  # 15 pairs
    # same-wrong is immune: one in three whatever the difficulty
    same = same_wrong_pairs(tallies).panel.one(statistic="same_wrong")
    assert same.value == pytest.approx(1 / 3, abs=0.015)


def test_independent_systems_of_one_difficulty_have_floor_zero() -> None:
    tallies = planted_tallies(
        independent_world(accuracy=0.6, wrong_classes=3, models=5), questions=3000, seeds=1, rng=rng()
    )
    got = chance_adjusted(tallies).panel
    assert got.one(statistic="kappa_p").value == pytest.approx(0, abs=0.02)
    assert got.one(statistic="floor").value == pytest.approx(0, abs=0.02)


def test_unequal_accuracies_do_not_bend_the_floor() -> None:
    # one normal difficulty, systems from 10 % to 90 % right: no pair shares more than that
    ability = np.linspace(-2.2, 2.2, 7)
    nodes, weights = np.polynomial.hermite_e.hermegauss(21)
    right = 1 / (1 + np.exp(-(ability[None, :] - 1.5 * nodes[:, None])))
    shares = np.stack([right, *[(1 - right) / 3] * 3], axis=2)[:, :, None, :]
    world = World(weights=weights / weights.sum(), shares=shares, kinds=("x",) * 21)
    tallies = planted_tallies(world, questions=60_000, seeds=1, rng=rng())
    excess = adjusted(pair_sums(pair_panel(tallies)).total()).excess
    assert np.nanmax(np.abs(excess[np.triu_indices(7, 1)])) < 0.025


def test_a_shared_answer_stands_above_the_floor() -> None:
    # m0 and m1 are one system; four others are independent of them but for difficulty
    tallies = planted_tallies(shared_difficulty_world(models=6), questions=800, seeds=1, rng=rng(3))
    counts = np.array(tallies.counts)
    counts[1] = counts[0]
    got = chance_adjusted(replace(tallies, counts=counts))
    twins = value(got.excess)
    assert twins.low > 0.5
    assert value(got.pairs, null_kind="").value == 1.0
    assert value(got.pairs, null_kind="difficulty").value < 0.4
    other = got.excess.one(first="m2", second="m3")
    assert other.low < 0 < other.high


def test_floor_needs_two_others() -> None:
    got = chance_adjusted(single(["0012" * 5, "0111" * 5, "0101" * 5]), choices=four(20))
    assert "two other systems" in value(got.pairs, null_kind="difficulty").blank_reason
    assert "two other systems" in value(got.excess).blank_reason


def test_interval_is_the_jackknife_on_the_log_scale() -> None:
    tallies = planted_tallies(mixture_world(models=2), questions=70, seeds=1, rng=rng(5))
    row = value(chance_adjusted(tallies, choices=four(70)).pairs, null_kind="")

    def kappa(keep: np.ndarray) -> float:
        return brute(tallies.of_questions(keep), np.full(int(keep.sum()), 4.0))[0, 1]

    left = np.log1p([-kappa(np.arange(70) != q) for q in range(70)])
    error = np.sqrt(69 / 70 * np.square(left - left.mean()).sum())
    half = 1.994945 * error  # t(.975, 69)
    scale = np.log1p(-row.value)
    assert row.low == pytest.approx(-np.expm1(scale + half), rel=1e-5)
    assert row.high == pytest.approx(-np.expm1(scale - half), rel=1e-5)


def test_clusters_are_left_out_whole() -> None:
    # every question stands four times: one passage of four is one question
    tallies = planted_tallies(mixture_world(models=4), questions=60, seeds=1, rng=rng(5))
    tallies = replace(tallies, strata=np.full(60, "all", dtype=object))
    four_times = np.repeat(np.arange(60), 4)
    renumbered = np.repeat(np.arange(240), 4)
    copies = replace(
        tallies,
        items=np.array([f"q{q}" for q in range(240)], dtype=object),
        strata=tallies.strata[four_times],
        anchor_error=tallies.anchor_error[four_times],
        class_item=renumbered,
        class_name=tallies.class_name.reshape(60, 4)[four_times].ravel(),
        class_right=tallies.class_right.reshape(60, 4)[four_times].ravel(),
        counts=tallies.counts.reshape(4, 60, 4)[:, four_times].reshape(4, -1),
        runs=tallies.runs[:, four_times],
        abstained=tallies.abstained[:, four_times],
        unparsed=tallies.unparsed[:, four_times],
        clusters=four_times,
    )
    alone = replace(copies, clusters=np.arange(240))
    for measure in (chance_adjusted, error_consistency, same_wrong_pairs):
        one, all_apart, whole = (measure(each).pairs for each in (tallies, alone, copies))
        np.testing.assert_allclose(whole.value, one.value, atol=1e-12)
        width = np.nanmean((whole.high - whole.low)[:6])
        assert width == pytest.approx(np.nanmean((one.high - one.low)[:6]), rel=0.15)
        assert width > 1.6 * np.nanmean((all_apart.high - all_apart.low)[:6])


def test_groups_follow_names_not_order() -> None:
    names = np.array([f"q{row}" for row in range(300)], dtype=object)
    order = rng().permutation(300)
    first = groups_of_questions(names, np.arange(300))
    second = groups_of_questions(names[order], np.arange(300))
    assert [set(names[group]) for group in first] == [set(names[order][group]) for group in second]
    assert len(first) == 50


def test_pairs_alone_equal_the_whole_instrument() -> None:
    tallies = planted_tallies(stratified_world().abstaining(0.2), questions=80, seeds=2, rng=rng())
    alone, whole = same_wrong_pairs(tallies), same_wrong(tallies, rng=rng(), draws=2)
    for name in ("value", "low", "high", "n"):
        np.testing.assert_array_equal(getattr(alone.pairs, name), getattr(whole.pairs, name))
    one, other = (got.panel.one(statistic="same_wrong", null_kind="") for got in (alone, whole))
    assert (one.value, one.low, one.high) == (other.value, other.low, other.high)
    wide = same_wrong_pairs(tallies, confidence=0.99, level=Level.TEXT)
    assert wide.pairs.high[0] > alone.pairs.high[0]
    assert wide.pairs.level is Level.TEXT


def test_wilson_of_many_is_wilson() -> None:
    low, high = wilson_ends(np.array([0.0, 0.3, 1.0]), np.array([10.0, 20.0, 30.0]), confidence=0.9)
    for row, (x, n) in enumerate([(0, 10), (6, 20), (30, 30)]):
        one = wilson(x, n, confidence=0.9)
        assert (low[row], high[row]) == pytest.approx((one.low, one.high))


@pytest.mark.parametrize("measure", [chance_adjusted, error_consistency])
def test_laws_and_keywords(measure) -> None:
    tallies = planted_tallies(clones_world(accuracy=0.6, models=4), questions=60, seeds=1, rng=rng())
    got = measure(tallies)
    assert (got.pairs.where(null_kind="").value == 1.0).all()
    tallies = planted_tallies(mixture_world(models=4), questions=60, seeds=2, rng=rng())
    got = measure(tallies)
    turned = measure(tallies._cells(np.array([3, 2, 1, 0])))
    a, b = (
        value(got.pairs, null_kind=""),
        turned.pairs.one(first="m1", second="m0", null_kind=""),
    )
    assert (a.value, a.low, a.high) == pytest.approx((b.value, b.low, b.high))
    wide = measure(tallies, confidence=0.99, level=Level.TEXT)
    assert wide.pairs.high[0] > got.pairs.high[0]
    assert wide.excess.high[0] > got.excess.high[0]
    assert wide.panel.level is Level.TEXT
    with pytest.raises(InputError, match="no anchor"):
        measure(tallied(Ends.of(item=["q"], system="m", end="x")))


@pytest.mark.slow
def test_intervals_cover() -> None:
    """The full study is runs/coverage/pairs.py."""
    world = shared_difficulty_world(models=5)
    hits = np.zeros(2)
    for seed in range(400):
        got = chance_adjusted(
            planted_tallies(world, questions=200, seeds=1, rng=rng(seed)), choices=four(200)
        )
        row, excess = value(got.pairs, null_kind=""), value(got.excess)
        hits += [row.low <= 0.21186 <= row.high, excess.low <= 0 <= excess.high]
    assert (hits >= 0.915 * 400).all()
    assert (hits <= 0.985 * 400).all()
