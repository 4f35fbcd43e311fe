"""Tasks of the laboratory: keys by hand, counts that are known, and a solver of its own."""

import numpy as np
import pytest
import torch

from limitset.core.errors import InputError
from limitset.datasets.recurrent import (
    NOT_ASKED,
    PARITY,
    PREFIX_SUMS,
    SUDOKU,
    TASKS,
    Problems,
    parity,
    prefix_sums,
    sudoku4,
)
from limitset.datasets.recurrent.tasks import _grids


def rng(seed=0):
    return np.random.default_rng(seed)


def solutions(board):
    """All solutions of a 4 x 4 sudoku, by trying: independent of the table of grids."""
    empty = np.argwhere(board == 0)
    if not len(empty):
        return [board.copy()]
    row, column = empty[0]
    corner = board[row // 2 * 2 : row // 2 * 2 + 2, column // 2 * 2 : column // 2 * 2 + 2]
    found = []
    for digit in range(1, 5):
        if digit not in board[row] and digit not in board[:, column] and digit not in corner:
            tried = board.copy()
            tried[row, column] = digit
            found += solutions(tried)
    return found


def test_prefix_sums_by_a_loop_over_bits():
    made = prefix_sums(9, 20, rng())
    for bits, key in zip(made.inputs.tolist(), made.targets.tolist(), strict=True):
        state, seen = 0, []
        for bit in bits:
            state ^= bit
            seen.append(state)
        assert seen == key
    assert made.inputs.shape == (20, 9)
    assert (made.name, made.size, len(made)) == ("prefix sums", 9, 20)


def test_bits_are_fair():
    share = prefix_sums(50, 200, rng()).inputs.double().mean()
    assert abs(share - 0.5) < 4 * 0.5 / 100  # 10,000 bits: deviation .005


def test_parity_asks_for_the_last_position_alone():
    made = parity(7, 30, rng())
    assert (made.targets[:, :-1] == NOT_ASKED).all()
    assert torch.equal(made.targets[:, -1], prefix_sums(7, 30, rng()).targets[:, -1])


def test_there_are_288_grids_of_which_no_two_differ_in_fewer_than_four_cells():
    grids, differ = _grids()
    assert len(np.unique(grids, axis=0)) == 288
    counts = np.array([int(bits).bit_count() for bits in differ.ravel()]).reshape(288, 288)
    assert (counts.diagonal() == 0).all()
    # two rows of a band that differ by a swap in one box pair: the smallest change moves four cells
    assert counts[~np.eye(288, dtype=bool)].min() == 4


@pytest.mark.parametrize("holes", [0, 1, 6, 10, 12])
def test_every_puzzle_has_one_solution_and_the_key_is_it(holes):
    made = sudoku4(holes, 12, rng(holes))
    for board, key in zip(made.inputs.numpy(), made.targets.numpy(), strict=True):
        [solved] = solutions(board)
        assert (solved == key + 1).all()
        assert (board == 0).sum() == holes


def test_puzzles_differ_and_use_all_cells():
    made = sudoku4(8, 300, rng())
    assert len(torch.unique(made.inputs, dim=0)) > 290
    share = (made.inputs == 0).double().mean(dim=0)
    assert ((share > 0.4) & (share < 0.6)).all()  # half of the cells, deviation .029


@pytest.mark.parametrize("draw", [prefix_sums, parity, sudoku4])
def test_equal_generators_draw_equal_problems(draw):
    first, second, other = draw(6, 8, rng(1)), draw(6, 8, rng(1)), draw(6, 8, rng(2))
    assert torch.equal(first.inputs, second.inputs)
    assert torch.equal(first.targets, second.targets)
    assert not torch.equal(first.inputs, other.inputs)


def test_right_means_every_position_that_is_asked():
    problems = Problems(
        inputs=torch.zeros(3, 2, dtype=torch.long),
        targets=torch.tensor([[1, 0], [1, 0], [NOT_ASKED, 0]]),
        name="by hand",
        size=2,
    )
    answers = torch.tensor([[1, 0], [1, 1], [1, 0]])
    assert problems.right(answers).tolist() == [True, False, True]
    assert problems.chosen(torch.tensor([2, 0])).targets.tolist() == [[NOT_ASKED, 0], [1, 0]]


def test_tasks_are_listed_by_name_and_can_be_drawn_at_every_size():
    assert list(TASKS) == ["prefix sums", "parity", "sudoku"]
    for task in (PREFIX_SUMS, PARITY, SUDOKU):
        assert TASKS[task.name] is task
        assert task.least <= task.trained < min(task.beyond)
        for size in (task.least, task.trained, *task.beyond):
            made = task.draw(size, 3, rng())
            assert (made.name, made.size, made.inputs.ndim - 1) == (task.name, size, task.axes)
            assert int(made.inputs.max()) < task.tokens
            assert int(made.targets.max()) < task.answers


@pytest.mark.parametrize(
    ("draw", "said"),
    [
        (lambda: prefix_sums(0, 1, rng()), "one bit or more; got 0"),
        (lambda: parity(3, 0, rng()), "one problem or more; got 0"),
        (lambda: sudoku4(13, 1, rng()), "0 to 12 empty cells; got 13"),
        (lambda: sudoku4(-1, 1, rng()), "0 to 12 empty cells; got -1"),
        (lambda: sudoku4(3, 0, rng()), "one problem or more; got 0"),
    ],
)
def test_impossible_problems_are_refused(draw, said):
    with pytest.raises(InputError, match=said):
        draw()
