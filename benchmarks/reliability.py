"""How fast are alpha, kappa and the intraclass correlations, beside the packages that give the value alone?

Run: python benchmarks/reliability.py [raters] [questions] [repeats]; the leaderboard size is 349 12032. Where
krippendorff, pingouin or statsmodels is installed, it does the same work first and its value must agree.
"""

from __future__ import annotations

import sys
import time
import tracemalloc
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from statistics import median

import numpy as np

from limitset.core.scores import ScoreTable
from limitset.core.tallies import Tallies
from limitset.instruments.truth import (
    fleiss_kappa,
    krippendorff_alpha,
    omega_total,
    reliability,
    score_errors,
    self_agreement,
)

LEVELS = 5


def panel(raters: int, questions: int, rng: np.random.Generator) -> ScoreTable:
    """One grade of every rater on every question, with a key."""
    key = rng.integers(1, LEVELS + 1, questions)
    scores = np.clip(key + rng.integers(-1, 2, (raters, questions)), 1, LEVELS).astype(float)
    return ScoreTable(
        systems=np.array([f"m{row}" for row in range(raters)], dtype=object),
        items=np.arange(questions),
        scores=scores[:, :, None],
        key=key.astype(float),
    )


def answers(table: ScoreTable) -> Tallies:
    """Return the same grades as answers with names."""
    m, q = table.systems.size, table.items.size
    counts = np.zeros((m, q * LEVELS), dtype=np.int64)
    place = table.scores[:, :, 0].astype(int) - 1 + LEVELS * np.arange(q)
    counts[np.repeat(np.arange(m), q), place.ravel()] = 1
    ones = np.ones((m, q), dtype=np.int64)
    return Tallies(
        items=table.items,
        strata=np.full(q, "all", dtype=object),
        anchor_error=np.zeros(q),
        systems=table.systems,
        paraphrases=np.full(m, "", dtype=object),
        class_item=np.repeat(np.arange(q), LEVELS),
        class_name=np.tile(np.arange(LEVELS).astype(str).astype(object), q),
        class_right=(np.tile(np.arange(LEVELS), q) + 1 == np.repeat(table.key, LEVELS)).astype(float),
        counts=counts,
        runs=ones,
        abstained=0 * ones,
        unparsed=0 * ones,
        clusters=np.arange(q),
    )


def timed(work: Callable[[], object], repeats: int) -> tuple[object, float]:
    """Return what the work gives and the median of its times."""
    times, value = [], None
    for _ in range(repeats):
        start = time.perf_counter()
        value = work()
        times.append(time.perf_counter() - start)
    return value, median(times)


def peak(work: Callable[[], object]) -> float:
    """Return the peak of what was allocated, in MiB."""
    tracemalloc.start()
    work()
    found = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    return found


def peers(table: ScoreTable) -> dict[str, Callable[[], float]]:
    """Return what other packages do, by the name of our statistic."""
    scores, found = table.scores[:, :, 0], {}
    if find_spec("krippendorff"):
        import krippendorff

        for metric in ("nominal", "ordinal", "interval"):
            found[f"alpha, {metric}"] = lambda metric=metric: float(
                krippendorff.alpha(scores, level_of_measurement=metric)
            )
    if find_spec("statsmodels"):
        from statsmodels.stats.inter_rater import aggregate_raters
        from statsmodels.stats.inter_rater import fleiss_kappa as peer

        found["kappa"] = lambda: float(peer(aggregate_raters(scores.T)[0]))
    if find_spec("pingouin"):
        import pandas
        import pingouin

        m, q = (axis.ravel() for axis in np.indices(scores.shape))
        frame = pandas.DataFrame({"rater": m, "target": q, "score": scores.ravel()})

        def icc() -> float:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                got = pingouin.intraclass_corr(frame, targets="target", raters="rater", ratings="score")
            return float(got["ICC"].iloc[1])

        found["ICC"] = icc
    return found


def main(raters: int = 20, questions: int = 2000, repeats: int = 3) -> None:
    table = panel(raters, questions, np.random.default_rng(0))
    tallies = answers(table)
    print(f"{raters} raters, {questions} questions; scores {table.scores.nbytes / 2**20:.0f} MiB")
    ours: dict[str, Callable[[], float]] = {
        f"alpha, {metric}": lambda metric=metric: float(
            krippendorff_alpha(table, metric=metric).values.one(raters="systems").value
        )
        for metric in ("nominal", "ordinal", "interval")
    }
    ours["kappa"] = lambda: fleiss_kappa(tallies).values.one(raters="systems").value
    ours["ICC"] = lambda: reliability(table).raters.one(form="2,1", null_kind="").value
    ours["omega"] = lambda: float(omega_total(table, rng=np.random.default_rng(0)).values.value[0])
    ours["errors of scores"] = lambda: float(score_errors(table, rng=np.random.default_rng(0)).worth.value[1])
    ours["self-agreement (no repeats)"] = lambda: float(len(self_agreement(tallies).values))
    others = peers(table)
    for name, work in ours.items():
        value, seconds = timed(work, repeats)
        line = f"{name}: {value:.6f} with intervals, {seconds:.3f} s, peak {peak(work):.0f} MiB"
        if name in others:
            theirs, slow = timed(others[name], repeats)
            if abs(float(theirs) - float(value)) > 1e-9:
                raise SystemExit(f"{name}: {value} here, {theirs} there")
            line += f"; the value alone elsewhere {slow:.3f} s, peak {peak(others[name]):.0f} MiB; "
            line += f"{slow / seconds:.1f} times as fast"
        print(line, flush=True)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:4]))
