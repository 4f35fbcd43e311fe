"""Are the twins alike in everything but truth, and does the demonstration notice when they are not?"""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from limitset.core.errors import InputError, UndefinedError
from limitset.core.verdicts import Verdict
from limitset.datasets.planted import (
    Band,
    draw_sums,
    false_twin_control,
    false_twin_control_of_pairs,
    falsehood,
    twin_nets,
    twin_panel,
)
from limitset.datasets.planted.sums import SEGMENTS
from limitset.studies import demo
from limitset.studies.demo_page import chart_rows, page_of, verdict_of

WIDE = Band(low=-0.1, high=0.1)


@pytest.fixture(scope="module")
def panel():
    return twin_panel(seed=1, nets=3, steps=250, held_out=400)


@pytest.fixture(scope="module")
def planted():
    # the planted fault: the "false" world is the true one
    return twin_panel(seed=1, nets=3, steps=250, held_out=400, world=range(10))


@pytest.fixture(scope="module")
def controls(panel):
    return demo.controls_of(panel)


def test_digits_are_drawn_as_displays_show_them():
    # a display lights 6, 2, 5, 5, 4, 5, 6, 3, 7, 6 segments for 0 to 9
    assert SEGMENTS.sum(axis=1).tolist() == [6, 2, 5, 5, 4, 5, 6, 3, 7, 6]
    assert len({tuple(row) for row in SEGMENTS}) == 10
    sums = draw_sums(500, rng=np.random.default_rng(0), blur=0.0)
    for row in range(0, 500, 50):
        a, b = sums.digits[row]
        assert sums.inputs[row].tolist() == [*SEGMENTS[a], *SEGMENTS[b]]
        assert sums.answers[row] == (a + b) % 10
    blurred = draw_sums(500, rng=np.random.default_rng(0), blur=0.5)
    assert (blurred.inputs - sums.inputs).std() == pytest.approx(0.5, abs=0.02)


def test_falsehood_is_never_right():
    renamings = [falsehood(seed) for seed in range(50)]
    assert all((one != np.arange(10)).all() and sorted(one) == list(range(10)) for one in renamings)
    assert len({tuple(one) for one in renamings}) > 40


def test_twins_learn_their_worlds_equally_well(panel):
    lessons = {kind: [net.lesson(panel.held_out) for net in panel.of(kind)] for kind in ("true", "false")}
    assert min(lessons["true"] + lessons["false"]) > 0.85
    assert np.mean(lessons["true"]) == pytest.approx(np.mean(lessons["false"]), abs=0.03)
    assert max(net.accuracy(panel.held_out) for net in panel.of("false")) < 0.05
    assert all(net.accuracy(panel.held_out) < 0.35 for net in panel.of("untrained"))


def test_nets_repeat_under_a_seed_and_differ_otherwise(panel):
    again = twin_nets(kind="false", seed=1, nets=3, steps=250)
    drawn = panel.held_out.inputs
    for first, second in zip(panel.of("false"), again, strict=True):
        assert np.array_equal(first.probabilities(drawn), second.probabilities(drawn))
    a, b, _ = again
    assert not np.array_equal(a.predict(drawn), b.predict(drawn))
    (other, _) = twin_nets(kind="false", seed=2, nets=2, steps=5)
    assert not np.array_equal(other.world, a.world)


def test_untouched_global_state():
    threads, state = torch.get_num_threads(), torch.random.get_rng_state()
    numpy_state = np.random.get_state()[1].copy()
    twin_nets(kind="true", nets=2, steps=3)
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.random.get_rng_state(), state)
    assert np.array_equal(np.random.get_state()[1], numpy_state)


def test_keywords_of_the_nets_move_them():
    inputs = draw_sums(50, rng=np.random.default_rng(3)).inputs
    base = twin_nets(kind="true", nets=2, steps=5)[0].probabilities(inputs)
    for changed in ({"steps": 6}, {"seed": 4}, {"drawings": 500}, {"kind": "false"}):
        other = twin_nets(**{"kind": "true", "nets": 2, "steps": 5, **changed})[0]
        assert not np.allclose(other.probabilities(inputs), base)
    assert twin_nets(kind="true", nets=2, steps=2, width=16)[0].hidden(inputs).shape == (50, 16)
    assert twin_nets(kind="false", nets=2, steps=2, world=range(10))[0].world.tolist() == list(range(10))


