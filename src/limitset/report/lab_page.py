"""How does the laboratory of loops become a page?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from limitset.charts.lab_curves import curves_chart
from limitset.charts.phase import phase_chart
from limitset.charts.shown import number, percent
from limitset.core.lab import UNTRAINED
from limitset.report.lab_findings import BAR, Cell, CellVerdict, LabFindings, right_bar, rights_by_step
from limitset.report.lab_sentences import (
    INJECTION_WORDS,
    NORM_WORDS,
    decisions,
    headline,
    phase_title,
    steps_title,
    untrained_title,
)
from limitset.report.page import Definition, Figure, Page, Table

ONE_PLACE: Final = "one place"
"""What the right half of an untrained cell shows: no answer is right or wrong there."""

MOST_LISTED: Final = 16
"""With more cells than this the first screen lists those that can be told; the diagram has all."""

SHORT_INPUTS: Final = {**INJECTION_WORDS, "start": "start only"}
"""How the input enters, where there is room for two words."""

EVERY_STEP: Final = 32
"""So far the curves have every step; beyond, where they are slow, every `STRIDE`th."""
STRIDE: Final = 4


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
        The phase diagram first, one a task; then accuracy by step at the trained and the largest size; then
        what was not trained.
    """
    trained = [task for task in found.tasks if task != UNTRAINED]
    figures = [_phase(found, task) for task in trained]
    if trained:
        sizes = found.sizes(trained[0])
        figures += [_curves(found, trained[0], size=size) for size in dict.fromkeys((sizes[0], sizes[-1]))]
    figures += [_phase(found, UNTRAINED)] if UNTRAINED in found.tasks else []
    first = trained[0] if trained else UNTRAINED
    records = [one.record() for cell in found.cells for one in cell.shares.values()]
    nets = len(set(found.nets["system"].tolist()))
    return Page(
        title="limitset laboratory",
        scope=f"{nets} {'random blocks' if not trained else 'toy nets'} · {', '.join(found.tasks)} · "
        f"{found.hardest(first)[0].seeds} seeds a cell",
        date=date,
        headline=headline(found),
        decisions=decisions(found),
        figures=tuple(figures),
        tables=(_cells_table(found, first),),
        definitions=_DEFINITIONS + (_OF_ANSWERS if trained else ()),
        provenance=provenance,
        numbers=tuple(records),
        limits=(
            "Toy nets of one width on generated tasks, trained on the spot: it shows what these choices do "
            "here, not in large models."
            if trained
            else "Random blocks of one width, none of them trained: it shows where a design starts, not "
            "where training takes it.",
            f"{found.hardest(first)[0].seeds} seeds a cell: intervals take the spread between seeds to be "
            "the same in all cells.",
            *(
                ("One other start was tried for each input, the end of another input; more could differ.",)
                if UNTRAINED in found.tasks
                else ()
            ),
            _BALL if trained else _BALL.partition(" Whether")[0],
        ),
    )


