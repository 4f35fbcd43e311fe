"""Where do all statements of a library lie so that a question finds them without reading every file?

One SQLite file in the cache folder for each set of shelves: full text (FTS5, Porter stems) over text and
context, and what an answer needs of each statement as JSON. It is brought up to date before each question by
path, time and size: only files that changed are read. A file that cannot be read is left out and reported.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from platformdirs import user_cache_path

from limitset.core.errors import InputError
from limitset.library.holdings.library import Library
from limitset.library.holdings.reading import read_claim, read_note, read_sources, read_verdicts
from limitset.library.inquiry.coverage import base_quality, source_quality
from limitset.library.inquiry.shelf_files import ORDER, HeldFile, held_files
from limitset.library.inquiry.statements import SourceCard, Statement, of_claim, of_note, of_verdict
from limitset.library.inquiry.stemming import TOKENIZER, kept_apart
from limitset.library.inquiry.visibility import FAR, WITHHELD, date_verdicts, hide_replaced

_TABLES: Final = f"""
CREATE TABLE IF NOT EXISTS files(
  file INTEGER PRIMARY KEY, path TEXT UNIQUE, shelf INTEGER, kind TEXT, name TEXT,
  modified INTEGER, size INTEGER, hash TEXT, problem TEXT);
CREATE TABLE IF NOT EXISTS sources(id TEXT, shelf INTEGER, quality REAL, data TEXT, PRIMARY KEY (id, shelf));
CREATE TABLE IF NOT EXISTS statements(
  row INTEGER PRIMARY KEY, id TEXT, kind TEXT, home TEXT, file INTEGER, shelf INTEGER, source TEXT,
  created TEXT, until TEXT, hidden INTEGER DEFAULT 0, quality REAL, worth REAL DEFAULT 0, own INTEGER,
  data TEXT);
CREATE TABLE IF NOT EXISTS named(name TEXT, source TEXT, shelf INTEGER);
CREATE INDEX IF NOT EXISTS by_name ON named(name);
CREATE INDEX IF NOT EXISTS by_source ON statements(source);
CREATE INDEX IF NOT EXISTS by_home ON statements(home);
CREATE INDEX IF NOT EXISTS by_file ON statements(file);
CREATE INDEX IF NOT EXISTS by_kind ON statements(kind);
CREATE TABLE IF NOT EXISTS edges(kind TEXT, one TEXT, other TEXT, created TEXT, file INTEGER);
CREATE INDEX IF NOT EXISTS by_one ON edges(one);
CREATE INDEX IF NOT EXISTS by_other ON edges(other);
CREATE TABLE IF NOT EXISTS vectors(row INTEGER, model TEXT, vector BLOB, PRIMARY KEY (row, model));
CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value TEXT);
CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(text, context, tokenize='{TOKENIZER}');
CREATE VIRTUAL TABLE IF NOT EXISTS withheld USING fts5(text, context, tokenize='{TOKENIZER}');
"""


def cache_folder() -> Path:
    """Return the cache folder of limitset: $LIMITSET_CACHE, or the user's."""
    chosen = os.environ.get("LIMITSET_CACHE")
    return Path(chosen).expanduser() if chosen else user_cache_path("limitset")


