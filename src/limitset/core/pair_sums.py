"""How often do two systems agree beyond what their accuracies and shared difficulty give, for every pair?

Every sum is a product of matrices over a group of questions, so that a panel of hundreds of systems takes
seconds; leaving out one group at a time gives the intervals.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from zlib import crc32

import numpy as np
from jaxtyping import Float, Int

from limitset.core.agreements import Source, groups_of, unit_shares
from limitset.core.coincidence import DUST
from limitset.core.tallies import Tallies
from limitset.core.undefined import UNDEFINED

GROUPS: Final = 50
"""Groups of questions that are left out in turn; a panel of at most twice as many leaves out single ones."""
MOST_LABELS: Final = 26
"""More different answers than letters are no labels of choices."""
ALMOST_ONE: Final = 0.999
"""Correlations are kept this far from 1, where odds are infinite."""
NEARLY_EVEN: Final = 1e-9
"""Odds ratios this close to 1 mean independence: the formula that inverts them divides by the difference."""
QUESTIONS_A_LABEL: Final = 5
"""Answers are labels that questions share where there are this many questions to each of them."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PairPanel:
    """What every system answered to every question, as shares.

    Parameters
    ----------
    names : (m,)
        Systems.
    items, clusters : (q,)
        Questions, and the number of the passage or conversation of each.
    answered, right : (m, q)
        Share of the runs of a system on a question that answered, and that were right.
    wrong : (m, k)
        Share of its runs that gave a wrong answer; one column an answer of a question.
    item : (k,)
        Question of each wrong answer, in rising order.
    choices : (q,)
        Answers that the question allows, 2 or more.
    choices_from
        Where that number comes from, in words.
    """

    names: np.ndarray
    items: np.ndarray
    clusters: Int[np.ndarray, " q"]
    answered: Float[np.ndarray, "m q"]
    right: Float[np.ndarray, "m q"]
    wrong: np.ndarray
    item: Int[np.ndarray, " k"]
    choices: Float[np.ndarray, " q"]
    choices_from: str


@dataclass(frozen=True, kw_only=True, eq=False)
class PairSums:
    """Sums over questions for every pair of systems; the leading axis, where there is one, is the group left.

    Parameters
    ----------
    both : (..., m, m)
        Mass of questions that both answer.
    squares : (..., m, m)
        Its squares, for the effective number of questions.
    right : (..., m, m)
        Both right.
    hit : (..., m, m)
        The first right, among what both answer.
    chance : (..., m, m)
        Mass of what both answer over the number of wrong answers of the question.
    same : (..., m, m)
        Both wrong, and alike.
    """

    both: Float[np.ndarray, "... m m"]
    squares: Float[np.ndarray, "... m m"]
    right: Float[np.ndarray, "... m m"]
    hit: Float[np.ndarray, "... m m"]
    chance: Float[np.ndarray, "... m m"]
    same: Float[np.ndarray, "... m m"]

    def total(self) -> PairSums:
        """Add the groups."""
        return PairSums(**{name: array.sum(axis=0) for name, array in vars(self).items()})

    def group(self, index: int) -> PairSums:
        """Return the sums of one group."""
        return PairSums(**{name: array[index] for name, array in vars(self).items()})

    def less(self, other: PairSums) -> PairSums:
        """Return what is left without `other`."""
        return PairSums(**{name: array - getattr(other, name) for name, array in vars(self).items()})

    def of_right_and_wrong(self) -> PairSums:
        """Forget which wrong answer it was: all wrong answers are one, and the only one."""
        wrong = self.both - self.hit - np.swapaxes(self.hit, -1, -2) + self.right
        return PairSums(**{**vars(self), "same": wrong, "chance": self.both})


