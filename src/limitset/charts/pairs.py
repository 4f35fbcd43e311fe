"""Which pairs of systems err alike, and which agree more than shared difficulty makes them?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from jaxtyping import Float, Int

from limitset.charts.shown import number, rows_of
from limitset.charts.theme import INK, NULL, RIGHT, WRONG, data_of, finished, nothing
from limitset.core.results import MeasurementTable

ROW: Final = 58
MOST: Final = 12
"""Pairs drawn one by one; of more, those at both ends."""
NAME: Final = 24
"""Characters of a name in a chart."""


def pairs_chart(pairs: MeasurementTable) -> Any:
    """Draw chance-adjusted agreement of pairs with what shared difficulty alone would give.

    Parameters
    ----------
    pairs
        `ChanceAdjusted.pairs` or `ErrorConsistency.pairs`: axes measure, first, second; `null_kind` "" or
        "difficulty". Of more than twelve pairs those at both ends are drawn.

    Returns
    -------
    altair.LayerChart
        One row a pair: the value with its interval, the floor as a dashed box over its interval.
    """
    import altair as alt

    pairs = at_both_ends(pairs, most=MOST)
    rows = [{**row, "pair": pair_words(row)} for row in rows_of(pairs) if row["value"] is not None]
    seen = [{**row, "words": f"{row['pair']}:\n{_interval(row)}"} for row in rows if not row["null_kind"]]
    if not seen:
        return nothing("No pair of systems answers enough of the same questions.")
    floors = [
        {
            **row,
            "from": row["value"] if row["low"] is None else row["low"],
            "to": row["value"] if row["high"] is None else row["high"],
            "words": f"difficulty alone: {_interval(row)}",
        }
        for row in rows
        if row["null_kind"]
    ]
    measure = str(pairs.axes["measure"][0])
    ends = [end for row in rows for end in (row["value"], row["low"], row["high"]) if end is not None]
    across = alt.X(
        "value:Q",
        title=f"{measure}: agreement beyond chance",
        scale=alt.Scale(domain=[min(0.0, *ends), max(0.5, *ends)], nice=True),
        axis=alt.Axis(format=".1f", tickCount=5),
    )
    down = alt.Y("pair:N", sort=[row["pair"] for row in seen], title=None, axis=None)
    grey = (
        alt.Chart(data_of(floors))
        .mark_bar(color=NULL, opacity=0.3, stroke=NULL, strokeDash=[3, 2], height=16)
        .encode(
            x=alt.X("from:Q"),
            x2="to:Q",
            y=down,
            tooltip=[alt.Tooltip("pair:N", title="pair"), alt.Tooltip("words:N", title="expected")],
        )
    )
    tick = alt.Chart(data_of(floors)).mark_tick(color=NULL, thickness=2, size=16).encode(x="value:Q", y=down)
    base = alt.Chart(data_of(seen)).encode(y=down)
    bars = (
        alt.Chart(data_of([row for row in seen if row["low"] is not None]))
        .mark_rule(color=WRONG, strokeWidth=2)
        .encode(y=down, x="low:Q", x2="high:Q")
    )
    points = base.mark_point(filled=True, shape="square", color=WRONG, size=80, opacity=1).encode(
        x=across,
        tooltip=[alt.Tooltip("words:N", title="pair"), alt.Tooltip("n:Q", title="questions", format=".0f")],
    )
    words = base.mark_text(align="left", baseline="bottom", lineBreak="\n", dy=-25, color=INK).encode(
        x=alt.value(0), text="words:N"
    )
    return finished(grey + tick + bars + points + words, height=ROW * len(seen) + 10)


def strongest_chart(pairs: MeasurementTable, *, panel: float) -> Any:
    """Draw the pairs that share the most and the fewest wrong answers, of many.

    Parameters
    ----------
    pairs
        `SameWrong.pairs`: axes first, second; `null_kind` "" or "item_conditional".
    panel
        The rate of all pairs together, drawn as a dashed line; NaN for none.

    Returns
    -------
    altair.LayerChart
        One row a pair, from zero, with its interval and, grey, two other systems on the same questions.
    """
    import altair as alt

    rows = [
        {**row, "pair": pair_words(row)}
        for row in rows_of(at_both_ends(pairs, most=MOST))
        if row["value"] is not None
    ]
    seen = [{**row, "words": f"{row['pair']}:\n{row['shown']}"} for row in rows if not row["null_kind"]]
    if not seen:
        return nothing("Too few questions on which two systems are wrong.")
    down = alt.Y("pair:N", sort=[row["pair"] for row in seen], title=None, axis=None)
    across = alt.X(
        "value:Q",
        title="both wrong: they give the same wrong answer",
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(format="%", tickCount=5),
    )
    base = alt.Chart(data_of(seen)).encode(y=down)
    bars = base.mark_bar(height=12, color=WRONG, opacity=0.8).encode(
        x=across, tooltip=[alt.Tooltip("words:N", title="pair"), alt.Tooltip("n:Q", title="n", format=".0f")]
    )
    ends = base.mark_rule(strokeWidth=2, color=INK).encode(x="low:Q", x2="high:Q")
    others = (
        alt.Chart(data_of([row for row in rows if row["null_kind"]]))
        .mark_tick(color=NULL, thickness=3, size=18)
        .encode(x="value:Q", y=down, tooltip=[alt.Tooltip("shown:N", title="two other systems")])
    )
    line = (
        alt.Chart(data_of([] if np.isnan(panel) else [{"at": panel}]))
        .mark_rule(color=NULL, strokeDash=[4, 3], strokeWidth=1.5)
        .encode(x="at:Q")
    )
    words = base.mark_text(align="left", baseline="bottom", lineBreak="\n", dy=-23, color=INK).encode(
        x=alt.value(0), text="words:N"
    )
    return finished(line + bars + ends + others + words, height=ROW * len(seen) + 10)


def pairs_matrix(pairs: MeasurementTable) -> Any:
    """Draw all pairs as a matrix in clustered order, coloured against what other systems share.

    Parameters
    ----------
    pairs
        `SameWrong.pairs`: axes first, second; `null_kind` "" or "item_conditional".

    Returns
    -------
    altair.Chart
        One cell a pair; vermilion where it shares more than two others on the same questions, else blue.
    """
    import altair as alt

    names = names_of(pairs)
    rate, null = square(pairs, names, ""), square(pairs, names, "item_conditional")
    order = [names[place] for place in clustered(rate)]
    cells = []
    for down, across in zip(*np.nonzero(~np.isnan(rate)), strict=True):
        base = float(null[down, across])
        excess = 0.0 if np.isnan(base) else float(rate[down, across]) - base
        cells.append(
            {
                "across": names[across],
                "down": names[down],
                "side": "more than the panel" if excess > 0 else "less than the panel",
                "strength": min(1.0, abs(excess) / 0.5) * 0.9 + 0.05,
                "shown": f"{100 * rate[down, across]:.0f} %",
                "null": "" if np.isnan(base) else f"{100 * base:.0f} %",
            }
        )
    axis = alt.Axis(ticks=False, domain=False, labelLimit=110, labelOverlap=False, labelFontSize=9)
    chart = (
        alt.Chart(data_of(cells))
        .mark_rect()
        .encode(
            x=alt.X("across:N", sort=order, title=None, axis=None),
            y=alt.Y("down:N", sort=order, title=None, axis=axis),
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
                alt.Tooltip("null:N", title="two others"),
            ],
        )
    )
    return finished(chart, height=max(260, 14 * len(names) + 40))


def at_both_ends(pairs: MeasurementTable, *, most: int) -> MeasurementTable:
    """Return the pairs with the largest and the smallest values, with their nulls, the largest first.

    Examples
    --------
    >>> from limitset.core.levels import Level
    >>> table = MeasurementTable(instrument="x", version=1, level=Level.ANSWER, value=np.arange(5) / 5,
    ...     axes={"first": np.array([*"abcde"]), "second": np.array([*"vwxyz"])})
    >>> at_both_ends(table, most=3).axes["first"].tolist()
    ['e', 'd', 'a']
    """
    null = np.asarray(pairs.null_kind) != ""
    seen = np.flatnonzero(~null & ~np.isnan(pairs.value))
    ranked = seen[np.argsort(-pairs.value[seen], kind="stable")]
    if ranked.size > most:
        ranked = np.concatenate([ranked[: most - most // 3], ranked[ranked.size - most // 3 :]])
    if not null.any():
        return picked(pairs, ranked)
    size = int((~null).sum())
    return picked(pairs, np.concatenate([ranked, ranked + size]))


def picked(table: MeasurementTable, rows: Int[np.ndarray, " n"]) -> MeasurementTable:
    """Return some rows of a table, without going through the others.

    Examples
    --------
    >>> from limitset.core.levels import Level
    >>> table = MeasurementTable(instrument="x", version=1, level=Level.ANSWER, value=np.arange(3.0),
    ...     axes={"k": np.arange(3)})
    >>> picked(table, np.array([2])).value.tolist()
    [2.0]
    """
    columns = {name: np.asarray(getattr(table, name))[rows] for name in _COLUMNS}
    return replace(table, axes={name: axis[rows] for name, axis in table.axes.items()}, **columns)


_COLUMNS: Final = ("value", "low", "high", "n", "null_kind", "blank_reason")


def names_of(pairs: MeasurementTable) -> list[str]:
    """Return the systems of a table of pairs, in order of first appearance."""
    return list(dict.fromkeys([*pairs.axes["first"].tolist(), *pairs.axes["second"].tolist()]))


def square(pairs: MeasurementTable, names: Sequence[str], null_kind: str) -> Float[np.ndarray, "m m"]:
    """Return the values of all pairs as a matrix; NaN where blank and on the diagonal."""
    place = {name: index for index, name in enumerate(names)}
    own = np.flatnonzero(np.asarray(pairs.null_kind) == null_kind)
    first = np.array([place[name] for name in pairs.axes["first"][own]], dtype=np.int64)
    second = np.array([place[name] for name in pairs.axes["second"][own]], dtype=np.int64)
    out = np.full((len(names), len(names)), np.nan)
    out[first, second] = out[second, first] = pairs.value[own]
    return out


def clustered(rate: Float[np.ndarray, "m m"]) -> list[int]:
    """Order systems so that those that share most stand together (average linkage).

    Examples
    --------
    >>> rate = np.array([[1, .1, .9], [.1, 1, .1], [.9, .1, 1]])
    >>> clustered(rate)[1]
    2
    """
    from scipy.cluster import hierarchy

    if len(rate) < 3:
        return list(range(len(rate)))
    return [int(place) for place in hierarchy.leaves_list(_linkage(rate, optimal=True))]


def groups_above(rate: Float[np.ndarray, "m m"], least: float) -> list[list[int]]:
    """Return groups of two systems or more that share at least `least` on average, the largest first.

    Examples
    --------
    >>> rate = np.array([[1, .1, .9], [.1, 1, .1], [.9, .1, 1]])
    >>> groups_above(rate, 0.8)
    [[0, 2]]
    """
    from scipy.cluster import hierarchy

    if len(rate) < 2:
        return []
    label = hierarchy.fcluster(_linkage(rate, optimal=False), 1.0 - least, "distance")
    groups = [np.flatnonzero(label == one).tolist() for one in np.unique(label)]
    return sorted((group for group in groups if len(group) > 1), key=lambda group: (-len(group), group))


def _linkage(rate: np.ndarray, *, optimal: bool) -> Any:
    from scipy.cluster import hierarchy
    from scipy.spatial.distance import squareform

    distance = 1.0 - np.nan_to_num(rate)
    np.fill_diagonal(distance, 0.0)
    return hierarchy.linkage(squareform(distance, checks=False), "average", optimal_ordering=optimal)


def pair_words(row: dict[str, Any]) -> str:
    """Name both systems of a row, clipped."""
    return " and ".join(clipped(str(row[name])) for name in ("first", "second"))


def clipped(name: str) -> str:
    """Cut a long name in its middle, so that names that differ at one end stay apart.

    Examples
    --------
    >>> clipped("a-model-with-a-very-long-name-v2")
    'a-model-with…ong-name-v2'
    """
    half = NAME // 2
    return name if len(name) <= NAME else f"{name[:half]}…{name[-(NAME - half - 1) :]}"


def _interval(row: dict[str, Any]) -> str:
    if row["low"] is None or row["high"] is None:
        return number(row["value"])
    width = row["high"] - row["low"]
    low, high = number(row["low"], width), number(row["high"], width)
    return f"{number(row['value'], width)} [{low}, {high}]".replace("-0.00,", "0.00,")
