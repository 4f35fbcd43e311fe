import copy
import datetime as dt

from library.pages.page_outline import Outline
from limitset.library.holdings.library import Library
from limitset.library.pages.index_page import index_page, state_of
from limitset.report.page import render

TODAY = dt.date(2026, 11, 22)


def _page(library, **states):
    return index_page(library, {f"{name[1:]}": state for name, state in states.items()}, today=TODAY)


def _with(library, claims):
    changed = copy.copy(library)
    changed.__dict__["claims"] = claims
    return changed


def _block(page, name):
    return next(one for one in (*page.lead, *page.blocks) if one.name == name)


def test_counts_and_what_contradicts_the_founding_texts_come_first(library):
    page = _page(library)
    assert page.headline == ("6 claims: 2 decided here (1 holds and 1 fails).",)
    assert (page.standings[0].word, page.standings[0].text) == (
        "1 sentence of the essays this project started from did not survive a test",
        "The essays were not opened: their sentences are known from notes on them.",
    )
    assert page.standings[1].text == "2 can't be told yet, 1 ready and not run, 1 cannot be run yet, 1 stale."
    assert [one.name for one in page.lead] == ["contradicted"]
    assert [one.to for one in page.lead[0].entries] == ["claims/24a.html"]
    entry = page.lead[0].entries[0]
    assert entry.command == "limitset claims test 24a"
    # what was found leads; the sentence that failed stands under it
    assert entry.title.startswith("Forgetting is gradual")
    assert entry.text.startswith("Fails: “Fine-tuning takes")


def test_stale_verdict_contradicts_nothing_and_says_first_that_it_is_stale(library):
    page = _page(library, c24a="claim changed")
    assert not page.lead
    entry = _block(page, "level-weights").entries[0]
    assert entry.standing.word == "Stale; it said: fails"


def test_levels_stand_open_only_where_something_fails_that_is_not_above(library):
    def folds(held):
        return {one.name: one.fold for one in _page(held).blocks if one.name.startswith("level-")}

    # 24a fails and stands among what contradicts an essay
    assert set(folds(library).values()) == {"closed"}
    claims = dict(library.claims)
    claims["24a"] = claims["24a"].model_copy(update={"stated_by": ""})
    assert folds(_with(library, claims)) == {**folds(library), "level-weights": "open"}


def test_our_reading_that_failed_is_told_apart(library):
    claims = dict(library.claims)
    claims["24a"] = claims["24a"].model_copy(update={"reading": "ours"})
    library = _with(library, claims)
    page = _page(library)
    assert not page.lead
    assert [one.to for one in _block(page, "readings").entries] == ["claims/24a.html"]


def test_claims_stand_by_level_in_order_of_verdict(library):
    page = _page(library)
    assert _block(page, "level-hidden").entries[0].title.startswith("Loops that are given")
    assert _block(page, "level-hidden").title == "Hidden state, under depth: 2 claims (1 holds, 1 never run)"
    assert [one.standing.word for one in _block(page, "level-answer").entries] == [
        "Stale; it said: can't tell",
        "Not yet runnable",
    ]
    assert _block(page, "level-answer").entries[0].marks == ("expired",)
    every = [entry for one in page.blocks if one.name.startswith("level-") for entry in one.entries]
    assert len(every) == 6


def test_given_states_win_over_dates(library):
    page = _page(library, c24a="protocol changed")
    assert _block(page, "level-weights").entries[0].marks == ("protocol changed",)
    assert ", 2 stale" in page.standings[0].text


def test_states_by_dates_alone(library):
    states = {name: state_of(library, claim, TODAY) for name, claim in library.claims.items()}
    assert states == {
        "05a": "current",
        "06a": "current",
        "06b": "never run",
        "12a": "not yet runnable",
        "24a": "current",
        "39a": "expired",
    }


def test_by_tag_and_by_age_need_no_script(library):
    page = _page(library)
    tags = {one.text: [link.words for link in one.links] for one in _block(page, "tags").said}
    assert tags["normalization"] == ["06a", "06b"]
    ages = [(one.text, [link.words for link in one.links]) for one in _block(page, "ages").said]
    assert ages == [("1 May 2026, 7 months ago", ["39a"]), ("22 Nov 2026, today", ["05a", "06a", "24a"])]


def test_filters_know_every_entry(library):
    page = _page(library)
    kinds = {kind for _, group in _block(page, "filters").groups for kind, _ in group}
    entries = [entry for one in page.blocks if one.name.startswith("level-") for entry in one.entries]
    assert {"verdict-fails", "level-weights", "stands-stale", "tag-injection"} <= kinds
    for entry in entries:
        assert any(kind.startswith("verdict-") and kind in kinds for kind in entry.kinds)


def test_page_is_sound_small_and_carries_no_chart_library(library):
    html = render(_page(library))
    Outline(html).check_sound()
    assert len(html.encode()) < 60_000
    assert "window.vegaEmbed" not in html
    assert "<script>alert" not in html
    assert html.count("<script>") == 1


def test_empty_library(tmp_path):
    page = _page(Library.opened(tmp_path, builtin=False))
    assert page.headline == ("No claim is held.",)
    Outline(render(page)).check_sound()
