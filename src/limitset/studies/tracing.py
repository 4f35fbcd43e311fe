"""Where does a looped model that somebody wrote end up, and is that place right?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from limitset.core.errors import InputError
from limitset.core.items import Items
from limitset.core.progress import Progress
from limitset.core.provenance import machine, package_versions
from limitset.core.streams import Streams
from limitset.core.tasks import Task
from limitset.engine.running import run_tasks
from limitset.maps.user_loop import UserLoop, load_loop, loop_of
from limitset.store.study_folder import StudyFolder
from limitset.store.tables import TablePart
from limitset.studies.reporting import Finished, rebuild
from limitset.studies.spec import Trace, to_toml, validated
from limitset.studies.trace_rows import TRACE_VERSION, TraceOptions, in_words, traced

BEYOND: Final = 8
"""So many times its usual steps a model is run: what it does far beyond them is half of the answer."""
LEAST_STEPS: Final = 100


def spec_of(loop: str, *, steps: int = 0, tolerance: float = 1e-3, seed: int = 0) -> Trace:
    """Return the study that the command line asks for."""
    values = {"kind": "trace", "loop": loop, "steps": steps, "tolerance": tolerance, "seed": seed}
    spec = validated(values, name="trace")
    if not isinstance(spec, Trace):
        raise InputError.of(expected="a study of kind trace", got=spec.kind, fix="Use limitset trace.")
    return spec


def run_trace(
    spec: Trace,
    out: Path,
    *,
    date: str,
    command: str = "",
    loop: UserLoop | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Finished:
    """Trace a looped model, or go on with it, and write its page.

    Parameters
    ----------
    spec
        What to trace and how far.
    out
        Study folder: new, or the folder of the same study.
    date
        Date of the run, for the reader.
    command
        What was typed, for the methods section of the page.
    loop
        The loop itself, where it is at hand; else `spec.loop` is loaded.
    on_progress
        Called at the start and after every task.

    Returns
    -------
    Finished
        The page, its path and the numbers.

    Raises
    ------
    InputError
        When the loop cannot be used, the folder holds another study, or a task failed.
    """
    loop = load_loop(spec.loop) if loop is None else loop
    steps = spec.steps or max(BEYOND * loop.usual_steps, LEAST_STEPS)
    if steps < loop.usual_steps:
        raise InputError.of(
            expected=f"--steps must reach the {loop.usual_steps} steps that {loop.name} usually runs",
            got=steps,
            fix="Run it further.",
        )
    work = TraceWork(loop=loop, spec=spec, steps=steps)
    folder = StudyFolder.create_or_open(
        out,
        toml_text=to_toml(spec),
        lock={**_lock(spec, loop, steps), "created": date, "command": command},
        tasks=work.tasks(),
    )
    with folder:
        folder.write_items(_items(loop))
        summary = run_tasks(folder, work, on_progress=on_progress)
    if summary.failed:
        told = summary.failed[0].error.splitlines()[-1]
        if "; got " in told:  # a sentence of our own needs no frame
            raise InputError(told)
        raise InputError.of(
            expected=f"every task of {out} must end well",
            got=f"one that failed: {told.removesuffix('.')}",
            fix="Mend that; the same command tries again.",
        )
    return rebuild(out)


def trace(
    loop: Any,
    *,
    out: Path | str = "trace",
    steps: int = 0,
    tolerance: float = 1e-3,
    seed: int = 0,
    date: str = "",
) -> Finished:
    """Trace a looped model: an object with start and step, or MODULE:OBJECT; see `run_trace`.

    Examples
    --------
    >>> trace("no-such-file.py:Loop")
    Traceback (most recent call last):
    limitset.core.errors.InputError: no-such-file.py must be a Python file; got none there. Check the path.
    """
    named = loop if isinstance(loop, str) else f"{type(loop).__module__}:{type(loop).__qualname__}"
    spec = spec_of(named, steps=steps, tolerance=tolerance, seed=seed)
    made = None if isinstance(loop, str) else loop_of(loop, name=type(loop).__name__)
    return run_trace(spec, Path(out), date=date, loop=made)


@dataclass(frozen=True, kw_only=True, eq=False)
class TraceWork:
    """Does the tasks of one trace."""

    loop: UserLoop
    spec: Trace
    steps: int

    def tasks(self) -> list[Task]:
        """Cut the inputs into chunks; a last single input joins the chunk before it, to have a partner."""
        count, size = len(self.loop), self.spec.chunk
        cuts = list(range(0, count, size))
        if len(cuts) > 1 and count - cuts[-1] == 1:
            cuts.pop()
        ends = [*cuts[1:], count]
        options = self.spec.model_dump(mode="json", exclude={"kind", "schema_version", "loop", "chunk"})
        return [
            Task(
                kind="trace",
                chunk={**options, "first": first, "last": last, "steps": self.steps},
                identity=self.loop.identity,
                versions={"trace": TRACE_VERSION},
            )
            for first, last in zip(cuts, ends, strict=True)
        ]

    def __call__(self, task: Task) -> Mapping[str, TablePart]:
        """Do one task and return its tables."""
        first, last = int(task.chunk["first"]), int(task.chunk["last"])
        options = TraceOptions(
            steps=self.steps,
            tolerance=self.spec.tolerance,
            spectra=self.spec.spectra,
            drawn=16 if first == 0 else 0,
        )
        rng = Streams(self.spec.seed).child("trace", first)
        return traced(self.loop, range(first, last), options=options, rng=rng)


def _items(loop: UserLoop) -> Items:
    keyed = loop.key is not None
    key = [in_words(one) for one in loop.key] if keyed else []  # type: ignore[union-attr]
    return Items.of(
        item=list(loop.items),
        text=[f"input {item}" for item in loop.items],
        **({"accepted": [[one] for one in key]} if keyed else {}),
    )


def _lock(spec: Trace, loop: UserLoop, steps: int) -> dict[str, Any]:
    shape = " x ".join(str(side) for side in loop.starts.shape[1:]) or "1"
    return {
        "spec": spec.model_dump(mode="json"),
        "models": {loop.name: loop.identity},
        "loop": {
            "name": loop.name,
            "inputs": len(loop),
            "state": shape,
            "type": str(loop.starts.dtype).removeprefix("torch."),
            "steps": steps,
            "usual_steps": loop.usual_steps,
            "anchored": loop.key is not None,
            "holds_inputs": loop.holds_inputs,
        },
        "packages": package_versions(),
        "machine": machine(),
    }
