"""Who shares wrong answers with whom, and where do answers vary at all?"""

from __future__ import annotations

from typing import Any

from limitset.charts.shown import rows_of
from limitset.charts.theme import INK, NULL, RIGHT, WRONG, data_of, finished, nothing
from limitset.core.results import MeasurementTable

MANY = 4
"""Systems from which pairs are drawn as a matrix."""

NULL_WORDS = {
    "item_conditional": "the other systems",
    "popularity": "popular wrong answers",
    "popularity_plug_in": "popular wrong answers",
    "shuffled": "answers to other questions",
}
COMPONENT_WORDS = {
    "question": "question",
    "model": "model",
    "paraphrase": "wording",
    "model_x_paraphrase": "model with wording",
    "seed": "chance of the run",
}


def sharing_chart(pairs: MeasurementTable, panel: MeasurementTable | None = None) -> Any:
    """Draw how often two systems that are both wrong give the same wrong answer, with its nulls.

    Parameters
    ----------
    pairs, panel
        `SameWrong.pairs` (axes first, second) and `.panel` (axis statistic); `null_kind` is "" for what was
        measured. The grey box runs between the two estimates of the popularity null of the panel.

    Returns
    -------
    altair.LayerChart
        One row a pair for up to three systems, else a matrix.
    """
    rows = [row for row in rows_of(pairs) if row["value"] is not None]
    if not any(not row["null_kind"] for row in rows):
        return nothing("Too few questions on which two systems are wrong.")
    names = list(dict.fromkeys([*(r["first"] for r in rows), *(r["second"] for r in rows)]))
    if len(names) >= MANY:
        return _matrix(rows, names)
    return _pairs(rows, [] if panel is None else rows_of(panel.where(statistic="same_wrong")))


def _pairs(rows: list[dict[str, Any]], panel: list[dict[str, Any]]) -> Any:
    import altair as alt

    rows = [{**row, "pair": f"{row['first']} and {row['second']}"} for row in rows]
    seen = [row for row in rows if not row["null_kind"]]
    nulls = _null_rows(rows, panel, list(dict.fromkeys(row["pair"] for row in seen)))
    across = alt.X(
        "value:Q",
        title="both wrong: they give the same wrong answer",
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(format="%", tickCount=5),
    )
    up = alt.Y("pair:N", title=None, axis=None)
    tips = [
        alt.Tooltip("pair:N", title="systems"),
        alt.Tooltip("shown:N", title="same wrong answer"),
        alt.Tooltip("n:Q", title="questions, effective", format=".0f"),
    ]
    null_tips = [alt.Tooltip("what:N", title="expected from"), alt.Tooltip("range:N", title="same answer")]
    grey = (
        alt.Chart(data_of(nulls))
        .mark_bar(color=NULL, opacity=0.25, stroke=NULL, strokeDash=[3, 2], strokeWidth=1, height=40)
        .encode(x=alt.X("lower:Q"), x2="upper:Q", y=up, tooltip=null_tips)
    )
    grey_words = [
        alt.Chart(data_of([row for row in nulls if row["line"] == line]))
        .mark_text(color=NULL, dy=34 + 15 * line, align="left")
        .encode(x=alt.X("lower:Q"), y=up, text="what:N")
        for line in sorted({row["line"] for row in nulls})
    ]
    base = alt.Chart(data_of(seen)).encode(y=up)
    whole = [row for row in seen if row["low"] is not None and row["high"] is not None]
    bars = (
        alt.Chart(data_of(whole))
        .mark_rule(color=WRONG, strokeWidth=2)
        .encode(y=up, x=alt.X("low:Q"), x2="high:Q")
    )
    points = base.mark_point(filled=True, shape="square", color=WRONG, size=110, opacity=1).encode(
        x=across, tooltip=tips
    )
    words = base.mark_text(color=INK, dy=-29, fontWeight="bold").encode(x=across, text="shown:N")
    title = base.mark_text(color=INK, align="left", dy=-52, fontWeight="bold").encode(
        x=alt.value(0), text="pair:N"
    )
    count = len({row["pair"] for row in seen})
    layers = alt.layer(grey, *grey_words, bars, points, words, title)
    return finished(layers, height=150 * max(count, 1) + 10)


def _null_rows(
    rows: list[dict[str, Any]], panel: list[dict[str, Any]], pairs: list[str]
) -> list[dict[str, Any]]:
    """Return one grey box a pair and kind of null; a null with one estimate is a thin box."""
    ends: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        if row["null_kind"]:
            ends.setdefault((row["pair"], NULL_WORDS.get(row["null_kind"], row["null_kind"])), []).append(
                row["value"]
            )
    for row in panel:
        if row["null_kind"] and row["value"] is not None:
            for pair in pairs:
                words = NULL_WORDS.get(row["null_kind"], row["null_kind"])
                ends.setdefault((pair, words), []).append(row["value"])
    kinds = list(dict.fromkeys(words for _, words in ends))
    return [
        {
            "pair": pair,
            "what": words,
            "lower": max(0.0, min(values) - 0.002),
            "upper": min(1.0, max(values) + 0.002),
            "range": f"{100 * min(values):.0f} % to {100 * max(values):.0f} %"
            if len(values) > 1
            else f"{100 * values[0]:.0f} %",
            "line": kinds.index(words),
        }
        for (pair, words), values in ends.items()
    ]


