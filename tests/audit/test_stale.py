import numpy as np
import pytest

from limitset.core.ends import Ends
from limitset.core.errors import InputError
from limitset.core.items import Items
from limitset.core.levels import Level
from limitset.core.tallies import tallied
from limitset.instruments.truth import stale_answers
from limitset.report.audit.stale import stale_advice, stale_title


def world(pairs, original, changed, *, key=str, new_key=None, cluster=None, stratum=None):
    """`pairs` questions whose answer is `key(n)`, and as many twins whose answer is another."""
    new_key = new_key or (lambda n: f"new {n}")
    items = Items.of(
        item=[f"o{n}" for n in range(pairs)] + [f"c{n}" for n in range(pairs)],
        text=["?"] * (2 * pairs),
        accepted=[[key(n)] for n in range(pairs)] + [[new_key(n)] for n in range(pairs)],
        twin=[None] * pairs + [f"o{n}" for n in range(pairs)],
        cluster=None if cluster is None else 2 * [cluster(n) for n in range(pairs)],
        stratum=None if stratum is None else 2 * [stratum(n) for n in range(pairs)],
    )
    rows = [(f"o{n}", end, key(n)) for n in range(pairs) for end in [original(n)]]
    rows += [(f"c{n}", end, new_key(n)) for n in range(pairs) for end in [changed(n)]]
    ends = Ends.of(
        item=[row[0] for row in rows],
        system="m",
        end=[row[1] for row in rows],
        right=[None if row[1] is None else float(row[1].casefold() == row[2].casefold()) for row in rows],
    )
    return tallied(ends, items), items


def measured(*args, **options):
    more = {name: options.pop(name) for name in ("confidence", "level") if name in options}
    return stale_answers(*world(*args, **options), **more).table


def test_template_matcher():
    # right on every original; on twins right in 10, the old answer in 25, something else in 5 of 40
    got = measured(40, str, lambda n: f"new {n}" if n < 10 else str(n) if n < 35 else "else")
    value = {row.parameters["measure"]: row.value for row in got.rows()}
    assert value["right_original"] == 1.0
    assert value["right_changed"] == 0.25
    assert value["drop"] == 0.75
    assert value["stale"] == 0.625
    assert value["other_wrong"] == 0.125
    assert value["stale_share"] == pytest.approx(25 / 30)
    assert value["stale_by_chance"] == 0.0
    assert value["stale_excess"] == pytest.approx(25 / 30)
    assert got.one(measure="stale_excess").low > 0.6


def test_harder_twins_are_not_stale():
    # letters A to D: wrong ones spread evenly; chance gives the old letter in a third of wrong answers
    rng = np.random.default_rng(0)
    old = rng.integers(0, 4, size=300)
    new = (old + rng.integers(1, 4, size=300)) % 4
    said = (new + rng.integers(1, 4, size=300)) % 4
    got = measured(
        300,
        lambda n: "ABCD"[old[n]],
        lambda n: "ABCD"[said[n]] if n % 2 else "ABCD"[new[n]],
        key=lambda n: "ABCD"[old[n]],
        new_key=lambda n: "ABCD"[new[n]],
    )
    assert got.one(measure="drop").value == pytest.approx(0.5)
    assert got.one(measure="stale_share").value == pytest.approx(1 / 3, abs=0.1)
    assert got.one(measure="stale_by_chance").value == pytest.approx(1 / 3, abs=0.03)
    excess = got.one(measure="stale_excess")
    assert excess.value == pytest.approx(
        got.one(measure="stale_share").value - got.one(measure="stale_by_chance").value
    )
    assert excess.low < 0 < excess.high


