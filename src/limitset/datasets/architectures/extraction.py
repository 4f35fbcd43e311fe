"""Which causal language models has a library of models held, since when, and with which features?

Run: python -m limitset.datasets.architectures.extraction FOLDER_OF_WHEELS FOLDER_FOR_TABLES
"""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Final

from limitset.datasets.architectures.features import FEATURES, features_of
from limitset.datasets.architectures.lineage import copied_from, parents, roots
from limitset.datasets.architectures.registry import CAUSAL, Head, heads, kind_of, mappings
from limitset.datasets.architectures.wheels import Wheel, wheels_in

PACKAGE: Final = "transformers"
HERE: Final = Path(__file__).parent
COLUMNS: Final = (
    *("name", "head", "kind", "first_release", "first_seen", "last_release", "family", "lab", "country"),
    *FEATURES,
    *("changed", "parents", "root", "copied_from", "checkpoint"),
)


@dataclass(frozen=True, kw_only=True)
class _Span:
    """First and last place of a head."""

    first: tuple[Wheel, Head]
    last: tuple[Wheel, Head]


def architectures_in(
    wheels: Sequence[Wheel], made_by: Mapping[str, Mapping[str, str]]
) -> list[dict[str, str]]:
    """Return one row a model folder with a causal language modelling head, oldest first.

    Features are those of the first release that holds the head; `changed` names what the last one has
    otherwise. A parent counts when it was there no later than its child.

    Parameters
    ----------
    wheels
        Releases, oldest first.
    made_by
        Name to family, lab and country, as far as they are known.
    """
    tables = {wheel.version: mappings(wheel) for wheel in wheels}
    names = {name for found in tables.values() for name in found.get(CAUSAL, {}).values()}
    spans = _spans(wheels, names)
    rows = [_row(span, tables[span.last[0].version]) for span in spans.values()]
    seen = {row["name"]: row["first_seen"] for row in rows}
    for row in rows:
        row |= {"family": row["name"], "lab": "", "country": "", **made_by.get(row["name"], {})}
        older = [one for one in row["parents"].split() if seen.get(one, "9") <= row["first_seen"]]
        row["parents"] = " ".join(older)
    ends = roots({row["name"]: row["parents"].split(" ")[0] for row in rows})
    for row in rows:
        row["root"] = ends[row["name"]]
    return sorted(rows, key=lambda row: (row["first_seen"], row["name"]))


def frameworks_in(wheels: Sequence[Wheel]) -> list[dict[str, str]]:
    """Return how many files of models each release holds by framework."""
    rows = []
    for wheel in wheels:
        files = [name.rsplit("/", 1)[-1] for name in wheel.names if re.search(r"/modeling_\w+\.py$", name)]
        models = [
            name
            for name in files
            if not re.search(r"_(utils|outputs|auto|layers|rope|flash_attention)", name)
        ]
        others = {
            kind: sum(name.startswith(f"modeling_{kind}_") for name in models) for kind in ("tf", "flax")
        }
        rows.append(
            {
                "release": wheel.version,
                "built": wheel.built,
                "pytorch": str(len(models) - sum(others.values())),
                "tensorflow": str(others["tf"]),
                "flax": str(others["flax"]),
            }
        )
    return rows


def write_rows(rows: Sequence[Mapping[str, str]], columns: Sequence[str], path: Path) -> None:
    """Write rows as CSV."""
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, columns, lineterminator="\n", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def made_by_hand(path: Path = HERE / "labs.csv") -> dict[str, dict[str, str]]:
    """Return the table of families, labs and countries that was made by hand."""
    with path.open(newline="", encoding="utf-8") as text:
        return {row.pop("name"): row for row in csv.DictReader(text)}


def _spans(wheels: Sequence[Wheel], names: set[str]) -> dict[str, _Span]:
    """Return folder to first and last place of its head; of several, of the one called causal."""
    found: dict[str, _Span] = {}
    for wheel in wheels:
        for head in heads(wheel, names):
            old = found.get(head.name)
            here = (wheel, head)
            found[head.name] = _Span(first=old.first if old else here, last=here)
    by_folder: dict[str, _Span] = {}
    for name in sorted(found, key=lambda name: (not name.endswith("ForCausalLM"), name)):
        by_folder.setdefault(found[name].last[1].folder, found[name])
    return by_folder


def _row(span: _Span, tables: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    (first, born), (last, head) = span.first, span.last
    then, now = _features(first, born), _features(last, head)
    modeling, modular = last.text(head.path), _beside(last, head, "modular")
    checkpoint = re.search(r'checkpoint="([^"]+)"', _beside(last, head, "configuration"))
    return {
        "name": head.folder,
        "head": head.name,
        "kind": kind_of(head, last, tables),
        "first_release": first.version,
        "first_seen": first.built,
        "last_release": last.version,
        **then,
        "changed": " ".join(f"{name}={now[name]}" for name in FEATURES if now[name] != then[name]),
        "parents": " ".join(parents(modular, own=head.folder)),
        "copied_from": " ".join(copied_from(modeling, own=head.folder)),
        "checkpoint": checkpoint[1] if checkpoint else "",
    }


def _features(wheel: Wheel, head: Head) -> dict[str, str]:
    found = features_of(
        wheel.text(head.path),
        _beside(wheel, head, "configuration"),
        head=head.name,
        imported=partial(_module, wheel, head),
    )
    words = {True: "yes", False: "no"}
    return {name: words.get(value, value) for name, value in asdict(found).items()}


def _beside(wheel: Wheel, head: Head, kind: str) -> str:
    path = head.path.replace("modeling_", f"{kind}_")
    return wheel.text(path) if path in wheel.names else ""


def _module(wheel: Wheel, head: Head, module: str) -> str:
    above = head.path.rsplit("/", 2)[0]
    path = f"{above}/{module.replace('.', '/')}.py"
    return wheel.text(path) if path in wheel.names else ""


def main(folder: str, out: str) -> None:
    """Write both tables, and a list of the wheels read."""
    wheels = wheels_in(Path(folder), PACKAGE)
    rows = architectures_in(wheels, made_by_hand())
    write_rows(rows, COLUMNS, Path(out) / "architectures.csv")
    counts = frameworks_in(wheels)
    write_rows(counts, list(counts[0]), Path(out) / "frameworks.csv")
    digests = [{"release": one.version, "built": one.built, "sha256": one.sha256} for one in wheels]
    write_rows(digests, ["release", "built", "sha256"], Path(out) / "wheels.csv")


if __name__ == "__main__":
    main(*sys.argv[1:])
