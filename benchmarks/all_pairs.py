"""How long do kappa_p and same-wrong of all pairs of a leaderboard take, and in how much memory?

Run: python benchmarks/all_pairs.py [systems] [questions]; the leaderboard size is 349 12032.
The peer is lm-sim 0.1.1 (`pip install lm-sim==0.1.1`), which has one pair, no interval and no same-wrong
rate; its time for all pairs is that of a sample times their number. Both run in this process, on the same
answers. CPU seconds stand beside wall seconds: others may use the machine.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time

import numpy as np

from limitset.core.tallies import Tallies
from limitset.instruments.truth.chance_adjusted import chance_adjusted
from limitset.instruments.truth.error_consistency import error_consistency
from limitset.instruments.truth.same_wrong import same_wrong_pairs

CLASSES = 10
PAIRS_LOOPED = 12
REPEATS = 3


def panel(systems: int, questions: int, rng: np.random.Generator) -> tuple[Tallies, np.ndarray]:
    """One run of each system on each question; class 0 of ten is right, difficulty is shared."""
    hard = rng.random(questions)
    wrong = rng.random((systems, questions)) < hard
    answer = np.where(wrong, rng.integers(1, CLASSES, size=(systems, questions)), 0)
    counts = np.zeros((systems, questions * CLASSES), dtype=np.int64)
    rows = np.repeat(np.arange(systems), questions)
    counts[rows, (answer + CLASSES * np.arange(questions)).ravel()] = 1
    runs = np.ones((systems, questions), dtype=np.int64)
    tallies = Tallies(
        items=np.arange(questions).astype(str).astype(object),
        strata=np.full(questions, "all", dtype=object),
        anchor_error=np.zeros(questions),
        systems=np.array([f"m{m}" for m in range(systems)], dtype=object),
        paraphrases=np.full(systems, "", dtype=object),
        class_item=np.repeat(np.arange(questions), CLASSES),
        class_name=np.tile(np.arange(CLASSES).astype(str).astype(object), questions),
        class_right=np.tile(np.arange(CLASSES) == 0, questions).astype(float),
        counts=counts,
        runs=runs,
        abstained=np.zeros_like(runs),
        unparsed=np.zeros_like(runs),
    )
    return tallies, answer


def peak() -> float:
    """Largest memory of this process so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measured(systems: int, questions: int) -> None:
    """Measure all pairs, then the peer on a sample of them."""
    from lmsim.metrics import CAPA, EC

    tallies, answer = panel(systems, questions, np.random.default_rng(0))
    start_memory = peak()
    walls: dict[str, list[float]] = {"same-wrong": [], "kappa_p, floor, excess": [], "error consistency": []}
    cpus: dict[str, list[float]] = {name: [] for name in walls}
    kept = {}
    for _ in range(REPEATS):
        for name, measure in zip(walls, (same_wrong_pairs, chance_adjusted, error_consistency), strict=True):
            start, cpu = time.perf_counter(), time.process_time()
            got = measure(tallies)
            walls[name].append(time.perf_counter() - start)
            cpus[name].append(time.process_time() - cpu)
            kept[name] = got
    memory = peak()
    pairs = systems * (systems - 1) // 2
    print(f"{systems} systems, {questions} questions, {pairs} pairs; median of {REPEATS}")
    for name, wall in walls.items():
        used = statistics.median(cpus[name])
        print(f"  {name}: {statistics.median(wall):.2f} s (best {min(wall):.2f}), CPU {used:.2f} s")
    two = ("same-wrong", "kappa_p, floor, excess")
    wall, used = (sum(statistics.median(one[name]) for name in two) for one in (walls, cpus))
    print(f"  same-wrong and kappa_p together: {wall:.2f} s, CPU {used:.2f} s")
    print(f"  peak {memory:.0f} MiB, {start_memory:.0f} before")
    first, second = np.triu_indices(systems, 1)
    chosen = np.linspace(0, pairs - 1, min(PAIRS_LOOPED, pairs)).astype(int)
    eye, gold = np.eye(CLASSES), [0] * questions
    peers, apart = [], []
    for row in chosen:
        outputs = [list(eye[answer[system[row]]]) for system in (first, second)]
        start = time.process_time()
        peer = CAPA(prob=False).compute_k(*outputs, gold)
        peers.append(time.process_time() - start)
        apart.append(abs(peer - kept["kappa_p, floor, excess"].pairs.value[row]))
        apart.append(abs(EC().compute_k(*outputs, gold) - kept["error consistency"].pairs.value[row]))
    if max(apart) > 1e-12:
        raise SystemExit(f"values differ by {max(apart):.1e}")
    each = statistics.median(peers)
    ours = statistics.median(cpus["kappa_p, floor, excess"])
    print(
        f"  peer, kappa_p of one pair without interval: CPU {each:.3f} s; all pairs (extrapolated) "
        f"{each * pairs:.0f} s"
    )
    print(
        f"  ratio of CPU times {each * pairs / ours:.0f}; largest difference on {len(chosen)} pairs: "
        f"{max(apart):.1e}"
    )


def main() -> None:
    """Measure in a process of its own, so that its peak is that of the work."""
    if sys.argv[1:2] == ["--inside"]:
        measured(*(int(argument) for argument in sys.argv[2:4]))
        return
    size = sys.argv[1:3] or ["60", "2000"]
    subprocess.run([sys.executable, __file__, "--inside", *size], check=True)


if __name__ == "__main__":
    main()
