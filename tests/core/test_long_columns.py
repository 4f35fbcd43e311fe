"""Do long columns come back as they were written, and is nothing paid for a column of one value?"""

import numpy as np
import pytest

from limitset.core import parquet
from limitset.core.columns import (
    Coded,
    by_first_row,
    coded,
    constant,
    distinct_rows,
    first_duplicate,
    frozen,
    grouped,
    is_constant,
    plain,
    take,
)
from limitset.core.ends import Ends


@pytest.fixture
def long_ends(monkeypatch):
    """Runs that are long by a lowered limit, with texts, numbers, nothing and one value."""
    monkeypatch.setattr(parquet, "MANY_ROWS", 1_000)
    rng = np.random.default_rng(0)
    rows = 40_000

    def texts(kinds, prefix):
        codes = rng.integers(-1, kinds, rows).astype(np.int32)
        return Coded(frozen(codes), tuple(f"{prefix}{kind}" for kind in range(kinds)))

    item = Coded(frozen(np.repeat(np.arange(400, dtype=np.int32), 100)), tuple(f"q{n}" for n in range(400)))
    return Ends.of(
        item=item,
        system='it\'s "m"',
        end=texts(5, "e'"),
        seed=np.arange(rows) * 1.0,
        right=rng.integers(0, 2, rows) * 1.0,
        text=texts(20_000, "t"),
        score=np.where(rng.random(rows) < 0.5, np.nan, 0.25),
    )


def test_long_columns_come_back_in_their_order(long_ends, tmp_path):
    long_ends.write(tmp_path / "e.parquet")
    back = Ends.read(tmp_path / "e.parquet")
    for name, column in long_ends.columns.items():
        want, got = plain(column), plain(back.columns[name])
        assert want.dtype == got.dtype, name
        assert (want == got).all() if want.dtype == object else np.array_equal(want, got, equal_nan=True), (
            name
        )


def test_a_column_of_one_value_costs_one_value(long_ends, tmp_path):
    long_ends.write(tmp_path / "e.parquet")
    for ends in (long_ends, Ends.read(tmp_path / "e.parquet")):
        assert is_constant(ends.coded("system").codes)
        assert is_constant(ends.numbers("temperature"))
        assert is_constant(ends.having(system='it\'s "m"').numbers("logprob"))


def test_taking_rows_keeps_a_constant_constant():
    column = take(Coded(constant(0, 9, dtype=np.int32), ("a",)), np.array([True] * 4 + [False] * 5))
    assert len(column) == 4
    assert is_constant(column.codes)
    assert not is_constant(take(np.arange(9.0), np.arange(3)))


def test_rows_are_grouped_like_tuples():
    rng = np.random.default_rng(3)
    names = coded(rng.choice(["x", "y", None], 200))
    numbers = rng.choice([0.0, 1.5, -2.0, np.nan], 200)
    wide = rng.integers(0, 2**40, 200) * 1.0
    for columns in ([names, numbers], [numbers, names, wide], [wide, wide, wide]):
        records = list(zip(*(plain(one).tolist() for one in columns), strict=True))
        told = [tuple("nan" if one != one else one for one in record) for record in records]  # noqa: PLR0124
        first, kind = distinct_rows(columns)
        assert [told.index(one) for one in told] == first[kind].tolist()
        assert len(set(told)) == first.size


def test_no_group_where_all_rows_are_alike():
    assert grouped([constant(1.0, 5, dtype=np.float64), Coded(constant(-1, 5, dtype=np.int32), ())]) is None
    assert first_duplicate({"a": constant(1.0, 5, dtype=np.float64)}) == (0, 1)


def test_codes_are_numbered_by_first_row():
    order, number = by_first_row(np.array([3, -1, 1, 3, 0]), count=5)
    assert order.tolist() == [3, 1, 0]
    assert number[[3, -1, 1, 3, 0]].tolist() == [0, -1, 1, 0, 2]
    assert number[[2, 4]].tolist() == [-1, -1]
