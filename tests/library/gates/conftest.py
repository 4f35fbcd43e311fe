"""What the gates ask, and what they read the answers against: the files themselves, not the index."""

import datetime as dt
import itertools
import shutil
from pathlib import Path

import pytest

from library.planted.shelf import planted
from limitset.library.holdings.library import BUILTIN, Library
from limitset.library.inquiry.asking import ask

TODAY = dt.date(2026, 11, 22)


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def shelf(tmp_path):
    """The planted library; written anew for each test."""
    return planted(tmp_path / "shelf")


@pytest.fixture
def asked(shelf, tmp_path):
    """Ask the planted library as its files stand now."""
    return lambda question, day=TODAY: ask(
        question, library=Library.opened(shelf, builtin=False), today=day, cache=tmp_path / "cache"
    )


@pytest.fixture
def copied(tmp_path):
    """A copy of the built-in library that may be changed, and how to ask it."""
    root = tmp_path / "copy"
    for folder in ("notes", "claims", "verdicts"):
        shutil.copytree(BUILTIN / folder, root / folder)
    shutil.copy(BUILTIN / "sources.toml", root)
    return root, lambda question: ask(
        question, library=Library.opened(root, builtin=False), today=TODAY, cache=tmp_path / "cache"
    )


@pytest.fixture(scope="session")
def builtin():
    """The library that ships, alone."""
    return Library.opened(Path("/nowhere"))


@pytest.fixture(scope="session")
def answers(builtin, cache):
    """Answers of the built-in library to the titles of its own notes: every third, so that a minute is enough."""
    titles = sorted({note.title for note in builtin.notes.values()})
    return [ask(title, library=builtin, today=TODAY, cache=cache) for title in titles[::3]]


def texts_of(library):
    """What each id says, read from the files: text, source, days; for a verdict all its numbers and its claim."""
    found = {}
    sources = library.sources
    for note in library.notes.values():
        for atom in note.atoms:
            source = sources.get(atom.source)
            kind = source.kind if source else ""
            found[note.cited(atom)] = f"{atom.text} [{source.title if source else ''}, {kind}]"
    for verdict in itertools.chain(*library.histories.values()):
        claim = library.claims[verdict.claim]
        stated = sources.get(claim.stated_by)
        effects = " ".join(
            f"{one.words} {one.value:.3g} {one.low:.3g} {one.high:.3g} {one.n:g} {100 * one.confidence:.3g} "
            f"{one.holds_if} {one.fails_if}"
            for one in verdict.effects
            if None not in (one.value, one.low, one.high, one.n)
        )
        found[verdict.id] = (
            f"{claim.statement} Tested {verdict.value} {verdict.date} {effects} {claim.unit} {verdict.system} "
            f"{verdict.scope.words} {stated.title if stated else ''}"
        )
    return found
