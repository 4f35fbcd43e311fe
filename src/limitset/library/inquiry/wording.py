"""In which words is one statement said, and with which marks?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from limitset.library.inquiry.answer import Relation, Sentence
from limitset.library.inquiry.material import Material
from limitset.library.inquiry.statements import Statement
from limitset.library.inquiry.word_lists import listed_words

_SPEAKERS: Final = {
    "essay": "An essay argues",
    "press": "A press piece says",
    "paper": "A paper argues",
    "preprint": "A preprint argues",
    "docs": "A document says",
    "own-run": "Those who ran it hold",
}
_SAID: Final = re.compile(
    r"\b(essays?|texts?|papers?|preprints?|authors?|maintainers?|press|prompt)\b.{0,60}\b"
    r"(holds?|argues?|says?|asserts?|claims?|calls?|describes?|asks?|proposes?|advises?|suggests?|expects?|names?|"
    r"treats?|sees?|gives?|contradict|speaks?|concludes?|presents?|separates?|reads?|takes?|traces?|compares?|warns?|"
    r"reports?|misreports?|cites?|states?|writes?|quotes?|attributes?|denies|deny|admits?|defines?|puts?|adds?)\b",
    re.IGNORECASE,
)
_BEGINS: Final = re.compile(
    r"(the|an?|one|two|three|four|both|all|some|most|its?|his|her|their)\s+(\w+\s+){0,3}"
    r"(essays?|texts?|papers?|preprints?|authors?|maintainers?|press|reports?|documents?|sources?)\b",
    re.IGNORECASE,
)


def listed(names: Sequence[str], *, last: str = "and") -> str:
    """Return names as a sentence lists them.

    Examples
    --------
    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {last} {names[-1]}"


def stated(material: Material, one: Statement, *, adjacent: bool = False) -> Sentence:
    """Say what one statement says: its own words, an opinion attributed where its words do not do so.

    A correction is never credited to the text that it corrects.
    """
    text = one.text
    spoken = _SAID.search(text) or _BEGINS.match(text)
    if one.modality == "opinion" and one.status != "erratum" and not spoken:
        card = material.card(one)
        speaker = _SPEAKERS.get(card.kind if card else "", "Somebody argues")
        text = f"{speaker} that {lowered(text)}" if lowered(text) != text else f"{speaker}: {text}"
    return Sentence(
        text=ended(text),
        cites=(one.id,),
        relation=Relation.STATES,
        marks=marks(material, one, adjacent=adjacent),
    )


def marks(material: Material, one: Statement, *, adjacent: bool = False) -> tuple[str, ...]:
    """Return what a reader must see beside a statement."""
    given = {
        "opinion": one.modality == "opinion",
        "inference": one.modality == "inference",
        "unread": material.unread(one),
        "stale": material.stale(one),
        "adjacent": adjacent,
    }
    return tuple(mark for mark, holds in given.items() if holds)


def lowered(text: str) -> str:
    """Return a text with a small first letter where that can not harm a name.

    Examples
    --------
    >>> lowered("The larger model wins."), lowered("Adam's Law holds.")
    ('the larger model wins.', "Adam's Law holds.")
    """
    first = text.split(maxsplit=1)[0] if text.split() else ""
    return text[0].lower() + text[1:] if first.lower() in listed_words("first") else text


def ended(text: str) -> str:
    """Return a text that ends as a sentence does."""
    return text if text.rstrip().endswith((".", "!", "?", "”")) else f"{text.rstrip()}."
