"""Are ends compared by place, rest and truth, and is a net that diverges in one direction never called the same?"""

import numpy as np
import pytest

from limitset.core.errors import InputError
from limitset.core.levels import Level
from limitset.core.results import Measurement
from limitset.instruments.dynamics import path_independence, template_or_iteration
from limitset.instruments.dynamics.template_or_iteration import Origin
from limitset.testing import check_instrument

OWN = np.array([[1.0, 0.0], [0.0, 1.0], [3.0, 4.0], [1.0, 1.0]])
OTHER = np.array([[1.0, 0.0], [0.0, 2.0], [3.0, 4.005], [-1.0, -1.0]])


def compared(own=OWN, other=OTHER, **more):
    zeros = np.zeros(len(own))
    return path_independence(
        own, other, **{"residual_own": zeros, "residual_other": zeros, "tolerance": 1e-2, **more}
    )


def arm(name="swapped start", *, same, n=200, settled=None, before=None, after=None):
    """Build an arm in which the first `same` inputs land together and the first `settled` come to rest."""
    own = np.tile([1.0, 0.0], (n, 1))
    other = np.where(np.arange(n)[:, None] < same, own, -own)
    residual = np.where(np.arange(n) < (n if settled is None else settled), 0.0, 1.0)
    rights = {}
    if before is not None:
        rights = {"right_own": np.arange(n) < before, "right_other": np.arange(n) < after}
    return compared(own, other, residual_other=residual, arm=name, **rights)


def change(low, high):
    return Measurement(
        instrument="beyond_training",
        version=1,
        level=Level.ANSWER,
        value=(low + high) / 2,
        low=low,
        high=high,
    )


def test_four_inputs_by_hand():
    # distances 0, 1, .005 / 5 = .001, 2; cosines 1, 1, (9 + 16.02) / (5 * 5.004) = .99999968, -1
    got = compared()
    assert got.same_rows.tolist() == [True, False, True, False]
    assert got.distance == pytest.approx([0, 1, 0.001, 2])
    norm = np.hypot(3, 4.005)
    assert got.cosine == pytest.approx([1, 1, 25.02 / (5 * norm), -1])
    assert got.alignment.value == pytest.approx((1 + 25.02 / (5 * norm)) / 4)
    assert (got.same.value, got.same.n, got.settled.value) == (0.5, 4, 1.0)
    # Wilson 2 of 4: centre (.5 + 3.8415 / 8) / (1 + 3.8415 / 4) = .5, half .34996
    assert got.same.low == pytest.approx(0.1500, abs=1e-4)
    # lengths 1, 2, norm / 5, 1: the middle two are 1 and norm / 5
    assert got.norm_ratio.value == pytest.approx((1 + norm / 5) / 2)
    assert got.residual.value == 0


def test_an_end_that_is_not_at_rest_is_not_the_same():
    # both tolerances are .01; 5 long and .06 off is a relative residual of .012
    got = compared(other=OWN, residual_other=np.array([0.0, 0.0, 0.06, 0.0]))
    assert got.same_rows.tolist() == [True, True, False, True]
    assert got.same_of_settled.value == 1.0
    assert (got.same_of_settled.n, got.same.n) == (3, 4)
    assert got.same.notes == ("1 of 4 inputs did not settle both ways",)
    own_restless = compared(other=OWN, residual_own=np.array([0.0, 0.0, 0.06, 0.0]))
    assert own_restless.same_rows.tolist() == got.same_rows.tolist()
    # the median is of the larger of the two: 0, 0, .012, 1 -> .006
    both = compared(
        other=OWN, residual_own=np.array([0, 0, 0.06, 0]), residual_other=np.array([0, 0, 0, 2**0.5])
    )
    assert both.residual.value == pytest.approx(0.006)


def test_a_slow_map_that_stops_on_the_way_is_not_called_replaying():
    # x -> a + .99 (x - a): two ways stop at rest to 1e-3, .05 of the norm from the point on either side
    own = np.tile([1.0, 0.05], (300, 1))
    other = np.tile([1.0, -0.05], (300, 1))
    rest = np.full(300, 0.01 * 0.05)
    got = path_independence(own, other, residual_own=rest, residual_other=rest, tolerance=1e-2)
    assert (got.settled.value, got.same.value, got.elsewhere.value) == (1.0, 0.0, 0.0)
    verdict = template_or_iteration([got], beyond=None)
    assert verdict.verdict is Origin.CANT_TELL
    assert "too near to tell" in verdict.reason


