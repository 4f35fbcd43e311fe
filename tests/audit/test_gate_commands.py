"""Does `limitset audit` end with the status of its gates, and write what a continuous integration reads?"""

import csv
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from limitset.cli import main

PANEL = Path(__file__).parents[2] / "examples" / "panel.csv"
GATES = PANEL.with_name("gates.toml")
SMALL, LARGE = "smollm2-135m-instruct", "gemma-3-270m"


@pytest.fixture
def audit(tmp_path, capsys, monkeypatch):
    """Run `limitset audit` in a folder of its own: its status, what it printed, its complaint."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments, replies=PANEL):
        status = main.status_of(["audit", str(replies), *(str(one) for one in arguments)])
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


@pytest.fixture(scope="module")
def before(tmp_path_factory):
    """The folder of an audit of the sample, made once."""
    path = tmp_path_factory.mktemp("earlier") / "before"
    assert main.status_of(["audit", str(PANEL), "-o", str(path)]) == 0
    return path


def gated(*texts):
    return [part for text in texts for part in ("--gate", text)]


@pytest.fixture
def changed(tmp_path):
    """The sample with three questions gone, one new, one system gone, another one better by its answers."""
    with PANEL.open(encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    questions = list(dict.fromkeys(row["question"] for row in rows))
    kept = [row for row in rows if row["question"] not in questions[:3] and row["model"] == LARGE]
    better = set(questions[10:40])
    for row in kept:
        if row["question"] in better:
            row["answer"] = row["key"].split("|")[0]
    kept.append(
        {**kept[0], "question": "What is 1 + 1?", "key": "2", "answer": "2", "lure": "", "stratum": "sums"}
    )
    path = tmp_path / "changed.csv"
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]))
        writer.writeheader()
        writer.writerows(kept)
    return path


def test_the_status_is_that_of_the_worst_gate(audit):
    passing, open_one, failing = "accuracy <= 0.5", "n_eff_models >= 1.2", "wrong_when_agreed(0.8) <= 5 %"
    status, out, _ = audit(*gated(passing, open_one))
    assert (status, "Gates  INCONCLUSIVE  1 cannot be told, 1 passes, of 2 gates" in out) == (3, True)
    status, out, _ = audit(*gated(passing, open_one, failing))
    assert status == 1
    assert "1 fails, 1 cannot be told, 1 passes, of 3 gates" in out
    assert "would settle it" in out
    html = Path("audit/report.html").read_text(encoding="utf-8")
    assert "wrong_when_agreed(0.8) &lt;= 5\u00a0%" in html
    assert html.index("FAIL:") < html.index("What to do")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (gated("acuracy >= 0.7"), "Did you mean accuracy?"),
        (gated("accuracy(gemma) >= 0.7"), f'Did you mean "{LARGE}"?'),
        (gated("accuracy(stratum=lures) >= 0.7"), 'Did you mean "lure"?'),
        (gated("n_eff - baseline.n_eff >= 0"), "Give --baseline DIR."),
        (["--gates", "none.toml"], "No such file"),
        (["--baseline", "none"], "none, which does not exist"),
        (["--baseline", "audit"], "another folder than the one that is written"),
    ],
)
def test_bad_input_is_told_before_any_work(audit, arguments, told):
    status, _, complaint = audit(*arguments)
    assert (status, complaint.count("\n")) == (2, 1)
    assert told in complaint
    assert not Path("audit").exists()


def test_the_example_file_of_gates(audit):
    status, out, _ = audit(
        "--gates", GATES, "--junit", "out/gates.xml", "--markdown", "out/summary.md", "--json"
    )
    found = json.loads(out)["gates"]
    suite = ElementTree.parse("out/gates.xml").getroot()[0]
    assert status == {"PASS": 0, "FAIL": 1, "INCONCLUSIVE": 3}[found["verdict"]]
    verdicts = [one["verdict"] for one in found["gates"]]
    assert len(set(verdicts)) == 3  # the example shows one of each kind
    assert int(suite.get("tests")) == len(verdicts)
    assert (int(suite.get("failures")), int(suite.get("errors"))) == (
        verdicts.count("FAIL"),
        verdicts.count("INCONCLUSIVE"),
    )
    text = Path("out/summary.md").read_text(encoding="utf-8")
    assert [text.count(f"{verdict} | ") for verdict in ("PASS", "FAIL", "INCONCLUSIVE")] == [
        verdicts.count(verdict) for verdict in ("PASS", "FAIL", "INCONCLUSIVE")
    ]
    assert "\n### What to do\n" in text
    assert all(one["value"] is not None or one["why"] for one in found["gates"])


def test_two_runs_on_one_file_give_one_verdict(audit):
    texts = gated("error_after_voting <= 0.5", "surviving_share <= .9", "accuracy >= 10 %")
    first, second = (
        json.loads(audit(*texts, "--json", "-o", folder)[1])["gates"] for folder in ("one", "two")
    )
    assert first == second


def test_a_baseline_says_what_changed(audit, changed, before):
    status, out, _ = audit(
        *gated(f"accuracy({LARGE}) - baseline.accuracy({LARGE}) >= -1 %", f"accuracy({LARGE}) >= 60 %"),
        *("--baseline", before, "-o", "now", "--json", "--markdown", "m.md"),
        replies=changed,
    )
    found = json.loads(out)
    changes = found["changes"]
    assert changes["questions"] == {"common": 57, "added": 1, "lost": 3, "altered": 0}
    assert changes["systems"] == {"came": [], "went": [SMALL]}
    by_name = {one["number"]: one for one in changes["changes"]}
    accuracy = by_name[f"accuracy({LARGE})"]
    assert accuracy["change_value"] == pytest.approx(accuracy["now"] - accuracy["before"])
    assert (accuracy["turn"], accuracy["paired"], accuracy["n"]) == ("better", True, 57)
    assert len(changes["healed_traps"]) > 0
    assert found["gates"]["gates"][0]["verdict"] == "PASS"
    assert found["gates"]["gates"][0]["value"] == pytest.approx(accuracy["change_value"])
    # judged again on the baseline's own numbers: 34 % is below the bar
    assert [one["before"] for one in found["gates"]["gates"]] == [None, "FAIL"]
    text = Path("m.md").read_text(encoding="utf-8")
    assert "### What changed since the baseline" in text
    assert "Was FAIL." in text
    html = Path("now/report.html").read_text(encoding="utf-8")
    assert "Since the baseline, accuracy of gemma-3-270m got better" in html
    assert "Traps that are gone" in html
    assert status == {"PASS": 0, "FAIL": 1, "INCONCLUSIVE": 3}[found["gates"]["verdict"]]


def test_an_audit_compared_with_itself_has_not_changed(audit, before):
    _, out, _ = audit("--baseline", before, "-o", "now", "--json")
    changes = json.loads(out)["changes"]
    assert {one["change_value"] for one in changes["changes"] if one["change_value"] is not None} == {0.0}
    assert {one["turn"] for one in changes["changes"]} == {"unchanged"}
    assert (changes["new_traps"], changes["healed_traps"]) == ([], [])
    assert changes["sentences"][0].endswith("numbers are unchanged.")


def test_other_questions_are_no_baseline(audit, tmp_path, before):
    other = tmp_path / "other.csv"
    other.write_text("question,model,answer,key\n1+1?,a,2,2\n2+2?,a,4,4\n", encoding="utf-8")
    status, _, complaint = audit("--baseline", before, "-o", "now", replies=other)
    assert (status, "must hold questions of this audit; got 2 and 60 with none alike" in complaint) == (
        2,
        True,
    )
    assert not Path("now").exists()
