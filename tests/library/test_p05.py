"""Do planted text loops end where they were planted, and is a looped model judged by that?"""

import json
from pathlib import Path

import numpy as np
import pytest

from limitset.core.bars import decided
from limitset.core.ends import Ends
from limitset.core.errors import DependencyError, InputError
from limitset.core.evidence import Tier, Trial
from limitset.core.items import Items
from limitset.core.verdicts import Verdict
from limitset.datasets.anchored import anchored
from limitset.library.holdings.reading import read_claim
from limitset.library.protocols import p05
from limitset.library.protocols.p05 import PROTOCOL
from limitset.studies.text_ends import telling_loops, text_ends

FOLDER = Path(__file__).parents[2] / "src/limitset/library/claims"
CLAIMS = {claim.id: claim for claim in map(read_claim, sorted(FOLDER.glob("05*.toml")))}


def verdict(evidence, claim):
    test = CLAIMS[claim].tests[0]
    return decided(evidence.estimates[test.statistic], holds_if=test.holds, fails_if=test.fails)


def table(*loops, name="again"):
    """Ends and orbits of loops given as (item, system, texts, period, rights); the last text is the end."""
    ends = Ends.of(
        item=[one[0] for one in loops],
        system=[one[1] for one in loops],
        loop=name,
        level="text",
        end=[one[2][-1] for one in loops],
        status=["settled" if one[3] else "undecided" for one in loops],
        steps=[len(one[2]) - 1 - one[3] if one[3] else np.inf for one in loops],
        right=[one[4][1] for one in loops],
        text=[one[2][-1] for one in loops],
    )
    rows = [
        (item, system, step, period, text, rights[0])
        for item, system, texts, period, rights in loops
        for step, text in enumerate(texts)
    ]
    names = ("item", "system", "step", "period", "text", "right")
    orbits = {name: [row[place] for row in rows] for place, name in enumerate(names)}
    return ends, orbits | {"loop": [name] * len(rows)}


def test_claims_name_what_is_measured():
    assert set(CLAIMS) == {"05a", "05b", "05c", "05d"}
    for claim in CLAIMS.values():
        assert {test.statistic for test in claim.tests} <= set(PROTOCOL.statistics)
    assert PROTOCOL.data[0].endswith(anchored().manifest()["sha256"][:12])


def test_shares_by_hand():
    # q1: fixed and fixed, q2: fixed and a cycle, q3: a cycle and no end: (1 + 1/2 + 0) / 3 and (0 + 1/2 + 1/2) / 3
    # right: q1 lost in one of two, q2 kept in both, q3 never: start (2 + 2 + 0) / 6, end (1 + 2 + 0) / 6
    ends, orbits = table(
        ("q1", "a", ["x", "x"], 1, (1, 1)),
        ("q1", "b", ["x", "y", "y"], 1, (1, 0)),
        ("q2", "a", ["x", "x"], 1, (1, 1)),
        ("q2", "b", ["u", "v", "u"], 2, (1, 1)),
        ("q3", "a", ["u", "v", "u"], 2, (0, 0)),
        ("q3", "b", ["r", "s", "t"], 0, (0, 0)),
    )
    got = text_ends(ends, orbits).estimates
    assert got["fixed_share"].value == pytest.approx(0.5)
    assert got["cycle_share"].value == pytest.approx(1 / 3)
    assert got["right_start"].value == pytest.approx(4 / 6)
    assert got["right_end"].value == pytest.approx(3 / 6)
    assert got["change"].value == pytest.approx(-1 / 6)
    # of those that settled q1 has one right of two, q2 two of two, q3 (one loop) none: (1/2 + 1 + 0) / 3
    assert got["right_settled"].value == pytest.approx(0.5)
    # commonest end: of a's three loops "x" has two; of b's three all differ: (2/3 + 1/3) / 2
    assert got["shared_share"].value == pytest.approx(0.5)
    assert all(one.n == 3 for one in got.values())
    wide, narrow = (text_ends(ends, orbits, confidence=c).estimates["fixed_share"] for c in (0.99, 0.8))
    assert wide.high - wide.low > narrow.high - narrow.low


def test_only_loops_of_one_map_can_share_an_end():
    # "again" ends in "x" from both starts; "rewrite" in a text of its own from each: 1, and the mean of 1 and 1/2
    first = table(*[(item, "m", ["x", "x"], 1, (1, 1)) for item in ("q1", "q2")])
    second = table(*[(item, "m", [item, item], 1, (1, 1)) for item in ("q1", "q2")], name="rewrite")
    ends = Ends.joined([first[0], second[0]])
    orbits = {name: [*first[1][name], *second[1][name]] for name in first[1]}
    got = [text_ends(ends, orbits, free=free).estimates["shared_share"].value for free in (("again",), ())]
    assert got == pytest.approx([1, 0.75])


