"""Looped nets and their training: forms by hand, convolution by torch, and the pattern they are made for."""

import dataclasses
import functools
import itertools

import numpy as np
import pytest
import torch

from limitset.core.errors import InputError
from limitset.datasets.recurrent import (
    INJECTIONS,
    NORMS,
    PARITY,
    PREFIX_SUMS,
    SUDOKU,
    LoopedNet,
    net_for,
    net_from_bytes,
    net_to_bytes,
    prefix_sums,
    sudoku4,
    train,
)
from limitset.datasets.recurrent.design import EPSILON, injected, normalised, residual
from limitset.datasets.recurrent.looped_net import surroundings
from limitset.datasets.recurrent.training import PEAK_RATE, _rate
from limitset.maps.latent import TensorMap
from limitset.numerics.vector_map import VectorMap

CELLS = list(itertools.product(NORMS, INJECTIONS))


def rng(seed=0):
    return np.random.default_rng(seed)


def unit(x):
    return x / torch.sqrt((x**2).mean(-1, keepdim=True) + EPSILON)


def test_the_norm_by_hand():
    # mean of 9 and 16 is 12.5: (3, 4) / 3.5355
    expected = torch.tensor([[3.0, 4.0]]) / 12.5**0.5
    assert torch.allclose(normalised(torch.tensor([[3.0, 4.0]])), expected, atol=1e-5)
    assert normalised(torch.zeros(2, 3)).tolist() == [[0.0] * 3] * 2


@pytest.mark.parametrize(
    ("norm", "form"),
    [
        ("none", lambda x, f: x + f(x)),
        ("pre", lambda x, f: x + f(unit(x))),
        ("post", lambda x, f: unit(x + f(x))),
        ("sandwich", lambda x, f: unit(x + unit(f(unit(x))))),
    ],
)
def test_the_norm_stands_where_its_formula_says(norm, form):
    x = torch.from_numpy(rng().normal(size=(4, 5)))
    branch = torch.exp
    assert torch.allclose(residual(x, branch, norm=norm), form(x, branch), atol=1e-12)


def test_the_injections_by_hand():
    x, e = torch.tensor([[1.0]]), torch.tensor([[2.0]])

    def adapter(both):
        return both.sum(-1, keepdim=True)  # 3

    def gate(both):
        return both[..., :1] - 1.0  # 0: half open

    call = functools.partial(injected, x, e, adapter=adapter, gate=gate)
    assert call(injection="start").item() == 1.0
    assert call(injection="additive").item() == 3.0
    assert call(injection="concatenated").item() == 3.0
    # 1 + sigmoid(0) tanh(3) = 1 + .5 * .995055
    assert call(injection="gated").item() == pytest.approx(1.4975274, abs=1e-6)


def test_what_is_seen_on_a_string_makes_a_linear_map_a_convolution():
    net = net_for(PREFIX_SUMS, norm="none", injection="start", width=6).double()
    x = torch.from_numpy(rng().normal(size=(2, 7, 6)))
    weight = net.first.weight.view(6, 3, 6).transpose(1, 2)
    expected = torch.nn.functional.conv1d(x.transpose(1, 2), weight, padding=1).transpose(1, 2)
    bias = net.first.bias.detach()
    assert torch.allclose(net.first(surroundings(x)) - bias, expected, atol=1e-12)


def test_what_is_seen_on_a_board_is_cell_row_column_and_box():
    board = torch.from_numpy(rng().normal(size=(2, 4, 4, 3)))
    seen = surroundings(board)
    for row, column in itertools.product(range(4), repeat=2):
        top, left = row // 2 * 2, column // 2 * 2
        box = board[:, top : top + 2, left : left + 2]
        parts = (board[:, row, column], board[:, row].mean(1), board[:, :, column].mean(1), box.mean((1, 2)))
        assert torch.allclose(seen[:, row, column], torch.cat(parts, dim=-1), atol=1e-12)


@pytest.mark.parametrize(("norm", "injection"), CELLS)
@pytest.mark.parametrize("task", [PREFIX_SUMS, SUDOKU], ids=["strings", "boards"])
def test_every_cell_steps_answers_and_has_a_gradient(norm, injection, task):
    net = net_for(task, norm=norm, injection=injection, width=8)
    problems = task.draw(6, 3, rng())
    states = net.start(problems.inputs)
    for _ in range(3):
        states = net.step(states, problems.inputs)
    assert states.shape == (*problems.inputs.shape, 8)
    assert net.answered(states).shape == problems.targets.shape
    net.readout(states).square().sum().backward()
    silent = [name for name, weight in net.named_parameters() if weight.grad is None]
    assert not silent


