"""Do two systems agree more than their accuracies make them, and more than shared difficulty makes them?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from limitset.core.ends import Ends
from limitset.core.levels import Level
from limitset.core.pair_sums import PairPanel, pair_panel, pair_sums
from limitset.core.pair_tables import PairTables, pair_tables
from limitset.core.probabilities import probability_panel
from limitset.core.results import MeasurementTable
from limitset.core.tallies import Tallies

INSTRUMENT = "chance_adjusted"
VERSION = 1

DISCRETE = "kappa_p"
PROBABILISTIC = "kappa_p of probabilities"
NOTES = (
    "questions that both answer: not answering together is no agreement",
    "difficulty: kappa_p of independent systems that share one difficulty of questions; no kappa_p is an"
    " excess before it stands above this floor",
)


@dataclass(frozen=True, kw_only=True, eq=False)
class ChanceAdjusted:
    """Chance-adjusted agreement of every pair (CAPA, kappa_p), its floor, and what is left above it.

    Parameters
    ----------
    pairs
        Axes `measure`, `first`, `second`; `null_kind` "" or "difficulty"; values up to 1.
    excess
        Axes `measure`, `first`, `second`: kappa_p less its floor.
    panel
        Axis `statistic`: means over all pairs of "kappa_p", its "floor" and the "excess".
    """

    pairs: MeasurementTable
    excess: MeasurementTable
    panel: MeasurementTable


def chance_adjusted(
    tallies: Tallies,
    *,
    choices: Float[np.ndarray, " q"] | None = None,
    confidence: float = 0.95,
    level: Level = Level.ANSWER,
) -> ChanceAdjusted:
    r"""Agreement of every pair beyond that of independent systems of the same accuracies.

    .. math:: \kappa_p = \frac{o - e}{1 - e}, \qquad o = \overline{\sum_y s_{ay} s_{by}}, \qquad
        e = p_a p_b + (1 - p_a)(1 - p_b) \overline{1 / (C - 1)}

    s is the share of runs that give an answer, p the accuracy, C the number of answers that a question
    allows, all over the questions that both answer.

    Parameters
    ----------
    tallies
        Runs by cell and answer class, every answer checked by an anchor.
    choices : (q,)
        Answers that each question allows, 2 or more; default: the labels that questions share, else the
        answers seen on the question. The parameters of the result say which.
    confidence
        Coverage aimed at, in (0, 1).
    level
        Which map the runs belong to.

    Returns
    -------
    ChanceAdjusted
        1: always the same answer; 0: as independent systems of these accuracies; below 0: less. Blank where
        both are always right, where chance explains any agreement, and where both answer fewer than five
        questions. The floor is blank below four systems.

    Raises
    ------
    InputError
        When an answer has no anchor.

    Notes
    -----
    **kappa_p cannot be read without its floor.** Independent systems that find the same questions hard score
    above 0: .21 in a panel of accuracies .95, .7, .4 and .1 by kind of question. The floor is what one
    difficulty common to all systems gives a pair, read off the correlations of both with all *others*. What a
    whole panel shares beyond difficulty (one trap for everybody) raises the floor as well, so that an excess
    is what this pair shares and others do not. `same_wrong` is immune to difficulty and not to popular wrong
    answers; the two are read together. Several right answers to one question count as one. Answers that
    nobody gave are not seen: without labels or `choices`, C is too small and kappa_p too low.

    References
    ----------
    Goel et al. (2025), Great models think alike and this undermines AI oversight, arXiv:2502.04313,
    section 3; floor: see `limitset.core.pair_sums.adjusted`; intervals: Kott (2001), delete-a-group
    jackknife.

    Examples
    --------
    >>> from limitset.core.tallies import tallied
    >>> answers = {"a": "0012" * 5, "b": "0111" * 5}  # the key says 0 everywhere
    >>> ends = Ends.of(item=[*range(20)] * 2, system=[*"a" * 20, *"b" * 20], end=[*"".join(answers.values())],
    ...     right=[int(one == "0") for one in "".join(answers.values())])
    >>> got = chance_adjusted(tallied(ends), choices=np.full(20, 4.0))
    >>> round(got.pairs.one(first="a", second="b", null_kind="").value, 4)
    0.3333
    """
    tallies.require_anchor()
    return _measured(pair_panel(tallies, choices), DISCRETE, confidence, level)


def chance_adjusted_probabilities(
    ends: Ends, *, confidence: float = 0.95, level: Level = Level.ANSWER
) -> ChanceAdjusted:
    """Chance-adjusted agreement from the probabilities that systems give to the choices.

    Parameters
    ----------
    ends
        Runs with `choice_probabilities` (in the order of the choices) and `right`.
    confidence, level
        As in `chance_adjusted`.

    Returns
    -------
    ChanceAdjusted
        As from answers, with measure "kappa_p of probabilities". Identical uniform probabilities give 0,
        identical certain ones 1.

    Raises
    ------
    InputError
        When no question with probabilities has a run that is right.

    Notes
    -----
    Which choice is right is read from a run that is right: its likeliest choice. Questions that no run
    answers rightly are left out, which the notes of the result count; they make the panel look more accurate.

    References
    ----------
    Goel et al. (2025), arXiv:2502.04313, section 3.

    Examples
    --------
    >>> ends = Ends.of(item=[*range(8)] * 2, system=[*"a" * 8, *"b" * 8], end="x", right=1,
    ...     choice_probabilities=[(0.6, 0.4)] * 8 + [(0.6, 0.4)] * 8)
    >>> got = chance_adjusted_probabilities(ends)
    >>> round(got.pairs.one(first="a", second="b", null_kind="").value, 3)  # o = .52 = e: no more than chance
    0.0
    """
    panel, left_out = probability_panel(ends)
    noted = (f"{left_out} questions left out: no run says which choice is right",) if left_out else ()
    return _measured(panel, PROBABILISTIC, confidence, level, noted)


def _measured(
    panel: PairPanel, measure: str, confidence: float, level: Level, noted: tuple[str, ...] = ()
) -> ChanceAdjusted:
    tables: PairTables = pair_tables(
        pair_sums(panel),
        panel,
        instrument=INSTRUMENT,
        version=VERSION,
        measure=measure,
        confidence=confidence,
        level=level,
        notes=NOTES + noted,
    )
    return ChanceAdjusted(pairs=tables.pairs, excess=tables.excess, panel=tables.panel)
