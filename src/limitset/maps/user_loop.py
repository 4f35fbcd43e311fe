"""How does an object that somebody wrote become a map with starts, answers and a key?"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor

from limitset.core.errors import InputError, LimitsetError
from limitset.core.streams import Streams
from limitset.maps.keys import plain_array, require_comparable, rights
from limitset.maps.latent.tensor_map import TensorMap, taken_by
from limitset.maps.user_files import object_at

_LOOKED_AT: Final = 8
"""States whose images enter the fingerprint of a loop."""
_HOW: Final = "See examples/looped_net.py of the source, or A model in five lines in the documentation."


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
            given = self.readout(states, torch.as_tensor(np.asarray(rows), dtype=torch.long))
        answers = np.empty(()) if given is None else plain_array(given)
        if answers.ndim == 0 or len(answers) != len(states):
            raise InputError.of(
                expected=f"readout must give one answer a state, {len(states)} here",
                got="none" if given is None else f"shape {answers.shape}",
                fix="Keep the batch axis first.",
            )
        return answers

    def right(self, states: Tensor, rows: Sequence[int] | np.ndarray) -> Bool[np.ndarray, " b"]:
        """Say which answers equal the key in every place."""
        answers = self.answers(states, rows)
        if self.key is None:
            raise InputError.of(expected=f"{self.name} needs a key", got="none", fix=_HOW)
        key = self.key[np.asarray(rows)]
        return rights(answers, key)


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
    given, name, source = object_at(reference)
    return loop_of(given, name=name, source=source)


def loop_of(given: Any, *, name: str, source: bytes = b"") -> UserLoop:
    """Build a loop from an object.

    Parameters
    ----------
    given
        Has `step` (see `TensorMap`) and `start`: a tensor `(n, *shape)`, or a function of the rows that gives
        one; then the number of inputs comes from `key`, `items` or `count`. It may have `readout(states)` or
        `readout(states, rows)`, `key` `(n, ...)`, `items` (n names), `steps`, the usual number of steps, and
        ``deterministic = False`` where its step draws random numbers.
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
    key = plain_array(given.key) if getattr(given, "key", None) is not None else None
    readout = getattr(given, "readout", None)
    if key is not None and readout is None:
        raise InputError.of(expected=f"{name} has a key, so it needs a readout", got="none", fix=_HOW)
    if key is not None:
        require_comparable(key, f"the key of {name}")
    _at_rest(given)
    starts = _starts(given, name, key)
    items = _items(given, name, len(starts))
    if key is not None and len(key) != len(starts):
        raise InputError.of(
            expected=f"the key of {name} must have one answer an input, {len(starts)}",
            got=len(key),
            fix="Give both in the same order.",
        )
    map = TensorMap(step=given.step, deterministic=bool(getattr(given, "deterministic", True)))
    usual = getattr(given, "steps", 0)
    usual = int(usual) if isinstance(usual, np.integer) else usual
    if not isinstance(usual, int) or usual < 0:
        raise InputError.of(
            expected=f"steps of {name} must be how many steps it usually runs, a whole number",
            got=usual,
            fix="Leave it out where there is no such number.",
        )
    loop = UserLoop(
        name=str(getattr(given, "name", name)),
        map=map,
        starts=starts,
        items=items,
        readout=None if readout is None else _of_states_and_rows(readout),
        key=key,
        usual_steps=usual,
        identity=_fingerprint(source, map, starts, key, name),
    )
    if key is not None:  # a readout that does not fit is found before anything runs
        rows = range(min(_LOOKED_AT, len(starts)))
        given_states = starts[: len(rows)].clone()
        loop.right(given_states, rows)
        if not torch.equal(given_states, starts[: len(rows)]):
            raise InputError.of(
                expected=f"readout of {name} must not write into the states it is given",
                got="states that were changed",
                fix="Work on states.clone(), or without operations in place.",
            )
    return loop


def _at_rest(given: Any) -> None:
    """Take a torch module out of training mode: dropout and batch statistics are no part of its map."""
    step = given.step
    for module in (given, step, getattr(step, "__self__", None)):
        if isinstance(module, torch.nn.Module):
            module.eval()


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
    if starts.dtype not in (torch.float32, torch.float64):
        raise InputError.of(
            expected=f"the starts of {name} must be float32 or float64",
            got=str(starts.dtype).removeprefix("torch."),
            fix="Cast states and weights with .float() for the trace.",
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


def _fingerprint(source: bytes, map: TensorMap, starts: Tensor, key: np.ndarray | None, name: str) -> str:
    digest = hashlib.sha256(source)
    digest.update(np.ascontiguousarray(plain_array(starts)).tobytes())
    digest.update(b"" if key is None else repr(key.tolist()).encode())
    rows = range(min(_LOOKED_AT, len(starts)))
    given = starts[: len(rows)].clone()
    try:
        with torch.no_grad():
            images = map.step(given, rows=rows, rng=Streams(0).child("fingerprint"))
    except LimitsetError:
        raise
    except Exception as error:  # the user's own code: say what it was given
        takes = "states, rows" if map.arguments > 1 else "states"
        raise InputError.of(
            expected=f"step({takes}) of {name} must take any part of the starts, here {len(rows)} of "
            f"{len(starts)}",
            got=f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}",
            fix="Write step(states, rows) and take inputs[rows] where it holds inputs.",
        ) from error
    if not torch.equal(given, starts[: len(rows)]):
        raise InputError.of(
            expected=f"step of {name} must not write into the states it is given",
            got="states that were changed",
            fix="Work on states.clone(), or without operations in place.",
        )
    # rounded: the last bits of a product may differ from one machine to the next
    digest.update(np.round(np.nan_to_num(plain_array(images).astype(np.float64)), 4).tobytes())
    return digest.hexdigest()
