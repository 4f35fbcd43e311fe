"""Nulls of the wrong-when-unanimous curve."""

import numpy as np
import pytest

from limitset.core.ends import Ends
from limitset.core.errors import InputError
from limitset.core.levels import Level
from limitset.core.popularity import popularity
from limitset.core.tallies import tallied
from limitset.datasets.planted import (
    World,
    beta_world,
    independent_world,
    mixture_world,
    planted_tallies,
    population_phi,
    stratified_world,
)
from limitset.instruments.truth.nulls import unanimity_nulls
from limitset.instruments.truth.unanimity import wrong_when_unanimous


def _rng(seed=0):
    return np.random.default_rng(seed)


def _tallies(answers, system="m"):
    rows = [
        {"item": item, "system": system, "seed": seed, "end": end, "right": float(end == "r")}
        for item, ends in answers.items()
        for seed, end in enumerate(ends)
    ]
    return tallied(Ends.of_rows(rows))


def _null(tallies, kind, estimate, k, source="seed", **options):
    options = {"rng": _rng(), "class_count": 1} | options
    table = unanimity_nulls(tallies, **options).curve.where(null_kind=kind)
    return table.one(source=source, k=k, estimate=estimate).value


def test_by_hand_plug_in():
    # two questions: xxyr (w = 3/4: x 2/4, y 1/4) and rrrz (w = 1/4); ranks: .75/2 = .375 and .25/2 = .125,
    # so g = (3/4, 1/4), G_2 = 5/8. W = 1/2: phi0_2 = (1/4)(5/8) / ((1/4)(5/8) + 1/4) = 5/13
    # E[w^2] = (3*2/12 + 0)/2 = 1/4 and E[a^2] = (0 + 3*2/12)/2 = 1/4: phi00_2 = 5/13 as well
    tallies = _tallies({"q": "xxyr", "p": "rrrz"})
    assert _null(tallies, "question_free", "plug_in", 2) == pytest.approx(5 / 13)
    assert _null(tallies, "difficulty_kept", "plug_in", 2) == pytest.approx(5 / 13)
    # k = 3: G_3 = 27/64 + 1/64 = 7/16; W^3 = A^3; E[w^3] = (6/24)/2 = E[a^3]
    assert _null(tallies, "question_free", "plug_in", 3) == pytest.approx(7 / 23)


def test_by_hand_cross_fitted():
    # one wrong run in each half (xy): ranked by x alone, y is second; all mass goes to rank 2 of 2
    # halves {x, y} always one each, so the profile is (0, 1) and G_k = 1; with three possible classes the
    # unseen one ties with y, whose mass is split over ranks 2 and 3: (0, 1/2, 1/2)
    tallies = _tallies({f"q{n}": "xy" for n in range(3)})
    cells = np.array([0])
    for count, expected in ((2, [0, 1]), (3, [0, 0.5, 0.5])):
        got = popularity(tallies, cells, class_count=count, splits=3, rng=_rng())
        assert got.tolist() == pytest.approx(expected)
    # xxxx: the same class leads in both halves
    got = popularity(_tallies({"q": "xxxx"}), cells, class_count=3, splits=3, rng=_rng())
    assert got.tolist() == [1, 0, 0]


def test_unseen_answers_by_chao():
    # xyzz: two once, one twice, four wrong runs: (3/4) 2 * 1 / (2 * 2) = .375, one more class: four in all
    got = popularity(_tallies({"q": "xyzz"}), np.array([0]), class_count=None, splits=0, rng=_rng())
    assert got.tolist() == [0.5, 0.25, 0.25, 0.0]
    # wxyz: four once of four: (3/4) 4 * 3 / 2 = 4.5, five more classes
    got = popularity(_tallies({"q": "wxyz"}), np.array([0]), class_count=None, splits=0, rng=_rng())
    assert got.size == 9


