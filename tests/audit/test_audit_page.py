"""The page of an audit: its first sentences, its order, and what it leaves out."""

import numpy as np
import pytest

from limitset.core.ends import Ends
from limitset.core.items import Items
from limitset.datasets.planted import independent_world, mixture_world, planted_panel
from limitset.report.analysis import analyse
from limitset.report.audit import lead
from limitset.report.audit.noun import counted, noun_of
from limitset.report.audit.page import REPLACED, audit_page
from limitset.report.audit.panel import Panel
from limitset.report.audit.section import Section
from limitset.report.audit.sections import sections_of
from limitset.report.page import render


def panel_of(ends, items, *, noun="judge"):
    analysis = analyse(ends, items)
    anchored = None if analysis.truth is None else analysis.truth.tallies
    panel = Panel(ends=ends, items=items, tallies=analysis.tallies, anchored=anchored, noun=noun)
    return analysis, panel


def page_of(ends, items):
    analysis, panel = panel_of(ends, items)
    sections = sections_of(panel)
    return audit_page(analysis, panel, sections, title="audit", scope="s", date="2026-11-22"), sections


@pytest.fixture(scope="module")
def mixture():
    return planted_panel(mixture_world(models=5), questions=240, seeds=1, rng=np.random.default_rng(5))


@pytest.fixture(scope="module")
def mixed_page(mixture):
    return page_of(*mixture)


def test_the_headline_says_what_the_panel_is_worth(mixed_page):
    page, sections = mixed_page
    worth, agreed, vote = page.headline
    assert worth.startswith("Your five judges are worth 1.")
    assert "When all agree (" in agreed
    assert vote.startswith("A vote of five judges is wrong")
    # one run each: the numbers of the sentence are those of the items on which all agree
    table = lead.found_in({one.topic: one for one in sections}, "escalation")
    left, sent = (table.one(quantity=name, threshold=1.0) for name in ("left", "sent"))
    assert f"({100 * (1 - sent.value):.0f} %" in agreed
    assert f"wrong {100 * left.value:.0f} %" in agreed


def test_with_several_runs_one_of_each_agrees():
    rng = np.random.default_rng(8)
    page, _ = page_of(*planted_panel(mixture_world(models=3), questions=120, seeds=4, rng=rng))
    assert page.headline[1].startswith("When one run of each agrees (")


def test_every_number_of_every_section_is_on_the_page(mixed_page):
    page, sections = mixed_page
    listed = {record["instrument"] for record in page.numbers}
    assert {table.instrument for one in sections for table in one.measured if len(table)} <= listed


def test_one_figure_says_one_thing(mixed_page):
    page, _ = mixed_page
    names = [figure.name for figure in page.figures]
    assert len(set(names)) == len(names)
    assert names[0] == "worth"
    for old, new in REPLACED.items():
        assert not (old in names and new in names)
    assert "variance" not in names  # one run of each: nothing tells the model from chance


def test_what_can_be_done_comes_first(mixed_page):
    page, _ = mixed_page
    is_open = [any(words in one for words in lead.OPEN) for one in page.decisions]
    assert is_open == sorted(is_open)
    assert any("outside" in one for one in page.decisions)


def test_the_page_renders_with_hostile_names():
    rng = np.random.default_rng(1)
    ends, items = planted_panel(
        independent_world(accuracy=0.6, wrong_classes=3, models=3), questions=60, seeds=1, rng=rng
    )
    renamed = ends.with_columns(system=[f"</script><b>{name}" for name in ends.texts("system")])
    page, _ = page_of(renamed, items)
    assert "</script><b>" not in render(page)


def test_two_models_are_read_as_runs():
    rng = np.random.default_rng(2)
    world = independent_world(accuracy=0.6, wrong_classes=3, models=2)
    page, _ = page_of(*planted_panel(world, questions=80, seeds=3, rng=rng))
    assert page.headline[0].startswith("One run is wrong")


def test_without_keys_one_sentence_says_what_is_missing(mixture):
    ends, items = mixture
    bare = ends.with_columns(right=None)
    keyless = Items.of(item=list(items.texts("item")), text=list(items.texts("text")))
    page, _ = page_of(bare, keyless)
    assert not [one for one in page.limits if one.startswith("Without a key nobody")]
    assert any("No anchor" in one for one in (*page.headline, *page.limits))


def test_a_panel_that_never_errs_has_no_number_of_voters():
    ends = Ends.of(item=[*"pqr"] * 3, system=[*"aaabbbccc"], end=["x"] * 9, right=1)
    items = Items.of(item=[*"pqr"], text=["p?", "q?", "r?"], accepted=[["x"]] * 3)
    analysis, panel = panel_of(ends, items)
    assert not any("worth" in one for one in lead.headline(analysis, panel, {}))


def test_topics_that_say_nothing_leave_nothing():
    ends = Ends.of(item=[*"pqr"], system="a", end=[*"xyz"])
    items = Items.of(item=[*"pqr"], text=["p?", "q?", "r?"])
    analysis, panel = panel_of(ends, items)
    assert lead.decisions(analysis, panel, {"voting": Section(topic="voting")}) == ()


@pytest.mark.parametrize(
    ("column", "noun"), [("judge", "judge"), (" Rater", "rater"), ("model", "model"), ("system", "model")]
)
def test_systems_are_called_what_the_log_calls_them(column, noun):
    assert noun_of(column) == noun


def test_small_numbers_are_words():
    assert [counted(n, "judge") for n in (1, 10, 11, 1000)] == [
        "one judge",
        "ten judges",
        "11 judges",
        "1,000 judges",
    ]


def graded_panel():
    """Three judges grade 80 answers from 1 to 5; the second is a point too kind."""
    rng = np.random.default_rng(3)
    key = rng.integers(1, 6, 80)
    rows = [
        {
            "item": f"q{q}",
            "system": name,
            "score": float(grade),
            "end": f"{grade}",
            "right": float(grade == true),
        }
        for name, kind in (("strict", 0), ("kind", 1), ("plain", 0))
        for q, true in enumerate(key)
        for grade in [int(np.clip(true + kind + rng.integers(-1, 2), 1, 5))]
    ]
    items = Items.of(
        item=[f"q{q}" for q in range(80)],
        text=[f"answer {q}" for q in range(80)],
        accepted=[[str(one)] for one in key],
    )
    return Ends.of_rows(rows), items


def test_judges_that_grade_are_led_by_how_far_off_they_are():
    page, _ = page_of(*graded_panel())
    worth, off = page.headline
    assert worth.startswith("Your three judges are worth")
    assert "points off the key" in off
    assert page.figures[0].name == "panel-error"
    assert page.decisions
    assert all("points" in one for one in page.decisions)


def test_two_systems_that_answered_once_are_compared():
    rng = np.random.default_rng(4)
    page, _ = page_of(*planted_panel(mixture_world(models=2), questions=150, seeds=1, rng=rng))
    assert "on the same 150 questions" in page.headline[0]
    assert page.headline[1].startswith("When both agree (")
    assert not any("vote" in one for one in page.decisions)


def test_a_trap_is_an_answer_that_two_runs_share():
    rng = np.random.default_rng(4)
    page, _ = page_of(*planted_panel(mixture_world(models=2), questions=150, seeds=1, rng=rng))
    title = page.tables[0].title
    assert title.endswith("both runs give the same wrong answer")
    assert all(row[3] == "100 %" for row in page.tables[0].rows)
