"""Does the index follow the files, cheaply, and survive bad ones?"""

import datetime as dt
import json
import os
import shutil
import sqlite3

import pytest

from library.planted.shelf import claim, note, planted, question, source, verdict
from limitset.core.errors import InputError
from limitset.library.holdings.library import Library
from limitset.library.inquiry import index as indexing
from limitset.library.inquiry.answer import Label
from limitset.library.inquiry.asking import ask
from limitset.library.inquiry.index import opened

TODAY = dt.date(2026, 11, 22)


@pytest.fixture
def shelf(tmp_path):
    return planted(tmp_path / "shelf")


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def asked(shelf, cache):
    return lambda question: ask(
        question, library=Library.opened(shelf, builtin=False), today=TODAY, cache=cache
    )


@pytest.fixture
def read(monkeypatch):
    """Names of the notes that were parsed."""
    names = []
    parse = indexing.read_note
    monkeypatch.setattr(indexing, "read_note", lambda path: (names.append(path.stem), parse(path))[1])
    return names


def cited(answer):
    return {cite for one in answer.sentences for cite in one.cites}


def test_only_what_changed_is_read_again(asked, shelf, read):
    asked(question(0))
    assert len(read) == 24
    asked(question(1))
    assert len(read) == 24
    file = shelf / "notes" / "joins-0-1.md"
    file.write_text(file.read_text().replace("0.31", "0.3155"))
    assert any("0.3155" in one.text for one in asked(question(0)).sentences)
    assert read[24:] == ["joins-0-1"]


def test_same_size_and_new_time_is_read_again(asked, shelf, read):
    asked(question(0))
    file = shelf / "notes" / "joins-0-1.md"
    file.write_text(file.read_text().replace("0.31", "0.99"))
    os.utime(file, ns=(1, 1))
    assert any("0.99" in one.text for one in asked(question(0)).sentences)


def test_a_changed_source_counts_at_once(asked, shelf):
    assert asked(question(0)).coverage == pytest.approx(0.85, abs=0.01)
    file = shelf / "sources.toml"
    file.write_text(file.read_text().replace('access = "abstract"', 'access = "secondary"'))
    assert asked(question(0)).coverage == pytest.approx(0.45, abs=0.01)


def test_answers_and_holdings_are_the_same_twice_and_from_anew(asked, shelf, cache):
    first = asked(question(0))
    assert asked(question(0)).record() == first.record()
    shutil.rmtree(cache)
    assert asked(question(0)).record() == first.record()
    note(shelf, "new", [("A new one.", "study-0-0", "finding")])
    assert asked(question(0)).holdings != first.holdings


def test_an_answer_is_plain_json(asked):
    assert json.loads(json.dumps(asked(question(0)).record()))["label"] == "solid"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no fence",
        "+++\nid = \n+++",
        "+++\nid = 'x'",
        '+++\nid = "broken"\n+++',
        "\x00\xff",
        "+++\n" * 3,
        "x" * 1_100_000,
    ],
)
def test_a_broken_note_is_left_out_and_named(asked, shelf, text):
    clean = asked(question(0))
    (shelf / "notes" / "broken.md").write_bytes(text.encode("latin-1"))
    answer = asked(question(0))
    assert [one.text for one in answer.sentences] == [one.text for one in clean.sentences]
    file, reason = answer.withheld[-1]
    assert file.endswith("broken.md")
    assert "broken.md" in reason


def test_many_broken_notes_are_counted(asked, shelf):
    for place in range(30):
        (shelf / "notes" / f"broken-{place}.md").write_text("no")
    assert asked(question(0)).withheld[-1][0] == "10 more files"


def test_broken_sources_claims_and_verdicts_are_named_too(asked, shelf):
    (shelf / "claims").mkdir()
    (shelf / "claims" / "90a-x.toml").write_text("x = ")
    (shelf / "verdicts").mkdir()
    (shelf / "verdicts" / "91a.jsonl").write_text("{}\n")
    (shelf / "sources.toml").write_text("[[source]]\n")
    answer = asked(question(0))
    assert {name.rsplit("/", 1)[1] for name, _ in answer.withheld} == {
        "90a-x.toml",
        "91a.jsonl",
        "sources.toml",
    }
    assert answer.label is Label.PARTIAL  # of sources that are not held nothing is known: as if not opened
    assert all("unread" in one.marks for one in answer.sentences if one.relation == "states")


def test_a_mended_file_comes_back(asked, shelf):
    file = shelf / "notes" / "joins-0-1.md"
    text = file.read_text()
    file.write_text("broken")
    assert "joins-0-1#1" not in cited(asked(question(0)))
    file.write_text(text)
    answer = asked(question(0))
    assert "joins-0-1#1" in cited(answer)
    assert answer.withheld == ()


