"""How does a measured study become one page that can be forwarded?

One HTML file that needs no network: charts as JSON, one script, one style sheet, both named by hash in the
page's own content policy. Everything a model or a user wrote is text, never markup.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from limitset.charts.shown import CLIP, number, visible
from limitset.charts.theme import DARK
from limitset.core import parquet
from limitset.core.errors import InputError
from limitset.core.results import MeasurementTable
from limitset.report.bounded import LONGEST_CELL, bounded, bounded_numbers
from limitset.report.bundle import javascript
from limitset.report.passages import SIGNS, Block, Standing, followable, places, targets

LONGEST: Final = 4_000
"""Characters of one text that the page carries; a page is made to be forwarded."""
MOST_POINTS: Final = 5_000
"""Rows of data a chart may hold; more must be sampled by whoever builds the figure, who says so."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows under a figure or beside it; hostile text is allowed in cells."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One idea: a sentence that states what is shown, the chart, its caption with n, and its data.

    `name` is a slug, used for links and file names; `shown` tables stand open under the chart.
    """

    name: str
    title: str
    chart: Any
    caption: str
    table: Table
    shown: tuple[Table, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Definition:
    """A word of the page: plainly, and as a formula (`_{...}` and `^{...}` set indices)."""

    term: str
    plain: str
    formula: str = ""


@dataclass(frozen=True, kw_only=True)
class Page:
    """Everything on one page, in the order in which it is read.

    Parameters
    ----------
    title
        What this is: "limitset first look".
    scope
        Which systems and questions the numbers are about; stands beside the title.
    date
        Given, never read from a clock.
    headline, standings, decisions
        Sentences: what was asked or found; how it stands, in one word and why; what to do.
    lead
        Text that stands before the first figure, beside it where there is room.
    figures
        The first stands on the first screen.
    tables
        Stand beside the first figure.
    definitions, provenance, numbers, attributions
        What every word means, what made the numbers, `Measurement.record()` of each, and whose data it is.
    limits
        What the page cannot say.
    blocks
        Text after the figures: lists, pairs, text to copy.
    back
        A page beside this one that the title leads to; "" for none.
    measured
        The tables that `numbers` list, for Python; the page itself does not show them.
    """

    title: str
    scope: str
    date: str
    headline: tuple[str, ...]
    decisions: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()
    definitions: tuple[Definition, ...] = ()
    provenance: Mapping[str, str] = field(default_factory=dict)
    numbers: tuple[dict[str, Any], ...] = ()
    attributions: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    standings: tuple[Standing, ...] = ()
    lead: tuple[Block, ...] = ()
    blocks: tuple[Block | Table, ...] = ()
    back: str = ""
    measured: tuple[MeasurementTable, ...] = ()


def render(page: Page) -> str:
    """Return the page as one self-contained HTML text; the chart library comes along where there is a chart.

    Parameters
    ----------
    page
        What to show.

    Returns
    -------
    str
        HTML that loads nothing and runs only the script it carries.

    Raises
    ------
    InputError
        When a chart holds more than 5,000 rows, two places share a name, or a link leads to none.
    """
    _check(page)
    page = bounded(page)
    style = _packaged("style.css") + dark_rules()
    library, script = javascript() if page.figures else "", _packaged("page.js")
    html: str = _template().render(
        page=page,
        style=_trusted(style),
        library=_trusted(library),
        script=_trusted(script),
        policy=policy([one for one in (library, script) if one], style),
        charts=_trusted(inlined_json({figure.name: _spec(figure) for figure in page.figures})),
        favicon=_favicon(),
        numbers=_numbers_table(page.numbers),
    )
    return html


def write_page(page: Page, path: Path) -> None:
    """Write the page; the file appears whole or not at all."""
    parquet.write_text(path, render(page))


def policy(scripts: Sequence[str], style: str) -> str:
    """Return the content policy that allows exactly these scripts and this style, and no request."""
    allowed = " ".join(f"'{_sha256(script)}'" for script in scripts)
    return (
        f"default-src 'none'; script-src {allowed}; style-src '{_sha256(style)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def inlined_json(value: Any) -> str:
    r"""Write JSON that cannot leave a script element, whatever text it holds.

    Examples
    --------
    >>> inlined_json({"a": "</script>"})
    '{"a":"\\u003c/script>"}'
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in ("<", "\u2028", "\u2029"):
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def dark_rules() -> str:
    """Return the rules that swap each chart colour for its partner on a dark screen."""
    rules = "".join(
        f'.chart [{side}="{light}"]{{{side}:{dark}}}'
        for light, dark in DARK.items()
        for side in ("fill", "stroke")
    )
    return f"@media screen and (prefers-color-scheme: dark){{{rules}}}\n"


