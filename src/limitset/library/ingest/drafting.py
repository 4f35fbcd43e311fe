"""How does a text become a source and a draft of a note?"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Container, Mapping
from typing import Final

from limitset.core.errors import InputError
from limitset.core.levels import Level
from limitset.library.holdings.records import Atom, Note, Source
from limitset.library.ingest.incoming import Incoming
from limitset.library.ingest.sentences import Statement, half_life_of, statements_of
from limitset.library.ingest.vocabulary import Vocabulary
from limitset.library.inquiry.instructions import instruction_in
from limitset.library.inquiry.stemming import words_of

LONGEST_ID: Final = 60
_SHORT: Final = frozenset(
    words_of("a an and are as at by do does for from how in is of on or the to what when why with")
)


def source_of(
    given: Incoming, *, taken: Mapping[str, Source], today: dt.date, lineage: str = "", named: str = ""
) -> Source:
    """Describe where a text comes from.

    Parameters
    ----------
    given
        The text.
    taken
        The sources held: an id among them is not given again.
    today
        The day on which it was pasted.
    lineage
        The group of independence it belongs to; its own id if left out.
    named
        Its id, where it takes the place of a source that is held.
    """
    name = named or _free(_source_name(given), taken)
    read = {
        "abstract": ("abstract", "abstract pasted by the user"),
        "prose": ("full", f"read from {given.name}"),
        "nothing": ("secondary", f"entry {given.name} without an abstract"),
    }[given.origin]
    return Source.model_validate(
        {
            "id": name,
            "title": given.title,
            "authors": given.authors or ("not given",),
            "year": given.year,
            "arxiv": given.arxiv,
            "doi": given.doi,
            "url": given.url,
            "kind": given.kind,
            "access": read[0],
            "version_read": given.version,
            "verified_on": today,
            "verified_how": read[1],
            "lineage": lineage or name,
        }
    )


def note_of_source(
    given: Incoming,
    source: Source,
    *,
    vocabulary: Vocabulary,
    level: str,
    taken: Container[str],
    today: dt.date,
) -> tuple[Note, tuple[str, ...]]:
    """Draft a note.

    Returns
    -------
    note, remarks
        The note, and what a reader should mend in it.

    Raises
    ------
    InputError
        When the text holds no sentence that can be checked, or the level is not one.
    """
    statements = statements_of(given.text)
    if not statements:
        raise InputError.of(
            expected=f"{given.name} must hold a sentence that can be checked, of five words or more",
            got="none",
            fix="Write what was found, as a sentence.",
        )
    whole = " ".join([given.title, *(one.text for one in statements)])
    note = Note(
        id=_free(_slug(f"{source.id} {_short_title(given.title)}"), taken),
        title=_question(given, source),
        gist=_gist(statements),
        level=_level(level) if level else vocabulary.level(whole),
        tags=vocabulary.tags(whole),
        created=today,
        reviewed_on=today,
        half_life_days=half_life_of(whole),
        atoms=tuple(
            Atom.model_validate(
                {
                    "id": str(place),
                    "text": one.text,
                    "source": source.id,
                    "locator": "abstract" if given.origin == "abstract" else f"sentence {place}",
                    # prose that names no source for a sentence reports no measurement of its own
                    "modality": "inference"
                    if given.origin == "prose" and one.modality == "finding"
                    else one.modality,
                }
            )
            for place, one in enumerate(statements, start=1)
        ),
    )
    hanging = [str(place) for place, one in enumerate(statements, start=1) if one.hangs]
    remarks = (
        (f"statement {', '.join(hanging)} leans on its neighbours: name its subject",) if hanging else ()
    )
    return note, remarks


def _question(given: Incoming, source: Source) -> str:
    title = given.title.rstrip(".")
    if instruction_in(title):
        return f"What does {source.id} show?"
    if title.endswith("?"):
        return title
    by = f" ({given.authors[0].split()[-1]}, {source.year})" if given.authors else ""
    return f"What does {title}{by} show?"


def _gist(statements: tuple[Statement, ...]) -> str:
    """Take the best two sentences, in the order of the text; none that reads as an order."""
    fit = [place for place, one in enumerate(statements) if not instruction_in(one.text)]
    best = sorted(fit, key=lambda place: (-statements[place].score, place))[:2]
    return " ".join(statements[place].text for place in sorted(best)) or "Every statement reads as an order."


def _level(name: str) -> Level:
    if name not in list(Level):
        raise InputError.of(
            expected=f"--level is {', '.join(Level)}", got=repr(name), fix="Choose one of these."
        )
    return Level(name)


def _source_name(given: Incoming) -> str:
    if given.authors:
        # "L. van Beethoven" -> beethoven; "OpenAI" -> openai
        surname = _slug(given.authors[0].split()[-1])
        if surname:
            return f"{surname[:40]}-{given.year}"
    if given.arxiv:
        return f"arxiv-{_slug(given.arxiv)}"
    return f"{_slug(_short_title(given.title)) or 'untitled'}-{given.year}"


def _short_title(title: str) -> str:
    words = [word for word in re.findall(r"[^\W_]+", title) if word.lower() not in _SHORT]
    return " ".join(words[:5])


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss").replace("ø", "o").replace("ł", "l"))
    ascii_only = plain.encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_only).strip("-")[:LONGEST_ID].rstrip("-")


def _free(name: str, taken: Container[str]) -> str:
    if name not in taken:
        return name
    number = 2
    while f"{name}-{number}" in taken:
        number += 1
    return f"{name}-{number}"
