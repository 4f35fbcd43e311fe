"""Do the published sentences of the laboratory follow from the rows that are shipped?"""

import json
import runpy
from pathlib import Path

import pytest

from limitset.charts.shown import percent
from limitset.core import parquet
from limitset.core.lab import NET_KINDS
from limitset.report.lab_findings import lab_findings
from limitset.report.lab_page import SHORT_INPUTS
from limitset.report.lab_sentences import NORM_WORDS

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "runs" / "laboratory"


@pytest.fixture(scope="module")
def shipping():
    return runpy.run_path(str(SHIPPED / "ship.py"))


@pytest.fixture(scope="module")
def found():
    return lab_findings(parquet.read(SHIPPED / "nets.parquet", NET_KINDS))


@pytest.fixture(scope="module")
def told():
    return json.loads((SHIPPED / "findings.json").read_text(encoding="utf-8"))


def test_sentences_and_numbers_follow_from_the_rows(shipping, told):
    page = shipping["shipped_page"]()
    assert list(page.headline) == told["headline"]
    assert list(page.decisions) == told["decisions"]
    found = shipping["numbers_of"](page)
    assert len(found) == len(told["numbers"])
    names = told["columns"]
    for one, other in zip(found, told["numbers"], strict=True):
        mine, theirs = dict(zip(names, one, strict=True)), dict(zip(names, other, strict=True))
        for name in ("value", "low", "high"):
            assert mine.pop(name) == pytest.approx(theirs.pop(name), abs=2e-6, nan_ok=True)
        assert mine == theirs


def test_a_changed_row_changes_what_is_told(shipping, told):
    from dataclasses import replace

    page = shipping["shipped_page"]()
    record = {**page.numbers[0], "value": 0.123}
    text = shipping["findings_text"](replace(page, numbers=(record, *page.numbers[1:])))
    moved = json.loads(text)
    assert moved["numbers"][0] != told["numbers"][0]
    assert moved["numbers"][1:] == told["numbers"][1:]


def test_the_headline_can_be_read_at_once(told):
    assert len(told["headline"]) <= 4
    assert all(len(sentence) < 340 for sentence in told["headline"])


def test_the_readmes_say_what_was_found(told):
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert told["headline"][0] in readme
    assert "docs/figures/phase.png" in readme


def test_the_tables_beside_the_rows_follow_from_them(found):
    lines = (SHIPPED / "README.md").read_text(encoding="utf-8").splitlines()
    for task in ("parity", "sudoku"):
        for cell in found.hardest(task):
            name = f"| {NORM_WORDS[cell.norm]} | {SHORT_INPUTS[cell.injection]} |"
            row = f"{name} {percent(cell.shares['settled'])} | {percent(cell.shares['right_far'])} |"
            assert row in lines


def test_what_is_said_in_words_beside_the_rows(found):
    # parity: one seed without a norm is right as trained, and not after 100 steps
    nets = found.nets
    parity = (nets["task"] == "parity") & (nets["size"] == 12)
    for injection, left in (("start", 0.59), ("additive", 0.62)):
        rows = parity & (nets["norm"] == "none") & (nets["injection"] == injection)
        learned = nets["right_usual"][rows] > 0.75
        assert learned.sum() == 1
        assert nets["right_far"][rows][learned][0] == pytest.approx(left, abs=0.005)
    rows = parity & (nets["norm"] == "post")
    assert (nets["right_usual"][rows & (nets["injection"] == "additive")] == 1).all()
    assert (nets["right_usual"][rows & (nets["injection"] == "start")] < 0.5).all()
    # sudoku: recall is not what decides, the norm decides whether a loop settles
    verdicts = {(cell.norm, cell.injection): cell.verdict for cell in found.hardest("sudoku")}
    assert all("right" in verdict and "nor" not in verdict for verdict in verdicts.values())
    settled = {cell for cell, verdict in verdicts.items() if verdict == "settles and is right"}
    assert settled == {("post", "start"), ("post", "additive")}
    assert len(nets["task"]) == 360


def test_the_command_names_no_folder_of_whoever_ran_it():
    lock = json.loads((SHIPPED / "study.lock.json").read_text(encoding="utf-8"))
    assert lock["command"] == "limitset trace recurrence"


def test_every_cell_of_the_full_table_is_there(found):
    assert len(found.hardest("prefix sums")) == 16
    assert {task: len(found.hardest(task)) for task in ("parity", "sudoku")} == {"parity": 4, "sudoku": 4}
    assert all(cell.seeds == 3 for cell in found.cells)
