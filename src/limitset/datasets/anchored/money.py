"""What do people pay with, and under which names is it known?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from limitset.datasets.anchored.places import LICENCE, Place, anchor
from limitset.datasets.questions import Question

CHECKED: Final = 56
"""Keys read by hand; none was wrong, Bulgaria (changing to the euro) and Zimbabwe were left out."""

CURRENCY_ERROR: Final = 0.01
"""Half of one wrong key in `CHECKED`: none was found, so this is a convention, not an estimate."""

UNITS: Final[Mapping[str, tuple[str, str, str]]] = {
    "AF": ("AFN", "Afghani", "Afghan"), "AO": ("AOA", "Kwanza", "Angolan"), "AM": ("AMD", "Dram", "Armenian"),
    "AZ": ("AZN", "Manat", "Azerbaijani"), "BD": ("BDT", "Taka", "Bangladeshi"),
    "BW": ("BWP", "Pula", "Botswana"), "BR": ("BRL", "Real", "Brazilian"), "KH": ("KHR", "Riel", "Cambodian"),
    "CN": ("CNY", "Yuan", "Chinese"), "ET": ("ETB", "Birr", "Ethiopian"), "GE": ("GEL", "Lari", "Georgian"),
    "GT": ("GTQ", "Quetzal", "Guatemalan"), "HN": ("HNL", "Lempira", "Honduran"),
    "IN": ("INR", "Rupee", "Indian"), "IR": ("IRR", "Rial", "Iranian"), "JP": ("JPY", "Yen", "Japanese"),
    "KZ": ("KZT", "Tenge", "Kazakhstani"), "KE": ("KES", "Shilling", "Kenyan"), "LA": ("LAK", "Kip", "Lao"),
    "MX": ("MXN", "Peso", "Mexican"), "MN": ("MNT", "Tugrik", "Mongolian"),
    "MA": ("MAD", "Dirham", "Moroccan"), "MZ": ("MZN", "Metical", "Mozambican"),
    "NG": ("NGN", "Naira", "Nigerian"), "PK": ("PKR", "Rupee", "Pakistani"), "PE": ("PEN", "Sol", "Peruvian"),
    "KR": ("KRW", "Won", "South Korean"), "TH": ("THB", "Baht", "Thai"), "TR": ("TRY", "Lira", "Turkish"),
    "VN": ("VND", "Dong", "Vietnamese"), "ZM": ("ZMW", "Kwacha", "Zambian"),
    "ZA": ("ZAR", "Rand", "South African"), "NP": ("NPR", "Rupee", "Nepalese"),
    "EG": ("EGP", "Pound", "Egyptian"), "AR": ("ARS", "Peso", "Argentine"), "SA": ("SAR", "Riyal", "Saudi"),
}  # fmt: skip
"""Country code to currency code, unit and adjective, outside Europe."""

EUROPE: Final[Mapping[str, tuple[str, str, str]]] = {
    "AL": ("ALL", "Lek", "Albanian"), "BY": ("BYN", "Ruble", "Belarusian"),
    "BA": ("BAM", "Convertible mark", "Bosnian"), "CZ": ("CZK", "Koruna", "Czech"),
    "DK": ("DKK", "Krone", "Danish"), "HU": ("HUF", "Forint", "Hungarian"), "MD": ("MDL", "Leu", "Moldovan"),
    "MK": ("MKD", "Denar", "Macedonian"), "NO": ("NOK", "Krone", "Norwegian"),
    "PL": ("PLN", "Zloty", "Polish"), "RO": ("RON", "Leu", "Romanian"), "RU": ("RUB", "Ruble", "Russian"),
    "RS": ("RSD", "Dinar", "Serbian"), "SE": ("SEK", "Krona", "Swedish"), "CH": ("CHF", "Franc", "Swiss"),
    "UA": ("UAH", "Hryvnia", "Ukrainian"), "GB": ("GBP", "Pound", "British"),
}  # fmt: skip
"""The same for European countries without the euro: the euro is the lure of all of them."""

OTHER_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "AR": ("Argentinian peso",),
    "BA": ("Mark", "Marka", "Convertible marka", "Bosnia and Herzegovina convertible mark"),
    "BY": ("Rouble", "Belarusian rouble"),
    "CN": ("Renminbi", "Yuan renminbi", "Chinese renminbi", "RMB", "Renminbi yuan"),
    "CZ": ("Crown", "Czech crown"),
    "DK": ("Crown", "Danish crown", "Kroner", "Krona"),
    "GB": ("Pound sterling", "Sterling", "UK pound", "Great British pound"),
    "KH": ("Riels", "Cambodian riels"),
    "MN": ("Tögrög", "Mongolian tögrög", "Togrog"),
    "NO": ("Crown", "Norwegian crown", "Kroner", "Krona"),
    "NP": ("Nepali rupee",),
    "PE": ("Nuevo sol", "Soles", "Peruvian nuevo sol"),
    "RU": ("Rouble", "Russian rouble"),
    "SA": ("Rial", "Saudi rial", "Saudi Arabian riyal"),
    "SE": ("Crown", "Swedish crown", "Kronor", "Krone", "Swedish krone"),
    "TR": ("New Turkish lira",),
}


def currency_question(place: Place, *, lure: str | None) -> Question:
    """Ask what a country pays with."""
    code, unit, adjective = (UNITS | EUROPE)[place.code]  # type: ignore[operator]
    accepted = (unit, f"{adjective} {unit}", f"{place.name.removeprefix('the ')} {unit}", code)
    plurals = tuple(f"{name}s" for name in accepted[:2])
    return Question(
        item=f"currency-{place.code.lower()}",
        kind="currency",
        wordings=currency_wordings(place.name),
        accepted=tuple(dict.fromkeys([*accepted, *OTHER_NAMES.get(place.code, ()), *plurals])),
        lure=lure,
        stratum="recall" if lure is None else "lure",
        form="name",
        anchor=anchor(),
        anchor_error=CURRENCY_ERROR,
        date="2025-11",
        licence=LICENCE,
    )


def currency_wordings(name: str) -> tuple[str, str, str]:
    """Word the question for a currency."""
    return (
        f"What is the currency of {name}?",
        f"Which currency is used in {name}?",
        f"What is the money of {name} called?",
    )


def currency_exemplars() -> dict[str, tuple[Question, ...]]:
    """Return worked examples: three countries that are not asked about, one of them with the euro."""
    rows = [("MY", "Malaysia", "Ringgit"), ("IE", "Ireland", "Euro"), ("GH", "Ghana", "Cedi")]
    return {
        "currency": tuple(
            Question(
                item=f"currency-{code.lower()}",
                kind="currency",
                wordings=currency_wordings(name),
                accepted=(unit,),
            )
            for code, name, unit in rows
        )
    }
