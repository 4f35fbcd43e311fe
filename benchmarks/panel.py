"""How fast is a panel's vote with each voter left out, and all that is said of 349 systems?

Run: python benchmarks/panel.py [systems] [questions]; the leaderboard size is 349 12032.

The vote without each system is compared with counting it anew (plain lists, some systems timed, the rest
extrapolated); the jackknife of the effective number with numpy's corrcoef without each question (some timed).
"""

from __future__ import annotations

import resource
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
from same_wrong import panel

from limitset.core.subset_votes import ballots_of_systems, errors_without_each
from limitset.core.voters import correlations_left_out, votes_of
from limitset.instruments.truth import best_subset, effective_number, escalation, member_value, voting_gain

COUNTED_ANEW = 3
QUESTIONS_LEFT_OUT = 5


def timed(run: Callable[[], Any]) -> tuple[float, Any]:
    """Return processor seconds and what came out."""
    start = time.process_time()
    got = run()
    return time.process_time() - start, got


def compared(what: str, ours: float, other: str, theirs: float) -> None:
    """Print one comparison."""
    print(f"{what}: {ours:.2f}; {other} {theirs:.1f} (extrapolated); ratio {theirs / ours:.0f}")


def counted_anew(answer: np.ndarray, left_out: int) -> np.ndarray:
    """Count the votes of every question from plain lists, without one system."""
    rest = np.delete(answer, left_out, axis=0).T.tolist()
    out = []
    for votes in rest:
        counts = Counter(votes)
        top = max(counts.values())
        leaders = [one for one, count in counts.items() if count == top]
        out.append(sum(one != 0 for one in leaders) / len(leaders))
    return np.array(out)


def main(systems: int = 100, questions: int = 2000) -> None:
    """Print times, ratios and memory; stop where values differ."""
    rng = np.random.default_rng(0)
    tallies, answer = panel(systems, questions, rng)
    print(f"{systems} systems, {questions} questions; processor seconds")

    ours, got = timed(lambda: errors_without_each(ballots_of_systems(tallies, rounds=1, rng=rng)))
    some, others = timed(lambda: [counted_anew(answer, system) for system in range(COUNTED_ANEW)])
    for system, other in enumerate(others):
        np.testing.assert_allclose(got[1][system], other, atol=1e-12)
    anew = some * systems / COUNTED_ANEW
    compared("vote without each system", ours, "counted anew", anew)

    ours, ((_, mean), _) = timed(lambda: correlations_left_out(votes_of(tallies)))
    right = np.array([tallies.by_question((row * tallies.right).astype(float)) for row in tallies.counts])
    upper = np.triu_indices(systems, 1)
    some, others = timed(
        lambda: [np.corrcoef(np.delete(right, q, axis=1))[upper].mean() for q in range(QUESTIONS_LEFT_OUT)]
    )
    np.testing.assert_allclose(mean[:QUESTIONS_LEFT_OUT], others, atol=1e-9)
    anew = some * questions / QUESTIONS_LEFT_OUT
    compared("correlation without each question", ours, "corrcoef", anew)

    whole = 0.0
    for name, run in (
        ("effective_number", lambda: effective_number(tallies)),
        ("voting_gain", lambda: voting_gain(tallies, rng=rng)),
        ("member_value", lambda: member_value(tallies, rng=rng)),
        ("best_subset", lambda: best_subset(tallies, rng=rng)),
        ("escalation", lambda: escalation(tallies)),
    ):
        seconds, _ = timed(run)
        whole += seconds
        print(f"{name}: {seconds:.2f}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    counts = tallies.counts.nbytes / 2**30
    print(f"all five: {whole:.1f}; peak of the process {peak:.2f} GiB, {counts:.2f} of it counts")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:3]))
