"""Does the laboratory train, trace and judge, and does a small one end in a page?"""

import json

import numpy as np
import pytest

from limitset.cli import main
from limitset.core.errors import InputError
from limitset.core.exits import ExitStatus
from limitset.core.lab import NET_KINDS
from limitset.report.lab_findings import CellVerdict, lab_findings
from limitset.report.lab_page import lab_page
from limitset.store.study_folder import StudyFolder
from limitset.studies import recurrence
from limitset.studies.recurrence_nets import net_tables

SMALL = """
kind = "recurrence"

[[benches]]
task = "untrained"
norms = ["post"]
injections = ["additive", "start"]
seeds = 2
gains = [0.5]
problems = 8
far = 120

[[benches]]
task = "prefix sums"
norms = ["post"]
injections = ["additive"]
seeds = 2
train_steps = 2
problems = 8
far = 20
"""


def net(norm, injection, seed, *, settled, right, task="prefix sums", size=48.0, usual_right=1.0, **more):
    """One row of the nets table."""
    row = dict.fromkeys(NET_KINDS, np.nan)
    row |= {"system": f"{norm} {injection} {seed}", "task": task, "norm": norm, "injection": injection}
    row |= {
        "seed": float(seed),
        "size": size,
        "trained_size": 12.0,
        "usual": 15.0,
        "far": 100.0,
        "inputs": 100.0,
    }
    row |= {"settled": settled, "right_far": right, "right_usual": usual_right, "same_start": right}
    row |= {"origin": "iterates", "kinds": "fixed 100", "certificate": "self-map proved"}
    row |= {"rights": tuple(np.linspace(0, right, 101)), "settled_by": tuple(np.linspace(0, settled, 101))}
    return row | more


def findings(rows):
    return lab_findings({name: np.array([row[name] for row in rows], dtype=object if name in ("rights", "settled_by", "task", "norm", "injection", "system", "origin", "kinds", "certificate") else float) for name in NET_KINDS})  # fmt: skip


CELLS = {
    ("post", "additive"): (0.98, 0.97, CellVerdict.SETTLED_RIGHT),
    ("post", "start"): (0.96, 0.05, CellVerdict.SETTLED_WRONG),
    ("none", "additive"): (0.03, 0.95, CellVerdict.UNSETTLED_RIGHT),
    ("none", "start"): (0.0, 0.02, CellVerdict.UNSETTLED_WRONG),
    ("pre", "start"): (0.5, 0.02, CellVerdict.CANT_TELL),
}


def rows_of_cells():
    return [
        net(norm, injection, seed, settled=settled, right=right, size=size)
        for size in (12.0, 48.0)
        for (norm, injection), (settled, right, _) in CELLS.items()
        for seed in range(3)
    ]


def test_every_verdict_comes_out():
    found = findings(rows_of_cells())
    got = {(cell.norm, cell.injection): cell.verdict for cell in found.hardest("prefix sums")}
    assert got == {cell: verdict for cell, (_, _, verdict) in CELLS.items()}
    assert all(cell.iterates == 3 for cell in found.cells)


def test_seeds_that_disagree_cannot_be_told():
    rows = [
        net("post", "additive", seed, settled=1.0, right=right) for seed, right in enumerate((1.0, 0.1, 0.6))
    ]
    assert findings(rows).cells[0].verdict is CellVerdict.CANT_TELL


def test_blocks_that_end_in_one_place_forget_their_input_where_it_is_not_held():
    rows = [
        net("post", injection, seed, settled=1.0, right=1.0, task="untrained", size=1.0, gain=0.5)
        for injection in ("additive", "start")
        for seed in range(3)
    ]
    found = {cell.injection: cell.verdict for cell in findings(rows).cells}
    assert found == {"additive": CellVerdict.UNIQUE, "start": CellVerdict.FORGETS}


def test_the_page_names_the_cells():
    page = lab_page(findings(rows_of_cells()), date="today", provenance={})
    assert "post-norm, input added" in page.headline[0]
    assert "settles on 96 %" in page.headline[1]
    assert "is right on 5" in page.headline[1]
    assert page.figures[0].name == "phase-prefix-sums"
    assert "trained steps" in " ".join(page.decisions)
    json.dumps([figure.chart.to_dict() for figure in page.figures])


def test_a_small_laboratory_ends_in_a_page_and_goes_on(tmp_path, capsys):
    file = tmp_path / "small.toml"
    file.write_text(SMALL, encoding="utf-8")
    command = ["trace", str(file), "--out", str(tmp_path / "lab"), "--workers", "1", "--json"]
    assert main.status_of(command) == ExitStatus.DONE
    first = json.loads(capsys.readouterr().out)
    assert (tmp_path / "lab" / "report.html").stat().st_size < 2_000_000
    shares = {
        (one["share"], one["task"], one["injection"], one["size"]): one["value"]
        for one in first["numbers"]
        if one["instrument"] == "laboratory"
    }
    # a weak random block with recall and an outer norm: one place for each input
    assert shares["settled", "untrained", "additive", 1.0] == 1.0
    assert shares["same_start", "untrained", "additive", 1.0] == 1.0
    assert main.status_of(command) == ExitStatus.DONE
    assert json.loads(capsys.readouterr().out) == first


def test_a_net_gives_the_same_rows_twice():
    chunk = {"task": "parity", "norm": "post", "injection": "gated", "gain": 1.0, "net_seed": 3}
    chunk |= {"train_steps": 2, "problems": 6, "far": 20, "tolerance": 1e-3, "seed": 1}
    one, other = (net_tables(chunk)["nets"].columns for _ in range(2))
    for name in ("settled", "right_far", "same_start", "same_solver", "loss"):
        assert np.array_equal(one[name], other[name], equal_nan=True)
    assert one["certificate"].decoded()[0].startswith("self-map proved")
    moved = net_tables({**chunk, "seed": 2})["nets"].columns
    assert not np.array_equal(moved["loss"], one["loss"])


def test_what_the_command_line_asks_for():
    assert {bench.task for bench in recurrence.spec_of().benches} == {
        "prefix sums",
        "parity",
        "sudoku",
        "untrained",
    }
    assert len(recurrence.planned(recurrence.spec_of(quick=True))) == 2 * 2 * 3
    assert len(recurrence.planned(recurrence.spec_of(untrained=True))) == 4 * 4 * 3 * 3
    prefix = [
        task for task in recurrence.planned(recurrence.spec_of()) if task.chunk["task"] == "prefix sums"
    ]
    assert len(prefix) == 4 * 4 * 3


def test_no_net_is_refused():
    with pytest.raises(InputError, match="one net at least"):
        lab_findings({"task": np.array([], dtype=object)})


@pytest.mark.slow
def test_the_quick_laboratory_finds_the_one_cell_that_settles_and_is_right(tmp_path):
    done = recurrence.run_recurrence(recurrence.spec_of(quick=True), tmp_path / "lab", date="today")
    with StudyFolder.open(done.folder) as folder:
        found = lab_findings(folder.table("nets", NET_KINDS))
    far = {(cell.norm, cell.injection): cell for cell in found.hardest("prefix sums")}
    trained = {(cell.norm, cell.injection): cell for cell in found.of("prefix sums", size=12)}
    assert far["post", "additive"].verdict is CellVerdict.SETTLED_RIGHT
    assert far["post", "additive"].iterates == 3
    for cell in (("none", "additive"), ("none", "start"), ("post", "start")):
        assert far[cell].shares["right_far"].value < 0.3
        # at the size and the step of the training they look as good
        assert trained[cell].shares["right_usual"].value > 0.9
    assert "post-norm, input added" in done.page.headline[0]
