"""Do the commands of the library say what is held, end with the right status, and lose nothing?"""

import datetime as dt
import json
import subprocess
import sys

import pytest

from library.planted_folder import SOURCE, Planted
from limitset.cli import main
from limitset.core.exits import ExitStatus
from limitset.library.holdings.library import BUILTIN
from limitset.library.holdings.shelf import Shelf

DAY = "22 Nov 2026"
ABSTRACT = (
    "We show that loops settle in 4 of 10 runs without input injection. We find that they drift otherwise."
)


@pytest.fixture
def planted(tmp_path, monkeypatch):
    """A user's folder beside an empty built-in shelf, on a day that stands still."""
    empty = tmp_path / "built-in"
    empty.mkdir()
    monkeypatch.setattr("limitset.library.holdings.library.BUILTIN", empty)
    on(monkeypatch, DAY)
    found = Planted(tmp_path / "library").sound()
    monkeypatch.setenv("LIMITSET_LIBRARY", str(found.root))
    return found


def on(monkeypatch, day):
    for module in ("claims", "library", "ask"):
        monkeypatch.setattr(f"limitset.cli.{module}.today", lambda: day)


@pytest.fixture
def limitset(capsys):
    """Run a command: its status, what it printed, and its one line of complaint."""

    def run(*arguments):
        status = main.status_of([str(one) for one in arguments])
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


def as_json(answer):
    status, out, _ = answer
    assert status == ExitStatus.DONE
    return json.loads(out)


# ---- claims list and show


def test_claims_are_listed_with_how_they_stand(planted, limitset):
    planted.claim("90b", "loops-drift", plan="Run it on ten loops.")
    rows = {row["id"]: row for row in as_json(limitset("claims", "list", "--json"))}
    assert {name: (row["state"], row["runnable"]) for name, row in rows.items()} == {
        "90a": ("never run", True),
        "90b": ("not yet runnable", False),
    }
    limitset("claims", "test", "90a")
    (row,) = as_json(limitset("claims", "list", "--runnable", "--json"))
    assert (row["verdict"], row["state"], row["date"]) == ("holds", "current", "2026-11-22")
    status, out, _ = limitset("claims", "list")
    assert status == ExitStatus.DONE
    assert "Loops settle in most runs." in out
    assert "2 claims, 1 can be run, 1 decided" in out


@pytest.mark.parametrize(
    ("options", "found"),
    [(("--tag", "loops"), 1), (("--tag", "none"), 0), (("--level", "hidden"), 1), (("--level", "text"), 0)],
)
def test_claims_are_chosen_by_tag_and_level(planted, limitset, options, found):
    assert len(as_json(limitset("claims", "list", "--json", *options))) == found


def test_a_claim_is_shown_with_its_verdict_or_its_plan(planted, limitset):
    limitset("claims", "test", "90a")
    status, out, _ = limitset("claims", "show", "loops-settle")
    assert status == ExitStatus.DONE
    assert "Loops settle in most runs." in out
    assert "0.9" in out
    (shown,) = as_json(limitset("claims", "show", "90", "--json"))
    assert shown["state"] == "current"
    assert [one["value"] for one in shown["verdicts"]] == ["holds"]
    planted.claim("90b", "loops-drift", plan="Run it on ten loops.")
    assert "Run it on ten loops." in limitset("claims", "show", "90b")[1]


# ---- claims test


def test_a_claim_is_tested_and_its_verdict_kept(planted, limitset):
    status, out, err = limitset("claims", "test", "90a")
    assert status == ExitStatus.DONE
    assert "Holds on toy models" in out
    assert "p90, quick: Do planted loops settle?" in err
    (verdict,) = Shelf(planted.root).verdicts("90a")
    assert (verdict.value, str(verdict.date)) == ("holds", "2026-11-22")


