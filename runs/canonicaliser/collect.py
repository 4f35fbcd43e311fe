"""Which replies were drawn to measure the canonicaliser?

Usage: python runs/canonicaliser/collect.py MODEL COUNT OUT.csv

Takes COUNT anchored questions (seed 11, evenly over the strata), asks the first kind in wording 1, the next
in wording 2, then 3, 1, ... and writes a greedy reply and one at temperature 0.7 of each (top_p 1, 16 tokens
at most, seed 0).
"""

import csv
import sys
from pathlib import Path

from limitset.core.replies import Draw
from limitset.core.streams import Streams
from limitset.datasets.anchored import anchored
from limitset.models.opening import open_model, resolve

DRAWS = (Draw(0, 0.0), Draw(0, 0.7))


def main(name: str, count: int, out: Path) -> None:
    """Ask one model and write a row a reply."""
    questions, source, model = anchored().take(count, seed=11), resolve(name), open_model(name)
    wording = {kind: at % questions.wordings for at, kind in enumerate(questions.kinds)}
    with out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("item", "wording", "model", "temperature", "reply"))
        for kind, way in wording.items():
            items = [item for item, one in questions.questions.items() if one.kind == kind]
            replies = model.generate(
                [questions.prompt(item, wording=way, style=source.style) for item in items],
                rows=[f"{item}/{way}" for item in items],
                draws=DRAWS,
                max_tokens=16,
                top_p=1.0,
                stop=questions.stop(source.style),
                rng=Streams(11),
            )
            for item, of_item in zip(items, replies, strict=True):
                for draw, reply in zip(DRAWS, of_item, strict=True):
                    writer.writerow((item, way, model.name, draw.temperature, reply.text))
            file.flush()


main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
