"""Between which numbers does every slope of a function lie over a whole box?

Forward differentiation on intervals: the function is run once on numbers that carry their slopes along.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from limitset.core.errors import InputError
from limitset.numerics.enclosing import interval_arithmetic as plain
from limitset.numerics.enclosing.interval_arithmetic import IntervalArray


@dataclass(frozen=True, eq=False)
class IntervalDual:
    """Intervals with the intervals of their slopes in d directions.

    Parameters
    ----------
    value
        The intervals, any shape s.
    slope
        (d, *s).

    Notes
    -----
    At a kink (abs, maximum, minimum) the slope is the hull of both sides, with which the mean value theorem
    holds (Clarke 1983, proposition 2.6.5).

    References
    ----------
    Griewank and Walther (2008), doi:10.1137/1.9780898717761, chapter 3; Clarke (1983),
    doi:10.1137/1.9781611971309.
    """

    value: IntervalArray
    slope: IntervalArray

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the value."""
        return self.value.shape

    @property
    def ndim(self) -> int:
        """Axes of the value."""
        return self.value.ndim

    @property
    def T(self) -> IntervalDual:  # noqa: N802 - as numpy says
        """The transpose."""
        axes = (0, *range(self.ndim, 0, -1))
        return IntervalDual(
            self.value.T, IntervalArray(self.slope.low.transpose(axes), self.slope.high.transpose(axes))
        )

    def __len__(self) -> int:
        return len(self.value)

    def __getitem__(self, index: Any) -> IntervalDual:
        places = index if isinstance(index, tuple) else (index,)
        if places and places[0] is Ellipsis:
            return IntervalDual(self.value[index], self.slope[index])
        return IntervalDual(self.value[index], self.slope[(slice(None), *places)])

    def reshape(self, *shape: int) -> IntervalDual:
        """View under another shape."""
        value = self.value.reshape(*shape)
        return IntervalDual(value, self.slope.reshape(self.slope.shape[0], *value.shape))

    def sum(self, axis: int | None = None) -> IntervalDual:
        """Sum along an axis, or over all."""
        if axis is None:
            return self.reshape(-1).sum(0)
        return IntervalDual(self.value.sum(axis), self.slope.sum(axis + 1 if axis >= 0 else axis))

    def mean(self, axis: int | None = None) -> IntervalDual:
        """Mean along an axis, or over all."""
        return self.sum(axis) / float(self.value.low.size if axis is None else self.shape[axis])

    def __neg__(self) -> IntervalDual:
        return IntervalDual(-self.value, -self.slope)

    def __add__(self, other: Any) -> IntervalDual:
        right = self._lifted(other)
        value = self.value + right.value
        return IntervalDual(value, _broadcast(self._over(value) + right._over(value), value))

    def __sub__(self, other: Any) -> IntervalDual:
        return self + (-self._lifted(other))

    def __rsub__(self, other: Any) -> IntervalDual:
        return self._lifted(other) + (-self)

    def __mul__(self, other: Any) -> IntervalDual:
        right = self._lifted(other)
        value = self.value * right.value
        return IntervalDual(
            value, _broadcast(right.value * self._over(value) + self.value * right._over(value), value)
        )

    def __truediv__(self, other: Any) -> IntervalDual:
        right = self._lifted(other)
        value = self.value / right.value
        slope = (self._over(value) - value * right._over(value)) / right.value
        return IntervalDual(value, _broadcast(slope, value))

    def __rtruediv__(self, other: Any) -> IntervalDual:
        return self._lifted(other) / self

    __radd__ = __add__
    __rmul__ = __mul__

    def __pow__(self, exponent: float) -> IntervalDual:
        if exponent == 0.5:
            return _sqrt(self)
        value = self.value**exponent
        return (
            self
            if exponent == 1
            else _chain(self, value, self.value ** max(exponent - 1, 0) * float(exponent))
        )

    def __matmul__(self, other: Any) -> IntervalDual:
        return _product(self, other)

    def __rmatmul__(self, other: Any) -> IntervalDual:
        return _product(other, self)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        action = FUNCTIONS.get(ufunc.__name__)
        if method != "__call__" or options or action is None:
            plain.refuse(f"numpy's {ufunc.__name__} ({method})")
        if ufunc.nin == 1 or ufunc.__name__ == "power":
            return action(*inputs)
        if ufunc.__name__ == "matmul":
            return action(*inputs)
        return action(self._lifted(inputs[0]), self._lifted(inputs[1]))

    def __array_function__(self, function: Any, types: Any, arrays: Any, options: Any) -> Any:
        if function in (np.sum, np.mean):
            return getattr(self, function.__name__)(*arrays[1:], **options)
        if function not in (np.stack, np.concatenate):
            plain.refuse(f"numpy's {function.__name__}")
        parts = [self._lifted(part) for part in arrays[0]]
        axis = int((arrays[1:] or (options.get("axis", 0),))[0])
        value = function([part.value for part in parts], axis=axis)
        slope = function([part.slope for part in parts], axis=axis + 1 if axis >= 0 else axis)
        return IntervalDual(value, slope)

    def __bool__(self) -> bool:  # noqa: PLE0304 - it never returns
        plain.refuse("a truth value")

    def __float__(self) -> float:
        plain.refuse("a conversion to float")

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        plain.refuse("a conversion to an array of floats")

    def __eq__(self, other: object) -> bool:
        plain.refuse("a comparison")

    def __lt__(self, other: object) -> bool:
        plain.refuse("a comparison")

    __hash__ = None  # type: ignore[assignment]
    __le__ = __gt__ = __ge__ = __lt__

    def _lifted(self, other: Any) -> IntervalDual:
        if isinstance(other, IntervalDual):
            return other
        value = IntervalArray.of(other)
        return IntervalDual(value, IntervalArray.of(np.zeros((self.slope.shape[0], *value.shape))))

    def _over(self, value: IntervalArray) -> IntervalArray:
        # the slopes with axes of length 1 in front, so that they broadcast as the value does
        ones = (1,) * (value.ndim - self.ndim)
        return self.slope.reshape(self.slope.shape[0], *ones, *self.shape)


