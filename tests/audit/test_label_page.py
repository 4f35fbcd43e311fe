"""Does a page without keys say what agreement cannot tell, and what labels tell?"""

import csv
import io
import json

import numpy as np
import pytest
from typer.testing import CliRunner

from limitset.charts.labels import labels_chart
from limitset.cli.main import app
from limitset.core.ends import Ends
from limitset.core.errors import InputError
from limitset.core.items import Items
from limitset.core.tallies import tallied
from limitset.datasets.planted import clones_world, mixture_world, planted_panel
from limitset.instruments.truth import label_plan
from limitset.logs.label_file import PlanFile
from limitset.logs.labels import Labels, read_labels
from limitset.report.audit.labels import labels_section, with_labels
from limitset.report.audit.panel import Panel
from limitset.report.page import Page, render
from limitset.studies.labelling import without_keys, write_label_plan
from limitset.studies.reporting import rebuild

GENERAL = "Have some of these questions checked by something outside the models."
PAGE = Page(
    decisions=(GENERAL, "Grade on one scale."),
    title="limitset audit",
    scope="",
    date="",
    headline=("old",),
    limits=("No anchor: nothing.", "Else."),
)


def panel_of(ends, items):
    return Panel(ends=ends, items=items, tallies=tallied(ends, items), anchored=None)


@pytest.fixture(scope="module")
def world():
    ends, items = planted_panel(mixture_world(models=5), questions=300, seeds=1, rng=np.random.default_rng(0))
    keys = {row["item"]: row["accepted"][0] for row in items.rows()}
    return *without_keys(ends, items), keys


def rows_of(path):
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))


def fill(path, labels):
    rows = [row | {"label": labels.get(row["item"], "")} for row in rows_of(path)]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture
def listed(world, tmp_path):
    """A list of questions to label, and a way to fill its first ones."""
    ends, items, keys = world
    path = tmp_path / "plan.csv"
    write_label_plan(path, ends, items)

    def of_first(count, label=None):
        names = [row["item"] for row in rows_of(path)][:count]
        fill(path, {name: label or keys[name] for name in names})
        return read_labels(path, tallied(ends, items), items)

    return of_first


def test_without_labels_the_page_says_what_to_label(world):
    ends, items, _ = world
    page = with_labels(PAGE, panel_of(ends, items))
    assert page.headline[0] == "At least 4 of 5 runs agree on 66 % of these 300 questions."
    assert "agreement cannot say how often it is wrong" in page.headline[1]
    count = sum(row[2] for row in page.tables[0].rows)
    assert page.decisions[0].startswith(
        f"Label {count} of these 300 questions: limitset audit … --label-plan"
    )
    assert "to within 5 points if no more than 20 % of the agreed answers are" in page.decisions[0]
    assert page.decisions[-1] == "Grade on one scale."
    assert GENERAL not in page.decisions
    assert not page.figures
    assert {row["instrument"] for row in page.numbers} == {"label_plan.inclusion", "label_plan.expected"}
    assert "which another answer is right" in page.limits[0]
    assert "<html" in render(page)


def test_with_labels_the_page_says_how_often_agreement_is_wrong(world, listed):
    ends, items, _ = world
    panel = panel_of(ends, items)
    labels = listed(97)
    page = with_labels(PAGE, panel, labels)
    first, second = page.headline
    assert first.startswith("When at least 4 of 5 runs agree (66 % of the questions), they are wrong ")
    assert first.endswith(" of the time, by 97 labels.")
    assert second.startswith("The vote of all runs is wrong on ")
    assert page.decisions[0].startswith("Do not act on agreement alone")
    assert page.decisions[1].startswith("50 more labels would narrow that to about [")
    [figure] = page.figures
    assert figure.title.startswith("All runs agree: wrong ")
    assert figure.caption.startswith("97 labels of 300 questions")
    assert [table.title for table in page.tables] == ["How often each system is right, by the labels"]
    assert len(page.tables[0].rows) == 5
    assert page.limits[-1] == "Else."
    assert "<html" in render(page)


