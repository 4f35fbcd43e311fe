"""Do the records refuse what they must, and is what is held on a day what was held on it?"""

import datetime as dt
import json
import os
import shutil
from pathlib import Path

import pytest
from pydantic import ValidationError

from library.planted_folder import NOTE, SOURCE, Planted
from limitset.core.errors import InputError
from limitset.library.holdings.alone import alone
from limitset.library.holdings.checking import check
from limitset.library.holdings.dated import day_of, freshness
from limitset.library.holdings.library import Library, user_folder
from limitset.library.holdings.reading import (
    note_of,
    read_claim,
    read_note,
    read_sources,
    read_text,
    read_verdicts,
)
from limitset.library.holdings.records import Claim, Test
from limitset.library.holdings.shelf import Shelf
from limitset.library.judge.running import Wanted, put_to_test

DAY = dt.date(2026, 11, 22)


@pytest.fixture
def planted(tmp_path):
    return Planted(tmp_path / "library").sound()


def opened(planted, **options):
    return Library.opened(planted.root, builtin=False, **options)


def problems(planted, protocols=("p90",)):
    return [str(one) for one in check(opened(planted), protocols=protocols)]


def fatal(planted, protocols=("p90",)):
    return [str(one) for one in check(opened(planted), protocols=protocols) if one.fatal]


# ---- sources


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            'access = "abstract"',
            'access = "skimmed"',
            "access: input should be 'full', 'abstract' or 'secondary'",
        ),
        ('kind = "paper"', 'kind = "blog"', "kind: input should be"),
        ("year = 2020", "year = 20", "year: input should be greater than or equal to 1600"),
        ("year = 2020", 'year = 2020\nvolume = "3"', "volume: extra inputs are not permitted"),
        ('id = "smith-2020"', 'id = "Smith 2020"', "id: string should match pattern"),
        ('title = "Loops that settle"', 'title = "  "', "title: string should have at least 1 character"),
        ("verified_on = 2026-01-01", "", "verified_on: field required"),
        ('authors = ["A. Smith"]', "authors = [", "must be TOML"),
    ],
)
def test_a_source_that_is_none_is_refused_with_its_field(tmp_path, old, new, says):
    path = tmp_path / "sources.toml"
    path.write_text(SOURCE.replace(old, new), "utf-8")
    with pytest.raises(InputError, match=says.replace("(", r"\(")) as refused:
        read_sources(path)
    assert str(path) in str(refused.value)


def test_two_sources_of_one_id_are_refused(tmp_path):
    path = tmp_path / "sources.toml"
    path.write_text(SOURCE + SOURCE, "utf-8")
    with pytest.raises(InputError, match="smith-2020 twice"):
        read_sources(path)


def test_a_table_that_is_no_source_is_refused(tmp_path):
    path = tmp_path / "sources.toml"
    path.write_text("[[sources]]\n", "utf-8")
    with pytest.raises(InputError, match=r"\[\[source\]\] tables only; got sources"):
        read_sources(path)


def test_the_list_of_sources_may_be_larger_than_a_note(tmp_path):
    path = tmp_path / "sources.toml"
    path.write_text(SOURCE + "#" * 1_100_000 + "\n", "utf-8")
    assert [source.id for source in read_sources(path)] == ["smith-2020"]


# ---- notes


def note(**changes):
    fields = {"id": "n", "text": "Loops settle.", "created": "2026-01-01", "status": "current"}
    return NOTE.format(**{**fields, "contradicts": "", "supersedes": "", **changes})


