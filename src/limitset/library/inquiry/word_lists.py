"""Which words has this package fixed beforehand?"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from limitset.library.inquiry.stemming import words_of


@cache
def listed_words(kind: str) -> frozenset[str]:
    """Return one list of `words.toml`.

    Examples
    --------
    >>> "rose" in listed_words("up")
    True
    """
    return frozenset(words_of(table_of("words.toml")[kind]))


@cache
def table_of(name: str) -> dict[str, Any]:
    """Return a TOML file of this package."""
    return tomllib.loads((Path(__file__).parent / name).read_text(encoding="utf-8"))
