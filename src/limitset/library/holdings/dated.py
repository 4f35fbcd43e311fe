"""Until when is something that was true on a day worth as much as on that day?"""

from __future__ import annotations

import datetime as dt

from limitset.core.errors import InputError


def day_of(text: str) -> dt.date:
    """Read a date, "2026-11-22" or "22 Nov 2026".

    Examples
    --------
    >>> day_of("22 Nov 2026") == day_of("2026-11-22")
    True
    """
    for form in ("%Y-%m-%d", "%d %b %Y"):
        try:
            return dt.datetime.strptime(text, form).date()
        except ValueError:
            continue
    raise InputError.of(
        expected="a date is written 2026-11-22 or 22 Nov 2026", got=text or "nothing", fix="Write it so."
    )


def freshness(since: dt.date, today: dt.date, half_life_days: int) -> float:
    """Return what is left of one after so many days: 2^(-age / half-life).

    Parameters
    ----------
    since
        The day on which it was last looked at; a day to come counts as today.
    today
        The day of the question.
    half_life_days
        Days after which it is worth half.

    Returns
    -------
    float
        In (0, 1].

    Examples
    --------
    >>> freshness(dt.date(2026, 1, 1), dt.date(2026, 1, 31), 30)
    0.5
    """
    age: float = max((today - since).days, 0)
    return float(2.0 ** (-age / half_life_days))
