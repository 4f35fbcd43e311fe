"""Is a verdict what its interval says, kept whole, resumed, and stale when something under it changed?"""

import datetime as dt
import json
import multiprocessing
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from library.planted_folder import Planted
from limitset.core.errors import DependencyError, InputError
from limitset.core.evidence import Control, Evidence, Protocol, Scope, Tier, Trial
from limitset.core.levels import Level
from limitset.core.results import Measurement
from limitset.library.holdings.checking import check
from limitset.library.holdings.library import BUILTIN, Library
from limitset.library.holdings.records import Claim
from limitset.library.holdings.shelf import Shelf
from limitset.library.judge.appending import append
from limitset.library.judge.changes import changes, expired
from limitset.library.judge.fingerprint import file_hash, fingerprint
from limitset.library.judge.judging import verdict_of
from limitset.library.judge.protocols import ProtocolStoppedError, accepted_by, known, loaded
from limitset.library.judge.run_folders import finish, folder_of, request_of
from limitset.library.judge.running import Wanted, put_to_test
from limitset.library.judge.staleness import in_full, instrument_versions, state

DAY = dt.date(2026, 11, 22)
LATER = dt.date(2026, 12, 1)


@pytest.fixture
def planted(tmp_path):
    return Planted(tmp_path / "library").sound()


def opened(planted):
    return Library.opened(planted.root, builtin=False)


def put(planted, *, today=DAY, claims=None, **wanted):
    library = opened(planted)
    chosen = [library.claims[one] for one in claims or sorted(library.claims)]
    return list(
        put_to_test(chosen, library=library, wanted=Wanted(**wanted), today=today, date=f"{today:%-d %b %Y}")
    )


def states(planted, today=DAY):
    library = opened(planted)
    return {
        name: state(claim, library.verdict(name), today=today, protocols=known(library))
        for name, claim in library.claims.items()
    }


# ---- judging


def number(value, low=float("nan"), high=float("nan"), n=40, reason=""):
    return Measurement(
        instrument="planted",
        version=1,
        level=Level.HIDDEN,
        value=value,
        low=low,
        high=high,
        n=n,
        blank_reason=reason,
    )


def judged(
    *numbers,
    missed=False,
    tests=None,
    tiers=(Tier.QUICK, Tier.NORMAL),
    seed=0,
    model="",
    tier=Tier.QUICK,
    least_n=3,
    **system,
):
    shape = {"words": "share that settles", "holds_if": {"above": 0.5}, "fails_if": {"below": 0.4}}
    claim = Claim.model_validate(
        {
            "id": "90a", "slug": "x", "statement": "Loops settle.", "type": "direction", "level": "hidden",
            "scope": "T", "estimand": "share", "unit": "loops", "falsifier": "they do not",
            "durable_question": "Do they?", "half_life_days": 30, "protocol": "p90", "least_n": least_n,
            "tests": tests or [
                {**shape, "statistic": f"share{place}", "words": "other share" if place else shape["words"]}
                for place in range(len(numbers))
            ],
        }
    )  # fmt: skip
    control = number(0.2 if missed else 0.9, 0.1, 1.0)
    evidence = Evidence(
        estimates={f"share{place}": one for place, one in enumerate(numbers)},
        controls=(
            Control(
                name="planted point", kind="positive", passed=not missed, measured=control, wanted="above 0.5"
            ),
            Control(name="drift", kind="negative", passed=True, measured=control, wanted="below 2"),
        ),
        scope=Scope.TOY,
        system="planted",
        rows=tuple({"row": place} for place in range(20)),
    )
    protocol = Protocol(
        id="p90", title="?", run=lambda trial: evidence, statistics={}, instruments=("planted@1",), data=(),
        seconds={one: 10.0**place * 2 for place, one in enumerate(tiers)}, scope=Scope.TOY,
    )  # fmt: skip
    return verdict_of(
        claim,
        evidence,
        protocol=protocol,
        mark=fingerprint(protocol, Path(__file__), claim),
        trial=Trial(tier=tier, folder=Path(), seed=seed, model=model, **system),
        today=DAY,
        seconds=1.26,
        command="limitset claims test 90a",
        number=1,
        prior="",
    )


