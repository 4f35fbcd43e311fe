"""Every branch of what the page says, against tables made for it."""

import importlib.util
import math
import sys
from pathlib import Path

import pytest

from limitset.core.levels import Level
from limitset.core.results import Measurement
from limitset.core.verdicts import Verdict
from limitset.instruments.truth.agreed import WrongWhenAgreed
from limitset.instruments.truth.nulls import UnanimityNulls
from limitset.instruments.truth.same_wrong import SameWrong
from limitset.instruments.truth.surviving import SurvivingError
from limitset.instruments.truth.unanimity import Unanimity
from limitset.report import sentences, titles
from limitset.report.loops_figure import loops_title

_spec = importlib.util.spec_from_file_location("planted_report", Path(__file__).with_name("conftest.py"))
planted = importlib.util.module_from_spec(_spec)
sys.modules["planted_report"] = planted
_spec.loader.exec_module(planted)

NAN = math.nan


def _agreed(rates):
    # as many questions agree as stand behind the rate
    rows = [
        (str(row.parameters["stratum"]), row.parameters["threshold"], 1.0, 0.9, 1.0, row.n, "", "")
        for row in rates.rows()
    ]
    coverage = planted.table("agreement_coverage", ("stratum", "threshold"), rows)
    return WrongWhenAgreed(rates=rates, coverage=coverage)


def _same(pairs):
    return SameWrong(pairs=pairs, panel=pairs)


def _surviving(curve, share):
    return SurvivingError(curve=curve, silent=curve, share=share)


def measured(value, low=NAN, high=NAN, n=100.0, why=""):
    return Measurement(
        instrument="x", version=1, level=Level.ANSWER, value=value, low=low, high=high, n=n, blank_reason=why
    )


def surviving(errors, share=(0.72, 0.66, 0.79), width=0.05):
    rows = [
        (
            "all",
            "all",
            votes + 1,
            e,
            max(0, e - width) if not math.isnan(e) else 0.0,
            e + width if not math.isnan(e) else 0.03,
            150.0,
            "",
            "" if not math.isnan(e) else "no question carries it",
        )
        for votes, e in enumerate(errors)
    ]
    value, low, high = share
    return _surviving(
        curve=planted.table("surviving_error", ("system", "stratum", "votes"), rows),
        share=planted.table(
            "s",
            ("system", "stratum"),
            [("all", "all", value, low, high, 150.0, "", "" if not math.isnan(value) else "blank")],
        ),
    )


def agreed(**rates):
    rows = [
        (name, 0.875, *numbers, "", "" if not math.isnan(numbers[0]) else "no question carries it")
        for name, numbers in rates.items()
    ]
    return _agreed(rates=planted.table("wrong_when_agreed", ("stratum", "threshold"), rows))


def test_headline_says_what_survives_and_claims_no_more_votes_than_were_drawn():
    first, second = sentences.headline(surviving([0.46, 0.40, 0.36, 0.33]), questions=150)
    assert first == "One run is wrong 46 % [41, 51] of the time on these 150 questions."
    assert (
        second
        == "A vote over 4 runs is still wrong 33 % [28, 38] of the time: 72 % [66, 79] of the error survives."
    )


@pytest.mark.parametrize(
    ("share", "words"),
    [
        ((1.2, 1.1, 1.3), "voting multiplies the error by 1.20"),
        ((0.97, 0.9, 1.04), "voting may remove none of it"),
        ((NAN, NAN, NAN), "still wrong 33 % [28, 38] of the time."),
    ],
)
def test_headline_when_voting_does_not_help(share, words):
    assert words in sentences.headline(surviving([0.4, 0.36, 0.33], share), questions=150)[1]


def test_headline_of_one_run_a_question():
    assert "cannot be told" in sentences.headline(surviving([0.46]), questions=150)[1]


def test_headline_when_nothing_is_wrong():
    assert sentences.headline(surviving([NAN, NAN]), questions=150) == (
        "One run is almost never wrong on these 150 questions: at most 3 % of the time.",
    )


def test_headline_when_the_vote_is_nearly_always_right():
    assert (
        sentences.headline(surviving([0.2, 0.2, NAN]), questions=150)[1]
        == "A vote over 3 runs is wrong at most 3 % of the time."
    )


