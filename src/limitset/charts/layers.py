"""How far does each layer move the states, when is the answer there, and where does a looped block go?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from limitset.charts.shown import number, rows_of
from limitset.charts.theme import INK, NULL, RIGHT, STRATA, data_of, finished, nothing, spread
from limitset.core.results import MeasurementTable

HEIGHT: Final = 320
REST: Final = "all other positions"
WHOLE: Final = "with position 0"
_LOOPS: Final = ("plain", "norm", "injection", "norm + injection")


def path_chart(paths: MeasurementTable) -> Any:
    """Draw how far each layer moves the state, with and without position 0.

    Parameters
    ----------
    paths
        Axes measure, layer, as `limitset.studies.layers.LayerPaths.table` gives them.

    Returns
    -------
    altair.LayerChart
        Relative step against layer on a logarithmic axis; position 0 in grey, dashed.
    """
    names = {"step": REST, "step with sink": WHOLE}
    rows = [{**row, "line": names[row["measure"]]} for row in rows_of(paths) if row["measure"] in names]
    colours = {REST: INK, WHOLE: NULL}
    return _lines(
        rows, colours, x="layer", x_title="layer", y_title="step / state", dashed=(WHOLE,), log_y=True
    )


def lens_chart(paths: MeasurementTable) -> Any:
    """Draw at which layer the final token is on top already, and how often that token is right.

    Parameters
    ----------
    paths
        As for `path_chart`.

    Returns
    -------
    altair.LayerChart
        Shares of texts against layer; right in blue.
    """
    names = {"already final": "already final", "right": "right"}
    rows = [{**row, "line": names[row["measure"]]} for row in rows_of(paths) if row["measure"] in names]
    colours = {"already final": INK, "right": RIGHT}
    return _lines(rows, colours, x="layer", x_title="read at layer", y_title="share of texts", dashed=())


def looped_chart(residuals: MeasurementTable) -> Any:
    """Draw how far each application of a looped block still moves the state.

    Parameters
    ----------
    residuals
        Axes loop, step, as `limitset.studies.layers.residuals_table` gives them.

    Returns
    -------
    altair.LayerChart
        One line a recipe, both axes logarithmic: a line that falls without end settles, a slope of -1 drifts.
    """
    rows = [{**row, "line": row["loop"]} for row in rows_of(residuals)]
    colours = dict(zip(_LOOPS, STRATA, strict=False))
    return _lines(
        rows,
        colours,
        x="step",
        x_title="times applied",
        y_title="step / state",
        dashed=(),
        log_y=True,
        log_x=True,
    )


def _lines(
    rows: Sequence[dict[str, Any]],
    colours: Mapping[str, str],
    *,
    x: str,
    x_title: str,
    y_title: str,
    dashed: tuple[str, ...],
    log_y: bool = False,
    log_x: bool = False,
) -> Any:
    import altair as alt

    rows = [row for row in rows if row["value"] is not None and (row["value"] > 0 or not log_y)]
    if not rows:
        return nothing("No text was long enough: no point can be given.")
    names = [name for name in colours if any(row["line"] == name for row in rows)]
    for row in rows:
        row["shown"] = number(row["value"])
        if log_y and row["low"] is not None:
            row["low"] = max(row["low"], min(other["value"] for other in rows) / 2)
    first, last = min(row[x] for row in rows), max(row[x] for row in rows)
    scale = (
        alt.Scale(type="log", base=2, nice=False, domain=[first, last])
        if log_x
        else alt.Scale(domain=[first, last], nice=False)
    )
    across = alt.X(f"{x}:Q", title=x_title, scale=scale, axis=alt.Axis(grid=False, format="d"))
    up = alt.Y(
        "value:Q",
        title=y_title,
        scale=alt.Scale(type="log") if log_y else alt.Scale(domain=[0, 1]),
        axis=alt.Axis(format="~g" if log_y else "%", tickCount=5, domain=False, ticks=False),
    )
    colour = alt.Color(
        "line:N", scale=alt.Scale(domain=names, range=[colours[name] for name in names]), legend=None
    )
    dash = alt.StrokeDash(
        "line:N",
        scale=alt.Scale(domain=names, range=[[5, 3] if name in dashed else [1, 0] for name in names]),
        legend=None,
    )
    base = alt.Chart(data_of(rows)).encode(x=across, color=colour, detail="line:N")
    banded = [row for row in rows if row["low"] is not None and row["high"] is not None]
    band = (
        alt.Chart(data_of(banded))
        .mark_area(opacity=0.13)
        .encode(x=across, y=alt.Y("low:Q", title=y_title), y2="high:Q", color=colour, detail="line:N")
    )
    line = base.mark_line(strokeWidth=2.2).encode(y=up, strokeDash=dash)
    tips = [
        alt.Tooltip("line:N", title="of"),
        alt.Tooltip(f"{x}:Q", title=x_title),
        alt.Tooltip("shown:N", title=y_title),
        alt.Tooltip("n:Q", title="n", format=".0f"),
    ]
    points = base.mark_point(filled=True, opacity=0, size=90).encode(y=up, tooltip=tips)
    words = _end_words(rows, names, x=x, last=last, log_y=log_y)
    text = (
        alt.Chart(data_of(words))
        .mark_text(align="left", dx=9, fontWeight="bold")
        .encode(x=across, y=alt.Y("place:Q"), text="label:N", color=colour)
    )
    return finished(band + line + points + text, height=HEIGHT)


def _end_words(
    rows: Sequence[dict[str, Any]], names: Sequence[str], *, x: str, last: float, log_y: bool
) -> list[dict[str, Any]]:
    """Name each line where it ends; those that end together are moved apart."""
    import math

    ends = {name: max((row for row in rows if row["line"] == name), key=lambda row: row[x]) for name in names}
    at_last = [name for name in names if ends[name][x] == last]
    words = [{"line": name, x: ends[name][x], "place": ends[name]["value"], "label": name} for name in names]
    if not at_last:
        return words
    values = [math.log(row["value"]) if log_y else row["value"] for row in rows]
    gap = (18 / HEIGHT) * ((max(values) - min(values)) or 1.0 if log_y else 1.0)
    heights = [math.log(ends[name]["value"]) if log_y else ends[name]["value"] for name in at_last]
    floor = min(heights)
    # `spread` keeps labels above zero, so logarithms are measured from the lowest
    places = [place + floor for place in spread([height - floor for height in heights], gap=gap)]
    moved = dict(zip(at_last, places, strict=True))
    for word in words:
        if word["line"] in moved:
            place = moved[word["line"]]
            word["place"] = math.exp(place) if log_y else place
    return words
