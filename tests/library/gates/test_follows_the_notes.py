"""Does an answer follow its notes: when one is deleted, changed, contradicted, out of time, or counted twice?"""

import datetime as dt
import re

import numpy as np
import pytest

from library.gates.conftest import TODAY, opposing
from library.planted.shelf import SUBJECTS, claim, note, question, source, verdict
from limitset.library.holdings.library import Library
from limitset.library.inquiry.answer import Label
from limitset.library.inquiry.asking import ask, compared
from limitset.library.inquiry.gates import LAYERS, followed

ORDER = [Label.NONE, Label.THIN, Label.PARTIAL, Label.SOLID]


def said(answer):
    return " ".join(one.text for one in answer.sentences)


def area(scores, wanted):
    """Area under the ROC curve: the share of pairs put in the right order, ties half."""
    pairs = [(one, other) for one, yes in zip(scores, wanted, strict=True) if yes for other, no in
             zip(scores, wanted, strict=True) if not no]  # fmt: skip
    return float(np.mean([(one > other) + 0.5 * (one == other) for one, other in pairs]))


def test_area_by_hand():
    # kept .9 .4, deleted .5 .1: of four pairs three are in order
    assert area([0.9, 0.4, 0.5, 0.1], [True, True, False, False]) == 0.75


def test_deletion_lowers_the_label_and_the_coverage(asked, shelf):
    # three studies a question; they go one by one
    rows = []
    for place in range(len(SUBJECTS)):
        labels, totals = [], []
        for gone in range(4):
            if gone:
                (shelf / "notes" / f"joins-{place}-{3 - gone}.md").unlink()
            answer = asked(question(place))
            labels.append(answer.label)
            totals.append(answer.coverage)
            rows.append((answer.coverage, gone / 3))
        assert labels[0] is Label.SOLID
        assert ORDER.index(labels[-1]) < ORDER.index(Label.PARTIAL)
        assert [ORDER.index(one) for one in labels] == sorted(
            (ORDER.index(one) for one in labels), reverse=True
        )
        assert totals == pytest.approx(sorted(totals, reverse=True))
    scores, shares = zip(*rows, strict=True)
    assert area(scores, [share < 1 for share in shares]) == 1.0


def test_deletion_in_the_built_in_library(copied, answers):
    # what an answer cites is deleted, notes and verdicts, and what takes its place, a third of it at a time
    rng = np.random.default_rng(20261122)
    chosen = [one for one in answers if one.label in (Label.SOLID, Label.PARTIAL)][::2][:6]
    assert len(chosen) == 6
    rows, stayed = [], []
    for intact in chosen:
        layers, answer = [], intact
        for _ in range(LAYERS):
            files = copied.files_of(answer)
            if not files:
                break
            layers += [files[place] for place in rng.permutation(len(files))]
            with copied.without(layers):
                answer = copied.asked(intact.question)
        for share in (0, 1 / 3, 2 / 3, 1):
            with copied.without(layers[: round(share * len(layers))]):
                answer = copied.asked(intact.question)
            rows.append((answer.coverage, share))
        if ORDER.index(answer.label) >= ORDER.index(intact.label):
            stayed.append((intact.question, intact.label, intact.coverage, answer.coverage))
    assert stayed == []
    scores, shares = zip(*rows, strict=True)
    whole = [(score, share == 0) for score, share in zip(scores, shares, strict=True) if share in (0, 1)]
    assert area(*zip(*whole, strict=True)) > 0.9


def test_a_changed_number_changes_the_answer(asked, shelf):
    for place in range(len(SUBJECTS)):
        file = shelf / "notes" / f"joins-{place}-0.md"
        before = asked(question(place))
        number = f"{0.2 + 0.03 * place:.2f}"
        assert f"falls by {number} when" in said(before)
        file.write_text(file.read_text().replace(f"falls by {number}", "falls by 0.77"))
        after = asked(question(place))
        assert "falls by 0.77 when" in said(after)
        assert f"falls by {number} when" not in said(after)
        assert before.holdings != after.holdings


def test_a_changed_number_changes_the_answer_of_the_built_in_library(copied, answers):
    assert followed(copied, answers, most=8) == [True] * 8


def test_a_flipped_direction_flips_the_answer(asked, shelf):
    file = shelf / "notes" / "joins-1-1.md"
    assert "increases to" in said(asked(question(1)))
    file.write_text(file.read_text().replace("increases to", "decreases to"))
    assert "decreases to" in said(asked(question(1)))
    assert "increases to" not in said(asked(question(1)))


