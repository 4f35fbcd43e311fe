"""How does the laboratory of loops become a page?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from limitset.charts.lab_curves import curves_chart
from limitset.charts.phase import phase_chart
from limitset.charts.shown import number, percent
from limitset.core.lab import UNTRAINED
from limitset.report.lab_findings import BAR, Cell, CellVerdict, LabFindings
from limitset.report.page import Definition, Figure, Page, Table

NORM_WORDS: Final = {"none": "no norm", "pre": "pre-norm", "post": "post-norm", "sandwich": "sandwich"}
INJECTION_WORDS: Final = {
    "start": "at the start only",
    "additive": "added",
    "concatenated": "concatenated",
    "gated": "gated",
}
ONE_PLACE: Final = "one place"
"""What the right half of an untrained cell shows: no answer is right or wrong there."""

MOST_LISTED: Final = 16
"""With more cells than this the first screen lists those that can be told; the diagram has all."""


def lab_page(found: LabFindings, *, date: str, provenance: Mapping[str, str]) -> Page:
    """Build the page of the laboratory.

    Parameters
    ----------
    found
        The cells.
    date, provenance
        When and how it was made, for the reader.

    Returns
    -------
    Page
        The phase diagram first, one a task; then accuracy by step; then every net.
    """
    trained = [task for task in found.tasks if task != UNTRAINED]
    figures = [_phase(found, task) for task in trained]
    figures += [_curves(found, trained[0])] if trained else []
    figures += [_phase(found, UNTRAINED)] if UNTRAINED in found.tasks else []
    first = trained[0] if trained else UNTRAINED
    records = [one.record() for cell in found.cells for one in cell.shares.values()]
    nets = len(set(found.nets["system"].tolist()))
    return Page(
        title="limitset laboratory",
        scope=f"{nets} {'random blocks' if not trained else 'toy nets'} · {', '.join(found.tasks)} · "
        f"{found.hardest(first)[0].seeds} seeds a cell",
        date=date,
        headline=_headline(found, first),
        decisions=_decisions(found, first),
        figures=tuple(figures),
        tables=(_cells_table(found, first),),
        definitions=_DEFINITIONS,
        provenance=provenance,
        numbers=tuple(records),
        limits=(
            "Toy nets of one width on generated tasks, trained on the spot: it shows what these choices do "
            "here, not in large models.",
            "Three seeds a cell: intervals take the spread between seeds to be the same in all cells.",
            "Post-norm and sandwich map a ball into itself whatever the weights, so a fixed point exists "
            "(Brouwer); no norm and pre-norm promise nothing. Whether the map contracts there was tried "
            "on drawn pairs, which can refute it but not prove it.",
        ),
    )


def _headline(found: LabFindings, task: str) -> tuple[str, ...]:
    cells = found.hardest(task)
    if task == UNTRAINED:
        one, drift = (
            [cell for cell in cells if cell.verdict is verdict]
            for verdict in (CellVerdict.UNIQUE, CellVerdict.UNSETTLED)
        )
        return (
            f"Before any training, {len(one)} of {len(cells)} kinds of loop settle in one place whatever the "
            f"start: {_named(one)}.",
            f"{len(drift)} do not settle at all.",
        )
    good, bad = (
        [cell for cell in cells if cell.verdict is verdict]
        for verdict in (CellVerdict.SETTLED_RIGHT, CellVerdict.SETTLED_WRONG)
    )
    far, size = int(cells[0].shares["settled"].parameters["far"]), cells[0].size
    told = [
        f"Of {len(cells)} kinds of loop trained on {task}, {len(good)} settle on the right answer far beyond "
        f"training (size {size}, {far} steps): {_named(good)}."
        if good
        else f"Of {len(cells)} kinds of loop trained on {task}, none settles on the right answer far beyond "
        f"training (size {size}, {far} steps) for sure."
    ]
    if bad:
        worst = max(bad, key=lambda cell: cell.shares["settled"].value)
        told.append(
            f"{_count(bad)} and {'is' if len(bad) == 1 else 'are'} wrong there: "
            f"{_name(worst)} settles on {percent(worst.shares['settled'])} and is right on "
            f"{percent(worst.shares['right_far'])}."
        )
    fooled = _fooled(found, task)
    if fooled:
        told.append(
            f"At the trained size and step {int(cells[0].shares['settled'].parameters['usual'])} "
            f"{len(fooled)} of them look as good: only further steps tell."
        )
    return tuple(told)


def _decisions(found: LabFindings, task: str) -> tuple[str, ...]:
    cells = found.hardest(task)
    if task == UNTRAINED:
        return (
            "Normalise after the step and give the input back at every step; then look at the gain: bounded "
            "is not stable.",
            "Train before judging: nothing here says what is right. limitset trace recurrence --quick",
        )
    best = max(cells, key=lambda cell: cell.shares["right_far"].low)
    told = [
        f"{_sentence(_name(best))}: {percent(best.shares['right_far'])} right after "
        f"{int(best.shares['settled'].parameters['far'])} steps at size {best.size}; {best.iterates} of "
        f"{best.seeds} seeds iterate by the rule."
    ]
    if _fooled(found, task):
        told.append(
            "Do not judge a loop at its trained steps: run it several times as far, and from the end of "
            "another input."
        )
    open_ones = [cell for cell in cells if cell.verdict is CellVerdict.CANT_TELL]
    if open_ones:
        told.append(f"Can't tell for {_named(open_ones)}: more seeds would.")
    return tuple(told)


def _fooled(found: LabFindings, task: str) -> list[Cell]:
    """Cells that are right at the trained size and steps, and not far beyond."""
    far = {(cell.norm, cell.injection): cell for cell in found.hardest(task)}
    return [
        cell
        for cell in found.of(task, size=found.sizes(task)[0])
        if cell.shares["right_usual"].low > 0.8
        and far[cell.norm, cell.injection].shares["right_far"].high < BAR
    ]


def _phase(found: LabFindings, task: str) -> Figure:
    cells = found.hardest(task)
    untrained = task == UNTRAINED
    other = "same_start" if untrained else "right_far"
    shown = [
        {
            "row": _row_name(cell, untrained),
            "column": f"input {INJECTION_WORDS[cell.injection]}",
            "settled": cell.shares["settled"].value,
            "settled_shown": percent(cell.shares["settled"]),
            "right": None if cell.shares[other].blank else cell.shares[other].value,
            "right_shown": percent(cell.shares[other]),
            "decision": str(cell.verdict),
        }
        for cell in cells
    ]
    far = int(cells[0].shares["settled"].parameters["far"])
    inputs = int(cells[0].shares["settled"].parameters["inputs"])
    if untrained:
        title = "Before training: what settles, and whether in one place"
        caption = (
            f"Random transformer blocks, {far} steps, {inputs} inputs and {cells[0].seeds} seeds a cell. "
            "Left: share that settles; right: share that ends in the same place from where another input "
            "ended. Where the input enters only at the start, one place means that the input is forgotten."
        )
    else:
        title = _phase_title(cells, task)
        caption = (
            f"{task}, size {cells[0].size} (trained at {found.sizes(task)[0]}), {far} steps (trained at "
            f"{int(cells[0].shares['settled'].parameters['usual'])}); {inputs} problems, {cells[0].seeds} "
            "seeds a cell. Left: share that settles; right: share wholly right. Dark left and pale right: "
            "it settles on a wrong answer."
        )
    return Figure(
        name=f"phase-{task.replace(' ', '-')}",
        title=title,
        chart=phase_chart(shown, right_word=ONE_PLACE if untrained else "right"),
        caption=caption,
        table=_every_cell(found, task),
    )


def _phase_title(cells: list[Cell], task: str) -> str:
    good = [cell for cell in cells if cell.verdict is CellVerdict.SETTLED_RIGHT]
    bad = [cell for cell in cells if cell.verdict is CellVerdict.SETTLED_WRONG]
    if good and bad:
        return f"On {task} {len(good)} cells settle and are right, {len(bad)} settle and are wrong"
    if good:
        return f"On {task} {len(good)} of {len(cells)} cells settle and are right"
    return f"On {task} no cell settles on right answers for sure"


def _curves(found: LabFindings, task: str) -> Figure:
    cells = [cell for cell in found.hardest(task) if cell.rights]
    rows = [
        {"cell": _name(cell), "step": step, "right": right, "verdict": str(cell.verdict)}
        for cell in cells
        for step, right in enumerate(cell.rights)
    ]
    usual = int(cells[0].shares["settled"].parameters["usual"])
    return Figure(
        name="steps",
        title="Beyond the trained steps the cells part",
        chart=curves_chart(rows, usual=usual),
        caption=f"{task}, size {cells[0].size}: share of problems wholly right after each step, mean of "
        f"{cells[0].seeds} seeds. Trained with {usual} steps.",
        table=Table(
            title="Right after each step",
            columns=("cell", "step", "right"),
            rows=tuple((row["cell"], row["step"], row["right"]) for row in rows),
        ),
    )


def _cells_table(found: LabFindings, task: str) -> Table:
    other = "same_start" if task == UNTRAINED else "right_far"
    untold = (CellVerdict.CANT_TELL, CellVerdict.UNSETTLED)
    cells = [cell for cell in found.hardest(task) if cell.verdict not in untold]
    cells = cells if len(found.hardest(task)) > MOST_LISTED else found.hardest(task)
    rows = tuple(
        (
            _name(cell),
            percent(cell.shares["settled"]).split(" [")[0],
            percent(cell.shares[other]).split(" [")[0],
            str(cell.verdict),
        )
        for cell in cells
    )
    columns = ("norm, input", "settled", ONE_PLACE if task == UNTRAINED else "right", "so")
    return Table(
        title="Cells" if len(cells) == len(found.hardest(task)) else "Cells that settle for sure",
        columns=columns,
        rows=rows,
        note=f"A cell settles, or is right, when its interval over seeds lies above {100 * BAR:.0f} %.",
    )


def _every_cell(found: LabFindings, task: str) -> Table:
    columns = (
        "norm",
        "input",
        *(("gain",) if task == UNTRAINED else ()),
        "size",
        "settled",
        "drift",
        "right, trained steps",
        "right, far",
        "same: swapped start",
        "same: half steps",
        "same: other solver",
        "right: swapped start",
        "radius",
        "exponent",
        "kinds",
        "on a ball",
        "iterates",
        "so",
    )
    rows = []
    for size in found.sizes(task):
        for cell in found.of(task, size=size):
            shares = [
                percent(cell.shares[name])
                for name in (
                    "settled",
                    "drift",
                    "right_usual",
                    "right_far",
                    "same_start",
                    "same_damped",
                    "same_solver",
                    "right_start",
                )
            ]
            rows.append(
                (
                    cell.norm,
                    cell.injection,
                    *((cell.gain,) if task == UNTRAINED else ()),
                    cell.size,
                    *shares,
                    number(cell.radius),
                    number(cell.exponent),
                    ", ".join(f"{kind} {count}" for kind, count in cell.kinds.items()),
                    "; ".join(f"{told} ({seeds})" for told, seeds in cell.certificates.items()),
                    f"{cell.iterates} of {cell.seeds}" if cell.origins else "",
                    str(cell.verdict),
                )
            )
    return Table(title="Every cell, every size", columns=columns, rows=tuple(rows))


def _name(cell: Cell) -> str:
    gain = f", gain {cell.gain:g}" if cell.task == UNTRAINED else ""
    return f"{NORM_WORDS[cell.norm]}, input {INJECTION_WORDS[cell.injection]}{gain}"


def _row_name(cell: Cell, untrained: bool) -> str:
    return f"{NORM_WORDS[cell.norm]}{f', gain {cell.gain:g}' if untrained else ''}"


def _named(cells: list[Cell]) -> str:
    if not cells:
        return "none"
    names = [_name(cell) for cell in cells]
    return "; ".join(names) if len(names) <= 4 else f"{'; '.join(names[:4])} and {len(names) - 4} more"


def _count(cells: list[Cell]) -> str:
    return "One settles" if len(cells) == 1 else f"{len(cells)} settle"


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]


_DEFINITIONS: Final = (
    Definition(
        term="normalization",
        plain="Where the state is divided by its root mean square: nowhere; before the branch (pre); after "
        "the sum (post); before, after the branch, and after the sum (sandwich).",
        formula="none x + F(x);  pre x + F(Nx);  post N(x + F(x));  sandwich N(x + N F(N x))",
    ),
    Definition(
        term="injection",
        plain="How the input enters: only as the first state, or at every step: added, concatenated through "
        "an adapter, or through a gate.",
    ),
    Definition(
        term="settled",
        plain="The state stays within the tolerance of its limit; a drift, whose steps fall as 1/t, never "
        "is.",
    ),
    Definition(
        term="right",
        plain="Every place of the answer equals the key, which is computed from the input.",
    ),
    Definition(
        term="interval over seeds",
        plain="Nets that differ in their seed are the units. Their spread is pooled over all cells of a task "
        "on the arcsine scale.",
        formula="y = arcsin √p,   ȳ ± t s / √k",
    ),
    Definition(
        term="iterates",
        plain="Swapped starts and another solver lead to the same place, and going on loses no answer; by a "
        "rule fixed beforehand, net by net.",
    ),
)
