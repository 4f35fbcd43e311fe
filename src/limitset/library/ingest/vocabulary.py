"""Which level and which tags do the held notes suggest for a new text?"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Final

from limitset.core.levels import Level
from limitset.library.holdings.records import Note
from limitset.library.ingest.overlap import subject

MOST_TAGS: Final = 6
ABOUT_THE_LIBRARY: Final = frozenset({"erratum", "rival", "claims-library", "history"})
"""Tags that say what a note is for, not what it is about."""


class Vocabulary:
    """What held notes say about levels and tags.

    Parameters
    ----------
    notes
        The held notes.

    Notes
    -----
    The level is that of naive Bayes over stems with one added count; a tag is proposed when every stem of
    its name stands in the text, the rarest first. The measured error stands in docs/library.md.
    """

    def __init__(self, notes: Iterable[Note]) -> None:
        self._counts: dict[Level, Counter[str]] = defaultdict(Counter)
        self._notes: Counter[Level] = Counter()
        self._tags: Counter[str] = Counter()
        for note in notes:
            self._notes[note.level] += 1
            self._tags.update(set(note.tags) - ABOUT_THE_LIBRARY)
            for text in (note.title, *(atom.text for atom in note.atoms)):
                self._counts[note.level].update(subject(text))

    def level(self, text: str) -> Level:
        """Propose a level; `Level.ANSWER` where nothing is held."""
        if not self._notes:
            return Level.ANSWER
        stems = subject(text)
        known = len(set().union(*self._counts.values()))
        return max(sorted(self._notes), key=lambda level: self._likelihood(level, stems, known))

    def tags(self, text: str) -> tuple[str, ...]:
        """Propose at most six tags that are in use."""
        stems = subject(text)
        fitting = [tag for tag in self._tags if (parts := subject(tag.replace("-", " "))) and parts <= stems]
        return tuple(sorted(sorted(fitting, key=lambda tag: (self._tags[tag], tag))[:MOST_TAGS]))

    def _likelihood(self, level: Level, stems: frozenset[str], known: int) -> float:
        counts = self._counts[level]
        total = counts.total() + known
        prior = math.log(self._notes[level] / self._notes.total())
        return prior + sum(math.log((counts[stem] + 1) / total) for stem in sorted(stems))
