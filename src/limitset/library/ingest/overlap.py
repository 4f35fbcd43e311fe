"""Do two statements speak of the same, and does one say otherwise than the other?

Both are read off the words: a shared subject by rare stems in common, opposition by a denial on one side
only, by words of opposite meaning, or by other numbers. That proposes; it never decides.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

from limitset.library.holdings.records import Atom, Note
from limitset.library.inquiry.stemming import stems_of, words_of
from limitset.library.inquiry.word_lists import table_of

LEAST: Final = 0.35
"""Overlap from which two statements are taken to share a subject; fitted on half of the built-in
contradictions as they stood first, reported on the other half as they stand now (docs/library.md)."""

_EMPTY: Final = frozenset(
    words_of("""
    a about across after all also among an and any are as at be been before being between both but
    by can could  did do does each even every for from had has have how if in into is it its just
    may more most much no nor  not of on one only or other others our out over per same several
    should show shows shown so some such than  that the their them then there these they this those
    through to too two under up use used using very was we  were what when where whether which while
    who whose why will with within without would you founding essay  first second third fourth holds
    says asserts states claims study paper found find finds report reports
    """)
)
_DENIAL: Final = re.compile(
    r"\b(?:no|not|none|never|neither|nor|without|cannot|nothing|fails?|failed|undefined|wrong|unlike|little|hardly|"
    r"reverse|rather than|only|instead|nobody)\b|n[’']t\b",
    re.IGNORECASE,
)
_NUMBER: Final = re.compile(r"(?<![\w.])\d*\.?\d+(?:,\d{3})*(?!\w)")
_YEAR: Final = re.compile(r"(?:19|20)\d\d")
_OPPOSED: Final = (
    ("increases rises grows improves gains more greater larger bigger higher raises",
     "decreases reduces falls fell drops shrinks declines loses less fewer smaller lower worse"),
    ("smooth gradual slope continuous", "jump discontinuous discontinuity abrupt abruptly sudden suddenly"),
    ("same similar alike identical coincide share homogeneous universal",
     "differ different distinct diverse dissimilar varies"),
    ("converges convergence", "diverges divergence diversity"),
    ("true right correct", "false wrong incorrect"),
    ("stable robust", "unstable fragile collapses"),
    ("possible", "impossible"),
    ("depends", "independent"),
    ("necessary needs requires", "sufficient unnecessary possible"),
    ("standard default", "departure"),
    ("flat", "sharp steep"),
    ("memorize memorization", "generalize generalization"),
    ("linear", "nonlinear"),
    ("faster", "slower"),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Near:
    """A held statement that shares the subject of a new one; `why` says how it differs, "" where not."""

    note: Note
    atom: Atom
    overlap: float
    why: str


class Holdings:
    """The statements of held notes, indexed by stem.

    Parameters
    ----------
    notes
        The notes; those left out of a search are named there.
    """

    def __init__(self, notes: Iterable[Note]) -> None:
        self._rows = [(note, atom) for note in notes for atom in note.atoms]
        self._stems = [subject(atom.text) for _, atom in self._rows]
        self._index: dict[str, list[int]] = defaultdict(list)
        for place, stems in enumerate(self._stems):
            for stem in stems:
                self._index[stem].append(place)

    def near(self, text: str, *, least: float = LEAST) -> list[Near]:
        """Return the held statements with at least this overlap, nearest first."""
        stems = subject(text)
        shared: Counter[int] = Counter()
        for stem in stems:
            for place in self._index.get(stem, ()):
                shared[place] += 1
        found = [
            (self.overlap(stems, self._stems[place]), place)
            for place, count in shared.items()
            if count > 1 or len(stems) == 1
        ]
        found = sorted(
            ((one, place) for one, place in found if one >= least), key=lambda pair: (-pair[0], pair[1])
        )
        return [
            Near(note=note, atom=atom, overlap=round(one, 2), why=opposition(text, atom.text))
            for one, place in found
            for note, atom in [self._rows[place]]
        ]

    def overlap(self, first: frozenset[str], second: frozenset[str]) -> float:
        """Return the cosine of two sets of stems, the rarer a stem the heavier; 0 where one is empty."""
        lengths = self._length(first) * self._length(second)
        return sum(self._weight(stem) ** 2 for stem in first & second) / lengths if lengths else 0.0

    def _length(self, stems: frozenset[str]) -> float:
        return math.sqrt(sum(self._weight(stem) ** 2 for stem in stems))

    def _weight(self, stem: str) -> float:
        return math.log(1 + len(self._rows) / (1 + len(self._index.get(stem, ()))))


def telling(text: str) -> frozenset[str]:
    """Return the words of a text that are neither empty nor a number.

    Examples
    --------
    >>> sorted(telling("Do loops settle in 3 steps?"))
    ['loops', 'settle', 'steps']
    """
    return frozenset(word for word in words_of(text) if word not in _EMPTY and not word.isdigit())


@lru_cache(maxsize=1 << 17)
def subject(text: str) -> frozenset[str]:
    """Return the stems that say what a text is about: no empty words, no numbers.

    Words for one thing of the field (inquiry/vocabulary.toml) count as that thing.

    Examples
    --------
    >>> sorted(subject("Forgetting is not a jump in 3 models"))
    ['=discontinuity', '=forgetting', 'model']
    >>> subject("post-norm") == subject("Normalisation")
    True
    """
    words = words_of(text)
    stems = stems_of(words)
    found: set[str] = set()
    place = 0
    while place < len(words):
        length, name = _named(stems, place)
        if name:
            found.add(f"={name}")
        elif words[place] not in _EMPTY and not words[place].isdigit():
            found.add(stems[place])
        place += length
    return frozenset(found)


def _named(stems: list[str], place: int) -> tuple[int, str]:
    """Return length and name of the longest phrase of the field that begins here, or one word and ""."""
    for phrase, name in _phrases().get(stems[place], ()):
        if tuple(stems[place : place + len(phrase)]) == phrase:
            return len(phrase), name
    return 1, ""


@cache
def _phrases() -> dict[str, list[tuple[tuple[str, ...], str]]]:
    """Return first stem to the phrases that begin with it, the longest first, each with what it is called."""
    found: dict[tuple[str, ...], str] = {}
    for facet in table_of("vocabulary.toml")["facet"]:
        if facet.get("generic"):  # says little, and its words differ in meaning
            continue
        for phrase in (facet["name"], *facet.get("same", ())):
            stems = tuple(stems_of(words_of(phrase)))
            if stems and not set(words_of(phrase)) <= _EMPTY:
                found.setdefault(stems, facet["name"])
    by_first: dict[str, list[tuple[tuple[str, ...], str]]] = defaultdict(list)
    for stems in sorted(found, key=lambda one: (-len(one), one)):
        by_first[stems[0]].append((stems, found[stems]))
    return by_first


def opposition(first: str, second: str) -> str:
    """Say how one statement could say otherwise than another on the same subject, "" where nothing shows.

    Examples
    --------
    >>> opposition("Forgetting is smooth.", "Forgetting is a sudden jump.")
    'smooth against jump'
    >>> opposition("Loss falls.", "Loss falls.")
    ''
    """
    if bool(_DENIAL.search(first)) != bool(_DENIAL.search(second)):
        return "one denies what the other states"
    words = [_by_stem(first), _by_stem(second)]
    for one, other in _opposed():
        for left, right in ((one, other), (other, one)):
            has = [left & set(words[0]), right & set(words[1])]
            if all(has) and not (left & set(words[1]) or right & set(words[0])):
                return f"{words[0][min(has[0])]} against {words[1][min(has[1])]}"
    numbers = [_numbers(first), _numbers(second)]
    if all(numbers) and not numbers[0] & numbers[1]:
        return f"other numbers: {_listed(numbers[0])} against {_listed(numbers[1])}"
    return ""


def _by_stem(text: str) -> dict[str, str]:
    words = words_of(text)
    return dict(zip(stems_of(words), words, strict=True))


def _opposed() -> list[tuple[frozenset[str], frozenset[str]]]:
    return [(frozenset(stems_of(one.split())), frozenset(stems_of(other.split()))) for one, other in _OPPOSED]


def _numbers(text: str) -> set[str]:
    return {number for number in _NUMBER.findall(text) if not _YEAR.fullmatch(number)}


def _listed(numbers: set[str]) -> str:
    return ", ".join(sorted(numbers)[:3])
