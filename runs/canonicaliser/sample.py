"""Which replies were labelled?

Usage: python runs/canonicaliser/sample.py ENDS.parquet OUT.csv SECOND.csv

Takes 34 sampled replies of every model and stratum from the runs of a first look, one a question, by a seeded
permutation; the second file holds 50 of them in another order. Nothing of what `classify` said goes along.
"""

import csv
import sys
from pathlib import Path

import numpy as np

from limitset.core.ends import Ends
from limitset.datasets.anchored import anchored

EACH = 34
TWICE = 50
COLUMNS = ("item", "model", "paraphrase", "seed", "stratum", "form", "question", "accepted", "lure", "reply")


def main(ends: Path, out: Path, second: Path) -> None:
    """Write both files."""
    rng = np.random.default_rng(20261122)
    questions = anchored()
    runs = Ends.read(ends).having(level="answer")
    rows = runs.where(runs.numbers("greedy") != 1).rows()
    chosen: list[dict[str, object]] = []
    for model in sorted({row["system"] for row in rows}):
        for stratum in ("lure", "recall", "computed"):
            chosen += picked(rows, model, stratum, questions, rng)
    write(out, chosen)
    write(second, [chosen[at] for at in rng.permutation(len(chosen))[:TWICE]])


def picked(rows, model, stratum, questions, rng):
    """Pick replies of one model to questions of one stratum, one a question."""
    fitting = [
        row for row in rows if row["system"] == model and questions.question(row["item"]).stratum == stratum
    ]
    found: dict[str, dict[str, object]] = {}
    for at in rng.permutation(len(fitting)):
        row = fitting[at]
        if row["item"] not in found and len(found) < EACH:
            found[row["item"]] = record(row, questions.question(row["item"]))
    return list(found.values())


def record(row, question):
    """Return what a reader sees."""
    return {
        "item": row["item"],
        "model": row["system"],
        "paraphrase": row["paraphrase"],
        "seed": int(row["seed"]),
        "stratum": question.stratum,
        "form": question.form,
        "question": question.wordings[0],
        "accepted": "|".join(question.accepted),
        "lure": question.lure or "",
        "reply": row["text"],
    }


def write(path, rows):
    """Write a CSV file."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


main(*(Path(argument) for argument in sys.argv[1:4]))
