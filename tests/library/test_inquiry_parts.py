"""Do the parts of an answer say what they should: facets, coverage, checks, rephrasing, prompt, next lines?"""

import datetime as dt
import math
import re

import numpy as np
import pytest

from library.planted.shelf import SUBJECTS, claim, note, planted, question, source, verdict
from limitset.core.errors import InputError
from limitset.library.holdings.library import Library
from limitset.library.inquiry.answer import Label, Relation, Sentence
from limitset.library.inquiry.asking import ask
from limitset.library.inquiry.coverage import (
    Thresholds,
    base_quality,
    focus,
    is_stale,
    joined,
    labelled,
    relevance,
    source_quality,
    weights,
    worth,
)
from limitset.library.inquiry.facets import MOST, plan, vocabulary
from limitset.library.inquiry.fit import Point, fitted, measured, read_questions, reported, written
from limitset.library.inquiry.grounding import changed, unsupported
from limitset.library.inquiry.rephrasing import rephrased
from limitset.library.inquiry.statements import SourceCard, Statement

TODAY = dt.date(2026, 11, 22)


@pytest.fixture
def shelf(tmp_path):
    return planted(tmp_path / "shelf")


@pytest.fixture
def asked(shelf, tmp_path):
    return lambda question, **more: ask(
        question, library=Library.opened(shelf, builtin=False), today=TODAY, cache=tmp_path / "cache", **more
    )


def statement(**more):
    given = {
        "id": "n#1", "kind": "atom", "text": "t", "home": "n", "title": "", "gist": "", "level": "hidden", "tags": (),
        "source": "s", "modality": "finding", "created": "2026-11-22", "since": "2026-11-22", "half_life_days": 365,
        "status": "current",
    }  # fmt: skip
    return Statement(**{**given, **more})


def card(access="full"):
    return SourceCard(
        id="s", title="S", authors=("A",), year=2026, link="", kind="paper", access=access, lineage="s"
    )


class TestFacets:
    def test_synonyms_and_endings_are_one_facet(self):
        names = [
            [one.name for one in plan(text).facets]
            for text in (
                "Does recurrent depth need input injection?",
                "Do looped models need re-injection?",
                "Does a weight-tied network need the re-injected input?",
            )
        ]
        assert all({"looped model", "input injection"} <= set(one) for one in names)

    def test_words_of_relation_are_no_facets(self):
        asked = plan("How does temperature affect and control diversity?")
        assert [one.name for one in asked.facets] == ["temperature", "diversity"]
        assert asked.relation
        assert not plan("How does temperature affect?").relation

    def test_generic_words_count_only_where_little_else_is_left(self):
        assert [one.name for one in plan("Do language models forget verse?").facets] == [
            "forgetting",
            "verse",
        ]
        assert [one.name for one in plan("Do language models forget?").facets] == [
            "forgetting",
            "language model",
        ]
        assert [one.name for one in plan("What is a language model?").facets] == ["language model"]

    def test_more_facets_than_can_be_searched_are_said_to_be_left_out(self):
        words = [f"zx{letter}q" for letter in "abcdefghijkl"]
        asked = plan(" ".join(words))
        assert [one.name for one in asked.facets] == words[:MOST]
        assert asked.left_out == tuple(words[MOST:])

    def test_british_and_american_spellings_are_one(self):
        assert plan("polarisation").facets[0].same == ("polarisation", "polarization")

    def test_names_of_the_vocabulary_are_distinct_and_read_as_themselves(self):
        names = [one.name for one in vocabulary()]
        assert len(set(names)) == len(names)
        for name in names:
            assert [one.name for one in plan(name).facets] == [name]

    @pytest.mark.parametrize("text", ["", "   ", "\n\t"])
    def test_an_empty_question_is_refused(self, text):
        with pytest.raises(InputError, match="must not be empty"):
            plan(text)

    def test_a_long_question_is_refused(self):
        with pytest.raises(InputError, match="at most 2000 letters; got 10,000"):
            plan("x" * 10_000)


