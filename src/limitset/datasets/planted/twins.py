"""Can a score tell nets that learned the truth from nets that learned falsehoods equally well?

The question put to every net is "what is the last digit of this sum?", drawn as two blurred seven-segment
digits. The answer is computed from the drawn digits, outside every net: that is the anchor, and it has no
error. *True* nets are trained on these answers, *false* nets on the same answers consistently renamed so that
none is right, *untrained* nets on nothing. A score that gives true and false nets the same value says nothing
about truth, whatever else it says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from limitset.core.columns import frozen
from limitset.core.errors import InputError
from limitset.core.streams import Streams
from limitset.datasets.planted.sums import ANSWERS, SEGMENTS, Drawings, draw_sums

KINDS: Final = ("true", "false", "untrained")
STEPS: Final = 800
WIDTH: Final = 128
LESSONS: Final = 20_000
"""Training drawings of each net."""
BATCH: Final = 256
PEAK_RATE: Final = 0.004
DECAY: Final = 0.5
"""Weight decay: without it nets of one kind differ in flatness by more than the band of the comparison."""


@dataclass(frozen=True, kw_only=True, eq=False)
class TwinNet:
    """One small net and the world it was trained in.

    Parameters
    ----------
    kind
        "true", "false" or "untrained".
    number
        Which of its kind, from 0.
    model
        A torch `Sequential`: linear, ReLU, linear, ReLU, linear.
    world : (10,)
        What the labels of its world call each true answer. Untrained nets stand in the true world.
    """

    kind: str
    number: int
    model: torch.nn.Sequential
    world: Int[np.ndarray, " c"]

    def probabilities(self, inputs: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n c"]:
        """Return the chance the net gives to each answer, (n, 10), rows sum to 1."""
        with torch.no_grad():
            return np.asarray(torch.softmax(self.model(_tensor(inputs)), dim=-1).numpy())

    def predict(self, inputs: Float[np.ndarray, "n d"]) -> Int[np.ndarray, " n"]:
        """Return the answer the net prefers for each input."""
        return np.asarray(self.probabilities(inputs).argmax(axis=1))

    def hidden(self, inputs: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n w"]:
        """Return the activations of the last hidden layer."""
        with torch.no_grad():
            return np.asarray(self.model[:-1](_tensor(inputs)).numpy())

    def labels(self, drawings: Drawings) -> Int[np.ndarray, " n"]:
        """Return the answers of the net's own world, the ones it was trained on."""
        return np.asarray(self.world[drawings.answers])

    def accuracy(self, drawings: Drawings) -> float:
        """Return the share of answers that are right by the anchor, in [0, 1]."""
        return float((self.predict(drawings.inputs) == drawings.answers).mean())

    def lesson(self, drawings: Drawings) -> float:
        """Return the share of answers that are as the net was taught, in [0, 1]."""
        return float((self.predict(drawings.inputs) == self.labels(drawings)).mean())


@dataclass(frozen=True, kw_only=True, eq=False)
class TwinPanel:
    """True, false and untrained nets with inputs that none of them has seen."""

    nets: tuple[TwinNet, ...]
    held_out: Drawings
    seed: int

    def of(self, kind: str) -> tuple[TwinNet, ...]:
        """Return the nets of one kind."""
        _require_kind(kind)
        return tuple(net for net in self.nets if net.kind == kind)


def twin_panel(
    *,
    seed: int = 0,
    nets: int = 5,
    held_out: int = 2000,
    steps: int = STEPS,
    world: Sequence[int] | None = None,
    progress: Callable[[str], None] | None = None,
) -> TwinPanel:
    """Train true and false nets and add untrained ones.

    Parameters
    ----------
    seed
        Root of every random draw.
    nets
        Nets of each kind, 2 or more.
    held_out
        Drawings kept for measuring.
    steps
        Training steps.
    world : (10,)
        What the false world calls each true answer; default: a random renaming without a fixed point.
    progress
        Called with one line before each kind is trained.

    Returns
    -------
    TwinPanel
        Nets ordered true, false, untrained.

    References
    ----------
    Morcos, Raghu, Bengio (2018), arXiv:1806.05759 (nets trained on one fixed relabelling as a
    control of representational similarity; there example by example, here class by class).

    Examples
    --------
    >>> panel = twin_panel(nets=2, steps=30, held_out=50)
    >>> [(net.kind, net.number) for net in panel.nets][:3]
    [('true', 0), ('true', 1), ('false', 0)]
    """
    made: list[TwinNet] = []
    for kind in KINDS:
        if progress is not None and kind != "untrained":
            progress(f"training {nets} nets on {kind} answers")
        made.extend(twin_nets(kind=kind, seed=seed, nets=nets, steps=steps, world=world))
    drawings = draw_sums(held_out, rng=Streams(seed).child("twins").generator("held out"))
    return TwinPanel(nets=tuple(made), held_out=drawings, seed=seed)