def pair_panel(tallies: Tallies, choices: Float[np.ndarray, " q"] | None = None) -> PairPanel:
    """Read the shares of every system from the counts; the cells of a system weigh the same.

    Examples
    --------
    >>> from limitset.core.ends import Ends
    >>> from limitset.core.tallies import tallied
    >>> ends = Ends.of(item=["p", "p"], system=["a", "b"], end=["x", None], right=[0, None])
    >>> panel = pair_panel(tallied(ends))
    >>> panel.answered.tolist(), panel.choices.tolist(), panel.choices_from
    ([[1.0], [0.0]], [2.0], 'answers seen on the question')
    """
    units = groups_of(tallies, Source.MODEL)[0]
    wrong = np.flatnonzero(~tallies.right)
    wrong = wrong[np.argsort(tallies.class_item[wrong], kind="stable")]
    rights = np.flatnonzero(tallies.right)
    if len(units) == tallies.systems.size and int(tallies.runs.max(initial=0)) <= 1:
        # one cell a system, and the cells of a system stand in the order of the systems
        shares = tallies.counts[:, wrong].astype(np.float32)
        good = tallies.counts[:, rights].astype(np.float64)
    else:
        shares, _ = unit_shares(tallies, tallies.counts[:, wrong], tallies.class_item[wrong], units)
        good, _ = unit_shares(tallies, tallies.counts[:, rights], tallies.class_item[rights], units)
    right = by_question(good, tallies.class_item[rights], tallies.items.size)
    given, source = (choices, "given") if choices is not None else choices_of(tallies)
    return PairPanel(
        names=np.array([str(name) for name in dict.fromkeys(tallies.systems)], dtype=object),
        items=tallies.items,
        clusters=tallies.clusters,
        answered=right + by_question(shares, tallies.class_item[wrong], tallies.items.size),
        right=right,
        wrong=shares,
        item=tallies.class_item[wrong],
        choices=np.maximum(np.asarray(given, dtype=np.float64), 2.0),
        choices_from=source,
    )


def choices_of(tallies: Tallies) -> tuple[Float[np.ndarray, " q"], str]:
    """Say how many answers each question allows, and from what.

    Where the questions of a stratum share at most 26 answers, and there are five questions or more to each of
    them, the answers are labels (letters, verdicts) and every question allows all of them. Otherwise the
    wrong answers that were seen on the question count, and the right one.

    Examples
    --------
    >>> from limitset.core.ends import Ends
    >>> from limitset.core.tallies import tallied
    >>> ends = Ends.of(item=range(15), system="m", end=[*"abc"] * 5, right=0)
    >>> choices_of(tallied(ends))[0].tolist()[:2], choices_of(tallied(ends))[1]
    ([3.0, 3.0], 'labels that the questions share')
    """
    seen = tallies.counts.any(axis=0)
    out = 1.0 + np.bincount(tallies.class_item[seen & ~tallies.right], minlength=tallies.items.size)
    kinds = set()
    for stratum in tallies.stratum_names():
        own = tallies.strata == stratum
        labels = len({str(name) for name in tallies.class_name[seen & own[tallies.class_item]]})
        shared = 0 < labels <= MOST_LABELS and labels * QUESTIONS_A_LABEL <= int(own.sum())
        kinds.add(shared)
        if shared:
            out[own] = labels
    words = {True: "labels that the questions share", False: "answers seen on the question"}
    return np.maximum(out, 2.0), " or ".join(words[kind] for kind in sorted(kinds, reverse=True))


def by_question(
    per_class: np.ndarray, item: Int[np.ndarray, " k"], questions: int
) -> Float[np.ndarray, "m q"]:
    """Sum numbers of classes over the classes of each question, for every row."""
    if per_class.shape[1] == 0:
        return np.zeros((per_class.shape[0], questions))
    order = np.argsort(item, kind="stable")
    present, starts = np.unique(item[order], return_index=True)
    out = np.zeros((per_class.shape[0], questions))
    out[:, present] = np.add.reduceat(per_class[:, order], starts, axis=1)
    return out


def groups_of_questions(items: np.ndarray, clusters: Int[np.ndarray, " q"]) -> list[Int[np.ndarray, " n"]]:
    """Cut clusters of questions in groups that depend on names alone, not on the order of the questions.

    References
    ----------
    Kott (2001), The delete-a-group jackknife, Journal of Official Statistics 17, 521-526.

    Examples
    --------
    >>> [len(groups_of_questions(np.arange(n), np.arange(n))) for n in (80, 1000)]
    [80, 50]
    >>> len(groups_of_questions(np.arange(80), np.arange(80) // 4))
    20
    """
    first: dict[int, tuple[int, bytes]] = {}
    for name, cluster in zip(items, clusters.tolist(), strict=True):
        text = str(name).encode()
        key = (crc32(text), text)
        first[cluster] = min(first.get(cluster, key), key)
    order = sorted(first, key=first.__getitem__)
    count = len(order) if len(order) <= 2 * GROUPS else GROUPS
    place = {cluster: index % count for index, cluster in enumerate(order)}
    group = np.array([place[cluster] for cluster in clusters.tolist()], dtype=np.int64)
    return [np.flatnonzero(group == index) for index in range(count)]


