"""Does the path of token states through the layers of a language model come to rest, and would a loop?

The states of real texts over all layers, read at every layer by the model's own head, beside a key where the
text is a question with one; and a block of middle layers that is looped, with and without norm and injection.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from limitset.core.columns import frozen
from limitset.core.errors import InputError
from limitset.core.intervals import Interval, columns_of, jackknife_interval, wilson
from limitset.core.levels import Level
from limitset.core.results import MeasurementTable
from limitset.core.streams import Streams
from limitset.core.tensor_runs import TensorRuns
from limitset.instruments.dynamics.spectrum import spectrum
from limitset.instruments.dynamics.tensor_orbits import run_tensors
from limitset.maps.latent.block import BlockMap, decoder_layers
from limitset.maps.latent.tensor_map import TensorMap

INSTRUMENT: Final = "layers"
VERSION: Final = 1

SINK_WEIGHT: Final = 2.0**-20
"""Position 0 is iterated in this unit, exactly: its norm then counts for nothing beside the others'."""
RECIPES: Final = (("none", "none"), ("none", "rms"), ("additive", "none"), ("additive", "rms"))
"""Injection and norm of each loop."""
NORMS: Final = ("norm", "ln_f", "final_layer_norm", "final_norm")
NO_ANCHOR: Final = "no anchor"


