"""What should somebody who built a looped model read first, and do next?"""

from __future__ import annotations

import math
import re
from typing import Final

from limitset.charts.shown import number, percent, visible
from limitset.core.limit_sets import LimitKind
from limitset.core.other_ways import SWAPPED_SOLVER, SWAPPED_START
from limitset.core.results import Measurement
from limitset.core.traces import DAMPED
from limitset.core.verdicts import Verdict
from limitset.instruments.dynamics.stopping import Stopping, StoppingRule
from limitset.instruments.dynamics.template_or_iteration import Origin
from limitset.report.trace_findings import LEAST_INPUTS, MOSTLY_LOST, TraceFindings

_ORIGIN: Final = {
    Origin.ITERATES: "it iterates rather than replays",
    Origin.REPLAYS: "it replays a path rather than iterating to a point",
    Origin.CANT_TELL: "whether it iterates or replays can't be told",
}

MOSTLY: Final = 0.9
"""Where fewer inputs settle, the headline says what the others do."""
NEARLY: Final = 0.05
"""Settled inputs that are wrong less often than this, for sure, are nearly right."""
_MOVES: Final = {
    "drift": "drift",
    "slow": "are still closing in",
    "growing": "grow",
    "moves": "go on moving",
    "chaos": "are chaotic",
    "diverged": "diverge",
    "noisy map": "draw random numbers",
    "unstable": "stay near an unstable point",
}
_WAYS: Final = {
    SWAPPED_START: "from swapped starts",
    DAMPED: "with half steps",
    SWAPPED_SOLVER: "by another solver",
}


def headline(found: TraceFindings) -> tuple[str, ...]:
    """Say what was found: settled, right, when to stop, and which way it came."""
    sentences = [_settled(found), _right(found), _saved(found), _ways(found)]
    return tuple(sentence for sentence in sentences if sentence)


def decisions(found: TraceFindings) -> tuple[str, ...]:
    """Say what to do, each with its number."""
    told = [_away(found), _trust(found), _stop(found), _onward(found), _another_way(found), _anchor(found)]
    return tuple(sentence for sentence in told if sentence)


def points(measurement: Measurement) -> str:
    """Write a difference of shares in points, with its sign and interval.

    Examples
    --------
    >>> from limitset.core.levels import Level
    >>> points(Measurement(instrument="x", version=1, level=Level.HIDDEN, value=-0.02, low=-0.05, high=0.01))
    '-2 points [-5, 1]'
    """
    if measurement.blank:
        return "blank"
    width = measurement.high - measurement.low
    digits = 1 if width < 0.04 else 0
    value, low, high = (
        f"{100 * one:.{digits}f}" for one in (measurement.value, measurement.low, measurement.high)
    )
    zero = f"{0:.{digits}f}"
    value, low, high = (zero if float(one) == 0 else one for one in (value, low, high))
    sign = "+" if float(value) > 0 else ""
    return f"{sign}{value} points [{low}, {high}]"


def settled_title(found: TraceFindings) -> str:
    """State what the curves show."""
    if found.used is None:
        if math.isinf(found.by_step):
            return f"{percent(found.settled)} settle within {found.steps} steps"
        return f"By step {found.by_step:.0f} it has settled on {percent(found.settled_by)}"
    first = f"At its usual {found.used.steps} steps {percent(found.used.settled)} have settled"
    if not found.anchored:
        return f"{first}; after {found.steps}, {percent(found.settled)}"
    last = found.curves.one(step=found.steps, curve="right")
    return (
        f"{first} and {percent(found.used.right)} are right; after {found.steps}, {percent(last)} are right"
    )


def ends_title(found: TraceFindings) -> str:
    """State how the inputs end."""
    if not found.anchored:
        return f"{percent(found.settled)} of the inputs settle; nothing says whether they are right"
    if found.wrong_settled.blank:
        return f"No input settles; {percent(found.wrong_unsettled)} end on a wrong answer"
    others = (
        "" if found.wrong_unsettled.blank else f", against {percent(found.wrong_unsettled)} of the others"
    )
    word = "Settled is nearly right here" if found.wrong_settled.high < NEARLY else "Settled is not right"
    return f"{word}: of the settled, {percent(found.wrong_settled)} are wrong{others}"


def same_title(found: TraceFindings) -> str:
    """State whether other ways lead to the same place."""
    told = [
        f"{_WAYS.get(arm, arm)} {percent(way.same_of_settled)}"
        for arm, way in found.ways.items()
        if not way.same_of_settled.blank
    ]
    if not told:
        return "No input settles both ways: no place can be compared"
    return f"Where both ways settle, the place is the same: {', '.join(told)}"


def spectrum_title(found: TraceFindings) -> str:
    """State how firmly the ends hold."""
    if found.stable.blank:
        return "No end could be looked at"
    return (
        f"At {percent(found.stable)} of {found.stable.n:.0f} ends a small error shrinks: by "
        f"{number(found.radius.value)} a step at the median ({number(found.radius.low)} to "
        f"{number(found.radius.high)})"
    )


