"""Where does a recurrent cell go when its input is held?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor, nn

from limitset.core.errors import InputError
from limitset.core.levels import Level
from limitset.core.streams import Streams
from limitset.maps.latent.module import Rows, evaluating, held_rows, like_weights

CELLS: Final = (nn.RNNCell, nn.GRUCell, nn.LSTMCell)
LAYERS: Final = (nn.RNN, nn.GRU, nn.LSTM)


@dataclass(frozen=True, eq=False)
class CellMap:
    """The map h -> cell(x, h) of a recurrent cell under an input x that never changes.

    Parameters
    ----------
    cell
        `RNNCell`, `GRUCell`, `LSTMCell`, or a one-layer, one-way `RNN`, `GRU`, `LSTM`, of which one time
        step is the map.
    inputs : (n, input_size)
        One held input a start; `None` holds zeros.

    Notes
    -----
    The state of an LSTM is h and c side by side, `(b, h + c)`: c is as much part of where it is as h. With
    `proj_size` h is shorter than c.

    Raises
    ------
    InputError
        For other modules, several layers or two directions, whose states are not the input of the next step.

    References
    ----------
    Fixed points of cells under a held input: Sussillo and Barak (2013), doi:10.1162/NECO_a_00409.

    Examples
    --------
    >>> _ = torch.manual_seed(0)
    >>> lstm = CellMap(nn.LSTMCell(3, 4))
    >>> lstm.step(lstm.start([0, 1]), rows=[0, 1], rng=Streams(0)).shape
    torch.Size([2, 8])
    """

    cell: nn.Module
    inputs: Tensor | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.cell, CELLS + LAYERS):
            raise InputError.of(
                expected="a cell is an RNNCell, GRUCell, LSTMCell, or a one-layer RNN, GRU, LSTM",
                got=type(self.cell).__name__,
                fix="Use ModuleMap for other modules.",
            )
        layers, both_ways = (getattr(self.cell, name, 1) for name in ("num_layers", "bidirectional"))
        if isinstance(self.cell, LAYERS) and (layers > 1 or both_ways):
            ways = "two directions" if both_ways else f"{layers} layers"
            raise InputError.of(
                expected="one layer in one direction", got=ways, fix="Trace each layer as a map of its own."
            )

    @property
    def level(self) -> Level:
        """Hidden states."""
        return Level.HIDDEN

    @property
    def deterministic(self) -> bool:
        """Yes."""
        return True

    @property
    def _cell(self) -> Any:
        return self.cell

    @property
    def widths(self) -> tuple[int, ...]:
        """Sizes of the parts of a state: (h,) or (h, c)."""
        size = int(self._cell.hidden_size)
        if not isinstance(self.cell, nn.LSTM | nn.LSTMCell):
            return (size,)
        return (int(getattr(self.cell, "proj_size", 0)) or size, size)

    def start(self, rows: Rows) -> Tensor:
        """Return zero states, with which torch begins a sequence."""
        return torch.zeros(len(rows), sum(self.widths)).to(like_weights(self.cell))

    def step(self, states: Tensor, *, rows: Rows, rng: Streams) -> Tensor:  # noqa: ARG002 - of the contract
        """Run one time step."""
        held = (
            states.new_zeros(len(states), int(self._cell.input_size))
            if self.inputs is None
            else held_rows(self.inputs, rows, states)
        )
        with evaluating(self.cell):
            parts = torch.split(states, list(self.widths), dim=1)
            return _one_step(self.cell, held, parts)


def _one_step(cell: Any, held: Tensor, parts: Sequence[Tensor]) -> Tensor:
    if isinstance(cell, nn.LSTMCell):
        return torch.cat(cell(held, tuple(parts)), dim=1)
    if isinstance(cell, CELLS):
        return cell(held, parts[0])  # type: ignore[no-any-return]
    # the fused kernels of whole sequences have no forward derivatives; one step of them is a cell
    if isinstance(cell, nn.LSTM):
        return _lstm_step(cell, held, parts)
    biases = (cell.bias_ih_l0, cell.bias_hh_l0) if cell.bias else (None, None)
    weights = (cell.weight_ih_l0, cell.weight_hh_l0, *biases)
    if isinstance(cell, nn.GRU):
        return torch.gru_cell(held, parts[0], *weights)
    step = torch.rnn_tanh_cell if cell.nonlinearity == "tanh" else torch.rnn_relu_cell
    return step(held, parts[0], *weights)


def _lstm_step(layer: Any, held: Tensor, parts: Sequence[Tensor]) -> Tensor:
    hidden, memory = parts
    gates = held @ layer.weight_ih_l0.T + hidden @ layer.weight_hh_l0.T
    if layer.bias:
        gates = gates + layer.bias_ih_l0 + layer.bias_hh_l0
    let_in, forget, new, out = gates.chunk(4, dim=1)
    memory = torch.sigmoid(forget) * memory + torch.sigmoid(let_in) * torch.tanh(new)
    hidden = torch.sigmoid(out) * torch.tanh(memory)
    if layer.proj_size:
        hidden = hidden @ layer.weight_hr_l0.T
    return torch.cat([hidden, memory], dim=1)
