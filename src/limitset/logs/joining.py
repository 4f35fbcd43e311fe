"""How do logs of many models become one panel, and what must a reader of the page know about it?

Questions are one question when text, choices and accepted answers are alike. What differs between logs
(prompt, task version, filter, questions that a model lacks) is never mixed silently: it is kept apart, left
out or refused, and a note says which.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from limitset.core.ends import Ends
from limitset.core.errors import InputError
from limitset.core.items import Items
from limitset.core.levels import Level, Status
from limitset.logs.evaluation_log import EvaluationLog, OfferedLog, Question, Reply

SHOWN: Final = 3
"""So many names of a longer list stand in a note."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Panel:
    """Logs joined: the runs, the questions that every model got, and what differed."""

    ends: Ends
    items: Items
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class _Row:
    item: str
    system: str
    condition: str
    log: EvaluationLog
    reply: Reply


def join_logs(read: Sequence[Sequence[EvaluationLog | OfferedLog]], *, wanted: str | None = None) -> Panel:
    """Join logs to one panel.

    Parameters
    ----------
    read
        What each file gave: one log for each filter or scorer in it.
    wanted
        Filter or scorer to use where a task has several; without it the first that all its logs have.

    Returns
    -------
    Panel
        Runs on the questions that every model got.

    Raises
    ------
    InputError
        When no filter is common to the logs of a task, no log has an answer, or no question is common to
        all models.
    """
    chosen, notes = _one_filter(read, wanted)
    logs = [log for log in chosen if log.replies]
    notes += [note for log in chosen for note in log.notes] + _counted(chosen)
    if not logs:
        raise InputError.of(
            expected="logs must hold answers that can be compared",
            got=notes[-1] if notes else "none",
            fix="Add a task with generated answers or choices.",
        )
    names = _systems(logs)
    conditions, told = _conditions(logs)
    items, questions = _items(logs)
    rows = [
        _Row(
            item=items[id(log), reply.identity],
            system=names[id(log)],
            condition=conditions[id(log)],
            log=log,
            reply=reply,
        )
        for log in logs
        for reply in log.replies
    ]
    notes += told + _versions(logs) + _other_keys(logs)
    kept, missing = _common(rows, questions)
    rows = [row for row in rows if row.item in kept]
    notes += missing + _graded(rows, questions)
    ends, again = _ends(rows)
    tasks = {log.task for log in logs}
    return Panel(
        ends=ends,
        items=_items_table(rows, questions, strata=len(tasks) > 1),
        notes=tuple(dict.fromkeys(notes + again)),
    )


def _one_filter(
    read: Sequence[Sequence[EvaluationLog | OfferedLog]], wanted: str | None
) -> tuple[list[EvaluationLog], list[str]]:
    by_task: dict[tuple[str, str], list[Sequence[EvaluationLog | OfferedLog]]] = {}
    for logs in read:
        by_task.setdefault((logs[0].tool, logs[0].task), []).append(logs)
    chosen: list[EvaluationLog] = []
    notes: list[str] = []
    all_names: set[str] = set()
    for (_, task), files in by_task.items():
        names = [list(dict.fromkeys(log.filter for log in logs)) for logs in files]
        common = [name for name in names[0] if all(name in others for others in names)]
        seen = sorted(set(itertools.chain(*names)))
        all_names |= set(seen)
        if not common:
            raise InputError.of(
                expected=f"all logs of {task} must have one filter or scorer in common",
                got="; ".join(
                    f"{logs[0].path.name} has {', '.join(one)}"
                    for logs, one in zip(files, names, strict=True)
                )[:300],
                fix="Audit them apart, or score them again with the same one.",
            )
        name = wanted if wanted in common else common[0]
        if len(seen) > 1:
            notes.append(f"{task} is read with {name} (it has {', '.join(seen)}; --filter takes another)")
        chosen += [log.read() for logs in files for log in logs if log.filter == name]
    if wanted is not None and wanted not in {log.filter for log in chosen}:
        raise InputError.of(
            expected="--filter must be a filter or scorer that all logs of a task have",
            got=f"{wanted}, where there are {', '.join(sorted(all_names))}",
            fix="Use one of these.",
        )
    return _without_copies(chosen, notes), notes


def _without_copies(logs: Iterable[EvaluationLog], notes: list[str]) -> list[EvaluationLog]:
    """Leave out a file that was copied to a second folder: same name, same replies."""
    kept: list[EvaluationLog] = []
    for log in logs:
        alike = (
            one
            for one in kept
            if one.path.name == log.path.name
            and (one.tool, one.model, one.task, one.settings) == (log.tool, log.model, log.task, log.settings)
            and list(one.replies) == list(log.replies)
        )
        first = next(alike, None)
        if first is None:
            kept.append(log)
        else:
            notes.append(f"{log.path.name} of {log.path.parent} is a copy of one read before: left out")
    return kept


