"""How often does the canonicaliser disagree with a reader?

Usage: python runs/canonicaliser/measure.py

Reads labels.csv beside this file, classifies every reply anew and prints the table of docs/canonicaliser.md.
"""

import csv
from collections.abc import Sequence
from pathlib import Path

from limitset.core.answers import CANONICALISER_VERSION, classify, normalised
from limitset.core.intervals import wilson
from limitset.core.levels import Status

LABELS = Path(__file__).with_name("labels.csv")


def main() -> None:
    """Print agreement between the two readings, and the error of `classify`."""
    with LABELS.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    twice = [row for row in rows if row["second_outcome"]]
    show(
        "two readings differ in the outcome", [row["label_outcome"] != row["second_outcome"] for row in twice]
    )
    show(
        "two readings differ in the class",
        [normalised(row["label_class"]) != normalised(row["second_class"]) for row in twice],
    )
    wrong_outcome, wrong_class, misses = [], [], []
    for row in rows:
        got = classify(
            row["reply"],
            question=row["question"],
            accepted=tuple(row["accepted"].split("|")),
            lure=row["lure"] or None,
            form=row["form"],
        )
        judged = "right" if got.right else "wrong"
        outcome = judged if got.status is Status.ANSWERED else got.status.value
        wrong_outcome.append(outcome != row["label_outcome"])
        wrong_class.append(normalised(got.end or "") != normalised(row["label_class"]))
        if wrong_outcome[-1] or wrong_class[-1]:
            misses.append(
                (row["item"], row["reply"], row["label_class"], row["label_outcome"], got.end, outcome)
            )
    show(f"version {CANONICALISER_VERSION}: right/wrong/abstained/unparsed differs", wrong_outcome)
    for column in ("form", "model", "stratum"):
        for value in sorted({row[column] for row in rows}):
            chosen = [off for off, row in zip(wrong_outcome, rows, strict=True) if row[column] == value]
            show(f"  {column} {value}", chosen)
    show("answer class differs", wrong_class)
    for miss in misses:
        print("  differs:", *map(repr, miss))


def show(name: str, off: Sequence[bool]) -> None:
    """Print a share with its 95 % Wilson interval."""
    got = wilson(sum(off), len(off))
    print(f"{name}: {sum(off)} of {len(off)} = {got.value:.3f} [{got.low:.3f}, {got.high:.3f}]")


main()
