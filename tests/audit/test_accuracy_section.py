import numpy as np
import pytest

from limitset.charts import chart_of
from limitset.core.ends import Ends
from limitset.core.items import Items
from limitset.core.tallies import tallied
from limitset.datasets.planted import mixture_world, planted_panel, stratified_world
from limitset.instruments.truth import accuracy, pass_at_k
from limitset.report.audit.accuracy import accuracy_section
from limitset.report.audit.panel import Panel
from limitset.report.audit.pass_at_k import pass_at_k_section
from limitset.report.audit.stale import stale_section
from limitset.report.page import Page, render


def panel_of(ends, items, *, keyed=True, noun="model"):
    tallies = tallied(ends, items)
    return Panel(ends=ends, items=items, tallies=tallies, anchored=tallies if keyed else None, noun=noun)


def planted(world, **options):
    return panel_of(*planted_panel(world, rng=np.random.default_rng(0), **options))


def whole(section):
    """Render what a section puts on the page."""
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


def test_title_names_the_range_and_the_best():
    section = accuracy_section(planted(stratified_world(), questions=120, seeds=2))
    assert section.figures[0].title.startswith("Two models are right in ")
    assert section.figures[0].title.endswith("m1 most often")
    assert "120 questions, 2 models, 4 runs each." in section.figures[0].caption
    assert whole(section)


def test_systems_that_are_alike_are_said_to_be():
    ends = Ends.of(item=["p", "q"] * 2, system=["a", "a", "b", "b"], end=[*"xyxy"], right=[1, 0, 1, 0])
    section = accuracy_section(panel_of(ends, Items.of(item=["p", "q"], text=["?", "?"])))
    assert section.figures[0].title == "Each of two models is right in 50 % of its runs"


def test_one_system_is_drawn_by_stratum():
    section = accuracy_section(planted(mixture_world(), questions=90, seeds=2))
    assert section.figures[0].title.startswith("m0 is right in ")
    assert "trap" in str(section.figures[0].chart.to_dict())


def test_unread_runs_are_advised_to_be_read():
    ends = Ends.of(
        item=[f"q{n}" for n in range(100)],
        system="m",
        end=["x"] * 70 + [None] * 30,
        right=[1] * 70 + [None] * 30,
        status=["answered"] * 70 + ["unparsed"] * 30,
    )
    items = Items.of(item=[f"q{n}" for n in range(100)], text=["?"] * 100)
    section = accuracy_section(panel_of(ends, items))
    assert "30 % [21, 40] of its runs gave no readable answer" in section.advice[0]
    assert "100 % instead of 70 %" in section.advice[0]
    assert section.tables[0].rows == (("m", "unparsed", "30 % [21, 40]"),)


def test_clusters_are_told_with_their_design_effect():
    rng = np.random.default_rng(2)
    right = np.repeat(rng.random(40) < 0.6, 5).astype(float)
    names = [f"q{n}" for n in range(200)]
    items = Items.of(item=names, text=names, cluster=[f"p{n // 5}" for n in range(200)])
    ends = Ends.of(item=names, system="m", end=["x" if one else "y" for one in right], right=right)
    section = accuracy_section(panel_of(ends, items))
    # copies: 5 * 199 / 195 = 5.1; 200 / 5.1 = 39
    assert "200 questions in 40 clusters tell as much as about 39 independent ones" in section.advice[0]
    assert "40 clusters" in section.figures[0].caption
    assert [table.instrument for table in section.measured][-1] == "accuracy.design_effect"
    assert not section.limits


def test_questions_that_stand_alone_are_said_to():
    section = accuracy_section(planted(mixture_world(), questions=40, seeds=1))
    assert "Every question is taken to stand alone." in section.limits[0]


def test_too_many_rows_are_cut_to_all_questions():
    systems, strata = 60, 40
    names = [f"q{n}" for n in range(strata)]
    items = Items.of(item=names, text=names, stratum=[f"s{n}" for n in range(strata)])
    ends = Ends.of(
        item=names * systems,
        system=np.repeat([f"m{n}" for n in range(systems)], strata).tolist(),
        end="x",
        right=1,
    )
    section = accuracy_section(panel_of(ends, items))
    assert len(section.measured[0]) == systems
    assert "too many rows" in section.limits[0]


