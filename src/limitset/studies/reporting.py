"""How does a finished study folder become a page, and what does a machine read of it?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from limitset.core.columns import plain
from limitset.core.ends import Ends
from limitset.core.errors import InputError
from limitset.core.items import Items
from limitset.core.lab import NET_KINDS
from limitset.core.levels import Level
from limitset.core.loops import ORBIT_KINDS
from limitset.core.results import MeasurementTable
from limitset.core.traces import EIGENVALUE_KINDS, OWN, TRACE_KINDS
from limitset.report.analysis import analyse
from limitset.report.audit.page import audit_page
from limitset.report.audit.panel import Panel
from limitset.report.audit.sections import sections_of
from limitset.report.bounded import keep_numbers
from limitset.report.first_page import build_page
from limitset.report.lab_findings import lab_findings
from limitset.report.lab_page import lab_page
from limitset.report.page import Page, write_page
from limitset.report.trace_findings import trace_findings
from limitset.report.trace_page import trace_page
from limitset.store.disk import disk_errors
from limitset.store.study_folder import StudyFolder
from limitset.studies.labelling import labelled_page
from limitset.studies.served import SERVED_KINDS, served_notes
from limitset.studies.served import TABLE as SERVED

NAMED = 2
"""So many models are named in the headline's scope; more are counted."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Finished:
    """A study that ended in a page."""

    folder: Path
    path: Path
    page: Page

    @property
    def tables(self) -> dict[str, MeasurementTable]:
        """Instrument to what it measured; each table plots itself with `.plot()`."""
        return {table.instrument: table for table in self.page.measured}

    def summary(self) -> dict[str, Any]:
        """Return what a machine reads: the sentences, and every number with its interval."""
        return {
            "title": self.page.title,
            "scope": self.page.scope,
            "date": self.page.date,
            "page": str(self.path),
            "headline": list(self.page.headline),
            "decisions": list(self.page.decisions),
            "numbers": list(self.page.numbers),
        }


def rebuild(path: Path, *, at_hand: tuple[Ends, Items] | None = None) -> Finished:
    """Read a study folder, measure everything anew, and write its page.

    Parameters
    ----------
    path
        The folder.
    at_hand
        The runs and questions that were just written to it, where they are still in memory.

    Raises
    ------
    InputError
        When the folder is no study, or a task of it is not done.
    """
    with StudyFolder.open(path) as folder:
        progress = folder.progress()
        if progress.done < progress.total:
            raise InputError.of(
                expected=f"{path} must be finished before it is judged",
                got=f"{progress.done} of {progress.total} tasks done",
                fix="Run the same command again; it goes on from there.",
            )
        if at_hand is not None:
            folder.remember(*at_hand)
        page, target = page_of(folder), folder.report_path
    with disk_errors(target, doing="write the page"):
        keep_numbers(page.numbers, path)
        write_page(page, target)
    return Finished(folder=path, path=target, page=page)


def page_of(folder: StudyFolder) -> Page:
    """Measure the rows of a finished study and build its page, by its kind."""
    kind = str(folder.lock["spec"]["kind"])
    return _PAGES.get(kind, _answers_page)(folder)


def _answers_page(folder: StudyFolder) -> Page:
    ends, items, orbits = folder.ends(), folder.items(), folder.table("orbits", ORBIT_KINDS)
    lock = folder.lock
    served = served_notes(folder.table(SERVED, SERVED_KINDS), lock.get("models", {}), ends)
    analysis = analyse(ends, items, orbits if len(orbits["item"]) else None, rng_seed=_seed(lock))
    return build_page(
        analysis,
        title=str(lock["spec"]["kind"]).replace("_", " "),
        scope=scope_of(ends, items),
        date=str(lock["created"]),
        provenance={name: value for name, value in _provenance(lock).items() if name != "notes"},
        attributions=tuple(lock.get("attributions", ())),
        notes=(*served, *(str(note) for note in lock.get("notes", ()))),
    )


def _audit_page(folder: StudyFolder) -> Page:
    ends, items, lock = folder.ends(), folder.items(), folder.lock
    analysis = analyse(ends, items, rng_seed=_seed(lock))
    panel = Panel(
        ends=ends.having(level=Level.ANSWER.value),
        items=items,
        tallies=analysis.tallies,
        anchored=None if analysis.truth is None else analysis.truth.tallies,
        seed=_seed(lock),
        noun=str(lock.get("noun", "model")),
        answers=str(lock.get("answers", "answer")),
    )
    page = audit_page(
        analysis,
        panel,
        sections_of(panel),
        title="audit",
        scope=scope_of(ends, items, noun=panel.noun),
        date=str(lock["created"]),
        provenance={name: value for name, value in _provenance(lock).items() if name != "notes"},
        attributions=tuple(lock.get("attributions", ())),
        notes=tuple(str(note) for note in lock.get("notes", ())),
    )
    return labelled_page(page, folder.path, panel)