@pytest.mark.parametrize(
    ("numbers", "value", "reason"),
    [
        ([number(0.9, 0.8, 1.0)], "holds", "share that settles is above 0.5"),
        ([number(0.2, 0.1, 0.3)], "fails", "share that settles is below 0.4"),
        ([number(0.5, 0.3, 0.7)], "can't tell", "share that settles is neither above 0.5 nor below 0.4"),
        ([number(0.9, 0.8, 1.0), number(0.9, 0.8, 1.0)], "holds", "is above 0.5"),
        ([number(0.9, 0.8, 1.0), number(0.2, 0.1, 0.3)], "fails", "other share is below 0.4"),
        (
            [number(0.9, 0.8, 1.0), number(0.5, 0.3, 0.7)],
            "can't tell",
            "other share is neither above 0.5 nor below 0.4",
        ),
        # one test that fails is enough, whatever the others leave open
        ([number(0.5, 0.3, 0.7), number(0.2, 0.1, 0.3)], "fails", "other share is below 0.4"),
    ],
)
def test_all_tests_must_hold_and_one_can_fail(numbers, value, reason):
    verdict = judged(*numbers)
    assert verdict.value == value
    assert reason in verdict.reason
    assert verdict.effect.verdict == value


def test_a_missed_control_voids_whatever_was_measured():
    verdict = judged(number(0.9, 0.8, 1.0), missed=True)
    assert verdict.value == "can't tell"
    assert verdict.reason == "control missed: planted point had to be above 0.5, was 0.2 [0.1, 1]"
    assert "limitset claims test 90a --tier normal asks again" in verdict.would_settle
    theirs = judged(number(0.9, 0.8, 1.0), missed=True, logs=Path("r.csv")).would_settle
    assert "with more questions or runs in it limitset claims test 90a --logs r.csv asks again" in theirs
    assert theirs.endswith("limitset claims test 90a tests it on our systems.")
    assert (
        "--seed 4 asks again"
        in judged(number(0.9, 0.8, 1.0), missed=True, tiers=(Tier.QUICK,), seed=3).would_settle
    )


def test_a_verdict_expires_with_the_half_life_of_its_claim():
    verdict = judged(number(0.9, 0.8, 1.0))
    assert (verdict.date, verdict.expires_on) == (DAY, dt.date(2026, 12, 22))
    assert re.fullmatch(r"v-90a-20261122-1-[0-9a-f]{6}", verdict.id)
    assert (verdict.run.seconds, verdict.would_settle) == (1.3, "")
    assert len(verdict.rows) == 12


def test_what_would_settle_is_worked_out_from_the_interval():
    # value .55, low .45, bar .5: the half-width .1 must shrink to .05, so n grows by (.1/.05)^2 = 4: 160 loops,
    # and 4 x 2 s; the next tier costs 20 s
    said = judged(number(0.55, 0.45, 0.75)).would_settle
    assert re.search(
        r"\b160\b.* instead of 40, .*\b8 s: limitset claims test 90a --tier normal \(20 s\)", said
    )
    # .35 against "below .4": (high - value) / (.4 - .35) = .15/.05 = 3, squared 9: 360 loops, 18 s
    assert re.search(r"\b360\b.* instead of 40, .*\b18 s", judged(number(0.35, 0.05, 0.5)).would_settle)


def test_the_largest_tier_asks_for_an_independent_run():
    verdict = judged(number(0.55, 0.45, 0.75), tier=Tier.NORMAL, seed=2, model="m")
    assert verdict.would_settle.endswith(
        "normal is the largest tier: limitset claims test 90a --model m --seed 3 adds an independent run."
    )
    assert not verdict.own


def test_between_the_bars_more_runs_decide_nothing():
    assert "more runs would narrow its interval, not decide it" in judged(number(0.45, 0.3, 0.6)).would_settle


