"""How does an algorithm for vectors see a map of tensors?"""

from __future__ import annotations

import contextlib
import importlib
import math
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from limitset.core.errors import InputError, LimitsetError
from limitset.core.protocols import SelfMap
from limitset.core.streams import Streams

Rows = Sequence[int] | np.ndarray

NO_RULE: Final = (NotImplementedError, RuntimeError)
"""What torch raises where it has no forward derivative of an operation, or none for many at once."""

with warnings.catch_warnings():
    # torch compiles rules for forward derivatives on first use and warns about its own way of doing so
    warnings.simplefilter("ignore", DeprecationWarning)
    importlib.import_module("torch._decomp.decompositions_for_jvp")


_HELD: Final = "Where step holds inputs, write step(states, rows) and take inputs[rows]."


@dataclass(frozen=True, kw_only=True, eq=False)
class VectorMap:
    """A map of tensors `(b, *shape)` seen as a map of vectors `(b, d)`, with its derivatives.

    Rows are independent of each other, so that one product with the Jacobian of the batch is one product with
    the Jacobian of every row.

    Parameters
    ----------
    map
        The map; its `step` gets the rows that the batch holds and always the same streams.
    shape
        Shape of one state.
    rng
        Streams handed to every step.

    Raises
    ------
    InputError
        When the map changes the shape of the states or their type, turns finite states into NaN, writes into
        the states it is given, or fails.

    Notes
    -----
    The map gets copies of the states, and its images are copied, since it may hand out one buffer again and
    again.

    Examples
    --------
    >>> from limitset.maps.latent import TensorMap
    >>> halve = VectorMap(map=TensorMap(step=lambda x: x / 2), shape=(2,))
    >>> x = torch.ones(1, 2)
    >>> halve(x, [0]).tolist(), halve.jvp(x, [0], x).tolist()
    ([[0.5, 0.5]], [[0.5, 0.5]])
    """

    map: SelfMap[Any]
    shape: tuple[int, ...]
    rng: Streams = Streams(0)  # noqa: RUF009 - frozen, so it can be shared

    @classmethod
    def of(cls, map: SelfMap[Any], starts: Tensor, *, rng: Streams | None = None) -> VectorMap:
        """Build for the states of a batch `(b, *shape)`, after one look at what the map makes of them."""
        if not isinstance(starts, Tensor) or not starts.is_floating_point() or starts.ndim < 1:
            got = f"{type(starts).__name__} {getattr(starts, 'dtype', '')}".strip()
            raise InputError.of(
                expected="starts must be a torch tensor of real numbers (b, *shape)",
                got=got,
                fix="Stack the starting states, e.g. torch.zeros(64, 32).",
            )
        if starts.shape[0] == 0:
            raise InputError.of(expected="one start at least", got="none", fix="Give some starts.")
        return cls(map=map, shape=tuple(starts.shape[1:]), rng=rng or Streams(0))

    @property
    def dimension(self) -> int:
        """How many numbers one state holds."""
        return math.prod(self.shape)

    def __call__(self, states: Tensor, rows: Rows) -> Tensor:
        """Apply the map to states `(b, d)` without gradients."""
        with torch.no_grad():
            images = self._step(states, rows).clone()
        if bool(torch.isfinite(images.sum())):  # one cheap look; a sum that overflows costs a second one
            return images
        bad = torch.isfinite(states).all(dim=1) & torch.isnan(images).any(dim=1)
        if bool(bad.any()):
            row = int(np.asarray(rows)[int(torch.nonzero(bad)[0])])
            raise InputError.of(
                expected="a map must turn finite states into numbers",
                got=f"NaN from start {row}",
                fix="Look for 0/0, log of a negative number, or masked-out rows of attention.",
            )
        return images

    def jvp(self, states: Tensor, rows: Rows, directions: Tensor) -> Tensor:
        """Return J(x) v for every row: states and directions `(b, d)`."""
        with torch.no_grad(), _plain_attention():
            try:
                product = torch.func.jvp(
                    lambda x: self._step(x, rows, passing=NO_RULE), (states,), (directions,)
                )[1]
            except NO_RULE:
                # operations without forward derivatives: differentiate the backward product instead
                product = self._twice_backward(states, rows, directions)
        return product.detach()  # type: ignore[no-any-return]

    def vjp(self, states: Tensor, rows: Rows, directions: Tensor) -> Tensor:
        """Return J(x)^T u for every row."""
        with torch.enable_grad(), _plain_attention():
            x = states.detach().requires_grad_(True)
            images = self._connected(x, rows)
            (product,) = torch.autograd.grad(images, x, directions)
        return product.detach()

    def jacobian(self, states: Tensor, rows: Rows, *, memory: int = 2**28) -> Tensor:
        """Return the dense Jacobians `(b, d, d)`, many columns at a time, within `memory` bytes beside them.

        The map is applied once and its derivative to many directions together (torch.func.vmap); where
        that is refused (random numbers, writes in place, rules that are missing), states are repeated.
        """
        size, d = states.shape
        found = torch.empty(size, d, d, dtype=states.dtype, device=states.device)
        together = min(d, max(1, memory // (8 * max(1, size * d) * states.element_size())))
        basis = torch.eye(d, dtype=states.dtype, device=states.device)
        for place in range(0, d, together):
            directions = basis[place : place + together, None].expand(-1, size, -1)
            try:
                with torch.no_grad(), _plain_attention():
                    columns = torch.func.vmap(
                        lambda v: torch.func.jvp(
                            lambda x: self._step(x, rows, passing=NO_RULE), (states,), (v,)
                        )[1]
                    )(directions)
            except NO_RULE:
                columns = self._columns_by_repeating(states, rows, directions)
            found[:, :, place : place + together] = columns.permute(1, 2, 0)
        return found

    def _columns_by_repeating(self, states: Tensor, rows: Rows, directions: Tensor) -> Tensor:
        count = directions.shape[0]
        many = [int(row) for row in rows] * count
        product = self.jvp(states.repeat(count, 1), many, directions.reshape(-1, self.dimension))
        return product.reshape(directions.shape)

    def flat(self, states: Tensor) -> Tensor:
        """View states `(b, *shape)` as vectors `(b, d)`."""
        return states.reshape(states.shape[0], self.dimension)

    def shaped(self, states: Tensor) -> Tensor:
        """View vectors `(b, d)` as states `(b, *shape)`."""
        return states.reshape(states.shape[0], *self.shape)

    def _step(self, states: Tensor, rows: Rows, *, passing: tuple[type[Exception], ...] = ()) -> Tensor:
        images = images_of(self.map, self.shaped(states), rows=rows, rng=self.rng, passing=passing)
        return self.flat(images)

    def _connected(self, states: Tensor, rows: Rows) -> Tensor:
        images = self._step(states, rows)
        if not images.requires_grad:
            raise InputError.of(
                expected="derivatives need a map that torch can follow",
                got="images that do not depend on the states for torch",
                fix="Take out detach(), no_grad(), numpy and rounding, or use a solver without derivatives.",
            )
        return images

    def _twice_backward(self, states: Tensor, rows: Rows, directions: Tensor) -> Tensor:
        with torch.enable_grad():
            x = states.detach().requires_grad_(True)
            images = self._connected(x, rows)
            dual = torch.zeros_like(images, requires_grad=True)
            (pulled,) = torch.autograd.grad(images, x, dual, create_graph=True)
            (product,) = torch.autograd.grad(pulled, dual, directions)
        return product


def images_of(
    map: SelfMap[Any],
    states: Tensor,
    *,
    rows: Rows,
    rng: Streams,
    passing: tuple[type[Exception], ...] = (),
) -> Tensor:
    """Apply a map to a copy of a batch, and refuse what is no image of every state.

    Parameters
    ----------
    map
        The map.
    states : (b, *shape)
        The batch.
    rows, rng
        Handed to the step.
    passing
        Exceptions of the step that are raised as they are; others say which batch the step failed on.

    Returns
    -------
    Tensor
        (b, *shape), as the map hands it out: it may be a buffer of its own.

    Raises
    ------
    InputError
        When the step fails, writes into the states, or changes their shape or type.
    """
    images: Tensor
    given = _copied(states)
    version = given._version
    through: tuple[type[Exception], ...] = (LimitsetError, torch.OutOfMemoryError, *passing)
    try:
        images = map.step(given, rows=rows.tolist() if isinstance(rows, np.ndarray) else rows, rng=rng)
    except through:
        raise
    except Exception as error:  # the user's own code: say what it was given, and keep the cause
        first = (str(error).splitlines() or [""])[0]
        follow = ", and one that torch can follow" if given.requires_grad else ""
        raise InputError.of(
            expected=f"a map must take any part of the starts, here a batch of {len(states)}{follow}",
            got=f"{type(error).__name__}: {first}",
            fix=_HELD,
        ) from error
    if given._version != version:
        raise InputError.of(
            expected="a map must not write into the states it is given",
            got="a step that changes them in place",
            fix="Begin it with states = states.clone(), or use mul instead of mul_, torch.cat instead of "
            "states[:, 0] = ..., ReLU() instead of ReLU(inplace=True).",
        )
    wanted = tuple(states.shape)
    found = tuple(images.shape) if isinstance(images, Tensor) else type(images).__name__
    if found != wanted:
        other_batch = isinstance(found, tuple) and found[1:] == wanted[1:]
        raise InputError.of(
            expected=f"a map must give a tensor {wanted} for states {wanted}",
            got=found,
            fix=_HELD if other_batch else "Return one image a state, in the shape of the states.",
        )
    if images.dtype != states.dtype:
        raise InputError.of(
            expected=f"a map must keep the type of its states, {states.dtype}",
            got=images.dtype,
            fix="Cast the weights or the starts to one type.",
        )
    return images


def _copied(states: Tensor) -> Tensor:
    if not torch.is_inference_mode_enabled():
        return states.clone()
    with torch.inference_mode(False), torch.no_grad():  # tensors of inference mode do not count writes
        return states.clone()


@contextlib.contextmanager
def _plain_attention() -> Iterator[None]:
    # fused attention has no forward derivatives
    from torch.nn.attention import SDPBackend, sdpa_kernel

    with sdpa_kernel(SDPBackend.MATH):
        yield
