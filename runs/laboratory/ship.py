"""What of a finished laboratory stands in this folder?

Usage: python runs/laboratory/ship.py STUDY

Copies the study file and its lock, and writes one row a net and size, the sentences with their numbers, and
the figure of the README. Without STUDY it builds the page anew from what stands here, as laboratory.html.
"""

import json
import math
import shutil
import sys
from pathlib import Path

from limitset.core import parquet
from limitset.core.lab import NET_KINDS
from limitset.report.export import save_chart
from limitset.report.lab_findings import lab_findings
from limitset.report.lab_page import lab_page
from limitset.report.page import Page, write_page
from limitset.store.study_folder import LOCK, TOML, StudyFolder

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
NUMBERS = ("share", "task", "norm", "injection", "gain", "size", "value", "low", "high")
"""What findings.json keeps of a number; the mean is over the seeds of a cell."""
DIGITS = 6


def ship(study: Path) -> None:
    """Ship a study."""
    shutil.copy(study / TOML, HERE / TOML)
    lock = json.loads((study / LOCK).read_text(encoding="utf-8"))
    # the folder of whoever ran it says nothing
    lock["command"] = str(lock["command"]).partition(" --out")[0]
    parquet.write_text(HERE / LOCK, json.dumps(lock, indent=2, sort_keys=True) + "\n")
    with StudyFolder.open(study) as folder:
        parquet.write(folder.table("nets", NET_KINDS), NET_KINDS, HERE / "nets.parquet")
    page = shipped_page()
    parquet.write_text(HERE / "findings.json", findings_text(page))
    save_chart(page.figures[0].chart, ROOT / "docs" / "figures" / "phase.png")


def shipped_page() -> Page:
    """Build the page from the rows that stand here."""
    lock = json.loads((HERE / LOCK).read_text(encoding="utf-8"))
    return lab_page(
        lab_findings(parquet.read(HERE / "nets.parquet", NET_KINDS)),
        date=str(lock["created"]),
        provenance={"command": str(lock["command"]), "specification": str(lock["spec_hash"])},
    )


def numbers_of(page: Page) -> list[list[str | float]]:
    """Return every number that is not blank as a row of `NUMBERS`."""
    return [
        [record[name] if isinstance(record[name], str) else round(record[name], DIGITS) for name in NUMBERS]
        for record in page.numbers
        if not math.isnan(record["value"])
    ]


def findings_text(page: Page) -> str:
    """Write the sentences and the numbers as JSON, one number a line."""
    told = {"headline": page.headline, "decisions": page.decisions, "columns": NUMBERS}
    head = json.dumps(told, indent=1, ensure_ascii=False).removesuffix("\n}")
    rows = ",\n".join(f"  {json.dumps(row)}" for row in numbers_of(page))
    return f'{head},\n "numbers": [\n{rows}\n ]\n}}\n'


if __name__ == "__main__":
    if len(sys.argv) > 1:
        ship(Path(sys.argv[1]))
    else:
        write_page(shipped_page(), Path("laboratory.html"))