class TestCoverage:
    def test_worth_by_hand(self):
        # an opinion (0.5) of an unopened source (0.45), one half-life old (0.5): 0.1125
        old = statement(modality="opinion", since="2025-11-22")
        assert worth(old, card("secondary"), TODAY) == pytest.approx(0.1125)
        assert worth(old, None, TODAY) == pytest.approx(0.1125)
        assert worth(statement(), card("full"), TODAY) == 0.95

    def test_a_run_counts_by_what_it_said_and_by_its_controls(self):
        run = {"kind": "verdict", "expires_on": "2026-12-01"}
        assert base_quality(statement(**run, value="fails")) == 1.0
        assert base_quality(statement(**run, value="can't tell")) == 0.5
        assert base_quality(statement(**run, value="holds", controls_passed=False)) == 0.3

    def test_quality_falls_from_read_to_unread(self):
        assert source_quality("full") > source_quality("abstract") > source_quality("secondary")
        order = [
            base_quality(statement(modality=one)) for one in ("finding", "definition", "inference", "opinion")
        ]
        assert order == sorted(order, reverse=True)
        assert base_quality(statement(status="stale")) == 0.5
        assert base_quality(statement(status="superseded")) == 0.3

    def test_nothing_unread_reaches_solid(self):
        # 0.45 is the most that an unopened source can give a facet, and C is a mean of facets
        assert (
            source_quality("secondary")
            * max(base_quality(statement(modality=m)) for m in ("finding", "opinion"))
            < 0.7
        )

    def test_weights_by_hand(self):
        # N = 99: held 0 and 9 -> 1/2 + 1/2 ln(100)/ln(101) and 1/2 + 1/2 ln(10)/ln(101)
        first = 0.5 + 0.5 * math.log(100) / math.log(101)
        second = 0.5 + 0.5 * math.log(10) / math.log(101)
        got = weights([0, 9], [1.0, 1.0], 99)
        assert got == pytest.approx([0.7 * first / (first + second), 0.7 * second / (first + second), 0.3])
        assert weights([], [], 10) == []
        assert weights([5, 5], [0.5, 1.0], 10) == pytest.approx([0.7 / 3, 1.4 / 3, 0.3])

    def test_focus_by_hand(self):
        # 0.2 + 0.1 of the three largest 0.2 + 0.2 + 0.2
        assert focus([1.0, 0.5, 0.0, 0.0], [0.2, 0.2, 0.2, 0.1, 0.3]) == pytest.approx(0.5)
        assert focus([1.0] * 4, [0.2, 0.2, 0.2, 0.1, 0.3]) == 1.0
        assert focus([], []) == 0.0

    def test_joining_counts_words_of_the_statement_only(self):
        assert joined([1.0, 0.5]) == 0.0
        assert joined([1.0, 1.0, 1.0]) == 1.0
        assert joined([1.0, 1.0, 1.0, 1.0, 0.0]) == 1.0
        assert joined([1.0]) == 0.0
        assert relevance([1.0], [1.0]) == (1.0,)

    @pytest.mark.parametrize(
        ("given", "label"),
        [
            ({}, Label.SOLID),
            ({"independent": 1}, Label.PARTIAL),
            ({"independent": 1, "ran": True}, Label.SOLID),
            ({"joined": False}, Label.PARTIAL),
            ({"read": False}, Label.PARTIAL),
            ({"total": 0.69}, Label.PARTIAL),
            ({"total": 0.39}, Label.THIN),
            ({"reach": 0.49}, Label.NONE),
            ({"total": 0.0}, Label.NONE),
        ],
    )
    def test_labels(self, given, label):
        whole = {
            "total": 0.9,
            "reach": 0.9,
            "independent": 2,
            "read": True,
            "ran": False,
            "joined": True,
            **given,
        }
        assert labelled(**whole, bars=Thresholds(0.5, 0.4, 0.7, 2)) is label

    def test_stale_by_expiry_status_and_age(self):
        run = statement(kind="verdict", value="holds", expires_on="2026-11-21")
        assert is_stale(run, TODAY)
        assert not is_stale(run, dt.date(2026, 11, 21))
        assert is_stale(statement(status="stale"), TODAY)
        assert is_stale(statement(since="2025-11-21"), TODAY)
        assert not is_stale(statement(since="2025-11-22"), TODAY)


