"""What are the votes of a panel worth, and is it right where all of its members agree?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from limitset.core.bars import Bar
from limitset.core.errors import InputError
from limitset.core.evidence import Control, Evidence, Protocol, Scope, Tier, Trial
from limitset.core.provenance import sha256_of
from limitset.core.results import Measurement, Scalar
from limitset.core.tallies import Tallies, tallied
from limitset.datasets.planted.panels import World, clones_world, independent_world, planted_tallies
from limitset.datasets.sample_panel import ATTRIBUTIONS, PANEL
from limitset.logs.replies import read_replies
from limitset.studies.agreed_panels import agreed_falsehoods
from limitset.studies.panel_votes import PanelVotes, panel_votes

SEED: Final = 4100
"""Added to the seed of a trial, so that no counted run repeats the draws of a pilot."""
PLANTED: Final = 2000
"""Least planted questions: independence is then known to within a tenth."""
WHOLE, HALF = Bar("above", (0.8,)), Bar("below", (0.5,))
RARE, OFTEN = Bar("below", (0.05,)), Bar("above", (0.05,))
BETTER, WORSE = Bar("above", (0.0,)), Bar("below", (0.0,))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Panel:
    tallies: Tallies
    rows: tuple[dict[str, Scalar], ...]
    system: str
    notes: tuple[str, ...]


def run(trial: Trial) -> Evidence:
    """Read a panel of keyed replies, let each member vote once, and say what the votes are worth."""
    panel = _read(trial.logs or PANEL, own=trial.own)
    trial.say("what the votes are worth")
    found = panel_votes(
        panel.tallies, confidence=trial.confidence, rng=np.random.default_rng([SEED, trial.seed])
    )
    trial.say("planted panels of the same size")
    members = found.members
    return Evidence(
        estimates=found.estimates,
        controls=_controls(panel.tallies, len(members), trial),
        scope=Scope.REAL,
        system=panel.system,
        curve=found.curve,
        rows=panel.rows,
        notes=(
            f"{len(members)} members, one run each: {', '.join(members[:8])}{' ...' * (len(members) > 8)}",
            *panel.notes,
        ),
    )


def _read(path: Path, *, own: bool) -> _Panel:
    got = read_replies(path)
    keyed = int(got.items.has_anchor().sum())
    judged = got.ends.numbers("right")
    if np.isnan(judged).any() and keyed < len(got.items):
        raise InputError.of(
            expected=f"every reply of {path.name} must be called right or wrong: agreement alone cannot tell "
            "a true consensus from a false one",
            got=f"{keyed} keys for {len(got.items)} questions",
            fix="Add a column key with the right answer of each question, or right with a verdict.",
        )
    tallies = tallied(got.ends, got.items)
    what = "five prompts of two small models (the sample panel)" if own else path.name
    return _Panel(
        tallies=tallies,
        rows=agreed_falsehoods(got.ends, got.items, tallies),
        system=f"{what}, sha256 {sha256_of(path)}; {len(got.items)} questions",
        notes=(*got.notes, *(ATTRIBUTIONS if own else ())),
    )


def _controls(tallies: Tallies, members: int, trial: Trial) -> tuple[Control, ...]:
    """Planted panels with as many members as were measured, one run each, on as many questions or more.

    A table too small to tell is told by its own interval; the controls ask whether the recipe finds what is
    there.
    """
    questions = max(tallies.items.size, PLANTED)

    def drawn(world: World, number: int) -> Tallies:
        rng = np.random.default_rng([SEED, trial.seed, number])
        return planted_tallies(world, questions=questions, seeds=1, rng=rng)

    def found(planted: Tallies, number: int) -> PanelVotes:
        return panel_votes(
            planted, confidence=trial.confidence, rng=np.random.default_rng([SEED, trial.seed, number])
        )

    def control(name: str, kind: str, got: PanelVotes, statistic: str, wanted: Bar) -> Control:
        measured: Measurement = got.estimates[statistic]
        return Control(
            name=name,
            kind=kind,
            passed=wanted.holds(measured.low, measured.high),
            measured=measured,
            wanted=f"{statistic} {wanted}",
            guards=(statistic,),
        )

    alone = found(drawn(independent_world(accuracy=0.7, wrong_classes=3, models=members), 1), 11)
    clones = found(drawn(clones_world(accuracy=0.7, models=members), 2), 12)
    agreeing = independent_world(accuracy=1 - 0.15 / members, wrong_classes=3, models=members)
    sure = drawn(agreeing, 3)
    twin = found(false_twin(sure), 13)
    one_knows = found(drawn(_one_knows(members), 4), 14)
    return (
        control("members that share nothing", "positive", alone, "worth", WHOLE),
        control("copies of one member", "negative", clones, "worth", HALF),
        control("members that share nothing", "positive", found(sure, 13), "wrong_when_all_agree", RARE),
        control("the same panel, false: its false twin", "negative", twin, "wrong_when_all_agree", OFTEN),
        control("members that share nothing", "positive", alone, "vote_gain", BETTER),
        control("one member that knows among copies that do not", "negative", one_knows, "vote_gain", WORSE),
    )


def false_twin(tallies: Tallies) -> Tallies:
    """Return a panel that agrees in the same way on something else: another answer of each question is right.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> world = independent_world(accuracy=0.9, wrong_classes=2)
    >>> panel = planted_tallies(world, questions=3, seeds=4, rng=rng)
    >>> false_twin(panel).class_right.tolist()
    [0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0]
    """
    return replace(tallies, class_right=np.roll(tallies.class_right, 1))


def _one_knows(members: int) -> World:
    """One member is right on 95 % of questions, whatever the others do; they are copies, right on half."""
    kinds: Sequence[tuple[float, int]] = ((0.5, 0), (0.5, 1))
    shares = np.zeros((2, members, 1, 3))
    for row, (_, said) in enumerate(kinds):
        shares[row, 0, 0] = 0.95, 0.0, 0.05
        shares[row, 1:, 0, said] = 1.0
    return World(weights=np.array([one for one, _ in kinds]), shares=shares, kinds=("known", "not known"))


PROTOCOL: Final = Protocol(
    id="p41",
    title="What are the votes of a panel worth, and is it right where all of its members agree?",
    run=run,
    statistics={
        "worth": "independent votes beyond the first, by members beyond the first, one run each",
        "worth_of_members": "the same for the chance of each member to be wrong, whatever the run",
        "wrong_when_all_agree": "share wrong where one run of each member all give one answer",
        "vote_gain": "share right of the vote less that of the member that did best on other questions",
    },
    instruments=(
        "effective_number@1",
        "best_subset@1",
        "wrong_when_unanimous@1",
        "panel_votes@1",
        "canonicaliser@2",
    ),
    data=(f"sample panel sha256 {sha256_of(PANEL)[:12]}",),
    seconds={Tier.QUICK: 10},
    scope=Scope.REAL,
    accepts=("logs",),
    confounds=(
        "members of the sample panel are five prompts of two models: panels of unlike models may share less",
        "errors that go together may share a falsehood or only what is hard; both cost votes",
    ),
)
