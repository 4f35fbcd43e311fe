"""Is a loss far from training told with an interval that covers it, paired where it can be?"""

import numpy as np
import pytest

from limitset.core.errors import InputError
from limitset.core.levels import Level
from limitset.core.verdicts import Verdict
from limitset.instruments.dynamics import beyond_training
from limitset.testing import check_instrument


def rights(*shares, n=100):
    """One column a share: the first inputs are right."""
    return np.stack([np.arange(n) < round(share * n) for share in shares], axis=1)


def measured(sizes, steps=(15, 100), **more):
    return beyond_training(sizes, steps, **{"trained_size": 12, "trained_steps": 15, **more})


def test_a_net_that_forgets_with_more_steps_and_one_that_grows_into_longer_inputs():
    got = measured({12: rights(1.0, 0.449, n=1000), 32: rights(0.2, 0.9, n=1000)})
    assert got.accuracy.value.tolist() == [1.0, 0.449, 0.2, 0.9]
    assert got.accuracy.axes["size"].tolist() == [12, 12, 32, 32]
    assert got.accuracy.axes["steps"].tolist() == [15, 100, 15, 100]
    assert got.change.value == pytest.approx([0, -0.551, -0.8, -0.1])
    assert got.beyond_steps.value == pytest.approx(-0.551)
    assert got.beyond_size.value == pytest.approx(-0.1)
    assert (got.holds_beyond_steps, got.holds_beyond_size) == (Verdict.FAILS, Verdict.FAILS)
    assert measured({12: rights(1, 1, n=200)}).holds_beyond_steps is Verdict.HOLDS
    assert measured({12: rights(1, 1, n=20)}).holds_beyond_steps is Verdict.CANT_TELL


def test_published_intervals():
    # Newcombe 1998 (unpaired), table II, 56/70 - 48/80, method 10: .0524 to .3339
    first, then = rights(48 / 80, n=80), rights(56 / 70, n=70)
    got = beyond_training({1: first, 2: then}, [5], trained_size=1, trained_steps=5)
    assert got.beyond_size.value == pytest.approx(0.2)
    assert (got.beyond_size.low, got.beyond_size.high) == pytest.approx((0.0524, 0.3339), abs=1e-4)
    assert got.beyond_size.n == pytest.approx(2 / (1 / 70 + 1 / 80))
    # Newcombe 1998 (paired), 36 both, 12 gained, 2 lost, 0 neither: .0569 to .3404
    before = np.repeat([True, False, True], [36, 12, 2])
    after = np.repeat([True, True, False], [36, 12, 2])
    paired = measured({12: np.stack([before, after], axis=1)}).beyond_steps
    assert (paired.low, paired.high) == pytest.approx((0.0569, 0.3404), abs=1e-4)


def test_the_same_inputs_are_compared_in_pairs():
    column = np.random.default_rng(0).random(200) < 0.6
    both = np.stack([column, column], axis=1)
    got = measured({12: both, 13: both})
    assert got.beyond_steps.high - got.beyond_steps.low < got.beyond_size.high - got.beyond_size.low


def test_keywords_move_the_answer():
    sizes = {12: rights(0.9, 0.8, n=400), 48: rights(0.5, 0.5, n=400)}
    base = measured(sizes)
    assert base.holds_beyond_steps is Verdict.FAILS
    assert measured(sizes, margin=0.2).holds_beyond_steps is Verdict.HOLDS
    assert measured(sizes, trained_size=48).beyond_steps.value == 0
    assert measured(sizes, trained_steps=100).beyond_steps.value == 0
    assert measured(sizes, steps=(15, 60)).beyond_steps.parameters["steps"] == 60
    assert measured(sizes, confidence=0.5).beyond_steps.low > base.beyond_steps.low
    assert measured(sizes, level=Level.TEXT).accuracy.level is Level.TEXT


def test_unpaired_changes_are_covered():
    rng = np.random.default_rng(4)
    held = 0
    for _ in range(300):
        sizes = {12: rng.random((60, 1)) < 0.9, 48: rng.random((90, 1)) < 0.7}
        change = beyond_training(sizes, [15], trained_size=12, trained_steps=15).beyond_size
        held += change.low <= -0.2 <= change.high
    assert 0.92 <= held / 300 <= 0.98


def test_paired_changes_are_covered():
    rng = np.random.default_rng(5)
    held = 0
    for _ in range(300):
        before = rng.random(80) < 0.8
        after = np.where(before, rng.random(80) < 0.6, rng.random(80) < 0.1)  # .48 + .02 - .8
        change = measured({12: np.stack([before, after], axis=1)}).beyond_steps
        held += change.low <= -0.3 <= change.high
    assert 0.92 <= held / 300 <= 0.98


def test_purity():
    check_instrument(
        beyond_training, {12: rights(1, 0.5), 13: rights(0.5, 1)}, (1, 2), trained_size=12, trained_steps=1
    )


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ({"rights": {12: rights(1, 1, 1)}}, r"rights \(n, 2\) for each size"),
        ({"rights": {12: np.ones((0, 2), dtype=bool)}}, r"rights \(n, 2\) for each size"),
        ({"trained_size": 13}, r"the trained size 13 among them; got sizes \[12\]"),
        ({"steps": (100, 15)}, "steps must rise"),
        ({"trained_steps": 16}, "the trained 16 among them"),
        ({"margin": 1.0}, r"in \[0, 1\)"),
    ],
)
def test_refusals(more, complaint):
    given = {
        "rights": {12: rights(1, 1)},
        "steps": (15, 100),
        "trained_size": 12,
        "trained_steps": 15,
        **more,
    }
    with pytest.raises(InputError, match=complaint):
        beyond_training(given.pop("rights"), given.pop("steps"), **given)
