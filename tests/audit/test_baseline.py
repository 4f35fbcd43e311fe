"""Is what changed between two audits what was changed, and is a folder that is none refused?"""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from limitset.core.ends import Ends
from limitset.core.errors import InputError
from limitset.core.items import Items
from limitset.core.tasks import Task
from limitset.report.audit.differences import differences_of
from limitset.report.audit.differences_page import with_differences
from limitset.report.audit.gating import judge
from limitset.report.page import Page, render
from limitset.store.study_folder import StudyFolder
from limitset.store.tables import TablePart
from limitset.studies.baseline import Baseline, open_baseline, panel_of
from limitset.studies.gating import gates_of


def panel(right, *, keys=None, first=0):
    """Answers by system: "y" where right, else the wrong answer that is written; questions from `first` on."""
    rows, count = [], max(len(marks) for marks in right.values())
    for system, marks in right.items():
        for q, mark in enumerate(marks):
            for seed, one in enumerate(mark if isinstance(mark, list) else [mark]):
                answer = {1: "y", 0: "n"}.get(one, one)
                truth = {} if keys == [] else {"right": int(answer == "y")}
                rows.append({"item": f"q{first + q}", "system": system, "seed": seed, "end": answer} | truth)
    names = [f"q{first + q}" for q in range(count)]
    accepted = [["y"]] * count if keys is None else [[key] for key in keys] or [[]] * count
    return panel_of(Ends.of_rows(rows), Items.of(item=names, text=names, accepted=accepted))


def compared(now, before, *, path=Path("before")):
    baseline = Baseline(path=path, panel=before, notes=("The baseline is of then.",))
    return differences_of(now, before, comparable=baseline.comparable(now.items), notes=baseline.notes)


def change(found, name):
    return next(one for one in found.changes if str(one.term) == name)


def test_what_was_gained_is_what_is_told():
    found = compared(panel({"a": [1] * 30 + [0] * 10}), panel({"a": [1] * 20 + [0] * 20}))
    accuracy = change(found, "accuracy(a)")
    # d: ten ones of forty; s = sqrt(.25 * .75 * 40 / 39) = .4385, t of 9 degrees 2.2622: .25 +- .1569
    assert accuracy.change.value == pytest.approx(0.25)
    assert accuracy.change.low == pytest.approx(0.25 - 2.262157 * 0.438529 / math.sqrt(40), abs=1e-5)
    assert (accuracy.turn, accuracy.told, accuracy.shown) == ("better", "50 % → 75 %", "25 points [9, 41]")
    assert "Accuracy of a got better: 50 % → 75 %, 25 points [9, 41]." in found.sentences
    assert (found.common, found.added, found.lost, found.altered) == (40, 0, 0, 0)


def test_a_loss_is_worse_and_warns():
    found = compared(panel({"a": [1] * 20 + [0] * 20}), panel({"a": [1] * 30 + [0] * 10}))
    assert (change(found, "accuracy(a)").turn, change(found, "error_after_voting").turn) == ("worse", "worse")
    page = with_differences(
        Page(title="audit", scope="a", date="now", headline=("Seen.",), decisions=("Stop.",)), found
    )
    assert page.decisions[0] == "Stop."
    assert "got worse: " in page.decisions[1]
    assert page.figures[0].name == "changes"
    assert page.figures[0].title.startswith("Since the baseline, ")
    assert "got worse" in render(page)


def test_only_common_questions_enter():
    # before: q0 to q39, 20 right; now: q20 to q59: on the common q20 to q39 all wrong before, all right now
    now, before = panel({"a": [1] * 40}, first=20), panel({"a": [1] * 20 + [0] * 20})
    found = compared(now, before)
    accuracy = change(found, "accuracy(a)")
    assert (found.common, found.added, found.lost) == (20, 20, 20)
    assert (accuracy.change.value, accuracy.change.n) == (1.0, 20.0)
    assert (
        "20 questions stand in both audits; 20 only in this audit, 20 only in the baseline."
        in found.sentences
    )


def test_another_key_is_another_question():
    now = panel({"a": [1] * 40}, keys=["z"] * 10 + ["y"] * 30)
    found = compared(now, panel({"a": [1] * 40}))
    assert (found.common, found.altered) == (30, 10)
    with pytest.raises(InputError, match=r"with none alike \(40 have another text or key\)"):
        compared(panel({"a": [1] * 40}, keys=["z"] * 40), panel({"a": [1] * 40}))


def test_systems_that_came_and_went():
    now, before = panel({"a": [1] * 40, "new": [1] * 40}), panel({"a": [1] * 40, "old": [0] * 40})
    found = compared(now, before)
    assert (found.came, found.went) == (("new",), ("old",))
    assert [str(one.term) for one in found.changes if one.term.name == "accuracy"] == ["accuracy(a)"]
    assert "Numbers of the whole panel compare all systems of each audit." in found.sentences
    (gate,) = judge(
        gates_of(["accuracy(new) - baseline.accuracy(new) >= 0"], baseline=True).gates,
        now,
        baseline=before,
        comparable={f"q{n}" for n in range(40)},
    ).judged
    assert (str(gate.verdict), "baseline.accuracy(new): new has no checked run" in gate.why) == (
        "INCONCLUSIVE",
        True,
    )


