"""How is JSON that nobody vouches for read, so that every fault of it is named with its place?

Python's own reader lets a second value of a key replace the first and half of a surrogate pair pass, and
stops with four different errors on other faults. Here all of them are one named error.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from limitset.core.errors import InputError

SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")
"""Where half of a surrogate pair may stand; most texts have none, so most are not looked at twice."""


class _KeyTwiceError(ValueError):
    """An object has one key twice."""


def parsed(text: str, *, place: str) -> Any:
    """Read one JSON text.

    Parameters
    ----------
    text
        The whole text.
    place
        Where it stands, for the error: "line 3 of a.jsonl".

    Raises
    ------
    InputError
        When it is no JSON, is cut off, nests too deep, has a number of thousands of digits, one key twice, or
        half of a surrogate pair.

    Examples
    --------
    >>> parsed('{"a": 1}', place="line 1")
    {'a': 1}
    >>> parsed('{"a": 1, "a": 2}', place="line 1")
    Traceback (most recent call last):
    limitset.core.errors.InputError: line 1 must be JSON; got the key 'a' twice in one object. Mend it.
    """
    try:
        value = json.loads(text, object_pairs_hook=_once)
    except _KeyTwiceError as error:
        raise InputError.of(expected=f"{place} must be JSON", got=str(error), fix="Mend it.") from error
    except (ValueError, RecursionError) as error:
        raise InputError.of(
            expected=f"{place} must be whole JSON",
            got=str(error)[:200],
            fix="If the file was cut off, leave that part out or write it again.",
        ) from error
    if SURROGATE.search(text) and not _encodable(value):
        raise InputError.of(
            expected=f"texts in {place} must be Unicode",
            got="half of a surrogate pair",
            fix="Write the whole character, or leave that record out.",
        )
    return value


def decoded(raw: bytes, *, place: str) -> str:
    """Read bytes as UTF-8, or name the byte that is not."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError.of(
            expected=f"{place} must be UTF-8",
            got=f"byte {raw[error.start]:#x} at position {error.start}",
            fix="Save it as UTF-8.",
        ) from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _KeyTwiceError(f"the key {twice[:60]!r} twice in one object")
    return found


def _encodable(value: object) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (UnicodeEncodeError, RecursionError):
        return False
    return True
