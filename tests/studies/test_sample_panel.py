"""The sample panel: it opens without a log, and what is published about it is what its page says."""

import re
import sys
from pathlib import Path

import pytest

from limitset.datasets.sample_panel import ATTRIBUTIONS, PANEL
from limitset.studies.panel_audit import run_audit

ROOT = Path(__file__).parents[2]
PUBLISHED = {
    ROOT / "README.md": "The sample: five",
    ROOT / "runs" / "sample-panel" / "README.md": "What the page says",
}
"""File to the words with which the paragraph begins."""


@pytest.fixture(scope="module")
def audited(tmp_path_factory):
    return run_audit(PANEL, tmp_path_factory.mktemp("sample") / "audit", date="2026-11-22")


def numbers(text):
    """Return every value with its interval, as it is written."""
    return set(re.findall(r"[\d.]+(?: %| points)?\s+\[[\d.]+,\s+[\d.]+\]", " ".join(text.split())))


def test_what_is_published_is_what_the_page_says(audited):
    said = numbers(" ".join((*audited.page.headline, *audited.page.decisions)))
    for path, first in PUBLISHED.items():
        text = path.read_text(encoding="utf-8")
        part = text[text.index(first) :].split("\n\n")[0]
        told = numbers(part)
        assert len(told) >= 4
        assert told <= said, f"{path}: {sorted(told - said)}"


def test_the_first_screen_names_a_decision(audited):
    assert audited.page.headline[0].startswith("Your five models are worth")
    assert audited.page.decisions[0].startswith("Use smollm2 examples alone: wrong ")
    assert audited.page.attributions == ATTRIBUTIONS


def test_the_questions_are_those_of_the_script():
    sys.path.insert(0, str(ROOT / "runs" / "sample-panel"))
    try:
        from questions import questions
    finally:
        sys.path.pop(0)
    rows = PANEL.read_text(encoding="utf-8").splitlines()
    asked = questions()
    assert len(rows) - 1 == 15 * len(asked)
    for one in asked:
        assert one["key"] in one["choices"]
        assert one["lure"] in one["choices"]
        assert len(set(one["choices"])) == 4
