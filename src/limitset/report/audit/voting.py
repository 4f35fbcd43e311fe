"""When may voting stop?"""

from __future__ import annotations

from typing import Final
from weakref import WeakKeyDictionary

from limitset.charts.panel_votes import change_chart
from limitset.charts.shown import percent, visible
from limitset.core.results import Measurement, MeasurementTable
from limitset.core.verdicts import Verdict
from limitset.instruments.truth.voting_gain import ALL, POINT, Stop, VotingGain, voting_gain
from limitset.report.audit.noun import counted
from limitset.report.audit.panel import Panel
from limitset.report.audit.points import counted_on, points
from limitset.report.audit.section import Section
from limitset.report.first_page import data_table
from limitset.report.page import Definition, Figure

TOPIC: Final = 21
"""Stream of the draws; the figure of what the panel is worth shows the same ones."""
MOST_TIMES: Final = 100
"""Beyond this many times the questions, "how many more" is no advice."""
_MEASURED: WeakKeyDictionary[Panel, VotingGain] = WeakKeyDictionary()

DEFINITIONS: Final = (
    Definition(
        term="enough votes",
        plain="The fewest votes that are wrong less than one point more often than all of them, by the whole "
        "interval of the difference on the same questions. Tested from the most votes down.",
        formula="e_{m} − e_{M} < 0.01",
    ),
)


def voting_section(panel: Panel) -> Section:
    """Say from how many votes on more of them change nothing.

    Parameters
    ----------
    panel
        The runs.

    Returns
    -------
    Section
        Without figures where nothing checks the answers, or there are fewer than three votes.
    """
    if panel.anchored is None:
        return Section(topic="voting", limits=("Without a key nobody can say when voting may stop.",))
    gain = gain_of(panel)
    stops = [(unit, system, gain.stop(unit=unit, system=system)) for unit, system in curves_of(gain.errors)]
    told = [(unit, system, stop) for unit, system, stop in stops if stop is not None and stop.most > 2]
    if not told:
        return Section(
            topic="voting",
            measured=(gain.changes,),
            limits=("A vote takes three: with fewer, nothing can be said of when to stop.",),
        )
    unit, system, stop = told[0]
    drawn = gain.changes.where(unit=unit, system=system)
    figure = Figure(
        name="voting",
        title=voting_title(stop, unit=unit, system=system, noun=panel.noun),
        chart=change_chart(drawn, margin=POINT),
        caption=f"{counted_on(panel.anchored, panel.noun)} Above 0: fewer votes are wrong more often than "
        f"{_votes(stop.most, unit, panel.noun)}, on the same questions. Bars: 95 % intervals over questions. "
        "Dashed: one point.",
        table=data_table(drawn),
    )
    advice = [_advice(unit, system, stop, panel.noun) for unit, system, stop in told[:1]]
    # within single systems only what settles: a line for each of many systems would bury it
    within = [row for row in told[1:] if row[2].verdict is Verdict.HOLDS]
    if within:
        advice.append(_within(within))
    return Section(
        topic="voting",
        figures=(figure,),
        advice=tuple(advice),
        measured=(gain.changes,),
        definitions=DEFINITIONS,
    )


def gain_of(panel: Panel) -> VotingGain:
    """Measure the curves of a panel once for every section that shows them."""
    if panel.anchored is None:
        raise ValueError("a panel without an anchor has no errors")
    if panel not in _MEASURED:
        _MEASURED[panel] = voting_gain(panel.anchored, rng=panel.rng(TOPIC))
    return _MEASURED[panel]


def curves_of(errors: MeasurementTable) -> list[tuple[str, str]]:
    """Return unit and system of every curve, the systems together first."""
    pairs = zip(errors.axes["unit"].tolist(), errors.axes["system"].tolist(), strict=True)
    return list(dict.fromkeys(pairs))


