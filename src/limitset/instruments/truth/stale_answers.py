"""When a question is changed so that its answer changes, what is lost, and who gives the old answer?"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from limitset.core.clusters import clustered_shares
from limitset.core.columns import plain
from limitset.core.intervals import LEAST_CARRIERS, Interval, columns_of
from limitset.core.items import Items
from limitset.core.levels import Level
from limitset.core.paired_means import mean_difference
from limitset.core.results import MeasurementTable
from limitset.core.system_shares import system_shares
from limitset.core.tallies import Tallies

INSTRUMENT = "stale_answers"
VERSION = 2
MEASURES = (
    "right_original",
    "right_changed",
    "drop",
    "stale",
    "other_wrong",
    "stale_share",
    "stale_by_chance",
    "stale_excess",
)


@dataclass(frozen=True, kw_only=True, eq=False)
class StaleAnswers:
    """What a change of the questions does to each system.

    Parameters
    ----------
    table
        Axes system, measure. "right_original", "right_changed": share right of either; "drop": the first
        less the second, paired, in [-1, 1]. Of the replies to changed questions whose old answer is wrong
        now: "stale", the share that gives the old answer, and "other_wrong", any other wrong one. Of wrong
        answers: "stale_share", the share that is stale; "stale_by_chance", the share that would be with the
        old answer of another pair of the stratum, one that is wrong here too; "stale_excess", the first less
        the second, in [-1, 1]. Intervals hold for all systems together.
    pairs
        Number of pairs of questions.
    """

    table: MeasurementTable
    pairs: int


def stale_answers(
    tallies: Tallies, items: Items, *, confidence: float = 0.95, level: Level = Level.ANSWER
) -> StaleAnswers:
    r"""Paired drop in accuracy from a question to its changed twin, and the share of stale answers.

    .. math:: \text{drop} = \frac{1}{P} \sum_i (s_{i} - s_{i'}), \qquad
        \text{stale} = \frac{1}{P'} \sum_{i'} \frac{\#\{\text{runs on } i' \text{ that answer } i\}}{n_{i'}},
        \qquad \text{chance}(a, i') = \frac{\#\{j \ne i: a \in K_j,\ K_j \cap K_{i'} = \emptyset\}}
        {\#\{j \ne i: K_j \cap K_{i'} = \emptyset\}}

    with a a wrong answer, K the keys of a question and j the originals of the stratum. Where wrong answers
    are spread evenly over k letters, the mean chance is 1 / k, whatever the keys.

    Parameters
    ----------
    tallies
        Runs by cell and answer class, every answer right or wrong.
    items
        The questions; `twin` names the item that one was changed from, `accepted` its key.
    confidence
        Coverage aimed at for each measure over all systems together, in (0, 1).
    level
        Which map the runs are of.

    Returns
    -------
    StaleAnswers
        A drop of 0: the change did no harm. "stale" far above "stale_by_chance": the old answer is
        remembered. Blank where a system has no run on any pair; shares of wrong answers also where fewer
        than five questions carry one, and what is by chance where no stratum has another original.

    Raises
    ------
    InputError
        When an answer has no anchor.

    Notes
    -----
    All twins of one original, and all of one cluster, are left out together. A twin whose key is a key of its
    original can show no stale answer: it stays in the drop and out of the rest. Answers are compared without
    regard to case. A drop alone does not show memory: the changed question may be harder. Nor do old answers
    alone: where each question has wrong answers of its own and the old one is among them (the number next
    to the new one), it is given more often than chance as defined here, without any memory.

    References
    ----------
    Clopper and Pearson (1934), doi:10.1093/biomet/26.4.404 (bounds where few pairs differ).
    Dunn (1961), doi:10.1080/01621459.1961.10482090 (Bonferroni intervals over systems).

    Examples
    --------
    >>> from limitset.core.ends import Ends
    >>> from limitset.core.tallies import tallied
    >>> items = Items.of(item=["a", "b"], text=["?", "!"], accepted=[["4"], ["3"]], twin=[None, "a"])
    >>> ends = Ends.of(item=["a", "b"], system="m", end=["4", "4"], right=[1, 0])
    >>> got = stale_answers(tallied(ends, items), items)
    >>> got.table.one(system="m", measure="stale").value, got.pairs
    (1.0, 1)
    """
    tallies.require_anchor()
    pairs = _Pairs.of(tallies, items)
    shares = system_shares(tallies)
    met = ~np.isnan(shares.right[:, pairs.original]) & ~np.isnan(shares.right[:, pairs.changed])
    # the worst of m systems looks bad by chance: all intervals of a measure hold at once (Bonferroni)
    each = 1.0 - (1.0 - confidence) / max(int(met.any(axis=1).sum()), 1)
    rows: list[tuple[str, str, Interval]] = []
    for row, system in enumerate(shares.systems):
        own = tallies.of_system(str(system))
        before, after = shares.right[row][pairs.original], shares.right[row][pairs.changed]
        found = _of_system(pairs, own, (before, after), met[row], each)
        rows += [(str(system), name, one) for name, one in zip(MEASURES, found, strict=True)]
    return StaleAnswers(
        table=MeasurementTable(
            instrument=INSTRUMENT,
            version=VERSION,
            level=level,
            axes={
                "system": np.array([row[0] for row in rows], dtype=object),
                "measure": np.array([row[1] for row in rows], dtype=object),
            },
            interval_method="t over pairs of questions, clustered; a bound where few differ; for all systems "
            "together (Bonferroni)",
            confidence=confidence,
            notes=("n counts pairs of questions, or clusters of them",),
            **columns_of([row[2] for row in rows]),
        ),
        pairs=int(pairs.changed.size),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Pairs:
    """Rows of originals and of changed questions in the tallies, and which classes are stale."""

    original: Int[np.ndarray, " p"]
    changed: Int[np.ndarray, " p"]
    clusters: Int[np.ndarray, " p"]
    tells: Bool[np.ndarray, " p"]
    """Whether the old answer is wrong now."""
    stale: Bool[np.ndarray, " k"]
    chance: Float[np.ndarray, " k"]
    """Share of other originals of the stratum, wrong here too, of which a class would be the answer."""
    compared: Bool[np.ndarray, " p"]
    """Whether the stratum has another original whose answer is wrong here."""

    @classmethod
    def of(cls, tallies: Tallies, items: Items) -> _Pairs:
        place = {str(name): row for row, name in enumerate(tallies.items)}
        listed = zip(items.texts("item"), items.texts("twin"), strict=True)
        linked = [(place[a], place[b]) for a, b in listed if b is not None and a in place and b in place]
        table = np.array(linked, dtype=np.int64).reshape(-1, 2)
        changed, original = table[:, 0], table[:, 1]
        keys = _keys(tallies, items)
        old = dict(zip(changed.tolist(), original.tolist(), strict=True))
        members: dict[str, list[int]] = {}
        for first in original.tolist():
            members.setdefault(str(tallies.strata[first]), []).append(first)
        pools = {name: _Pool.of(keys, rows) for name, rows in members.items()}
        stale, chance = np.zeros(tallies.class_item.size, dtype=bool), np.zeros(tallies.class_item.size)
        others = {
            twin: pools[str(tallies.strata[first])].wrong_for(keys[twin], without=first)
            for twin, first in old.items()
        }
        for at in np.flatnonzero(np.isin(tallies.class_item, changed) & ~tallies.right).tolist():
            twin = int(tallies.class_item[at])
            first, name = old[twin], str(tallies.class_name[at]).casefold()
            stale[at] = name in keys[first]
            held = pools[str(tallies.strata[first])].with_key(name, wrong_for=keys[twin], without=first)
            chance[at] = held / others[twin] if others[twin] else 0.0
        tells = np.array([not keys[a] & keys[b] and bool(keys[b]) for a, b in table.tolist()], dtype=bool)
        return cls(
            original=original,
            changed=changed,
            clusters=tallies.clusters[original],
            tells=tells,
            stale=stale,
            chance=chance,
            compared=np.array([others[twin] > 0 for twin in changed.tolist()], dtype=bool),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Pool:
    """Originals of one stratum, one for each of their twins, by the set of their keys."""

    keys: list[frozenset[str]]
    """Of each question of the tallies."""
    count: Counter[frozenset[str]]
    times: Counter[int]
    sets: dict[str, list[frozenset[str]]]
    """Sets that a key is in."""
    size: int

    @classmethod
    def of(cls, keys: list[frozenset[str]], rows: list[int]) -> _Pool:
        count = Counter(keys[row] for row in rows if keys[row])
        sets: dict[str, list[frozenset[str]]] = {}
        for one in count:
            for key in one:
                sets.setdefault(key, []).append(one)
        return cls(keys=keys, count=count, times=Counter(rows), sets=sets, size=count.total())

    def wrong_for(self, right: frozenset[str], *, without: int) -> int:
        """Count the originals but one of which no key is right for a question."""
        meeting = {one for key in right for one in self.sets.get(key, ())}
        own = self.times[without] if self.keys[without] and self.keys[without] not in meeting else 0
        return self.size - sum(self.count[one] for one in meeting) - own

    def with_key(self, name: str, *, wrong_for: frozenset[str], without: int) -> int:
        """Count those among them that have a key."""
        held = [one for one in self.sets.get(name, ()) if not one & wrong_for]
        own = self.times[without] if self.keys[without] in held else 0
        return sum(self.count[one] for one in held) - own


def _of_system(
    pairs: _Pairs,
    own: Tallies,
    right: tuple[np.ndarray, np.ndarray],
    met: Bool[np.ndarray, " p"],
    confidence: float,
) -> list[Interval]:
    before, after = right
    if not met.any():
        return [Interval.blank("no run of this system on both questions of a pair")] * len(MEASURES)
    clusters = pairs.clusters[met]
    found = [_share(part[met], clusters, confidence) for part in right]
    found.append(mean_difference(before[met] - after[met], clusters, confidence=confidence))
    telling = met & pairs.tells
    runs = np.maximum(own.runs.sum(axis=0), 1)[pairs.changed]
    counts = own.counts.sum(axis=0).astype(np.float64)
    stale, chance, wrong = (
        own.by_question(counts * part)[pairs.changed] / runs
        for part in (pairs.stale, pairs.chance * ~own.right, (~own.right).astype(np.float64))
    )
    if not telling.any():
        return [*found, *[Interval.blank("no changed question whose old answer is wrong now")] * 5]
    clusters = pairs.clusters[telling]
    for part in (stale, wrong - stale):
        found.append(_share(np.clip(part[telling], 0.0, 1.0), clusters, confidence))
    if (carried := int((wrong[telling] > 0).sum())) < LEAST_CARRIERS:
        return [*found, *[Interval.blank(f"{carried} changed questions with a wrong answer")] * 3]
    erred = telling & (wrong > 0)
    clusters, base = pairs.clusters[erred], wrong[erred]
    found.append(_share(np.clip(stale[erred] / base, 0.0, 1.0), clusters, confidence))
    compared = pairs.compared[erred]
    if int(compared.sum()) < LEAST_CARRIERS:
        reason = f"{int(compared.sum())} changed questions with another original to compare with"
        return [*found, *[Interval.blank(reason)] * 2]
    stale, chance, clusters = (
        (stale[erred] / base)[compared],
        (chance[erred] / base)[compared],
        clusters[compared],
    )
    found.append(_share(np.clip(chance, 0.0, 1.0), clusters, confidence))
    found.append(mean_difference(stale - chance, clusters, confidence=confidence))
    return found


def _share(shares: np.ndarray, clusters: np.ndarray, confidence: float) -> Interval:
    return clustered_shares(shares[None], clusters, confidence=confidence).intervals("no question")[0]


def _keys(tallies: Tallies, items: Items) -> list[frozenset[str]]:
    """Answers that are right for each question: its key, and every answer that was called right."""
    accepted = zip(items.texts("item"), plain(items.columns["accepted"]), strict=True)
    keyed = {str(name): {str(one).casefold() for one in keys or ()} for name, keys in accepted}
    for at in np.flatnonzero(tallies.right).tolist():
        name = str(tallies.items[tallies.class_item[at]])
        keyed.setdefault(name, set()).add(str(tallies.class_name[at]).casefold())
    return [frozenset(keyed.get(str(name), ())) for name in tallies.items]