def test_without_an_interval_the_reason_is_given():
    verdict = judged(number(float("nan"), reason="no loop was started"))
    assert verdict.would_settle == (
        "share that settles: no loop was started. limitset claims test 90a --tier normal may bring it."
    )
    assert judged(number(0.9)).would_settle.startswith("share that settles: it has no interval. limitset")
    assert verdict.effects[0].value is None


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (
            {"map": "my loop.py:x"},
            "This run cannot bring it; limitset claims test 90a tests it on our systems.",
        ),
        (
            {"logs": Path("my replies.csv")},
            "may bring it: limitset claims test 90a --logs 'my replies.csv'; limitset claims test 90a tests",
        ),
        ({"model": "m"}, "limitset claims test 90a --model m --tier normal may bring it."),
        (
            {"model": "m", "tier": Tier.NORMAL},
            "This run cannot bring it; limitset claims test 90a tests it on our",
        ),
        ({"tier": Tier.NORMAL}, "normal is the largest tier: limitset claims test 90a --seed 1 asks again."),
    ],
)
def test_every_blank_says_what_would_settle_it_on_the_same_system(given, says):
    said = judged(number(float("nan"), reason="too short"), **given).would_settle
    assert said.startswith("share that settles: too short. ")
    assert says in said


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "n = 3 (each a loops) instead of 2: limitset claims test 90a --tier normal comes nearer."),
        ({"tier": Tier.NORMAL}, "normal is the largest tier: limitset claims test 90a --seed 1 asks again."),
        (
            {"map": "f.py:x", "tier": Tier.NORMAL},
            "does not hold: limitset claims test 90a tests it on our systems.",
        ),
        ({"logs": Path("r.csv")}, "in your file: limitset claims test 90a --logs r.csv tells it then."),
    ],
)
def test_fewer_than_the_least_n_is_cannot_tell_and_says_how_many(given, says):
    verdict = judged(number(0.9, 0.8, 1.0, n=2), number(0.9, 0.8, 1.0, n=40), **given)
    assert verdict.value == "can't tell"
    assert "rests on n = 2; with fewer than 3 nothing is said" in verdict.reason
    assert says in verdict.would_settle
    # three are enough, and a claim may ask for more
    assert judged(number(0.9, 0.8, 1.0, n=3)).value == "holds"
    assert judged(number(0.9, 0.8, 1.0, n=3), least_n=4).value == "can't tell"


def test_ids_differ_by_what_was_measured_and_a_users_system_is_marked():
    first, second = judged(number(0.9, 0.8, 1.0)), judged(number(0.9, 0.81, 1.0))
    theirs = judged(number(0.9, 0.8, 1.0), model="m")
    assert len({first.id, second.id, theirs.id}) == 3
    assert re.fullmatch(r"v-90a-20261122-1-u[0-9a-f]{6}", theirs.id)
    assert first.id == judged(number(0.9, 0.8, 1.0)).id


@pytest.mark.parametrize(
    ("bar", "numbers", "n"),
    [
        # within [0, 1], value .9, [.3, 1.2]: towards 1 the reach .3 must shrink to .1: 9 times; towards 0 it is
        # clear already (.6 of .9)
        ({"holds_if": {"within": [0, 1]}, "fails_if": {"outside": [-1, 2]}}, (0.9, 0.3, 1.2), 360),
        # outside [-1, 2], value 4, [1, 5]: only the end 2 is in the way: reach 3, room 2: 2.25 times
        ({"holds_if": {"within": [0, 1]}, "fails_if": {"outside": [-1, 2]}}, (4.0, 1.0, 5.0), 90),
        # outside, below: value -2, [-3, 0], end -1: reach 2, room 1: 4 times
        ({"holds_if": {"within": [0, 1]}, "fails_if": {"outside": [-1, 2]}}, (-2.0, -3.0, 0.0), 160),
    ],
)
def test_bands_count_only_the_ends_that_are_in_the_way(bar, numbers, n):
    verdict = judged(number(*numbers), tests=[{"statistic": "share0", "words": "share", **bar}])
    assert verdict.value == "can't tell"
    assert re.search(rf"\b{n}\b.* instead of 40\b", verdict.would_settle)