def test_refusals():
    with pytest.raises(InputError, match="kind must be one of"):
        twin_nets(kind="lied to")
    with pytest.raises(InputError, match="two nets or more"):
        twin_nets(kind="true", nets=1)
    with pytest.raises(InputError, match="rename the answers 0 to 9"):
        twin_nets(kind="false", world=[0] * 10)
    with pytest.raises(InputError, match="count must be 1 or more"):
        draw_sums(0, rng=np.random.default_rng(0))


def test_only_the_anchor_differs(controls):
    assert controls["accuracy"].equal is Verdict.FAILS
    assert controls["accuracy"].gap.high < -0.8
    for name in ("stability", "agreement", "confidence", "alignment", "as taught", "flatness"):
        assert controls[name].equal is not Verdict.FAILS, name
    assert set(controls) == set(demo.BANDS)


def test_scores_are_about_something(controls):
    # agreement and confidence of trained nets stand out from untrained ones: not equal for want of signal
    for name in ("agreement", "confidence", "alignment", "as taught"):
        values = {kind: controls[name].values.one(kind=kind) for kind in ("true", "false", "untrained")}
        assert min(values["true"].value, values["false"].value) > values["untrained"].value, name


def test_planted_fault_is_noticed(planted):
    found = demo.controls_of(planted)
    assert found["accuracy"].equal is Verdict.HOLDS
    assert verdict_of(found) is Verdict.FAILS
    page = page_of(found, planted, date="today", command="limitset demo")
    assert "The control is missed" in page.headline[0]
    assert len(page.headline) == 1


def test_a_score_that_sees_truth_is_not_called_equal(panel):
    seen = false_twin_control(lambda net, drawn: net.accuracy(drawn) ** 2, panel, name="square", band=WIDE)
    assert seen.equal is Verdict.FAILS
    blind = false_twin_control(lambda net, drawn: 0.5, panel, name="constant", band=WIDE)
    assert blind.equal is Verdict.HOLDS
    assert (blind.gap.low, blind.gap.value, blind.gap.high) == (0, 0, 0)


def scored_by_number(values):
    return lambda net, drawn: values[net.kind][net.number]


def test_interval_is_welchs(panel):
    # one number a net: leaving out nets gives Welch's interval, worked by scipy
    from scipy import stats

    values = {"true": [0.1, 0.2, 0.6], "false": [0.5, 0.4, 0.45], "untrained": [0, 0, 1]}
    got = false_twin_control(scored_by_number(values), panel, name="made up", band=WIDE, confidence=0.9)
    expected = stats.ttest_ind(values["false"], values["true"], equal_var=False).confidence_interval(0.9)
    assert got.gap.value == pytest.approx(0.15)
    assert (got.gap.low, got.gap.high) == pytest.approx((expected.low, expected.high))
    true = got.values.one(kind="true")
    half = stats.t.ppf(0.95, 2) * np.std(values["true"], ddof=1) / math.sqrt(3)
    assert (true.low, true.high) == pytest.approx((0.3 - half, 0.3 + half))
    assert got.equal is Verdict.CANT_TELL


def test_intervals_stop_at_the_ends_of_the_scale(panel):
    values = {"true": [0.9, 0.5, 1.0], "false": [0.1, 0.5, 0.0], "untrained": [0, 0, 1]}
    band = replace(WIDE, least=0.0, most=1.0)
    got = false_twin_control(scored_by_number(values), panel, name="made up", band=band).values
    assert (np.asarray(got.low) >= 0).all()
    assert (np.asarray(got.high) <= 1).all()


def test_ratio_and_its_refusal(panel):
    values = {"true": [2.0, 2.0, 2.0], "false": [3.0, 3.0, 3.0], "untrained": [1, 1, 1]}
    band = Band(low=0.8, high=1.25, ratio=True)
    got = false_twin_control(scored_by_number(values), panel, name="made up", band=band)
    assert got.gap.value == pytest.approx(1.5)
    assert got.equal is Verdict.FAILS
    with pytest.raises(UndefinedError, match="two means above 0"):
        false_twin_control(lambda net, drawn: -1.0, panel, name="negative", band=band)


