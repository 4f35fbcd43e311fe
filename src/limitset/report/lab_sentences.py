"""What should somebody who designs a loop read first, and build?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from limitset.charts.shown import percent
from limitset.core.lab import UNTRAINED
from limitset.report.lab_findings import GUESSED, Cell, CellVerdict, LabFindings, right_bar

NORM_WORDS: Final = {"none": "no norm", "pre": "pre-norm", "post": "post-norm", "sandwich": "sandwich"}
INJECTION_WORDS: Final = {
    "start": "at the start only",
    "additive": "added",
    "concatenated": "concatenated",
    "gated": "gated",
}
MOST_NAMED: Final = 4


def headline(found: LabFindings) -> tuple[str, ...]:
    """Say which cells settle on right answers, and where settled and right part."""
    trained = found.trained()
    if not trained:
        return _untrained_headline(found.hardest(UNTRAINED))
    told = [_good_cells(found, trained[0]), _settled_and_wrong(found), _right_unsettled(found)]
    fooled = fooled_cells(found, trained[0])
    if fooled:
        usual = int(fooled[0].shares["settled"].parameters["usual"])
        one = len(fooled) == 1
        told.append(
            f"At the trained size and step {usual}, {len(fooled)} {'cell' if one else 'cells'} that "
            f"{'fails' if one else 'fail'} far beyond {'looks' if one else 'look'} as good: only further steps "
            "tell."
        )
    return tuple(sentence for sentence in told if sentence)


def decisions(found: LabFindings) -> tuple[str, ...]:
    """Say what to build, and how to judge it."""
    trained = found.trained()
    if not trained:
        return (
            "Normalise after the step and give the input back at every step; then look at the gain: bounded "
            "is not stable.",
            "Train before judging: nothing here says what is right. limitset trace recurrence --quick",
        )
    cells = found.hardest(trained[0])
    best = max(
        cells, key=lambda c: (c.verdict is CellVerdict.SETTLED_RIGHT, c.iterates, c.shares["settled"].low)
    )
    told = [
        f"Build {name_of(best)}: right on {percent(best.shares['right_far'])} after "
        f"{_far(best)} steps at size {best.size}, settled on {percent(best.shares['settled'])}; "
        f"{best.iterates} of {best.seeds} seeds iterate rather than replay."
    ]
    if fooled_cells(found, trained[0]):
        told.append(
            "Do not judge a loop at its trained steps: run it several times as far, and from the end of "
            "another input."
        )
    open_ones = [cell for cell in cells if cell.verdict is CellVerdict.CANT_TELL]
    if open_ones:
        told.append(f"Can't tell for {named(open_ones)}: more seeds would (seeds = 10 in a study file).")
    return tuple(told)


def fooled_cells(found: LabFindings, task: str) -> list[Cell]:
    """Return the cells that are right at the trained size and steps, and not far beyond."""
    far = {(cell.norm, cell.injection): cell for cell in found.hardest(task)}
    bar = right_bar(task)
    return [
        cell
        for cell in found.of(task, size=found.sizes(task)[0])
        if cell.shares["right_usual"].low > (1 + bar) / 2
        and far[cell.norm, cell.injection].shares["right_far"].high < bar
    ]


def phase_title(cells: Sequence[Cell], task: str) -> str:
    """State how many cells of a task settle and are right, and how many only settle."""
    good = [cell for cell in cells if cell.verdict is CellVerdict.SETTLED_RIGHT]
    bad = [cell for cell in cells if cell.verdict is CellVerdict.SETTLED_WRONG]
    words = f"On {task}, {len(good)} of {len(cells)} cells settle and are right"
    if len(good) == 1:
        words = f"On {task}, 1 of {len(cells)} cells settles and is right"
    if not bad:
        return words
    return f"{words}, {len(bad)} {'settles and is' if len(bad) == 1 else 'settle and are'} wrong"


def name_of(cell: Cell) -> str:
    """Name a cell in words."""
    gain = f", gain {cell.gain:g}" if cell.task == UNTRAINED else ""
    return f"{NORM_WORDS[cell.norm]}, input {INJECTION_WORDS[cell.injection]}{gain}"


def named(cells: Sequence[Cell]) -> str:
    """List cells, four at most."""
    if not cells:
        return "none"
    names = [name_of(cell) for cell in cells]
    return (
        "; ".join(names)
        if len(names) <= MOST_NAMED
        else f"{'; '.join(names[:MOST_NAMED])} and {len(names) - MOST_NAMED} more"
    )


def _untrained_headline(cells: Sequence[Cell]) -> tuple[str, ...]:
    one, drift, forgot = (
        [cell for cell in cells if cell.verdict is verdict]
        for verdict in (CellVerdict.UNIQUE, CellVerdict.UNSETTLED, CellVerdict.FORGETS)
    )
    told = [
        f"Before any training, {len(one)} of {len(cells)} kinds of loop settle in one place for each input, "
        f"whatever the start: {named(one)}.",
        f"{len(drift)} do not settle.",
    ]
    return (*told, f"{len(forgot)} forget their input.") if forgot else tuple(told)


def _good_cells(found: LabFindings, task: str) -> str:
    cells = found.hardest(task)
    good = [cell for cell in cells if cell.verdict is CellVerdict.SETTLED_RIGHT]
    beyond = f"far beyond training (size {cells[0].size}, {_far(cells[0])} steps)"
    if not good:
        return (
            f"Of {len(cells)} kinds of loop trained on {task}, none settles on the right answer {beyond} for "
            "sure."
        )
    once = [cell for cell in cells if cell.injection == "start"]
    told = (
        f"Of {len(cells)} kinds of loop trained on {task}, {len(good)} "
        f"{'settles' if len(good) == 1 else 'settle'} on the right answer {beyond}"
    )
    if once and not set(once) & set(good):
        return f"{told}, none of the {len(once)} that see their input only once: {named(good)}."
    return f"{told}: {named(good)}."


def _settled_and_wrong(found: LabFindings) -> str:
    bad = [c for t in found.trained() for c in found.hardest(t) if c.verdict is CellVerdict.SETTLED_WRONG]
    if not bad:
        return ""
    worst = max(bad, key=lambda cell: cell.shares["settled"].low)
    guess = GUESSED.get(worst.task)
    chance = f" (guessing: {100 * guess:.0f} %)" if guess else ""
    trained = [
        cell
        for cell in found.of(worst.task, size=found.sizes(worst.task)[0])
        if (cell.norm, cell.injection) == (worst.norm, worst.injection)
    ]
    unlearned = trained[0].shares["right_usual"].high < right_bar(worst.task)
    return (
        f"Settled is not right: on {worst.task}{', which it never learned' if unlearned else ''}, "
        f"{name_of(worst)} settles on {percent(worst.shares['settled'])} and is right on "
        f"{percent(worst.shares['right_far'])}{chance}."
    )


def _right_unsettled(found: LabFindings) -> str:
    loose = [c for t in found.trained() for c in found.hardest(t) if c.verdict is CellVerdict.UNSETTLED_RIGHT]
    if not loose:
        return ""
    best = max(loose, key=lambda cell: cell.shares["right_far"].low)
    return (
        f"Right is not settled: on {best.task}, {name_of(best)} is right on "
        f"{percent(best.shares['right_far'])} and settles on {percent(best.shares['settled'])}."
    )


def _far(cell: Cell) -> int:
    return int(cell.shares["settled"].parameters["far"])