def orbits_title(drawn: int) -> str:
    """State how much of the orbits is drawn."""
    return f"{drawn} orbits, seen along the two directions in which the ends differ most"


def _settled(found: TraceFindings) -> str:
    name = visible(found.name)
    if math.isinf(found.by_step):
        return (
            f"{name} does not settle within {found.steps} steps on any of {found.inputs} inputs"
            f"{_instead(found)}."
        )
    more = found.settled.value > found.settled_by.value
    rest = f" ({percent(found.settled)} in the end)" if more else ""
    away = _instead(found) if found.settled.value < MOSTLY else ""
    first = f"{name} settles by step {found.by_step:.0f} on {percent(found.settled_by)} of its inputs"
    return f"{first}{rest}{away}."


def _instead(found: TraceFindings) -> str:
    """Say what the inputs that do not settle do, the commonest first."""
    counts = moves_of(found)
    told = sorted(counts, key=lambda word: -counts[word])
    return ": " + ", ".join(f"{counts[word]} {word}" for word in told) if told else ""


def moves_of(found: TraceFindings) -> dict[str, int]:
    """Count what the inputs that do not settle do."""
    own = found.own
    words = [
        _MOVES.get(str(kind)) or _MOVES.get(str(note), str(kind))
        for kind, note, settled in zip(own.columns["kind"], own.columns["note"], own.settled, strict=True)
        if not settled
    ]
    return {word: words.count(word) for word in dict.fromkeys(words)}


def _right(found: TraceFindings) -> str:
    if not found.anchored:
        return "No anchor: nothing here says whether the place is right."
    used = "" if found.used is None else f"as it is used, after {found.used.steps} steps, it is right on "
    used = f"{used}{percent(found.used.right)}" if found.used is not None else ""
    if found.wrong_settled.blank:
        end = f"after {found.steps} steps it is wrong on {percent(found.wrong_unsettled)}"
    else:
        end = f"of the settled, {percent(found.wrong_settled)} are wrong"
    told = "; ".join(part for part in (used, end) if part)
    return f"{told[0].upper()}{told[1:]}."


def _saved(found: TraceFindings) -> str:
    if found.stopping is None or found.used is None or lost_of(found) > MOSTLY_LOST:
        return ""
    if found.stopping.fixed.before.value == 0:
        return f"At the usual step {found.usual_steps} nothing is there that stopping could lose."
    if found.used.gain.low > 0:
        return (
            f"It runs too long: stopped earlier (best about step {found.used.best_step}) instead of at "
            f"{found.used.steps}, accuracy changes by {points(found.used.gain)}."
        )
    return _saved_by(found.stopping.fixed, found.usual_steps)


def _saved_by(rule: StoppingRule, usual: int) -> str:
    if rule.saving.blank or rule.saving.value <= 0:
        return f"No step before {usual} is there from which on nothing is lost."
    begin = f"Stopping at {rule.setting:.0f} instead of {usual} saves {_saving(rule)} of the steps"
    return {
        Verdict.HOLDS: f"{begin} and loses nothing (accuracy {points(rule.change)}).",
        Verdict.FAILS: f"{begin} and costs answers (accuracy {points(rule.change)}).",
        Verdict.CANT_TELL: f"{begin}; accuracy changes by {points(rule.change)}, and whether less than the 1 "
        "point allowed is lost can't be told.",
    }[rule.loses_nothing]


def _ways(found: TraceFindings) -> str:
    known = {arm: way for arm, way in found.ways.items() if not way.same_of_settled.blank}
    if not known:
        return ""
    shares = [percent(way.same_of_settled) for way in known.values()]
    names = [_WAYS.get(arm, arm) for arm in known]
    if len(set(shares)) == 1:
        told = f"{', '.join(names[:-1])}{' and ' * (len(names) > 1)}{names[-1]}, on {shares[0]}"
    else:
        told = "; ".join(f"{name} on {share}" for name, share in zip(names, shares, strict=True))
    first = f"Inputs that settle both ways end in the same place {told}"
    return first + (f": {_ORIGIN[found.origin.verdict]}." if found.origin is not None else ".")


def _away(found: TraceFindings) -> str:
    """Say first what keeps the model from any end at all."""
    counts = moves_of(found)
    lost, drift = counts.get("diverge", 0) + counts.get("grow", 0), counts.get("drift", 0)
    if lost > (1 - MOSTLY) * found.inputs:
        return (
            f"It runs away on {lost} of {found.inputs} inputs: bound the step (normalise after it, damp it, "
            "or lower its gain)."
        )
    if drift > (1 - MOSTLY) * found.inputs:
        return (
            f"It drifts on {drift} of {found.inputs} inputs: its relative step falls as 1/t and passes every "
            "threshold, and no limit is near. Do not halt it by its residual; normalise after the step."
        )
    if counts.get("are chaotic", 0) > (1 - MOSTLY) * found.inputs:
        return (
            f"It is chaotic on {counts['are chaotic']} of {found.inputs} inputs: lower the gain of its step."
        )
    return ""


