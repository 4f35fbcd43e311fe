"""How does a measured study become a page, a terminal screen, or a picture?"""

from importlib import import_module
from typing import Any

_LAZY = {
    "Analysis": "limitset.report.analysis",
    "Definition": "limitset.report.page",
    "Figure": "limitset.report.page",
    "Page": "limitset.report.page",
    "Table": "limitset.report.page",
    "analyse": "limitset.report.analysis",
    "build_page": "limitset.report.first_page",
    "citations": "limitset.report.references",
    "render": "limitset.report.page",
    "save_chart": "limitset.report.export",
    "show": "limitset.report.terminal",
    "write_page": "limitset.report.page",
}

__all__ = [
    "Analysis",
    "Definition",
    "Figure",
    "Page",
    "Table",
    "analyse",
    "build_page",
    "citations",
    "render",
    "save_chart",
    "show",
    "write_page",
]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used."""
    if name not in _LAZY:
        raise AttributeError(f"module 'limitset.report' has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return __all__
