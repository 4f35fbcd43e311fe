"""How often are real models wrong, how much of that survives voting, and where do their text loops end?

Every question is asked in several wordings with several seeds, and once greedily; some questions are also
looped: the model rewrites its own text, or answers again, until the text repeats.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from limitset.core.errors import InputError
from limitset.core.progress import Progress
from limitset.core.provenance import machine, package_versions
from limitset.core.streams import Streams
from limitset.core.tasks import Task
from limitset.datasets.anchored import anchored
from limitset.datasets.questions import QuestionSet
from limitset.datasets.user_questions import read_questions
from limitset.engine.running import run_tasks
from limitset.models.opening import ModelSource, open_model, resolve
from limitset.store.study_folder import StudyFolder
from limitset.store.tables import TablePart
from limitset.studies.asking import SOURCE, Asked, sampled
from limitset.studies.looping import looped
from limitset.studies.planning import planned
from limitset.studies.reporting import Finished, rebuild
from limitset.studies.spec import FirstLook


def run_first_look(
    spec: FirstLook,
    out: Path,
    *,
    toml_text: str,
    date: str,
    command: str = "",
    on_progress: Callable[[Progress], None] | None = None,
) -> Finished:
    """Run, or go on with, a first look and write its page.

    Parameters
    ----------
    spec
        What to run.
    out
        Study folder: new, or the folder of the same study.
    toml_text
        The study file, kept verbatim.
    date
        Date of the run, for the reader.
    command
        What was typed, for the methods section of the page.
    on_progress
        Called at the start and after every task.

    Returns
    -------
    Finished
        The page, its path and the numbers.

    Raises
    ------
    InputError
        When a model or the questions cannot be used, the folder holds another study, or a task failed.
    """
    sources = [resolve(name) for name in spec.models]
    _refuse_namesakes(sources)
    questions = chosen_questions(spec)
    folder = StudyFolder.create_or_open(
        out,
        toml_text=toml_text,
        lock={**_lock(spec, sources, questions), "created": date, "command": command},
        tasks=planned(spec, sources, questions),
    )
    with folder:
        folder.write_items(questions.items)
        summary = run_tasks(folder, Workbench(questions), on_progress=on_progress)
    if summary.failed:
        raise InputError.of(
            expected=f"every task of {out} must end well",
            got=f"{len(summary.failed)} that failed: {summary.failed[0].error.splitlines()[-1]}",
            fix="Mend that; the same command tries them again.",
        )
    return rebuild(out)


def _refuse_namesakes(sources: Sequence[ModelSource]) -> None:
    names = [source.name for source in sources]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError.of(
            expected="the models of a study must have different names",
            got=f"{twice} twice",
            fix="Name each model once; rename or link one of two folders that are called alike.",
        )


def chosen_questions(spec: FirstLook) -> QuestionSet:
    """Return the questions of a study: a seeded, balanced choice of at most `count`."""
    source = spec.questions.source
    everything = anchored() if source == "anchored" else read_questions(Path(source))
    return everything.take(spec.questions.count, seed=spec.questions.seed)


@dataclass
class Workbench:
    """Does the tasks of a first look, keeping the last opened model."""

    questions: QuestionSet
    _open: dict[str, Asked] = field(default_factory=dict)

    def __call__(self, task: Task) -> Mapping[str, TablePart]:
        """Do one task and return its tables."""
        asked = self._asked(str(task.chunk["model"]), int(task.chunk["seed"]))
        return looped(task.chunk, asked) if task.kind == "loop" else sampled(task.chunk, asked)

    def _asked(self, name: str, seed: int) -> Asked:
        if name not in self._open:
            self._open.clear()  # let go of the old weights before the new ones come
            model = open_model(name)
            self._open[name] = Asked(
                model=model,
                style=resolve(name).style,
                questions=self.questions,
                rng=Streams(seed).child(SOURCE, model.name),
            )
        return self._open[name]


def _lock(spec: FirstLook, sources: Sequence[ModelSource], questions: QuestionSet) -> dict[str, Any]:
    return {
        "spec": spec.model_dump(mode="json"),
        "models": {source.name: source.identity for source in sources},
        "questions": questions.manifest(),
        "attributions": list(questions.attributions()),
        "packages": package_versions(),
        "machine": machine(),
    }
