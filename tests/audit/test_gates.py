"""Do gates on panels made by hand end as the arithmetic says?"""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from limitset.core.differences import left_out_difference, ratio_difference
from limitset.core.ends import Ends
from limitset.core.errors import InputError
from limitset.core.exits import ExitStatus
from limitset.core.gates import GateVerdict, parse_gate
from limitset.core.items import Items
from limitset.core.levels import Level
from limitset.core.results import Measurement
from limitset.instruments.truth.accuracy import accuracy
from limitset.instruments.truth.agreed import wrong_when_agreed
from limitset.instruments.truth.chance_adjusted import chance_adjusted
from limitset.instruments.truth.paired_comparison import paired_comparison
from limitset.instruments.truth.same_wrong import same_wrong
from limitset.instruments.truth.self_agreement import self_agreement
from limitset.instruments.truth.surviving import surviving_error
from limitset.instruments.truth.votes import effective_number, one_run_each
from limitset.report.audit.gating import Judged, judge, units_needed
from limitset.report.audit.named_numbers import KNOWN, NAMED, asked_of
from limitset.studies.baseline import panel_of
from limitset.studies.gating import gates_of, require_names


def panel(right, *, strata=None, key=True, **columns):
    """Runs by system: a list of 0 and 1 a question, or of lists of them where there are several runs."""
    rows = []
    for system, marks in right.items():
        for q, mark in enumerate(marks):
            if mark is None:
                continue
            for seed, one in enumerate(mark if isinstance(mark, list) else [mark]):
                extra = {name: values[system][q] for name, values in columns.items()}
                end = {1: "yes", 0: "no", -1: None}[one]
                status = {"status": "abstained"} if one == -1 else {}
                truth = {"right": max(one, 0)} if key and one != -1 else {}
                rows.append(
                    {"item": f"q{q}", "system": system, "seed": seed, "end": end} | status | truth | extra
                )
    count = max(len(marks) for marks in right.values())
    items = Items.of(
        item=[f"q{q}" for q in range(count)],
        text=[f"Question {q}?" for q in range(count)],
        accepted=[["yes"] if key else [] for _ in range(count)],
        stratum=strata,
    )
    return panel_of(Ends.of_rows(rows), items)


def verdict(text, here, **options):
    (one,) = judge(gates_of([text], baseline="baseline" in options).gates, here, **options).judged
    return one


SEVENTY = panel({"a": [1] * 70 + [0] * 30})


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        # 70 of 100: the 95 % interval is about [.60, .78]
        ("accuracy(a) >= 0.5", "PASS"),
        ("accuracy(a) >= 0.7", "INCONCLUSIVE"),
        ("accuracy(a) >= 0.9", "FAIL"),
        ("accuracy(a) <= 0.9", "PASS"),
        ("accuracy(a) <= 50 %", "FAIL"),
        ("wrong(a) <= 0.5", "PASS"),
        ("accuracy >= .5", "PASS"),
        ("abstained(a) <= .1", "PASS"),
        ("error_after_voting <= 0.5", "PASS"),
        ("error_after_voting(a) <= 0.1", "FAIL"),
    ],
)
def test_seventy_of_a_hundred(text, wanted):
    assert verdict(text, SEVENTY).verdict == wanted


