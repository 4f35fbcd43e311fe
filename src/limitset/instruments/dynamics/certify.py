"""What can be proved about the fixed points of a map on a set, and which hypothesis fails?"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from scipy import stats

from limitset.core.columns import frozen
from limitset.core.errors import InputError
from limitset.core.levels import Level
from limitset.core.limit_sets import Certificate
from limitset.core.protocols import SelfMap
from limitset.core.results import Measurement
from limitset.numerics.enclosing.certifications import (
    BANACH,
    BROUWER,
    Certification,
    Standing,
    strongest,
    weakest,
)
from limitset.numerics.enclosing.contradictions import require_same_map, require_theorems
from limitset.numerics.enclosing.interval_arithmetic import OutsideDomainError
from limitset.numerics.enclosing.krawczyk import KrawczykBox, enclose_point, krawczyk
from limitset.numerics.enclosing.regions import Ball, Box, Region
from limitset.numerics.enclosing.sampled_facts import Facts, sampled_facts
from limitset.numerics.enclosing.sweeps import Sweep, sweep
from limitset.numerics.vector_map import VectorMap

INSTRUMENT: Final = "certify"
VERSION: Final = 1
LARGEST_FACTOR: Final = 1 - 1e-9
"""A factor above it is no contraction here: its error bound would be a thousand million steps wide."""


def certify(
    map: SelfMap[Any],
    *,
    region: Region,
    interval_step: Callable[[Any], Any] | None = None,
    image_radius: float = math.inf,
    factor: float = math.inf,
    shape: tuple[int, ...] | None = None,
    row: int = 0,
    samples: int = 1024,
    pieces: int = 256,
    rng: np.random.Generator,
) -> Certification:
    r"""Test each hypothesis of Brouwer's and Banach's theorems apart, and conclude no more than they allow.

    .. math:: f(K) \subseteq K \text{ compact convex} \Rightarrow \exists x = f(x); \qquad
        \|f(x) - f(y)\| \le q \|x - y\|,\ q < 1,\ K \text{ closed} \Rightarrow \text{unique, reached}

    A hypothesis is refuted by one witness, PROVED by interval arithmetic or by a bound that you state, and
    EMPIRICAL where `samples` draws found nothing against it. A conclusion stands as its weakest hypothesis.
    Krawczyk's operator may prove existence where Brouwer's theorem is silent; a bound on ||f(x) - x|| over a
    cover of the set may prove that nothing is fixed.

    Parameters
    ----------
    map
        The map, on float64 states.
    region
        `Box`, `OpenBox`, `Ball`, `Sphere`, or a subclass of yours; points are vectors `(d,)`.
    interval_step
        The same map for one state `(d,)`, written with numpy's operators: proofs need it.
    image_radius
        Your theorem, for a ball around c: ||f(x) - c|| <= image_radius for all x in it. inf: none.
    factor
        Your theorem: a Lipschitz constant of the map on the region, in the Euclidean norm. inf: none.
    shape
        Shape of one state for the map; `(d,)` where None.
    row
        Which start's input is held.
    samples
        Draws, 8 or more.
    pieces
        Boxes that cover the region in interval arithmetic (one where d is too large to cut).
    rng
        Source of the draws.

    Returns
    -------
    Certification
        See there.

    Raises
    ------
    InputError
        When `interval_step` is another map, or a stated theorem is false at a drawn point.

    Notes
    -----
    PROVED speaks of real numbers and counts the rounding of every interval operation (`interval_arithmetic`);
    it rests on numpy's functions to 4 units in the last place, on `interval_step` being the map (compared
    with `map` at drawn points only), and on your `image_radius` and `factor`. EMPIRICAL existence is no
    proof: a set of small share that is mapped outside goes unseen (`escape.high` bounds it, for the draws:
    half of them lie on the boundary). A contraction is asked for in the Euclidean norm; another norm may
    have one.

    References
    ----------
    Brouwer (1911), doi:10.1007/BF01456931; Banach (1922), doi:10.4064/fm-3-1-133-181; Krawczyk (1969),
    doi:10.1007/BF02234767.

    Examples
    --------
    >>> from limitset.maps.known import cosine
    >>> found = certify(cosine(), region=Box(np.zeros(1), np.ones(1)), interval_step=np.cos,
    ...     rng=np.random.default_rng(0))
    >>> found.verdict, round(found.factor.high, 3)
    ('exactly one fixed point, reached from everywhere in the set', 0.841)
    """
    if samples < 8 or pieces < 1:
        raise InputError.of(
            expected="8 samples and 1 piece or more", got=f"{samples}, {pieces}", fix="Raise them."
        )
    f = VectorMap(map=map, shape=(region.dimension,) if shape is None else shape)
    facts = sampled_facts(f, region, samples=samples, row=row, rng=rng)
    enclosure = None if interval_step is None else _enclosure(interval_step, region, facts)
    halvings = 0 if enclosure else pieces  # to show that nothing is fixed
    swept = interval_step and sweep(interval_step, region, pieces=pieces, halvings=halvings)
    bound = min(factor, math.inf if swept is None else swept.factor)
    require_theorems(facts, region, image_radius=image_radius, factor=factor)
    if interval_step is not None and swept is not None:
        require_same_map(interval_step, facts, region, swept)

    inside = isinstance(region, Ball) and region.convex and image_radius <= region.radius
    inside |= swept is not None and swept.inside
    jumps = facts.jump.size > 0
    steep = facts.slopes.size > 0 and float(facts.slopes.max()) > 1 + 1e-9
    flat = facts.slopes.size > 0 and float(facts.slopes.max()) < 1 and not jumps
    stretched = facts.ratio > LARGEST_FACTOR
    # slopes bound the ratios of distances on convex sets alone; a stated factor holds for pairs
    shrinks = factor <= LARGEST_FACTOR or (bound <= LARGEST_FACTOR and region.convex)
    standings: dict[str, Standing] = {
        "continuous": _stands(swept is not None and swept.continuous, jumps),
        "closed": Certificate.PROVED if region.closed else Certificate.REFUTED,
        "bounded": Certificate.PROVED if region.bounded else Certificate.REFUTED,
        "convex": Certificate.PROVED if region.convex else Certificate.REFUTED,
        "self_map": _stands(inside, bool(facts.outside.any())),
        "slope_below_one": _stands(bound < 1, steep) if bound < 1 or flat or steep else None,
        "contraction": _stands(shrinks, stretched),
    }
    hypotheses = {name: standing for name, standing in standings.items() if standing is not None}
    gap = 0.0 if swept is None else swept.gap
    conclusions = _conclusions(hypotheses, gap, enclosure)
    if (
        interval_step is not None
        and enclosure is not None
        and isinstance(region, Box | Ball)
        and region.bounded
    ):
        conclusions |= _alone(interval_step, region)
    return Certification(
        hypotheses=MappingProxyType(hypotheses),
        conclusions=MappingProxyType(conclusions),
        witnesses=MappingProxyType(_witnesses(hypotheses, facts, region)),
        factor=_factor(facts, bound),
        gap=_gap(facts, gap),
        escape=_escape(facts),
        enclosure=frozen(_ends(enclosure, region.dimension)),
        notes=_notes(hypotheses, conclusions, swept, image_radius, factor),
    )


def _stands(proved: bool, refuted: bool) -> Certificate:
    if refuted:
        return Certificate.REFUTED
    return Certificate.PROVED if proved else Certificate.EMPIRICAL


def _conclusions(
    hypotheses: Mapping[str, Certificate], gap: float, enclosure: KrawczykBox | None
) -> dict[str, Certificate]:
    brouwer, banach = weakest(hypotheses, BROUWER), weakest(hypotheses, BANACH)
    if gap > 0:
        if Certificate.PROVED in {brouwer, banach}:
            raise InputError.of(
                expected="what is proved must agree",
                got=f"no fixed point (gap {gap:.3g}) beside a theorem that there is one",
                fix="Check image_radius and factor.",
            )
        return {"existence": Certificate.REFUTED}
    found: dict[str, Standing] = {
        "existence": strongest(brouwer, banach, Certificate.PROVED if enclosure else None),
        "uniqueness": banach,
        "reach": banach,
        "stability": strongest(
            banach, Certificate.PROVED if enclosure and enclosure.spectral_radius < 1 else None
        ),
    }
    return {name: standing for name, standing in found.items() if standing is not None}


def _enclosure(step: Callable[[Any], Any], region: Region, facts: Facts) -> KrawczykBox | None:
    start = int(np.argmin(np.linalg.norm(facts.images - facts.points, axis=1)))
    try:
        found = enclose_point(step, facts.points[start])
    except OutsideDomainError:
        return None
    return found if found.unique and region.holds(found.image) else None


def _ends(enclosure: KrawczykBox | None, size: int) -> np.ndarray:
    return np.stack([enclosure.image.low, enclosure.image.high]) if enclosure else np.empty((0, size))


def _alone(step: Callable[[Any], Any], region: Region) -> dict[str, Certificate]:
    # one fixed point in the whole box, or in the cube around the ball
    around = next(iter((region if isinstance(region, Box) else region.cube()).cover(1)))
    try:
        return {"uniqueness": Certificate.PROVED} if krawczyk(step, around).unique else {}
    except OutsideDomainError:
        return {}


def _witnesses(hypotheses: Mapping[str, Certificate], facts: Facts, region: Region) -> dict[str, np.ndarray]:
    seconds = np.roll(facts.points, 1, axis=0)
    chord = int(np.argmax(region.excess((facts.points + seconds) / 2)))
    worst = int(np.argmax(np.where(facts.outside, region.excess(facts.images), -1.0)))
    steepest = int(np.argmax(facts.slopes)) if facts.slopes.size else 0
    points = {
        "continuous": facts.jump,
        "convex": np.stack([facts.points[chord], seconds[chord]]),
        "self_map": facts.points[worst : worst + 1],
        "slope_below_one": facts.points[steepest : steepest + 1],
        "contraction": facts.pair,
    }
    refuted = {name for name, standing in hypotheses.items() if standing is Certificate.REFUTED}
    return {name: frozen(np.array(points[name])) for name in points if name in refuted}


def _number(name: str, value: float, facts: Facts, **more: Any) -> Measurement:
    blank = "" if math.isfinite(value) else "the map gave no finite number at the points drawn"
    return Measurement(
        instrument=INSTRUMENT,
        version=VERSION,
        level=Level.HIDDEN,
        value=value if math.isfinite(value) else math.nan,
        blank_reason=blank,
        n=len(facts.points),
        parameters={"quantity": name},
        **more,
    )


def _factor(facts: Facts, bound: float) -> Measurement:
    seen = max(facts.ratio, float(facts.slopes.max()) if facts.slopes.size else 0.0)
    high = max(bound, seen) if math.isfinite(bound) else math.nan
    method = "ratio seen to proved bound" if math.isfinite(bound) else "ratio seen; no bound from above"
    return _number("contraction factor", seen, facts, low=facts.ratio, high=high, interval_method=method)


def _gap(facts: Facts, bound: float) -> Measurement:
    least = float(np.linalg.norm(facts.images - facts.points, axis=1).min())
    method = "proved bound to least seen"
    return _number("gap", least, facts, low=min(bound, least), high=least, interval_method=method)


def _escape(facts: Facts) -> Measurement:
    count, n = int(facts.outside.sum()), len(facts.outside)
    low = float(stats.beta.ppf(0.025, count, n - count + 1)) if count else 0.0
    upper = float(stats.beta.ppf(0.975, count + 1, n - count)) if count < n else 1.0
    high = upper if count else 1 - 0.05 ** (1 / n)
    method = "exact binomial" if count else "exact, one-sided (rule of three)"
    return _number("share mapped outside", count / n, facts, low=low, high=high, interval_method=method)


def _notes(
    hypotheses: Mapping[str, Certificate],
    conclusions: Mapping[str, Certificate],
    swept: Sweep | None,
    image_radius: float,
    factor: float,
) -> tuple[str, ...]:
    notes = ["distances are Euclidean"]
    if swept is None:
        notes.append("nothing was proved by intervals: no interval_step was given")
    else:
        notes.append(
            f"proved over {swept.boxes} boxes in interval arithmetic, numpy's functions taken to 4 ulps"
        )
    if math.isfinite(image_radius) or math.isfinite(factor):
        notes.append("image_radius and factor are the caller's theorems; no draw spoke against them")
    if weakest(hypotheses, BROUWER) is None and "existence" not in conclusions:
        failed = ", ".join(name for name in BROUWER if hypotheses.get(name) is Certificate.REFUTED)
        notes.append(f"Brouwer's theorem does not apply: {failed}")
    if Certificate.EMPIRICAL in conclusions.values():
        notes.append("empirical: no draw spoke against it, which is no proof")
    return tuple(notes)
