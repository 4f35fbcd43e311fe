"""A library folder planted file by file, with a protocol whose numbers a test sets beside it."""

from __future__ import annotations

import json
from pathlib import Path

SOURCE = """[[source]]
id = "smith-2020"
title = "Loops that settle"
authors = ["A. Smith"]
year = 2020
kind = "paper"
access = "abstract"
verified_on = 2026-01-01
verified_how = "abstract read"
lineage = "smith-2020"
"""

NOTE = """+++
id = "{id}"
title = "Do loops settle?"
gist = "They do."
level = "hidden"
tags = ["loops"]
created = {created}
reviewed_on = {created}
half_life_days = 730
status = "{status}"
contradicts = [{contradicts}]
supersedes = [{supersedes}]
[[atoms]]
id = "1"
text = "{text}"
source = "smith-2020"
locator = "abstract"
modality = "finding"
+++
"""

CLAIM = """id = "{id}"
slug = "{slug}"
statement = "Loops settle in most runs."
rows = []
type = "direction"
level = "hidden"
scope = "T"
atoms = ["{atom}"]
tags = ["loops"]
estimand = "share of loops that settle"
unit = "loops"
falsifier = "half of the loops or fewer settle"
rivals = [{rivals}]
durable_question = "Do loops settle?"
perishable_part = "small loops"
half_life_days = 30
confounds = []
protocol = "p90"
{plan}
[[tests]]
statistic = "share"
words = "share of loops that settle"
holds_if = {{ above = {above} }}
fails_if = {{ below = {below} }}
"""

PROTOCOL = '''"""Do planted loops settle?"""

import json
import os
from pathlib import Path

from limitset.core.evidence import Control, Evidence, Protocol, Scope, Tier
from limitset.core.levels import Level
from limitset.core.results import Measurement

HERE = Path(__file__).parent


def planted():
    return json.loads((HERE / "planted.json").read_text("utf-8"))


def number(value, low, high, n):
    return Measurement(instrument="planted", version=1, level=Level.HIDDEN, value=value, low=low, high=high, n=n)


def run(trial):
    told = planted()
    with (HERE / "log.jsonl").open("a", encoding="utf-8") as log:
        log.write(json.dumps({"tier": trial.tier, "seed": trial.seed, "model": trial.model, "map": trial.map,
            "logs": str(trial.logs or ""), "confidence": trial.confidence, "date": trial.date}) + "\\n")
    trial.say("first part")
    part = trial.folder / "part.txt"
    if not part.is_file():
        with (HERE / "parts.txt").open("a", encoding="utf-8") as parts:
            parts.write("measured\\n")
        part.write_text("done", "utf-8")
    if told.get("die"):
        os._exit(9)
    control = number(1.0, 0.9, 1.0, 5)
    return Evidence(
        estimates={"share": number(*told["share"])},
        controls=(
            Control(name="planted fixed point", kind="positive", passed=told.get("found", True), measured=control,
                wanted="above 0.5"),
            Control(name="planted drift", kind="negative", passed=True, measured=control, wanted="below 2"),
        ),
        scope=Scope.TOY,
        system=f"planted loops {trial.model}{trial.map}{trial.logs or ''}".strip(),
    )


PROTOCOL = Protocol(
    id="p90",
    title="Do planted loops settle?",
    run=run,
    statistics={"share": "share of loops that settle"},
    instruments=("planted@1",),
    data=tuple(planted().get("data", ["planted@1"])),
    seconds={Tier.QUICK: 1, Tier.NORMAL: 10},
    accepts=("logs", "model"),
    scope=Scope.TOY,
)
'''


class Planted:
    """A library folder; each method writes one file of it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in ("notes", "claims", "protocols"):
            (root / name).mkdir(parents=True, exist_ok=True)

    def sound(self) -> Planted:
        """One source, one note, one claim, one protocol that holds."""
        self.file("sources.toml", SOURCE)
        self.note()
        self.claim()
        self.protocol()
        return self

    def file(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    def note(
        self,
        name: str = "loops-settle",
        *,
        text: str = "Loops settle in 9 of 10 runs.",
        created: str = "2026-01-01",
        status: str = "current",
        contradicts: tuple[str, ...] = (),
        supersedes: tuple[str, ...] = (),
        opposes: tuple[str, ...] = (),
    ) -> Path:
        body = NOTE.format(
            id=name,
            text=text,
            created=created,
            status=status,
            contradicts=", ".join(json.dumps(one) for one in contradicts),
            supersedes=", ".join(json.dumps(one) for one in supersedes),
        )
        if opposes:
            body = body.replace(
                'modality = "finding"\n', f'modality = "finding"\ncontradicts = {json.dumps(opposes)}\n'
            )
        return self.file(f"notes/{name}.md", body)

    def claim(
        self,
        name: str = "90a",
        slug: str = "loops-settle",
        *,
        plan: str = "",
        above: float = 0.5,
        below: float = 0.4,
        atom: str = "loops-settle#1",
        rivals: tuple[str, ...] = (),
    ) -> Path:
        body = CLAIM.format(
            id=name,
            slug=slug,
            plan=f'plan = "{plan}"' if plan else "",
            above=above,
            below=below,
            atom=atom,
            rivals=", ".join(json.dumps(one) for one in rivals),
        )
        return self.file(f"claims/{name}-{slug}.toml", body)

    def protocol(self, share: tuple[float, ...] = (0.9, 0.8, 0.95, 40), **told) -> None:
        self.file("protocols/p90.py", PROTOCOL)
        self.told(share, **told)

    def told(self, share: tuple[float, ...] = (0.9, 0.8, 0.95, 40), **told) -> None:
        """Set what the next runs measure."""
        self.file("protocols/planted.json", json.dumps({"share": share, **told}))

    @property
    def runs(self) -> list[dict]:
        """What the protocol was asked, run by run."""
        path = self.root / "protocols" / "log.jsonl"
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.is_file() else []

    @property
    def parts(self) -> int:
        """How often the part of a run was measured rather than found."""
        path = self.root / "protocols" / "parts.txt"
        return len(path.read_text("utf-8").splitlines()) if path.is_file() else 0