def test_what_gates_read_is_what_instruments_measure():
    rng = np.random.default_rng(3)
    hard = rng.random(80)
    marks = {
        name: [[int(rng.random() > h * f) for _ in range(3)] for h in hard]
        for name, f in {"a": 0.9, "b": 0.7, "c": 0.8, "d": 1.0}.items()
    }
    here = panel(marks, strata=["x"] * 40 + ["y"] * 40)
    tallies = here.anchored
    pairs = chance_adjusted(tallies)
    curve = surviving_error(tallies, rng=np.random.default_rng(0)).curve.where(system="all", stratum="all")
    twin = same_wrong(tallies, rng=np.random.default_rng(0)).pairs
    expected = {
        "accuracy(b)": accuracy(tallies).right.one(system="b", stratum="all"),
        "accuracy(b, stratum=y)": accuracy(tallies).right.one(system="b", stratum="y"),
        "wrong_when_agreed(0.75)": wrong_when_agreed(tallies, thresholds=[0.75]).rates.one(
            stratum="all", threshold=0.75
        ),
        "wrong_when_agreed(0.75, stratum=x)": wrong_when_agreed(tallies, thresholds=[0.75]).rates.one(
            stratum="x", threshold=0.75
        ),
        "agreed(0.75)": wrong_when_agreed(tallies, thresholds=[0.75]).coverage.one(
            stratum="all", threshold=0.75
        ),
        "n_eff": one_run_each(tallies).one(unit="one run each"),
        "n_eff_models": effective_number(tallies).values.one(unit="models"),
        "n_eff_votes": effective_number(tallies).values.one(unit="votes"),
        "self_agreement(c)": self_agreement(tallies).values.one(system="c", stratum="all", part="agree"),
        "self_agreement": self_agreement(tallies).values.one(system="all", stratum="all", part="agree"),
        "kappa_p(c, a)": pairs.pairs.one(first="a", second="c", null_kind=""),
        "kappa_p_floor(a, c)": pairs.pairs.one(first="a", second="c", null_kind="difficulty"),
        "kappa_p(a, c) - kappa_p_floor(a, c)": pairs.excess.one(first="a", second="c"),
        "error_after_voting": curve.one(votes=12),
        "same_wrong(d, a)": twin.one(first="a", second="d", null_kind=""),
    }
    for text, wanted in expected.items():
        got = verdict(f"{text} >= 0", here).measurement
        for name in ("value", "low", "high", "n"):
            assert getattr(got, name) == pytest.approx(getattr(wanted, name), nan_ok=True), (text, name)
    # two accuracies: the difference that the comparison of all pairs gives, with the interval of one pair
    between = paired_comparison(tallies, rng=np.random.default_rng(0)).between("b", "a")
    got = verdict("accuracy(b) - accuracy(a) >= 0", here).measurement
    assert (got.value, got.n) == (pytest.approx(between.value), between.n)
    assert between.low <= got.low < got.high <= between.high  # all intervals together are wider than one


def test_a_difference_is_taken_within_questions():
    # both err on the same 40 hard questions; b also on ten more: 10 of 100 differ, all one way
    here = panel({"a": [1] * 60 + [0] * 40, "b": [1] * 50 + [0] * 50})
    paired = verdict("accuracy(a) - accuracy(b) >= 0", here)
    assert paired.measurement.value == pytest.approx(0.1)
    assert paired.verdict == "PASS"
    apart = [verdict(f"accuracy({name}) >= 0", here).measurement for name in "ab"]
    assert apart[0].low < apart[1].high  # separate intervals overlap and would say nothing
    assert verdict("accuracy(b) - accuracy(a) >= 0", here).verdict == "FAIL"
    # s = sqrt(.1 * .9 * 100 / 99) = .3015, t of 9 degrees of freedom 2.2622: .1 +- 2.2622 * .03015
    assert paired.shown == "10 points [3, 17]"


def test_a_difference_leaves_out_questions_of_one_side():
    here = panel({"a": [1] * 30 + [0] * 30, "b": [None] * 30 + [1] * 30})
    got = verdict("accuracy(b) - accuracy(a) >= 0", here).measurement
    assert (got.value, got.n) == (1.0, 30.0)  # a is wrong on every question that b has


def test_strata_share_no_question_and_are_joined_unpaired():
    here = panel({"a": [1] * 45 + [0] * 5 + [1] * 25 + [0] * 25}, strata=["x"] * 50 + ["y"] * 50)
    got = verdict("accuracy(a, stratum=x) - accuracy(a, stratum=y) >= 0", here)
    first, second = (verdict(f"accuracy(a, stratum={s}) >= 0", here).measurement for s in "xy")
    assert got.measurement.value == pytest.approx(0.4)
    assert got.measurement.low == pytest.approx(
        0.4 - math.hypot(first.value - first.low, second.high - second.value)
    )
    assert got.measurement.parameters["paired"] is False
    assert "no question in common" in got.measurement.notes[0]


def test_values_alone_are_those_with_an_interval():
    rng = np.random.default_rng(5)
    hard = rng.random(30)
    here = panel({name: [[int(rng.random() > one) for _ in range(2)] for one in hard] for name in "abc"})
    for name, named in NAMED.items():
        if named.value is not None:
            asked = asked_of(here, gates_of([f"{name} >= 0"]).gates[0].first)
            assert named.value(asked) == pytest.approx(named.measured(asked).value), name
    assert sum(named.value is not None for named in NAMED.values()) == 3