def test_pairs_by_hand(panel):
    # pair score = product of the two numbers; true 1, 2, 3: (2 + 3 + 6) / 3 = 11/3
    values = {"true": [1, 2, 3], "false": [1, 1, 4], "untrained": [0, 0, 0]}

    def product(net, other, drawn):
        return float(values[net.kind][net.number] * values[other.kind][other.number])

    own = false_twin_control_of_pairs(product, panel, name="product", band=WIDE)
    assert own.values.one(kind="true").value == pytest.approx(11 / 3)
    assert own.values.one(kind="false").value == pytest.approx((1 + 4 + 4) / 3)
    # without one net a single pair is left: 6, 3, 2, whose jackknife error is sqrt(2/3 * 26/3)
    from scipy import stats

    half = stats.t.ppf(0.975, 2) * math.sqrt(2 / 3 * (49 + 4 + 25) / 9)
    assert own.values.one(kind="true").high == pytest.approx(11 / 3 + half)
    # with the true nets: false 6 mean numbers (2) times mean 2 = 4, all nine pairs
    to_true = false_twin_control_of_pairs(product, panel, name="product", band=WIDE, reference="true")
    assert to_true.values.one(kind="true").value == pytest.approx(11 / 3)
    assert to_true.values.one(kind="false").value == pytest.approx(4)
    with pytest.raises(InputError, match="reference must be empty"):
        false_twin_control_of_pairs(product, panel, name="product", band=WIDE, reference="none")


def test_two_nets_leave_pairs_without_interval():
    small = twin_panel(nets=2, steps=3, held_out=30)
    got = false_twin_control_of_pairs(lambda a, b, drawn: 1.0, small, name="one", band=WIDE)
    assert got.equal is Verdict.CANT_TELL
    assert math.isnan(got.gap.high)


def test_verdict_follows_every_score(controls):
    good = {name: replace(control, equal=Verdict.HOLDS) for name, control in controls.items()}
    good["accuracy"] = replace(controls["accuracy"], equal=Verdict.FAILS)
    assert verdict_of(good) is Verdict.HOLDS
    for name, control in good.items():
        if name != "accuracy":
            assert verdict_of({**good, name: replace(control, equal=Verdict.FAILS)}) is Verdict.FAILS
        assert verdict_of({**good, name: replace(control, equal=Verdict.CANT_TELL)}) is Verdict.CANT_TELL


def headline_with(controls, panel, **verdicts):
    changed = {name: replace(control, equal=Verdict.HOLDS) for name, control in controls.items()}
    changed["accuracy"] = replace(controls["accuracy"], equal=Verdict.FAILS)
    for name, verdict in verdicts.items():
        changed[name] = replace(changed[name], equal=verdict)
    return page_of(changed, panel, date="today", command="limitset demo").headline


def test_headline_says_what_was_found(controls, panel):
    whole = " ".join(headline_with(controls, panel))
    assert "Three small nets that learned only falsehoods" in whole
    assert "flatness, stability, agreement, confidence and alignment" in whole
    assert "Only the anchor tells them apart: right" in whole
    some = " ".join(headline_with(controls, panel, flatness=Verdict.CANT_TELL, stability=Verdict.FAILS))
    assert "the twins do differ in stability" in some
    assert "For flatness three nets can't tell; more would: limitset demo --nets 6." in some
    assert "Only the anchor" not in some
    unlearned = headline_with(controls, panel, **{"as taught": Verdict.FAILS})
    assert "not learned equally well" in unlearned[0]
    assert "Only the anchor" not in " ".join(unlearned)


def test_chart_rows_name_the_groups(controls):
    rows = chart_rows(controls)
    assert len(rows) == 3 * len(demo.BANDS)
    assert {row["group"] for row in rows} == {"true labels", "false twin", "untrained"}
    assert all(row["low"] <= row["value"] <= row["high"] for row in rows)


def test_demo_writes_its_page(monkeypatch, panel, controls, tmp_path):
    # the nets of this file stand in for those of the command: what is tested is the page
    monkeypatch.setattr(demo, "twin_panel", lambda **given: panel)
    monkeypatch.setattr(demo, "controls_of", lambda given: controls)
    said = []
    done = demo.run_demo(out=tmp_path / "new", date="22 Nov 2026", progress=said.append)
    text = done.path.read_text()
    assert "22 Nov 2026" in text
    assert "Put to the twins" in text
    assert said == ["scoring 9 nets"]
    summary = done.summary()
    assert summary["verdict"] == str(done.verdict)
    assert [one["score"] for one in summary["scores"]] == list(demo.BANDS)
    assert len(done.table) == 3 * len(demo.BANDS)
    json.dumps(summary)


@pytest.mark.slow
def test_the_shipped_demonstration_holds(tmp_path):
    done = demo.run_demo(out=tmp_path, seed=0, date="22 Nov 2026")
    assert done.verdict is Verdict.HOLDS
    assert done.table.one(kind="true", score="accuracy").value > 0.97
    assert done.table.one(kind="false", score="accuracy").value < 0.01