def test_a_note_is_read_with_its_prose():
    found = note_of(note() + "Why it is here.\n", Path("n.md"))
    assert (found.id, found.body, found.cited(found.atoms[0])) == ("n", "Why it is here.", "n#1")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "must begin with a line of"),
        ("id = 1\n", "must begin with a line of"),
        ("+++\nid = 'n'\n", r"must end with a line of \+\+\+"),
        (note().replace('level = "hidden"', 'level = "deep"'), "level: input should be"),
        (
            note().replace("half_life_days = 730", "half_life_days = 0"),
            "half_life_days: input should be greater",
        ),
        (note().replace('title = "Do', "title = Do"), r"n\.md:3 must be TOML"),
        (note(id="m"), "must hold the note n; got m"),
        (note().replace('modality = "finding"', 'modality = "hunch"'), "atoms.0.modality"),
        (note()[: note().index("[[atoms]]")] + "+++\n", "atoms: field required"),
        (note().replace("+++\nid", '+++\nbody = "x"\nid'), "prose of n.md stands below"),
        (
            note().replace(
                "[[atoms]]",
                '[[atoms]]\nid = "1"\ntext = "x"\nsource = "s"\nlocator = "l"\nmodality = "finding"\n[[atoms]]',
            ),
            "two atoms share an id",
        ),
        (note().replace("created = 2026-01-01", "created = soon"), "must be TOML"),
    ],
)
def test_a_broken_note_is_refused_with_its_reason(text, says):
    with pytest.raises(InputError, match=says):
        note_of(text, Path("n.md"))


def test_letters_that_look_like_line_ends_stay_in_a_note():
    found = note_of(note(text="Loops\u2028settle\x85here."), Path("n.md"))
    assert found.atoms[0].text == "Loops\u2028settle\x85here."


def test_windows_line_ends_and_a_byte_order_mark_do_no_harm():
    assert note_of("\ufeff" + note().replace("\n", "\r\n"), Path("n.md")).id == "n"


def test_a_note_of_more_than_a_page_and_bytes_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "n.md"
    path.write_text(note() + "x" * 1_000_001, "utf-8")
    with pytest.raises(InputError, match="at most 1000 kB"):
        read_note(path)
    path.write_bytes(b"+++\n\xff\n")
    with pytest.raises(InputError, match="byte 4 that is not"):
        read_note(path)
    with pytest.raises(InputError, match="must be a readable file"):
        read_note(tmp_path / "none.md")


# ---- claims


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('protocol = "p90"', 'protocol = "p91"', "claim 90a must name protocol p90"),
        ('protocol = "p90"', 'protocol = ""', "protocol: string should match pattern"),
        ("{ above = 0.5 }", "{ over = 0.5 }", "a bar is one of above, below, within, outside"),
        ("{ above = 0.5 }", "{ above = true }", "the ends of a bar are numbers"),
        ("{ above = 0.5 }", "{ within = [0.9, 0.5] }", "a band must have low < high"),
        ("{ above = 0.5 }", "{ within = [0.9] }", "a bar is above = x"),
        ("{ above = 0.5 }", "{ above = 0.3 }", "the bars overlap: holds above 0.3, fails below 0.4"),
        ('scope = "T"', 'scope = "X"', "scope: input should be"),
        ('statistic = "share"', 'statistic = "the share"', "statistic: string should match pattern"),
        ('slug = "loops-settle"', 'slug = "loops"', "must hold the claim 90a-loops-settle; got 90a-loops"),
    ],
)
def test_a_broken_claim_is_refused_with_its_reason(planted, old, new, says):
    path = planted.root / "claims" / "90a-loops-settle.toml"
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")
    with pytest.raises(InputError, match=says):
        read_claim(path)


def test_a_claim_with_two_tests_asks_for_wider_intervals(planted):
    claim = read_claim(planted.root / "claims" / "90a-loops-settle.toml")
    two = claim.model_copy(update={"tests": claim.tests * 2})
    # Bonferroni: 1 - .05 / 2
    assert (claim.confidence, two.confidence) == (0.95, 0.975)


def test_what_is_frozen_is_the_statement_its_tests_and_its_scope(planted):
    claim = read_claim(planted.root / "claims" / "90a-loops-settle.toml")
    moved = claim.model_copy(update={"tags": ("other",), "half_life_days": 1, "rivals": ("90b",)})
    assert claim.frozen() == moved.frozen()
    assert claim.frozen() != claim.model_copy(update={"statement": "Loops never settle."}).frozen()


