"""Is stability the share of answers that noise leaves in place?"""

import numpy as np
import pytest
from scipy import stats

from limitset.core.errors import InputError, UndefinedError
from limitset.instruments.dynamics.perturbation import perturbation_stability


def rng(seed=0):
    return np.random.default_rng(seed)


def sign(x):
    return x[:, 0] > 0


POINTS = np.array([[-2.0], [-1.0], [1.0], [2.0]])


def test_threshold_by_hand():
    # d = sqrt((4 + 1 + 1 + 4) / 4) = 1.5811; noise .5 d = .7906
    # kept: P(N < 2 / .7906) = P(N < 2.530) = .99430, P(N < 1.265) = .89705; mean .94567
    got = perturbation_stability(sign, POINTS, size=0.5, draws=20_000, rng=rng())
    assert got.kept == pytest.approx([0.99430, 0.89705, 0.89705, 0.99430], abs=0.01)
    assert got.share.value == pytest.approx(0.94567, abs=0.003)


def test_against_the_closed_form_on_many_points():
    x = rng(1).standard_normal((400, 3))
    spread = np.sqrt(np.square(x - x.mean(axis=0)).mean())
    expected = stats.norm.cdf(np.abs(x[:, 0]) / (0.3 * spread)).mean()
    got = perturbation_stability(sign, x, size=0.3, draws=100, rng=rng())
    assert got.share.value == pytest.approx(expected, abs=0.005)
    assert got.share.low < expected < got.share.high


def test_constant_answers_are_perfectly_stable_and_no_noise_changes_nothing():
    x = rng(1).standard_normal((50, 3))
    always = perturbation_stability(lambda x: np.full(len(x), 7), x, size=2.0, rng=rng()).share
    assert always.value == always.high == 1
    assert always.low == pytest.approx(0.05 ** (1 / 50))  # no event in 50 inputs
    assert perturbation_stability(sign, x, size=0.0, rng=rng()).kept.tolist() == [1.0] * 50


def test_bounds_and_rescaled_inputs():
    x = rng(1).standard_normal((80, 3))
    got = perturbation_stability(sign, x, size=1.0, rng=rng()).kept
    assert ((got >= 0) & (got <= 1)).all()
    # noise is relative: rescaled inputs with a rescaled threshold give the same answers
    rescaled = perturbation_stability(sign, 1000 * x, size=1.0, rng=rng()).kept
    assert rescaled.tolist() == got.tolist()


def test_shift_of_inputs_is_no_size():
    x = rng(1).standard_normal((80, 1))
    shifted = perturbation_stability(lambda x: x[:, 0] > 100, x + 100, size=0.5, draws=50, rng=rng())
    plain = perturbation_stability(sign, x, size=0.5, draws=50, rng=rng())
    assert shifted.share.value == pytest.approx(plain.share.value, abs=1e-9)


def test_keywords_move_the_answer():
    x = rng(1).standard_normal((80, 3))
    base = perturbation_stability(sign, x, rng=rng()).share
    assert perturbation_stability(sign, x, size=0.8, rng=rng()).share.value < base.value
    assert perturbation_stability(sign, x, draws=37, rng=rng()).share.parameters["draws"] == 37
    assert perturbation_stability(sign, x, draws=37, rng=rng()).share.value != base.value
    assert perturbation_stability(sign, x, confidence=0.5, rng=rng()).share.low > base.low
    assert perturbation_stability(sign, x, rng=rng(7)).share.value != base.value


def test_images_and_single_precision():
    x = rng(1).standard_normal((20, 4, 4)).astype(np.float32)
    seen = []

    def predict(batch):
        seen.append((batch.shape, batch.dtype))
        return batch.mean(axis=(1, 2)) > 0

    perturbation_stability(predict, x, draws=2, rng=rng())
    assert set(seen) == {((20, 4, 4), np.dtype(np.float32))}


def test_refusals():
    with pytest.raises(InputError, match="2 inputs or more"):
        perturbation_stability(sign, POINTS[:1], rng=rng())
    with pytest.raises(InputError, match="size of 0 or more"):
        perturbation_stability(sign, POINTS, size=-1.0, rng=rng())
    with pytest.raises(InputError, match="a draw or more"):
        perturbation_stability(sign, POINTS, draws=0, rng=rng())
    with pytest.raises(InputError, match="one answer for each of 4 inputs"):
        perturbation_stability(lambda x: x, POINTS, rng=rng())
    with pytest.raises(UndefinedError, match="inputs must differ"):
        perturbation_stability(sign, np.full((9, 2), 0.1), rng=rng())