def _matrix(rows: list[dict[str, Any]], names: list[str]) -> Any:
    import altair as alt

    null = {
        (row["first"], row["second"]): row["value"] for row in rows if row["null_kind"] == "item_conditional"
    }
    order = _clustered(rows, names)
    cells = []
    for row in rows:
        if row["null_kind"]:
            continue
        base = null.get((row["first"], row["second"]))
        excess = 0.0 if base is None else row["value"] - base
        for first, second in ((row["first"], row["second"]), (row["second"], row["first"])):
            cells.append(
                {
                    **row,
                    "across": first,
                    "down": second,
                    "excess": excess,
                    "strength": min(1.0, abs(excess) / 0.5) * 0.75 + 0.04,
                    "side": "more than the panel" if excess > 0 else "less than the panel",
                    "null": "" if base is None else f"{100 * base:.0f} %",
                    "label": f"{100 * row['value']:.0f}",
                }
            )
    base = alt.Chart(data_of(cells)).encode(
        x=alt.X("across:N", sort=order, title=None, axis=alt.Axis(labelAngle=-35, ticks=False, domain=False)),
        y=alt.Y("down:N", sort=order, title=None, axis=alt.Axis(ticks=False, domain=False)),
    )
    fill = base.mark_rect().encode(
        color=alt.Color(
            "side:N",
            scale=alt.Scale(domain=["more than the panel", "less than the panel"], range=[WRONG, RIGHT]),
            legend=alt.Legend(title=None, columns=1),
        ),
        opacity=alt.Opacity("strength:Q", scale=None),
        tooltip=[
            alt.Tooltip("across:N", title="one"),
            alt.Tooltip("down:N", title="other"),
            alt.Tooltip("shown:N", title="same wrong answer"),
            alt.Tooltip("null:N", title="like the panel"),
            alt.Tooltip("n:Q", title="n", format=".0f"),
        ],
    )
    words = base.mark_text(color=INK).encode(text="label:N")
    return finished(fill + words, height=max(220, 34 * len(names) + 40))


def variance_chart(shares: MeasurementTable) -> Any:
    """Draw what the answers vary with: question, model, wording, chance.

    Parameters
    ----------
    shares
        `VarianceShares.shares`: axis component; shares of the variance of one-hot answers.

    Returns
    -------
    altair.LayerChart
        One bar a component.
    """
    import altair as alt

    rows = [
        {
            **row,
            "words": " + ".join(COMPONENT_WORDS.get(part, part) for part in row["component"].split(" + ")),
        }
        for row in rows_of(shares)
        if row["value"] is not None
    ]
    if not rows:
        return nothing("The design cannot tell what answers vary with.")
    order = [row["words"] for row in rows]
    top = max([0.1, *(max(row["value"], row["high"] or 0.0) for row in rows)])
    low = min([0.0, *(row["value"] for row in rows)])
    across = alt.X(
        "value:Q",
        title="share of the variance of answers",
        scale=alt.Scale(domain=[low, min(top, 1.0)]),
        axis=alt.Axis(format="%", tickCount=5),
    )
    base = alt.Chart(data_of(rows)).encode(
        y=alt.Y("words:N", sort=order, title=None, axis=alt.Axis(ticks=False, domain=False))
    )
    tips = [
        alt.Tooltip("words:N", title="component"),
        alt.Tooltip("shown:N", title="share"),
        alt.Tooltip("n:Q", title="n", format=".0f"),
    ]
    bars = base.mark_bar(color=NULL, opacity=0.55, height=18).encode(x=across, tooltip=tips)
    whole = [row for row in rows if row["low"] is not None and row["high"] is not None]
    rule = (
        alt.Chart(data_of(whole))
        .mark_rule(color=INK)
        .encode(y=alt.Y("words:N", sort=order), x="low:Q", x2="high:Q")
    )
    labels = (
        alt.Chart(data_of([{**row, "end": max(row["value"], row["high"] or 0.0)} for row in rows]))
        .mark_text(align="left", dx=8, color=INK)
        .encode(y=alt.Y("words:N", sort=order), x="end:Q", text="shown:N")
    )
    return finished(bars + rule + labels, height=34 * max(len(rows), 2) + 10)


def _clustered(rows: list[dict[str, Any]], names: list[str]) -> list[str]:
    """Order systems so that alike ones stand together (average linkage)."""
    import numpy as np
    from scipy.cluster import hierarchy
    from scipy.spatial.distance import squareform

    place = {name: index for index, name in enumerate(names)}
    distance = np.ones((len(names), len(names)))
    np.fill_diagonal(distance, 0.0)
    for row in rows:
        if not row["null_kind"]:
            a, b = place[row["first"]], place[row["second"]]
            distance[a, b] = distance[b, a] = 1.0 - row["value"]
    linkage = hierarchy.linkage(squareform(distance, checks=False), "average", optimal_ordering=True)
    return [names[index] for index in hierarchy.leaves_list(linkage)]
