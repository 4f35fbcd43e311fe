"""What should somebody who built a looped model read first, and do next?"""

from __future__ import annotations

import math
from typing import Final

from limitset.charts.shown import number, percent, visible
from limitset.core.other_ways import SWAPPED_SOLVER, SWAPPED_START
from limitset.core.results import Measurement
from limitset.core.traces import DAMPED
from limitset.core.verdicts import Verdict
from limitset.instruments.dynamics.stopping import StoppingRule
from limitset.instruments.dynamics.template_or_iteration import Origin
from limitset.report.trace_findings import TraceFindings

_ORIGIN: Final = {
    Origin.ITERATES: "it iterates rather than replays",
    Origin.REPLAYS: "it replays a path rather than iterating to a point",
    Origin.CANT_TELL: "whether it iterates or replays can't be told",
}

MOSTLY: Final = 0.9
"""Where fewer inputs settle, the headline says what the others do."""
_MOVES: Final = {
    "drift": "drift",
    "slow": "are still closing in",
    "growing": "grow",
    "moves": "go on moving",
    "chaos": "are chaotic",
    "diverged": "diverge",
    "noisy map": "draw random numbers",
}
_WAYS: Final = {
    SWAPPED_START: "from swapped starts",
    DAMPED: "with half steps",
    SWAPPED_SOLVER: "by another solver",
}


def headline(found: TraceFindings) -> tuple[str, ...]:
    """Say what was found: settled, right, when to stop, and which way it came."""
    sentences = [_settled(found), _right(found), _saved(found), _origin(found)]
    return tuple(sentence for sentence in sentences if sentence)


def decisions(found: TraceFindings) -> tuple[str, ...]:
    """Say what to do, each with its number."""
    told = [_stop(found), _trust(found), _onward(found), _another_way(found), _anchor(found)]
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
    if math.isinf(found.by_step):
        return "It does not settle"
    first = f"By step {found.by_step:.0f} it has settled on {percent(found.settled_by)}"
    if not found.anchored:
        return first
    last = found.curves.one(step=found.steps, curve="right")
    return f"{first}; after {found.steps} steps it is right on {percent(last)}"


def ends_title(found: TraceFindings) -> str:
    """State how the inputs end."""
    if not found.anchored:
        return f"{percent(found.settled)} of the inputs settle; nothing says whether they are right"
    if found.wrong_settled.blank:
        return "No input settles"
    return f"Settled is not right: of the settled, {percent(found.wrong_settled)} are wrong"


def same_title(found: TraceFindings) -> str:
    """State whether other ways lead to the same place."""
    told = [f"{arm} {percent(way.same)}" for arm, way in found.ways.items()]
    return f"In the same place: {', '.join(told)}"


def spectrum_title(found: TraceFindings) -> str:
    """State how firmly the ends hold."""
    if found.stable.blank:
        return "No end could be looked at"
    return (
        f"A small error shrinks at {percent(found.stable)} of the ends "
        f"(median factor {number(found.radius.value)} a step)"
    )


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
    own = found.own
    words = [
        _MOVES.get(str(note), str(kind)) if note else _MOVES.get(str(kind), str(kind))
        for kind, note, settled in zip(own.columns["kind"], own.columns["note"], own.settled, strict=True)
        if not settled
    ]
    counts = {word: words.count(word) for word in dict.fromkeys(words)}
    told = sorted(counts, key=lambda word: -counts[word])[:2]
    return ": " + ", ".join(f"{counts[word]} {word}" for word in told) if told else ""


def _right(found: TraceFindings) -> str:
    if not found.anchored:
        return "No anchor: nothing here says whether the place is right."
    if found.wrong_settled.blank:
        return f"Where it does not settle it is wrong {percent(found.wrong_unsettled)} of the time."
    return f"Of the settled, {percent(found.wrong_settled)} are wrong."


