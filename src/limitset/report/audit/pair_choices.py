"""How many answers does each question of a panel allow, and how do we know?"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from limitset.core.columns import missing
from limitset.core.pair_sums import choices_of
from limitset.core.tallies import Tallies
from limitset.report.audit.panel import Panel

LISTED = "as many as have a probability"
MOST_SEEN = "the most that were seen on one choice question of the stratum"
CHOICE = "choice"


def choices_allowed(panel: Panel, tallies: Tallies) -> tuple[Float[np.ndarray, " q"], str]:
    """Return how many answers each question allows, from the best source that there is, and the sources.

    The choices that have a probability are counted. Questions whose form is "choice" allow as many answers
    as were seen on any choice question of their stratum: a choice that nobody takes is not seen on its own
    question. All others as `choices_of` counts them.

    Parameters
    ----------
    panel
        The runs and the questions.
    tallies
        The questions that count.
    """
    counts, words = choices_of(tallies)
    counts, sources = counts.copy(), np.full(counts.size, words, dtype=object)
    forms = dict(zip(panel.items.texts("item"), panel.items.texts("form"), strict=True))
    offered = np.array([forms.get(name) == CHOICE for name in tallies.items], dtype=bool)
    for stratum in tallies.stratum_names():
        own = offered & (tallies.strata == stratum)
        if own.any() and (counts[own] < counts[own].max()).any():
            counts[own], sources[own] = counts[own].max(), MOST_SEEN
    listed = _listed(panel, tallies)
    counts = np.where(listed >= 2, listed, counts)
    sources[listed >= 2] = LISTED
    return counts, " or ".join(dict.fromkeys(sources.tolist()))


def _listed(panel: Panel, tallies: Tallies) -> Float[np.ndarray, " q"]:
    """Choices that have a probability, 0 where none has."""
    column = panel.ends.columns["choice_probabilities"]
    rows = np.flatnonzero(~missing(column))
    out = np.zeros(tallies.items.size)
    if rows.size == 0:
        return out
    place = {str(name): row for row, name in enumerate(tallies.items)}
    item = panel.ends.coded("item")
    question = np.array([place.get(name, -1) for name in item.values], dtype=np.int64)[item.codes[rows]]
    sizes = np.array([len(one) for one in np.asarray(column)[rows]], dtype=np.float64)
    np.maximum.at(out, question[question >= 0], sizes[question >= 0])
    return out
