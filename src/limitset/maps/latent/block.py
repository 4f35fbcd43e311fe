"""Where does a block of layers of a transformers model go when it is looped?"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from limitset.core.errors import InputError
from limitset.core.levels import Level
from limitset.core.streams import Streams
from limitset.maps.latent.module import Rows, evaluating, held_rows
from limitset.maps.latent.tensor_map import TensorMap

Injection = Literal["none", "additive"]
Norm = Literal["none", "rms"]

LAYER_LISTS: Final = ("layers", "h", "blocks")
"""What decoders of transformers call their layers."""


class BlockMap:
    """The map that applies layers `first` to `last` of a causal language model once.

    x -> F(x), F(x + e) with additive injection; with norm "rms" each token of the image is rescaled to the
    norm of e at its position. e is what enters layer `first` when the model reads the tokens.

    Parameters
    ----------
    model
        Of transformers; put in evaluation mode for each step and left as it was found.
    first, last
        Layers from 0, both applied.
    token_ids : (n, t) int64
        One text a start, all of one length, without padding.
    injection
        "none": the loop starts at e and never sees it again. "additive": it starts at zero and gets e at
        every step, so that its first image is that of the model itself.
    norm
        "none", or "rms".

    Raises
    ------
    InputError
        For layers that are not there, ids that are not of one length, or an unknown option.

    Notes
    -----
    Each layer is called with exactly the mask, positions and rotary embedding that the model itself hands to
    it, recorded from one run. Attention runs through plain kernels, since fused ones have no forward
    derivatives. Position 0 is often an attention sink whose norm drowns the others: `measured` leaves it out,
    and `beside_sink` is the map of the others with position 0 held. Attention is causal, so position 0 goes
    its own way: the spectrum of the whole is that of position 0 and that of the others together. Many models
    compute their norms in float32 whatever their type, so residuals do not fall below about 1e-7 of the norm.

    References
    ----------
    Attention sinks: Xiao et al. (2024), arXiv:2309.17453. Input injection from a zero start: Yang, Lee,
    Nowak, Papailiopoulos (2024), arXiv:2311.12424.
    """

    level: Final = Level.HIDDEN
    deterministic: Final = True

    def __init__(
        self,
        model: Any,
        first: int,
        last: int,
        token_ids: Tensor,
        *,
        injection: Injection | str = "none",
        norm: Norm | str = "none",
    ) -> None:
        layers = decoder_layers(model)
        _check(len(layers), first, last, token_ids, injection=injection, norm=norm)
        self._model = model
        self._ids = token_ids.to(model.device)
        self._layers = layers[first : last + 1]
        self._injection = injection
        self._norm = norm
        with evaluating(model), torch.no_grad():
            self._calls = [_call_of(model, layer, self._ids[:1])[1] for layer in self._layers]
            self.entering = _call_of(model, self._layers[0], self._ids)[0]

    entering: Tensor
    """(n, t, d): what enters the block when the model reads the texts."""

    @property
    def count(self) -> int:
        """How many texts there are."""
        return len(self.entering)

    def start(self, rows: Rows) -> Tensor:
        """Return where the loop begins, `(b, t, d)`."""
        entering = held_rows(self.entering, rows, self.entering)
        return torch.zeros_like(entering) if self._injection == "additive" else entering

    def step(self, states: Tensor, *, rows: Rows, rng: Streams) -> Tensor:  # noqa: ARG002 - of the contract
        """Apply the layers once to every position."""
        entering = held_rows(self.entering, rows, states)
        x = states + entering if self._injection == "additive" else states
        with evaluating(self._model), plain_attention():
            for layer, call in zip(self._layers, self._calls, strict=True):
                x = _hidden(layer(x, **call))
        if self._norm == "rms":
            x = x * (entering.norm(dim=-1, keepdim=True) / x.norm(dim=-1, keepdim=True))
        return x

    def measured(self, states: Tensor) -> Tensor:
        """Return the states without position 0, `(b, t - 1, d)`."""
        return states[:, 1:]

    def beside_sink(self, states: Tensor) -> TensorMap:
        """Return the map of positions 1 and on, with position 0 held where it is in `states`.

        Parameters
        ----------
        states : (n, t, d)
            One state a start, such as the last ones of a loop.

        Returns
        -------
        TensorMap
            Of states `(b, t - 1, d)`.
        """
        sink = states[:, :1].detach()

        def step(rest: Tensor, rows: Tensor) -> Tensor:
            whole = torch.cat([held_rows(sink, rows, rest), rest], dim=1)
            return self.step(whole, rows=rows, rng=Streams(0))[:, 1:]

        return TensorMap(step=step)

    def next_tokens(self, states: Tensor, *, rows: Rows) -> Tensor:
        """Return the likeliest token after each text, `(b,)`, when these states leave the block."""
        ids = held_rows(self._ids, rows, states)
        output: list[Any] = []

        def replaced(_: nn.Module, __: Any, result: Any) -> Any:
            output.append(None)
            return (states, *result[1:]) if isinstance(result, tuple) else states

        hook = self._layers[-1].register_forward_hook(replaced)
        try:
            with evaluating(self._model), torch.no_grad():
                logits = self._model(input_ids=ids, use_cache=False, logits_to_keep=1).logits
        finally:
            hook.remove()
        return logits[:, -1].argmax(dim=-1)  # type: ignore[no-any-return]


def decoder_layers(model: Any) -> nn.ModuleList:
    """Return the layers of a decoder of transformers.

    Raises
    ------
    InputError
        When they are not found under any of the usual names.
    """
    decoder = model.get_decoder() if hasattr(model, "get_decoder") else model
    for name in LAYER_LISTS:
        layers = getattr(decoder, name, None)
        if isinstance(layers, nn.ModuleList):
            return layers
    raise InputError.of(
        expected=f"a decoder keeps its layers as {', '.join(LAYER_LISTS)}",
        got=type(model).__name__,
        fix="Use ModuleMap with the block itself.",
    )


@contextmanager
def plain_attention() -> Iterator[None]:
    """Run attention through kernels that have derivatives of every kind."""
    with sdpa_kernel(SDPBackend.MATH), warnings.catch_warnings():
        # torch warns of its own use of torch.jit.script when forward derivatives are first taken
        warnings.filterwarnings("ignore", message=".*torch.jit.script", category=DeprecationWarning)
        yield


class _SeenError(Exception):
    """The model has come to the layer in question: nothing after it is needed."""


def _call_of(model: Any, layer: nn.Module, ids: Tensor) -> tuple[Tensor, dict[str, Any]]:
    """Run the model up to a layer and return the states and everything else that the layer is called with."""
    seen: list[tuple[Tensor, dict[str, Any]]] = []

    def record(_: nn.Module, given: tuple[Any, ...], named: dict[str, Any]) -> None:
        named = dict(named)
        states = given[0] if given else named.pop("hidden_states")
        seen.append((states, named))
        raise _SeenError

    hook = layer.register_forward_pre_hook(record, with_kwargs=True)
    try:
        model(input_ids=ids, use_cache=False, logits_to_keep=1)
    except _SeenError:
        pass
    finally:
        hook.remove()
    return seen[0]


def _hidden(result: Any) -> Tensor:
    hidden: Tensor = result[0] if isinstance(result, tuple) else result
    return hidden


def _check(layers: int, first: int, last: int, ids: Tensor, *, injection: str, norm: str) -> None:
    if not 0 <= first <= last < layers:
        raise InputError.of(
            expected=f"0 <= first <= last <= {layers - 1}, the last layer",
            got=f"{first} and {last}",
            fix="Name layers of the model.",
        )
    if ids.ndim != 2 or not ids.shape[1] or ids.dtype != torch.long:
        raise InputError.of(
            expected="token ids must be whole numbers (n, t), all texts of one length",
            got=f"{tuple(ids.shape)} of {ids.dtype}",
            fix="Trace texts of different lengths one by one.",
        )
    for name, given, known in (("injection", injection, Injection), ("norm", norm, Norm)):
        if given not in get_args(known):
            raise InputError.of(
                expected=f"{name} must be {' or '.join(get_args(known))}", got=given, fix="Name one of them."
            )
