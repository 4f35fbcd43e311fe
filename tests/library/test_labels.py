"""Are the shares of right labels that the docs print those of the engine and the holdings as they are?"""

import datetime as dt
from pathlib import Path

import pytest

from limitset.core.intervals import Interval
from limitset.library.holdings.library import Library
from limitset.library.inquiry.coverage import thresholds
from limitset.library.inquiry.fit import Report, measured, read_questions, reported

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs" / "asking.md"
TODAY = dt.date(2026, 11, 22)
ROWS = {
    "half that sets the bars, n = 30": ("questions.toml", "fit"),
    "other half, n = 30": ("questions.toml", "report"),
    "questions of another hand, n = 30": ("blind_questions.toml", "report"),
}


def written(share: Interval) -> str:
    return f"{share.value:.3f} [{share.low:.3f}, {share.high:.3f}]".replace("0.", ".")


def row(name: str, report: Report) -> str:
    shares = (report.accuracy, report.refused, report.answered)
    return f"| {name} | {' | '.join(written(one) for one in shares)} |"


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.mark.parametrize("name", ROWS)
def test_the_docs_print_what_is_measured(name, cache):
    file, half = ROWS[name]
    library = Library.opened(Path("/nowhere"), as_of=TODAY)
    questions = [one for one in read_questions(HERE / file) if one["half"] == half]
    assert len(questions) == 30
    report = reported(measured(questions, library=library, today=TODAY, cache=cache), thresholds())
    assert row(name, report) in DOCS.read_text(encoding="utf-8")


def test_the_docs_print_the_bars_in_force():
    bars, text = thresholds(), DOCS.read_text(encoding="utf-8")
    assert f"| none | reach < {bars.none:.3f}:".replace("0.", ".") in text
    assert f"| solid | C ≥ {bars.solid:.3f},".replace("0.", ".") in text
    assert f"| thin | C < {bars.partial:g},".replace("0.", ".") in text


def test_a_share_is_written_as_in_the_docs():
    # 19 of 30: Wilson's interval at 95 % is .455 to .781
    assert written(Interval(value=19 / 30, low=0.4551, high=0.7813, n=30)) == ".633 [.455, .781]"
