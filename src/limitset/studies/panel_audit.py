"""What is a panel of models or judges worth, seen from the replies that somebody already has?"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from limitset.core.ends import Ends
from limitset.core.items import Items
from limitset.core.provenance import machine, package_versions, sha256_of
from limitset.core.tasks import Task
from limitset.datasets.sample_panel import ATTRIBUTIONS, PANEL
from limitset.logs.finding import Found
from limitset.logs.frame_replies import FrameTable, content_digest
from limitset.logs.memory_plan import free_memory, memory_plan, require_memory
from limitset.logs.reading import read_panel
from limitset.logs.replies import replies_of
from limitset.report.audit.noun import noun_of
from limitset.store.study_folder import StudyFolder
from limitset.store.tables import TablePart
from limitset.studies.labelling import check_labels, keep_labels
from limitset.studies.reporting import Finished, rebuild
from limitset.studies.spec import PanelAudit, to_toml

READER_VERSION = 2


def run_audit(
    replies: Path | Sequence[Path] | FrameTable,
    out: Path,
    *,
    names: Mapping[str, str] | None = None,
    filter_name: str | None = None,
    judges: str | None = None,
    labels: Path | None = None,
    checked: Callable[[Ends, Items], None] | None = None,
    say: Callable[[str], None] | None = None,
    seed: int = 0,
    date: str,
    command: str = "",
) -> Finished:
    """Judge replies that somebody already has and write their page.

    Parameters
    ----------
    replies
        A file of replies (CSV, TSV, JSON lines or Parquet with question, model, answer and, to be judged,
        key), or logs of lm-evaluation-harness or Inspect: files, folders, several of them; or a data frame.
    out
        Study folder to write.
    names
        Our column to the file's own name, where it is not recognised.
    filter_name
        Filter (lm-evaluation-harness) or scorer (Inspect) to use where a task has several.
    judges
        Take the scorers of Inspect logs as judges; this one holds the key, "none" where none does.
    labels
        Filled list of labels (`studies.labelling.write_label_plan`), where the replies have no key.
    checked
        Called with the runs and the questions before anything is written; it may raise `InputError`.
    say
        Called with the memory that a large file will need, before it is read.
    seed
        Seed of the resampling.
    date
        Date of the audit, for the reader.
    command
        What was typed, for the methods section of the page.

    Returns
    -------
    Finished
        The page, its path and the numbers.

    Raises
    ------
    InputError
        When the file cannot be used; its name and line are given, and nothing is written.
    """
    if isinstance(replies, FrameTable):
        read, found, told = replies_of(replies, names=names), Found(), "a data frame"
    else:
        paths = [replies] if isinstance(replies, Path) else list(replies)
        plan = require_memory(memory_plan(paths), free=free_memory())
        if plan and say is not None:
            say(plan)
        read, found = read_panel(paths, names=names, filter_name=filter_name, judges=judges)
        told = ", ".join(path.name for path in paths)
    if labels is not None:
        check_labels(labels, read.ends, read.items)
    if checked is not None:
        checked(read.ends, read.items)
    spec = PanelAudit(kind="panel_audit", replies=told, seed=seed)
    digest = _digest(found) if found.files else content_digest(read)
    task = Task(
        kind="read",
        chunk={
            "columns": dict(read.columns),
            **({"filter": filter_name} if filter_name else {}),
            **({"judges": judges} if judges else {}),
        },
        identity=digest,
        versions={"replies": READER_VERSION},
    )
    lock: dict[str, Any] = {
        "spec": spec.model_dump(mode="json"),
        "questions": {"file": told, **_counted(found), "sha256": digest},
        "noun": "judge" if judges else noun_of(read.columns.get("model", "model")),
        "answers": read.columns.get("answer", "answer"),
        "notes": list(read.notes),
        **({"attributions": list(ATTRIBUTIONS)} if PANEL in found.files else {}),
        "packages": package_versions(),
        "machine": machine(),
        "created": date,
        "command": command,
    }
    with StudyFolder.create_or_open(out, toml_text=to_toml(spec), lock=lock, tasks=[task]) as folder:
        folder.write_items(read.items)
        folder.finish(task, {"ends": TablePart.of_ends(read.ends)})
    keep_labels(out, labels)
    return rebuild(out, at_hand=(read.ends, read.items))


def _digest(found: Found) -> str:
    """Return the hash of what was read: of the file, or of the hashes of all files in order."""
    each = [sha256_of(path) for path in found.files]
    return each[0] if len(each) == 1 else hashlib.sha256("\n".join(each).encode()).hexdigest()


def _counted(found: Found) -> dict[str, Any]:
    kinds = {
        "lm-evaluation-harness": found.lm_eval,
        "Inspect": found.inspect,
        "replies": found.tables,
    }
    if len(found.files) <= 1:
        return {}
    read = ", ".join(f"{len(files):,} of {name}" for name, files in kinds.items() if files)
    return {"files read": read, "files of other kinds, left alone": found.unrelated}


def audit(
    replies: Any,
    *,
    out: Path | str = "audit",
    names: Mapping[str, str] | None = None,
    seed: int = 0,
    date: str = "",
) -> Finished:
    """Judge replies that you have: a file, files and folders of logs, or a data frame.

    Parameters
    ----------
    replies
        A path, several paths, or a pandas, polars or Arrow table with one row a reply; see `run_audit`.
    out
        Study folder to write.
    names
        Our column to yours, where it is not recognised.
    seed
        Seed of the resampling.
    date
        Date of the audit, for the reader.

    Returns
    -------
    Finished
        `page`, `path` of the page, and `tables`: each plots itself with `.plot()`.

    Raises
    ------
    InputError
        When the replies cannot be used; nothing is written.

    Examples
    --------
    >>> audit("none.csv")
    Traceback (most recent call last):
    limitset.core.errors.InputError: none.csv must be a file or a folder; got none there. Check the path.
    """
    if isinstance(replies, str | Path):
        given: Path | Sequence[Path] | FrameTable = Path(replies)
    elif isinstance(replies, list | tuple):
        given = [Path(one) for one in replies]
    else:
        given = FrameTable(replies)
    return run_audit(given, Path(out), names=names, seed=seed, date=date)
