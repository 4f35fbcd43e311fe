"""Is a step told from a line, and is neither claimed where noise could have made it?"""

import numpy as np
import pytest

from limitset.core.errors import InputError
from limitset.instruments.weights import forgetting
from limitset.instruments.weights.forgetting import Manner
from limitset.testing import check_instrument

TIME = np.arange(20)
STEP = (TIME >= 8) * 1.0
LINE = TIME / 19


def rng(seed=0):
    return np.random.default_rng(seed)


def found(losses, **more):
    return forgetting(np.asarray(losses, dtype=float), **{"draws": 199, "rng": rng(), **more})


def by_examples(curve, n=100, noise=0.3, seed=1):
    """Each example has its own size of the change, mean 1, and its own noise."""
    draw = rng(seed)
    size = draw.uniform(0.5, 1.5, (n, 1))
    return size * curve + noise * draw.standard_normal((n, curve.size))


def test_a_step_is_a_jump_and_a_line_a_slope_by_hand():
    # all of the change between records 7 and 8; of a line one of 19 equal parts
    step = found(STEP)
    assert (step.manner, step.jump_share.value, step.position) == (Manner.JUMP, 1.0, 8)
    # cubic and step leave nothing: F is endless, and no shuffle of nothing reaches it: 1 of 1 + 199
    assert step.p_value.value == 1 / 200
    line = found(LINE)
    assert (line.manner, line.jump_share.value) == (Manner.SLOPE, pytest.approx(1 / 19))
    assert line.p_value.value == 1
    assert line.change.value == 1
    falling = found(-STEP)
    assert (falling.manner, falling.change.value, falling.jump_share.value) == (Manner.JUMP, -1, 1)
    # the first and the last place count too
    assert found(TIME >= 1).position == 1
    assert found(TIME >= 19).position == 19


def test_half_and_half_by_hand():
    # .6 in one step on a line of .4: the step holds .6 + .4 / 19 of the change
    mixed = found(0.6 * STEP + 0.4 * LINE)
    assert mixed.jump_share.value == pytest.approx(0.6 + 0.4 / 19)
    assert mixed.manner is Manner.JUMP
    assert found(0.6 * STEP + 0.4 * LINE, bar=0.7).manner is Manner.SLOPE
    # a ramp over three records: a span of one sees a third of it
    ramp = np.clip((TIME - 7) / 3, 0, 1)
    assert found(ramp).jump_share.value == pytest.approx(1 / 3)
    # records 6 to 8 (0, 0, 1/3) and 9 to 11 (2/3, 1, 1): means 1/9 and 8/9
    assert found(ramp, span=3).jump_share.value == pytest.approx(7 / 9)


def test_f_equals_least_squares():
    # independent: two regressions by lstsq at every place
    from limitset.instruments.weights.forgetting import _Fit

    curve = rng(3).standard_normal(20)
    cubic = np.vander(np.linspace(0, 1, 20), 4)

    def left(design):
        return np.square(curve - design @ np.linalg.lstsq(design, curve, rcond=None)[0]).sum()

    steps = [left(np.column_stack([cubic, k <= TIME])) for k in range(1, 20)]
    expected = max((left(cubic) - one) / one * 15 for one in steps)
    assert _Fit.of(20).largest(curve[None])[0] == pytest.approx(expected)


def test_noise_alone_is_no_change():
    still = sum(found(rng(seed).standard_normal(40), draws=19).manner is Manner.STILL for seed in range(100))
    assert still >= 88


def test_smooth_curves_are_never_jumps():
    time = np.arange(40)
    for curve in (time / 39, 1 - np.exp(-time / 5), 1 / (1 + np.exp((20 - time) / 2))):
        for seed in range(20):
            assert found(curve + 0.05 * rng(seed).standard_normal(40), draws=99).manner is not Manner.JUMP


def test_the_p_value_is_fair_and_finds_a_jump():
    # smooth worlds: at most about 1 of 20 at 5 % (binomial, 300 worlds: deviation .0126)
    time = np.arange(40)
    low = sum(
        found(time / 39 + rng(s).standard_normal(40), draws=99).p_value.value <= 0.05 for s in range(300)
    )
    assert low / 300 <= 0.05 + 3 * 0.0126
    assert low > 0
    for seed in range(20):
        assert found((time >= 17) + 0.2 * rng(seed).standard_normal(40), draws=99).p_value.value <= 0.05


def test_examples_give_an_interval():
    jump, slope = found(by_examples(STEP)), found(by_examples(LINE))
    assert (jump.manner, jump.position) == (Manner.JUMP, 8)
    assert slope.manner is Manner.SLOPE
    assert jump.jump_share.n == 100
    assert jump.jump_share.interval_method == "jackknife over examples"
    assert found(by_examples(0 * STEP)).manner is Manner.STILL


@pytest.mark.parametrize(("curve", "truth"), [(STEP, 1.0), (0.6 * STEP + 0.4 * LINE, 0.6 + 0.4 / 19)])
def test_the_interval_over_examples_is_covered(curve, truth):
    held = 0
    for seed in range(300):
        got = found(by_examples(curve, n=60, seed=seed), draws=1, rng=rng(seed)).jump_share
        held += got.low <= truth <= got.high
    assert 0.92 <= held / 300 <= 0.98


def test_the_whole_change_is_covered():
    held = 0
    for seed in range(300):
        got = found(by_examples(LINE, n=60, noise=1.0, seed=seed), draws=1).change
        held += got.low <= 1 <= got.high
    assert 0.92 <= held / 300 <= 0.98


def test_a_single_curve_has_an_interval_that_is_wide_enough():
    # the largest of 19 shares is too large by chance: never too low an upper end
    held = 0
    for seed in range(200):
        got = found(LINE + 0.1 * rng(seed).standard_normal(20), draws=1).jump_share
        held += got.low <= 1 / 19 <= got.high
    assert held / 200 >= 0.95


def test_keywords_move_the_answer():
    noisy = STEP + 0.1 * rng(5).standard_normal(20)
    base = found(noisy)
    assert found(noisy, confidence=0.5).jump_share.low > base.jump_share.low
    assert found(noisy, draws=19).p_value.value == 1 / 20
    assert found(noisy, span=4).jump_share.low > base.jump_share.low
    table = by_examples(LINE)
    assert found(table, rng=rng(1)).jump_share.value != found(table, rng=rng(2)).jump_share.value


def test_a_loss_that_comes_back_to_where_it_was():
    got = found(np.zeros(20))
    assert got.manner is Manner.STILL
    assert got.jump_share.blank_reason == "the loss does not change"
    assert found(np.zeros((3, 20))).jump_share.blank_reason == "the loss does not change"


def test_purity():
    check_instrument(forgetting, STEP, draws=19)
    check_instrument(forgetting, by_examples(STEP), draws=19)


@pytest.mark.parametrize(
    ("losses", "more", "complaint"),
    [
        (STEP[:11], {}, "12 records and two spans"),
        (STEP, {"span": 11}, "two spans"),
        (np.where(STEP > 0, np.nan, 0), {}, "must be finite"),
        (STEP, {"span": 0}, "span and draws must be 1 or more"),
        (STEP, {"draws": 0}, "span and draws must be 1 or more"),
        (STEP, {"bar": 1.0}, r"bar in \(0, 1\)"),
    ],
)
def test_refusals(losses, more, complaint):
    with pytest.raises(InputError, match=complaint):
        found(losses, **more)
