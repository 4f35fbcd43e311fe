"""How does an audit without keys get labels: a list to fill in, and the same list with what comes next?"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import tomli_w

from limitset.core.ends import Ends
from limitset.core.errors import InputError
from limitset.core.items import Items
from limitset.core.levels import Level
from limitset.core.parquet import publish
from limitset.core.strata_sampling import agreement_levels, drawn_order, interleaved
from limitset.core.tallies import Tallies, tallied
from limitset.instruments.truth.label_plan import HALF_WIDTH, THRESHOLD, label_plan
from limitset.instruments.truth.labelled import labelled
from limitset.logs.label_file import (
    KIND,
    PlanFile,
    filled_rows,
    guarded,
    label_cells,
    one_line,
    panel_hash,
    read_plan,
    shown_question,
)
from limitset.logs.labels import Labels, read_labels
from limitset.report.audit.labels import with_labels
from limitset.report.audit.panel import Panel
from limitset.report.page import Page
from limitset.store.disk import disk_errors
from limitset.store.study_folder import StudyFolder

COLUMNS: Final = ("item", "question", "answers", "label", "stratum", "weight", "plan")
LONGEST_ANSWER: Final = 200
MOST_ANSWERS: Final = 12
SHOWS: Final = ("blind", "counts")
BATCH: Final = 50
LIST: Final = "labels.csv"
"""Copy of the filled list within the folder of a study."""
_DRAW, _SHUFFLE = 71, 72
"""Streams of the order of questions and of the order of answers."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Written:
    """A list that was written."""

    path: Path
    plan: PlanFile
    filled: int
    """Labels that were carried over."""

    @property
    def told(self) -> str:
        """Say what was written, for a terminal."""
        count, beside = len(self.plan.items), self.path.with_suffix(".toml").name
        filled = f", {self.filled:,} of them labelled" if self.filled else ""
        return f"{self.path} ({count:,} questions{filled}; keep {beside} beside it)"

    def summary(self) -> dict[str, object]:
        """Return what a machine reads."""
        return {
            "path": str(self.path),
            "belongs to": str(self.path.with_suffix(".toml")),
            "items": len(self.plan.items),
            "labelled": self.filled,
            "threshold": self.plan.threshold,
            "half_width": self.plan.half_width,
        }


def write_label_plan(
    path: Path,
    ends: Ends,
    items: Items,
    *,
    labels: Path | None = None,
    threshold: float = THRESHOLD,
    half_width: float = HALF_WIDTH,
    shows: str = "blind",
    seed: int = 0,
) -> Written:
    """Write the list of questions to label, and beside it what it belongs to.

    Parameters
    ----------
    path
        A CSV file; the TOML of the same name goes beside it.
    ends, items
        The panel; no question has a key.
    labels
        A list that was filled already: the new one holds it and the 50 questions that would tell most now.
        Threshold, width, form and seed are then those of that list.
    threshold, half_width
        Share of runs from which an answer counts as agreed, and wanted half of the interval.
    shows
        "blind": answers shuffled and without counts, so that nobody is drawn to the commonest. "counts": the
        commonest first, with counts; "right" and "wrong" then speak of it.
    seed
        Seed of the draw.

    Returns
    -------
    Written
        Where the list is and what is on it.

    Raises
    ------
    InputError
        When a question has a key, `path` holds labels already, or the filled list is of another panel.

    Examples
    --------
    >>> import tempfile
    >>> from limitset.datasets.planted import mixture_world, planted_panel
    >>> world, rng = mixture_world(models=5), np.random.default_rng(0)
    >>> ends, items = planted_panel(world, questions=90, seeds=1, rng=rng)
    >>> ends, items = without_keys(ends, items)
    >>> written = write_label_plan(Path(tempfile.mkdtemp()) / "plan.csv", ends, items)
    >>> len(written.plan.items) < 90
    True
    """
    tallies = unanchored(ends, items)
    if shows not in SHOWS:
        raise InputError.of(expected=f"a list shows {' or '.join(SHOWS)}", got=shows, fix="Use one of these.")
    if labels is not None:
        return _write_further(path, tallies, items, labels)
    rng = np.random.default_rng([seed, _DRAW])
    drawn = label_plan(tallies, half_width=half_width, threshold=threshold, rng=rng)
    plan = PlanFile(
        panel=panel_hash(tallies, items),
        seed=seed,
        threshold=threshold,
        half_width=half_width,
        cuts=drawn.levels.cuts,
        shows=shows,
        items=tuple(str(name) for name in tallies.items[drawn.question]),
    )
    return _written(path, plan, tallies, items, {})


