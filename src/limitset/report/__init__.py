"""How does a measured study become a page, a terminal screen, or a picture?"""

from typing import Any

from limitset.core.lazy_names import loaded

_HOMES = {
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
    return loaded(__name__, _HOMES, name)


def __dir__() -> list[str]:
    return __all__
