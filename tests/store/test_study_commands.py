"""`limitset study`, `limitset query` and `limitset pack` say what they found, to people and to scripts."""

import csv
import io
import json

import pytest
import typer
from typer.testing import CliRunner

from limitset.cli import pack as pack_command
from limitset.cli import query as query_command
from limitset.cli import study as study_command
from limitset.core.errors import InputError


@pytest.fixture
def limitset():
    app = typer.Typer()
    app.command("query")(query_command.query)
    app.command("pack")(pack_command.pack)
    app.add_typer(study_command.app, name="study")

    def run(*words):
        result = CliRunner().invoke(app, [str(word) for word in words], terminal_width=200)
        if isinstance(result.exception, InputError):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.stdout

    return run


def test_show(toy, finished, limitset):
    shown = limitset("study", "show", finished)
    assert f"{finished}: done" in shown
    assert "tasks   30 of 30 done, 0 running, 0 failed" in shown
    assert "ends 60" in shown
    assert 'models = ["a"]' in shown
    record = json.loads(limitset("study", "show", finished, "--json"))
    assert record["tasks"] == {"total": 30, "done": 30, "running": 0, "failed": 0}
    assert record["kinds"]["loop"] == {"done": 10, "left": 0}
    assert record["lock"]["spec"]["seed"] == 7


def test_show_names_failures_without_obeying_them(toy, tmp_path, limitset):
    with toy.open_toy(tmp_path / "s") as folder:
        folder.fail(folder.claim(folder.owner, 60), "bad\x1b[31m reply", final=True)
    shown = limitset("study", "show", tmp_path / "s")
    assert "unfinished" in shown
    assert "bad␛[31m reply" in shown
    assert "\x1b" not in shown


def test_query_as_table_json_and_csv(finished, limitset):
    sql = 'select item, "end", steps, text, choice_probabilities as p from ends limit 2'
    table = limitset("query", finished, sql)
    assert "it's 0" in table
    assert "␊" in table  # the line break in a reply stays in its cell
    rows = json.loads(limitset("query", finished, sql, "--json"))
    assert rows[0] == {
        "item": "q0",
        "end": "it's 0",
        "steps": "inf",
        "text": 'say "hi" ü\n',
        "p": [0.25, None, 0.5],
    }
    assert rows[1]["end"] is None
    cells = list(csv.reader(io.StringIO(limitset("query", finished, sql, "--csv"))))
    assert cells[0] == ["item", "end", "steps", "text", "p"]
    assert cells[1] == ["q0", "it's 0", "inf", 'say "hi" ü\n', "[0.25, null, 0.5]"]
    assert cells[2] == ["q0", "", "0.0", "", ""]


def test_query_shows_the_first_rows_and_says_so(finished, limitset):
    shown = limitset("query", finished, "from range(500)")
    assert "500 rows; the first 200 are shown" in shown
    assert len(json.loads(limitset("query", finished, "from range(500)", "--json"))) == 500
    with pytest.raises(InputError, match=r"got both"):
        limitset("query", finished, "select 1", "--csv", "--json")
    with pytest.raises(InputError, match=r"syntax error"):
        limitset("query", finished, "selct 1")


def test_terminal_codes_and_turned_text_are_shown_not_obeyed():
    assert query_command.printable("a\x1b[2J\x9b\u202eb\r") == "a␛[2J\ufffd\ufffdb␍"


def test_dates_and_structs_become_text_and_objects(finished, limitset):
    (row,) = json.loads(
        limitset(
            "query",
            finished,
            "select date '2026-11-22' d, {'a': 1.5, 'b': [1]} s, 2::hugeint h, true t",
            "--json",
        )
    )
    assert row == {"d": "2026-11-22 00:00:00", "s": {"a": 1.5, "b": [1]}, "h": 2.0, "t": True}


def test_pack(toy, tmp_path, limitset):
    toy.run_toy(tmp_path / "s")
    assert "s.zip: " in limitset("pack", tmp_path / "s")
    assert (tmp_path / "s.zip").exists()
    shown = json.loads(limitset("pack", tmp_path / "s", tmp_path / "t.zip", "--without-text", "--json"))
    assert shown["zip"] == str(tmp_path / "t.zip")
    assert (tmp_path / "t.zip").stat().st_size < (tmp_path / "s.zip").stat().st_size
    assert {"name", "sha256", "size"} == set(shown["files"][0])


def test_check_fills_in_every_default_and_refuses_mistakes(tmp_path, limitset):
    file = tmp_path / "look.toml"
    file.write_text('kind = "first_look"\nmodels = ["scripted:a", "scripted:b"]\n')
    shown = limitset("study", "check", file)
    assert "is a first_look study" in shown
    assert 'models = ["scripted:a", "scripted:b"]' in shown
    assert json.loads(limitset("study", "check", file, "--json"))["seed"] == 0
    file.write_text('kind = "first_look"\nmodels = ["a"]\nsede = 1\n')
    with pytest.raises(InputError, match=r"sede"):
        limitset("study", "check", file)