@dataclass(frozen=True)
class Index:
    """An open index, as of a day.

    Parameters
    ----------
    connection
        The SQLite file.
    as_of
        ISO date; statements of later days are not seen.
    """

    connection: sqlite3.Connection
    as_of: str

    @property
    def seen(self) -> str:
        """The condition under which a row of `statements s` is seen; takes `as_of` twice."""
        return "s.hidden = 0 AND s.created <= ? AND s.until > ?"

    def evidence(self) -> dict[int, float]:
        """Return the rows of all atoms and newest verdicts of ours seen, with their worth, age aside."""
        query = f"SELECT s.row, s.worth FROM statements s WHERE s.kind != 'claim' AND s.own AND {self.seen}"
        return dict(self.connection.execute(query, (self.as_of, self.as_of)).fetchall())

    def yours(self) -> set[int]:
        """Return the rows of the newest verdicts on the user's systems: said, and never evidence."""
        query = f"SELECT s.row FROM statements s WHERE NOT s.own AND {self.seen}"
        return {row for (row,) in self.connection.execute(query, (self.as_of, self.as_of))}

    def sources_named(self, name: str) -> tuple[str, ...]:
        """Return the sources that a surname, a number of arXiv, a DOI or an id names."""
        query = "SELECT DISTINCT source FROM named WHERE name = ? ORDER BY source"
        return tuple(one for (one,) in self.connection.execute(query, (name.lower(),)))

    def statements(self, rows: Iterator[int] | list[int] | set[int]) -> dict[int, Statement]:
        """Return the statements of some rows."""
        found = {}
        for some in _chunks(sorted(rows)):
            marks = ",".join("?" * len(some))
            query = f"SELECT row, data FROM statements WHERE row IN ({marks})"
            for row, data in self.connection.execute(query, some):
                found[row] = Statement.restored(data)
        return found

    def of_homes(self, homes: set[str]) -> dict[int, Statement]:
        """Return the seen statements of some notes and claims."""
        found = {}
        for some in _chunks(sorted(homes)):
            query = (
                f"SELECT s.row, s.data FROM statements s WHERE s.home IN ({','.join('?' * len(some))}) "
                f"AND {self.seen} ORDER BY s.row"
            )
            for row, data in self.connection.execute(query, (*some, self.as_of, self.as_of)):
                found[row] = Statement.restored(data)
        return found

    def cards(self, names: set[str]) -> dict[str, SourceCard]:
        """Return the cards of some sources; of two shelves the later."""
        found = {}
        for some in _chunks(sorted(names)):
            query = f"SELECT id, data FROM sources WHERE id IN ({','.join('?' * len(some))}) ORDER BY shelf"
            found.update(
                {name: SourceCard.restored(data) for name, data in self.connection.execute(query, some)}
            )
        return found

    def edges(self, kind: str, homes: set[str]) -> list[tuple[str, str]]:
        """Return the pairs (as written) that touch some notes or atoms.

        Kinds are "contradicts" and "supersedes" between notes, "opposes" between atoms.
        """
        found = set()
        for some in _chunks(sorted(homes)):
            marks = ",".join("?" * len(some))
            query = (
                "SELECT one, other FROM edges WHERE kind = ? AND created <= ? "
                f"AND (one IN ({marks}) OR other IN ({marks}))"
            )
            found |= set(self.connection.execute(query, (kind, self.as_of, *some, *some)))
        return sorted(found)

    def problems(self) -> list[tuple[str, str]]:
        """Return the files that could not be read, with the reason."""
        return list(
            self.connection.execute("SELECT path, problem FROM files WHERE problem != '' ORDER BY path")
        )

    def holdings(self) -> str:
        """Return a hash of everything held on the day."""
        name = f"holdings {self.as_of}"
        kept = self.connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        if kept:
            return str(kept[0])
        digest = hashlib.sha256(self.as_of.encode() if self.as_of != FAR else b"")
        query = (
            "SELECT DISTINCT f.path, f.hash FROM files f JOIN statements s ON s.file = f.file "
            f"WHERE {self.seen} UNION SELECT path, hash FROM files WHERE kind = 'sources' ORDER BY 2, 1"
        )
        for path, one in self.connection.execute(query, (self.as_of, self.as_of)):
            digest.update(f"{Path(path).name} {one}\n".encode())
        value = digest.hexdigest()[:12]
        with suppress(sqlite3.OperationalError):  # a read-only cache answers all the same
            self.connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))
            self.connection.commit()
        return value


