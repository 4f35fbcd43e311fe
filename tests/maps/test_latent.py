"""Do the adapters give exactly what their modules give, and keep the contract of maps?"""

import numpy as np
import pytest
import torch
from torch import nn

from limitset.core.errors import InputError
from limitset.core.streams import Streams
from limitset.instruments.dynamics.spectrum import Stability, spectrum
from limitset.instruments.dynamics.tensor_orbits import run_tensors
from limitset.maps.latent import (
    CellMap,
    EquilibriumMap,
    ModuleMap,
    RecurrentDepthMap,
    RecurrentDepthNet,
    TensorMap,
)
from limitset.numerics.vector_map import VectorMap
from limitset.testing import LawBrokenError, check_map

RNG = Streams(0)


def iterated(map, states, rows, steps):
    with torch.no_grad():
        for _ in range(steps):
            states = map.step(states, rows=rows, rng=RNG)
    return states


def seeded(make, *sizes, dtype=torch.float64, **options):
    torch.manual_seed(5)
    return make(*sizes, **options).to(dtype)


def tiny_net():
    return nn.Sequential(nn.Linear(5, 5), nn.Tanh(), nn.Dropout(0.5)).double()


class Held(nn.Module):
    """tanh(W h + x), W of norm 1/2: a contraction."""

    def __init__(self, size=4):
        super().__init__()
        torch.manual_seed(0)
        self.lin = nn.Linear(size, size, bias=False).double()
        with torch.no_grad():
            self.lin.weight /= 2 * torch.linalg.matrix_norm(self.lin.weight, 2)

    def forward(self, states, inputs):
        return torch.tanh(self.lin(states) + inputs)


def test_a_module_is_applied_in_evaluation_mode_and_left_as_it_was():
    net = tiny_net().train()
    net[1].eval()  # a part that was frozen by hand must stay so
    map = ModuleMap(net)
    starts = map.start([0, 1, 2], shape=(5,))
    images = map.step(starts, rows=[0, 1, 2], rng=RNG)
    assert net.training
    assert net[2].training
    assert not net[1].training
    assert all(weights.requires_grad for weights in net.parameters())
    assert torch.equal(images, net.eval()(starts).detach())
    assert not images.requires_grad
    check_map(map, starts, tolerance=1e-14)


def test_the_tolerance_of_the_check_does_not_hide_a_neighbour():
    class Neighbourly(nn.Module):
        def forward(self, states):
            return states / 2 + 1e-9 * states.mean()

    starts = torch.diag(torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64))
    check_map(ModuleMap(Neighbourly()), starts, tolerance=1e-8)
    with pytest.raises(LawBrokenError, match="rest of the batch"):
        check_map(ModuleMap(Neighbourly()), starts, tolerance=1e-12)


def test_held_inputs_follow_the_rows_and_each_start_has_its_own_fixed_point():
    net = Held()
    inputs = torch.arange(12, dtype=torch.float32).reshape(3, 4) / 6  # of another type than the states
    map = ModuleMap(net, inputs)
    starts = map.start([0, 1, 2], shape=(4,), scale=2.0)
    assert starts.dtype == torch.float64
    check_map(map, starts, tolerance=1e-14)
    ends = iterated(map, starts, [0, 1, 2], 80)
    # a contraction by 1/2: after 80 steps nothing moves, and a row alone ends where it ended among the others
    assert torch.allclose(map.step(ends, rows=[0, 1, 2], rng=RNG), ends, atol=1e-14)
    assert torch.allclose(iterated(map, torch.zeros(1, 4).double(), [2], 80), ends[2:], atol=1e-14)
    assert (ends[0] - ends[1]).abs().max() > 0.1


def test_starts_belong_to_their_rows_and_scale_and_seed_move_them():
    map = ModuleMap(tiny_net())
    together = map.start([0, 1, 2], shape=(5,))
    assert torch.equal(map.start([2], shape=(5,)), together[2:])
    assert torch.equal(map.start([2], shape=(5,), scale=3.0), 3 * together[2:])
    assert not torch.equal(map.start([2], shape=(5,), rng=Streams(1)), together[2:])
    assert map.start([0], shape=(2, 3)).shape == (1, 2, 3)
    assert ModuleMap(nn.Tanh()).start([0], shape=(2,)).dtype == torch.float32


def test_derivatives_pass_through_a_module_map():
    net = Held()
    map = ModuleMap(net, torch.zeros(2, 4).double())
    f = VectorMap.of(map, torch.zeros(2, 4).double())
    states = torch.zeros(2, 4, dtype=torch.float64)
    # tanh' (0) = 1, so the Jacobian at 0 is W
    assert torch.allclose(f.jacobian(states, [0, 1])[0], net.lin.weight, atol=1e-15)
    direction = torch.ones(2, 4, dtype=torch.float64)
    assert torch.allclose(f.vjp(states, [0, 1], direction)[1], net.lin.weight.sum(dim=0), atol=1e-15)
    whole = torch.func.jacrev(torch.func.vmap(lambda x: map.step(x[None], rows=[0], rng=RNG)[0]))(states)
    assert torch.allclose(whole[0, :, 0], net.lin.weight, atol=1e-15)


