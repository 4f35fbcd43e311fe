"""How near is a contraction's orbit to its fixed point, and after how many steps is it near enough?"""

from __future__ import annotations

import math

from limitset.core.errors import InputError


def banach_error(factor: float, *, first_step: float) -> float:
    r"""Bound how far the image of a start is from the fixed point of a contraction.

    .. math:: \|x_1 - x^*\| \le \frac{q}{1 - q} \|x_1 - x_0\|

    Parameters
    ----------
    factor
        Contraction factor q in [0, 1).
    first_step
        ||x_1 - x_0||, the length of one step, 0 or more.

    Returns
    -------
    float
        Bound in the unit of the state.

    Raises
    ------
    InputError
        When q is outside [0, 1) or the length is negative.

    References
    ----------
    Banach (1922), doi:10.4064/fm-3-1-133-181, theorem 6.

    Examples
    --------
    >>> banach_error(0.5, first_step=0.1)
    0.1
    """
    _require_factor(factor, first_step)
    return factor / (1 - factor) * first_step


def banach_steps(factor: float, *, first_step: float, tolerance: float) -> int:
    r"""Bound the steps after which a contraction is within `tolerance` of its fixed point.

    .. math:: \|x_n - x^*\| \le \frac{q^n}{1 - q} \|x_1 - x_0\|

    Parameters
    ----------
    factor
        Contraction factor q in [0, 1).
    first_step
        ||x_1 - x_0||.
    tolerance
        Distance wanted, above 0.

    Returns
    -------
    int
        Steps n that are enough; fewer may do.

    Raises
    ------
    InputError
        When q is outside [0, 1), the length is negative, or the tolerance is not above 0.

    References
    ----------
    Banach (1922), doi:10.4064/fm-3-1-133-181, theorem 6.

    Examples
    --------
    >>> banach_steps(0.5, first_step=1.0, tolerance=0.01)  # 2 / 2^8 = .0078
    8
    """
    _require_factor(factor, first_step)
    if tolerance <= 0:
        raise InputError.of(expected="a tolerance above 0", got=tolerance, fix="Raise it.")
    start = first_step / (1 - factor)
    if start <= tolerance:
        return 0
    return 1 if factor == 0 else math.ceil(math.log(tolerance / start) / math.log(factor) - 1e-12)


def _require_factor(factor: float, first_step: float) -> None:
    if not (0 <= factor < 1 and first_step >= 0):
        raise InputError.of(
            expected="a factor in [0, 1) and a length of 0 or more",
            got=f"{factor}, {first_step}",
            fix="Use the proved factor of a contraction.",
        )
