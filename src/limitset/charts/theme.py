"""Which colours, shapes and sizes do all charts share?

Okabe and Ito's pair: right is blue, wrong is vermilion, told apart by shape as well. The reserved colours
are never used for strata. Dark pages swap each colour for its partner in `DARK`: charts are drawn as SVG and
the style sheet matches on the colour, so the chart itself is one object everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

RIGHT: Final = "#0072b2"
WRONG: Final = "#c75300"
"""Okabe and Ito's vermilion, a shade darker: white words on it keep a contrast of 4.5."""
ABSTAINED: Final = "#8a9099"
UNPARSED: Final = "#c3c8cf"
NULL: Final = "#7d848e"
INK: Final = "#1b1f24"
MUTED: Final = "#59606b"
GRID: Final = "#e4e7eb"
PAPER: Final = "#fefefe"
"""Fill of hollow marks; not #ffffff, which other parts of a drawing may use."""
ON_COLOUR: Final = "#fffffe"
"""Words on a coloured bar."""

STRATA: Final = ("#00795a", "#a5508a", "#946200", "#6a5acd", "#4f7a28", "#9c4a3c")
SHAPES: Final = ("circle", "square", "diamond", "triangle-up", "triangle-down", "cross", "triangle-right")

DARK: Final = {
    RIGHT: "#56b4e9",
    WRONG: "#ff8a3d",
    ABSTAINED: "#8f96a1",
    UNPARSED: "#4d545e",
    NULL: "#979ea9",
    INK: "#e9ebee",
    MUTED: "#a9b0ba",
    GRID: "#2b3037",
    PAPER: "#15181c",
    ON_COLOUR: "#0d1013",
    STRATA[0]: "#35c79d",
    STRATA[1]: "#e091c4",
    STRATA[2]: "#e0ad45",
    STRATA[3]: "#a79bff",
    STRATA[4]: "#9ccc65",
    STRATA[5]: "#ef9a8b",
}
"""Light colour to its partner on a dark page."""

FONT: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
FIELDS_OF_ALL: Final = "all"


def finished(chart: Any, *, height: int, description: str = "") -> Any:
    """Give a chart its size and the shared look; words past the plot are fitted in."""
    import altair as alt

    return (
        chart.properties(
            width="container",
            height=height,
            padding={"left": 4, "top": 8, "right": 8, "bottom": 4},
            autosize=alt.AutoSizeParams(type="fit-x", contains="padding"),
            description=description,
        )
        .configure(font=FONT, background="transparent")
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=MUTED,
            titleColor=MUTED,
            labelFontSize=12,
            titleFontSize=12,
            titleFontWeight="normal",
            gridColor=GRID,
            domainColor=NULL,
            tickColor=NULL,
            labelLimit=220,
        )
        .configure_text(fontSize=12, color=INK)
        .configure_legend(labelColor=INK, titleColor=MUTED, labelFontSize=12, titleFontSize=12, orient="top")
    )


def data_of(rows: Sequence[dict[str, Any]]) -> Any:
    """Wrap plain records as inline data."""
    import altair as alt

    return alt.InlineData(values=list(rows))


def colour_of(names: Sequence[str]) -> dict[str, str]:
    """Give each stratum its colour; "all" is ink."""
    rest = [name for name in names if name != FIELDS_OF_ALL]
    colours = {name: STRATA[place % len(STRATA)] for place, name in enumerate(rest)}
    return {name: colours.get(name, INK) for name in names}


def scale_of(colours: dict[str, str]) -> Any:
    """Return a colour scale with fixed names."""
    import altair as alt

    return alt.Scale(domain=list(colours), range=list(colours.values()))


def spread(heights: Sequence[float], *, gap: float) -> list[float]:
    """Move labels apart until neighbours stand at least `gap` from each other, keeping their order.

    Examples
    --------
    >>> [round(y, 3) for y in spread([0.50, 0.52, 0.10], gap=0.1)]
    [0.46, 0.56, 0.1]
    """
    order = sorted(range(len(heights)), key=lambda place: heights[place])
    placed = [heights[place] for place in order]
    for _ in range(60):
        for place in range(1, len(placed)):
            short = gap - (placed[place] - placed[place - 1])
            if short > 1e-9:
                placed[place] += short / 2
                placed[place - 1] -= short / 2
    # half a label above the zero line, so that the axis does not strike it through
    floor = gap / 2
    for place, height in enumerate(placed):
        placed[place] = max(height, floor)
        floor = placed[place] + gap
    out = [0.0] * len(heights)
    for place, height in zip(order, placed, strict=True):
        out[place] = height
    return out


def nothing(words: str = "Too few questions: no point can be given.") -> Any:
    """Return a chart that says why it is empty."""
    import altair as alt

    text = alt.Chart(data_of([{"words": words}])).mark_text(color=MUTED, fontSize=14)
    return finished(text.encode(text="words:N"), height=120)


def top_of(rows: Sequence[dict[str, Any]], *, least: float = 0.1) -> float:
    """Return the upper end of a share axis that starts at zero."""
    tallest = max(
        (row[name] for row in rows for name in ("value", "high") if row[name] is not None), default=0
    )
    step = 0.05 if tallest < 0.3 else 0.1
    return float(min(1.0, max(least, step * (int(tallest / step) + 1))))