@pytest.mark.parametrize(
    ("errors", "words"),
    [
        (
            [0.46, 0.40, 0.335, 0.333, 0.331, 0.331, 0.33, 0.33],
            "Stop voting at 3 runs: from there the error stays within one point.",
        ),
        ([0.331, 0.333, 0.33, 0.33], "Do not pay for votes: 4 runs change"),
        ([0.5, 0.4, 0.3, 0.2], "Voting still changes the error at 4 runs"),
    ],
)
def test_voting_advice(errors, words):
    assert words in sentences.voting_advice(surviving(errors))


def test_no_votes_where_they_do_not_help():
    assert "Can't tell whether voting pays: 103 % [96, 110]" in sentences.voting_advice(
        surviving([0.4, 0.4, 0.41, 0.42], (1.03, 0.96, 1.1))
    )


def test_no_voting_advice_from_two_points():
    assert sentences.voting_advice(surviving([0.4, 0.3])) is None


GOOD, BAD, OPEN, BOUND, NEVER = (
    (0.02, 0.01, 0.04, 90.0),
    (0.38, 0.25, 0.53, 40.0),
    (0.08, 0.02, 0.2, 40.0),
    (NAN, 0.0, 0.13, 22.0),
    (NAN, NAN, NAN, 0.0),
)


def test_strata_are_judged_by_their_whole_interval():
    trusts = sentences.trust_in_agreement(agreed(sums=GOOD, lure=BAD, recall=OPEN, rare=BOUND, all=BAD))
    assert {one.stratum: one.verdict for one in trusts} == {
        "sums": Verdict.HOLDS,
        "lure": Verdict.FAILS,
        "recall": Verdict.CANT_TELL,
        "rare": Verdict.CANT_TELL,
    }


def test_a_low_bound_is_enough_to_trust_a_high_value_is_not_needed():
    assert sentences.trust_in_agreement(agreed(sums=(NAN, 0.0, 0.04, 90.0)))[0].verdict is Verdict.HOLDS


WRONG = (NAN, 0.719, 1.0, 9.0)


def test_a_lower_bound_is_enough_not_to_trust():
    trusts = sentences.trust_in_agreement(agreed(lure=WRONG, dates=BAD, rare=(NAN, 0.04, 1.0, 1.0), all=BAD))
    assert [one.verdict for one in trusts] == [Verdict.FAILS, Verdict.FAILS, Verdict.CANT_TELL]
    advice = sentences.agreement_advice(trusts)
    # the bound is rounded down, and the worst comes first
    assert advice[0] == (
        "Do not trust agreement on lure questions: when at least 7/8 of the runs agree (9 questions), "
        "they are wrong at least 71 % of the time."
    )
    assert "dates questions" in advice[1]
    assert (
        advice[2]
        == "Can't tell on rare questions: at least 7/8 of the runs agree on 1 question there, too few for a rate."
    )
    assert (
        titles.agreed_title(trusts)
        == "Agreement is not worth trusting on lure and dates questions; on rare it cannot be told yet"
    )
    assert (
        titles.agreed_title(sentences.trust_in_agreement(agreed(all=WRONG)))
        == "When 7/8 of the runs agree, they are wrong at least 71 % of the time"
    )


def only_bounds(low, high):
    """Surviving error of two votes, nothing but bounds."""
    reason = "fewer than 5 questions carry the rest" if low > 0 else "fewer than 5 questions carry it"
    rows = [("all", "all", votes, NAN, low, high, 9.0, "", reason) for votes in (1, 2)]
    share = [("all", "all", NAN, NAN, NAN, 9.0, "", reason)]
    return _surviving(
        curve=planted.table("surviving_error", ("system", "stratum", "votes"), rows),
        share=planted.table("s", ("system", "stratum"), share),
    )


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.719, 1.0, "One run is almost always wrong on these 9 questions: at least 71 % of the time."),
        (0.0, 0.281, "One run is almost never wrong on these 9 questions: at most 29 % of the time."),
        (0.3, 1.0, "How often one run is wrong on these 9 questions cannot be told: there are too few."),
        (0.0, 0.6, "How often one run is wrong on these 9 questions cannot be told: there are too few."),
    ],
)
def test_headline_of_nothing_but_bounds(low, high, words):
    assert sentences.headline(only_bounds(low, high), questions=9) == (words,)


