"""Same wrong answer: by hand, brute force, the nulls, and laws."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from limitset.core import coincidence
from limitset.core.ends import Ends
from limitset.core.errors import InputError
from limitset.core.levels import Level
from limitset.core.popularity import popularity
from limitset.core.tallies import Tallies, tallied
from limitset.datasets.planted.panels import (
    clones_world,
    independent_world,
    mixture_world,
    planted_tallies,
    shared_difficulty_world,
    stratified_world,
)
from limitset.instruments.truth.same_wrong import same_wrong


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def single(answers: list[str], *, right: str = "r") -> Tallies:
    """One run of each model (a string) on each question (a letter): r right, - abstained."""
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


def brute(tallies: Tallies) -> dict[tuple[int, int], tuple[float, float]]:
    """Rate and item-conditional null of every pair, question by question."""
    names = list(dict.fromkeys(tallies.systems))
    shares = []
    for name in names:
        cells = np.flatnonzero(tallies.systems == name)
        shares.append((tallies.counts[cells] / tallies.runs[cells][:, tallies.class_item]).mean(axis=0))
    out = {}
    for a, b in combinations(range(len(names)), 2):
        same = both = null = null_both = 0.0
        for q in range(tallies.items.size):
            own = np.flatnonzero((tallies.class_item == q) & ~tallies.right)
            w = [share[own].sum() for share in shares]
            met = w[a] * w[b]
            same += sum(shares[a][k] * shares[b][k] for k in own)
            both += met
            others = [m for m in range(len(names)) if m not in (a, b)]
            agree = sum(shares[m][k] * shares[n][k] for m in others for n in others if m != n for k in own)
            ways = sum(w[m] * w[n] for m in others for n in others if m != n)
            if ways > 0:
                null += met * agree / ways
                null_both += met
        out[a, b] = (same / both, null / null_both if null_both else np.nan)
    return out


def test_by_hand() -> None:
    # both wrong on q0..q5 (q6: one is right, q7: one abstains); the same answer on q0..q3
    got = same_wrong(single(["xxxxxxrx", "xxxxyyx-"]), rng=rng())
    row = got.pairs.one(first="m0", second="m1", null_kind="")
    assert row.value == pytest.approx(4 / 6)
    assert row.n == pytest.approx(6)
    assert got.panel.one(statistic="same_wrong", null_kind="").value == pytest.approx(4 / 6)
    assert got.panel.one(statistic="both_wrong").value == pytest.approx(6 / 8)
    assert (
        "two other systems"
        in got.pairs.one(first="m0", second="m1", null_kind="item_conditional").blank_reason
    )


def test_item_conditional_null_by_hand() -> None:
    # on each question five others beside the pair (m0, m1): x x y z and one right: n_x = 2, N = 4
    # sum n (n - 1) / (N (N - 1)) = 2 / 12; the sum of squared shares would say 4/16 + 2/16 = 3/8
    got = same_wrong(single(["xxxxx", "xxxxx", "xxxxx", "xxxxx", "yyyyy", "zzzzz", "rrrrr"]), rng=rng())
    row = got.pairs.one(first="m0", second="m1", null_kind="item_conditional")
    assert row.value == pytest.approx(2 / 12)
    assert got.pairs.one(first="m0", second="m1", null_kind="").value == 1.0


@pytest.mark.parametrize("seeds", [1, 3])
def test_all_pairs_against_brute_force(seeds: int) -> None:
    tallies = planted_tallies(stratified_world().abstaining(0.1), questions=60, seeds=seeds, rng=rng(1))
    # four cells become four systems, so that the item-conditional null exists
    tallies = replace(tallies, systems=np.array(list("abcd"), dtype=object))
    got = same_wrong(tallies, rng=rng(), draws=2).pairs
    for (a, b), (rate, null) in brute(tallies).items():
        names = {"first": "abcd"[a], "second": "abcd"[b]}
        assert got.one(**names, null_kind="").value == pytest.approx(rate)
        assert got.one(**names, null_kind="item_conditional").value == pytest.approx(null)


def test_the_matrix_products_equal_the_general_sums(monkeypatch: pytest.MonkeyPatch) -> None:
    tallies = planted_tallies(mixture_world(models=6), questions=40, seeds=1, rng=rng())
    fast = coincidence.wrong_pairs(tallies)
    monkeypatch.setattr(
        coincidence,
        "_one_hot",
        lambda s, i, w, same: coincidence._by_question(
            s, i, w, same, np.square(w.sum(axis=0)) - np.square(w).sum(axis=0)
        ),
    )
    monkeypatch.setattr(coincidence, "AT_ONCE", 200)  # many blocks
    slow = coincidence.wrong_pairs(tallies)
    upper = np.triu_indices(6, 1)
    for name in coincidence.PAIR_SUMS:
        np.testing.assert_allclose(getattr(fast, name)[upper], getattr(slow, name)[upper], atol=1e-9)
    np.testing.assert_allclose(fast.same_by_question, slow.same_by_question)


def test_interval_is_the_delta_method_on_the_logit_scale() -> None:
    tallies = single(["x" * 40, "x" * 30 + "y" * 10])
    row = same_wrong(tallies, rng=rng(), draws=1).pairs.one(first="m0", second="m1", null_kind="")
    error = np.sqrt(0.75 * 0.25 / 39)  # of a mean of 40 zeros and ones
    half = 2.262157 * error / (0.75 * 0.25)  # t(.975, 10 - 1): ten questions carry the smaller side
    assert row.high == pytest.approx(1 / (1 + np.exp(-(np.log(3) + half))), rel=1e-5)


def test_shared_difficulty_alone_is_chance() -> None:
    # four classes: two wrong answers agree 1/3 of the time however hard the question is
    tallies = planted_tallies(shared_difficulty_world(models=4), questions=1500, seeds=1, rng=rng())
    got = same_wrong(tallies, rng=rng(), draws=20, class_count=3)
    row = got.panel.one(statistic="same_wrong", null_kind="")
    assert row.value == pytest.approx(1 / 3, abs=0.03)
    assert got.panel.one(statistic="same_wrong", null_kind="popularity").value == pytest.approx(
        1 / 3, abs=0.03
    )
    pair = got.pairs.one(first="m0", second="m1", null_kind="item_conditional")
    assert pair.value == pytest.approx(1 / 3, abs=0.05)


def test_ranking_on_the_same_runs_finds_popularity_in_noise() -> None:
    world = independent_world(accuracy=0.4, wrong_classes=10, models=4)
    got = same_wrong(
        planted_tallies(world, questions=400, seeds=2, rng=rng()), rng=rng(), draws=50, class_count=10
    )
    kinds = {row.null_kind: row for row in got.panel.where(statistic="same_wrong").rows()}
    assert kinds[""].value == pytest.approx(0.1, abs=0.02)
    assert kinds["popularity"].value == pytest.approx(0.1, abs=0.01)
    assert kinds["popularity_plug_in"].value > 0.15
    assert kinds["popularity"].low < 0.1 < kinds["popularity"].high


def test_traps_exceed_the_popularity_null() -> None:
    # half of the questions have a lure for everyone, half are dispersed
    world = mixture_world(models=4, weights=(0.0, 0.7, 0.3), dispersed=8, trap=(0.1, 0.85))
    got = same_wrong(
        planted_tallies(world, questions=300, seeds=4, rng=rng()), rng=rng(), draws=50, class_count=7
    )
    kinds = {row.null_kind: row for row in got.panel.where(statistic="same_wrong").rows()}
    assert kinds[""].low > kinds["popularity"].high


def test_answers_popular_on_every_question_are_seen_by_the_shuffle() -> None:
    # independent of the question each model says x three times out of four when wrong, else y
    names = rng().choice(["x", "y"], p=[0.75, 0.25], size=(3, 400))
    got = same_wrong(single(["".join(row) for row in names]), rng=rng(), draws=50).panel
    shuffled = got.one(statistic="same_wrong", null_kind="shuffled")
    p = (names == "x").mean(axis=1)
    expected = np.mean([p[a] * p[b] + (1 - p[a]) * (1 - p[b]) for a, b in combinations(range(3), 2)])
    assert shuffled.value == pytest.approx(expected, abs=0.01)
    assert shuffled.low < got.one(statistic="same_wrong", null_kind="").value < shuffled.high
    # clones share the question's own wrong answer, not one name
    clones = same_wrong(single(["abcdefghij" * 4] * 2), rng=rng(), draws=50).panel
    assert clones.one(statistic="same_wrong", null_kind="").value == 1.0
    assert clones.one(statistic="same_wrong", null_kind="shuffled").value == pytest.approx(0.1, abs=0.05)


def test_shuffle_stays_in_its_stratum() -> None:
    tallies = replace(
        single(["x" * 10 + "y" * 10] * 2), strata=np.array(["a"] * 10 + ["b"] * 10, dtype=object)
    )
    assert same_wrong(tallies, rng=rng(), draws=5).panel.one(
        statistic="same_wrong", null_kind="shuffled"
    ).value == pytest.approx(1.0)


def test_perfect_models_are_blank() -> None:
    got = same_wrong(single(["rrrrrr", "rrrrrr"]), rng=rng())
    row = got.pairs.one(first="m0", second="m1", null_kind="")
    assert row.blank
    assert "never wrong on the same question" in row.blank_reason
    assert all(
        reason
        for reason, value in zip(got.panel.blank_reason, got.panel.value, strict=True)
        if np.isnan(value)
    )


def test_few_questions_are_blank_with_what_they_allow() -> None:
    row = same_wrong(single(["xxxrrr", "xxyrrr"]), rng=rng()).pairs.one(first="m0", second="m1", null_kind="")
    assert "fewer than 5 questions" in row.blank_reason
    assert 0 < row.low < 2 / 3 < row.high < 1


def test_one_system_has_no_pair() -> None:
    got = same_wrong(single(["xxxxxx"]), rng=rng())
    assert len(got.pairs) == 0
    assert np.isnan(got.panel.value).all()


def test_clones() -> None:
    tallies = planted_tallies(clones_world(accuracy=0.4), questions=50, seeds=2, rng=rng())
    got = same_wrong(tallies, rng=rng(), draws=5)
    assert (got.pairs.where(null_kind="").value == 1.0).all()
    assert (got.pairs.where(null_kind="").low > 0.8).all()


def test_laws_and_keywords() -> None:
    tallies = planted_tallies(stratified_world(), questions=50, seeds=2, rng=rng())
    got = same_wrong(tallies, rng=rng(), draws=20)
    again = same_wrong(tallies, rng=rng(), draws=20)
    np.testing.assert_array_equal(got.panel.value, again.panel.value)
    swapped = same_wrong(tallies._cells(np.array([2, 3, 0, 1])), rng=rng(), draws=20)
    a, b = (
        got.pairs.one(first="m0", second="m1", null_kind=""),
        swapped.pairs.one(first="m1", second="m0", null_kind=""),
    )
    assert (a.value, a.low) == pytest.approx((b.value, b.low))
    flipped = same_wrong(
        replace(tallies, class_name=np.array([f"!{name}" for name in tallies.class_name], dtype=object)),
        rng=rng(),
        draws=20,
    )
    np.testing.assert_array_equal(got.panel.value, flipped.panel.value)
    wide = same_wrong(tallies, rng=rng(), draws=20, confidence=0.99, level=Level.TEXT)
    assert wide.pairs.high[0] > got.pairs.high[0]
    assert wide.panel.level is Level.TEXT
    assert wide.panel.high[0] > got.panel.high[0]
    for changed in (
        same_wrong(tallies, rng=rng(), draws=21),
        same_wrong(tallies, rng=rng(), draws=20, class_count=9),
        same_wrong(tallies, rng=rng(7), draws=20),
    ):
        assert not np.array_equal(changed.panel.low, got.panel.low)


def test_refusals() -> None:
    with pytest.raises(InputError, match="no anchor"):
        same_wrong(tallied(Ends.of(item=["q"], system="m", end="x")), rng=rng())
    for keyword in ("draws", "class_count"):
        with pytest.raises(InputError, match="must be 1 or more"):
            same_wrong(single(["xx", "xy"]), rng=rng(), **{keyword: 0})


@pytest.mark.slow
def test_intervals_cover() -> None:
    world = stratified_world()
    wrong = world.shares[:, :, :, 1:].mean(axis=2)
    same = world.weights @ (wrong[:, 0] * wrong[:, 1]).sum(axis=1)
    truth = same / (world.weights @ (wrong[:, 0].sum(axis=1) * wrong[:, 1].sum(axis=1)))
    hits = np.zeros(2)
    for seed in range(1000):
        got = same_wrong(planted_tallies(world, questions=100, seeds=2, rng=rng(seed)), rng=rng(), draws=1)
        pair = got.pairs.one(first="m0", second="m1", null_kind="")
        panel = got.panel.one(statistic="same_wrong", null_kind="")
        hits += [pair.low <= truth <= pair.high, panel.low <= truth <= panel.high]
    assert (hits >= 930).all()
    assert (hits <= 975).all()


def test_popularity_has_no_share_below_zero() -> None:
    # the running sum of steps up and down used to leave -1.9e-17 at the ranks of unseen answers
    ends = Ends.of(item=[*"pppqqqrrr"], system="m", seed=[0, 1, 2] * 3, end=[*"deeceeeac"], right=0)
    shares = popularity(tallied(ends), np.array([0]), class_count=None, splits=0, rng=rng())
    # runs by rank: p 2, 1; q 2, 1; r 1, 1, 1
    np.testing.assert_allclose(shares[:3], [5 / 9, 3 / 9, 1 / 9])
    assert (shares >= 0).all()
    assert (shares[3:] == 0).all()
