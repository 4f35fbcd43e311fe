"""Is any label filled in yet, on how many questions, and which of them look like typing errors?"""

from __future__ import annotations

from typing import Final

from limitset.charts.shown import visible
from limitset.logs.labels import Labels

EMPTY: Final = "No label is filled in yet: the list that --labels names is as it was written."
MOST_UNKNOWN: Final = 5
"""Labels nobody gave that are named."""
UNKEYED: Final = " without an anchor"
"""How the header of a page without keys ends."""


def scope_with_labels(scope: str, labels: Labels | None) -> str:
    """Say in the header how many questions have a label."""
    if labels is None or not labels.labelled.any():
        return scope
    known = f"labels on {int(labels.labelled.sum()):,} of {labels.labelled.size:,}"
    return f"{scope.removesuffix(UNKEYED)}, {known}"


def unknown_labels(labels: Labels) -> tuple[str, ...]:
    """Name the labels that nobody gave: a typing error in them makes every answer of its question wrong."""
    if not labels.unmatched:
        return ()
    told = [
        f"{visible(one.label)} {one.labels:,}" + (f", like {visible(one.near)}" if one.near else "")
        for one in labels.unknown[:MOST_UNKNOWN]
    ]
    more = len(labels.unknown) - MOST_UNKNOWN
    named = "; ".join([*told, *([f"{more:,} others"] if more > 0 else [])])
    one = labels.unmatched == 1
    return (
        f"{labels.unmatched:,} label{'s name' if not one else ' names'} an answer that nobody gave"
        f"{f' ({named})' * bool(named)}: check {'it' if one else 'them'} for typing errors; "
        f"{'it counts' if one else 'they count'} every answer of the question as wrong.",
    )


def slips_likely(labels: Labels) -> bool:
    """Say whether a label nobody gave looks like a typing error: near an answer given, or met again."""
    return any(one.near or one.labels > 1 for one in labels.unknown)
