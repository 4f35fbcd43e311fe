"""What does a log of ten million replies cost, from the Parquet file to the finished page?

Run: python benchmarks/big_log.py [--models 100] [--questions 10000] [--runs 10] [--keep FOLDER]

A planted panel is written as Parquet (question id, model, answer class, key, seed) and `limitset audit` runs
on it in a process of its own. Beside it stands the plain thing, accuracy by model with a group-by in DuckDB
and in polars, for scale: it answers one of the questions of the page, without intervals.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb
import numpy as np

LETTERS = "ABCD"


def write_log(path: Path, *, models: int, questions: int, runs: int, seed: int) -> None:
    """Write a panel: models of different skill, questions of different difficulty, a tenth of them traps."""
    rng = np.random.default_rng(seed)
    skill, ease = rng.uniform(0.4, 0.9, models), 0.6 * (rng.beta(2, 2, questions) - 0.5)
    trap = rng.random(questions) < 0.1
    key = rng.integers(0, 4, questions)
    connection = duckdb.connect()
    connection.execute(
        "CREATE TABLE log (item INTEGER, model INTEGER, answer INTEGER, key INTEGER, seed INTEGER)"
    )
    for part in np.array_split(np.arange(questions), max(1, questions * models * runs // 2_000_000)):
        item = np.repeat(part, models * runs)
        model = np.tile(np.repeat(np.arange(models), runs), part.size)
        fallen = trap[item] & (rng.random(item.size) < 0.7)
        right = (rng.random(item.size) < np.clip(skill[model] + ease[item], 0.02, 0.98)) & ~fallen
        wrong = np.where(fallen, 1, rng.integers(1, 4, item.size))
        answer = (key[item] + np.where(right, 0, wrong)) % 4
        columns = {"item": item, "model": model, "answer": answer, "key": key[item]}
        connection.register("part", columns | {"seed": np.tile(np.arange(runs), part.size * models)})
        connection.execute("INSERT INTO log SELECT item, model, answer, key, seed FROM part")
    connection.execute(
        "COPY (SELECT 'question-' || item AS question_id, 'model-' || model AS model, "
        f"substr('{LETTERS}', answer + 1, 1) AS answer, substr('{LETTERS}', key + 1, 1) AS key, seed "
        f"FROM log) TO '{path}' (FORMAT parquet)"
    )
    connection.close()


def audited(log: Path, folder: Path) -> tuple[float, float, float, dict[str, object]]:
    """Run the command; return wall and processor seconds, peak memory in GB, and what it printed."""
    command = [
        str(Path(sys.executable).parent / "limitset"),
        "audit",
        str(log),
        "--out",
        str(folder),
        "--json",
    ]
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    wall = time.perf_counter() - start
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1e6, json.loads(done.stdout)


def by_duckdb(log: Path) -> dict[str, float]:
    """Accuracy of each model."""
    asked = f"SELECT model, avg((answer = key)::DOUBLE) FROM read_parquet('{log}') GROUP BY model"
    return dict(duckdb.connect(config={"threads": 2}).execute(asked).fetchall())


def by_polars(log: Path) -> dict[str, float]:
    """Accuracy of each model."""
    import polars

    right = (polars.col("answer") == polars.col("key")).mean().alias("right")
    return dict(polars.scan_parquet(log).group_by("model").agg(right).collect().iter_rows())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=100)
    parser.add_argument("--questions", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="Folder for the log and the study; else a temporary one.")
    options = parser.parse_args()
    rows = options.models * options.questions * options.runs
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        log = folder / "log.parquet"
        size = {"models": options.models, "questions": options.questions, "runs": options.runs}
        write_log(log, **size, seed=options.seed)
        print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
        told = ", ".join(f"{n:,} {name}" for name, n in size.items())
        print(f"{rows:,} rows ({told}), {log.stat().st_size / 1e6:.1f} MB")
        wall, processor, peak, found = audited(log, folder / "study")
        page = (folder / "study" / "report.html").stat().st_size
        print(f"limitset audit  {wall:7.1f} s wall, {processor:6.1f} s processor, peak {peak:.2f} GB")
        print(f"                {rows / wall:,.0f} rows a second, page {page / 1e6:.2f} MB")
        ours = {
            str(row["system"]): float(row["value"])
            for row in found["numbers"]  # type: ignore[attr-defined]
            if row["instrument"] == "outcomes" and row["outcome"] == "right" and row["stratum"] == "all"
        }
        for name, call in (("duckdb", by_duckdb), ("polars", by_polars)):
            start = time.perf_counter()
            plain = call(log)
            took = time.perf_counter() - start
            apart = max(abs(ours[model] - value) for model, value in plain.items())
            print(f"{name} group-by {took:7.2f} s, largest difference of accuracies {apart:.1e}")


if __name__ == "__main__":
    main()
