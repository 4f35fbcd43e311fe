"""Is this folder the study that the user means, and if not, what differs?"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from limitset.core.errors import InputError
from limitset.core.tasks import Task
from limitset.store.disk import disk_errors

ENVIRONMENT = ("packages", "machine", "created", "command")
"""Keys of the lock that may differ when a study is resumed: they are recorded, not compared."""

_SHOWN = 4


def spec_hash(lock: Mapping[str, Any]) -> str:
    """Hash everything in the lock that decides the tables.

    Examples
    --------
    >>> spec_hash({"spec": {"seed": 1}, "packages": {"numpy": "2"}}) == spec_hash({"spec": {"seed": 1}})
    True
    """
    return hashlib.sha256(_canonical(_compared(lock)).encode()).hexdigest()


def tasks_hash(tasks: Sequence[Task]) -> str:
    """Hash the task list, order included."""
    return hashlib.sha256("\n".join(task.hash for task in tasks).encode()).hexdigest()


def locked(lock: Mapping[str, Any]) -> dict[str, Any]:
    """Return the lock as it is written: plain JSON with its own hash.

    Raises
    ------
    InputError
        When a value has no place in JSON.
    """
    try:
        plain: dict[str, Any] = json.loads(_canonical(lock))
    except (TypeError, ValueError) as error:
        raise InputError.of(
            expected="the lock of a study must be plain JSON values without NaN",
            got=error,
            fix="Turn paths, arrays and missing numbers into text first.",
        ) from error
    return {**plain, "spec_hash": spec_hash(plain)}


def read_lock(path: Path) -> dict[str, Any]:
    """Read study.lock.json."""
    with disk_errors(path, doing="read what the study is"):
        text = path.read_text(encoding="utf-8")
    try:
        lock: dict[str, Any] = json.loads(text)
        lock["spec_hash"]
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise InputError.of(
            expected=f"{path} must be what limitset wrote",
            got=f"{type(error).__name__}: {error}",
            fix="Restore it from a packed copy, or start in a new folder.",
        ) from error
    return lock


def require_same(path: Path, *, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Refuse to mix two specifications in one folder.

    Raises
    ------
    InputError
        Naming the first entries that differ, as ``spec.seed 1 -> 2``.
    """
    if found["spec_hash"] == wanted["spec_hash"]:
        return
    changes = list(_differences(_compared(found), _compared(wanted), ""))
    more = f" and {len(changes) - _SHOWN} more" if len(changes) > _SHOWN else ""
    raise InputError.of(
        expected=f"{path} must hold the same study, to resume it",
        got="; ".join(changes[:_SHOWN]) + more,
        fix="Undo the change, or name a new folder for the changed study.",
    )


def require_same_tasks(path: Path, *, found: Sequence[str], wanted: Sequence[Task]) -> None:
    """Refuse to resume when the same specification now means other tasks (a changed version)."""
    hashes = [task.hash for task in wanted]
    if list(found) == hashes:
        return
    odd = sum(one not in set(found) for one in hashes)
    raise InputError.of(
        expected=f"{path} must hold the tasks that this study now has, to resume it",
        got=f"{odd} of {len(hashes)} tasks differ (another version of limitset, a model or data)"
        if odd
        else f"{len(found)} tasks in place of {len(hashes)}, or in another order",
        fix="Finish it with the version that began it, or name a new folder.",
    )


def require_distinct(tasks: Sequence[Task]) -> None:
    """Refuse an empty task list, and one in which a task stands twice."""
    seen: set[str] = set()
    for task in tasks:
        if task.hash in seen:
            raise InputError.of(
                expected="a task may stand in a study once",
                got=f"twice {task.to_json()[:200]}",
                fix="Give repeated work different chunks.",
            )
        seen.add(task.hash)
    if not seen:
        raise InputError.of(
            expected="a study needs one task or more", got="none", fix="Choose items and models for it."
        )


def _compared(lock: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in lock.items() if key not in (*ENVIRONMENT, "spec_hash")}


def _canonical(value: Mapping[str, Any]) -> str:
    return json.dumps(dict(value), sort_keys=True, ensure_ascii=False, allow_nan=False)


def _differences(old: Any, new: Any, name: str) -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            yield from _differences(
                old.get(key, "nothing"), new.get(key, "nothing"), f"{name}.{key}" if name else key
            )
    elif old != new:
        yield f"{name} {_short(old)} -> {_short(new)}"


def _short(value: Any) -> str:
    text = value if value == "nothing" else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."
