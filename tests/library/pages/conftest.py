"""A small library with planted verdicts, and an answer before and after; every number is invented."""

import datetime as dt
import json
import tomllib
from dataclasses import replace

import pytest

from limitset.library.holdings.library import Library
from limitset.library.inquiry.answer import (
    Answer,
    FacetCoverage,
    Label,
    NextLine,
    Relation,
    Search,
    Sentence,
    UsedSource,
)

TODAY = dt.date(2026, 11, 22)
BAD = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\u202e{{7*7}} `x` [a](javascript:1) | # *b*"
QUESTION = "How do normalization and input injection control the emergence of fixed points?"

SOURCES = """
[[source]]
id = "f0"
title = "Fixed points and semantic closure (first founding essay)"
authors = ["unnamed"]
year = 2025
kind = "essay"
access = "secondary"
verified_on = 2026-11-21
verified_how = "inventory rows A1 to A18"
lineage = "founding-essays"

[[source]]
id = "f3"
title = "Normalization, input injection and fixed points (fourth founding essay)"
authors = ["unnamed"]
year = 2026
kind = "essay"
access = "secondary"
verified_on = 2026-11-21
verified_how = "inventory rows C1 to C14"
lineage = "founding-essays"

[[source]]
id = "labovich-2026"
title = "Stability and generalization in looped transformers"
authors = ["A. Labovich"]
year = 2026
arxiv = "2604.15259"
kind = "preprint"
access = "abstract"
verified_on = 2026-11-22
verified_how = "abstract read"
lineage = "labovich-2026"

[[source]]
id = "bad-2026"
title = "@BAD@"
authors = ["@BAD@"]
year = 2026
url = "javascript:alert(3)"
kind = "press"
access = "secondary"
verified_on = 2026-11-22
verified_how = "@BAD@"
lineage = "bad-2026"
"""

NOTES = {
    "c1-fixed-points": """+++
id = "c1-fixed-points"
title = "What makes a loop settle in one place?"
gist = "Re-injected input and outer normalization are said to make the limit reachable and dependent on the input."
level = "hidden"
tags = ["injection", "normalization"]
created = 2026-11-21
reviewed_on = 2026-11-22
half_life_days = 730
contradicts = ["c2-rest"]
[[atoms]]
id = "1"
text = "Looped transformers without recall have countably many fixed points that depend weakly on the input."
source = "labovich-2026"
locator = "abstract"
modality = "finding"
[[atoms]]
id = "2"
text = "The fourth founding essay holds that re-injection anchors a loop to a stable resting point."
source = "f3"
locator = "inventory row C2"
modality = "opinion"
+++
""",
    "c2-rest": """+++
id = "c2-rest"
title = "Is a resting point the same from every start?"
gist = "The essay says so of all contractions. A rotation is none and has no resting point."
level = "hidden"
tags = ["injection"]
created = 2026-11-21
reviewed_on = 2026-01-02
half_life_days = 180
status = "stale"
[[atoms]]
id = "1"
text = "The first founding essay asserts that any continuous map of a compact space has a fixed point."
source = "f0"
locator = "inventory row A5"
modality = "opinion"
+++
""",
    "x1-hostile": """+++
id = "x1-hostile"
title = "@BAD@"
gist = "@BAD@"
level = "text"
created = 2026-11-22
reviewed_on = 2026-11-22
half_life_days = 100
[[atoms]]
id = "1"
text = "@BAD@"
source = "bad-2026"
locator = "@BAD@"
modality = "finding"
+++
""",
}


def _claim(name, slug, statement, tests, **more):
    stated, finding = more.pop("stated_by", ""), more.pop("finding", {})
    given = {
        "level": "hidden",
        "scope": "T",
        "type": "mechanism",
        "unit": "seed",
        "half_life_days": 730,
        **more,
    }
    lines = [f'id = "{name}"', f'slug = "{slug}"', f"statement = {json.dumps(statement)}"]
    lines += [
        f'stated_by = "{stated}"',
        f'protocol = "p{name[:2]}"',
        f'durable_question = "Is it so: {slug}?"',
    ]
    lines += [
        'estimand = "share of starts that reach one limit"',
        'falsifier = "the share lies below the bar"',
    ]
    lines += [f"{key} = {json.dumps(value)}" for key, value in given.items()]
    for statistic, words, holds, fails in tests:
        lines += ["[[tests]]", f'statistic = "{statistic}"', f"words = {json.dumps(words)}"]
        lines += [f"holds_if = {holds}", f"fails_if = {fails}"]
    lines += ["[finding]", *(f"{key} = {json.dumps(value)}" for key, value in finding.items())]
    return "\n".join(lines) + "\n"