def plan_of_study(
    folder: Path,
    path: Path,
    *,
    labels: Path | None = None,
    threshold: float = THRESHOLD,
    half_width: float = HALF_WIDTH,
    shows: str = "blind",
    seed: int = 0,
) -> Written:
    """Write the list of questions to label for the replies of a study; see `write_label_plan`."""
    with StudyFolder.open(folder) as study:
        ends, items = study.ends(), study.items()
    return write_label_plan(
        path,
        ends,
        items,
        labels=labels,
        threshold=threshold,
        half_width=half_width,
        shows=shows,
        seed=seed,
    )


def unanchored(ends: Ends, items: Items) -> Tallies:
    """Count the answers of a panel; refuse one that has keys."""
    tallies = tallied(ends.having(level=Level.ANSWER.value), items)
    keyed = int(items.has_anchor().sum())
    judged = np.unique(tallies.class_item[~np.isnan(tallies.class_right)]).size
    if keyed or judged:
        raise InputError.of(
            expected="labels are for replies that nothing checks",
            got=f"{max(keyed, judged)} question{'s' * (max(keyed, judged) != 1)} with a key or a score",
            fix="Leave the labels out: the key is used. Or leave out the column of the key.",
        )
    return tallies


def without_keys(ends: Ends, items: Items) -> tuple[Ends, Items]:
    """Return a panel as it would be if nobody knew what is right.

    Examples
    --------
    >>> ends = Ends.of(item=["q"], system="m", end=["a"], right=[1])
    >>> blind, _ = without_keys(ends, Items.of(item=["q"], text=["?"], accepted=[["a"]]))
    >>> bool(np.isnan(blind.numbers("right")[0]))
    True
    """
    rows = [
        {**row, "accepted": (), "anchor": None, "anchor_error": None, "lure": None} for row in items.rows()
    ]
    return ends.with_columns(right=np.nan), Items.of_rows(rows)


def labelled_page(page: Page, folder: Path, panel: Panel) -> Page:
    """Put on the page of an audit what the labels say that its folder keeps; a page with keys stays."""
    path = folder / LIST
    if panel.anchored is not None:
        return page
    return with_labels(page, panel, read_labels(path, panel.tallies, panel.items) if path.is_file() else None)


def check_labels(labels: Path, ends: Ends, items: Items) -> None:
    """Refuse a filled list that does not belong to these replies, before anything is written."""
    read_labels(labels, unanchored(ends, items), items)


def keep_labels(folder: Path, labels: Path | None) -> None:
    """Copy a filled list into a study, or take out the one that is there."""
    for suffix in (".csv", ".toml"):
        mine = (folder / LIST).with_suffix(suffix)
        with disk_errors(mine, doing="keep the labels"):
            if labels is None:
                mine.unlink(missing_ok=True)
                continue
            taken = labels if suffix == ".csv" else labels.with_suffix(suffix)
            temporary = mine.with_name(f".{mine.name}.tmp")
            temporary.write_bytes(taken.read_bytes())
            publish(temporary, mine)


def _write_further(path: Path, tallies: Tallies, items: Items, labels: Path) -> Written:
    """Write a filled list anew, and after it the questions that would tell most now."""
    old = read_labels(labels, tallies, items)
    plan = old.plan
    texts = {name: cell.label for name, cell in label_cells(labels, plan, items).items() if cell.label}
    found = labelled(old.on(tallies), cuts=plan.cuts, threshold=plan.threshold, more=BATCH)
    levels = agreement_levels(tallies, plan.cuts)
    place = {str(name): row for row, name in enumerate(tallies.items)}
    listed = np.array([place[name] for name in plan.items], dtype=np.int64)
    # what stands on the list and is not labelled yet comes first, so that the draw stays one
    order = drawn_order(tallies, np.random.default_rng([plan.seed, _DRAW]))
    fresh = np.concatenate([listed[~old.labelled[listed]], order[~np.isin(order, listed)]])
    wanted = found.more if found.more.any() else _left_over(levels.sizes, levels.member, old)
    by_level = [fresh[levels.member[fresh] == level][:n] for level, n in enumerate(wanted)]
    turn = interleaved(wanted)
    following = np.empty(turn.size, dtype=np.int64)
    for level, own in enumerate(by_level):
        following[turn == level] = own
    done = listed[old.labelled[listed]]
    further = PlanFile(
        panel=plan.panel,
        seed=plan.seed,
        threshold=plan.threshold,
        half_width=plan.half_width,
        cuts=plan.cuts,
        shows=plan.shows,
        items=tuple(str(name) for name in tallies.items[np.concatenate([done, following])]),
    )
    return _written(path, further, tallies, items, texts)


