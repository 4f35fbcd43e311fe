"""How do orbits move in the plane, and where do eigenvalues lie?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from limitset.charts.shown import visible
from limitset.charts.theme import INK, MUTED, NULL, PAPER, RIGHT, WRONG, data_of, finished, nothing

HEIGHT: Final = 340
SIDE: Final = 284
"""Both sides of the plane of eigenvalues, in pixels: with its axes it fits on a narrow screen."""
MOST: Final = 6
"""Inputs whose orbits are drawn; more make a tangle."""
_COLOURS: Final = {"right": RIGHT, "wrong": WRONG, "no anchor": INK}
_SHAPES: Final = {"right": "circle", "wrong": "cross", "no anchor": "square"}
_DASHES: Final = ([1, 0], [4, 3], [2, 2], [1, 3])


def chosen_orbits(orbits: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Choose the inputs whose orbits are drawn: the first 6, as many right as wrong where there are both.

    Parameters
    ----------
    orbits
        Records as `orbits_chart` takes them; an input may have several, one an arm.

    Returns
    -------
    list of records
        Every record of at most `MOST` inputs, in the order given; an input goes by its first verdict.

    Examples
    --------
    >>> verdicts = ["right"] * 5 + ["wrong"] * 4
    >>> chosen = chosen_orbits([{"item": item, "verdict": word} for item, word in enumerate(verdicts)])
    >>> [one["item"] for one in chosen]
    [0, 1, 2, 5, 6, 7]
    """
    verdicts: dict[Any, str] = {}
    for one in orbits:
        verdicts.setdefault(one["item"], one["verdict"])
    each = MOST // max(1, len(set(verdicts.values())))
    items = {
        item
        for verdict in set(verdicts.values())
        for item in [item for item, own in verdicts.items() if own == verdict][:each]
    }
    return [one for one in orbits if one["item"] in items]


def orbits_chart(orbits: Sequence[Mapping[str, Any]]) -> Any:
    """Draw a few orbits as lines from a hollow mark at their start to a full mark at their end.

    Parameters
    ----------
    orbits
        Records with item, arm, verdict ("right", "wrong" or "no anchor"), x and y (lists, one entry a step);
        of more than 6 inputs `chosen_orbits` are drawn.

    Returns
    -------
    altair.LayerChart
        The first arm solid, the others dashed; the mark at the end tells right from wrong.
    """
    import altair as alt

    rows = [row for one in chosen_orbits(orbits) for row in _states(one)]
    if not rows:
        return nothing("No orbit was held.")
    arms = list(dict.fromkeys(row["arm"] for row in rows))
    names = [name for name in _COLOURS if any(row["verdict"] == name for row in rows)]
    legend = alt.Legend(title=None) if len(names) > 1 else None
    colours = alt.Scale(domain=names, range=[_COLOURS[name] for name in names])
    colour = alt.Color("verdict:N", scale=colours, legend=legend)
    shape = alt.Shape(
        "verdict:N",
        scale=alt.Scale(domain=names, range=[_SHAPES[name] for name in names]),
        legend=legend,
    )
    # room at the sides, where a start may lie and be named
    across, span = (
        alt.Scale(zero=False, nice=False, padding=40),
        alt.Scale(zero=False, nice=False, padding=12),
    )
    x = alt.X(
        "x:Q", scale=across, title="first direction of the ends", axis=alt.Axis(grid=False, tickCount=4)
    )
    y = alt.Y("y:Q", scale=span, title="second direction", axis=alt.Axis(grid=False, tickCount=4))
    tips = [alt.Tooltip("item:N"), alt.Tooltip("arm:N", title="way"), alt.Tooltip("step:Q")]
    base = alt.Chart(data_of(rows)).encode(x=x, y=y, color=colour, detail="orbit:N")
    lines = base.mark_line(strokeWidth=0.9, opacity=0.5).encode(
        order="step:Q",
        strokeDash=alt.StrokeDash(
            "arm:N",
            scale=alt.Scale(domain=arms, range=[_DASHES[place % len(_DASHES)] for place in range(len(arms))]),
            legend=alt.Legend(title=None) if len(arms) > 1 else None,
        ),
    )
    first = [row for row in rows if row["place"] == "start"]
    starts = (
        alt.Chart(data_of(first))
        .mark_point(shape="circle", size=46, filled=True, fill=PAPER, stroke=INK, strokeWidth=1.4, opacity=1)
        .encode(x=x, y=y, tooltip=tips)
    )
    ends = (
        base.transform_filter("datum.place == 'end'")
        .mark_point(filled=True, size=75, opacity=1)
        .encode(shape=shape, tooltip=tips)
    )
    return finished(alt.layer(lines, starts, ends, *_start_words(rows, x=x, y=y)), height=HEIGHT)


