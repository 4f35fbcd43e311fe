"""Are the replies that a number speaks of the same in two audits?"""

from __future__ import annotations

import numpy as np

from limitset.core.gates import Term
from limitset.core.tallies import Tallies


def same_replies(term: Term, now: Tallies, before: Tallies) -> bool:
    """Say whether the systems of a number gave the same answers as often, and were judged alike.

    Parameters
    ----------
    term
        The number; without a system it speaks of all.
    now, before
        Counts on the same questions.
    """
    names = [name for name in term.arguments if isinstance(name, str)]
    one, other = (_told(held, names) for held in (now, before))
    return all(np.array_equal(mine, theirs) for mine, theirs in zip(one, other, strict=True))


def _told(held: Tallies, names: list[str]) -> list[np.ndarray]:
    """Return what can differ: answers that were given, how often, and whether they are right."""
    systems = held.systems.astype(str)
    own = np.isin(systems, names) if names else np.ones(systems.size, dtype=bool)
    given = held.counts[own].any(axis=0)
    return [
        held.items.astype(str),
        systems[own],
        held.class_item[given],
        held.class_name[given].astype(str),
        np.nan_to_num(held.class_right[given], nan=-1.0),
        held.counts[own][:, given],
        held.runs[own],
        held.abstained[own],
    ]
