"""How does a package offer its public names without loading what is behind them?"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import Any


def loaded(package: str, homes: Mapping[str, str], name: str) -> Any:
    """Return a public name of a package, loading the module it lives in.

    Parameters
    ----------
    package
        Name of the package.
    homes
        Public name to the full name of its module; a name that is itself a module stands for it.
    name
        What is asked for.

    Raises
    ------
    AttributeError
        When the package has no such public name.

    Examples
    --------
    >>> loaded("limitset", {"Level": "limitset.core.levels"}, "Level").TEXT.value
    'text'
    """
    if name not in homes:
        raise AttributeError(f"module {package!r} has no attribute {name!r}")
    module = import_module(homes[name])
    return getattr(module, name, module)


class InstrumentPackage(ModuleType):
    """A package in which `dynamics.loop_ends` is the function, also after its file was imported by name.

    The package keeps its public names in `_HOMES`, as `loaded` reads them.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        # the import system binds a loaded file to its package; some files bear the name of their function
        home = self.__dict__.get("_HOMES", {}).get(name)
        named_alike = isinstance(value, ModuleType) and home == f"{self.__name__}.{name}"
        super().__setattr__(name, getattr(value, name) if named_alike else value)
