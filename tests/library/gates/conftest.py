"""What the gates ask, and what they read the answers against: the files themselves, not the index."""

import datetime as dt
from pathlib import Path

import pytest

from library.planted.shelf import planted
from limitset.library.holdings.library import Library
from limitset.library.inquiry.asking import ask
from limitset.library.inquiry.gates import Copy

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
    return Copy.made(tmp_path, today=TODAY)


@pytest.fixture(scope="session")
def builtin():
    """The library that ships, alone."""
    return Library.opened(Path("/nowhere"))


@pytest.fixture(scope="session")
def answers(builtin, cache):
    """Answers of the built-in library to the titles of its own notes: every third, so that a minute is enough."""
    titles = sorted({note.title for note in builtin.notes.values()})
    return [ask(title, library=builtin, today=TODAY, cache=cache) for title in titles[::3]]


def opposing(shelf, name, other):
    """Record that the first statement of a note can not be true together with another."""
    path = shelf / "notes" / f"{name}.md"
    text = path.read_text(encoding="utf-8")
    head, _, tail = text.rpartition("+++")
    path.write_text(f'{head}contradicts = ["{other}"]\n+++{tail}', encoding="utf-8")
