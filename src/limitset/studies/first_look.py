"""How often are real models wrong, how much of that survives voting, and where do their text loops end?

Every question is asked in several wordings with several seeds, and once greedily; some questions are also
looped: the model rewrites its own text, or answers again, until the text repeats.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from limitset.core.errors import DependencyError, InputError
from limitset.core.progress import Progress
from limitset.core.provenance import machine, package_versions
from limitset.core.replies import LanguageModel
from limitset.core.streams import Streams
from limitset.core.tasks import Task
from limitset.datasets.anchored import anchored
from limitset.datasets.questions import QuestionSet
from limitset.datasets.user_questions import read_questions
from limitset.engine.running import run_tasks
from limitset.models.opening import ModelSource, open_model, resolve
from limitset.models.response_cache import CachedModel, ResponseCache
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
    DependencyError
        When a model is missing or its server does not answer; what is finished is kept, and a new folder in
        which nothing is finished goes.
    """
    sources = [resolve(name) for name in spec.models]
    _refuse_namesakes(sources)
    questions = chosen_questions(spec)
    new = not out.exists()
    folder = StudyFolder.create_or_open(
        out,
        toml_text=toml_text,
        lock={**_lock(spec, sources, questions), "created": date, "command": command},
        tasks=planned(spec, sources, questions),
    )
    with folder, contextlib.closing(Workbench(questions)) as workbench:
        folder.write_items(questions.items)
        try:
            summary = run_tasks(folder, workbench, on_progress=on_progress)
        except DependencyError:
            left = folder.progress()
            if new and left.done == left.running == 0:  # a mistyped address must not take the folder's name
                folder.close()
                shutil.rmtree(out, ignore_errors=True)
            raise
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
    """Does the tasks of a first look, keeping the last opened model.

    Replies of a server are also kept in the user's cache: the same study in another folder asks for none.
    """

    questions: QuestionSet
    _open: dict[str, Asked] = field(default_factory=dict)
    _cache: ResponseCache | None = None

    def __call__(self, task: Task) -> Mapping[str, TablePart]:
        """Do one task and return its tables."""
        asked = self._asked(str(task.chunk["model"]), int(task.chunk["seed"]))
        return looped(task.chunk, asked) if task.kind == "loop" else sampled(task.chunk, asked)

    def _asked(self, name: str, seed: int) -> Asked:
        if name not in self._open:
            self._let_go()  # of the old weights before the new ones come
            model = self._kept(open_model(name), resolve(name))
            self._open[name] = Asked(
                model=model,
                style=resolve(name).style,
                questions=self.questions,
                rng=Streams(seed).child(SOURCE, model.name),
            )
        return self._open[name]

    def close(self) -> None:
        """Close connections and the cache."""
        self._let_go()
        if self._cache is not None:
            self._cache.close()

    def _kept(self, model: LanguageModel, source: ModelSource) -> LanguageModel:
        if source.endpoint is None:
            return model
        self._cache = self._cache or ResponseCache()
        return CachedModel(model, self._cache)

    def _let_go(self) -> None:
        for asked in self._open.values():
            if isinstance(asked.model, CachedModel):
                asked.model.close()
        self._open.clear()


def _lock(spec: FirstLook, sources: Sequence[ModelSource], questions: QuestionSet) -> dict[str, Any]:
    return {
        "spec": spec.model_dump(mode="json"),
        "models": {source.name: source.identity for source in sources},
        "questions": questions.manifest(),
        "attributions": list(questions.attributions()),
        "packages": package_versions(),
        "machine": machine(),
    }