@contextmanager
def opened(library: Library, *, folder: Path | None = None) -> Iterator[Index]:
    """Open the index of a library, brought up to date.

    Parameters
    ----------
    library
        The shelves, and the day up to which they are seen.
    folder
        Where the index lies; by default the cache folder. One that cannot be written is replaced by memory.
    """
    connection = _connected(library, (folder or cache_folder()) / "inquiry")
    try:
        yield Index(connection, library.as_of.isoformat() if library.as_of else FAR[:-1] + "0")
    finally:
        connection.close()


def _connected(library: Library, folder: Path) -> sqlite3.Connection:
    roots = "\n".join(str(shelf.root.resolve()) for shelf in library.shelves)
    shelves = hashlib.sha256(roots.encode()).hexdigest()[:16]
    name = f"{shelves}-{_code()}.sqlite"
    for attempt in range(2):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for old in folder.glob(f"{shelves}-*.sqlite"):
                if old.name != name:
                    old.unlink(missing_ok=True)
            connection = sqlite3.connect(folder / name, timeout=60)
            connection.executescript(_TABLES)
            refreshed(connection, library)
            return connection
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) or attempt:
                break
            (folder / name).unlink()  # not a database any more: it is only a cache
        except OSError:
            break
    connection = sqlite3.connect(":memory:")
    connection.executescript(_TABLES)
    refreshed(connection, library)
    return connection


def _code() -> str:
    """Return a hash of the code that fills an index: other code makes a new one."""
    here = Path(__file__).parent
    files = [
        "index.py",
        "statements.py",
        "instructions.py",
        "coverage.py",
        "stemming.py",
        "visibility.py",
        "shelf_files.py",
        "../holdings/records.py",
        "../holdings/findings.py",
    ]
    return hashlib.sha256(b"".join((here / one).read_bytes() for one in files)).hexdigest()[:12]


def refreshed(connection: sqlite3.Connection, library: Library) -> int:
    """Bring an index up to date with the files of the shelves; return how many files were read."""
    known = connection.execute("SELECT path, file, modified, size, kind FROM files")
    held = {path: found for path, *found in known}
    present = {one.path: one for one in held_files(library)}
    gone = [path for path in held if path not in present]
    new = [
        one
        for path, one in present.items()
        if path not in held or held[path][1:3] != [one.modified, one.size]
    ]
    if not gone and not new:
        return 0
    connection.execute("BEGIN IMMEDIATE")
    changed_kinds = {held[path][3] for path in gone} | {one.kind for one in new}
    if "claims" in changed_kinds:  # the wording of a verdict holds that of its claim
        new += [one for one in present.values() if one.kind == "verdicts" and one not in new]
    for path in gone:
        _forget(connection, held[path][0])
    new_files = []
    for one in sorted(new, key=lambda one: ORDER.index(one.kind)):
        if one.path in held:
            _forget(connection, held[one.path][0])
        new_files.append(_learn(connection, one))
    _weigh(connection, new_files, everything="sources" in changed_kinds)
    date_verdicts(connection)
    hide_replaced(connection)
    connection.execute("DELETE FROM meta WHERE name LIKE 'holdings %'")
    connection.commit()
    return len(new)


def _forget(connection: sqlite3.Connection, file: int) -> None:
    rows = "SELECT row FROM statements WHERE file = ?"
    for table in ("words", "withheld"):
        connection.execute(f"DELETE FROM {table} WHERE rowid IN ({rows})", (file,))
    connection.execute(f"DELETE FROM vectors WHERE row IN ({rows})", (file,))
    connection.execute("DELETE FROM statements WHERE file = ?", (file,))
    connection.execute("DELETE FROM edges WHERE file = ?", (file,))
    kind, shelf = connection.execute("SELECT kind, shelf FROM files WHERE file = ?", (file,)).fetchone()
    if kind == "sources":
        connection.execute("DELETE FROM sources WHERE shelf = ?", (shelf,))
        connection.execute("DELETE FROM named WHERE shelf = ?", (shelf,))
    connection.execute("DELETE FROM files WHERE file = ?", (file,))


