"""What the page says about pairs: titles, advice, limits, sizes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from limitset.charts import chart_of
from limitset.charts.pairs import at_both_ends, groups_above, pairs_chart, square, strongest_chart
from limitset.core.ends import Ends
from limitset.core.items import Items
from limitset.core.tallies import tallied
from limitset.instruments.truth.chance_adjusted import chance_adjusted
from limitset.instruments.truth.same_wrong import same_wrong_pairs
from limitset.report.audit.pair_choices import choices_allowed
from limitset.report.audit.pairs import WHOLE, pairs_section
from limitset.report.audit.panel import Panel
from limitset.report.page import Page, render


def panel(systems: int, questions: int, *, twins: bool = True, seed: int = 0) -> Panel:
    """Judges of one difficulty with five answers; the second copies the first on most questions."""
    rng = np.random.default_rng(seed)
    hard = rng.normal(0, 1.3, questions)
    ability = rng.normal(0.3, 0.7, systems)
    right = rng.random((systems, questions)) < 1 / (1 + np.exp(hard - ability[:, None]))
    answer = np.where(right, 0, rng.integers(1, 5, (systems, questions)))
    if twins:
        answer[1] = np.where(rng.random(questions) < 0.9, answer[0], answer[1])
    names = [f"q{q}" for q in range(questions)]
    ends = Ends.of(
        item=names * systems,
        system=np.repeat([f"judge {m + 1}" for m in range(systems)], questions).tolist(),
        end=np.array([*"ABCDE"])[answer.ravel()].tolist(),
        right=(answer.ravel() == 0) * 1.0,
    )
    items = Items.of(item=names, text=names, accepted=[["A"]] * questions)
    tallies = tallied(ends, items)
    return Panel(ends=ends, items=items, tallies=tallies, anchored=tallies, noun="judge")


def rendered(section) -> str:
    return render(
        Page(
            title="limitset audit",
            scope="x",
            date="today",
            headline=("x",),
            decisions=section.advice,
            figures=section.figures,
            definitions=section.definitions,
            limits=section.limits,
            numbers=tuple(record for table in section.measured for record in table.records()),
        )
    )


def test_a_copied_judge_is_named() -> None:
    section = pairs_section(panel(5, 300))
    first, second = (figure.title for figure in section.figures)
    assert first.startswith("judge 1 and judge 2: the same wrong answer on ")
    assert " of what both miss; all pairs " in first
    assert first.count("[") == 1  # the interval of all pairs stands in the caption
    assert "all pairs together give the same wrong answer on " in section.figures[0].caption
    assert second == "1 of 10 pairs agrees more than hard questions explain (kappa_p above its floor)"
    assert "All pairs agree beyond chance (kappa_p) " in section.figures[1].caption
    assert len(section.advice) == 1
    assert section.advice[0].startswith("Do not count judge 1 and judge 2 as two: ")
    assert "picked out of 10 pairs" in section.figures[0].caption
    assert "Possible answers: labels that the questions share." in section.figures[1].caption
    assert {table.instrument for table in section.measured} == {
        "same_wrong",
        "same_wrong.panel",
        *(
            f"{name}{part}"
            for name in ("chance_adjusted", "error_consistency")
            for part in ("", ".excess", ".panel")
        ),
    }
    assert "judge 1 and judge 2" in rendered(section)


def test_shared_difficulty_alone_names_nobody() -> None:
    section = pairs_section(panel(5, 300, twins=False, seed=2))
    assert (
        section.figures[1].title
        == "No pair agrees more than hard questions explain (no kappa_p above its floor)"
    )
    assert section.advice == ()


def test_two_judges_have_no_floor() -> None:
    section = pairs_section(panel(2, 200))
    assert "all pairs" not in section.figures[0].title
    assert section.figures[1].title.endswith("how much of it is difficulty takes four judges")
    assert section.advice == ()
    assert "no kappa_p can be called an excess" in section.limits[0]
    rendered(section)


def test_without_a_key_or_with_one_judge_there_is_nothing() -> None:
    one = panel(2, 50)
    assert pairs_section(replace(one, anchored=None)).limits == (
        "Without a key nobody can say who shares errors with whom.",
    )
    alone = replace(one, tallies=one.tallies.of_system("judge 1"), anchored=one.tallies.of_system("judge 1"))
    section = pairs_section(alone)
    assert (section.figures, section.limits) == ((), ("Shared errors take two judges.",))


def test_judges_that_are_never_wrong() -> None:
    found = panel(3, 40)
    right = found.ends.with_columns(end=["A"] * 120, right=np.ones(120))
    tallies = tallied(right, found.items)
    section = pairs_section(replace(found, ends=right, tallies=tallies, anchored=tallies))
    assert section.figures[0].title == "Too few questions are wrong for two judges to say who shares errors"
    assert section.figures[1].title == "Agreement beyond chance cannot be measured on these answers"
    rendered(section)


@pytest.mark.parametrize(("systems", "questions"), [(30, 120), (45, 120)])
def test_many_judges_are_shown_at_both_ends(systems: int, questions: int) -> None:
    section = pairs_section(panel(systems, questions))
    assert "judge 1 and judge 2" in section.figures[0].title
    assert all(len(table) <= WHOLE for table in section.measured)
    assert any(f"{systems * (systems - 1) // 2:,} pairs" in limit for limit in section.limits)
    groups = section.figures[0].shown[0]
    assert groups.rows[0][1] == "judge 1 and judge 2"
    assert any("more than 40 judges" in limit for limit in section.limits) is (systems > 40)
    rendered(section)


def test_probabilities_are_reported_beside_answers() -> None:
    found = panel(4, 60)
    codes = np.array([*"ABCDE"])
    rows = [tuple(0.2 + 0.8 * (codes == end) - 0.16 * 1.0) for end in found.ends.texts("end")]
    ends = found.ends.with_columns(choice_probabilities=rows)
    section = pairs_section(replace(found, ends=ends))
    assert "From the probabilities of the choices: " in section.figures[1].caption


def test_choices_from_the_best_source() -> None:
    # three questions of two strata: 2 answers seen on p, 3 on q, 2 on r (another stratum)
    ends = Ends.of(item=[*"pqr"] * 2, system=[*"aaabbb"], end=[*"xuxxvx"], right=[0, 0, 0, 0, 0, 0])
    items = Items.of(
        item=[*"pqr"], text=[*"pqr"], accepted=[["k"]] * 3, stratum=["s", "s", "t"], form=["choice"] * 3
    )
    tallies = tallied(ends, items)
    found = Panel(ends=ends, items=items, tallies=tallies, anchored=tallies)
    assert choices_allowed(found, tallies)[0].tolist() == [3.0, 3.0, 2.0]
    assert "the most that were seen" in choices_allowed(found, tallies)[1]
    free = replace(found, items=Items.of(item=[*"pqr"], text=[*"pqr"], form="name"))
    assert choices_allowed(free, tallies)[0].tolist() == [2.0, 3.0, 2.0]
    listed = replace(found, ends=ends.with_columns(choice_probabilities=[(0.2,) * 5, *[None] * 5]))
    counts, words = choices_allowed(listed, tallies)
    assert counts.tolist() == [5.0, 3.0, 2.0]
    assert words.startswith("as many as have a probability or the most")


def test_charts() -> None:
    tallies = panel(6, 200).tallies
    kappa, same = chance_adjusted(tallies), same_wrong_pairs(tallies)
    spec = chart_of(kappa.pairs).to_dict()
    assert spec == pairs_chart(kappa.pairs).to_dict()
    text = str(strongest_chart(same.pairs, panel=0.3).to_dict())
    assert "judge 1 and judge 2" in text
    assert "at" in text
    assert "Too few" in str(strongest_chart(same_wrong_pairs(panel(2, 5).tallies).pairs, panel=0.3).to_dict())


def test_both_ends_keep_their_nulls() -> None:
    pairs = same_wrong_pairs(panel(8, 200).tallies).pairs
    few = at_both_ends(pairs, most=6)
    seen = few.where(null_kind="")
    assert len(few) == 12
    known = pairs.where(null_kind="").value
    assert seen.value[0] == np.nanmax(known)
    assert seen.value[-1] == np.nanmin(known)
    for row in seen.rows():
        pair = {name: row.parameters[name] for name in ("first", "second")}
        assert (
            few.one(**pair, null_kind="item_conditional").value
            == pairs.one(**pair, null_kind="item_conditional").value
        )
    assert len(at_both_ends(pairs, most=100)) == len(pairs)


def test_groups_by_hand() -> None:
    # 0-1-2 share .9, 3-4 share .8, across .1
    rate = np.full((5, 5), 0.1)
    rate[:3, :3], rate[3:, 3:] = 0.9, 0.8
    assert groups_above(rate, 0.75) == [[0, 1, 2], [3, 4]]
    assert groups_above(rate, 0.85) == [[0, 1, 2]]
    assert groups_above(rate, 0.05) == [[0, 1, 2, 3, 4]]
    table = same_wrong_pairs(panel(4, 100).tallies).pairs
    names = [f"judge {m}" for m in range(1, 5)]
    assert square(table, names, "")[0, 1] == table.one(first="judge 1", second="judge 2", null_kind="").value
