"""How does a log of Inspect become logs, one for each of its scorers?

An `.eval` is a zip: `header.json` and `summaries.json` hold all but full texts. A sample is opened only where
its summary has no answer or may have shortened it. A `.json` log holds the same fields under `samples`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from limitset.core.answers import AnswerClass
from limitset.core.errors import InputError
from limitset.core.levels import Status
from limitset.logs import zipped
from limitset.logs.evaluation_log import (
    LONGEST_END,
    LONGEST_REPLY,
    EvaluationLog,
    Question,
    Reply,
    answer_of,
    clipped,
    content_hash,
)
from limitset.logs.json_text import decoded, parsed

TOOL: Final = "inspect"
VERSIONS: Final = (1, 2)
"""Versions of the log whose fields are the ones read here."""

SHORTENED: Final = 5_120
"""Characters from which a summary cuts a question; answers lose their line breaks at any length."""

VALUES: Final[Mapping[str, float]] = {"C": 1.0, "I": 0.0, "P": 0.5, "N": 0.0}
"""Correct, incorrect, partly correct, no answer."""

Samples = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""From a summary to its whole sample."""


def read_inspect(path: Path) -> list[EvaluationLog]:
    """Read an `.eval` or `.json` log, as one log for each scorer.

    Parameters
    ----------
    path
        The file; nothing of it is unpacked to disk.

    Raises
    ------
    InputError
        When it is cut off, too large, of an unknown version, or without samples.
    """
    if path.suffix.lower() == ".json":
        size = path.stat().st_size
        if size > zipped.LARGEST_MEMBER:
            raise InputError.of(
                expected=f"{path} must have at most {zipped.LARGEST_MEMBER:,} bytes",
                got=f"{size:,}",
                fix="Write it as .eval.",
            )
        header = _object(parsed(decoded(path.read_bytes(), place=str(path)), place=str(path)), str(path))
        return _logs(path, header, header.get("samples"), lambda summary: summary, notes=())
    with zipped.opened(path) as members:
        header, summaries, notes = _header_and_summaries(path, members)
        return _logs(path, header, summaries, _from_zip(path, members), notes=notes)


def _header_and_summaries(
    path: Path, members: zipped.Zipped
) -> tuple[Mapping[str, Any], Any, tuple[str, ...]]:
    if "header.json" in members and "summaries.json" in members:
        header = _object(_json(path, members, "header.json"), f"header.json of {path}")
        return header, _json(path, members, "summaries.json"), ()
    if "_journal/start.json" not in members:
        raise InputError.of(
            expected=f"{path} must be a log of Inspect",
            got="a zip without header.json",
            fix="Check the path.",
        )
    parts = [name for name in members.names if name.startswith("_journal/summaries/")]
    found = [one for name in dict.fromkeys(parts) for one in _list(_json(path, members, name), name)]
    start = _object(_json(path, members, "_journal/start.json"), f"_journal/start.json of {path}")
    return start, found, (f"{path.name} is of an evaluation that did not finish: {len(found)} samples of it",)


def _from_zip(path: Path, members: zipped.Zipped) -> Samples:
    last: tuple[str, Mapping[str, Any]] = "", {}

    def whole(summary: Mapping[str, Any]) -> Mapping[str, Any]:
        nonlocal last
        stem = f"samples/{summary.get('id')}_epoch_{summary.get('epoch')}"
        name = next((one for one in (f"{stem}.json", f"{stem}/sample.json") if one in members), None)
        if name is None:
            return summary
        if last[0] != name:
            # the scorers ask for one sample after another
            last = name, _object(_json(path, members, name), f"{name} of {path}")
        return last[1]

    return whole


def _json(path: Path, members: zipped.Zipped, name: str) -> Any:
    place = f"{name} of {path}"
    return parsed(decoded(members.read(name), place=place), place=place)