def test_a_statistic_that_the_run_does_not_bring_is_named():
    shape = {"statistic": "other", "words": "x", "holds_if": {"above": 0.5}, "fails_if": {"below": 0.4}}
    with pytest.raises(InputError, match="the run must bring other; got share0"):
        judged(number(0.9, 0.8, 1.0), tests=[shape])


# ---- running


def test_a_claim_is_put_to_the_test_and_its_verdict_kept(planted):
    (one,) = put(planted)
    assert (one.verdict.value, one.stood) == ("holds", False)
    assert opened(planted).verdict("90a") == one.verdict
    assert check(opened(planted), protocols=("p90",)) == ()
    assert planted.runs[0]["date"] == "22 Nov 2026"


def test_the_same_day_in_the_same_way_it_is_not_run_again(planted):
    first = put(planted)[0].verdict
    again = put(planted)[0]
    assert (again.verdict, again.stood) == (first, True)
    assert len(planted.runs) == 1


@pytest.mark.parametrize("wanted", [{"again": True}, {"seed": 1}, {"tier": Tier.NORMAL}, {"model": "theirs"}])
def test_in_another_way_it_is_run_again(planted, wanted):
    put(planted)
    (one,) = put(planted, **wanted)
    assert not one.stood
    assert len(planted.runs) == planted.parts == 2
    assert one.verdict.id.startswith("v-90a-20261122-2-")
    assert one.verdict.prior.startswith("v-90a-20261122-1-")


def test_claims_of_one_protocol_share_one_run(planted):
    planted.claim("90b", "loops-drift", above=0.97, below=0.96)
    assert [one.verdict.value for one in put(planted)] == ["holds", "fails"]
    assert len(planted.runs) == 1


def test_another_claim_of_the_protocol_goes_on_with_the_parts_of_that_day(planted):
    planted.claim("90b", "loops-drift")
    put(planted, claims=["90a"])
    put(planted, claims=["90b"])
    assert (len(planted.runs), planted.parts) == (2, 1)
    # on another day everything is measured anew: packages may have changed, and a re-test must be one
    put(planted, today=LATER)
    assert (len(planted.runs), planted.parts) == (3, 2)


def test_intervals_are_as_wide_as_the_most_demanding_claim_of_the_protocol_asks(planted):
    path = planted.claim("90b", "loops-drift")
    text = path.read_text("utf-8")
    path.write_text(text + text[text.index("[[tests]]") :], "utf-8")
    put(planted, claims=["90a"])
    assert planted.runs[0]["confidence"] == 0.975


def test_a_run_that_was_killed_goes_on_where_it_was(planted):
    planted.told(die=True)
    script = (
        "import datetime as dt, sys; from pathlib import Path; sys.path.insert(0, sys.argv[2])\n"
        "from limitset.library.holdings.library import Library\n"
        "from limitset.library.judge.running import Wanted, put_to_test\n"
        "library = Library.opened(Path(sys.argv[1]), builtin=False)\n"
        "list(put_to_test([library.claims['90a']], library=library, wanted=Wanted(),"
        " today=dt.date(2026, 11, 22), date=''))\n"
    )
    killed = subprocess.run([sys.executable, "-c", script, str(planted.root), "."], check=False)
    assert killed.returncode == 9
    assert planted.parts == 1
    assert opened(planted).verdict("90a") is None
    planted.told()
    assert put(planted)[0].verdict.value == "holds"
    assert (planted.parts, len(planted.runs)) == (1, 2)


def test_the_users_replies_are_read_anew_when_they_changed(planted, tmp_path):
    logs = tmp_path / "replies.csv"
    logs.write_text("a", "utf-8")
    put(planted, logs=logs)
    put(planted, logs=logs)
    assert (len(planted.runs), planted.parts) == (2, 1)
    logs.write_text("b", "utf-8")
    put(planted, logs=logs)
    assert (len(planted.runs), planted.parts) == (3, 2)


