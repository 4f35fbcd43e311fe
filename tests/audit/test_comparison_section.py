import numpy as np
import pytest

from limitset.charts.comparison import standings_chart
from limitset.core.ends import Ends
from limitset.core.items import Items
from limitset.core.tallies import tallied
from limitset.instruments.truth import paired_comparison
from limitset.report.audit.comparison import comparison_section, pairs_on_page
from limitset.report.audit.panel import Panel
from limitset.report.page import Page, render


def panel_of(right, *, noun="model", anchor_error=0.0, keyed=True):
    right = np.asarray(right, dtype=float)
    at = np.argwhere(~np.isnan(right))
    names = [f"q{n}" for n in range(right.shape[1])]
    items = Items.of(item=names, text=names, anchor_error=[anchor_error] * len(names))
    values = right[tuple(at.T)]
    ends = Ends.of(
        item=[f"q{q}" for _, q in at],
        system=[f"m{m}" for m, _ in at],
        end=["x" if one else f"y{m}" for one, (m, _) in zip(values, at, strict=True)],
        right=values if keyed else None,
    )
    tallies = tallied(ends, items)
    return Panel(ends=ends, items=items, tallies=tallies, anchored=tallies if keyed else None, noun=noun)


def ordered(shares, questions=400, seed=1):
    hard = np.random.default_rng(seed).random(questions)
    return np.array([hard < share for share in shares], dtype=float)


def rendered(section):
    return render(
        Page(
            title="audit",
            scope="planted",
            date="2026-11-22",
            headline=("One.",),
            figures=section.figures,
            tables=section.tables,
            definitions=section.definitions,
            numbers=tuple(row for table in section.measured for row in table.records()),
            limits=section.limits,
        )
    )


@pytest.mark.parametrize(
    ("shares", "title"),
    [
        ((0.9, 0.6, 0.59, 0.58, 0.57), "m0 is surely better than each of the other four judges"),
        ((0.6, 0.6, 0.6), "No two of the three judges can be told apart"),
        ((0.7, 0.69, 0.3), "Two of the three judges may be the best; m2 is surely worse than the other two"),
        ((0.6, 0.6), "m0 and m1 cannot be told apart on 400 questions"),
    ],
)
def test_title_states_how_far_the_order_is_sure(shares, title):
    section = comparison_section(panel_of(ordered(shares), noun="judge"))
    assert section.figures[0].title == title
    assert "400 questions" in section.figures[0].caption


def test_title_of_two_names_the_difference():
    section = comparison_section(panel_of(ordered((0.9, 0.5))))
    assert section.figures[0].title.startswith("m0 is right more often than m1: by 38.2 points [33")


def test_advice_names_numbers_and_what_would_settle_the_rest():
    rng = np.random.default_rng(3)
    right = np.vstack([ordered((0.95,)), (rng.random((2, 400)) < 0.6).astype(float)])
    right[1, :10] = 1
    right[2, :10] = 0
    advice = comparison_section(panel_of(right)).advice
    assert advice[0].startswith("Choose m0 if being right is what counts: it beats m")
    assert "on the same 400 questions" in advice[0]
    assert "cannot be told apart" in advice[1]
    assert "questions would" in advice[1]


@pytest.mark.parametrize(
    ("questions", "advice"),
    [
        (400, "[-0.7, 0.7] on the same 400 questions. Choose by price: they differ by 0.7 points at most."),
        (20, "[-14.0, 14.0] on the same 20 questions. Up to 14 points are possible: ask more questions"),
    ],
)
def test_equal_systems_are_chosen_by_price_only_where_they_are_surely_alike(questions, advice):
    told = comparison_section(panel_of(ordered((0.6, 0.6), questions=questions))).advice
    assert told[0].startswith(f"m0 and m1 cannot be told apart: m0 less m1 is 0.0 points {advice}")


def test_different_questions_are_said():
    right = ordered((0.8, 0.6, 0.5))
    right[0, :100] = np.nan
    section = comparison_section(panel_of(right, anchor_error=0.01))
    assert any("2 different sets" in one and "at least 300" in one for one in section.limits)
    assert any("1.0 % of the keys may be wrong" in one for one in section.limits)


def test_many_systems_fit_the_page():
    right = ordered(np.linspace(0.9, 0.2, 70), questions=150)
    panel = panel_of(right)
    section = comparison_section(panel)
    # 70 * 69 / 2 = 2,415 pairs; of the first 20: 190
    assert [len(table) for table in section.measured] == [190, 190, 70]
    assert any("Of 2,415 pairs" in one for one in section.limits)
    assert str(section.figures[0].chart.to_dict()).count("'words': ") == 20
    assert "The first 20 of 70" in section.figures[0].caption
    assert "m0" in rendered(section)


def test_pairs_stay_whole_where_they_fit():
    found = paired_comparison(panel_of(ordered((0.8, 0.6, 0.5))).tallies, rng=np.random.default_rng(0))
    assert pairs_on_page(found.pairs, []) is found.pairs


def test_without_key_or_second_system_nothing_is_compared():
    assert "Without a key" in comparison_section(panel_of(ordered((0.8, 0.6)), keyed=False)).limits[0]
    section = comparison_section(panel_of(ordered((0.8,))))
    assert section.limits == ("One system: there is nothing to compare it with.",)
    assert not section.figures


def test_the_seed_of_the_panel_moves_the_ends_alone():
    right = ordered((0.8, 0.7, 0.65))
    one, two = (comparison_section(panel_of(right)).measured[0] for _ in range(2))
    assert (np.asarray(one.high) == np.asarray(two.high)).all()


def test_hostile_names_stay_text():
    ends = Ends.of(
        item=["p", "q"] * 2,
        system=["</script>", "</script>", "b\u202e", "b\u202e"],
        end=[*"xyxx"],
        right=[1, 0, 1, 1],
    )
    items = Items.of(item=["p", "q"], text=["?", "?"])
    tallies = tallied(ends, items)
    html = rendered(comparison_section(Panel(ends=ends, items=items, tallies=tallies, anchored=tallies)))
    assert "</script>:" not in html.replace("<\\/script>", "")
    assert "\u202e" not in html


def test_chart_of_no_system_says_so():
    found = paired_comparison(panel_of(ordered((0.8, 0.6))).tallies, rng=np.random.default_rng(0))
    empty = found.standings.where(system="nobody")
    assert "No system to compare" in str(standings_chart(empty).to_dict())