@pytest.mark.parametrize(("norm", "injection"), CELLS)
def test_the_input_enters_at_every_step_but_for_start(norm, injection):
    net = net_for(PREFIX_SUMS, norm=norm, injection=injection, width=8)
    states = torch.from_numpy(rng().normal(size=(1, 5, 8))).float()
    ones, zeros = torch.ones(1, 5, dtype=torch.long), torch.zeros(1, 5, dtype=torch.long)
    same = torch.equal(net.step(states, ones), net.step(states, zeros))
    assert same == (injection == "start")
    assert torch.equal(net.start(ones), net.start(zeros)) == (injection != "start")


@pytest.mark.parametrize("norm", NORMS)
def test_states_are_bounded_where_the_outer_norm_stands(norm):
    net = net_for(PREFIX_SUMS, norm=norm, injection="additive", width=8)
    inputs = torch.ones(1, 5, dtype=torch.long)
    states = net.start(inputs)
    for _ in range(50):
        states = net.step(states, inputs)
    bounded = bool((states.square().mean(-1) <= 1.0 + 1e-6).all())
    assert bounded == (norm in ("post", "sandwich"))


def test_a_state_that_overflowed_has_no_answer():
    net = net_for(PARITY, norm="none", injection="additive", width=4)
    states = torch.zeros(3, 5, 4)
    states[1], states[2] = torch.inf, torch.nan
    answers = net.answered(states)
    assert (answers[0] >= 0).all()
    assert (answers[1:] == -1).all()
    problems = PARITY.draw(5, 3, rng())
    assert not problems.right(answers)[1:].any()


def test_no_state_heeds_its_neighbours_in_the_batch():
    net = net_for(SUDOKU, norm="sandwich", injection="gated").double()
    inputs = sudoku4(6, 5, rng()).inputs
    states = torch.from_numpy(rng(1).normal(size=(5, 4, 4, 32)))
    together = net.step(states, inputs)
    assert torch.allclose(net.step(states[2:3], inputs[2:3]), together[2:3], atol=1e-12)


def test_forward_and_backward_derivatives_agree():
    net = net_for(PREFIX_SUMS, norm="sandwich", injection="gated", width=4).double()
    inputs = prefix_sums(5, 2, rng()).inputs
    starts = torch.from_numpy(rng(1).normal(size=(2, 5, 4)))
    f = VectorMap.of(TensorMap(step=lambda states, rows: net.step(states, inputs[rows])), starts)
    x, v, u = (torch.from_numpy(rng(s).normal(size=(2, 20))) for s in (1, 2, 3))
    forward = (f.jvp(x, [0, 1], v) * u).sum(1)
    backward = (f.vjp(x, [0, 1], u) * v).sum(1)
    assert torch.allclose(forward, backward, atol=1e-10)


def test_weights_depend_on_the_seed_alone():
    torch.manual_seed(1)
    first = LoopedNet("post", "gated", seed=5)
    before = torch.random.get_rng_state()
    second, other = LoopedNet("post", "gated", seed=5), LoopedNet("post", "gated", seed=6)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    assert not torch.equal(first.embedding, other.embedding)
    # nets of one seed begin with the same branch in every cell
    assert torch.equal(LoopedNet("none", "start", seed=5).first.weight, first.first.weight)


def quick(**options):
    net = net_for(PREFIX_SUMS, norm="post", injection="additive", width=8, seed=options.pop("net", 0))
    given = {"steps": 4, "batch": 4, "iterations": 5, "seed": 0, **options}
    training = train(net, options.get("task", PREFIX_SUMS), **{k: v for k, v in given.items() if k != "task"})
    return net, training


def test_training_is_repeatable():
    torch.manual_seed(3)
    net, training = quick()
    torch.manual_seed(4)
    again, repeated = quick()
    assert np.array_equal(training.losses, repeated.losses)
    assert all(torch.equal(a, b) for a, b in zip(net.parameters(), again.parameters(), strict=True))
    assert training.skipped == 0


@pytest.mark.parametrize(
    "option",
    [
        {"steps": 6},
        {"batch": 5},
        {"iterations": 9},
        {"progressive": 0.0},
        {"progressive": 0.5},
        {"seed": 1},
        {"net": 1},
        {"task": PARITY},
    ],
    ids=lambda option: next(iter(option)),  # a task prints the place of its function in memory
)
def test_every_option_moves_the_training(option):
    usual, _ = quick()
    moved, _ = quick(**option)
    assert not torch.equal(usual.first.weight, moved.first.weight)


def test_the_rate_rises_for_a_fifth_and_falls_to_nothing():
    assert _rate(0.2) == PEAK_RATE
    assert _rate(0.1) == pytest.approx(PEAK_RATE / 2)
    assert _rate(0.6) == pytest.approx(PEAK_RATE / 2)
    assert _rate(0.0) == pytest.approx(0.0, abs=1e-12)
    assert _rate(1.0) == pytest.approx(0.0, abs=1e-12)


