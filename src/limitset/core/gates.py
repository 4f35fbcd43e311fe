"""What does a gate ask, and does a number pass it?

A gate is one line, such as ``n_eff >= 3``, ``wrong_when_agreed(0.8, stratum="lure") <= 5 %`` or
``accuracy(a) - baseline.accuracy(a) >= -0.01``. It is parsed by hand; nothing in it is ever executed.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NoReturn

from limitset.core.errors import InputError

LONGEST: Final = 1_000
"""Characters of one gate."""
BASELINE: Final = "baseline"
EVERYTHING: Final = "all"
"""The stratum of all questions, and the system of all systems."""

_SPACE: Final = re.compile(r"\s*")
_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NUMBER: Final = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_BARE: Final = re.compile(r"[^\s,()=<>\"']+")
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"' + r"|'((?:[^'\\]|\\.)*)'")
_COMPARED: Final = re.compile(r">=|<=|>|<|≥|≤")
_NO_GATE: Final = re.compile(r"==|!=|=|≠")


class GateVerdict(StrEnum):
    """What an interval says of a gate."""

    PASS = "PASS"
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"


@dataclass(frozen=True, kw_only=True)
class Signature:
    """What a named number takes.

    `kinds` are those of its arguments ("system" or "share"), `least` says how many are needed, `stratum`
    whether it can be had for one stratum.
    """

    kinds: tuple[str, ...] = ()
    least: int = 0
    stratum: bool = True

    def usage(self, name: str) -> str:
        """Write how the number is named.

        Examples
        --------
        >>> Signature(kinds=("system",)).usage("accuracy")
        'accuracy, accuracy(system), accuracy(..., stratum="...")'
        """
        full = f"{name}({', '.join(self.kinds)})" if self.kinds else name
        ways = [full] if self.least == len(self.kinds) else [name, full]
        if self.stratum:
            ways.append(f'{name}({"..., " if self.kinds else ""}stratum="...")')
        return ", ".join(ways)


@dataclass(frozen=True, kw_only=True)
class Term:
    """One named number of a gate; `baseline` asks for it in an earlier audit."""

    name: str
    arguments: tuple[str | float, ...] = ()
    stratum: str = EVERYTHING
    baseline: bool = False
    column: int = field(default=1, compare=False)

    def __str__(self) -> str:
        held = [_written(one) for one in self.arguments]
        if self.stratum != EVERYTHING:
            held.append(f"stratum={_written(self.stratum)}")
        before = f"{BASELINE}." if self.baseline else ""
        return f"{before}{self.name}({', '.join(held)})" if held else f"{before}{self.name}"


@dataclass(frozen=True, kw_only=True)
class Gate:
    """A number, or the difference of two, and the side of a bar on which it must lie.

    Parameters
    ----------
    text
        As it was written.
    first, less
        The number, and the one that is taken from it; None where there is one number.
    bar
        What it is compared with.
    above
        True when it must lie above the bar, False when below.
    strict
        True for > and <: then the bar itself does not pass.
    name
        What its author calls it; "" for none.
    """

    text: str
    first: Term
    less: Term | None
    bar: float
    above: bool
    strict: bool
    name: str = ""

    @property
    def terms(self) -> tuple[Term, ...]:
        """Every named number of the gate."""
        return (self.first,) if self.less is None else (self.first, self.less)

    @property
    def of_baseline(self) -> bool:
        """Whether the gate asks for an earlier audit."""
        return any(term.baseline for term in self.terms)

    @property
    def comparison(self) -> str:
        """The sign between number and bar."""
        return (">" if self.above else "<") + ("" if self.strict else "=")

    def verdict(self, low: float, high: float) -> GateVerdict:
        """Judge a whole interval against the bar.

        References
        ----------
        Three-way decisions by interval inclusion: Berger and Hsu (1996), doi:10.1214/ss/1032280304.

        Examples
        --------
        >>> gate = parse_gate("n_eff >= 3", known={"n_eff": Signature()})
        >>> [str(gate.verdict(*ends)) for ends in [(3.0, 4.0), (1.5, 2.2), (2.5, 3.5)]]
        ['PASS', 'FAIL', 'INCONCLUSIVE']
        """
        if math.isnan(low) or math.isnan(high):
            return GateVerdict.INCONCLUSIVE
        near, far = (low, high) if self.above else (-high, -low)
        bar = self.bar if self.above else -self.bar
        if near > bar or (near == bar and not self.strict):
            return GateVerdict.PASS
        if far < bar or (far == bar and self.strict):
            return GateVerdict.FAIL
        return GateVerdict.INCONCLUSIVE


def parse_gate(text: str, *, known: Mapping[str, Signature], name: str = "") -> Gate:
    """Read one gate.

    Parameters
    ----------
    text
        ``NUMBER COMPARISON BAR``: a named number or the difference of two, ``>=``, ``<=``, ``>`` or ``<``,
        and a plain number or a percentage; either side may hold either.
    known
        Name of a number to what it takes.
    name
        What the author calls the gate.

    Raises
    ------
    InputError
        With the column at which the text stops being a gate.

    Examples
    --------
    >>> known = {"accuracy": Signature(kinds=("system",))}
    >>> gate = parse_gate('accuracy("my model") >= accuracy(b) + 2 %', known=known)
    >>> str(gate.first), str(gate.less), gate.comparison, gate.bar
    ('accuracy("my model")', 'accuracy(b)', '>=', 0.02)
    >>> parse_gate("acuracy(a) >= 0.7", known=known)
    Traceback (most recent call last):
    limitset.core.errors.InputError: a gate names one of accuracy; got 'acuracy' at column 1 of
    'acuracy(a) >= 0.7'. Did you mean accuracy?
    """
    reader = _Reader(text, known)
    if len(text) > LONGEST:
        reader.refuse(f"a gate has at most {LONGEST} characters", f"{len(text)}", 0, "Shorten it.")
    terms, constant = reader.side(1.0)
    above, strict = reader.comparison()
    more, other = reader.side(-1.0)
    reader.end()
    return _gate(
        reader, [*terms, *more], constant + other, above=above, strict=strict, text=text.strip(), name=name
    )


def _gate(
    reader: _Reader,
    terms: list[tuple[float, Term]],
    constant: float,
    *,
    above: bool,
    strict: bool,
    text: str,
    name: str,
) -> Gate:
    """Bring "terms + constant compared with 0" into the form "first - less compared with bar"."""
    one_number = "a gate compares one named number, or the difference of two, with a plain number"
    if not 1 <= len(terms) <= 2:
        got = f"{len(terms) or 'no'} named numbers"
        reader.refuse(one_number, got, 0, "For example: n_eff >= 3, or accuracy(a) - accuracy(b) >= 0.")
    sign, first = terms[0]
    less = terms[1][1] if len(terms) == 2 else None
    if less is not None and terms[1][0] == sign:
        reader.refuse(one_number, "the sum of two", less.column - 1, "Take one from the other.")
    if less == first:
        reader.refuse(one_number, "a number and itself", first.column - 1, "Name another one.")
    bar = -constant * sign + 0.0  # no -0.0
    return Gate(
        text=text, first=first, less=less, bar=bar, above=above == (sign > 0), strict=strict, name=name
    )


class _Reader:
    """A place in the text of a gate."""

    def __init__(self, text: str, known: Mapping[str, Signature]) -> None:
        self.text, self.known, self.at = text, known, 0

    def refuse(self, expected: str, got: str, at: int, fix: str) -> NoReturn:
        shown = self.text if len(self.text) <= 120 else self.text[:117] + "..."
        raise InputError.of(expected=expected, got=f"{got} at column {at + 1} of {shown!r}", fix=fix)

    def take(self, pattern: re.Pattern[str]) -> str | None:
        self.skip()
        found = pattern.match(self.text, self.at)
        if found is None:
            return None
        self.at = found.end()
        return found[0]

    def skip(self) -> None:
        found = _SPACE.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def here(self) -> str:
        """Say what stands here."""
        self.skip()
        rest = self.text[self.at : self.at + 20].split()
        return repr(rest[0]) if rest else "the end"

    def side(self, sign: float) -> tuple[list[tuple[float, Term]], float]:
        """Read numbers joined by + and -: the named ones with their signs, and the sum of the plain."""
        terms: list[tuple[float, Term]] = []
        constant, now = 0.0, sign
        if self.take(_MINUS):
            now = -sign
        while True:
            value = self.number()
            if value is None:
                terms.append((now, self.term()))
            else:
                constant += now * value
            joined = self.take(_JOINED)
            if joined is None:
                return terms, constant
            now = sign if joined == "+" else -sign
            if self.take(_MINUS):
                now = -now

    def number(self) -> float | None:
        self.skip()
        start = self.at
        found = self.take(_NUMBER)
        if found is None:
            return None
        value = float(found)
        if not math.isfinite(value):
            self.refuse("a bar is a finite number", repr(found[:20]), start, "Write a smaller one.")
        return value / 100 if self.take(_PERCENT) else value

    def term(self) -> Term:
        self.skip()
        start, name = self.at, self.take(_WORD)
        if name is None:
            got = self.here()
            self.refuse("a number or the name of one", got, self.at, f"Names are {self.names()}.")
        baseline = name == BASELINE
        if baseline and (self.take(_DOT) is None or (name := self.take(_WORD)) is None):
            got = self.here()
            self.refuse("baseline is followed by a dot and a name", got, self.at, "baseline.n_eff, say.")
        if name not in self.known:
            near = difflib.get_close_matches(name, self.known, n=1)
            at = start if not baseline else self.at - len(name)
            fix = f"Did you mean {near[0]}?" if near else "Use one of these."
            self.refuse(f"a gate names one of {self.names()}", repr(name[:40]), at, fix)
        arguments, stratum = self.arguments(name)
        return Term(name=name, arguments=arguments, stratum=stratum, baseline=baseline, column=start + 1)

    def arguments(self, name: str) -> tuple[tuple[str | float, ...], str]:
        signature = self.known[name]
        found: list[str | float] = []
        stratum: str | None = None
        while self.take(_OPEN if not found and stratum is None else _COMMA):
            self.skip()
            start, (text, quoted) = self.at, self.text_of(name)
            if self.take(_EQUALS):
                if quoted or text != "stratum" or stratum is not None or not signature.stratum:
                    self.refuse(
                        f"{name} is written {signature.usage(name)}", repr(text[:40]), start, "Mend it."
                    )
                stratum = self.text_of(name)[0]
            elif stratum is not None or len(found) == len(signature.kinds):
                self.refuse(f"{name} is written {signature.usage(name)}", repr(text[:40]), start, "Drop it.")
            else:
                found.append(self.converted(text, signature.kinds[len(found)], name, start))
        if (found or stratum is not None) and self.take(_CLOSE) is None:
            self.refuse("an argument is followed by , or )", self.here(), self.at, "Close the bracket.")
        if len(found) < signature.least:
            self.refuse(
                f"{name} is written {signature.usage(name)}", self.here(), self.at, "Name what it is of."
            )
        return tuple(found), stratum or EVERYTHING

    def text_of(self, name: str) -> tuple[str, bool]:
        self.skip()
        quoted = _QUOTED.match(self.text, self.at)
        if quoted is not None:
            self.at = quoted.end()
            return re.sub(
                r"\\(.)", r"\1", quoted[1] if quoted[1] is not None else quoted[2], flags=re.S
            ), True
        bare = self.take(_BARE)
        if bare is None:
            got = self.here()
            fix = f"It is written {self.known[name].usage(name)}."
            self.refuse(f"{name} needs an argument, in quotes where it holds spaces", got, self.at, fix)
        return bare, False

    def converted(self, text: str, kind: str, name: str, start: int) -> str | float:
        if kind != "share":
            return text
        found = _NUMBER.fullmatch(text.removesuffix("%"))
        share = float(found[0]) if found else math.nan
        if text.endswith("%") or self.take(_PERCENT):
            share /= 100
        if not 0 < share <= 1:
            fix = f"For example: {name}(0.8)."
            self.refuse(f"{name} takes a share above 0 and up to 1", repr(text[:40]), start, fix)
        return share

    def comparison(self) -> tuple[bool, bool]:
        wrong, at = self.take(_NO_GATE), self.at
        if wrong is not None:
            fix = "A measured number is never exactly a bar: use >= or <=."
            self.refuse("a gate compares with >=, <=, > or <", repr(wrong), at - len(wrong), fix)
        found = self.take(_COMPARED)
        if found is None:
            got = self.here()
            fix = "Put names with spaces or brackets in quotes." if got != "the end" else "n_eff >= 3, say."
            self.refuse("a number is followed by +, -, >=, <=, > or <", got, self.at, fix)
        return found in (">=", ">", "≥"), found in (">", "<")

    def end(self) -> None:
        got = self.here()
        if got != "the end":
            self.refuse("a gate ends after its bar", got, self.at, "One comparison a gate.")

    def names(self) -> str:
        return ", ".join(sorted(self.known))


_MINUS: Final = re.compile(r"-|−")
_JOINED: Final = re.compile(r"\+|-|−")
_PERCENT: Final = re.compile(r"%")
_DOT: Final = re.compile(r"\.")
_OPEN: Final = re.compile(r"\(")
_COMMA: Final = re.compile(r",")
_EQUALS: Final = re.compile(r"=(?!=)")
_CLOSE: Final = re.compile(r"\)")


def _written(value: str | float) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    if _BARE.fullmatch(value) and not _NUMBER.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
