"""What decides an answer: the question, the model, the paraphrase, their interplay, or chance?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from limitset.core.agreements import falling_shares
from limitset.core.errors import InputError
from limitset.core.intervals import Interval, columns_of, jackknife_interval
from limitset.core.levels import Level
from limitset.core.results import MeasurementTable
from limitset.core.tallies import Tallies
from limitset.core.undefined import UNDEFINED

INSTRUMENT = "variance_shares"
VERSION = 1

COMPONENTS = ("question", "model", "paraphrase", "model_x_paraphrase", "seed")
PAIRS = ("ss", "sd", "ds", "dd")
"""Same or different model, then same or different paraphrase; `ss` pairs differ in their seed alone."""
SHARED = {"dd": 1, "sd": 2, "ds": 2, "ss": 4, "one": 5}
"""How many components two runs of a kind have in common; a run has all with itself."""


@dataclass(frozen=True, kw_only=True, eq=False)
class VarianceShares:
    """Shares of the variance of one-hot answers.

    Parameters
    ----------
    shares
        Axis `component`. The five components always stand; those that the design cannot tell apart are
        blank, and a merged component (``"question + model"``) follows. What is not blank sums to 1.
    agreement
        Axis `pair`: chance that two runs agree, for each kind of pair that the design has.
    """

    shares: MeasurementTable
    agreement: MeasurementTable


def variance_shares(
    tallies: Tallies, *, confidence: float = 0.95, level: Level = Level.ANSWER
) -> VarianceShares:
    r"""Crossed decomposition of one-hot answers, from the chance that two runs agree.

    With c_ss, c_sd, c_ds, c_dd the chances that two different runs agree (same or different model, then same
    or different paraphrase): question = c_dd, model = c_sd - c_dd, paraphrase = c_ds - c_dd,
    model x paraphrase = c_ss - c_sd - c_ds + c_dd, seed = 1 - c_ss.

    Parameters
    ----------
    tallies
        Runs by cell and answer class; no anchor is needed. Paraphrases are matched across models by name.
    confidence
        Coverage aimed at, in (0, 1).
    level
        Which map the runs belong to.

    Returns
    -------
    VarianceShares
        Shares that sum to 1. Each is unbiased and may therefore fall slightly below 0 where the true share
        is near 0.

    Raises
    ------
    InputError
        When no two runs stand on one question.

    Notes
    -----
    Classes belong to a question, so every component is one of the answer *given the question*: "model" is
    how much more two runs of one model agree than two of different models. An abstention agrees with nothing
    and so counts as seed variance. Cells of one model and paraphrase that differ in temperature, loop or
    anchor are not paired. Only questions with every kind of pair that the design has are used.

    References
    ----------
    Light and Margolin (1971), doi:10.1080/01621459.1971.10482297 (variance of categories).
    Searle, Casella and McCulloch (1992), Variance Components, doi:10.1002/9780470316856, chapter 4 (crossed).

    Examples
    --------
    >>> from limitset.core.ends import Ends
    >>> from limitset.core.tallies import tallied
    >>> rows = [dict(item="q", system=m, paraphrase=p, seed=s, end=m)
    ...         for m in "ab" for p in "xy" for s in range(2)]
    >>> variance_shares(tallied(Ends.of_rows(rows))).shares.value.tolist()  # each model has its own answer
    [0.0, 1.0, 0.0, 0.0, 0.0]
    """
    agreed, pairs = _agreements(tallies)
    exists = np.asarray((pairs > 0).any(axis=1))
    if not exists.any():
        raise InputError.of(
            expected="two runs of one question are needed", got="no pair", fix="Repeat each question."
        )
    used = (pairs[exists] > 0).all(axis=0)
    chance = np.full(agreed.shape, UNDEFINED)
    chance[exists] = agreed[exists] / np.where(used, pairs[exists], 1.0)
    by_kind = dict(zip(PAIRS, chance[:, used], strict=True))
    here = [kind for kind, there in zip(PAIRS, exists, strict=True) if there]
    found = _merged(here, by_kind)
    rows = {name: found.get(name) for name in COMPONENTS} | found
    reason = f"the design has no pair of runs that tells it apart (it has {', '.join(here)})"
    notes = (
        "an unbiased share may fall slightly below 0",
        "an abstention agrees with nothing: it counts as seed",
        f"{int(used.sum())} of {used.size} questions have every kind of pair",
    )

    def table(name: str, axis: str, values: dict[str, Float[np.ndarray, " q"] | None]) -> MeasurementTable:
        return MeasurementTable(
            instrument=name,
            version=VERSION,
            level=level,
            axes={axis: np.array(list(values), dtype=object)},
            interval_method="jackknife over questions",
            confidence=confidence,
            notes=notes,
            **columns_of([_mean(value, reason, confidence) for value in values.values()]),
        )

    return VarianceShares(
        shares=table(INSTRUMENT, "component", rows),
        agreement=table(
            f"{INSTRUMENT}.agreement",
            "pair",
            {kind: by_kind[kind] if kind in here else None for kind in PAIRS},
        ),
    )


def _agreements(tallies: Tallies) -> tuple[Float[np.ndarray, "4 q"], Float[np.ndarray, "4 q"]]:
    """Sum the agreement and count the ordered pairs of cells, by kind of pair and question."""
    once, twice = falling_shares(tallies.counts, tallies.runs[:, tallies.class_item], 2)
    present = (tallies.runs > 0).astype(np.float64)
    both = np.array([f"{m}\x1f{p}" for m, p in zip(tallies.systems, tallies.paraphrases, strict=True)])
    labels = (tallies.systems, tallies.paraphrases, both, np.zeros(both.size))
    model, paraphrase, cell, everything = (
        (tallies.by_question(_squares(once, label)), _squares(present, label)) for label in labels
    )
    repeated = (tallies.runs >= 2).astype(np.float64)
    same = tallies.by_question(twice.sum(axis=0)), repeated.sum(axis=0)
    agreed, pairs = (
        np.stack(
            [
                same[side],
                model[side] - cell[side],
                paraphrase[side] - cell[side],
                everything[side] - model[side] - paraphrase[side] + cell[side],
            ]
        )
        for side in (0, 1)
    )
    return agreed, pairs


def _squares(values: Float[np.ndarray, "c n"], labels: np.ndarray) -> Float[np.ndarray, " n"]:
    """Sum over groups of cells of the squared sum of the group: all ordered pairs within the groups."""
    groups = (values[labels == label].sum(axis=0) for label in dict.fromkeys(labels))
    return np.asarray(sum(np.square(group) for group in groups))


def _merged(
    here: list[str], chance: dict[str, Float[np.ndarray, " q"]]
) -> dict[str, Float[np.ndarray, " q"]]:
    """Components, or sums of them, that the kinds of pair at hand can tell apart; they add up to 1."""
    out: dict[str, Float[np.ndarray, " q"]] = {}
    reached, seen = np.zeros(chance["ss"].size), 0
    if {"sd", "ds", "dd"} <= set(here):
        out["question"] = chance["dd"]
        out["model"] = chance["sd"] - chance["dd"]
        out["paraphrase"] = chance["ds"] - chance["dd"]
        reached, seen = chance["sd"] + chance["ds"] - chance["dd"], 3
        here = [kind for kind in here if kind == "ss"]
    # from here on each kind of pair shares all that the one before shares, and more
    order = ("question", "paraphrase", "model", *COMPONENTS[3:]) if "ds" in here else COMPONENTS
    for kind in [*(kind for kind in ("dd", "sd", "ds", "ss") if kind in here), "one"]:
        now, share = SHARED[kind], chance.get(kind, np.ones(reached.size))
        out[" + ".join(order[seen:now])] = share - reached
        reached, seen = share, now
    return out


def _mean(value: Float[np.ndarray, " q"] | None, reason: str, confidence: float) -> Interval:
    if value is None:
        return Interval(value=UNDEFINED, low=UNDEFINED, high=UNDEFINED, n=0.0, blank_reason=reason)
    if value.size == 0:
        reason = "no question has every kind of pair that the design has"
        return Interval(value=UNDEFINED, low=UNDEFINED, high=UNDEFINED, n=0.0, blank_reason=reason)
    left_out = (value.sum() - value) / max(value.size - 1, 1)
    return jackknife_interval(float(value.mean()), left_out, confidence=confidence)
