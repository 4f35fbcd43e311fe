"""A library whose every answer is known, written as plain files."""

import json
from pathlib import Path

SUBJECTS = (
    ("zinnia drift", "quartz tempo"),
    ("ombre lattice", "velvet pruning"),
    ("tundra decoding", "copper routing"),
    ("saffron pooling", "marble warmup"),
    ("lagoon masking", "cobalt dropout"),
    ("juniper hashing", "linen batching"),
)
"""Pairs of made-up things: each pair is joined by the notes `joins-N-M`."""


def quoted(value):
    return json.dumps(value, ensure_ascii=False)


def source(shelf, name, *, access="abstract", kind="paper", lineage="", title="", retracted=""):
    """Append a source."""
    shelf.mkdir(parents=True, exist_ok=True)
    with (shelf / "sources.toml").open("a", encoding="utf-8") as file:
        file.write(
            f'[[source]]\nid = "{name}"\ntitle = {quoted(title or f"On {name}")}\nauthors = ["A. Author"]\n'
            f'year = 2026\nkind = "{kind}"\naccess = "{access}"\nverified_on = 2026-11-20\n'
            f'verified_how = "planted"\nlineage = "{lineage or name}"\n'
            + (f"retracted_on = {retracted}\n" if retracted else "")
            + "\n"
        )


def note(
    shelf,
    name,
    atoms,
    *,
    title="",
    gist="A planted note.",
    level="hidden",
    tags=(),
    created="2026-11-21",
    reviewed="2026-11-21",
    half_life=730,
    status="current",
    contradicts=(),
    supersedes=(),
):
    """Write a note; `atoms` are (text, source, modality)."""
    folder = shelf / "notes"
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        "+++", f'id = "{name}"', f"title = {quoted(title or 'What is planted here?')}", f"gist = {quoted(gist)}",
        f'level = "{level}"', f"tags = {json.dumps(list(tags))}", f"created = {created}",
        f"reviewed_on = {reviewed}", f"half_life_days = {half_life}", f'status = "{status}"',
        f"contradicts = {json.dumps(list(contradicts))}", f"supersedes = {json.dumps(list(supersedes))}",
    ]  # fmt: skip
    for place, (text, of, modality) in enumerate(atoms, start=1):
        lines += [
            "[[atoms]]", f'id = "{place}"', f"text = {quoted(text)}", f'source = "{of}"', 'locator = "abstract"',
            f'modality = "{modality}"',
        ]  # fmt: skip
    path = folder / f"{name}.md"
    path.write_text("\n".join([*lines, "+++", ""]), encoding="utf-8")
    return path


def claim(shelf, name, slug, statement, *, stated_by="", atoms=(), rivals=(), question="Is it so?", plan=""):
    """Write a claim with one test: holds above 0.5, fails below 0.1."""
    folder = shelf / "claims"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{slug}.toml"
    path.write_text(
        f'id = "{name}"\nslug = "{slug}"\nstatement = {quoted(statement)}\nstated_by = "{stated_by}"\n'
        f'type = "direction"\nlevel = "hidden"\nscope = "T"\natoms = {json.dumps(list(atoms))}\n'
        f'estimand = "the share"\nunit = "net"\nfalsifier = "the share is small"\nrivals = {json.dumps(list(rivals))}\n'
        f'durable_question = {quoted(question)}\nhalf_life_days = 365\nprotocol = "p{name[:2]}"\n'
        + (f"plan = {quoted(plan)}\n" if plan else "")
        + '[[tests]]\nstatistic = "share"\nwords = "share of planted nets"\nholds_if = { above = 0.5 }\n'
        "fails_if = { below = 0.1 }\n",
        encoding="utf-8",
    )
    return path


def verdict(
    shelf,
    name,
    value,
    *,
    number=0.8,
    date="2026-11-22",
    expires="2027-11-22",
    own=True,
    passed=True,
    system="planted nets",
    reason="The interval decides.",
):
    """Append a verdict."""
    folder = shelf / "verdicts"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.jsonl"
    count = len(path.read_text().splitlines()) if path.exists() else 0
    record = {
        "id": f"v-{name}-{date.replace('-', '')}-{count}", "claim": name, "value": value, "scope": "T", "system": system,
        "own": own, "date": date, "expires_on": expires, "reason": reason,
        "effects": [{
            "statistic": "share", "words": "share of planted nets", "value": number, "low": number - 0.05,
            "high": number + 0.05, "n": 12, "verdict": value, "holds_if": "above 0.5", "fails_if": "below 0.1",
        }],
        "controls": [{"name": "planted", "kind": "positive", "passed": passed}],
        "run": {
            "protocol": f"p{name[:2]}", "protocol_hash": "0", "file_hash": "0", "claim_hash": "0", "instruments": [], "data": [], "tier": "quick", "seed": 0, "command": "again",
            "seconds": 1.0, "packages": {}, "machine": {},
        },
    }  # fmt: skip
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")
    return record["id"]


def planted(shelf: Path) -> Path:
    """Write the library: for each pair three studies that join it, and one that speaks of its first half only."""
    for place, (one, other) in enumerate(SUBJECTS):
        for study in range(3):
            name = f"study-{place}-{study}"
            source(shelf, name)
            number = f"{0.2 + 0.11 * study + 0.03 * place:.2f}"
            text = (
                f"The {one} falls by {number} when {other} is doubled in small nets.",
                f"With {other} switched on, {one} increases to {number} of its width.",
                f"Of 48 nets, {number} kept their {one} under {other}.",
            )[study]
            note(
                shelf, f"joins-{place}-{study}", [(text, name, "finding")], title=f"How does {other} bear on {one}?",
                gist=f"A study of {one} and {other}.", tags=[one.split()[0], other.split()[0]],
            )  # fmt: skip
        note(
            shelf, f"beside-{place}", [(f"The {one} was named after its shape.", f"study-{place}-0", "definition")],
            title=f"Whence the name of {one}?",
        )  # fmt: skip
    return shelf


def question(place: int) -> str:
    """The question that pair of subjects answers."""
    one, other = SUBJECTS[place]
    return f"How does {other} affect {one}?"
