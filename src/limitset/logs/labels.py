"""What did somebody who labelled some of the questions say of their answers?"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from limitset.core.answers import AnswerClass, classify, normalised
from limitset.core.columns import frozen
from limitset.core.errors import InputError
from limitset.core.items import Items
from limitset.core.levels import Status
from limitset.core.strata_sampling import agreement_levels
from limitset.core.tallies import Tallies
from limitset.core.undefined import UNDEFINED
from limitset.logs.label_file import LabelCell, PlanFile, label_cells, panel_hash, read_plan

ANSWERS_BETWEEN: Final = "|"
"""Several right answers in one cell stand apart by this, as keys do."""
NEAR: Final = 0.7
"""Likeness (difflib's ratio) from which a label nobody gave is told as a slip for an answer somebody gave."""
RESERVED: Final = ("right", "wrong", "none")
SPELLED_OUT: Final = "answer:"
"""Before an answer that is itself one of the reserved words."""


class UnknownLabel(NamedTuple):
    """A label that names an answer which no run gave."""

    label: str
    labels: int
    """On so many questions."""
    near: str
    """An answer that was given and nearly reads like it; "" where there is none."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Labels:
    """What a filled list says.

    Parameters
    ----------
    plan
        What it belongs to.
    class_right : (k,)
        Of each answer class of the panel: 1 right, 0 wrong, NaN not known.
    labelled : (q,)
        Which questions have a label.
    verdicts
        Labels that call the commonest answer wrong and do not say what is right.
    unmatched
        Labels that name an answer which no run gave.
    unknown
        These labels, the commonest first.
    passed_over
        Questions left empty that stand before a labelled one of the same level.
    """

    plan: PlanFile
    class_right: Float[np.ndarray, " k"]
    labelled: Bool[np.ndarray, " q"]
    verdicts: int
    unmatched: int
    passed_over: int
    unknown: tuple[UnknownLabel, ...] = ()

    def on(self, tallies: Tallies) -> Tallies:
        """Return the tallies with what the labels say of their answers."""
        return replace(tallies, class_right=self.class_right)


def read_labels(path: Path, tallies: Tallies, items: Items) -> Labels:
    """Read a filled list, whole or in part, its rows in any order.

    Parameters
    ----------
    path
        The CSV, as `write_plan` wrote it or as a spreadsheet saved it (byte order mark, semicolons or tabs,
        other line ends); its TOML beside it.
    tallies, items
        The panel that the list was drawn from.

    Returns
    -------
    Labels
        What every answer class was called.

    Raises
    ------
    InputError
        When the list is of another panel, or a row does not fit; its line is named.

    Notes
    -----
    A label is the right answer (several apart by a vertical bar), read as keys are; or "right" or "wrong" of
    the commonest answer; or "none" where no answer is right; or empty. An answer that is one of these words
    itself is written ``answer: right``.
    """
    plan = read_plan(path)
    if plan.panel != panel_hash(tallies, items):
        raise InputError.of(
            expected=f"{path.name} must hold labels of these replies",
            got=f"labels of another panel ({plan.panel[:12]})",
            fix="Give the replies that its --label-plan was written for.",
        )
    cells = label_cells(path, plan, items)
    pooled = tallies.pooled()
    first = np.searchsorted(pooled.class_item, np.arange(pooled.items.size + 1))
    place = {str(name): row for row, name in enumerate(pooled.items)}
    about = {row["item"]: row for row in items.rows() if row["item"] in cells}
    right = np.full(pooled.class_item.size, UNDEFINED)
    labelled = np.zeros(pooled.items.size, dtype=bool)
    verdicts = 0
    unknown: dict[str, list[str]] = {}
    for name, cell in cells.items():
        if not cell.label:
            continue
        own = slice(first[place[name]], first[place[name] + 1])
        found = _judged(cell, about[name], pooled.class_name[own], pooled.counts[0, own], plan.shows)
        right[own] = found
        labelled[place[name]] = True
        verdicts += bool(np.isnan(found).any())
        if cell.label.casefold() not in RESERVED and not (found == 1).any():
            unknown.setdefault(cell.label, []).append(_near(cell.label, pooled.class_name[own]))
    return Labels(
        plan=plan,
        class_right=frozen(right),
        labelled=frozen(labelled),
        verdicts=verdicts,
        unmatched=sum(len(near) for near in unknown.values()),
        passed_over=_passed_over(plan, tallies, labelled, place),
        unknown=tuple(
            UnknownLabel(label, len(near), max(near, key=bool))
            for label, near in sorted(unknown.items(), key=lambda pair: -len(pair[1]))
        ),
    )


def _near(label: str, names: np.ndarray) -> str:
    """Return the answer that a label was probably meant to name; "" where none is near."""
    given = {str(name).casefold(): str(name) for name in names}
    found = difflib.get_close_matches(label.casefold(), given, n=1, cutoff=NEAR)
    return given[found[0]] if found else ""


def _judged(
    cell: LabelCell, about: Mapping[str, Any], names: np.ndarray, counts: np.ndarray, shows: str
) -> Float[np.ndarray, " some"]:
    """Return which answers of one question a label calls right."""
    word = cell.label.casefold()
    if word not in RESERVED:
        return _accepted(cell, about, names)
    if any(str(name).casefold() in RESERVED for name in names):
        raise _refused(
            cell,
            "to be told from an answer of that name",
            f"Write `{SPELLED_OUT} {cell.label}` for the answer.",
        )
    if word == "none":
        return np.zeros(names.size)
    top = np.flatnonzero(counts == counts.max(initial=0))
    if top.size != 1 or (shows == "blind" and (counts > 0).sum() > 1):
        why = "one commonest answer" if top.size != 1 else "one answer, where counts are not shown"
        raise _refused(cell, f"to speak of a question with {why}", "Write the right answer, or none.")
    found = np.zeros(names.size) if word == "right" else np.full(names.size, UNDEFINED)
    found[top] = float(word == "right")
    return found


def _accepted(cell: LabelCell, about: Mapping[str, Any], names: np.ndarray) -> Float[np.ndarray, " some"]:
    text = cell.label
    if text.casefold().startswith(SPELLED_OUT):
        text = text[len(SPELLED_OUT) :].strip()
    given = tuple(part.strip() for part in text.split(ANSWERS_BETWEEN) if part.strip())
    form = about["form"] or ("number" if given and all(map(_is_number, given)) else None)

    def said(reply: str, accepted: tuple[str, ...]) -> AnswerClass:
        return classify(reply, question=about["text"], accepted=accepted, lure=None, form=form)

    exact = {part.casefold() for part in given}
    same = np.array([str(name).strip().casefold() in exact for name in names], dtype=bool)
    readable = tuple(part for part in given if normalised(part))
    if not same.any() and (not readable or said(readable[0], ()).status is not Status.ANSWERED):
        raise _refused(
            cell, "to be an answer, right, wrong, none or empty", "Leave it empty if it is not known."
        )
    if readable:
        same |= np.array([bool(said(str(name), readable).right) for name in names], dtype=bool)
    return same.astype(np.float64)


def _refused(cell: LabelCell, must: str, fix: str) -> InputError:
    return InputError.of(
        expected=f"a label of {cell.path} has {must}", got=f"{cell.label[:60]!r} at line {cell.line}", fix=fix
    )


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", ""))
    except ValueError:
        return False
    return True


def _passed_over(
    plan: PlanFile, tallies: Tallies, labelled: Bool[np.ndarray, " q"], place: Mapping[str, int]
) -> int:
    """Count questions left empty before a labelled one of their level."""
    order = np.array([place[name] for name in plan.items], dtype=np.int64)
    member = agreement_levels(tallies, plan.cuts).member[order]
    done, over = labelled[order], 0
    for level in np.unique(member):
        own = done[member == level]
        last = np.flatnonzero(own)
        over += int((~own[: last[-1]]).sum()) if last.size else 0
    return over