def _left_over(sizes: np.ndarray, member: np.ndarray, old: Labels) -> np.ndarray:
    """Return the next batch where all agreed questions are labelled: in proportion to what is left."""
    left = sizes - np.bincount(member[old.labelled], minlength=sizes.size)
    if not left.sum():
        raise InputError.of(
            expected="a question must be left to label", got="none", fix="The labels are complete."
        )
    return np.asarray(np.minimum(left, np.ceil(BATCH * left / left.sum()).astype(np.int64)))


def _written(
    path: Path, plan: PlanFile, tallies: Tallies, items: Items, labels: Mapping[str, str]
) -> Written:
    _require_free(path)
    texts = dict(zip(items.texts("item"), items.texts("text"), strict=True))
    place = {str(name): row for row, name in enumerate(tallies.items)}
    levels = agreement_levels(tallies, plan.cuts)
    rows_of = np.array([place[name] for name in plan.items], dtype=np.int64)
    member = levels.member[rows_of]
    weight = levels.sizes / np.maximum(np.bincount(member, minlength=levels.sizes.size), 1)
    pooled = tallies.pooled()
    first = np.searchsorted(pooled.class_item, np.arange(pooled.items.size + 1))
    rng = np.random.default_rng([plan.seed, _SHUFFLE])
    out = io.StringIO(newline="")
    rows = csv.writer(out)
    rows.writerow(COLUMNS)
    for name, row, level in zip(plan.items, rows_of.tolist(), member.tolist(), strict=True):
        own = slice(first[row], first[row + 1])
        answers = _answers(pooled.class_name[own], pooled.counts[0, own], shows=plan.shows, rng=rng)
        # levels go by letter: a labeller need not know how many agreed
        stratum, one = chr(ord("A") + level), f"{weight[level]:.6g}"
        rows.writerow(
            [name, shown_question(texts[name]), answers, labels.get(name, ""), stratum, one, plan.identity]
        )
    values = {"kind": KIND, "version": 1, "plan": plan.identity, **vars(plan)}
    names = dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", levels.named(), strict=False))
    values |= {"cuts": list(plan.cuts), "items": list(plan.items), "strata": names}
    _publish(path.with_suffix(".toml"), tomli_w.dumps(values).encode())
    # a spreadsheet takes UTF-8 for what it is only with this mark
    _publish(path, out.getvalue().encode("utf-8-sig"))
    return Written(path=path, plan=plan, filled=len(labels))


def _answers(names: np.ndarray, counts: np.ndarray, *, shows: str, rng: np.random.Generator) -> str:
    given = np.flatnonzero(counts > 0)
    order = given[np.lexsort((names[given].astype(str), -counts[given]))]
    more = f" | … and {order.size - MOST_ANSWERS} more" if order.size > MOST_ANSWERS else ""
    order = order[:MOST_ANSWERS]
    if shows == "blind":
        order = rng.permutation(order)
    texts = [
        one_line(str(names[one]), LONGEST_ANSWER) + ("" if shows == "blind" else f" ({counts[one]})")
        for one in order
    ]
    return guarded(" | ".join(texts) + more)


def _publish(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.tmp")
    with disk_errors(path, doing="write the label plan"):
        temporary.write_bytes(content)
        publish(temporary, path)


def _require_free(path: Path) -> None:
    """Refuse to write over labels, or over a file that is no list."""
    if path.suffix.lower() != ".csv":
        raise InputError.of(expected="a label plan is a .csv file", got=path.name, fix="Name it plan.csv.")
    if path.with_suffix(".toml").exists():
        read_plan(path)
    if path.exists() and any(cells["label"].strip() for _, cells in filled_rows(path)):
        raise InputError.of(
            expected=f"{path} must be free for a new plan",
            got="one that holds labels",
            fix="Name another file: labels are not written over.",
        )