def test_a_verdict_on_the_users_system_never_replaces_our_own(planted):
    put(planted)
    planted.told((0.1, 0.0, 0.2, 40))
    put(planted, model="theirs")
    library = opened(planted)
    assert library.verdict("90a").value == "holds"
    assert library.users_verdict("90a").value == "fails"
    assert library.users_verdict("90a").run.command == "limitset claims test 90a --model theirs --tier quick"
    assert [one.value for one in library.histories["90a"]] == ["holds", "fails"]


def test_a_plan_cannot_be_run(planted):
    planted.claim(plan="Run it on ten loops.")
    with pytest.raises(InputError, match="90a must have a protocol that can be run; got a plan"):
        put(planted)


def test_only_one_system_that_the_protocol_takes(planted, tmp_path):
    logs = tmp_path / "replies.csv"
    with pytest.raises(InputError, match="must be a file of replies"):
        Wanted(logs=logs)
    logs.write_text("x", "utf-8")
    with pytest.raises(InputError, match="one system of yours; got --model and --logs"):
        Wanted(model="m", logs=logs)
    with pytest.raises(InputError, match="protocol p90 takes --logs or --model; got --map"):
        put(planted, map="f.py:x")


# ---- protocols


def test_a_users_protocol_is_found_beside_the_installed_ones(planted):
    assert known(Library.opened(planted.root))["p90"] == planted.root / "protocols" / "p90.py"
    assert loaded("p90", opened(planted)).title == "Do planted loops settle?"


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ("x = 1\n", InputError, "must hold PROTOCOL, a Protocol with the id p90; got NoneType"),
        ("PROTOCOL = 3\n", InputError, "got int"),
        ("def (\n", InputError, "must be a Python file"),
        ("import no_such_package_at_all\n", DependencyError, "needs the package no_such_package_at_all"),
    ],
)
def test_a_file_that_is_no_protocol_is_refused(planted, text, error, says):
    planted.file("protocols/p90.py", text)
    with pytest.raises(error, match=says):
        loaded("p90", opened(planted))


def test_a_protocol_that_is_not_there_is_named(planted):
    with pytest.raises(InputError, match="the protocol p89 must be installed"):
        loaded("p89", opened(planted))


@pytest.mark.parametrize("place", ["while it is loaded", "while it runs"])
def test_a_protocol_that_ends_the_process_is_an_error(planted, place):
    path = planted.root / "protocols" / "p90.py"
    text = path.read_text("utf-8")
    ends = {"while it is loaded": ("HERE = Path", "raise SystemExit(9)\nHERE = Path"),
            "while it runs": ("    told = planted()", "    raise SystemExit(9)\n    told = planted()")}  # fmt: skip
    path.write_text(text.replace(*ends[place], 1), "utf-8")
    with pytest.raises(ProtocolStoppedError, match=r"protocol p90 ended itself with status 9 .*p90\.py"):
        put(planted)
    assert opened(planted).verdict("90a") is None


def test_what_a_protocol_takes_is_read_without_loading_it(planted):
    assert accepted_by(planted.root / "protocols" / "p90.py") == ("logs", "model")
    shipped = {name: accepted_by(path) for name, path in known(opened(planted)).items()}
    assert shipped["p06"] == ("map",)
    assert shipped["p24"] == ()
    # as loading them tells
    for name in ("p06", "p24"):
        assert loaded(name, opened(planted)).accepts == shipped[name]
    broken = planted.file("protocols/p92.py", "def (")
    assert accepted_by(broken) == ()


def test_a_pipe_is_no_protocol(planted):
    os.mkfifo(planted.root / "protocols" / "p92.py")
    assert "p92" not in known(opened(planted))


def test_a_users_protocol_may_not_take_an_installed_id(planted):
    planted.file("protocols/p24.py", "x = 1\n")
    with pytest.raises(InputError, match="must have an id of its own; got p24"):
        known(opened(planted))


# ---- appending


