"""Which one sentence does each figure state?"""

from __future__ import annotations

from collections.abc import Sequence

from limitset.charts.shown import percent, visible
from limitset.core.results import Measurement, MeasurementTable
from limitset.core.verdicts import Verdict
from limitset.instruments.truth.nulls import UnanimityNulls
from limitset.instruments.truth.same_wrong import SameWrong
from limitset.instruments.truth.surviving import SurvivingError
from limitset.instruments.truth.unanimity import Unanimity
from limitset.report.sentences import Trust, last_of, share_of_error

WORDS = {
    "question": "the question alone",
    "model": "the model",
    "paraphrase": "the wording",
    "model_x_paraphrase": "model and wording together",
    "seed": "the chance of the run",
}


def survival_title(surviving: SurvivingError) -> str:
    """State what the vote over all runs leaves."""
    last = last_of(surviving.curve.where(system="all", stratum="all"))
    votes, share = int(last.parameters["votes"]), surviving.share.one(system="all", stratum="all")
    if votes == 1 or last.blank:
        return (
            f"{'One run' if votes == 1 else f'A vote over {votes} runs'} is wrong {percent(last)} of the time"
        )
    if share.blank or votes == 2:  # two votes with ties at random are wrong as often as one, by construction
        return f"A vote over {votes} runs is wrong {percent(last)} of the time"
    if share.bounded and share.low > 1:
        return f"Voting over {votes} runs makes it worse"
    return f"Voting over {votes} runs leaves {share_of_error(share)} of the error"


def agreed_title(trusts: Sequence[Trust]) -> str:
    """State where agreement can be acted on."""
    good, bad, open_ones = (
        [visible(one.stratum) for one in trusts if one.verdict is verdict]
        for verdict in (Verdict.HOLDS, Verdict.FAILS, Verdict.CANT_TELL)
    )
    if any(one.stratum == "all" for one in trusts):
        return _agreed_overall(trusts[0])
    if good and bad:
        return f"Agreement is worth trusting on {_joined(good)}, not on {_joined(bad)} questions"
    if bad:
        tail = f"; on {_joined(open_ones)} it cannot be told yet" if open_ones else ""
        return f"Agreement is not worth trusting on {_joined(bad)} questions{tail}"
    if good:
        tail = f"; on {_joined(open_ones)} it cannot be told yet" if open_ones else ""
        return f"Agreement is worth trusting on {_joined(good)} questions{tail}"
    return "Whether agreement is worth trusting cannot be told from so few questions"


def _agreed_overall(one: Trust) -> str:
    if one.verdict is Verdict.CANT_TELL:
        return "Whether agreement is worth trusting cannot be told from so few questions"
    return f"When {one.runs} agree, they are wrong {percent(one.rate)} of the time"


def unanimity_title(unanimity: Unanimity, nulls: UnanimityNulls) -> str:
    """State the last point of one model's curve, against what unequal difficulty alone would give."""
    rows = list(unanimity.curve.where(source="seed").rows())
    # without any rate, a lower bound says more than that there is none
    known = [row for row in rows if not row.blank] or [row for row in rows if row.bounded and row.low > 0.5]
    if not known:
        few_right = any("the rest" in row.blank_reason for row in rows)
        return f"Too few questions are unanimously {'right' if few_right else 'wrong'} to give a rate"
    last = max(known, key=lambda row: int(row.parameters["k"]))
    k = int(last.parameters["k"])
    if k == 1:
        return f"One run alone is wrong {percent(last)} of the time that it answers"
    stated = f"When {k} runs of one model agree, they are wrong {percent(last)} of the time"
    against = [
        row.value
        for row in nulls.curve.where(source="seed", k=k, null_kind="difficulty_kept").rows()
        if not row.blank
    ]
    if not against or not last.bounded:
        return stated
    if last.low > max(against):
        return f"{stated}: more than unequal difficulty gives"
    if last.high < min(against):
        return f"{stated}: less than unequal difficulty gives"
    return f"{stated}: unequal difficulty alone could give that"


def sharing_title(same: SameWrong) -> str:
    """State how often wrong answers are shared."""
    pairs = [row for row in same.pairs.where(null_kind="").rows() if not row.blank]
    if not pairs:
        return "Too few questions are wrong for two systems to say who shares answers"
    top = max(pairs, key=lambda row: row.value)
    first, second = (visible(str(top.parameters[name])) for name in ("first", "second"))
    if len(pairs) == 1:
        shared = f"the same wrong answer {percent(top)} of the time{_against_popularity(same, top)}"
        return f"When both are wrong, {first} and {second} give {shared}"
    return (
        f"{first} and {second} share most: when both are wrong, they give the same wrong answer "
        f"{percent(top)} of the time"
    )


def _against_popularity(same: SameWrong, pair: Measurement) -> str:
    """Compare with the higher of the two estimates of what popular wrong answers alone would give."""
    kinds = ("popularity", "popularity_plug_in")
    nulls = [row.value for row in same.panel.rows() if row.null_kind in kinds and not row.blank]
    if not nulls or not pair.bounded:
        return ""
    more = pair.low > max(nulls)
    return (
        ": more than popular wrong answers give" if more else ": popular wrong answers alone could give that"
    )


def variance_title(shares: MeasurementTable) -> str:
    """State what the answers vary with most, the question aside."""
    known = [row for row in shares.rows() if not row.blank]
    moved = [row for row in known if "question" not in _parts(row)]
    if not moved:
        return "The design cannot say what answers vary with"
    top = max(moved, key=lambda row: row.value)
    name = component_words(str(top.parameters["component"]))
    mixed = [row for row in known if "question" in _parts(row) and len(_parts(row)) > 1]
    if mixed:
        others = " and ".join(
            WORDS.get(part, visible(part)) for part in _parts(mixed[0]) if part != "question"
        )
        return (
            f"The design cannot tell {others} from the question; {name} takes {percent(top)} of the variance"
        )
    fixed = [row for row in known if _parts(row) == ["question"]]
    if fixed and fixed[0].value > top.value:
        return f"Two runs of a question agree {percent(fixed[0])} of the time, whatever model and wording"
    return f"Apart from the question, answers vary most with {name}: {percent(top)} of the variance"


def _parts(row: Measurement) -> list[str]:
    return str(row.parameters["component"]).split(" + ")


def component_words(name: str) -> str:
    """Write a component, or a merged one, in plain words.

    Examples
    --------
    >>> component_words("model + paraphrase")
    'the model with the wording'
    """
    return " with ".join(WORDS.get(part, visible(part)) for part in name.split(" + "))


def outcomes_title(rates: MeasurementTable) -> str:
    """State which system is right most often, and least often."""
    rows = [row for row in rates.where(stratum="all", outcome="right").rows() if not row.blank]
    rows = [row for row in rows if row.parameters["system"] != "all"] or rows
    if not rows:
        return "How runs end, by system and kind of question"
    best, worst = (pick(rows, key=lambda row: row.value) for pick in (max, min))
    if len(rows) == 1:
        return f"{_system(best)} is right in {percent(best)} of its runs"
    return f"{_system(best)} is right in {percent(best)} of its runs, {_system(worst)} in {percent(worst)}"


def agreement_title(coverage: MeasurementTable) -> str:
    """State how often nearly all runs agree, where nothing says whether they are right."""
    row = coverage.one(stratum="all", threshold=0.875)
    return (
        f"On {percent(row)} of the questions at least 7 of 8 runs agree: nothing here says that they are "
        f"right"
    )


def _system(row: Measurement) -> str:
    return visible(str(row.parameters["system"]))


def _joined(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
