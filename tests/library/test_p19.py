"""Is a judge's reliability told apart from its truth, on planted judges and on a small model?"""

from pathlib import Path

import numpy as np
import pytest

from limitset.core.bars import decided
from limitset.core.errors import DependencyError, InputError
from limitset.core.evidence import Tier, Trial
from limitset.core.verdicts import Verdict
from limitset.datasets.anchored import anchored
from limitset.library.holdings.reading import read_claim
from limitset.library.protocols import p19
from limitset.library.protocols.p19 import PROTOCOL
from limitset.models.scripted import ScriptedModel
from limitset.studies.judge_draws import drawn_grades, factor_scores, grade_laws, graded_answers, judged

ROOT = Path(__file__).parents[2]
CLAIM = read_claim(ROOT / "src/limitset/library/claims/19-reliable-and-at-chance.toml")


def trial(tmp_path, **given):
    return Trial(**{"tier": Tier.QUICK, "folder": tmp_path, "confidence": 0.975, **given})


def verdicts(estimates):
    return [
        decided(estimates[test.statistic], holds_if=test.holds, fails_if=test.fails) for test in CLAIM.tests
    ]


def graded_by(leaning, right, *, seed=0, draws=100, temperature=1.0, confidence=0.975):
    rng = np.random.default_rng(seed)
    laws = np.asarray(leaning, dtype=float)[:, None] * np.linspace(-2.0, 2.0, 5)
    grades = drawn_grades(laws, draws=draws, temperature=temperature, rng=rng)
    return judged(grades, right, confidence=confidence, rng=rng)


def halves(items=600):
    return np.arange(items) % 2 == 0


def test_the_claim_names_what_is_measured():
    assert CLAIM.runnable
    assert CLAIM.protocol == PROTOCOL.id
    assert {test.statistic for test in CLAIM.tests} <= set(PROTOCOL.statistics)


def test_a_reliable_judge_at_chance_holds_and_one_that_knows_fails():
    leaning = np.random.default_rng(1).normal(size=2000)
    assert verdicts(graded_by(leaning, halves(2000))) == [Verdict.HOLDS, Verdict.HOLDS]
    knows = graded_by(np.where(halves(2000), 1.0, -1.0) + 0.5 * leaning, halves(2000))
    assert verdicts(knows) == [Verdict.HOLDS, Verdict.FAILS]


def test_coins_have_no_reliability():
    got = graded_by(np.zeros(2000), halves(2000))
    assert abs(got["omega"].value) < 0.1
    assert abs(got["one_draw"].value) < 0.02


def test_one_draw_is_less_reliable_than_the_mean_of_a_hundred():
    # Spearman-Brown: 100 r / (1 + 99 r) of one draw is the reliability of the mean of 100
    got = graded_by(np.random.default_rng(2).normal(size=1500) * 0.4, halves(1500))
    one = got["one_draw"].value
    assert one < 0.5
    assert got["omega"].value == pytest.approx(100 * one / (1 + 99 * one), abs=0.01)


def test_above_chance_by_hand():
    # the means are 1 and 5; 3 of the 4 high ones and 3 of the 4 low ones are what they are said to be: 6/8 - 1/2
    leaning = np.repeat([60.0, -60.0], 4)
    right = np.array([1, 1, 1, 0, 0, 0, 0, 1], dtype=bool)
    got = graded_by(leaning, right)["above_chance"]
    assert got.value == pytest.approx(0.25)
    assert got.n == 8


def test_a_judge_whose_grades_never_vary_has_no_omega():
    assert graded_by(np.full(50, 99.0), halves(50))["omega"].blank_reason


def test_known_omega():
    got = factor_scores([0.5, 0.6, 0.7, 0.8], items=20_000, rng=np.random.default_rng(0))
    assert got.value == pytest.approx(0.749446, abs=0.01)
    wide = factor_scores([0.5, 0.6, 0.7, 0.8], items=500, rng=np.random.default_rng(0), confidence=0.99)
    narrow = factor_scores([0.5, 0.6, 0.7, 0.8], items=500, rng=np.random.default_rng(0), confidence=0.8)
    assert wide.high - wide.low > narrow.high - narrow.low


def test_grades_follow_their_law():
    # odds 1:1:2:0:0 over grades 1 to 3; at temperature .5 they are squared: 1:1:4
    laws = np.log(np.array([[1.0, 1, 2, 1e-12, 1e-12]])).repeat(4000, axis=0)
    for warm, share in ((1.0, 2 / 4), (0.5, 4 / 6)):
        grades = drawn_grades(laws, draws=5, temperature=warm, rng=np.random.default_rng(0))
        assert grades.max() == 3
        assert (grades == 3).mean() == pytest.approx(share, abs=0.015)


def test_temperature_and_confidence_move_the_judge():
    leaning = np.random.default_rng(3).normal(size=400) * 0.3
    warm, cold = (graded_by(leaning, halves(400), temperature=one) for one in (2.0, 0.5))
    assert warm["omega"].value < cold["omega"].value
    wide, narrow = (graded_by(leaning, halves(400), confidence=one) for one in (0.99, 0.8))
    for name in wide:
        assert wide[name].high - wide[name].low > narrow[name].high - narrow[name].low


def test_half_of_the_answers_are_right_and_no_wrong_one_is_accepted():
    questions = anchored().take(300, seed=1900)
    graded = graded_answers(questions)
    assert len(graded.answers) == 300
    assert 140 <= graded.right.sum() <= 160
    by_text = {one.wordings[0]: one for one in questions.questions.values()}
    for text, answer, right in zip(graded.questions, graded.answers, graded.right, strict=True):
        assert (answer in by_text[text].accepted) is bool(right)


def test_controls_come_out_as_they_must(tmp_path):
    first = p19._controls(trial(tmp_path))
    assert all(one.passed for one in first)
    for test in CLAIM.tests:
        kinds = {one.kind for one in first if test.statistic in one.guards}
        assert kinds == {"positive", "negative"}
    other = p19._controls(trial(tmp_path, seed=1))
    assert first[0].measured.value != other[0].measured.value


def test_a_model_without_logits_is_refused():
    graded = graded_answers(anchored().take(10, seed=0))
    with pytest.raises(InputError, match="law of its next token"):
        grade_laws(ScriptedModel("s", {}, default="3"), graded, rubric=0, style="chat")


def test_missing_model_names_the_command(tmp_path, monkeypatch):
    monkeypatch.setenv("LIMITSET_CACHE", str(tmp_path))
    with pytest.raises(DependencyError, match="limitset models get smollm2-135m-instruct"):
        PROTOCOL.run(trial(tmp_path))


@pytest.mark.model
def test_small_model(tmp_path):
    got = PROTOCOL.run(trial(tmp_path))
    assert not got.missed
    assert got.estimates["omega"].n == 300
    assert got.estimates["one_draw"].value < got.estimates["omega"].value
    assert [row["temperature"] for row in got.rows] == [1.0, 0.7]
