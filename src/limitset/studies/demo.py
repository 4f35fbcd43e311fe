"""Which scores tell nets that learned the truth from nets that learned only falsehoods?

The false twin in one minute: agreement, stability, confidence, flatness and alignment of small nets trained
on true answers, on consistently false answers, and not at all, beside their accuracy by an anchor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from limitset.core.results import MeasurementTable, stacked
from limitset.core.streams import Streams
from limitset.core.verdicts import Verdict
from limitset.datasets.planted.sums import Drawings
from limitset.datasets.planted.twin_control import (
    Band,
    TwinControl,
    false_twin_control,
    false_twin_control_of_pairs,
)
from limitset.datasets.planted.twins import TwinNet, TwinPanel, one_thread, twin_panel
from limitset.instruments.alignment.cka import linear_cka
from limitset.instruments.dynamics.perturbation import perturbation_stability
from limitset.instruments.weights.flatness import Weights, relative_flatness
from limitset.report.page import Page, write_page
from limitset.store.disk import disk_errors
from limitset.studies.demo_page import ANCHORED, page_of, verdict_of

NOISE: Final = 0.1
"""Flatness: noise on the weights relative to each tensor's norm."""
SHAKE: Final = 0.1
"""Stability: noise on the input relative to the inputs' deviation, a third of the blur of the drawings."""

BANDS: Final[Mapping[str, Band]] = {
    "flatness": Band(low=1 / 1.25, high=1.25, ratio=True, least=0.0),
    "stability": Band(low=-0.03, high=0.03, least=0.0, most=1.0),
    "agreement": Band(low=-0.03, high=0.03, least=0.0, most=1.0),
    "confidence": Band(low=-0.03, high=0.03, least=0.0, most=1.0),
    "alignment": Band(low=-0.03, high=0.03, most=1.0),
    "as taught": Band(low=-0.03, high=0.03, least=0.0, most=1.0),
    # of accuracy the opposite is claimed: by the anchor the twins lie at least 80 points apart
    ANCHORED: Band(low=-0.8, high=0.8, least=0.0, most=1.0),
}
"""How far apart true and false nets may score and still be equal; fixed before measuring.

The settings of the training were chosen on other draws, so that nets of one kind lie close enough to decide.
"""


@dataclass(frozen=True, kw_only=True, eq=False)
class DemoResult:
    """What the demonstration found.

    Parameters
    ----------
    page, path
        The page and where it was written.
    controls
        Score name to what it says of the twins.
    """

    page: Page
    path: Path
    controls: Mapping[str, TwinControl]

    @property
    def table(self) -> MeasurementTable:
        """Instrument "twins", axes {kind, score}."""
        return stacked([control.values for control in self.controls.values()])

    @property
    def verdict(self) -> Verdict:
        """`HOLDS` when only the anchor tells the twins apart, `FAILS` when something else was seen."""
        return verdict_of(self.controls)

    def summary(self) -> dict[str, Any]:
        """Return every number and verdict, ready for JSON."""
        return {
            "headline": list(self.page.headline),
            "verdict": str(self.verdict),
            "scores": [
                {
                    "score": name,
                    "twins_equal": str(control.equal),
                    "gap": control.gap.record(),
                    "kinds": control.values.records(),
                }
                for name, control in self.controls.items()
            ],
            "page": str(self.path),
        }


def run_demo(
    *,
    out: Path,
    seed: int = 0,
    nets: int = 8,
    date: str,
    command: str = "limitset demo",
    progress: Callable[[str], None] | None = None,
) -> DemoResult:
    """Train the twins, score them, and write the page.

    Parameters
    ----------
    out
        Folder for `page.html`.
    seed
        Root of every random draw.
    nets
        Nets of each kind; three or more give intervals. Five leave alignment open at four of nine seeds.
    date
        Date of the run, for the reader.
    command
        How it was called, for the reader.
    progress
        Called with one line before each stage.

    Returns
    -------
    DemoResult
        The page, its path, and the verdict on every score.

    References
    ----------
    Morcos, Raghu, Bengio (2018), arXiv:1806.05759; Zhang, Bengio, Hardt, Recht, Vinyals (2017),
    arXiv:1611.03530, section 2 (nets learn labels that are not true).

    Examples
    --------
    >>> done = run_demo(out=Path("demo"), date="22 Nov 2026")  # doctest: +SKIP
    >>> print(done.page.headline[0])  # doctest: +SKIP
    """
    say = progress or (lambda _: None)
    with one_thread():
        panel = twin_panel(seed=seed, nets=nets, progress=say)
        say(f"scoring {len(panel.nets)} nets")
        controls = controls_of(panel)
    page = page_of(controls, panel, date=date, command=command)
    path = out / "page.html"
    with disk_errors(path, doing="write the page"):
        out.mkdir(parents=True, exist_ok=True)
        write_page(page, path)
    return DemoResult(page=page, path=path, controls=controls)


def controls_of(panel: TwinPanel, *, confidence: float = 0.95) -> dict[str, TwinControl]:
    """Put every score to the twins, the anchor last.

    Parameters
    ----------
    panel
        The nets.
    confidence
        Coverage of all intervals, in (0, 1).

    Returns
    -------
    dict
        Score name to what it says of the twins.

    References
    ----------
    As `run_demo`.

    Examples
    --------
    >>> list(BANDS)
    ['flatness', 'stability', 'agreement', 'confidence', 'alignment', 'as taught', 'accuracy']
    """
    streams = Streams(panel.seed).child("demo")
    of_one = {
        "flatness": lambda net, drawn: _flatness(net, drawn, streams),
        "stability": lambda net, drawn: _stability(net, drawn, streams),
        "confidence": lambda net, drawn: float(net.probabilities(drawn.inputs).max(axis=1).mean()),
        "as taught": TwinNet.lesson,
        ANCHORED: TwinNet.accuracy,
    }
    of_two = {"agreement": (_agreement, ""), "alignment": (_alignment, "true")}
    controls = {}
    for name, band in BANDS.items():
        if name in of_two:
            score, reference = of_two[name]
            controls[name] = false_twin_control_of_pairs(
                score, panel, name=name, band=band, reference=reference, confidence=confidence
            )
        else:
            controls[name] = false_twin_control(
                of_one[name], panel, name=name, band=band, confidence=confidence
            )
    return controls


def _flatness(net: TwinNet, drawings: Drawings, streams: Streams) -> float:
    inputs = torch.from_numpy(np.array(drawings.inputs))
    labels = torch.from_numpy(net.labels(drawings))

    def loss(weights: Weights) -> torch.Tensor:
        logits = torch.func.functional_call(net.model, dict(weights), (inputs,))
        return torch.nn.functional.cross_entropy(logits, labels)

    rng = streams.generator(f"flatness {net.kind} {net.number}")
    return relative_flatness(dict(net.model.named_parameters()), loss, noise=NOISE, rng=rng).rise.value


def _stability(net: TwinNet, drawings: Drawings, streams: Streams) -> float:
    rng = streams.generator(f"stability {net.kind} {net.number}")
    return perturbation_stability(net.predict, drawings.inputs, size=SHAKE, rng=rng).share.value


def _agreement(net: TwinNet, other: TwinNet, drawings: Drawings) -> float:
    return float((net.predict(drawings.inputs) == other.predict(drawings.inputs)).mean())


def _alignment(net: TwinNet, other: TwinNet, drawings: Drawings) -> float:
    return linear_cka(net.hidden(drawings.inputs), other.hidden(drawings.inputs)).similarity.value