def test_mixed_loss_is_the_mean_of_its_two_parts():
    # the same draws whatever the share, so the first loss is linear in it
    plain, half, wholly = (quick(progressive=share)[1].losses[0] for share in (0.0, 0.5, 1.0))
    assert half == pytest.approx((plain + wholly) / 2, rel=1e-5)
    assert plain != wholly


def test_every_update_is_reported():
    seen = []
    net = net_for(PREFIX_SUMS, norm="post", injection="additive", width=4)
    training = train(net, PREFIX_SUMS, steps=3, batch=2, on_step=lambda step, loss: seen.append((step, loss)))
    assert seen == list(zip((1, 2, 3), training.losses.tolist(), strict=True))


def test_an_update_without_a_finite_gradient_is_left_out():
    net = net_for(PREFIX_SUMS, norm="none", injection="additive", width=4)
    with torch.no_grad():
        net.second.weight.fill_(torch.inf)
        before = net.first.weight.clone()
    training = train(net, PREFIX_SUMS, steps=3, batch=2)
    assert training.skipped == 3
    assert torch.equal(net.first.weight, before)


def test_a_net_comes_back_from_bytes():
    for task, kind in ((SUDOKU, torch.float32), (PREFIX_SUMS, torch.float64)):
        net = net_for(task, norm="sandwich", injection="gated", seed=4, width=8).to(kind)
        back = net_from_bytes(net_to_bytes(net))
        assert (back.norm, back.injection, back.axes, back.seed) == ("sandwich", "gated", task.axes, 4)
        assert all(
            torch.equal(a, b) and a.dtype == b.dtype
            for a, b in zip(net.parameters(), back.parameters(), strict=True)
        )
        inputs = task.draw(4, 2, rng()).inputs
        assert torch.equal(net.step(net.start(inputs), inputs), back.step(back.start(inputs), inputs))


@pytest.mark.parametrize("data", [b"", b"12345", net_to_bytes(LoopedNet("none", "start"))[:-7]], ids=len)
def test_other_bytes_are_refused(data):
    with pytest.raises(InputError, match="written by net_to_bytes"):
        net_from_bytes(data)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: LoopedNet("batch", "start"), "none, pre, post, sandwich; got 'batch'"),
        (lambda: LoopedNet("none", "added"), "start, additive, concatenated, gated; got 'added'"),
        (lambda: LoopedNet("none", "start", axes=3), "axes 1 or 2; got 2, 2, 32, 3"),
        (lambda: quick(steps=0), "needs steps"),
        (lambda: quick(progressive=1.5), r"share in \[0, 1\]"),
        (lambda: quick(batch=0), "batch and iterations of 1 or more"),
    ],
)
def test_wrong_arguments_are_refused(make, said):
    with pytest.raises(InputError, match=said):
        make()


def share_right(net, length, iterations):
    problems = prefix_sums(length, 128, rng(9))
    with torch.no_grad():
        states = net.start(problems.inputs)
        for _ in range(iterations):
            last, states = states, net.step(states, problems.inputs)
        moved = ((states - last).flatten(1).norm(dim=1) / states.flatten(1).norm(dim=1)).median()
    return float(problems.right(net.answered(states)).double().mean()), float(moved)


@pytest.mark.parametrize("seed", [0, 1])
def test_in_miniature_only_recall_with_an_outer_norm_keeps_its_answers(seed):
    task = dataclasses.replace(PREFIX_SUMS, trained=4, least=4)
    for norm, injection in (("post", "additive"), ("none", "start")):
        net = net_for(task, norm=norm, injection=injection, width=16, seed=seed)
        losses = train(net, task, steps=150, batch=32, iterations=6, seed=seed).losses
        assert losses[-20:].mean() < 0.2 < np.log(2) - 0.1 < losses[0]
        assert share_right(net, 4, 6)[0] > 0.85
        kept = share_right(net, 4, 60)[0]
        assert kept > 0.85 if norm == "post" else kept < 0.5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("norm", "injection"),
    [("post", "additive"), ("none", "additive"), ("post", "start"), ("none", "start")],
)
def test_only_recall_with_an_outer_norm_settles_on_the_right_answer_far_beyond_training(norm, injection):
    net = net_for(PREFIX_SUMS, norm=norm, injection=injection)
    train(net, PREFIX_SUMS)
    assert share_right(net, 12, 15)[0] > 0.95
    right, moved = share_right(net, 48, 100)
    if (norm, injection) == ("post", "additive"):
        assert right > 0.95
        assert moved < 1e-5
    else:
        assert right < 0.3
