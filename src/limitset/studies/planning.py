"""Into which tasks is a first look cut, so that their composition never changes?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from limitset.core.answers import CANONICALISER_VERSION
from limitset.core.tasks import Task
from limitset.datasets.questions import QuestionSet
from limitset.maps.text import TEXT_MAP_VERSION
from limitset.models.opening import ModelSource
from limitset.studies.spec import FirstLook

SAMPLING_VERSION: Final = 1
"""Changes whenever equal prompts and seeds may give other replies."""


def planned(spec: FirstLook, sources: Sequence[ModelSource], questions: QuestionSet) -> list[Task]:
    """Cut a first look into tasks: per model its samples, then its loops.

    Parameters
    ----------
    spec
        The study.
    sources
        What each model of the study is, in the same order.
    questions
        The questions chosen for it.

    Returns
    -------
    list of Task
        In the order of the rows of every table.
    """
    digest = questions.manifest()["sha256"]
    tasks: list[Task] = []
    for model, source in zip(spec.models, sources, strict=True):
        identity = f"{source.identity} {digest}"
        tasks += _samples(spec, model, identity, questions)
        tasks += _loops(spec, model, identity, questions)
    return tasks


def batches(questions: QuestionSet, size: int) -> Iterator[list[str]]:
    """Cut the items into batches of at most `size`, none of them of two kinds.

    Questions of one kind share their worked examples, and the model reads those once a batch.
    """
    for kind in questions.kinds:
        items = [item for item, one in questions.questions.items() if one.kind == kind]
        for first in range(0, len(items), size):
            yield items[first : first + size]


def _samples(spec: FirstLook, model: str, identity: str, questions: QuestionSet) -> Iterator[Task]:
    for wording in range(min(spec.sampling.paraphrases, questions.wordings)):
        for items in batches(questions, spec.chunk):
            chunk = {
                "model": model,
                "wording": wording,
                "items": items,
                "sampling": spec.sampling.model_dump(),
                "seed": spec.seed,
            }
            versions = {"sampling": SAMPLING_VERSION, "canonicaliser": CANONICALISER_VERSION}
            yield Task(kind="sample", chunk=chunk, identity=identity, versions=versions)


def _loops(spec: FirstLook, model: str, identity: str, questions: QuestionSet) -> Iterator[Task]:
    if spec.loops.count == 0:
        return
    items = list(questions.take(spec.loops.count, seed=spec.seed + 1).questions)
    for instruction in spec.loops.instructions:
        chunk = {
            "model": model,
            "instruction": instruction,
            "items": items,
            "loops": spec.loops.model_dump(mode="json"),
            "seed": spec.seed,
        }
        versions = {"text_map": TEXT_MAP_VERSION, "canonicaliser": CANONICALISER_VERSION}
        yield Task(kind="loop", chunk=chunk, identity=identity, versions=versions)
