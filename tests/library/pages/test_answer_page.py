from dataclasses import replace

import pytest

from library.pages.page_outline import Outline
from limitset.core.errors import InputError
from limitset.library.inquiry.answer import Label, Relation, Sentence
from limitset.library.pages.answer_page import answer_page
from limitset.library.pages.answer_wording import Change, label_words, standing
from limitset.library.pages.citing import Citations
from limitset.report.page import render


def _rows(page):
    table = _coverage(page).table
    return dict(zip(table.columns, zip(*table.rows, strict=True), strict=True))


def _coverage(page):
    return next(one for one in page.figures if one.name == "coverage")


def _block(page, name):
    return next(one for one in (*page.lead, *page.blocks) if getattr(one, "name", "") == name)


def test_thin_answer_says_in_its_first_sentence_what_is_missing(before, library):
    page = answer_page(before, library=library)
    assert page.headline == (before.question,)
    assert page.standings[0].word == "Thin"
    assert "nothing is held on input injection or normalization" in page.standings[0].text
    outline = Outline(render(page))
    outline.check_sound()
    body = outline.text
    assert body.index("Thin:") < body.index("What is held")
    assert [one.text for one in _block(page, "missing").said] == ["input injection", "normalization"]
    assert _rows(page)["best held"] == ("nothing", "nothing", "c2-rest#1")


def test_every_sentence_leads_to_a_source_on_the_page_or_to_the_search(after, library):
    page = answer_page(after, library=library)
    told = _block(page, "answer").said
    assert all(one.links for one in told)
    places = {entry.name for entry in _block(page, "sources").entries} | {"search"}
    assert {link.to[1:] for one in told for link in one.links} <= places
    # a verdict is cited by its claim, an atom by its source; the whole id is said on hover
    assert [(link.words, link.about) for link in told[0].links] == [("run 06a", "v-06a-20261122-1")]
    assert [link.words for link in told[1].links] == ["labovich-2026"]
    assert [link.words for link in told[4].links] == ["search"]


def test_marks_stand_beside_the_sentence_in_words(before, after, library):
    told = {one.text: one.marks for one in _block(answer_page(before, library=library), "answer").said}
    assert told[
        "The first founding essay asserts that any continuous map of a compact space has a fixed point."
    ] == (
        "opinion",
        "source not opened",
        "stale",
    )
    combined = _block(answer_page(after, library=library), "answer").said[2]
    assert combined.marks == ("inference of this library",)


@pytest.mark.parametrize(
    ("relation", "marks", "shown"),
    [
        (Relation.COMBINES, (), ("inference of this library",)),
        (Relation.CONTRASTS, ("unread",), ("contradiction", "source not opened")),
        (Relation.STATES, ("rephrased",), ("rephrased",)),
    ],
)
def test_marks_follow_the_relation(after, relation, marks, shown):
    one = Sentence(text="X.", cites=("c1-fixed-points#1",), relation=relation, marks=marks)
    page = answer_page(replace(after, sentences=(one,)))
    # a sentence that states leads, and is not said again
    name = "known" if relation is Relation.STATES else "answer"
    assert _block(page, name).said[0].marks == shown
    assert [one.name for one in page.lead].count("known") == (name == "known")


def test_before_and_after_show_both_labels_both_coverages_and_what_is_new(before, after, library):
    page = answer_page(after, before=before, library=library)
    assert [(one.when, one.word) for one in page.standings] == [
        ("Before", "Thin"),
        # one run on toy models, one abstract that was read and is cited
        ("Now", "Partial in toy models; one abstract read beside"),
    ]
    assert [one.news for one in _block(page, "answer").said] == ["new", "new", "new", "", "new"]
    rows = _rows(page)
    assert rows["coverage before"] == (0.0, 0.0, 0.6, 0.0)
    assert rows["coverage"] == (0.92, 0.74, 0.6, 0.0)
    assert [one.text for one in _block(page, "gone").said] == [
        before.sentences[0].text,
        before.sentences[1].text,
    ]
    assert _coverage(page).title == (
        "Newly held: input injection and normalization; still nothing on trained models above 1M parameters"
    )
    # four sentences are new; that one of them says how far all reaches is no news
    assert _block(page, "changed").said[0].text == (
        "New here since 21 Nov: 1 run and 1 paper (published April 2026, read 22 Nov); "
        "1 sentence is no longer said."
    )
    # without the library the month and the day of reading are not known
    alone = _block(answer_page(after, before=before), "changed").said[0].text
    assert "1 run and 1 paper (published 2026);" in alone