def pair_sums(panel: PairPanel) -> PairSums:
    """Add up every group of questions for every pair; the leading axis is the group.

    Sums of one run a question are whole numbers below 2^24, which products in single precision give exactly;
    everything else is multiplied in double precision.

    Examples
    --------
    >>> from limitset.core.ends import Ends
    >>> from limitset.core.tallies import tallied
    >>> ends = Ends.of(item=[*"pq"] * 2, system=[*"aabb"], end=[*"xyxz"], right=[0, 0, 0, 1])
    >>> sums = pair_sums(pair_panel(tallied(ends))).total()
    >>> float(sums.both[0, 1]), float(sums.same[0, 1]), float(sums.hit[1, 0])
    (2.0, 1.0, 1.0)
    """
    groups = groups_of_questions(panel.items, panel.clusters)
    systems = panel.names.size
    whole = np.isin(panel.answered, (0.0, 1.0)).all() and bool(
        ((panel.wrong == 0) | (panel.wrong == 1)).all()
    )
    kind: type[np.floating[Any]] = np.float32 if whole else np.float64
    out = {name: np.zeros((len(groups), systems, systems)) for name in PairSums.__dataclass_fields__}
    edges = np.searchsorted(panel.item, np.arange(panel.items.size + 1))
    rest = 1.0 / (panel.choices - 1.0)
    for index, own in enumerate(groups):
        classes = np.concatenate([np.arange(edges[q], edges[q + 1]) for q in own]) if own.size else own
        answered, right = panel.answered[:, own].astype(kind), panel.right[:, own].astype(kind)
        wrong = panel.wrong[:, classes].astype(kind, copy=False)
        out["both"][index] = answered @ answered.T
        out["squares"][index] = out["both"][index] if whole else np.square(answered) @ np.square(answered).T
        out["right"][index], out["hit"][index] = right @ right.T, right @ answered.T
        out["chance"][index] = (panel.answered[:, own] * rest[own]) @ panel.answered[:, own].T
        out["same"][index] = wrong @ wrong.T
    return PairSums(**out)


@dataclass(frozen=True, kw_only=True, eq=False)
class Adjusted:
    """Agreement beyond chance of every pair, what shared difficulty alone would give, and their difference.

    All (m, m); `observed` and `expected` are shares. `floor` is NaN below four systems.
    """

    observed: Float[np.ndarray, "m m"]
    expected: Float[np.ndarray, "m m"]
    kappa: Float[np.ndarray, "m m"]
    floor: Float[np.ndarray, "m m"]

    @property
    def excess(self) -> Float[np.ndarray, "m m"]:
        """Kappa less its floor."""
        return np.asarray(self.kappa - self.floor)