def _logs(
    path: Path, header: Mapping[str, Any], summaries: Any, whole: Samples, *, notes: tuple[str, ...]
) -> list[EvaluationLog]:
    version = header.get("version")
    if version not in VERSIONS:
        raise InputError.of(
            expected=f"{path} must be a log of version {' or '.join(map(str, VERSIONS))}",
            got=str(version)[:40],
            fix="Convert it with inspect log convert.",
        )
    told = _object(header.get("eval"), f"eval of {path}")
    samples = [_object(one, f"sample {n} of {path}") for n, one in enumerate(_list(summaries, str(path)), 1)]
    if not samples:
        raise InputError.of(
            expected=f"{path} must hold samples", got="none", fix="Run it with log_samples on."
        )
    status = header.get("status", "started")
    if status != "success" and not notes:
        notes = (f"{path.name}: its evaluation ended with status {str(status)[:20]}",)
    scorers = list(dict.fromkeys(str(name) for one in samples for name in _mapping(one.get("scores"))))
    prompt = _prompt(header, told)
    temperature = _mapping(told.get("model_generate_config")).get("temperature")
    model = str(told.get("model") or "model")[:200]
    task = str(told.get("task") or "task")[:200]
    readers = [
        _Scored(scorer=scorer, whole=whole, prompt=prompt, temperature=_number(temperature))
        for scorer in scorers or ["none"]
    ]
    for sample in samples:
        for reader in readers:
            reader.add(sample)
    return [
        EvaluationLog(
            path=path,
            tool=TOOL,
            model=model,
            settings=_listed(told.get("model_args")),
            task=task,
            version=str(told.get("task_version", "")),
            filter=reader.scorer,
            questions=reader.questions,
            replies=reader.replies,
            notes=notes,
            counts=reader.counts,
        )
        for reader in readers
    ]


class _Scored:
    """Replies of one log under one scorer, sample by sample."""

    def __init__(self, *, scorer: str, whole: Samples, prompt: str, temperature: float | None) -> None:
        self.scorer, self._whole, self._prompt, self._temperature = scorer, whole, prompt, temperature
        self.questions: dict[str, Question] = {}
        self.replies: list[Reply] = []
        self.counts: dict[str, int] = {}
        self._seen: set[tuple[str, int]] = set()
        self._asked: dict[Any, Question] = {}
        self._answers: dict[tuple[str, str, bool | None], AnswerClass] = {}

    def add(self, sample: Mapping[str, Any]) -> None:
        if _may_be_cut(sample):
            sample = self._whole(sample)
        question = self._question(sample)
        epoch = sample.get("epoch", 1)
        epoch = epoch if isinstance(epoch, int) and 0 < epoch < 1_000_000 else 1
        if (question.identity, epoch) in self._seen:
            self._count("sample whose question and target another sample has too: the first kept")
            return
        self._seen.add((question.identity, epoch))
        self.questions.setdefault(question.identity, question)
        self.replies.append(self._reply(sample, question, epoch))

    def _question(self, sample: Mapping[str, Any]) -> Question:
        asked, target = sample.get("input"), sample.get("target")
        if not (isinstance(asked, str) and isinstance(target, str)) or sample.get("choices"):
            return _question(sample)
        # epochs ask the same question again
        known = self._asked.get((asked, target))
        if known is None:
            known = self._asked[asked, target] = _question(sample)
        return known

    def _class(self, said: str, question: Question, right: bool | None) -> AnswerClass:
        place = said, question.identity, right
        if place not in self._answers:
            self._answers[place] = answer_of(said, question, right=right, scored=True)
        return self._answers[place]

    def _reply(self, sample: Mapping[str, Any], question: Question, epoch: int) -> Reply:
        entry = _mapping(sample.get("scores")).get(self.scorer)
        if sample.get("error") or not isinstance(entry, dict):
            self._count("sample that failed or was not scored: counts as an error")
            return self._row(question, epoch, text="", end=None, status=Status.ERROR)
        value = entry.get("value")
        score = _score(value)
        right = bool(score) if score in (0.0, 1.0) else None
        if value == "N":
            return self._row(
                question, epoch, text="", end=None, status=Status.ABSTAINED, right=False, score=0.0
            )
        if right is None:
            self._count("score between 0 and 1, or no number: neither right nor wrong")
        said = _said(entry, sample)
        if right is not True and _reads_otherwise(said):
            full = self._whole(sample)
            said = _said(_mapping(_mapping(full.get("scores")).get(self.scorer)), full)
        said = said or ""
        if len(said) > LONGEST_REPLY:
            self._count(f"reply longer than {LONGEST_REPLY:,} characters: clipped there")
        chosen = _chosen(said, question.choices) if question.choices and not right else None
        if chosen is not None:
            end = f"{chosen} (scored wrong)" if right is False and chosen in question.accepted else chosen
            return self._row(
                question, epoch, text=said, end=end, status=Status.ANSWERED, right=right, score=score
            )
        got = self._class(said, question, right)
        return self._row(
            question, epoch, text=said, end=got.end, status=got.status, right=got.right, score=score
        )

    def _row(
        self,
        question: Question,
        epoch: int,
        *,
        text: str,
        end: str | None,
        status: Status,
        right: bool | None = None,
        score: float | None = None,
    ) -> Reply:
        return Reply(
            identity=question.identity,
            text=clipped(text),
            end=end,
            status=status,
            right=right,
            repeat=epoch - 1,
            score=score,
            prompt=self._prompt,
            temperature=self._temperature,
        )

    def _count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1