def test_known_values_of_the_independent_panel():
    # accuracy .4, ten equal wrong classes, eight runs: truth phi_2 .184, phi_4 .005; ranked and evaluated on the
    # same runs .355 and .100; on halves .187 and .0055 with ties broken at random (their expectation: the truth)
    panel = planted_tallies(
        independent_world(accuracy=0.4, wrong_classes=10), questions=8000, seeds=8, rng=_rng(1)
    )
    options = {"class_count": 10, "k_max": 4, "splits": 2}
    for kind in ("question_free", "difficulty_kept"):
        assert _null(panel, kind, "plug_in", 2, **options) == pytest.approx(0.355, abs=0.008)
        assert _null(panel, kind, "plug_in", 4, **options) == pytest.approx(0.100, abs=0.005)
        assert _null(panel, kind, "cross_fitted", 2, **options) == pytest.approx(0.1855, abs=0.006)
        assert _null(panel, kind, "cross_fitted", 4, **options) == pytest.approx(0.0053, abs=0.0006)


def test_unequal_difficulty_can_lower_the_null():
    # 20 % at accuracy 1, 80 % at .1, one wrong class: .72^3 / (.72^3 + .28^3) = .944 and
    # .8 * .9^3 / (.8 * .9^3 + .2 + .8 * .001) = .744
    world = World(
        weights=np.array([0.2, 0.8]),
        shares=np.array([[[[1.0, 0.0]]], [[[0.1, 0.9]]]]),
        kinds=("known", "hard"),
    )
    panel = planted_tallies(world, questions=10_000, seeds=8, rng=_rng(2))
    for estimate in ("cross_fitted", "plug_in"):
        assert _null(panel, "question_free", estimate, 3) == pytest.approx(0.944, abs=0.008)
        assert _null(panel, "difficulty_kept", estimate, 3) == pytest.approx(0.744, abs=0.016)


def test_difficulty_alone_is_explained_by_the_kept_null():
    # one wrong class, accuracy uniform: phi_3 = E[w^3] / (E[w^3] + E[a^3]) = 1/2 = phi00_3, while phi0_3 = 1/2
    # by symmetry; with mean accuracy above one half they part: see the world above
    panel = planted_tallies(beta_world(), questions=3000, seeds=6, rng=_rng(3))
    observed = wrong_when_unanimous(panel).curve.one(source="seed", k=3).value
    assert _null(panel, "difficulty_kept", "plug_in", 3) == pytest.approx(observed, abs=1e-12)


def test_shared_traps_are_an_excess_and_independence_is_not():
    world = World(
        weights=np.array([0.5, 0.5]),
        shares=np.array(
            [[[[0.5, 0.5, 0, 0, 0, 0]]] * 2, [[[0.5, 0.1, 0.1, 0.1, 0.1, 0.1]]] * 2],
        ),
        kinds=("trap", "dispersed"),
    )
    panel = planted_tallies(world, questions=3000, seeds=8, rng=_rng(4))
    even = planted_tallies(
        independent_world(accuracy=0.5, wrong_classes=5, models=2), questions=3000, seeds=8, rng=_rng(5)
    )
    for tallies, excess in ((panel, True), (even, False)):
        nulls = unanimity_nulls(tallies, rng=_rng(), class_count=5)
        curve = wrong_when_unanimous(tallies).curve
        point = nulls.excess(curve).one(source="model", k=2)
        assert (point.low > 0) == excess
        assert point.null_kind == "difficulty_kept"
        found = [
            _null(tallies, "difficulty_kept", e, 2, "model", class_count=5)
            for e in ("cross_fitted", "plug_in")
        ]
        observed = curve.one(source="model", k=2)
        assert point.low == pytest.approx(observed.low - max(found), abs=0.004)
        assert point.high == pytest.approx(observed.high - min(found), abs=0.004)
        free = nulls.excess(curve, null_kind="question_free").one(source="model", k=2)
        assert free.value != point.value


def test_the_bracket_holds_the_truth_in_worlds_of_traps():
    # popularity of ranks in the population: traps .7/.1, dispersed .25 each, easy .1
    world = mixture_world()
    panel = planted_tallies(world, questions=5000, seeds=8, rng=_rng(6))
    wrong = np.sort(world.shares[:, 0, 0, 1:], axis=1)[:, ::-1]
    profile = world.weights @ wrong / (world.weights @ wrong).sum()
    truth = {}
    for k in (2, 4):
        mass = (profile**k).sum()
        w, a = wrong.sum(axis=1), world.shares[:, 0, 0, 0]
        truth[k] = (world.weights @ w**k) * mass / ((world.weights @ w**k) * mass + world.weights @ a**k)
        low = _null(panel, "difficulty_kept", "cross_fitted", k, class_count=3)
        high = _null(panel, "difficulty_kept", "plug_in", k, class_count=3)
        assert low < truth[k] < high
    assert population_phi(world, source="seed", k=2) != pytest.approx(truth[2], abs=1e-3)


