"""Is an answer a property of the point a net iterates to, or of the path it has learned?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from limitset.core.errors import InputError
from limitset.core.other_ways import SWAPPED_SOLVER, SWAPPED_START, PathIndependence
from limitset.core.results import Measurement

INSTRUMENT: Final = "template_or_iteration"
VERSION: Final = 1


class Origin(StrEnum):
    """Where an answer comes from."""

    ITERATES = "iterates"
    """From the point: every way leads to it, and going on does not lose it."""
    REPLAYS = "replays"
    """From the path: another way leads elsewhere."""
    CANT_TELL = "can't tell"


@dataclass(frozen=True, kw_only=True, eq=False)
class TemplateOrIteration:
    """Whether answers are a property of the point or of the path.

    Parameters
    ----------
    verdict
        By the rule of `template_or_iteration`.
    reason
        One sentence that says what decided.
    """

    verdict: Origin
    reason: str


def template_or_iteration(
    arms: Sequence[PathIndependence],
    *,
    beyond: Measurement | None,
    same_bar: float = 0.8,
    other_bar: float = 0.5,
    loss_bar: float = 0.05,
) -> TemplateOrIteration:
    """Decide whether a net iterates towards a point or replays a path it has learned.

    *Iterates* when a swapped start and a swapped solver were both tried, the lower bound of every arm's same
    share is above `same_bar`, and the lower bound of the change of accuracy beyond the trained steps is above
    ``-loss_bar``. *Replays* when, in some arm, the upper bound of the same share is below `other_bar` and one
    of these holds: of the inputs that settled both ways, the lower bound of the share that settled surely
    apart is above ``1 - other_bar``; the upper bound of
    the change of right answers under the swap is below ``-loss_bar``; the upper bound of the change beyond
    the trained steps is. An arm that leads to other places that are as right (lower bound of the change above
    ``-loss_bar``, lower bound of the right share above `other_bar`) refutes nothing: the input has several
    limits. Else it *can't tell*.

    Parameters
    ----------
    arms
        One or more, of the same net.
    beyond
        Change of accuracy from the trained steps to far beyond them, with its interval (`beyond_training`);
        None where no anchor says what is right.
    same_bar, other_bar
        Shares in [0, 1], `other_bar` not above `same_bar`; fixed before measuring.
    loss_bar
        Loss of accuracy that does not count, in [0, 1].

    Returns
    -------
    TemplateOrIteration
        The verdict and the sentence behind it.

    Raises
    ------
    InputError
        Without arms, or when the bars are not in order.

    Notes
    -----
    A net that converges too slowly for the steps it was given settles nowhere, or stops on the way at places
    near each other: that alone is never called replaying. Without an anchor a net is never said to iterate.

    References
    ----------
    Own definition of the rule. Anil et al. (2022), arXiv:2211.09961 (swapped starts); Bansal et al. (2022),
    arXiv:2202.05826 (accuracy far beyond the trained steps).

    Examples
    --------
    >>> import numpy as np
    >>> from limitset.instruments.dynamics.path_independence import path_independence
    >>> ends = np.random.default_rng(0).normal(size=(200, 8))
    >>> still = {"residual_own": np.zeros(200), "residual_other": np.zeros(200), "tolerance": 1e-3}
    >>> moved = path_independence(ends, ends[::-1].copy(), **still)
    >>> template_or_iteration([moved], beyond=None).verdict
    <Origin.REPLAYS: 'replays'>
    """
    if not arms or not 0 <= other_bar <= same_bar <= 1 or not 0 <= loss_bar <= 1:
        raise InputError.of(
            expected="one arm at least and bars with 0 <= other_bar <= same_bar <= 1, 0 <= loss_bar <= 1",
            got=f"{len(arms)} arms, bars {other_bar}, {same_bar}, {loss_bar}",
            fix="Change these.",
        )
    falls = beyond is not None and beyond.high < -loss_bar
    elsewhere = [arm for arm in arms if arm.same.high < other_bar]
    several = [arm for arm in elsewhere if _as_right(arm, loss_bar, other_bar)]
    for arm in elsewhere:
        settled_elsewhere = arm.elsewhere.low > 1 - other_bar
        if arm not in several and (settled_elsewhere or arm.right_change.high < -loss_bar or falls):
            reason = f"at least {1 - arm.same.high:.0%} of inputs do not come to the same place."
            if settled_elsewhere:
                reason = f"of inputs at rest, at least {arm.elsewhere.low:.0%} are elsewhere."
            return TemplateOrIteration(verdict=Origin.REPLAYS, reason=f"{arm.arm}: {reason}")
    low = min(arms, key=lambda arm: arm.same.low)
    missing = [name for name in (SWAPPED_START, SWAPPED_SOLVER) if name not in {arm.arm for arm in arms}]
    doubts = (
        (bool(several), f"{(several or arms)[0].arm} leads to other places that are as right."),
        (
            bool(elsewhere),
            f"{(elsewhere or arms)[0].arm}: ends are not at rest, or too near to tell; run it longer.",
        ),
        (low.same.low <= same_bar, f"{low.arm}: the same share may be as low as {low.same.low:.0%}."),
        (bool(missing), f"No {' and no '.join(missing)} was tried."),
        (beyond is None, "Accuracy beyond the trained steps was not measured."),
        (falls, "Every way leads to the same place, but accuracy falls beyond the trained steps."),
        (
            beyond is not None and not beyond.low > -loss_bar,
            "The interval of accuracy beyond the trained steps does not exclude a loss.",
        ),
    )
    for doubted, reason in doubts:
        if doubted:
            return TemplateOrIteration(verdict=Origin.CANT_TELL, reason=reason)
    return TemplateOrIteration(
        verdict=Origin.ITERATES,
        reason=f"At least {low.same.low:.0%} of inputs come to the same place from every arm.",
    )


def _as_right(arm: PathIndependence, loss_bar: float, other_bar: float) -> bool:
    return arm.right_change.low > -loss_bar and arm.right_after.low > other_bar