def _may_be_cut(sample: Mapping[str, Any]) -> bool:
    return "completed" in sample and (
        len(_asked(sample.get("input"))) >= SHORTENED
        or any(len(str(one)) >= SHORTENED for one in _values(sample.get("target")))
    )


def _reads_otherwise(said: str | None) -> bool:
    """Say whether the whole sample may hold another answer: line breaks are gone, long ones are cut."""
    return said is None or any(sign.isspace() for sign in said) or said.endswith("...")


def _said(entry: Mapping[str, Any], sample: Mapping[str, Any]) -> str | None:
    answer = entry.get("answer")
    if isinstance(answer, str) and answer:
        return _attached(answer, sample)
    completion = _mapping(sample.get("output")).get("completion")
    if isinstance(completion, str):
        return _attached(completion, sample)
    return answer if isinstance(answer, str) else None


def _attached(text: str, sample: Mapping[str, Any]) -> str:
    """Return the text that a long one was replaced by."""
    mark = "attachment://"
    if not text.startswith(mark):
        return text
    found = _mapping(sample.get("attachments")).get(text.removeprefix(mark))
    return found if isinstance(found, str) else text


def _question(sample: Mapping[str, Any]) -> Question:
    text = _attached(_asked(sample.get("input")), sample) or f"sample {sample.get('id')}"
    choices = tuple(str(one)[:LONGEST_END] for one in _values(sample.get("choices")))
    targets = [str(one) for one in _values(sample.get("target"))]
    if len(set(choices)) < len(choices):
        choices = tuple(f"{chr(65 + n)}: {one}" for n, one in enumerate(choices))
    accepted = [_lettered(one, choices) or one for one in sorted(targets)] if choices else targets
    if choices and len(accepted) > 1:
        # several letters are one answer: all of them
        accepted = [", ".join(accepted)]
    accepted = [one[:LONGEST_END] for one in accepted if one.strip()]
    return Question(
        identity=content_hash([text, choices, targets]),
        text=clipped(text),
        accepted=tuple(dict.fromkeys(accepted)),
        choices=choices,
    )


def _asked(value: Any) -> str:
    """Return the text of an input: itself, or the messages of the user."""
    if isinstance(value, str):
        return value
    messages = [_mapping(one) for one in _values(value)]
    asked = [one for one in messages if one.get("role") == "user"] or messages
    return "\n".join(_content(one.get("content")) for one in asked)


def _content(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "\n".join(str(_mapping(one).get("text", "")) for one in _values(value))


def _chosen(said: str, choices: Sequence[str]) -> str | None:
    """Return the choice that a letter, several letters, or its text stands for."""
    letters = sorted(one.strip() for one in said.split(","))
    named = [_lettered(one, choices) for one in letters]
    if letters and all(named):
        return ", ".join(str(one) for one in named)
    return next((one for one in choices if one.casefold() == said.strip().casefold()), None)


def _lettered(text: str, choices: Sequence[str]) -> str | None:
    place = ord(text) - ord("A") if len(text) == 1 else -1
    return choices[place] if 0 <= place < len(choices) else None


def _score(value: Any) -> float | None:
    if isinstance(value, str):
        return VALUES.get(value)
    return _number(value)


def _number(value: Any) -> float | None:
    if not isinstance(value, bool | int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def _prompt(header: Mapping[str, Any], told: Mapping[str, Any]) -> str:
    """Return the hash of all that was done around a question: solvers and their settings."""
    plan = _mapping(header.get("plan"))
    steps = [[_mapping(one).get("solver"), _mapping(one).get("params")] for one in _values(plan.get("steps"))]
    return content_hash([steps, told.get("task_args")])


def _listed(values: Any) -> str:
    return ",".join(f"{name}={value}" for name, value in _mapping(values).items())[:300]


def _values(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _object(value: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise InputError.of(
            expected=f"{place} must be an object", got=type(value).__name__, fix="Check the log."
        )
    return value


def _list(value: Any, place: str) -> Iterable[Any]:
    if value is not None and not isinstance(value, list):
        raise InputError.of(
            expected=f"samples of {place} must be a list", got=type(value).__name__, fix="Check the log."
        )
    return value or ()
