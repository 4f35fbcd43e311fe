"""How are runs divided into right, wrong, abstained and unparsed, or settled and not?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from limitset.charts.shown import rows_of
from limitset.charts.theme import (
    ABSTAINED,
    INK,
    ON_COLOUR,
    RIGHT,
    UNPARSED,
    WRONG,
    data_of,
    finished,
    nothing,
)
from limitset.core.results import MeasurementTable

MOST_BARS = 12
COLOURS = {"right": RIGHT, "wrong": WRONG, "abstained": ABSTAINED, "unparsed": UNPARSED}


def outcomes_chart(rates: MeasurementTable) -> Any:
    """Draw right, wrong, abstained and unparsed shares of each system and stratum.

    Parameters
    ----------
    rates
        `Outcomes.rates`: axes system, stratum, outcome; shares in [0, 1].

    Returns
    -------
    altair.LayerChart
        One stacked bar a system and stratum; above 12 bars, one a system.
    """
    known = [row for row in rows_of(rates) if row["value"] is not None]
    own = [row for row in known if row["system"] != "all"] or known
    if len({(row["system"], row["stratum"]) for row in own}) > MOST_BARS:
        own = [row for row in own if row["stratum"] == "all"] or own
    rows = [
        {**row, "bar": f"{row['system']}, {_questions(row['stratum'])}", "part": row["outcome"]}
        for row in own
    ]
    return stacked_bars(rows, COLOURS, x_title="share of runs")


def _questions(stratum: str) -> str:
    return "all questions" if stratum == "all" else str(stratum)


def stacked_bars(rows: Sequence[Mapping[str, Any]], colours: Mapping[str, str], *, x_title: str) -> Any:
    """Draw one bar a "bar", cut into its "part"s, each labelled where it is wide enough."""
    import altair as alt

    if not rows:
        return nothing("No run was checked.")
    placed = _placed(rows, list(colours))
    order = list(dict.fromkeys(row["bar"] for row in placed))
    parts = [part for part in colours if any(row["part"] == part for row in placed)]
    base = alt.Chart(data_of(placed)).encode(y=alt.Y("bar:N", sort=order, title=None, axis=None))
    # the name stands above its bar: beside it, half of a narrow screen would be names
    names = (
        alt.Chart(data_of([{"bar": bar} for bar in order]))
        .mark_text(align="left", baseline="bottom", dy=-13, color=INK)
        .encode(y=alt.Y("bar:N", sort=order), x=alt.value(0), text="bar:N")
    )
    scale = alt.Scale(domain=parts, range=[colours[part] for part in parts])
    bars = base.mark_bar(height=22).encode(
        x=alt.X(
            "from:Q", title=x_title, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%", tickCount=5)
        ),
        x2="to:Q",
        color=alt.Color("part:N", scale=scale, legend=alt.Legend(title=None, symbolType="square")),
        tooltip=[
            alt.Tooltip("bar:N", title="runs of"),
            alt.Tooltip("part:N", title="ended"),
            alt.Tooltip("shown:N", title="share"),
            alt.Tooltip("n:Q", title="n", format=".0f"),
        ],
    )
    wide = [row for row in placed if row["to"] - row["from"] >= 0.08]
    # dark words on the pale part, white words on the others
    words = (
        alt.Chart(data_of(wide))
        .mark_text(fontWeight="bold")
        .encode(
            y=alt.Y("bar:N", sort=order),
            x="middle:Q",
            text="label:N",
            color=alt.condition(f"datum.part == '{parts[-1]}'", alt.value(INK), alt.value(ON_COLOUR))
            if parts
            else alt.Undefined,
        )
    )
    return finished(bars + words + names, height=50 * max(len(order), 1) + 10)


def _placed(rows: Sequence[Mapping[str, Any]], parts: list[str]) -> list[dict[str, Any]]:
    placed = []
    for bar in dict.fromkeys(row["bar"] for row in rows):
        start = 0.0
        own = {row["part"]: row for row in rows if row["bar"] == bar}
        for part in parts:
            if part not in own:
                continue
            end = start + own[part]["value"]
            placed.append(
                {
                    **own[part],
                    "from": start,
                    "to": end,
                    "middle": (start + end) / 2,
                    "label": f"{100 * (end - start):.0f} %",
                }
            )
            start = end
    return placed