def _check(page: Page) -> None:
    figures = [figure.name for figure in page.figures]
    blocks = [*page.lead, *(block for block in page.blocks if not isinstance(block, Table))]
    names = [*figures, *places(blocks)]
    for name in names:
        if names.count(name) > 1 or name in _TAKEN or not re.fullmatch(r"[a-z0-9-]+", name):
            raise InputError.of(
                expected="figure names must be distinct words of a-z, 0-9 and -"
                if name in figures
                else "places on a page must be distinct words of a-z, 0-9 and -",
                got=name,
                fix="Rename the figure." if name in figures else "Rename the place.",
            )
    for name in targets(blocks):
        if name not in names and name not in _TAKEN:
            raise InputError.of(expected="a link must lead to a place on the page", got=name, fix="Name one.")
    entries = [page.back, *(one.to for block in blocks for one in getattr(block, "entries", ()))]
    for to in entries:
        if to and not followable(to):
            raise InputError.of(
                expected="an entry leads to a page or an address", got=to[:80], fix="Mend it."
            )


_TAKEN = frozenset({"headline", "figures", "limits", "words", "provenance", "numbers", "charts"})


def _spec(figure: Figure) -> dict[str, Any]:
    spec: dict[str, Any] = figure.chart.to_dict()
    rows = sum(len(rows) for rows in spec.get("datasets", {}).values()) + _inline_rows(spec)
    if rows > 4 * MOST_POINTS:
        raise InputError.of(
            expected=f"a chart may hold {4 * MOST_POINTS} rows",
            got=f"{rows} in {figure.name}",
            fix="Sample the rows and say so in the caption.",
        )
    return spec


def _inline_rows(spec: Any) -> int:
    if isinstance(spec, list):
        return sum(_inline_rows(part) for part in spec)
    if not isinstance(spec, dict):
        return 0
    data = spec.get("data")
    own = len(data["values"]) if isinstance(data, dict) and isinstance(data.get("values"), list) else 0
    return own + sum(
        _inline_rows(spec[name]) for name in ("layer", "vconcat", "hconcat", "spec") if name in spec
    )


def _numbers_table(records: Sequence[Mapping[str, Any]]) -> Table:
    listed, note = bounded_numbers(records)
    rows = tuple(
        (
            record["instrument"],
            _parameters(record)[: LONGEST_CELL if note else None],
            record["value"],
            _interval_text(record),
            record["n"],
            record["null_kind"],
            record["blank_reason"],
        )
        for record in listed
    )
    columns = ("instrument", "of", "value", "interval", "n", "null", "blank because")
    return Table(title="Every number", columns=columns, rows=rows, note=note)


def _parameters(record: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_in_words(value)}" for name, value in record.items() if name not in _FIXED)


_FIXED = frozenset(
    {"instrument", "version", "level", "value", "low", "high", "interval_method"}
    | {"confidence", "null_kind", "n", "blank_reason", "notes"}
)


def _interval_text(record: Mapping[str, Any]) -> str:
    low, high = float(record["low"]), float(record["high"])
    if math.isnan(high):
        return ""
    if math.isnan(low):
        return f"at most {number(high)}"
    return f"[{number(low)}, {number(high)}]"


def _in_words(value: object) -> str:
    return number(value) if isinstance(value, float) else str(value)


def cell(value: object) -> str:
    """Write a value of a table as text.

    Examples
    --------
    >>> cell(0.123456), cell(7), cell(None), cell(float("nan")), cell(True)
    ('0.123', '7', '', '', 'yes')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return number(value)
    text = visible(str(value))
    # "100 %" stays on one line
    return text.replace(" %", "\u00a0%") if len(text) < 24 else text


def sentence(text: str) -> Any:
    """Escape a sentence; set intervals smaller and keep numbers with their units."""
    from markupsafe import Markup, escape

    safe = str(escape(visible(text))).replace(" %", "\u00a0%").replace("% [", "%\u00a0[")
    safe = re.sub(r"\[[\d.]+, [\d.]+\]", r'<span class="interval">\g<0></span>', safe)
    return Markup(safe)


def formula(text: str) -> Any:
    """Escape a formula and set its indices."""
    from markupsafe import Markup, escape

    safe = re.sub(r"_\{([^{}]*)\}", r"<sub>\1</sub>", str(escape(text)))
    return Markup(re.sub(r"\^\{([^{}]*)\}", r"<sup>\1</sup>", safe))


@cache
def _template() -> Any:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(sentence=sentence, formula=formula, cell=cell, visible=visible)
    environment.filters.update(kind=lambda block: type(block).__name__.lower(), lines=_lines)
    environment.tests["numeric"] = lambda value: (
        isinstance(value, int | float) and not isinstance(value, bool)
    )
    environment.globals.update(CLIP=CLIP, LONGEST=LONGEST, SIGNS=SIGNS)
    return environment.from_string(_packaged("template.html.j2"))


def _lines(text: str) -> str:
    return "\n".join(visible(line) for line in text.splitlines())


def _trusted(text: str) -> Any:
    # our own style and script, the library bundle, and JSON without "<"
    from markupsafe import Markup

    return Markup(text)


def _packaged(name: str) -> str:
    return files("limitset.report").joinpath(name).read_text(encoding="utf-8")


def _sha256(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _favicon() -> str:
    drawing = _packaged("mark.svg").encode()
    return "data:image/svg+xml;base64," + base64.b64encode(drawing).decode()