def test_ratios_are_differenced_as_ratios():
    # two runs a question. At 1: 20 questions agree right, 10 agree wrong, 10 disagree: 10 / 30 are wrong
    marks = [[1, 1]] * 20 + [[0, 0]] * 10 + [[1, 0]] * 10
    here = panel({"a": marks})
    assert verdict("wrong_when_agreed(1) >= 0", here).measurement.value == pytest.approx(1 / 3)
    # at 1/2 all 40 agree, ties half wrong: (10 + 5) / 40
    assert verdict("wrong_when_agreed(0.5) >= 0", here).measurement.value == pytest.approx(15 / 40)
    got = verdict("wrong_when_agreed(0.5) - wrong_when_agreed(1) >= 0", here).measurement
    assert got.value == pytest.approx(15 / 40 - 1 / 3)

    # by hand: leave one question out of each kind
    def gap(right, wrong, tied):
        return (wrong + tied / 2) / (right + wrong + tied) - wrong / (right + wrong)

    left = np.array([gap(19, 10, 10)] * 20 + [gap(20, 9, 10)] * 10 + [gap(20, 10, 9)] * 10)
    error = np.sqrt(39 / 40 * ((left - left.mean()) ** 2).sum())
    # 10 questions carry the wrong side of the ratio at 1: t with 9 degrees of freedom
    assert got.high - got.value == pytest.approx(2.262157 * error, rel=1e-5)


def test_confidence_against_what_is_right():
    stated = {"a": [0.9] * 40}
    here = panel({"a": [1] * 30 + [0] * 10}, confidence=stated)
    got = verdict("ece(a) <= .1", here).measurement
    assert got.value == pytest.approx(0.15)  # |.9 - .75|
    assert verdict("overconfidence(a) >= 0", here).measurement.value == pytest.approx(0.15)
    without = verdict("ece(a) <= .1", SEVENTY)
    assert without.verdict == "INCONCLUSIVE"
    assert without.why == "Not measured: no checked run states a confidence."


def test_without_a_key_gates_on_right_and_wrong_cannot_be_told():
    here = panel({"a": [1] * 40, "b": [1] * 20 + [0] * 20}, key=False)
    assert here.anchored is None
    one = verdict("accuracy(a) >= 0.5", here)
    assert (str(one.verdict), "no key" in one.why) == ("INCONCLUSIVE", True)
    assert "no key" in verdict("accuracy(a) - accuracy(b) >= 0", here).why
    assert verdict("agreed(0.9) <= 0.9", here).verdict == "PASS"  # agreement needs none: half of 40
    assert verdict("abstained(a) <= 0.2", here).verdict == "PASS"


def test_silence_is_counted_and_is_not_right():
    here = panel({"a": [1] * 30 + [-1] * 30})
    assert verdict("abstained(a) >= 0", here).measurement.value == 0.5
    assert verdict("accuracy(a) >= 0", here).measurement.value == 0.5
    assert verdict("wrong(a) >= 0", here).measurement.value == 0.0


# ---- how many questions would settle it


def number(value, low, high, n, why=""):
    return Measurement(
        instrument="x", version=1, level=Level.ANSWER, value=value, low=low, high=high, n=n, blank_reason=why
    )


@pytest.mark.parametrize(
    ("got", "bar", "needed"),
    [
        (number(0.1, 0.0, 0.2, 40), 0.05, 160),  # half .1, gap .05: (2)^2 * 40
        (number(2.5, 2.0, 3.5, 40), 3.0, 160),  # the upper half 1 over the gap .5
        (number(0.1, 0.05, 0.2, 33), 0.06, 52),  # (.05 / .04)^2 * 33 = 51.6
        (number(0.05, 0.0, 0.2, 40), 0.05, None),  # on the bar
        (number(0.0501, 0.0, 0.2, 40), 0.05, None),  # more than a hundred times as many
        # no event: .95^... 1 - .05^(1/n) <= .05 from n = 58.4 on
        (number(math.nan, 0.0, 0.2, 12, "no question carries it"), 0.05, 59),
        (number(math.nan, 0.8, 1.0, 12, "no question carries the rest"), 0.95, 59),
        (number(math.nan, 0.0, 0.2, 12, "fewer than 5 questions carry it"), 0.05, None),
        (number(0.1, math.nan, math.nan, 12), 0.05, None),
    ],
)
def test_how_many_would_settle_it(got, bar, needed):
    assert units_needed(got, bar) == needed


def test_so_many_questions_do_settle_it():
    few = verdict("accuracy(a) >= 0.6", panel({"a": [1] * 28 + [0] * 12}))
    assert (str(few.verdict), few.why[:6]) == ("INCONCLUSIVE", "About ")
    scale = math.ceil(few.needed / 40)
    assert verdict("accuracy(a) >= 0.6", panel({"a": [1] * 28 * scale + [0] * 12 * scale})).verdict == "PASS"


