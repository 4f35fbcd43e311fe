"""How does a reader see that only an anchor tells the twins apart?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from limitset.charts.shown import percent, with_interval
from limitset.charts.twins import twins_chart
from limitset.core.provenance import machine, package_versions
from limitset.core.results import Measurement
from limitset.core.verdicts import Verdict
from limitset.datasets.planted.sums import BLUR
from limitset.datasets.planted.twin_control import TwinControl
from limitset.datasets.planted.twins import BATCH, LESSONS, STEPS, WIDTH, TwinPanel
from limitset.report.page import Definition, Figure, Page, Table

ANCHORED: Final = "accuracy"
"""The one score that looks at what is true."""
TAUGHT: Final = "as taught"
"""Whether the false world was learned as well as the true one: without it the comparison is void."""

GROUPS: Final[Mapping[str, str]] = {"true": "true labels", "false": "false twin", "untrained": "untrained"}
_SHARES: Final = ("stability", "agreement", "confidence", TAUGHT, ANCHORED)
_SHOWN: Final[Mapping[str, str]] = {
    "flatness": "flatness (loss rise)",
    "stability": "stability",
    "agreement": "agreement with its kind",
    "confidence": "confidence",
    "alignment": "alignment to true nets",
    TAUGHT: "answers as taught",
    ANCHORED: "right by the anchor",
}
_NUMERALS: Final = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def verdict_of(controls: Mapping[str, TwinControl]) -> Verdict:
    """Judge the whole demonstration: every score equal on the twins, save the anchored one.

    Parameters
    ----------
    controls
        Score name to what it says of the twins.

    Returns
    -------
    Verdict
        `HOLDS` when all others are equal and accuracy is not; `FAILS` when one of them is surely otherwise;
        `CANT_TELL` when more nets are needed.

    References
    ----------
    Three-way decisions by interval inclusion: Berger and Hsu (1996), doi:10.1214/ss/1032280304.

    Examples
    --------
    >>> verdict_of({})
    Traceback (most recent call last):
    KeyError: 'accuracy'
    """
    anchored = controls[ANCHORED].equal
    others = {control.equal for name, control in controls.items() if name != ANCHORED}
    if anchored is Verdict.HOLDS or Verdict.FAILS in others:
        return Verdict.FAILS
    return Verdict.HOLDS if anchored is Verdict.FAILS and others <= {Verdict.HOLDS} else Verdict.CANT_TELL


def page_of(controls: Mapping[str, TwinControl], panel: TwinPanel, *, date: str, command: str) -> Page:
    """Build the page of the demonstration.

    Parameters
    ----------
    controls
        Score name to what it says of the twins.
    panel
        The nets behind them.
    date, command
        When and how it was made, for the reader.

    Returns
    -------
    Page
        One figure, one table, definitions and every number.

    References
    ----------
    As `limitset.studies.demo.run_demo`.

    Examples
    --------
    >>> page_of(controls, panel, date="22 Nov 2026", command="limitset demo")  # doctest: +SKIP
    """
    nets = len(panel.of("true"))
    table = _table(controls)
    records = [record for control in controls.values() for record in control.values.records()]
    records += [control.gap.record() for control in controls.values()]
    return Page(
        title="limitset demo",
        scope=f"{_word(nets)} toy nets of each kind · the last digit of a sum of two drawn digits · "
        f"{len(panel.held_out):,} drawings not seen in training",
        date=date,
        headline=_headline(controls, nets),
        decisions=_decisions(controls),
        figures=(
            Figure(
                name="twins",
                title=_figure_title(controls),
                chart=twins_chart(chart_rows(controls)),
                caption=f"Mean of {nets} nets of each kind on {len(panel.held_out):,} held-out drawings, "
                "with 95 % intervals over nets. Bars of one score are drawn relative to its longest. "
                "Untrained nets have been taught nothing: true labels stand in for theirs.",
                table=table,
            ),
        ),
        tables=(table,),
        definitions=_definitions(),
        provenance={
            "command": command,
            "seed": str(panel.seed),
            "false world": ", ".join(f"{true} is called {false}" for true, false in enumerate(_world(panel))),
            "task": f"two seven-segment digits, each segment blurred by Gaussian noise of {BLUR}; "
            "the answer is computed from the digits that were drawn",
            "nets": f"two hidden layers of {WIDTH} ReLU units, each net with its own start, its own batches "
            f"and {LESSONS:,} drawings of its own; AdamW, {STEPS} steps of {BATCH}",
            **package_versions(),
            **machine(),
        },
        numbers=tuple(records),
        limits=(
            "Toy nets on one toy task, trained on the spot: it shows that these scores need not follow "
            "truth, not how often they do in large models.",
            "The false world is a consistent renaming of the answers, the case in which no score that "
            "is blind to the names can differ in expectation. Inconsistent errors are learned less well "
            "and can show.",
        ),
    )


def chart_rows(controls: Mapping[str, TwinControl]) -> list[dict[str, Any]]:
    """Return the records that `charts.twins` draws: score, group, value, low, high.

    Parameters
    ----------
    controls
        Score name to what it says of the twins.

    Returns
    -------
    list of dict
        One record a score and kind; low and high None where there is no interval.

    References
    ----------
    As `limitset.studies.demo.run_demo`.

    Examples
    --------
    >>> chart_rows({})
    []
    """
    rows = []
    for name, control in controls.items():
        for one in control.values.rows():
            bounds = (one.low, one.high) if one.bounded else (None, None)
            group = GROUPS[str(one.parameters["kind"])]
            record = {"score": _SHOWN[name], "group": group, "value": one.value}
            rows.append({**record, "low": bounds[0], "high": bounds[1]})
    return rows


def _headline(controls: Mapping[str, TwinControl], nets: int) -> tuple[str, ...]:
    false, true = (controls[ANCHORED].values.one(kind=kind) for kind in ("false", "true"))
    if controls[ANCHORED].equal is not Verdict.FAILS:
        missed = "is missed" if controls[ANCHORED].equal is Verdict.HOLDS else "is not met for sure"
        return (
            f"The control {missed}: nets taught falsehoods are right {percent(false)} of the time, nets "
            f"taught the truth {percent(true)}. Nothing below may be used.",
        )
    equal = _named(controls, Verdict.HOLDS)
    count = _word(nets)
    sentences = []
    if controls[TAUGHT].equal is not Verdict.HOLDS:
        sentences.append(
            "The two worlds were not learned equally well for sure, so equal scores mean little."
        )
    if equal:
        sentences.append(
            f"{count.capitalize()} small nets that learned only falsehoods cannot be told from {count} "
            f"that learned the truth by their {_listed(equal)}."
        )
    apart = _named(controls, Verdict.FAILS)
    if apart:
        sentences.append(f"In this run the twins do differ in {_listed(apart)}.")
    open_ones = _named(controls, Verdict.CANT_TELL)
    if open_ones:
        sentences.append(
            f"For {_listed(open_ones)} {count} nets can't tell; more would: limitset demo --nets {2 * nets}."
        )
    only = "Only the anchor tells" if verdict_of(controls) is Verdict.HOLDS else "The anchor tells"
    sentences.append(f"{only} them apart: right {percent(false)} of the time against {percent(true)}.")
    return tuple(sentences)


def _decisions(controls: Mapping[str, TwinControl]) -> tuple[str, ...]:
    if controls[ANCHORED].equal is not Verdict.FAILS:
        return ("Find out why the false twin is not false before using any of these numbers.",)
    return (
        "Before a score of agreement, stability, flatness or alignment is taken for a sign of truth, "
        "put it to a false twin. If it cannot tell the twins apart, it says nothing about truth.",
        "Check the ends against something outside every model; then measure how far agreement may be "
        "trusted: limitset audit, limitset run.",
    )


def _figure_title(controls: Mapping[str, TwinControl]) -> str:
    if verdict_of(controls) is Verdict.HOLDS:
        return "True nets and their false twins differ in nothing but what is true"
    return "True nets, their false twins and untrained nets, score by score"


def _named(controls: Mapping[str, TwinControl], verdict: Verdict) -> list[str]:
    return [name for name, one in controls.items() if one.equal is verdict and name not in (ANCHORED, TAUGHT)]


def _table(controls: Mapping[str, TwinControl]) -> Table:
    rows = []
    for name, control in controls.items():
        kinds = [_shown(name, control.values.one(kind=kind)) for kind in GROUPS]
        rows.append((_SHOWN[name], *kinds, _equal_words(control)))
    return Table(
        title="Put to the twins",
        columns=("score", *GROUPS.values(), "true and false equal?"),
        rows=tuple(rows),
        note="Equal: the interval of the gap lies inside a band fixed beforehand. "
        + "; ".join(f"{_SHOWN[name]} {_band_words(control)}" for name, control in controls.items())
        + ".",
    )


def _equal_words(control: TwinControl) -> str:
    return {Verdict.HOLDS: "equal", Verdict.FAILS: "differ", Verdict.CANT_TELL: "can't tell"}[control.equal]


def _band_words(control: TwinControl) -> str:
    band = control.band
    if band.ratio:
        return f"ratio {band.low:.2g} to {band.high:.3g}"
    return f"{100 * band.low:.0f} to +{100 * band.high:.0f} points"


def _shown(name: str, one: Measurement) -> str:
    return percent(one) if name in _SHARES else with_interval(one)


def _world(panel: TwinPanel) -> list[int]:
    return [int(false) for false in panel.of("false")[0].world]


def _word(count: int) -> str:
    return _NUMERALS[count] if count < len(_NUMERALS) else str(count)


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _definitions() -> tuple[Definition, ...]:
    return (
        Definition(
            term="false twin",
            plain="A net trained as another is, on answers that are consistently renamed so that none "
            "is right. The false world is exactly as learnable as the true one.",
        ),
        Definition(
            term="flatness",
            plain="How much the loss on a net's own labels rises under noise on its weights, in "
            "proportion to each weight tensor's norm (10 %). Low is flat.",
            formula="F = E[L(w + δ)] − L(w),   δ_{t} = 0.1 ‖w_{t}‖ ε_{t} / √dim w_{t}",
        ),
        Definition(
            term="stability",
            plain="How many answers stay the same when the input is shaken a little.",
            formula="S = P(g(x + 0.1 d ε) = g(x)),   d: deviation of the inputs",
        ),
        Definition(
            term="agreement",
            plain="How often two nets of one kind give the same answer.",
            formula="P(g_{i}(x) = g_{j}(x)), i ≠ j",
        ),
        Definition(term="confidence", plain="The chance a net gives to its preferred answer, on average."),
        Definition(
            term="alignment (linear CKA, unbiased)",
            plain="How alike the last hidden layer is to that of the true nets, up to rotation and "
            "scale: 1 is the same shape, 0 what chance gives.",
            formula="⟨K̃, L̃⟩ / (‖K̃‖ ‖L̃‖),   K = X X^{T}, L = Y Y^{T}, diagonals removed, U-centred",
        ),
        Definition(
            term="right by the anchor (accuracy)",
            plain="How many held-out answers equal the last digit of the sum, computed from the digits "
            "drawn.",
        ),
    )
