"""What did a run find, in one plain sentence?"""

from __future__ import annotations

import re
from typing import Final

from limitset.core.errors import InputError
from limitset.library.holdings.records import Claim, Verdict

_PLACE: Final = re.compile(r"\{(?:(\w+)\.)?(value|low|high|n)(%?)\}")


def finding_of(claim: Claim, verdict: Verdict) -> str:
    """Say what a run found: the claim's own sentence for that outcome, filled with the run's numbers.

    Parameters
    ----------
    claim, verdict
        The claim and what one run said of it.

    Returns
    -------
    str
        One sentence with its interval; "" where the claim has none for this outcome, where a number is
        blank, or where the run was of another than the sentence speaks of: the user's own system, or other
        statistics than the claim tests by now.

    Raises
    ------
    InputError
        When the sentence names a statistic that the claim does not test.

    Examples
    --------
    >>> from limitset.library.holdings.library import BUILTIN, Library
    >>> from limitset.library.holdings.shelf import Shelf
    >>> library = Library((Shelf(BUILTIN, builtin=True),))
    >>> finding_of(library.claims["33b"], library.verdict("33b"))[-1:] in (".", "")
    True
    """
    said = {"holds": claim.finding.holds, "fails": claim.finding.fails}
    effects = {one.statistic: one for one in verdict.effects}
    tested = {test.statistic for test in claim.tests}
    template = said.get(verdict.value, "") if verdict.own else ""
    blank = set(effects) != tested

    def filled(found: re.Match[str]) -> str:
        nonlocal blank
        name, part, share = found.groups()
        if name and name not in tested:
            raise InputError.of(
                expected=f"the finding of claim {claim.id} names statistics that it tests",
                got=name,
                fix=f"Name one of {', '.join(sorted(tested))}.",
            )
        effect = effects.get(name) if name else verdict.effect
        number = getattr(effect, part, None)
        if number is None:
            blank = True
            return ""
        return _written(number, percent=bool(share), whole=part == "n")

    sentence = _PLACE.sub(filled, template)
    return "" if blank else sentence


def _written(number: float, *, percent: bool, whole: bool) -> str:
    """Write a number as a reader reads it.

    Examples
    --------
    >>> _written(0.906, percent=True, whole=False), _written(1.0042, percent=False, whole=False)
    ('91', '1.00')
    >>> _written(24.0, percent=False, whole=True), _written(-0.0004, percent=True, whole=False)
    ('24', '0')
    """
    if whole:
        return f"{number:,.0f}"
    if percent:
        return f"{round(100 * number) + 0.0:.0f}"
    return f"{number:.2f}" if 0.1 <= abs(number) < 10 else f"{number:.3g}"