def right_labels(found, count, **more):
    """Labels of the first questions of a plan that all say "right"."""
    chosen = label_plan(found, count=count, rng=np.random.default_rng(0))
    known = np.isin(np.arange(found.items.size), chosen.question)
    plan = PlanFile(
        panel="", seed=0, threshold=0.8, half_width=0.05, cuts=(0.5, 0.8, 1.0), shows="blind", items=()
    )
    facts = {"verdicts": 0, "unmatched": 0, "passed_over": 0} | more
    right = np.where(known[found.class_item], 1.0, np.nan)
    return Labels(plan=plan, class_right=right, labelled=known, **facts)


@pytest.fixture(scope="module")
def agreeing():
    ends, items = planted_panel(
        clones_world(accuracy=1.0), questions=200, seeds=1, rng=np.random.default_rng(0)
    )
    return panel_of(*without_keys(ends, items))


def test_advice_follows_the_interval(agreeing):
    few, many, all_of_them = (
        labels_section(agreeing, right_labels(agreeing.tallies, count)).advice for count in (20, 120, 200)
    )
    assert few[0].startswith("Can't tell whether agreement is wrong more or less often than 5 %")
    assert "more labels would tell" in few[0]
    assert few[1].startswith("50 more labels would narrow that to about [")
    assert many[0].startswith("Agreement may be acted on")
    assert "Every question is labelled" in all_of_them[-1]


def test_what_is_wrong_with_the_labels_is_told(agreeing):
    labels = right_labels(agreeing.tallies, 20, verdicts=2, unmatched=1, passed_over=1)
    told = " ".join(labels_section(agreeing, labels).limits)
    assert "1 question before the last label was left empty" in told
    (*_, last) = labels_section(agreeing, labels).advice
    assert last.startswith("1 label names an answer that nobody gave: check it for typing errors")
    assert "2 of 20 labels call the commonest answer wrong" in told


def test_one_run_a_question_shows_no_agreement():
    ends = Ends.of(item=["p", "q", "r"], system="m", end=["a", "b", "c"])
    panel = panel_of(ends, Items.of(item=["p", "q", "r"], text=["P?", "Q?", "R?"]))
    before = with_labels(PAGE, panel)
    assert before.headline[0] == "There is one run a question: agreement cannot be seen."
    after = with_labels(PAGE, panel, right_labels(panel.tallies, 2))
    assert after.headline == (
        "There is one run a question: it is wrong 0 % [0, 33] of the time, by 2 labels.",
    )
    assert after.decisions[0].startswith("Can't tell whether one run is wrong more")


@pytest.mark.parametrize(
    ("ends", "told"),
    [
        (
            Ends.of(item=["p"] * 30, system="m", seed=np.arange(30), end=["a"] * 29 + ["b"]),
            "At least 80 % of the runs agree on 100 % of these 1 question.",
        ),
        (
            Ends.of(item=["p", "p", "q"], system=["a", "b", "a"], end=["x", "y", "z"]),
            "At least 80 % of the runs agree on 50 % of these 2 questions.",
        ),
        (
            Ends.of(item=["p", "p"], system=["a", "b"], end=["x", None]),
            "All 2 runs agree on 0 % of these 1 question.",
        ),
    ],
)
def test_panels_of_other_shapes(ends, told):
    names = list(dict.fromkeys(ends.texts("item")))
    page = with_labels(PAGE, panel_of(ends, Items.of(item=names, text=names)))
    assert page.headline[0] == told
    assert page.decisions[0].startswith("Label ")


def test_a_page_with_keys_is_left_alone(world):
    ends, items, _ = world
    tallies = tallied(ends, items)
    panel = Panel(ends=ends, items=items, tallies=tallies, anchored=tallies)
    assert with_labels(PAGE, panel) is PAGE
    assert labels_section(panel).advice == ()