def _saved(found: TraceFindings) -> str:
    if found.stopping is None:
        return ""
    rule = found.stopping.fixed
    if rule.saving.blank or rule.saving.value <= 0:
        return f"Stopping before step {found.usual_steps} would lose answers."
    begin = (
        f"Stopping at {rule.setting:.0f} instead of {found.usual_steps} saves {_saving(rule)} of the steps"
    )
    if rule.loses_nothing is Verdict.HOLDS:
        return f"{begin} and loses nothing ({points(rule.change)})."
    if rule.loses_nothing is Verdict.FAILS:
        return f"{begin} and costs answers ({points(rule.change)})."
    return (
        f"{begin}; whether that loses anything can't be told from {found.inputs} inputs "
        f"({points(rule.change)})."
    )


def _origin(found: TraceFindings) -> str:
    if found.origin is None:
        return ""
    shares = [percent(way.same) for way in found.ways.values()]
    names = [_WAYS.get(arm, arm) for arm in found.ways]
    if len(set(shares)) == 1:
        told = (
            f"{', '.join(names[:-1])}{' and ' * (len(names) > 1)}{names[-1]}: the same place on {shares[0]}"
        )
    else:
        told = "; ".join(f"{name} on {share}" for name, share in zip(names, shares, strict=True))
        told = f"the same place {told}"
    return f"{told[0].upper()}{told[1:]}. So {_ORIGIN[found.origin.verdict]}."


def _stop(found: TraceFindings) -> str:
    if found.stopping is None:
        return (
            ""
            if found.usual_steps
            else "Say how many steps the model usually runs (steps = 30 in the object): then this page says "
            "when to stop and what that saves."
        )
    fixed, threshold = found.stopping.fixed, found.stopping.threshold
    if fixed.loses_nothing is Verdict.HOLDS and fixed.saving.value > 0:
        text = f"Stop at step {fixed.setting:.0f}."
        if threshold.loses_nothing is Verdict.HOLDS and threshold.saving.value > fixed.saving.value:
            text = (
                f"Halt each input when its relative residual is below {threshold.setting:.2g}: saves "
                f"{_saving(threshold)} of the steps, {points(threshold.change)}. Or stop all at step "
                f"{fixed.setting:.0f}."
            )
        return text
    if fixed.loses_nothing is Verdict.CANT_TELL and fixed.saving.value > 0:
        return (
            f"To know whether stopping at step {fixed.setting:.0f} loses anything, trace about 400 inputs or "
            f"more ({found.inputs} here)."
        )
    return f"Keep the {found.usual_steps} steps."


def _trust(found: TraceFindings) -> str:
    settled, open_ones = found.wrong_settled, found.wrong_unsettled
    if settled.blank or not found.anchored:
        return ""
    if open_ones.blank:
        return "Do not take settling for being right: check the inputs listed below outside the model."
    if open_ones.low > settled.high:
        return (
            f"Do not answer where it has not settled: wrong {percent(open_ones)} there, against "
            f"{percent(settled)} where it has."
        )
    if settled.low > open_ones.high:
        return (
            f"Settling is a bad sign here: wrong {percent(settled)} where it settles, {percent(open_ones)} "
            "where it does not."
        )
    return (
        f"Settling does not tell right from wrong here: wrong {percent(settled)} where it settles, "
        f"{percent(open_ones)} where it does not."
    )


def _onward(found: TraceFindings) -> str:
    closing = int((found.own.columns["note"] == "slow").sum())
    if closing > (1 - MOSTLY) * found.inputs:
        return (
            f"Run it longer: {closing} of {found.inputs} inputs are still closing in after {found.steps} "
            f"steps (--steps {4 * found.steps}, in a new folder)."
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
    reason = visible(found.origin.reason)
    return f"{reason[0].upper()}{reason[1:]}"


def _anchor(found: TraceFindings) -> str:
    if found.anchored:
        return ""
    return (
        "Give the object readout and key, the right answers from outside the model: then this page says how "
        "often the place is wrong."
    )


def _saving(rule: StoppingRule) -> str:
    return f"{100 * rule.saving.value:.0f} %"
