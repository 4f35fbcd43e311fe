"""Which gates did the user give, and does a finished audit pass them?"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from pydantic import Field, ValidationError

from limitset.core.ends import Ends
from limitset.core.errors import InputError
from limitset.core.exits import ExitStatus
from limitset.core.gates import BASELINE, Gate, parse_gate
from limitset.core.items import Items
from limitset.core.levels import Level
from limitset.core.parquet import write_text
from limitset.logs.labels import Labels, read_labels
from limitset.report.audit.differences import Differences, differences_of
from limitset.report.audit.differences_page import show_differences, with_differences
from limitset.report.audit.gates_page import show_gates, with_gates
from limitset.report.audit.gating import GateReport, judge, require_known
from limitset.report.audit.named_numbers import KNOWN
from limitset.report.audit.panel import Panel
from limitset.report.junit import junit_xml
from limitset.report.markdown_summary import markdown_summary
from limitset.report.page import Page, write_page
from limitset.store.disk import disk_errors
from limitset.store.study_folder import StudyFolder
from limitset.studies.baseline import Baseline, open_baseline, panel_of
from limitset.studies.labelling import LIST
from limitset.studies.reporting import Finished
from limitset.studies.spec import Strict

MOST_GATES: Final = 1_000
LARGEST_FILE: Final = 1 << 20


class GateEntry(Strict):
    """One gate of a file."""

    check: str
    name: str = Field(default="", max_length=200)


class GateFile(Strict):
    """A file of gates."""

    correct: bool = False
    """Whether all gates together are to err at most 5 % of the time."""
    gate: tuple[GateEntry, ...] = Field(min_length=1, max_length=MOST_GATES)


@dataclass(frozen=True, kw_only=True)
class Gates:
    """The gates of one audit, and whether their confidence is corrected for their number."""

    gates: tuple[Gate, ...] = ()
    corrected: bool = False


def gates_of(expressions: Sequence[str] = (), path: Path | None = None, *, baseline: bool = False) -> Gates:
    """Read the gates of the command line and of a file; nothing is measured yet.

    Parameters
    ----------
    expressions
        Each one gate.
    path
        TOML file: ``[[gate]]`` tables with `check` and, if wanted, `name`; and `correct`.
    baseline
        Whether an earlier audit is given.

    Returns
    -------
    Gates
        Those of the command line first.

    Raises
    ------
    InputError
        When a gate cannot be read, with its column; when one asks for a baseline and none is given.

    Examples
    --------
    >>> [str(gate.first) for gate in gates_of(["n_eff >= 3", "accuracy(a) >= 70 %"]).gates]
    ['n_eff', 'accuracy(a)']
    """
    found = [parse_gate(text, known=KNOWN) for text in expressions]
    told = GateFile(gate=(GateEntry(check="."),)) if path is None else _read(path)
    mistakes = []
    for place, entry in enumerate(told.gate if path is not None else (), start=1):
        try:
            found.append(parse_gate(entry.check, known=KNOWN, name=entry.name))
        except InputError as error:
            mistakes.append(f"{path}: gate {place}: {error}")
    if mistakes:
        raise InputError("\n".join(mistakes))
    wanting = [gate.text for gate in found if gate.of_baseline and not baseline]
    if wanting:
        raise InputError.of(
            expected=f"a gate with {BASELINE}. needs an earlier audit",
            got=repr(wanting[0][:120]),
            fix="Give --baseline DIR.",
        )
    return Gates(gates=tuple(found), corrected=told.correct)


def _read(path: Path) -> GateFile:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise InputError.of(
                expected=f"{path} must be a file of gates", got="more than 1 MiB", fix="Check the path."
            )
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError.of(
            expected="the file of gates must be a readable UTF-8 text", got=error, fix="Check the path."
        ) from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError.of(expected=f"{path} must be TOML", got=error, fix="Mend that place.") from error
    try:
        return GateFile.model_validate_json(json.dumps(values, default=str), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InputError.of(
            expected=f"{path} holds [[gate]] tables with check and name, and correct = true or false",
            got=f"{first['msg'].lower()} at {place}",
            fix='For example: [[gate]], then check = "n_eff >= 3".',
        ) from error


@dataclass(frozen=True, kw_only=True, eq=False)
class Decided:
    """A finished audit with its gates and, where there is a baseline, what changed.

    Parameters
    ----------
    finished
        The audit, its page with the gates on it.
    report
        The gates; None where there are none.
    changes
        What changed since the baseline; None where there is none.
    """

    finished: Finished
    report: GateReport | None
    changes: Differences | None

    @property
    def status(self) -> ExitStatus:
        """0 all gates pass or there are none, 1 one fails, else 3 one cannot be told."""
        return ExitStatus.DONE if self.report is None else self.report.status

    def summary(self) -> dict[str, Any]:
        """Return what a machine reads."""
        found: dict[str, Any] = dict(self.finished.summary())
        if self.report is not None:
            found["gates"] = self.report.record()
        if self.changes is not None:
            found["changes"] = self.changes.record()
        return found

    def junit(self) -> str:
        """Return the gates as JUnit XML."""
        judged = () if self.report is None else self.report.judged
        return junit_xml(judged, scope=self.finished.page.scope)

    def markdown(self) -> str:
        """Return the first screen, the gates and what changed, for a pull request."""
        return markdown_summary(self.finished.page, report=self.report, changes=self.changes)


def baseline_of(path: Path | None, out: Path) -> Baseline | None:
    """Open the earlier audit, where one is named; it must lie in another folder than this one."""
    if path is None:
        return None
    if path.resolve() == out.resolve():
        raise InputError.of(
            expected="the baseline must be another folder than the one that is written",
            got=path,
            fix="Give --out another folder.",
        )
    return open_baseline(path)


def require_names(gates: Gates, ends: Ends, items: Items, *, baseline: Baseline | None = None) -> None:
    """Refuse gates that name no system or stratum of the audit, before anything is measured or written.

    Raises
    ------
    InputError
        With the nearest name; or when the baseline is of other questions.
    """
    systems = list(dict.fromkeys(str(name) for name in ends.having(level=Level.ANSWER.value).texts("system")))
    strata = list(dict.fromkeys(str(name) for name in items.texts("stratum") if name is not None))
    earlier = [] if baseline is None else baseline.panel.systems
    require_known(gates.gates, systems, strata, earlier=earlier)
    if baseline is not None:
        baseline.comparable(items)


def decide(finished: Finished, gates: Gates, *, baseline: Baseline | None = None) -> Decided:
    """Judge a finished audit by its gates, compare it with a baseline, and write its page again with both.

    Parameters
    ----------
    finished
        The audit.
    gates
        May be none.
    baseline
        An earlier audit.

    Returns
    -------
    Decided
        With the exit status.

    Raises
    ------
    InputError
        When a gate names what the audit does not hold, or the baseline is of other questions.
    """
    if not gates.gates and baseline is None:
        return Decided(finished=finished, report=None, changes=None)
    with StudyFolder.open(finished.folder) as folder:
        ends, items, seed = folder.ends(), folder.items(), int(folder.lock["spec"].get("seed", 0))
    require_names(gates, ends, items, baseline=baseline)
    panel = panel_of(ends, items, seed=seed)
    report, changes, page = None, None, finished.page
    same = frozenset[str]() if baseline is None else baseline.comparable(items)
    if baseline is not None:
        changes = differences_of(panel, baseline.panel, comparable=same, notes=baseline.notes)
        page = with_differences(page, changes)
    if gates.gates:
        report = judge(
            gates.gates,
            panel,
            baseline=None if baseline is None else baseline.panel,
            comparable=same,
            labels=_labels(finished.folder, panel),
            corrected=gates.corrected,
        )
        page = with_gates(page, report)
    with disk_errors(finished.path, doing="write the page"):
        write_page(page, finished.path)
    return Decided(finished=_with_page(finished, page), report=report, changes=changes)


def _labels(folder: Path, panel: Panel) -> Labels | None:
    """Read the labels that the folder keeps; None where the replies have keys, or there are none."""
    path = folder / LIST
    kept = panel.anchored is None and path.is_file()
    return read_labels(path, panel.tallies, panel.items) if kept else None


def _with_page(finished: Finished, page: Page) -> Finished:
    return replace(finished, page=page)


def show(decided: Decided, console: Any) -> None:
    """Print what changed and how the gates ended, below the first screen."""
    if decided.changes is not None:
        show_differences(decided.changes, console)
    if decided.report is not None:
        show_gates(decided.report, console)


def write_outputs(decided: Decided, wanted: Mapping[str, Path | None]) -> None:
    """Write the files for a continuous integration: "junit" and "markdown", where a path is given."""
    texts = {"junit": decided.junit, "markdown": decided.markdown}
    for kind, path in wanted.items():
        if path is not None:
            with disk_errors(path, doing=f"write the {kind} file"):
                path.parent.mkdir(parents=True, exist_ok=True)
                write_text(path, texts[kind]())
