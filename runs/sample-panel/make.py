"""What do five prompts of two small models answer to the questions of the sample panel?

Usage: python runs/sample-panel/make.py

A choice is as likely as its text after the prompt; three answers of each prompt are drawn from these chances.
"""

import csv
from pathlib import Path

import numpy as np
from questions import questions

from limitset.models.opening import open_model

ROOT = Path(__file__).parents[2]
TARGET = ROOT / "src" / "limitset" / "datasets" / "sample_panel" / "panel.csv"
RUNS = 3
EXAMPLES = (
    ("What is the capital of the Netherlands?", "Amsterdam"),
    ("What is 7 + 15?", "22"),
    ("What do cows eat?", "grass"),
)
SHORT = "".join(f"Q: {question}\nA: {answer}\n\n" for question, answer in EXAMPLES)
LONG = "".join(f"Question: {question}\nThe answer is {answer}\n\n" for question, answer in EXAMPLES)
VOTERS = (
    ("smollm2 plain", "smollm2-135m-instruct", "Q: {}\nA:"),
    ("smollm2 examples", "smollm2-135m-instruct", SHORT + "Q: {}\nA:"),
    ("gemma plain", "gemma-3-270m", "Q: {}\nA:"),
    ("gemma examples", "gemma-3-270m", SHORT + "Q: {}\nA:"),
    ("gemma reworded", "gemma-3-270m", LONG + "Question: {}\nThe answer is"),
)
COLUMNS = ("question", "model", "run", "answer", "key", "lure", "stratum", "form", "confidence", "logprob")


def main():
    """Write the panel."""
    asked = questions()
    rows = []
    for number, (voter, name, prompt) in enumerate(VOTERS):
        model = open_model(name)
        rng = np.random.default_rng([5, number])
        for one in asked:
            logs = np.array(
                [model.logprobs(prompt.format(one["question"]), " " + c).sum() for c in one["choices"]]
            )
            chances = np.exp(logs - np.logaddexp.reduce(logs))
            for run in range(RUNS):
                drawn = int(rng.choice(len(chances), p=chances))
                about = [one[column] for column in ("key", "lure", "stratum")]
                told = [f"{chances[drawn]:.4f}", f"{logs[drawn]:.3f}"]
                rows.append([one["question"], voter, run, one["choices"][drawn], *about, "choice", *told])
        print(voter, np.mean([row[3] == row[4] for row in rows if row[1] == voter]).round(3))
    TARGET.parent.mkdir(exist_ok=True)
    with TARGET.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)


if __name__ == "__main__":
    main()
