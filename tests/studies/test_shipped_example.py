"""Do the numbers that are published follow from the rows that are shipped?"""

import json
from pathlib import Path

import numpy as np
import pytest

from limitset.core import parquet
from limitset.core.ends import Ends
from limitset.core.loops import ORBIT_KINDS
from limitset.datasets.anchored import anchored
from limitset.report.analysis import analyse
from limitset.report.first_page import build_page

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "runs" / "first-look"


@pytest.fixture(scope="module")
def analysis():
    ends = Ends.read(SHIPPED / "ends.parquet")
    items = anchored().items
    kept = np.isin(items.texts("item"), list(set(ends.texts("item"))))
    return analyse(ends, items.where(kept), parquet.read(SHIPPED / "orbits.parquet", ORBIT_KINDS))


@pytest.fixture(scope="module")
def findings():
    return json.loads((SHIPPED / "findings.json").read_text(encoding="utf-8"))


def test_the_sentences_follow_from_the_rows(analysis, findings):
    page = build_page(analysis, title="first look", scope="", date="")
    assert list(page.headline) == findings["headline"]
    assert list(page.decisions) == findings["decisions"]


def test_the_readme_says_what_was_found(findings):
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    for sentence in findings["headline"]:
        assert sentence in readme


def test_no_point_of_the_first_and_third_figure_is_blank(analysis):
    for table in (analysis.truth.surviving.curve, analysis.truth.unanimity.curve):
        assert not np.isnan(table.value).any()


def test_greedy_runs_stand_beside(analysis):
    # by hand: the share of right rows among the greedy ones
    answers = analysis.ends.having(level="answer", system="gemma-3-270m")
    greedy = answers.numbers("right")[answers.numbers("greedy") == 1]
    shown = analysis.greedy.rates.one(system="gemma-3-270m", stratum="all", outcome="right")
    assert shown.value == pytest.approx(greedy.mean())
    sampled = analysis.truth.outcomes.rates.one(system="gemma-3-270m", stratum="all", outcome="right")
    assert sampled.value != pytest.approx(greedy.mean(), abs=0.01)


def test_rows_have_ids_and_no_keys():
    ends = Ends.read(SHIPPED / "ends.parquet")
    assert len(ends) > 10_000
    known = set(anchored().questions)
    assert set(ends.texts("item")) <= known
    readme = (SHIPPED / "README.md").read_text(encoding="utf-8")
    assert "GeoNames" in readme
    assert "Gemma" in readme


def test_the_panel_of_the_tutorial_is_readable():
    from limitset.logs.replies import read_replies

    got = read_replies(ROOT / "examples" / "panel.csv")
    assert len(got.items) == 60
    assert set(got.ends.texts("system")) == {"smollm2-135m-instruct", "gemma-3-270m"}
