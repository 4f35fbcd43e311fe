"""What does one net of the laboratory leave: trained, run far beyond its training, and led other ways?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from limitset.core.lab import NET_KINDS, UNTRAINED
from limitset.core.other_ways import SWAPPED_SOLVER, SWAPPED_START
from limitset.core.streams import Streams
from limitset.core.traces import ARMS, DAMPED, OWN
from limitset.core.undefined import UNDEFINED
from limitset.datasets.recurrent.looped_block import RandomBlock
from limitset.datasets.recurrent.looped_net import LoopedNet, net_for
from limitset.datasets.recurrent.tasks import NOT_ASKED, TASKS, Problems
from limitset.datasets.recurrent.training import ITERATIONS, train
from limitset.instruments.dynamics.certify import certify
from limitset.maps.latent.tensor_map import TensorMap
from limitset.maps.user_loop import UserLoop
from limitset.numerics.enclosing.regions import Ball
from limitset.report.trace_findings import TraceFindings, trace_findings
from limitset.report.trace_tables import stacked_lists
from limitset.store.tables import TablePart
from limitset.studies.trace_rows import TraceOptions, traced

LAB_VERSION: Final = 1
SPECTRA: Final = 16
"""Ends of a net whose eigenvalues are looked at."""
_BLOCK_ARMS: Final = (OWN, SWAPPED_START, SWAPPED_SOLVER)
"""Untrained blocks are not led by half steps: two other ways are enough, and there are many blocks."""
CERTIFIED: Final = 64
"""Draws from the ball on which self-map and contraction are tried."""
_OUTER: Final = ("post", "sandwich")
"""Norms that bound the state, whatever the weights."""


def net_tables(chunk: Mapping[str, Any]) -> dict[str, TablePart]:
    """Make one net, trace it at every size, and return its rows of the nets table."""
    torch.set_num_threads(1)  # equal sums whatever the machine: threads add in another order
    rows = _block_rows(chunk) if chunk["task"] == UNTRAINED else _net_rows(chunk)
    return {"nets": TablePart.of_rows(rows, NET_KINDS)}


def _net_rows(chunk: Mapping[str, Any]) -> list[dict[str, Any]]:
    task = TASKS[chunk["task"]]
    streams = Streams(int(chunk["seed"])).child("laboratory", chunk["task"], chunk["net_seed"])
    seed = int(chunk["net_seed"]) + 1000 * int(chunk["seed"])
    losses: list[float] = []
    net = net_for(task, norm=chunk["norm"], injection=chunk["injection"], seed=seed)
    train(net, task, steps=int(chunk["train_steps"]), seed=seed, on_step=lambda _, loss: losses.append(loss))
    net.eval()
    name = f"{chunk['task']} {chunk['norm']} {chunk['injection']} {chunk['net_seed']}"
    rows = []
    drawn = task.draw(task.trained, 2, streams.child("certificate").generator())
    certificate = _certificate(_loop_of(net, drawn, name).map, net.start(drawn.inputs), chunk, streams)
    for size in (task.trained, *task.beyond):
        problems = task.draw(size, int(chunk["problems"]), streams.child("problems", size).generator())
        loop = _loop_of(net, problems, name)
        found = _traced(loop, chunk, usual=ITERATIONS, streams=streams.child("trace", size))
        common = {"size": float(size), "trained_size": float(task.trained), "gain": UNDEFINED}
        loss = float(np.median(losses[-20:]))
        rows.append({**_record(found, chunk, name, certificate), **common, "loss": loss})
    return rows


def _block_rows(chunk: Mapping[str, Any]) -> list[dict[str, Any]]:
    block = RandomBlock(
        chunk["norm"], chunk["injection"], gain=float(chunk["gain"]), seed=int(chunk["net_seed"])
    )
    streams = Streams(int(chunk["seed"])).child("laboratory", UNTRAINED, chunk["net_seed"])
    count = int(chunk["problems"])
    inputs = block.start(count, streams.child("inputs").generator())
    starts = block.start(count, streams.child("starts").generator())
    name = f"{UNTRAINED} {chunk['norm']} {chunk['injection']} {chunk['gain']} {chunk['net_seed']}"
    loop = UserLoop(
        name=name,
        map=TensorMap(step=lambda states, rows: block.step(states, inputs[rows])),
        # where the input enters only once it is the start
        starts=inputs if chunk["injection"] == "start" else starts,
        items=tuple(str(row) for row in range(count)),
        readout=None,
        key=None,
        usual_steps=0,
        identity=name,
    )
    found = _traced(loop, chunk, usual=0, streams=streams.child("trace"), arms=_BLOCK_ARMS, spectra=8)
    common = {"size": 1.0, "trained_size": 1.0, "gain": float(chunk["gain"]), "loss": UNDEFINED}
    certificate = _certificate(loop.map, loop.starts, chunk, streams)
    return [{**_record(found, chunk, name, certificate), **common}]


def _loop_of(net: LoopedNet, problems: Problems, name: str) -> UserLoop:
    inputs, targets = problems.inputs, problems.targets

    def readout(states: Tensor, rows: Tensor) -> Tensor:
        # places that are not asked have no key: they are the same in answer and key
        return torch.where(targets[rows] == NOT_ASKED, targets[rows], net.answered(states))

    with torch.no_grad():
        starts = net.start(inputs)
    return UserLoop(
        name=name,
        map=TensorMap(step=lambda states, rows: net.step(states, inputs[rows])),
        starts=starts,
        items=tuple(f"{problems.size} #{row}" for row in range(len(problems))),
        readout=readout,
        key=targets.numpy(),
        usual_steps=ITERATIONS,
        identity=name,
    )


def _traced(
    loop: UserLoop,
    chunk: Mapping[str, Any],
    *,
    usual: int,
    streams: Streams,
    arms: tuple[str, ...] = ARMS,
    spectra: int = SPECTRA,
) -> TraceFindings:
    far = int(chunk["far"])
    tolerance = float(chunk["tolerance"])
    options = TraceOptions(
        steps=far, tolerance=tolerance, spectra=spectra, exponents=spectra, drawn=0, arms=arms
    )
    parts = traced(loop, range(len(loop)), options=options, rng=streams)
    about = {
        "name": loop.name,
        "steps": far,
        "usual_steps": usual,
        "anchored": loop.key is not None,
        "inputs": len(loop),
    }
    return trace_findings(parts["traces"].columns, loop=about, tolerance=tolerance, seed=0)


def _record(
    found: TraceFindings, chunk: Mapping[str, Any], name: str, certificate: str | None
) -> dict[str, Any]:
    own = found.own
    start = found.ways.get(SWAPPED_START)
    usual, far = found.usual_steps, found.steps
    rights = stacked_lists(own.columns["rights"], far + 1) if found.anchored else None
    arrivals = np.where(own.settled, own.numbers("arrival"), np.inf)
    kinds, counts = np.unique(own.columns["kind"].astype(str), return_counts=True)
    exponents, radii = own.numbers("exponent"), own.numbers("radius")
    return {
        "system": name,
        "task": chunk["task"],
        "norm": chunk["norm"],
        "injection": chunk["injection"],
        "seed": float(chunk["net_seed"]),
        "usual": float(usual),
        "far": float(far),
        "inputs": float(found.inputs),
        "settled": found.settled.value,
        "settled_wrong": UNDEFINED
        if rights is None
        else float((own.settled & (own.numbers("right") == 0)).mean()),
        "arrival": found.by_step,
        "drift": float((own.columns["note"] == "drift").mean()),
        "right_usual": UNDEFINED if rights is None else float(rights[:, usual].mean()),
        "right_far": UNDEFINED if rights is None else float(rights[:, far].mean()),
        "same_start": UNDEFINED if start is None else start.same.value,
        "same_damped": _same(found, DAMPED),
        "same_solver": _same(found, SWAPPED_SOLVER),
        "right_start": UNDEFINED if start is None else start.right_after.value,
        "alignment": UNDEFINED if start is None else start.alignment.value,
        "residual": UNDEFINED if start is None else start.residual.value,
        "growth": _median(own.numbers("growth")),
        "across_inputs": _mean(own.numbers("across")),
        "radius": _median(radii),
        "stable": found.stable.value,
        "exponent": _median(exponents),
        "origin": None if found.origin is None else str(found.origin.verdict),
        "kinds": ", ".join(f"{kind} {count}" for kind, count in zip(kinds, counts, strict=True)),
        "certificate": certificate,
        "rights": None if rights is None else [float(share) for share in rights.mean(axis=0)],
        "settled_by": [float((arrivals <= step).mean()) for step in range(far + 1)],
    }


def _certificate(map: TensorMap, starts: Tensor, chunk: Mapping[str, Any], streams: Streams) -> str:
    """Say which hypotheses hold on the ball of states whose root mean square is 1 at most."""
    shape, numbers = tuple(starts.shape[1:]), starts[0].numel()
    outer = chunk["norm"] in _OUTER
    radius = math.sqrt(numbers)  # a root mean square of 1 at every position
    doubled = TensorMap(
        step=lambda states, rows: map.step(states.to(starts), rows=rows.tolist(), rng=streams).double()
    )
    found = certify(
        doubled,
        region=Ball(centre=np.zeros(numbers), radius=radius),
        image_radius=radius if outer else math.inf,
        shape=shape,
        samples=CERTIFIED,
        rng=streams.child("certify").generator(),
    )
    told = {name: found.hypotheses.get(name) for name in ("self_map", "contraction")}
    return ", ".join(f"{name.replace('_', '-')} {one}" for name, one in told.items() if one is not None)


def _same(found: TraceFindings, arm: str) -> float:
    return found.ways[arm].same.value if arm in found.ways else UNDEFINED


def _median(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else UNDEFINED


def _mean(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else UNDEFINED
