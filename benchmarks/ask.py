"""How long does an answer take when a library holds many notes?

Run: python benchmarks/ask.py [--notes 50000] [--questions 40]

Work: so many generated notes of two atoms each (words drawn by a Zipf law from 4,000 made-up ones and from
the vocabulary of the field, 2,000 sources, 1 note in 50 contradicting another), indexed from nothing; then
questions of three words or phrases, each asked in this process, and five by a fresh Python process, its start
included.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from limitset.library.holdings.library import Library
from limitset.library.inquiry.asking import ask
from limitset.library.inquiry.facets import vocabulary

TODAY = dt.date(2026, 11, 22)
SOURCES = 2000
FRESH = """
import datetime as dt, sys
from pathlib import Path
from limitset.library.holdings.library import Library
from limitset.library.inquiry.asking import ask
library = Library.opened(Path(sys.argv[1]), builtin=False)
print(ask(sys.argv[3], library=library, today=dt.date(2026, 11, 22), cache=Path(sys.argv[2])).label.value)
"""


def generated(folder: Path, count: int, rng: np.random.Generator) -> list[str]:
    """Write the notes; return the words they are made of."""
    letters = np.array(list("bcdfghjklmnprstvwz"))
    vowels = np.array(list("aeiou"))
    invented = ["".join(f"{rng.choice(letters)}{rng.choice(vowels)}" for _ in range(4)) for _ in range(4000)]
    words = [one.name for one in vocabulary()] + sorted(set(invented))
    odds = 1 / np.arange(2, len(words) + 2)
    drawn = rng.choice(len(words), size=(count, 30), p=odds / odds.sum())
    (folder / "notes").mkdir(parents=True)
    (folder / "sources.toml").write_text(
        "".join(
            f'[[source]]\nid = "s{place}"\ntitle = "Study {place}"\nauthors = ["A"]\nyear = 2025\n'
            'kind = "paper"\n'
            f'access = "{("abstract", "secondary", "full")[place % 3]}"\nverified_on = 2026-01-01\n'
            f'verified_how = "generated"\nlineage = "s{place}"\n\n'
            for place in range(SOURCES)
        )
    )
    for place in range(count):
        some = [words[one] for one in drawn[place]]
        other = f'"n{place - 1}"' if place % 50 == 1 else ""
        (folder / "notes" / f"n{place}.md").write_text(
            f'+++\nid = "n{place}"\ntitle = "Does {some[0]} move {some[1]}?"\n'
            f'gist = "A generated note on {some[0]} and {some[1]}."\nlevel = "hidden"\ntags = []\n'
            f"created = 2026-06-01\nreviewed_on = 2026-06-01\nhalf_life_days = 730\ncontradicts = [{other}]\n"
            f'[[atoms]]\nid = "1"\ntext = "The {" ".join(some[2:14])} is {place % 97}."\n'
            f'source = "s{place % SOURCES}"\nlocator = "p. 1"\nmodality = "finding"\n'
            f'[[atoms]]\nid = "2"\ntext = "With {some[0]}, {" ".join(some[14:26])} falls."\n'
            f'source = "s{place % SOURCES}"\nlocator = "p. 2"\nmodality = "opinion"\n+++\n'
        )
    return words


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--notes", type=int, default=50_000)
    parser.add_argument("--questions", type=int, default=40)
    given = parser.parse_args()
    rng = np.random.default_rng(20261122)
    with tempfile.TemporaryDirectory() as name:
        folder, cache = Path(name) / "library", Path(name) / "cache"
        words = generated(folder, given.notes, rng)
        library = Library.opened(folder, builtin=False)
        began = time.perf_counter()
        ask("fixed point", library=library, today=TODAY, cache=cache)
        indexed = time.perf_counter() - began
        size = sum(file.stat().st_size for file in (cache / "inquiry").iterdir())
        places = np.minimum(rng.zipf(1.3, size=(given.questions, 3)), len(words)) - 1
        questions = ["How does {} affect {} under {}?".format(*(words[one] for one in row)) for row in places]
        questions.append("How do normalization and input injection control the emergence of fixed points?")
        times, busy, labels = [], [], []
        for question in questions:
            began, worked = time.perf_counter(), time.process_time()
            labels.append(ask(question, library=library, today=TODAY, cache=cache).label.value)
            times.append(time.perf_counter() - began)
            busy.append(time.process_time() - worked)
        fresh, children = [], []
        for question in questions[-5:]:
            began, spent = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run(
                [sys.executable, "-c", FRESH, str(folder), str(cache), question],
                check=True,
                capture_output=True,
            )
            fresh.append(time.perf_counter() - began)
            now = resource.getrusage(resource.RUSAGE_CHILDREN)
            children.append(now.ru_utime + now.ru_stime - spent.ru_utime - spent.ru_stime)
        result = {
            "notes": given.notes,
            "statements": 2 * given.notes,
            "index seconds": round(indexed, 1),
            "index MB": round(size / 1e6),
            "answer median s": round(statistics.median(times), 3),
            "answer worst s": round(max(times), 3),
            "answer median s of processor": round(statistics.median(busy), 3),
            "answer worst s of processor": round(max(busy), 3),
            "fresh process median s": round(statistics.median(fresh), 3),
            "fresh process worst s": round(max(fresh), 3),
            "fresh process median s of processor": round(statistics.median(children), 3),
            "fresh process worst s of processor": round(max(children), 3),
            "load of the machine": [round(one, 1) for one in os.getloadavg()],
            "peak memory MB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
            "peak memory of a fresh process MB": round(
                resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
            ),
            "labels": {one: labels.count(one) for one in sorted(set(labels))},
        }
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
