"""Copies, a judge who guesses, and many systems of unequal skill: who is named, and what is said first."""

import time

import numpy as np
import pytest

from limitset.core.ends import Ends
from limitset.core.items import Items
from limitset.core.tallies import tallied
from limitset.report.audit.accuracy import choices_of, guessing_advice
from limitset.report.audit.comparison import comparison_section
from limitset.report.audit.copies import copies_section, same_answers
from limitset.report.audit.members import members_section
from limitset.report.audit.outside import outside_section
from limitset.report.audit.panel import Panel

CLASSES = np.array(["bad", "fair", "good"])


def panel_of(answers, key, *, noun="judge", keyed=True):
    """Answers by name: one class a question, -1 for none."""
    names = [f"q{n}" for n in range(len(key))]
    items = Items.of(item=names, text=names, accepted=[[CLASSES[one % 3]] for one in key] if keyed else None)
    given = np.concatenate([np.asarray(one) for one in answers.values()])
    ends = Ends.of(
        item=names * len(answers),
        system=np.repeat(list(answers), len(key)).tolist(),
        end=[None if one < 0 else f"{CLASSES[one]}" for one in given],
        right=(given == np.tile(key, len(answers))).astype(float) if keyed else None,
    )
    tallies = tallied(ends, items)
    return Panel(ends=ends, items=items, tallies=tallies, anchored=tallies if keyed else None, noun=noun)


def answers_of(key, accuracy, rng):
    right = rng.random(len(key)) < accuracy
    return np.where(right, key, (key + rng.integers(1, 3, len(key))) % 3)


def judged(*, keyed=True, questions=120):
    rng = np.random.default_rng(4)
    key = rng.integers(0, 3, questions)
    anna, bob, carl = (answers_of(key, share, rng) for share in (0.85, 0.8, 0.78))
    dice = answers_of(key, 0.15, rng)
    return panel_of(
        {"anna": anna, "bob": bob, "anna-copy": anna, "carl": carl, "dice": dice}, key, keyed=keyed
    )


@pytest.mark.parametrize("keyed", [True, False])
def test_a_copy_is_named_with_and_without_keys(keyed):
    section = copies_section(judged(keyed=keyed))
    assert section.advice == (
        "anna and anna-copy give the same answer on all 120 questions: count them as one. With both in, the "
        "numbers below count that voter twice.",
    )
    # Wilson's lower end of 120 of 120: 120 / (120 + 1.96²) = 96.9 %
    assert section.tables[0].rows == (("anna and anna-copy", "120", "100 % [97, 100]"),) or (
        "96.9" in section.tables[0].rows[0][2]
    )


def test_a_copy_has_no_width_and_the_worst_has_a_name():
    section = comparison_section(judged())
    assert section.advice[0].startswith("dice is right ")
    assert "guessing among 3 answers gives 33 %: drop it." in section.advice[0]
    assert any(one.startswith("dice is surely worse than the other four: ") for one in section.advice)
    assert "dice is surely worse than the other four" in section.figures[0].title
    rows = {row[0]: row for row in section.figures[0].shown[0].rows}
    copy = rows.get("anna-copy") or rows["anna"]
    assert copy[1:] == ("the same answers", 120, "they are one")
    assert not any("anna-copy" in one and "more questions" in one for one in section.advice)


def test_two_copies_alone_are_chosen_by_price():
    rng = np.random.default_rng(0)
    key = rng.integers(0, 3, 60)
    anna = answers_of(key, 0.7, rng)
    section = comparison_section(panel_of({"a": anna, "b": anna}, key))
    assert section.figures[0].title == "a and b give the same answers to 60 questions"
    assert section.advice == ("a and b give the same answers: choose between them by price.",)


def test_members_write_copies_as_one():
    got = members_section(judged(questions=600))
    # a part that beats the panel stands first, and the page has no comparison then: the guesser is named here
    assert got.advice[0].startswith("Vote with ")
    assert "dice is right " in got.advice[0]
    assert got.advice[0].endswith(": drop it.")
    assert "anna = anna-copy" in got.figures[0].title
    assert not any("even without" in one or "Keep all" in one for one in got.advice)


def test_right_systems_are_no_copies_and_near_ones_are_listed():
    key = np.random.default_rng(1).integers(0, 3, 200)
    other = (key + 1) % 3
    one_off = other.copy()
    one_off[:2] = key[:2]
    # two that are always right share no mistake: in the table, no advice
    section = copies_section(panel_of({"a": key, "b": key, "c": other, "d": one_off}, key))
    assert len(section.advice) == 1
    # 198 of 200
    assert section.advice[0].startswith(
        "Look whether c and d are one system: they give the same answer on 99"
    )
    assert [row[0] for row in section.tables[0].rows] == ["a and b", "c and d"]


