"""Of what a question asks about, how much is held, by what, and how much was held before?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from limitset.charts.shown import visible
from limitset.charts.theme import GRID, INK, MUTED, NULL, PAPER, RIGHT, WRONG, data_of, finished, nothing

ROW: Final = 68
"""Pixels of one facet; with two bars `ROW_OF_TWO`."""
ROW_OF_TWO: Final = 102


def facet_coverage_chart(
    facets: Sequence[Mapping[str, Any]], *, before: Sequence[Mapping[str, Any]] = ()
) -> Any:
    """Draw one bar a facet from 0 to 1; what was held before is a hollow bar above it.

    Parameters
    ----------
    facets
        Records with facet (its name), covered in [0, 1], by (what covers it best, "" where nothing does)
        and held (how many statements speak of it), in the order in which they are drawn.
    before
        The same of an earlier day; facets are matched by name.

    Returns
    -------
    altair.LayerChart
        A facet of which nothing is held keeps its row and says so.
    """
    import altair as alt

    if not facets:
        return nothing("The question names nothing that could be covered.")
    earlier = {str(row["facet"]): row for row in before}
    rows = [
        _row(place, row, earlier.get(str(row["facet"])), bool(before)) for place, row in enumerate(facets)
    ]
    height = (ROW_OF_TWO if before else ROW) * len(rows)
    base = alt.Chart(data_of(rows))
    share = alt.Scale(domain=[0, 1], nice=False)
    ticks = alt.Axis(format="%", values=[0, 0.25, 0.5, 0.75, 1], domain=False, ticks=False, grid=False)

    def across(field: str) -> Any:
        return alt.X(f"{field}:Q", scale=share, axis=ticks, title="coverage")

    def down(field: str) -> Any:
        return alt.Y(f"{field}:Q", scale=alt.Scale(domain=[len(rows), 0], nice=False), axis=None)

    tips = [
        alt.Tooltip("facet:N", title="asked about"),
        alt.Tooltip("shown:N", title="coverage"),
        *([alt.Tooltip("earlier:N", title="before")] if before else []),
        alt.Tooltip("by:N", title="best held"),
        alt.Tooltip("held:Q", title="statements"),
    ]
    rail = base.mark_rect(color=GRID, opacity=0.55).encode(
        x=across("zero"), x2="one:Q", y=down("top"), y2="bottom:Q", tooltip=tips
    )
    bars = (
        base.transform_filter("datum.covered > 0")
        .mark_rect(color=RIGHT)
        .encode(x=across("zero"), x2="covered:Q", y=down("top"), y2="bottom:Q", tooltip=tips)
    )
    name = base.mark_text(
        align="left", baseline="middle", fontWeight="bold", fontSize=13, limit=alt.expr("width")
    )
    names = name.encode(x=across("zero"), y=down("name"), text="facet:N")
    foot = base.mark_text(align="left", baseline="middle", color=MUTED, fontSize=11, limit=alt.expr("width"))
    feet = foot.transform_filter("datum.covered > 0").encode(x=across("zero"), y=down("foot"), text="under:N")
    none = (
        base.transform_filter("datum.covered <= 0")
        .mark_text(align="left", baseline="middle", color=WRONG, fontSize=12, dx=6)
        .encode(x=across("zero"), y=down("middle"), text=alt.value("nothing held"))
    )
    ends = (
        base.transform_filter("datum.covered > 0")
        .mark_text(align="left", baseline="middle", dx=6, color=INK, fontWeight="bold")
        .encode(x=across("covered"), y=down("middle"), text="shown:N")
    )
    layers = rail + bars + names + feet + none + ends
    if before:
        layers += _hollow(base, across, down, tips)
    return finished(layers, height=height)


def _hollow(base: Any, across: Any, down: Any, tips: list[Any]) -> Any:
    bars = (
        base.transform_filter("datum.was > 0")
        .mark_rect(fill=PAPER, stroke=NULL, strokeWidth=1.5, strokeDash=[4, 2])
        .encode(x=across("zero"), x2="was:Q", y=down("was_top"), y2="was_bottom:Q", tooltip=tips)
    )
    words = base.mark_text(align="left", baseline="middle", dx=6, color=MUTED, fontSize=11)
    return bars + words.encode(x=across("was"), y=down("was_middle"), text="earlier:N")


def _row(place: int, row: Mapping[str, Any], was: Mapping[str, Any] | None, compared: bool) -> dict[str, Any]:
    covered = _share(row)
    held = int(row["held"])
    count = f"{held} statement{'s' * (held != 1)} held"
    found: dict[str, Any] = {
        "facet": visible(str(row["facet"])),
        "covered": covered,
        "shown": _percent(covered),
        "by": visible(str(row["by"])),
        "held": held,
        "under": f"best: {visible(str(row['by']))} · {count}" if row["by"] else count,
        "zero": 0,
        "one": 1,
    }
    steps = (0.12, 0.5, 0.68, 0.59, 0.79) if compared else (0.18, 0.38, 0.66, 0.52, 0.84)
    for name, step in zip(("name", "top", "bottom", "middle", "foot"), steps, strict=True):
        found[name] = round(place + step, 3)
    if compared:
        before = 0.0 if was is None else _share(was)
        found["was"] = before
        found["earlier"] = f"before: {_percent(before) if before > 0 else 'nothing'}"
        for name, step in (("was_top", 0.27), ("was_bottom", 0.42), ("was_middle", 0.345)):
            found[name] = round(place + step, 3)
    return found


def _share(row: Mapping[str, Any]) -> float:
    return round(min(max(float(row["covered"]), 0.0), 1.0), 4)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
