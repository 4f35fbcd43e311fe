"""Is agreement judged as it should be, on the shipped panel, on planted panels, on a scripted model?"""

import csv
import datetime as dt
import json
from pathlib import Path

import numpy as np
import pytest

from limitset.core.bars import decided
from limitset.core.errors import DependencyError, InputError
from limitset.core.evidence import Tier, Trial
from limitset.core.tallies import tallied
from limitset.core.verdicts import Verdict
from limitset.datasets.anchored import anchored
from limitset.datasets.planted.panels import independent_world, mixture_world, planted_panel
from limitset.library.holdings.reading import read_claim
from limitset.library.judge.fingerprint import Fingerprint
from limitset.library.judge.judging import verdict_of
from limitset.library.protocols.p39 import PROTOCOL
from limitset.studies.agreed_panels import agreed_panel

ROOT = Path(__file__).parents[2]
CLAIMS = [read_claim(path) for path in sorted((ROOT / "src/limitset/library/claims").glob("39*.toml"))]


def trial(tmp_path, **given):
    return Trial(**{"tier": Tier.QUICK, "folder": tmp_path, **given})


def verdict(evidence, claim):
    test = next(one for one in CLAIMS if one.id == claim).tests[0]
    return decided(evidence.estimates[test.statistic], holds_if=test.holds, fails_if=test.fails)


def logs_of(world, path, *, questions=300, seeds=8, keyed=True, seed=0):
    ends, items = planted_panel(world, questions=questions, seeds=seeds, rng=np.random.default_rng(seed))
    names = ["question", "model", "paraphrase", "seed", "answer", *(["key"] if keyed else [])]
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(names)
        for item, model, wording, draw, end in zip(
            *(ends.texts(name) for name in ("item", "system", "paraphrase")),
            ends.numbers("seed"),
            ends.texts("end"),
            strict=True,
        ):
            key = [items.accepted(item)[0]] if keyed else []
            rows.writerow([f"Ask {item}?", model, wording, int(draw), end, *key])
    return path


def test_claims_name_what_is_measured():
    assert [claim.id for claim in CLAIMS] == ["39a", "39b", "39c", "39d"]
    for claim in CLAIMS:
        assert claim.protocol == PROTOCOL.id
        assert {test.statistic for test in claim.tests} <= set(PROTOCOL.statistics)


def test_data_words_are_those_of_the_questions():
    assert PROTOCOL.data[0].endswith(anchored().manifest()["sha256"][:12])


def test_truth_gap_by_hand():
    # one model, one wording; q1: 3 a (right), 2 b -> +1; q2: 3 c (wrong), 2 d (right), 2 e (wrong) -> -1/2;
    # q3: tied -> left out; q4: one answer -> left out; q5..q8 like q1 but wrong first -> -1
    from limitset.core.ends import Ends

    rows = []

    def add(item, *groups):
        for end, count, right in groups:
            rows.extend([item, end, right] for _ in range(count))

    add("q1", ("a", 3, 1), ("b", 2, 0))
    add("q2", ("c", 3, 0), ("d", 2, 1), ("e", 2, 0))
    add("q3", ("a", 2, 1), ("b", 2, 0))
    add("q4", ("a", 5, 1), ("b", 1, 0))
    for item in ("q5", "q6", "q7", "q8"):
        add(item, ("x", 4, 0), ("y", 2, 1))
    ends = Ends.of(
        item=[row[0] for row in rows],
        system="m",
        seed=list(range(len(rows))),
        end=[f"{row[0]}{row[1]}" for row in rows],
        right=[row[2] for row in rows],
    )
    got = agreed_panel(tallied(ends), k=2, rng=np.random.default_rng(0)).estimates["truth_gap"]
    assert got.n == 6
    assert got.value == pytest.approx((1 - 0.5 - 4) / 6)


@pytest.mark.parametrize(
    ("world", "expected"),
    [
        (mixture_world(weights=(0.3, 0.4, 0.3), dispersed=12, trap=(0.1, 0.85)), Verdict.FAILS),
        (independent_world(accuracy=0.85, wrong_classes=4), Verdict.HOLDS),
    ],
)
def test_planted_replies_are_told_apart(tmp_path, world, expected):
    got = PROTOCOL.run(trial(tmp_path, logs=logs_of(world, tmp_path / "r.csv", questions=400)))
    assert all(one.passed for one in got.guarding(["excess"]))
    assert verdict(got, "39a") is expected


def test_a_vote_of_independent_runs_removes_the_error(tmp_path):
    world = independent_world(accuracy=0.6, wrong_classes=4)
    got = PROTOCOL.run(trial(tmp_path, logs=logs_of(world, tmp_path / "r.csv")))
    assert verdict(got, "39b") is Verdict.HOLDS
    assert verdict(got, "39d") is Verdict.FAILS  # the right end is the larger one
    assert got.estimates["model_gap"].blank_reason == "there are not two systems to compare"
    assert verdict(got, "39c") is Verdict.CANT_TELL


