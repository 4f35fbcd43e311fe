"""What is a panel of models or judges worth, seen from the replies that somebody already has?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from limitset.core.provenance import machine, package_versions, sha256_of
from limitset.core.tasks import Task
from limitset.logs.replies import read_replies
from limitset.store.study_folder import StudyFolder
from limitset.store.tables import TablePart
from limitset.studies.reporting import Finished, rebuild
from limitset.studies.spec import PanelAudit, to_toml

READER_VERSION = 1


def run_audit(
    replies: Path,
    out: Path,
    *,
    names: Mapping[str, str] | None = None,
    seed: int = 0,
    date: str,
    command: str = "",
) -> Finished:
    """Judge a file of replies and write its page.

    Parameters
    ----------
    replies
        CSV, TSV, JSON lines or Parquet with question, model, answer and (to be judged) key.
    out
        Study folder to write.
    names
        Our column to the file's own name, where it is not recognised.
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
    read = read_replies(replies, names=names)
    spec = PanelAudit(kind="panel_audit", replies=replies.name, seed=seed)
    digest = sha256_of(replies)
    task = Task(
        kind="read",
        chunk={"columns": dict(read.columns)},
        identity=digest,
        versions={"replies": READER_VERSION},
    )
    lock: dict[str, Any] = {
        "spec": spec.model_dump(mode="json"),
        "questions": {"file": replies.name, "sha256": digest},
        "notes": list(read.notes),
        "packages": package_versions(),
        "machine": machine(),
        "created": date,
        "command": command,
    }
    with StudyFolder.create_or_open(out, toml_text=to_toml(spec), lock=lock, tasks=[task]) as folder:
        folder.write_items(read.items)
        folder.finish(task, {"ends": TablePart.of_ends(read.ends)})
    return rebuild(out)


def audit(replies: Path | str, *, out: Path | str = "audit", seed: int = 0, date: str = "") -> Finished:
    """Judge a file of replies; see `run_audit`.

    Examples
    --------
    >>> audit("no-such-file.csv")
    Traceback (most recent call last):
    limitset.core.errors.InputError: no-such-file.csv must be a file; got none there. Check the path.
    """
    return run_audit(Path(replies), Path(out), seed=seed, date=date)
