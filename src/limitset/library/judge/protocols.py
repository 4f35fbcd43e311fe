"""Which protocols can be run, and how is one loaded without anything importing it?"""

from __future__ import annotations

import ast
import importlib.util
import sys
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final

from limitset.core.errors import DependencyError, InputError
from limitset.core.evidence import Protocol
from limitset.library.holdings.library import Library

GROUP: Final = "limitset.protocols"
ATTRIBUTE: Final = "PROTOCOL"


class ProtocolStoppedError(RuntimeError):
    """A protocol ended the process (`sys.exit`) instead of bringing evidence: its fault, not the input's."""

    def __init__(self, name: str, file: Path, status: object) -> None:
        super().__init__(
            f"protocol {name} ended itself with status {status!r} and brought no evidence: mend {file}"
        )


def known(library: Library) -> dict[str, Path]:
    """Return id to file of every protocol: installed packages' entry points, then the user's own folder.

    Nothing is imported but the packages the files stand in.

    Raises
    ------
    InputError
        When a user's protocol bears the id of an installed one.
    """
    found = {}
    for entry in entry_points(group=GROUP):
        try:
            spec = importlib.util.find_spec(entry.module)
        except ModuleNotFoundError:  # a package that is gone left its name behind
            continue
        if spec is not None and spec.origin is not None:
            found[entry.name] = Path(spec.origin)
    for shelf in library.shelves:
        for path in sorted((shelf.root / "protocols").glob("p[0-9][0-9].py")):
            if not path.is_file():  # a pipe, a device, a link to nothing
                continue
            if path.stem in found and path.resolve() != found[path.stem].resolve():
                raise InputError.of(
                    expected="a protocol of your library must have an id of its own",
                    got=f"{path.stem}, which is installed",
                    fix=f"Rename {path} and the claims that name it.",
                )
            found[path.stem] = path
    return found


def loaded(name: str, library: Library) -> Protocol:
    """Load one protocol.

    Raises
    ------
    InputError
        When there is none of that id, or its file holds no protocol of that id.
    DependencyError
        When it needs a package that is not installed.
    """
    files = known(library)
    if name not in files:
        raise InputError.of(
            expected=f"the protocol {name} must be installed or stand in your library",
            got=", ".join(sorted(files)) or "none",
            fix="A claim without one carries a plan.",
        )
    entry = next((one for one in entry_points(group=GROUP) if one.name == name), None)
    try:
        protocol = entry.load() if entry is not None else _of_file(files[name])
    except SystemExit as error:
        raise ProtocolStoppedError(name, files[name], error.code) from error
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("limitset"):
            raise
        raise DependencyError.of(
            expected=f"protocol {name} needs the package {error.name}",
            got="none installed",
            fix="Run: pip install 'limitset[models]'.",
        ) from error
    if not isinstance(protocol, Protocol) or protocol.id != name:
        raise InputError.of(
            expected=f"{files[name]} must hold {ATTRIBUTE}, a Protocol with the id {name}",
            got=getattr(protocol, "id", type(protocol).__name__),
            fix="Mend the file.",
        )
    return protocol


@cache
def accepted_by(path: Path) -> tuple[str, ...]:
    """Return which of a user's systems a protocol takes, read from its text: nothing is loaded.

    Examples
    --------
    >>> accepted_by(Path(__file__))
    ()
    """
    try:
        calls = [one for one in ast.walk(ast.parse(path.read_bytes())) if isinstance(one, ast.Call)]
    except (OSError, SyntaxError, ValueError):
        return ()
    for call in calls:
        if isinstance(call.func, ast.Name) and call.func.id == Protocol.__name__:
            for given in call.keywords:
                if given.arg == "accepts" and isinstance(given.value, ast.Tuple):
                    names = [one.value for one in given.value.elts if isinstance(one, ast.Constant)]
                    return tuple(one for one in names if isinstance(one, str))
    return ()


def _of_file(path: Path) -> object:
    name = f"limitset_protocol_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise InputError.of(expected=f"{path} must be a Python file", got="none", fix="Check the path.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (SyntaxError, UnicodeDecodeError) as error:
        raise InputError.of(expected=f"{path} must be a Python file", got=error, fix="Mend it.") from error
    return getattr(module, ATTRIBUTE, None)
