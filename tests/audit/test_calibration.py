"""Calibration and confidence: edges, decomposition, independent checks, nulls, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, roc_auc_score

from limitset.core.ends import Ends
from limitset.core.errors import InputError
from limitset.core.levels import Level
from limitset.core.tallies import tallied
from limitset.instruments.truth.calibration import calibration, equal_mass
from limitset.instruments.truth.confidence import confident_false, ranking, wrong_or_silent


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def forecasts(n: int = 400, *, over: float = 0.0, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Confidences from .3 to .95 that are `over` too high."""
    draw = rng(seed)
    stated = draw.uniform(0.3, 0.95, n)
    return stated, (draw.random(n) < stated - over) * 1.0, np.arange(n)


def summary(*data: np.ndarray, **more: object):
    return calibration(*data, rng=rng(), **more).summary


@pytest.mark.parametrize(("stated", "accuracy"), [(0.9, 0.75), (0.5, 0.75), (1.0, 0.5), (0.0, 0.25)])
def test_one_confidence_for_all(stated: float, accuracy: float) -> None:
    right = (np.arange(80) < 80 * accuracy) * 1.0
    got = summary(np.full(80, stated), right, np.arange(80))
    row = got.one(statistic="ece", null_kind="")
    assert row.value == pytest.approx(abs(stated - accuracy))
    assert row.low < row.value < row.high
    assert got.one(statistic="overconfidence").value == pytest.approx(stated - accuracy)
    assert got.one(statistic="resolution").value == pytest.approx(0)
    assert got.one(statistic="reliability").value == pytest.approx((stated - accuracy) ** 2)
    assert got.one(statistic="uncertainty").value == pytest.approx(accuracy * (1 - accuracy))


def test_two_bins_by_hand() -> None:
    # .2 on ten answers of which 4 are right, .8 on ten of which 7: ECE = (.2 + .1) / 2
    stated = np.repeat([0.2, 0.8], 10)
    right = np.r_[np.arange(10) < 4, np.arange(10) < 7] * 1.0
    got = summary(stated, right, np.arange(20), bin_count=2)
    assert got.one(statistic="ece", null_kind="").value == pytest.approx(0.15)
    assert got.one(statistic="reliability").value == pytest.approx((0.04 + 0.01) / 2)
    assert got.one(statistic="resolution").value == pytest.approx(0.15**2)  # shares .4 and .7 about .55
    assert got.one(statistic="uncertainty").value == pytest.approx(0.55 * 0.45)
    assert got.one(statistic="within").value == pytest.approx(0)
    one = summary(stated, right, np.arange(20), bin_count=1)
    assert one.one(statistic="ece", null_kind="").value == pytest.approx(0.05)  # .5 against .55


def test_brier_is_that_of_scikit_learn_and_its_parts_add_up() -> None:
    data = forecasts()
    got = summary(*data)
    value = {row.parameters["statistic"]: row.value for row in got.where(null_kind="").rows()}
    assert value["brier"] == pytest.approx(brier_score_loss(data[1], data[0]))
    parts = value["reliability"] - value["resolution"] + value["uncertainty"] + value["within"]
    assert parts == pytest.approx(value["brier"])


def test_a_calibrated_forecaster_lies_in_its_null_and_another_does_not() -> None:
    for over, inside in ((0.0, True), (0.2, False)):
        got = summary(*forecasts(over=over))
        null, row = (got.one(statistic="ece", null_kind=kind) for kind in ("calibrated", ""))
        assert (row.value <= null.high) is inside
        assert 0 < null.low < null.value < null.high
    assert got.one(statistic="overconfidence").value == pytest.approx(0.2, abs=0.06)


def test_null_counts_questions_not_answers() -> None:
    # ten answers to each of forty questions, right or wrong together: the null is as wide as forty allow
    stated, right, _ = forecasts(40)
    many = [np.repeat(one, 10) for one in (stated, right, np.arange(40))]
    alone, together = summary(stated, right, np.arange(40)), summary(*many)
    wide, narrow = (
        table.one(statistic="ece", null_kind="calibrated").high
        for table in (together, summary(many[0], many[1], np.arange(400)))
    )
    assert wide == pytest.approx(alone.one(statistic="ece", null_kind="calibrated").high, rel=0.15)
    assert wide > 1.8 * narrow
    assert together.one(statistic="brier").high == pytest.approx(alone.one(statistic="brier").high, rel=1e-6)