@pytest.mark.parametrize(
    ("told", "gated", "value"),
    [
        ({}, ExitStatus.DONE, "holds"),
        ({"share": (0.2, 0.1, 0.3, 40)}, ExitStatus.FAIL, "fails"),
        ({"share": (0.5, 0.3, 0.7, 40)}, ExitStatus.INCONCLUSIVE, "can't tell"),
        ({"found": False}, ExitStatus.INCONCLUSIVE, "can't tell"),
    ],
)
def test_the_gate_decides_the_status_and_nothing_else_does(planted, limitset, told, gated, value):
    planted.told(**told)
    status, out, _ = limitset("claims", "test", "90a", "--gate", "--json")
    assert status == gated
    assert [one["value"] for one in json.loads(out)] == [value]
    assert limitset("claims", "test", "90a")[0] == ExitStatus.DONE


def test_one_that_fails_outweighs_one_that_cannot_be_told(planted, limitset):
    planted.told((0.5, 0.42, 0.6, 40))
    planted.claim("90b", "loops-drift", above=0.9, below=0.7)
    assert limitset("claims", "test", "90", "--gate")[0] == ExitStatus.FAIL


def test_a_cannot_tell_prints_what_would_settle_it(planted, limitset):
    planted.told((0.55, 0.45, 0.75, 40))
    out = limitset("claims", "test", "90a")[1]
    assert "limitset claims test 90a --tier normal" in " ".join(out.split())


def test_twice_on_a_day_it_runs_once_and_again_runs_again(planted, limitset):
    limitset("claims", "test", "90a")
    out = limitset("claims", "test", "90a")[1]
    assert "stood already today" in out
    assert len(planted.runs) == 1
    assert len(as_json(limitset("claims", "test", "90a", "--json"))) == 1
    limitset("claims", "test", "90a", "--again")
    assert len(planted.runs) == 2


def test_a_killed_run_goes_on_with_the_same_command(planted, limitset):
    planted.told(die=True)
    command = [sys.executable, "-m", "limitset", "claims", "test", "90a"]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 9
    planted.told()
    assert limitset("claims", "test", "90a")[0] == ExitStatus.DONE
    assert (len(planted.runs), planted.parts) == (2, 1)


def test_all_runs_each_protocol_and_one_that_cannot_does_not_stop_the_others(planted, limitset):
    planted.file(
        "claims/91a-other.toml",
        (planted.root / "claims" / "90a-loops-settle.toml")
        .read_text("utf-8")
        .replace("90a", "91a")
        .replace("p90", "p91")
        .replace('loops-settle"\nstatement', 'other"\nstatement'),
    )
    planted.file("protocols/p91.py", "import no_such_package_at_all\n")
    planted.claim("90b", "loops-drift", plan="Run it.")
    status, out, err = limitset("claims", "test", "--all")
    assert status == ExitStatus.BAD_INPUT
    assert "Holds on toy models" in out
    assert "p91 did not run: protocol p91 needs the package no_such_package_at_all" in err
    assert Shelf(planted.root).judged() == ["90a"]