def test_a_claim_without_tests_is_refused(planted):
    claim = read_claim(planted.root / "claims" / "90a-loops-settle.toml")
    with pytest.raises(ValidationError, match="at least 1 item"):
        Claim.model_validate({**claim.model_dump(mode="json"), "tests": []})


def test_bars_may_touch_but_not_overlap():
    shape = {"statistic": "share", "words": "share"}
    Test.model_validate({**shape, "holds_if": {"above": 0.5}, "fails_if": {"below": 0.5}})
    Test.model_validate({**shape, "holds_if": {"within": [0, 1]}, "fails_if": {"outside": [0, 1]}})
    with pytest.raises(ValidationError, match="the bars overlap"):
        Test.model_validate({**shape, "holds_if": {"within": [0, 1]}, "fails_if": {"outside": [0, 0.9]}})


# ---- dates


def test_a_date_is_read_in_two_forms_and_no_other():
    assert day_of("22 Nov 2026") == day_of("2026-11-22") == DAY
    for text in ("22.11.2026", "", "2026-13-01"):
        with pytest.raises(InputError, match="a date is written"):
            day_of(text)


def test_half_is_left_after_a_half_life():
    # 2^(-60/30) = 1/4; a day to come counts as today
    assert freshness(dt.date(2026, 1, 1), dt.date(2026, 3, 2), 30) == 0.25
    assert freshness(dt.date(2027, 1, 1), DAY, 30) == 1.0


# ---- shelves together


def test_what_came_later_is_not_seen_on_an_earlier_day(planted):
    planted.note("late", created="2026-06-01")
    assert list(opened(planted).notes) == ["late", "loops-settle"]
    assert list(opened(planted, as_of=dt.date(2026, 5, 31)).notes) == ["loops-settle"]
    assert list(opened(planted).on(dt.date(2026, 6, 1)).notes) == ["late", "loops-settle"]


def test_the_users_folder_is_the_one_named_in_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("LIMITSET_LIBRARY", str(tmp_path))
    assert user_folder() == tmp_path
    monkeypatch.delenv("LIMITSET_LIBRARY")
    assert user_folder().name == "library"


def test_an_empty_library_is_sound_and_a_file_is_none(tmp_path):
    library = Library.opened(tmp_path / "none", builtin=False)
    assert (library.notes, library.claims, library.histories) == ({}, {}, {})
    assert library.verdict("90a") is None
    (tmp_path / "file").write_text("x", "utf-8")
    with pytest.raises(InputError, match="must be a library folder; got a file"):
        Library.opened(tmp_path / "file")


def test_the_built_in_shelf_stands_beside_the_users(planted):
    library = Library.opened(planted.root)
    assert {"a11-forgetting-jump", "loops-settle"} <= set(library.notes)
    assert {"kalajdzievski-2024", "smith-2020"} <= set(library.sources)
    assert library.own.root == planted.root
    assert not library.own.builtin


def test_a_claim_is_named_by_id_slug_both_or_number(planted):
    planted.claim("90b", "loops-drift")
    library = opened(planted)
    for name in ("90a", "loops-settle", "90a-loops-settle", " 90A "):
        assert library.claim(name).id == "90a"
    assert (
        [one.id for one in library.claims_of("90")]
        == [one.id for one in library.claims_of("p90")]
        == ["90a", "90b"]
    )
    with pytest.raises(InputError, match="must name one claim"):
        library.claim("90")
    with pytest.raises(InputError, match="limitset claims list shows them"):
        library.claims_of("91")


def test_two_files_of_one_claim_are_refused(planted):
    planted.claim("90a", "again")
    with pytest.raises(InputError, match=r"90a again in 90a-loops-settle\.toml"):
        _ = Shelf(planted.root).claims


# ---- check


def test_a_sound_library_has_no_problems(planted):
    assert problems(planted) == []


def test_every_broken_file_is_named_and_the_others_still_read(planted):
    planted.file("notes/broken.md", "no front matter")
    planted.file("notes/other.md", "+++\nid = 'other'\n")
    planted.file("claims/90b-x.toml", "id = \nslug = 1\n")
    planted.file("verdicts/90a.jsonl", '{"id": \n')
    found = fatal(planted)
    assert len(found) == 4
    for name in ("broken.md", "other.md", "90b-x.toml:1", "90a.jsonl:1"):
        assert any(name in one for one in found), name