def _counted(logs: Sequence[EvaluationLog]) -> list[str]:
    total: dict[str, list[tuple[int, str]]] = {}
    for log in logs:
        for what, count in log.counts.items():
            if count:
                total.setdefault(what, []).append((count, f"{log.task} of {log.model}"))
    return [
        f"{sum(count for count, _ in where):,} × {what} (in {_listed([name for _, name in where])})"
        for what, where in total.items()
    ]


def _systems(logs: Sequence[EvaluationLog]) -> dict[int, str]:
    """Name the model of each log; models of one name with other arguments are two."""
    settings: dict[str, dict[str, None]] = {}
    for log in logs:
        settings.setdefault(log.model, {})[log.settings] = None
    return {
        id(log): log.model
        if len(settings[log.model]) == 1
        else f"{log.model} ({log.settings[:80] or 'no arguments'})"
        for log in logs
    }


def _conditions(logs: Sequence[EvaluationLog]) -> tuple[dict[int, str], list[str]]:
    """Name the condition of each log: its task, and which of the prompts of that task."""
    groups: dict[str, list[dict[str, str]]] = {}
    place: dict[int, tuple[str, int]] = {}
    for log in logs:
        sent = {
            log.questions[reply.identity].content: f"{log.version} {reply.prompt}" for reply in log.replies
        }
        known = groups.setdefault(log.task, [])
        index = next(
            (n for n, one in enumerate(known) if all(one.get(q, p) == p for q, p in sent.items())), len(known)
        )
        if index == len(known):
            known.append({})
        known[index].update(sent)
        place[id(log)] = log.task, index
    notes = []
    for task, known in groups.items():
        if len(known) > 1:
            who = [
                f"prompt {n + 1}: {_models(one for one in logs if place[id(one)] == (task, n))}"
                for n in range(len(known))
            ]
            notes.append(
                f"questions of {task} were asked with {len(known)} different prompts, examples or versions ("
                f"{'; '.join(who)}): differences between these may be the prompt's"
            )
    return {
        key: task if len(groups[task]) == 1 else f"{task}, prompt {index + 1}"
        for key, (task, index) in place.items()
    }, notes


def _items(logs: Sequence[EvaluationLog]) -> tuple[dict[tuple[int, str], str], dict[str, Question]]:
    """Name the item of each question of each log: its content, or the tool's hash if that is not enough."""
    ambiguous: set[str] = set()
    for log in logs:
        contents = Counter(question.content for question in log.questions.values())
        ambiguous |= {content for content, count in contents.items() if count > 1}
    names: dict[tuple[int, str], str] = {}
    questions: dict[str, Question] = {}
    for log in logs:
        for identity, question in log.questions.items():
            content = question.content
            name = identity if content in ambiguous else content
            names[id(log), identity] = name
            known = questions.setdefault(name, question)
            if question.about and known is not question:
                questions[name] = replace(known, about={**question.about, **known.about})
    return names, questions


def _versions(logs: Sequence[EvaluationLog]) -> list[str]:
    seen: dict[str, dict[str, list[str]]] = {}
    for log in logs:
        seen.setdefault(f"{log.tool} {log.task}", {}).setdefault(log.version or "none told", []).append(
            log.model
        )
    return [
        f"task {task.split(' ', 1)[1]} has {len(versions)} versions ("
        + "; ".join(f"{name}: {_listed(list(dict.fromkeys(models)))}" for name, models in versions.items())
        + ")"
        for task, versions in seen.items()
        if len(versions) > 1
    ]


def _other_keys(logs: Sequence[EvaluationLog]) -> list[str]:
    """Name questions whose text and choices are alike and whose accepted answers are not, between logs."""
    keys: dict[tuple[str, tuple[str, ...]], dict[tuple[str, ...], set[int]]] = {}
    for log in logs:
        for question in log.questions.values():
            place = " ".join(question.text.split()), tuple(sorted(question.choices))
            keys.setdefault(place, {}).setdefault(tuple(sorted(question.accepted)), set()).add(id(log))
    other = [
        text
        for (text, _), found in keys.items()
        if len(found) > 1 and len(set.union(*found.values())) > 1 and not set.intersection(*found.values())
    ]
    if not other:
        return []
    many = len(other) != 1
    return [
        f"{len(other)} question{'s' * many} ha{'ve' if many else 's'} another target in another log and "
        f"count{'' if many else 's'} as two ({_listed([text[:60] for text in other])})"
    ]


