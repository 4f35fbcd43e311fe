"""Does the interval over a few seeds hold what it promises?"""

import numpy as np
import pytest

from limitset.core.errors import InputError
from limitset.core.pooled_shares import pooled_intervals


def test_a_value_worked_by_hand():
    # p = 1, .5 and .5, .5: angles pi/2, pi/4 | pi/4, pi/4; squares 2 (pi/8)^2 over 2 degrees: s = pi/8
    # cell a: centre 3 pi/8, reach t(.975, 2) s / sqrt 2 = 4.302653 * .277680 = 1.194763 > 3 pi/8: low 0, high 1
    got = pooled_intervals(np.array([1.0, 0.5, 0.5, 0.5]), ["a", "a", "b", "b"], inputs=1000)
    assert (got["a"].value, got["a"].low, got["a"].high) == (0.75, 0.0, 1.0)
    # at 50 %: t(.75, 2) = .816497, reach .226724; sin^2(3 pi/8 -+ .226724) = .700606, .974588
    half = pooled_intervals(np.array([1.0, 0.5, 0.5, 0.5]), ["a", "a", "b", "b"], inputs=1000, confidence=0.5)
    assert half["a"].low == pytest.approx(
        np.sin(3 * np.pi / 8 - 0.816497 * np.pi / 8 / np.sqrt(2)) ** 2, abs=1e-6
    )
    assert half["a"].low > got["a"].low


def test_inputs_are_the_least_spread():
    few, many = (pooled_intervals(np.ones(4), ["a", "a", "b", "b"], inputs=n)["a"].low for n in (10, 10_000))
    # no seed differs: s^2 = 1 / (4 m); m = 10: reach 4.302653 * .158114 / sqrt 2 = .481054; cos^2 = .78587
    assert few == pytest.approx(np.cos(4.302653 * np.sqrt(1 / 40) / np.sqrt(2)) ** 2, abs=1e-6)
    assert many > 0.999


def test_one_seed_a_cell_has_no_interval():
    assert np.isnan(pooled_intervals(np.array([0.5, 0.7]), ["a", "b"], inputs=10)["a"].low)


@pytest.mark.parametrize("shares", [[1.2, 0.5], [np.nan, 0.5], [0.5]])
def test_bad_shares_are_refused(shares):
    with pytest.raises(InputError, match=r"shares in \[0, 1\]"):
        pooled_intervals(np.array(shares), ["a", "b"], inputs=10)


def test_coverage_in_a_world_of_seeds_that_differ():
    # 16 cells of 3 seeds, each with its own centre on the arcsine scale, spread .12, 100 inputs a net
    rng, covered, trials = np.random.default_rng(0), 0, 0
    cells = np.repeat(np.arange(16), 3).tolist()
    for _ in range(120):
        centres = rng.uniform(0.2, np.pi / 2 - 0.2, 16)
        angles = np.clip(np.repeat(centres, 3) + rng.normal(0, 0.12, 48), 0, np.pi / 2)
        shares = rng.binomial(100, np.sin(angles) ** 2) / 100
        got = pooled_intervals(shares, cells, inputs=100)
        truth = np.sin(centres) ** 2
        covered += sum(got[cell].low <= truth[cell] <= got[cell].high for cell in range(16))
        trials += 16
    assert 0.93 <= covered / trials <= 0.975