def _trust(found: TraceFindings) -> str:
    if not found.anchored:
        return ""
    used = found.used
    if used is not None and not used.wrong_still.blank and not used.wrong_moving.blank:
        if used.wrong_moving.low > used.wrong_still.high:
            return (
                f"At step {used.steps} answer only where the relative step is below {found.tolerance:g} "
                f"({percent(used.still)} of the inputs): wrong {percent(used.wrong_still)} there, "
                f"{percent(used.wrong_moving)} elsewhere. It gives up {used.moving} answers, of which "
                f"{used.moving_right} are right."
            )
        if used.wrong_still.low > used.wrong_moving.high:
            return (
                f"Being still is a bad sign here: at step {used.steps} wrong {percent(used.wrong_still)} "
                f"where it is still, {percent(used.wrong_moving)} where it moves."
            )
    settled = found.wrong_settled
    if settled.blank:
        return ""
    if settled.value == 0:
        return (
            f"None of {settled.n:.0f} settled inputs is wrong; at most {100 * settled.high:.0f} % could be."
        )
    return "Do not take settling for being right: check the settled and wrong inputs listed here."


def _stop(found: TraceFindings) -> str:
    if found.stopping is None or found.used is None:
        if found.usual_steps:
            return f"Trace {LEAST_INPUTS} inputs or more to learn when to stop."
        return (
            "Say how many steps the model usually runs (steps = 30 in the object): then this page says when "
            "to stop and what that saves."
        )
    if lost_of(found) > MOSTLY_LOST or found.stopping.fixed.before.value == 0:
        return ""
    if found.used.gain.low > 0:
        return (
            f"Choose the number of steps anew: about {found.used.best_step} instead of {found.used.steps} "
            f"({points(found.used.gain)} of accuracy, the step chosen on other inputs)."
        )
    return _stop_by(found.stopping, found)


def _stop_by(stopping: Stopping, found: TraceFindings) -> str:
    fixed, threshold = stopping.fixed, stopping.threshold
    if fixed.saving.value <= 0:
        return (
            f"Keep the number of steps, {found.usual_steps}: stopping earlier loses answers again later on."
        )
    if fixed.loses_nothing is Verdict.CANT_TELL:
        return (
            f"Stop at step {fixed.setting:.0f} if a loss of {100 * max(0.0, -fixed.change.low):.1f} points "
            f"would be bearable; to show that less than 1 point is lost, trace about "
            f"{max(400, 4 * found.inputs)} inputs ({found.inputs} here)."
        )
    if fixed.loses_nothing is Verdict.FAILS:
        return (
            f"Keep the number of steps, {found.usual_steps}: earlier, accuracy changes by "
            f"{points(fixed.change)}."
        )
    if threshold.loses_nothing is Verdict.HOLDS and threshold.saving.value > fixed.saving.value:
        return (
            f"Halt each input when its relative step is below {threshold.setting:.2g}: saves "
            f"{_saving(threshold)} of the steps, accuracy {points(threshold.change)}. Or stop all at "
            f"step {fixed.setting:.0f}."
        )
    return f"Stop at step {fixed.setting:.0f}: saves {_saving(fixed)} of the steps."


def _onward(found: TraceFindings) -> str:
    closing = moves_of(found).get(_MOVES["slow"], 0)
    if closing > (1 - MOSTLY) * found.inputs:
        return (
            f"Run it longer to see where {closing} of {found.inputs} inputs go that are still closing in "
            f"after {found.steps} steps (--steps {4 * found.steps}, in a new folder)."
        )
    if found.beyond is None:
        return ""
    if found.beyond.high < 0:
        return (
            f"Do not run it beyond {found.usual_steps} steps: after {found.steps} accuracy changes by "
            f"{points(found.beyond)}."
        )
    if found.beyond.low > 0:
        return (
            f"Run it longer: after {found.steps} steps accuracy changes by {points(found.beyond)} against "
            f"{found.usual_steps}."
        )
    return ""


def _another_way(found: TraceFindings) -> str:
    if found.origin is None or found.origin.verdict is Origin.ITERATES:
        return ""
    reason = re.sub(r"(\d)%", r"\1 %", visible(found.origin.reason))
    if found.origin.verdict is Origin.REPLAYS:
        return (
            f"Train it from other starts and for other numbers of steps: it replays a path ({reason[:-1]})."
        )
    return f"Can't tell iterating from replaying: {reason[0].lower()}{reason[1:]}"


def _anchor(found: TraceFindings) -> str:
    if found.anchored:
        return ""
    return (
        "Give the object readout and key, the right answers from outside the model: then this page says how "
        "often the place is wrong."
    )


def lost_of(found: TraceFindings) -> float:
    """Return the share of inputs that diverge."""
    return float((found.own.columns["kind"] == LimitKind.DIVERGED).mean())


def _saving(rule: StoppingRule) -> str:
    return f"{100 * rule.saving.value:.0f} %"