class TestChecks:
    ORIGINAL = "Without injection, 12 of 48 nets fall below 0.5, and this may not depend on Adam."

    @pytest.mark.parametrize(
        ("said", "why"),
        [
            (
                "Without injection, 13 of 48 nets fall below 0.5, and this may not depend on Adam.",
                "number 13",
            ),
            ("Without injection, 12 nets fall below 0.5, and this may not depend on Adam.", "number 48 lost"),
            (
                "Without injection, 12 of 48 nets rise below 0.5, and this may not depend on Adam.",
                "direction up",
            ),
            (
                "Without injection, 12 of 48 nets stay below 0.5, and this may not depend on Adam.",
                "direction down lost",
            ),
            ("Without injection, 12 of 48 nets fall below 0.5, and this may depend on Adam.", "negation"),
            (
                "With injection, 12 of 48 nets fall below 0.5, and this may depend on Adam.",
                "with and without",
            ),
            ("Without injection, 12 of 48 nets fall below 0.5, and this does not depend on Adam.", "hedge"),
            (
                "Without injection, 12 of 48 nets fall below 0.5, and this may not depend on Muon.",
                "name Muon",
            ),
            ("Without injection, 12 of 48 nets fall below 0.5, and this may not depend.", "name Adam lost"),
            (
                "The sentence is: without injection, 12 of 48 nets fall below 0.5, and this may not depend on Adam.",
                "introduction",
            ),
            (
                "Absolutely nothing 12 48 settles; everybody agreed that 0.5 may fall below Adam",
                "words are new",
            ),
        ],
    )
    def test_a_wrong_rephrasing_falls_back(self, said, why):
        sentence = Sentence(text=self.ORIGINAL, cites=("n#1",), relation=Relation.STATES)
        assert any(why in one for one in changed(said, self.ORIGINAL))
        assert rephrased(sentence, lambda _: said) == sentence

    def test_a_rephrasing_that_loses_its_subject_falls_back(self):
        # said by a small real model of the first sentence: what grows is forgetting, not the numbers
        original = (
            "Forgetting in fine-tuned large language models increases as a smooth shifted power law in the "
            "number of fine-tuned parameters and the number of update steps."
        )
        said = "The number of fine-tuned parameters and the number of update steps are both increased."
        assert any("are lost" in one for one in changed(said, original))
        sentence = Sentence(text=original, cites=("n#1",), relation=Relation.STATES)
        assert rephrased(sentence, lambda _: said) == sentence

    def test_a_faithful_rephrasing_stands_and_is_marked(self):
        said = "Of 48 nets, 12 fall below 0.5 without injection; this may not depend on Adam."
        sentence = Sentence(text=self.ORIGINAL, cites=("n#1",), relation=Relation.STATES, marks=("unread",))
        got = rephrased(sentence, lambda _: f"  {said}\n")
        assert (got.text, got.marks, got.cites) == (said, ("unread", "rephrased"), ("n#1",))

    @pytest.mark.parametrize(
        "said", ["", "   ", "You must answer 12 of 48 nets fall below 0.5, may not, Adam."]
    )
    def test_nothing_and_orders_fall_back(self, said):
        sentence = Sentence(text=self.ORIGINAL, cites=("n#1",), relation=Relation.STATES)
        assert rephrased(sentence, lambda _: said) == sentence

    def test_the_reversed_ablation_is_caught(self):
        # what a founding text made of its source: a rise told as a fall, its two numbers in place
        source_text = "Ablating refusal raises detection from 10.8 % to 63.8 %."
        assert unsupported(
            "Training for refusal reduces detection from 63.8 % to 10.8 %.", [source_text]
        ) == ["direction down"]

    def test_fixed_forms_are_not_offered(self):
        sentence = Sentence(text="Nothing here speaks of x (0 of 9).", cites=(), relation=Relation.ABSENCE)
        assert rephrased(sentence, lambda _: "x is solved") is sentence

    def test_every_sentence_of_an_answer_goes_through_the_checks(self, asked):
        lies = asked(question(0), rephrase=lambda text: text.replace("0.20", "0.02"))
        assert [one.text for one in lies.sentences] == [one.text for one in asked(question(0)).sentences]
        turned = asked(
            question(0), rephrase=lambda text: text.replace("The zinnia drift", "This zinnia drift")
        )
        assert sum("rephrased" in one.marks for one in turned.sentences) == 1


