"""What was given: an arXiv number, a BibTeX file or a note in Markdown?"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from limitset.core.errors import InputError
from limitset.library.holdings.reading import FENCE, read_text
from limitset.library.ingest.bibtex import BibEntry, read_bibtex
from limitset.library.ingest.sentences import one_line

LARGEST: Final = 4_000_000
"""Bytes of a BibTeX file: some ten thousand entries."""
LARGEST_NOTE: Final = 200_000
"""Bytes of a note or an abstract: a note is a page, not a book."""

_ARXIV: Final = re.compile(
    r"(?:(?:https?://)?(?:www\.|export\.)?arxiv\.org/(?:abs|pdf|html)/|arxiv:\s*|(?:https?://doi\.org/)?10\.48550/arxiv\.)?"
    r"(?P<id>\d{2}(?:0[1-9]|1[0-2])\.\d{4,5}|[a-z-]+(?:\.[a-z]{2})?/\d{2}(?:0[1-9]|1[0-2])\d{3})(?:v(?P<version>\d{1,2}))?(?:\.pdf)?",
    re.IGNORECASE,
)  # fmt: skip
_FILES: Final = (".bib", ".bibtex", ".md", ".markdown", ".txt")
_TYPES: Final = {
    **dict.fromkeys(("misc", "unpublished", "preprint"), "preprint"),
    **dict.fromkeys(("manual", "software", "dataset", "online", "electronic", "www"), "docs"),
    **dict.fromkeys(
        ("article", "inproceedings", "incollection", "conference", "book", "inbook", "booklet", "phdthesis",
         "mastersthesis", "thesis", "techreport", "report", "proceedings", "inreference", "patent"), "paper"),
}  # fmt: skip

Origin = Literal["abstract", "prose", "nothing"]


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """One paper or text, before it is a note.

    `text` is what statements are taken from; `origin` says what it is. `name` is how a message calls it.
    """

    name: str
    title: str
    authors: tuple[str, ...]
    year: int
    text: str
    origin: Origin
    kind: str
    arxiv: str = ""
    version: str = ""
    doi: str = ""
    url: str = ""
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OwnNote:
    """A note in the library's own format, to be held as it is."""

    id: str
    text: str


Given = Incoming | OwnNote


def incoming(
    source: str, *, abstract: str, title: str, authors: Sequence[str], year: int
) -> tuple[tuple[Given, ...], tuple[tuple[str, str], ...]]:
    """Read what was given.

    Parameters
    ----------
    source
        An arXiv number, or a file.
    abstract, title, authors
        What was given beside it; a file's own words go first.
    year
        Of today, for a text without a date.

    Returns
    -------
    given, refused
        What can be drafted, and name and reason of each entry that cannot.

    Raises
    ------
    InputError
        When it is neither, cannot be read, or lacks what a note needs.
    """
    text = source.strip()
    arxiv = _ARXIV.fullmatch(text)
    path = Path(text).expanduser()
    if arxiv is not None and not path.is_file():
        return (_of_arxiv(arxiv, abstract=abstract, title=title, authors=authors),), ()
    if not path.is_file():
        looks = path.suffix.lower() in _FILES or path.exists()
        raise InputError.of(
            expected="a source is an arXiv number such as 2604.15259v2, a .bib file or a .md file",
            got=f"{text!r}, which is no file" if looks else repr(text),
            fix="Check the path." if looks else "Check the number: year, month 01 to 12, a dot, five digits.",
        )
    if path.suffix.lower() in (".bib", ".bibtex"):
        return _of_bibtex(path, abstract=abstract)
    if path.suffix.lower() not in _FILES:
        raise InputError.of(
            expected="a file to be added ends in .bib or .md", got=path.name, fix="Rename it, if it is one."
        )
    return (_of_markdown(path, title=title, authors=authors, year=year),), ()


def _of_arxiv(found: re.Match[str], *, abstract: str, title: str, authors: Sequence[str]) -> Incoming:
    number = found["id"].lower()
    if not one_line(title):
        raise InputError.of(
            expected=f"a note on arXiv {number} needs the title of the paper", got="none", fix="Give --title."
        )
    _require_abstract(abstract, number)
    digits = re.sub(r"\D", "", number.rpartition("/")[2])
    return Incoming(
        name=number,
        title=one_line(title),
        authors=tuple(filter(None, map(one_line, authors))),
        year=_century(int(digits[:2])),
        text=abstract,
        origin="abstract",
        kind="preprint",
        arxiv=number,
        version=f"v{found['version']}" if found["version"] else "",
    )


def _require_abstract(abstract: str, name: str) -> None:
    words = one_line(abstract).split()
    if len(words) < 5:
        raise InputError.of(
            expected=f"a note on {name} needs its abstract",
            got=f"{len(words)} words" if words else "none",
            fix="Paste it into a file and give --abstract FILE, or --abstract - and paste it.",
        )
    if len(abstract.encode("utf-8", "replace")) > LARGEST_NOTE:
        raise InputError.of(
            expected=f"an abstract is at most {LARGEST_NOTE // 1000} kB",
            got=f"{len(abstract) // 1000} kB",
            fix="Paste the abstract alone.",
        )


