"""Do logs of evaluations end in the same page, with what differs said on it?"""

import json

import pytest

import limitset
from limitset.cli import main
from limitset.core.exits import ExitStatus
from limitset.report.first_page import MOST_NOTES, build_page
from limitset.studies.reporting import rebuild
from logs.real_logs import FIXTURES, INSPECT, LM_EVAL, eval_logs, records, samples


def audited(out, *arguments):
    return main.status_of(["audit", *map(str, arguments), "--out", str(out), "--json"])


def limits(out):
    return " | ".join(rebuild(out).page.limits)


def test_a_folder_of_lm_eval_ends_in_a_page(tmp_path, capsys):
    assert audited(tmp_path / "out", LM_EVAL / "a", LM_EVAL / "b") == ExitStatus.DONE
    found = json.loads(capsys.readouterr().out)
    assert found["scope"] == "planted-a and planted-b · 12 questions with known answers"
    told = limits(tmp_path / "out")
    assert "About the data: capitals is read with last-word (it has last-word, whole" in told
    assert "planted-b got questions under several conditions" in told
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "6 of lm-evaluation-harness" in page


def test_the_filter_moves_the_numbers(tmp_path, capsys):
    files = samples("a", "capitals"), samples("b", "capitals")
    right = []
    for name in ("last-word", "whole"):
        assert audited(tmp_path / name, *files, "--filter", name) == ExitStatus.DONE
        numbers = json.loads(capsys.readouterr().out)["numbers"]
        (value,) = (
            one["value"]
            for one in numbers
            if one["instrument"] == "outcomes"
            and (one["system"], one["stratum"], one["outcome"]) == ("all", "all", "right")
        )
        right.append(value)
    assert right[0] > right[1] == 0


def test_logs_of_inspect_end_in_a_page(tmp_path, capsys):
    assert audited(tmp_path / "out", *eval_logs("capitals-choice")) == ExitStatus.DONE
    found = json.loads(capsys.readouterr().out)
    assert found["scope"] == "mockllm/a and mockllm/b · 4 questions with known answers"


def test_a_mix_that_cannot_be_joined_is_one_line(tmp_path, capsys):
    choice, free = eval_logs("capitals-choice")[0], samples("a", "capitals")
    assert audited(tmp_path / "out", choice, free) == ExitStatus.BAD_INPUT
    said = capsys.readouterr().err
    assert "must share questions" in said
    assert len(said.splitlines()) == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("path", [LM_EVAL / "a", INSPECT])
def test_the_python_entry_takes_folders(tmp_path, path):
    done = limitset.audit(path, out=tmp_path / "out")
    assert done.page.headline
    assert any(line.startswith("About the data: ") for line in done.page.limits)


def test_many_notes_are_counted_and_not_all_shown(tmp_path):
    from limitset.report.analysis import analyse
    from limitset.store.study_folder import StudyFolder

    limitset.audit(samples("a", "capitals_choice"), out=tmp_path / "out")
    with StudyFolder.open(tmp_path / "out") as folder:
        analysis = analyse(folder.ends(), folder.items())
    notes = tuple(f"note {n}" for n in range(MOST_NOTES + 7))
    page = build_page(analysis, title="t", scope="s", date="d", notes=notes)
    assert page.limits[-1] == "About the data: 7 more notes are in study.lock.json."
    assert page.limits[-2] == f"About the data: note {MOST_NOTES - 1}."


def refused(tmp_path, capsys, *arguments):
    """Return the one line that an audit is refused with."""
    assert audited(tmp_path / "out", *arguments) == ExitStatus.BAD_INPUT
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert not (tmp_path / "out").exists()
    return said


def changed_copy(folder, source, **values):
    """Copy a file of samples with some fields of every record replaced."""
    folder.mkdir()
    rows = [row | values for row in records(source)]
    (folder / source.name).write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return folder


def test_other_targets_everywhere_are_refused(tmp_path, capsys):
    doc = {"doc": {"question": "?"}, "target": "Atlantis"}
    other = changed_copy(tmp_path / "other", samples("b", "capitals"), **doc)
    said = refused(tmp_path, capsys, samples("a", "capitals"), other)
    assert "models must share questions (same text, choices and target)" in said
    assert "planted-a has 6 of capitals; other has" in said


def test_logs_without_a_common_filter_are_refused(tmp_path, capsys):
    other = changed_copy(tmp_path / "other", samples("b", "capitals"), filter="last-line")
    said = refused(tmp_path, capsys, samples("a", "capitals"), other)
    assert "all logs of capitals must have one filter or scorer in common" in said
    assert "has last-word, whole; " in said
    assert "has last-line" in said


def test_an_unknown_filter_is_refused_with_the_known_ones(tmp_path, capsys):
    said = refused(tmp_path, capsys, samples("a", "capitals"), "--filter", "flexible")
    assert "got flexible, where there are last-word, whole" in said


def test_other_tasks_are_refused_with_their_names(tmp_path, capsys):
    graded = next((FIXTURES / "judges").glob("*_graded_*.eval"))
    said = refused(tmp_path, capsys, graded, *samples("a", "capitals").parent.glob("*choice*"))
    assert "mockllm/writer has 9 of graded" in said
    assert "planted-a has 6 of capitals_choice" in said
