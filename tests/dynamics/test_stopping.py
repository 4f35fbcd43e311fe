"""Is the saving of a stopping rule what inputs that did not choose it save, and its loss never hidden?"""

import numpy as np
import pytest

from limitset.core.errors import InputError
from limitset.core.levels import Level
from limitset.core.verdicts import Verdict
from limitset.instruments.dynamics import stopping
from limitset.testing import check_instrument

STEPS = np.arange(1, 13)


def rng(seed=0):
    return np.random.default_rng(seed)


def falling(n, steps=12):
    """Residual 10^-t in every input."""
    return np.tile(10.0 ** -np.arange(1, steps + 1), (n, 1))


def from_step(first, steps=12):
    """Rows that hold from their own step on."""
    return np.arange(1, steps + 1) >= np.asarray(first)[:, None]


def test_a_common_step_and_a_threshold_by_hand():
    # every input is right from step 3 on, where the residual is 1e-3; 12 are usual
    got = stopping(falling(400), from_step(np.full(400, 3)), usual_steps=12, rng=rng())
    assert (got.fixed.setting, got.fixed.choices) == (3.0, (3.0, 3.0))
    assert got.fixed.saving.value == got.fixed.saving.low == 1 - 3 / 12
    # .01 halts at step 2, too early; 3e-3 is the next smaller of the list and halts at step 3
    assert (got.threshold.setting, got.threshold.saving.value) == (0.003, 1 - 3 / 12)
    assert set(got.threshold.steps) == {3}
    # all equal, yet inputs of a kind that was not seen may save nothing: at most 3.66 / 400 of them
    assert got.threshold.saving.low == pytest.approx(0.75 * 0.025 ** (1 / 400))
    assert got.fixed.change.value == 0
    # 400 of 400 before and after: Wilson low 400 / 403.84, so the change reaches -.0095, inside -.01
    assert got.fixed.change.low == pytest.approx(-3.8415 / 403.8415, abs=1e-5)
    assert got.fixed.loses_nothing is Verdict.HOLDS
    assert (got.fixed.before.value, got.fixed.after.value) == (1, 1)


def test_too_few_inputs_cannot_show_that_nothing_is_lost():
    got = stopping(falling(200), from_step(np.full(200, 3)), usual_steps=12, rng=rng())
    assert got.fixed.loses_nothing is Verdict.CANT_TELL
    wide = stopping(falling(200), from_step(np.full(200, 3)), usual_steps=12, margin=0.05, rng=rng())
    assert wide.fixed.loses_nothing is Verdict.HOLDS


def test_each_input_halts_at_its_own_time():
    # half of the inputs settle and are right at 2, half at 10: the common step must wait, the threshold not
    first = np.tile([2, 10], 200)
    residuals = np.where(from_step(first), 1e-8, 1.0)
    got = stopping(residuals, from_step(first), usual_steps=12, rng=rng())
    assert (got.fixed.setting, got.fixed.saving.value) == (10.0, pytest.approx(1 - 10 / 12))
    assert got.threshold.saving.value == pytest.approx(0.5)
    assert got.threshold.steps.tolist() == first.tolist()
    assert got.threshold.saving.low < 0.5 < got.threshold.saving.high


def test_a_lucky_early_step_is_not_chosen():
    # right at step 2 and from 7 on, wrong between: everything from the chosen step on must be admitted
    rights = from_step(np.full(400, 7)) | (STEPS == 2)
    got = stopping(falling(400), rights, usual_steps=12, rng=rng())
    assert got.fixed.setting == 7.0
    # .03 halts at step 2 as well, and is refused: 1e-6, the smallest, halts at step 6 and loses all
    assert (got.threshold.setting, got.threshold.saving.value) == (0.0, 0.0)