def test_silence_missing_questions_and_runs():
    key = np.zeros(30, dtype=int)
    silent = np.where(np.arange(30) < 5, -1, 1)
    got = same_answers(panel_of({"a": silent, "b": silent, "n": key - 1, "m": key - 1}, key).tallies)
    assert got.groups == (("a", "b"),)  # who never answers is no copy
    assert not same_answers(
        panel_of({"a": key, "b": key}, key).tallies.of_questions(np.arange(30) < 19)
    ).groups
    # shares of several runs: 1 of 2 is 2 of 4, the order of the runs does not matter; 1 of 4 is another
    runs = {"a": "xy", "b": "yxxy", "c": "xyyy"}
    rows = [
        (f"q{n}", name, end, seed) for n in range(20) for name in runs for seed, end in enumerate(runs[name])
    ]
    item, system, end, seed = zip(*rows, strict=True)
    several = tallied(Ends.of(item=item, system=system, end=end, seed=seed))
    assert same_answers(several).groups == (("a", "b"),)


def test_agreement_is_that_of_a_loop():
    rng = np.random.default_rng(3)
    rows = [
        (f"q{n}", f"m{m}", "x" if rng.random() < 0.995 else "y")
        for m in range(12)
        for n in range(90)
        if rng.random() < 0.8
    ]
    item, system, end = zip(*rows, strict=True)
    got = same_answers(tallied(Ends.of(item=item, system=system, end=end)))
    given = {(one, name): answer for one, name, answer in rows}
    near = {}
    for a in range(12):
        for b in range(a + 1, 12):
            both = [n for n in range(90) if (f"q{n}", f"m{a}") in given and (f"q{n}", f"m{b}") in given]
            same = sum(given[f"q{n}", f"m{a}"] == given[f"q{n}", f"m{b}"] for n in both)
            if 0.98 * len(both) <= same < len(both):
                near[f"m{a}", f"m{b}"] = (same, len(both))
    assert near
    assert {tuple(pair[:2]): tuple(pair[2:]) for pair in got.alike} == near


def test_forty_of_unequal_skill_are_told_which_five():
    rng = np.random.default_rng(2)
    key = rng.integers(0, 3, 250)
    hard = rng.random(250)
    skills = np.where(np.arange(40) < 34, 0.36, 0.8)
    answers = {
        f"sys{n}": np.where(
            hard < skill + rng.normal(0, 0.05, 250), key, (key + 1 + (rng.random(250) < 0.3)) % 3
        )
        for n, skill in enumerate(skills)
    }
    got = members_section(panel_of(answers, key, noun="model"))
    assert got.advice[0].startswith(("Vote with ", "Use "))
    assert "different questions" in got.advice[0]
    assert "less often" in got.advice[0]
    assert not any("No single model" in one for one in got.advice)


def test_labels_of_points_in_the_right_half_stand_left_of_them():
    drawn = outside_section(judged(questions=300)).figures[0].chart.to_dict()
    flat = [
        {"data": layer["data"], **inner} for layer in drawn["layer"] for inner in layer.get("layer", [layer])
    ]
    texts = [
        (layer["mark"]["align"], row["sent"])
        for layer in flat
        if layer["mark"]["type"] == "text"
        for row in layer["data"].get("values") or drawn["datasets"][layer["data"]["name"]]
        if row["words"] != "items at random"
    ]
    assert texts
    assert {align for align, sent in texts if sent > 0.5} == {"right"}
    assert {align for align, sent in texts if sent <= 0.5} == {"left"}


def test_guessing_needs_choices_and_a_whole_interval():
    panel = judged()
    assert choices_of(panel) == 3
    assert choices_of(judged(keyed=False)) is None
    assert guessing_advice(judged(keyed=False)) == ()
    key = np.zeros(60, dtype=int)
    # all are worse than a guess among the three answers: the key, not the judges
    wrong = {name: np.where(np.arange(60) % 3 == place, 2, 1) for place, name in enumerate("abc")}
    assert guessing_advice(panel_of(wrong, key))[0].startswith("Check the keys and how answers were read")


@pytest.mark.slow
def test_many_systems_are_compared_at_once():
    rng = np.random.default_rng(0)
    given = rng.integers(0, 4, (349, 2000))
    given[300] = given[7]
    item = np.tile([f"q{n}" for n in range(2000)], 349).tolist()
    system = np.repeat([f"m{n}" for n in range(349)], 2000).tolist()
    tallies = tallied(Ends.of(item=item, system=system, end=np.array(list("ABCD"))[given.ravel()].tolist()))
    start = time.perf_counter()
    assert same_answers(tallies).groups == (("m7", "m300"),)
    assert time.perf_counter() - start < 20