def test_survival_title_of_a_lower_bound():
    assert (
        titles.survival_title(only_bounds(0.719, 1.0))
        == "A vote over 2 runs is wrong at least 71 % of the time"
    )


def test_all_questions_are_judged_where_no_stratum_can_be():
    assert [one.stratum for one in sentences.trust_in_agreement(agreed(recall=OPEN, all=BAD))] == ["all"]


def test_advice_names_where_not_to_trust_first():
    advice = sentences.agreement_advice(
        sentences.trust_in_agreement(agreed(sums=GOOD, lure=BAD, recall=OPEN, all=BAD))
    )
    assert (
        advice[0]
        == "Do not trust agreement on lure questions: when at least 7/8 of the runs agree (40 questions), they are wrong 38 % [25, 53] of the time."
    )
    assert "may be acted on for sums questions" in advice[1]
    assert "wrong 2.0 % [1.0, 4.0] of the time." in advice[1]
    assert "Can't tell whether agreement can be trusted on recall questions" in advice[2]
    assert len(advice) == 3


def test_advice_when_many_strata_are_bad():
    advice = sentences.agreement_advice(
        sentences.trust_in_agreement(agreed(a=BAD, b=BAD, c=BAD, d=BAD, all=BAD))
    )
    assert advice[2] == "Nor on c questions and d questions."


def test_a_stratum_is_judged_at_the_strictest_agreement_that_can_be_told():
    def rate(threshold, value, low, high):
        return (
            "lure",
            threshold,
            value,
            low,
            high,
            30.0,
            "",
            "" if not math.isnan(value) else "too few carry it",
        )

    rows = [rate(0.875, NAN, NAN, 0.6), rate(0.75, 0.4, 0.2, 0.6), rate(0.625, 0.5, 0.4, 0.6)]
    found = sentences.trust_in_agreement(
        _agreed(rates=planted.table("wrong_when_agreed", ("stratum", "threshold"), rows))
    )
    assert [(one.runs, one.rate.value) for one in found] == [("3/4 of the runs", 0.4)]
    assert (
        "when at least 3/4 of the runs agree (30 questions), they are wrong 40 % [20, 60]"
        in sentences.agreement_advice(found)[0]
    )


@pytest.mark.parametrize(
    ("lenient", "runs"), [((0.5, 0.3, 0.7), "3/4 of the runs"), ((0.02, 0.0, 0.04), "7/8 of the runs")]
)
def test_a_rate_is_preferred_to_a_bound_that_says_the_same(lenient, runs):
    rows = [
        ("lure", 0.875, NAN, 0.18, 1.0, 9.0, "", "few carry the rest"),
        ("lure", 0.75, *lenient, 30.0, "", ""),
    ]
    found = sentences.trust_in_agreement(
        _agreed(rates=planted.table("wrong_when_agreed", ("stratum", "threshold"), rows))
    )
    assert [one.runs for one in found] == [runs]


def test_cant_tell_says_what_would_settle_it():
    # half width 0.06 below 0.08, gap 0.03: 40 * (0.06 / 0.03)^2 = 160
    assert sentences.questions_needed(measured(0.08, 0.02, 0.2, 40.0)) == 160
    assert sentences.questions_needed(measured(NAN, 0.0, 0.13, 22.0, "no question carries it")) == 60
    assert (
        sentences.questions_needed(measured(NAN, 0.0, 0.2, 22.0, "fewer than 5 questions carry it")) is None
    )
    assert sentences.questions_needed(measured(0.0501, 0.0, 0.2, 40.0)) is None
    only = sentences.agreement_advice(sentences.trust_in_agreement(agreed(all=BOUND)))
    assert only == (
        "Can't tell whether agreement can be trusted on these questions: when at least 7/8 of the runs agree (22 questions), they are wrong at most 13 % of the time; 5 % or less is asked for. About 60 questions on which so many runs agree would settle it.",
    )


def test_cant_tell_when_runs_never_agree_or_hardly():
    assert (
        "never agree there" in sentences.agreement_advice(sentences.trust_in_agreement(agreed(all=NEVER)))[0]
    )
    assert (
        "agree on 1 question there"
        in sentences.agreement_advice(sentences.trust_in_agreement(agreed(all=(NAN, 0.0, 1.0, 1.0))))[0]
    )


