"""Where should the labels change, and how often are they then right on questions not used to decide it?

Run: python -m limitset.library.inquiry.fit QUESTIONS.toml [--as-of DATE] [--write]

QUESTIONS.toml holds [[question]] tables: text, label ("solid", "partial" or "none") and half ("fit" or
"report"). "partial" means partly held: partial and thin answers both count as it. `none` and `solid` are
fitted on one half; the other half reports.
"""

from __future__ import annotations

import argparse
import datetime as dt
import itertools
import math
import re
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from limitset.core.errors import InputError
from limitset.core.intervals import Interval, wilson
from limitset.library.holdings.dated import day_of
from limitset.library.holdings.library import Library
from limitset.library.inquiry.answer import Label
from limitset.library.inquiry.asking import standing
from limitset.library.inquiry.coverage import Thresholds, labelled, thresholds

LABELS: Final = ("solid", "partial", "none")
HALVES: Final = ("fit", "report")


@dataclass(frozen=True)
class Point:
    """One labelled question with what its label is decided by."""

    text: str
    label: str
    half: str
    total: float
    reach: float
    independent: int
    read: bool
    ran: bool
    joined: bool
    named: bool = True

    def said(self, bars: Thresholds) -> str:
        """Return the label given, thin as partial."""
        label = labelled(
            total=self.total,
            reach=self.reach,
            independent=self.independent,
            read=self.read,
            ran=self.ran,
            joined=self.joined,
            named=self.named,
            bars=bars,
        )
        return "partial" if label is Label.THIN else label.value


@dataclass(frozen=True)
class Report:
    """How often labels were right.

    Parameters
    ----------
    accuracy
        Share of right labels, with its Wilson interval.
    refused
        Share of the unanswerable that were refused.
    answered
        Share of the answerable that were not refused.
    wrong
        Questions with their label and the one given.
    """

    accuracy: Interval
    refused: Interval
    answered: Interval
    wrong: tuple[tuple[str, str, str], ...]

    def lines(self) -> list[str]:
        """Return it in words."""
        named = (
            ("right labels", self.accuracy),
            ("unanswerable refused", self.refused),
            ("answerable not refused", self.answered),
        )
        found = [
            f"{name}: {one.value:.3f} [{one.low:.3f}, {one.high:.3f}], n = {one.n:g}" for name, one in named
        ]
        return found + [f"  labelled {label}, got {said}: {text}" for text, label, said in self.wrong]


def read_questions(path: Path) -> list[dict[str, str]]:
    """Read labelled questions.

    Raises
    ------
    InputError
        When the file is broken, or an entry is no labelled question.
    """
    try:
        table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError.of(
            expected=f"{path} must be TOML that can be read", got=str(error), fix="Mend it."
        ) from error
    found: list[dict[str, str]] = table.get("question", [])
    for place, one in enumerate(found, start=1):
        if not one.get("text") or one.get("label") not in LABELS or one.get("half") not in HALVES:
            raise InputError.of(
                expected=f"question {place} of {path} must have a text, a label "
                f"({', '.join(LABELS)}) and a half ({', '.join(HALVES)})",
                got=one,
                fix="Complete it.",
            )
    return found


def measured(
    questions: Sequence[dict[str, str]], *, library: Library, today: dt.date, cache: Path | None = None
) -> tuple[Point, ...]:
    """Ask each question, and keep what its label is decided by."""
    found = []
    for one in questions:
        stands = standing(one["text"], library=library, today=today, cache=cache)
        found.append(
            Point(
                one["text"],
                one["label"],
                one["half"],
                stands.total,
                stands.reach,
                stands.independent,
                stands.read,
                stands.ran,
                stands.joined,
                stands.named,
            )
        )
    return tuple(found)


