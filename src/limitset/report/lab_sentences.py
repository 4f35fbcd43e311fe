"""What should somebody who designs a loop read first, and build?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from limitset.charts.shown import percent
from limitset.core.lab import UNTRAINED
from limitset.report.lab_findings import BAR, GUESSED, Cell, CellVerdict, LabFindings, right_bar

NORM_WORDS: Final = {"none": "no norm", "pre": "pre-norm", "post": "post-norm", "sandwich": "sandwich"}
INJECTION_WORDS: Final = {
    "start": "at the start only",
    "additive": "added",
    "concatenated": "concatenated",
    "gated": "gated",
}
OUTER: Final = ("post", "sandwich")
"""Norms that stand after the sum, so that the state stays in a ball."""
ONCE: Final = "that see it only at the start"
MOST_NAMED: Final = 4
FEW: Final = 2
"""So many good cells are named one by one; more are counted by norm and input."""


def headline(found: LabFindings) -> tuple[str, ...]:
    """Say which cells settle on right answers, and where settled and right part; four sentences at most."""
    trained = found.trained()
    if not trained:
        return _untrained_headline(found.hardest(UNTRAINED))
    told = (
        _good_cells(found, trained[0]),
        _settled_and_wrong(found),
        _right_unsettled(found),
        _fooled(found, trained[0]),
    )
    return tuple(sentence for sentence in told if sentence)


def decisions(found: LabFindings) -> tuple[str, ...]:
    """Say what to build, and how to judge it."""
    trained = found.trained()
    if not trained:
        return (
            *_untrained_design(found.hardest(UNTRAINED)),
            "Train before judging: nothing here says what is right. limitset trace recurrence --quick",
        )
    cells = found.hardest(trained[0])
    told = [_use(cells)]
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
    """Return the cells that at the trained size are right after the trained steps, and not far beyond."""
    bar = right_bar(task)
    return [
        cell
        for cell in found.of(task, size=found.sizes(task)[0])
        if cell.shares["right_usual"].low > (1 + bar) / 2 and cell.shares["right_far"].high < bar
    ]


def phase_title(cells: Sequence[Cell], task: str) -> str:
    """State how many cells of a task settle and are right, and in how many the two part."""
    good, bad, loose = (
        sum(cell.verdict is verdict for cell in cells)
        for verdict in (CellVerdict.SETTLED_RIGHT, CellVerdict.SETTLED_WRONG, CellVerdict.UNSETTLED_RIGHT)
    )
    told = [
        f"On {task}, {good} of {len(cells)} cells {'settles and is' if good == 1 else 'settle and are'} right"
    ]
    told += [f"{bad} {'settles and is' if bad == 1 else 'settle and are'} wrong"] if bad else []
    told += [f"{loose} {'is' if loose == 1 else 'are'} right without settling"] if loose else []
    return ", ".join(told)


def steps_title(cells: Sequence[Cell], *, trained: bool) -> str:
    """State how many cells are right after the trained steps, and how many far beyond."""
    bar = right_bar(cells[0].task)
    usual, far = (sum(cell.shares[name].low > bar for cell in cells) for name in ("right_usual", "right_far"))
    where = f"{'At the trained size' if trained else 'At size'} {cells[0].size}"
    steps = int(cells[0].shares["settled"].parameters["usual"])
    count = f"{usual or 'none'} of {len(cells)} cells {'are' if usual > 1 else 'is'}"
    return (
        f"{where}, {count} right on more than {100 * bar:.0f} % after the {steps} trained steps; after "
        f"{_far(cells[0])} steps {far or 'none'} {'is' if far == 1 else 'are'}"
    )


def untrained_title(cells: Sequence[Cell]) -> str:
    """State how many untrained cells settle in one place, and at which gain most of them stand."""
    one = [cell for cell in cells if cell.verdict is CellVerdict.UNIQUE]
    settle = f"{len(one) or 'none'} of {len(cells)} cells {_verb(one, 'settle')} in one place for sure"
    if not one:
        return f"Before training, {settle}"
    gain, count = _best_gain(one)
    return f"Before training, {settle}, {_all(count, one)} of them at gain {gain:g}"


def name_of(cell: Cell) -> str:
    """Name a cell in words."""
    gain = f", gain {cell.gain:g}" if cell.task == UNTRAINED else ""
    return f"{NORM_WORDS[cell.norm]}, input {INJECTION_WORDS[cell.injection]}{gain}"


def named(cells: Sequence[Cell]) -> str:
    """Name all cells, or, where they are more than four, count them."""
    if len(cells) > MOST_NAMED:
        return f"{len(cells)} cells"
    return "; ".join(name_of(cell) for cell in cells) or "none"


def grid_of(cells: Sequence[Cell]) -> str:
    """Say what was varied.

    Returns
    -------
    str
        Such as "48 cells (4 norms × 4 inputs × 3 gains)".
    """
    counts = {name: len({getattr(cell, name) for cell in cells}) for name in ("norm", "injection", "gain")}
    words = {"norm": "norm", "injection": "input", "gain": "gain"}
    parts = [f"{count} {words[name]}s" for name, count in counts.items() if count > 1]
    return f"{len(cells)} cells ({' × '.join(parts)})" if len(parts) > 1 else f"{len(cells)} cells"


def _untrained_headline(cells: Sequence[Cell]) -> tuple[str, ...]:
    one, loose, forgot, several, unsure = (
        [cell for cell in cells if cell.verdict is verdict]
        for verdict in (
            CellVerdict.UNIQUE,
            CellVerdict.UNSETTLED,
            CellVerdict.FORGETS,
            CellVerdict.SEVERAL,
            CellVerdict.CANT_TELL,
        )
    )
    inputs = int(cells[0].shares["settled"].parameters["inputs"])
    told = [
        f"Before any training, {len(one) or 'none'} of {grid_of(cells)} "
        f"{_verb(one, 'settle')} on more than half of {inputs} inputs for sure, and in the same place from "
        f"another input's end{_where(one)}."
    ]
    never = sum(cell.shares["settled"].value == 0 for cell in loose)
    rest = []
    if loose:
        on_none = f" ({_all(never, loose)} of them on none)" if never else ""
        rest.append(f"{len(loose)} {_verb(loose, 'settle')} on less than half for sure{on_none}")
    if forgot:
        rest.append(f"{len(forgot)} {_verb(forgot, 'forget')} {'its' if len(forgot) == 1 else 'their'} input")
    if several:
        rest.append(f"{len(several)} {_verb(several, 'settle')} where the start decides")
    if unsure:
        rest.append(f"{cells[0].seeds} seeds can't tell for {len(unsure)}")
    return (*told, f"{'; '.join(rest)}.") if rest else tuple(told)


def _where(one: Sequence[Cell]) -> str:
    if not one:
        return ""
    gain, count = _best_gain(one)
    return f": {_all(count, one)} of them at gain {gain:g}, all of them with the input {_inputs(one)}"


def _inputs(cells: Sequence[Cell]) -> str:
    there = {cell.injection for cell in cells}
    return " or ".join(words for name, words in INJECTION_WORDS.items() if name in there)


def _all(count: int, cells: Sequence[Cell]) -> str:
    return "all" if count == len(cells) else str(count)


def _untrained_design(cells: Sequence[Cell]) -> tuple[str, ...]:
    one = [cell for cell in cells if cell.verdict is CellVerdict.UNIQUE]
    if not one:
        return ()
    gain, _ = _best_gain(one)
    best = [cell for cell in one if cell.gain == gain]
    inputs = {cell.injection for cell in best}
    chosen = [cell for cell in cells if cell.gain == gain and cell.injection in inputs]
    return (
        f"Start with the input {_inputs(best)} and gain {gain:g}: {len(best)} of {len(chosen)} such cells "
        f"{_verb(best, 'settle')} in one place for sure, against {len(one) - len(best)} of the "
        f"{len(cells) - len(chosen)} others.",
    )


def _best_gain(cells: Sequence[Cell]) -> tuple[float, int]:
    return Counter(cell.gain for cell in cells).most_common(1)[0]


def _good_cells(found: LabFindings, task: str) -> str:
    cells = found.hardest(task)
    good = [cell for cell in cells if cell.verdict is CellVerdict.SETTLED_RIGHT]
    bars = f"{100 * BAR:.0f} %"
    if right_bar(task) != BAR:
        bars = f"{bars} and {100 * right_bar(task):.0f} %"
    does = "settles and is" if len(good) == 1 else "settle and are"
    told = (
        f"Of {grid_of(cells)} trained on {task}, {len(good) or 'none'} {does} right on more than {bars} of "
        f"problems far beyond training (size {cells[0].size}, {_far(cells[0])} steps)"
    )
    if not good:
        return f"{told} for sure."
    once = [cell for cell in cells if cell.injection == "start"]
    if len(good) <= FEW:
        apart = once and not set(once) & set(good)
        return f"{told}: {named(good)}{f'; {_counted(once, good, ONCE)}' if apart else ''}."
    back = [cell for cell in cells if cell.injection != "start"]
    outer = [cell for cell in back if cell.norm in OUTER]
    norms = " or ".join(NORM_WORDS[name] for name in dict.fromkeys(cell.norm for cell in outer))
    other = [cell for cell in back if cell.norm not in OUTER]
    groups = (
        (outer, f"with {norms} that get the input back at every step"),
        (other, "others that get it back"),
        (once, ONCE),
    )
    return f"{told}: {', '.join(_counted(group, good, words) for group, words in groups if group)}."


def _counted(group: Sequence[Cell], good: Sequence[Cell], words: str) -> str:
    count = sum(cell in good for cell in group)
    if count == len(group):
        return f"all {count} {words}"
    return f"{count or 'none'} of the {len(group)} {words}"


def _settled_and_wrong(found: LabFindings) -> str:
    bad = [c for t in found.trained() for c in found.hardest(t) if c.verdict is CellVerdict.SETTLED_WRONG]
    if not bad:
        return ""
    worst = max(bad, key=lambda cell: cell.shares["settled"].low)
    guess = GUESSED.get(worst.task)
    notes = [f"guessing: {100 * guess:.0f} %"] if guess else []
    notes += [f"none of its {worst.seeds} nets learned the task"] if _never_learned(found, worst) else []
    told = (
        f"Settled is not right: on {worst.task}, {name_of(worst)} settles on "
        f"{percent(worst.shares['settled'])} and is right on {percent(worst.shares['right_far'])}"
    )
    return f"{told} ({'; '.join(notes)})." if notes else f"{told}."


def _never_learned(found: LabFindings, cell: Cell) -> bool:
    """Say whether no net of the cell is right even at the trained size and steps."""
    nets = found.nets
    wanted: dict[str, Any] = {"task": cell.task, "norm": cell.norm, "injection": cell.injection}
    wanted["size"] = found.sizes(cell.task)[0]
    rows = np.logical_and.reduce([nets[name] == value for name, value in wanted.items()])
    return bool((nets["right_usual"][rows] < right_bar(cell.task)).all())


def _right_unsettled(found: LabFindings) -> str:
    loose = [c for t in found.trained() for c in found.hardest(t) if c.verdict is CellVerdict.UNSETTLED_RIGHT]
    if not loose:
        return ""
    best = max(loose, key=lambda cell: cell.shares["right_far"].low)
    return (
        f"Right is not settled: on {best.task}, {name_of(best)} is right on "
        f"{percent(best.shares['right_far'])} and settles on {percent(best.shares['settled'])}."
    )


def _fooled(found: LabFindings, task: str) -> str:
    fooled = fooled_cells(found, task)
    if not fooled:
        return ""
    one = fooled[0]
    usual = int(one.shares["settled"].parameters["usual"])
    at = f"At the trained size ({one.size})"
    if len(fooled) > 1:
        one = max(fooled, key=lambda cell: cell.shares["right_usual"].low)
        at = f"{at} {len(fooled)} cells are right after the trained steps and not far beyond"
    return (
        f"{at}{':' if len(fooled) > 1 else ','} {name_of(one)} is right on "
        f"{percent(one.shares['right_usual'])} after the {usual} trained steps and on "
        f"{percent(one.shares['right_far'])} after {_far(one)}."
    )


def _use(cells: Sequence[Cell]) -> str:
    best = max(
        cells, key=lambda c: (c.verdict is CellVerdict.SETTLED_RIGHT, c.iterates, c.shares["settled"].low)
    )
    does = (
        f"settled on {percent(best.shares['settled'])}, right on {percent(best.shares['right_far'])} after "
        f"{_far(best)} steps at size {best.size}"
    )
    if best.verdict is not CellVerdict.SETTLED_RIGHT:
        return (
            "Use none of these yet: no cell settles and is right for sure. Nearest is "
            f"{name_of(best)}: {does}."
        )
    good = sum(cell.verdict is CellVerdict.SETTLED_RIGHT for cell in cells)
    one_of = f", one of the {good}" if good > 1 else ""
    told = f"Use {NORM_WORDS[best.norm]} with the input {INJECTION_WORDS[best.injection]}{one_of}: {does}"
    if best.iterates == best.seeds:
        return f"{told}; all {best.seeds} seeds iterate rather than replay."
    others = Counter(origin for origin in best.origins if origin != "iterates")
    words = ", ".join(f"{count} {origin}" for origin, count in others.items())
    one = best.iterates == 1
    count = f"{best.iterates} of {best.seeds} seeds {'iterates' if one else 'iterate'}"
    verb = "replays" if one else "replay"
    return f"{told}; by the rule {count} rather than {verb} ({words})."


def _verb(cells: Sequence[Cell], stem: str) -> str:
    return f"{stem}s" if len(cells) == 1 else stem


def _far(cell: Cell) -> int:
    return int(cell.shares["settled"].parameters["far"])
