"""What does one topic put on the page of an audit?"""

from __future__ import annotations

from dataclasses import dataclass

from limitset.core.results import MeasurementTable
from limitset.report.page import Definition, Figure, Table


@dataclass(frozen=True, kw_only=True, eq=False)
class Section:
    """What one topic found, ready for the page.

    Parameters
    ----------
    topic
        One word, such as "accuracy".
    figures
        In the order in which they are read; each states in its title what it shows.
    advice
        Sentences for "What to do", the most urgent first, each with its number and interval.
    tables
        Tables that stand open on the page.
    measured
        Every table of numbers behind the section: the page lists them, gates look them up.
    definitions
        Words that the section uses.
    limits
        What the section cannot say, and why something is missing.
    """

    topic: str
    figures: tuple[Figure, ...] = ()
    advice: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    measured: tuple[MeasurementTable, ...] = ()
    definitions: tuple[Definition, ...] = ()
    limits: tuple[str, ...] = ()
