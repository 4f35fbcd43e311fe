import datetime as dt
import json

import pytest

from library.pages.page_outline import Outline
from limitset.library.holdings.library import Library
from limitset.library.holdings.records import Verdict
from limitset.library.pages.claim_page import cautions, claim_page, licences
from limitset.library.pages.wording import bar_of, missed, state_words, value_words, verdict_standing
from limitset.report.page import render

TODAY = dt.date(2026, 11, 22)


def _page(library, name, state="current"):
    return claim_page(library, library.claim(name), state=state, today=TODAY)


def _names(page):
    return [getattr(one, "name", "table") for one in (*page.lead, *page.blocks)]


def _block(page, name):
    return next(one for one in (*page.lead, *page.blocks) if getattr(one, "name", "") == name)


def test_what_was_found_is_the_headline_and_the_claim_stands_under_it(library):
    page = _page(library, "24a")
    assert page.headline[0].startswith("Forgetting is gradual: ")
    assert "1.40 [1.20, 1.60]" in page.headline[0]
    (standing,) = page.standings
    assert (standing.word, standing.tone) == ("Fails on toy models", "wrong")
    assert standing.text.startswith("“Fine-tuning takes a model")


def test_number_leads_where_a_claim_has_no_sentence_for_it(library):
    page = _page(library, "06a")
    assert page.headline == (
        "Share of starts that reach one limit, with injection: 99 % [97, 100]; holds above 90 %.",
    )
    assert page.standings[0].text.startswith("“Loops that are given")


def test_failing_claim_names_the_essay_it_contradicts_and_that_it_was_not_opened(library):
    passage = _block(_page(library, "24a"), "contradicted")
    assert passage.title == "Contradicts an essay this project started from"
    assert [one.text for one in passage.said] == [
        "Fixed points and semantic closure (first founding essay), inventory row A11.",
        "It was not opened: its sentences are known from notes on it.",
    ]
    # 06a holds and is stated by a founding text too; 39a is stated by nobody
    assert "contradicted" not in _names(_page(library, "06a"))
    assert "contradicted" not in _names(_page(library, "39a"))


def test_failing_reading_of_ours_contradicts_nobody(library):
    claim = library.claim("24a").model_copy(update={"reading": "ours"})
    passage = _block(claim_page(library, claim, state="current", today=TODAY), "contradicted")
    assert passage.title == "Our reading of an essay this project started from failed"
    assert passage.said[1].text == "The sentence that failed is our reading of it, in our words."


def test_notes_are_a_caution_beside_the_numbers_and_licences_stand_at_the_end(library):
    verdict = library.verdict("06a")
    assert cautions(verdict) == ("Gains .5, 1 and 2 are pooled.",)
    noted = verdict.model_copy(
        update={"notes": ("one", "A model by X, Apache-2.0.", "Places: Y, CC BY 4.0.")}
    )
    assert (cautions(noted), licences(noted)) == (("one",), noted.notes[1:])
    assert _page(library, "06a").lead[0].name == "notes"


def test_one_line_runs_it_again(library):
    html = render(_page(library, "24a"))
    assert '<code class="take">limitset claims test 24a</code>' in html
    assert "Run today, on 22 Nov 2026; stands until 21 Nov 2028." in Outline(html).text


def test_effect_controls_and_rule(library):
    page = _page(library, "06a")
    table = page.figures[0].table
    assert [row[:5] for row in table.rows][1] == ("effect of injection on that share", 0.52, 0.44, 0.6, 60)
    assert page.tables[0].title == "All controls passed"
    assert page.tables[0].rows[0] == (
        "planted contraction",
        "positive",
        "above 0.95",
        "1 [0.97, 1]",
        "passed",
    )
    rule = [one.text for one in _block(page, "rule").said]
    assert (
        rule[0]
        == "Share of starts that reach one limit, with injection: holds if above 90 %, fails if below 60 %."
    )
    assert rule[-1].endswith("each interval covers 97.5 %.")  # .05 shared by two statistics


def test_history_tells_own_runs_from_the_users(library):
    page = _page(library, "24a")
    figure = next(one for one in page.figures if one.name == "history")
    assert [(row[0], row[2], row[6]) for row in figure.table.rows] == [
        ("2026-11-22", "here", "fails"),
        ("2026-11-22", "yours", "fails"),
        ("2026-05-02", "here", "can't tell"),
    ]
    assert figure.title == "Here runs differ: can't tell and fails; on your systems: fails"
    # one run is no history: its number stands in the first figure already
    assert [one.name for one in _page(library, "39a").figures] == ["effect"]


def test_curve_is_drawn_over_its_number_by_its_names(library):
    figure = next(one for one in _page(library, "06a").figures if one.name == "curve")
    assert figure.title == "Limit sets over scale of the weights, by injection"
    assert figure.table.columns == ("injection", "scale of the weights", "value", "low", "high", "n")
    assert len(figure.table.rows) == 9


