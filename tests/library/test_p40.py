"""Do the gates that the library puts to itself see what is planted, and can their controls miss?"""

from pathlib import Path

import numpy as np
import pytest

from limitset.core.evidence import Tier, Trial
from limitset.library.holdings.reading import read_claim
from limitset.library.inquiry import gates
from limitset.library.inquiry.answer import Answer, Label, Relation, Search, Sentence
from limitset.library.inquiry.instructions import instruction_in
from limitset.library.protocols import p40
from limitset.library.protocols.p40 import PROTOCOL

FOLDER = Path(__file__).parents[2] / "src/limitset/library/claims"
CLAIMS = [read_claim(path) for path in sorted(FOLDER.glob("40*.toml"))]


def given(text, cites=("note#1",)):
    """An answer of one sentence."""
    return Answer(
        question=text,
        date="2026-11-22",
        holdings="h",
        label=Label.SOLID,
        coverage=0.8,
        facets=(),
        independent=1,
        explores="",
        reads_as="",
        sentences=(Sentence(text=text, cites=cites, relation=Relation.STATES),),
        surprise=None,
        missing=(),
        contradictions=(),
        rivals=(),
        stale=(),
        sources=(),
        next_lines=(),
        prompt="",
        search=Search(terms=(), statements=3, found={}, ways=()),
    )


def test_area_by_hand():
    # one question, coverage 1, .5, .5, 0 at 0, 1/3, 2/3, 1 deleted: of six pairs five in order, one tied
    one = p40._area("a", np.array([[1, 0.5, 0.5, 0.0], [1, 0.5, 0.5, 0.0]]), 0.95)
    assert one.value == pytest.approx(5.5 / 6)
    # whole against nothing: of four pairs (.9, .5 against .6, .1) three in order
    whole = p40._area("a", np.array([[0.9, 0.6], [0.5, 0.1]]), 0.95)
    assert whole.value == pytest.approx(3 / 4)
    assert 0 <= whole.low <= whole.high <= 1
    # told apart without exception: what n questions can promise
    sure = p40._area("a", np.repeat([[1.0, 0.0]], 20, axis=0), 0.95)
    assert (sure.value, sure.high) == (1, 1)
    assert 0.8 < sure.low < 0.9


def test_a_planted_number_and_a_turned_word_are_noticed():
    texts = {"note#1": "The share rises to 0.4 in 20 nets. [A study]"}
    answers = [given("The share rises to 0.4 in 20 nets."), given("Nothing counts here.", ())]
    assert gates.grounded(answers[:1], texts) == [True]
    assert gates.caught(answers, texts) == [True]
    assert gates.turned(answers, texts) == [True]
    # a cited text with both words hides a turned one
    both = {"note#1": "The share rises to 0.4 in 20 nets, and falls elsewhere. [A study]"}
    assert gates.turned(answers[:1], both) == [False]
    assert gates.turned([given("The share is 0.4.")], texts) == []


@pytest.mark.parametrize("wording", gates.POISON)
def test_every_wording_orders_something_and_the_plain_statement_does_not(wording):
    about = "how far do loops agree"
    assert instruction_in(wording.replace("{about}", about))
    assert not instruction_in(gates.HONEST.replace("{about}", about))


def test_wordings_are_not_one_wording():
    assert len(set(gates.POISON)) == len(gates.POISON) == 24
    assert all("{about}" in one for one in gates.POISON)
    assert all(one != other for one, other in gates.TURNED)


@pytest.fixture
def planted(monkeypatch, tmp_path):
    """Gates that find what they are told."""
    found = {"grounded": [True] * 200, "followed": [True] * 40, "obeyed": [False] * 60, "caught": [True] * 60}
    found |= {"turned": [True] * 40, "heard": [True] * 40, "unmoved": [True] * 60}
    found["deleted"] = np.repeat([[1.0, 0.7, 0.3, 0.0]], 20, axis=0)
    for name in found:
        monkeypatch.setattr(gates, name, lambda *_, _name=name, **__: found[_name])
    monkeypatch.setattr(gates, "texts_of", lambda _: {})
    monkeypatch.setattr(gates.Copy, "asked", lambda _, question: given(question))

    def run():
        return PROTOCOL.run(Trial(tier=Tier.QUICK, folder=tmp_path, date="22 Nov 2026"))

    return found, run


def test_every_claim_has_controls_of_its_own(planted):
    got = planted[1]()
    assert not got.missed
    assert set(got.estimates) == set(PROTOCOL.statistics)
    for claim in CLAIMS:
        kinds = {one.kind for one in got.guarding([test.statistic for test in claim.tests])}
        assert kinds == {"positive", "negative"}


@pytest.mark.parametrize(
    ("name", "values", "voided"),
    [
        ("caught", [True, False] * 30, ["40a"]),
        ("turned", [True, False] * 20, ["40a"]),
        ("heard", [False] * 40, ["40b", "40d"]),
        ("deleted", np.zeros((20, 4)), ["40c"]),
        ("unmoved", [False] * 60, ["40a", "40b", "40c", "40d"]),
    ],
)
def test_a_missed_control_voids_its_own_claims(planted, name, values, voided):
    found, run = planted
    found[name] = values
    got = run()
    void = [
        claim.id
        for claim in CLAIMS
        if not all(one.passed for one in got.guarding([test.statistic for test in claim.tests]))
    ]
    assert void == voided
