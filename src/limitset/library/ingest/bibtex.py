"""What does a BibTeX file say, entry by entry, and where is it broken?

Read in one pass: entries between braces or parentheses, values in braces, in quotes, bare, or joined by #,
@string names, @comment and @preamble; what stands between entries is a comment, as in BibTeX itself.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from limitset.core.errors import InputError

_START: Final = re.compile(r"@\s*([A-Za-z]+)\s*([{(])")
_NAME: Final = re.compile(r"\s*([^\s=,{}()\"#%@]+)\s*")
_BARE: Final = re.compile(r"[^\s,#{}()\"]+")
_SPACE: Final = re.compile(r"\s*")
_STOP: Final = re.compile(r'[{}"]')
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

_ACCENTS: Final = {
    "`": "\u0300", "'": "\u0301", "^": "\u0302", "~": "\u0303", "=": "\u0304", "u": "\u0306", ".": "\u0307",
    '"': "\u0308", "r": "\u030a", "H": "\u030b", "v": "\u030c", "d": "\u0323", "c": "\u0327", "k": "\u0328",
}  # fmt: skip
_LETTERS: Final = {
    "ss": "ß", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "aa": "å", "AA": "Å", "o": "ø", "O": "Ø",
    "l": "ł", "L": "Ł", "i": "i", "j": "j", "textendash": "–", "textemdash": "—", "ldots": "…", "dots": "…",
}  # fmt: skip
_ACCENTED: Final = re.compile(
    r"\\([`'^~=.\"])\s*\{?\\?([A-Za-z])\}?|\\([uvHcdkr])(?:\s*\{\\?([A-Za-z])\}|\s+([A-Za-z]))"
)
_LETTER: Final = re.compile(
    rf"\\({'|'.join(sorted(_LETTERS, key=len, reverse=True))})(?![A-Za-z])\s?(?:\{{\}})?"
)
_COMMAND: Final = re.compile(
    r"\\(?:emph|textbf|textit|texttt|textsc|textrm|mathrm|mathbf|text|url|href)\s*(?=\{)"
)


@dataclass(frozen=True, kw_only=True)
class BibEntry:
    """One entry: its key, its type in lower case, its fields as they stand, and the line it begins on."""

    key: str
    type: str
    fields: Mapping[str, str]
    line: int

    def plain(self, field: str) -> str:
        """Return a field without LaTeX, "" where there is none."""
        return unlatexed(self.fields.get(field, ""))

    @property
    def authors(self) -> tuple[str, ...]:
        """Its authors, or its editors, each as initials and surname."""
        return authors_of(self.fields.get("author") or self.fields.get("editor", ""))


def read_bibtex(text: str, *, name: str) -> tuple[BibEntry, ...]:
    r"""Read the entries of a BibTeX file.

    Parameters
    ----------
    text
        The file.
    name
        How messages call it.

    Returns
    -------
    tuple
        In the order of the file; two entries may bear one key.

    Raises
    ------
    InputError
        When an entry is broken (its line is given), or there is none.

    Examples
    --------
    >>> (one,) = read_bibtex('@misc{a, title = {On {LLM}s}, author = "Erd{\\H o}s, Paul"}', name="x.bib")
    >>> one.plain("title"), one.authors
    ('On LLMs', ('P. Erdős',))
    """
    strings = {month: month for month in _MONTHS}
    found, place, counted, line = [], 0, 0, 1
    while (start := _START.search(text, place)) is not None:
        line += text.count("\n", counted, start.start())
        counted = start.start()
        reader = _Reader(text, start.end(), name, line, "}" if start[2] == "{" else ")")
        kind = start[1].lower()
        if kind == "comment":
            reader.skip()
        elif kind == "preamble":
            reader.value(strings)
            reader.end()
        elif kind == "string":
            strings.update(reader.fields(strings))
        else:
            key = reader.key()
            found.append(BibEntry(key=key, type=kind, fields=reader.fields(strings), line=line))
        place = reader.place
    if not found:
        raise InputError.of(
            expected=f"{name} must hold BibTeX entries, such as @article{{key, title = {{...}}}}",
            got="none" if text.strip() else "an empty file",
            fix="Check the file.",
        )
    return tuple(found)


def authors_of(field: str) -> tuple[str, ...]:
    """Return the authors of an author field, each as initials and surname; a name in braces stays whole.

    Examples
    --------
    >>> authors_of("Kolmogorov, Andrey N. and Alan Turing and {The Llama Team} and others")
    ('A. N. Kolmogorov', 'A. Turing', 'The Llama Team', 'and others')
    """
    names = [name for name in re.split(r"\s+and\s+(?![^{]*\})", field.strip()) if name.strip()]
    return tuple("and others" if name == "others" else _short(name) for name in names)


def unlatexed(text: str) -> str:
    """Return a value without braces and LaTeX accents, in one line; formulas between $ stay as they are."""
    parts = re.split(r"(\$[^$]*\$)", text)
    plain = "".join(part if place % 2 else _unlatexed(part) for place, part in enumerate(parts))
    return " ".join(unicodedata.normalize("NFC", plain).split())


def _unlatexed(text: str) -> str:
    if "\\" in text:
        text = _COMMAND.sub("", text)
        text = _ACCENTED.sub(lambda m: (m[2] or m[4] or m[5]) + _ACCENTS[m[1] or m[3]], text)
        text = _LETTER.sub(lambda m: _LETTERS[m[1]], text)
        text = re.sub(r"\\([&%$#_{}])", lambda m: m[1] if m[1] not in "{}" else "", text)
        text = text.replace("\\\\", " ").replace("\\ ", " ")
    text = re.sub(r"(?<!\\)~", " ", text).replace("---", "—").replace("--", "–")
    return text.replace("``", "“").replace("''", "”").replace("{", "").replace("}", "")


def _short(name: str) -> str:
    whole = re.fullmatch(r"\{[^{}]*\}", name)
    name = unlatexed(name)
    if whole:
        return name
    if "," in name:
        last, *rest = (part.strip() for part in name.split(","))
        first = rest[-1] if rest else ""
    else:
        *firsts, last = name.split()
        while firsts and firsts[-1].islower():  # van, de, von
            last = f"{firsts.pop()} {last}"
        first = " ".join(firsts)
    initials = " ".join(f"{part[0]}." for part in re.split(r"[\s.]+", first) if part)
    return f"{initials} {last}".strip()


class _Reader:
    """Reads one entry from just after its opening brace."""

    def __init__(self, text: str, place: int, name: str, line: int, closing: str) -> None:
        self.text, self.place, self.name, self.line, self.closing = text, place, name, line, closing

    def key(self) -> str:
        end = self.text.find(",", self.place)
        closed = self.text.find(self.closing, self.place)
        if end < 0 or -1 < closed < end:
            end = closed
        key = self.text[self.place : end].strip() if end >= 0 else ""
        if not key or not re.fullmatch(r"[^\s{}=\"]+", key):
            raise self._broken("a key and a comma", key[:40] or "nothing")
        self.place = end
        return key

    def fields(self, strings: Mapping[str, str]) -> dict[str, str]:
        found: dict[str, str] = {}
        while True:
            self._blank()
            if self._take(","):
                continue
            if self._take(self.closing):
                return found
            named = _NAME.match(self.text, self.place)
            if named is None:
                raise self._broken("a field, or the closing brace", self._here())
            self.place = named.end()
            if not self._take("="):
                raise self._broken(f"= after {named[1]}", self._here())
            value = self.value(strings)
            found.setdefault(named[1].lower(), value)
            self._blank()
            if self._here() not in (",", self.closing):
                raise self._broken(f"a comma after the field {named[1]}", self._here())

    def value(self, strings: Mapping[str, str]) -> str:
        parts = []
        while True:
            self._blank()
            here = self._here()
            if here in ("{", '"'):
                parts.append(self._enclosed('"' if here == '"' else "}"))
            else:
                bare = _BARE.match(self.text, self.place)
                if bare is None:
                    raise self._broken("a value", here)
                self.place = bare.end()
                parts.append(strings.get(bare[0].lower(), bare[0]))
            self._blank()
            if not self._take("#"):
                return "".join(parts)

    def end(self) -> None:
        self._blank()
        if not self._take(self.closing):
            raise self._broken("the closing brace", self._here())

    def skip(self) -> None:
        """Leave a comment behind: to its closing brace, or to the end of the line where it has none."""
        self.place -= 1
        try:
            self._enclosed(self.closing)
        except InputError:
            end = self.text.find("\n", self.place)
            self.place = len(self.text) if end < 0 else end

    def _enclosed(self, closing: str) -> str:
        begin, depth, place = self.place + 1, 0, self.place + 1
        while (stop := _STOP.search(self.text, place)) is not None:
            place = stop.end()
            if self.text[stop.start() - 1] == "\\":
                continue
            if stop[0] == "{":
                depth += 1
            elif stop[0] == closing and depth == 0:
                self.place = place
                return self.text[begin : stop.start()]
            elif stop[0] == "}":
                depth -= 1
        raise self._broken(f"a closing {closing}", "the end of the file")

    def _blank(self) -> None:
        blank = _SPACE.match(self.text, self.place)
        self.place = blank.end() if blank else self.place

    def _take(self, letter: str) -> bool:
        taken = self._here() == letter
        self.place += taken
        return taken

    def _here(self) -> str:
        return self.text[self.place : self.place + 1] or "the end of the file"

    def _broken(self, expected: str, got: str) -> InputError:
        line = self.text.count("\n", 0, self.place) + 1
        return InputError.of(
            expected=f"{self.name}:{line} must hold {expected} (entry of line {self.line})",
            got=repr(got) if len(got) == 1 else got,
            fix="Mend the entry.",
        )