def test_a_bar_that_the_value_lies_on_is_never_settled():
    assert "lies on the bar" in verdict("accuracy(a) >= 0.7", SEVENTY).why


# ---- several gates


def test_the_worst_verdict_is_the_status():
    def status(*texts):
        return judge(gates_of(texts).gates, SEVENTY).status

    good, open_one, bad = "accuracy(a) >= 0.5", "accuracy(a) >= 0.7", "accuracy(a) >= 0.9"
    assert status(good) is ExitStatus.DONE
    assert status(good, open_one) is ExitStatus.INCONCLUSIVE
    assert status(good, open_one, bad) is ExitStatus.FAIL
    report = judge(gates_of([good, open_one, bad]).gates, SEVENTY)
    assert report.summary == "1 fails, 1 cannot be told, 1 passes, of 3 gates"
    assert [one["verdict"] for one in report.record()["gates"]] == ["PASS", "INCONCLUSIVE", "FAIL"]


def test_the_correction_widens_every_interval():
    texts = ["accuracy(a) >= 0.61"] * 10
    plain, corrected = (judge(gates_of(texts).gates, SEVENTY, corrected=choice) for choice in (False, True))
    assert plain.confidence == 0.95
    assert corrected.confidence == pytest.approx(1 - 0.05 / 10)
    assert corrected.judged[0].measurement.low < plain.judged[0].measurement.low
    assert "each has its own 95 %" in plain.rule
    assert "99.5 %" in corrected.rule
    assert "Bonferroni" in corrected.rule


def test_two_runs_on_one_input_give_one_verdict():
    rng = np.random.default_rng(0)
    marks = {
        name: [[int(rng.random() < 0.6) for _ in range(n)] for n in rng.integers(3, 6, 50)] for name in "abc"
    }
    texts = ["error_after_voting <= 0.3", "surviving_share(a) <= .8", "voting_gain >= 0", "n_eff - 1 >= 0.5"]
    first, second = (json.dumps(judge(gates_of(texts).gates, panel(marks)).record()) for _ in range(2))
    assert first == second


# ---- names


def test_unknown_names_are_bad_input():
    here = panel({"gpt-4o": [1, 0], "b": [1, 1]}, strata=["lure", "recall"])

    def require(text):
        require_names(gates_of([text]), here.ends, here.items)

    with pytest.raises(
        InputError, match=r"name a system of this audit \(gpt-4o, b\); got 'gpt-4'\. Did you mean"
    ):
        require("accuracy(gpt-4) >= .5")
    with pytest.raises(InputError, match=r"name a stratum of this audit \(lure, recall\); got 'lures'"):
        require("accuracy(b, stratum=lures) >= .5")
    require("accuracy(b, stratum=lure) >= .5")


def test_a_system_that_did_not_run_on_a_stratum_cannot_be_told():
    here = panel({"a": [1] * 20, "b": [1] * 10 + [None] * 10}, strata=["x"] * 10 + ["y"] * 10)
    assert "b has no checked run" in verdict("accuracy(b, stratum=y) >= .5", here).why
    assert "b has no checked run" in verdict("accuracy(a) - accuracy(b, stratum=y) >= .5", here).why


def test_a_pair_of_one_system_cannot_be_told():
    here = panel({"a": [1, 0] * 20, "b": [1, 0] * 20})
    assert "not compared with itself" in verdict("kappa_p(a, a) <= .5", here).why


# ---- files of gates