CLAIMS = {
    "06a": _claim(
        "06a",
        "injection-gives-one-limit",
        "Loops that are given their input again at every step reach one limit for each input from nearly every start.",
        [
            (
                "unique_share",
                "share of starts that reach one limit, with injection",
                "{ above = 0.9 }",
                "{ below = 0.6 }",
            ),
            ("injection_effect", "effect of injection on that share", "{ above = 0.3 }", "{ below = 0.1 }"),
        ],
        stated_by="f3",
        rows=["C1", "C2"],
        atoms=["c1-fixed-points#1", "c1-fixed-points#2", "gone#1"],
        tags=["injection", "normalization"],
        rivals=["06b"],
        confounds=["random weights only"],
        perishable_part="small loops of 2026",
    ),
    "06b": _claim(
        "06b",
        "pre-norm-settles",
        "Pre-norm residual loops settle in norm.",
        [("settled", "share of pre-norm loops that settle", "{ above = 0.5 }", "{ below = 0.1 }")],
        tags=["normalization"],
        rivals=["06a"],
    ),
    "24a": _claim(
        "24a",
        "forgetting-jumps",
        "Fine-tuning takes a model from one task to the next by a jump: the largest one-step loss does not shrink with the step.",
        [
            (
                "slope",
                "slope of the largest one-step loss against the learning rate",
                "{ below = 0.1 }",
                "{ above = 0.5 }",
            )
        ],
        stated_by="f0",
        reading="literal",
        finding={
            "fails": "Forgetting is gradual: the largest loss of one step grows with the rate to the power {value} [{low}, {high}]."
        },
        rows=["A11"],
        atoms=["c2-rest#1"],
        level="weights",
        tags=["forgetting"],
    ),
    "39a": _claim(
        "39a",
        "agreement-as-good",
        "Unanimous runs are wrong as seldom as independent ones would be.",
        [
            (
                "excess",
                "wrong when all agree, less its null",
                "{ within = [-0.02, 0.02] }",
                "{ outside = [-0.1, 0.1] }",
            )
        ],
        level="answer",
        scope="R",
        tags=["closure"],
    ),
    "12a": _claim(
        "12a",
        "one-format-wins",
        "Reinforcement learning amplifies one format within the first epoch.",
        [("lost", "format entropy lost in epoch one", "{ above = 0.5 }", "{ below = 0.5 }")],
        level="answer",
        tags=["training"],
        plan="Data: three answer formats of equal accuracy.\nModel: language models of three widths, five seeds.\n"
        "Rule: entropy lost in epoch one above one half.\nCost: 15 minutes on two cores.",
    ),
    "05a": _claim(
        "05a",
        "hostile",
        BAD,
        [("share", BAD, "{ above = 0.5 }", "{ below = 0.5 }")],
        level="text",
        rows=[BAD],
        atoms=["x1-hostile#1"],
        tags=["loops"],
        confounds=[BAD],
    ),
}


