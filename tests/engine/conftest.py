"""A study folder of twelve small tasks."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from limitset.core.tasks import Task
from limitset.store import StudyFolder


@pytest.fixture
def tasks() -> list[Task]:
    return [Task(kind="ab"[i % 2], chunk={"i": i}, identity="toy") for i in range(12)]


@pytest.fixture
def open_study(tmp_path: Path, tasks: list[Task]) -> Iterator[Callable[[], StudyFolder]]:
    opened = []

    def opening() -> StudyFolder:
        folder = StudyFolder.create_or_open(tmp_path / "s", toml_text="", lock={"spec": {}}, tasks=tasks)
        opened.append(folder)
        return folder

    yield opening
    for folder in opened:
        folder.close()


@pytest.fixture
def work() -> Callable[[Task], dict]:
    """Return one row a task; nested, so that workers get it by value."""

    def one_row(task: Task) -> dict:
        from limitset.core.columns import Kind
        from limitset.store import TablePart

        return {"rows": TablePart.of({"i": [task.chunk["i"]]}, {"i": Kind.NUMBER})}

    return one_row


@pytest.fixture
def numbers_of() -> Callable[[StudyFolder], list[float]]:
    def numbers(folder: StudyFolder) -> list[float]:
        from limitset.core.columns import Kind

        return [float(one) for one in folder.table("rows", {"i": Kind.NUMBER})["i"]]

    return numbers
