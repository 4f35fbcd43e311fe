"""How often are k unanimous runs all wrong, and is that more than unequal difficulty gives?"""

from __future__ import annotations

from typing import Any

from limitset.charts.agreed import bounds_of, by_way
from limitset.charts.shown import rows_of
from limitset.charts.theme import INK, NULL, PAPER, WRONG, data_of, finished, nothing, top_of
from limitset.core.results import MeasurementTable

HEIGHT = 340
MOST_TICKS = 12
"""Columns up to which each one is labelled."""
NEAR = 0.4
"""Share of the width that a name takes."""
ROOM = 0.13
"""Share of the height that three words take."""
SOURCES = {
    "seed": "same model, same wording",
    "paraphrase": "same model, other wordings",
    "model": "different models",
}
SHORT = {"seed": "same model,\nsame wording", "paraphrase": "other\nwording", "model": "other\nmodel"}


def unanimity_chart(curve: MeasurementTable, nulls: MeasurementTable | None = None) -> Any:
    """Draw the wrong-when-unanimous curve by source of agreement over the bracket of its nulls.

    Parameters
    ----------
    curve
        `Unanimity.curve`: axes source, k; shares in [0, 1].
    nulls
        `UnanimityNulls.curve`: axes source, k, estimate. The grey box runs from the cross-fitted to the
        plug-in estimate of the null that keeps each question's difficulty.

    Returns
    -------
    altair.LayerChart
        One column a source and k; a hollow triangle is a bound where no rate could be given: it points
        down from an upper one, up from a lower one. Of the bounds past the last rate the first is drawn: the
        others grow because fewer questions are left, not because more is wrong.
    """
    import altair as alt

    rows = _placed(_telling(rows_of(curve)))
    boxes = _boxes(nulls, {row["place"]: row for row in rows})
    drawn = [row for row in rows if row["value"] is not None]
    bounds = bounds_of(rows)
    if not drawn and not bounds:
        return nothing()
    top = top_of([*rows, *({"value": box["upper"], "high": None} for box in boxes)], least=0.2)
    order = _order(rows)
    # the sources are named above their columns, k below them
    across = alt.X(
        "place:N",
        title="runs that all agree (k)",
        sort=order,
        axis=alt.Axis(labelExpr=_ticks(len(order)), labelAngle=0, ticks=False, domain=False),
        scale=alt.Scale(domain=order),
    )
    scale = alt.Scale(domain=[0, top])
    up = alt.Y(
        "value:Q",
        title="wrong, when all k agree",
        scale=scale,
        axis=alt.Axis(format="%", tickCount=5, domain=False, ticks=False),
    )
    tips = [
        alt.Tooltip("source_words:N", title="agreement of"),
        alt.Tooltip("k:Q", title="runs (k)"),
        alt.Tooltip("shown:N", title="wrong"),
        alt.Tooltip("n:Q", title="false questions, effective", format=".1f"),
        alt.Tooltip("blank_reason:N", title="blank because"),
    ]
    grey = (
        alt.Chart(data_of(boxes))
        .mark_bar(color=NULL, opacity=0.25, stroke=NULL, strokeDash=[3, 2], strokeWidth=1)
        .encode(
            x=across,
            y=alt.Y("lower:Q", scale=scale),
            y2="upper:Q",
            tooltip=[alt.Tooltip("words:N", title="shared difficulty alone")],
        )
    )
    base = alt.Chart(data_of(drawn)).encode(x=across)
    whole = [row for row in drawn if row["low"] is not None and row["high"] is not None]
    bars = (
        alt.Chart(data_of(whole))
        .mark_rule(strokeWidth=1.6, color=WRONG)
        .encode(x=across, y=alt.Y("low:Q", scale=scale), y2="high:Q")
    )
    line = base.mark_line(strokeWidth=1.2, color=WRONG, opacity=0.6).encode(y=up, detail="source:N")
    points = base.mark_point(filled=True, shape="square", size=62, color=WRONG, opacity=1).encode(
        y=up, tooltip=tips
    )
    layers = grey + line + bars + points
    for shape, some in by_way(bounds):
        head = (
            alt.Chart(data_of(some))
            .mark_point(shape=shape, filled=True, fill=PAPER, stroke=WRONG, size=60, opacity=1)
            .encode(x=across, y=alt.Y("bound:Q", scale=scale), tooltip=tips)
        )
        layers = layers + head
    if any(box["upper"] - box["lower"] > ROOM * top for box in boxes):
        layers = layers + _null_name(boxes, across, scale)
    return finished(layers + _names(rows, across, top, scale), height=HEIGHT)


