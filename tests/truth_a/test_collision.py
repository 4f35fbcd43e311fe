"""False collision, closure gap and the mass of false attractors."""

from itertools import permutations

import numpy as np
import pytest

from limitset.core.ends import Ends
from limitset.core.errors import InputError
from limitset.core.items import Items
from limitset.core.levels import Level
from limitset.core.tallies import tallied
from limitset.datasets.planted import (
    clones_world,
    mixture_world,
    planted_tallies,
    population_collision,
    population_gap,
    stratified_world,
)
from limitset.instruments.truth.collision import _left_out, false_collision


def _tallies(answers, anchor_error=None):
    """Build runs from {question: {system: string of ends}}."""
    rows = [
        {
            "item": item,
            "system": system,
            "seed": seed,
            "end": None if end == "-" else end,
            "right": None if end == "-" else float(end == "r"),
        }
        for item, cells in answers.items()
        for system, ends in cells.items()
        for seed, end in enumerate(ends)
    ]
    names = list(answers)
    return tallied(
        Ends.of_rows(rows), Items.of(item=names, text=names, anchor_error=[anchor_error] * len(names))
    )


HAND = {f"q{n}": {"m": "xxxr"} for n in range(10)} | {f"p{n}": {"m": "rr-x"} for n in range(10)}


def _one(tallies, quantity, **options):
    return false_collision(tallies, **options).values.one(stratum="all", quantity=quantity)


def test_by_hand():
    # xxxr: pairs of x 3 * 2 / 12 = 1/2, of r none; rr-x: pairs of r 2 / 12 = 1/6, none wrong
    tallies = _tallies(HAND)
    assert _one(tallies, "collision").value == pytest.approx((1 / 2 + 1 / 6) / 2)
    assert _one(tallies, "false_collision").value == pytest.approx(1 / 4)
    # modal shares 3/4 (wrong) and 1/2 (right): 5/8 - 1/2
    assert _one(tallies, "closure_gap").value == pytest.approx(1 / 8)
    # M: 3/4 wrong on half of the questions up to b = .75, nothing above
    mass = false_collision(tallies, thresholds=(0.5, 0.75, 0.875)).false_mass.where(stratum="all")
    assert mass.value[:2].tolist() == [3 / 8, 3 / 8]
    assert mass.blank_reason[2] == "no question carries it"


def test_equals_enumeration_of_pairs():
    rng = np.random.default_rng(1)
    answers = {
        f"q{n}": {
            system: "".join(rng.choice(list("rrxxy-"), size=size)) for system, size in (("a", 4), ("b", 1))
        }
        for n in range(30)
    }
    agree = wrong = 0.0
    for cells in answers.values():
        # pairs of cells, a cell with itself only where it has two runs; all equally likely
        pairs = [("a", "a"), ("a", "b"), ("b", "a")]
        for first, second in pairs:
            runs = (
                list(permutations(cells[first], 2))
                if first == second
                else [(x, y) for x in cells[first] for y in cells[second]]
            )
            both = [x for x, y in runs if x == y != "-"]
            agree += len(both) / len(runs) / len(pairs)
            wrong += sum(x != "r" for x in both) / len(runs) / len(pairs)
    tallies = _tallies(answers)
    assert _one(tallies, "collision").value == pytest.approx(agree / 30)
    assert _one(tallies, "false_collision").value == pytest.approx(wrong / 30)


@pytest.mark.parametrize("world", [mixture_world(models=2), stratified_world().abstaining(0.1)])
def test_unbiased_on_planted_panels(world):
    panel = planted_tallies(world, questions=30_000, seeds=2, rng=np.random.default_rng(2))
    collision, false = population_collision(world)
    assert _one(panel, "collision").value == pytest.approx(collision, abs=0.008)
    assert _one(panel, "false_collision").value == pytest.approx(false, abs=0.006)


def test_known_values():
    # mixture: .6 (.81 + .01) + .2 / 4 + .2 (.04 + .49 + .01) = .65, wrong .006 + .0375 + .1 = .1435
    panel = planted_tallies(mixture_world(), questions=20_000, seeds=4, rng=np.random.default_rng(3))
    assert _one(panel, "collision").value == pytest.approx(0.65, abs=0.008)
    assert _one(panel, "false_collision").value == pytest.approx(0.1435, abs=0.006)
    # clones never disagree; two in five are wrong, and so is the mode
    clones = planted_tallies(
        clones_world(accuracy=0.6), questions=4000, seeds=2, rng=np.random.default_rng(3)
    )
    assert _one(clones, "collision").blank_reason == "no question carries the rest"
    assert _one(clones, "false_collision").value == pytest.approx(0.4, abs=0.03)
    assert _one(clones, "closure_gap").value == pytest.approx(0.4, abs=0.03)


