"""Which questions have answers that stand in tables, with no lure known?"""

from __future__ import annotations

from typing import Final

from limitset.datasets.anchored import elements, money, places
from limitset.datasets.questions import Question

CONTINENTS: Final = {
    "AF": ("Africa",),
    "AS": ("Asia",),
    "EU": ("Europe",),
    "SA": ("South America", "Latin America"),
}
"""Continents asked for; North America and Oceania are counted in too many ways."""

ON_TWO: Final = frozenset(("RU", "TR", "EG", "KZ", "AZ", "GE", "AM", "CY"))
"""Countries that lie on two continents, or whose continent is told differently: not asked."""

CAPITAL_STEP: Final = 3
"""Every third country by population is asked for its capital: well known and little known ones alike."""
CONTINENT_STEP: Final = 9
CODE_STEP: Final = 12


def recalled() -> list[Question]:
    """Return the questions of the recall stratum."""
    ranked = sorted(places.countries(), key=lambda one: (-one.population, one.code))
    plain = [one for one in ranked if one.larger is None]
    mainland = [one for one in ranked if one.continent in CONTINENTS and one.code not in ON_TWO]
    return [
        *(places.capital_question(one, kind="capital", lure=None) for one in plain[::CAPITAL_STEP]),
        *(money.currency_question(one, lure=None) for one in ranked if one.code in money.UNITS),
        *(elements.symbol_question(name) for name in elements.REGULAR),
        *(elements.number_question(name) for name in elements.NUMBERED),
        *(continent_question(one) for one in mainland[::CONTINENT_STEP]),
        *(code_question(one) for one in ranked[::CODE_STEP]),
    ]


def continent_question(place: places.Place) -> Question:
    """Ask on which continent a country lies."""
    return _looked_up(
        place,
        kind="continent",
        wordings=(
            f"On which continent is {place.name}?",
            f"Which continent does {place.name} belong to?",
            f"Name the continent where {place.name} lies.",
        ),
        accepted=CONTINENTS[place.continent],
        form="name",
    )


def code_question(place: places.Place) -> Question:
    """Ask for the two-letter code of a country."""
    return _looked_up(
        place,
        kind="code",
        wordings=(
            f"What is the two-letter ISO country code of {place.name}?",
            f"Which two letters stand for {place.name} in ISO 3166?",
            f"Give the two-letter country code for {place.name}.",
        ),
        accepted=(place.code,),
        form="code",
    )


def exemplars() -> dict[str, tuple[Question, ...]]:
    """Return worked examples of the kinds that stand only here."""
    shown = {
        "continent": [
            ("HR", "Croatia", "Europe"),
            ("SN", "Senegal", "Africa"),
            ("GY", "Guyana", "South America"),
        ],
        "code": [("HR", "Croatia", "HR"), ("SN", "Senegal", "SN"), ("LV", "Latvia", "LV")],
    }
    built = {"continent": continent_question, "code": code_question}
    return {
        kind: tuple(built[kind](_shown(code, name, answer)) for code, name, answer in rows)
        for kind, rows in shown.items()
    }


def _shown(code: str, name: str, answer: str) -> places.Place:
    continent = next((key for key, names in CONTINENTS.items() if answer in names), "")
    return places.Place(
        code=code, name=name, capital=(), larger=None, population=0, continent=continent, currency=""
    )


def _looked_up(
    place: places.Place, *, kind: str, wordings: tuple[str, ...], accepted: tuple[str, ...], form: str
) -> Question:
    return Question(
        item=f"{kind}-{place.code.lower()}",
        kind=kind,
        wordings=wordings,
        accepted=accepted,
        stratum="recall",
        form=form,
        anchor=places.anchor(),
        anchor_error=0.0,
        date="2025-11",
        licence=places.LICENCE,
    )
