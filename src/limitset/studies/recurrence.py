"""How do normalization and input injection decide whether a loop settles, and whether it is right there?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from limitset.core.errors import InputError
from limitset.core.lab import UNTRAINED
from limitset.core.progress import Progress
from limitset.core.provenance import machine, package_versions
from limitset.core.tasks import Task
from limitset.engine.running import run_tasks
from limitset.store.study_folder import StudyFolder
from limitset.store.tables import TablePart
from limitset.studies.recurrence_nets import LAB_VERSION, net_tables
from limitset.studies.reporting import Finished, rebuild
from limitset.studies.spec import Bench, Recurrence, to_toml

CORE: Final = {"norms": ("none", "post"), "injections": ("start", "additive")}
"""The 2 x 2 cells of the question: does the input come back at every step, is the state normalised?"""


def spec_of(*, quick: bool = False, untrained: bool = False, seed: int = 0) -> Recurrence:
    """Return the laboratory that the command line asks for."""
    blocks = Bench(task="untrained", problems=8, far=400)
    if untrained:
        benches: tuple[Bench, ...] = (blocks,)
    elif quick:
        benches = (Bench(task="prefix sums", problems=128, **CORE),)
    else:
        # at 800 steps parity is learned by some seeds only
        parity, sudoku = Bench(task="parity", train_steps=1600, **CORE), Bench(task="sudoku", **CORE)
        benches = (Bench(task="prefix sums"), parity, sudoku, blocks)
    return Recurrence(kind="recurrence", benches=benches, seed=seed)


def folder_name(*, quick: bool = False, untrained: bool = False) -> str:
    """Return where a laboratory is kept when nobody says."""
    return "laboratory-untrained" if untrained else "laboratory-quick" if quick else "laboratory"


def run_recurrence(
    spec: Recurrence,
    out: Path,
    *,
    date: str,
    command: str = "",
    workers: int = 1,
    on_progress: Callable[[Progress], None] | None = None,
) -> Finished:
    """Train and trace every net of the laboratory, or go on with it, and write its page.

    Parameters
    ----------
    spec
        Which cells, on which tasks, with how many seeds.
    out
        Study folder: new, or the folder of the same study.
    date
        Date of the run, for the reader.
    command
        What was typed, for the methods section of the page.
    workers
        Processes, 0 for one a core; a net is one task.
    on_progress
        Called at the start and after every net.

    Returns
    -------
    Finished
        The page, its path and the numbers.

    Raises
    ------
    InputError
        When the folder holds another study, or a net failed.
    """
    folder = StudyFolder.create_or_open(
        out,
        toml_text=to_toml(spec),
        lock={
            "spec": spec.model_dump(mode="json"),
            "packages": package_versions(),
            "machine": machine(),
            "created": date,
            "command": command,
        },
        tasks=planned(spec),
    )
    with folder:
        backend = "here" if workers == 1 else "loky"
        summary = run_tasks(
            folder,
            done_by,
            workers=workers,
            backend=backend,  # type: ignore[arg-type]
            on_progress=on_progress,
        )
    if summary.failed:
        raise InputError.of(
            expected=f"every net of {out} must be trained and traced",
            got=f"one that failed: {summary.failed[0].error.splitlines()[-1]}",
            fix="Mend that; the same command tries again.",
        )
    return rebuild(out)


def planned(spec: Recurrence) -> list[Task]:
    """Cut a laboratory into tasks, one a net: cells first, then seeds, so that early rows show all cells."""
    return [
        Task(
            kind="block" if bench.task == UNTRAINED else "net",
            chunk={
                "task": bench.task,
                "norm": norm,
                "injection": injection,
                "gain": gain,
                "net_seed": seed,
                "train_steps": bench.train_steps,
                "problems": bench.problems,
                "far": bench.far,
                "tolerance": spec.tolerance,
                "seed": spec.seed,
            },
            identity="",
            versions={"laboratory": LAB_VERSION},
        )
        for bench in spec.benches
        for seed in range(bench.seeds)
        for norm in bench.norms
        for injection in bench.injections
        for gain in (bench.gains if bench.task == UNTRAINED else (1.0,))
    ]


def done_by(task: Task) -> Mapping[str, TablePart]:
    """Train and trace the net of one task."""
    return net_tables(task.chunk)
