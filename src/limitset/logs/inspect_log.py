"""How does a log of Inspect become logs, one for each of its scorers?

An `.eval` is a zip: `header.json` and `summaries.json` hold all but full texts. A sample is opened only where
its summary has no answer or may have shortened it. A `.json` log holds the same fields under `samples`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from limitset.core.errors import InputError
from limitset.logs import zipped
from limitset.logs.evaluation_log import EvaluationLog, OfferedLog, content_hash
from limitset.logs.inspect_samples import ATTACHED, Samples, Scored, mapping_of, number_of, values_of
from limitset.logs.json_text import decoded, parsed

TOOL: Final = "inspect"
VERSIONS: Final = (1, 2)
"""Versions of the log whose fields are the ones read here."""


@dataclass(frozen=True, kw_only=True, eq=False)
class InspectLog:
    """One log, its header and summaries read; whole samples are opened where they are needed.

    Parameters
    ----------
    path
        The file.
    header
        With `eval`, `plan`, `status` and `version`.
    samples
        Summaries, or whole samples of a `.json` log.
    notes
        What a reader of the page must know of the log.
    """

    path: Path
    header: Mapping[str, Any]
    samples: Sequence[Mapping[str, Any]]
    notes: tuple[str, ...] = ()
    members: zipped.Zipped | None = None
    """Of an `.eval`: where the whole samples are."""

    @property
    def told(self) -> Mapping[str, Any]:
        """What the log says of the evaluation."""
        return _object(self.header.get("eval"), f"eval of {self.path}")

    @property
    def model(self) -> str:
        """Name of the model."""
        return str(self.told.get("model") or "model")[:200]

    @property
    def task(self) -> str:
        """Name of the task."""
        return str(self.told.get("task") or "task")[:200]

    @property
    def scorers(self) -> list[str]:
        """Names of the scorers, in order of first appearance."""
        return list(
            dict.fromkeys(str(name) for one in self.samples for name in mapping_of(one.get("scores")))
        )

    @contextmanager
    def whole_samples(self) -> Iterator[Samples]:
        """Give a way from a summary to its whole sample."""
        if self.members is None:
            yield lambda summary: summary
            return
        with closing(self.members):
            yield _from_zip(self.path, self.members)

    def scored(self, scorer: str) -> EvaluationLog:
        """Read the replies as one scorer saw them."""
        told = self.told
        temperature = number_of(mapping_of(told.get("model_generate_config")).get("temperature"))
        with self.whole_samples() as whole:
            reader = Scored(
                scorer=scorer, whole=whole, prompt=_prompt(self.header, told), temperature=temperature
            )
            for sample in self.samples:
                reader.add(sample)
        return EvaluationLog(
            path=self.path,
            tool=TOOL,
            model=self.model,
            settings=_listed(told.get("model_args")),
            task=self.task,
            version=str(told.get("task_version", "")),
            filter=scorer,
            questions=reader.questions,
            replies=reader.replies,
            notes=self.notes,
            counts=reader.counts,
        )


def open_inspect(path: Path) -> InspectLog:
    """Open an `.eval` or `.json` log; nothing of it is unpacked to disk.

    Raises
    ------
    InputError
        When it is cut off, too large, of an unknown version, or without samples.
    """
    if path.suffix.lower() == ".json":
        size = path.stat().st_size
        if size > zipped.LARGEST_MEMBER:
            raise InputError.of(
                expected=f"{path} must have at most {zipped.LARGEST_MEMBER:,} bytes",
                got=f"{size:,}",
                fix="Write it as .eval.",
            )
        header = _object(parsed(decoded(path.read_bytes(), place=str(path)), place=str(path)), str(path))
        return _checked(path, header, header.get("samples"), notes=())
    with closing(zipped.Zipped(path)) as members:
        header, summaries, notes = _header_and_summaries(path, members)
    return replace(_checked(path, header, summaries, notes=notes), members=members)


def offered_by_inspect(path: Path) -> list[OfferedLog]:
    """Say which scorers a log has; each is read when it is asked for."""
    log = open_inspect(path)
    return [
        OfferedLog(path=path, tool=TOOL, task=log.task, filter=scorer, read=partial(log.scored, scorer))
        for scorer in log.scorers or ["none"]
    ]


def read_inspect(path: Path) -> list[EvaluationLog]:
    """Read an `.eval` or `.json` log, as one log for each scorer; see `open_inspect`."""
    return [one.read() for one in offered_by_inspect(path)]


def _checked(path: Path, header: Mapping[str, Any], summaries: Any, *, notes: tuple[str, ...]) -> InspectLog:
    version = header.get("version")
    if version not in VERSIONS:
        raise InputError.of(
            expected=f"{path} must be a log of version {' or '.join(map(str, VERSIONS))}",
            got=ascii(version)[:40],
            fix="Convert it with inspect log convert.",
        )
    _object(header.get("eval"), f"eval of {path}")
    samples = [_object(one, f"sample {n} of {path}") for n, one in enumerate(_list(summaries, str(path)), 1)]
    if not samples:
        raise InputError.of(
            expected=f"{path} must hold samples", got="none", fix="Run it with log_samples on."
        )
    status = header.get("status", "started")
    if status != "success" and not notes:
        notes = (f"{path.name}: its evaluation ended with status {str(status)[:20]}",)
    return InspectLog(path=path, header=header, samples=samples, notes=notes)


def _header_and_summaries(
    path: Path, members: zipped.Zipped
) -> tuple[Mapping[str, Any], Any, tuple[str, ...]]:
    if "header.json" in members and "summaries.json" in members:
        header = _object(_json(path, members, "header.json"), f"header.json of {path}")
        return header, _json(path, members, "summaries.json"), ()
    if "_journal/start.json" not in members:
        raise InputError.of(
            expected=f"{path} must be a log of Inspect",
            got="a zip without header.json",
            fix="Check the path.",
        )
    parts = [name for name in members.names if name.startswith("_journal/summaries/")]
    found = [one for name in dict.fromkeys(parts) for one in _list(_json(path, members, name), name)]
    start = _object(_json(path, members, "_journal/start.json"), f"_journal/start.json of {path}")
    return start, found, (f"{path.name} is of an evaluation that did not finish: {len(found)} samples of it",)


def _from_zip(path: Path, members: zipped.Zipped) -> Samples:
    def whole(summary: Mapping[str, Any]) -> Mapping[str, Any]:
        stem = f"samples/{summary.get('id')}_epoch_{summary.get('epoch')}"
        if f"{stem}.json" in members:
            return _object(_json(path, members, f"{stem}.json"), f"{stem}.json of {path}")
        if f"{stem}/sample.json" not in members:
            return summary
        sample = _object(_json(path, members, f"{stem}/sample.json"), f"{stem}/sample.json of {path}")
        # long texts stand in members of their own; most samples need none of them
        folder = f"{stem}/attachments/"
        return (
            {"attachments": _in_chunks(path, members, folder), **sample}
            if ATTACHED in str(sample)
            else sample
        )

    return whole


def _in_chunks(path: Path, members: zipped.Zipped, folder: str) -> Mapping[str, Any]:
    """Return long texts of a chunked sample by number; a chunk is named by the number of its first."""
    found: dict[str, Any] = {}
    for name in members.names:
        first = name.removeprefix(folder).removesuffix(".json")
        if name.startswith(folder) and first.isdecimal() and len(first) < 10:
            texts = _list(_json(path, members, name), name)
            found |= {str(int(first) + n): text for n, text in enumerate(texts)}
    return found


def _json(path: Path, members: zipped.Zipped, name: str) -> Any:
    place = f"{name} of {path}"
    return parsed(decoded(members.read(name), place=place), place=place)


def _prompt(header: Mapping[str, Any], told: Mapping[str, Any]) -> str:
    """Return the hash of all that was done around a question: solvers and their settings."""
    plan = mapping_of(header.get("plan"))
    steps = [
        [mapping_of(one).get("solver"), mapping_of(one).get("params")] for one in values_of(plan.get("steps"))
    ]
    return content_hash([steps, told.get("task_args")])


def _listed(values: Any) -> str:
    return ",".join(f"{name}={value}" for name, value in mapping_of(values).items())[:300]


def _object(value: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise InputError.of(
            expected=f"{place} must be an object", got=type(value).__name__, fix="Check the log."
        )
    return value


def _list(value: Any, place: str) -> Iterable[Any]:
    if value is not None and not isinstance(value, list):
        raise InputError.of(
            expected=f"samples of {place} must be a list", got=type(value).__name__, fix="Check the log."
        )
    return value or ()
