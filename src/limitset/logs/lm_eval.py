"""How does a `samples_*.jsonl` of lm-evaluation-harness become logs, one for each of its filters?

One line is one document read by one filter. The name of the model stands in the `results_*.json` beside it.
Early files (2023, 2024) were one JSON list; some had neither hashes nor filters.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from limitset.core.errors import InputError
from limitset.core.levels import Status
from limitset.logs.evaluation_log import (
    LONGEST_REPLY,
    EvaluationLog,
    Question,
    Reply,
    answer_of,
    clipped,
    content_hash,
)
from limitset.logs.json_text import decoded, parsed
from limitset.logs.lm_eval_results import Origin, origin_of
from limitset.logs.lm_eval_targets import question_of

LARGEST_LIST: Final = 1 << 28
"""Bytes of a file that must be parsed as a whole: the early form, one JSON list."""

LONGEST_LINE: Final = 1 << 25
"""Bytes of one line: a document with a hundred choices of a long prompt has a few million."""

TOOL: Final = "lm-eval"
METRICS: Final = ("exact_match", "acc", "em", "pass@1", "correct")
"""Metrics that call one answer right, in this order; else the first that is 0 or 1 everywhere."""


@dataclass(kw_only=True)
class _Filtered:
    """What one filter of the file has given so far."""

    questions: dict[str, Question] = field(default_factory=dict)
    replies: list[Reply] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def count(self, what: str, *, by: int = 1) -> None:
        self.counts[what] = self.counts.get(what, 0) + by


def read_lm_eval(path: Path) -> list[EvaluationLog]:
    """Read one file of samples, as one log for each filter in it.

    Parameters
    ----------
    path
        A `samples_TASK_TIME.jsonl`, or a JSON list of the early versions.

    Raises
    ------
    InputError
        When a record is broken or lacks what every version writes; file and line are named.
    """
    origin = origin_of(path)
    filters: dict[str, _Filtered] = {}
    for line, record in _records(path):
        place = f"line {line} of {path.name}"
        sample = _checked(record, place)
        _add(filters.setdefault(str(sample.get("filter", "none")), _Filtered()), sample, place=place)
    if not filters:
        raise InputError.of(
            expected=f"{path} must hold at least one sample", got="none", fix="Check the log."
        )
    return [_log(path, origin, name, found) for name, found in filters.items()]


def _records(path: Path) -> Iterator[tuple[int, Any]]:
    with path.open("rb") as handle:
        line, first = 1, handle.readline(LONGEST_LINE + 1)
        if first.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"["):
            yield from _listed(path)
            return
        while first:
            if len(first) > LONGEST_LINE:
                raise InputError.of(
                    expected=f"lines of {path.name} must be at most {LONGEST_LINE:,} bytes",
                    got=f"a longer one at line {line}",
                    fix="Leave that record out.",
                )
            if first.strip():
                place = f"line {line} of {path.name}"
                yield line, parsed(decoded(first, place=place), place=place)
            line, first = line + 1, handle.readline(LONGEST_LINE + 1)


def _listed(path: Path) -> Iterator[tuple[int, Any]]:
    size = path.stat().st_size
    if size > LARGEST_LIST:
        raise InputError.of(
            expected=f"{path.name}, one JSON list, must be at most {LARGEST_LIST:,} bytes",
            got=f"{size:,}",
            fix="Write one record a line.",
        )
    found = parsed(decoded(path.read_bytes(), place=path.name), place=path.name)
    yield from enumerate(found, start=1)


def _checked(record: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(record, dict):
        raise InputError.of(
            expected=f"{place} must be a sample", got=type(record).__name__, fix="Check the log."
        )
    absent = [name for name in ("doc_id", "doc", "target", "arguments", "resps") if name not in record]
    if absent:
        raise InputError.of(
            expected=f"{place} must be a sample of lm-evaluation-harness",
            got=f"one without {', '.join(absent)}",
            fix="Write it with --log_samples.",
        )
    if not isinstance(record["resps"], list) or not isinstance(record.get("filtered_resps", []), list):
        raise InputError.of(
            expected=f"replies at {place} must be a list", got="something else", fix="Check the log."
        )
    return record


def _add(found: _Filtered, record: Mapping[str, Any], *, place: str) -> None:
    """Add one document: its question, and a reply for each repeat."""
    sent = _sent(record["arguments"], place)
    likely = _likelihoods(record.get("filtered_resps", record["resps"]))
    if likely is not None and len(likely) < 2:
        found.count("one text scored: no answer to compare")
        return
    question = question_of(record, sent, choices=0 if likely is None else len(likely))
    if question.identity in found.questions:
        found.count("question that stands twice in its log: the first kept")
        return
    found.questions[question.identity] = question
    prompt = str(record.get("prompt_hash") or content_hash([one[0] for one in sent]))[:16]
    if likely is None:
        found.replies += _generated(found, record, question, prompt=prompt, sent=sent)
    else:
        found.replies.append(_chosen(found, record, question, likely, prompt=prompt))


def _sent(arguments: Any, place: str) -> list[tuple[str, Any]]:
    """Return (prompt, rest) of each request; newer files name them, older ones list them."""
    parts = list(arguments.values()) if isinstance(arguments, dict) else arguments
    pairs = [list(part.values()) if isinstance(part, dict) else part for part in _list(parts)]
    if not pairs or not all(isinstance(pair, list) and pair for pair in pairs):
        raise InputError.of(
            expected=f"arguments at {place} must hold what was sent", got="nothing", fix="Check the log."
        )
    return [(str(pair[0]), pair[1] if len(pair) > 1 else None) for pair in pairs]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _likelihoods(replies: Sequence[Any]) -> list[float] | None:
    """Return log-likelihoods where every reply is one (with whether it is greedy), else None."""
    pairs = [_pair(one) for one in replies]
    return (
        None if not pairs or any(one is None for one in pairs) else [one for one in pairs if one is not None]
    )


def _pair(value: Any) -> float | None:
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, list) or len(value) != 2 or str(value[1]) not in ("True", "False"):
        return None
    try:
        return float(value[0])
    except (TypeError, ValueError):
        return None


def _chosen(
    found: _Filtered, record: Mapping[str, Any], question: Question, likely: list[float], *, prompt: str
) -> Reply:
    """Return the choice of the largest log-likelihood; the first of equals, as the harness takes it."""
    likely = likely[: len(question.choices)]
    if not all(map(math.isfinite, likely)):
        found.count("log-likelihood that is no finite number: counted as an error")
        return Reply(
            identity=question.identity, text="", end=None, status=Status.ERROR, right=None, prompt=prompt
        )
    best = max(range(len(likely)), key=likely.__getitem__)
    weights = [math.exp(one - likely[best]) for one in likely]
    end = question.choices[best]
    right = end in question.accepted if question.accepted else None
    if right is not None and _flag(record.get("acc")) not in (None, right):
        found.count("log's acc is another than that of the likeliest choice, which counts")
    if right is not None and _flag(record.get("acc_norm")) not in (None, right):
        found.count("acc_norm, which divides by length, would call the answer the other way")
    return Reply(
        identity=question.identity,
        text=end,
        end=end,
        status=Status.ANSWERED,
        right=right,
        logprob=likely[best],
        choice_probabilities=tuple(one / sum(weights) for one in weights),
        prompt=prompt,
    )


def _generated(
    found: _Filtered,
    record: Mapping[str, Any],
    question: Question,
    *,
    prompt: str,
    sent: Sequence[tuple[str, Any]],
) -> Iterator[Reply]:
    raw = [one for group in record["resps"] for one in (group if isinstance(group, list) else [group])]
    kept = record.get("filtered_resps") or raw
    while len(kept) == 1 and isinstance(kept[0], list):
        kept = kept[0]
    answers = kept if len(kept) == len(raw) else raw
    scored = len(raw) == 1
    score = _score(record)
    right = _flag(score) if scored else None
    temperature = sent[0][1].get("temperature") if isinstance(sent[0][1], dict) else None
    for repeat, (answer, text) in enumerate(zip(map(_said, answers), map(_said, raw), strict=True)):
        if len(text) > LONGEST_REPLY:
            found.count(f"reply longer than {LONGEST_REPLY:,} characters: clipped there")
        known = right is not None or (scored and score is not None)
        got = answer_of(answer, question, right=right, scored=known)
        found.count("reply that the log does not score by itself: the canonicaliser reads it", by=not known)
        if not scored and repeat == 0 and got.right is not None:
            other = _flag(score) not in (None, got.right)
            found.count("question whose first repeat the log's own score calls otherwise", by=other)
        if known and right is None:
            found.count("reply with a score between 0 and 1 (partly right)")
        if got.end is not None and got.end.endswith("(scored wrong)"):
            found.count(
                "reply that reads like the key, which the log's score calls wrong: the log's score counts"
            )
        yield Reply(
            identity=question.identity,
            text=clipped(text),
            end=got.end,
            status=got.status,
            right=got.right,
            repeat=repeat,
            score=score if scored else None,
            prompt=prompt,
            temperature=temperature if isinstance(temperature, int | float) else None,
        )


def _said(value: Any) -> str:
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value if isinstance(value, str) else "" if value is None else str(value)


def _score(record: Mapping[str, Any]) -> float | None:
    """Return the value of the metric that calls an answer right, None where there is none."""
    named = record.get("metrics")
    names = [str(one) for one in named] if isinstance(named, list) else list(record)
    ordered = [name for name in METRICS if name in names] + [
        name for name in names if name not in _NOT_METRICS
    ]
    for name in ordered:
        value = record.get(name)
        if isinstance(value, bool | int | float) and math.isfinite(value):
            return float(value)
    return None


_NOT_METRICS: Final = frozenset({"doc_id", "doc", "target", "arguments", "resps", "filtered_resps", "filter"})


def _flag(value: Any) -> bool | None:
    return bool(value) if isinstance(value, bool | int | float) and value in (0, 1) else None


def _log(path: Path, origin: Origin, name: str, found: _Filtered) -> EvaluationLog:
    return EvaluationLog(
        path=path,
        tool=TOOL,
        model=origin.model,
        settings=origin.settings,
        task=origin.task,
        version=origin.version,
        filter=name,
        questions=found.questions,
        replies=found.replies,
        notes=origin.notes,
        counts=found.counts,
    )
