"""How does a reader see what settles over the layers of a model, and in a loop of them, and what does not?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from limitset.charts.layers import lens_chart, looped_chart, path_chart
from limitset.charts.shown import number, percent, with_interval
from limitset.core.provenance import machine, package_versions
from limitset.core.results import Measurement, MeasurementTable
from limitset.report.page import Definition, Figure, Page, Table
from limitset.studies.layers import (
    SINK_WEIGHT,
    LayerPaths,
    LoopedBlock,
    loops_table,
    residuals_table,
)

MANNERS: Final[Mapping[str, str]] = {
    "growing": "grows without end",
    "moves": "keeps moving",
    "slow": "is still slowing down",
}
RIGHT: Final = ("right without a loop", "right after the loop")
_SHARES: Final = (
    "settled",
    *RIGHT,
    "same token as without",
    "settled and wrong",
)


def layers_page(
    paths: LayerPaths,
    blocks: Sequence[LoopedBlock],
    *,
    model: str,
    block: tuple[int, int],
    loops: int,
    date: str,
    command: str,
    provenance: Mapping[str, str] | None = None,
    attributions: tuple[str, ...] = (),
) -> Page:
    """Build the page.

    Parameters
    ----------
    paths
        States over the layers.
    blocks
        Loops of the same block.
    model
        What a reader calls the model.
    block
        First and last layer of the block, from 0.
    loops
        How often it was applied at most.
    date, command
        When and how it was made, for the reader.
    provenance, attributions
        What else made the numbers, and whose data it is.

    Returns
    -------
    Page
        Three figures, definitions and every number.
    """
    table, looped, residuals = paths.table(), loops_table(blocks), residuals_table(blocks)
    texts = len(paths.step)
    return Page(
        title="limitset trace layers",
        scope=f"{model} · {texts} questions with one worked example each · position 0 left out",
        date=date,
        headline=(*_path_sentences(table, model), *_loop_sentences(blocks, looped, block, loops)),
        decisions=_decisions(table, blocks, looped),
        figures=(
            Figure(
                name="path",
                title=_path_title(table),
                chart=path_chart(table),
                caption=f"Step of each layer relative to the state before it, mean over {texts} texts with "
                "95 % intervals over texts. Solid: mean over all positions but the first. Dashed: all "
                "positions as one vector. Layer 1 is the first after the embedding.",
                table=_layer_table(table, ("step", "step with sink", "cosine", "norm", "sink norm")),
            ),
            Figure(
                name="loop",
                title=_loop_title(blocks, block),
                chart=looped_chart(residuals),
                caption=f"Layers {block[0]} to {block[1]} applied again and again to {len(blocks[0].runs)} "
                "texts of one length; geometric mean over the texts still running with 95 % intervals, "
                "position 0 left out. Both axes are logarithmic: a straight fall of slope -1 is a drift.",
                table=_residual_rows(residuals),
                shown=(_loop_table(looped, blocks),),
            ),
            Figure(
                name="lens",
                title=_lens_title(table),
                chart=lens_chart(table),
                caption=f"The state after the last token of {texts} texts, read at every layer by the "
                "model's own final norm and head; 95 % Wilson intervals. Right: the token on top begins an "
                "accepted answer.",
                table=_layer_table(table, ("already final", "right", "entropy")),
            ),
        ),
        definitions=_definitions(),
        provenance={"command": command, **(provenance or {}), **package_versions(), **machine()},
        numbers=tuple(record for one in (table, looped) for record in one.records()),
        attributions=attributions,
        limits=(
            "A trained model was never asked to come to rest over its layers, nor to bear a loop of them: "
            "what does not settle here is no defect, and what settles is no sign of truth.",
            "The first token of an answer is judged, not the whole answer; more of them are right that way.",
            f"A loop was given {loops} applications: what had not settled by then may settle later.",
        ),
    )


def _path_sentences(table: MeasurementTable, model: str) -> tuple[str, ...]:
    least, whole = _least(table, "step"), _least(table, "step with sink")
    moved = f"each moves it by {percent(least)} of its length or more"
    text = f"No layer of {model} leaves the state at rest: {moved}"
    if whole.high >= least.low:
        return (f"{text}.",)
    layer = whole.parameters["layer"]
    return (f"{text}. Counted with position 0 it would look so: {percent(whole)} at layer {layer}.",)


def _loop_sentences(
    blocks: Sequence[LoopedBlock], looped: MeasurementTable, block: tuple[int, int], loops: int
) -> tuple[str, ...]:
    where = f"Looped up to {loops} times, layers {block[0]} to {block[1]}"
    settled = [one for one in blocks if one.runs.settled.any()]
    sentences = [f"{where} settle on {_settled_in_words(one, looped)}." for one in settled]
    by_manner: dict[str, list[LoopedBlock]] = {}
    for one in blocks:
        if one not in settled:
            by_manner.setdefault(one.manner(), []).append(one)
    told = ", or ".join(_manner_in_words(how, ones) for how, ones in by_manner.items())
    if told:
        sentences.append(
            f"None settles otherwise: the state {told}." if settled else f"{where} settle on no text: {told}."
        )
    return tuple(sentences)


def _settled_in_words(one: LoopedBlock, looped: MeasurementTable) -> str:
    count = f"{int(one.runs.settled.sum())} of {len(one.runs)} texts with {one.name}"
    alone, after = (looped.one(loop=one.name, measure=measure) for measure in RIGHT)
    if alone.blank:
        return f"{count}; no anchor says whether that is right"
    return f"{count}, and {percent(after)} are right there, against {percent(alone)} without a loop"


def _manner_in_words(how: str, blocks: Sequence[LoopedBlock]) -> str:
    names = ", ".join(one.name for one in blocks)
    if how != "drift":
        return f"{MANNERS.get(how, how)} ({names})"
    growth = min(float(np.median(one.growth)) for one in blocks)
    return f"drifts, its steps shrinking while its length grows {growth:.0f}-fold or more ({names})"


def _decisions(
    table: MeasurementTable, blocks: Sequence[LoopedBlock], looped: MeasurementTable
) -> tuple[str, ...]:
    decisions = [
        f"Leave position 0 out of any measure of rest: it is up to {_sink_factor(table):.0f} times as long "
        "as the others and decides it."
    ]
    if any(one.manner() == "drift" for one in blocks):
        decisions.append("Do not call a small relative step a limit: look at the length as well.")
    for one in blocks:
        wrong = looped.one(loop=one.name, measure="settled and wrong")
        if one.runs.settled.any() and not wrong.blank and wrong.value > 0:
            decisions.append(
                f"Check answers of the loop with {one.name}: {percent(wrong)} settle and are wrong."
            )
    return tuple(decisions)


def _path_title(table: MeasurementTable) -> str:
    least = _least(table, "step")
    return f"The least step of any layer, {percent(least)}, is at layer {least.parameters['layer']}"


def _loop_title(blocks: Sequence[LoopedBlock], block: tuple[int, int]) -> str:
    settled = [one.name for one in blocks if one.runs.settled.all()]
    where = f"layers {block[0]} to {block[1]}"
    if settled:
        return f"A loop of {where} settles with {', '.join(settled)}"
    return f"No loop of {where} settles on all texts"


def _lens_title(table: MeasurementTable) -> str:
    shares = table.where(measure="already final")
    half = next((one for one in shares.rows() if one.value >= 0.5), None)
    if half is None:
        return "The final answer is on top at the last layer only"
    layer, last = half.parameters["layer"], int(np.max(shares.axes["layer"]))
    return f"The final answer is on top for half of the texts from layer {layer} of {last}"


def _least(table: MeasurementTable, measure: str) -> Measurement:
    return min(table.where(measure=measure).rows(), key=lambda one: one.value)


def _sink_factor(table: MeasurementTable) -> float:
    sink, rest = table.where(measure="sink norm").value, table.where(measure="norm").value
    return float(np.max(sink / rest))


def _layer_table(table: MeasurementTable, measures: tuple[str, ...]) -> Table:
    layers = sorted({int(layer) for layer in table.axes["layer"]})
    cells = {(one.parameters["measure"], one.parameters["layer"]): one for one in table.rows()}
    rows = []
    for layer in layers:
        shown = [cells.get((measure, layer)) for measure in measures]
        rows.append((layer, *["" if one is None else with_interval(one) for one in shown]))
    return Table(title="By layer", columns=("layer", *measures), rows=tuple(rows))


def _residual_rows(table: MeasurementTable) -> Table:
    rows = [
        (one.parameters["loop"], one.parameters["step"], with_interval(one), one.n) for one in table.rows()
    ]
    return Table(
        title="Relative step", columns=("loop with", "times", "step / state", "texts"), rows=tuple(rows)
    )


def _loop_table(table: MeasurementTable, blocks: Sequence[LoopedBlock]) -> Table:
    measures = list(dict.fromkeys(table.axes["measure"]))
    rows = []
    for block in blocks:
        found = [table.one(loop=block.name, measure=measure) for measure in measures]
        words = [
            (one.blank_reason if one.blank else percent(one) if measure in _SHARES else _sized(one))
            for measure, one in zip(measures, found, strict=True)
        ]
        steps = np.median(block.runs.arrival)
        rows.append(
            (block.name, *words, number(float(steps)) if np.isfinite(steps) else "never", block.manner())
        )
    return Table(
        title="Settled, same and right, each loop apart",
        columns=("loop with", *measures, "median step of arrival", "otherwise"),
        rows=tuple(rows),
        note="The spectral radius is that of all positions but the first at the last state; it speaks of "
        "stability only where the loop settled.",
    )


def _sized(one: Measurement) -> str:
    # an interval far narrower than a reader can use would only lengthen the number
    return number(one.value) if one.high - one.low < 0.01 * abs(one.value) else with_interval(one)


def _definitions() -> tuple[Definition, ...]:
    return (
        Definition(
            term="step",
            plain="How far a layer moves the state of a token, relative to the state's length.",
            formula="‖h_{l} − h_{l−1}‖ / ‖h_{l−1}‖",
        ),
        Definition(
            term="settled",
            plain="The estimated distance to the limit is below 1e-5 of the length of the state, for four "
            "steps running. A step that shrinks because the state grows does not count.",
        ),
        Definition(
            term="position 0 (attention sink)",
            plain="The first token, to which attention goes that has nowhere else to go; its state is many "
            "times as long as the others. It is iterated with them and left out of every number: in the runs "
            f"its length is multiplied by {SINK_WEIGHT:.1e}, a power of two.",
        ),
        Definition(
            term="injection",
            plain="What enters the block when the model reads the text is added to the state before each "
            "pass; the loop starts from zero.",
            formula="x ← F(x + e)",
        ),
        Definition(
            term="norm",
            plain="After each pass every token is rescaled to the length it entered the block with.",
        ),
        Definition(
            term="right (by the anchor)",
            plain="The likeliest next token begins an answer that the key of the question accepts.",
        ),
        Definition(
            term="spectral radius",
            plain="The largest eigenvalue, in modulus, of the derivative of one more pass: below 1 a small "
            "difference fades in the end.",
            formula="ρ = max |λ_{i}(J)|",
        ),
    )