@pytest.mark.parametrize("source", ["seed", "paraphrase", "model"])
def test_k_1_is_the_observed_error_by_every_source(source):
    # one run agrees with itself whatever the popularity
    panel = planted_tallies(stratified_world(), questions=400, seeds=4, rng=_rng(7))
    observed = wrong_when_unanimous(panel).curve.one(source=source, k=1).value
    for kind in ("question_free", "difficulty_kept"):
        for estimate in ("cross_fitted", "plug_in"):
            got = _null(panel, kind, estimate, 1, source, class_count=None)
            assert got == pytest.approx(observed, abs=1e-12)


def test_kept_null_by_paraphrase_and_model_uses_products_of_masses():
    # two systems at wrong mass .8 and .2 on every question, one wrong class: both wrong .16, both right .16
    world = World(weights=np.ones(1), shares=np.array([[[[0.2, 0.8]], [[0.8, 0.2]]]]), kinds=("all",))
    panel = planted_tallies(world, questions=4000, seeds=4, rng=_rng(8))
    for kind in ("question_free", "difficulty_kept"):
        assert _null(panel, kind, "plug_in", 2, "model") == pytest.approx(0.5, abs=0.02)
        # by seed each system agrees with itself: (.64 + .04) / 2 on either side
        assert _null(panel, kind, "plug_in", 2, "seed") == pytest.approx(0.5, abs=0.02)


def test_no_halves_are_blank_and_other_sources_still_told():
    panel = planted_tallies(mixture_world(models=4), questions=200, seeds=1, rng=_rng(9))
    curve = unanimity_nulls(panel, rng=_rng()).curve
    blank = curve.where(source="seed", estimate="cross_fitted")
    assert set(blank.blank_reason) == {"one run a cell: no halves"}
    assert not np.isnan(curve.where(source="model").value).any()
    assert curve.where(source="model").axes["k"].max() == 4


def test_keywords_move_the_answer():
    panel = planted_tallies(mixture_world(), questions=150, seeds=6, rng=_rng(1))
    base = {"rng": _rng(), "class_count": 3, "splits": 2}
    values = [
        _null(panel, "difficulty_kept", "cross_fitted", 2, **(base | change))
        for change in ({}, {"rng": _rng(1)}, {"class_count": 6}, {"class_count": None}, {"splits": 5})
    ]
    assert len(set(values)) == 5
    assert unanimity_nulls(panel, k_max=3, rng=_rng()).curve.axes["k"].max() == 3
    assert unanimity_nulls(panel, rng=_rng(), level=Level.TEXT).curve.level is Level.TEXT


def test_laws():
    answers = {f"q{n}": ends for n, ends in enumerate(["xxyr", "rrrz", "xyzr", "rrxx"] * 5)}
    plain = unanimity_nulls(_tallies(answers), rng=_rng()).curve
    plug_in = plain.where(estimate="plug_in").value
    for other in (
        dict(reversed(answers.items())),
        {name: ends.replace("x", "w") for name, ends in answers.items()},
        {f"{name}{copy}": ends for name, ends in answers.items() for copy in "ab"},
    ):
        got = unanimity_nulls(_tallies(other), rng=_rng()).curve.where(estimate="plug_in").value
        assert got == pytest.approx(plug_in, nan_ok=True)
    told = plain.value[~np.isnan(plain.value)]
    assert ((told >= 0) & (told <= 1)).all()
    # four runs of one question never agree here, while four of one popularity may
    assert set(plain.where(k=4, null_kind="difficulty_kept").blank_reason) == {"it never happened"}
    assert not np.isnan(plain.where(k=4, null_kind="question_free").value).any()


def test_refusals():
    tallies = _tallies({"q": "xr"})
    for name in ("k_max", "splits", "class_count"):
        with pytest.raises(InputError, match=f"{name} must be 1 or more"):
            unanimity_nulls(tallies, rng=_rng(), **{name: 0})
    with pytest.raises(InputError, match="right or wrong"):
        unanimity_nulls(tallied(Ends.of(item=["q"], system=["m"], end=["a"])), rng=_rng())
