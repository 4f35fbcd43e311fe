"""Which works does an instrument rest on, and how are they cited?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files

from limitset.core.errors import InputError

_ENTRY = re.compile(r"^@\w+\{([^,\s]+),(.*?)^\}", re.MULTILINE | re.DOTALL)
_USED = re.compile(r"^\s*limitset\s*=\s*\{([^}]*)\}", re.MULTILINE)


@lru_cache(maxsize=1)
def entries() -> Mapping[str, str]:
    """Return every BibTeX entry of the package by its key."""
    text = files("limitset.report").joinpath("refs.bib").read_text(encoding="utf-8")
    return {found.group(1): found.group(0) for found in _ENTRY.finditer(text)}


@lru_cache(maxsize=1)
def instruments() -> Mapping[str, tuple[str, ...]]:
    """Return the keys of the works behind each instrument; the field `limitset` of an entry names them."""
    found: dict[str, list[str]] = {}
    for key, entry in entries().items():
        used = _USED.search(entry)
        for name in used.group(1).split(",") if used else ():
            found.setdefault(name.strip(), []).append(key)
    return {name: tuple(keys) for name, keys in sorted(found.items())}


def citations(instrument: str) -> str:
    """Return the BibTeX of the works behind one instrument.

    Raises
    ------
    InputError
        When no instrument has that name.

    Examples
    --------
    >>> print(citations("surviving_error").splitlines()[0])
    @inproceedings{wang2023selfconsistency,
    """
    if instrument not in instruments():
        raise InputError.of(
            expected=f"instruments with references are {', '.join(instruments())}",
            got=instrument,
            fix="Use one of these names.",
        )
    return "\n\n".join(_without_use(entries()[key]) for key in instruments()[instrument])


def _without_use(entry: str) -> str:
    return "\n".join(line for line in entry.splitlines() if not line.lstrip().startswith("limitset"))
