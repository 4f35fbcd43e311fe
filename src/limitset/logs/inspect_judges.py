"""What do the scorers of an Inspect log say as judges, one of them holding the key?

Here a scorer is a judge, a sample (its question and the answer given to it) is what it judges, and its value
is the verdict. One scorer, an exact match or a person's label, may hold the key; without one nothing checks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from limitset.core.errors import InputError
from limitset.core.levels import Status
from limitset.logs.evaluation_log import EvaluationLog, Question, Reply, clipped, content_hash
from limitset.logs.inspect_log import TOOL, InspectLog
from limitset.logs.inspect_samples import VALUES, asked_of, mapping_of, number_of, said_of, score_of

NO_KEY: Final = "none"
"""In place of the name of a scorer: nothing checks the verdicts."""
VERDICTS: Final[Mapping[str, str]] = {"C": "correct", "I": "incorrect", "P": "partly correct"}


def judges_of(log: InspectLog, *, key: str) -> list[EvaluationLog]:
    """Return one log for each scorer but the key, its verdicts as replies.

    Parameters
    ----------
    log
        A log with several scorers.
    key
        The scorer that holds the truth, or "none".

    Returns
    -------
    list of EvaluationLog
        Their `model` is the scorer. A value N abstains; a sample that the key does not score is left out.

    Raises
    ------
    InputError
        When the log has no scorer of that name, or no other.
    """
    judges = [name for name in log.scorers if name != key]
    if (key != NO_KEY and key not in log.scorers) or not judges:
        raise InputError.of(
            expected="--judges must name the scorer that holds the key, or none, and leave a judge",
            got=f"{key}; {log.path} has {', '.join(log.scorers) or 'no scorers'}",
            fix="Use one of these.",
        )
    judged = [_judged(log, sample, key) for sample in log.samples]
    kept = [one for one in judged if one is not None]
    left = len(judged) - len(kept)
    return [
        EvaluationLog(
            path=log.path,
            tool=TOOL,
            model=name,
            task=f"{log.task} by {log.model}",
            filter="verdict",
            questions={question.identity: question for question, _ in kept},
            replies=_verdicts(kept, name),
            notes=log.notes,
            marks=True,
            counts={f"sample that {key} does not score: left out": left} if left else {},
        )
        for name in judges
    ]


def _judged(
    log: InspectLog, sample: Mapping[str, Any], key: str
) -> tuple[Question, Mapping[str, Any]] | None:
    scores = mapping_of(sample.get("scores"))
    accepted: tuple[str, ...] = ()
    if key != NO_KEY:
        verdict = verdict_of(mapping_of(scores.get(key)).get("value"))
        if verdict is None:
            return None
        accepted = (verdict,)
    answers = (said_of(mapping_of(one), sample) for one in scores.values())
    said = next((one for one in answers if one), "")
    asked = asked_of(sample.get("input"))
    told = [log.model, str(sample.get("id")), sample.get("epoch"), asked]
    text = f"{asked}\nanswered: {said}" if said else asked
    return Question(identity=content_hash(told), text=clipped(text), accepted=accepted), scores


def _verdicts(judged: Sequence[tuple[Question, Mapping[str, Any]]], name: str) -> list[Reply]:
    found = []
    for question, scores in judged:
        value = mapping_of(scores.get(name)).get("value")
        end = verdict_of(value)
        status = Status.ABSTAINED if value == "N" else Status.UNPARSED if end is None else Status.ANSWERED
        found.append(
            Reply(
                identity=question.identity,
                text="" if value is None else str(value)[:200],
                end=end,
                status=status,
                right=(end in question.accepted) if question.accepted else None,
                score=None if isinstance(value, str) and value in VALUES else score_of(value),
            )
        )
    return found


def verdict_of(value: Any) -> str | None:
    """Return the name of a verdict; None where there is none.

    Examples
    --------
    >>> verdict_of("C"), verdict_of(4.0), verdict_of("N"), verdict_of({"a": 1})
    ('correct', '4', None, None)
    """
    if isinstance(value, bool):
        return VERDICTS["C" if value else "I"]
    number = number_of(value)
    if number is not None:
        return f"{number:g}"
    if not isinstance(value, str) or value == "N":
        return None
    return VERDICTS.get(value, value.strip()[:200] or None)
