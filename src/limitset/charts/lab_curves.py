"""How does accuracy go on beyond the steps of the training, cell by cell?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from limitset.charts.shown import visible
from limitset.charts.theme import MUTED, NULL, RIGHT, WRONG, data_of, finished, nothing, spread

HEIGHT: Final = 360
LABEL: Final = 13
"""Pixels from one label to the next."""
CLOSE: Final = 0.03
"""Ends of cells of one verdict this close to each other share a label when they are three or more."""
MANY: Final = 3
NARROW: Final = 500
"""Pages of fewer pixels have short names at the ends."""
_COLOURS: Final = {"settles and is right": RIGHT, "settles and is wrong": WRONG}


def curves_chart(rows: Sequence[Mapping[str, Any]], *, usual: int) -> Any:
    """Draw accuracy against steps, one line a cell with its band and its name at the end.

    Parameters
    ----------
    rows
        Records with cell, short (its name where the chart is narrow), step, right, low, high (shares in
        [0, 1], low and high None where there is no interval), shown, verdict; steps ascending within a cell.
    usual
        Steps of the training: a vertical line.

    Returns
    -------
    altair.LayerChart
        Cells that settle and are right in blue, those that settle and are wrong in vermilion, others grey.
        Three or more cells of one verdict that end together share one label, which says how many they are.
    """
    import altair as alt

    if not rows:
        return nothing("No net was trained.")
    shown = [
        {
            **row,
            "cell": visible(str(row["cell"])),
            "short": visible(str(row["short"])),
            "place": 1 + row["step"],
            **{name: _round(row[name]) for name in ("right", "low", "high")},
        }
        for row in rows
    ]
    last = max(row["step"] for row in shown)
    x = alt.X(
        "place:Q",
        title="steps taken",
        scale=alt.Scale(type="log", base=2, domain=[1, 1 + last], nice=False),
        axis=alt.Axis(
            values=[1 + step for step in (0, 1, 3, 7, 15, 31, 63, 127, 255) if step <= last],
            labelExpr="datum.value - 1",
            grid=False,
        ),
    )
    y = alt.Y(
        "right:Q",
        title="wholly right",
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(format="%", tickCount=5, domain=False, ticks=False),
    )
    verdicts = list(dict.fromkeys(row["verdict"] for row in shown))
    colour = alt.Color(
        "verdict:N",
        scale=alt.Scale(domain=verdicts, range=[_COLOURS.get(one, NULL) for one in verdicts]),
        legend=None,
    )
    base = alt.Chart(data_of(shown)).encode(x=x, detail="cell:N", color=colour)
    banded = base.transform_filter("isValid(datum.low) && isValid(datum.high)")
    bands = banded.mark_area(opacity=_shade(shown)).encode(
        y=alt.Y("low:Q", title="wholly right"), y2="high:Q"
    )
    tips = [alt.Tooltip(f"{name}:N") for name in ("cell", "step", "verdict")]
    tips.insert(2, alt.Tooltip("shown:N", title="right"))
    lines = base.mark_line(strokeWidth=1.8).encode(y=y)
    points = base.mark_point(opacity=0, size=70).encode(y=y, tooltip=tips)
    mark = alt.Chart(data_of([{"place": 1 + usual, "y": 1.0, "label": f"trained with {usual}"}]))
    rule = mark.mark_rule(color=NULL, strokeDash=[4, 3]).encode(x=x)
    # above the plot: within it the curves would strike the words through
    words = mark.mark_text(color=MUTED, baseline="bottom", dy=-5, fontSize=11).encode(
        x=x, y=alt.Y("y:Q"), text="label:N"
    )
    names = (
        alt.Chart(data_of(end_labels(shown)))
        .transform_calculate(said=f"containerSize()[0] < {NARROW} ? datum.short : datum.label")
        .mark_text(align="left", dx=6, fontSize=11)
        .encode(x=x, y=alt.Y("height:Q"), text="said:N", color=alt.Color("ink:N", scale=None))
    )
    return finished(bands + lines + points + rule + words + names, height=HEIGHT)


def end_labels(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Name the lines where they end: alone, or as a number of cells where three or more end together.

    Examples
    --------
    >>> good = "settles and is right"
    >>> cells = (("a", 1.0, good), ("b", 0.99, good), ("c", 1.0, good), ("d", 0.2, "can't tell"))
    >>> rows = [
    ...     {"cell": cell, "short": cell, "place": 9, "right": right, "verdict": verdict}
    ...     for cell, right, verdict in cells
    ... ]
    >>> [one["label"] for one in end_labels(rows)]
    ['3 cells: settle and are right', 'd']
    """
    ends = sorted({row["cell"]: row for row in rows}.values(), key=lambda row: -row["right"])
    groups: list[list[Mapping[str, Any]]] = []
    for end in ends:
        for group in groups:
            if group[0]["verdict"] == end["verdict"] and group[0]["right"] - end["right"] <= CLOSE:
                group.append(end)
                break
        else:
            groups.append([end])
    told: list[tuple[Mapping[str, Any], str, str]] = []
    for group in groups:
        if len(group) >= MANY:
            count = f"{len(group)} cells"
            told.append((group[0], f"{count}: {_of_many(str(group[0]['verdict']))}", count))
        else:
            told += [(end, str(end["cell"]), str(end["short"])) for end in group]
    heights = spread([end["right"] for end, _, _ in told], gap=LABEL / HEIGHT)
    return [
        {
            "place": end["place"],
            "height": round(height, 4),
            "label": label,
            "short": short,
            "ink": _COLOURS.get(end["verdict"], MUTED),
        }
        for (end, label, short), height in zip(told, heights, strict=True)
    ]


def _of_many(verdict: str) -> str:
    return verdict.replace("settles", "settle").replace(" is ", " are ")


def _shade(rows: Sequence[Mapping[str, Any]]) -> float:
    """Return how dense a band is: many that overlap must not hide the lines."""
    return min(0.13, 0.7 / len({row["cell"] for row in rows}))


def _round(share: float | None) -> float | None:
    return None if share is None else round(share, 3)
