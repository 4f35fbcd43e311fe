"""What is the plain title of a curve, and what do its axes and columns say?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from limitset.library.pages.numbers import cell_of
from limitset.library.pages.wording import listed

_TITLES: Final = {
    "loop cells": "How far each further step still moves the state, by the kind of loop",
    "loop_outcomes": "Where the text loops ended, by model and instruction",
    "fewer_items": "What was replied to lists of N and to their twins of N - 1",
    "stack": "Designs with the default stack, and features that two designs share",
    "framework_share": "Model files by framework, release by release",
    "compatible_share": "Chat providers that one interface reaches, release by release",
    "wrong_when_unanimous": "How often runs that all agree are wrong, by how many agree",
}
"""Instrument to the plain title of its curve."""
_VALUES: Final = {
    "loop cells": "size of the last step, relative to the state",
    "loop_outcomes": "share of loops",
    "fewer_items": "share of replies",
    "stack": "share",
    "framework_share": "share of model files",
    "compatible_share": "share of providers",
    "wrong_when_unanimous": "share wrong",
}
_COLUMNS: Final = {
    "own_place": "in a place of its own",
    "bounded": "stayed bounded",
    "right_far": "right on inputs of 48 bits",
    "self_map": "into itself",
    "k": "runs that agree",
    "key_error": "error of the key",
    "source": "what differs between runs",
    "step": "times applied",
    "gain": "scale of the weights",
    "stratum": "task",
    "lr": "learning rate",
    "system": "model",
    "loop": "kind of loop",
    "norm": "norm",
    "value": "value",
}

_SHARES: Final = frozenset({"settled", "own_place", "bounded", "right_far"})
"""Columns of shown rows that hold shares."""


def curve_title(instrument: str, over: str, by: Sequence[str]) -> str:
    """Say in plain words what a curve shows.

    Examples
    --------
    >>> curve_title("limit sets", "gain", ["injection"])
    'Limit sets over scale of the weights, by injection'
    """
    if instrument in _TITLES:
        return _TITLES[instrument]
    parts = f", by {listed([column_words(name) for name in by])}" if by else ""
    words = instrument.replace("_", " ")
    return f"{words[:1].upper()}{words[1:]} over {column_words(over)}{parts}"


def value_title(instrument: str) -> str:
    """Say what the values of a curve are."""
    return _VALUES.get(instrument, instrument.replace("_", " "))


def row_cell(name: str, value: Any) -> Any:
    """Write a value of a row that a run shows; shares in per cent, a dash where nothing was measured.

    Examples
    --------
    >>> row_cell("settled", 0.4618), row_cell("right_far", 0.0013), row_cell("step", None)
    ('46 %', '0.1 %', '–')
    """
    if name in _SHARES and isinstance(value, float) and 0 <= value <= 1:
        share = 100 * value
        return f"{share:.0f} %" if share >= 1 or share == 0 else f"{share:.1g} %"
    return cell_of(value)


def column_words(name: str) -> str:
    """Write the name of a column in words.

    Examples
    --------
    >>> column_words("own_place"), column_words("largest_step")
    ('in a place of its own', 'largest step')
    """
    return _COLUMNS.get(name, name.replace("_", " "))
