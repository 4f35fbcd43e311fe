"""Do the published sentences of the laboratory follow from the rows that are shipped?"""

import json
import runpy
from pathlib import Path

import pytest

from limitset.cli.output import plain
from limitset.report.lab_findings import lab_findings

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "runs" / "laboratory"


@pytest.fixture(scope="module")
def page():
    return runpy.run_path(str(SHIPPED / "ship.py"))["shipped_page"]()


@pytest.fixture(scope="module")
def told():
    return json.loads((SHIPPED / "findings.json").read_text(encoding="utf-8"))


def test_sentences_and_numbers_follow_from_the_rows(page, told):
    assert list(page.headline) == told["headline"]
    assert list(page.decisions) == told["decisions"]
    found = json.loads(json.dumps(plain(list(page.numbers))))
    assert len(found) == len(told["numbers"])
    for one, other in zip(found, told["numbers"], strict=True):
        for name in ("value", "low", "high"):
            assert one[name] == pytest.approx(other[name], abs=1e-9)


def test_the_readme_says_what_was_found(told):
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert told["headline"][0] in readme


def test_every_cell_of_the_full_table_is_there():
    from limitset.core import parquet
    from limitset.core.lab import NET_KINDS

    found = lab_findings(parquet.read(SHIPPED / "nets.parquet", NET_KINDS))
    assert len(found.hardest("prefix sums")) == 16
    assert {task: len(found.hardest(task)) for task in ("parity", "sudoku")} == {"parity": 4, "sudoku": 4}
    assert all(cell.seeds == 3 for cell in found.cells)
