"""Where does the core of a recurrent-depth model go when it runs for longer than it was trained?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from limitset.core.errors import InputError
from limitset.core.levels import Level
from limitset.core.streams import Streams
from limitset.maps.latent.block import plain_attention
from limitset.maps.latent.module import Rows, applied, evaluating, held_rows, like_weights, normal_states


@dataclass(frozen=True, eq=False)
class RecurrentDepthMap:
    """The map h -> core(h, e) of a model made of prelude, recurrent core and coda, with the embedding e held.

    Parameters
    ----------
    core
        Takes states and embeddings, both `(b, t, d)`.
    embedding : (n, t, d)
        What the prelude makes of each text.
    scale
        Deviation of the normal states it starts from; 0 starts from zero.
    rng
        Streams of the starts.

    Notes
    -----
    A core h -> R(A h + B e) with every |A| < 1 is often called stable by design. That bounds A, not the map:
    the residual blocks R have slopes of their own, and the radius of the whole may pass 1.

    References
    ----------
    Geiping et al. (2025), arXiv:2502.05171 (recurrent depth); Prairie, Novack, Berg-Kirkpatrick, Fu (2026),
    arXiv:2604.12946 (Parcae: A diagonal, below 1).

    Examples
    --------
    >>> net = RecurrentDepthNet(width=8, heads=2, vocabulary=11, seed=0)
    >>> looped = RecurrentDepthMap.of(net, torch.tensor([[1, 2, 3]]))
    >>> looped.step(looped.start([0]), rows=[0], rng=Streams(0)).shape
    torch.Size([1, 3, 8])
    """

    core: Callable[[Tensor, Tensor], Tensor]
    embedding: Tensor
    scale: float = 1.0
    rng: Streams = Streams(0)  # noqa: RUF009 - frozen, so it can be shared

    @classmethod
    def of(cls, model: Any, token_ids: Tensor, *, scale: float = 1.0) -> RecurrentDepthMap:
        """Take the core out of a model.

        Parameters
        ----------
        model
            One with `embed(ids)` and `core(states, embedding)`, such as `RecurrentDepthNet`; one with
            `update_recurrent_state`, as Parcae's models have; or one with `embed_inputs` and
            `iterate_one_step`, as Huginn's.
        token_ids : (n, t) int64
            One text a start.
        scale
            As above.

        Raises
        ------
        InputError
            For other models.
        """
        for names, taken in _FORMS:
            if all(hasattr(model, name) for name in names):
                ids = token_ids.to(like_weights(model).device)
                with evaluating(model), torch.no_grad():
                    core, embedding = taken(model, ids)
                return cls(core, embedding, scale=scale)
        known = "; or ".join(" and ".join(names) for names, _ in _FORMS)
        raise InputError.of(
            expected=f"a recurrent-depth model has {known}",
            got=type(model).__name__,
            fix="Give RecurrentDepthMap the core as a function of states and embeddings.",
        )

    @property
    def count(self) -> int:
        """How many texts there are."""
        return len(self.embedding)

    @property
    def level(self) -> Level:
        """Hidden states."""
        return Level.HIDDEN

    @property
    def deterministic(self) -> bool:
        """Yes: noise inside the core is for training."""
        return True

    def start(self, rows: Rows) -> Tensor:
        """Draw the first states, each from its own row."""
        shape = tuple(self.embedding.shape[1:])
        return normal_states(rows, shape=shape, scale=self.scale, rng=self.rng, like=self.embedding)

    def step(self, states: Tensor, *, rows: Rows, rng: Streams) -> Tensor:  # noqa: ARG002 - of the contract
        """Apply the core once."""
        with plain_attention():
            return applied(self.core, states, held_rows(self.embedding, rows, states))


class RecurrentDepthNet(nn.Module):
    """A small recurrent-depth language model of Parcae's form with random weights, for trying things out.

    The core is h -> blocks(exp(-dt A) h + dt B e), dt and A positive and diagonal; e passes one block and a
    norm. Each block is pre-norm attention and a two-layer net, both with residuals.

    Parameters
    ----------
    width, heads
        Of all blocks; heads divide the width.
    vocabulary
        How many tokens there are.
    blocks
        How many blocks the core has.
    gain
        Factor on the random weights of the blocks.
    seed
        Decides the weights.

    References
    ----------
    As `RecurrentDepthMap`.

    Examples
    --------
    >>> net = RecurrentDepthNet(width=8, heads=2, vocabulary=11, seed=0)
    >>> net.linear_radius() < 1, net(torch.tensor([[1, 2, 3]]), steps=4).shape
    (True, torch.Size([1, 3, 11]))
    """

    def __init__(
        self, *, width: int, heads: int, vocabulary: int, blocks: int = 1, gain: float = 1.0, seed: int = 0
    ) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.tokens = nn.Embedding(vocabulary, width)
            self.prelude = _Block(width, heads, gain)
            self.norm = nn.RMSNorm(width)
            self.blocks = nn.ModuleList([_Block(width, heads, gain) for _ in range(blocks)])
            self.coda = _Block(width, heads, gain)
            self.head = nn.Linear(width, vocabulary, bias=False)
            self.log_decay = nn.Parameter(torch.zeros(width))
            self.raw_time = nn.Parameter(torch.randn(width) - 1.0)
            self.inject = nn.Linear(width, width, bias=False)

    def embed(self, ids: Tensor) -> Tensor:
        """Return what the prelude makes of token ids `(b, t)`."""
        embedding: Tensor = self.norm(self.prelude(self.tokens(ids)))
        return embedding

    def core(self, states: Tensor, embedding: Tensor) -> Tensor:
        """Run the core once."""
        time = nn.functional.softplus(self.raw_time)
        states = torch.exp(-time * self.log_decay.exp()) * states + time * self.inject(embedding)
        for block in self.blocks:
            states = block(states)
        return states

    def read(self, states: Tensor) -> Tensor:
        """Return the logits `(b, t, vocabulary)` that the coda makes of states."""
        logits: Tensor = self.head(self.coda(states))
        return logits

    def forward(self, ids: Tensor, steps: int) -> Tensor:
        """Return the logits after so many runs of the core from zero."""
        embedding = self.embed(ids)
        states = torch.zeros_like(embedding)
        for _ in range(steps):
            states = self.core(states, embedding)
        return self.read(states)

    def linear_radius(self) -> float:
        """Return the largest entry of exp(-dt A), the spectral radius of the linear part."""
        time = nn.functional.softplus(self.raw_time)
        return float(torch.exp(-time * self.log_decay.exp()).max().detach())


class _Block(nn.Module):
    def __init__(self, width: int, heads: int, gain: float) -> None:
        super().__init__()
        self.heads = heads
        self.before_attention, self.before_net = nn.RMSNorm(width), nn.RMSNorm(width)
        self.mix, self.out = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width, bias=False)
        self.net = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        for weights in self.parameters():
            weights.data.mul_(gain if weights.ndim == 2 else 1.0)

    def forward(self, states: Tensor) -> Tensor:
        parts = self.mix(self.before_attention(states)).unflatten(-1, (3, self.heads, -1))
        queries, keys, values = (part.transpose(-2, -3) for part in parts.unbind(dim=-3))
        mixed = nn.functional.scaled_dot_product_attention(queries, keys, values, is_causal=True)
        states = states + self.out(mixed.transpose(-2, -3).flatten(-2))
        return states + self.net(self.before_net(states))  # type: ignore[no-any-return]


Core = Callable[[Tensor, Tensor], Tensor]


def _plain_form(model: Any, ids: Tensor) -> tuple[Core, Tensor]:
    return model.core, model.embed(ids)


def _parcae_form(model: Any, ids: Tensor) -> tuple[Core, Tensor]:
    angles = model.freqs_cis[:, : ids.shape[1]]
    model._current_input_ids = ids  # its blocks look the value embeddings up there
    embedding = model.transformer.wte(ids) * model.emb_scale
    for place, block in enumerate(model.transformer.prelude):
        key = str(place)
        extra = model.value_embeds[key](ids) if key in model.value_embeds else None
        embedding = block(embedding, angles, None, ve=extra)
    if model.config.prelude_norm:
        embedding = model.transformer.ln_prelude(embedding)
    if any(int(key) >= len(model.transformer.prelude) for key in model.value_embeds):
        raise InputError.of(
            expected="a core that sees its states and the embedding alone",
            got="value embeddings inside the core",
            fix="Give RecurrentDepthMap the core as a function, with their rows selected.",
        )

    def core(states: Tensor, held: Tensor) -> Tensor:
        step, total = torch.tensor(0), torch.tensor(1)
        with evaluating(model):
            images: Tensor = model.update_recurrent_state(states, held, angles, None, step, total)
        return images

    return core, embedding


def _huginn_form(model: Any, ids: Tensor) -> tuple[Core, Tensor]:
    embedding, place = model.embed_inputs(ids)

    def core(states: Tensor, held: Tensor) -> Tensor:
        with evaluating(model):
            images: Tensor = model.iterate_one_step(held, states, block_idx=place, current_step=0)[0]
        return images

    return core, embedding


_FORMS: tuple[tuple[tuple[str, ...], Callable[[Any, Tensor], tuple[Core, Tensor]]], ...] = (
    (("embed", "core"), _plain_form),
    (("update_recurrent_state", "transformer"), _parcae_form),
    (("embed_inputs", "iterate_one_step"), _huginn_form),
)