def verdict(claim, value, effects, *, day="2026-11-22", number=1, own=True, **more):
    """One line of a history; effects are (statistic, words, value, low, high, n, says, holds, fails)."""
    names = ("statistic", "words", "value", "low", "high", "n", "verdict", "holds_if", "fails_if")
    shown = [dict(zip(names, one, strict=True)) for one in effects]
    line = {
        "id": f"v-{claim}-{day.replace('-', '')}-{number}",
        "claim": claim,
        "value": value,
        "scope": "T",
        "system": "random loops of 64 units, 6 seeds",
        "own": own,
        "effects": [
            {
                "interval_method": "bootstrap over seeds",
                "confidence": 0.95,
                "instrument": "limit_sets@1",
                **one,
            }
            for one in shown
        ],
        "controls": [
            {
                "name": "planted contraction",
                "kind": "positive",
                "passed": True,
                "wanted": "above 0.95",
                "value": 1.0,
                "low": 0.97,
                "high": 1.0,
                "n": 60,
            },
            {
                "name": "rotation, which has no limit",
                "kind": "negative",
                "passed": True,
                "wanted": "below 0.05",
                "value": 0.0,
                "low": 0.0,
                "high": 0.03,
                "n": 60,
            },
        ],
        "date": day,
        "expires_on": "2028-11-21",
        "reason": f"{shown[0]['words']} is so",
        "run": {
            "protocol": f"p{claim[:2]}",
            "protocol_hash": "5c1e" * 16,
            "file_hash": "77aa" * 16,
            "claim_hash": "90bb" * 16,
            "instruments": ["limit_sets@1"],
            "data": ["random loops@1"],
            "tier": "quick",
            "seed": 0,
            "command": f"limitset claims test {claim} --tier quick",
            "seconds": 13.2,
            "packages": {"numpy": "2.3.0"},
            "machine": {"cores": 2},
        },
    }
    return json.dumps(line | more)


SLOPE = "slope of the largest one-step loss against the learning rate"


def _slope(value, low, high, says):
    return [("slope", SLOPE, value, low, high, 4, says, "below 0.1", "above 0.5")]


def _curve():
    return [
        {
            "instrument": "limit_sets",
            "version": 1,
            "level": "hidden",
            "injection": name,
            "gain": gain,
            "value": value,
            "low": value - 0.06,
            "high": min(1.0, value + 0.04),
            "n": 60,
            "blank_reason": "",
            "notes": [],
        }
        for name, values in (
            ("every step", (1.0, 1.0, 0.99)),
            ("start only", (0.67, 0.5, 0.05)),
            ("none", (1.0, 0.33, 0.0)),
        )
        for gain, value in zip((0.5, 1.0, 2.0), values, strict=True)
    ]


VERDICTS = {
    "06a": [
        verdict(
            "06a",
            "holds",
            [
                (
                    "unique_share",
                    "share of starts that reach one limit, with injection",
                    0.99,
                    0.97,
                    1.0,
                    60,
                    "holds",
                    "above 0.9",
                    "below 0.6",
                ),
                (
                    "injection_effect",
                    "effect of injection on that share",
                    0.52,
                    0.44,
                    0.6,
                    60,
                    "holds",
                    "above 0.3",
                    "below 0.1",
                ),
            ],
            curve=_curve(),
            rows=[
                {"injection": "every step", "gain": 1.0, "starts": 40, "limits": 1},
                {"injection": "start only", "gain": 1.0, "starts": 40, "limits": 11},
            ],
            notes=["Gains .5, 1 and 2 are pooled."],
        )
    ],
    "24a": [
        verdict(
            "24a",
            "can't tell",
            _slope(0.6, 0.2, 1.0, "can't tell"),
            day="2026-05-02",
            would_settle="More rates.",
        ),
        verdict("24a", "fails", _slope(1.4, 1.2, 1.6, "fails"), prior="v-24a-20260502-1"),
        verdict(
            "24a",
            "fails",
            _slope(0.9, 0.55, 1.25, "fails"),
            own=False,
            number=2,
            scope="R",
            system="your model smollm2-135m-instruct",
        ),
    ],
    "39a": [
        verdict(
            "39a",
            "can't tell",
            [
                (
                    "excess",
                    "wrong when all agree, less its null",
                    0.05,
                    -0.01,
                    0.11,
                    90,
                    "can't tell",
                    "between -0.02 and 0.02",
                    "not between -0.1 and 0.1",
                )
            ],
            scope="R",
            expires_on="2026-11-01",
            day="2026-05-01",
            would_settle="n = 1,200 (each a question) instead of 90, about 40 min: limitset claims test 39a --tier full comes nearer.",
        )
    ],
    "05a": [
        verdict(
            "05a",
            "can't tell",
            [("share", BAD, None, None, None, None, "can't tell", "above 0.5", "below 0.5")],
            system=BAD,
            notes=[BAD],
            rows=[{BAD: BAD}],
            would_settle=BAD,
            controls=[
                {
                    "name": BAD,
                    "kind": BAD,
                    "passed": False,
                    "wanted": BAD,
                    "value": None,
                    "low": None,
                    "high": None,
                    "n": None,
                }
            ],
        )
    ],
}