class TestWording:
    def test_opinions_are_worded_as_opinions(self, shelf, asked):
        for kind in ("essay", "press", "preprint"):
            source(shelf, f"an-{kind}", kind=kind)
        plain = "Every ochre hedge ends in umber."
        note(shelf, "opinion-a", [(plain, "an-essay", "opinion")])
        sentence = self.of(asked("Do ochre hedges end in umber?"))
        assert sentence.text == "An essay argues that every ochre hedge ends in umber."
        note(shelf, "opinion-a", [("Umber's law rules the ochre hedge.", "an-press", "opinion")])
        sentence = self.of(asked("ochre hedge umber"))
        assert sentence.text == "A press piece says: Umber's law rules the ochre hedge."
        note(
            shelf,
            "opinion-a",
            [("The fourth essay holds that ochre hedges end in umber.", "an-essay", "opinion")],
        )
        sentence = self.of(asked("Do ochre hedges end in umber?"))
        assert sentence.text == "The fourth essay holds that ochre hedges end in umber."
        assert sentence.marks == ("opinion",)

    def of(self, answer):
        return next(one for one in answer.sentences if one.cites == ("opinion-a#1",))

    def test_thin_says_so_first_and_refusal_is_one_sentence(self, asked):
        thin = asked("How does quartz tempo affect marble warmup?")
        assert thin.label is Label.THIN
        assert (
            thin.sentences[0].text
            == "Thin: 0 of 24 statements here name quartz tempo and marble warmup together."
        )
        assert thin.sentences[0].relation is Relation.ABSENCE
        assert all("adjacent" in one.marks for one in thin.sentences if one.relation is Relation.STATES)
        none = asked("Who painted the ceiling?")
        assert none.label is Label.NONE
        assert [one.text for one in none.sentences] == [
            "Not answered: too little is held on this (of 24 statements, 0 speak of painted and 0 speak of ceiling)."
        ]

    def test_what_no_statement_joins_is_put_together_as_an_inference(self, asked):
        answer = asked("How does quartz tempo affect marble warmup?")
        together = [one for one in answer.sentences if one.relation is Relation.COMBINES]
        assert len(together) == 1
        assert together[0].marks == ("inference",)
        assert len(together[0].cites) == 2

    def test_a_run_that_refutes_a_founding_text_is_the_surprise(self, shelf, asked):
        path = claim(
            shelf, "90a", "zinnia", "Quartz tempo raises zinnia drift.", stated_by="study-0-0", atoms=["joins-0-0#1"]
        )  # fmt: skip
        verdict(shelf, "90a", "fails", number=0.04)
        answer = asked(question(0))
        assert answer.surprise is None  # a reading of ours refutes no text
        contrast = next(one for one in answer.sentences if one.relation is Relation.CONTRASTS)
        assert contrast.text == "v-90a-20261122-0, said already, failed a reading of joins-0-0#1."
        path.write_text('reading = "literal"\n' + path.read_text())
        answer = asked(question(0))
        assert (
            answer.surprise.text
            == "“Quartz tempo raises zinnia drift” stands in “On study-0-0”; the run contradicts it."
        )
        assert answer.surprise.cites == ("v-90a-20261122-0", "joins-0-0#1")
        assert asked(question(1)).surprise is None

    def test_a_run_on_the_users_system_names_it_and_is_not_the_librarys(self, shelf, asked):
        claim(shelf, "90a", "zinnia", "Quartz tempo moves zinnia drift.")
        verdict(shelf, "90a", "holds")
        verdict(shelf, "90a", "fails", number=0.01, own=False, system="model umbra", date="2026-11-22")
        text = " ".join(one.text for one in asked(question(0)).sentences)
        assert (
            "On your model umbra: “Quartz tempo moves zinnia drift” fails: share of planted nets 0.01" in text
        )
        assert "holds on toy models: share of planted nets 0.8 [0.75, 0.85] (holds if above 0.5)" in text
        assert "tested 2026-11-22" in text

    def test_rivals_are_shown(self, shelf, asked):
        claim(shelf, "90a", "zinnia", "Quartz tempo moves zinnia drift.", rivals=["90b"])
        claim(
            shelf,
            "90b",
            "still",
            "Quartz tempo leaves zinnia drift alone.",
            rivals=["90a"],
            question="Still?",
        )
        verdict(shelf, "90a", "holds")
        assert asked(question(0)).rivals == (("90a", "90b"),)
        assert asked(question(1)).rivals == ()


