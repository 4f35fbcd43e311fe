"""What do all topics of an audit look at?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from limitset.core.ends import Ends
from limitset.core.items import Items
from limitset.core.tallies import Tallies


@dataclass(frozen=True, kw_only=True, eq=False)
class Panel:
    """The runs of an audit, counted once for every topic.

    Parameters
    ----------
    ends, items
        Runs of the level "answer", and the questions.
    tallies
        Counts of all sampled runs.
    anchored
        The questions that something outside the models checks; None where there are none.
    seed
        Seed of the resampling.
    noun
        What one system is called: "model", "judge".
    answers
        Column of the log that the answers were read from.
    """

    ends: Ends
    items: Items
    tallies: Tallies
    anchored: Tallies | None
    seed: int = 0
    noun: str = "model"
    answers: str = "answer"

    @property
    def systems(self) -> list[str]:
        """Names of the systems, in order of first appearance."""
        return list(dict.fromkeys(str(name) for name in self.tallies.systems))

    def rng(self, topic: int) -> np.random.Generator:
        """Return the generator of one topic, so that topics do not move each other's draws."""
        return np.random.default_rng([self.seed, topic])