def test_chance_by_hand():
    # old keys A A B C; the one wrong answer A of twin 2 (old key B) is the key of two of three others
    tallies, items = world(
        4,
        lambda n: "AABC"[n],
        lambda n: "A" if n == 2 else "D",
        key=lambda n: "AABC"[n],
        new_key=lambda n: "D",
    )
    got = stale_answers(tallies, items).table
    assert got.one(measure="stale").value == 0.0
    assert got.one(measure="stale_by_chance").blank_reason == "1 changed questions with a wrong answer"
    # five such: each A meets the other keys of the pool
    said = "AAAAA"
    got = measured(
        5, lambda n: "BCBCB"[n], lambda n: said[n], key=lambda n: "BCBCB"[n], new_key=lambda n: "D"
    )
    assert got.one(measure="stale_by_chance").value == 0.0
    got = measured(
        5, lambda n: "BABAB"[n], lambda n: said[n], key=lambda n: "BABAB"[n], new_key=lambda n: "D"
    )
    # for old key B two of four others are A; for old key A one of four others is A: (3 * .5 + 2 * .25) / 5
    assert got.one(measure="stale_by_chance").value == pytest.approx(0.4)
    assert got.one(measure="stale_share").value == pytest.approx(0.4)


def test_chance_stays_within_the_stratum():
    options = {"key": lambda n: "AB"[n % 2], "new_key": lambda n: "D"}
    mixed = measured(20, lambda n: "AB"[n % 2], lambda n: "A", **options)
    apart = measured(20, lambda n: "AB"[n % 2], lambda n: "A", stratum=lambda n: f"s{n % 2}", **options)
    assert mixed.one(measure="stale_by_chance").value == pytest.approx(0.5, abs=0.05)
    # among twins of A all others are A (1); among those of B none is (0)
    assert apart.one(measure="stale_by_chance").value == pytest.approx(0.5)
    assert apart.one(measure="stale_excess").value == pytest.approx(0.0)


def test_a_twin_with_the_old_key_counts_in_the_drop_alone():
    got = measured(10, str, lambda n: "else", new_key=str)
    assert got.one(measure="drop").value == 1.0
    assert got.one(measure="stale").blank_reason == "no changed question whose old answer is wrong now"


def test_case_does_not_matter_and_silence_is_neither():
    got = measured(
        12, lambda n: f"City {n}", lambda n: f"CITY {n}" if n < 6 else None, key=lambda n: f"City {n}"
    )
    assert got.one(measure="stale").value == 0.5
    assert got.one(measure="other_wrong").value == 0.0