def _states(one: Mapping[str, Any]) -> list[dict[str, Any]]:
    item, arm = visible(str(one["item"])), visible(str(one["arm"]))
    steps = list(enumerate(zip(one["x"], one["y"], strict=True)))
    return [
        {
            "orbit": f"{item} {arm}",
            "item": item,
            "arm": arm,
            "verdict": one["verdict"],
            "step": step,
            "x": round(float(x), 5),
            "y": round(float(y), 5),
            "place": "end" if step == len(steps) - 1 else "start" if step == 0 else "between",
        }
        for step, (x, y) in steps
        if math.isfinite(x) and math.isfinite(y)
    ]


def _start_words(rows: Sequence[dict[str, Any]], *, x: Any, y: Any) -> list[Any]:
    """Write "start" once, beside the start that lies furthest out, on the side away from the orbits."""
    import altair as alt

    centre = {name: sum(row[name] for row in rows) / len(rows) for name in ("x", "y")}
    first = [row for row in rows if row["place"] == "start"]
    far = max(first, key=lambda row: math.hypot(row["x"] - centre["x"], row["y"] - centre["y"]), default=None)
    if far is None:
        return []
    chart = alt.Chart(data_of([{"x": far["x"], "y": far["y"], "word": "start"}])).encode(
        x=x, y=y, text="word:N"
    )
    left = far["x"] < centre["x"]
    align: Literal["left", "right"] = "right" if left else "left"
    dx = -8 if left else 8
    # paper behind the word, so that a line under it does not strike it through
    behind = chart.mark_text(align=align, dx=dx, color=PAPER, stroke=PAPER, strokeWidth=4, strokeJoin="round")
    return [behind, chart.mark_text(align=align, dx=dx, color=INK)]


def eigenvalues_chart(values: Sequence[Mapping[str, Any]]) -> Any:
    """Draw eigenvalues in the complex plane beside the unit circle.

    Parameters
    ----------
    values
        Records with item, real, imaginary.

    Returns
    -------
    altair.LayerChart
        Points inside the circle shrink a small error at every step; points outside grow it. The plot is
        a square of fixed size, so that the circle is round at every width of the page.
    """
    import altair as alt

    values = [v for v in values if math.isfinite(v["real"]) and math.isfinite(v["imaginary"])]
    if not values:
        return nothing("No end has settled: no eigenvalue can be given.")
    rows = [
        {"item": visible(str(v["item"])), "x": round(v["real"], 5), "y": round(v["imaginary"], 5)}
        | {"size": round(math.hypot(v["real"], v["imaginary"]), 4)}
        for v in values
    ]
    reach = 1.1 * max(1.0, *(row["size"] for row in rows))
    turn = [2 * math.pi * part / 120 for part in range(121)]
    circle = [{"x": math.cos(a), "y": math.sin(a), "order": n} for n, a in enumerate(turn)]
    span = alt.Scale(domain=[-reach, reach], nice=False)
    x = alt.X("x:Q", scale=span, title="real part", axis=alt.Axis(grid=False, tickCount=5))
    y = alt.Y("y:Q", scale=span, title="imaginary part", axis=alt.Axis(grid=False, tickCount=5))
    edge = (
        alt.Chart(data_of(circle)).mark_line(color=NULL, strokeDash=[4, 3]).encode(x=x, y=y, order="order:Q")
    )
    points = (
        alt.Chart(data_of(rows))
        .mark_point(filled=True, size=40, opacity=0.6, color=MUTED)
        .encode(x=x, y=y, tooltip=[alt.Tooltip("item:N"), alt.Tooltip("size:Q", title="modulus")])
    )
    # "pad" sizes the plot itself; "fit-x" would take the width of the axis from it alone
    return finished(edge + points, height=SIDE).properties(
        width=SIDE, autosize=alt.AutoSizeParams(type="pad", contains="padding")
    )