def _trace_page(folder: StudyFolder) -> Page:
    lock = folder.lock
    loop, spec = lock["loop"], lock["spec"]
    found = trace_findings(
        folder.table("traces", TRACE_KINDS), loop=loop, tolerance=float(spec["tolerance"]), seed=_seed(lock)
    )
    own = folder.ends().having(loop=OWN)
    answers = zip(own.texts("item").tolist(), own.texts("end").tolist(), strict=True)
    values = {name: plain(column) for name, column in folder.table("eigenvalues", EIGENVALUE_KINDS).items()}
    known = "with known answers" if loop["anchored"] else "without an anchor"
    return trace_page(
        found,
        ends={item: end for item, end in answers if end is not None},
        keys=_keys(folder.items()) if loop["anchored"] else {},
        eigenvalues=[dict(zip(values, row, strict=True)) for row in zip(*values.values(), strict=True)],
        scope=f"{loop['name']} · {loop['inputs']} inputs {known} · state of {loop['state']} numbers",
        date=str(lock["created"]),
        provenance=_provenance(lock),
    )


def _keys(items: Items) -> dict[str, str]:
    return {str(row["item"]): str((row["accepted"] or ("",))[0]) for row in items.rows()}


def _lab_page(folder: StudyFolder) -> Page:
    lock = folder.lock
    return lab_page(
        lab_findings(folder.table("nets", NET_KINDS)), date=str(lock["created"]), provenance=_provenance(lock)
    )


def rebuild_page(path: Path) -> Path:
    """Write the page of a finished study anew and say where it is."""
    return rebuild(path).path


def scope_of(ends: Ends, items: Items, *, noun: str = "model") -> str:
    """Say what was looked at, in the words of a headline.

    Examples
    --------
    >>> ends = Ends.of(item=["q", "q"], system=["a", "b"], end=["x", "y"])
    >>> scope_of(ends, Items.of(item=["q"], text=["?"], accepted=[["x"]]))
    'a and b · 1 question with a known answer'
    >>> scope_of(ends, Items.of(item=["q"], text=["?"], accepted=[["x"]]), noun="judge")
    'judges a and b · 1 question with a known answer'
    """
    systems = list(dict.fromkeys(str(name) for name in ends.having(level=Level.ANSWER.value).texts("system")))
    questions = len(items)
    keyed = int(items.has_anchor().sum())
    if keyed == questions:
        known = "with a known answer" if questions == 1 else "with known answers"
    else:
        known = "without an anchor" if keyed == 0 else f"({keyed} with known answers)"
    models = " and ".join(systems) if len(systems) <= NAMED else f"{len(systems)} {noun}s"
    if noun != "model" and len(systems) <= NAMED:
        models = f"{noun}{'s' * (len(systems) != 1)} {models}"
    return f"{models} · {questions} question{'s' * (questions != 1)} {known}"


def _seed(lock: Mapping[str, Any]) -> int:
    return int(lock["spec"].get("seed", 0))


def _provenance(lock: Mapping[str, Any]) -> dict[str, str]:
    questions = dict(lock.get("questions", {}))
    sources = [f"{one['name']} {one['version']} ({one['licence']})" for one in questions.pop("sources", ())]
    strata = [f"{name} {count}" for name, count in questions.pop("strata", {}).items()]
    asked = {name: str(value) for name, value in questions.items() if name not in ("name", "questions")}
    spec = lock["spec"]
    found = {
        "command": str(lock.get("command", "")),
        **{f"model {name}": str(identity) for name, identity in lock.get("models", {}).items()},
        "questions": ", ".join(strata),
        "keys from": "; ".join(sources),
        **{f"questions {name}": value for name, value in asked.items()},
        **{f"loop {name}": str(value) for name, value in lock.get("loop", {}).items()},
        **{
            f"{part}": ", ".join(f"{k} {v}" for k, v in spec[part].items())
            for part in ("sampling", "loops")
            if part in spec
        },
        **{f"bench {bench['task']}": _listed(bench) for bench in spec.get("benches", ())},
        "seed": str(spec.get("seed", 0)),
        "specification": str(lock["spec_hash"]),
        "packages": ", ".join(f"{name} {version}" for name, version in lock.get("packages", {}).items()),
        "machine": ", ".join(f"{name} {value}" for name, value in lock.get("machine", {}).items()),
        "notes": "; ".join(lock.get("notes", ())),
    }
    return {name: value for name, value in found.items() if value}


def _listed(bench: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name} {' '.join(map(str, value)) if isinstance(value, list) else value}"
        for name, value in bench.items()
        if name != "task"
    )


_PAGES: Final[Mapping[str, Callable[[StudyFolder], Page]]] = {
    "panel_audit": _audit_page,
    "trace": _trace_page,
    "recurrence": _lab_page,
}
"""Kind of study to its page; any other kind holds answers."""
