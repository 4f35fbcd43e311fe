"""How often are real models wrong, how much of that survives voting, and where do their text loops end?

Every question is asked in several wordings with several seeds, and once greedily; some questions are also
looped: the model rewrites its own text, or answers again, until the text repeats.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from limitset.core.answers import CANONICALISER_VERSION
from limitset.core.columns import Kind
from limitset.core.ends import Ends
from limitset.core.levels import Level
from limitset.core.provenance import machine, package_versions
from limitset.core.replies import Draw, LanguageModel, Reply
from limitset.core.streams import Streams
from limitset.core.tasks import Task
from limitset.datasets.anchored import anchored
from limitset.datasets.questions import QuestionSet
from limitset.datasets.user_questions import read_questions
from limitset.engine.running import run_tasks
from limitset.maps.text import Style
from limitset.models.opening import ModelSource, open_model, resolve
from limitset.store.study_folder import StudyFolder
from limitset.store.tables import TablePart
from limitset.studies import looping
from limitset.studies.reporting import Finished, rebuild
from limitset.studies.spec import FirstLook

SAMPLING_VERSION: Final = 1
GREEDY: Final = Draw(seed=0, temperature=0.0)
SOURCE: Final = "first look"
GREEDY_KINDS: Final[Mapping[str, Kind]] = {
    "item": Kind.TEXT,
    "system": Kind.TEXT,
    "paraphrase": Kind.TEXT,
    "text": Kind.TEXT,
    "end": Kind.TEXT,
    "logprob": Kind.NUMBER,
    "margin": Kind.NUMBER,
}
"""The table of greedy replies: near margin 0 a reply hangs on a tie and another machine may differ."""


def run_first_look(
    spec: FirstLook, out: Path, *, toml_text: str, date: str, show_progress: bool = True
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
    show_progress
        Whether to print progress and time left on standard error.

    Returns
    -------
    Finished
        The page, its path and the numbers.

    Raises
    ------
    InputError
        When a model or the questions cannot be used, or the folder holds another study.
    """
    sources = [resolve(name) for name in spec.models]
    questions = chosen_questions(spec)
    folder = StudyFolder.create_or_open(
        out,
        toml_text=toml_text,
        lock=_lock(spec, sources, questions, date),
        tasks=planned(spec, sources, questions),
    )
    with folder:
        folder.write_items(questions.items)
        run_tasks(folder, Workbench(spec, questions))
    return rebuild(out)


def chosen_questions(spec: FirstLook) -> QuestionSet:
    """Return the questions of a study: a seeded, balanced choice of at most `count`."""
    source = spec.questions.source
    everything = anchored() if source == "anchored" else read_questions(Path(source))
    return everything.take(spec.questions.count, seed=spec.questions.seed)


def planned(spec: FirstLook, sources: Sequence[ModelSource], questions: QuestionSet) -> list[Task]:
    """Cut a study into tasks whose composition never changes."""
    tasks = []
    items = [str(item) for item in questions.items.texts("item")]
    looped = [str(item) for item in questions.take(spec.loops.count, seed=spec.seed + 1).items.texts("item")]
    for model, source in zip(spec.models, sources, strict=True):
        identity = f"{source.identity} {questions.manifest()['sha256']}"
        for wording in range(min(spec.sampling.paraphrases, questions.wordings)):
            for first in range(0, len(items), spec.chunk):
                chunk = {
                    "model": model,
                    "wording": wording,
                    "items": items[first : first + spec.chunk],
                    "sampling": spec.sampling.model_dump(),
                    "seed": spec.seed,
                }
                versions = {"sampling": SAMPLING_VERSION, "canonicaliser": CANONICALISER_VERSION}
                tasks.append(Task(kind="sample", chunk=chunk, identity=identity, versions=versions))
        for instruction in spec.loops.instructions if looped else ():
            chunk = {
                "model": model,
                "instruction": instruction,
                "items": looped,
                "loops": spec.loops.model_dump(mode="json"),
                "seed": spec.seed,
            }
            versions = {"text_map": looping.LOOPING_VERSION, "canonicaliser": CANONICALISER_VERSION}
            tasks.append(Task(kind="loop", chunk=chunk, identity=identity, versions=versions))
    return tasks


@dataclass
class Workbench:
    """Does the tasks of a first look, keeping the last opened model."""

    spec: FirstLook
    questions: QuestionSet
    _name: str = ""
    _style: Style = "chat"
    _model: LanguageModel | None = None

    def __call__(self, task: Task) -> Mapping[str, TablePart]:
        """Do one task and return its tables."""
        model = self._opened(str(task.chunk["model"]))
        rng = Streams(int(task.chunk["seed"])).child(SOURCE, model.name)
        if task.kind == "loop":
            return looping.looped(task.chunk, model, self._style, self.questions, rng)
        return sampled(task.chunk, model, self._style, self.questions, rng)

    def _opened(self, name: str) -> LanguageModel:
        if self._model is None or self._name != name:
            self._model = None  # let go of the old weights before the new ones come
            self._model, self._name, self._style = open_model(name), name, resolve(name).style
        return self._model


def sampled(
    chunk: Mapping[str, Any], model: LanguageModel, style: Style, questions: QuestionSet, rng: Streams
) -> dict[str, TablePart]:
    """Ask every question of a chunk once greedily and once a seed."""
    sampling = chunk["sampling"]
    wording, items = int(chunk["wording"]), list(chunk["items"])
    draws = [GREEDY, *(Draw(seed, sampling["temperature"]) for seed in range(sampling["seeds"]))]
    replies = model.generate(
        [questions.prompt(item, wording=wording, style=style) for item in items],
        rows=[f"{item}/{wording}" for item in items],
        draws=draws,
        max_tokens=sampling["max_tokens"],
        top_p=sampling["top_p"],
        stop=questions.stop(style),
        rng=rng,
    )
    rows, margins = [], []
    for item, of_item in zip(items, replies, strict=True):
        for draw, reply in zip(draws, of_item, strict=True):
            row = _row(item, wording, draw, reply, model, questions)
            rows.append(row)
            if draw.greedy:
                margins.append(
                    {**{name: row[name] for name in GREEDY_KINDS if name in row}, "margin": reply.margin}
                )
    ends = Ends.of_rows(rows)
    return {"ends": TablePart.of_ends(ends), "greedy": TablePart.of_rows(margins, GREEDY_KINDS)}


def _row(
    item: str, wording: int, draw: Draw, reply: Reply, model: LanguageModel, questions: QuestionSet
) -> dict[str, Any]:
    answer = looping.classified(reply.text, item, questions)
    return {
        "source": SOURCE,
        "level": Level.ANSWER.value,
        "item": item,
        "system": model.name,
        "paraphrase": f"wording {wording + 1}",
        "seed": draw.seed,
        "temperature": draw.temperature,
        "end": answer.end,
        "status": answer.status.value,
        "right": None if answer.right is None else float(answer.right),
        "logprob": reply.logprob,
        "greedy": float(draw.greedy),
        "runtime": model.identity,
        "text": reply.text,
    }


def _lock(
    spec: FirstLook, sources: Sequence[ModelSource], questions: QuestionSet, date: str
) -> dict[str, Any]:
    return {
        "spec": spec.model_dump(mode="json"),
        "models": {source.name: source.identity for source in sources},
        "questions": questions.manifest(),
        "attributions": list(questions.attributions()),
        "packages": package_versions(),
        "machine": machine(),
        "created": date,
    }
