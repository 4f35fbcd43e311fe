"""Which symbol and number does an element have?

Symbols and numbers are definitions, read from the package periodictable; the table of names that begin
otherwise than their symbol follows from them.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import Any, Final

from limitset.core.errors import DependencyError
from limitset.datasets.questions import Question, Source

LICENCE: Final = "public domain"
_REGULAR: Final = (
    "helium lithium boron carbon nitrogen oxygen neon aluminum silicon argon calcium titanium nickel barium "
    "cobalt bromine krypton iodine uranium radium lanthanum"
)
REGULAR: Final = _REGULAR.split()
"""Elements whose symbol begins their English name: asked in the recall stratum."""
_NUMBERED: Final = (
    "hydrogen helium lithium carbon nitrogen oxygen sodium silicon chlorine calcium iron copper zinc silver "
    "gold uranium"
)
NUMBERED: Final = _NUMBERED.split()
"""Elements whose atomic number is asked."""


def source() -> Source:
    """Return where the table comes from."""
    return Source(name="periodictable", version=version("periodictable"), licence=LICENCE, attribution="")


def symbol_question(name: str) -> Question:
    """Ask for the symbol of an element; where it does not begin the name, the first letters are the lure."""
    symbol = str(_table().elements.name(name).symbol)
    lure = None if name[: len(symbol)].casefold() == symbol.casefold() else name[: len(symbol)].capitalize()
    # magnesium, chlorine: the symbol skips letters of the name, which is no trap of the same sort
    if lure is not None and name[0].casefold() == symbol[0].casefold():
        lure = None
    return Question(
        item=f"symbol-{name}",
        kind="symbol",
        wordings=(
            f"What is the chemical symbol of {name}?",
            f"Which symbol stands for {name} in the periodic table?",
            f"Give the chemical symbol for the element {name}.",
        ),
        accepted=(symbol,),
        lure=lure,
        stratum="recall" if lure is None else "lure",
        form="code",
        anchor=f"periodictable {version('periodictable')}",
        anchor_error=0.0,
        licence=LICENCE,
    )


def number_question(name: str) -> Question:
    """Ask for the atomic number of an element."""
    return Question(
        item=f"atomic-{name}",
        kind="atomic",
        wordings=(
            f"What is the atomic number of {name}?",
            f"Which atomic number does {name} have?",
            f"How many protons does an atom of {name} have?",
        ),
        accepted=(str(_table().elements.name(name).number),),
        stratum="recall",
        form="number",
        anchor=f"periodictable {version('periodictable')}",
        anchor_error=0.0,
        licence=LICENCE,
    )


def irregular() -> list[str]:
    """Return the elements whose symbol begins with another letter than their English name."""
    return [
        str(one.name)
        for one in _table().elements
        if one.number > 0 and str(one.symbol)[0].casefold() != str(one.name)[0].casefold()
    ]


def element_exemplars() -> dict[str, tuple[Question, ...]]:
    """Return worked examples, one of them irregular in name (lead is asked, mercury is shown)."""
    return {
        "symbol": tuple(symbol_question(name) for name in ("hydrogen", "mercury", "beryllium")),
        "atomic": tuple(number_question(name) for name in ("beryllium", "neon", "iodine")),
    }


def _table() -> Any:
    try:
        return import_module("periodictable")
    except ImportError as error:
        raise DependencyError.of(
            expected="anchored questions need the package periodictable",
            got="no such package",
            fix="Install limitset[models].",
        ) from error
