"""Which statements of an index are seen, and until when?"""

from __future__ import annotations

import sqlite3
from typing import Final

from limitset.library.inquiry.statements import Statement

FAR: Final = "9999-12-31"
"""Until when a statement is seen that nothing follows."""
REPLACED: Final = 1
"""Hidden: a later shelf holds a note or claim of the same id."""
WITHHELD: Final = 2
"""Hidden: it reads as an instruction."""


def date_verdicts(connection: sqlite3.Connection) -> None:
    """Let each verdict be seen until the next on the same claim and the same kind of system."""
    newest: dict[tuple[str, str], tuple[int, str]] = {}
    connection.execute("UPDATE statements SET until = ? WHERE kind = 'verdict'", (FAR,))
    query = (
        "SELECT row, home, created, data FROM statements WHERE kind = 'verdict' ORDER BY created, shelf, row"
    )
    for row, home, created, data in connection.execute(query).fetchall():
        statement = Statement.restored(data)
        key = (home, "" if statement.own else statement.system)
        if key in newest:
            connection.execute("UPDATE statements SET until = ? WHERE row = ?", (created, newest[key][0]))
        newest[key] = (row, created)


def hide_replaced(connection: sqlite3.Connection) -> None:
    """Hide notes and claims that a later shelf holds under the same id."""
    connection.execute("UPDATE statements SET hidden = 0 WHERE hidden = 1")
    connection.execute(
        "UPDATE statements SET hidden = 1 WHERE kind != 'verdict' AND EXISTS (SELECT 1 FROM statements o "
        "WHERE o.home = statements.home AND +o.kind = statements.kind AND o.shelf > statements.shelf)"
    )