@dataclass(frozen=True, kw_only=True, eq=False)
class LayerPaths:
    """Token states of n texts over L layers; position 0 is left out unless a name says otherwise.

    Parameters
    ----------
    step, step_with_sink : (n, L)
        ‖h_l − h_{l−1}‖ / ‖h_{l−1}‖, mean over positions; and of all positions taken as one vector.
    cosine : (n, L − 1)
        Between successive steps of a token, mean over positions.
    norm, sink_norm : (n, L + 1)
        ‖h_l‖, mean over positions; and that of position 0.
    entropy : (n, L + 1)
        Of the next token after the text when layer l is read by the model's head, in bits.
    already_final : (n, L + 1)
        1 where the likeliest token there is the one the model ends with.
    right : (n, L + 1)
        1 where that token begins an accepted answer; NaN where nothing says what is right.
    """

    step: Float[np.ndarray, "n layers"]
    step_with_sink: Float[np.ndarray, "n layers"]
    cosine: Float[np.ndarray, "n turns"]
    norm: Float[np.ndarray, "n states"]
    sink_norm: Float[np.ndarray, "n states"]
    entropy: Float[np.ndarray, "n states"]
    already_final: Float[np.ndarray, "n states"]
    right: Float[np.ndarray, "n states"]

    def table(self) -> MeasurementTable:
        """Return means over texts with intervals; axes measure, layer (0 is the embedding)."""
        names = ("step", "step_with_sink", "cosine", "norm", "sink_norm", "entropy", "already_final", "right")
        first = {"step": 1, "step_with_sink": 1, "cosine": 2}
        keys, intervals = [], []
        for name in names:
            values = getattr(self, name)
            shares = name in ("already_final", "right")
            for place in range(values.shape[1]):
                keys.append((name.replace("_", " "), place + first.get(name, 0)))
                intervals.append(_share(values[:, place]) if shares else mean_of(values[:, place]))
        return MeasurementTable(
            instrument=INSTRUMENT,
            version=VERSION,
            level=Level.HIDDEN,
            axes={
                "measure": np.array([name for name, _ in keys], dtype=object),
                "layer": np.array([layer for _, layer in keys]),
            },
            interval_method="jackknife over texts; Wilson for shares",
            **columns_of(intervals),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class LoopedBlock:
    """What a block of layers does when it is looped.

    Parameters
    ----------
    injection, norm
        See `limitset.maps.latent.BlockMap`.
    runs
        Where each text went; residuals and norms leave position 0 out.
    right_alone, right_looped : (n,)
        1 where the token after the text begins an accepted answer, without a loop and where the loop ended;
        NaN where nothing says what is right.
    same_token : (n,)
        1 where the model gives the same token with and without the loop.
    radius : (m,)
        Spectral radius at the last state of the first m texts, position 0 held.
    """

    injection: str
    norm: str
    runs: TensorRuns
    right_alone: Float[np.ndarray, " n"]
    right_looped: Float[np.ndarray, " n"]
    same_token: Float[np.ndarray, " n"]
    radius: Float[np.ndarray, " m"]

    @property
    def name(self) -> str:
        """What the page calls it."""
        parts = {"norm": self.norm, "injection": self.injection}
        return " + ".join(part for part, how in parts.items() if how != "none") or "plain"

    @property
    def growth(self) -> Float[np.ndarray, " n"]:
        """Norm of the last state over that after one pass."""
        norms = self.runs.norms
        last = np.array([row[ran] for row, ran in zip(norms, self.runs.ran, strict=True)])
        return np.asarray(last / norms[:, 1])

    def manner(self) -> str:
        """Return how most of the texts that did not settle went on: drift, moves, slow; "" when all did."""
        notes = Counter(note for note in self.runs.notes if note)
        return notes.most_common(1)[0][0] if notes else ""


def layer_paths(model: Any, texts: Sequence[Tensor], accepted: Sequence[frozenset[int]]) -> LayerPaths:
    """Follow token states through the layers of a model of transformers.

    Parameters
    ----------
    model
        A causal language model.
    texts
        Token ids `(t,)` of each text, two tokens or more.
    accepted
        For each text the tokens that begin a right answer; empty where nothing says what is right.

    Returns
    -------
    LayerPaths
        One row a text.

    References
    ----------
    Reading a layer by the model's head (logit lens): Belrose et al. (2023), arXiv:2303.08112, section 1.
    Position 0: Xiao et al. (2024), arXiv:2309.17453.
    """
    if not texts or min(len(ids) for ids in texts) < 2:
        raise InputError.of(
            expected="texts of two tokens or more",
            got=f"{min(map(len, texts))}" if texts else "none",
            fix="Position 0 is left out, so give longer texts.",
        )
    rows: list[dict[str, np.ndarray]] = []
    for ids, right in zip(texts, accepted, strict=True):
        rows.append(_path(model, ids, right))
    return LayerPaths(**{name: frozen(np.stack([row[name] for row in rows])) for name in rows[0]})


def states_of(model: Any, ids: Tensor) -> Tensor:
    """Return the states `(L + 1, t, d)` of a text before the final norm."""
    layers = decoder_layers(model)
    seen: list[Tensor] = []

    def before(_: Any, given: tuple[Any, ...], named: dict[str, Any]) -> None:
        seen.append(given[0] if given else named["hidden_states"])

    def after(_: Any, __: Any, result: Any) -> None:
        seen.append(result[0] if isinstance(result, tuple) else result)

    hooks = [layers[0].register_forward_pre_hook(before, with_kwargs=True)]
    hooks += [layer.register_forward_hook(after) for layer in layers]
    try:
        with torch.no_grad():
            model(input_ids=ids[None].to(model.device), use_cache=False, logits_to_keep=1)
    finally:
        for hook in hooks:
            hook.remove()
    return torch.cat(seen).float()


def _path(model: Any, ids: Tensor, right: frozenset[int]) -> dict[str, np.ndarray]:
    states = states_of(model, ids)
    rest, steps = states[:, 1:], states.diff(dim=0)
    moved = steps[:, 1:]
    with torch.no_grad():
        logits = model.get_output_embeddings()(_final_norm(model)(states[:, -1].to(model.dtype))).float()
    chances = logits.log_softmax(-1)
    tops = logits.argmax(-1)
    known = np.nan if not right else 1.0
    measured = {
        "step": (moved.norm(dim=-1) / rest[:-1].norm(dim=-1)).mean(dim=-1),
        "step_with_sink": steps.flatten(1).norm(dim=-1) / states[:-1].flatten(1).norm(dim=-1),
        "cosine": torch.cosine_similarity(moved[1:], moved[:-1], dim=-1).mean(dim=-1),
        "norm": rest.norm(dim=-1).mean(dim=-1),
        "sink_norm": states[:, 0].norm(dim=-1),
        "entropy": -(chances.exp() * chances).sum(dim=-1) / np.log(2),
        "already_final": tops == tops[-1],
    }
    arrays = {name: values.double().cpu().numpy() for name, values in measured.items()}
    return {**arrays, "right": known * np.array([float(int(top) in right) for top in tops])}


def _final_norm(model: Any) -> Callable[[Tensor], Tensor]:
    decoder = model.get_decoder()
    for name in NORMS:
        if hasattr(decoder, name):
            norm: Callable[[Tensor], Tensor] = getattr(decoder, name)
            return norm
    raise InputError.of(
        expected=f"a decoder ends with a norm called {', '.join(NORMS)}",
        got=type(decoder).__name__,
        fix="Use a decoder such as llama, qwen, gemma or gpt2.",
    )


def looped_block(
    model: Any,
    texts: Tensor,
    accepted: Sequence[frozenset[int]],
    *,
    first: int,
    last: int,
    loops: int,
    injection: str = "none",
    norm: str = "none",
    spectra: int = 2,
    rng: Streams,
) -> LoopedBlock:
    """Loop layers `first` to `last` over some texts and see where their states go.

    Parameters
    ----------
    model
        A causal language model of transformers.
    texts : (n, t) int64
        Token ids, all of one length.
    accepted
        As in `layer_paths`.
    first, last
        Layers from 0.
    loops
        How often the block is applied at most.
    injection, norm
        See `limitset.maps.latent.BlockMap`.
    spectra
        At how many texts the spectral radius is taken.
    rng
        Streams of the search for eigenvalues.

    Returns
    -------
    LoopedBlock
        One row a text.

    References
    ----------
    Injection from a zero start: Yang, Lee, Nowak, Papailiopoulos (2024), arXiv:2311.12424.
    """
    block = BlockMap(model, first, last, texts, injection=injection, norm=norm)
    rows = list(range(len(texts)))
    unit = torch.ones(1, texts.shape[1], 1).to(block.entering)
    unit[:, 0] = SINK_WEIGHT

    def step(states: Tensor, held: Tensor) -> Tensor:
        return block.step(states / unit, rows=held, rng=rng) * unit

    starts = block.start(rows)
    runs = run_tensors(TensorMap(step=step), starts * unit, steps=loops, rng=rng)
    lasts = torch.tensor(runs.lasts).to(starts) / unit
    with torch.no_grad():
        output = model(input_ids=texts.to(model.device), use_cache=False, logits_to_keep=1)
    alone = output.logits[:, -1].argmax(dim=-1).tolist()
    looped = block.next_tokens(lasts, rows=rows).tolist()
    return LoopedBlock(
        injection=injection,
        norm=norm,
        runs=runs,
        right_alone=_right(alone, accepted),
        right_looped=_right(looped, accepted),
        same_token=frozen(np.array([float(a == b) for a, b in zip(alone, looped, strict=True)])),
        radius=_radii(block, lasts, spectra, rng),
    )


def _radii(block: BlockMap, lasts: Tensor, count: int, rng: Streams) -> np.ndarray:
    if not count:
        return frozen(np.zeros(0))
    beside, rest = block.beside_sink(lasts), block.measured(lasts)[:count].contiguous()
    found = spectrum(beside, rest, rows=range(len(rest)), count=4, krylov=24, rng=rng.generator("spectra"))
    return frozen(np.array(found.radius.value))


def _right(tokens: Sequence[int], accepted: Sequence[frozenset[int]]) -> np.ndarray:
    pairs = zip(tokens, accepted, strict=True)
    return frozen(np.array([float(token in right) if right else np.nan for token, right in pairs]))


def loops_table(blocks: Sequence[LoopedBlock]) -> MeasurementTable:
    """Return shares and sizes of each loop; axes loop, measure."""
    keys, intervals = [], []
    for one in blocks:
        settled = one.runs.settled.astype(float)
        measured = {
            "settled": _share(settled),
            "right without a loop": _share(one.right_alone),
            "right after the loop": _share(one.right_looped),
            "same token as without": _share(one.same_token),
            "settled and wrong": _share(
                np.where(np.isnan(one.right_looped), np.nan, settled * (1 - one.right_looped))
            ),
            "growth of the norm": mean_of(one.growth),
            "spectral radius": mean_of(one.radius, blank="no spectrum was asked for"),
        }
        keys += [(one.name, measure) for measure in measured]
        intervals += list(measured.values())
    return MeasurementTable(
        instrument=INSTRUMENT,
        version=VERSION,
        level=Level.HIDDEN,
        axes={
            "loop": np.array([loop for loop, _ in keys], dtype=object),
            "measure": np.array([measure for _, measure in keys], dtype=object),
        },
        interval_method="jackknife over texts; Wilson for shares",
        **columns_of(intervals),
    )


def residuals_table(blocks: Sequence[LoopedBlock]) -> MeasurementTable:
    """Return the relative step of each loop, geometric mean over the texts still running; axes loop, step."""
    keys, intervals = [], []
    for one in blocks:
        for step in range(one.runs.residuals.shape[1]):
            values = one.runs.residuals[:, step]
            values = values[np.isfinite(values) & (values > 0)]
            if 2 * len(values) < len(one.runs):
                break  # most texts have settled: the mean of the rest would be of other texts
            logs = mean_of(np.log(values))
            keys.append((one.name, step + 1))
            low, value, high = np.exp([logs.low, logs.value, logs.high])
            intervals.append(
                Interval(value=float(value), low=float(low), high=float(high), n=float(len(values)))
            )
    return MeasurementTable(
        instrument=INSTRUMENT,
        version=VERSION,
        level=Level.HIDDEN,
        axes={
            "loop": np.array([loop for loop, _ in keys], dtype=object),
            "step": np.array([step for _, step in keys]),
        },
        interval_method="jackknife over texts, of the logarithm",
        **columns_of(intervals),
    )


def mean_of(values: np.ndarray, *, blank: str = NO_ANCHOR) -> Interval:
    """Return the mean over texts with its interval; NaN entries are left out."""
    known = values[np.isfinite(values)]
    if not known.size:
        return Interval.blank(blank)
    if known.size < 2:
        return jackknife_interval(float(known.mean()), known)
    return jackknife_interval(float(known.mean()), (known.sum() - known) / (known.size - 1))


def _share(values: np.ndarray) -> Interval:
    known = values[~np.isnan(values)]
    return wilson(float(known.sum()), float(known.size)) if known.size else Interval.blank(NO_ANCHOR)