def test_a_verdict_follows_those_with_ids_of_the_old_form(planted):
    shelf = Shelf(planted.root)
    old = judged(number(0.9, 0.8, 1.0)).model_copy(update={"id": "v-90a-20261122-1"})
    assert append(old, shelf).id == "v-90a-20261122-1"
    kept = append(judged(number(0.9, 0.8, 1.0)), shelf)
    assert re.fullmatch(r"v-90a-20261122-2-[0-9a-f]{6}", kept.id)
    assert kept.prior == "v-90a-20261122-1"
    with pytest.raises(InputError, match="a verdict is named v-CLAIM-DAY-NUMBER; got mine"):
        append(old.model_copy(update={"id": "mine"}), shelf)


def test_the_built_in_shelf_is_not_written():
    with pytest.raises(InputError, match="library folder of yours; got the built-in"):
        append(judged(number(0.9, 0.8, 1.0)), Shelf(BUILTIN, builtin=True))


def test_a_broken_history_is_refused_and_left_alone(planted):
    path = planted.file("verdicts/90a.jsonl", '{"id": "v-90a-1", ')
    with pytest.raises(InputError, match=r"90a\.jsonl:1 must be one JSON object"):
        append(judged(number(0.9, 0.8, 1.0)), Shelf(planted.root))
    assert path.read_text("utf-8") == '{"id": "v-90a-1", '


def test_a_history_keeps_letters_that_look_like_line_ends(planted):
    shelf = Shelf(planted.root)
    odd = judged(number(0.9, 0.8, 1.0)).model_copy(update={"notes": ("a\u2028b\x85c\x0bd",)})
    append(odd, shelf)
    append(odd, shelf)
    assert [one.notes for one in shelf.verdicts("90a")] == [odd.notes] * 2


def _append_many(root, count):
    for _ in range(count):
        append(judged(number(0.9, 0.8, 1.0)), Shelf(root))


