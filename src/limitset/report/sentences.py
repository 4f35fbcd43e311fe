"""What do the numbers say, in words that stay true for any data?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from limitset.charts.shown import percent, visible
from limitset.core.results import Measurement, MeasurementTable
from limitset.core.verdicts import Verdict, judged
from limitset.instruments.truth.agreed import WrongWhenAgreed
from limitset.instruments.truth.outcomes import Outcomes
from limitset.instruments.truth.surviving import SurvivingError

TRUSTED = 0.05
"""Agreement is trusted where it is wrong less often than this, by its whole interval."""
STRICT = 0.875
"""The agreement a reader would act on first: 7 of 8 runs."""
RUNS = {STRICT: "7/8 of the runs", 0.75: "3/4 of the runs", 0.625: "5/8 of the runs", 0.5: "half of the runs"}
"""Thresholds that advice is given at, the strictest first, in words."""
FEWEST = 5
"""Advice on agreement rests on at least so many questions."""
POINT = 0.01
MOST_ADVICE = 3
"""Sentences about agreement on the first screen; figure 2 has the rest."""
MANY_TIMES = 100
"""Beyond this many times the questions, "how many more" is no advice."""


def headline(surviving: SurvivingError, *, questions: int, models: int = 1) -> tuple[str, ...]:
    """Say how often one run is wrong on these questions, and what voting leaves of it."""
    where = "on this question" if questions == 1 else f"on these {questions} questions"
    curve = surviving.curve.where(system="all", stratum="all")
    one, last = curve.one(votes=1), last_of(curve)
    votes = int(last.parameters["votes"])
    if one.blank:
        return (_nearly_one_sided(one, where),)
    first = f"One run is wrong {percent(one)} of the time {where}."
    if votes == 1:
        return (first, "There is one run a question, so what voting would leave cannot be told.")
    if votes == 2:  # with ties split at random, two votes are wrong exactly as often as one
        return (
            first,
            "There are two runs a question, and a vote takes three: what it would leave cannot be told.",
        )
    return (first, _after(last, surviving.share.one(system="all", stratum="all"), votes, models))


def _nearly_one_sided(one: Measurement, where: str) -> str:
    if one.bounded and one.high < 0.5:
        return f"One run is almost never wrong {where}: {percent(one)} of the time."
    if one.bounded and one.low > 0.5:
        return f"One run is almost always wrong {where}: {percent(one)} of the time."
    return f"How often one run is wrong {where} cannot be told: there are too few."


def _after(last: Measurement, share: Measurement, votes: int, models: int) -> str:
    runs = f"{votes} runs" if models == 1 else f"{votes} runs of {models} models"
    if last.blank:
        return f"A vote over {runs} is wrong {percent(last)} of the time."
    left = f"A vote over {runs} is still wrong {percent(last)} of the time"
    if share.blank:
        return f"{left}."
    part = share_of_error(share)
    if share.bounded and share.low > 1:
        return f"{left}, more often than one run: voting multiplies the error by {share.value:.2f}."
    if share.bounded and share.high >= 1:
        return f"{left}: {part} of the error is there after the vote, so voting may remove none of it."
    return f"{left}: {part} of the error survives."


def share_of_error(share: Measurement) -> str:
    """Write the surviving share as percent with its interval."""
    return percent(share)


def last_of(curve: MeasurementTable) -> Measurement:
    """Return the point of the curve with the most votes."""
    rows = list(curve.rows())
    return max(rows, key=lambda row: (not (row.blank and not row.bounded), int(row.parameters["votes"])))


def voting_advice(surviving: SurvivingError) -> str | None:
    """Say at how many runs voting stops paying, from the curve of all runs."""
    curve = surviving.curve.where(system="all", stratum="all")
    points = [(int(row.parameters["votes"]), row.value) for row in curve.rows() if not row.blank]
    if len(points) < 3:
        return None
    most, last = points[-1]
    share = surviving.share.one(system="all", stratum="all")
    if not share.blank and share.bounded and share.high >= 1:
        return (
            f"Can't tell whether voting pays: {share_of_error(share)} of the error is left after {most} runs."
        )
    enough = most
    for votes, value in reversed(points):
        if abs(value - last) > POINT:
            break
        enough = votes
    if enough > 0.75 * most:
        return f"Voting still changes the error at {most} runs: more runs may be worth their price."
    if enough == 1:
        return f"Do not pay for votes: {most} runs change the error by less than one point against one run."
    rest = _except(surviving, enough)
    return f"Stop voting at {enough} runs: from there the error stays within one point{rest}."


def _except(surviving: SurvivingError, enough: int) -> str:
    """Name the kinds of question on which more votes still change the error."""
    told = []
    for stratum in dict.fromkeys(str(name) for name in surviving.curve.axes["stratum"]):
        rows = [row for row in surviving.curve.where(system="all", stratum=stratum).rows() if not row.blank]
        at = [row for row in rows if int(row.parameters["votes"]) == enough]
        if stratum == "all" or not at or abs(at[0].value - rows[-1].value) <= POINT:
            continue
        told.append(f"{visible(stratum)} from {100 * at[0].value:.0f} to {100 * rows[-1].value:.0f} %")
    return f" (it still moves on {', '.join(told)})" if told else ""


def across_models(surviving: SurvivingError) -> str | None:
    """Compare a vote within the best model with one of about as many runs across all models."""
    systems = [
        name for name in dict.fromkeys(str(one) for one in surviving.curve.axes["system"]) if name != "all"
    ]
    alone = [last_of(surviving.curve.where(system=name, stratum="all")) for name in systems]
    alone = [row for row in alone if not row.blank]
    if len(systems) < 2 or len(alone) < len(systems):
        return None
    best = min(alone, key=lambda row: row.value)
    votes = int(best.parameters["votes"])
    both = [
        row
        for row in surviving.curve.where(system="all", stratum="all").rows()
        if not row.blank and int(row.parameters["votes"]) <= votes
    ]
    if not both or votes < 2:
        return None
    mixed = max(both, key=lambda row: int(row.parameters["votes"]))
    if best.value - mixed.value <= POINT:
        return None
    name = visible(str(best.parameters["system"]))
    compared = (
        f"{votes} runs of {name} alone are wrong {percent(best)} of the time, "
        f"{int(mixed.parameters['votes'])} of all models {percent(mixed)}"
    )
    if mixed.high < best.low:
        return f"Vote across models, not within one: {compared}."
    return f"Can't tell whether a vote across models beats one within the best: {compared}."


def greedy_line(greedy: Outcomes | None) -> str | None:
    """Say how often one greedy run of the best model is wrong: what a sampled run must be compared with."""
    if greedy is None:
        return None
    rows = [
        row
        for row in greedy.rates.where(stratum="all", outcome="wrong").rows()
        if row.parameters["system"] != "all" and not row.blank
    ]
    if not rows:
        return None
    best = min(rows, key=lambda row: row.value)
    name = visible(str(best.parameters["system"]))
    return f"One greedy run of {name} is wrong {percent(best)} of the time."


@dataclass(frozen=True, kw_only=True)
class Trust:
    """One stratum: can agreement be acted on?"""

    stratum: str
    rate: Measurement
    verdict: Verdict
    questions: int
    """On how many questions so many runs agree."""

    @property
    def runs(self) -> str:
        """How many runs agree, in words."""
        return RUNS[float(self.rate.parameters["threshold"])]


def trust_in_agreement(agreed: WrongWhenAgreed) -> list[Trust]:
    """Judge every stratum at the strictest agreement that can be told; all together only where none can.

    Mixing easy questions in makes any agreement look good, so the strata come first.
    """
    strata = dict.fromkeys(str(name) for name in agreed.rates.axes["stratum"])
    rows = [_strictest_told(agreed, name) for name in strata]
    named = [row for row in rows if row.stratum != "all"]
    told = [row for row in named if row.verdict is not Verdict.CANT_TELL]
    return named if told else [row for row in rows if row.stratum == "all"]


def _strictest_told(agreed: WrongWhenAgreed, stratum: str) -> Trust:
    given = {float(threshold) for threshold in agreed.rates.axes["threshold"]}
    judged_ones = []
    for threshold in (one for one in RUNS if one in given):
        rate = agreed.rates.one(stratum=stratum, threshold=threshold)
        covered = agreed.coverage.one(stratum=stratum, threshold=threshold)
        questions = 0 if covered.blank else round(covered.value * covered.n)
        # a blank rate is judged by its bound: an upper one can hold, a lower one can fail;
        # but two of two questions are no basis for advice
        verdict = judged(rate, holds_if=TRUSTED, above=False) if questions >= FEWEST else Verdict.CANT_TELL
        judged_ones.append(Trust(stratum=stratum, rate=rate, verdict=verdict, questions=questions))
    told = [one for one in judged_ones if one.verdict is not Verdict.CANT_TELL]
    if not told:  # the tightest statement that can be made
        return min(judged_ones, key=lambda one: one.rate.high if one.rate.bounded else math.inf)
    # a rate says more than a bound, as long as it says the same
    rated = [one for one in told if one.verdict is told[0].verdict and not one.rate.blank]
    return (rated or told)[0]


def agreement_advice(trusts: Sequence[Trust]) -> tuple[str, ...]:
    """Say where agreement may be acted on, where not, and what would settle the rest."""
    found: list[str] = []
    bad = sorted((one for one in trusts if one.verdict is Verdict.FAILS), key=lambda one: -_least(one.rate))
    for one in bad[:2]:
        found.append(
            f"Do not trust agreement on {_of(one)}: when at least {one.runs} agree ({_count(one)}), they are "
            f"wrong {percent(one.rate)} of the time."
        )
    if len(bad) > 2:
        found.append(f"Nor on {_listed([_of(one) for one in bad[2:]])}.")
    good = [one for one in trusts if one.verdict is Verdict.HOLDS]
    for runs in dict.fromkeys(one.runs for one in good):
        alike = [one for one in good if one.runs == runs]
        worst = max(alike, key=lambda one: one.rate.high)
        found.append(
            f"Agreement may be acted on for {_listed([_of(one) for one in alike])}: when at least {runs} "
            f"agree, they are wrong {percent(worst.rate)} of the time{' or less' if len(alike) > 1 else ''}."
        )
    open_ones = [one for one in trusts if one.verdict is Verdict.CANT_TELL]
    found.extend(_cant_tell(one) for one in open_ones)
    return tuple(found[:MOST_ADVICE])


def _least(rate: Measurement) -> float:
    return rate.low if rate.blank else rate.value


def _cant_tell(one: Trust) -> str:
    if one.rate.blank and not one.rate.bounded:
        return f"Can't tell on {_of(one)}: at least {one.runs} never agree there."
    if one.rate.blank and (one.rate.high >= 0.5 or one.questions < FEWEST):
        return (
            f"Can't tell on {_of(one)}: at least {one.runs} agree on {_count(one)} there, too few for a rate."
        )
    stated = (
        f"Can't tell whether agreement can be trusted on {_of(one)}: when at least {one.runs} agree "
        f"({_count(one)}), they are wrong {percent(one.rate)} of the time"
    )
    needed = questions_needed(one.rate)
    if needed is None:
        return f"{stated}; 5 % or less is asked for."
    more = f"About {needed} questions on which so many runs agree would settle it."
    return f"{stated}; 5 % or less is asked for. {more}"


def questions_needed(rate: Measurement) -> int | None:
    """Say how many questions would bring the nearer end of the interval to the bar, if the rate stays.

    Interval widths fall with the square root of n.

    Examples
    --------
    >>> from limitset.core.levels import Level
    >>> questions_needed(Measurement(instrument="x", version=1, level=Level.ANSWER, value=0.1, low=0.0,
    ...     high=0.2, n=40))
    160
    """
    if math.isnan(rate.n) or rate.n <= 0:
        return None
    if rate.blank:
        # with no event among them, about 3 / bar questions bring the bound below the bar
        return math.ceil(3.0 / TRUSTED) if rate.blank_reason == "no question carries it" else None
    gap = abs(rate.value - TRUSTED)
    half = rate.value - rate.low if rate.value > TRUSTED else rate.high - rate.value
    if gap <= 0 or math.isnan(half):
        return None
    factor = (half / gap) ** 2
    if not 1 <= factor <= MANY_TIMES:
        return None
    needed = rate.n * factor
    digits = max(0, int(math.log10(needed)) - 1)
    return int(math.ceil(needed / 10**digits - 1e-9) * 10**digits)


def traps_advice(count: int, held: Measurement | None, *, wrong: float) -> str | None:
    """Say which questions to check outside, what that removes, and of how many wrong votes."""
    if count == 0 or held is None or held.blank:
        return None
    these = "the question listed" if count == 1 else f"the {count} questions listed"
    return (
        f"The vote is wrong on about {wrong:.0f} questions: checking {these} outside first removes "
        f"about {100 * held.value:.0f} % of its error."
    )


def _count(one: Trust) -> str:
    return f"{one.questions} question{'s' * (one.questions != 1)}"


def _of(one: Trust) -> str:
    return "these questions" if one.stratum == "all" else f"{visible(one.stratum)} questions"


def _listed(names: Sequence[str]) -> str:
    """Join names.

    Examples
    --------
    >>> _listed(["lure questions", "recall questions", "sums"])
    'lure questions, recall questions and sums'
    """
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
