"""Planted tables and a page in the shape of the real ones, with hostile texts."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from limitset.charts import agreed_chart, outcomes_chart, sharing_chart, survival_chart, unanimity_chart
from limitset.core.levels import Level
from limitset.core.results import MeasurementTable
from limitset.report.page import Definition, Figure, Page, Table

HOSTILE = (
    "<script>alert(1)</script>",
    "\u202egnorw si txet siht\u202c",
    "</script><img src=x onerror=alert(2)>",
    "{{7*7}} ${7*7}",
    "javascript:alert(3)",
    '=HYPERLINK("x")',
    "long " * 60 + "end of the long text",
    "null \x00 bell \x07 and\nline ends",
)


def table(instrument, axes, rows, **more):
    """rows: tuples of axes values, value, low, high, n, null_kind, blank_reason."""
    columns = list(zip(*rows, strict=True))
    count = len(axes)
    return MeasurementTable(
        instrument=instrument,
        version=1,
        level=Level.ANSWER,
        axes={name: np.array(columns[place]) for place, name in enumerate(axes)},
        value=np.array(columns[count], dtype=float),
        low=columns[count + 1],
        high=columns[count + 2],
        n=columns[count + 3],
        null_kind=columns[count + 4] if len(columns) > count + 4 else None,
        blank_reason=columns[count + 5] if len(columns) > count + 5 else None,
        **more,
    )


def curve_table():
    rows = []
    for stratum, first, last in (
        ("lure", 0.72, 0.66),
        ("recall", 0.45, 0.30),
        ("computed", 0.3, 0.08),
        ("all", 0.46, 0.33),
    ):
        for votes in range(1, 17):
            value = last + (first - last) / votes
            rows.append(
                ("all", stratum, votes, value, value - 0.05, value + 0.06, 150 if stratum == "all" else 50)
            )
    return table("surviving_error", ("system", "stratum", "votes"), rows)


def agreed_tables():
    rates, coverage = [], []
    for stratum, level in (("lure", 0.6), ("recall", 0.3), ("computed", 0.1), ("all", 0.33)):
        for place, threshold in enumerate((0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1.0)):
            value = level * (1 - 0.1 * place)
            covered = 1 - 0.12 * place
            blank = stratum == "computed" and place == 6
            rates.append(
                (
                    stratum,
                    threshold,
                    math.nan if blank else value,
                    math.nan if blank else max(0, value - 0.08),
                    0.12 if blank else value + 0.1,
                    40.0,
                    "",
                    "fewer than 5 wrong questions" if blank else "",
                )
            )
            coverage.append((stratum, threshold, covered, covered - 0.06, min(1, covered + 0.06), 50.0))
    return (
        table("wrong_when_agreed", ("stratum", "threshold"), rates),
        table("wrong_when_agreed", ("stratum", "threshold"), coverage),
    )


def unanimity_tables():
    rows, nulls = [], []
    for source, ks in (("seed", range(1, 9)), ("paraphrase", (1, 2)), ("model", (1, 2))):
        for k in ks:
            value = 0.2 + 0.26 / k
            blank = source == "seed" and k == 8
            rows.append(
                (
                    source,
                    k,
                    math.nan if blank else value,
                    math.nan if blank else value - 0.06,
                    0.4 if blank else value + 0.07,
                    30.0,
                    "",
                    "fewer than 5 false unanimous questions" if blank else "",
                )
            )
            for estimate, height in (("cross_fitted", 0.03 + 0.43 / k**2), ("plug_in", 0.08 + 0.43 / k)):
                nulls.append((source, k, estimate, height, math.nan, math.nan, 150.0, "difficulty_kept", ""))
                nulls.append(
                    (source, k, estimate, height / 2, math.nan, math.nan, 150.0, "question_free", "")
                )
    return (
        table("wrong_when_unanimous", ("source", "k"), rows),
        table("unanimity_nulls", ("source", "k", "estimate"), nulls),
    )


def pairs_table(systems=("smollm2-135m", "qwen2.5-0.5b")):
    rows = []
    for place, first in enumerate(systems):
        for second in systems[place + 1 :]:
            value = 0.2 + 0.5 * ((len(first) + len(second)) % 5) / 5
            rows.append((first, second, value, value - 0.1, value + 0.1, 60.0, "", ""))
            rows.append((first, second, 0.3, math.nan, math.nan, 60.0, "item_conditional", ""))
            rows.append((first, second, 0.12, math.nan, math.nan, 60.0, "popularity", ""))
    return table("same_wrong", ("first", "second"), rows)


def outcomes_table():
    rows = []
    for system in ("smollm2-135m", "qwen2.5-0.5b"):
        for stratum, right in (("lure", 0.2), ("computed", 0.7), ("all", 0.5)):
            for outcome, share in (
                ("right", right),
                ("wrong", 0.9 - right),
                ("abstained", 0.07),
                ("unparsed", 0.03),
            ):
                rows.append((system, stratum, outcome, share, max(0, share - 0.05), share + 0.05, 50.0))
    return table("outcomes", ("system", "stratum", "outcome"), rows)


def data_of(measured, title):
    rows = tuple(
        (*(str(v) for v in (m.parameters[a] for a in measured.axes)), m.value, m.low, m.high, m.n)
        for m in measured.rows()
    )
    return Table(title=title, columns=(*measured.axes, "value", "low", "high", "n"), rows=rows)


def planted_page(**more):
    curve = curve_table()
    rates, coverage = agreed_tables()
    unanimous, nulls = unanimity_tables()
    figures = (
        Figure(
            name="survival",
            title="Voting over all 16 runs leaves 72 % of the error",
            chart=survival_chart(curve),
            caption="150 questions, 2 models, 16 runs each. Bands: 95 % intervals, leaving out one question at a time.",
            table=data_of(curve, "Data of this figure"),
        ),
        Figure(
            name="agreed",
            title="Agreement is worth trusting on computed, not on lure questions",
            chart=agreed_chart(rates, coverage),
            caption="150 questions. The area of a mark is the share of questions on which so many runs agree.",
            table=data_of(rates, "Data of this figure"),
        ),
        Figure(
            name="unanimity",
            title="Four unanimous runs of one model are wrong 27 % [21, 34]",
            chart=unanimity_chart(unanimous, nulls),
            caption="Grey boxes: what unequal difficulty alone would give.",
            table=data_of(unanimous, "Data of this figure"),
        ),
        Figure(
            name="sharing",
            title="Both wrong, the two models give the same wrong answer 40 % [30, 50] of the time",
            chart=sharing_chart(pairs_table()),
            caption="60 questions on which both are wrong.",
            table=data_of(pairs_table(), "Data of this figure"),
        ),
        Figure(
            name="outcomes",
            title="Most runs answer",
            chart=outcomes_chart(outcomes_table()),
            caption="n = 50 questions a stratum.",
            table=data_of(outcomes_table(), "Data of this figure"),
        ),
    )
    traps = Table(
        title="Five traps: most runs agree, and are wrong",
        columns=("question", "key", "runs say", "share", "replies"),
        rows=(
            (
                "What is the capital of Australia?",
                "Canberra",
                "Sydney",
                "100 %",
                "Sydney. · The capital of Australia is Sydney. · Sydney",
            ),
            ("What is the capital of Brazil?", "Brasília", "Rio de Janeiro", "94 %", HOSTILE[0]),
            ("What is the capital of Turkey?", "Ankara", "Istanbul", "88 %", HOSTILE[1]),
            ("What is the capital of Myanmar?", "Naypyidaw", "Yangon", "81 %", HOSTILE[6]),
            ("What is the capital of South Africa?", "Pretoria", "Cape Town", "75 %", HOSTILE[2]),
            (HOSTILE[3], HOSTILE[4], HOSTILE[7], "51 %", HOSTILE[5]),
        ),
        note="The lure was named in 27 % of the runs.",
    )
    base = {
        "title": "limitset first look",
        "scope": "2 small models · 150 questions with known answers",
        "date": "22 Nov 2026",
        "headline": (
            "One run is wrong 46 % of the time [41, 51].",
            "A vote over all 16 runs is still wrong 33 % of the time [28, 39]: 72 % [66, 79] of the error survives.",
        ),
        "decisions": (
            "Stop voting at 4 runs: 12 more change the error by less than one point.",
            "Check these 14 questions outside: they hold 61 % of the surviving error.",
            "Do not trust agreement on lure questions: when at least 7 of 8 runs agree there, they are wrong 38 % [25, 53].",
        ),
        "figures": figures,
        "tables": (traps,),
        "definitions": (
            Definition(
                term="survives voting",
                plain="The plurality of n runs is wrong.",
                formula="e_{n} = P(plurality of n runs is wrong); surviving share = e_{N} / e_{1}",
            ),
            Definition(
                term="wrong when all agree (false unanimity, φ)",
                plain="Of the times k runs give one answer, how often it is wrong.",
                formula="φ_{k} = Σ_{q} Σ_{y≠y*} P_{q}(k all = y) / Σ_{q} Σ_{y} P_{q}(k all = y)",
            ),
        ),
        "provenance": {
            "command": "limitset run",
            "limitset": "0.1.0",
            "smollm2-135m": "sha256 " + "ab" * 32,
            "hostile": HOSTILE[4],
        },
        "numbers": (*curve.records(), *rates.records()),
        "attributions": ("Country capitals: GeoNames, CC BY 4.0.",),
        "limits": ("Nothing about other models or other questions.",),
    }
    return Page(**{**base, **more})


@pytest.fixture(scope="session")
def page():
    return planted_page()


@pytest.fixture
def written(page, tmp_path: Path):
    from limitset.report.page import write_page

    path = tmp_path / "report.html"
    write_page(page, path)
    return path
