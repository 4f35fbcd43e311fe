"""What does a question ask about: which things, and whether something that joins them?

Known phrases of the field come first (longest match, by stem), then every remaining word that is neither a
stop word nor a word of relation. Words of relation ("control", "affect") are no facet of their own.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from limitset.core.errors import InputError
from limitset.library.inquiry.stemming import stems_of, words_of
from limitset.library.inquiry.word_lists import listed_words, table_of

LONGEST: Final = 2000
"""Letters of a question; more is a text, not a question."""
MOST: Final = 8
"""Facets of one question; of more, the first are taken."""
MOST_VAGUE: Final = 2
"""Words that say little, kept beside a single facet."""


@dataclass(frozen=True)
class Facet:
    """One thing a question asks about.

    Parameters
    ----------
    name
        How it is called in the answer.
    same, near, read
        Phrases that say it, phrases that come close, and phrases by which only a question means it.
    generic
        Whether nearly every statement of the field speaks of it.
    known
        Whether it stands in the vocabulary.
    asked
        The words of the question that it was read from.
    follows
        Whether it stands right behind the facet before it, neither of them known: the two may be one phrase.
    """

    name: str
    same: tuple[str, ...]
    near: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    generic: bool = False
    known: bool = True
    asked: str = ""
    follows: bool = False


@dataclass(frozen=True)
class Plan:
    """What a question was read as.

    `relation` says whether it asks how its facets bear on each other; two facets or more always do.
    """

    question: str
    facets: tuple[Facet, ...]
    relation: bool
    left_out: tuple[str, ...] = ()


def plan(question: str) -> Plan:
    """Read a question.

    Raises
    ------
    InputError
        When it is empty, or longer than a question.

    Examples
    --------
    >>> [one.name for one in plan("How do normalization and re-injection control fixed points?").facets]
    ['normalization', 'input injection', 'fixed point']
    >>> plan("What is it about?").facets
    ()
    """
    text = " ".join(unicodedata.normalize("NFKC", question).split())
    if not text:
        raise InputError.of(
            expected="a question must not be empty",
            got="nothing",
            fix='Ask one, for example "Is agreement a sign of truth?".',
        )
    if len(text) > LONGEST:
        raise InputError.of(
            expected=f"a question has at most {LONGEST} letters", got=f"{len(text):,}", fix="Shorten it."
        )
    words = words_of(text)
    stems = stems_of(words)
    found: list[Facet] = []
    asked = behind = False
    place = 0
    while place < len(words):
        length, facet = _longest(stems, place)
        if not length:
            length, word = 1, words[place]
            asked = asked or word in listed_words("relation")
            if word not in listed_words("stop") and word not in listed_words("relation") and len(word) > 1:
                common = word in listed_words("common")
                facet = Facet(word, _spellings(word), generic=common, known=False, follows=behind)
        behind = facet is not None and not facet.known and not facet.generic
        if facet is not None and facet.name not in {one.name for one in found}:
            found.append(replace(facet, asked=" ".join(words[place : place + length])))
        place += length
    specific = [one for one in found if not one.generic]
    if len(specific) < 2:  # one name alone does not tell what is asked of it
        vague = [one for one in found if one.generic]
        specific += vague if not specific else vague[:MOST_VAGUE]
    kept = tuple(specific[:MOST])
    return Plan(text, kept, asked and len(kept) > 1, tuple(one.name for one in specific[MOST:]))


def _longest(stems: list[str], place: int) -> tuple[int, Facet | None]:
    """Return the length of the longest known phrase at a place, and its facet (None: a stop phrase)."""
    table, longest = _phrases()
    for length in range(min(longest, len(stems) - place), 0, -1):
        key = tuple(stems[place : place + length])
        if key in table:
            return length, table[key]
    return 0, None


@cache
def _phrases() -> tuple[dict[tuple[str, ...], Facet | None], int]:
    """Return stems of each phrase to its facet; what is a facet's name wins over another's synonym."""
    entries = vocabulary()
    phrases: list[tuple[str, Facet | None]] = [
        (phrase, one) for one in entries for phrase in (*one.read, *one.same[1:])
    ]
    phrases += [(one.name, one) for one in entries]
    phrases += [(phrase, None) for phrase in table_of("words.toml")["phrases"]]
    split = [words_of(phrase) for phrase, _ in phrases]
    flat = iter(stems_of([word for words in split for word in words]))
    table = {
        tuple(next(flat) for _ in words): facet for words, (_, facet) in zip(split, phrases, strict=True)
    }
    return table, max(map(len, table))


@cache
def vocabulary() -> tuple[Facet, ...]:
    """Return the facets of `vocabulary.toml`."""
    return tuple(
        Facet(
            one["name"],
            (one["name"], *one.get("same", ())),
            tuple(one.get("near", ())),
            tuple(one.get("read", ())),
            one.get("generic", False),
        )
        for one in table_of("vocabulary.toml")["facet"]
    )


def _spellings(word: str) -> tuple[str, ...]:
    """Return a word and its spelling on the other side of the Atlantic."""
    for one, other in (
        ("isation", "ization"),
        ("ise", "ize"),
        ("ising", "izing"),
        ("ised", "ized"),
        ("our", "or"),
    ):
        for here, there in ((one, other), (other, one)):
            if word.endswith(here) and len(word) > len(here) + 3:
                return (word, word[: -len(here)] + there)
    return (word,)
