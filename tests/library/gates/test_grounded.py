"""Is every sentence carried by what it cites, and does it need all of it?"""

from dataclasses import replace

import pytest

from library.gates.conftest import opposing
from library.planted.shelf import SUBJECTS, claim, note, question, verdict
from limitset.library.holdings.library import Library
from limitset.library.inquiry.answer import Relation
from limitset.library.inquiry.gates import texts_of
from limitset.library.inquiry.grounding import ungrounded
from limitset.library.inquiry.stemming import stems_of, words_of

FORMS = set(stems_of(words_of(
    "A run failed a reading of contradicts contradict each other one the Against stands your An essay argues that a press piece says a paper preprint document somebody those who ran it "
    "hold the claim tested in on fails holds can not be decided interval to n by if above below and one"
)))  # fmt: skip


def sentences_of(answer):
    return [*answer.sentences, *([answer.surprise] if answer.surprise else [])]


def own_words(sentence, texts):
    """Words of a sentence that stand neither in what it cites nor in a fixed form."""
    cited = set(stems_of(words_of(" ".join(f"{one} {texts[one]}" for one in sentence.cites))))
    return set(stems_of(words_of(sentence.text))) - cited - FORMS


def needed(sentence, cite, answer, texts):
    """Whether a sentence would lose something without one of its citations."""
    if sentence.relation in (Relation.CONTRASTS, Relation.COMBINES):
        return len(sentence.cites) == 2  # a relation has two ends
    if sentence.relation is Relation.LIMITS and any(word.isdigit() for word in words_of(sentence.text)):
        return str(len(sentence.cites)) in words_of(sentence.text)  # it counts them
    rest = replace(sentence, cites=tuple(one for one in sentence.cites if one != cite))
    alone = replace(sentence, cites=(cite,))
    return bool(ungrounded(rest, texts, answer.search)) or not ungrounded(alone, texts, answer.search)


def test_every_sentence_of_the_built_in_library_is_grounded(answers, builtin):
    texts = texts_of(builtin)
    wrong = [
        (answer.question, sentence.text, found)
        for answer in answers
        for sentence in sentences_of(answer)
        if (found := ungrounded(sentence, texts, answer.search))
    ]
    assert not wrong
    assert sum(len(answer.sentences) for answer in answers) > 100


def test_citation_recall_is_1(answers, builtin):
    # ALCE: a sentence is recalled when its citations together carry it; here: no content word of its own
    texts = texts_of(builtin)
    said = [
        (sentence, own_words(sentence, texts))
        for answer in answers
        for sentence in answer.sentences
        if sentence.relation in (Relation.STATES, Relation.CONTRASTS) and "said already" not in sentence.text
    ]
    assert [(sentence.text, own) for sentence, own in said if own] == []
    assert len(said) > 80


def test_citation_precision_is_1(answers, builtin):
    texts = texts_of(builtin)
    useless = [
        (sentence.text, cite)
        for answer in answers
        for sentence in answer.sentences
        for cite in sentence.cites
        if not needed(sentence, cite, answer, texts)
    ]
    assert useless == []


def test_every_contrast_rests_on_two_statements_recorded_as_opposed(answers, builtin):
    opposed = {note.cited(atom): atom.contradicts for note in builtin.notes.values() for atom in note.atoms}
    for answer in answers:
        for sentence in answer.sentences:
            if sentence.relation is not Relation.CONTRASTS:
                continue
            one, other = sentence.cites
            if "#" in other:
                assert other in opposed[one] or one in opposed[other]
            else:
                assert one in builtin.claims[other.split("-")[1]].atoms
                assert not builtin.claims[other.split("-")[1]].contradicts_its_source or (
                    "reading" not in sentence.text.split(":")[0]
                )


def test_absence_is_counted_not_claimed(answers):
    # every number of a sentence of absence is one of the record of the search
    absences = [
        (one, answer) for answer in answers for one in answer.sentences if one.relation is Relation.ABSENCE
    ]
    assert absences
    for sentence, answer in absences:
        allowed = {answer.search.statements, 0, *answer.search.found.values()}
        numbers = {int(word) for word in words_of(sentence.text) if word.isdigit()}
        named = {int(word) for name in answer.search.found for word in words_of(name) if word.isdigit()}
        assert numbers <= allowed | named


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ("The zinnia drift falls by 0.21 when quartz tempo is doubled in small nets.", "number 0.21"),
        ("The zinnia drift rises by 0.20 when quartz tempo is doubled in small nets.", "direction up"),
        ("The zinnia drift falls by 0.20 when Labovich is doubled in small nets.", "name Labovich"),
        ("The zinnia drift falls by 0.20 [joins-1-1#1] when quartz tempo is doubled.", "id joins-1-1#1"),
    ],
)
def test_the_gate_can_fail(asked, shelf, wrong, why):
    answer = asked(question(0))
    sentence = next(one for one in answer.sentences if one.cites == ("joins-0-0#1",))
    texts = texts_of(Library.opened(shelf, builtin=False))
    assert not ungrounded(sentence, texts, answer.search)
    found = ungrounded(replace(sentence, text=wrong), texts, answer.search)
    assert any(why in one for one in found)


def test_a_sentence_without_a_citation_or_with_an_unheld_one_is_not_grounded(asked, shelf):
    answer = asked(question(0))
    texts = texts_of(Library.opened(shelf, builtin=False))
    sentence = answer.sentences[0]
    assert ungrounded(replace(sentence, cites=()), texts, answer.search) == ["it cites nothing"]
    assert ungrounded(replace(sentence, cites=("no-such#1",)), texts, answer.search) == [
        "id no-such#1 is not held"
    ]


def test_verdicts_contrasts_and_limits_are_grounded(asked, shelf):
    one, other = SUBJECTS[2]
    claim(shelf, "90a", "tundra", f"The {other} raises {one}.", stated_by="study-2-0", atoms=["joins-2-0#1"])
    verdict(shelf, "90a", "fails", number=0.04)
    note(shelf, "against", [(f"Neither {other} nor anything else moves {one}.", "study-2-1", "finding")])
    opposing(shelf, "against", "joins-2-1#1")
    answer = asked(question(2))
    texts = texts_of(Library.opened(shelf, builtin=False))
    assert {one.relation for one in answer.sentences} >= {
        Relation.STATES,
        Relation.CONTRASTS,
        Relation.LIMITS,
    }
    assert [ungrounded(sentence, texts, answer.search) for sentence in sentences_of(answer)] == [
        [] for _ in sentences_of(answer)
    ]