def _learn(connection: sqlite3.Connection, one: HeldFile) -> int:
    """Read a file into the index; return its number there."""
    path = Path(one.path)
    problem, digest = "", ""
    found: list[Statement] = []
    edges: list[tuple[str, str, str, str]] = []
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if one.kind == "sources":
            cards = [SourceCard.of(source) for source in read_sources(path)]
            connection.executemany(
                "INSERT INTO sources VALUES (?, ?, ?, ?)",
                [(card.id, one.shelf, source_quality(card.access), card.stored()) for card in cards],
            )
            connection.executemany(
                "INSERT INTO named VALUES (?, ?, ?)",
                [(name, card.id, one.shelf) for card in cards for name in card.named_by],
            )
        elif one.kind == "notes":
            note = read_note(path)
            found = list(of_note(note))
            for kind, others in (("contradicts", note.contradicts), ("supersedes", note.supersedes)):
                edges += [(kind, note.id, other, note.created.isoformat()) for other in others]
            edges += [
                ("opposes", note.cited(atom), other, note.created.isoformat())
                for atom in note.atoms
                for other in atom.contradicts
            ]
        elif one.kind == "claims":
            found = [of_claim(read_claim(path))]
        else:
            found = [replace(verdict, shelf=one.shelf) for verdict in _verdicts(connection, path)]
    except (InputError, OSError) as error:
        problem = str(error)
    cursor = connection.execute(
        "INSERT INTO files(path, shelf, kind, name, modified, size, hash, problem) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (one.path, one.shelf, one.kind, path.stem, one.modified, one.size, digest, problem),
    )
    file = cursor.lastrowid or 0
    for statement in found:
        row = connection.execute(
            "INSERT INTO statements"
            "(id, kind, home, file, shelf, source, created, until, hidden, quality, own, data) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                statement.id,
                statement.kind,
                statement.home,
                file,
                one.shelf,
                statement.source,
                statement.created,
                FAR,
                WITHHELD if statement.withheld else 0,
                base_quality(statement),
                statement.own,
                statement.stored(),
            ),
        ).lastrowid
        # what is withheld may be found, and named, but its words weigh nothing
        table = "withheld" if statement.withheld else "words"
        connection.execute(
            f"INSERT INTO {table}(rowid, text, context) VALUES (?, ?, ?)",
            (row, kept_apart(statement.searched), kept_apart(statement.context)),
        )
    connection.executemany("INSERT INTO edges VALUES (?, ?, ?, ?, ?)", [(*edge, file) for edge in edges])
    return file


def _weigh(connection: sqlite3.Connection, files: list[int], *, everything: bool) -> None:
    """Set what statements are worth: their own quality times that of their source, of the later shelf."""
    update = (
        "UPDATE statements SET worth = quality * CASE kind WHEN 'verdict' THEN 1 ELSE coalesce((SELECT "
        "o.quality FROM sources o WHERE o.id = statements.source ORDER BY o.shelf DESC LIMIT 1), ?) END"
    )
    unread = source_quality("secondary")
    if everything:
        connection.execute(update, (unread,))
    else:
        connection.executemany(f"{update} WHERE file = ?", [(unread, file) for file in files])


def _verdicts(connection: sqlite3.Connection, path: Path) -> list[Statement]:
    """Read a history; the wording needs the claim, of the highest shelf that holds it."""
    held = connection.execute(
        "SELECT f.path FROM statements s JOIN files f ON f.file = s.file WHERE s.kind = 'claim' AND s.id = ? "
        "ORDER BY s.shelf DESC LIMIT 1",
        (path.stem,),
    ).fetchone()
    if held is None:
        raise InputError.of(
            expected=f"{path} must be the history of a claim that is held",
            got=path.stem,
            fix="Add its claim.",
        )
    claim = read_claim(Path(held[0]))
    return [of_verdict(verdict, claim) for verdict in read_verdicts(path)]


def _chunks(values: list[str] | list[int], size: int = 500) -> Iterator[list[str] | list[int]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]
