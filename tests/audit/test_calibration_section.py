"""What the page says about confidence: sources, titles, advice, limits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from limitset.charts.calibration import calibration_chart, risk_chart
from limitset.charts.shown import percent
from limitset.core.ends import Ends
from limitset.core.items import Items
from limitset.core.tallies import tallied
from limitset.report.audit.calibration import LISTED, _found, calibration_section
from limitset.report.audit.forecasts import AGREEMENT, CHOICES, STATED, forecasts_of, likelihoods_of
from limitset.report.audit.panel import Panel
from limitset.report.page import Page, render


def panel(systems: int = 2, questions: int = 300, *, seeds: int = 1, over: float = 0.15, **columns) -> Panel:
    """Models that say .4 to 1 and are right `over` less often; `columns` are made from the confidences."""
    rng = np.random.default_rng(0)
    shape = systems, seeds, questions
    stated = np.repeat(rng.uniform(0.4, 1.0, (systems, 1, questions)), seeds, axis=1)
    right = rng.random(shape) < stated - over
    names = [f"q{q}" for q in range(questions)]
    ends = Ends.of(
        item=names * (systems * seeds),
        system=np.repeat([f"m{m}" for m in range(systems)], seeds * questions).tolist(),
        seed=np.tile(np.repeat(np.arange(seeds), questions), systems),
        end=np.where(right, "r", "w").ravel().tolist(),
        right=right.ravel() * 1.0,
        **{name: make(stated.ravel()) for name, make in columns.items()},
    )
    items = Items.of(item=names, text=names, accepted=[["r"]] * questions)
    tallies = tallied(ends, items)
    return Panel(ends=ends, items=items, tallies=tallies, anchored=tallies)


def rendered(section) -> str:
    return render(
        Page(
            title="limitset audit",
            scope="x",
            date="today",
            headline=("x",),
            decisions=section.advice,
            figures=section.figures,
            definitions=section.definitions,
            limits=section.limits,
            numbers=tuple(record for table in section.measured for record in table.records()),
        )
    )


def test_overconfident_models_get_no_threshold() -> None:
    section = calibration_section(panel(confidence=lambda p: p))
    assert section.figures[0].title.startswith("At 90 % confidence and more (")
    assert "is wrong" in section.figures[0].title
    assert section.advice[0].startswith("Do not accept answers for being stated confidently")
    assert f"confidence: {STATED}" in section.figures[0].caption
    row = section.figures[0].shown[0].rows[0]
    assert row[0] == "m0"
    assert row[-1] == "none"
    rendered(section)


def test_a_usable_threshold_is_given_with_its_reach() -> None:
    found = panel(1, 600, over=0.0, confidence=lambda p: np.where(p > 0.7, 0.97, p))
    sure = found.ends.numbers("confidence") == 0.97
    ends = found.ends.with_columns(
        right=np.where(sure, 1.0, found.ends.numbers("right")),
        end=np.where(sure, "r", found.ends.texts("end")).tolist(),
    )
    tallies = tallied(ends, found.items)
    section = calibration_section(replace(found, ends=ends, tallies=tallies, anchored=tallies))
    # nothing above .7 is wrong
    assert section.advice[0].startswith("Accept m0 alone from 70 % confidence on: wrong at most ")


def test_sources_of_confidence_in_their_order() -> None:
    rng = np.random.default_rng(0)

    def sources(found: Panel) -> list[str]:
        assert found.anchored is not None
        return [one.source for one in forecasts_of(found, found.anchored, rng)]

    lists = {"choice_probabilities": lambda p: [(x, 1 - x) for x in p]}
    assert sources(panel(confidence=lambda p: p, **lists)) == [STATED, STATED]
    assert sources(panel(**lists)) == [CHOICES, CHOICES]
    assert sources(panel(seeds=3)) == [AGREEMENT, AGREEMENT]
    assert sources(panel(seeds=2)) == []
    # percentages are no confidence, nothing is neither
    assert sources(panel(confidence=lambda p: 100 * p)) == []
    assert sources(panel(confidence=lambda p: np.full(p.size, np.nan), **lists)) == [CHOICES, CHOICES]


def test_agreement_as_confidence_by_hand() -> None:
    # p: x x y (2/3, wrong), q: r r r (1, right)
    ends = Ends.of(
        item=[*"pppqqq"], system="m", seed=[0, 1, 2] * 2, end=[*"xxyrrr"], right=[0, 0, 0, 1, 1, 1]
    )
    items = Items.of(item=["p", "q"], text=["p", "q"], accepted=[["r"], ["r"]])
    tallies = tallied(ends, items)
    found = Panel(ends=ends, items=items, tallies=tallies, anchored=tallies)
    got = forecasts_of(found, tallies, np.random.default_rng(0))[0]
    assert got.stated.tolist() == [2 / 3, 1.0]
    assert got.right.tolist() == [0.0, 1.0]
    assert "agreement is checked" in calibration_section(panel(seeds=3)).limits[0]


def test_calibrated_models_are_not_called_anything_else() -> None:
    # nobody is 90 % sure, and they are right as often as they say
    section = calibration_section(panel(2, 200, over=0.0, confidence=lambda p: p * 0.0 + 0.7))
    assert "as far as so few answers tell" in section.figures[0].title
    assert section.advice == ()


def test_agreement_is_not_called_confidence() -> None:
    section = calibration_section(panel(1, 200, seeds=5, over=0.35))
    assert section.figures[0].title.startswith("m0's self-agreement stands ")
    assert section.figures[0].title.endswith(" above its share of right answers")
    # three runs agree by chance: one wrong answer alone
    sure = calibration_section(panel(1, 300, seeds=3, over=0.25))
    assert sure.figures[0].title.startswith("At 90 % self-agreement and more")
    assert sure.advice[0].startswith("Do not accept answers for being given again and again")


def test_greedy_abstained_and_unchecked_runs_do_not_count() -> None:
    ends = Ends.of(
        item=[*"pqrs"],
        system="m",
        end=["x", "x", None, "x"],
        right=[0, 1, None, None],
        greedy=[1, None, None, None],
        confidence=0.5,
        logprob=-1.0,
    )
    items = Items.of(item=[*"pqrs"], text=[*"pqrs"], accepted=[["r"]] * 4)
    tallies = tallied(ends, items)
    found = Panel(ends=ends, items=items, tallies=tallies, anchored=tallies)
    assert forecasts_of(found, tallies, np.random.default_rng(0))[0].right.tolist() == [1.0]
    assert likelihoods_of(found, tallies)[0].stated.tolist() == [-1.0]


def test_probability_of_the_answer() -> None:
    telling = calibration_section(panel(1, 400, logprob=np.log))
    assert telling.figures[0].title.startswith("The probability of an answer tells something about")
    rng = np.random.default_rng(3)
    noise = calibration_section(panel(1, 400, logprob=lambda p: rng.normal(size=p.size)))
    assert "says nothing about" in noise.figures[0].title
    assert "length in tokens is not in the log" in noise.figures[0].caption
    rendered(telling)


def test_nothing_to_say_is_said() -> None:
    plain = panel()
    assert "No model states a confidence" in calibration_section(plain).limits[0]
    assert calibration_section(plain).figures == ()
    keyless = calibration_section(replace(plain, anchored=None))
    assert keyless.limits == ("Without a key nobody can say what confidence is worth.",)


def test_many_models_are_cut_to_both_ends() -> None:
    section = calibration_section(panel(LISTED + 3, 60, confidence=lambda p: p, logprob=np.log))
    assert f"the {LISTED} most and least overconfident of {LISTED + 3} models" in section.limits[0]
    assert len(section.figures[0].shown[0].rows) == LISTED
    assert "3 of 24 models drawn" in section.figures[0].caption


def test_empty_charts_say_why() -> None:
    assert "No system states" in str(calibration_chart({}).to_dict())
    assert "Too few answers" in str(risk_chart({}).to_dict())


def test_systems_named_pay_for_having_been_picked() -> None:
    # the same first system alone, and among six: the value of the one named is its own, the interval wider
    found = panel(6, 200, confidence=lambda p: p, logprob=np.log)
    many, left_out = _found(found, found.tallies)
    assert left_out == 0
    for one in many:
        assert one.sure_named.high > one.sure.high
        assert one.sure_named.low < one.sure.low
        assert one.sure_named.value == one.sure.value
        summary = one.calibration.summary.one(statistic="overconfidence")
        assert (one.gap.value, one.gap.n) == (summary.value, summary.n)
        # t or normal: 99.17 % is 1.34 times as wide as 95 %
        assert 1.3 < (one.gap.high - one.gap.low) / (summary.high - summary.low) < 1.5
    section = calibration_section(found)
    worst = max(many, key=lambda one: one.sure.value)
    assert percent(worst.sure_named) in section.figures[0].title
    assert percent(worst.sure_named) in section.advice[0]
    assert percent(worst.sure_named) != percent(worst.sure)
    for figure in section.figures:
        assert figure.caption.count("picking out of 6 models") == 1
    lone = panel(1, 200, confidence=lambda p: p, logprob=np.log)
    only = _found(lone, lone.tallies)[0][0]
    assert (only.sure_named.low, only.sure_named.high) == (only.sure.low, only.sure.high)
    assert all("picking" not in figure.caption for figure in calibration_section(lone).figures)