@pytest.mark.parametrize("section", [accuracy_section, pass_at_k_section])
def test_without_a_key_a_section_says_so(section):
    ends, items = planted_panel(mixture_world(), questions=10, seeds=2, rng=np.random.default_rng(0))
    got = section(panel_of(ends, items, keyed=False))
    assert not got.figures
    assert got.limits[0].startswith("Without a key nobody can say")


def test_pass_at_k_of_one_system_is_a_curve_and_of_several_a_gap():
    one = pass_at_k_section(planted(mixture_world(), questions=80, seeds=5))
    assert one.figures[0].title.startswith("Some of 5 runs is right on ")
    assert one.advice[0].startswith("Check answers instead of counting votes: on ")
    several = pass_at_k_section(planted(stratified_world(), questions=60, seeds=3))
    assert several.figures[0].title.startswith("The widest gap: some of 6 runs of m")
    assert "right and outvoted" in str(several.figures[0].chart.to_dict())
    assert whole(one)
    assert whole(several)


def test_pass_at_k_says_where_a_checker_would_gain_little():
    names = [f"q{n}" for n in range(200)]
    items = Items.of(item=names, text=names)
    ends = Ends.of(
        item=np.repeat(names, 3).tolist(),
        system="m",
        seed=[0, 1, 2] * 200,
        end=["x"] * 450 + ["y"] * 150,
        right=[1] * 450 + [0] * 150,
    )
    section = pass_at_k_section(panel_of(ends, items))
    assert section.advice[0].startswith("A checker of answers would gain little")


def test_one_run_each_has_nothing_to_choose_from():
    section = pass_at_k_section(planted(mixture_world(models=3), questions=20, seeds=1))
    assert section.limits == ("One run a question: whether another run would be right is unknown.",)


def twins(answer, *, keyed=True):
    names = [f"o{n}" for n in range(60)] + [f"c{n}" for n in range(60)]
    items = Items.of(
        item=names,
        text=names,
        accepted=[[f"key {name}"] for name in names],
        twin=[None] * 60 + names[:60],
    )
    end = [f"key {name}" for name in names[:60]] + [answer(n) for n in range(60)]
    right = [float(one == f"key {name}") for one, name in zip(end, names, strict=True)]
    ends = Ends.of(item=names, system="m", end=end, right=right if keyed else None)
    return panel_of(ends, items, keyed=keyed)


def test_old_answers_are_told_with_the_drop():
    section = stale_section(twins(lambda n: f"key o{n}" if n % 2 else f"key c{n}"))
    assert section.figures[0].title == "m gives the old answer to 50 % [37, 63] of the changed questions"
    assert "60 pairs" in section.figures[0].caption
    assert "it loses 50.0 points" in section.advice[0]
    assert "of its wrong answers there are the old one (0 % by chance)" in section.advice[0]
    assert whole(section)


def test_a_drop_without_old_answers_is_no_memory():
    section = stale_section(twins(lambda n: "else" if n % 2 else f"key c{n}"))
    assert section.advice[0].endswith("not by giving the old answer: they may be harder.")


def test_no_old_answer_is_told_with_its_bound():
    section = stale_section(twins(lambda n: f"key c{n}"))
    # none of 60: 1 - .05 ** (1 / 60)
    assert section.figures[0].title == "No changed question got its old answer: at most 5 % would"


def test_questions_without_twins_have_an_empty_section():
    section = stale_section(planted(mixture_world(), questions=10, seeds=1))
    assert (section.figures, section.limits) == ((), ())
    assert stale_section(twins(lambda n: "x", keyed=False)).limits[0].startswith("Without a key")


def test_charts_are_found_by_the_axes_of_their_tables():
    panel = planted(stratified_world(), questions=30, seeds=2)
    assert "right most" not in str(chart_of(accuracy(panel.tallies).right).to_dict())
    curve = pass_at_k(panel.tallies, rng=np.random.default_rng(0)).curve
    assert "right and outvoted" in str(curve.plot().to_dict())
