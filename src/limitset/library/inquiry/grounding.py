"""Does a sentence say no more than what it cites?

Checks of form, not of meaning: every number, name and id of the sentence stands in what it cites; it has no
word of direction (rise, fall, more, less) that the cited text lacks; negations pair up; its words are theirs.
They catch the reversals and inventions that rephrasing makes; they do not prove entailment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from limitset.library.inquiry.answer import Relation, Search, Sentence
from limitset.library.inquiry.stemming import stems_of, words_of
from limitset.library.inquiry.word_lists import listed_words, table_of

NUMBER: Final = re.compile(r"(?<![\w.])[-−]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d{1,3}(?!\d))?")
IDENTIFIER: Final = re.compile(
    r"\b(?:[a-z0-9]+(?:-[a-z0-9]+)+#[a-z0-9]+|[uv]-\d{2}[a-z]?-[\w-]+|\d{4}\.\d{4,5}|10\.\d{4,}/\S+)"
)
NAME: Final = re.compile(r"(?<![.!?“:]\s)(?<!^)(?<![“(])\b([A-Z][\w'’-]*|[a-z]+[A-Z]\w*)")

LEAST_SHARED: Final = 0.6
"""Share of a rephrased sentence's own words that must stand in what it cites."""
LEAST_KEPT: Final = 0.8
"""Share of the original's words, stop words aside, that must be kept: what is dropped may be the subject."""


def numbers_of(text: str) -> set[str]:
    """Return the numbers of a text, however they are set.

    Examples
    --------
    >>> sorted(numbers_of("1,024 pairs, 0.50 of −3 (2e-4); GPT-4"))
    ['-3', '0.0002', '0.5', '1024', '4']
    >>> sorted(numbers_of("v-01e-20261122-2"))  # an id is no power of ten
    ['1', '2', '20261122']
    """
    found = set()
    for one in NUMBER.findall(text.replace("GPT-", "GPT ")):
        plain = one.replace(",", "").replace("−", "-").rstrip(".")
        found.add(f"{float(plain):.12g}")
    return found


def names_of(text: str) -> set[str]:
    """Return the words that carry a capital inside a sentence.

    Examples
    --------
    >>> sorted(names_of("The model of Labovich is no LLM."))
    ['LLM', 'Labovich']
    """
    return {one.rstrip("'’") for one in NAME.findall(text)}


def directions_of(text: str) -> dict[str, int]:
    """Return how many words of each direction a text has.

    Examples
    --------
    >>> directions_of("More width, less and less error.")
    {'up': 1, 'down': 2}
    """
    words = words_of(text)
    return {name: sum(word in listed_words(name) for word in words) for name in ("up", "down")}


def negated(text: str) -> bool:
    """Whether a text has an odd number of negations."""
    return sum(word in listed_words("negations") for word in words_of(text)) % 2 == 1


def unsupported(text: str, cited: Sequence[str]) -> list[str]:
    """Return what a sentence says beyond the texts it cites; empty where it says nothing more.

    Examples
    --------
    >>> unsupported("The share rose to 0.9.", ["The share fell to 0.8."])
    ['number 0.9', 'direction up']
    """
    whole = "\n".join(cited)
    found = [f"number {one}" for one in sorted(numbers_of(text) - numbers_of(whole))]
    found += [f"id {one}" for one in sorted(set(IDENTIFIER.findall(text)) - set(IDENTIFIER.findall(whole)))]
    known = {word.lower() for word in re.findall(r"[\w'’-]+", whole)}
    found += [f"name {one}" for one in sorted(names_of(text)) if one.lower() not in known]
    held = directions_of(whole)
    found += [f"direction {name}" for name, count in directions_of(text).items() if count > held[name]]
    return found


def changed(text: str, original: str) -> list[str]:
    """Return in what a rephrased sentence departs from the one it stands for; empty where it may stand.

    Beyond `unsupported`: nothing may be lost of numbers, names and directions, negations must pair up, no
    pair of opposites may be swapped, no hedge may be dropped, nothing may be put before it, most of its words
    must be the original's and most of the original's must be kept.
    """
    found = unsupported(text, [original])
    found += [f"number {one} lost" for one in sorted(numbers_of(original) - numbers_of(text))]
    kept = {word.lower() for word in re.findall(r"[\w'’-]+", text)}
    found += [f"name {one} lost" for one in sorted(names_of(original)) if one.lower() not in kept]
    if text.count(":") > original.count(":"):
        found.append("an introduction was put before it")
    now_pointing = directions_of(text)
    found += [
        f"direction {name} lost"
        for name, count in directions_of(original).items()
        if count > now_pointing[name]
    ]
    if negated(text) != negated(original):
        found.append("a negation came or went")
    now, then = set(words_of(text)), set(words_of(original))
    for left, right in table_of("words.toml")["opposed"]:
        if (left in now) != (left in then) and (right in now) != (right in then):
            found.append(f"{left} and {right} changed places")
    if then & listed_words("hedges") and not now & listed_words("hedges"):
        found.append("a hedge was dropped")
    own, theirs = set(stems_of(now)), set(stems_of(then))
    if own and len(own & theirs) / len(own) < LEAST_SHARED:
        found.append(f"{len(own - theirs)} of {len(own)} words are new")
    said = set(stems_of(word for word in then if word not in listed_words("stop")))
    if said and len(said & own) / len(said) < LEAST_KEPT:
        found.append(f"{len(said - own)} of {len(said)} words are lost")
    return found


def ungrounded(sentence: Sentence, texts: Mapping[str, str], search: Search) -> list[str]:
    """Return what keeps a sentence of an answer from being grounded.

    Parameters
    ----------
    sentence
        It.
    texts
        What each id says, with what stands around it (title of its source, its day).
    search
        The record that licenses absence.
    """
    missing = [f"id {one} is not held" for one in sentence.cites if one not in texts]
    if missing:
        return missing
    if sentence.relation is Relation.ABSENCE:
        allowed = {f"{one:.12g}" for one in (search.statements, *search.found.values(), 0)}
        allowed |= {one for name in search.found for one in numbers_of(name)}
        return [f"number {one} is not in the search" for one in sorted(numbers_of(sentence.text) - allowed)]
    if not sentence.cites:
        return ["it cites nothing"]
    cited = [f"{one} {texts[one]}" for one in sentence.cites]
    if sentence.relation is Relation.LIMITS or sentence.relation is Relation.COMBINES:
        cited.append(f"{len(sentence.cites)} more less")  # they count what they cite and speak of its reach
    found = unsupported(sentence.text, cited)
    if sentence.relation is Relation.STATES and "rephrased" not in sentence.marks:
        own = set(_stems(sentence.text)) - set(_stems(" ".join(cited))) - set(stems_of(listed_words("forms")))
        found += [f"word {one}" for one in sorted(own)]
    return found


def _stems(text: str) -> list[str]:
    return stems_of(words_of(text))
