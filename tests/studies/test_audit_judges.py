"""Do scorers of Inspect, read as judges, end in the page of grades or of verdicts?"""

import json

import pytest

from limitset.cli import main
from limitset.core.exits import ExitStatus
from limitset.logs.reading import read_panel
from logs.real_logs import FIXTURES, members

GRADED, CHECKED = (next((FIXTURES / "judges").glob(f"*_{task}_*.eval")) for task in ("graded", "checked"))


def audited(out, *arguments):
    return main.status_of(["audit", *map(str, arguments), "--out", str(out), "--json"])


def test_grades_end_in_the_ordinal_page(tmp_path, capsys):
    assert audited(tmp_path / "out", GRADED, "--judges", "human") == ExitStatus.DONE
    found = json.loads(capsys.readouterr().out)
    assert found["scope"] == "3 judges · 9 questions with known answers"
    bias = {
        one["system"]: one["value"]
        for one in found["numbers"]
        if one.get("measure") == "bias" and one.get("null_kind", "") == ""
    }
    summaries = json.loads(members(GRADED)["summaries.json"])
    for judge in ("strict", "kind", "plain"):
        off = [one["scores"][judge]["value"] - one["scores"]["human"]["value"] for one in summaries]
        assert bias[judge] == pytest.approx(sum(off) / 9)
    assert bias["strict"] < 0 < bias["kind"]
    assert "grade" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_verdicts_end_in_the_page_of_judges(tmp_path, capsys):
    assert audited(tmp_path / "out", CHECKED, "--judges", "human") == ExitStatus.DONE
    assert json.loads(capsys.readouterr().out)["scope"] == "3 judges · 9 questions with known answers"
    summaries = json.loads(members(CHECKED)["summaries.json"])
    panel, _ = read_panel([CHECKED], judges="human")
    rows = list(panel.ends.rows())
    for judge in ("strict", "kind", "plain"):
        said = [one["scores"][judge]["value"] == one["scores"]["human"]["value"] for one in summaries]
        assert [bool(row["right"]) for row in rows if row["system"] == judge] == said
    # planted: all three are wrong on answer 3
    assert [row["right"] for row in rows].count(0.0) >= 3
    assert "abstained" in {row["status"] for row in rows}


def test_judges_without_a_key_are_not_called_right(tmp_path, capsys):
    assert audited(tmp_path / "out", GRADED, "--judges", "none") == ExitStatus.DONE
    assert "known answers" not in json.loads(capsys.readouterr().out)["scope"]


def test_an_unknown_key_is_refused_in_one_line(tmp_path, capsys):
    assert audited(tmp_path / "out", GRADED, "--judges", "people") == ExitStatus.BAD_INPUT
    said = capsys.readouterr().err
    assert "--judges must name the scorer that holds the key" in said
    assert "strict, kind, plain, human" in said
    assert len(said.splitlines()) == 1