@pytest.mark.parametrize("seeds", [4, 8, 16])
def test_the_gap_is_bracketed(seeds):
    # plug-in shares of the mode are too high, those of the run left out too low
    world = mixture_world()
    panel = planted_tallies(world, questions=20_000, seeds=seeds, rng=np.random.default_rng(4))
    got = false_collision(panel).values
    gap = got.one(stratum="all", quantity="closure_gap")
    assert gap.low < population_gap(world) < gap.high
    bias = gap.value - population_gap(world)
    assert 0 < bias < gap.parameters["gap_bias_at_most"]


def test_run_left_out_equals_enumeration():
    rng = np.random.default_rng(5)
    answers = {f"q{n}": {"m": "".join(rng.choice(list("rxy-"), size=5))} for n in range(40)}
    answers |= {"one": {"m": "x----"}, "none": {"m": "-----"}}
    got = _left_out(_tallies(answers))
    for chance, cells in zip(got, answers.values(), strict=True):
        hits = 0.0
        for place, end in enumerate(cells["m"]):
            rest = [other for at, other in enumerate(cells["m"]) if at != place and other != "-"]
            top = [answer for answer in set(rest) if rest.count(answer) == max(map(rest.count, rest))]
            hits += end in top and 1 / len(top)
        assert chance == pytest.approx(hits / 5)


def test_strata_come_before_all():
    panel = planted_tallies(mixture_world(), questions=300, seeds=4, rng=np.random.default_rng(6))
    got = false_collision(panel)
    assert got.values.axes["stratum"][-1] == "all"
    assert got.false_mass.axes["stratum"][-1] == "all"
    trap = got.values.one(stratum="trap", quantity="false_collision")
    assert trap.low < 0.5 < trap.high


def test_single_runs_of_one_system_tell_nothing_of_pairs():
    got = false_collision(_tallies({f"q{n}": {"m": "rx"[n % 2]} for n in range(20)}))
    for quantity in ("collision", "false_collision"):
        assert got.values.one(stratum="all", quantity=quantity).blank_reason == "it never happened"
    lone = false_collision(_tallies({"q": {"m": "rx"}})).values
    assert lone.one(stratum="all", quantity="closure_gap").blank_reason == "fewer than two questions"
    # two are enough: modal shares 1/2 and 1, right 1/2 and 1
    two = false_collision(_tallies({"p": {"m": "rx"}, "q": {"m": "rr"}})).values
    assert two.one(stratum="all", quantity="closure_gap").value == 0.0


def test_a_doubtful_key_widens():
    plain, doubtful = (false_collision(_tallies(HAND, error), thresholds=(0.5,)) for error in (0.0, 0.02))
    for quantity in ("false_collision", "closure_gap"):
        one, other = (got.values.one(stratum="all", quantity=quantity) for got in (plain, doubtful))
        assert one.low - other.low == pytest.approx(0.02)
        assert other.high - one.high == pytest.approx(0.02)
    same = [got.values.one(stratum="all", quantity="collision") for got in (plain, doubtful)]
    assert same[0].low == same[1].low  # agreement does not read the key
    masses = [next(iter(got.false_mass.where(stratum="all").rows())) for got in (plain, doubtful)]
    assert masses[1].high - masses[0].high == pytest.approx(0.02)


def test_keywords_move_the_answer():
    tallies = _tallies(HAND)
    for quantity in ("collision", "false_collision", "closure_gap"):
        slim, wide = (_one(tallies, quantity, confidence=c) for c in (0.8, 0.99))
        assert wide.low < slim.low < slim.high < wide.high
    assert false_collision(tallies, level=Level.TEXT).values.level is Level.TEXT
    assert false_collision(tallies, thresholds=(0.3,)).false_mass.axes["threshold"].tolist() == [0.3]


def test_laws():
    plain = false_collision(_tallies(HAND)).values
    for other in (
        dict(reversed(HAND.items())),
        {name: {"m": cells["m"].replace("x", "z")} for name, cells in HAND.items()},
    ):
        assert false_collision(_tallies(other)).values.value == pytest.approx(plain.value)
    doubled = false_collision(
        _tallies({f"{name}{copy}": cells for name, cells in HAND.items() for copy in "ab"})
    ).values
    assert doubled.value == pytest.approx(plain.value)
    assert ((doubled.high - doubled.low) < (plain.high - plain.low)).all()
    false, both = (plain.one(stratum="all", quantity=name).value for name in ("false_collision", "collision"))
    assert 0 <= false <= both <= 1


def test_refusals():
    for bad in ((0.0,), (1.01,), ()):
        with pytest.raises(InputError, match="thresholds must lie in"):
            false_collision(_tallies(HAND), thresholds=bad)
    with pytest.raises(InputError, match="right or wrong"):
        false_collision(tallied(Ends.of(item=["q"], system=["m"], end=["a"])))
