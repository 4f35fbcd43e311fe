"""How do the pages of a library reach a folder, each whole or not at all?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

from limitset.library.holdings.library import Library
from limitset.library.inquiry.answer import Answer
from limitset.library.pages.answer_page import answer_page
from limitset.library.pages.claim_page import claim_page
from limitset.library.pages.index_page import FOLDER, index_page, state_of
from limitset.report.page import write_page


def write_library_pages(
    library: Library, folder: Path, *, today: dt.date, states: Mapping[str, str] | None = None
) -> tuple[Path, ...]:
    """Write `index.html` and one page a claim; every link between them is relative.

    Parameters
    ----------
    library
        What is held.
    folder
        Made where it does not exist; pages of the same name are replaced.
    today
        Given; ages are counted to it.
    states
        Claim to how its newest verdict stands; what is left out is told by dates alone.

    Returns
    -------
    tuple of pathlib.Path
        The pages, the index first. It is written last, when all it leads to exists.
    """
    given = states or {}
    told = {one.id: given.get(one.id) or state_of(library, one, today) for one in library.claims.values()}
    index = folder / "index.html"
    (folder / FOLDER).mkdir(parents=True, exist_ok=True)
    written = [index]
    for claim in library.claims.values():
        path = folder / FOLDER / f"{claim.id}.html"
        write_page(claim_page(library, claim, state=told[claim.id], today=today), path)
        written.append(path)
    write_page(index_page(library, told, today=today), index)
    return tuple(written)


def write_answer_page(
    answer: Answer,
    path: Path,
    *,
    before: Answer | None = None,
    library: Library | None = None,
    pages: str = "",
) -> Path:
    """Write the page of an answer; parameters as in `answer_page`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_page(answer_page(answer, before=before, library=library, pages=pages), path)
    return path
