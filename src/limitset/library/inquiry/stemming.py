"""To which stem does a word belong, exactly as the index sees it?"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable
from functools import cache
from typing import Final

WORD: Final = re.compile(r"[^\W_]+")
TOKENIZER: Final = "porter unicode61"


def words_of(text: str) -> list[str]:
    """Return the words of a text in lower case, apart at hyphens and apostrophes.

    Examples
    --------
    >>> words_of("Re-injected inputs, 4 times")
    ['re', 'injected', 'inputs', '4', 'times']
    """
    return [word.lower() for word in WORD.findall(text)]


def stems_of(words: Iterable[str]) -> list[str]:
    """Return the stem of each word: that of the index (SQLite's Porter stemmer), one for one.

    Examples
    --------
    >>> stems_of(["points", "normalization", "settling"])
    ['point', 'normal', 'settl']
    """
    wanted = list(words)
    missing = sorted({word for word in wanted if word not in _known()})
    if missing:
        _known().update(_stemmed(missing))
    return [_known()[word] for word in wanted]


@cache
def _known() -> dict[str, str]:
    return {}


def _stemmed(words: list[str]) -> dict[str, str]:
    """Let SQLite stem each word: as a row of its own, read back from the vocabulary of the index."""
    connection = sqlite3.connect(":memory:")
    try:
        connection.execute(f"CREATE VIRTUAL TABLE one USING fts5(word, tokenize='{TOKENIZER}')")
        connection.execute("CREATE VIRTUAL TABLE stem USING fts5vocab(one, 'instance')")
        connection.executemany(
            "INSERT INTO one(rowid, word) VALUES (?, ?)",
            enumerate(words),
        )
        found: dict[int, str] = {}
        for term, row in connection.execute("SELECT term, doc FROM stem ORDER BY doc, offset"):
            found.setdefault(row, term)
    finally:
        connection.close()
    return {word: found.get(place, word) for place, word in enumerate(words)}
