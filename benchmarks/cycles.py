"""How often is a map applied, and for how long, to find its cycle: held orbit against Brent's three states?

Run: python benchmarks/cycles.py [--states 100000] [--starts 200]

Work: the cycle of one start in each of many random maps (the null model of a text loop), found by
`find_cycle` on the held orbit and by `brent`. Both must find the same cycles, or the benchmark fails.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from limitset.instruments.dynamics import brent, find_cycle


def held(images: list[int], start: int) -> tuple[object, int]:
    states, seen = [start], {start}
    while True:
        state = images[states[-1]]
        states.append(state)
        if state in seen:
            return find_cycle(states), len(states) - 1
        seen.add(state)


def light(images: list[int], start: int) -> tuple[object, int]:
    calls = 0

    def step(state: int) -> int:
        nonlocal calls
        calls += 1
        return images[state]

    return brent(step, start, max_steps=len(images)), calls


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--states", type=int, default=100_000)
    parser.add_argument("--starts", type=int, default=200)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    found: dict[str, list[tuple[object, int]]] = {"held": [], "brent": []}
    spent = dict.fromkeys(found, 0.0)
    for _ in range(options.starts):
        images = rng.integers(0, options.states, options.states).tolist()
        for name, find in (("held", held), ("brent", light)):
            begun = time.process_time()
            found[name].append(find(images, 0))
            spent[name] += time.process_time() - begun
    if [cycle for cycle, _ in found["held"]] != [cycle for cycle, _ in found["brent"]]:
        raise SystemExit("the two ways found different cycles")
    calls = {name: np.array([count for _, count in pairs]) for name, pairs in found.items()}
    ratio = calls["brent"] / calls["held"]
    for name in found:
        print(f"{name:6} {calls[name].mean():8.0f} applications a start, {spent[name]:6.3f} CPU s in all")
    print(
        f"brent / held applications: mean {ratio.mean():.2f}, least {ratio.min():.2f}, most {ratio.max():.2f}"
    )


if __name__ == "__main__":
    main()