@pytest.mark.parametrize("inputs", [None, torch.zeros(1, 4)])
def test_module_errors_say_what_to_do(inputs):
    if inputs is None:
        with pytest.raises(InputError, match=r"shape.*got \(2, 3\)"):
            ModuleMap(nn.Linear(4, 3)).step(torch.zeros(2, 4), rows=[0, 1], rng=RNG)
    else:
        with pytest.raises(InputError, match="held input for every start; there are 1"):
            ModuleMap(Held().float(), inputs).step(torch.zeros(2, 4), rows=[0, 1], rng=RNG)


CELLS = {
    "RNNCell": (nn.RNNCell, {}),
    "RNNCell relu": (nn.RNNCell, {"nonlinearity": "relu"}),
    "GRUCell": (nn.GRUCell, {}),
    "LSTMCell": (nn.LSTMCell, {}),
    "LSTMCell without bias": (nn.LSTMCell, {"bias": False}),
    "RNN": (nn.RNN, {}),
    "RNN relu": (nn.RNN, {"nonlinearity": "relu"}),
    "GRU": (nn.GRU, {}),
    "GRU without bias": (nn.GRU, {"bias": False}),
    "LSTM": (nn.LSTM, {}),
    "LSTM without bias": (nn.LSTM, {"bias": False}),
    "LSTM batch first": (nn.LSTM, {"batch_first": True}),
    "LSTM projected": (nn.LSTM, {"proj_size": 2}),
}


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_runs_under_a_held_input_as_torch_runs_it(name):
    make, options = CELLS[name]
    cell = seeded(make, 3, 4, **options)
    inputs = torch.randn(2, 3, dtype=torch.float64)
    map = CellMap(cell, inputs)
    starts = map.start([0, 1])
    assert starts.shape == (2, sum(map.widths))
    assert starts.dtype == torch.float64
    check_map(map, starts, tolerance=1e-13)
    ends = iterated(map, starts, [0, 1], 6)
    # torch itself, six times the same input
    if isinstance(cell, nn.RNNBase):
        shape = (2, 6, 3) if cell.batch_first else (6, 2, 3)
        sequence = (inputs[:, None] if cell.batch_first else inputs).expand(shape)
        _, last = cell(sequence)
        wanted = torch.cat([part[0] for part in last], dim=1) if isinstance(last, tuple) else last[0]
    else:
        wanted = None
        for _ in range(6):
            wanted = cell(inputs, wanted)
        wanted = torch.cat(wanted, dim=1) if isinstance(wanted, tuple) else wanted
    assert torch.allclose(ends, wanted, atol=1e-12)


def test_an_lstm_settles_and_its_jacobian_at_the_end_is_a_contraction():
    """fixed-point-finder raises IndexError on nn.LSTM; here its state is h and c side by side."""
    lstm = seeded(nn.LSTM, 3, 4)
    map = CellMap(lstm, torch.ones(2, 3, dtype=torch.float64))
    ends = iterated(map, torch.randn(2, 8, dtype=torch.float64), [0, 1], 300)
    assert torch.allclose(map.step(ends, rows=[0, 1], rng=RNG), ends, atol=1e-12)
    assert torch.allclose(ends[0], ends[1], atol=1e-12)
    # h = sigmoid(.) tanh(c) lies in (-1, 1)
    assert ends[:, :4].abs().max() < 1
    jacobian = VectorMap.of(map, ends).jacobian(ends, [0, 1])
    assert torch.linalg.eigvals(jacobian).abs().max() < 1
    finite = (
        map.step(ends + 1e-6 * torch.eye(8)[:2].double(), rows=[0, 1], rng=RNG)
        - map.step(ends - 1e-6 * torch.eye(8)[:2].double(), rows=[0, 1], rng=RNG)
    ) / 2e-6
    assert torch.allclose(jacobian[1, :, 1], finite[1], atol=1e-8)


def test_a_cell_without_inputs_holds_zeros():
    cell = seeded(nn.GRUCell, 3, 4)
    states = torch.randn(2, 4, dtype=torch.float64)
    held = CellMap(cell, torch.zeros(2, 3).double()).step(states, rows=[0, 1], rng=RNG)
    assert torch.equal(CellMap(cell).step(states, rows=[0, 1], rng=RNG), held)
    assert not torch.equal(CellMap(cell, torch.ones(2, 3)).step(states, rows=[0, 1], rng=RNG), held)


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (nn.LSTM(3, 4, num_layers=2), "got 2 layers"),
        (nn.GRU(3, 4, bidirectional=True), "got two directions"),
        (nn.Linear(3, 3), r"got Linear\. Use ModuleMap"),
    ],
)
def test_cells_that_are_no_self_map_are_refused(cell, words):
    with pytest.raises(InputError, match=words):
        CellMap(cell)