def test_the_trap_of_aligned_divergence():
    # states that grow to 1e7 along one direction: cosine near 1, nothing settled, every answer lost
    rng = np.random.default_rng(0)
    drift = np.ones((256, 16))
    own = 1e7 * (drift + 0.3 * rng.standard_normal((256, 16)))
    other = 2e7 * (drift + 0.3 * rng.standard_normal((256, 16)))
    got = path_independence(
        own,
        other,
        residual_own=0.19 * np.linalg.norm(own, axis=1),
        residual_other=0.19 * np.linalg.norm(other, axis=1),
        tolerance=1e-2,
        right_own=np.arange(256) < 119,
        right_other=np.zeros(256, dtype=bool),
    )
    assert got.alignment.low > 0.85
    assert (got.same.value, got.settled.value) == (0.0, 0.0)
    assert got.same.high < 0.02
    assert got.residual.value == pytest.approx(0.19)
    assert got.norm_ratio.low > 1.8
    assert got.same_of_settled.blank_reason == "no input settled both ways"
    assert got.right_change.high < -0.39
    assert template_or_iteration([got], beyond=None).verdict is Origin.REPLAYS


def test_overflow_is_never_the_same_and_never_aligned():
    own = np.array([[1.0, 1.0], [np.inf, 1.0], [np.nan, 1.0], [1e200, 1e200]])
    got = compared(own, own.copy(), residual_other=np.array([0.0, 0.0, np.nan, 0.0]))
    assert got.same_rows.tolist() == [True, False, False, True]
    assert got.distance.tolist() == [0, np.inf, np.inf, 0]
    assert np.isnan(got.cosine).tolist() == [False, True, True, False]
    assert (got.alignment.n, got.alignment.value) == (2, pytest.approx(1.0))
    assert got.alignment.notes == ("2 of 4 inputs have an end without a direction",)
    lost = compared(np.full((3, 2), np.inf), np.ones((3, 2)))
    assert lost.alignment.blank_reason == "no input has two ends with a direction"
    assert lost.same.value == 0


def test_a_limit_at_the_origin_needs_a_scale():
    own, other = np.full((2, 3), 1e-9), np.full((2, 3), -1e-9)
    assert compared(own, other).same.value == 0
    assert compared(own, other, least_norm=1.0).same.value == 1
    assert compared(np.zeros((2, 3)), np.zeros((2, 3))).same.value == 1
    assert np.isnan(compared(np.zeros((2, 3)), np.zeros((2, 3))).cosine).all()


def test_right_before_and_after_is_a_paired_difference():
    # Newcombe 1998 (paired), his example of method 10: 36 both, 12 one, 2 other, 0 neither: .0569 to .3404
    own = np.tile([1.0, 0.0], (50, 1))
    before = np.repeat([True, False, True, False], [36, 12, 2, 0])
    after = np.repeat([True, True, False, False], [36, 12, 2, 0])
    got = compared(own, own, right_own=before, right_other=after)
    assert (got.right_before.value, got.right_after.value) == (38 / 50, 48 / 50)
    assert got.right_change.value == pytest.approx(0.2)
    assert (got.right_change.low, got.right_change.high) == pytest.approx((0.0569, 0.3404), abs=1e-4)
    assert compared().right_change.blank_reason == "no anchor"


def test_keywords_move_the_answer():
    assert compared(tolerance=1e-4).same.value == 0.25
    assert compared(tolerance=1.5).same.value == 0.75
    # of distances 0, 1, .001 and 2, two are above .1
    assert compared().elsewhere.value == 0.5
    assert compared(apart=1.5).elsewhere.value == 0.25
    restless = {"residual_other": np.full(4, 0.06)}
    assert compared(**restless).same.value == 0
    assert compared(residual_tolerance=0.1, **restless).same.value == 0.5
    assert compared(confidence=0.5).same.low > compared().same.low
    assert compared(confidence=0.5).alignment.low > compared().alignment.low
    assert compared(arm="damped").same.parameters["arm"] == "damped"
    assert compared(level=Level.WEIGHTS).same.level is Level.WEIGHTS
    # an interval of a median needs six units at 95 %: 2 * .5^6 = .031
    assert np.isnan(compared(np.ones((5, 2)), np.ones((5, 2))).norm_ratio.low)
    assert compared(np.ones((6, 2)), np.ones((6, 2))).norm_ratio.low == 1


def test_single_precision_and_purity():
    single = compared(OWN.astype(np.float32), OTHER.astype(np.float32))
    assert single.same_rows.tolist() == compared().same_rows.tolist()
    residual = np.zeros(4)
    check_instrument(
        path_independence, OWN, OTHER, residual_own=residual, residual_other=residual, tolerance=0.1
    )


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ({"other": OTHER[:3]}, "the same inputs; got"),
        ({"residual_own": np.zeros(3)}, "the same inputs; got"),
        ({"own": np.zeros((0, 2)), "other": np.zeros((0, 2))}, "the same inputs; got"),
        ({"right_own": np.ones(4, dtype=bool)}, "or neither; got one of them"),
        ({"residual_own": np.array([0.0, -1.0, 0.0, 0.0])}, "must be 0 or more"),
        ({"tolerance": 0.0}, "must be above 0"),
        ({"apart": 1e-3}, "apart not below tolerance"),
        ({"residual_tolerance": -1.0}, "must be above 0"),
        ({"least_norm": np.inf}, "must be above 0"),
    ],
)
def test_refusals(more, complaint):
    with pytest.raises(InputError, match=complaint):
        compared(**more)


