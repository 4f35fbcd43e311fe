"""Are greedy answers and fresh draws compared as they should be, on planted replies, scripts and files?"""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from limitset.core.bars import decided
from limitset.core.ends import Ends
from limitset.core.errors import DependencyError, InputError
from limitset.core.evidence import Tier, Trial
from limitset.core.replies import Reply
from limitset.core.verdicts import Verdict
from limitset.datasets.anchored import anchored
from limitset.library.holdings.reading import read_claim
from limitset.library.protocols.p20 import PROTOCOL
from limitset.studies.fresh_draws import (
    Setting,
    flip_share,
    flipped,
    fresh_differs,
    greedy_replies,
    logged,
    said,
)

ROOT = Path(__file__).parents[2]
CLAIMS = {
    claim.id: claim
    for claim in map(read_claim, sorted((ROOT / "src/limitset/library/claims").glob("20*.toml")))
}


def trial(tmp_path, **given):
    return Trial(**{"tier": Tier.QUICK, "folder": tmp_path, **given})


def verdict(evidence, claim):
    (test,) = CLAIMS[claim].tests
    return decided(evidence.estimates[test.statistic], holds_if=test.holds, fails_if=test.fails)


def script(path, *, sure):
    replies = {
        one.wordings[0]: [[one.accepted[0], sure], ["77777", 1 - sure]]
        for one in anchored().questions.values()
    }
    path.write_text(json.dumps({"name": "script", "style": "chat", "replies": replies}), encoding="utf-8")
    return f"scripted:{path}"


def logs(path, *, repeats, differs, questions=200):
    rng = np.random.default_rng(0)
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["question", "model", "seed", "temperature", "answer", "key"])
        for q in range(questions):
            for run in range(repeats):
                rows.writerow([f"Ask {q}?", "m", run, 0, "yes", "yes"])
            for run in range(4):
                answer = "no" if rng.random() < differs else "yes"
                rows.writerow([f"Ask {q}?", "m", 10 + run, 0.7, answer, "yes"])
    return path


def table(*rows):
    return np.array(rows, dtype=object)


def test_claims_name_what_is_measured():
    assert set(CLAIMS) == {"20a", "20b"}
    for claim in CLAIMS.values():
        assert claim.runnable
        assert {test.statistic for test in claim.tests} <= set(PROTOCOL.statistics)


def test_flips_by_hand():
    # twenty questions, three settings: on ten the third one differs, in 2 of 3 pairs: 10/20 * 2/3
    first = ["a"] * 20
    got = flip_share(table(first, first, ["b"] * 10 + ["a"] * 10))
    assert got.value == pytest.approx(1 / 3)
    assert got.n == 20
    assert flip_share(table(first)).blank_reason == "one setting, or one greedy reply a question"


def test_356_questions_without_a_flip_bound_the_share():
    got = flip_share(table(["a"] * 356, ["a"] * 356))
    assert got.high == pytest.approx(0.0084, abs=1e-4)  # 1 - .05 ** (1 / 356)


def test_fresh_draws_by_hand():
    # q1: 1 of 2 differs; q2: 0 of 1 (one draw is not there); of the other twelve six differ, six do not
    draws = table(["a", "b"], ["c", None], *[["x", "y"]] * 6, *[["z", "z"]] * 6)
    got = fresh_differs(np.array(["a", "c", *["z"] * 12], dtype=object), draws)
    assert got.value == pytest.approx((0.5 + 0 + 6) / 14)


def test_confidence_moves_both():
    rng = np.random.default_rng(0)
    told = rng.choice(["a", "b"], size=(2, 100)).astype(object)
    for measure in (
        lambda level: flip_share(told, confidence=level),
        lambda level: fresh_differs(told[0], told[1][:, None], confidence=level),
    ):
        wide, narrow = measure(0.99), measure(0.8)
        assert wide.high - wide.low > narrow.high - narrow.low
        assert wide.value == narrow.value
    assert flip_share(told, name="other").instrument == "fresh_draws.other"
    assert fresh_differs(told[0], told[1][:, None], name="other").instrument == "fresh_draws.other"


