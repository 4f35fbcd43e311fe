"""The sections of a panel: what they say on panels of all shapes."""

import json

import numpy as np
import pytest

from limitset.core.ends import Ends
from limitset.core.items import Items
from limitset.core.tallies import tallied
from limitset.datasets.planted import (
    clones_world,
    independent_world,
    judges_world,
    mixture_world,
    planted_panel,
)
from limitset.report.audit.members import members_section
from limitset.report.audit.outside import outside_section, threshold_words
from limitset.report.audit.panel import Panel
from limitset.report.audit.points import listed, points
from limitset.report.audit.voting import gain_of, questions_for, voting_section
from limitset.report.audit.worth import worth_section

SECTIONS = (worth_section, voting_section, members_section, outside_section)


def panel_of(ends, items, *, noun="judge", anchored=True):
    tallies = tallied(ends, items)
    return Panel(ends=ends, items=items, tallies=tallies, anchored=tallies if anchored else None, noun=noun)


def planted(world, *, questions, seeds=1, seed=3, **more):
    return panel_of(
        *planted_panel(world, questions=questions, seeds=seeds, rng=np.random.default_rng(seed)), **more
    )


SHAPES = {
    "five judges": lambda: planted(judges_world(), questions=300),
    "three models, eight epochs": lambda: planted(mixture_world(models=3), questions=60, seeds=8),
    "one model, forty runs": lambda: planted(mixture_world(models=1), questions=40, seeds=40),
    "clones": lambda: planted(clones_world(accuracy=0.7, models=4), questions=300),
    "two": lambda: planted(mixture_world(models=2), questions=30),
    "one run": lambda: planted(mixture_world(models=1), questions=30),
    "few questions": lambda: planted(mixture_world(models=3), questions=6),
    "always right": lambda: planted(independent_world(accuracy=1.0, wrong_classes=2, models=3), questions=30),
    "always wrong": lambda: planted(independent_world(accuracy=0.0, wrong_classes=2, models=3), questions=30),
    "nobody answers": lambda: planted(mixture_world(models=3).abstaining(1.0), questions=20),
    "many": lambda: planted(mixture_world(models=24), questions=50),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_has_figures_or_says_why_not(shape):
    panel = SHAPES[shape]()
    for section in SECTIONS:
        got = section(panel)
        assert got.figures or got.limits
        for figure in got.figures:
            assert json.dumps(figure.chart.to_dict(), allow_nan=False)
            assert "question" in figure.caption
        for text in (*got.advice, *got.limits, *(figure.title for figure in got.figures)):
            assert "nan" not in text.split()
            assert "blank" not in text
            assert "--" not in text
        assert all(len(table.rows) <= 20 for table in got.tables)


@pytest.mark.parametrize("section", SECTIONS)
def test_without_a_key_nothing_is_said_but_why(section):
    got = section(planted(judges_world(), questions=20, anchored=False))
    assert (got.figures, got.advice, got.measured) == ((), (), ())
    assert "Without a key" in got.limits[0]


def test_without_a_key_there_is_no_curve():
    with pytest.raises(ValueError, match="no errors"):
        gain_of(planted(judges_world(), questions=20, anchored=False))


def test_five_judges_are_told_what_they_are_worth():
    panel = planted(judges_world(), questions=600)
    worth = worth_section(panel)
    assert worth.figures[0].title.startswith("Five judges vote like ")
    assert worth.figures[0].title.endswith("independent ones")
    assert [table.instrument for table in worth.measured[:2]] == [
        "effective_number.one_run_each",
        "effective_number",
    ]


def test_runs_of_one_model_are_called_runs():
    panel = planted(mixture_world(models=1), questions=60, seeds=40, noun="model")
    assert worth_section(panel).figures[0].title.startswith("40 runs of m0 vote like ")
    assert "of m0" in voting_section(panel).advice[0]
    assert "takes three models" in members_section(panel).limits[0]


def test_several_runs_of_several_models_are_worth_one_run_of_each():
    panel = planted(mixture_world(models=3), questions=60, seeds=8, noun="model")
    section = worth_section(panel)
    assert section.figures[0].title.startswith("Three models vote like ")
    assert section.figures[0].title.endswith(" independent ones, one run each")
    each, models = section.measured[0].value[0], section.measured[1].one(unit="models").value
    assert 1 <= models <= each + 0.05
    assert each < 3
    # the number of votes of single runs is another one: in the table, not beside the title
    assert "Kish" not in section.figures[0].caption
    assert section.measured[1].one(unit="votes").value > section.measured[1].one(unit="models").value
    assert any(one.formula == "M / (1 + (M − 1) r)" for one in section.definitions)


def test_one_run_each_says_how_errors_correlate():
    caption = worth_section(planted(judges_world(), questions=200)).figures[0].caption
    assert "Errors of two voters correlate by " in caption


def test_clones_are_one_and_one_is_enough():
    panel = planted(clones_world(accuracy=0.7, models=4), questions=900)
    assert worth_section(panel).figures[0].title == "Four judges vote like one"
    assert voting_section(panel).figures[0].title == "One judge does as well as 4"
    assert "Do not pay for votes" in voting_section(panel).advice[0]
    members = members_section(panel)
    assert "Any one of four judges could go" in members.figures[0].title
    assert members.advice[0].startswith("Drop ")


def test_the_judge_that_harms_is_taken_out():
    panel = planted(judges_world(), questions=1500)
    got = members_section(panel)
    assert "m4 harms the vote" in got.figures[0].title
    assert got.advice[0].startswith("Vote with ")
    assert "chosen and judged on different questions they are wrong " in got.advice[0]
    assert got.advice[1].startswith("Take m4 out of the vote: without it the vote is wrong ")
    assert got.advice[1].endswith("less often.")
    assert not any("-" in one for one in got.advice[:2])


def test_what_goes_outside_and_what_stays():
    panel = planted(mixture_world(models=5), questions=800)
    got = outside_section(panel)
    assert got.advice[0].startswith("Send the ")
    assert "on which fewer than 4 of 5 agree outside: that removes " in got.advice[0]
    assert "; on the rest the vote is wrong " in got.advice[0]
    table = got.tables[0]
    assert table.columns == ("question", "key", "the vote", "agree")
    assert len(table.rows) == 12
    question, key, vote, agree = table.rows[0]
    assert question.startswith("What is the answer to")
    assert key.endswith("right")
    assert "wrong" in vote
    assert agree == "5 of 5"


def test_thresholds_in_words():
    tallies = planted(mixture_world(models=5), questions=10).anchored
    assert [threshold_words(tallies, one) for one in (0.6, 1.0)] == ["fewer than 3 of 5", "not all 5"]
    ragged = tallied(Ends.of(item=[*"ppq"], system=[*"aba"], end=[*"xyx"], right=[1, 0, 1]))
    assert threshold_words(ragged, 0.75) == "less than 75 % of the votes"


def test_an_item_without_a_text_is_named_by_its_id():
    rows = [{"item": f"q{q}", "system": s, "end": "no", "right": 0} for s in "abc" for q in range(9)]
    rows += [
        {"item": f"r{q}", "system": s, "end": "yes" if s == "a" else "no", "right": int(s == "a")}
        for s in "abc"
        for q in range(9)
    ]
    names = [*(f"q{q}" for q in range(9)), *(f"r{q}" for q in range(9))]
    got = outside_section(panel_of(Ends.of_rows(rows), Items.of(item=names, text=[None] * 18)))
    assert got.tables[0].rows[0][0] == "q0"


def test_small_words():
    from limitset.core.levels import Level
    from limitset.core.results import Measurement

    row = Measurement(
        instrument="x", version=1, level=Level.ANSWER, value=-0.0001, low=-0.01, high=0.01, n=100
    )
    assert points(row) == "0.0 points [-1.0, 1.0]"
    assert listed(["a"]) == "a"
    far = Measurement(instrument="x", version=1, level=Level.ANSWER, value=0.02, low=0.0, high=0.03, n=100)
    assert questions_for(far, 0.01) is None  # beyond the margin no number of questions helps


def test_a_hostile_name_is_shown_and_not_obeyed():
    ends, items = planted_panel(judges_world(), questions=400, seeds=1, rng=np.random.default_rng(0))
    names = ["\u202eevil" if name == "m4" else name for name in ends.texts("system")]
    got = members_section(panel_of(ends.with_columns(system=names), items))
    assert "\u202e" not in " ".join((*got.advice, got.figures[0].title))