def test_residuals_that_mislead_save_nothing():
    # half of the inputs rest early at a wrong answer and leave it at step 11
    first = np.full(400, 11)
    got = stopping(np.full((400, 12), 1e-9), from_step(first), usual_steps=12, rng=rng())
    assert (got.threshold.setting, got.threshold.saving.value) == (0.0, 0.0)
    assert set(got.threshold.steps) == {12}
    exact_zero = stopping(np.zeros((400, 12)), from_step(first), usual_steps=12, rng=rng())
    assert exact_zero.threshold.saving.value == 0
    assert got.fixed.setting == 11


def test_loss_is_measured_on_other_inputs():
    # steps 6 to 12 are coin flips of one rate (.5): the choice takes the luckiest; the change must cover 0
    held = 0
    for seed in range(300):
        draw = rng(seed)
        rights = draw.random((120, 12)) < 0.5
        change = stopping(np.ones((120, 12)), rights, usual_steps=12, rng=draw).overthinking
        held += change.low <= 0 <= change.high
    assert 0.92 <= held / 300 <= 0.98


def test_the_change_is_covered_for_the_rules_chosen():
    chance = np.minimum(0.2 + 0.08 * STEPS, 0.9)
    held = 0
    for seed in range(300):
        draw = rng(1000 + seed)
        rights = (draw.random((150, 1)) + 0.1 * draw.random((150, 12)) - 0.05) < chance
        got = stopping(np.ones((150, 12)), rights, usual_steps=12, margin=0.1, rng=draw).fixed
        truth = chance[got.steps - 1].mean() - chance[-1]
        held += got.change.low <= truth <= got.change.high
    assert 0.92 <= held / 300 <= 0.98


def test_the_saving_of_a_threshold_is_covered():
    # inputs settle at step 1, 2, ..., 8 with equal chance: 4.5 steps of 12
    held = 0
    for seed in range(300):
        draw = rng(2000 + seed)
        first = draw.integers(1, 9, size=200)
        residuals = np.where(from_step(first), 1e-8, 1.0)
        saving = stopping(residuals, from_step(first), usual_steps=12, rng=draw).threshold.saving
        held += saving.low <= 1 - 4.5 / 12 <= saving.high
    assert 0.92 <= held / 300 <= 0.98


def test_arrivals_and_curves():
    # settled: never; at once; a dip at 2 and 3 that does not last, then from 5 on; overflow
    residuals = np.array(
        [[1.0] * 5, [1e-9] * 5, [1.0, 1e-9, 1e-9, 1.0, 1e-9], [1e-9, np.nan, np.nan, np.nan, np.nan]]
    )
    rights = np.array([[0, 0, 1, 1, 1], [1, 1, 1, 1, 1], [0, 0, 0, 0, 0], [0, 0, 0, 0, 1]], dtype=bool)
    got = stopping(residuals, rights, usual_steps=5, rng=rng())
    assert got.arrivals.tolist() == [np.inf, 1, 5, np.inf]
    settled, right = (got.curves.where(curve=curve) for curve in ("settled", "right"))
    assert settled.value.tolist() == [0.25, 0.25, 0.25, 0.25, 0.5]
    assert right.value.tolist() == [0.25, 0.25, 0.5, 0.5, 0.75]
    assert right.axes["step"].tolist() == [1, 2, 3, 4, 5]
    # Wilson 1 of 4: centre (.25 + .4802) / 1.9604 = .3725, half .3269
    assert right.one(step=1).low == pytest.approx(0.0456, abs=1e-4)
    assert right.one(step=1).high == pytest.approx(0.6994, abs=1e-4)
    assert stopping(residuals, rights, usual_steps=5, tolerance=2.0, rng=rng()).arrivals.tolist()[0] == 1


def test_without_an_anchor_the_answers_at_the_usual_steps_must_stand():
    words = np.where(from_step(np.full(400, 4)), "b", "a")
    got = stopping(falling(400), None, answers=words, usual_steps=12, rng=rng())
    assert (got.basis, got.fixed.setting, got.fixed.before.value) == ("same answer", 4.0, 1.0)
    assert got.overthinking.blank_reason == "no anchor"
    assert got.overthinks is Verdict.CANT_TELL
    assert set(got.curves.axes["curve"]) == {"settled", "same answer"}


