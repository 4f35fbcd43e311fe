"""Is every public name listed, documented with source and example, and loadable?"""

import importlib
import inspect
import pkgutil
import re

import pytest

import limitset

PACKAGES = [
    f"limitset{name}"
    for name in (
        "",
        ".instruments.truth",
        ".instruments.dynamics",
        ".instruments.alignment",
        ".instruments.weights",
        ".instruments.ecosystem",
        ".datasets",
        ".datasets.architectures",
        ".datasets.planted",
        ".datasets.recurrent",
        ".models",
        ".maps",
        ".logs",
        ".store",
        ".engine",
        ".charts",
        ".report",
        ".testing",
    )
]
INSTRUMENT_PACKAGES = ["truth", "dynamics", "alignment", "weights", "ecosystem"]


def instrument_functions():
    """Every public function defined in an instrument module."""
    for package in INSTRUMENT_PACKAGES:
        root = importlib.import_module(f"limitset.instruments.{package}")
        for info in pkgutil.iter_modules(root.__path__):
            module = importlib.import_module(f"{root.__name__}.{info.name}")
            for name, function in inspect.getmembers(module, inspect.isfunction):
                if not name.startswith("_") and function.__module__ == module.__name__:
                    yield pytest.param(inspect.unwrap(function), id=f"{package}.{info.name}.{name}")


FUNCTIONS = list(instrument_functions())


@pytest.mark.parametrize("package", PACKAGES)
def test_every_listed_name_loads(package):
    module = importlib.import_module(package)
    for name in module.__all__:
        assert getattr(module, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing_like_this'"):
        _ = module.nothing_like_this


def test_top_level_names_are_listed():
    assert set(limitset.__all__) == set(dir(limitset))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_instruments_name_source_and_example(function):
    text = inspect.getdoc(function) or ""
    missing = [
        heading for heading in ("Parameters", "Returns", "References", "Examples") if heading not in text
    ]
    assert not missing, f"{function.__name__} has no {missing}"
    references = text.split("References", 1)[1]
    assert re.search(r"doi:|arXiv|ISBN|http|this project|own definition", references), (
        "a source needs its DOI or arXiv number"
    )
    assert ">>>" in text.split("Examples", 1)[1]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_options_are_keyword_only(function):
    kinds = {
        name: p.kind for name, p in inspect.signature(function).parameters.items() if p.default is not p.empty
    }
    positional = [name for name, kind in kinds.items() if kind is not inspect.Parameter.KEYWORD_ONLY]
    assert not positional