def fitted(points: Sequence[Point], *, start: Thresholds) -> Thresholds:
    """Return bars that are right about as often as any, and refuse and claim least among these.

    The one-standard-error rule: with p the largest share of right labels, every pair of bars within
    sqrt(p (1 - p) / n) of it counts as as good; of these the lowest `none` (a thin answer says that it is
    thin, a refusal loses what is held), then the highest `solid`.

    Parameters
    ----------
    points
        The questions of the half that decides.
    start
        Gives `partial` and `independent`, which the labels can not tell.

    References
    ----------
    Breiman, Friedman, Olshen and Stone (1984), Classification and Regression Trees, section 3.4.3.

    Examples
    --------
    >>> low, high = [Point("", "none", "fit", 0.1, reach, 0, False, False, True) for reach in (0.2, 0.4)]
    >>> part = Point("", "partial", "fit", 0.5, 0.8, 1, True, False, True)
    >>> whole = Point("", "solid", "fit", 0.9, 1.0, 2, True, False, True)
    >>> bars = fitted([low, high, part, whole], start=Thresholds(0.1, 0.4, 0.5, 2))
    >>> round(bars.none, 2), round(bars.solid, 2)
    (0.6, 0.7)
    """
    tried = []
    for none, solid in itertools.product(
        _between([one.reach for one in points]),
        _between([one.total for one in points if one.label != "none"]),
    ):
        if solid > start.partial:
            bars = replace(start, none=none, solid=solid)
            tried.append((sum(one.said(bars) == one.label for one in points), bars))
    if not tried:
        return start
    most = max(right for right, _ in tried)
    share = most / len(points)
    error = math.sqrt(share * (1 - share) * len(points))
    good = [bars for right, bars in tried if right >= most - error]
    lowest = min(bars.none for bars in good)
    return max((bars for bars in good if bars.none == lowest), key=lambda bars: bars.solid)


def _between(values: Sequence[float]) -> list[float]:
    """Return the middles between neighbours in [0, 1]."""
    ends = sorted({0.0, 1.0, *values})
    return [(one + other) / 2 for one, other in itertools.pairwise(ends)]


def reported(points: Sequence[Point], bars: Thresholds) -> Report:
    """Return how often the labels are right under some bars."""
    said = [(one, one.said(bars)) for one in points]
    none = [given == "none" for one, given in said if one.label == "none"]
    held = [given != "none" for one, given in said if one.label != "none"]
    return Report(
        _share([given == one.label for one, given in said]),
        _share(none),
        _share(held),
        tuple((one.text, one.label, given) for one, given in said if given != one.label),
    )


def _share(right: Sequence[bool]) -> Interval:
    return wilson(float(sum(right)), float(len(right)))


def written(bars: Thresholds, *, file: Path, fitted_on: str) -> None:
    """Write bars into `thresholds.toml`, its comments kept."""
    text = file.read_text(encoding="utf-8")
    for name, value in (
        ("none", f"{bars.none:.3f}"),
        ("solid", f"{bars.solid:.3f}"),
        ("fitted_on", f'"{fitted_on}"'),
    ):
        text = re.sub(rf"^{name} = .*$", f"{name} = {value}", text, flags=re.MULTILINE)
    file.write_text(text, encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Fit on one half, report on the other."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("questions", type=Path)
    parser.add_argument(
        "--as-of", default="", help="the day of the holdings, 2026-11-22; today where left out"
    )
    parser.add_argument("--write", action="store_true", help="write the bars into thresholds.toml")
    chosen = parser.parse_args(arguments)
    today = day_of(chosen.as_of) if chosen.as_of else dt.date.today()
    library = Library.opened(Path("/nowhere"), as_of=today)
    points = measured(read_questions(chosen.questions), library=library, today=today)
    half = {name: [one for one in points if one.half == name] for name in HALVES}
    if chosen.write and not half["fit"]:
        raise SystemExit(f"{chosen.questions} has no questions to fit on")
    bars = fitted(half["fit"], start=thresholds()) if half["fit"] else thresholds()
    lines = [f"bars: none {bars.none:.3f}, partial {bars.partial:.3f}, solid {bars.solid:.3f}"]
    for name in HALVES:
        lines += [f"{name} half", *reported(half[name], bars).lines()] if half[name] else []
    lines += ["report half under the bars in force", *reported(half["report"], thresholds()).lines()]
    sys.stdout.write("\n".join(lines) + "\n")
    if chosen.write:
        file = Path(__file__).parent / "thresholds.toml"
        written(
            bars, file=file, fitted_on=f"{len(half['fit'])} questions of {chosen.questions.name}, {today}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
