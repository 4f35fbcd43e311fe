"""Which changes of the data must leave a judgement of answers alone?

A law takes a judgement of `Tallies`, makes the change, and raises `LawBrokenError` when the numbers moved.
The ledger says which instrument obeys which law.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from limitset.core.results import MeasurementTable
from limitset.core.tallies import Tallies
from limitset.testing.conformance import LawBrokenError, tables_of

ROUNDING: Final = 1e-9
"""A difference no larger than this is an order of summation, not a breach."""

Judgement = Callable[[Tallies], Any]
"""An instrument with everything but the tallies filled in; randomness seeded anew at every call."""

TruthLaw = Callable[[Judgement, Tallies, float], None]
"""Takes a judgement, tallies, and the difference that its random draws may make (0 for none)."""


def item_order(judge: Judgement, tallies: Tallies, noise: float) -> None:
    """Require the same numbers when the questions come in another order."""
    order = np.random.default_rng(1).permutation(tallies.items.size)
    _require_same(judge(tallies), judge(reordered(tallies, order)), noise, "the order of the questions")


def cell_order(judge: Judgement, tallies: Tallies, noise: float) -> None:
    """Require the same numbers when systems and paraphrases come in another order."""
    order = np.arange(tallies.systems.size)[::-1]
    turned = replace(
        tallies,
        systems=tallies.systems[order],
        paraphrases=tallies.paraphrases[order],
        counts=tallies.counts[order],
        runs=tallies.runs[order],
        abstained=tallies.abstained[order],
        unparsed=tallies.unparsed[order],
    )
    _require_same(judge(tallies), judge(turned), noise, "the order of the systems")


def relabelling(judge: Judgement, tallies: Tallies, noise: float) -> None:
    """Require the same numbers when every answer class gets another name and another place."""
    order = np.random.default_rng(2).permutation(tallies.class_item.size)
    order = order[np.argsort(tallies.class_item[order], kind="stable")]
    names = {name: f"class {hash_of(str(name))}" for name in tallies.class_name}
    renamed = replace(
        tallies,
        class_name=np.array([names[name] for name in tallies.class_name[order]], dtype=object),
        class_right=tallies.class_right[order],
        counts=tallies.counts[:, order],
    )
    _require_same(judge(tallies), judge(renamed), noise, "the names of the answers", names)


def duplicates(judge: Judgement, tallies: Tallies, noise: float) -> None:
    """Require the same numbers when every question stands in the data twice, under two names."""
    _require_same(judge(tallies), judge(doubled(tallies)), noise, "every question standing twice")


def runs_twice(judge: Judgement, tallies: Tallies, noise: float) -> None:
    """Require the same numbers when every run stands in the data twice."""
    names = ("counts", "runs", "abstained", "unparsed")
    twice = replace(tallies, **{name: 2 * getattr(tallies, name) for name in names})
    _require_same(judge(tallies), judge(twice), noise, "every run standing twice")


def bounds(judge: Judgement, tallies: Tallies, noise: float) -> None:
    """Require values and interval ends in [0, 1]."""
    del noise
    for name, table in tables_of(judge(tallies)).items():
        for column in ("value", "low", "high"):
            numbers = np.asarray(getattr(table, column))
            outside = numbers[(numbers < -ROUNDING) | (numbers > 1 + ROUNDING)]
            if outside.size:
                raise LawBrokenError.of(
                    expected=f"{column} of {name} must lie in [0, 1]",
                    got=outside[0],
                    fix="Say so or clip it.",
                )


TRUTH_LAWS: Final[Mapping[str, TruthLaw]] = MappingProxyType(
    {
        "item_order": item_order,
        "cell_order": cell_order,
        "relabelling": relabelling,
        "duplicates": duplicates,
        "runs_twice": runs_twice,
        "bounds": bounds,
    }
)


def reordered(tallies: Tallies, order: np.ndarray) -> Tallies:
    """Put the questions in another order, each with its classes."""
    place = np.argsort(order)
    classes = np.argsort(place[tallies.class_item], kind="stable")
    return replace(
        tallies,
        items=tallies.items[order],
        strata=tallies.strata[order],
        anchor_error=tallies.anchor_error[order],
        class_item=place[tallies.class_item][classes],
        class_name=tallies.class_name[classes],
        class_right=tallies.class_right[classes],
        counts=tallies.counts[:, classes],
        runs=tallies.runs[:, order],
        abstained=tallies.abstained[:, order],
        unparsed=tallies.unparsed[:, order],
        clusters=tallies.clusters[order],
    )


def doubled(tallies: Tallies) -> Tallies:
    """Let every question stand twice."""

    def twice(name: str) -> np.ndarray:
        array = getattr(tallies, name)
        return np.concatenate([array, array], axis=array.ndim - 1)

    names = ("strata", "anchor_error", "class_name", "class_right", "counts", "runs", "abstained", "unparsed")
    again = np.array([f"{item} again" for item in tallies.items], dtype=object)
    return replace(
        tallies,
        items=np.concatenate([tallies.items, again]),
        class_item=np.concatenate([tallies.class_item, tallies.class_item + tallies.items.size]),
        clusters=np.concatenate([tallies.clusters, tallies.clusters + tallies.clusters.max(initial=0) + 1]),
        **{name: twice(name) for name in names},
    )


def hash_of(text: str) -> int:
    """Return a number that depends on a text alone (the built-in hash changes from run to run)."""
    return int.from_bytes(text.encode()[:12].rjust(12, b"\0"), "little")


def _require_same(
    before: Any, after: Any, noise: float, change: str, names: Mapping[Any, str] | None = None
) -> None:
    first, second = tables_of(before), tables_of(after)
    for field, table in first.items():
        known, found = _values(table, names or {}), _values(second[field], {})
        lost = sorted(str(key) for key in set(known) - set(found))
        if lost:
            raise LawBrokenError.of(
                expected=f"{change} must not lose rows of {field}", got=lost[0], fix="Name rows by data."
            )
        for key, value in known.items():
            # a blank may be lifted by more data; near the rule for blanks a draw may decide
            lifted = np.isnan(value) or (noise > 0 and np.isnan(found[key]))
            if not lifted and not abs(value - found[key]) <= noise * max(1.0, abs(value)) + ROUNDING:
                raise LawBrokenError.of(
                    expected=f"{change} must not move {field} {key}",
                    got=f"{value} before and {found[key]} after",
                    fix="Find what depends on it.",
                )


def _values(table: MeasurementTable, names: Mapping[Any, str]) -> dict[tuple[Any, ...], float]:
    columns = [[names.get(one, one) for one in axis.tolist()] for axis in table.axes.values()]
    keys = zip(*columns, np.asarray(table.null_kind).tolist(), strict=True)
    return dict(zip(keys, np.asarray(table.value).tolist(), strict=True))
