"""Does watching a training say what the nets of each epoch do, and leave the training alone?"""

import csv
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from limitset.core.errors import InputError
from limitset.core.medians import median_interval
from limitset.core.streams import Streams
from limitset.maps.latent import ModuleMap, TensorMap
from limitset.studies.watching import Watch

RNG = Streams(0)


class Held(nn.Module):
    """h -> a h + x: settles at x / (1 - a) when |a| < 1."""

    def __init__(self, slope=0.5):
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(slope, dtype=torch.float64))

    def forward(self, states, inputs):
        return self.slope * states + inputs


def inputs(count=8):
    return torch.linspace(-1.0, 1.0, count, dtype=torch.float64)[:, None]


def watched(net, slopes, **options):
    watch = Watch(ModuleMap(net, inputs()), torch.ones(8, 1).double(), rng=RNG, **options)
    for epoch, slope in enumerate(slopes):
        net.slope.data.fill_(slope)
        watch(epoch)
    return watch


def test_each_epoch_sees_the_weights_of_that_moment():
    watch = watched(Held(), [0.5, 1.5, -0.9], readout=lambda states: states[:, 0] > 0, key=inputs()[:, 0] > 0)
    first, second, third = watch.records
    # slope 1/2: all settle at 2 x, whose sign is that of x; 3/2: all grow; the radius is the slope itself
    assert (first["settled"], first["spectral radius"], first["right"]) == (1.0, 0.5, 1.0)
    assert second["settled"] == 0.0
    assert second["spectral radius"] == 1.5
    assert third["spectral radius"] == pytest.approx(0.9)
    assert third["right"] == 1.0
    # Wilson for 8 of 8: 1 / (1 + 1.96^2 / 8)
    assert first["settled, low"] == pytest.approx(1 / (1 + 1.959964**2 / 8))
    table = watch.table()
    assert table.one(epoch=1.0, measure="settled").n == 8
    assert table.one(epoch=0.0, measure="settled and wrong").value == 0.0


def test_settled_and_wrong_is_told_apart():
    # the key is the opposite in two of the eight places
    key = inputs()[:, 0] > 0
    key[:2] = ~key[:2]
    watch = watched(Held(), [0.5], readout=lambda states, rows: states[:, 0] > 0, key=key.numpy())
    assert watch.records[0]["right"] == 0.75
    assert watch.records[0]["settled and wrong"] == 0.25


def test_without_a_key_there_is_no_anchor():
    watch = watched(Held(), [0.5], readout=lambda states: states > 0)
    assert watch.records[0]["right"] == "no anchor"
    assert watch.table().one(epoch=0.0, measure="right").blank_reason == "no anchor"


def test_every_steps_spectra_and_tolerance_move_the_record():
    assert [row["epoch"] for row in watched(Held(), [0.5] * 5, every=2).records] == [0, 2, 4]
    assert watched(Held(), [0.9], steps=20).records[0]["settled"] == 0.0
    assert watched(Held(), [0.9], steps=20, tolerance=0.5).records[0]["settled"] > 0
    assert watched(Held(), [0.9], steps=500).records[0]["settled"] == 1.0
    none = watched(Held(), [0.9], spectra=0).records[0]
    assert none["spectral radius"] == "no spectrum was asked for"
    assert watched(Held(), [0.9], spectra=3).table().one(epoch=0.0, measure="spectral radius").n == 3


def test_training_goes_on_as_if_nobody_watched():
    def trained(watching):
        torch.manual_seed(0)
        net = nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.2), nn.Tanh()).double().train()
        optimiser = torch.optim.SGD(net.parameters(), lr=0.1)
        watch = Watch(ModuleMap(net), torch.randn(5, 3).double(), rng=RNG)
        for epoch in range(4):
            optimiser.zero_grad()
            net(torch.ones(2, 3).double()).square().sum().backward()
            if watching:
                watch(epoch)
                assert net.training
                assert all(weights.grad is not None for weights in net.parameters())
            optimiser.step()
        return [weights.detach().clone() for weights in net.parameters()]

    assert all(torch.equal(a, b) for a, b in zip(trained(False), trained(True), strict=True))


