"""How do gates stand on the page of an audit, and in a terminal?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from limitset.charts.shown import visible
from limitset.core.gates import GateVerdict
from limitset.report.audit.gating import WORST_FIRST, GateReport, Judged
from limitset.report.audit.named_numbers import NAMED
from limitset.report.page import Definition, Page, Table
from limitset.report.passages import Entries, Entry, Standing, Tone

MOST_FIRST: Final = 12
"""Gates beside the first figure; of more, those that did not pass come first, and a table below has all."""
TONES: Final[Mapping[GateVerdict, Tone]] = {
    GateVerdict.PASS: "right",
    GateVerdict.FAIL: "wrong",
    GateVerdict.INCONCLUSIVE: "open",
}


def with_gates(page: Page, report: GateReport) -> Page:
    """Put the verdict on the first line of a page, and every gate beside its first figure.

    Parameters
    ----------
    page
        The page of an audit.
    report
        Its gates; without any the page stays as it is.
    """
    if not report.judged:
        return page
    standing = Standing(word=str(report.verdict), text=f"{report.summary}.", tone=TONES[report.verdict])
    first = report.judged
    if len(first) > MOST_FIRST:
        first = tuple(sorted(first, key=lambda one: WORST_FIRST.index(one.verdict))[:MOST_FIRST])
    listed = Entries(
        name="gates",
        title=f"Gates: {report.summary}",
        entries=tuple(_entry(one, place) for place, one in enumerate(first, start=1)),
    )
    numbers = tuple(
        {**one.measurement.record(), "gate": one.gate.text, "verdict": str(one.verdict)}
        for one in report.judged
    )
    return replace(
        page,
        standings=(standing, *page.standings),
        lead=(listed, *page.lead),
        blocks=(*page.blocks, *([_all(report)] if len(first) < len(report.judged) else [])),
        numbers=(*page.numbers, *numbers),
        definitions=(*page.definitions, *_definitions(report)),
        limits=(*page.limits, f"About the gates: {report.rule}"),
    )


def _all(report: GateReport) -> Table:
    rows = tuple(
        (str(one.verdict), one.told, "" if one.shown == "blank" else one.shown, one.measurement.n, one.why)
        for one in report.judged
    )
    columns = ("verdict", "gate", "measured", "n", "what would settle it")
    return Table(title=f"All {len(report.judged):,} gates", columns=columns, rows=rows)


def _entry(one: Judged, place: int) -> Entry:
    changed = one.before is not None and one.before is not one.verdict
    facts = [f"{one.shown}{_n(one)}"]
    if one.measurement.parameters.get("paired") is False:
        facts.append("unpaired")
    return Entry(
        name=f"gate-{place}",
        title=one.told,
        text=one.why,
        facts=tuple(facts) if one.shown != "blank" else (),
        marks=(f"was {one.before}",) if changed else (),
        standing=Standing(word=str(one.verdict), text="", tone=TONES[one.verdict]),
    )


def _n(one: Judged) -> str:
    n = one.measurement.n
    return f", n = {n:,.0f}" if n >= 1 else ""


def _definitions(report: GateReport) -> tuple[Definition, ...]:
    names = dict.fromkeys(term.name for one in report.judged for term in one.gate.terms)
    return (
        Definition(
            term="Gate",
            plain="A bar that a number must reach. PASS: the whole interval lies on the right side. FAIL: "
            "wholly on the wrong side. INCONCLUSIVE: the interval holds the bar, or there is no number; more "
            "questions would tell.",
        ),
        *(Definition(term=f"{name} (in a gate)", plain=f"{_capital(NAMED[name].words)}.") for name in names),
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def show_gates(report: GateReport, console: Any) -> None:
    """Print the gates as lines of a terminal; names are printed as text, never as markup."""
    from rich.text import Text

    if not report.judged:
        return
    colours = {"right": "bold blue", "wrong": "bold red", "open": "bold yellow"}
    told = Text.assemble(("\nGates  ", "bold"), (str(report.verdict), colours[TONES[report.verdict]]))
    console.print(told.append(f"  {report.summary}"))
    for one in report.judged:
        line = Text.assemble(
            "  ",
            (f"{one.verdict!s:<12}", colours[TONES[one.verdict]]),
            f"  {visible(one.told)}  ",
            (f"{one.shown}{_n(one)}" if one.shown != "blank" else "", "dim"),
        )
        console.print(line)
        if one.why:
            console.print(Text(f"  {'':<12}  {visible(one.why)}", style="dim"))
    console.print(Text(f"  {report.rule}", style="dim"))
