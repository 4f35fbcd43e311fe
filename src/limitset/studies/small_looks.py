"""What do the rows of a first look say, when no page is wanted but only its rows?"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from limitset.core.ends import Ends
from limitset.core.errors import InputError
from limitset.core.items import Items
from limitset.core.levels import Level
from limitset.core.loops import ORBIT_KINDS
from limitset.core.progress import Progress
from limitset.core.provenance import machine, package_versions
from limitset.engine.running import run_tasks
from limitset.models.opening import resolve
from limitset.store.study_folder import StudyFolder
from limitset.studies.first_look import Workbench, chosen_questions
from limitset.studies.planning import planned
from limitset.studies.spec import FirstLook, Instruction, Loops, Questions, Sampling, to_toml

TOLD: Final = 4
"""Lines of progress while models are asked."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Look:
    """The rows of a finished first look.

    Parameters
    ----------
    ends
        One row a run, those of the loops among them.
    items
        What was asked, with keys.
    orbits
        One row a step of a loop; empty where nothing was looped.
    system
        The models with the sha256 of their weights, and how many questions.
    attributions
        Sentences that must stand beside the rows.
    """

    ends: Ends
    items: Items
    orbits: Mapping[str, Any]
    system: str
    attributions: tuple[str, ...]

    @property
    def answers(self) -> Ends:
        """The rows of single runs."""
        return self.ends.having(level=Level.ANSWER.value)

    @property
    def texts(self) -> Ends:
        """The rows of text loops."""
        return self.ends.having(level=Level.TEXT.value)


def look_spec(
    models: Sequence[str],
    *,
    questions: int,
    wordings: int = 1,
    seeds: int = 1,
    loops: int = 0,
    instructions: tuple[Instruction, ...] = ("rewrite", "again"),
    steps: int = 8,
    max_tokens: int = 16,
    temperature: float = 0.7,
    seed: int = 0,
) -> FirstLook:
    """Return the specification of a first look of this size.

    Examples
    --------
    >>> look_spec(["smollm2-135m-instruct"], questions=20, seeds=4).sampling.seeds
    4
    """
    return FirstLook(
        kind="first_look",
        models=tuple(models),
        seed=seed,
        questions=Questions(count=questions, seed=seed),
        sampling=Sampling(paraphrases=wordings, seeds=seeds, temperature=temperature),
        loops=Loops(instructions=instructions, count=loops, steps=steps, max_tokens=max_tokens),
    )


def looked(
    spec: FirstLook,
    folder: Path,
    *,
    only_loops: bool = False,
    date: str = "",
    say: Callable[[str], None] | None = None,
) -> Look:
    """Ask (and loop) models, or go on where an interrupted look stopped, and return its rows.

    Parameters
    ----------
    spec
        What is asked of whom.
    folder
        Finished parts are kept in a folder in it, one for each specification.
    only_loops
        Whether the questions are only looped, not asked several times.
    date
        Written beside the rows.
    say
        Called with a line now and then.

    Returns
    -------
    Look
        The rows, the same after an interruption.

    Raises
    ------
    InputError, DependencyError
        When a model cannot be used; a packaged one that is not here names the command that gets it.
    """
    sources = [resolve(name) for name in spec.models]
    questions = chosen_questions(spec)
    tasks = planned(spec, sources, questions)
    if only_loops:
        tasks = [task for task in tasks if task.kind == "loop"]
    lock = {
        "spec": spec.model_dump(mode="json"),
        "models": {source.name: source.identity for source in sources},
        "questions": questions.manifest(),
        "packages": package_versions(),
        "machine": machine(),
        "created": date,
        "command": "",
    }
    text = to_toml(spec)
    name = hashlib.sha256(f"{text}{lock['models']}{only_loops}".encode()).hexdigest()[:12]
    with StudyFolder.create_or_open(folder / f"look-{name}", toml_text=text, lock=lock, tasks=tasks) as study:
        study.write_items(questions.items)
        summary = run_tasks(study, Workbench(questions), on_progress=_told(say))
        if summary.failed:
            raise InputError.of(
                expected="every batch of questions must be answered",
                got=f"{len(summary.failed)} that failed: {summary.failed[0].error.splitlines()[-1]}",
                fix="Mend that; the same command tries them again.",
            )
        ends, orbits = study.ends(), study.table("orbits", ORBIT_KINDS)
    models = " and ".join(source.identity for source in sources)
    attributions = (*questions.attributions(), *(source.attribution for source in sources))
    return Look(
        ends=ends,
        items=questions.items,
        orbits=orbits,
        system=f"{models}; {len(questions)} anchored questions",
        attributions=tuple(dict.fromkeys(line for line in attributions if line)),
    )


def reply_texts(ends: Ends, item: str, end: str, *, most: int = 1) -> tuple[str, ...]:
    """Return replies to a question that were read as this answer, the first of them.

    Examples
    --------
    >>> ends = Ends.of(item=["q", "q"], system=["a", "b"], end=["Sydney", "Perth"], text=["Sydney!", "Perth"])
    >>> reply_texts(ends, "q", "Sydney")
    ('Sydney!',)
    """
    fitting = np.flatnonzero((ends.texts("item") == item) & (ends.texts("end") == end))
    return tuple(str(text) for text in ends.texts("text")[fitting][:most])


def _told(say: Callable[[str], None] | None) -> Callable[[Progress], None] | None:
    if say is None:
        return None
    told = say

    def line(progress: Progress) -> None:
        if progress.done % max(progress.total // TOLD, 1) == 0:
            told(f"asking models: {progress.done} of {progress.total} batches done")

    return line