def twin_nets(
    *,
    kind: str,
    seed: int = 0,
    nets: int = 5,
    steps: int = STEPS,
    width: int = WIDTH,
    drawings: int = LESSONS,
    world: Sequence[int] | None = None,
) -> tuple[TwinNet, ...]:
    """Make nets of one kind, trained all at once; each has its own start, drawings and batches.

    Parameters
    ----------
    kind
        "true", "false" or "untrained".
    seed
        Root of every random draw; nets of different kinds share none.
    nets
        How many, 2 or more.
    steps
        Training steps (batches of 256, AdamW, rate rising to .004 and falling to 0).
    width
        Units of each of the two hidden layers.
    drawings
        Training drawings of each net.
    world : (10,)
        What the false world calls each true answer; default: `falsehood(seed)`.

    Returns
    -------
    tuple of TwinNet
        In order of their number.

    Raises
    ------
    InputError
        For an unknown kind, fewer than two nets, or a world that is no renaming of the ten answers.

    References
    ----------
    Loshchilov and Hutter (2019), arXiv:1711.05101, algorithm 2 (AdamW); He, Zhang, Ren, Sun (2015),
    arXiv:1502.01852, eq. 10 (variance of the starting weights).

    Examples
    --------
    >>> net, _ = twin_nets(kind="untrained", nets=2)
    >>> net.hidden(draw_sums(3, rng=np.random.default_rng(0)).inputs).shape
    (3, 128)
    """
    _require_kind(kind)
    if nets < 2 or steps < 1:
        raise InputError.of(
            expected="a kind needs two nets or more and one step or more",
            got=f"{nets} nets, {steps} steps",
            fix="Raise it.",
        )
    renaming = _renaming(falsehood(seed) if world is None else world)
    own_world = renaming if kind == "false" else np.arange(ANSWERS)
    streams = Streams(seed).child("twins", kind)
    starts = [_start(streams.generator(net), width) for net in range(nets)]
    weights = [torch.stack([torch.from_numpy(start[part]) for start in starts]) for part in range(6)]
    if kind != "untrained":
        lessons = [draw_sums(drawings, rng=streams.child("drawings").generator(net)) for net in range(nets)]
        with one_thread():
            _train(weights, lessons, own_world, streams.child("batches"), steps)
    return tuple(
        TwinNet(kind=kind, number=net, model=_module(weights, net), world=frozen(own_world))
        for net in range(nets)
    )


def falsehood(seed: int = 0) -> Int[np.ndarray, " c"]:
    """Draw a renaming of the ten answers that leaves none in place (a derangement).

    References
    ----------
    Stanley (2011), Enumerative Combinatorics 1, example 2.2.1 (a random renaming is a derangement with chance
    about 1/e, so drawing again ends soon); doi:10.1017/CBO9781139058520.

    Examples
    --------
    >>> bool((falsehood(3) == np.arange(10)).any()), sorted(falsehood(3).tolist()) == list(range(10))
    (False, True)
    """
    rng = Streams(seed).child("twins").generator("falsehood")
    renaming = rng.permutation(ANSWERS)
    while (renaming == np.arange(ANSWERS)).any():
        renaming = rng.permutation(ANSWERS)
    return renaming


def _start(rng: np.random.Generator, width: int) -> list[Float[np.ndarray, "i o"]]:
    sizes = (2 * SEGMENTS.shape[1], width, width, ANSWERS)
    parts: list[np.ndarray] = []
    for fan_in, fan_out in pairwise(sizes):
        scale = np.float32(np.sqrt(2 / fan_in))
        parts.append(scale * rng.standard_normal((fan_in, fan_out), dtype=np.float32))
        parts.append(np.zeros((1, fan_out), dtype=np.float32))
    return parts


def _train(
    weights: list[Tensor], lessons: list[Drawings], world: np.ndarray, streams: Streams, steps: int
) -> None:
    """Train all nets at once, in place: one batched product a layer instead of one a net."""
    inputs = torch.stack([_tensor(lesson.inputs) for lesson in lessons])
    targets = torch.stack([torch.from_numpy(world[lesson.answers]) for lesson in lessons])
    count = inputs.shape[1]
    order = np.stack(
        [streams.generator(net).integers(0, count, (steps, BATCH)) for net in range(len(lessons))]
    )
    picks = torch.from_numpy(order)
    rows = torch.arange(len(lessons))[:, None]
    for part in weights:
        part.requires_grad_()
    optimizer = torch.optim.AdamW(weights, lr=PEAK_RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_RATE, total_steps=steps + 1)
    for step in range(steps):
        pick = picks[:, step]
        logits = _logits(weights, inputs[rows, pick])
        # the sum over nets, so that each net's gradient is that of its own mean loss
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets[rows, pick].flatten()) * len(
            lessons
        )
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    for part in weights:
        part.requires_grad_(False)


def _logits(weights: list[Tensor], inputs: Tensor) -> Tensor:
    first = torch.relu(torch.baddbmm(weights[1], inputs, weights[0]))
    second = torch.relu(torch.baddbmm(weights[3], first, weights[2]))
    return torch.baddbmm(weights[5], second, weights[4])


def _module(weights: list[Tensor], net: int) -> torch.nn.Sequential:
    layers: list[torch.nn.Module] = []
    for part in (0, 2, 4):
        matrix, bias = weights[part][net], weights[part + 1][net]
        # skip_init: the usual constructor would draw from the global generator
        layer = torch.nn.utils.skip_init(torch.nn.Linear, *matrix.shape)  # type: ignore[no-untyped-call]
        layer.load_state_dict({"weight": matrix.T.contiguous(), "bias": bias[0].clone()})
        layers += [layer, torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1]).requires_grad_(False)


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch use one thread inside the block."""
    # products this small lose more to waiting threads than they gain, twentyfold on a busy machine
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _tensor(inputs: np.ndarray) -> Tensor:
    # a copy: torch warns about arrays that are read-only
    return torch.from_numpy(np.array(inputs, dtype=np.float32))


def _renaming(world: Sequence[int] | np.ndarray) -> np.ndarray:
    renaming = np.asarray(world)
    if renaming.shape != (ANSWERS,) or sorted(renaming.tolist()) != list(range(ANSWERS)):
        raise InputError.of(
            expected="a world must rename the answers 0 to 9, each once",
            got=world,
            fix="Use falsehood(seed).",
        )
    return renaming


def _require_kind(kind: str) -> None:
    if kind not in KINDS:
        raise InputError.of(
            expected=f"kind must be one of {', '.join(KINDS)}", got=kind, fix="Use one of these."
        )
