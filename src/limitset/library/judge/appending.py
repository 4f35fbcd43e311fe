"""How is a verdict added to a history so that nothing is ever lost or half written?"""

from __future__ import annotations

import itertools
import json
import re
from typing import Final

from limitset.core import parquet
from limitset.core.errors import InputError
from limitset.library.holdings.alone import alone
from limitset.library.holdings.records import Verdict
from limitset.library.holdings.shelf import Shelf

_ID: Final = re.compile(r"(?P<stem>v-\d{2}[a-z]?-\d{8})-(?P<number>\d+)(?P<mark>(?:-u?[0-9a-f]{6})?)")
"""Day, number of that day, and what tells it from those of other shelves, which the oldest lack."""


def append(verdict: Verdict, shelf: Shelf) -> Verdict:
    """Add a verdict to the history of its claim.

    The whole history is written anew beside the old one and takes its place in one move; two processes wait
    for each other.

    Parameters
    ----------
    verdict
        What to add.
    shelf
        Where; the built-in shelf is refused.

    Returns
    -------
    Verdict
        As it was kept: where another process was first, it bears the next number of the day and names the
        one before it.

    Raises
    ------
    InputError
        When the shelf is built in, the history is broken, or another process does not let go of it.
    """
    if shelf.builtin:
        raise InputError.of(
            expected="verdicts are kept in a library folder of yours",
            got=f"the built-in {shelf.root}",
            fix="Name one with --library, or set LIMITSET_LIBRARY.",
        )
    path = shelf.verdict_file(verdict.claim)
    with alone(shelf.root):
        path.parent.mkdir(parents=True, exist_ok=True)
        history = shelf.verdicts(verdict.claim)  # a broken history is refused, never appended to
        verdict = _numbered(
            verdict, {one.id for one in history}, history[-1].id if history else verdict.prior
        )
        old = path.read_text(encoding="utf-8") if path.is_file() else ""
        if old and not old.endswith("\n"):
            old += "\n"
        line = json.dumps(verdict.model_dump(mode="json"), ensure_ascii=False, allow_nan=False)
        parquet.write_text(path, f"{old}{line}\n")
    return verdict


def _numbered(verdict: Verdict, taken: set[str], prior: str) -> Verdict:
    found = _ID.fullmatch(verdict.id)
    if found is None:
        raise InputError.of(
            expected="a verdict is named v-CLAIM-DAY-NUMBER", got=verdict.id, fix="Name it so."
        )
    stem, mark = found["stem"], found["mark"]
    numbers = {int(one["number"]) for one in map(_ID.fullmatch, taken) if one and one["stem"] == stem}
    free = next(one for one in itertools.count(int(found["number"])) if one not in numbers)
    return verdict.model_copy(update={"id": f"{stem}-{free}{mark}", "prior": prior})
