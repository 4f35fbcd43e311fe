"""Do the numbers of this audit pass its gates, and if that cannot be told, what would settle it?"""

from __future__ import annotations

import difflib
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from limitset.charts.shown import percent, visible, with_interval
from limitset.core.errors import InputError
from limitset.core.exits import ExitStatus
from limitset.core.gates import EVERYTHING, Gate, GateVerdict, Term
from limitset.core.results import Measurement
from limitset.logs.labels import Labels
from limitset.report.audit.labelled_numbers import GIVEN, measured_from_labels
from limitset.report.audit.named_differences import Side, difference
from limitset.report.audit.named_numbers import NAMED, NO_KEY, measured
from limitset.report.audit.panel import Panel

CONFIDENCE: Final = 0.95
MANY_TIMES: Final = 100
"""Beyond this many times the questions, "how many more" is no advice."""
MOST_NAMES: Final = 8
"""So many names stand in an error."""
WORST_FIRST: Final = (GateVerdict.FAIL, GateVerdict.INCONCLUSIVE, GateVerdict.PASS)
STATUS: Final = {
    GateVerdict.PASS: ExitStatus.DONE,
    GateVerdict.FAIL: ExitStatus.FAIL,
    GateVerdict.INCONCLUSIVE: ExitStatus.INCONCLUSIVE,
}


