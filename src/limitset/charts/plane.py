"""How do orbits move in the plane, and where do eigenvalues lie?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from limitset.charts.shown import visible
from limitset.charts.theme import INK, MUTED, NULL, RIGHT, WRONG, data_of, finished, nothing

HEIGHT: Final = 340
_COLOURS: Final = {"right": RIGHT, "wrong": WRONG, "no anchor": INK}
_SHAPES: Final = {"right": "circle", "wrong": "cross", "no anchor": "square"}


def orbits_chart(orbits: Sequence[Mapping[str, Any]]) -> Any:
    """Draw orbits as lines from their start to a mark at their end.

    Parameters
    ----------
    orbits
        Records with item, arm, verdict ("right", "wrong" or "no anchor"), x and y (lists, one entry a step).

    Returns
    -------
    altair.LayerChart
        The first arm solid, the others dashed; the mark at the end tells right from wrong.
    """
    import altair as alt

    if not orbits:
        return nothing("No orbit was held.")
    rows = [
        {
            "orbit": f"{visible(str(one['item']))} {one['arm']}",
            "item": visible(str(one["item"])),
            "arm": one["arm"],
            "verdict": one["verdict"],
            "step": step,
            "x": round(float(x), 5),
            "y": round(float(y), 5),
            "last": step == len(one["x"]) - 1,
        }
        for one in orbits
        for step, (x, y) in enumerate(zip(one["x"], one["y"], strict=True))
        if math.isfinite(x) and math.isfinite(y)
    ]
    arms = list(dict.fromkeys(row["arm"] for row in rows))
    names = [name for name in _COLOURS if any(row["verdict"] == name for row in rows)]
    colour = alt.Color(
        "verdict:N",
        scale=alt.Scale(domain=names, range=[_COLOURS[name] for name in names]),
        legend=alt.Legend(title=None) if len(names) > 1 else None,
    )
    x = alt.X("x:Q", title="first direction of the ends", axis=alt.Axis(grid=False, tickCount=4))
    y = alt.Y("y:Q", title="second direction", axis=alt.Axis(grid=False, tickCount=4))
    base = alt.Chart(data_of(rows)).encode(x=x, y=y, color=colour, detail="orbit:N")
    tips = [alt.Tooltip("item:N"), alt.Tooltip("arm:N", title="way"), alt.Tooltip("step:Q")]
    lines = base.mark_line(strokeWidth=1, opacity=0.55).encode(
        order="step:Q",
        strokeDash=alt.StrokeDash(
            "arm:N",
            scale=alt.Scale(domain=arms, range=[[1, 0], [4, 3], [2, 2], [1, 3]][: len(arms)]),
            legend=alt.Legend(title=None) if len(arms) > 1 else None,
        ),
    )
    ends = base.transform_filter("datum.last").mark_point(filled=True, size=60, opacity=0.9)
    marks = ends.encode(
        shape=alt.Shape(
            "verdict:N",
            scale=alt.Scale(domain=names, range=[_SHAPES[name] for name in names]),
            legend=alt.Legend(title=None) if len(names) > 1 else None,
        ),
        tooltip=tips,
    )
    return finished(lines + marks, height=HEIGHT)


def eigenvalues_chart(values: Sequence[Mapping[str, Any]]) -> Any:
    """Draw eigenvalues in the complex plane beside the unit circle.

    Parameters
    ----------
    values
        Records with item, real, imaginary.

    Returns
    -------
    altair.LayerChart
        Points inside the circle shrink a small error at every step; points outside grow it.
    """
    import altair as alt

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
    span = alt.Scale(domain=[-reach, reach])
    x = alt.X("x:Q", scale=span, title="real part", axis=alt.Axis(grid=False))
    y = alt.Y("y:Q", scale=span, title="imaginary part", axis=alt.Axis(grid=False))
    edge = (
        alt.Chart(data_of(circle)).mark_line(color=NULL, strokeDash=[4, 3]).encode(x=x, y=y, order="order:Q")
    )
    points = (
        alt.Chart(data_of(rows))
        .mark_point(filled=True, size=40, opacity=0.6, color=MUTED)
        .encode(x=x, y=y, tooltip=[alt.Tooltip("item:N"), alt.Tooltip("size:Q", title="modulus")])
    )
    # as wide as it is high: a circle must look like one
    return finished(edge + points, height=HEIGHT).properties(width=HEIGHT)