def test_grounds_rivals_rows_and_doubts(library):
    page = _page(library, "06a")
    entries = _block(page, "grounds").entries
    assert entries[0].links[0].to == "https://arxiv.org/abs/2604.15259"
    assert entries[1].marks == ("opinion", "source not opened")
    assert entries[2].facts == ("not held on this day",)
    assert _block(page, "rivals").rows[0][0].to == "./06b.html"
    assert [one.text for one in _block(page, "doubts").said] == ["random weights only."]
    rows = next(one for one in page.blocks if getattr(one, "title", "").startswith("What was asked"))
    assert rows.rows[1] == ("start only", 1.0, 40, 11)


def test_cant_tell_says_what_would_settle_it_and_expiry_is_seen(library):
    page = _page(library, "39a", "expired")
    assert [one.word for one in page.standings] == ["Stale", "Can't tell on small real models"]
    assert page.standings[0].text == "Expired on 1 Nov 2026: it was run 7 months ago. Run it again."
    assert _block(page, "settle").said[0].text.startswith("n = 1,200 (each a question) instead of 90")


@pytest.mark.parametrize("state", ["protocol changed", "instrument changed", "claim changed"])
def test_a_change_makes_it_stale(library, state):
    text = state_words(library.verdict("24a"), state, TODAY)
    assert text == f"No longer stands: {state} since it was run on 22 Nov 2026. Run it again."


def test_claim_without_a_verdict(library):
    page = _page(library, "06b", "never run")
    assert page.standings[0].word == "Never run"
    assert (page.figures, page.tables, page.provenance) == ((), (), {})
    html = render(page)
    Outline(html).check_sound()
    assert "limitset claims test 06b" in html
    assert "window.vegaEmbed" not in html
    assert len(html.encode()) < 60_000


def test_claim_that_cannot_be_run_yet_shows_its_plan(library):
    page = _page(library, "12a", "not yet runnable")
    assert (page.standings[0].word, page.standings[0].text) == (
        "Not built yet",
        "Would take 15 minutes on two cores.",
    )
    told = _block(page, "plan").said
    assert all(one.label.endswith(":") for one in told)
    assert "Cost:" not in [one.label for one in told]  # said in the headline, once
    assert "limitset claims test" not in render(page)


def test_missed_control_voids_the_run(library):
    page = _page(library, "05a")
    assert page.tables[0].title == "1 control missed: the run is void"
    assert page.figures[0].title == "A control was missed: these numbers decide nothing"
    assert len(missed(library.verdict("05a"))) == 1


def test_only_a_users_run(library, tmp_path):
    """A verdict on the user's model is shown as theirs and leaves the claim itself never run."""
    (tmp_path / "verdicts").mkdir()
    (tmp_path / "claims").mkdir()
    shelf = library.own
    (tmp_path / "sources.toml").write_bytes((shelf.root / "sources.toml").read_bytes())
    source = next(one for one in shelf.claim_files() if one.name.startswith("24a"))
    (tmp_path / "claims" / source.name).write_bytes(source.read_bytes())
    lines = shelf.verdict_file("24a").read_text().splitlines()
    theirs = [line for line in lines if not json.loads(line)["own"]]
    (tmp_path / "verdicts" / "24a.jsonl").write_text("\n".join(theirs * 2) + "\n")
    page = _page(Library.opened(tmp_path, builtin=False), "24a", "never run")
    assert page.standings[0].word == "Never run"
    assert [one.title for one in page.figures] == ["On your systems: fails"]
    assert verdict_standing(Verdict.model_validate_json(theirs[0]), "current").word == "Fails on your system"


@pytest.mark.parametrize("name", ["06a", "06b", "12a", "24a", "39a", "05a"])
def test_every_page_is_sound(library, name):
    html = render(_page(library, name))
    outline = Outline(html)
    outline.check_sound()
    assert "<script>alert" not in html
    assert "\u202e" not in html
    assert "../index.html" in outline.links


@pytest.mark.parametrize(
    ("words", "kind", "ends"),
    [
        ("above 0.3", "above", (0.3,)),
        ("below -1e-05", "below", (-1e-05,)),
        ("between 0.75 and 1.25", "within", (0.75, 1.25)),
        ("not between -0.1 and 0.1", "outside", (-0.1, 0.1)),
    ],
)
def test_bars_are_read_as_they_are_written(words, kind, ends):
    bar = bar_of(words)
    assert (bar.kind, bar.ends, str(bar)) == (kind, ends, words)


def test_value_in_words(library):
    effect = library.verdict("24a").effect
    assert value_words(effect) == "1.4 [1.2, 1.6]"
    assert value_words(effect.model_copy(update={"low": None})) == "1.4"
    assert value_words(effect.model_copy(update={"value": None, "low": None})) == "at most 1.6"
    assert value_words(effect.model_copy(update={"value": None, "low": None, "high": None})) == "blank"