def test_equal_confidences_stay_together() -> None:
    stated = np.r_[np.full(90, 0.5), np.linspace(0.6, 0.9, 10)]
    bins = equal_mass(stated, 10)
    assert len(set(bins[:90])) == 1
    assert (np.bincount(equal_mass(np.linspace(0, 1, 100), 10)) == 10).all()
    table = calibration(stated, np.ones(100), np.arange(100), rng=rng()).bins
    assert table.axes["stated"][0] == pytest.approx(0.5)


def test_keywords_of_calibration() -> None:
    data = forecasts()
    got = calibration(*data, rng=rng())
    wide = calibration(*data, rng=rng(), confidence=0.99, level=Level.TEXT)
    assert wide.bins.high[3] > got.bins.high[3]
    assert wide.summary.high[2] > got.summary.high[2]
    assert wide.bins.level is Level.TEXT
    assert len(calibration(*data, rng=rng(), bin_count=5).bins) == 5
    for changed in (calibration(*data, rng=rng(), draws=201), calibration(*data, rng=rng(7))):
        assert changed.summary.low[1] != got.summary.low[1]
    few = calibration(*(one[:4] for one in data), rng=rng())
    assert "fewer than 5 questions" in few.summary.blank_reason[0]


def test_confident_false_by_hand() -> None:
    # 40 answers at .95 of which 10 wrong, 40 at .6 of which 20 wrong, 20 at .4 of which 15 wrong
    stated = np.r_[np.full(40, 0.95), np.full(40, 0.6), np.full(20, 0.4)]
    right = np.r_[np.arange(40) >= 10, np.arange(40) >= 20, np.arange(20) >= 15] * 1.0
    got = confident_false(stated, right, np.arange(100), thresholds=[0.5, 0.9])
    for threshold, sure, wrong in ((0.9, 40, 10), (0.5, 80, 30)):
        assert got.one(statistic="sure", threshold=threshold).value == pytest.approx(sure / 100)
        assert got.one(statistic="sure_and_wrong", threshold=threshold).value == pytest.approx(wrong / 100)
        row = got.one(statistic="wrong_when_sure", threshold=threshold)
        assert row.value == pytest.approx(wrong / sure)
        assert row.low < row.value < row.high
    wide = confident_false(stated, right, np.arange(100), thresholds=[0.9], confidence=0.99, level=Level.TEXT)
    assert wide.high[0] > got.one(statistic="wrong_when_sure", threshold=0.9).high
    assert wide.level is Level.TEXT


def test_nobody_is_sure() -> None:
    got = confident_false(np.full(40, 0.3), np.ones(40), np.arange(40), thresholds=[0.9])
    assert got.one(statistic="wrong_when_sure", threshold=0.9).blank_reason == "it never happened"
    assert got.one(statistic="sure", threshold=0.9).high < 0.1


def test_never_wrong_when_sure_is_a_bound() -> None:
    got = confident_false(np.full(100, 0.99), np.ones(100), np.arange(100), thresholds=[0.9])
    row = got.one(statistic="wrong_when_sure", threshold=0.9)
    assert (row.blank, row.low) == (True, 0.0)
    assert row.high == pytest.approx(0.0295, abs=1e-4)


def test_auroc_is_that_of_scikit_learn() -> None:
    stated, right, questions = forecasts()
    rounded = stated.round(1)  # with ties
    for score in (stated, rounded, np.log(stated)):
        got = ranking(score, right, questions).summary.one(statistic="auroc")
        assert got.value == pytest.approx(roc_auc_score(right, score))
        assert got.low < got.value < got.high


def test_aurc_by_hand_and_its_ends() -> None:
    # one of ten wrong: last, its risk is 0 but for 1/10 at full coverage; first, the sum of 1/k over ten
    score = np.repeat(np.arange(10.0), 8)
    right = np.ones(80)
    right[:8] = 0.0
    got = ranking(score, right, np.arange(80))
    last = sum(max(0, k - 72) / k for k in range(1, 81)) / 80
    assert got.summary.one(statistic="aurc").value == pytest.approx(last)
    assert got.summary.one(statistic="auroc").value == 1.0
    assert got.summary.one(statistic="auroc").low < 1.0
    assert got.curve.one(coverage=0.5).value == 0.0
    first = ranking(-score, right, np.arange(80))
    assert first.curve.one(coverage=0.1).value == 1.0
    # a score that says nothing: the share wrong at every coverage
    none = ranking(np.zeros(80), right, np.arange(80))
    np.testing.assert_allclose(none.curve.value, 0.1)
    assert none.summary.one(statistic="auroc").value == pytest.approx(0.5)