def test_replies_without_an_answer_are_the_same_only_where_their_texts_are():
    told = said(["I cannot say", "no idea", "I cannot say"], [None, None, None])
    assert told[0] == told[2] != told[1]


def test_a_file_is_read_cell_by_cell():
    ends = Ends.of(
        item=["p", "p", "p", "q", "q", "r"],
        system="m",
        temperature=[0, 0.7, 0.7, 0, 0.7, 0.7],
        end=["a", "a", "b", "c", "c", "lone"],
        seed=[0, 1, 2, 0, 1, 0],
    )
    greedy, draws = logged(ends)
    assert greedy.tolist() == [["a", "c"]]
    assert draws.tolist() == [["a", "b"], ["c", None]]
    with pytest.raises(InputError, match="a greedy reply"):
        logged(ends.where(ends.numbers("temperature") > 0))


@pytest.mark.parametrize(
    ("differs", "expected"), [(0.3, Verdict.HOLDS), (0.0, Verdict.FAILS)], ids=["differ", "agree"]
)
def test_the_file_of_a_user_is_judged(tmp_path, differs, expected):
    got = PROTOCOL.run(trial(tmp_path, logs=logs(tmp_path / "r.csv", repeats=1, differs=differs)))
    assert not got.missed
    assert verdict(got, "20b") is expected
    assert verdict(got, "20a") is Verdict.CANT_TELL
    assert got.estimates["flip_share"].blank_reason
    assert "r.csv" in got.system


def test_repeats_at_temperature_0_are_settings(tmp_path):
    path = logs(tmp_path / "r.csv", repeats=3, differs=0.3, questions=400)
    got = PROTOCOL.run(trial(tmp_path, logs=path))
    assert verdict(got, "20a") is Verdict.HOLDS


@pytest.mark.parametrize(("sure", "expected"), [(0.6, Verdict.HOLDS), (1.0, Verdict.FAILS)])
def test_a_script_is_asked(tmp_path, sure, expected):
    model = script(tmp_path / "s.json", sure=sure)
    got = PROTOCOL.run(trial(tmp_path, model=model))
    assert verdict(got, "20b") is expected
    assert all(one.passed for one in got.guarding(["fresh_differs"]))
    # a script has no logits to which noise could be added: nothing is said of 20a
    assert [one.guards for one in got.missed] == [("flip_share",)]
    assert got.estimates["greedy_right"].low > 0.9
    assert "script@scripted" in got.system
    assert any("settings on 40 questions" in note for note in got.notes)


def test_order_and_batch_do_not_move_a_script(tmp_path):
    model, questions = script(tmp_path / "s.json", sure=0.8), anchored().take(20, seed=0)
    plain, mixed = (
        greedy_replies(model, questions, one) for one in (Setting(), Setting(batch=3, order=2, threads=2))
    )
    assert list(plain) == list(mixed)
    assert plain == mixed


def test_flipped_questions_are_shown_nearest_tie_first():
    questions = anchored().take(3, seed=0)
    items = list(questions.questions)

    def replies(*ends):
        return {
            item: (Reply(text=end, tokens=1, margin=1.0 - at / 10), end)
            for at, (item, end) in enumerate(zip(items, ends, strict=True))
        }

    both = {"one": replies("a", "b", "c"), "two": replies("x", "b", "y")}
    rows = flipped(both, questions)
    assert [row["reply"] for row in rows] == ["c", "a"]
    assert len(flipped(both, questions, most=1)) == 1


def test_missing_model_names_the_command(tmp_path, monkeypatch):
    monkeypatch.setenv("LIMITSET_CACHE", str(tmp_path))
    with pytest.raises(DependencyError, match="limitset models get smollm2-135m-instruct"):
        PROTOCOL.run(trial(tmp_path))


@pytest.mark.model
def test_noise_on_the_logits_flips_answers():
    questions = anchored().take(16, seed=0)
    plain, again, noisy, other = (
        [
            one[0].text
            for one in greedy_replies("smollm2-135m-instruct", questions, setting, seed=seed).values()
        ]
        for setting, seed in (
            (Setting(), 0),
            (Setting(), 0),
            (Setting(noise=2.0), 0),
            (Setting(noise=2.0), 1),
        )
    )
    assert plain == again
    assert plain != noisy != other
