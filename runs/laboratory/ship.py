"""What of a finished laboratory stands in this folder?

Usage: python runs/laboratory/ship.py STUDY

Copies the study file and its lock, and writes one row a net and size, the sentences with their numbers, and
the figure of the README. Without STUDY it builds the page anew from what stands here, as laboratory.html.
"""

import json
import shutil
import sys
from pathlib import Path

from limitset.cli.output import plain
from limitset.core import parquet
from limitset.core.lab import NET_KINDS
from limitset.report.export import save_chart
from limitset.report.lab_findings import lab_findings
from limitset.report.lab_page import lab_page
from limitset.report.page import Page, write_page
from limitset.store.study_folder import LOCK, TOML, StudyFolder

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def ship(study: Path) -> None:
    """Ship a study."""
    for name in (TOML, LOCK):
        shutil.copy(study / name, HERE / name)
    with StudyFolder.open(study) as folder:
        parquet.write(folder.table("nets", NET_KINDS), NET_KINDS, HERE / "nets.parquet")
    page = shipped_page()
    told = {"headline": page.headline, "decisions": page.decisions, "numbers": page.numbers}
    parquet.write_text(HERE / "findings.json", json.dumps(plain(told), indent=1, ensure_ascii=False) + "\n")
    save_chart(page.figures[0].chart, ROOT / "docs" / "figures" / "phase.png")


def shipped_page() -> Page:
    """Build the page from the rows that stand here."""
    lock = json.loads((HERE / LOCK).read_text(encoding="utf-8"))
    return lab_page(
        lab_findings(parquet.read(HERE / "nets.parquet", NET_KINDS)),
        date=str(lock["created"]),
        provenance={"command": str(lock["command"]), "specification": str(lock["spec_hash"])},
    )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        ship(Path(sys.argv[1]))
    else:
        write_page(shipped_page(), Path("laboratory.html"))