def test_ranking_counts_questions() -> None:
    stated, right, _ = forecasts(60)
    many = [np.repeat(one, 6) for one in (stated, right, np.arange(60))]
    whole, apart = ranking(*many), ranking(many[0], many[1], np.arange(360))
    alone = ranking(stated, right, np.arange(60))
    for name in ("auroc", "aurc"):
        width = [
            r.summary.one(statistic=name).high - r.summary.one(statistic=name).low
            for r in (whole, apart, alone)
        ]
        assert width[0] > 2 * width[1]
        assert width[0] == pytest.approx(width[2], rel=0.05)


def test_keywords_of_ranking() -> None:
    data = forecasts()
    got, wide = ranking(*data), ranking(*data, confidence=0.99, level=Level.TEXT, coverages=[0.25])
    assert wide.summary.high[0] > got.summary.high[0]
    assert wide.summary.high[1] > got.summary.high[1]
    assert wide.curve.axes["coverage"].tolist() == [0.25]
    assert wide.curve.level is Level.TEXT
    few = ranking(data[0], np.r_[np.zeros(4), np.ones(396)], data[2])
    assert "fewer than 5 questions" in few.summary.blank_reason[0]


def test_wrong_or_silent_by_hand() -> None:
    # a: 30 wrong, 10 silent; b never silent
    ends = Ends.of(
        item=[*range(60)] * 2,
        system=["a"] * 60 + ["b"] * 60,
        end=["x"] * 30 + [None] * 10 + ["r"] * 20 + ["x"] * 40 + ["r"] * 20,
        right=[0] * 30 + [None] * 10 + [1] * 20 + [0] * 40 + [1] * 20,
    )
    got = wrong_or_silent(tallied(ends))
    assert got.one(system="a").value == pytest.approx(0.75)
    row = got.one(system="b")
    assert (row.blank, row.high) == (True, 1.0)
    assert row.low > 0.9
    assert wrong_or_silent(tallied(ends), confidence=0.99, level=Level.TEXT).high[0] > got.high[0]


def test_refusals() -> None:
    ten = np.arange(10)
    with pytest.raises(InputError, match="confidences in"):
        calibration(np.full(10, 90.0), np.ones(10), ten, rng=rng())
    with pytest.raises(InputError, match="one confidence"):
        calibration(np.full(9, 0.5), np.ones(10), ten, rng=rng())
    for keyword in ("bin_count", "draws"):
        with pytest.raises(InputError, match="1 or more"):
            calibration(np.full(10, 0.5), np.ones(10), ten, rng=rng(), **{keyword: 0})
    with pytest.raises(InputError, match="thresholds in"):
        confident_false(np.full(10, 0.5), np.ones(10), ten, thresholds=[90])
    with pytest.raises(InputError, match="finite scores"):
        ranking(np.full(10, np.nan), np.ones(10), ten)
    with pytest.raises(InputError, match="one score"):
        ranking(np.full(9, 0.5), np.ones(10), ten)


@pytest.mark.slow
def test_intervals_cover() -> None:
    """The full study is runs/coverage/pairs.py."""
    hits = np.zeros(3)
    for seed in range(400):
        data = forecasts(200, over=0.2, seed=seed)
        got = summary(*data, bin_count=5, draws=1)
        auroc = ranking(*data).summary.one(statistic="auroc")
        ece, gap = got.one(statistic="ece", null_kind=""), got.one(statistic="overconfidence")
        hits += [
            ece.low <= 0.2 <= ece.high,
            gap.low <= 0.2 <= gap.high,
            auroc.low <= AUROC <= auroc.high,
        ]
    assert (hits >= 0.915 * 400).all()
    assert (hits <= 0.985 * 400).all()


def _auroc() -> float:
    """AUROC of confidences uniform on [.3, .95], right with chance p - .2."""
    p = np.linspace(0.3, 0.95, 20001)
    good, bad = (p - 0.2) / (p - 0.2).sum(), (1.2 - p) / (1.2 - p).sum()
    return float((good * (np.cumsum(bad) - bad / 2)).sum())


AUROC = _auroc()