@pytest.mark.parametrize("truth", [0.9])
def test_the_same_share_is_covered(truth):
    # 300 worlds of 60 inputs; each input is the same with probability `truth`
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(300):
        flips = np.where(rng.random(60) < truth, 1.0, -1.0)[:, None]
        got = compared(np.ones((60, 2)), flips * np.ones((60, 2))).same
        held += got.low <= truth <= got.high
    assert 0.92 <= held / 300 <= 0.98


@pytest.mark.parametrize(("misled", "least"), [(0.02, 0.95), (0.3, 0.92)])
def test_the_alignment_is_covered_also_where_few_inputs_are_misled(misled, least):
    # a share of inputs ends opposite, the others in a common direction: AA = 1 - 2 * misled.
    # With .02 of 40 inputs a t interval alone is [1, 1] in 45 % of worlds and misses.
    rng = np.random.default_rng(2)
    held, pointed = 0, 0
    for _ in range(300):
        flips = np.where(rng.random(40) < misled, -1.0, 1.0)[:, None]
        got = compared(np.ones((40, 2)), flips * np.ones((40, 2))).alignment
        held += got.low <= 1 - 2 * misled <= got.high
        pointed += got.value == pytest.approx(1)
    assert held / 300 >= least
    if misled == 0.02:
        assert pointed / 300 > 0.35


def test_the_change_of_right_answers_is_covered():
    rng = np.random.default_rng(3)
    own = np.ones((80, 1))
    held = 0
    for _ in range(300):
        before = rng.random(80) < 0.8
        after = np.where(before, rng.random(80) < 0.9, rng.random(80) < 0.2)  # truth .72 + .04 - .8
        got = compared(own, own, right_own=before, right_other=after).right_change
        held += got.low <= -0.04 <= got.high
    assert 0.92 <= held / 300 <= 0.98


KEPT, LOST = change(-0.01, 0.01), change(-0.6, -0.4)
BOTH = {"before": 180, "after": 180}


@pytest.mark.parametrize(
    ("arms", "beyond", "verdict", "reason"),
    [
        # 196 of 200: Wilson from .950
        ([arm(same=196), arm("swapped solver", same=199)], KEPT, "iterates", "At least 95% of inputs come"),
        (
            [arm(same=196), arm("swapped solver", same=170)],
            KEPT,
            "can't tell",
            "solver: the same share may be as",
        ),
        ([arm(same=196)], KEPT, "can't tell", "No swapped solver was tried"),
        ([arm("swapped solver", same=196)], KEPT, "can't tell", "No swapped start was tried"),
        ([arm(same=196), arm("swapped solver", same=199)], None, "can't tell", "was not measured"),
        ([arm(same=196), arm("swapped solver", same=199)], LOST, "can't tell", "but accuracy falls"),
        (
            [arm(same=196), arm("swapped solver", same=199)],
            change(-0.2, 0.1),
            "can't tell",
            "does not exclude",
        ),
        (
            [arm(same=10), arm("swapped solver", same=199)],
            KEPT,
            "replays",
            "start: of inputs at rest, at least 91% are",
        ),
        # nothing settles: slow or lost, so the answers decide
        ([arm(same=10, settled=10)], KEPT, "can't tell", "run it longer"),
        ([arm(same=10, settled=10)], LOST, "replays", "do not come to the same place"),
        ([arm(same=10, settled=10, before=180, after=20)], KEPT, "replays", "do not come to the same place"),
        # several right limits
        ([arm(same=10, **BOTH)], KEPT, "can't tell", "other places that are as right"),
        # the same change of nothing, but nothing was right: no excuse
        ([arm(same=10, before=2, after=2)], KEPT, "replays", "are elsewhere"),
    ],
)
def test_the_verdict_follows_the_rule(arms, beyond, verdict, reason):
    got = template_or_iteration(arms, beyond=beyond)
    assert got.verdict == verdict
    assert reason in got.reason
    assert got.reason.endswith(".")


def test_bars_move_the_verdict():
    arms = [arm(same=170), arm("swapped solver", same=199)]
    assert template_or_iteration(arms, beyond=KEPT, same_bar=0.75).verdict is Origin.ITERATES
    assert template_or_iteration(arms, beyond=change(-0.09, 0), same_bar=0.75).verdict is Origin.CANT_TELL
    assert (
        template_or_iteration(arms, beyond=change(-0.09, 0), same_bar=0.75, loss_bar=0.1).verdict
        is Origin.ITERATES
    )
    assert template_or_iteration([arm(same=90)], beyond=KEPT).verdict is Origin.CANT_TELL
    assert template_or_iteration([arm(same=90)], beyond=KEPT, other_bar=0.6).verdict is Origin.REPLAYS
    for wrong in ({"same_bar": 0.4}, {"other_bar": 0.9}, {"loss_bar": -0.1}):
        with pytest.raises(InputError, match="bars with 0 <= other_bar"):
            template_or_iteration(arms, beyond=KEPT, **wrong)
    with pytest.raises(InputError, match="one arm at least"):
        template_or_iteration([], beyond=KEPT)