def test_the_users_system_reaches_the_protocol(planted, limitset, tmp_path):
    logs = tmp_path / "replies.csv"
    logs.write_text("x", "utf-8")
    limitset("claims", "test", "90a", "--logs", logs, "--seed", "3", "--tier", "normal")
    (asked,) = planted.runs
    assert (asked["logs"], asked["seed"], asked["tier"]) == (str(logs), 3, "normal")
    assert not Shelf(planted.root).verdicts("90a")[0].own
    limitset("claims", "test", "90a", "--model", "theirs")
    assert planted.runs[1]["model"] == "theirs"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["claims", "test", "91a"], "limitset claims list shows them"),
        (["claims", "test"], "takes claims, or --all; got neither"),
        (["claims", "test", "90a", "--all"], "takes claims, or --all; got both"),
        (["claims", "test", "90a", "--tier", "huge"], "--tier is quick, normal or full; got huge"),
        (["claims", "test", "90a", "--logs", "{tmp}/replies.csv", "--model", "m"], "got --model and --logs"),
        (["claims", "test", "90a", "--logs", "{tmp}/none.csv"], "must be a file of replies"),
        (["claims", "test", "90a", "--map", "loop.py:x"], "protocol p90 takes --logs or --model; got --map"),
        (["claims", "test", "90b"], "90b must have a protocol that can be run; got a plan"),
        (["claims", "test", "90a", "--seed", "-1"], "Invalid value for '--seed'"),
        (["claims", "show", "nothing"], "limitset claims list shows them"),
        (["claims", "verdicts", "nothing"], "limitset claims list shows them"),
        (["claims", "diff", "--since", "yesterday"], "a date is written"),
        (["claims", "expire", "--on", "soon"], "a date is written"),
        (["library", "add", "2613.00001"], "a source is an arXiv number"),
        (["library", "add", "2604.15259", "--title", "T"], "needs its abstract"),
        (["library", "add", "2604.15259", "--title", "T", "--abstract", "{tmp}/none"], "must be a text file"),
        (["library", "accept", "loops-settle"], "must name what is accepted"),
        (["library", "list", "--library", "{tmp}/replies.csv"], "must be a library folder; got a file"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_and_status_2(planted, limitset, tmp_path, arguments, says):
    (tmp_path / "replies.csv").write_text("x", "utf-8")
    planted.claim("90b", "loops-drift", plan="Run it.")
    status, _, err = limitset(*(one.format(tmp=tmp_path) for one in arguments))
    assert status == ExitStatus.BAD_INPUT
    assert says in err
    assert err.count("\n") == 1
    assert "Traceback" not in err
    assert not planted.runs


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("notes/loops-settle.md", "id = 1\n", "must begin with a line of +++"),
        ("claims/90a-loops-settle.toml", "id = ", "must be TOML"),
        ("sources.toml", SOURCE + SOURCE, "smith-2020 twice"),
        ("verdicts/90a.jsonl", '{"id": "v-90a', "90a.jsonl:1 must be one JSON object"),
        ("protocols/p90.py", "def (", "must be a Python file"),
        ("protocols/p90.py", "PROTOCOL = 1\n", "must hold PROTOCOL"),
    ],
)
def test_a_broken_file_is_named_by_every_command_that_reads_it(planted, limitset, name, text, says):
    planted.file(name, text)
    command = ("library", "list") if name.startswith(("notes", "sources")) else ("claims", "test", "90a")
    status, _, err = limitset(*command)
    if name == "sources.toml" and status == ExitStatus.DONE:
        pytest.fail("a broken list of sources was read")
    assert status == ExitStatus.BAD_INPUT
    assert says in err
    assert name.rpartition("/")[2] in err


def test_a_run_on_the_users_system_stands_beside_ours_in_list_and_show(planted, limitset, tmp_path):
    logs = tmp_path / "my replies.csv"
    logs.write_text("x", "utf-8")
    planted.told((0.9, 0.8, 0.95, 40))
    again = f"limitset claims test 90a --logs '{logs}'"
    out = one_line(limitset("claims", "test", "90a", "--logs", logs)[1])
    assert again not in out  # the command is that of this process, not of the test
    planted.told()
    # ours was never run: both are said
    out = one_line(limitset("claims", "show", "90a")[1])
    assert "Never run" in out
    assert "yours, 22 Nov 2026: " in out
    assert "Holds on your system" in out
    out = one_line(limitset("claims", "list")[1])
    assert f"[yours: holds (planted loops {logs})]".replace(" ", "") in out.replace(" ", "")
    (row,) = as_json(limitset("claims", "list", "--json"))
    assert (row["verdict"], row["yours"]["verdict"], row["takes"]) == (None, "holds", ["logs", "model"])
    assert "[takes --logs or --model]" in out
    limitset("claims", "test", "90a")
    out = one_line(limitset("claims", "show", "90a")[1])
    assert "Holds on toy models" in out
    assert "yours, 22 Nov 2026: " in out