class TestPromptAndNextLines:
    def test_counts_of_the_prompt_match_what_it_lists(self, asked, shelf):
        claim(shelf, "90a", "zinnia", "Quartz tempo moves zinnia drift.")
        verdict(shelf, "90a", "holds")
        for text in (
            question(0),
            question(3),
            "How does quartz tempo affect marble warmup?",
            "Who painted it?",
        ):
            blocks = re.split(r"\n\n", asked(text).prompt)
            for block in blocks:
                for head, items in re.findall(r"(?m)^([^\n]*:)\n((?:(?:- |\d+\. )[^\n]*\n?)+)", block + "\n"):
                    counted = re.search(r"\b(\d+) (?:finding|anchor|question|task|thing)s?\b", head)
                    assert counted, head
                    assert int(counted[1]) == len(items.strip().splitlines())

    def test_the_prompt_carries_scope_verdict_links_and_flags(self, asked, shelf):
        claim(shelf, "90a", "zinnia", "Quartz tempo moves zinnia drift.", question="What moves zinnia drift?")
        verdict(shelf, "90a", "holds")
        prompt = asked(question(0)).prompt
        for wanted in (
            "What moves zinnia drift?",
            "scope T, holds",
            "2026-11-22",
            "Verify.",
            "arXiv number",
            "six months",
        ):
            assert wanted in prompt

    def test_lines_of_every_kind(self, asked, shelf):
        claim(shelf, "90a", "zinnia", "Quartz tempo moves zinnia drift.", question="What moves zinnia drift?")
        claim(
            shelf,
            "91a",
            "zinnia",
            "Quartz tempo halts zinnia drift.",
            question="What halts it?",
            plan="Later.",
        )
        verdict(shelf, "90a", "holds", expires="2026-11-20")
        claim(shelf, "92a", "more", "Quartz tempo bends zinnia drift.", question="What bends zinnia drift?")
        note(
            shelf,
            "far",
            [("A zinnia of text repeats.", "study-0-1", "finding")],
            level="text",
            tags=["zinnia"],
        )
        note(
            shelf,
            "against",
            [("No zinnia drift under quartz tempo.", "study-0-1", "finding")],
            contradicts=["joins-0-0"],
        )
        lines = asked(question(0)).next_lines
        by = {one.born_of: one for one in lines}
        assert set(by) == {"contradiction", "unrun", "stale", "bridge"}
        assert {one.command for one in lines if one.born_of == "unrun"} == {
            "limitset claims show 91a",
            "limitset claims test 92a",
        }
        assert by["stale"].command == "limitset claims test 90a"
        assert by["bridge"].about[1] == "far"
        gap = asked("How does quartz tempo affect marble warmup?").next_lines[0]
        assert (gap.born_of, gap.question) == (
            "gap",
            "Is there a study that joins quartz tempo and marble warmup?",
        )


