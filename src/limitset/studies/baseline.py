"""Which earlier audit is this one compared with, and can it be?"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

import numpy as np

from limitset.core.columns import plain
from limitset.core.ends import Ends
from limitset.core.errors import InputError
from limitset.core.items import Items
from limitset.core.levels import Level
from limitset.core.tallies import tallied
from limitset.report.analysis import anchored_of
from limitset.report.audit.panel import Panel
from limitset.store.study_folder import StudyFolder

KIND: Final = "panel_audit"
SCHEMA: Final = 1


@dataclass(frozen=True, kw_only=True, eq=False)
class Baseline:
    """An earlier audit.

    Parameters
    ----------
    path
        Its folder.
    panel
        Its runs.
    notes
        What a reader must know of it: when it was made, and by which version.
    """

    path: Path
    panel: Panel
    notes: tuple[str, ...]

    def comparable(self, items: Items) -> frozenset[str]:
        """Return the questions that stand in both audits with the same text and key.

        Raises
        ------
        InputError
            When there is none.
        """
        asked, before = _questions(items), _questions(self.panel.items)
        same = frozenset(name for name, question in asked.items() if before.get(name) == question)
        if not same:
            both = sum(name in before for name in asked)
            got = f"{len(asked):,} and {len(before):,} with none alike" + (
                f" ({both:,} have another text or key)" if both else ""
            )
            raise InputError.of(
                expected=f"the baseline {self.path} must hold questions of this audit",
                got=got,
                fix="Name an audit of the same questions.",
            )
        return same


def open_baseline(path: Path) -> Baseline:
    """Read an earlier audit from its folder.

    Raises
    ------
    InputError
        When the folder holds no finished audit, or one that another version of limitset wrote in another
        form.
    """
    if not path.is_dir():
        raise InputError.of(
            expected="the baseline must be the folder of an earlier audit",
            got=f"{path}, which {'is a file' if path.exists() else 'does not exist'}",
            fix="Name a folder that `limitset audit -o` wrote.",
        )
    with StudyFolder.open(path) as folder:
        spec, progress = folder.lock.get("spec", {}), folder.progress()
        if spec.get("kind") != KIND:
            raise InputError.of(
                expected=f"the baseline {path} must be an audit",
                got=f"a study of the kind {spec.get('kind')}",
                fix="Name a folder that `limitset audit` wrote.",
            )
        if spec.get("schema_version") != SCHEMA:
            raise InputError.of(
                expected=f"the baseline {path} must be an audit of version {SCHEMA}",
                got=f"version {spec.get('schema_version')}",
                fix="Audit its replies again with this version.",
            )
        if progress.done < progress.total:
            raise InputError.of(
                expected=f"the baseline {path} must be finished",
                got=f"{progress.done} of {progress.total} tasks done",
                fix="Run its audit again; it goes on from there.",
            )
        panel = panel_of(folder.ends(), folder.items(), seed=int(spec.get("seed", 0)))
        made, packages = str(folder.lock.get("created", "")), folder.lock.get("packages", {})
    theirs, ours = str(packages.get("limitset", "unknown")), version("limitset")
    notes = [f"The baseline is of {made}."] if made else []
    if theirs != ours:
        notes.append(f"The baseline was read by limitset {theirs}, this audit by {ours}.")
    return Baseline(path=path, panel=panel, notes=tuple(notes))


def panel_of(ends: Ends, items: Items, *, seed: int = 0) -> Panel:
    """Count the runs of an audit.

    Examples
    --------
    >>> ends = Ends.of(item=["p"], system="m", end=["x"], right=[1])
    >>> panel_of(ends, Items.of(item=["p"], text=["?"], accepted=[["x"]])).systems
    ['m']
    """
    answers = ends.having(level=Level.ANSWER.value)
    tallies = tallied(answers, items)
    keyed = anchored_of(tallies, items)
    return Panel(
        ends=answers, items=items, tallies=tallies, anchored=keyed if keyed.items.size else None, seed=seed
    )


def _questions(items: Items) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Item to its text and its key, both without regard to spaces, the key without regard to order."""
    accepted = plain(items.columns["accepted"])
    texts: np.ndarray = items.texts("text")
    return {
        str(name): (" ".join(str(text or "").split()), tuple(sorted(held or ())))
        for name, text, held in zip(items.texts("item"), texts, accepted, strict=True)
    }
