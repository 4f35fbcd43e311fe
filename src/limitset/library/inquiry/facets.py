"""What does a question ask about: which things, and whether something that joins them?

Known phrases of the field come first (longest match, by stem), then every remaining word that is neither a
stop word nor a word of relation. Words of relation ("control", "affect") are no facet of their own.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from limitset.core.errors import InputError
from limitset.library.inquiry.named import Named, names_in
from limitset.library.inquiry.stemming import stems_of, words_of
from limitset.library.inquiry.word_lists import listed_words, table_of

LONGEST: Final = 2000
"""Letters of a question; more is a text, not a question."""
MOST: Final = 8
"""Facets of one question; of more, the first are taken."""
LEAST_ADVERB: Final = 6
YEAR: Final = 4
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
    named
        Whether it is a proper name: an answer that does not speak of it is thin at most.
    sources
        Ids of sources that it names, by number or by author; what stands on them speaks of it.
    """

    name: str
    same: tuple[str, ...]
    near: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    generic: bool = False
    known: bool = True
    asked: str = ""
    follows: bool = False
    named: bool = False
    sources: tuple[str, ...] = ()


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
    names = [one for one in names_in(text) if one.kind != "version" or not _known_phrase(one.text)]
    proper = {one.text.lower(): one.text for one in names if one.kind == "proper"}
    plain, set_apart = _set_apart(text, [one for one in names if one.kind != "proper"])
    words = words_of(plain)
    stems = stems_of(words)
    found: list[Facet] = []
    asked = behind = False
    place = 0
    while place < len(words):
        length, facet = (1, set_apart[words[place]]) if words[place] in set_apart else _longest(stems, place)
        if not length:
            length, word = 1, words[place]
            asked = asked or word in listed_words("relation")
            if word not in listed_words("stop") and word not in listed_words("relation") and len(word) > 1:
                facet = _unknown(word, proper.get(word, ""), follows=behind)
        behind = facet is not None and not facet.known and not facet.generic
        if facet is not None and facet.name not in {one.name for one in found}:
            found.append(replace(facet, asked=facet.asked or " ".join(words[place : place + length])))
        place += length
    specific = [one for one in found if not one.generic]
    if len(specific) < 2:  # one name alone does not tell what is asked of it
        vague = [one for one in found if one.generic]
        specific += vague if not specific else vague[:MOST_VAGUE]
    kept = tuple(specific[:MOST])
    return Plan(text, kept, asked and len(kept) > 1, tuple(one.name for one in specific[MOST:]))


def _set_apart(text: str, names: list[Named]) -> tuple[str, dict[str, Facet]]:
    """Return a question with each name as one word, and what those words stand for."""
    found: dict[str, Facet] = {}
    for place, one in reversed(list(enumerate(names))):
        word = f"zzname{place}zz"
        number = one.kind == "number"
        said = f"arXiv {one.text}" if one.kind == "source" and "/" not in one.text else one.text
        joined = re.sub(r"[\s-]+", "", one.text)
        found[word] = Facet(
            said,
            tuple(dict.fromkeys((one.text, joined))),
            known=not number,
            asked=one.text,
            named=not number,
        )
        text = f"{text[: one.start]} {word} {text[one.end :]}"
    return text, found


def _unknown(word: str, proper: str, *, follows: bool) -> Facet:
    """Return the facet of a word that is no name of the field; how something is done is none of its own."""
    common = word in listed_words("common") or (word.endswith("ly") and len(word) > LEAST_ADVERB)
    year = word.isdigit() and len(word) == YEAR and word[:2] in ("19", "20")
    named = bool(proper) and not common
    return Facet(
        proper if named else word,
        _spellings(word),
        generic=common or year,
        known=False,
        follows=follows and not named,
        named=named,
    )


def _known_phrase(text: str) -> bool:
    return tuple(stems_of(words_of(text))) in _phrases()[0]


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