@pytest.mark.parametrize(
    ("plant", "says"),
    [
        (lambda p: p.note(contradicts=("nowhere",)), "names the note nowhere, which is not held"),
        (lambda p: p.note(supersedes=("nowhere",)), "names the note nowhere, which is not held"),
        (lambda p: p.claim(atom="loops-settle#9"), "names the atom loops-settle#9, which is not held"),
        (lambda p: p.claim(rivals=("91a",)), "names the rival 91a, which is not held"),
        (lambda p: p.file("sources.toml", SOURCE.replace("smith", "jones")), "names the source smith-2020"),
        (lambda p: p.note(contradicts=("loops-settle",)), "contradicts itself"),
        (lambda p: p.note(supersedes=("loops-settle",)), "superseded in a circle: loops-settle > loops-settle"),
        (lambda p: p.file("claims/90a-loops-settle.toml", (p.root / "claims" / "90a-loops-settle.toml").read_text("utf-8").replace("rows = []", 'rows = []\nstated_by = "f9"')), "is stated by f9, which is not held"),
    ],
)  # fmt: skip
def test_what_points_nowhere_is_told(planted, plant, says):
    plant(planted)
    found = fatal(planted)
    assert len(found) == 1
    assert says in found[0]


def test_a_claim_needs_a_protocol_or_a_plan(planted):
    assert fatal(planted, protocols=()) == [
        f"{planted.root / 'claims' / '90a-loops-settle.toml'}: has neither a protocol p90 that can be run nor a "
        "plan; write one"
    ]
    planted.claim(plan="Run it on ten loops.")
    assert problems(planted, protocols=()) == []
    assert "has a plan though p90 can be run" in problems(planted)[0]


def test_supersession_in_a_circle_is_told_once_with_its_way(planted):
    planted.note("a", supersedes=("b",))
    planted.note("b", supersedes=("c",))
    planted.note("c", supersedes=("a",))
    found = fatal(planted)
    assert len(found) == 1
    assert "a > b > c > a" in found[0]


def test_three_notes_that_all_contradict_each_other_are_told_not_fatally(planted):
    planted.note("a", contradicts=("b", "c"))
    planted.note("b", contradicts=("c",))
    planted.note("c")
    (found,) = check(opened(planted), protocols=("p90",))
    assert not found.fatal
    assert "contradicts in a circle with b and c" in found.what


def test_a_place_in_a_source_that_was_not_opened_is_told(planted):
    planted.file("sources.toml", SOURCE.replace('"abstract"', '"secondary"'))
    (found,) = check(opened(planted), protocols=("p90",))
    assert not found.fatal
    assert "gives a place in smith-2020, which was not opened" in found.what


def test_a_gist_of_three_sentences_is_told(planted):
    path = planted.note()
    path.write_text(path.read_text("utf-8").replace("They do.", "They do (e.g. here). So. Yes."), "utf-8")
    assert "gist of more than 2 sentences" in problems(planted)[0]
    path.write_text(path.read_text("utf-8").replace("So. Yes.", "Smith et al. saw it."), "utf-8")
    assert problems(planted) == []


def test_an_id_on_two_shelves_is_told(planted, tmp_path):
    other = Planted(tmp_path / "other").sound()
    library = Library((Shelf(other.root), Shelf(planted.root)))
    found = [str(one) for one in check(library, protocols=("p90",))]
    assert len(found) == 3  # source, note, claim
    assert all("is held already in" in one for one in found)


