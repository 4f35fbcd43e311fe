"""Is a file of grades told from a file of classes, and does the page say so first?"""

from pathlib import Path

import numpy as np
import pytest

from limitset.core.ends import Ends
from limitset.core.items import Items
from limitset.logs.reply_columns import recognised
from limitset.report.audit.grades import grades_advice
from limitset.report.audit.noun import noun_of
from limitset.report.terminal import curve_lines
from limitset.studies.baseline import panel_of
from limitset.studies.panel_audit import run_audit


def panel(grades, keys=None, **columns):
    """Two judges of as many questions as there are grades."""
    names = [f"q{n}" for n in range(len(grades))]
    ends = Ends.of(
        item=[name for name in names for _ in "ab"],
        system=["a", "b"] * len(names),
        end=[str(one) for one in grades for _ in "ab"],
        **(
            {}
            if keys is None
            else {"right": [int(g == k) for g, k in zip(grades, keys, strict=True) for _ in "ab"]}
        ),
        **columns,
    )
    accepted = {} if keys is None else {"accepted": [[str(key)] for key in keys]}
    return panel_of(ends, Items.of(item=names, text=names, **accepted))


ONE_TO_FIVE = [1, 2, 3, 4, 5] * 3


def test_grades_are_told_with_and_without_a_key():
    told = (
        "Answers look like grades from 1 to 5, read here as classes. limitset audit … --map score=answer "
        "reads them as numbers."
    )
    assert grades_advice(panel(ONE_TO_FIVE)) == told
    assert grades_advice(panel(ONE_TO_FIVE, keys=ONE_TO_FIVE)) == told
    # nobody gave the lowest grade, but a key names it
    assert "from 1 to 4" in grades_advice(panel([2, 3, 4] * 5, keys=[1, 3, 4] * 5))


@pytest.mark.parametrize(
    ("grades", "keys"),
    [
        ([0, 1] * 10, None),  # verdicts: two levels
        (list(range(12)) * 3, None),  # twelve levels
        ([1, 2, 4, 5] * 5, None),  # not consecutive
        ([101, 102, 103] * 5, None),  # no small scale
        (["A", "B", "C"] * 5, None),
        ([*ONE_TO_FIVE, "none"], None),  # one of 16 is no number: more than 1 %
        (ONE_TO_FIVE, [*ONE_TO_FIVE[:-1], 12]),  # a key off the scale
        (ONE_TO_FIVE, [*ONE_TO_FIVE[:-1], 2.5]),
        ([1, 2, 3, 4, 5], None),  # five questions: any five sums look like that
    ],
)
def test_other_answers_are_no_grades(grades, keys):
    assert grades_advice(panel(grades, keys)) is None


def test_one_odd_answer_in_a_hundred_may_be_text():
    assert grades_advice(panel([*(ONE_TO_FIVE * 10), "unclear"])) is not None


def judged(path: Path, *, key: bool) -> Path:
    rng = np.random.default_rng(0)
    rows = ["question,judge_id,verdict" + ",gold" * key]
    for q in range(60):
        truth = int(rng.integers(1, 6))
        rows += [
            f"Reply {q}?,judge-{j},{min(5, max(1, truth + int(rng.integers(-1, 2))))}" + f",{truth}" * key
            for j in "abc"
        ]
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.mark.parametrize("key", [True, False])
def test_the_page_says_it_first_and_the_map_reads_numbers(tmp_path, key):
    file = judged(tmp_path / "j.csv", key=key)
    page = run_audit(file, tmp_path / "classes", date="now").page
    assert page.decisions[0].startswith("Answers look like grades from 1 to 5, read here as classes. ")
    assert "--map score=verdict reads them" in page.decisions[0]
    assert page.decisions[0] in page.limits
    assert page.scope.startswith("3 judges · 60 questions")
    graded = run_audit(file, tmp_path / "grades", names={"score": "verdict"}, date="now").page
    assert not any("look like grades" in one for one in (*graded.decisions, *graded.limits))
    assert any(
        str(row["instrument"]).startswith("severity" if not key else "score_errors") for row in graded.numbers
    )
    # a block of right and wrong classes says nothing of grades
    assert curve_lines(graded) == []
    assert not any(
        "same wrong answer" in table.title or "check outside" in table.title for table in graded.tables
    )
    if key:
        assert curve_lines(page) != []
        assert any("same wrong answer" in table.title for table in page.tables)


@pytest.mark.parametrize(
    ("column", "noun"),
    [("grader", "grader"), ("annotator", "annotator"), ("rater_id", "rater"), ("judge_name", "judge")],
)
def test_columns_of_those_who_judge_are_known(column, noun):
    found = recognised(["question", column, "verdict", "gold"], {}, "j.csv")
    assert found == {"question": "question", "model": column, "answer": "verdict", "key": "gold"}
    assert noun_of(column) == noun
