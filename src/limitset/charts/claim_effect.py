"""Where does the interval of each statistic of a claim lie, against the bars fixed beforehand?"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from limitset.charts.shown import visible
from limitset.charts.theme import INK, MUTED, NULL, PAPER, RIGHT, WRONG, data_of, finished, nothing
from limitset.core.bars import Bar

ROW: Final = 114
"""Pixels of one statistic whose words take one line."""
LINE: Final = 16
"""Pixels of one more line of words."""
WIDEST: Final = 44
"""Letters of a line of words: what a narrow screen holds."""
COLOURS: Final = {"holds": RIGHT, "fails": WRONG, "can't tell": NULL}
MARKS: Final = {"holds": "circle", "fails": "square", "can't tell": "diamond"}
ROOM: Final = 0.2
"""What stands free on both sides of the numbers, as a share of their spread."""


def claim_effect_chart(effects: Sequence[Mapping[str, Any]]) -> Any:
    """Draw each statistic with its interval above a strip that says where it holds and where it fails.

    Parameters
    ----------
    effects
        Records with words (what was measured), value, low, high (None where there is none), shown (the
        number in words), n, verdict ("holds", "fails", "can't tell"), holds and fails (`Bar`), and unit:
        "share" (0 to 100 %), "points" (a difference of shares) or "number".

    Returns
    -------
    altair.LayerChart
        One row a statistic, each on its own scale, which its bars' numbers mark.
    """
    import altair as alt

    if not effects:
        return nothing("Nothing was measured.")
    rows, zones, ends, edges, top = [], [], [], [], 0
    for effect in effects:
        low, high = span_of([effect])
        lines = _lines(str(effect["words"]))
        start = top + LINE * (len(lines) - 1)
        rows.append(
            {
                **_row(effect, low, high),
                "words": lines,
                **_down(top, title=4),
                **_down(start, number=34, line=52),
            }
        )
        zones += [
            {**zone, **_down(start, top=66, bottom=86, centre=76)} for zone in _zones(effect, low, high)
        ]
        own = _ends(effect, low, high)
        ends += [{**end, **_down(start, top=66, under=90, label=92)} for end in own]
        edges += [{**edge, **_down(start, label=92)} for edge in _edges(effect, low, high, own)]
        top = start + ROW
    x_scale = alt.Scale(domain=[0, 1], nice=False)
    y_scale = alt.Scale(domain=[top, 0], nice=False)

    def across(field: str) -> Any:
        return alt.X(f"{field}:Q", scale=x_scale, axis=None)

    def down(field: str) -> Any:
        return alt.Y(f"{field}:Q", scale=y_scale, axis=None)

    base, strips = alt.Chart(data_of(rows)), alt.Chart(data_of(zones))
    colour = alt.Color("verdict:N", scale=_scale(COLOURS), legend=None)
    tips = [
        alt.Tooltip(f"{name}:N", title=title)
        for name, title in (("measured", "measured"), ("shown", "value"), ("n", "n"), ("rule", "rule"))
    ]
    title = base.mark_text(
        align="left", baseline="top", fontWeight="bold", fontSize=13, lineHeight=LINE, limit=alt.expr("width")
    )
    strip = strips.mark_rect(opacity=0.22).encode(
        x=across("start"), x2="end:Q", y=down("top"), y2="bottom:Q", color=colour
    )
    # a line under each zone, so that the side is told without the shade
    strip += strips.mark_rule(strokeWidth=2.5).encode(
        x=across("start"), x2="end:Q", y=down("bottom"), color=colour
    )
    inside = strips.transform_filter("datum.end - datum.start > 0.12").mark_text(
        baseline="middle", fontSize=12, color=INK
    )
    strip += inside.encode(x=across("middle"), y=down("centre"), text="verdict:N")
    tick = alt.Chart(data_of(ends)).mark_rule(color=INK, strokeWidth=1)
    strip += tick.encode(x=across("x"), y=down("top"), y2="under:Q")
    for side in ("left", "center", "right"):
        numbers = alt.Chart(data_of(ends)).transform_filter(f"datum.side === '{side}'")
        strip += numbers.mark_text(
            align=side,
            baseline="top",
            color=MUTED,
            dx={"left": 2, "center": 0, "right": -2}[side],
        ).encode(x=across("x"), y=down("label"), text="number:N")
    for side in ("left", "right"):
        numbers = alt.Chart(data_of(edges)).transform_filter(f"datum.side === '{side}'")
        strip += numbers.mark_text(align=side, baseline="top", color=MUTED, fontSize=10, dy=1).encode(  # type: ignore[arg-type]
            x=across("x"), y=down("label"), text="number:N"
        )
    measured = base.transform_filter("isValid(datum.at)")
    interval = base.transform_filter("isValid(datum.from) && isValid(datum.to)")
    marks = interval.mark_rule(strokeWidth=3).encode(
        x=across("from"), x2="to:Q", y=down("line"), color=colour, tooltip=tips
    )
    shape = alt.Shape("verdict:N", scale=_scale(MARKS), legend=None)
    marks += measured.mark_point(filled=True, size=150, opacity=1, stroke=PAPER, strokeWidth=1).encode(
        x=across("at"), y=down("line"), color=colour, shape=shape, tooltip=tips
    )
    for side in ("left", "center", "right"):
        said = base.transform_filter(f"datum.side === '{side}'")
        marks += said.mark_text(align=side, baseline="middle", fontWeight="bold").encode(  # type: ignore[arg-type]
            x=across("label_at"), y=down("number"), text="shown:N", color=alt.value(INK)
        )
    titles = title.encode(x=across("zero"), y=down("title"), text="words:N")
    return finished(strip + marks + titles, height=top)


def span_of(effects: Iterable[Mapping[str, Any]]) -> tuple[float, float]:
    """Return the ends of an axis that shows every number and every bar, with room; 0 to 1 for shares.

    Examples
    --------
    >>> below, above = Bar("below", (0.0,)), Bar("above", (1.0,))
    >>> span_of([{"value": 2.0, "low": 1.5, "high": None, "holds": below, "fails": above}])
    (-0.4, 2.4)
    """
    numbers: list[float] = []
    for effect in effects:
        numbers += [float(effect[name]) for name in ("value", "low", "high") if effect[name] is not None]
        numbers += [*effect["holds"].ends, *effect["fails"].ends]
    numbers = [one for one in numbers if math.isfinite(one)]
    low, high = min(numbers), max(numbers)
    if low >= 0 and high <= 1 and all(effect.get("unit") == "share" for effect in effects):
        return 0.0, 1.0
    if all(effect.get("unit") == "points" for effect in effects):
        room = ROOM * (high - low) or 1.0
        return max(-1.0, low - room), min(1.0, high + room)
    room = ROOM * (high - low) or abs(low) or 1.0
    return low - room, high + room


def zones_of(bar: Bar, low: float, high: float) -> list[tuple[float, float]]:
    """Return the parts of an axis on the bar's side.

    Examples
    --------
    >>> zones_of(Bar("outside", (1.0, 2.0)), 0.0, 4.0), zones_of(Bar("below", (9.0,)), 0.0, 4.0)
    ([(0.0, 1.0), (2.0, 4.0)], [(0.0, 4.0)])
    """
    first, last = bar.ends[0], bar.ends[-1]
    found = {
        "above": [(first, high)],
        "below": [(low, first)],
        "within": [(first, last)],
        "outside": [(low, first), (last, high)],
    }[bar.kind]
    cut = [(max(low, start), min(high, end)) for start, end in found]
    return [(start, end) for start, end in cut if end > start]


def _row(effect: Mapping[str, Any], low: float, high: float) -> dict[str, Any]:
    def at(name: str) -> float | None:
        value = effect[name]
        return None if value is None else _share(float(value), low, high)

    value = at("value")
    known = [one for one in (value, at("low"), at("high")) if one is not None]
    label_at = value if value is not None else (sum(known) / len(known) if known else 0.0)
    return {
        "measured": visible(str(effect["words"])),
        "shown": visible(str(effect["shown"])),
        "n": effect["n"],
        "verdict": effect["verdict"],
        "rule": f"holds {effect['holds']}, fails {effect['fails']}",
        "at": value,
        "from": at("low"),
        "to": at("high"),
        "zero": 0,
        "label_at": label_at,
        "side": _side(label_at),
    }


def _zones(effect: Mapping[str, Any], low: float, high: float) -> list[dict[str, Any]]:
    found = []
    for verdict in ("holds", "fails"):
        for start, end in zones_of(effect[verdict], low, high):
            first, last = _share(start, low, high), _share(end, low, high)
            spot = {"start": first, "end": last, "middle": round((first + last) / 2, 5)}
            found.append({"verdict": verdict, **spot})
    return found


def _ends(effect: Mapping[str, Any], low: float, high: float) -> list[dict[str, Any]]:
    ends = sorted({*effect["holds"].ends, *effect["fails"].ends})
    shares = [_share(end, low, high) for end in ends]
    found = []
    for spot, (end, share) in enumerate(zip(ends, shares, strict=True)):
        crowded_right = spot + 1 < len(shares) and shares[spot + 1] - share < 0.16
        crowded_left = spot > 0 and share - shares[spot - 1] < 0.16
        side = "right" if crowded_right else "left" if crowded_left else "center"
        found.append({"x": share, "number": _unit(end, effect), "side": side})
    return found


def _edges(
    effect: Mapping[str, Any], low: float, high: float, ends: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return the numbers at the ends of the axis, where no bar's number stands in their way."""
    found = []
    for side, x, value in (("left", 0.0, low), ("right", 1.0, high)):
        if all(abs(end["x"] - x) > 0.2 for end in ends):
            found.append({"x": x, "side": side, "number": _unit(float(f"{value:.2g}"), effect)})
    return found


def _unit(value: float, effect: Mapping[str, Any]) -> str:
    unit = effect.get("unit")
    if unit not in ("share", "points"):
        return f"{value:g}"
    return f"{round(100 * value, 6):g}{' %' if unit == 'share' else ''}"


def _down(start: float, **pixels: float) -> dict[str, float]:
    return {name: start + place for name, place in pixels.items()}


def _lines(words: str) -> list[str]:
    """Break words into at most three lines; the last says that there is more."""
    return textwrap.wrap(visible(words), WIDEST, max_lines=3, placeholder=" …") or [""]


def _share(value: float, low: float, high: float) -> float:
    return round((value - low) / (high - low), 5)


def _side(share: float) -> str:
    return "left" if share < 0.25 else "right" if share > 0.75 else "center"


def _scale(values: Mapping[str, str]) -> Any:
    import altair as alt

    return alt.Scale(domain=list(values), range=list(values.values()))