def _phase(found: LabFindings, task: str) -> Figure:
    cells = found.hardest(task)
    untrained = task == UNTRAINED
    other = "same_start" if untrained else "right_far"
    shown = [
        {
            "row": _row_name(cell, untrained),
            "column": SHORT_INPUTS[cell.injection],
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
        title = untrained_title(cells)
        caption = (
            f"Random transformer blocks, {far} steps, {inputs} inputs and {cells[0].seeds} seeds a cell; "
            "columns say how the input enters. Left: percent that settle; right: percent that end in the "
            "same place from where another input ended. Where the input enters only at the start, one place "
            "means that the input is forgotten. Intervals stand in the table."
        )
    else:
        title = phase_title(cells, task)
        caption = (
            f"{task}, size {cells[0].size} (trained at {found.sizes(task)[0]}), {far} steps (trained at "
            f"{int(cells[0].shares['settled'].parameters['usual'])}); {inputs} problems, {cells[0].seeds} "
            "seeds a cell; columns say how the input enters. Left: percent that settle; right: percent "
            "wholly right. Full left and empty right: it settles on a wrong answer. Intervals stand in the "
            "table."
        )
    return Figure(
        name=f"phase-{task.replace(' ', '-')}",
        title=title,
        chart=phase_chart(shown, right_word=ONE_PLACE if untrained else "right"),
        caption=caption,
        table=_every_cell(found, task),
    )


def _curves(found: LabFindings, task: str, *, size: int) -> Figure:
    cells = [cell for cell in found.of(task, size=size) if cell.rights]
    last = len(cells[0].rights) - 1
    steps = [step for step in range(last + 1) if step <= EVERY_STEP or step % STRIDE == 0 or step == last]
    shares = rights_by_step(found, cells, steps=steps)
    rows = [
        {
            "cell": f"{NORM_WORDS[cell.norm]}, {SHORT_INPUTS[cell.injection]}",
            "short": f"{cell.norm}, {SHORT_INPUTS[cell.injection].removesuffix(' only')}",
            "step": step,
            "right": one.value,
            "low": one.low if np.isfinite(one.low) else None,
            "high": one.high if np.isfinite(one.high) else None,
            "shown": percent(cell.step_share(one)),
            "verdict": str(cell.verdict),
        }
        for cell in cells
        for step, one in zip(steps, shares[cell.key], strict=True)
    ]
    usual = int(cells[0].shares["settled"].parameters["usual"])
    trained = size == found.sizes(task)[0]
    inputs = int(cells[0].shares["settled"].parameters["inputs"])
    return Figure(
        name="steps-trained-size" if trained else "steps",
        title=steps_title(cells, trained=trained),
        chart=curves_chart(rows, usual=usual),
        caption=f"{task}, size {size}{'' if trained else f' (trained at {found.sizes(task)[0]})'}: share of "
        f"{inputs} problems wholly right after each step, mean of {cells[0].seeds} seeds with its interval; "
        f"beyond step {EVERY_STEP} every {STRIDE}th. Trained with {usual} steps. Blue settles and is right, "
        "vermilion settles and is wrong, grey the rest.",
        table=Table(
            title="Right after each step",
            columns=("norm, input", "step", "right"),
            rows=tuple((row["cell"], row["step"], row["shown"]) for row in rows),
        ),
    )


def _cells_table(found: LabFindings, task: str) -> Table:
    untrained = task == UNTRAINED
    every = found.hardest(task)
    untold = (CellVerdict.CANT_TELL, CellVerdict.UNSETTLED)
    cells = [cell for cell in every if cell.verdict not in untold] if len(every) > MOST_LISTED else every
    rows = tuple(
        (
            f"{_row_name(cell, untrained)}, {SHORT_INPUTS[cell.injection]}",
            _unbroken(percent(cell.shares["settled"])),
            _unbroken(percent(cell.shares["same_start" if untrained else "right_far"])),
            str(cell.verdict),
        )
        for cell in cells
    )
    half = f"{100 * BAR:.0f} %"
    return Table(
        title=f"The {len(every)} cells"
        if len(cells) == len(every)
        else f"Cells that settle on more than {half}, for sure",
        columns=("norm, input", "settled", ONE_PLACE if untrained else "right", "so"),
        rows=rows,
        note=f"Mean of {every[0].seeds} seeds with its interval. A cell settles when its interval lies above "
        + (
            f"{half}, and in one place when that of the swapped start does too. The diagram has "
            f"all {len(every)} cells."
            if untrained
            else f"{half}, and is right when it lies above {100 * right_bar(task):.0f} %."
        ),
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


def _unbroken(text: str) -> str:
    """Keep a number and its interval on one line."""
    return text.replace(" ", "\u00a0")


def _row_name(cell: Cell, untrained: bool) -> str:
    return f"{NORM_WORDS[cell.norm]}{f', gain {cell.gain:g}' if untrained else ''}"


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
        term="interval over seeds",
        plain="Nets that differ in their seed are the units. Their spread is pooled over all cells of a task "
        "on the arcsine scale.",
        formula="y = arcsin √p,   ȳ ± t s / √k",
    ),
)

_OF_ANSWERS: Final = (
    Definition(
        term="right",
        plain="Every place of the answer equals the key, which is computed from the input.",
    ),
    Definition(
        term="iterates",
        plain="Swapped starts and another solver lead to the same place, and going on loses no answer; by a "
        "rule fixed beforehand, net by net.",
    ),
)

_BALL: Final = (
    "Post-norm and sandwich map a ball into itself whatever the weights, so a fixed point exists (Brouwer); "
    "no norm and pre-norm promise nothing. Whether the map contracts there was tried on drawn pairs, which "
    "can refute it but not prove it."
)
