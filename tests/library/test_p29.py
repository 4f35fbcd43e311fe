"""Are templates told from computation on planted replies, and is a scripted model judged by that?"""

import json
from pathlib import Path

import numpy as np
import pytest

from limitset.core.bars import decided
from limitset.core.errors import DependencyError
from limitset.core.evidence import Tier, Trial
from limitset.core.verdicts import Verdict
from limitset.library.holdings.reading import read_claim
from limitset.library.protocols import p29
from limitset.library.protocols.p29 import PROTOCOL
from limitset.models.scripted import ScriptedModel
from limitset.studies.fewer_items import (
    ARMS,
    KINDS,
    arms_table,
    asked,
    draw_items,
    fewer_items,
    telling_items,
)

FOLDER = Path(__file__).parents[2] / "src/limitset/library/claims"
CLAIMS = {claim.id: claim for claim in map(read_claim, sorted(FOLDER.glob("29*.toml")))}
LONG = (ARMS[0], ARMS[3])


def items_of(count=10, seed=0):
    return draw_items(count, rng=np.random.default_rng(seed))


def exact(items):
    return {arm: [one.answer if arm in LONG else one.twin_answer for one in items] for arm in ARMS}


def verdicts(evidence, claim):
    return [
        decided(evidence.estimates[test.statistic], holds_if=test.holds, fails_if=test.fails)
        for test in CLAIMS[claim].tests
    ]


def test_claims_name_what_is_measured():
    assert set(CLAIMS) == {"29a", "29b"}
    for claim in CLAIMS.values():
        assert {test.statistic for test in claim.tests} <= set(PROTOCOL.statistics)


def test_items_are_twins():
    items = items_of()
    assert len(items) == 10 * len(KINDS)
    for one in items:
        assert len(one.elements) == len(one.other) == 4
        assert len(one.twin) == 3
        assert set(one.twin) < set(one.elements)
        assert one.answer != one.twin_answer
        assert one.other != one.elements
        assert one.elements not in one.shots
    assert len({one.shots for one in items}) == len(items)  # examples of its own for every item
    # by hand: the largest digit goes, and the answer is the largest of the rest
    one = next(item for item in items if item.kind.name == "largest number")
    digits = sorted(map(int, one.elements))
    assert (one.answer, one.twin_answer) == (str(digits[-1]), str(digits[-2]))


def test_prompts_show_what_the_arm_says():
    one = items_of()[0]
    shown = one.kind.example(one.elements)
    assert [shown in one.prompt(arm) for arm in ARMS] == [True, True, False, False]
    for arm in ARMS:
        wanted = one.elements if arm in LONG else one.twin
        assert one.prompt(arm).endswith(one.kind.question(wanted))
        assert one.prompt(arm).count("Last word:") == 4  # two examples, the last one, and the question


def test_statistics_by_hand():
    items = items_of(4)  # twelve items
    replies = exact(items)
    # of twelve twins six are wrong: three stale, three name nothing of any list
    for at in (0, 4, 8):
        replies[ARMS[1]][at] = items[at].answer
    for at in (1, 5, 9):
        replies[ARMS[1]][at] = "777"
    replies[ARMS[2]][2] = "777"
    got = fewer_items(items, replies)
    assert got["drop"].value == pytest.approx(6 / 12)
    assert got["form_drop"].value == pytest.approx(1 / 12)
    assert got["twin_harm"].value == pytest.approx(5 / 12)
    assert got["stale_share"].value == pytest.approx(3 / 6)
    chance = [
        np.mean(
            [
                items[at].answer == one.answer
                for one in items
                if one.kind is items[at].kind and one is not items[at]
            ]
        )
        for at in (0, 4, 8)
    ]
    assert got["stale_excess"].value == pytest.approx((3 - sum(chance)) / 6)
    assert got["right_seen"].value == 1
    assert got["right_fewer_seen"].value == 0.5
    assert got["drop"].n == 12
    wide, narrow = (fewer_items(items, replies, confidence=c)["drop"] for c in (0.99, 0.8))
    assert wide.high - wide.low > narrow.high - narrow.low


def test_few_wrong_replies_say_nothing():
    items = items_of(4)
    got = fewer_items(items, exact(items))
    assert (
        got["stale_share"].blank_reason == got["stale_excess"].blank_reason == "0 wrong replies; 5 are needed"
    )


def test_table_and_rows():
    items = items_of(3)
    replies = exact(items)
    replies[ARMS[1]][0] = items[0].answer
    replies[ARMS[1]][1] = ""
    table = arms_table(items, replies)
    # of three twins of the first kind one is right, one stale and one says nothing
    got = [
        table.one(system=ARMS[1], stratum="last word", outcome=name).value
        for name in ("right", "wrong", "unparsed")
    ]
    assert got == pytest.approx([1 / 3, 1 / 3, 1 / 3])
    assert table.plot().to_dict()
    assert [row["reply is"] for row in telling_items(items, replies, most=3)] == ["stale", "wrong", "right"]


