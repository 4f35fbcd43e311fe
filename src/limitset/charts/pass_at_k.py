"""How often is some run of k right, and how often the vote of the k?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from limitset.charts.shown import rows_of
from limitset.charts.theme import INK, MUTED, NULL, PAPER, RIGHT, data_of, finished, nothing
from limitset.core.results import MeasurementTable

ROW: Final = 46
MOST: Final = 20
"""Systems drawn; of more, those with the widest gap."""
HEIGHT: Final = 300
SOME, VOTE, GAP = "some right", "vote right", "right and outvoted"


def pass_at_k_chart(curve: MeasurementTable) -> Any:
    """Draw the share of questions on which some of k runs is right, and on which their vote is.

    Parameters
    ----------
    curve
        `PassAtK.curve`: axes system, k, measure; shares in [0, 1].

    Returns
    -------
    altair.LayerChart
        Two curves over k for one system; for several, a row a system at its largest k, from the vote (filled)
        to some run (hollow).
    """
    rows = [row for row in rows_of(curve) if row["value"] is not None]
    if max((row["k"] for row in rows), default=1) < 2:
        return nothing("One run a question: there is nothing to choose from.")
    several = len({row["system"] for row in rows}) > 1
    return _gaps(rows) if several else _curves(rows)


def _curves(rows: Sequence[dict[str, Any]]) -> Any:
    import altair as alt

    last = max(row["k"] for row in rows)
    rows = [row for row in rows if row["measure"] != GAP]
    scale = alt.Scale(type="log" if last > 16 else "linear", domain=[1, last * (1.6 if last > 16 else 1.25)])
    steps = sorted({1, last} | {k for k in (2, 4, 8, 16, 32, 64, 128) if k < 0.8 * last})
    across = alt.X(
        "k:Q",
        title="runs of a question",
        scale=scale,
        axis=alt.Axis(values=steps, format="d", grid=False),
    )
    colour = alt.Color("measure:N", scale=alt.Scale(domain=[SOME, VOTE], range=[MUTED, RIGHT]), legend=None)
    dash = alt.StrokeDash(
        "measure:N", scale=alt.Scale(domain=[SOME, VOTE], range=[[5, 3], [1, 0]]), legend=None
    )
    up = alt.Y(
        "value:Q",
        title="share of questions",
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(format="%", tickCount=5, domain=False, ticks=False),
    )
    base = alt.Chart(data_of(rows)).encode(x=across, color=colour)
    whole = alt.Chart(data_of([row for row in rows if row["low"] is not None]))
    band = whole.mark_area(opacity=0.13).encode(x=across, y="low:Q", y2="high:Q", color=colour)
    line = base.mark_line(point=True).encode(
        y=up,
        strokeDash=dash,
        tooltip=[
            alt.Tooltip("measure:N", title="of k runs"),
            alt.Tooltip("k:Q", title="k"),
            alt.Tooltip("shown:N", title="share"),
            alt.Tooltip("n:Q", title="n", format=".0f"),
        ],
    )
    layers = band + line
    # the upper curve is named above, the lower one below
    for measure, below in ((SOME, -13), (VOTE, 15)):
        ends = [row for row in rows if row["k"] == last and row["measure"] == measure]
        named = [{**row, "label": f"{measure} {_short(row)}"} for row in ends]
        text = alt.Chart(data_of(named)).mark_text(align="right", dy=below, fontWeight="bold")
        layers = layers + text.encode(x=across, y="value:Q", text="label:N", color=colour)
    return finished(layers, height=HEIGHT)


def _gaps(rows: Sequence[dict[str, Any]]) -> Any:
    import altair as alt

    joined = gap_rows(rows)
    down = alt.Y("system:N", sort=[row["system"] for row in joined], title=None, axis=None)
    across = alt.X(
        "vote:Q",
        title="share of questions",
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(format="%", tickCount=5),
    )
    base = alt.Chart(data_of(joined)).encode(y=down)
    line = base.mark_rule(strokeWidth=3, color=NULL).encode(x=across, x2="some:Q")
    tips = [
        alt.Tooltip("system:N", title="system"),
        alt.Tooltip("k:Q", title="k"),
        alt.Tooltip("vote_shown:N", title=VOTE),
        alt.Tooltip("some_shown:N", title=SOME),
        alt.Tooltip("gap_shown:N", title=GAP),
    ]
    vote = base.mark_point(filled=True, size=90, color=RIGHT, opacity=1).encode(x=across, tooltip=tips)
    some = base.mark_point(filled=True, size=80, fill=PAPER, stroke=RIGHT, strokeWidth=2, opacity=1).encode(
        x=alt.X("some:Q"), tooltip=tips
    )
    words = base.mark_text(align="left", baseline="bottom", dy=-9, color=INK).encode(
        x=alt.value(0), text="words:N"
    )
    return finished(line + vote + some + words, height=ROW * len(joined) + 12)


def gap_rows(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return one row a system at its largest k, the widest gap first."""
    found = []
    for system in dict.fromkeys(row["system"] for row in rows):
        own = [row for row in rows if row["system"] == system]
        last = max(row["k"] for row in own)
        at = {row["measure"]: row for row in own if row["k"] == last}
        if last < 2 or not {SOME, VOTE, GAP} <= set(at):
            continue
        found.append(
            {
                "system": system,
                "k": last,
                "vote": at[VOTE]["value"],
                "some": at[SOME]["value"],
                "gap": at[GAP]["value"],
                "vote_shown": at[VOTE]["shown"],
                "some_shown": at[SOME]["shown"],
                "gap_shown": at[GAP]["shown"],
                "words": f"{system}: right and outvoted {at[GAP]['shown']}",
            }
        )
    return sorted(found, key=lambda row: -row["gap"])[:MOST]


def _short(row: dict[str, Any]) -> str:
    return str(row["shown"]).split(" [", maxsplit=1)[0]