def library_in(root):
    """Write the library's files below a folder and open it."""
    for folder in ("notes", "claims", "verdicts"):
        (root / folder).mkdir(parents=True, exist_ok=True)

    def text(given):
        return given.replace("@BAD@", json.dumps(BAD)[1:-1])

    (root / "sources.toml").write_text(text(SOURCES), encoding="utf-8")
    for name, note in NOTES.items():
        (root / "notes" / f"{name}.md").write_text(text(note), encoding="utf-8")
    for name, claim in CLAIMS.items():
        slug = tomllib.loads(claim)["slug"]
        (root / "claims" / f"{name}-{slug}.toml").write_text(claim, encoding="utf-8")
    for name, lines in VERDICTS.items():
        (root / "verdicts" / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return Library.opened(root, builtin=False)


def _facet(name, covered, by="", held=0):
    return FacetCoverage(name=name, weight=1 / 3, covered=covered, by=by, held=held)


ESSAY = UsedSource(
    id="f3",
    title="Normalization, input injection and fixed points (fourth founding essay)",
    year=2026,
    link="",
    access="secondary",
    lineage="founding-essays",
    gist="Asks whether normalization and re-injected input make loops settle. It names no measurement.",
    notes=("c1-fixed-points#2",),
)
OLD_ESSAY = replace(
    ESSAY,
    id="f0",
    title="Fixed points and semantic closure (first founding essay)",
    gist="Reads trained models as fixed points of a map. Existence only.",
    notes=("c2-rest#1",),
)
PAPER = UsedSource(
    id="labovich-2026",
    title="Stability and generalization in looped transformers",
    year=2026,
    link="https://arxiv.org/abs/2604.15259",
    access="abstract",
    lineage="labovich-2026",
    gist="Recall with outer normalization makes the limit reachable and smooth. Without recall it depends little on the input.",
    notes=("c1-fixed-points#1",),
)
RUN = UsedSource(
    id="v-06a-20261122-1",
    title="Own run: does injection give one limit?",
    year=2026,
    link="",
    access="own-run",
    lineage="limitset-own",
    gist="Random loops of 64 units, 6 seeds. Holds on toy models.",
    notes=("06a",),
)
PROMPT = """You are a researcher on looped models.

Question: How do normalization and input injection control the emergence of fixed points?
Held: 2 findings, 1 run (verify each id).
1. Find studies of trained loops above 1M parameters.
2. Say what would refute claim 06a.
"""


def before_answer():
    """Return the answer on the founding library: thin."""
    return Answer(
        question=QUESTION,
        date="2026-11-21",
        holdings="a3f09c11",
        label=Label.THIN,
        coverage=0.2,
        facets=(
            _facet("input injection", 0.0, held=0),
            _facet("normalization", 0.0, held=0),
            _facet("emergence of fixed points", 0.6, "c2-rest#1", 4),
        ),
        independent=1,
        explores="This explores what is held on fixed points of loops.",
        reads_as="It reads the question as asking for the effect of two choices on where a loop ends.",
        sentences=(
            Sentence(
                text="No note here studies normalization or input injection as controls on fixed points.",
                cites=(),
                relation=Relation.ABSENCE,
            ),
            Sentence(
                text="The first founding essay asserts that any continuous map of a compact space has a fixed point.",
                cites=("c2-rest#1",),
                relation=Relation.STATES,
                marks=("opinion", "unread", "stale"),
            ),
            Sentence(
                text="The fourth founding essay holds that re-injection anchors a loop to a stable resting point.",
                cites=("c1-fixed-points#2",),
                relation=Relation.STATES,
                marks=("opinion", "unread"),
            ),
        ),
        surprise=None,
        missing=("input injection", "normalization"),
        contradictions=(),
        rivals=(),
        stale=("c2-rest",),
        sources=(ESSAY, OLD_ESSAY),
        next_lines=(
            NextLine(
                question="Does re-injected input change how many limits a loop has?",
                born_of="unrun",
                about=("06a",),
                command="limitset claims test 06a",
            ),
            NextLine(
                question="Who has studied normalization in loops?", born_of="gap", about=("normalization",)
            ),
        ),
        prompt=PROMPT,
        search=Search(
            terms=("normalization", "input injection", "fixed points"),
            statements=31,
            found={"input injection": 0, "normalization": 0, "emergence of fixed points": 4},
            ways=("full text", "embedding"),
        ),
    )


def after_answer():
    """Return the answer after one paper and one run: partial, with the numbers of the run."""
    return replace(
        before_answer(),
        date="2026-11-22",
        holdings="77b2d0e4",
        label=Label.PARTIAL,
        coverage=0.68,
        facets=(
            _facet("input injection", 0.92, "v-06a-20261122-1", 3),
            _facet("normalization", 0.74, "c1-fixed-points#1", 2),
            _facet("emergence of fixed points", 0.6, "c1-fixed-points#1", 6),
            _facet("trained models above 1M parameters", 0.0),
        ),
        independent=2,
        sentences=(
            Sentence(
                text="Tested in toy models on 2026-11-22, the claim “Loops that are given their input again at every step reach one limit for each input from nearly every start” holds: share of starts that reach one limit 0.99 (95 % interval 0.97 to 1, n = 60 by seed; holds if above 0.9).",
                cites=("v-06a-20261122-1",),
                relation=Relation.STATES,
            ),
            Sentence(
                text="Looped transformers without recall have countably many fixed points that depend weakly on the input.",
                cites=("c1-fixed-points#1",),
                relation=Relation.STATES,
            ),
            Sentence(
                text="Both speak for injection as what ties the limit to the input.",
                cites=("c1-fixed-points#1", "v-06a-20261122-1"),
                relation=Relation.COMBINES,
                marks=("inference",),
            ),
            Sentence(
                text="The fourth founding essay holds that re-injection anchors a loop to a stable resting point.",
                cites=("c1-fixed-points#2",),
                relation=Relation.STATES,
                marks=("opinion", "unread"),
            ),
            Sentence(
                text="Nothing is held on trained models above 1M parameters.",
                cites=(),
                relation=Relation.ABSENCE,
            ),
        ),
        surprise=Sentence(
            text="Loops without injection can collapse to zero, which counts as settled.",
            cites=("v-06a-20261122-1",),
            relation=Relation.STATES,
        ),
        missing=("trained models above 1M parameters",),
        contradictions=(("c1-fixed-points", "c2-rest"),),
        rivals=(("06a", "06b"),),
        stale=(),
        sources=(RUN, PAPER, ESSAY),
        search=Search(
            terms=("normalization", "input injection", "fixed points"),
            statements=38,
            found={"input injection": 3, "normalization": 2, "emergence of fixed points": 6},
            ways=("full text", "embedding"),
        ),
    )


def hostile_answer():
    """Return an answer every text of which is hostile."""
    return Answer(
        question=BAD, date=BAD, holdings=BAD, label=Label.PARTIAL, coverage=0.5,
        facets=(_facet(BAD, 0.5, BAD, 1), _facet(BAD + "2", 0.0)), independent=1, explores=BAD, reads_as=BAD,
        sentences=(Sentence(text=BAD, cites=(BAD,), relation=Relation.CONTRASTS, marks=(BAD,)),),
        surprise=Sentence(text=BAD, cites=("x1-hostile#1",), relation=Relation.STATES),
        missing=(BAD + "2",), contradictions=((BAD, "x1-hostile"),), rivals=((BAD, "05a"),), stale=(BAD,),
        sources=(UsedSource(id=BAD, title=BAD, year=2026, link="javascript:alert(4)", access=BAD, lineage=BAD, gist=BAD, notes=(BAD,)),),
        next_lines=(NextLine(question=BAD, born_of=BAD, about=(BAD,), command=BAD),), prompt=f"{BAD}\nsecond line",
        search=Search(terms=(BAD,), statements=1, found={BAD: 1}, ways=(BAD,)), withheld=((BAD, BAD),),
    )  # fmt: skip


@pytest.fixture(scope="session")
def library(tmp_path_factory):
    return library_in(tmp_path_factory.mktemp("library"))


@pytest.fixture
def before():
    return before_answer()


@pytest.fixture
def after():
    return after_answer()


@pytest.fixture
def hostile():
    return hostile_answer()