def test_of_many_systems_the_extremes_are_shown(tmp_path):
    ends, items = planted_panel(mixture_world(models=30), questions=60, seeds=1, rng=np.random.default_rng(0))
    keys = {row["item"]: row["accepted"][0] for row in items.rows()}
    ends, items = without_keys(ends, items)
    path = tmp_path / "plan.csv"
    write_label_plan(path, ends, items)
    fill(path, keys)
    section = labels_section(panel_of(ends, items), read_labels(path, tallied(ends, items), items))
    [table] = section.tables
    assert len(table.rows) == 20
    assert table.note.startswith("The best and the worst of 30")


def test_the_chart_has_a_row_a_level(world, listed):
    ends, items, _ = world
    section = labels_section(panel_of(ends, items), listed(60))
    by_level = next(table for table in section.measured if table.instrument == "labelled.by_level")
    drawn = json.dumps(labels_chart(by_level).to_dict())
    assert drawn.count("All runs agree: wrong") == 1
    assert drawn.count(" agree: wrong ") == len(by_level) == 4
    assert by_level.plot().to_dict() == labels_chart(by_level).to_dict()
    blank = labels_chart(by_level.where(level="nothing"))
    assert "Nobody answered" in json.dumps(blank.to_dict())


def run(*words):
    result = CliRunner().invoke(app, ["audit", *map(str, words)], catch_exceptions=False)
    return result.exit_code, result.output


@pytest.fixture(scope="module")
def replies(world, tmp_path_factory):
    ends, items, _ = world
    path = tmp_path_factory.mktemp("replies") / "replies.csv"
    texts = dict(zip(items.texts("item"), items.texts("text"), strict=True))
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "question", "judge", "answer"])
        few = set(list(texts)[:90])
        rows = [row for row in ends.rows() if row["item"] in few]
        writer.writerows([r["item"], texts[r["item"]], r["system"], r["end"]] for r in rows)
    return path


@pytest.mark.slow
def test_from_replies_to_a_list_and_back(replies, world, tmp_path):
    """One panel on the command line: the list, the filled list, the next list, and labels of another panel."""
    keys, out, plan = world[2], tmp_path / "audit", tmp_path / "plan.csv"
    code, told = run(replies, "--label-plan", plan, "--out", out)
    assert code == 0
    assert "Nothing here checks an answer" in told
    assert "plan.csv (" in told.replace("\n", "")
    fill(plan, keys)
    code, told = run(replies, "--labels", plan, "--out", out, "--json")
    found = json.loads(told)
    assert found["headline"][0].startswith("When at least 4 of 5 runs agree")
    assert any(row["instrument"] == "labelled" for row in found["numbers"])
    further = tmp_path / "next.csv"
    code, told = run(replies, "--labels", plan, "--label-plan", further, "--out", out, "--json")
    assert json.loads(told)["label plan"]["items"] > len(rows_of(plan))
    # the page can be made anew from the folder alone, and forgets labels that are left out
    assert rebuild(out).page.headline[0].startswith("When at least 4 of 5")
    run(replies, "--out", out)
    assert rebuild(out).page.headline[0].startswith("At least 4 of 5 runs agree on")
    other = tmp_path / "other.csv"
    other.write_text(replies.read_text().replace("wrong 1", "wrong 2", 1))
    with pytest.raises(InputError, match="labels of another panel"):
        run(other, "--labels", plan, "--out", tmp_path / "b")
    assert not (tmp_path / "b").exists()


@pytest.mark.slow
def test_options_of_the_list_reach_it(replies, tmp_path):
    wide, narrow = tmp_path / "wide.csv", tmp_path / "narrow.csv"
    run(
        replies,
        "--label-plan",
        wide,
        "--label-width",
        "0.15",
        "--label-shows",
        "counts",
        "--out",
        tmp_path / "a",
    )
    run(replies, "--label-plan", narrow, "--label-threshold", "0.6", "--seed", "4", "--out", tmp_path / "b")
    assert len(rows_of(wide)) < len(rows_of(narrow))
    assert any("(" in row["answers"] for row in rows_of(wide))
    assert "threshold = 0.6" in narrow.with_suffix(".toml").read_text()
    assert "seed = 4" in narrow.with_suffix(".toml").read_text()
