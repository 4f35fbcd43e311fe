"""How often would k runs agree on a falsehood if they shared nothing but popular kinds of mistakes?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from limitset.core.agreements import (
    Source,
    forgotten,
    groups_of,
    kept,
    longest,
)
from limitset.core.errors import InputError
from limitset.core.levels import Level
from limitset.core.popularity import popularity
from limitset.core.results import MeasurementTable
from limitset.core.tallies import Tallies
from limitset.core.undefined import UNDEFINED

INSTRUMENT = "unanimity_nulls"
VERSION = 1
ESTIMATES = ("cross_fitted", "plug_in")
KINDS = ("question_free", "difficulty_kept")


@dataclass(frozen=True, kw_only=True, eq=False)
class UnanimityNulls:
    """What the wrong-when-unanimous curve would be without shared falsehoods.

    Parameters
    ----------
    curve
        phi0_k (null_kind question_free) and phi00_k (difficulty_kept), in [0, 1]; axes source, k, estimate.
        The two estimates bracket the null.
    """

    curve: MeasurementTable

    def excess(self, observed: MeasurementTable, *, null_kind: str = "difficulty_kept") -> MeasurementTable:
        """Say how far an observed curve lies above the upper end of the bracket.

        Parameters
        ----------
        observed
            A curve with the axes source and k.
        null_kind
            question_free or difficulty_kept.

        Returns
        -------
        MeasurementTable
            phi_k less the upper null; axes source, k. An excess is declared only where `low` is above 0; low
            is taken from the upper null and high from the lower one.
        """
        rows = [row for row in observed.rows() if self._ends(row.parameters, null_kind)]
        ends = [self._ends(row.parameters, null_kind) for row in rows]
        lower, upper = (np.array([pick(end) for end in ends], dtype=float) for pick in (min, max))
        return MeasurementTable(
            instrument=f"{INSTRUMENT}.excess",
            version=VERSION,
            level=observed.level,
            axes={axis: np.array([row.parameters[axis] for row in rows]) for axis in ("source", "k")},
            value=np.array([row.value for row in rows]) - upper,
            low=np.array([row.low for row in rows]) - upper,
            high=np.array([row.high for row in rows]) - lower,
            n=[row.n for row in rows],
            null_kind=[null_kind] * len(rows),
            blank_reason=[row.blank_reason for row in rows],
            interval_method=f"{observed.interval_method}, less the bracket of nulls",
            confidence=observed.confidence,
            parameters=self.curve.parameters,
            notes=self.curve.notes,
        )

    def _ends(self, axes: object, null_kind: str) -> list[float]:
        wanted = {name: axes[name] for name in ("source", "k")}  # type: ignore[index]
        values = self.curve.where(null_kind=null_kind, **wanted).value
        return [float(value) for value in values if not np.isnan(value)]


def unanimity_nulls(
    tallies: Tallies,
    *,
    k_max: int | None = None,
    rng: np.random.Generator,
    class_count: int | None = None,
    splits: int = 8,
    level: Level = Level.ANSWER,
) -> UnanimityNulls:
    """Chance level of wrong-when-unanimous, without questions and with each question's difficulty.

    With g(r) the popularity of the r-th most frequent wrong answer of a question (sums to 1), w_q the wrong
    and a_q the right mass: ``phi0_k = W^k G_k / (W^k G_k + A^k)`` with means W, A over questions and
    ``G_k = sum_r g(r)^k``; ``phi00_k = E[w_q^k] G_k / (E[w_q^k] G_k + E[a_q^k])`` by falling factorials.

    Parameters
    ----------
    tallies
        Counts of runs, every answer right or wrong.
    k_max
        Largest k; default: as many as nine tenths of the questions allow.
    rng
        Splits the runs in halves.
    class_count
        Wrong answers that a question could have; default: seen ones and the unseen estimated for each
        question.
    splits
        Random splits that are averaged, at least 1.
    level
        Which map the runs are of.

    Returns
    -------
    UnanimityNulls
        cross_fitted: ranked on one half of the runs, evaluated on the other, and swapped; plug_in: both on
        all runs. Blank (with its reason) where a cell has one run and no halves exist.

    Raises
    ------
    InputError
        When an answer has no anchor, or `k_max`, `splits` or `class_count` is below 1.

    Notes
    -----
    Ranking and evaluating on the same runs finds popularity in noise (too high); ranking on half of the runs
    misses some (too low in worlds full of traps): an excess counts only above the higher one. Compare with
    difficulty_kept: any set of mixed difficulty beats question_free. By seed, g belongs to one cell; by
    paraphrase it pools a system's cells; by model it pools all cells. Across paraphrases or systems the
    powers become symmetric polynomials, as in the curve. Accepted answers count as one.

    References
    ----------
    Chao (1987), doi:10.2307/2531532, bias-corrected form with (n - 1) / n (unseen classes).
    Chernozhukov et al. (2018), doi:10.1111/ectj.12097, section 3 (cross-fitting).

    Examples
    --------
    >>> from limitset.datasets.planted import independent_world, planted_tallies
    >>> rng = np.random.default_rng(0)
    >>> world = independent_world(accuracy=0.4, wrong_classes=10)  # truth .184
    >>> panel = planted_tallies(world, questions=400, seeds=8, rng=rng)
    >>> nulls = unanimity_nulls(panel, k_max=2, rng=rng, class_count=10).curve
    >>> pair = nulls.where(source="seed", k=2, null_kind="difficulty_kept")
    >>> pair.axes["estimate"].tolist(), ((pair.value > [0.17, 0.3]) & (pair.value < [0.2, 0.4])).tolist()
    (['cross_fitted', 'plug_in'], [True, True])
    """
    tallies.require_anchor()
    _require_positive(k_max=k_max, splits=splits, class_count=class_count)
    axes: list[tuple[str, int, str, str]] = []
    values: list[float] = []
    reasons: list[str] = []
    for source in Source:
        most = longest(tallies, source)
        if most < 2 and source is not Source.SEED:
            continue
        steps = max(most if k_max is None else min(most, k_max), 1)
        found = _by_group(tallies, source, steps, class_count=class_count, splits=splits, rng=rng)
        for (estimate, kind), (wrong, right) in found.items():
            axes += [(str(source), k + 1, estimate, kind) for k in range(steps)]
            total = wrong + right
            values += (wrong / np.where(total > 0, total, UNDEFINED)).tolist()
            reasons += [_reason(mass) for mass in total.tolist()]
    columns = [list(column) for column in zip(*axes, strict=True)]
    return UnanimityNulls(
        curve=MeasurementTable(
            instrument=INSTRUMENT,
            version=VERSION,
            level=level,
            axes={name: np.array(columns[i]) for i, name in enumerate(("source", "k", "estimate"))},
            value=np.array(values),
            n=[float(tallies.items.size)] * len(values),
            null_kind=columns[3],
            blank_reason=reasons,
            parameters={
                "class_count": "estimated" if class_count is None else class_count,
                "splits": splits,
            },
            notes=("an excess is declared only above the higher of cross_fitted and plug_in",),
        )
    )


def _by_group(
    tallies: Tallies,
    source: Source,
    steps: int,
    *,
    class_count: int | None,
    splits: int,
    rng: np.random.Generator,
) -> dict[tuple[str, str], Float[np.ndarray, "2 k"]]:
    """Sum the wrong and the right unanimity of all groups under each null."""
    right, wrong = (_merged(tallies, mask) for mask in (tallies.right, ~tallies.right))
    sums = {(e, k): np.zeros((2, steps)) for e in ESTIMATES for k in KINDS}
    powers = np.arange(1, steps + 1)[:, None]
    for units in groups_of(tallies, source):
        cells = np.concatenate(units)
        masses = {
            "difficulty_kept": [
                kept(tallies, counts, units=units, source=source, k_max=steps) for counts in (wrong, right)
            ],
            "question_free": [
                forgotten(tallies, counts, units=units, source=source, k_max=steps)
                for counts in (wrong, right)
            ],
        }
        for estimate in ESTIMATES:
            shares = popularity(
                tallies,
                cells,
                class_count=class_count,
                splits=splits if estimate == "cross_fitted" else 0,
                rng=rng,
            )
            concentration = (shares[None, :] ** powers).sum(axis=1)
            for kind in KINDS:
                spread = masses[kind][0] * concentration
                sums[estimate, kind] += np.stack(
                    [np.where(masses[kind][0] > 0, spread, 0.0), masses[kind][1]]
                )
    return sums


def _reason(mass: float) -> str:
    if mass == 0:
        return "it never happened"
    return "one run a cell: no halves" if np.isnan(mass) else ""


def _merged(tallies: Tallies, mask: Bool[np.ndarray, " k"]) -> Int[np.ndarray, "c q"]:
    """Count the runs of each cell and question that ended in any of the marked answers."""
    merged = np.stack([tallies.by_question(np.where(mask, row, 0.0)) for row in tallies.counts])
    return np.asarray(np.rint(merged), dtype=np.int64)


def _require_positive(**given: int | None) -> None:
    for name, value in given.items():
        if value is not None and value < 1:
            raise InputError.of(expected=f"{name} must be 1 or more", got=value, fix="Raise it.")