def test_change_of_many_questions_against_the_mean_and_its_t_interval():
    rng = np.random.default_rng(0)
    pairs = rng.integers(0, 2, (40, 2))
    ends, orbits = table(
        *[(f"q{i}", "a", ["x", "x"], 1, tuple(map(int, pair))) for i, pair in enumerate(pairs)]
    )
    got = text_ends(ends, orbits).estimates["change"]
    change = pairs[:, 1] - pairs[:, 0]
    from scipy import stats

    half = stats.t.ppf(0.975, 39) * change.std(ddof=1) / np.sqrt(40)
    assert got.value == pytest.approx(change.mean())
    assert (got.low, got.high) == pytest.approx((change.mean() - half, change.mean() + half))


def test_nothing_changed_still_has_a_width():
    ends, orbits = table(*[(f"q{i}", "a", ["x", "x"], 1, (1, 1)) for i in range(30)])
    got = text_ends(ends, orbits).estimates["change"]
    assert got.value == 0
    assert got.low < 0 < got.high


def test_telling_loops_come_first():
    ends, orbits = table(
        ("q1", "a", ["x", "x"], 1, (1, 1)),
        ("q2", "a", ["x", "y", "y"], 1, (1, 0)),
        ("q3", "a", ["u"], 0, (0, 0)),
    )
    items = Items.of(item=["q1", "q2", "q3"], text=["1?", "2?", "3?"], accepted=[["x"], ["x"], ["z"]])
    rows = telling_loops(ends, orbits, items, most=2)
    assert [row["question"] for row in rows] == ["2?", "3?"]
    assert rows[0]["right"] == "right, then wrong"
    assert rows[1]["period"] == "did not settle"
    with pytest.raises(InputError, match="level text"):
        text_ends(ends.having(level="answer"), orbits)


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(p05, "SIZES", {Tier.QUICK: p05._Size(models=(), loops=12, steps=8, max_tokens=16)})


def scripted(path, replies, default):
    path.write_text(json.dumps({"name": "script", "replies": replies, "default": default}), encoding="utf-8")
    return f"scripted:{path}"


@pytest.mark.parametrize(
    ("replies", "expected"),
    [({"zqa": "zqb", "zqb": "zqa"}, Verdict.FAILS), ({"zqa": "zqb", "zqb": "zqb"}, Verdict.HOLDS)],
)
def test_a_scripted_model_is_judged_by_its_planted_end(tmp_path, small, replies, expected):
    model = scripted(tmp_path / "s.json", replies, "zqa")
    got = PROTOCOL.run(Trial(tier=Tier.QUICK, folder=tmp_path, model=model))
    assert not got.missed
    assert verdict(got, "05a") is expected
    assert verdict(got, "05b") is Verdict.FAILS
    assert verdict(got, "05d") is Verdict.HOLDS
    assert set(got.estimates) == set(PROTOCOL.statistics)
    assert got.curve.plot().to_dict()
    assert got.rows[0]["model"] == "script"
    again = PROTOCOL.run(Trial(tier=Tier.QUICK, folder=tmp_path, model=model))
    assert again.estimates["fixed_share"].value == got.estimates["fixed_share"].value


def test_controls_can_miss(tmp_path, small, monkeypatch):
    # a planted long cycle that the loops are too short to close goes unseen, and the run is void
    monkeypatch.setattr(p05, "LONG", 9)
    model = scripted(tmp_path / "s.json", {}, "zqa")
    got = PROTOCOL.run(Trial(tier=Tier.QUICK, folder=tmp_path, model=model))
    assert [control.name for control in got.missed] == ["planted cycles of period 9 are seen"]


def test_missing_model_names_the_command(tmp_path, monkeypatch):
    monkeypatch.setenv("LIMITSET_CACHE", str(tmp_path))
    with pytest.raises(DependencyError, match="limitset models get smollm2-135m-instruct"):
        PROTOCOL.run(Trial(tier=Tier.QUICK, folder=tmp_path))


@pytest.mark.model
def test_small_model(tmp_path):
    got = PROTOCOL.run(Trial(tier=Tier.QUICK, folder=tmp_path))
    assert not got.missed
    assert verdict(got, "05a") is Verdict.HOLDS