def test_two_processes_at_once_lose_no_verdict_and_give_no_id_twice(planted):
    context = multiprocessing.get_context("fork")
    both = [context.Process(target=_append_many, args=(planted.root, 15)) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join(60)
    history = Shelf(planted.root).verdicts("90a")
    assert [one.id.rpartition("-")[0] for one in history] == [
        f"v-90a-20261122-{place}" for place in range(1, 31)
    ]
    assert [one.prior for one in history] == ["", *(one.id for one in history[:-1])]


def test_a_lock_left_by_a_killed_process_holds_nobody_up(planted):
    code = (
        "import os, sys; from pathlib import Path; from limitset.library.holdings.alone import alone\n"
        "held = alone(Path(sys.argv[1])); held.__enter__(); os._exit(9)\n"
    )
    assert subprocess.run([sys.executable, "-c", code, str(planted.root)], check=False).returncode == 9
    append(judged(number(0.9, 0.8, 1.0)), Shelf(planted.root))
    assert len(Shelf(planted.root).verdicts("90a")) == 1


# ---- run folders


def test_a_finished_run_of_another_day_is_left_alone(tmp_path):
    first = folder_of(tmp_path, "x", today=DAY, again=False)
    assert folder_of(tmp_path, "x", today=LATER, again=False) == first  # unfinished: gone on with
    finish(first, DAY)
    assert folder_of(tmp_path, "x", today=DAY, again=False) == first
    second = folder_of(tmp_path, "x", today=DAY, again=True)
    assert second != first
    assert folder_of(tmp_path, "x", today=LATER, again=False) == second


def test_whatever_could_move_the_numbers_moves_the_request(tmp_path):
    planted = Planted(tmp_path / "a").sound()
    library = opened(planted)
    mark = fingerprint(loaded("p90", library), known(library)["p90"], library.claims["90a"])
    script, folder = tmp_path / "loop.py", tmp_path / "model"
    script.write_text("x = 1", "utf-8")
    folder.mkdir()

    def asked(**named):
        return request_of("p90", **{"tier": Tier.QUICK, "seed": 0, "mark": mark, **named})

    names = [asked(), asked(tier=Tier.FULL), asked(seed=1), asked(model="m"), asked(map_=f"{script}:x")]
    names += [asked(map_=f"{script}:y"), asked(model=str(folder)), asked(logs=script)]
    script.write_text("x = 20", "utf-8")
    (folder / "weights").write_text("w", "utf-8")
    names += [asked(map_=f"{script}:x"), asked(model=str(folder)), asked(logs=script)]
    assert len(set(names)) == len(names)
    assert asked() == asked()


# ---- staleness


def test_a_verdict_stands_until_something_under_it_changes(planted):
    assert states(planted) == {"90a": "never run"}
    put(planted)
    assert states(planted) == {"90a": "current"}
    assert states(planted, dt.date(2026, 12, 22)) == {"90a": "current"}  # 30 days on
    assert states(planted, dt.date(2026, 12, 23)) == {"90a": "expired"}
    planted.claim(above=0.6)
    assert states(planted) == {"90a": "claim changed"}
    planted.claim()
    path = planted.root / "protocols" / "p90.py"
    text = path.read_text("utf-8")
    path.write_text(text + "# changed\n", "utf-8")
    assert states(planted) == {"90a": "protocol changed"}
    path.write_bytes(text.replace("\n", "\r\n").encode())  # the same but for ends of lines
    assert states(planted) == {"90a": "current"}
    path.unlink()
    assert states(planted) == {"90a": "protocol changed"}


def test_a_plan_is_not_yet_runnable(planted):
    planted.claim(plan="Run it on ten loops.")
    assert states(planted) == {"90a": "not yet runnable"}


def test_an_instrument_of_another_version_makes_a_verdict_stale(planted):
    name, version = next(iter(instrument_versions().items()))
    path = planted.root / "protocols" / "p90.py"
    path.write_text(
        path.read_text("utf-8").replace(
            'planted@1",),\n    data', f'{name}@{int(version) + 1}",),\n    data'
        ),
        "utf-8",
    )
    put(planted)
    assert states(planted) == {"90a": "instrument changed"}


def test_data_that_changed_makes_a_verdict_stale(planted):
    put(planted)
    library = opened(planted)
    assert in_full(library, states(planted), today=DAY) == {"90a": "current"}
    planted.told(data=["planted@2"])
    assert states(planted) == {"90a": "current"}  # data is not looked at where nothing may be loaded
    assert in_full(library, states(planted), today=DAY) == {"90a": "data changed"}


def test_every_instrument_that_names_a_version_is_known():
    assert len(instrument_versions()) > 30
    assert all(version.isdigit() for version in instrument_versions().values())


def test_ends_of_lines_do_not_change_the_hash_of_a_file(tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_bytes(b"x\ny\n")
    second.write_bytes(b"x\r\ny\r\n")
    assert file_hash(first) == file_hash(second)


# ---- what changed


def changed(planted, since, today):
    library = opened(planted)
    return [
        (one.what, one.before, one.now)
        for one in changes(library, since=since, today=today, states=states(planted, today))
    ]


def test_what_came_turned_and_expired_since_a_day(planted):
    before = DAY - dt.timedelta(days=1)
    assert changed(planted, before, DAY) == []
    put(planted)
    assert changed(planted, before, DAY) == [("new", "", "holds")]
    assert changed(planted, DAY, DAY) == []
    put(planted, today=LATER, seed=1)
    assert changed(planted, DAY, LATER) == [("again", "holds", "holds")]
    planted.told((0.1, 0.0, 0.2, 40))
    put(planted, today=LATER, seed=2)
    assert changed(planted, DAY, LATER) == [("turned", "holds", "fails")]
    # expires on 31 Dec: it stands through that day
    end = dt.date(2026, 12, 31)
    assert changed(planted, LATER, end) == []
    assert changed(planted, end, end + dt.timedelta(days=1)) == [("expired", "", "fails")]
    assert changed(planted, end + dt.timedelta(days=1), end + dt.timedelta(days=2)) == []


def test_verdicts_that_no_longer_stand_are_listed_with_their_command(planted):
    put(planted)
    library = opened(planted)
    assert expired(library, states=states(planted)) == ()
    (one,) = expired(library, states=states(planted, dt.date(2027, 1, 1)))
    assert str(one) == (
        "90a  expired: holds, share of loops that settle 0.9 [0.8, 0.95]; expires 2026-12-22; limitset claims test 90a"
    )
    assert json.dumps(one.record())