def test_the_line_that_runs_a_claim_again_keeps_the_users_system(planted, tmp_path):
    logs = tmp_path / "my replies.csv"
    logs.write_text("x", "utf-8")
    planted.told((0.55, 0.45, 0.75, 40))
    command = [sys.executable, "-m", "limitset", "claims", "test", "90a", f"--logs={logs}"]
    out = one_line(subprocess.run(command, check=False, capture_output=True, text=True).stdout)
    assert out.count(f"limitset claims test 90a --logs '{logs}'") == 2  # what settles it, and the last line


def one_line(text):
    return " ".join(text.split())


def test_a_protocol_that_ends_the_process_is_one_line_and_status_70(planted, limitset):
    path = planted.root / "protocols" / "p90.py"
    path.write_text(
        path.read_text("utf-8").replace(
            "    told = planted()", "    raise SystemExit(9)\n    told = planted()"
        ),
        "utf-8",
    )
    for command in (
        ("claims", "test", "90a"),
        ("claims", "test", "--all"),
        ("ask", "Do loops settle in most runs?", "--run"),
    ):
        status, _, err = limitset(*command)
        assert status == ExitStatus.INTERNAL
        assert "limitset: protocol p90 ended itself with status 9" in err
        assert "Traceback" not in err


# ---- verdicts, diff, expire


def test_the_history_shows_ours_and_theirs(planted, limitset):
    assert "never run" in limitset("claims", "verdicts", "90a")[1]
    limitset("claims", "test", "90a")
    planted.told((0.1, 0.0, 0.2, 40))
    limitset("claims", "test", "90a", "--model", "theirs")
    out = limitset("claims", "verdicts", "90a")[1]
    assert "holds" in out
    assert "yours: " in out
    histories = as_json(limitset("claims", "verdicts", "--json"))
    assert [one["value"] for one in histories["90a"]] == ["holds", "fails"]


def test_what_changed_since_a_day(planted, limitset, monkeypatch):
    assert "no verdict changed" in limitset("claims", "diff", "--since", "2026-11-21")[1]
    limitset("claims", "test", "90a")
    (one,) = as_json(limitset("claims", "diff", "--since", "2026-11-21", "--json"))
    assert (one["what"], one["now"], one["command"]) == ("new", "holds", "limitset claims test 90a")
    on(monkeypatch, "1 Dec 2026")
    planted.told((0.1, 0.0, 0.2, 40))
    limitset("claims", "test", "90a")
    out = limitset("claims", "diff", "--since", "22 Nov 2026")[1]
    assert "turned: fails (was: holds)" in out


def test_what_no_longer_stands(planted, limitset):
    limitset("claims", "test", "90a")
    assert "every verdict stands on 2026-11-22" in limitset("claims", "expire")[1]
    assert "90a  expired: holds" in limitset("claims", "expire", "--on", "2026-12-23")[1]
    planted.told(data=["planted@2"])
    (one,) = as_json(limitset("claims", "expire", "--json"))
    assert one["what"] == "data changed"
    planted.claim(above=0.6)
    assert "claim changed" in limitset("claims", "expire")[1]


# ---- library check and list


def test_a_sound_library_is_counted(planted, limitset):
    status, out, _ = limitset("library", "check")
    assert status == ExitStatus.DONE
    assert out == "sound: 1 notes, 1 sources, 1 claims, 0 with a verdict\n"
    assert as_json(limitset("library", "check", "--json")) == []