def test_a_file_of_gates(tmp_path):
    path = tmp_path / "gates.toml"
    path.write_text(
        'correct = true\n[[gate]]\nname = "Right"\ncheck = "accuracy(a) >= 0.5"\n[[gate]]\ncheck = "n_eff >= 3"\n',
        encoding="utf-8",
    )
    read = gates_of(["abstained(a) <= 10 %"], path)
    assert [gate.text for gate in read.gates] == ["abstained(a) <= 10 %", "accuracy(a) >= 0.5", "n_eff >= 3"]
    assert ([gate.name for gate in read.gates], read.corrected) == (["", "Right", ""], True)
    assert gates_of(["n_eff >= 3"]).corrected is False


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[gate]]\ncheck = 'nef >= 3'\n[[gate]]\ncheck = 'x >= 1'\n", r"gate 1: .*'nef'.*\n.*gate 2: .*'x'"),
        ("[[gate]]\nname = 'x'\n", "field required at gate.0.check"),
        ("[[gate]]\ncheck = 'n_eff >= 3'\nbar = 3\n", "at gate.0.bar"),
        ("correct = 1\n[[gate]]\ncheck = 'n_eff >= 3'\n", "at correct"),
        ("correct = true\n", "at gate"),
        ("gate = []\n", "at gate"),
        ("[[gate]\n", "must be TOML"),
        ("x = " + "[" * 5000, "must be TOML"),
        ("[[gate]]\ncheck = 'n_eff - baseline.n_eff >= 0'\n", "Give --baseline DIR"),
        ("#" * (1 << 20) + "\n#", "more than 1 MiB"),
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path, text, told):
    path = tmp_path / "gates.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=f"(?s){told}"):
        gates_of([], path)


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        gates_of([], tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="UTF-8"):
        gates_of([], tmp_path / "bytes.toml")


# ---- intervals of differences


def test_left_out_groups_need_three_and_a_value_everywhere():
    x = np.array([1.0, 2.0])
    rng = np.random.default_rng(0)
    got = left_out_difference(lambda kept: float(x[kept].mean()), np.arange(2), rng=rng)
    assert (got.value, math.isnan(got.low)) == (1.5, True)
    y = np.arange(9.0)
    broken = left_out_difference(
        lambda kept: float(y[kept].sum()) if kept[0] else math.nan, np.arange(9), rng=rng
    )
    assert (broken.value, math.isnan(broken.low)) == (36.0, True)
    nothing = left_out_difference(lambda _: math.nan, np.arange(9), rng=rng)
    assert nothing.blank_reason == "one side has no value on the common questions"


def test_clusters_are_left_out_whole():
    rng = np.random.default_rng(1)
    base = rng.random(20)
    part, less = (rng.random(20) < base).astype(float), (rng.random(20) < 0.5).astype(float)
    whole = np.ones(20)

    def width(clusters, times):
        sides = (np.stack([np.repeat(one, times), np.repeat(whole, times)]) for one in (part, less))
        got = ratio_difference(*sides, clusters)
        return got.high - got.low

    # every question three times over, as one cluster: no more is known than from each once
    assert width(np.repeat(np.arange(20), 3), 3) == pytest.approx(width(np.arange(20), 1))
    assert width(np.arange(60), 3) < 0.7 * width(np.arange(20), 1)


def test_the_groups_do_not_move_what_is_measured():
    x = np.random.default_rng(2).random(200)
    one, other = (
        left_out_difference(
            lambda kept: float(x[kept].mean()), np.arange(200), rng=np.random.default_rng(0), groups=groups
        )
        for groups in (10, 200)
    )
    assert one.value == other.value
    exact = 1.971957 * x.std(ddof=1) / np.sqrt(200)  # t of 199 degrees of freedom
    assert other.high - other.value == pytest.approx(exact, rel=1e-5)
    assert one.high - one.value != pytest.approx(exact, rel=1e-3)


def test_a_number_that_rounds_to_its_bar_has_more_digits():
    got = Measurement(instrument="x", version=1, level=Level.ANSWER, value=2.431, low=2.0, high=2.9, n=40)
    gate = parse_gate("n_eff >= 2.4", known=KNOWN)
    one = Judged(gate=gate, measurement=got, verdict=GateVerdict.INCONCLUSIVE)
    assert one.shown == "2.43 [2.0, 2.9]"
    apart = replace(one, gate=parse_gate("n_eff >= 2.5", known=KNOWN))
    assert apart.shown == "2.4 [2.0, 2.9]"
    share = replace(got, value=0.704, low=0.6, high=0.8)
    held = Judged(
        gate=parse_gate("accuracy(a) >= 70 %", known=KNOWN),
        measurement=share,
        verdict=GateVerdict.INCONCLUSIVE,
    )
    assert held.shown == "70.4 % [60, 80]"


def test_without_a_key_no_number_of_questions_settles_it():
    bare = panel({"a": [1, 0] * 10, "b": [1, 1] * 10}, key=False)
    one, other = judge(gates_of(["accuracy(a) >= 0.5", "n_eff >= 1"]).gates, bare).judged
    # labels tell how often a system is right, not how errors fall together
    assert one.why.endswith("No number of questions settles it: a key or --labels does.")
    assert other.why.endswith("No number of questions settles it: a key does.")
