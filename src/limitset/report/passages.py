"""Of what does the text of a page consist: sentences with links, entries, pairs, text to copy, filters?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from limitset.core.errors import InputError

Tone = Literal["", "right", "wrong", "open", "unrun", "part"]
"""What a standing or an entry says at a glance; each has a colour and a sign of its own."""

SIGNS: Final = {"": "", "right": "●", "wrong": "■", "open": "◇", "unrun": "○", "part": "◐"}
"""Tone to the sign before its word: nothing is told by colour alone."""

_FRAGMENT: Final = r"#[A-Za-z][A-Za-z0-9_-]*"
_FOLLOWABLE: Final = re.compile(
    rf"{_FRAGMENT}|(\.{{1,2}}/)*([A-Za-z0-9_][A-Za-z0-9._-]*/)*[A-Za-z0-9_][A-Za-z0-9._-]*\.html({_FRAGMENT})?"
    r"|https?://[A-Za-z0-9.-]+(:\d+)?([/?#][!-~]*)?"
)


def followable(to: str) -> bool:
    """Whether an address may stand in a link: a place on the page, a page beside it, or the web.

    Examples
    --------
    >>> followable("#s-one"), followable("../claims/24a.html"), followable("javascript:alert(1)")
    (True, True, False)
    """
    return bool(_FOLLOWABLE.fullmatch(to)) and not set(to) & set("\"'<>\\`")


def slug(text: str) -> str:
    """Return a word of a-z, 0-9 and - that can name a place on a page.

    Examples
    --------
    >>> slug("v-06a#2 (new)")
    'v-06a-2-new'
    """
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "nameless"


@dataclass(frozen=True, kw_only=True)
class Link:
    """Words that lead somewhere; `about` is said on hover and by a screen reader.

    Raises
    ------
    InputError
        When the address is neither a place on the page, nor a page beside it, nor http(s).
    """

    words: str
    to: str
    about: str = ""

    def __post_init__(self) -> None:
        if not followable(self.to):
            raise InputError.of(
                expected="a link leads to #place, page.html or https://...",
                got=self.to[:80],
                fix="Leave the link out and show the words.",
            )


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How it stands, in one word with its sign, and why: "Thin: nothing is held on ...".

    `when` is said before it ("before", "now"); empty where there is only one.
    """

    word: str
    text: str
    tone: Tone = ""
    when: str = ""


@dataclass(frozen=True, kw_only=True)
class Said:
    """One sentence: what carries it (links), what must be seen beside it (marks), what runs it (command).

    `news` is "new" or "gone" where the page compares two states; `label` is set in bold before the text.
    """

    text: str
    links: tuple[Link, ...] = ()
    marks: tuple[str, ...] = ()
    command: str = ""
    news: Literal["", "new", "gone"] = ""
    label: str = ""


@dataclass(frozen=True, kw_only=True)
class Passage:
    """Sentences under a title; `tone` sets it off from the rest, `foot` is a smaller line at its end."""

    name: str
    title: str
    said: tuple[Said, ...]
    intro: tuple[str, ...] = ()
    tone: Tone = ""
    fold: Literal["", "open", "closed"] = ""
    foot: str = ""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One thing in a list: a source, a claim, a side of a contradiction.

    `name` is the place that links lead to; `kinds` are the words that filters know it by.
    """

    name: str
    title: str
    to: str = ""
    text: str = ""
    facts: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    standing: Standing | None = None
    command: str = ""
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Entries:
    """A list of entries under a title."""

    name: str
    title: str
    entries: tuple[Entry, ...]
    intro: tuple[str, ...] = ()
    fold: Literal["", "open", "closed"] = ""


@dataclass(frozen=True, kw_only=True)
class Sides:
    """Entries that stand against each other, row by row."""

    name: str
    title: str
    rows: tuple[tuple[Entry, ...], ...]
    intro: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Copyable:
    """Text to take away, whole, with its line ends."""

    name: str
    title: str
    text: str
    intro: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Filters:
    """Buttons that hide entries; without a script there are none, and all entries stand open.

    `groups` are (title, ((kind, words), ...)): one of a group, and all groups, must fit.
    """

    name: str
    title: str
    groups: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]


Block = Passage | Entries | Sides | Copyable | Filters


def places(blocks: Sequence[Block]) -> Iterator[str]:
    """Yield every name that the blocks give to a place on the page."""
    for block in blocks:
        yield block.name
        entries: Sequence[Any] = ()
        if isinstance(block, Entries):
            entries = block.entries
        elif isinstance(block, Sides):
            entries = [entry for row in block.rows for entry in row]
        yield from (entry.name for entry in entries)


def targets(blocks: Sequence[Block]) -> Iterator[str]:
    """Yield every place on the page that a link of the blocks leads to."""
    for block in blocks:
        for link in _links(block):
            if link.startswith("#"):
                yield link[1:]


def _links(block: Block) -> Iterator[str]:
    held: list[Said | Entry] = []
    if isinstance(block, Passage):
        held = list(block.said)
    elif isinstance(block, Entries):
        held = list(block.entries)
    elif isinstance(block, Sides):
        held = [entry for row in block.rows for entry in row]
    for one in held:
        yield from (link.to for link in one.links)
        if isinstance(one, Entry) and one.to:
            yield one.to