def _common(rows: Sequence[_Row], questions: Mapping[str, Question]) -> tuple[set[str], list[str]]:
    """Keep the questions that every model got; name those that one lacks."""
    got: dict[str, set[str]] = {}
    for row in rows:
        got.setdefault(row.system, set()).add(row.item)
    every = set.union(*got.values())
    kept = set.intersection(*got.values())
    if not kept:
        tasks = {system: sorted({row.log.task for row in rows if row.system == system}) for system in got}
        raise InputError.of(
            expected="models must share questions (same text, choices and target) to be one panel",
            got="no question that all have: "
            + "; ".join(
                f"{name[:60]} has {len(got[name])} of {_listed(tasks[name])}" for name in list(got)[:6]
            ),
            fix="Audit them apart, or give logs of the same task and version.",
        )
    if kept == every:
        return kept, []
    notes = []
    for system, own in got.items():
        lacking = [item for item in questions if item in every and item not in own]
        if lacking:
            first = _listed([" ".join(questions[item].text.split())[:60] for item in lacking])
            notes.append(f"{system} lacks {len(lacking):,} of {len(every):,} questions ({first})")
    notes.append(f"kept: the {len(kept):,} of {len(every):,} questions that every model got")
    return kept, notes


def _graded(rows: Sequence[_Row], questions: Mapping[str, Question]) -> list[str]:
    """Count questions with a key of which some reply is scored neither right nor wrong."""
    graded = {
        row.item
        for row in rows
        if row.reply.right is None
        and not row.log.marks
        and row.reply.status is Status.ANSWERED
        and questions[row.item].accepted
    }
    if not graded:
        return []
    every = len({row.item for row in rows})
    if len(graded) == every:
        return [
            f"all {every:,} questions have replies that the log scores partly right: no number here can say "
            "what is right or wrong; score them with a metric of 0 and 1, such as an exact match"
        ]
    return [
        f"{len(graded):,} of {every:,} questions have replies that the log scores partly right: left "
        f"out of every number about right and wrong, which are of the other {every - len(graded):,} alone"
    ]


def _ends(rows: Sequence[_Row]) -> tuple[Ends, list[str]]:
    under: dict[tuple[str, str], set[str]] = {}
    logs: dict[tuple[str, str], set[int]] = {}
    for row in rows:
        under.setdefault((row.system, row.item), set()).add(row.condition)
        logs.setdefault((row.system, row.condition), set()).add(id(row.log))
    apart = {system for (system, _), found in under.items() if len(found) > 1}
    notes = [f"{one} got questions under several conditions, kept apart as wordings" for one in sorted(apart)]
    notes += [
        f"{system} has {len(found)} logs of {condition}: they count as repeated runs"
        for (system, condition), found in logs.items()
        if len(found) > 1
    ]
    seeds: dict[tuple[Any, ...], int] = {}
    records = []
    for row in rows:
        reply = row.reply
        paraphrase = reply.paraphrase or (row.condition if apart else None)
        place = row.item, row.system, paraphrase, reply.temperature
        seed = seeds[place] = seeds.get(place, -1) + 1
        records.append(_record(row, paraphrase, seed))
    return Ends.of_rows(records), notes


def _record(row: _Row, paraphrase: str | None, seed: int) -> dict[str, Any]:
    reply = row.reply
    return {
        "source": row.log.tool,
        "level": Level.ANSWER.value,
        "item": row.item,
        "system": row.system,
        "paraphrase": paraphrase,
        "seed": float(seed),
        "temperature": reply.temperature,
        "end": reply.end,
        "status": reply.status.value,
        "right": None if reply.right is None else float(reply.right),
        "logprob": reply.logprob,
        "confidence": reply.confidence,
        "score": reply.score if row.log.marks else None,
        "choice_probabilities": reply.choice_probabilities,
        "prompt_hash": reply.prompt or None,
        "filter": row.log.filter,
        "text": reply.text,
    }


def _items_table(rows: Sequence[_Row], questions: Mapping[str, Question], *, strata: bool) -> Items:
    first: dict[str, EvaluationLog] = {}
    for row in rows:
        first.setdefault(row.item, row.log)
    return Items.of_rows(
        [
            {
                "item": item,
                "text": questions[item].text,
                "accepted": questions[item].accepted,
                "stratum": log.task if strata else None,
                "form": "choice" if questions[item].choices else None,
                "anchor": f"target of {log.task} ({log.tool})" if questions[item].accepted else None,
                **questions[item].about,
            }
            for item, log in first.items()
        ]
    )


def _models(logs: Iterable[EvaluationLog]) -> str:
    return _listed(list(dict.fromkeys(log.model for log in logs)))


def _listed(names: Sequence[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more:,} more" if more > 0 else "")