def _null_name(boxes: list[dict[str, Any]], across: Any, scale: Any) -> Any:
    """Name the grey boxes once, inside the widest of them."""
    import altair as alt

    named = max(boxes, key=lambda box: box["upper"] - box["lower"])
    label = {"place": named["place"], "middle": (named["upper"] + named["lower"]) / 2}
    return (
        alt.Chart(data_of([{**label, "name": "unequal\ndifficulty\nalone"}]))
        .mark_text(align="center", baseline="middle", lineBreak="\n", fontSize=10, color=NULL)
        .encode(x=across, y=alt.Y("middle:Q", scale=scale), text="name:N")
    )


def _names(rows: list[dict[str, Any]], across: Any, top: float, scale: Any) -> Any:
    import altair as alt

    first = {row["source"]: row for row in reversed(rows)}
    columns = _order(rows)
    layers: list[Any] = []
    level, right = 0, len(columns)
    # from the right: a name that would reach the next one goes above it
    for source, row in sorted(first.items(), key=lambda one: -columns.index(one[1]["place"])):
        at = columns.index(row["place"])
        level = level + 1 if right < len(columns) and right - at < NEAR * len(columns) else 0
        right = at
        label = {"place": row["place"], "words": SHORT.get(source, source), "top": top}
        text = alt.Chart(data_of([label])).mark_text(
            align="left",
            baseline="line-bottom",
            lineBreak="\n",
            dy=-18 - 34 * level,
            dx=-8,
            fontWeight="bold",
            color=INK,
            clip=False,
        )
        layers.append(text.encode(x=across, y=alt.Y("top:Q", scale=scale), text="words:N"))
    return alt.layer(*layers)


def _order(rows: list[dict[str, Any]]) -> list[str]:
    """Return the columns in order, with an empty one between two sources."""
    order: list[str] = []
    for before, row in zip([None, *rows], rows, strict=False):
        if before is not None and before["source"] != row["source"]:
            order.append(f"{row['source']}|")
        order.append(row["place"])
    return order


def _ticks(columns: int) -> str:
    """Return the words under the columns: k, and of many columns about one in twelve and k = 1."""
    step = -(-columns // MOST_TICKS)
    k = "toNumber(split(datum.label, '|')[1])"
    return f"{k} == 1 || ({k} > 0 && {k} % {step} == 0) ? split(datum.label, '|')[1] : ''"


def _telling(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out what follows the first blank after the last rate of a source."""
    kept = []
    for source in dict.fromkeys(row["source"] for row in rows):
        own = [row for row in rows if row["source"] == source]
        known = [place for place, row in enumerate(own) if row["value"] is not None]
        kept += own[: known[-1] + 2] if known else own
    return kept


def _placed(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            **row,
            "place": f"{row['source']}|{int(row['k'])}",
            "source_words": SOURCES.get(row["source"], row["source"]),
        }
        for row in rows
    ]


def _boxes(nulls: MeasurementTable | None, known: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    if nulls is None:
        return []
    ends: dict[str, dict[str, float]] = {}
    for row in _placed(rows_of(nulls)):
        if row["null_kind"] == "difficulty_kept" and row["value"] is not None and row["place"] in known:
            ends.setdefault(row["place"], {})[str(row["estimate"])] = row["value"]
    return [
        {
            "place": place,
            "lower": min(both.values()),
            "upper": max(both.values()),
            "words": f"{100 * min(both.values()):.1f} % to {100 * max(both.values()):.1f} %",
        }
        for place, both in ends.items()
    ]
