"""Between which numbers does the true value of an expression lie, whatever the rounding?

Arrays of intervals with outward rounding. Elementary operations of IEEE floats err by half a unit in the last
place, so one `nextafter` outward encloses them; numpy's exp, log, tanh, cos, sin err by less than
`LIBRARY_ULPS`, and are moved outward by that much. Matrix products are taken by midpoint and radius with the
bound gamma_n for sums in any order.

mpmath's `iv` and python-flint's `arb` enclose numbers one by one, to any precision; this is for arrays.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NoReturn

import numpy as np
from numpy.typing import ArrayLike

from limitset.core.errors import InputError

LIBRARY_ULPS: Final = 4
"""numpy and the C libraries below it state at most 4 units in the last place for these functions."""
UNIT: Final = 2.0**-53
LARGEST_ANGLE: Final = 2.0**20
"""cos and sin of larger angles are only known to lie in [-1, 1]."""
Number = float | int | np.ndarray


class OutsideDomainError(InputError):
    """A divisor, root or logarithm may be taken where it does not exist: a larger box says nothing."""


@dataclass(frozen=True, eq=False, init=False)
class IntervalArray:
    """An array whose entries are intervals; every operation encloses the result of exact arithmetic.

    Parameters
    ----------
    low, high
        Ends, float64 arrays of one shape, low <= high; +-inf for no bound.

    Raises
    ------
    InputError
        When an end is NaN, low > high, or intervals are compared or turned into numbers.

    Notes
    -----
    A variable that appears twice is treated as two: x - x is [low - high, high - low], not 0. Write x**2
    for x * x. A decimal such as 0.1 means the float nearest to it. Comparisons are refused, and so are
    divisors around 0: a function that runs on an interval has no branch and no pole there, so it is
    continuous.

    References
    ----------
    Moore, Kearfott, Cloud (2009), doi:10.1137/1.9780898717716; Rump (2010), doi:10.1017/S096249291000005X,
    section 9 (midpoint and radius).

    Examples
    --------
    >>> x = IntervalArray(np.array([-1.0, 0.0]), np.array([2.0, 1.0]))
    >>> (x**2).high.tolist(), bool(np.cos(x).low[1] < np.cos(1.0) < 1 <= np.cos(x).high[1])
    ([4.000000000000001, 1.0000000000000002], True)
    """

    low: np.ndarray
    high: np.ndarray

    def __init__(self, low: ArrayLike, high: ArrayLike) -> None:
        low, high = np.array(low, dtype=np.float64), np.array(high, dtype=np.float64)
        if low.shape != high.shape or not (low <= high).all():  # NaN is not <= either
            raise InputError.of(
                expected="intervals have ends of one shape, low <= high and no NaN",
                got=f"shapes {low.shape} and {high.shape}",
                fix="Swap the ends or look for NaN.",
            )
        for name, end in (("low", low), ("high", high)):
            end.setflags(write=False)
            object.__setattr__(self, name, end)

    @classmethod
    def of(cls, value: IntervalArray | Number) -> IntervalArray:
        """Take floats as they are; an interval stays."""
        return value if isinstance(value, IntervalArray) else cls(value, value)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array."""
        return self.low.shape

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self.low.ndim

    @property
    def T(self) -> IntervalArray:  # noqa: N802 - as numpy says
        """The transpose."""
        return IntervalArray(self.low.T, self.high.T)

    @property
    def middle(self) -> np.ndarray:
        """A float in each interval, near its middle (0 on the whole line)."""
        with np.errstate(invalid="ignore", over="ignore"):
            middle = self.low / 2 + self.high / 2
        return np.asarray(
            np.minimum(np.maximum(np.where(np.isnan(middle), 0.0, middle), self.low), self.high)
        )

    @property
    def radius(self) -> np.ndarray:
        """How far the ends lie from `middle` at most, rounded up."""
        with np.errstate(invalid="ignore"):
            middle = self.middle
            return _up(np.maximum(self.high - middle, middle - self.low))

    @property
    def magnitude(self) -> np.ndarray:
        """Largest absolute value in each interval."""
        return np.asarray(np.maximum(np.abs(self.low), np.abs(self.high)))

    def contains(self, values: Number) -> bool:
        """Whether every value lies in its interval."""
        return bool(((self.low <= values) & (values <= self.high)).all())

    def within(self, other: IntervalArray) -> bool:
        """Whether every interval lies in that of `other`."""
        return bool(((other.low <= self.low) & (self.high <= other.high)).all())

    def __getitem__(self, index: Any) -> IntervalArray:
        return IntervalArray(self.low[index], self.high[index])

    def __len__(self) -> int:
        return len(self.low)

    def reshape(self, *shape: int) -> IntervalArray:
        """View under another shape."""
        return IntervalArray(self.low.reshape(*shape), self.high.reshape(*shape))

    def sum(self, axis: int | None = None) -> IntervalArray:
        """Sum along an axis, or over all."""
        terms = self.low.size if axis is None else self.low.shape[axis]
        spread = _up(_up(np.abs(self.magnitude).sum(axis=axis) * (1 + 4 * terms * UNIT)) * _gamma(terms))
        return _hull(self.low.sum(axis=axis) - spread, self.high.sum(axis=axis) + spread)

    def mean(self, axis: int | None = None) -> IntervalArray:
        """Mean along an axis, or over all."""
        return self.sum(axis) / float(self.low.size if axis is None else self.low.shape[axis])

    def __neg__(self) -> IntervalArray:
        return IntervalArray(-self.high, -self.low)

    def __add__(self, other: IntervalArray | Number) -> IntervalArray:
        if not isinstance(other, OPERANDS):
            return NotImplemented
        right = IntervalArray.of(other)
        with np.errstate(invalid="ignore", over="ignore"):
            return _hull(self.low + right.low, self.high + right.high)

    def __sub__(self, other: IntervalArray | Number) -> IntervalArray:
        return self + (-IntervalArray.of(other)) if isinstance(other, OPERANDS) else NotImplemented

    def __rsub__(self, other: Number) -> IntervalArray:
        return IntervalArray.of(other) + (-self)

    def __mul__(self, other: IntervalArray | Number) -> IntervalArray:
        if not isinstance(other, OPERANDS):
            return NotImplemented
        right = IntervalArray.of(other)
        with np.errstate(invalid="ignore", over="ignore"):
            ends = [a * b for a in (self.low, self.high) for b in (right.low, right.high)]
        # 0 times an unbounded end: the bound is 0 there, since every number in the interval is finite
        finite = [np.where(np.isnan(end), 0.0, end) for end in ends]
        return _hull(np.minimum.reduce(finite), np.maximum.reduce(finite))

    def __truediv__(self, other: IntervalArray | Number) -> IntervalArray:
        if not isinstance(other, OPERANDS):
            return NotImplemented
        right = IntervalArray.of(other)
        if ((right.low <= 0) & (right.high >= 0)).any():
            _outside("a divisor without 0")
        with np.errstate(over="ignore", under="ignore"):
            return self * _hull(1.0 / right.high, 1.0 / right.low)

    def __rtruediv__(self, other: Number) -> IntervalArray:
        return IntervalArray.of(other) / self

    __radd__ = __add__
    __rmul__ = __mul__

    def __pow__(self, exponent: float) -> IntervalArray:
        if exponent == 0.5:
            return sqrt(self)
        if exponent != int(exponent) or exponent < 0:
            raise InputError.of(
                expected="powers of intervals are 0.5, 0, 1, 2, ...",
                got=exponent,
                fix="Use exp and log, or 1 / x.",
            )
        if exponent < 2:
            return self if exponent else IntervalArray.of(np.ones(self.shape))
        result = square(self)
        for _ in range(int(exponent) // 2 - 1):
            result = result * square(self)
        return result * self if int(exponent) % 2 else result

    def __matmul__(self, other: IntervalArray | Number) -> IntervalArray:
        return _product(self, IntervalArray.of(other)) if isinstance(other, OPERANDS) else NotImplemented

    def __rmatmul__(self, other: Number) -> IntervalArray:
        return _product(IntervalArray.of(other), self)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        action = FUNCTIONS.get(ufunc.__name__)
        if method != "__call__" or options or action is None:
            refuse(f"numpy's {ufunc.__name__} ({method})")
        return action(*inputs)

    def __array_function__(self, function: Any, types: Any, arrays: Any, options: Any) -> Any:
        if function in (np.sum, np.mean):
            return getattr(self, function.__name__)(*arrays[1:], **options)
        if function not in (np.stack, np.concatenate):
            refuse(f"numpy's {function.__name__}")
        parts = [IntervalArray.of(part) for part in arrays[0]]
        low, high = ([getattr(part, end) for part in parts] for end in ("low", "high"))
        return IntervalArray(function(low, *arrays[1:], **options), function(high, *arrays[1:], **options))

    def __bool__(self) -> bool:  # noqa: PLE0304 - it never returns
        refuse("a truth value")

    def __float__(self) -> float:
        refuse("a conversion to float")

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        refuse("a conversion to an array of floats")

    def __eq__(self, other: object) -> bool:
        refuse("a comparison")

    def __lt__(self, other: object) -> bool:
        refuse("a comparison")

    __hash__ = None  # type: ignore[assignment]
    __le__ = __gt__ = __ge__ = __lt__


def refuse(what: str) -> NoReturn:
    """Say that intervals have no such operation."""
    raise InputError.of(
        expected="a map on intervals uses + - * / @ **, abs, maximum, minimum, square, sqrt, exp, log, tanh, "
        "cos, sin, sums and indices",
        got=what,
        fix="Write the map with these; min and max instead of branches.",
    )


def _outside(what: str) -> NoReturn:
    raise OutsideDomainError.of(
        expected=what, got="an interval that reaches beyond", fix="Bound it away from 0."
    )


def square(x: IntervalArray) -> IntervalArray:
    """Enclose x^2, at least 0."""
    size = absolute(x)
    with np.errstate(over="ignore", under="ignore"):
        squared = _hull(size.low**2, size.high**2)
    return IntervalArray(np.maximum(squared.low, 0.0), squared.high)


def absolute(x: IntervalArray) -> IntervalArray:
    """Enclose |x|."""
    across = (x.low <= 0) & (x.high >= 0)
    return IntervalArray(np.where(across, 0.0, np.minimum(np.abs(x.low), np.abs(x.high))), x.magnitude)


def maximum(x: IntervalArray | Number, y: IntervalArray | Number) -> IntervalArray:
    """Take the larger of two, entry by entry."""
    left, right = IntervalArray.of(x), IntervalArray.of(y)
    return IntervalArray(np.maximum(left.low, right.low), np.maximum(left.high, right.high))


def sqrt(x: IntervalArray) -> IntervalArray:
    """Take the root; refused where numbers below 0 are possible."""
    if (x.low < 0).any():
        _outside("a root of 0 or more")
    root = _hull(np.sqrt(x.low), np.sqrt(x.high))
    return IntervalArray(np.maximum(root.low, 0.0), root.high)


def exp(x: IntervalArray) -> IntervalArray:
    """Enclose e^x, at least 0."""
    with np.errstate(over="ignore", under="ignore"):
        return _monotone(np.exp, x, 0.0, math.inf)


def log(x: IntervalArray) -> IntervalArray:
    """Take the natural logarithm; refused where numbers of 0 or below are possible."""
    if (x.low <= 0).any():
        _outside("a logarithm of numbers above 0")
    return _monotone(np.log, x, -math.inf, math.inf)


def tanh(x: IntervalArray) -> IntervalArray:
    """Enclose the hyperbolic tangent, in [-1, 1]."""
    return _monotone(np.tanh, x, -1.0, 1.0)


def cos(x: IntervalArray) -> IntervalArray:
    """Enclose the cosine, in [-1, 1]."""
    return _wave(np.cos, x, 0.0)


def sin(x: IntervalArray) -> IntervalArray:
    """Enclose the sine, in [-1, 1]."""
    return _wave(np.sin, x, 0.5)


def _wave(function: Callable[..., Any], x: IntervalArray, shift: float) -> IntervalArray:
    # extrema at (k + shift) pi, maxima for even k; turns are counted with room for the rounding of x / pi
    inside = (np.abs(x.low) < LARGEST_ANGLE) & (np.abs(x.high) < LARGEST_ANGLE)
    low, high = np.where(inside, x.low, 0.0), np.where(inside, x.high, 0.0)
    # near a zero the value is small and its error is not: 1e-15 is added
    ends = [_monotone(function, IntervalArray(x, x), -1.0, 1.0, slack=1e-15) for x in (low, high)]
    first = np.ceil(low / math.pi - shift - 1e-9)
    last = np.floor(high / math.pi - shift + 1e-9)
    top = (np.ceil(first / 2) * 2 <= last) | ~inside
    bottom = (np.ceil((first - 1) / 2) * 2 + 1 <= last) | ~inside
    return IntervalArray(
        np.where(bottom, -1.0, np.minimum(ends[0].low, ends[1].low)),
        np.where(top, 1.0, np.maximum(ends[0].high, ends[1].high)),
    )


def _monotone(
    function: Callable[..., Any], x: IntervalArray, least: float, most: float, *, slack: float = 1e-320
) -> IntervalArray:
    ends = [
        (end, 2 * LIBRARY_ULPS * UNIT * np.abs(end) + slack) for end in (function(x.low), function(x.high))
    ]
    low, high = _down(ends[0][0] - ends[0][1]), _up(ends[1][0] + ends[1][1])
    return IntervalArray(np.maximum(low, least), np.minimum(high, most))


def _product(left: IntervalArray, right: IntervalArray) -> IntervalArray:
    middle, other = left.middle, right.middle
    radius, spread = left.radius, right.radius
    if not all(np.isfinite(part).all() for part in (middle, other, radius, spread)):
        shape = np.matmul(np.zeros(left.shape), np.zeros(right.shape)).shape
        return IntervalArray(np.full(shape, -np.inf), np.full(shape, np.inf))
    terms = left.shape[-1]
    # |A B - fl(mA mB)| <= |mA| rB + rA (|mB| + rB) + gamma |mA| |mB|, and each of these products rounds too
    size, reach = np.abs(middle), np.abs(other)
    width = size @ (spread + _gamma(terms + 2) * reach) + radius @ (reach + spread)
    width = _up(np.asarray(width) * (1 + 4 * _gamma(terms + 4)) + 1e-290)
    product = np.asarray(middle @ other)
    return _hull(product - width, product + width)


def _gamma(terms: int) -> float:
    return terms * UNIT / (1 - terms * UNIT) * (1 + 1e-12)


def _hull(low: Any, high: Any) -> IntervalArray:
    # NaN comes from inf - inf: nothing is known on that side
    return IntervalArray(
        _down(np.where(np.isnan(low), -np.inf, low)), _up(np.where(np.isnan(high), np.inf, high))
    )


def _down(values: Any) -> np.ndarray:
    return np.asarray(np.nextafter(values, -np.inf))


def _up(values: Any) -> np.ndarray:
    return np.asarray(np.nextafter(values, np.inf))


OPERANDS: Final = (IntervalArray, float, int, np.ndarray, np.number)
FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "add": lambda x, y: IntervalArray.of(x) + y,
    "subtract": lambda x, y: IntervalArray.of(x) - y,
    "multiply": lambda x, y: IntervalArray.of(x) * y,
    "divide": lambda x, y: IntervalArray.of(x) / y,
    "matmul": lambda x, y: IntervalArray.of(x) @ y,
    "power": lambda x, y: x**y,
    "negative": lambda x: -x,
    "square": square,
    "absolute": absolute,
    "maximum": maximum,
    "minimum": lambda x, y: -maximum(-IntervalArray.of(x), -IntervalArray.of(y)),
    "sqrt": sqrt,
    "exp": exp,
    "log": log,
    "tanh": tanh,
    "cos": cos,
    "sin": sin,
}