def test_traps_advice():
    assert sentences.traps_advice(14, measured(0.61, 0.55, 0.67), wrong=40.2) == (
        "The vote is wrong on about 40 questions: checking the 14 questions listed outside first removes about "
        "61 % of its error."
    )
    assert "checking the question listed" in sentences.traps_advice(1, measured(0.61, 0.55, 0.67), wrong=2)
    assert sentences.traps_advice(0, None, wrong=3) is None


@pytest.mark.parametrize(
    ("rates", "words"),
    [
        (
            {"sums": GOOD, "lure": BAD, "all": BAD},
            "Agreement is worth trusting on sums, not on lure questions",
        ),
        ({"lure": BAD, "all": BAD}, "Agreement is not worth trusting on lure questions"),
        (
            {"sums": GOOD, "recall": OPEN, "all": OPEN},
            "Agreement is worth trusting on sums questions; on recall it cannot be told yet",
        ),
        (
            {"recall": OPEN, "all": OPEN},
            "Whether agreement is worth trusting cannot be told from so few questions",
        ),
        ({"all": BAD}, "When 7/8 of the runs agree, they are wrong 38 % [25, 53] of the time"),
        (
            {"a": GOOD, "b": GOOD, "c": BAD, "all": BAD},
            "Agreement is worth trusting on a and b, not on c questions",
        ),
    ],
)
def test_agreed_title(rates, words):
    assert titles.agreed_title(sentences.trust_in_agreement(agreed(**rates))) == words


def _unanimity(value, low, high, nulls):
    curve = planted.table(
        "u",
        ("source", "k"),
        [("seed", 4, value, low, high, 20.0, "", "" if not math.isnan(value) else "too few")],
    )
    table = planted.table(
        "n",
        ("source", "k", "estimate"),
        [
            ("seed", 4, name, null, NAN, NAN, 20.0, "difficulty_kept", "")
            for name, null in zip(("cross_fitted", "plug_in"), nulls, strict=True)
        ],
    )
    return Unanimity(curve=curve, floor=curve, slope=curve), UnanimityNulls(curve=table)


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ((0.3, 0.25, 0.36, (0.1, 0.2)), "more than unequal difficulty gives"),
        ((0.3, 0.15, 0.36, (0.1, 0.2)), "unequal difficulty alone could give that"),
        ((0.05, 0.03, 0.08, (0.1, 0.2)), "less than unequal difficulty gives"),
        ((NAN, 0.0, 0.2, (0.1, 0.2)), "Too few questions are unanimously wrong"),
    ],
)
def test_unanimity_title_declares_an_excess_only_above_the_upper_null(numbers, words):
    assert words in titles.unanimity_title(*_unanimity(*numbers))


def test_unanimity_title_of_bounds_alone():
    def title(low, high, reason):
        rows = [("seed", k, NAN, low, high, 9.0, "", reason) for k in (2, 4)]
        curve = planted.table("u", ("source", "k"), rows)
        _, nulls = _unanimity(0.3, 0.2, 0.4, (0.1, 0.2))
        return titles.unanimity_title(Unanimity(curve=curve, floor=curve, slope=curve), nulls)

    few_right = "fewer than 5 questions carry the rest"
    assert title(0.719, 1.0, few_right).startswith(
        "When 4 runs of one model agree, they are wrong at least 71 % of the time"
    )
    assert title(0.2, 1.0, few_right) == "Too few questions are unanimously right to give a rate"
    assert (
        title(0.0, 0.4, "no question carries it") == "Too few questions are unanimously wrong to give a rate"
    )


def test_sharing_title_of_one_pair_of_many_and_of_none():
    one = _same(pairs=planted.pairs_table(("aa", "bbb")))
    many = _same(pairs=planted.pairs_table(("aa", "bbb", "cccc")))
    none = _same(
        pairs=planted.table("p", ("first", "second"), [("a", "b", NAN, NAN, NAN, 1.0, "", "too few")])
    )
    assert titles.sharing_title(one).startswith("When both are wrong, aa and bbb give")
    assert "share most" in titles.sharing_title(many)
    assert "Too few" in titles.sharing_title(none)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([("question", 0.3), ("model", 0.5), ("seed", 0.2)], "answers vary most with the model: 50 %"),
        ([("question", 0.6), ("model", 0.3), ("seed", 0.1)], "Two runs of a question agree 60 %"),
        (
            [("model + question", 0.8), ("seed", 0.2)],
            "The design cannot tell the model from the question; the chance of the run takes 20 %",
        ),
    ],
)
def test_variance_title(rows, words):
    table = planted.table("v", ("component",), [(name, value, NAN, NAN, 9.0) for name, value in rows])
    assert words in titles.variance_title(table)


