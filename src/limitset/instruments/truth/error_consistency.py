"""Are two systems right and wrong together more than their accuracies and shared difficulty make them?"""

from __future__ import annotations

from dataclasses import dataclass

from limitset.core.levels import Level
from limitset.core.pair_sums import pair_panel, pair_sums
from limitset.core.pair_tables import pair_tables
from limitset.core.results import MeasurementTable
from limitset.core.tallies import Tallies

INSTRUMENT = "error_consistency"
VERSION = 1

MEASURE = "error consistency"
NOTES = (
    "questions that both answer: not answering together is no agreement",
    "difficulty: error consistency of independent systems that share one difficulty of questions; none is an"
    " excess before it stands above this floor",
)


@dataclass(frozen=True, kw_only=True, eq=False)
class ErrorConsistency:
    """Error consistency of every pair, its floor, and what is left above it.

    Parameters
    ----------
    pairs
        Axes `measure`, `first`, `second`; `null_kind` "" or "difficulty"; values up to 1.
    excess
        Axes `measure`, `first`, `second`: error consistency less its floor.
    panel
        Axis `statistic`: means over all pairs of the "error consistency", its "floor" and the "excess".
    """

    pairs: MeasurementTable
    excess: MeasurementTable
    panel: MeasurementTable


def error_consistency(
    tallies: Tallies, *, confidence: float = 0.95, level: Level = Level.ANSWER
) -> ErrorConsistency:
    r"""Agreement of every pair in being right or wrong, beyond that of independent systems.

    .. math:: \kappa = \frac{o - e}{1 - e}, \qquad o = P(\text{both right or both wrong}), \qquad
        e = p_a p_b + (1 - p_a)(1 - p_b)

    Parameters
    ----------
    tallies
        Runs by cell and answer class, every answer checked by an anchor.
    confidence
        Coverage aimed at, in (0, 1).
    level
        Which map the runs belong to.

    Returns
    -------
    ErrorConsistency
        1: right and wrong together; 0: as independent systems; below 0: one right where the other is wrong.
        Blank where both are always right or always wrong, and where both answer fewer than five questions.

    Raises
    ------
    InputError
        When an answer has no anchor.

    Notes
    -----
    Shared difficulty alone gives a value far above 0 (.41 in a panel of accuracies .95, .7, .4 and .1 by kind
    of question): the floor stands beside every value. It does not see *which* wrong answer was given; with
    two possible answers it is kappa_p.

    References
    ----------
    Geirhos, Meding and Wichmann (2020), Beyond accuracy: quantifying trial-by-trial behaviour of CNNs and
    humans by measuring error consistency, arXiv:2006.16736, equation 1; floor: see
    `limitset.core.pair_sums.adjusted`.

    Examples
    --------
    >>> from limitset.core.ends import Ends
    >>> from limitset.core.tallies import tallied
    >>> answers = {"a": "0012" * 5, "b": "0111" * 5}  # the key says 0 everywhere
    >>> ends = Ends.of(item=[*range(20)] * 2, system=[*"a" * 20, *"b" * 20], end=[*"".join(answers.values())],
    ...     right=[int(one == "0") for one in "".join(answers.values())])
    >>> round(error_consistency(tallied(ends)).pairs.one(first="a", second="b", null_kind="").value, 4)
    0.5
    """
    tallies.require_anchor()
    panel = pair_panel(tallies)
    tables = pair_tables(
        pair_sums(panel).of_right_and_wrong(),
        panel,
        instrument=INSTRUMENT,
        version=VERSION,
        measure=MEASURE,
        confidence=confidence,
        level=level,
        notes=NOTES,
    )
    return ErrorConsistency(pairs=tables.pairs, excess=tables.excess, panel=tables.panel)