def test_lines_of_a_history_that_are_cut_or_misplaced_are_told(planted):
    path = planted.file("verdicts/90a.jsonl", "[1, 2]\n")
    with pytest.raises(InputError, match=r"90a\.jsonl:1 must be a verdict; got list"):
        read_verdicts(path)
    path.write_text('\n\n{"id": "v-90a', "utf-8")
    with pytest.raises(InputError, match=r"90a\.jsonl:3 must be one JSON object"):
        read_verdicts(path)
    path.write_text('{"id": "v"}\n', "utf-8")
    with pytest.raises(InputError, match="line 1 must be a verdict"):
        read_verdicts(path)


# ---- alone


def test_one_process_at_a_time_holds_a_folder(tmp_path):
    with (
        alone(tmp_path / "new"),
        pytest.raises(InputError, match="only one process may write"),
        alone(tmp_path / "new", patience=0.05),
    ):
        pass
    with alone(tmp_path / "new", patience=0):
        pass


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("x", "utf-8")
    with (
        pytest.raises(InputError, match="must be a folder that you can write"),
        alone(tmp_path / "file" / "x"),
    ):
        pass


def test_a_record_survives_json(planted):
    library = opened(planted)
    claim = library.claims["90a"]
    assert Claim.model_validate(json.loads(json.dumps(claim.model_dump(mode="json")))) == claim


# ---- only plain files of the folder are read


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("notes/x.md", read_note),
        ("claims/90b-x.toml", read_claim),
        ("verdicts/90a.jsonl", read_verdicts),
        ("sources.toml", read_sources),
    ],
)
def test_a_link_out_of_the_folder_a_pipe_and_a_device_are_not_read(tmp_path, name, read):
    root = tmp_path / "library"
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    secret = tmp_path / "secret"
    secret.write_text("root:x:0:0", "utf-8")
    path.symlink_to(secret)
    with pytest.raises(InputError, match="a link to a file elsewhere") as refused:
        read(path)
    assert "root:x" not in str(refused.value)
    for place in ("/dev/zero", "/dev/stdin"):
        path.unlink()
        path.symlink_to(place)
        with pytest.raises(InputError, match="a link to a file elsewhere"):
            read(path)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(InputError, match="must be a regular file; got a pipe"):
        read(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(InputError, match=r"Is a directory|must be a regular file; got a folder"):
        read(path)
    path.rmdir()
    inside = root / "elsewhere"
    inside.write_text("+++", "utf-8")
    path.symlink_to(inside)
    with pytest.raises(InputError) as told:
        read(path)
    assert "a link" not in str(told.value)  # read, and refused for what it says


def test_no_more_is_read_than_a_file_may_hold(tmp_path):
    path = tmp_path / "x"
    path.write_text("a" * 2001, "utf-8")
    with pytest.raises(InputError, match="must be at most 2 kB; got 2 kB"):
        read_text(path, most=2000)
    assert len(read_text(path, most=2001)) == 2001
    with pytest.raises(InputError, match="must be a regular file; got a device"):
        read_text(Path("/dev/zero"))
    path.write_bytes(b"a\r\nb\rc")
    assert read_text(path) == "a\nb\nc"


def test_check_names_pipes_and_links_and_does_not_hang(tmp_path):
    planted = Planted(tmp_path / "library").sound()
    (planted.root / "notes" / "zero.md").symlink_to("/dev/zero")
    os.mkfifo(planted.root / "claims" / "90b-pipe.toml")
    said = [str(one) for one in check(Library.opened(planted.root, builtin=False), protocols=("p90",))]
    assert len(said) == 2
    assert "zero.md must stand in" in said[0]
    assert "90b-pipe.toml must be a regular file; got a pipe" in said[1]


def test_one_verdict_on_two_shelves_is_pointed_out(tmp_path):
    first, second = Planted(tmp_path / "a").sound(), tmp_path / "b"
    library = Library.opened(first.root, builtin=False)
    list(
        put_to_test(
            list(library.claims.values()), library=library, wanted=Wanted(), today=DAY, date="22 Nov 2026"
        )
    )
    shutil.copytree(first.root / "verdicts", second / "verdicts")
    both = Library((Shelf(first.root, builtin=True), Shelf(second)))
    (told,) = check(both, protocols=("p90",))
    assert not told.fatal
    assert "an answer cannot tell them apart" in str(told)
