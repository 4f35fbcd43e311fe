"""Do gates on replies without keys read what labels say?"""

import numpy as np
import pytest

from limitset.core.ends import Ends
from limitset.core.items import Items
from limitset.logs.label_file import PlanFile
from limitset.logs.labels import Labels
from limitset.report.audit.gating import judge
from limitset.studies.baseline import panel_of
from limitset.studies.gating import gates_of


@pytest.fixture(scope="module")
def judged():
    """Forty questions, two systems that say "x" on thirty and differ on ten; labels of all: "x" is right on 20."""
    names = [f"q{n}" for n in range(40)]
    ends = Ends.of(item=names * 2, system=["a"] * 40 + ["b"] * 40, end=["x"] * 70 + ["y"] * 10)
    panel = panel_of(ends, Items.of(item=names, text=names))
    tallies = panel.tallies
    place = np.array([int(str(name)[1:]) for name in tallies.items])[tallies.class_item]
    right = ((tallies.class_name == "x") & ((place < 15) | (place >= 35))).astype(float)
    plan = PlanFile(
        panel="p",
        seed=0,
        threshold=0.8,
        half_width=0.05,
        cuts=(0.5, 0.8, 1.0),
        shows="blind",
        items=tuple(names),
    )
    labels = Labels(
        plan=plan,
        class_right=right,
        labelled=np.ones(40, dtype=bool),
        verdicts=0,
        unmatched=0,
        passed_over=0,
    )

    def of(text, held=labels):
        return judge(gates_of([text]).gates, panel, labels=held).judged[0]

    return of


def test_all_labelled_is_counted(judged):
    # both say "x" on 30 questions, of which 15 are right
    got = judged("wrong_when_agreed(0.8) <= 0.6")
    assert (got.measurement.value, str(got.verdict)) == (0.5, "PASS")
    # on the ten others x and y tie; x is right on five: the tie is wrong by 1 there, 1 / 2 here
    assert judged("error_after_voting >= 0").measurement.value == pytest.approx((15 + 5 + 2.5) / 40)
    assert judged("accuracy(a) >= 0.4").measurement.value == pytest.approx(20 / 40)
    assert judged("accuracy(b) >= 0.5").measurement.value == pytest.approx(15 / 40)


def test_what_labels_do_not_give_stays_unknown(judged):
    assert "labels were drawn for agreement of 0.5, 0.8, 1" in judged("wrong_when_agreed(0.7) <= 0.6").why
    for text in (
        "n_eff >= 1",
        "error_after_voting(a) >= 0",
        "accuracy >= 0",
        "accuracy(a) - accuracy(b) >= 0",
    ):
        assert "no key" in judged(text).why, text


def test_without_labels_there_is_no_number(judged):
    assert "no key" in judged("wrong_when_agreed(0.8) <= 0.6", None).why