def interval_jacobian(step: Callable[[Any], Any], box: IntervalArray) -> tuple[IntervalArray, IntervalArray]:
    """Enclose the image and every Jacobian of a map over a box.

    Parameters
    ----------
    step
        The map, written with numpy's operators for one state `(d,)`.
    box : (d,)
        Where.

    Returns
    -------
    tuple of IntervalArray
        Image `(m,)` and Jacobian `(m, d)`: each contains its value at every point of the box.

    Raises
    ------
    InputError
        When the map uses an operation without an interval form, or gives no vector.

    References
    ----------
    Moore, Kearfott, Cloud (2009), doi:10.1137/1.9780898717716, chapters 5 and 6.

    Examples
    --------
    >>> box = IntervalArray(np.array([0.0, 1.0]), np.array([1.0, 2.0]))
    >>> image, slopes = interval_jacobian(lambda x: np.stack([x[0] * x[1], x[1] ** 2]), box)
    >>> image.high.round(6).tolist(), slopes.low.round(6).tolist()
    ([2.0, 4.0], [[1.0, -0.0], [-0.0, 2.0]])
    """
    size = box.shape[0]
    image = step(IntervalDual(box, IntervalArray.of(np.eye(size))))
    if not isinstance(image, IntervalDual):  # a constant
        value = IntervalArray.of(image)
        return value, IntervalArray.of(np.zeros((*value.shape, size)))
    if image.ndim != 1:
        raise InputError.of(
            expected="a map on intervals gives one vector", got=image.shape, fix="Stack its entries."
        )
    return image.value, image.slope.T


def _broadcast(slope: IntervalArray, value: IntervalArray) -> IntervalArray:
    shape = (slope.shape[0], *value.shape)
    return IntervalArray(np.broadcast_to(slope.low, shape), np.broadcast_to(slope.high, shape))


def _chain(x: IntervalDual, value: IntervalArray, derivative: IntervalArray) -> IntervalDual:
    return IntervalDual(value, derivative * x.slope)


def _product(left: Any, right: Any) -> IntervalDual:
    # a vector is a row on the left and a column on the right; its slopes need that axis written out
    sides = [
        side.value if isinstance(side, IntervalDual) else IntervalArray.of(side) for side in (left, right)
    ]
    value = sides[0] @ sides[1]
    terms = []
    if isinstance(left, IntervalDual):
        slope = left.slope.reshape(-1, 1, left.shape[0]) if left.ndim == 1 else left.slope
        terms.append(slope @ (sides[1].reshape(-1, 1) if sides[1].ndim == 1 else sides[1]))
    if isinstance(right, IntervalDual):
        slope = right.slope.reshape(-1, right.shape[0], 1) if right.ndim == 1 else right.slope
        terms.append((sides[0].reshape(1, -1) if sides[0].ndim == 1 else sides[0]) @ slope)
    whole = terms[0] + terms[1] if len(terms) == 2 else terms[0]
    return IntervalDual(value, whole.reshape(-1, *value.shape))


def _absolute(x: IntervalDual) -> IntervalDual:
    low, high = np.where(x.value.low > 0, 1.0, -1.0), np.where(x.value.high < 0, -1.0, 1.0)
    return _chain(x, plain.absolute(x.value), IntervalArray(low, high))


def _maximum(x: IntervalDual, y: IntervalDual) -> IntervalDual:
    value = plain.maximum(x.value, y.value)
    first, second = _broadcast(x._over(value), value), _broadcast(y._over(value), value)
    above, below = x.value.low > y.value.high, x.value.high < y.value.low
    low = np.where(above, first.low, np.where(below, second.low, np.minimum(first.low, second.low)))
    high = np.where(above, first.high, np.where(below, second.high, np.maximum(first.high, second.high)))
    return IntervalDual(value, IntervalArray(low, high))


def _sqrt(x: IntervalDual) -> IntervalDual:
    root = plain.sqrt(x.value)
    return _chain(x, root, 0.5 / root)


def _exp(x: IntervalDual) -> IntervalDual:
    value = plain.exp(x.value)
    return _chain(x, value, value)


def _tanh(x: IntervalDual) -> IntervalDual:
    value = plain.tanh(x.value)
    slope = 1.0 - plain.square(value)
    return _chain(x, value, IntervalArray(np.maximum(slope.low, 0.0), np.minimum(slope.high, 1.0)))


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - y,
    "multiply": lambda x, y: x * y,
    "divide": lambda x, y: x / y,
    "matmul": _product,
    "power": lambda x, y: x**y,
    "negative": lambda x: -x,
    "square": lambda x: x**2,
    "absolute": _absolute,
    "maximum": _maximum,
    "minimum": lambda x, y: -_maximum(-x, -y),
    "sqrt": _sqrt,
    "exp": _exp,
    "log": lambda x: _chain(x, plain.log(x.value), 1.0 / x.value),
    "tanh": _tanh,
    "cos": lambda x: _chain(x, plain.cos(x.value), -plain.sin(x.value)),
    "sin": lambda x: _chain(x, plain.sin(x.value), plain.cos(x.value)),
}
