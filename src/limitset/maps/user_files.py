"""How is an object found in a file or module that somebody wrote?"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from limitset.core.errors import InputError, LimitsetError

_HOW: Final = "See examples/looped_net.py of the source, or A model in five lines in the documentation."


def object_at(reference: str) -> tuple[Any, str, bytes]:
    """Load ``MODULE:OBJECT``, ``FILE.py:OBJECT``, or the one loop of ``FILE.py``.

    Parameters
    ----------
    reference
        What to load; a class or function is called without arguments.

    Returns
    -------
    tuple
        The object, its name, and the bytes of its file.

    Raises
    ------
    InputError
        When there is no such file, module or object, or the file does not run (with its line).
    """
    place, colon, name = reference.rpartition(":")
    if not colon and reference.endswith(".py"):
        place, colon, name = reference, ":", ""
    if not colon or not place or not (name.isidentifier() or not name):
        raise InputError.of(
            expected="a loop is named MODULE:OBJECT or FILE.py:OBJECT", got=reference, fix=_HOW
        )
    module = _module(place)
    name = name or _only_loop(module, place)
    if not hasattr(module, name):
        loops = ", ".join(one for one, value in vars(module).items() if hasattr(value, "step")) or "none"
        raise InputError.of(
            expected=f"{place} must have {name}",
            got=f"no such name; with a step: {loops}",
            fix="Check the name.",
        )
    given = getattr(module, name)
    if inspect.isclass(given) or (callable(given) and not hasattr(given, "step")):
        given = _called(given, name)
    file = getattr(module, "__file__", None)
    return given, name, Path(file).read_bytes() if file else b""


def _only_loop(module: ModuleType, place: str) -> str:
    """Return the name of the one thing in a file that has a step and was made there."""
    own = [
        name
        for name, value in vars(module).items()
        if hasattr(value, "step") and hasattr(value, "start") and not name.startswith("_")
    ]
    if len(own) != 1:
        raise InputError.of(
            expected=f"{place} without a name must have one object with start and step",
            got=", ".join(own) or "none",
            fix=f"Name it: {place}:OBJECT.",
        )
    return own[0]


def _module(place: str) -> ModuleType:
    if not place.endswith(".py"):
        sys.path.insert(0, str(Path.cwd()))  # a script's own folder is there, a command's is not
        try:
            return importlib.import_module(place)
        except ModuleNotFoundError as error:
            raise InputError.of(
                expected=f"{place} must be a module that can be imported",
                got=error,
                fix="Name a file: loops/mine.py:Loop.",
            ) from error
        finally:
            sys.path.pop(0)
    path = Path(place)
    if not path.is_file():
        raise InputError.of(
            expected=f"{place} must be a Python file", got="none there", fix="Check the path."
        )
    name = f"limitset_user_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise InputError.of(expected=f"{place} must be a Python file", got="another", fix="Check the path.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickle look a class up by its module
    sys.path.insert(0, str(path.resolve().parent))
    try:
        spec.loader.exec_module(module)
    except LimitsetError:
        raise
    except Exception as error:  # the user's own code: say where, keep the cause
        line = _last_line_in(error, path)
        raise InputError.of(
            expected=f"{place} must run{line}", got=f"{type(error).__name__}: {error}", fix="Mend that place."
        ) from error
    finally:
        sys.path.pop(0)
    return module


def _last_line_in(error: Exception, path: Path) -> str:
    trace, found = error.__traceback__, ""
    while trace is not None:
        if Path(trace.tb_frame.f_code.co_filename) == path.resolve() or (
            trace.tb_frame.f_code.co_filename == str(path)
        ):
            found = f" (line {trace.tb_lineno})"
        trace = trace.tb_next
    return found


def _called(make: Callable[[], Any], name: str) -> Any:
    needed = [
        parameter.name
        for parameter in inspect.signature(make).parameters.values()
        if parameter.default is inspect.Parameter.empty
        and parameter.kind not in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    ]
    if needed:
        raise InputError.of(
            expected=f"{name} must be an object, or a class or function without arguments",
            got=f"one that needs {', '.join(needed)}",
            fix="Make the object in the file and name it.",
        )
    return make()
