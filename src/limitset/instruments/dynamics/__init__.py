"""Where do runs of a map go: orbits, cycles, and the ends of text loops."""

import sys
from typing import Any

from limitset.core.lazy_names import InstrumentPackage, loaded

_HOMES = {
    "Ball": "limitset.numerics.enclosing.regions",
    "BeyondTraining": "limitset.instruments.dynamics.beyond_training",
    "Box": "limitset.numerics.enclosing.regions",
    "Certification": "limitset.numerics.enclosing.certifications",
    "Growth": "limitset.instruments.dynamics.growth",
    "LoopEnds": "limitset.instruments.dynamics.loop_ends",
    "LyapunovSpectrum": "limitset.instruments.dynamics.lyapunov",
    "OpenBox": "limitset.numerics.enclosing.regions",
    "Origin": "limitset.instruments.dynamics.template_or_iteration",
    "ReturnTime": "limitset.instruments.dynamics.return_time",
    "SmallestShock": "limitset.instruments.dynamics.smallest_shock",
    "Spectrum": "limitset.instruments.dynamics.spectrum",
    "Sphere": "limitset.numerics.enclosing.regions",
    "Stability": "limitset.instruments.dynamics.spectrum",
    "Stopping": "limitset.instruments.dynamics.stopping",
    "StoppingRule": "limitset.instruments.dynamics.stopping",
    "StretchByPart": "limitset.instruments.dynamics.attribution",
    "TemplateOrIteration": "limitset.instruments.dynamics.template_or_iteration",
    "beyond_training": "limitset.instruments.dynamics.beyond_training",
    "brent": "limitset.instruments.dynamics.cycles",
    "certify": "limitset.instruments.dynamics.certify",
    "continuation": "limitset.instruments.dynamics.continuation",
    "find_cycle": "limitset.instruments.dynamics.cycles",
    "find_fixed_points": "limitset.instruments.dynamics.fixed_points",
    "growth": "limitset.instruments.dynamics.growth",
    "iterate": "limitset.instruments.dynamics.orbits",
    "limit_sets": "limitset.instruments.dynamics.limit_sets",
    "loop_ends": "limitset.instruments.dynamics.loop_ends",
    "lyapunov_spectrum": "limitset.instruments.dynamics.lyapunov",
    "orbit_diagram": "limitset.instruments.dynamics.orbit_diagram",
    "path_independence": "limitset.instruments.dynamics.path_independence",
    "perturbation_stability": "limitset.instruments.dynamics.perturbation",
    "return_time": "limitset.instruments.dynamics.return_time",
    "run_tensors": "limitset.instruments.dynamics.tensor_orbits",
    "smallest_shock": "limitset.instruments.dynamics.smallest_shock",
    "spectrum": "limitset.instruments.dynamics.spectrum",
    "stopping": "limitset.instruments.dynamics.stopping",
    "stretch_by_part": "limitset.instruments.dynamics.attribution",
    "template_or_iteration": "limitset.instruments.dynamics.template_or_iteration",
    "text_limit_sets": "limitset.instruments.dynamics.text_sets",
    "union_of": "limitset.instruments.dynamics.point_unions",
}
__all__ = [
    "Ball",
    "BeyondTraining",
    "Box",
    "Certification",
    "Growth",
    "LoopEnds",
    "LyapunovSpectrum",
    "OpenBox",
    "Origin",
    "ReturnTime",
    "SmallestShock",
    "Spectrum",
    "Sphere",
    "Stability",
    "Stopping",
    "StoppingRule",
    "StretchByPart",
    "TemplateOrIteration",
    "beyond_training",
    "brent",
    "certify",
    "continuation",
    "find_cycle",
    "find_fixed_points",
    "growth",
    "iterate",
    "limit_sets",
    "loop_ends",
    "lyapunov_spectrum",
    "orbit_diagram",
    "path_independence",
    "perturbation_stability",
    "return_time",
    "run_tensors",
    "smallest_shock",
    "spectrum",
    "stopping",
    "stretch_by_part",
    "template_or_iteration",
    "text_limit_sets",
    "union_of",
]


def __getattr__(name: str) -> Any:
    return loaded(__name__, _HOMES, name)


def __dir__() -> list[str]:
    return __all__


sys.modules[__name__].__class__ = InstrumentPackage
