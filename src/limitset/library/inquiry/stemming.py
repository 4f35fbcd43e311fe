"""To which stem does a word belong, exactly as the index sees it?"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable
from functools import cache
from typing import Final

WORD: Final = re.compile(r"[^\W_]+")
TOKENIZER: Final = "porter unicode61"
_APART: Final = re.compile(r"\b(general|normal|personal|univers|random|same)(i[sz]\w*|ness)\b", re.IGNORECASE)
"""Words that Porter's stemmer would throw together with a plain relative: general and generalization."""


def words_of(text: str) -> list[str]:
    """Return the words of a text in lower case, apart at hyphens and apostrophes.

    Examples
    --------
    >>> words_of("Re-injected inputs, 4 times")
    ['re', 'injected', 'inputs', '4', 'times']
    """
    return [word.lower() for word in WORD.findall(text)]


def kept_apart(text: str) -> str:
    """Return a text as it is indexed: words that the stemmer would confuse get stems of their own.

    Examples
    --------
    >>> kept_apart("Normalization of normal words; it generalises in general.")
    'Normalizx of normal words; it generalizx in general.'
    """
    return _APART.sub(lambda found: f"{found[1]}izx", text)


def stems_of(words: Iterable[str]) -> list[str]:
    """Return the stem of each word: that of the index (SQLite's Porter stemmer), one for one.

    Examples
    --------
    >>> stems_of(["points", "normalization", "normal", "settling"])
    ['point', 'normalizx', 'normal', 'settl']
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
            ((place, kept_apart(word)) for place, word in enumerate(words)),
        )
        found: dict[int, str] = {}
        for term, row in connection.execute("SELECT term, doc FROM stem ORDER BY doc, offset"):
            found.setdefault(row, term)
    finally:
        connection.close()
    return {word: found.get(place, word) for place, word in enumerate(words)}
