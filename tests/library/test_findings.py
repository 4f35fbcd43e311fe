"""Does what a run found stand in one plain sentence, with the run's own numbers?"""

import re

import pytest

from limitset.core.errors import InputError
from limitset.library.holdings.findings import finding_of
from limitset.library.holdings.library import BUILTIN, Library
from limitset.library.holdings.records import Finding
from limitset.library.holdings.shelf import Shelf

LIBRARY = Library((Shelf(BUILTIN, builtin=True),))
RUNNABLE = sorted(name for name, claim in LIBRARY.claims.items() if claim.runnable)
PLACE = re.compile(r"\{(?:\w+\.)?(?:value|low|high|n)%?\}")
NUMBER = re.compile(r"(?<![\w.])-?\d[\d,]*(?:\.\d+)?(?:e-?\d+)?")


def newest(name):
    """The newest verdict, where it still tells of what the claim tests."""
    verdict = LIBRARY.verdict(name)
    tested = {one.statistic for one in LIBRARY.claims[name].tests}
    return verdict if verdict and {one.statistic for one in verdict.effects} == tested else None


DECIDED = [name for name in RUNNABLE if newest(name) and newest(name).decisive]


def planted(**sentences):
    """A claim with two statistics and a verdict on it, both with numbers chosen here."""
    claim, verdict = LIBRARY.claims["06b"], LIBRARY.verdict("06b")
    first, second = verdict.effects
    effects = (
        first.model_copy(update={"value": 1.0, "low": 0.964, "high": 1.0, "n": 24.0}),
        second.model_copy(update={"value": 0.90625, "low": 0.845, "high": 0.967, "n": 1024.0}),
    )
    return (
        claim.model_copy(update={"finding": Finding(**sentences)}),
        verdict.model_copy(update={"effects": effects, "value": "holds", "own": True}),
    )


# ---- the shipped sentences


@pytest.mark.parametrize("name", RUNNABLE)
def test_a_claim_that_can_be_run_says_what_either_outcome_means(name):
    finding = LIBRARY.claims[name].finding
    tested = {one.statistic for one in LIBRARY.claims[name].tests}
    for sentence in (finding.holds, finding.fails):
        assert sentence.endswith("."), "one sentence"
        assert not re.search(r"\bshare of [^,:]* is (?:above|below)|statistic", sentence)
        places = re.findall(r"\{[^}]*\}", sentence)
        assert all(PLACE.fullmatch(one) for one in places), "each brace is a number"
        assert {one[1:].split(".")[0] for one in places if "." in one} <= tested
    assert finding.holds != finding.fails


@pytest.mark.parametrize("name", RUNNABLE)
@pytest.mark.parametrize("outcome", ["holds", "fails"])
def test_both_sentences_can_be_filled(name, outcome):
    claim, verdict = LIBRARY.claims[name], LIBRARY.verdict("06b")
    effects = tuple(
        verdict.effects[0].model_copy(
            update={
                "statistic": one.statistic,
                "value": 0.25,
                "low": 0.125,
                "high": 0.375,
                "verdict": outcome,
            }
        )
        for one in claim.tests
    )
    said = finding_of(claim, verdict.model_copy(update={"effects": effects, "value": outcome}))
    assert said
    assert "{" not in said
    template = getattr(claim.finding, outcome)
    assert bool(PLACE.search(template)) == bool(re.search("12|25|38", said)), "it tells the number"


@pytest.mark.parametrize("name", DECIDED)
def test_the_sentence_of_a_shipped_verdict_has_the_numbers_of_that_verdict(name):
    claim, verdict = LIBRARY.claims[name], newest(name)
    said = finding_of(claim, verdict)
    assert said
    template = PLACE.sub("", claim.finding.holds if verdict.value == "holds" else claim.finding.fails)
    fixed = NUMBER.findall(template)
    filled = NUMBER.findall(said)
    for one in fixed:
        filled.remove(one)
    assert filled, "no number of the run is told"
    numbers = [n for one in verdict.effects for n in (one.value, one.low, one.high, one.n) if n is not None]
    for one in filled:
        told = float(one.replace(",", ""))
        # as it stands, to three digits or two decimals; or as a share, to a whole per cent
        assert any(
            abs(told - number) <= 0.0051 * max(abs(number), 1.0 if abs(number) >= 0.1 else 0.0)
            or abs(told - 100 * number) <= 0.5
            for number in numbers
        ), one


def test_decided_claims_are_most_of_those_that_can_be_run():
    assert len(DECIDED) > len(RUNNABLE) / 2


# ---- how a sentence is filled


def test_numbers_are_those_of_the_statistic_named_or_of_the_one_that_decided():
    claim, verdict = planted(
        holds="{value%} % [{low%}, {high%}] of {n}; {own_place_share.value%} % "
        "[{own_place_share.low}, {own_place_share.high}] of {own_place_share.n}."
    )
    # the first statistic decides what holds: 1, .964 and 24; .90625 is 91 %, .845 to two decimals .84 or .85
    said = finding_of(claim, verdict)
    assert said.startswith("100 % [96, 100] of 24; 91 % [0.8")
    assert said.endswith(", 0.97] of 1,024.")


def test_of_a_claim_that_fails_the_failing_statistic_decided():
    claim, verdict = planted(holds="Held at {value}.", fails="Failed at {value%} %.")
    first, second = verdict.effects
    failing = verdict.model_copy(
        update={"value": "fails", "effects": (first, second.model_copy(update={"verdict": "fails"}))}
    )
    assert finding_of(claim, verdict) == "Held at 1.00."
    assert finding_of(claim, failing) == "Failed at 91 %."


def test_a_statistic_that_the_claim_does_not_test_is_refused():
    claim, verdict = planted(holds="It grew by {growth.value}.")
    with pytest.raises(
        InputError, match=r"finding of claim 06b names statistics that it tests.*growth"
    ) as refused:
        finding_of(claim, verdict)
    assert "bounded_share, own_place_share" in str(refused.value)


@pytest.mark.parametrize(
    ("sentence", "change"),
    [
        ("", {}),
        ("It is {value}.", {"value": "can't tell"}),
        ("It is {value}.", {"value": "fails"}),  # that outcome has no sentence
        ("It is {value}.", {"own": False}),  # of the user's own system
    ],
)
def test_nothing_is_said_where_no_sentence_fits(sentence, change):
    claim, verdict = planted(holds=sentence)
    assert finding_of(claim, verdict.model_copy(update=change)) == ""


def test_nothing_is_said_with_a_number_that_is_blank():
    claim, verdict = planted(holds="It is {own_place_share.value%} %.")
    first, second = verdict.effects
    assert finding_of(claim, verdict) == "It is 91 %."
    blank = verdict.model_copy(update={"effects": (first, second.model_copy(update={"value": None}))})
    assert finding_of(claim, blank) == ""


def test_a_verdict_on_other_statistics_than_the_claim_tests_by_now_is_not_put_in_its_words():
    claim, verdict = planted(holds="It is {value} and {own_place_share.value}.")
    assert finding_of(claim, verdict) == "It is 1.00 and 0.91."
    older = verdict.model_copy(update={"effects": verdict.effects[:1]})
    assert finding_of(claim, older) == ""