def adjusted(sums: PairSums) -> Adjusted:
    r"""Adjust the agreement of every pair for its accuracies, and say what shared difficulty leaves.

    .. math:: \kappa = \frac{o - e}{1 - e}, \qquad e = p_a p_b + (1 - p_a)(1 - p_b) u, \qquad
        \kappa_0 = \frac{(1 + u) (\hat p_{ab} - p_a p_b)}{1 - e}, \qquad
        \hat r_{ab} = \frac{\bar r_{a \cdot} \bar r_{b \cdot}}{\bar r_{\cdot \cdot}}

    u is the mean of 1 / (C - 1); p_ab the share of questions that both get right. Where wrong answers are
    independent, ``o - e = (1 + u) (p_ab - p_a p_b)``. One difficulty that moves all systems makes r_ab, the
    tetrachoric correlation of being right, the product of two loadings: the correlations of a and b with the
    *others*, over those of the others with one another, give it without error of measurement and without
    what a and b share with nobody else; the accuracies of a and b turn it back into a share.

    References
    ----------
    Goel et al. (2025), arXiv:2502.04313, section 3 (kappa_p); Spearman (1904), doi:10.2307/1412107 (one
    factor from ratios of correlations); Bonett and Price (2005), doi:10.3102/10769986030002213, equation 2
    (tetrachoric correlation in closed form); Plackett (1965), doi:10.1080/01621459.1965.10480807.

    Examples
    --------
    >>> one = np.array([[4.0, 4.0], [4.0, 4.0]])
    >>> right, hit = np.array([[2.0, 1.0], [1.0, 1.0]]), np.array([[2.0, 2.0], [1.0, 1.0]])
    >>> same = np.array([[2.0, 1.0], [1.0, 3.0]])  # gold 0000, a 0012, b 0111, four choices
    >>> sums = PairSums(both=one, squares=one, right=right, hit=hit, chance=one / 3, same=same)
    >>> got = adjusted(sums)
    >>> [round(float(table[0, 1]), 3) for table in (got.observed, got.expected, got.kappa)]
    [0.5, 0.25, 0.333]
    """
    met = sums.both > DUST
    mass = np.where(met, sums.both, 1.0)
    first, second = sums.hit / mass, sums.hit.T / mass
    share = sums.chance / mass
    observed = np.where(met, (sums.right + sums.same) / mass, UNDEFINED)
    expected = np.where(met, first * second + (1 - first) * (1 - second) * share, UNDEFINED)
    room = np.where(1 - expected > DUST, 1 - expected, UNDEFINED)
    return Adjusted(
        observed=observed,
        expected=expected,
        kappa=(observed - expected) / room,
        floor=(1 + share) * _common_difficulty(sums.right / mass, first, second, met) / room,
    )


def _common_difficulty(
    both: Float[np.ndarray, "m m"],
    first: Float[np.ndarray, "m m"],
    second: Float[np.ndarray, "m m"],
    met: np.ndarray,
) -> Float[np.ndarray, "m m"]:
    """Covariance of being right that one difficulty, common to all systems, gives every pair."""
    less = np.minimum(np.minimum(first, 1 - first), np.minimum(second, 1 - second))
    varies = met & (less > DUST)
    power = (1 - np.abs(first - second) / 5 - np.square(0.5 - less)) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = np.maximum(first - both, 0.0) * np.maximum(second - both, 0.0)
        odds = both * np.maximum(1 - first - second + both, 0.0) / np.where(varies, apart, 1.0)
    known = varies & ~np.isnan(odds)
    correlation = np.cos(np.pi / (1 + np.where(known, odds, 1.0) ** power))
    common = np.clip(_from_others(correlation, known), -ALMOST_ONE, ALMOST_ONE)
    odds = (np.pi / np.arccos(common) - 1) ** (1 / power)
    # the share of both right that has these odds and these accuracies
    even = np.abs(odds - 1) < NEARLY_EVEN
    slope = np.where(even, 1.0, odds - 1)
    middle = 1 + (first + second) * slope
    root = np.sqrt(np.maximum(middle**2 - 4 * odds * slope * first * second, 0.0))
    together = np.where(even, first * second, (middle - root) / (2 * slope))
    together = np.where(np.isnan(common), UNDEFINED, together)
    # a system that is always right, or never, goes together with nobody
    return np.where(met & ~varies, 0.0, together - first * second)


def _from_others(values: Float[np.ndarray, "m m"], met: np.ndarray) -> Float[np.ndarray, "m m"]:
    """Value of every pair that one common factor gives, from the values of both with all others."""
    known = met & ~np.eye(met.shape[0], dtype=bool)
    value = np.where(known, values, 0.0)
    sums, counts = value.sum(axis=1), known.sum(axis=1) * 1.0
    ways = counts[:, None] - known
    own = (sums[:, None] - value) / np.where(ways > 0.5, ways, UNDEFINED)
    rest = value.sum() - 2 * (sums[:, None] + sums[None, :]) + 2 * value
    rest_ways = counts.sum() - 2 * (counts[:, None] + counts[None, :]) + 2 * known
    others = rest / np.where(rest_ways > 0.5, rest_ways, UNDEFINED)
    # where the others do not go together there is nothing common to all
    shared = np.where(others > DUST, own * own.T / np.where(others > DUST, others, 1.0), 0.0)
    return np.where(np.isnan(others) | np.isnan(own * own.T), UNDEFINED, shared)