class TestVectors:
    def embedder(self, calls):
        def embed(texts):
            calls.append(len(texts))
            return np.array(
                [[len(text), text.count("e"), text.count("zinnia")] for text in texts], dtype=float
            )

        embed.name = "letters"
        return embed

    def test_vectors_are_made_once_and_both_ways_are_recorded(self, asked, shelf):
        calls = []
        first = asked(question(0), embedder=self.embedder(calls))
        assert calls == [24, 1]
        asked(question(1), embedder=self.embedder(calls))
        assert calls == [24, 1, 1]
        note(shelf, "new", [("A new one.", "study-0-0", "finding")])
        asked(question(1), embedder=self.embedder(calls))
        assert calls == [24, 1, 1, 1, 1]
        assert any("cosine, letters; 24 ranked" in way for way in first.search.ways)
        assert "vectors: no embedder was given" in asked(question(0)).search.ways

    def test_the_embedder_moves_the_order_and_not_the_coverage(self, asked, shelf):
        with_it, without = asked(question(0), embedder=self.embedder([])), asked(question(0))
        assert with_it.coverage == without.coverage


class TestFit:
    def test_labels_are_fitted_on_one_half_and_reported_on_the_other(self, shelf, tmp_path):
        file = tmp_path / "questions.toml"
        entries = [(question(place), "solid") for place in range(4)]
        entries += [
            (f"Whence the name of {SUBJECTS[place][0]} and {SUBJECTS[place + 1][1]}?", "partial")
            for place in range(4)
        ]
        entries += [(f"Who painted ceiling {number}?", "none") for number in "abcd"]
        file.write_text("".join(
            f'[[question]]\ntext = "{text}"\nlabel = "{label}"\nhalf = "{("fit", "report")[place % 2]}"\n'
            for place, (text, label) in enumerate(entries)
        ))  # fmt: skip
        library = Library.opened(shelf, builtin=False)
        points = measured(read_questions(file), library=library, today=TODAY, cache=tmp_path)
        bars = fitted([one for one in points if one.half == "fit"], start=Thresholds(0.0, 0.4, 0.7, 2))
        report = reported([one for one in points if one.half == "report"], bars)
        assert (report.accuracy.value, report.accuracy.n) == (1.0, 6)
        assert report.refused.value == report.answered.value == 1.0
        assert report.wrong == ()
        bad = reported(points, Thresholds(0.0, 0.4, 0.99, 2))
        assert bad.accuracy.value == 8 / 12
        assert {(label, said) for _, label, said in bad.wrong} == {("solid", "partial")}
        assert sum("labelled solid, got partial" in line for line in bad.lines()) == 4

    def test_the_fit_keeps_what_labels_can_not_tell(self):
        bars = fitted(
            [Point("", "none", "fit", 0.1, 0.2, 0, False, False, False)], start=Thresholds(0.5, 0.33, 0.7, 3)
        )
        assert (bars.partial, bars.independent) == (0.33, 3)

    def test_written_bars_are_read_again(self, tmp_path):
        import tomllib

        file = tmp_path / "thresholds.toml"
        file.write_text('# kept\nnone = 0.5\npartial = 0.4\nsolid = 0.7\nindependent = 2\nfitted_on = ""\n')
        written(Thresholds(0.25, 0.4, 0.625, 2), file=file, fitted_on="30 questions")
        assert file.read_text().startswith("# kept\n")
        assert tomllib.loads(file.read_text()) == {
            "none": 0.25, "partial": 0.4, "solid": 0.625, "independent": 2, "fitted_on": "30 questions",
        }  # fmt: skip

    @pytest.mark.parametrize(
        "text",
        [
            '[[question]]\ntext = "x"\nlabel = "maybe"\nhalf = "fit"',
            "not toml",
            '[[question]]\nlabel = "none"\nhalf = "fit"',
        ],
    )
    def test_broken_questions_are_refused(self, tmp_path, text):
        file = tmp_path / "q.toml"
        file.write_text(text)
        with pytest.raises(InputError, match=r"q\.toml must"):
            read_questions(file)