def test_what_is_known_stands_first_beside_the_curve_of_its_run(before, after, library):
    page = answer_page(after, before=before, library=library)
    assert [one.name for one in page.lead[:3]] == ["known", "changed", "answer"]
    known = _block(page, "known")
    # claim 06a has no sentence of its own for what it found: its first number stands in
    assert [(one.text, one.marks, one.links[0].words) for one in known.said] == [
        (
            "Share of starts that reach one limit, with injection: 99 % [97, 100]; holds above 90 %.",
            ("toy models",),
            "run 06a",
        )
    ]
    assert known.foot == (
        "Coverage 68 % (before: 20 %): 3 of 4 things asked about, by 2 independent sources."
    )
    assert [one.name for one in page.figures] == ["curve", "coverage"]
    assert page.figures[0].caption.startswith("Run 06a, 22 Nov 2026")
    # nothing is known where the answer is thin: coverage stays beside what is held
    thin = answer_page(before, library=library)
    assert thin.lead[0].name == "answer"
    assert [one.name for one in thin.figures] == ["coverage"]


def test_plain_sentence_of_a_run_leads(after, library):
    one = Sentence(text="X.", cites=("v-24a-20261122-1",), relation=Relation.STATES)
    page = answer_page(replace(after, sentences=(one,)), library=library)
    assert [said.text for said in _block(page, "known").said] == [
        "Forgetting is gradual: the largest loss of one step grows with the rate to the power 1.40 [1.20, 1.60]."
    ]
    assert page.standings[0].word == "Partial, in toy models"


def test_without_a_run_the_nearest_statements_lead_with_their_marks(after, library):
    near = Sentence(text="N.", cites=("c1-fixed-points#1",), relation=Relation.STATES, marks=("unread",))
    beside = Sentence(text="B.", cites=("c1-fixed-points#2",), relation=Relation.STATES, marks=("adjacent",))
    page = answer_page(replace(after, sentences=(beside, near), surprise=None), library=library)
    assert [(one.text, one.marks) for one in _block(page, "known").said] == [
        ("N.", ("source not opened",)),
        ("B.", ()),
    ]
    assert page.standings[0].word == "Partial"


def test_numbers_of_the_run_stand_under_the_answer(before, after, library):
    page = answer_page(after, before=before, library=library)
    table = page.blocks[0]
    assert table.title == "Numbers of the run"
    assert table.rows[0] == (
        "share of starts that reach one limit, with injection",
        "99 % [97, 100]",
        60,
        "above 90 %",
        "06a holds",
    )
    # a difference of shares is told in points
    assert table.rows[1][1] == "+52 points [44, 60]"
    assert not [
        one
        for one in answer_page(before, library=library).blocks
        if hasattr(one, "rows") and hasattr(one, "columns")
    ]
    assert not [one for one in answer_page(after).blocks if hasattr(one, "columns")]


def test_contradictions_and_rivals_stand_side_by_side(after, library):
    page = answer_page(after, library=library, pages="claims/")
    row = _block(page, "contradictions").rows[0]
    assert [entry.title for entry in row] == [
        "What makes a loop settle in one place?",
        "Is a resting point the same from every start?",
    ]
    assert row[1].marks == ("stale",)
    first, second = _block(page, "rivals").rows[0]
    assert (first.standing.word, second.standing.word) == ("Holds on toy models", "Never run")
    assert (first.to, second.to) == ("claims/06a.html", "claims/06b.html")
    assert _block(answer_page(after, library=library), "rivals").rows[0][0].to == ""


