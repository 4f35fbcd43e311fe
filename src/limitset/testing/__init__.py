"""Does a map or an instrument, ours or yours, keep the rules that all of them keep?"""

from typing import Any

from limitset.core.lazy_names import loaded

_HOMES = {
    "DYNAMICS_LAWS": "limitset.testing.map_laws",
    "DYNAMICS_LEDGER": "limitset.testing.ledger",
    "TENSOR_LAWS": "limitset.testing.tensor_laws",
    "TENSOR_LEDGER": "limitset.testing.ledger",
    "TRUTH_LAWS": "limitset.testing.laws",
    "TRUTH_LEDGER": "limitset.testing.ledger",
    "LawBrokenError": "limitset.testing.conformance",
    "OrbitSummary": "limitset.testing.map_laws",
    "Tabled": "limitset.testing.ledger",
    "TensorSummary": "limitset.testing.tensor_laws",
    "check_instrument": "limitset.testing.conformance",
    "check_map": "limitset.testing.conformance",
}
__all__ = [
    "DYNAMICS_LAWS",
    "DYNAMICS_LEDGER",
    "TENSOR_LAWS",
    "TENSOR_LEDGER",
    "TRUTH_LAWS",
    "TRUTH_LEDGER",
    "LawBrokenError",
    "OrbitSummary",
    "Tabled",
    "TensorSummary",
    "check_instrument",
    "check_map",
]


def __getattr__(name: str) -> Any:
    return loaded(__name__, _HOMES, name)


def __dir__() -> list[str]:
    return __all__