def test_traps_that_are_new_and_gone():
    # q0: both wrong before, right now; q1: the other way; q2 wrong twice; q3 a new question
    rest = [1] * 36
    before = panel({"a": ["Sydney", 1, "n", *rest], "b": ["Sydney", 1, "n", *rest]})
    now = panel({"a": [1, "Rio", "n", *rest], "b": [1, "Rio", "n", *rest]})
    found = compared(now, before)
    assert [(one.item, one.answer, one.share) for one in found.new_traps] == [("q1", "Rio", 1.0)]
    assert [(one.item, one.answer) for one in found.healed_traps] == [("q0", "Sydney")]
    assert [table.title[:9] for table in found.tables] == ["Before an", "New traps", "Traps tha"]
    assert found.record()["new_traps"][0]["question"] == "q1"


def test_without_keys_only_agreement_is_compared():
    mixed = [[1, 1, 1, 0, 0, 0, 1, 0]] * 40
    settled = [[1] * 8] * 40
    found = compared(panel({"a": settled}, keys=[]), panel({"a": mixed}, keys=[]))
    assert [str(one.term) for one in found.changes] == ["agreed(0.875)"]
    assert (found.changes[0].change.value, found.changes[0].turn) == (1.0, "moved")
    assert (found.new_traps, found.healed_traps) == ((), ())


def test_ratios_change_by_the_difference_of_what_is_shown():
    before = panel({"a": [[1, 1]] * 20 + [[0, 0]] * 10 + [[1, 0]] * 10})
    now = panel({"a": [[1, 1]] * 25 + [[0, 0]] * 10 + [[1, 0]] * 5})
    one = change(compared(now, before), "wrong_when_agreed(0.875)")
    assert (one.before.value, one.now.value) == (pytest.approx(10 / 30), pytest.approx(10 / 35))
    assert one.change.value == pytest.approx(10 / 35 - 10 / 30)


def test_a_gate_is_judged_on_the_baseline_too():
    now, before = panel({"a": [1] * 40}), panel({"a": [1] * 10 + [0] * 30})
    (one,) = judge(gates_of(["accuracy(a) >= 0.5"]).gates, now, baseline=before).judged
    assert (str(one.verdict), str(one.before)) == ("PASS", "FAIL")


def written(path, *, kind="panel_audit", version=1, done=True, packages=None):
    task = Task(kind="read", chunk={}, identity="x")
    spec = {"kind": kind, "schema_version": version, "replies": "x.csv", "seed": 3}
    lock = {"spec": spec, "created": "1 Nov 2026", "packages": packages or {}}
    here = panel({"a": [1] * 40})
    with StudyFolder.create_or_open(path, toml_text="", lock=lock, tasks=[task]) as folder:
        folder.write_items(here.items)
        if done:
            folder.finish(task, {"ends": TablePart.of_ends(here.ends)})
    return path


def test_a_baseline_is_read_with_its_seed_and_its_notes(tmp_path):
    found = open_baseline(written(tmp_path / "b", packages={"limitset": "0.0.9"}))
    assert (found.panel.seed, found.panel.systems) == (3, ["a"])
    assert found.notes[0] == "The baseline is of 1 Nov 2026."
    assert "was read by limitset 0.0.9" in found.notes[1]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"kind": "trace"}, "must be an audit; got a study of the kind trace"),
        ({"version": 2}, "must be an audit of version 1; got version 2"),
        ({"done": False}, "must be finished; got 0 of 1 tasks done"),
    ],
)
def test_what_is_no_baseline_is_refused(tmp_path, options, told):
    with pytest.raises(InputError, match=told):
        open_baseline(written(tmp_path / "b", **options))


def test_hundreds_of_changes_stay_on_one_page():
    marks = {f"m{n}": [1] * (6 + n) + [0] * (6 - n) for n in range(5)}
    few = compared(panel({name: [0] * 5 + row[5:] for name, row in marks.items()}), panel(marks))
    found = replace(few, changes=tuple(replace(one) for _ in range(30) for one in few.changes))
    assert len(found.changes) > 250
    assert len(found.tables[0].rows) == 200
    assert "more, which changed least" in found.tables[0].note
    page = with_differences(Page(title="audit", scope="a", date="now", headline=("Seen.",)), found)
    assert page.figures[0].caption.count("The 20 of ") == 1
    assert len(found.record()["changes"]) == len(found.changes)


def test_the_same_replies_are_unchanged():
    marks = {"a": [1] * 30 + [0] * 10, "b": [1] * 20 + [0] * 20}
    found = compared(panel(marks), panel(marks))
    assert {one.turn for one in found.changes} == {"unchanged"}
    assert {one.shown for one in found.changes} == {"unchanged"}
    assert "numbers are unchanged." in found.sentences[0]
    page = with_differences(Page(title="audit", scope="a", date="now", headline=("Seen.",)), found)
    assert page.figures[0].title == "Since the baseline, nothing changed"
    # b as before, a not: only numbers of b alone stay
    moved = compared(panel({**marks, "a": [1] * 10 + [0] * 30}), panel(marks))
    assert change(moved, "accuracy(b)").turn == "unchanged"
    assert change(moved, "accuracy(a)").turn == "worse"
    assert change(moved, "n_eff").turn != "unchanged"


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(
        InputError, match=r"none, which does not exist\. Name a folder that `limitset audit -o`"
    ):
        open_baseline(tmp_path / "none")