def test_without_answers_settling_must_stand():
    got = stopping(falling(400), None, usual_steps=12, tolerance=1e-5, rng=rng())
    assert (got.basis, got.fixed.setting) == ("settled", 5.0)
    assert set(got.curves.axes["curve"]) == {"settled"}
    # rights come first
    assert (
        stopping(falling(4), from_step(np.ones(4)), answers=falling(4), usual_steps=9, rng=rng()).basis
        == "right"
    )


def test_going_on_too_long_is_told():
    # right from 3 to 8, then lost on 30 % of inputs
    rights = from_step(np.full(600, 3)) & ~(from_step(np.full(600, 9)) & (np.arange(600) % 10 < 3)[:, None])
    got = stopping(falling(600), rights, usual_steps=8, rng=rng())
    assert got.overthinking.value == pytest.approx(-0.3)
    assert got.overthinks is Verdict.HOLDS
    kept = stopping(falling(600), from_step(np.full(600, 3)), usual_steps=8, rng=rng())
    assert kept.overthinks is Verdict.FAILS


def test_keywords_move_the_answer():
    first = 2 + np.arange(400) % 9  # 2 to 10, one ninth each
    residuals, rights = np.where(from_step(first), 1e-4, 1.0), from_step(first)
    base = stopping(residuals, rights, usual_steps=12, rng=rng())
    assert base.fixed.setting == 10
    assert stopping(residuals, rights, usual_steps=11, rng=rng()).fixed.saving.value < base.fixed.saving.value
    assert stopping(residuals, rights, usual_steps=12, margin=0.4, rng=rng()).fixed.setting < 10
    never = stopping(residuals, rights, usual_steps=12, thresholds=[1e-5], rng=rng()).threshold
    assert (never.setting, never.saving.value) == (1e-5, 0.0)
    reached = stopping(residuals, rights, usual_steps=12, thresholds=[1e-4], rng=rng()).threshold
    assert (reached.setting, reached.saving.value) == (1e-4, pytest.approx(0.5, abs=0.01))
    sure = stopping(residuals, rights, usual_steps=12, confidence=0.5, rng=rng())
    assert sure.threshold.saving.low > base.threshold.saving.low
    assert sure.fixed.change.low > base.fixed.change.low
    text = stopping(residuals, rights, usual_steps=12, level=Level.TEXT, rng=rng())
    assert text.fixed.saving.level is Level.TEXT
    # an unlucky cut: one input in 400 that is slow decides the later of the two choices only where it lies
    first[0] = 12
    slow = {
        stopping(np.ones((400, 12)), from_step(first), usual_steps=12, margin=0.0, rng=rng(s)).fixed.choices
        for s in range(8)
    }
    assert slow == {(12.0, 10.0), (10.0, 12.0)}


def test_purity():
    check_instrument(stopping, falling(8), from_step(np.full(8, 3)), usual_steps=12)


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ({"rights": np.ones((8, 11), dtype=bool)}, "of the same shape"),
        ({"answers": np.ones((7, 12))}, "of the same shape"),
        ({"residuals": falling(3)}, "four inputs or more"),
        ({"residuals": -falling(8)}, "must be 0 or more"),
        ({"usual_steps": 13}, "must lie in 1 to 12"),
        ({"usual_steps": 0}, "must lie in 1 to 12"),
        ({"tolerance": 0.0}, "must be above 0"),
        ({"thresholds": [0.1, -1.0]}, "must be above 0"),
        ({"margin": 1.0}, r"margin in \[0, 1\)"),
    ],
)
def test_refusals(more, complaint):
    with pytest.raises(InputError, match=complaint):
        stopping(**{"residuals": falling(8), "rights": None, "usual_steps": 12, "rng": rng(), **more})