@pytest.mark.parametrize(
    ("plant", "says"),
    [
        (lambda p: p.file("notes/x.md", "no fence"), "must begin with a line of +++"),
        (lambda p: p.note(contradicts=("nowhere",)), "names the note nowhere"),
        (lambda p: (p.note("x", supersedes=("y",)), p.note("y", supersedes=("x",))), "superseded in a circle: x > y > x"),
        (lambda p: (p.root / "protocols" / "p90.py").unlink(), "has neither a protocol p90"),
        (lambda p: p.file("verdicts/90a.jsonl", '{"id"'), "90a.jsonl:1"),
        (lambda p: p.claim(atom="loops-settle#7"), "names the atom loops-settle#7"),
        (lambda p: p.claim("90b"), "has the slug loops-settle, which is that of 90a"),
        (lambda p: p.note(opposes=("loops-settle#8",)), "contradicts the atom loops-settle#8, which is not held"),
        (lambda p: p.note(opposes=("loops-settle#1",)), "atom 1 contradicts itself"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_listed_with_status_1(planted, limitset, plant, says):
    plant(planted)
    status, out, _ = limitset("library", "check")
    assert status == ExitStatus.FAIL
    assert says in out
    status, out, _ = limitset("library", "check", "--json")
    assert status == ExitStatus.FAIL
    assert [one["fatal"] for one in json.loads(out)] == [True]


def test_what_is_merely_worth_knowing_leaves_status_0(planted, limitset):
    planted.file("sources.toml", SOURCE.replace('"abstract"', '"secondary"'))
    status, out, _ = limitset("library", "check")
    assert status == ExitStatus.DONE
    assert out.startswith("note: ")
    assert "sound: 1 notes" in out


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ((), ["late", "loops-settle"]),
        (("--tag", "loops"), ["late", "loops-settle"]),
        (("--tag", "x"), []),
        (("--level", "text"), []),
        (("--status", "perishable"), ["late"]),
    ],
)
def test_notes_are_listed_by_tag_level_and_status(planted, limitset, options, found):
    planted.note("late", status="perishable")
    assert [one["id"] for one in as_json(limitset("library", "list", "--json", *options))] == found
    status, out, _ = limitset("library", "list", *options)
    assert status == ExitStatus.DONE
    assert all(name in out for name in found)


def test_an_empty_library_is_listed_and_checked(planted, limitset, tmp_path):
    (tmp_path / "none").mkdir()
    for command in (("library", "check"), ("library", "list"), ("claims", "list"), ("claims", "expire")):
        status, _, err = limitset(*command, "--library", tmp_path / "none")
        assert (status, err) == (ExitStatus.DONE, "")


@pytest.mark.parametrize(
    "command",
    [
        ("library", "check"),
        ("library", "list"),
        ("claims", "list"),
        ("claims", "show", "90a"),
        ("claims", "verdicts"),
        ("ask", "Do loops settle?"),
    ],
)
def test_a_library_that_is_not_there_is_refused_where_it_is_only_read(planted, limitset, tmp_path, command):
    status, out, err = limitset(*command, "--library", tmp_path / "typo")
    assert (status, out) == (ExitStatus.BAD_INPUT, "")
    assert "typo must be a library folder; got none there" in err
    assert err.count("\n") == 1
    assert not (tmp_path / "typo").exists()


def test_a_new_library_is_made_where_something_is_added_and_that_is_said(planted, limitset, tmp_path):
    abstract = tmp_path / "abstract.txt"
    abstract.write_text(ABSTRACT, "utf-8")
    new = tmp_path / "new"
    status, _, err = limitset(
        "library", "add", "2604.15259", "--title", "T", "--abstract", abstract, "--library", new
    )
    assert (status, err) == (ExitStatus.DONE, f"a new library: {new}\n")
    assert list((new / "notes").iterdir())


def test_the_shelf_that_ships_is_sound_but_for_what_is_still_being_written(limitset, monkeypatch, tmp_path):
    monkeypatch.setattr("limitset.library.holdings.library.BUILTIN", BUILTIN)
    status, out, _ = limitset("library", "check", "--library", tmp_path)
    assert status == ExitStatus.DONE, out


# ---- library add and accept


def test_a_paper_is_added_shown_and_accepted(planted, limitset, tmp_path):
    abstract = tmp_path / "abstract.txt"
    abstract.write_text(ABSTRACT, "utf-8")
    add = (
        "library",
        "add",
        "2604.15259",
        "--title",
        "Drifting loops",
        "--author",
        "A. Jones",
        "--abstract",
        abstract,
    )
    draft = as_json(limitset(*add, "--draft", "--json"))
    assert not draft["kept"]
    assert not (planted.root / "notes" / "jones-2026-drifting-loops.md").exists()
    status, out, _ = limitset(*add)
    assert status == ExitStatus.DONE
    assert "limitset library accept jones-2026-drifting-loops --contradicts loops-settle" in " ".join(
        out.split()
    )
    assert limitset("library", "check")[0] == ExitStatus.DONE
    status, out, _ = limitset(
        "library", "accept", "jones-2026-drifting-loops", "--contradicts", "loops-settle"
    )
    assert (status, "accepted:" in out) == (ExitStatus.DONE, True)
    (note,) = [one for one in as_json(limitset("library", "list", "--json")) if one["id"].startswith("jones")]
    assert note["contradicts"] == ["loops-settle"]
    assert limitset(*add)[0] == ExitStatus.BAD_INPUT


def test_what_is_proposed_can_be_accepted_at_once(planted, limitset, tmp_path, monkeypatch):
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO(ABSTRACT))
    done = as_json(
        limitset(
            "library",
            "add",
            "2604.15259",
            "--title",
            "T",
            "--abstract",
            "-",
            "--accept",
            "--level",
            "text",
            "--json",
        )
    )
    (entry,) = done["entries"]
    assert entry["accepted"]
    assert entry["note"]["contradicts"] == ["loops-settle"]
    assert entry["note"]["level"] == "text"