def test_a_changed_verdict_changes_the_answer(asked, shelf):
    claim(shelf, "90a", "zinnia", "Quartz tempo moves zinnia drift.")
    verdict(shelf, "90a", "holds", number=0.81)
    first = asked(question(0))
    assert "“Quartz tempo moves zinnia drift” holds on toy models: share of planted nets 0.81" in said(first)
    verdict(shelf, "90a", "fails", number=0.03)
    second = said(asked(question(0)))
    assert "fails on toy models: share of planted nets 0.03" in second
    assert "holds on toy models: share of planted nets 0.81" not in second


def test_a_changed_claim_rewords_its_verdict(asked, shelf):
    path = claim(shelf, "90a", "zinnia", "Quartz tempo moves zinnia drift.")
    verdict(shelf, "90a", "holds", number=0.81)
    assert "“Quartz tempo moves zinnia drift”" in said(asked(question(0)))
    path.write_text(path.read_text().replace("moves", "stills"))
    assert "“Quartz tempo stills zinnia drift”" in said(asked(question(0)))


def test_contradictions_are_recalled(asked, shelf):
    pairs = []
    for place, (one, other) in enumerate(SUBJECTS):
        source(shelf, f"against-{place}")
        note(shelf, f"against-{place}", [(f"No {one} was seen under {other} at all.", f"against-{place}", "finding")],
             contradicts=[f"joins-{place}-1"], title=f"Is there {one} under {other}?")  # fmt: skip
        opposing(shelf, f"against-{place}", f"joins-{place}-1#1")
        pairs.append({f"against-{place}", f"joins-{place}-1"})
    for place, pair in enumerate(pairs):
        answer = asked(question(place))
        assert pair in [set(found) for found in answer.contradictions]
        contrast = [one for one in answer.sentences if one.relation == "contrasts"]
        assert any({cite.split("#")[0] for cite in one.cites} == pair for one in contrast)
        assert any(line.born_of == "contradiction" for line in answer.next_lines)


def test_notes_that_contradict_each_other_as_wholes_are_listed_and_no_more(asked, shelf):
    note(shelf, "against", [("No zinnia drift was seen under quartz tempo.", "study-0-1", "finding")],
         contradicts=["joins-0-0"], title="Is there zinnia drift?")  # fmt: skip
    answer = asked(question(0))
    assert {frozenset(pair) for pair in answer.contradictions} == {frozenset(("against", "joins-0-0"))}
    assert [one.text for one in answer.sentences if one.relation == "contrasts"] == []


def test_only_statements_recorded_as_opposed_are_set_against_each_other(asked, shelf):
    note(shelf, "against", [("Zinnia drift is the name of a knot.", "study-0-1", "definition")])
    opposing(shelf, "against", "joins-0-0#1")
    contrast = [one for one in asked(question(0)).sentences if one.relation == "contrasts"]
    assert [one.text for one in contrast] == [
        "Against joins-0-0#1 stands against#1: Zinnia drift is the name of a knot."
    ]
    (shelf / "notes" / "against.md").unlink()
    assert [one for one in asked(question(0)).sentences if one.relation == "contrasts"] == []


def test_contradictions_of_the_built_in_library_are_recalled(answers, builtin):
    opposed = {name: set(note.contradicts) for name, note in builtin.notes.items()}
    for name, others in list(opposed.items()):
        for other in others:
            opposed[other].add(name)
    wanted, found = 0, 0
    for answer in answers:
        states = [one for one in answer.sentences if one.relation == "states"]
        used = {cite.split("#")[0] for one in states for cite in one.cites}
        held = {frozenset(pair) for pair in answer.contradictions}
        for name in used & set(opposed):
            for other in opposed[name]:
                wanted += 1
                found += frozenset((name, other)) in held
    assert wanted > 10
    assert found == wanted