_STAYS: Final = {
    "no question carries it": "if there is still no case among them",
    "no question carries the rest": "if there is still no exception among them",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Judged:
    """One gate, the number it asks for, and what the number says.

    Parameters
    ----------
    gate
        What was asked.
    measurement
        The number, or the difference, with its interval.
    verdict
        By the whole interval against the bar.
    before
        The verdict on the baseline's own numbers; None where there is no baseline, or the gate names it.
    """

    gate: Gate
    measurement: Measurement
    verdict: GateVerdict
    before: GateVerdict | None = None

    @property
    def title(self) -> str:
        """What its author calls the gate, or the gate itself."""
        return self.gate.name or self.gate.text

    @property
    def told(self) -> str:
        """The name, where there is one, and the gate."""
        return f"{self.gate.name}: {self.gate.text}" if self.gate.name else self.gate.text

    @property
    def needed(self) -> int | None:
        """About how many units in all would settle it, if the value stays; None where that is unknown."""
        if self.verdict is not GateVerdict.INCONCLUSIVE:
            return None
        return units_needed(self.measurement, self.gate.bar)

    @property
    def shown(self) -> str:
        """The number with its interval."""
        shares = all(NAMED[term.name].share for term in self.gate.terms)
        told = percent(self.measurement) if shares else with_interval(self.measurement)
        value, bar = self.measurement.value, self.gate.bar
        alone, _, interval = told.partition(" [")
        digits = alone.removesuffix(" %")
        scale = 100 if shares else 1
        if interval and value != bar and float(digits) == round(scale * bar, 12):
            # as rounded the number would read like its bar
            most = next((n for n in range(1, 7) if float(f"{scale * value:.{n}f}") != scale * bar), 6)
            told = f"{scale * value:.{most}f}{' %' * shares} [{interval}"
        return told.replace(" %", " points") if shares and self.gate.less is not None else told

    @property
    def why(self) -> str:
        """What an INCONCLUSIVE gate lacks, or why a number is blank; "" for a gate that is settled."""
        if self.verdict is not GateVerdict.INCONCLUSIVE:
            return ""
        if self.measurement.blank and not self.measurement.bounded:
            told = f"Not measured: {self.measurement.blank_reason}."
            if not self.measurement.blank_reason.endswith(NO_KEY):
                return told
            given = all(term.name in GIVEN for term in self.gate.terms) and self.gate.less is None
            return f"{told} No number of questions settles it: a key{' or --labels' * given} does."
        if math.isnan(self.measurement.low):
            return "The number has no interval."
        return self._lacks()

    def _lacks(self) -> str:
        counted = NAMED[self.gate.first.name].counted if self.gate.less is None else "questions"
        if self.measurement.instrument.startswith("labelled"):
            counted = "labels"
        if self.needed is not None:
            held = f" (now {self.measurement.n:,.0f})" if self.measurement.n >= 1 else ""
            stays = _STAYS.get(self.measurement.blank_reason, "if the value stays")
            return f"About {self.needed:,} {counted}{held} would settle it, {stays}."
        if self.measurement.blank:
            return f"Only a bound is known: {self.measurement.blank_reason}."
        if self.measurement.value == self.gate.bar:
            return f"The value lies on the bar: no number of {counted} settles that."
        return f"More than {MANY_TIMES} times as many {counted} would be needed, if the value stays."

    def record(self) -> dict[str, Any]:
        """Return a plain record for JSON."""
        got = self.measurement
        return {
            "gate": self.gate.text,
            "name": self.gate.name,
            "verdict": str(self.verdict),
            "before": None if self.before is None else str(self.before),
            "value": got.value,
            "low": got.low,
            "high": got.high,
            "n": got.n,
            "bar": self.gate.bar,
            "comparison": self.gate.comparison,
            "confidence": got.confidence,
            "interval_method": got.interval_method,
            "paired": got.parameters.get("paired"),
            "blank_reason": got.blank_reason,
            "needed": self.needed,
            "why": self.why,
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class GateReport:
    """All gates of an audit.

    Parameters
    ----------
    judged
        In the order in which they were given.
    confidence
        Coverage aimed at by the interval of each gate.
    corrected
        Whether the confidence was raised so that all gates together err at most 5 % of the time.
    """

    judged: tuple[Judged, ...]
    confidence: float
    corrected: bool

    @property
    def verdict(self) -> GateVerdict:
        """FAIL where any gate fails, else INCONCLUSIVE where any is, else PASS."""
        found = {one.verdict for one in self.judged}
        return next((one for one in WORST_FIRST if one in found), GateVerdict.PASS)

    @property
    def status(self) -> ExitStatus:
        """How the command ends."""
        return STATUS[self.verdict]

    @property
    def summary(self) -> str:
        """How many gates ended how, in one clause."""
        counts = [(sum(one.verdict is verdict for one in self.judged), verdict) for verdict in WORST_FIRST]
        words = {
            GateVerdict.PASS: ("passes", "pass"),
            GateVerdict.FAIL: ("fails", "fail"),
            GateVerdict.INCONCLUSIVE: ("cannot be told", "cannot be told"),
        }
        told = [f"{count} {words[verdict][count != 1]}" for count, verdict in counts if count]
        return f"{', '.join(told)}, of {len(self.judged)} gate{'s' * (len(self.judged) != 1)}"

    @property
    def rule(self) -> str:
        """By which rule the gates were judged."""
        told = "A gate passes or fails where the whole interval lies on one side of its bar"
        if self.corrected:
            return (
                f"{told}; each interval has {100 * self.confidence:.4g} %, so that all {len(self.judged)} "
                "together hold 95 % of the time (Bonferroni)."
            )
        if len(self.judged) == 1:
            return f"{told}; the interval has 95 %."
        return f"{told}; each has its own 95 %: the more gates, the likelier that one of them errs by chance."

    def record(self) -> dict[str, Any]:
        """Return a plain record for JSON."""
        return {
            "verdict": str(self.verdict),
            "confidence": self.confidence,
            "corrected": self.corrected,
            "gates": [one.record() for one in self.judged],
        }


def judge(
    gates: Sequence[Gate],
    panel: Panel,
    *,
    baseline: Panel | None = None,
    comparable: Collection[str] = (),
    labels: Labels | None = None,
    corrected: bool = False,
) -> GateReport:
    """Measure what each gate names, and judge it.

    Parameters
    ----------
    gates
        One or more; the names in them exist.
    panel
        The runs of this audit.
    baseline
        The runs of an earlier one.
    comparable
        Questions that are the same in both.
    labels
        What somebody labelled of this audit, where its replies have no key.
    corrected
        Judge every gate at a confidence of ``1 - 0.05 / G``.

    Returns
    -------
    GateReport
        In the order of `gates`.

    References
    ----------
    Three-way decisions by interval inclusion: Berger and Hsu (1996), doi:10.1214/ss/1032280304.
    """
    confidence = 1 - (1 - CONFIDENCE) / len(gates) if corrected and gates else CONFIDENCE

    def value(gate: Gate, here: Panel) -> Measurement:
        sides = [Side(panel=_panel(term, here, baseline), term=term) for term in gate.terms]
        if len(sides) == 1:
            (side,) = sides
            if labels is not None and side.panel is panel:
                told = measured_from_labels(panel, labels, side.term, confidence=confidence)
                if told is not None:
                    return told
            return measured(side.panel, side.term, confidence=confidence)
        apart = sides[0].panel is not sides[1].panel
        return difference(*sides, comparable=comparable if apart else None, confidence=confidence)

    judged = []
    for gate in gates:
        got = value(gate, panel)
        before = None
        if baseline is not None and not gate.of_baseline:
            earlier = value(gate, baseline)
            before = gate.verdict(earlier.low, earlier.high)
        judged.append(
            Judged(gate=gate, measurement=got, verdict=gate.verdict(got.low, got.high), before=before)
        )
    return GateReport(judged=tuple(judged), confidence=confidence, corrected=corrected)


def _panel(term: Term, here: Panel, baseline: Panel | None) -> Panel:
    return baseline if term.baseline and baseline is not None else here


def require_known(
    gates: Sequence[Gate], systems: Collection[str], strata: Collection[str], *, earlier: Collection[str] = ()
) -> None:
    """Refuse gates that name a system or a stratum that is not in the audit.

    Parameters
    ----------
    gates
        As parsed.
    systems, strata
        Names in this audit.
    earlier
        Systems of the baseline, which `baseline.` may name too.

    Raises
    ------
    InputError
        With the nearest name: a slip in a name must not look like a gate without data.

    Examples
    --------
    >>> from limitset.core.gates import parse_gate
    >>> from limitset.report.audit.named_numbers import KNOWN
    >>> require_known([parse_gate("accuracy(gpt) >= .7", known=KNOWN)], ["gpt-4", "b"], [])
    Traceback (most recent call last):
    limitset.core.errors.InputError: accuracy(gpt) must name a system of this audit (gpt-4, b); got 'gpt'.
    Did you mean "gpt-4"?
    """
    for term in (term for gate in gates for term in gate.terms):
        held = [*systems, *(name for name in earlier if name not in systems)] if term.baseline else systems
        for name in (one for one in term.arguments if isinstance(one, str)):
            if name not in held:
                raise _unknown(term, "system", name, held)
        if term.stratum != EVERYTHING and term.stratum not in strata:
            raise _unknown(term, "stratum", term.stratum, strata)


def _unknown(term: Term, what: str, name: str, held: Collection[str]) -> InputError:
    near = difflib.get_close_matches(name, held, n=1, cutoff=0.5)
    known = ", ".join(visible(one)[:60] for one in list(held)[:MOST_NAMES]) or "there is none"
    more = f" and {len(held) - MOST_NAMES:,} more" if len(held) > MOST_NAMES else ""
    return InputError.of(
        expected=f"{visible(str(term))[:120]} must name a {what} of this audit ({known}{more})",
        got=repr(name[:60]),
        fix=f'Did you mean "{visible(near[0])}"?' if near else "Names with spaces stand in quotes.",
    )


def units_needed(got: Measurement, bar: float) -> int | None:
    """Say how many units would bring the nearer end of the interval to a bar, if the value stays.

    Interval widths fall with the square root of n. Where no unit, or every unit, carries the share, the
    bound falls as ``1 - (1 - c)^(1/n)``.

    Parameters
    ----------
    got
        A number whose interval holds the bar.
    bar
        Where it must lie on one side.

    Returns
    -------
    int or None
        In all, not more; two digits, rounded up. None where the value lies on the bar, where more than 100
        times as many are needed, and where that cannot be told.

    References
    ----------
    Hanley and Lippman-Hand (1983), doi:10.1001/jama.1983.03330370053031 (no event).

    Examples
    --------
    >>> from limitset.core.levels import Level
    >>> units_needed(Measurement(instrument="x", version=1, level=Level.ANSWER, value=2.5, low=2.0, high=3.5,
    ...     n=40), 3.0)  # the upper half is twice the distance: four times as many
    160
    """
    if math.isnan(got.n) or got.n <= 0:
        return None
    if got.blank:
        free = {"no question carries it": 1 - bar, "no question carries the rest": bar}.get(got.blank_reason)
        if free is None or not 0 < free < 1:
            return None
        needed = math.log(1 - got.confidence) / math.log(free)
        return _rounded(needed) if got.n < needed <= MANY_TIMES * got.n else None
    gap = abs(got.value - bar)
    half = got.value - got.low if got.value > bar else got.high - got.value
    if gap <= 0 or math.isnan(half) or not 1 <= (half / gap) ** 2 <= MANY_TIMES:
        return None
    return _rounded(got.n * (half / gap) ** 2)


def _rounded(needed: float) -> int:
    digits = max(0, int(math.log10(max(needed, 1.0))) - 1)
    return int(math.ceil(needed / 10**digits - 1e-9) * 10**digits)
