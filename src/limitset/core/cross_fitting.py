"""How good is a choice of voters on questions that did not choose it, and how sure is that?

Folds judge choices that were made on each other, so their errors go together, and an interval that takes the
questions for independent is too short where the choice is a toss-up. Choosing once more inside each fold's
complement shows by how much.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
from jaxtyping import Float, Int

from limitset.core.random_panels import LARGEST_EXACT
from limitset.core.subset_search import Chosen, best_subsets
from limitset.core.subset_votes import Ballots, counted

REPEATS: Final = 10
"""Ways to cut the questions into folds in panels of which all subsets can be tried; one otherwise."""


APART: Final = 0.3
"""The choice is a toss-up when this share of the folds, or more, does not make the commonest one."""


@dataclass(frozen=True, kw_only=True, eq=False)
class CrossFit:
    """Choices of voters and their errors on questions that did not choose them.

    Parameters
    ----------
    chosen
        Size to the voters chosen on all questions.
    by_fold
        The same for each fold of each cut, chosen on the questions outside it.
    errors
        Size to the error of each question, of the voters chosen without it, over all cuts.
    folds
        Parts of a cut.
    tried
        Whether all subsets were tried.
    cuts : (r, q)
        Fold of each question in each cut.
    outside, inside
        For each cut and fold: errors of the voters chosen outside the fold on its questions; and on the
        questions outside it, of voters chosen without the fold and without theirs. Size to (q,); empty where
        the questions were cut once.
    """

    chosen: Chosen
    by_fold: tuple[Chosen, ...]
    errors: dict[int, Float[np.ndarray, " q"]]
    folds: int
    tried: bool
    cuts: Int[np.ndarray, "r q"]
    inside: list[dict[int, Float[np.ndarray, " q"]]]
    outside: list[dict[int, Float[np.ndarray, " q"]]]

    def widening(self, size: int, other: Float[np.ndarray, " q"], clusters: Int[np.ndarray, " q"]) -> float:
        """Return how many times wider the interval of ``mean(other - error)`` must be than over questions.

        Nested cross-validation: the mean squared error of the inner mean about the outer one, less the
        variance of the outer one, is that of one cut. That estimate is noisy. So it is kept between the
        variance over questions and that of a toss-up between two equal choices, which is
        ``1 + (K - 1) (2 / pi) / sqrt(1 + 2 (K - 2))`` times as large, and nearer to the latter the more the
        folds disagree on the choice. Averaging over R cuts takes off ``1 - 1 / R`` of the
        variance between cuts. Where the questions were cut once, the toss-up alone stands.

        References
        ----------
        Bates, Hastie and Tibshirani (2024), Cross-validation: what does it estimate and how well does it do
        it?, doi:10.1080/01621459.2023.2197686, section 4.
        """
        plain = _variance(other - self.errors[size], clusters)
        if plain <= 0:
            return 1.0
        folds = self.folds
        toss_up = (folds - 1) * 2 / np.pi / np.sqrt(1 + 2 * max(folds - 2, 0))
        apart = min((1 - self.agreed(size)) / APART, 1.0) if self.inside else 1.0
        one_cut, spread = self._one_cut(size, other, clusters)
        floor, most = (1 + apart * toss_up) * one_cut, (1 + toss_up) * one_cut
        single = np.clip(self._nested(size, other, clusters), floor, most)
        return float(np.sqrt(max(single - spread, plain) / plain))

    def widening_of_error(
        self, size: int, all_of_them: Float[np.ndarray, " q"], clusters: Int[np.ndarray, " q"]
    ) -> float:
        """Return the same for the mean error itself, of which the choice moves only a part.

        The part is the difference from the error of all voters, which no choice moves.
        """
        error = self.errors[size]
        plain = _variance(error, clusters)
        if plain <= 0:
            return 1.0
        part = _variance(all_of_them - error, clusters) / plain
        moved = 1 + (self.widening(size, all_of_them, clusters) ** 2 - 1) * part
        _, spread = self._one_cut(size, np.zeros(error.size), clusters)
        nested = (self._nested(size, np.zeros(error.size), clusters) - spread) / plain
        most = 1 + (self.folds - 1) * 2 / np.pi / np.sqrt(1 + 2 * max(self.folds - 2, 0)) * part
        return float(np.sqrt(np.clip(nested, moved, max(most, moved))))

    def _one_cut(
        self, size: int, other: Float[np.ndarray, " q"], clusters: Int[np.ndarray, " q"]
    ) -> tuple[float, float]:
        """Return the variance over questions of one cut, and what averaging over cuts takes off its own."""
        found, means = [], []
        for row, cut in enumerate(self.cuts):
            judged = np.zeros(cut.size)
            for part in range(self.folds):
                judged[cut == part] = self.outside[row * self.folds + part][size][cut == part]
            found.append(_variance(other - judged, clusters))
            means.append((other - judged).mean())
        count = len(means)
        return float(np.mean(found)), float(np.var(means, ddof=1)) * (1 - 1 / count) if count > 1 else 0.0

    def _nested(self, size: int, other: Float[np.ndarray, " q"], clusters: Int[np.ndarray, " q"]) -> float:
        """Return the variance by choosing once more outside every fold; 0 where that was not done."""
        folds, squares = self.folds, []
        if not self.inside:
            return 0.0
        for row, cut in enumerate(self.cuts):
            for part in range(folds):
                at, here = row * folds + part, cut == part
                inner = (other - self.inside[at][size])[~here].mean()
                outer = (other - self.outside[at][size])[here]
                squares.append((inner - outer.mean()) ** 2 - _variance(outer, clusters[here]))
        return (folds - 1) / folds * float(np.mean(squares))

    def agreed(self, size: int) -> float:
        """Return the share of the folds that make the commonest choice."""
        choices = [choice[size] for choice in self.by_fold]
        return max(choices.count(one) for one in set(choices)) / len(choices)


def cross_fitted(
    ballots: Ballots,
    sizes: Sequence[int],
    *,
    present: Sequence[int],
    folds: int,
    rng: np.random.Generator,
) -> CrossFit:
    """Choose the best voters of each size outside every fold and judge them inside it.

    Parameters
    ----------
    ballots
        The votes.
    sizes, present
        As in `best_subsets`.
    folds
        Parts of the questions, 2 or more; clusters stay whole.
    rng
        Cuts the questions.

    References
    ----------
    Stone (1974), doi:10.1111/j.2517-6161.1974.tb00994.x (choice and assessment apart).

    Examples
    --------
    >>> from limitset.core.ends import Ends
    >>> from limitset.core.subset_votes import ballots_of_systems
    >>> from limitset.core.tallies import tallied
    >>> ends = Ends.of(item=[*"pqrs"] * 2, system=[*"aaaabbbb"], end=[*"xxxxyyyz"], right=[1] * 7 + [0])
    >>> rng = np.random.default_rng(0)
    >>> ballots = ballots_of_systems(tallied(ends), rounds=1, rng=rng)
    >>> got = cross_fitted(ballots, [1], present=[], folds=2, rng=rng)
    >>> got.chosen, got.folds, got.errors[1].tolist()
    ({1: (0,)}, 2, [0.0, 0.0, 0.0, 0.0])
    """
    units = int(ballots.clusters.max()) + 1
    small = len(ballots.voters) <= LARGEST_EXACT
    repeats = REPEATS if small else 1
    cuts = np.stack([rng.permutation(units)[ballots.clusters] % folds for _ in range(repeats)])
    pairs = [(part, part) for part in range(folds)]
    if small and folds > 2:
        pairs += list(combinations(range(folds), 2))
    training = [np.ones((1, cuts.shape[1]))]
    training += [np.stack([(cut != a) & (cut != b) for a, b in pairs]).astype(np.float64) for cut in cuts]
    found, tried = best_subsets(ballots, sizes, np.concatenate(training), present=present)
    known: dict[tuple[int, ...], np.ndarray] = {}

    def error(members: tuple[int, ...]) -> np.ndarray:
        if members not in known:
            known[members] = ballots.by_question(counted(ballots, ballots.cast(members)).error)
        return known[members]

    choices = [
        dict(zip(pairs, found[1 + row * len(pairs) : 1 + (row + 1) * len(pairs)], strict=True))
        for row in range(repeats)
    ]
    outside, inside = [], []
    for choice, cut in zip(choices, cuts, strict=True):
        for part in range(folds):
            outside.append({size: error(choice[part, part][size]) for size in sizes})
            if len(pairs) > folds:
                inside.append({size: _inner(choice, cut, part, size=size, error=error) for size in sizes})
    errors = {}
    for size in sizes:
        total = np.zeros(cuts.shape[1])
        for row, cut in enumerate(cuts):
            judged = np.stack([outside[row * folds + part][size] for part in range(folds)])
            total += np.take_along_axis(judged, cut[None], axis=0)[0]
        errors[size] = total / repeats
    by_fold = tuple(choice[part, part] for choice in choices for part in range(folds))
    return CrossFit(
        chosen=found[0],
        by_fold=by_fold,
        errors=errors,
        folds=folds,
        tried=tried,
        cuts=cuts,
        inside=inside,
        outside=outside,
    )


def _inner(
    choice: dict[tuple[int, int], Chosen],
    cut: Int[np.ndarray, " q"],
    part: int,
    *,
    size: int,
    error: Callable[[tuple[int, ...]], np.ndarray],
) -> Float[np.ndarray, " q"]:
    """Errors outside a fold of what was chosen without it and without the fold of the question."""
    out = np.zeros(cut.size)
    for other in range(int(cut.max()) + 1):
        if other != part:
            here = cut == other
            out[here] = error(choice[min(part, other), max(part, other)][size])[here]
    return out


def _variance(values: Float[np.ndarray, " q"], clusters: Int[np.ndarray, " q"]) -> float:
    """Variance of a mean over questions in clusters."""
    if values.size < 2:
        return 0.0
    residual = np.bincount(clusters, weights=values - values.mean())
    units = np.unique(clusters).size
    return float(np.square(residual).sum() * units / max(units - 1, 1)) / values.size**2
