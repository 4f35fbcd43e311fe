"""What does a reader of a pull request see of an audit (Markdown)?

Whatever a model, a user or a log wrote is text: it starts no markup, no link, no mention.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from limitset.charts.shown import visible
from limitset.report.audit.differences import Differences
from limitset.report.audit.gating import GateReport
from limitset.report.page import Page, Table, cell

MOST_ROWS: Final = 10
"""Rows of a table in the summary; the page has all."""
LONGEST_CELL: Final = 120
SIGNS: Final = {"PASS": "●", "FAIL": "■", "INCONCLUSIVE": "◇"}
BREAK: Final = "\u200b"
"""Parts "@" and "#" from what follows them, so that nobody is called and no issue is linked."""

_ESCAPED: Final = re.compile(r"([\\`*_{}\[\]|~])")
_SCHEME: Final = re.compile(r"(?i)\b(https?|ftp|mailto|xmpp):")
_LEADING: Final = re.compile(r"^(\s*\d*)([-+=.)])(?=\s|$|\2)")
"""What would begin a list or underline a heading."""


def markdown_summary(
    page: Page, *, report: GateReport | None = None, changes: Differences | None = None
) -> str:
    """Write the first screen of an audit, its gates, what changed, and its traps.

    Parameters
    ----------
    page
        The page of the audit.
    report
        Its gates.
    changes
        What changed since a baseline.

    Returns
    -------
    str
        GitHub-flavoured Markdown that ends with a line end.
    """
    parts = [f"## {escaped(page.title)}", f"{escaped(page.scope)} · {escaped(page.date)}"]
    if report is not None and report.judged:
        parts.append(f"**{SIGNS[report.verdict]} {report.verdict}**: {escaped(report.summary)}.")
    parts.append("\n".join(f"**{escaped(one)}**" for one in page.headline))
    if report is not None and report.judged:
        parts.append(_gates(report))
        parts.append(escaped(report.rule))
    if page.decisions:
        parts += ["### What to do", "\n".join(f"- {escaped(one)}" for one in page.decisions)]
    if changes is not None:
        parts += ["### What changed since the baseline"]
        parts.append("\n".join(f"- {escaped(one)}" for one in changes.sentences))
        parts += [_table(table) for table in changes.tables[:1]]
    if page.tables:
        parts += [f"### {escaped(page.tables[0].title)}", _table(page.tables[0])]
    return "\n\n".join(part for part in parts if part) + "\n"


def escaped(text: str) -> str:
    r"""Write any text so that Markdown shows it as it is, on one line.

    Examples
    --------
    >>> print(escaped("a|b <script> [x](http://y) *c*"))
    a\|b &lt;script&gt; \[x\](http&#58;//y) \*c\*
    """
    safe = visible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("$", "&#36;")
    safe = _ESCAPED.sub(r"\\\1", safe)
    safe = _SCHEME.sub(r"\1&#58;", safe)
    safe = re.sub(r"(?i)\bwww\.", "www&#46;", safe)
    safe = re.sub(r"(?<!&)#", f"#{BREAK}", safe.replace("@", f"@{BREAK}"))
    return _LEADING.sub(r"\1\\\2", safe)


def _gates(report: GateReport) -> str:
    rows = [
        (
            f"{SIGNS[one.verdict]} {one.verdict}",
            escaped(one.told),
            "" if one.shown == "blank" else escaped(one.shown),
            f"{one.measurement.n:,.0f}" if one.measurement.n >= 1 else "",
            escaped(one.why) + (f" Was {one.before}." if one.before not in (None, one.verdict) else ""),
        )
        for one in report.judged
    ]
    return _rows(("verdict", "gate", "measured", "n", "what would settle it"), rows)


def _table(table: Table) -> str:
    shown = [tuple(escaped(_clipped(cell(value))) for value in row) for row in table.rows[:MOST_ROWS]]
    more = len(table.rows) - MOST_ROWS
    told = _rows(tuple(escaped(column) for column in table.columns), shown)
    return f"{told}\n\n{more} more on the page." if more > 0 else told


def _clipped(text: str) -> str:
    return text if len(text) <= LONGEST_CELL else f"{text[:LONGEST_CELL]}…"


def _rows(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
