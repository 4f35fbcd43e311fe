"""How does an object that somebody wrote become a map with starts, answers and a key?"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor

from limitset.core.errors import InputError, LimitsetError
from limitset.core.streams import Streams
from limitset.maps.latent.tensor_map import TensorMap, taken_by

_LOOKED_AT: Final = 8
"""States whose images enter the fingerprint of a loop."""
_HOW: Final = "See examples/looped_net.py."


@dataclass(frozen=True, kw_only=True, eq=False)
class UserLoop:
    """A looped model as its builder gives it.

    Parameters
    ----------
    name
        What the page calls it.
    map
        Its step.
    starts : (n, *shape)
        The state in which each input begins.
    items
        The name of each input.
    readout
        States and their rows to answers `(b, ...)`; None where there is none.
    key : (n, ...)
        The right answers, from outside the model; None where nothing checks them.
    usual_steps
        How many steps the model runs when it is used, 0 where it does not say.
    identity
        What its behaviour depends on: hash of its file, starts, key and some images.
    """

    name: str
    map: TensorMap
    starts: Tensor
    items: tuple[str, ...]
    readout: Callable[[Tensor, Tensor], Any] | None
    key: np.ndarray | None
    usual_steps: int
    identity: str

    def __len__(self) -> int:
        return len(self.items)

    @property
    def holds_inputs(self) -> bool:
        """Whether the step is told which inputs the batch holds."""
        return self.map.arguments > 1

    def answers(self, states: Tensor, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """Read the answers `(b, ...)` off some states.

        Raises
        ------
        InputError
            When there is no readout, or it gives another number of answers.
        """
        if self.readout is None:
            raise InputError.of(expected=f"{self.name} needs a readout", got="none", fix=_HOW)
        with torch.no_grad():
            answers = _plain(self.readout(states, torch.as_tensor(np.asarray(rows), dtype=torch.long)))
        if len(answers) != len(states):
            raise InputError.of(
                expected=f"readout must give one answer a state, {len(states)} here",
                got=f"shape {answers.shape}",
                fix="Keep the batch axis first.",
            )
        return answers

    def right(self, states: Tensor, rows: Sequence[int] | np.ndarray) -> Bool[np.ndarray, " b"]:
        """Say which answers equal the key in every place."""
        answers = self.answers(states, rows)
        if self.key is None:
            raise InputError.of(expected=f"{self.name} needs a key", got="none", fix=_HOW)
        key = self.key[np.asarray(rows)]
        if answers.shape != key.shape:
            raise InputError.of(
                expected=f"readout must give answers in the shape of the key, {key.shape[1:]} for each input",
                got=f"{answers.shape[1:]}",
                fix="Return the answers themselves (argmax of logits), not scores.",
            )
        return np.asarray((answers == key).reshape(len(answers), -1).all(axis=1))


def load_loop(reference: str) -> UserLoop:
    """Load ``MODULE:OBJECT`` or ``FILE.py:OBJECT``.

    Parameters
    ----------
    reference
        What to load: an object as `loop_of` takes it, or a class or function that gives one when called.

    Returns
    -------
    UserLoop
        Ready to be iterated.

    Raises
    ------
    InputError
        When there is no such file, module or object, or the object lacks what a loop needs.

    Notes
    -----
    The code of the file runs. Its fingerprint covers the file, the starts, the key and the images of the
    first starts; a change of other inputs alone is not seen.

    Examples
    --------
    >>> load_loop("nothing.py:Loop")
    Traceback (most recent call last):
    limitset.core.errors.InputError: nothing.py must be a Python file; got none there. Check the path.
    """
    place, colon, name = reference.rpartition(":")
    if not colon or not place or not name.isidentifier():
        raise InputError.of(
            expected="a loop is named MODULE:OBJECT or FILE.py:OBJECT", got=reference, fix=_HOW
        )
    module = _module(place)
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
    return loop_of(given, name=name, source=Path(file).read_bytes() if file else b"")


def loop_of(given: Any, *, name: str, source: bytes = b"") -> UserLoop:
    """Build a loop from an object.

    Parameters
    ----------
    given
        Has `step` (see `TensorMap`) and `start`: a tensor `(n, *shape)`, or a function of the rows that gives
        one; then the number of inputs comes from `key`, `items` or `count`. It may have `readout(states)` or
        `readout(states, rows)`, `key` `(n, ...)`, `items` (n names), and `steps`, the usual number of steps.
    name
        What the page calls it.
    source
        Bytes that decide its behaviour, for the fingerprint.

    Returns
    -------
    UserLoop
        Ready to be iterated.

    Raises
    ------
    InputError
        When a part is missing or does not fit the others.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> halving = SimpleNamespace(start=torch.ones(3, 2), step=lambda states: states / 2)
    >>> loop_of(halving, name="halving").items
    ('0', '1', '2')
    """
    for part in ("start", "step"):
        if not hasattr(given, part):
            raise InputError.of(expected=f"{name} must have start and step", got=f"no {part}", fix=_HOW)
    key = _plain(given.key) if getattr(given, "key", None) is not None else None
    readout = getattr(given, "readout", None)
    if key is not None and readout is None:
        raise InputError.of(expected=f"{name} has a key, so it needs a readout", got="none", fix=_HOW)
    starts = _starts(given, name, key)
    items = _items(given, name, len(starts))
    if key is not None and len(key) != len(starts):
        raise InputError.of(
            expected=f"the key of {name} must have one answer an input, {len(starts)}",
            got=len(key),
            fix="Give both in the same order.",
        )
    map = TensorMap(step=given.step)
    usual = getattr(given, "steps", 0)
    if not isinstance(usual, int) or usual < 0:
        raise InputError.of(
            expected=f"steps of {name} must be how many steps it usually runs, a whole number",
            got=usual,
            fix="Leave it out where there is no such number.",
        )
    return UserLoop(
        name=str(getattr(given, "name", name)),
        map=map,
        starts=starts,
        items=items,
        readout=None if readout is None else _of_states_and_rows(readout),
        key=key,
        usual_steps=usual,
        identity=_fingerprint(source, map, starts, key),
    )


def _module(place: str) -> ModuleType:
    if not place.endswith(".py"):
        try:
            return importlib.import_module(place)
        except ModuleNotFoundError as error:
            raise InputError.of(
                expected=f"{place} must be a module that can be imported",
                got=error,
                fix="Name a file: loops/mine.py:Loop.",
            ) from error
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


def _starts(given: Any, name: str, key: np.ndarray | None) -> Tensor:
    starts = given.start
    if callable(starts):
        count = _count(given, name, key)
        with torch.no_grad():
            starts = starts(torch.arange(count)) if taken_by(starts) else starts()
    if isinstance(starts, np.ndarray):
        starts = torch.from_numpy(starts)
    if not isinstance(starts, Tensor) or starts.ndim < 1 or not starts.is_floating_point():
        got = f"{type(starts).__name__} {getattr(starts, 'dtype', '')}".strip()
        raise InputError.of(
            expected=f"start of {name} must be a tensor of real numbers (inputs, *shape)", got=got, fix=_HOW
        )
    if not len(starts):
        raise InputError.of(expected=f"{name} must have one start at least", got="none", fix="Add inputs.")
    if not bool(torch.isfinite(starts).all()):
        raise InputError.of(
            expected=f"the starts of {name} must be finite", got="NaN or inf", fix="Mend them."
        )
    return starts.detach()


def _count(given: Any, name: str, key: np.ndarray | None) -> int:
    if key is not None:
        return len(key)
    if getattr(given, "items", None) is not None:
        return len(given.items)
    if isinstance(getattr(given, "count", None), int):
        return int(given.count)
    raise InputError.of(
        expected=f"{name} makes its starts, so it must say for how many inputs",
        got="neither key, items nor count",
        fix="Add count = 256, for example.",
    )


def _items(given: Any, name: str, count: int) -> tuple[str, ...]:
    items = tuple(str(item) for item in getattr(given, "items", None) or range(count))
    if len(items) != count or len(set(items)) != count:
        raise InputError.of(
            expected=f"items of {name} must be {count} different names",
            got=f"{len(items)}, {len(set(items))} of them different",
            fix="Give one an input.",
        )
    return items


def _of_states_and_rows(readout: Callable[..., Any]) -> Callable[[Tensor, Tensor], Any]:
    if taken_by(readout) > 1:
        return readout
    return lambda states, _rows: readout(states)


def _plain(values: Any) -> np.ndarray:
    if isinstance(values, Tensor):
        return values.detach().cpu().numpy()
    return np.asarray(values)


def _fingerprint(source: bytes, map: TensorMap, starts: Tensor, key: np.ndarray | None) -> str:
    digest = hashlib.sha256(source)
    digest.update(np.ascontiguousarray(_plain(starts)).tobytes())
    digest.update(b"" if key is None else repr(key.tolist()).encode())
    rows = range(min(_LOOKED_AT, len(starts)))
    with torch.no_grad():
        images = map.step(starts[: len(rows)], rows=rows, rng=Streams(0).child("fingerprint"))
    # rounded: the last bits of a product may differ from one machine to the next
    digest.update(np.round(np.nan_to_num(_plain(images).astype(np.float64)), 4).tobytes())
    return digest.hexdigest()