def test_chat_models_get_one_turn():
    items = items_of(2)
    script = {
        one.prompt(arm): text
        for arm, texts in exact(items).items()
        for one, text in zip(items, texts, strict=True)
    }
    model = ScriptedModel("exact", script)
    for style in ("chat", "few_shot"):
        assert asked(model, items, style=style) == exact(items)


def scripted(path, trial, answer):
    items = draw_items(p29.SIZES[Tier.QUICK].items, rng=np.random.default_rng([p29.SEED, trial.seed, 0]))
    replies = {one.prompt(arm): answer(one, arm) for one in items for arm in ARMS}
    path.write_text(json.dumps({"name": "script", "style": "few_shot", "replies": replies}), encoding="utf-8")
    return f"scripted:{path}"


def computed(one, arm):
    return one.answer if arm in LONG else one.twin_answer


@pytest.mark.parametrize(
    ("answer", "missed", "a", "b"),
    [
        # computes, but for the list whose twin was shown: a template harms
        (
            lambda one, arm: one.answer if arm == ARMS[1] else computed(one, arm),
            [],
            [Verdict.HOLDS] * 3,
            Verdict.FAILS,
        ),
        # always the answer of N: nothing of N - 1 is right without the twin, so that it can take nothing away
        (
            lambda one, _: one.answer,
            ["lists of N - 1"],
            [Verdict.CANT_TELL, Verdict.HOLDS, Verdict.HOLDS],
            Verdict.HOLDS,
        ),
        # always the answer of the list shown last: stale, but by copying
        (
            lambda one, arm: one.answer if arm in ARMS[:2] else one.kind.answer(one.other),
            ["lists of N, not seen", "lists of N - 1"],
            [Verdict.CANT_TELL, Verdict.HOLDS, Verdict.CANT_TELL],
            None,
        ),
        (computed, [], [Verdict.CANT_TELL] * 3, Verdict.FAILS),
    ],
)
def test_a_scripted_model_is_judged(tmp_path, answer, missed, a, b):
    trial = Trial(tier=Tier.QUICK, folder=tmp_path)
    model = scripted(tmp_path / "s.json", trial, answer)
    got = PROTOCOL.run(Trial(tier=Tier.QUICK, folder=tmp_path, model=model))
    assert len(got.missed) == len(missed)
    assert all(word in one.name for word, one in zip(missed, got.missed, strict=True))
    assert verdicts(got, "29a") == a
    if b is not None:
        assert verdicts(got, "29b") == [b]
    assert set(got.estimates) == set(PROTOCOL.statistics)
    # what is kept is read again, not asked again
    kept = (tmp_path / "replies.sqlite").stat().st_size
    again = PROTOCOL.run(Trial(tier=Tier.QUICK, folder=tmp_path, model=model))
    assert again.estimates["drop"].value == got.estimates["drop"].value
    assert (tmp_path / "replies.sqlite").stat().st_size == kept


def test_every_claim_has_controls_of_its_own(tmp_path):
    trial = Trial(tier=Tier.QUICK, folder=tmp_path)
    got = PROTOCOL.run(
        Trial(tier=Tier.QUICK, folder=tmp_path, model=scripted(tmp_path / "s.json", trial, computed))
    )
    for claim in CLAIMS.values():
        for test in claim.tests:
            assert {one.kind for one in got.guarding([test.statistic])} == {"positive", "negative"}


def test_copying_any_list_shown_is_no_template():
    items = items_of(4)
    replies = exact(items)
    # of twelve, four give the shown answer with the twin shown, two with another list shown
    for at in (0, 1, 8, 9):
        replies[ARMS[1]][at] = items[at].answer
    for at in (2, 10):
        replies[ARMS[2]][at] = items[at].kind.answer(items[at].other)
    fair = sum(one.kind.answer(one.other) != one.twin_answer for one in items)
    got = fewer_items(items, replies)["stale_beyond_copying"]
    assert fair == got.n
    assert got.value == pytest.approx((4 - 2) / fair)


def test_controls_can_miss(tmp_path, monkeypatch):
    trial = Trial(tier=Tier.QUICK, folder=tmp_path)
    model = scripted(tmp_path / "s.json", trial, computed)
    monkeypatch.setattr(p29, "STALE", 0.99)  # a bar that even a pure template misses
    got = PROTOCOL.run(Trial(tier=Tier.QUICK, folder=tmp_path, model=model))
    assert [control.guards for control in got.missed] == [("stale_excess",)]


def test_missing_model_names_the_command(tmp_path, monkeypatch):
    monkeypatch.setenv("LIMITSET_CACHE", str(tmp_path))
    with pytest.raises(DependencyError, match="limitset models get smollm2-135m-instruct"):
        PROTOCOL.run(Trial(tier=Tier.QUICK, folder=tmp_path))


@pytest.mark.model
def test_small_model(tmp_path):
    got = PROTOCOL.run(Trial(tier=Tier.QUICK, folder=tmp_path))
    assert not got.missed
    assert got.estimates["right_seen"].low > 0.3  # chance is one element in four