def voting_title(stop: Stop, *, unit: str, system: str, noun: str) -> str:
    """State how many votes are enough, or that it cannot be told."""
    whose = "" if system == ALL else f" of {visible(system)}"
    if stop.verdict is Verdict.HOLDS and stop.votes == 1:
        return f"One {noun if unit == 'systems' else 'run'}{whose} does as well as {stop.most}"
    if stop.verdict is Verdict.HOLDS:
        return f"{_votes(stop.votes, unit, noun).capitalize()}{whose} vote as well as {stop.most}"
    if stop.verdict is Verdict.FAILS and unit == "systems":
        return f"Drawn at random, the last of {_votes(stop.most, unit, noun)} still helps"
    if stop.verdict is Verdict.FAILS:
        return f"On average the vote still gains from the last of {_votes(stop.most, unit, noun)}{whose}"
    return f"Whether fewer than {_votes(stop.most, unit, noun)}{whose} would do cannot be told yet"


def _advice(unit: str, system: str, stop: Stop, noun: str) -> str:
    whose = "" if system == ALL else f" of {visible(system)}"
    more = stop.most - stop.votes
    if stop.verdict is Verdict.HOLDS and stop.votes == 1:
        return (
            f"Do not pay for votes: {_votes(stop.most, unit, noun)}{whose} change the error of one by "
            f"{points(stop.change, sign=-1)}."
        )
    if stop.verdict is Verdict.HOLDS:
        return (
            f"Stop voting at {stop.votes} of {_votes(stop.most, unit, noun)}{whose}: "
            f"{'one' if more == 1 else more} more "
            f"change{'s' * (more == 1)} the error by {points(stop.change, sign=-1)}."
        )
    if stop.verdict is Verdict.FAILS:
        return (
            f"{_votes(stop.most, unit, noun).capitalize()}{whose} are not too many: on average the last one "
            f"changes the error by {points(stop.change, sign=-1)}."
        )
    return _open(unit, system, stop, noun)


def _open(unit: str, system: str, stop: Stop, noun: str) -> str:
    whose = "" if system == ALL else f" of {visible(system)}"
    n = int(stop.change.n)
    needed = questions_for(stop.change, POINT)
    about = f" About {needed:,} questions would settle it." if needed else ""
    return (
        f"Can't tell from {n:,} questions whether fewer than {_votes(stop.most, unit, noun)}{whose} would "
        f"do: one less changes the error by {points(stop.change)}.{about}"
    )


def _within(rows: list[tuple[str, str, Stop]]) -> str:
    told = [f"{visible(system)} after {stop.votes} of {stop.most} runs" for _, system, stop in rows[:4]]
    more = f" and {len(rows) - 4} more" if len(rows) > 4 else ""
    return f"Within one model further runs change the error by less than one point: {', '.join(told)}{more}."


def _votes(count: int, unit: str, noun: str) -> str:
    return counted(count, noun if unit == "systems" else "run")


def questions_for(change: Measurement, margin: float) -> int | None:
    """Say how many questions would bring the upper end of a difference below a margin, if it stays.

    The half-width falls with the square root of n, or with n where nothing differed.

    Examples
    --------
    >>> from limitset.core.levels import Level
    >>> def change(value, low):
    ...     return Measurement(instrument="x", version=1, level=Level.ANSWER, value=value, low=low, high=0.02,
    ...         n=100)
    >>> questions_for(change(0.0, -0.03), 0.01), questions_for(change(0.0, -0.02), 0.01)
    (400, 200)
    """
    gap, half = margin - change.value, change.high - change.value
    if change.blank or gap <= 0 or half <= 0:
        return None
    # exact bounds on what was never seen fall with n itself
    unseen = change.value == 0 and change.low == -change.high
    needed = change.n * (half / gap) ** (1 if unseen else 2)
    if not change.n < needed <= MOST_TIMES * change.n:
        return None
    digits = 10 ** max(0, len(str(int(needed))) - 2)
    return int(-(-(needed - 1e-6) // digits) * digits)


def error_of_all(gain: VotingGain, unit: str, system: str) -> str:
    """Write the error of the vote of all."""
    rows = list(gain.errors.where(unit=unit, system=system, null_kind="").rows())
    return percent(max(rows, key=lambda row: int(row.parameters["votes"])))
