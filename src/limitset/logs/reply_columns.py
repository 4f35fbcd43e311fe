"""Which column of a table of replies is which, and where is the first mistake in them?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
from jaxtyping import Bool, Float

from limitset.core.columns import Coded, constant, frozen
from limitset.core.errors import InputError
from limitset.core.undefined import UNDEFINED, UNMATCHED
from limitset.logs.columnar import ReplyTable, numbers_of, texts_of

JUDGES: Final = (
    *("grader", "annotator"),
    *(f"{who}_{what}" for who in ("judge", "rater", "grader", "annotator") for what in ("id", "name")),
)
"""Further names of the column of those who judge."""
NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "question": ("question", "prompt", "input", "query"),
    "model": ("model", "system", "judge", "model_name", "rater", *JUDGES),
    "answer": ("answer", "reply", "response", "output", "completion", "verdict", "text"),
    "key": ("key", "target", "gold", "accepted", "label", "correct_answer", "reference"),
    "item": ("item", "id", "question_id", "item_id"),
    "seed": ("seed", "run", "epoch", "sample", "repeat"),
    "paraphrase": ("paraphrase", "wording", "template"),
    "temperature": ("temperature",),
    "stratum": ("stratum", "category", "subject", "topic"),
    "lure": ("lure", "distractor"),
    "confidence": ("confidence",),
    "form": ("form",),
    "anchor_error": ("anchor_error", "key_error"),
    "right": ("right", "is_right", "is_correct"),
    "score": ("score", "rating", "grade"),
    "logprob": ("logprob", "log_probability"),
    "cluster": ("cluster", "passage", "document", "group"),
    "twin": ("twin", "changed_from", "original"),
}
"""Our column to the names it is recognised by."""


class ReplyColumns:
    """The columns of one table under our names, and the first mistake found in them."""

    def __init__(self, table: ReplyTable, columns: Mapping[str, str]) -> None:
        self.table, self.columns = table, columns
        self._mistakes: list[tuple[int, int, str, Callable[[int], str], str]] = []

    def texts(self, name: str) -> Coded:
        """Return a column as trimmed texts; nothing everywhere where the table lacks it."""
        if name not in self.columns:
            return Coded(constant(UNMATCHED, self.table.length, dtype=np.int32), ())
        return texts_of(self.table.cells(self.columns[name]))

    def numbers(self, name: str, rank: int) -> Float[np.ndarray, " n"]:
        """Return a column as numbers, NaN for nothing."""
        if name not in self.columns:
            return constant(UNDEFINED, self.table.length, dtype=np.float64)
        found = self.table.numbers(self.columns[name])
        if found is not None:
            return found
        cells = self.table.cells(self.columns[name])
        found, odd = numbers_of(cells)
        if odd:
            self.mistake(
                np.isin(cells.codes, list(odd)),
                rank,
                name + " in {} must be a number",
                lambda row: repr(odd[int(cells.codes[row])][:40]),
                "Mend or empty it.",
            )
        return frozen(found)

    def mistake(
        self, wrong: Bool[np.ndarray, " n"], rank: int, expected: str, got: Callable[[int], str], fix: str
    ) -> None:
        """Remember the first row that is wrong; of two mistakes in a row the lower rank is told."""
        if wrong.any():
            self._mistakes.append((int(wrong.argmax()), rank, expected, got, fix))

    def raise_first(self) -> None:
        """Refuse the table with the mistake that comes first in it."""
        if not self._mistakes:
            return
        row, _, expected, got, fix = min(self._mistakes, key=lambda one: one[:2])
        words, _, rest = got(row).partition("\n")
        raise InputError.of(
            expected=expected.format(self.table.name),
            got=f"{words} at {self.table.unit} {self.table.line(row)}{rest}",
            fix=fix,
        )


def recognised(record: Sequence[str], names: Mapping[str, str], table: str) -> dict[str, str]:
    """Return our columns and the column of the table that each is read from.

    Parameters
    ----------
    record
        Columns of the table.
    names
        Our column to the table's, where a reader said so.
    table
        Name of the table, for messages.
    """
    unknown = sorted(set(names) - set(NAMES))
    if unknown:
        raise InputError.of(
            expected=f"mapped columns are {', '.join(NAMES)}", got=unknown[0], fix="Use one of these."
        )
    absent = sorted(theirs for theirs in names.values() if theirs not in record)
    if absent:
        raise InputError.of(
            expected=f"mapped columns must stand in {table}",
            got=f"{absent[0]}, not among {', '.join(record)}",
            fix="Check its spelling.",
        )
    lowered = {name.strip().lower(): name for name in record}
    found = dict(names)
    for ours, known in NAMES.items():
        match = next((lowered[name] for name in known if name in lowered), None)
        if ours not in found and match is not None and match not in found.values():
            found[ours] = match
    missing = [name for name in ("model",) if name not in found]
    if "answer" not in found and "score" not in found:
        missing.append("answer")
    if "question" not in found and "item" not in found:
        missing.insert(0, "question")
    if missing:
        raise InputError.of(
            expected=f"{table} must have the columns question, model and answer (and key, to be judged)",
            got=f"no {', '.join(missing)} among {', '.join(record)}",
            fix=f"Rename it, or say which it is: --map {missing[0]}=YOUR_COLUMN.",
        )
    return found
