"""What of a finished first look stands in this folder?

Usage: python runs/first-look/ship.py STUDY

Copies the study file and its lock, writes the rows (item ids and replies, no keys and no question texts) as
Parquet, the findings as JSON, a small panel for the audit tutorial, and the figure of the README.
"""

import csv
import json
import shutil
import sys
from pathlib import Path

from limitset.cli.output import plain
from limitset.core import parquet
from limitset.core.loops import ORBIT_KINDS
from limitset.report.export import save_chart
from limitset.store.study_folder import LOCK, TOML, StudyFolder
from limitset.studies.reporting import rebuild

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PANEL_EACH = 20
PANEL_STEP = 5
PANEL_SEEDS = 4


def main(study: Path) -> None:
    """Ship a study."""
    for name in (TOML, LOCK):
        shutil.copy(study / name, HERE / name)
    with StudyFolder.open(study) as folder:
        ends, items, orbits = folder.ends(), folder.items(), folder.table("orbits", ORBIT_KINDS)
    ends.write(HERE / "ends.parquet")
    parquet.write(orbits, ORBIT_KINDS, HERE / "orbits.parquet")
    found = rebuild(study)
    summary = {name: value for name, value in found.summary().items() if name != "page"}
    parquet.write_text(
        HERE / "findings.json", json.dumps(plain(summary), indent=1, ensure_ascii=False) + "\n"
    )
    save_chart(found.page.figures[0].chart, ROOT / "docs" / "figures" / "survival.png")
    write_panel(ends, items)


def write_panel(ends, items) -> None:
    """Write some questions of each stratum, four seeds and two wordings of each, as a file of replies."""
    texts = {row["item"]: row for row in items.rows()}
    chosen = {
        row["item"]
        for stratum in ("lure", "recall", "computed")
        for row in [one for one in items.rows() if one["stratum"] == stratum][:: max(1, 100 // PANEL_EACH)][
            :PANEL_EACH
        ]
    }
    names = ("question", "model", "paraphrase", "seed", "answer", "key", "lure", "stratum", "form")
    with (ROOT / "examples" / "panel.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        for row in ends.having(level="answer").rows():
            if row["item"] not in chosen or row["greedy"] == 1 or row["seed"] >= PANEL_SEEDS:
                continue
            if row["paraphrase"] == "wording 3":
                continue
            asked = texts[row["item"]]
            key = "|".join(asked["accepted"])
            told = (row["text"] or "").strip()
            run = (row["system"], row["paraphrase"], int(row["seed"]), told)
            about = (key, asked["lure"] or "", asked["stratum"], asked["form"])
            writer.writerow([asked["text"], *run, *about])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
