import io
import math
from dataclasses import replace

import numpy as np
import pytest

from limitset.core.ends import Ends
from limitset.core.items import Items
from limitset.datasets.planted import mixture_world, planted_panel, stratified_world
from limitset.report.analysis import analyse
from limitset.report.first_page import build_page
from limitset.report.page import render
from limitset.report.terminal import curve_lines, show


def _panel(questions=60, seeds=4, world=None):
    ends, items = planted_panel(
        world or stratified_world(), questions=questions, seeds=seeds, rng=np.random.default_rng(0)
    )
    return ends.with_columns(text=[f"I say {end}." for end in ends.texts("end")]), items


def _built(analysis, **more):
    return build_page(
        analysis, **{"title": "first look", "scope": "2 models · 60 questions", "date": "2026-11-22", **more}
    )


@pytest.fixture(scope="module")
def analysis():
    return analyse(*_panel())


def test_figures_come_in_the_order_of_the_page(analysis):
    page = _built(analysis)
    assert [figure.name for figure in page.figures] == [
        "survival",
        "agreed",
        "unanimity",
        "sharing",
        "variance",
        "outcomes",
    ]
    assert page.title == "limitset first look"
    assert page.date == "22 Nov 2026"
    assert all("60 questions, 2 models, 16 runs a question." in figure.caption for figure in page.figures)
    assert page.headline[0].startswith("One run is wrong")
    render(page)


def test_traps_stand_with_key_and_replies(analysis):
    table = _built(analysis).tables[0]
    assert len(table.rows) == 5
    for _, key, said, share, replies in table.rows:
        assert key.endswith("right")
        assert "wrong" in said
        assert float(share.split()[0]) >= 50
        assert replies.startswith("I say q")


def test_questions_to_check_first_fit_the_advice(analysis):
    page = _built(analysis)
    count = len(page.tables[1].rows)
    assert any(f"checking the {count} questions listed outside" in one for one in page.decisions)


def test_every_number_is_on_the_page_with_its_n(analysis):
    page = _built(analysis)
    names = {record["instrument"] for record in page.numbers}
    assert {
        "surviving_error",
        "wrong_when_agreed",
        "wrong_when_unanimous",
        "unanimity_nulls",
        "same_wrong",
        "traps",
        "variance_shares",
        "effective_number",
        "condorcet",
        "false_collision",
        "outcomes",
        "agreement_coverage",
    } <= names
    assert all(record["blank_reason"] for record in page.numbers if math.isnan(record["value"]))


def test_seed_moves_what_is_resampled_and_nothing_else():
    ends, items = _panel(questions=30)
    first, second = (analyse(ends, items, rng_seed=seed) for seed in (0, 1))
    same, other = (one.truth.surviving.curve for one in (first, second))
    assert not np.array_equal(same.value, other.value, equal_nan=True)
    assert np.array_equal(first.truth.agreed.rates.value, second.truth.agreed.rates.value, equal_nan=True)
    again = analyse(ends, items, rng_seed=0).truth.surviving.curve
    assert np.array_equal(same.value, again.value, equal_nan=True)


def test_without_an_anchor_the_page_says_so_and_shows_what_agreement_can():
    ends, items = _panel(questions=40)
    bare = Items.of(item=items.texts("item"), text=items.texts("text"))
    analysis = analyse(ends.with_columns(right=None), bare)
    page = _built(analysis)
    assert analysis.truth is None
    assert any(one.startswith("No anchor") for one in page.headline)
    assert [figure.name for figure in page.figures] == ["agreement", "variance"]
    words = " ".join(
        [*page.headline, *page.decisions, *page.limits, *(figure.title for figure in page.figures)]
    )
    assert "is wrong" not in words
    assert page.tables == ()
    render(page)


def test_questions_without_a_key_are_left_out_and_counted():
    ends, items = _panel(questions=40)
    open_items = set(items.texts("item")[:10])
    right = np.where(np.isin(ends.texts("item"), list(open_items)), np.nan, ends.numbers("right"))
    analysis = analyse(ends.with_columns(right=right), items)
    assert analysis.unanchored == 10
    assert analysis.truth.tallies.items.size == 30
    assert any("10 questions without an anchor" in one for one in _built(analysis).limits)


@pytest.mark.parametrize(("questions", "seeds", "models"), [(3, 2, 1), (8, 1, 1), (40, 1, 2), (30, 3, 4)])
def test_small_and_odd_designs_make_a_page(questions, seeds, models):
    ends, items = _panel(questions, seeds, mixture_world(models=models))
    render(_built(analyse(ends, items)))


def test_all_right_and_all_wrong_make_a_page():
    for right in (0.0, 1.0):
        ends = Ends.of(
            item=[f"q{i}" for i in range(20) for _ in range(4)],
            system="m",
            seed=[*range(4)] * 20,
            end="a",
            right=np.full(80, right),
        )
        items = Items.of(
            item=[f"q{i}" for i in range(20)], text="?", accepted=[["a"] if right else ["b"]] * 20
        )
        page = _built(analyse(ends, items))
        render(page)
        assert ("almost never wrong" if right else "almost always wrong") in page.headline[0]


def test_text_loops_get_their_figure():
    ends, items = _panel(questions=10)
    names = list(items.texts("item"))
    loops = Ends.of(
        item=names,
        system="m0",
        loop="again",
        level="text",
        end=[f"{name} right" for name in names],
        status="settled",
        steps=[0] * 10,
        right=[1, 0] * 5,
        text="x",
    )
    orbits = {
        "item": names,
        "system": ["m0"] * 10,
        "loop": ["again"] * 10,
        "step": [0] * 10,
        "period": [1] * 10,
        "text": ["x"] * 10,
        "right": [1, 0] * 5,
    }
    page = _built(analyse(Ends.joined([ends, loops]), items, orbits))
    figure = page.figures[-1]
    assert figure.name == "loops"
    assert figure.title == "10 of 10 text loops settle, 5 of them on a wrong answer"
    assert figure.shown[0].rows[0][-1].startswith("50 %")  # right at the end
    assert any(one.term == "text loop" for one in page.definitions)
    render(page)


def test_terminal_shows_the_first_screen(analysis):
    from rich.console import Console

    page = _built(analysis)
    out = io.StringIO()
    show(page, Console(file=out, width=100, force_terminal=False))
    text = out.getvalue()
    for wanted in (
        "limitset first look",
        "One run is wrong",
        "What to do",
        "Stop voting" if "Stop voting" in " ".join(page.decisions) else "runs",
        "█",
        "q",
    ):
        assert wanted in text
    assert "all" in curve_lines(page)[-1]


def test_terminal_never_reads_markup_from_models(page):
    from rich.console import Console

    out = io.StringIO()
    hostile = replace(page, headline=("[red]no[/red] \x1b[31m",), decisions=("[link=x]a[/link]",), numbers=())
    show(hostile, Console(file=out, width=200))
    assert "[red]no[/red] \\x1b[31m" in out.getvalue()
    assert "[link=x]a[/link]" in out.getvalue()
    assert curve_lines(hostile) == []
