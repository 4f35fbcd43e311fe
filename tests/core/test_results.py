"""Does a number keep its interval, its reason and its parameters?"""

import numpy as np
import pytest

from limitset.core.errors import InputError
from limitset.core.levels import Level
from limitset.core.limit_sets import LimitKind, LimitSets
from limitset.core.results import Measurement, MeasurementTable, stacked
from limitset.core.tasks import Task
from limitset.core.verdicts import Verdict, judged


def measured(value=0.5, **more):
    return Measurement(instrument="x", version=1, level=Level.ANSWER, value=value, **more)


def curve(values=(0.5, 0.25), **more):
    return MeasurementTable(
        instrument="curve",
        version=1,
        level=Level.ANSWER,
        axes={"k": np.array([1, 2])},
        value=np.array(values),
        **more,
    )


def test_a_blank_needs_its_reason():
    with pytest.raises(InputError, match="a blank value of x must carry its reason"):
        measured(float("nan"))
    assert measured(float("nan"), blank_reason="too few").blank


def test_an_upside_down_interval_is_refused():
    with pytest.raises(InputError, match="low <= high"):
        measured(low=0.6, high=0.4)


def test_one_row_of_a_table_is_a_measurement_with_its_axes():
    row = curve(low=[0.4, 0.2], high=[0.6, 0.3], n=[9, 8], parameters={"seed": 3}).one(k=2)
    assert (row.value, row.low, row.n) == (0.25, 0.2, 8)
    assert dict(row.parameters) == {"seed": 3, "k": 2}


def test_an_ambiguous_row_is_refused():
    with pytest.raises(InputError, match="must name one row of curve; got 2 rows"):
        curve().one()
    with pytest.raises(InputError, match="has the axes k; got j"):
        curve().where(j=1)


def test_columns_of_other_lengths_are_refused():
    with pytest.raises(InputError, match="must have 2 rows; got n 3"):
        curve(n=[1, 2, 3])


def test_stacking_keeps_rows_and_order():
    both = stacked([curve(), curve(values=(0.1, 0.2))])
    assert both.value.tolist() == [0.5, 0.25, 0.1, 0.2]
    with pytest.raises(InputError, match="one instrument with the same axes"):
        stacked(
            [
                curve(),
                MeasurementTable(instrument="y", version=1, level=Level.ANSWER, axes={}, value=np.array([])),
            ]
        )


def test_tables_are_read_only_and_become_frames():
    table = curve()
    with pytest.raises(ValueError, match="read-only"):
        table.value[0] = 1
    assert table.to_frame()["value"].to_list() == [0.5, 0.25]


@pytest.mark.parametrize(
    ("low", "high", "bar", "above", "verdict"),
    [
        (0.4, 0.6, 0.3, True, Verdict.HOLDS),
        (0.4, 0.6, 0.7, True, Verdict.FAILS),
        (0.4, 0.6, 0.5, True, Verdict.CANT_TELL),
        (0.4, 0.6, 0.7, False, Verdict.HOLDS),
        (0.4, 0.6, 0.3, False, Verdict.FAILS),
        (float("nan"), float("nan"), 0.3, True, Verdict.CANT_TELL),
    ],
)
def test_verdicts_follow_the_interval(low, high, bar, above, verdict):
    assert judged(measured(low=low, high=high), holds_if=bar, above=above) is verdict


def test_a_bar_must_be_a_number():
    with pytest.raises(InputError, match="the bar must be a number"):
        judged(measured(), holds_if=float("nan"), above=True)


def limit_sets(labels, arrival):
    one = np.ones(1)
    return LimitSets(
        level=Level.TEXT,
        kinds=(LimitKind.FIXED,),
        periods=np.array([1]),
        points=(("a",),),
        shares=one,
        share_low=one * 0.5,
        share_high=one,
        stability=one,
        labels=np.array(labels),
        arrival=np.array(arrival),
    )


def test_labels_name_a_set_or_none():
    assert len(limit_sets([0, -1], [2.0, np.inf])) == 1
    with pytest.raises(InputError, match="labels must name one of 1 limit sets"):
        limit_sets([1], [0.0])
    with pytest.raises(InputError, match="must have arrived"):
        limit_sets([0], [np.inf])


def test_a_task_is_named_by_all_that_decides_it():
    task = Task(kind="sample", chunk={"items": ["a"]}, identity="m@1", versions={"sampling": 1})
    assert Task.from_json(task.to_json()) == task
    others = [
        Task(kind="loop", chunk={"items": ["a"]}, identity="m@1", versions={"sampling": 1}),
        Task(kind="sample", chunk={"items": ["b"]}, identity="m@1", versions={"sampling": 1}),
        Task(kind="sample", chunk={"items": ["a"]}, identity="m@2", versions={"sampling": 1}),
        Task(kind="sample", chunk={"items": ["a"]}, identity="m@1", versions={"sampling": 2}),
    ]
    assert len({task.hash, *(other.hash for other in others)}) == 5