def test_sources_say_how_they_were_read(before, after, library):
    entries = {
        one.name: one
        for one in _block(answer_page(after, library=library, pages="claims/"), "sources").entries
    }
    assert entries["s-labovich-2026"].to == "https://arxiv.org/abs/2604.15259"
    assert "abstract read" in entries["s-labovich-2026"].facts
    assert entries["s-f3"].marks == ("not opened",)
    run = entries["s-v-06a-20261122-1"]
    assert (run.standing.word, run.to) == ("Holds", "claims/06a.html")
    assert run.command == "limitset claims test 06a --tier quick"
    both = _block(answer_page(before, library=library), "sources").entries
    assert all("one group with 1 more here (founding-essays)" in one.facts for one in both)


def test_what_no_source_stands_for_is_listed_all_the_same(after):
    lost = Sentence(text="Y.", cites=("n-lost#1", "v-99z-20260101-1"), relation=Relation.STATES)
    page = answer_page(replace(after, sentences=(lost,)))
    Outline(render(page)).check_sound()
    assert [one.title for one in _block(page, "sources").entries][-2:] == ["n-lost#1", "Run of claim 99z"]


def test_atom_is_traced_through_the_library_when_a_note_has_several_sources(before, library):
    listed = replace(
        before, sources=tuple(replace(one, notes=("c1-fixed-points",)) for one in before.sources)
    )
    cited = Citations(listed, library)
    assert cited.link("c2-rest#1").words == "f0"
    assert Citations(listed, None).link("c1-fixed-points#2").words == "f3"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"label": Label.SOLID, "missing": (), "coverage": 0.81},
            "3 of 4 things asked about are covered, by 2",
        ),
        ({"label": Label.NONE}, "nothing held bears on this question, so it is not answered."),
        (
            {"label": Label.THIN, "missing": ()},
            "what is held only touches the question (coverage 68 %, 2 independent",
        ),
        ({"independent": 1}, "by 1 independent source (coverage 68 %)"),
    ],
)
def test_label_in_words(after, change, said):
    assert said in label_words(replace(after, **change))


def test_tone_goes_with_the_label(after):
    tones = [standing(replace(after, label=label)).tone for label in Label]
    assert tones == ["right", "part", "wrong", "unrun"]


def test_one_facet_fully_covered(after):
    one = replace(after, facets=after.facets[:1], missing=())
    assert label_words(one).startswith("the one thing asked about is covered")
    assert Change(one, one).words == "Nothing new here by this run."


def test_refusal_has_no_answer_and_keeps_the_search(before):
    refused = replace(
        before,
        label=Label.NONE,
        sentences=(),
        facets=(),
        sources=(),
        missing=(),
        next_lines=(),
        prompt="",
        stale=(),
    )
    page = answer_page(refused)
    outline = Outline(render(page))
    outline.check_sound()
    assert "None: nothing held bears on this question, so it is not answered." in outline.text
    assert "31 statements searched, by full text and embedding." in outline.text
    assert "Research prompt" not in outline.text


def test_answers_to_two_questions_are_not_compared(before, after):
    with pytest.raises(InputError, match="one question"):
        answer_page(after, before=replace(before, question="Another?"))


def test_hostile_texts_are_text_everywhere(hostile, library):
    html = render(answer_page(hostile, before=hostile, library=library, pages="claims/"))
    outline = Outline(html)
    outline.check_sound()
    assert [tag for tag, _ in outline.tags].count("script") == 3
    assert "<script>alert" not in html
    assert "\u202e" not in html
    assert "{{7*7}}" in outline.text
    assert "49" not in outline.text
    assert all(link.startswith(("#", "claims/", "https://")) for link in outline.links)


def test_prompt_keeps_its_lines(after):
    html = render(answer_page(after))
    start = html.index('<pre class="take"')
    assert html[start : html.index("</pre>", start)].count("\n") == after.prompt.strip().count("\n")
