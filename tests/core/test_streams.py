"""Are random numbers a matter of name, row and step alone?"""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from limitset.core.streams import Streams


def test_dropping_rows_changes_nothing():
    rng = Streams(3).child("a")
    assert rng.uniforms(["x", "y", "z"], step=4)[2] == rng.uniforms(["z"], step=4)[0]


def test_every_part_of_the_address_matters():
    draws = [
        Streams(3).child("a").uniforms(["x"], step=4)[0],
        Streams(4).child("a").uniforms(["x"], step=4)[0],
        Streams(3).child("b").uniforms(["x"], step=4)[0],
        Streams(3).child("a").uniforms(["y"], step=4)[0],
        Streams(3).child("a").uniforms(["x"], step=5)[0],
        Streams(3).child("a", "b").uniforms(["x"], step=4)[0],
    ]
    assert len(set(draws)) == len(draws)


def test_names_do_not_run_together():
    assert Streams(0).child("ab", "c").uniforms([0], step=0) != Streams(0).child("a", "bc").uniforms(
        [0], step=0
    )
    assert Streams(0).uniforms([1], step=0) != Streams(0).uniforms(["1"], step=0)


def test_numbers_are_uniform():
    draws = Streams(0).uniforms(range(20_000), step=0)
    assert stats.kstest(draws, "uniform").pvalue > 0.001
    assert abs(np.corrcoef(draws[:-1], draws[1:])[0, 1]) < 0.03


@given(st.integers(), st.text(max_size=5), st.integers(min_value=0, max_value=10**6))
def test_a_generator_can_be_built_for_any_address(seed, row, step):
    rng = Streams(seed).generator(row, step)
    again = Streams(seed).generator(row, step)
    assert rng.random() == again.random()
    assert 0 <= Streams(seed).uniforms([row], step=step)[0] < 1