def test_what_is_stale_is_marked(asked, shelf):
    claim(shelf, "90a", "zinnia", "Quartz tempo moves zinnia drift.")
    verdict(shelf, "90a", "holds", expires="2026-12-01")
    note(shelf, "old", [("Long ago, zinnia drift was 0.9 under quartz tempo.", "study-0-0", "finding")],
         reviewed="2024-01-01", created="2024-01-01", half_life=365)  # fmt: skip
    now = asked(question(0))
    assert now.stale == ("old#1",)
    later = asked(question(0), dt.date(2026, 12, 2))
    assert set(later.stale) == {"old#1", "v-90a-20261122-0"}
    marked = {
        cite
        for one in later.sentences
        if one.relation == "states" and "stale" in one.marks
        for cite in one.cites
    }
    assert marked == set(later.stale)
    line = next(one for one in later.next_lines if one.born_of == "stale")
    assert line.command == "limitset claims test 90a"


def test_everything_is_stale_in_forty_years(builtin, cache):
    day = dt.date(2066, 1, 1)
    answer = ask(
        "How do normalization and input injection control fixed points?",
        library=builtin,
        today=day,
        cache=cache,
    )
    cited = {cite for one in answer.sentences if one.relation == "states" for cite in one.cites}
    assert cited <= set(answer.stale)
    assert answer.label in (Label.THIN, Label.NONE)


def test_two_notes_on_one_study_count_once(shelf, asked):
    for place in range(3):  # all three studies become one
        file = shelf / "notes" / f"joins-3-{place}.md"
        file.write_text(re.sub(r'source = ".*"', 'source = "study-3-0"', file.read_text()))
    one = asked(question(3))
    assert one.independent == 1
    assert one.label is Label.PARTIAL
    assert asked(question(4)).independent == 3
    assert asked(question(4)).label is Label.SOLID


def test_two_papers_of_one_lineage_count_once(shelf, asked):
    text = (shelf / "sources.toml").read_text()
    (shelf / "sources.toml").write_text(re.sub(r'lineage = "study-3-\d"', 'lineage = "lab"', text))
    answer = asked(question(3))
    assert (answer.independent, answer.label) == (1, Label.PARTIAL)
    assert len(answer.sources) == 3


def test_one_thing_said_twice_is_said_once(shelf, asked):
    text = (shelf / "notes" / "joins-0-0.md").read_text()
    (shelf / "notes" / "again.md").write_text(text.replace('id = "joins-0-0"', 'id = "again"'))
    answer = asked(question(0))
    assert said(answer).count("falls by 0.20") == 1


@pytest.mark.parametrize(("access", "most"), [("secondary", Label.PARTIAL), ("abstract", Label.SOLID)])
def test_unopened_sources_alone_are_never_solid(shelf, asked, access, most):
    text = (shelf / "sources.toml").read_text()
    (shelf / "sources.toml").write_text(text.replace('access = "abstract"', f'access = "{access}"'))
    answer = asked(question(0))
    assert ORDER.index(answer.label) <= ORDER.index(most)
    assert ("unread" in answer.sentences[0].marks) == (access == "secondary")
    if access == "secondary":
        assert any(
            "were not opened, so that the answer is partial at most" in one.text for one in answer.sentences
        )


def test_the_first_worked_question_was_thin_and_is_not_any_more(builtin, cache):
    question = "How do normalization and input injection control the emergence of fixed points?"
    both = compared(question, builtin, dt.date(2026, 11, 21), TODAY, cache=cache)
    assert both.before.label is Label.THIN
    assert both.before.sentences[0].text.startswith("Thin: ")
    assert both.now.label in (Label.PARTIAL, Label.SOLID)
    assert both.before.coverage < 0.4 < both.now.coverage
    assert any(cite.startswith("n-labovich-loops#") for one in both.now.sentences for cite in one.cites)


def test_a_day_before_the_library_nothing_is_held(builtin, cache):
    answer = ask("Is closure truth?", library=builtin.on(dt.date(2026, 1, 1)), today=TODAY, cache=cache)
    assert (answer.label, answer.search.statements) == (Label.NONE, 0)


def test_a_verdict_is_not_seen_before_its_day(shelf, tmp_path):
    claim(shelf, "90a", "zinnia", "Quartz tempo moves zinnia drift.")
    first = verdict(shelf, "90a", "holds", date="2026-11-21")
    second = verdict(shelf, "90a", "fails", number=0.02, date="2026-11-22")
    library = Library.opened(shelf, builtin=False)
    both = compared(question(0), library, dt.date(2026, 11, 21), TODAY, cache=tmp_path)
    assert first in {cite for one in both.before.sentences for cite in one.cites}
    assert second in {cite for one in both.now.sentences for cite in one.cites}
    assert first not in {cite for one in both.now.sentences for cite in one.cites}