def test_a_bibliography_with_a_refused_entry_keeps_the_others_and_ends_with_2(planted, limitset, tmp_path):
    path = tmp_path / "two.bib"
    path.write_text(
        "@article{good, title={Drifting loops}, author={Jones, A.}, year={2026}, "
        "abstract={We show that loops drift in 4 of 10 runs without input injection.}}\n"
        "@article{bad, author={Jones, A.}, year={2026}}\n",
        "utf-8",
    )
    status, out, _ = limitset("library", "add", path)
    assert status == ExitStatus.BAD_INPUT
    assert "refused bad: line 2: no title; add one" in out
    assert [one.name for one in (planted.root / "notes").iterdir() if one.name.startswith("jones")]


def test_what_stands_against_each_other_is_shown_by_what_it_says(planted, limitset):
    planted.note("drift", text="Loops settle in 2 of 10 runs.", contradicts=("loops-settle",))
    planted.file(
        "notes/drift.md",
        (planted.root / "notes" / "drift.md")
        .read_text("utf-8")
        .replace("[[atoms]]", "[[atoms]]\ncontradicts = ['loops-settle#1']"),
    )
    out = one_line(limitset("ask", "Do loops settle?")[1])
    held = out.partition("Against each other")[2]
    assert "Do loops settle?” [" in held or "Loops settle in" in held


def test_the_built_in_shelf_cannot_be_written(planted, limitset, tmp_path):
    abstract = tmp_path / "abstract.txt"
    abstract.write_text(ABSTRACT, "utf-8")
    status, _, err = limitset(
        "library",
        "add",
        "2604.15259",
        "--title",
        "T",
        "--abstract",
        abstract,
        "--library",
        tmp_path / "built-in",
    )
    assert status == ExitStatus.BAD_INPUT
    assert "the built-in" in err