def test_a_module_behind_a_plain_function_is_put_in_evaluation_mode():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.5)).train()
    net[0].weight.data /= 4
    map = TensorMap(step=net)
    assert Watch(map, torch.ones(4, 3), module=net, rng=RNG)(0)["settled"] == 1.0
    assert net.training
    with pytest.raises(InputError):
        Watch(map, torch.ones(4, 3), rng=RNG)(0)  # dropout at work: it is not the deterministic map it says


def test_the_map_and_the_starts_may_be_built_anew():
    calls = []

    def build():
        calls.append(1)
        return ModuleMap(Held(), inputs())

    watch = Watch(build, lambda: torch.ones(8, 1).double(), rng=RNG)
    watch(0)
    watch(1)
    assert len(calls) == 2
    assert watch.records[1]["settled"] == 1.0


def test_a_map_without_derivatives_has_no_radius():
    rounded = TensorMap(step=lambda states: (states.detach() / 2).round())
    record = Watch(rounded, torch.ones(4, 2).double(), rng=RNG)(0)
    assert "no derivative" in str(record["spectral radius"]) or record["spectral radius"] == 0.0
    assert record["settled"] == 1.0


def test_trainers_call_it_without_being_imported(tmp_path):
    net = Held()
    watch = Watch(ModuleMap(net, inputs()), torch.ones(8, 1).double(), rng=RNG)
    watch.on_epoch_end(SimpleNamespace(), SimpleNamespace(epoch=1.0), SimpleNamespace(), model=net)
    watch.on_train_epoch_end(SimpleNamespace(current_epoch=2), net)
    watch.on_epoch_end(3)
    watch.on_epoch_end()
    assert [row["epoch"] for row in watch.records] == [1, 2, 3, 3]
    assert watch.on_train_begin(1, 2, model=net) is None
    with pytest.raises(AttributeError, match="no attribute 'epochs'"):
        _ = watch.epochs
    watch.to_csv(tmp_path / "watched.csv")
    with (tmp_path / "watched.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["settled"] for row in rows] == ["1.0"] * 4
    assert rows[0]["right"] == "no anchor"


def test_the_callback_handler_of_transformers_takes_it():
    from transformers.trainer_callback import CallbackHandler, TrainerControl, TrainerState

    watch = Watch(ModuleMap(Held(), inputs()), torch.ones(8, 1).double(), rng=RNG)
    handler = CallbackHandler([watch], None, None, None, None)
    state, control = TrainerState(epoch=1.0), TrainerControl()
    for event in (handler.on_train_begin, handler.on_epoch_begin, handler.on_epoch_end, handler.on_train_end):
        event(SimpleNamespace(), state, control)
    assert [row["epoch"] for row in watch.records] == [1.0]


def test_the_chart_draws_shares_only():
    watch = watched(Held(), [0.5, 1.5], readout=lambda states: states[:, 0] > 0, key=inputs()[:, 0] > 0)
    spec = watch.chart().to_dict()
    assert "settled and wrong" in str(spec)
    assert "spectral radius" not in str(spec)
    empty = Watch(ModuleMap(Held(), inputs()), torch.ones(8, 1).double(), rng=RNG)
    assert "No epoch was watched" in str(empty.chart().to_dict())


def test_the_median_has_an_interval_from_six_values_on():
    # n = 6: P(Bin(6, 1/2) < 1) = 1/64 = .016 a side, so smallest and largest hold it with 96.9 %
    got = median_interval(np.array([3.0, 1.0, 2.0, 6.0, 5.0, 4.0]))
    assert (got.value, got.low, got.high, got.n) == (3.5, 1.0, 6.0, 6.0)
    assert np.isnan(median_interval(np.arange(5.0)).low)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"every": 0}, "every must be 1 or more"),
        ({"steps": 0}, "steps must be 1 or more"),
        ({"spectra": -1}, "spectra must be 0 or more"),
        ({"key": [1]}, "key needs a readout"),
    ],
)
def test_bad_options_are_told(options, words):
    with pytest.raises(InputError, match=words):
        Watch(ModuleMap(Held(), inputs()), torch.ones(8, 1).double(), rng=RNG, **options)


def test_scores_instead_of_answers_are_told():
    watch = Watch(
        ModuleMap(Held(), inputs()),
        torch.ones(8, 1).double(),
        readout=lambda states: states,
        key=[True] * 8,
        rng=RNG,
    )
    with pytest.raises(InputError, match="must be comparable; got float64"):
        watch(0)