def _of_bibtex(path: Path, *, abstract: str) -> tuple[tuple[Given, ...], tuple[tuple[str, str], ...]]:
    entries = read_bibtex(read_text(path, most=LARGEST), name=path.name)
    if abstract and len(entries) > 1:
        raise InputError.of(
            expected="one abstract belongs to one entry",
            got=f"--abstract beside {len(entries)} entries",
            fix="Put the abstracts into the file.",
        )
    given: list[Given] = []
    refused = []
    keys: set[str] = set()
    for entry in entries:
        if entry.key in keys:
            refused.append((entry.key, f"line {entry.line}: a second entry of that key; rename it"))
        elif not entry.plain("title"):
            refused.append((entry.key, f"line {entry.line}: no title; add one"))
        elif _year(entry) is None:
            refused.append((entry.key, f"line {entry.line}: no year; add one"))
        else:
            given.append(_of_entry(entry, abstract=abstract))
        keys.add(entry.key)
    return tuple(given), tuple(refused)


def _of_entry(entry: BibEntry, *, abstract: str) -> Incoming:
    text = abstract if one_line(abstract) else entry.plain("abstract")
    arxiv, version = _arxiv_of(entry)
    kind = _TYPES.get(entry.type)
    remarks: tuple[str, ...] = (
        () if kind else (f"entries of type @{entry.type} are not known here: taken as a paper",)
    )
    if not text:
        remarks += ("no abstract, so no statements: held as a source only",)
    return Incoming(
        name=entry.key,
        title=one_line(entry.plain("title")),
        authors=tuple(filter(None, map(one_line, entry.authors))),
        year=_year(entry) or 0,
        text=text,
        origin="abstract" if text else "nothing",
        kind="preprint"
        if arxiv and kind != "docs" and entry.type in ("misc", "article")
        else kind or "paper",
        arxiv=arxiv,
        version=version,
        doi=_doi(entry.plain("doi")),
        url=entry.plain("url") if entry.plain("url").startswith(("http://", "https://")) else "",
        remarks=remarks,
    )


def _arxiv_of(entry: BibEntry) -> tuple[str, str]:
    """Return number and version, looked for where people put them."""
    archive = (entry.plain("archiveprefix") or entry.plain("eprinttype")).lower()
    places = [entry.plain("arxiv"), entry.plain("url"), entry.plain("doi")]
    if archive in ("", "arxiv"):
        places.insert(0, entry.plain("eprint"))
    places += [word for word in entry.plain("journal").split() if word.lower().startswith("arxiv:")]
    for place in places:
        found = _ARXIV.fullmatch(place.strip())
        if found:
            return found["id"].lower(), f"v{found['version']}" if found["version"] else ""
    return "", ""


def _doi(text: str) -> str:
    doi = re.sub(r"^(?:https?://(?:dx\.)?doi\.org/|doi:\s*)", "", text.strip(), flags=re.IGNORECASE)
    return doi if doi.startswith("10.") and "/" in doi and "arxiv" not in doi.lower() else ""


def _year(entry: BibEntry) -> int | None:
    found = re.search(r"(?<!\d)(1[6-9]|20|21)\d\d(?!\d)", entry.plain("year") or entry.plain("date"))
    return int(found[0]) if found else None


def _of_markdown(path: Path, *, title: str, authors: Sequence[str], year: int) -> Given:
    text = read_text(path, most=LARGEST_NOTE)
    if text.lstrip("\ufeff").split("\n", 1)[0].strip() == FENCE:
        return OwnNote(id=_own_id(text, path), text=text.lstrip("\ufeff"))
    heading = re.search(r"^\s{0,3}#{1,6}\s+(.+?)\s*#*\s*$", text, re.MULTILINE)
    name = one_line(title) or (one_line(heading[1]) if heading else "")
    if not name:
        raise InputError.of(
            expected=f"{path} must hold a title: a first line that begins with #",
            got="no heading",
            fix="Write one, or give --title.",
        )
    prose = _prose(text)
    if not prose:
        raise InputError.of(
            expected=f"{path} must hold sentences below its title", got="none", fix="Write some."
        )
    return Incoming(
        name=path.name,
        title=name,
        authors=tuple(filter(None, map(one_line, authors))),
        year=year,
        text=prose,
        origin="prose",
        kind="essay",
    )


def _own_id(text: str, path: Path) -> str:
    lines = text.lstrip("\ufeff").splitlines()
    ends = [place for place, line in enumerate(lines[1:], start=1) if line.strip() == FENCE]
    try:
        named = tomllib.loads("\n".join(["", *lines[1 : ends[0]]])).get("id") if ends else None
    except tomllib.TOMLDecodeError:
        named = None
    return named if isinstance(named, str) and re.fullmatch(r"[a-z0-9][a-z0-9-]*", named) else path.stem


def _prose(text: str) -> str:
    """Return the sentences of Markdown: no code, headings, tables, pictures, marks of lists or links."""
    text = re.sub(r"\A\ufeff?---\n.*?\n---\n", "", text, flags=re.DOTALL)
    text = re.sub(r"^(```|~~~).*?^\1\s*$", "", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r"!\[[^\]]*\]\([^)]*\)", "", text)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    lines = [line for line in text.splitlines() if not re.match(r"\s{0,3}(#{1,6}\s|\||[-=*_]{3,}\s*$)", line)]
    lines = [re.sub(r"^\s*(?:[-*+]|\d+[.)])\s+|^\s*>\s?", "", line) for line in lines]
    return re.sub(r"(\*\*|__|`)", "", "\n".join(lines)).strip()


def _century(two: int) -> int:
    return (1900 if two > 90 else 2000) + two
