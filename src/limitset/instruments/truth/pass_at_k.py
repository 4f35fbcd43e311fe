"""Is some run of k right, and does the vote of the k find it?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from limitset.core.clusters import clustered_shares
from limitset.core.errors import InputError
from limitset.core.intervals import Interval, columns_of
from limitset.core.levels import Level
from limitset.core.results import MeasurementTable
from limitset.core.tallies import Tallies
from limitset.core.voting import after_votes

INSTRUMENT = "pass_at_k"
VERSION = 1
MEASURES = ("some right", "vote right", "right and outvoted")
MOST = 0.9
"""k goes as far as this share of the questions of a system has runs; the others are left out of every k."""
STEPS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 25, 32, 40, 50, 64, 80, 100, 128, 160, 200, 256)
"""Numbers of runs at which the curves are read, beside the largest."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PassAtK:
    """What k runs hold, and what their vote makes of it.

    Parameters
    ----------
    curve
        Shares of questions in [0, 1]; axes system, k, measure: "some right" (pass@k), "vote right"
        (majority@k) and "right and outvoted", the first less the second.
    """

    curve: MeasurementTable


def pass_at_k(
    tallies: Tallies,
    *,
    rng: np.random.Generator,
    draws: int = 200,
    confidence: float = 0.95,
    level: Level = Level.ANSWER,
) -> PassAtK:
    r"""Chance that some of k runs is right, and that the answer most of the k give is right.

    .. math:: \text{pass@}k = \frac{1}{Q} \sum_q \left[1 - \binom{n_q - c_q}{k} \Big/ \binom{n_q}{k}\right]

    c_q of the n_q runs of question q are right. majority@k is the chance that the most frequent answer of k
    runs drawn without replacement is right; answers that tie for it share it evenly.

    Parameters
    ----------
    tallies
        Runs by cell and answer class, every answer right or wrong.
    rng
        Draws of k runs for the vote of many runs; pass@k draws nothing.
    draws
        Draws a question of more than twelve runs, 1 or more; votes of fewer runs are exact.
    confidence
        Coverage aimed at, in (0, 1).
    level
        Which map the runs are of.

    Returns
    -------
    PassAtK
        For each system, k up to the number of runs that nine in ten of its questions have; questions with
        fewer runs are left out of every k. `n` is the effective number of clusters of questions.

    Raises
    ------
    InputError
        When an answer has no anchor, or draws are below 1.

    Notes
    -----
    Cells of a system (paraphrases, temperatures) are pooled. pass@k cannot fall with k: guessing alone drives
    it to 1. It is of use only where something outside can tell which of the k is right; without that, the
    vote is what can be had. Runs without an answer are not right and do not vote.

    References
    ----------
    Chen et al. (2021), Evaluating large language models trained on code, arXiv:2107.03374, equation 1;
    Wang et al. (2023), arXiv:2203.11171, section 2 (plurality of sampled answers).

    Examples
    --------
    >>> from limitset.core.ends import Ends
    >>> from limitset.core.tallies import tallied
    >>> ends = Ends.of(item="q", system="m", seed=range(10), end=["x"] * 3 + ["y"] * 7,
    ...                right=[1] * 3 + [0] * 7)
    >>> got = pass_at_k(tallied(ends), rng=np.random.default_rng(0)).curve
    >>> round(got.one(k=5, measure="some right").value, 6)
    0.916667
    """
    tallies.require_anchor()
    if draws < 1:
        raise InputError.of(expected="draws must be 1 or more", got=draws, fix="Raise it.")
    rows: list[tuple[str, int, str, Interval]] = []
    for system in dict.fromkeys(str(name) for name in tallies.systems):
        pooled = tallies.of_system(system).pooled()
        most = _most_runs(pooled.runs[0])
        enough = pooled.of_questions(pooled.runs[0] >= max(most, 1))
        steps = [k for k in STEPS if k < most] + [most] * (most > 0)
        for k, measures in zip(steps, _curves(enough, steps, draws, rng), strict=True):
            found = clustered_shares(
                measures, enough.clusters, confidence=confidence, anchor_error=enough.key_error
            )
            rows += [
                (system, k, name, one)
                for name, one in zip(MEASURES, found.intervals("no question"), strict=True)
            ]
    return PassAtK(
        curve=MeasurementTable(
            instrument=INSTRUMENT,
            version=VERSION,
            level=level,
            axes={
                "system": np.array([row[0] for row in rows], dtype=object),
                "k": np.array([row[1] for row in rows], dtype=np.int64),
                "measure": np.array([row[2] for row in rows], dtype=object),
            },
            interval_method="logit jackknife over clusters of questions; a bound where few carry a side",
            confidence=confidence,
            parameters={"draws": draws},
            notes=("answers that tie for the vote share it evenly",),
            **columns_of([row[3] for row in rows]),
        )
    )


def some_right(right: Int[np.ndarray, " q"], runs: Int[np.ndarray, " q"], k: int) -> Float[np.ndarray, " q"]:
    r"""Chance that some of k runs drawn without replacement is right, for each question.

    ``1 - C(n - c, k) / C(n, k)``, as a product that neither overflows nor cancels.

    Parameters
    ----------
    right, runs : (q,)
        Right runs c and all runs n of each question; n at least k.
    k
        Runs drawn, 1 or more.

    Returns
    -------
    ndarray
        In [0, 1]; unbiased for the chance that some of k fresh runs is right.

    References
    ----------
    Chen et al. (2021), arXiv:2107.03374, equation 1.

    Examples
    --------
    >>> some_right(np.array([3, 0, 10]), np.array([10, 10, 10]), 5).round(6).tolist()
    [0.916667, 0.0, 1.0]
    """
    missed = np.ones(runs.size)
    for drawn in range(k):
        missed *= np.maximum(runs - right - drawn, 0) / (runs - drawn)
    return 1.0 - missed


def _curves(
    tallies: Tallies, steps: list[int], draws: int, rng: np.random.Generator
) -> list[Float[np.ndarray, "3 q"]]:
    if not steps:
        return []
    right = tallies.by_question((tallies.counts[0] * tallies.right).astype(np.float64)).astype(np.int64)
    wrong, silent = after_votes(tallies, steps, draws=draws, rng=rng)
    found = []
    for row, k in enumerate(steps):
        some = some_right(right, tallies.runs[0], k)
        # drawn votes may pass what the runs hold by the chance of the draw
        vote = np.clip(np.minimum(1.0 - wrong[row] - silent[row], some), 0.0, 1.0)
        found.append(np.stack([some, vote, some - vote]))
    return found


def _most_runs(runs: Int[np.ndarray, " q"]) -> int:
    asked = np.sort(runs[runs > 0])[::-1]
    return int(asked[int(np.ceil(MOST * asked.size)) - 1]) if asked.size else 0