def test_two_commands_at_once_lose_no_verdict(planted):
    command = [sys.executable, "-m", "limitset", "claims", "test", "90a", "--again"]
    both = [
        subprocess.Popen(
            [*command, "--seed", str(seed)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for seed in (1, 2)
    ]
    assert [one.wait(120) for one in both] == [0, 0]
    history = Shelf(planted.root).verdicts("90a")
    day = dt.date.today()
    assert [one.id.rpartition("-")[0] for one in history] == [
        f"v-90a-{day:%Y%m%d}-1",
        f"v-90a-{day:%Y%m%d}-2",
    ]
    assert sorted(one.run.seed for one in history) == [1, 2]


# ---- ask


def test_a_question_is_answered_from_what_is_held_and_thin_where_nothing_is(planted, limitset):
    answer = as_json(limitset("ask", "Do loops settle?", "--json"))
    assert any("loops-settle#1" in sentence["cites"] for sentence in answer["sentences"])
    nothing = as_json(limitset("ask", "What do volcanoes emit in winter?", "--json"))
    assert nothing["label"] in ("none", "thin")
    assert not any("loops-settle#1" in one["cites"] for one in nothing["sentences"])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("ask", ""), ""),
        (("ask", "the of and"), "names what it is about; got 'the of and'"),
        (("ask", "Do loops settle?", "--before", "then"), "a date is written"),
        (("ask", "Do loops settle?", "--tier", "huge", "--run"), "--tier is quick, normal or full"),
        (("ask", "Do loops settle?", "--embed", "no-such-folder"), "an encoder is"),
        (("ask", "Do loops settle?", "--rephrase", "no-such-model"), "no-such-model"),
    ],
)
def test_bad_input_to_ask_is_one_line_and_status_2(planted, limitset, arguments, says):
    status, _, err = limitset(*arguments)
    assert status == ExitStatus.BAD_INPUT
    assert says in err
    assert "Traceback" not in err


def test_asking_on_an_earlier_day_sees_only_what_was_held(planted, limitset):
    planted.note("late", text="Loops settle slowly in deep networks.", created="2026-11-22")
    now = as_json(limitset("ask", "Do loops settle slowly in deep networks?", "--json"))
    then = as_json(
        limitset("ask", "Do loops settle slowly in deep networks?", "--as-of", "2026-11-21", "--json")
    )

    def cited(answer):
        return {cite for sentence in answer["sentences"] for cite in sentence["cites"]}

    assert "late#1" in cited(now)
    assert "late#1" not in cited(then)


def test_a_question_can_be_run_first(planted, limitset):
    answer = as_json(limitset("ask", "Do loops settle in most runs?", "--run", "--json"))
    assert len(planted.runs) == 1
    assert any(cite.startswith("v-90a-") for one in answer["sentences"] for cite in one["cites"])


def test_a_model_rewords_and_a_false_rewording_falls_back(planted, limitset, tmp_path):
    script = tmp_path / "script.json"
    wording = "In 9 of 10 runs, loops settle."
    script.write_text(json.dumps({"replies": {"Loops settle in 9 of 10 runs.": wording}}), "utf-8")
    question = ("ask", "Do loops settle?", "--json", "--rephrase", f"scripted:{script}")
    told = [one["text"] for one in as_json(limitset(*question))["sentences"]]
    assert any(wording in text for text in told)
    false = "Loops settle in 8 of 10 runs."
    script.write_text(json.dumps({"replies": {"Loops settle in 9 of 10 runs.": false}}), "utf-8")
    told = [one["text"] for one in as_json(limitset(*question))["sentences"]]
    assert not any("8 of 10" in text for text in told)
    assert any("9 of 10" in text for text in told)


# ---- pages


def test_pages_and_markdown_are_written(planted, limitset, tmp_path):
    limitset("claims", "test", "90a")
    status, out, _ = limitset("library", "page", "--out", tmp_path / "pages")
    assert status == ExitStatus.DONE
    assert list((tmp_path / "pages").rglob("*.html"))
    page = tmp_path / "answer.html"
    status, out, _ = limitset("ask", "Do loops settle?", "--out", page, "--markdown")
    assert status == ExitStatus.DONE
    assert "Loops settle" in out
    assert "<html" in page.read_text("utf-8")


def test_a_long_hash_is_cut_where_a_person_reads(planted, limitset):
    limitset("claims", "test", "90a", "--model", "ab12" * 16)
    out = one_line(limitset("claims", "show", "90a")[1])
    assert "planted loops ab12ab12ab12;" in out
    assert "ab12" * 16 not in one_line(limitset("claims", "list")[1])
    (one,) = as_json(limitset("claims", "show", "90a", "--json"))[0]["verdicts"]
    assert one["system"] == f"planted loops {'ab12' * 16}"
