"""Does a loop settle in one place of its own for each input, does it stay bounded, and is it right there?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from limitset.core.columns import Kind, plain
from limitset.core.errors import InputError
from limitset.core.limit_sets import LimitKind
from limitset.core.other_ways import SWAPPED_START
from limitset.core.streams import Streams
from limitset.core.tasks import Task
from limitset.core.traces import OWN
from limitset.core.undefined import UNDEFINED
from limitset.datasets.recurrent.looped_block import RandomBlock
from limitset.engine.running import run_tasks
from limitset.maps.latent.tensor_map import TensorMap
from limitset.maps.user_loop import UserLoop
from limitset.report.trace_findings import TraceFindings, trace_findings
from limitset.report.trace_tables import stacked_lists
from limitset.store.study_folder import StudyFolder
from limitset.store.tables import TablePart
from limitset.studies.recurrence_nets import LAB_VERSION, net_tables
from limitset.studies.trace_rows import TRACE_VERSION, TraceOptions, traced

CELLS_VERSION: Final = 1
BLOCK: Final = "block"
NET: Final = "net"
NEAR: Final = 0.01
"""Ends of two inputs that differ by less, in angle and in length, are one end: the loop has forgotten which
input it had. Two ways that lead as near to each other count as leading to the same place."""
BOUNDED: Final = 2.0
"""A state is bounded when its norm far out is less than this many times that after the usual steps."""

CELL_KINDS: Final[Mapping[str, Kind]] = {
    "made": Kind.TEXT,
    "norm": Kind.TEXT,
    "injection": Kind.TEXT,
    "gain": Kind.NUMBER,
    "seed": Kind.NUMBER,
    "size": Kind.NUMBER,
    "inputs": Kind.NUMBER,
    "settled": Kind.NUMBER,
    "own_place": Kind.NUMBER,
    "bounded": Kind.NUMBER,
    "growth": Kind.NUMBER,
    "settled_wrong": Kind.NUMBER,
    "right_far": Kind.NUMBER,
    "residuals": Kind.NUMBERS,
}
"""One row a loop and size of problem; shares are of inputs. `own_place`: settled from its own start and from
the end of another input in one place, where that other input does not end; `growth`: median norm far out
over that after the usual steps; `residuals`: geometric mean of the relative step, step by step."""


def block_task(*, norm: str, injection: str, gain: float, seed: int, inputs: int, far: int) -> Task:
    """Return the task of one untrained block."""
    chunk = {"norm": norm, "injection": injection, "gain": gain, "seed": seed, "inputs": inputs, "far": far}
    return Task(
        kind=BLOCK, chunk=chunk, identity="", versions={"cells": CELLS_VERSION, "trace": TRACE_VERSION}
    )


def net_task(
    *, task: str, norm: str, injection: str, net_seed: int, seed: int, problems: int, far: int
) -> Task:
    """Return the task of one net that is trained and traced."""
    chunk = {
        "task": task,
        "norm": norm,
        "injection": injection,
        "gain": 1.0,
        "net_seed": net_seed,
        "train_steps": 800,
        "problems": problems,
        "far": far,
        "tolerance": 1e-3,
        "seed": seed,
    }
    return Task(
        kind=NET, chunk=chunk, identity="", versions={"cells": CELLS_VERSION, "laboratory": LAB_VERSION}
    )


def cells_of(tasks: Sequence[Task], folder: Path) -> dict[str, np.ndarray]:
    """Do the tasks that a folder does not hold yet, and return the rows of all, in their order.

    Parameters
    ----------
    tasks
        From `block_task` and `net_task`.
    folder
        New, or the folder of the same tasks; what was finished there is kept.

    Returns
    -------
    dict
        Columns `CELL_KINDS`.

    Raises
    ------
    InputError
        When a loop failed, or the folder holds something else.
    """
    lock = {"spec": {"kind": "cells", "tasks": len(tasks)}}
    study = StudyFolder.create_or_open(folder, toml_text='kind = "cells"\n', lock=lock, tasks=list(tasks))
    with study:
        done = run_tasks(study, row_of, backend="here")
        if done.failed:
            raise InputError.of(
                expected="every loop must be traced",
                got=f"one that failed: {done.failed[0].error.splitlines()[-1]}",
                fix="Mend that; the same run goes on from here.",
            )
        columns = study.table("cells", CELL_KINDS)
    return {name: plain(column) for name, column in columns.items()}


def row_of(task: Task) -> Mapping[str, TablePart]:
    """Make one loop, trace it, and return its row."""
    torch.set_num_threads(1)
    rows = _net_rows(task.chunk) if task.kind == NET else [_block_row(task.chunk)]
    return {"cells": TablePart.of_rows(rows, CELL_KINDS)}


def found_in(
    loop: UserLoop, *, far: int, usual: int, seed: int, most: int = 256, tolerance: float = 1e-3
) -> TraceFindings:
    """Trace a loop from its own starts and from the ends of other inputs.

    Parameters
    ----------
    loop
        The looped model.
    far
        Steps to run.
    usual
        Steps from which growth is counted.
    seed
        Pairs the inputs.
    most
        Only so many of its inputs.
    tolerance
        Distance relative to the norm that counts as none.
    """
    rows = range(min(len(loop), most))
    options = TraceOptions(
        steps=far, tolerance=tolerance, spectra=0, exponents=0, drawn=0, arms=(OWN, SWAPPED_START)
    )
    # growth is counted from the usual steps of the loop that is traced
    parts = traced(replace(loop, usual_steps=usual), rows, options=options, rng=Streams(seed).child("cells"))
    about = {
        "name": loop.name,
        "steps": far,
        "usual_steps": usual,
        "anchored": loop.key is not None,
        "inputs": len(rows),
    }
    return trace_findings(parts["traces"].columns, loop=about, tolerance=tolerance, seed=0)


def own_place(found: TraceFindings) -> Bool[np.ndarray, " n"]:
    """Say which inputs have one place of their own.

    The input settles there from its own start and from the end of another input, and that other input ends
    elsewhere: a loop that ends in one place whatever it is asked has forgotten, not settled the question.
    Ends are told apart by their angle, and by their length against the median of all.

    Raises
    ------
    InputError
        When the loop was not led from swapped starts.
    """
    if SWAPPED_START not in found.ways:
        raise InputError.of(
            expected=f"{found.name} must be told its inputs, so that starts can be swapped",
            got="a step that takes states alone, or one input",
            fix="Write step(states, rows).",
        )
    across, norms = found.own.numbers("across"), found.own.numbers("norm")
    known = norms[np.isfinite(norms)]
    usual = float(np.median(known)) if known.size else UNDEFINED
    forgotten = (across >= 1 - NEAR**2 / 2) & (np.abs(norms - usual) <= NEAR * usual)
    return np.asarray(found.ways[SWAPPED_START].same_rows & ~forgotten)


def bounded(found: TraceFindings) -> Bool[np.ndarray, " n"]:
    """Say which inputs keep their state bounded, settled or not."""
    lost = found.own.columns["kind"] == LimitKind.DIVERGED
    return np.asarray(~lost & (found.own.numbers("growth") < BOUNDED))


def _block_row(chunk: Mapping[str, Any]) -> dict[str, Any]:
    block = RandomBlock(chunk["norm"], chunk["injection"], gain=float(chunk["gain"]), seed=int(chunk["seed"]))
    streams = Streams(int(chunk["seed"])).child("cells")
    count, far = int(chunk["inputs"]), int(chunk["far"])
    inputs = block.start(count, streams.child("inputs").generator())
    starts = block.start(count, streams.child("starts").generator())
    # where the input enters only once it is the start
    found = found_in(
        held_loop(block.step, inputs, inputs if chunk["injection"] == "start" else starts),
        far=far,
        usual=far // 10,
        seed=int(chunk["seed"]),
    )
    growth = found.own.numbers("growth")
    return {
        **{name: chunk[name] for name in ("norm", "injection", "gain", "seed", "inputs")},
        "made": BLOCK,
        "size": 1.0,
        "settled": float(found.own.settled.mean()),
        "own_place": float(own_place(found).mean()),
        "bounded": float(bounded(found).mean()),
        "growth": float(np.median(growth[np.isfinite(growth)])) if np.isfinite(growth).any() else UNDEFINED,
        "residuals": _mean_residuals(found, far),
    }


def held_loop(step: Any, inputs: Tensor, starts: Tensor, *, readout: Any = None, key: Any = None) -> UserLoop:
    """Return the loop of ``step(states, inputs)`` whose inputs are held.

    Parameters
    ----------
    step
        One step on states and their inputs.
    inputs, starts : (n, ...)
        Inputs and first states.
    readout, key
        As in `UserLoop`.
    """
    return UserLoop(
        name="loop",
        map=TensorMap(step=lambda states, rows: step(states, inputs[rows])),
        starts=starts,
        items=tuple(str(row) for row in range(len(inputs))),
        readout=readout,
        key=key,
        usual_steps=0,
        identity="",
    )


def _mean_residuals(found: TraceFindings, far: int) -> list[float]:
    residuals = stacked_lists(found.own.columns["residuals"], far)
    residuals = np.where(np.isfinite(residuals) & (residuals > 0), residuals, np.nan)
    known = ~np.isnan(residuals).all(axis=0)
    means = np.full(far, UNDEFINED)
    means[known] = np.exp(np.nanmean(np.log(residuals[:, known]), axis=0))
    return [float(f"{one:.4g}") for one in means]


def _net_rows(chunk: Mapping[str, Any]) -> list[dict[str, Any]]:
    columns = {name: plain(column) for name, column in net_tables(chunk)["nets"].columns.items()}
    rows = []
    for row, size in enumerate(columns["size"]):
        place = columns["same_start"][row] if not columns["across_inputs"][row] >= 1 - NEAR else 0.0
        rows.append(
            {
                "made": NET,
                **{name: chunk[name] for name in ("norm", "injection", "gain")},
                "seed": chunk["net_seed"],
                "size": size,
                "inputs": columns["inputs"][row],
                "own_place": place,
                **{name: columns[name][row] for name in ("settled", "growth", "settled_wrong", "right_far")},
            }
        )
    return rows


def per_seed(cells: Mapping[str, np.ndarray], share: str, **wanted: str | float) -> Float[np.ndarray, " s"]:
    """Return a share of each seed, mean over the cells that fit, in the order of the seeds.

    Examples
    --------
    >>> cells = {"seed": np.array([0, 0, 1]), "gain": np.array([1, 2, 1]), "settled": np.array([0.5, 1, 0])}
    >>> per_seed(cells, "settled").tolist(), per_seed(cells, "settled", gain=1).tolist()
    ([0.75, 0.0], [0.5, 0.0])
    """
    fits = np.ones(len(cells["seed"]), dtype=bool)
    for name, value in wanted.items():
        fits &= cells[name] == value
    seeds = np.unique(cells["seed"][fits])
    return np.array([cells[share][fits & (cells["seed"] == seed)].mean() for seed in seeds], dtype=np.float64)