def test_an_equilibrium_layer_ends_where_torchdeq_solves_it():
    torchdeq = pytest.importorskip("torchdeq")
    net = Held()
    inputs = torch.randn(3, 4, dtype=torch.float64)
    map = EquilibriumMap(net, inputs)
    starts = map.start([0, 1, 2])
    assert not starts.any()
    assert starts.dtype == torch.float64
    check_map(map, starts, tolerance=1e-14)
    ends = iterated(map, starts, [0, 1, 2], 80)
    for solver in ("fixed_point_iter", "anderson", "broyden"):
        layer = torchdeq.get_deq(f_solver=solver, f_max_iter=60, f_tol=1e-9).train()
        solved = map.solved_by(layer, starts, rows=[0, 1, 2])
        assert layer.training
        assert not starts.any()
        assert torch.allclose(solved, ends, atol=1e-7)
    alone = map.solved_by(torchdeq.get_deq(f_max_iter=60, f_tol=1e-9), starts[:1], rows=[2])
    assert torch.allclose(alone, ends[2:], atol=1e-7)


def test_an_equilibrium_state_may_have_another_shape_than_its_input():
    weights = torch.full((2, 3), 0.1, dtype=torch.float64)
    map = EquilibriumMap(lambda z, x: z / 2 + x @ weights.T, torch.ones(2, 3).double(), shape=(2,))
    # z = z / 2 + 0.3 has the one solution 0.6
    assert torch.allclose(iterated(map, map.start([0, 1]), [0, 1], 60), torch.full((2, 2), 0.6).double())


def test_the_core_of_a_recurrent_depth_net_is_what_its_forward_runs():
    net = RecurrentDepthNet(width=8, heads=2, vocabulary=11, seed=0).double()
    ids = torch.randint(0, 11, (3, 5), generator=torch.Generator().manual_seed(0))
    map = RecurrentDepthMap.of(net, ids, scale=0.0)
    ends = iterated(map, map.start([0, 1, 2]), [0, 1, 2], 6)
    assert torch.allclose(net.read(ends), net(ids, steps=6), atol=1e-12)
    noisy = RecurrentDepthMap.of(net, ids)
    check_map(noisy, noisy.start([0, 1, 2]), tolerance=1e-12)
    assert torch.equal(noisy.start([2]), noisy.start([0, 1, 2])[2:])
    # causal: another last token leaves every earlier position alone
    other = ids.clone()
    other[:, -1] = (other[:, -1] + 1) % 11
    moved = iterated(RecurrentDepthMap.of(net, other, scale=0.0), map.start([0, 1, 2]), [0, 1, 2], 6)
    assert torch.allclose(moved[:, :-1], ends[:, :-1], atol=1e-12)
    assert not torch.allclose(moved, ends)


def test_a_linear_part_below_one_does_not_bound_the_radius_of_the_whole():
    """Parcae's design keeps exp(-dt A) below 1; the residual blocks are not in that bound."""
    ids = torch.arange(1, 7)[None]
    radii, residuals = {}, {}
    for gain in (0.0, 1.0):
        net = RecurrentDepthNet(width=16, heads=2, vocabulary=11, blocks=2, gain=gain, seed=2).double()
        map = RecurrentDepthMap.of(net, ids)
        ends = iterated(map, map.start([0]), [0], 300)
        residuals[gain] = float((map.step(ends, rows=[0], rng=RNG) - ends).norm() / ends.norm())
        f = VectorMap.of(map, ends)
        radii[gain] = float(torch.linalg.eigvals(f.jacobian(f.flat(ends), [0])[0]).abs().max())
        assert net.linear_radius() < 0.84
    # without blocks the map is its linear part and settles at its rate
    assert radii[0.0] == pytest.approx(net.linear_radius(), abs=1e-10)
    assert residuals[0.0] < 1e-12
    # with them the radius passes that bound, and after 300 steps a step still moves a state by a thousandth
    assert radii[1.0] > net.linear_radius() + 0.05
    assert residuals[1.0] > 1e-3


class ParcaeShaped(nn.Module):
    """Has what Parcae's models have, with a core that can be computed by hand."""

    def __init__(self):
        super().__init__()
        self.transformer = nn.ModuleDict(
            {"wte": nn.Embedding(7, 4), "prelude": nn.ModuleList(), "ln_prelude": nn.Identity()}
        )
        self.emb_scale, self.value_embeds, self.freqs_cis = 2.0, {}, torch.zeros(1, 9)
        self.config = type("Config", (), {"prelude_norm": True})

    def update_recurrent_state(self, states, embedding, angles, mask, step, total):
        assert angles.shape == (1, 3)
        assert mask is None
        return states / 2 + embedding