def test_clusters_are_left_out_whole():
    changed = lambda n: str(n) if (n // 8) % 2 else f"new {n}"  # noqa: E731
    plain = measured(80, str, changed).one(measure="stale")
    wide = measured(80, str, changed, cluster=lambda n: f"p{n // 8}").one(measure="stale")
    assert plain.value == wide.value
    assert wide.high - wide.low > 2 * (plain.high - plain.low)


def test_a_system_that_saw_no_pair_is_blank():
    tallies, items = world(2, str, str)
    alone = tallies.of_questions(np.array([True, True, False, False]))
    got = stale_answers(alone, items)
    assert got.pairs == 0
    assert got.table.one(measure="drop").blank


def test_keywords_move_the_answer():
    changed = lambda n: str(n) if n % 3 else f"new {n}"  # noqa: E731
    wide, narrow = (measured(60, str, changed, confidence=c).one(measure="drop") for c in (0.99, 0.8))
    assert wide.high - wide.low > narrow.high - narrow.low
    assert measured(6, str, str, level=Level.TEXT).level is Level.TEXT


def test_unchecked_answers_are_refused():
    items = Items.of(item=["a", "b"], text=["?", "?"], twin=[None, "a"])
    tallies = tallied(Ends.of(item=["a", "b"], system="m", end="x"), items)
    with pytest.raises(InputError, match="no anchor"):
        stale_answers(tallies, items)


def test_by_chance_is_one_of_the_wrong_letters():
    # wrong letters spread evenly over the three of each twin, keys far from even: a third, exactly
    old = [0, 0, 0, 1, 0, 2, 3, 0] * 3
    new = [1, 2, 3, 0, 1, 0, 0, 2] * 3
    rows = [(o, n, a) for o, n in zip(old, new, strict=True) for a in range(4) if a != n]
    got = measured(
        len(rows),
        lambda n: "ABCD"[rows[n][0]],
        lambda n: "ABCD"[rows[n][2]],
        key=lambda n: "ABCD"[rows[n][0]],
        new_key=lambda n: "ABCD"[rows[n][1]],
    )
    assert got.one(measure="stale_share").value == pytest.approx(1 / 3)
    assert got.one(measure="stale_by_chance").value == pytest.approx(1 / 3)
    assert got.one(measure="stale_excess").value == pytest.approx(0.0)


def test_chance_counts_keys_that_are_wrong_here_alone():
    # old keys A A B B C; new key of the first two is B, so one A and one C are left to compare with
    got = measured(
        5,
        lambda n: "AABBC"[n],
        lambda n: "AAAAA"[n],
        key=lambda n: "AABBC"[n],
        new_key=lambda n: "BBDDD"[n],
    )
    # first two: 1 of 2 others; B: 2 of 4; C: 2 of 4
    assert got.one(measure="stale_by_chance").value == pytest.approx(0.5)
    assert got.one(measure="stale_share").value == pytest.approx(0.4)


def test_without_another_original_nothing_is_called_chance():
    got = measured(12, str, str, stratum=lambda n: f"s{n}")
    assert got.one(measure="stale_share").value == 1.0
    assert got.one(measure="stale_excess").blank_reason == (
        "0 changed questions with another original to compare with"
    )


def test_intervals_hold_for_all_systems_together():
    panel, items = letters(systems=20, pairs=80, seed=0)
    for measure in ("drop", "stale", "stale_share", "stale_by_chance", "stale_excess"):
        alone = stale_answers(panel.of_system("m0"), items).table.one(measure=measure)
        together = stale_answers(panel, items).table.one(measure=measure, system="m0")
        assert together.value == alone.value
        assert together.high - together.low > 1.3 * (alone.high - alone.low)


def letters(*, systems, pairs, seed, remembered=0.0, harder=True):
    """Four letters, wrong ones even; the last system says the old one in a share of its wrong answers."""
    rng = np.random.default_rng(seed)
    names = [*(f"o{n}" for n in range(pairs)), *(f"c{n}" for n in range(pairs))]
    old = rng.integers(0, 4, size=pairs)
    keys = np.concatenate([old, (old + rng.integers(1, 4, size=pairs)) % 4])
    right = rng.random((systems, 2 * pairs)) < np.repeat([0.8 if harder else 0.5, 0.5], pairs)
    wrong = (keys + rng.integers(1, 4, size=right.shape)) % 4
    wrong[-1, pairs:] = np.where(rng.random(pairs) < remembered, old, wrong[-1, pairs:])
    items = Items.of(
        item=names, text=names, accepted=[["ABCD"[k]] for k in keys], twin=[None] * pairs + names[:pairs]
    )
    ends = Ends.of(
        item=names * systems,
        system=[f"m{row}" for row in range(systems) for _ in names],
        end=["ABCD"[one] for one in np.where(right, keys, wrong).reshape(-1)],
        right=right.astype(float).reshape(-1),
    )
    return tallied(ends, items), items


@pytest.mark.slow
@pytest.mark.parametrize(("systems", "pairs"), [(1, 200), (20, 60)])
def test_innocent_systems_are_seldom_accused(systems, pairs):
    told = [
        " ".join(stale_advice(stale_answers(*letters(systems=systems, pairs=pairs, seed=seed))))
        for seed in range(80)
    ]
    accused = sum(one.startswith("Do not") for one in told)
    # 2.5 % aimed at: more than 8 of 80 has a chance below 1 in 1,000
    assert accused <= 8


def test_who_remembers_is_found_and_named():
    found = stale_answers(*letters(systems=5, pairs=200, seed=1, remembered=0.4))
    assert "accuracy of m4 on the original questions" in stale_advice(found)[0]


def test_old_answers_without_a_loss_accuse_nobody():
    found = stale_answers(*letters(systems=1, pairs=200, seed=1, remembered=0.6, harder=False))
    assert found.table.one(measure="stale_excess").low > 0 > found.table.one(measure="drop").low
    told = stale_advice(found)
    assert len(told) == 1
    assert "no loss is shown" in told[0]
    assert "Do not" not in told[0]
    assert stale_title(found).startswith("m0 gives the old answer")


def test_answers_of_their_own_ask_for_a_check():
    free = stale_advice(stale_answers(*world(60, str, lambda n: str(n) if n % 2 else f"new {n}")))
    assert free[0].endswith("Check first that the old answer is not just the slip that lies nearest.")
    four = stale_advice(stale_answers(*letters(systems=1, pairs=200, seed=1, remembered=0.6)))
    assert four[0].endswith("by chance).")