def test_the_later_shelf_wins_and_gives_way_when_it_goes(shelf, tmp_path, cache):
    other = tmp_path / "other"
    source(other, "mine")
    file = note(other, "joins-0-0", [("The zinnia drift is 0.5 under quartz tempo here.", "mine", "finding")])
    from limitset.library.holdings.shelf import Shelf

    library = Library((Shelf(shelf, builtin=True), Shelf(other)))
    text = " ".join(one.text for one in ask(question(0), library=library, today=TODAY, cache=cache).sentences)
    assert "0.5 under quartz tempo here" in text
    assert "falls by 0.20" not in text
    file.unlink()
    library = Library((Shelf(shelf, builtin=True), Shelf(other)))
    assert "falls by 0.20" in " ".join(
        one.text for one in ask(question(0), library=library, today=TODAY, cache=cache).sentences
    )


def test_an_empty_library_says_what_to_do(tmp_path, cache):
    answer = ask(
        "Is agreement truth?",
        library=Library.opened(tmp_path / "none", builtin=False),
        today=TODAY,
        cache=cache,
    )
    assert answer.label is Label.NONE
    assert [one.text for one in answer.sentences] == [
        "Nothing is held here: this library has no statements; limitset library add brings the first."
    ]
    assert "It holds nothing that answers it." in answer.prompt


@pytest.mark.parametrize("text", ["What is it about, and why?", "the of and", "?!…"])
def test_stop_words_alone_are_refused(asked, text):
    answer = asked(text)
    assert answer.label is Label.NONE
    assert "names nothing that a search could look for" in answer.sentences[0].text
    assert answer.facets == ()


@pytest.mark.parametrize(
    "text", ["什么是不动点？", "ما هي النقطة الثابتة؟", "Что такое неподвижная точка?", "🦊🦊 zzz"]
)
def test_other_scripts_are_refused_not_broken(asked, text):
    answer = asked(text)
    assert answer.label is Label.NONE
    assert answer.missing


def test_a_damaged_cache_is_built_anew(asked, cache):
    first = asked(question(0))
    for file in (cache / "inquiry").glob("*.sqlite"):
        file.write_bytes(b"not a database at all" * 100)
    assert asked(question(0)).record() == first.record()


def test_a_cache_that_can_not_be_written_is_replaced_by_memory(shelf, tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    answer = ask(question(0), library=Library.opened(shelf, builtin=False), today=TODAY, cache=file)
    assert answer.label is Label.SOLID


def test_other_code_makes_a_new_index_and_removes_the_old(asked, cache, monkeypatch):
    asked(question(0))
    (first,) = (cache / "inquiry").glob("*.sqlite")
    monkeypatch.setattr(indexing, "_code", lambda: "0" * 12)
    asked(question(0))
    (second,) = (cache / "inquiry").glob("*.sqlite")
    assert first != second


def test_the_environment_moves_the_cache(shelf, tmp_path, monkeypatch):
    monkeypatch.setenv("LIMITSET_CACHE", str(tmp_path / "elsewhere"))
    ask(question(0), library=Library.opened(shelf, builtin=False), today=TODAY)
    assert list((tmp_path / "elsewhere" / "inquiry").glob("*.sqlite"))


def test_a_verdict_without_its_claim_waits_for_it(asked, shelf):
    path = claim(shelf, "90a", "zinnia", "Quartz tempo moves zinnia drift.")
    verdict(shelf, "90a", "holds")
    text = path.read_text()
    path.unlink()
    assert any(
        "must be the history of a claim that is held" in reason for _, reason in asked(question(0)).withheld
    )
    path.write_text(text)
    answer = asked(question(0))
    assert "v-90a-20261122-0" in cited(answer)
    assert answer.withheld == ()


def test_the_index_counts_what_was_searched(asked, shelf, cache):
    answer = asked(question(0))
    with opened(Library.opened(shelf, builtin=False), folder=cache) as index:
        assert len(index.evidence()) == answer.search.statements == 24
        assert isinstance(index.connection, sqlite3.Connection)
    assert answer.search.found == {"quartz tempo": 3, "zinnia drift": 4, "quartz tempo + zinnia drift": 3}


def test_an_empty_and_a_long_question_are_refused(asked):
    with pytest.raises(InputError, match="must not be empty"):
        asked("  ")
    with pytest.raises(InputError, match="at most 2000 letters"):
        asked("fixed point " * 1000)