class HuginnShaped(nn.Module):
    def __init__(self):
        super().__init__()
        self.wte = nn.Embedding(7, 4)

    def embed_inputs(self, ids):
        return 2 * self.wte(ids), torch.tensor(1)

    def iterate_one_step(self, embedding, states, *, block_idx, current_step):
        return states / 2 + embedding, block_idx + 1, None


@pytest.mark.parametrize("make", [ParcaeShaped, HuginnShaped])
def test_cores_of_public_models_are_found_by_their_methods(make):
    model = make()
    ids = torch.tensor([[1, 2, 3], [4, 5, 6]])
    map = RecurrentDepthMap.of(model, ids)
    table = (model.wte if make is HuginnShaped else model.transformer["wte"]).weight
    ends = iterated(map, map.start([0, 1]), [0, 1], 60)
    # h = h / 2 + e has the one fixed point 2 e, and e is twice the table here
    assert torch.allclose(ends, 4 * table[ids].detach(), atol=1e-5)


def test_other_models_are_refused_by_what_they_lack():
    with pytest.raises(InputError, match=r"embed and core; or .*got Linear"):
        RecurrentDepthMap.of(nn.Linear(2, 2), torch.tensor([[1]]))
    inside = ParcaeShaped()
    inside.value_embeds = {"3": nn.Embedding(7, 4)}
    with pytest.raises(InputError, match="value embeddings inside the core"):
        RecurrentDepthMap.of(inside, torch.tensor([[1, 2, 3]]))


def test_every_option_of_the_net_moves_it():
    ids = torch.tensor([[1, 2, 3]])
    plain = {"width": 8, "heads": 2, "vocabulary": 11, "blocks": 1, "gain": 1.0, "seed": 0}
    base = RecurrentDepthNet(**plain)(ids, steps=3)
    for change in ({"heads": 4}, {"blocks": 2}, {"gain": 2.0}, {"seed": 1}):
        assert not torch.allclose(RecurrentDepthNet(**(plain | change))(ids, steps=3), base)
    torch.manual_seed(3)
    before = torch.rand(1)
    torch.manual_seed(3)
    RecurrentDepthNet(**plain)
    assert torch.equal(torch.rand(1), before), "building a net must not move the global generator"
    assert np.isfinite(base.detach().numpy()).all()


def test_a_module_or_another_map_may_be_the_step_of_a_tensor_map():
    net, states = Held(), torch.ones(2, 4, dtype=torch.float64)
    plain = nn.Linear(4, 4, bias=False).double()
    with torch.no_grad():
        assert torch.equal(TensorMap(step=plain).step(states, rows=[0, 1], rng=RNG), plain(states))
    held = ModuleMap(net, torch.arange(8.0).reshape(2, 4))
    again = TensorMap(step=held.step)
    assert again.arguments == 3
    wanted = held.step(states[:1], rows=[1], rng=RNG)
    assert torch.equal(again.step(states[:1], rows=[1], rng=RNG), wanted)


def adapters():
    torch.manual_seed(0)
    inputs = torch.randn(4, 4, dtype=torch.float64)
    net = RecurrentDepthNet(width=8, heads=2, vocabulary=11, gain=0.5, seed=0).double()
    ids = torch.randint(0, 11, (4, 3), generator=torch.Generator().manual_seed(0))
    module, cell = ModuleMap(Held(), inputs), CellMap(seeded(nn.GRUCell, 4, 4), inputs)
    layer, core = EquilibriumMap(Held(), inputs), RecurrentDepthMap.of(net, ids)
    rows = range(4)
    return {
        "module": (module, module.start(rows, shape=(4,))),
        "cell": (cell, cell.start(rows)),
        "equilibrium": (layer, layer.start(rows)),
        "recurrent depth": (core, core.start(rows)),
    }


@pytest.mark.parametrize("name", ["module", "cell", "equilibrium", "recurrent depth"])
def test_every_adapter_runs_through_the_instruments(name):
    map, starts = adapters()[name]
    before = starts.clone()
    runs = run_tensors(map, starts, steps=800, rng=RNG)
    assert runs.settled.all()
    assert (runs.periods == 1).all()
    assert torch.equal(starts, before)
    found = spectrum(map, torch.tensor(runs.lasts), rng=np.random.default_rng(0))
    assert set(found.stability) == {Stability.STABLE}
    # a row that is run alone keeps its own held input
    alone = run_tensors(map, starts[2:3], rows=[2], steps=800, rng=RNG)
    assert np.allclose(alone.lasts[0], runs.lasts[2], atol=1e-7)