def test_loops_title_counts_what_settles_and_where():
    values = planted.table(
        "l", ("system", "loop", "quantity"), [("m", "again", "settled", 0.9, 0.7, 1.0, 20.0)]
    )
    bad = planted.table(
        "o", ("system", "loop", "outcome"), [("m", "again", "settled, wrong", 0.5, 0.3, 0.7, 20.0)]
    )
    none = planted.table(
        "o", ("system", "loop", "outcome"), [("m", "again", "settled, wrong", 0.0, 0.0, 0.1, 20.0)]
    )
    blank = planted.table(
        "o",
        ("system", "loop", "outcome"),
        [("m", "again", "settled, wrong", NAN, NAN, NAN, 0.0, "", "no anchor")],
    )
    assert loops_title(values, bad) == "18 of 20 text loops settle, 10 of them on a wrong answer"
    assert loops_title(values, none) == "18 of 20 text loops settle, 0 of them on a wrong answer"
    assert loops_title(values, blank) == "18 of 20 text loops settle: nothing here checks where"


def test_names_in_titles_cannot_hide_characters():
    assert "\u202e" not in titles.agreed_title(
        sentences.trust_in_agreement(agreed(**{"lu\u202ere": BAD, "all": BAD}))
    )


def curves(**systems):
    """Surviving error by system: lists of e_1, e_2, ... each."""
    rows = [
        (name, "all", votes + 1, e, e - 0.05, e + 0.05, 150.0, "", "")
        for name, errors in systems.items()
        for votes, e in enumerate(errors)
    ]
    share = [("all", "all", 0.8, 0.7, 0.9, 150.0, "", "")]
    return _surviving(
        curve=planted.table("surviving_error", ("system", "stratum", "votes"), rows),
        share=planted.table("s", ("system", "stratum"), share),
    )


@pytest.mark.parametrize(
    ("mixed", "words"),
    [
        (0.38, "Vote across models, not within one: 3 runs of a alone are wrong 50 % [45, 55] of the time, "),
        (0.46, "Can't tell whether a vote across models beats one within the best: 3 runs of a alone"),
    ],
)
def test_a_vote_across_models_is_advised_only_where_the_intervals_part(mixed, words):
    told = sentences.across_models(curves(a=[0.6, 0.55, 0.5], b=[0.7, 0.7, 0.7], all=[0.65, 0.6, mixed, 0.3]))
    assert told.startswith(words)
    assert f"3 of all models {100 * mixed:.0f} %" in told


def test_nothing_is_said_of_models_where_mixing_gains_nothing():
    assert sentences.across_models(curves(a=[0.6, 0.5, 0.4], b=[0.7, 0.7, 0.7], all=[0.65, 0.6, 0.5])) is None
    assert sentences.across_models(curves(a=[0.6, 0.5, 0.4], all=[0.6, 0.5, 0.3])) is None


def test_two_runs_a_question_are_no_vote():
    assert "a vote takes three" in sentences.headline(surviving([0.4, 0.4]), questions=9)[1]


def test_models_of_the_vote_are_counted():
    assert (
        "A vote over 3 runs of 2 models is"
        in sentences.headline(surviving([0.4, 0.35, 0.3]), questions=9, models=2)[1]
    )


def test_advice_needs_five_questions():
    trusts = sentences.trust_in_agreement(agreed(lure=(NAN, 0.2, 1.0, 4.0), dates=BAD, all=BAD))
    assert [one.verdict for one in trusts] == [Verdict.CANT_TELL, Verdict.FAILS]


def test_two_votes_leave_no_share_in_the_title():
    assert (
        titles.survival_title(surviving([0.4, 0.4]))
        == "A vote over 2 runs is wrong 40 % [35, 45] of the time"
    )