def test_shipped_panel(tmp_path):
    got = PROTOCOL.run(trial(tmp_path, logs=ROOT / "examples/panel.csv"))
    # README of the panel: voting leaves most of the error; too few questions for what is missed
    assert verdict(got, "39b") is Verdict.FAILS
    assert all(one.passed for one in got.guarding(["surviving_share"]))
    assert not all(one.passed for one in got.guarding(["excess"]))
    assert len(got.controls) == 8
    assert np.isfinite(got.estimates["excess"].value)
    assert got.rows
    assert set(got.rows[0]) == {"question", "agreed", "share", "reply", "key"}
    assert got.curve.plot().to_dict()["layer"]


def test_tiny_panel_is_void(tmp_path):
    world = independent_world(accuracy=0.5, wrong_classes=4)
    got = PROTOCOL.run(trial(tmp_path, logs=logs_of(world, tmp_path / "r.csv", questions=4, seeds=2)))
    assert got.missed


def test_replies_without_keys_cannot_decide(tmp_path):
    path = logs_of(mixture_world(), tmp_path / "r.csv", questions=5, keyed=False)
    with pytest.raises(InputError, match="agreement alone cannot tell"):
        PROTOCOL.run(trial(tmp_path, logs=path))


def test_bad_files_are_refused(tmp_path):
    with pytest.raises(InputError, match="must be a file"):
        PROTOCOL.run(trial(tmp_path, logs=tmp_path / "none.csv"))
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(InputError, match="must have the columns question, model and answer"):
        PROTOCOL.run(trial(tmp_path, logs=tmp_path / "bad.csv"))


def test_missing_model_names_the_command(tmp_path, monkeypatch):
    monkeypatch.setenv("LIMITSET_CACHE", str(tmp_path))
    with pytest.raises(DependencyError, match="limitset models get smollm2-135m-instruct"):
        PROTOCOL.run(trial(tmp_path))


def scripted(path):
    """Of ten questions two are easy, three have a popular wrong answer, five are scattered over twenty."""
    replies = {}
    for place, question in enumerate(anchored().questions.values()):
        right, wrong = question.accepted[0], [str(70000 + 100 * place + one) for one in range(19)]
        easy, trap = [[right, 0.9], [wrong[0], 0.1]], [[wrong[0], 0.95], [right, 0.05]]
        scattered = [[right, 0.05], *([text, 0.05] for text in wrong)]
        chosen = [easy, easy, trap, trap, trap, *[scattered] * 5][place % 10]
        replies[question.wordings[0]] = chosen
    path.write_text(json.dumps({"name": "script", "style": "chat", "replies": replies}), encoding="utf-8")
    return f"scripted:{path}"


def test_model_is_asked_and_a_second_run_reads_what_is_there(tmp_path):
    model, said = scripted(tmp_path / "s.json"), []
    first = PROTOCOL.run(trial(tmp_path, model=model, say=said.append))
    assert verdict(first, "39a") is Verdict.FAILS
    assert "script@scripted" in first.system
    assert any("batches done" in line for line in said)
    (tmp_path / "s.json").touch()
    again = PROTOCOL.run(trial(tmp_path, model=model))
    assert again.estimates["excess"].value == first.estimates["excess"].value


def test_a_missed_control_stays_and_voids_its_own_claims_only(tmp_path):
    trial_ = trial(tmp_path, logs=ROOT / "examples/panel.csv")
    got = PROTOCOL.run(trial_)
    for claim, voided in (("39a", True), ("39b", False)):
        given = verdict_of(
            next(one for one in CLAIMS if one.id == claim),
            got,
            protocol=PROTOCOL,
            mark=Fingerprint(file="f", claim="c", instruments=(), data=()),
            trial=trial_,
            today=dt.date(2026, 11, 22),
            seconds=1,
            command="x",
            number=1,
            prior="",
        )
        assert given.reason.startswith("control missed") is voided
        assert given.value == ("can't tell" if voided else "fails")
        assert {one["kind"] for one in given.controls} == {"positive", "negative"}


def test_every_claim_has_controls_of_its_own(tmp_path):
    got = PROTOCOL.run(trial(tmp_path, logs=ROOT / "examples/panel.csv"))
    for claim in CLAIMS:
        kinds = {one.kind for one in got.guarding([test.statistic for test in claim.tests])}
        assert kinds == {"positive", "negative"}


def test_seed_moves_the_planted_panels(tmp_path):
    first, other = (
        PROTOCOL.run(trial(tmp_path, logs=ROOT / "examples/panel.csv", seed=seed)) for seed in (0, 1)
    )
    assert first.controls[0].measured.value != other.controls[0].measured.value


@pytest.mark.model
def test_small_model(tmp_path):
    got = PROTOCOL.run(trial(tmp_path))
    assert not got.missed
    assert verdict(got, "39b") is Verdict.FAILS
