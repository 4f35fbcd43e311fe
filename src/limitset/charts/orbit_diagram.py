"""How does an orbit diagram look?"""

from __future__ import annotations

from typing import Any

import numpy as np

from limitset.charts.theme import INK, data_of, finished, nothing
from limitset.core.continued import OrbitDiagram

HEIGHT = 360


def orbit_diagram_chart(diagram: OrbitDiagram, *, most: int = 5000) -> Any:
    """Draw the last states of orbits against the parameter.

    Parameters
    ----------
    diagram
        What to draw.
    most
        Points at most; above, every so manyth is drawn and the title of the axis says so.

    Returns
    -------
    altair.Chart
        One small point a state.
    """
    import altair as alt

    across = np.repeat(diagram.parameters, diagram.values.shape[1])
    up = diagram.values.reshape(-1)
    places = np.flatnonzero(np.isfinite(up))
    if not places.size:
        return nothing("No orbit stayed finite.")
    total = places.size
    if total > most:  # evenly over columns, and not in step with a period
        order = np.random.default_rng(0).permutation(total)[:most]
        places = places[np.sort(order)]
    rows = [{"parameter": float(across[place]), "value": float(up[place])} for place in places]
    title = f"number {diagram.coordinate} of the state, after {diagram.steps} steps"
    if total > most:
        title += f" ({most} of {total} points)"
    points = (
        alt.Chart(data_of(rows))
        .mark_point(filled=True, size=4, opacity=0.35, color=INK)
        .encode(
            x=alt.X("parameter:Q", title="parameter", scale=alt.Scale(zero=False, nice=False)),
            y=alt.Y("value:Q", title=title, scale=alt.Scale(zero=False)),
        )
    )
    return finished(points, height=HEIGHT, description="Last states of orbits against the parameter.")
