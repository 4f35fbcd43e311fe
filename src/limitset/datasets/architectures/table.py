"""Which published decoders are there, since when, and what do they share?

The tables were read once from the files of released packages and are shipped as plain CSV beside this file.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Bool, Int

from limitset.core.columns import frozen
from limitset.core.errors import InputError
from limitset.core.provenance import sha256_of
from limitset.datasets.architectures.features import CORE, FEATURES

HERE: Final = Path(__file__).parent
PERIODS: Final = ("2019-22", "2023", "2024", "2025H1", "2025H2", "2026")
"""Fewer models were added before 2023 in four years than in each year since."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Architectures:
    """Published model architectures with a causal language modelling head, oldest first.

    Parameters
    ----------
    name : (n,)
        Folder in the library.
    kind : (n,)
        text, encoder, encoder-decoder, multimodal or assistant.
    first_release, first_seen : (n,)
        First release that holds it, and the day that was built (YYYY-MM-DD).
    period : (n,)
        One of `PERIODS`.
    family, lab, country : (n,)
        By hand; lab and country "" where they were not known for sure.
    features : (n, 9)
        A word for each of `FEATURES`: as in the first release that holds the model.
    changed : (n,)
        Features that the last release has otherwise, such as "attention=gqa".
    parents : (n,)
        Tuple of the models whose code it extends, older ones only, the one that gives most first.
    root : (n,)
        Where the line of first parents ends.
    """

    name: np.ndarray
    kind: np.ndarray
    first_release: np.ndarray
    first_seen: np.ndarray
    period: np.ndarray
    family: np.ndarray
    lab: np.ndarray
    country: np.ndarray
    features: np.ndarray
    changed: np.ndarray
    parents: np.ndarray
    root: np.ndarray

    def __len__(self) -> int:
        return len(self.name)

    def where(self, mask: Bool[np.ndarray, " n"]) -> Architectures:
        """Select rows.

        Examples
        --------
        >>> table = architectures()
        >>> len(table.where(table.kind == "text"))
        124
        """
        return Architectures(
            **{name: frozen(getattr(self, name)[mask]) for name in self.__dataclass_fields__}
        )

    @property
    def text(self) -> Architectures:
        """Return the pure text decoders."""
        return self.where(self.kind == "text")

    @property
    def default_stack(self) -> Bool[np.ndarray, " n"]:
        """Say which have RMS norm, rotary positions, gated layers and grouped or latent attention."""
        norm, position, gated, attention = (self.feature(name) for name in CORE)
        return np.asarray(
            (norm == "rmsnorm") & (position == "rope") & (gated == "yes") & np.isin(attention, ("gqa", "mla"))
        )

    def feature(self, name: str) -> np.ndarray:
        """Return one feature, a word a row.

        Raises
        ------
        InputError
            When there is no such feature.
        """
        if name not in FEATURES:
            raise InputError.of(
                expected=f"the features are {', '.join(FEATURES)}", got=name, fix="Use one of these."
            )
        return np.asarray(self.features[:, FEATURES.index(name)])

    def codes(self, names: Sequence[str] = FEATURES) -> Int[np.ndarray, "n f"]:
        """Return features as whole numbers: the same number, the same word."""
        columns = [np.unique(self.feature(name), return_inverse=True)[1].reshape(-1) for name in names]
        return np.stack(columns, axis=1).astype(np.int64)

    def descends_from(self, ancestor: str) -> Bool[np.ndarray, " n"]:
        """Say which extend the code of a model, over any number of generations and all parents."""
        given = dict(zip(self.name.tolist(), self.parents.tolist(), strict=True))

        def reaches(name: str, seen: frozenset[str]) -> bool:
            ahead = [one for one in given.get(name, ()) if one not in seen]
            return ancestor in ahead or any(reaches(one, seen | {name}) for one in ahead)

        return np.array([reaches(name, frozenset()) for name in self.name], dtype=bool)


def architectures() -> Architectures:
    """Return the shipped table.

    References
    ----------
    `provenance.toml` beside the table names package, releases, digests and command.

    Examples
    --------
    >>> table = architectures()
    >>> str(table.name[table.default_stack & (table.kind == "text")][0])
    'mistral'
    """
    rows = _rows("architectures")
    plain = ("name", "kind", "first_release", "first_seen", "family", "lab", "country", "changed", "root")
    columns = {name: _column([row[name] for row in rows]) for name in plain}
    return Architectures(
        **columns,
        period=_column([period_of(row["first_seen"]) for row in rows]),
        features=frozen(np.array([[row[name] for name in FEATURES] for row in rows], dtype=object)),
        parents=_column([tuple(row["parents"].split()) for row in rows]),
    )


def frameworks() -> dict[str, np.ndarray]:
    """Return model files by release: release, built, pytorch, tensorflow, flax; oldest release first.

    Examples
    --------
    >>> files = frameworks()
    >>> int(files["flax"][-1])
    0
    """
    return _counts("frameworks", texts=("release", "built"))


def interfaces() -> dict[str, np.ndarray]:
    """Return chat models and providers of one router by release, oldest first.

    Columns: release, chat_models, chat_providers, compatible_providers (reached through the interface of the
    first provider, itself included), function_calling_models.
    """
    return _counts("interfaces", texts=("release",))


def templates() -> dict[str, np.ndarray]:
    """Return the chat templates that one runtime names: template, tokens (chatml, chatml variant, other)."""
    return _counts("templates", texts=("template", "tokens"))


def gold() -> dict[str, np.ndarray]:
    """Return features labelled by hand: round (mending or fresh), name, release, feature, label."""
    return _counts("gold", texts=("round", "name", "release", "feature", "label"))


def provenance() -> dict[str, Any]:
    """Return what the tables were read from."""
    return tomllib.loads((HERE / "provenance.toml").read_text(encoding="utf-8"))


def digest(*tables: str) -> str:
    """Return the first 12 characters of the digests of tables, as protocols name their data.

    Examples
    --------
    >>> len(digest("architectures"))
    12
    """
    return " ".join(sha256_of(HERE / f"{name}.csv")[:12] for name in tables)


def period_of(day: str) -> str:
    """Return the period of a day.

    Examples
    --------
    >>> [period_of(day) for day in ("2021-04-06", "2023-12-11", "2025-06-26", "2025-07-25")]
    ['2019-22', '2023', '2025H1', '2025H2']
    """
    year = day[:4]
    if year <= "2022":
        return PERIODS[0]
    return f"{year}H{1 if day[5:7] <= '06' else 2}" if year == "2025" else year


@cache
def _rows(table: str) -> tuple[dict[str, str], ...]:
    with (HERE / f"{table}.csv").open(newline="", encoding="utf-8") as text:
        return tuple(csv.DictReader(text))


def _counts(table: str, *, texts: Sequence[str]) -> dict[str, np.ndarray]:
    rows = _rows(table)
    return {
        name: _column([row[name] for row in rows])
        if name in texts
        else frozen(np.array([int(row[name]) for row in rows]))
        for name in rows[0]
    }


def _column(values: Sequence[Any]) -> np.ndarray:
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return frozen(out)
