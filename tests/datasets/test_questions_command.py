"""Does `limitset questions` list what would be asked?"""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from limitset.cli.questions import questions
from limitset.core.errors import InputError

app = typer.Typer()
app.command("questions")(questions)


def test_json_lists_every_question_with_its_key() -> None:
    got = CliRunner().invoke(app, ["--count", "6", "--json"])
    rows = [json.loads(line) for line in got.output.splitlines()]
    assert len(rows) == 6
    assert sorted({row["stratum"] for row in rows}) == ["computed", "lure", "recall"]
    assert all(row["accepted"] and row["anchor"] for row in rows)


def test_a_stratum_and_another_seed_are_heeded() -> None:
    one = CliRunner().invoke(app, ["--stratum", "lure", "--count", "5", "--json"]).output
    two = CliRunner().invoke(app, ["--stratum", "lure", "--count", "5", "--seed", "1", "--json"]).output
    assert one != two
    assert all(json.loads(line)["lure"] for line in one.splitlines())


def test_the_table_shows_keys_and_attribution(tmp_path: Path) -> None:
    got = CliRunner().invoke(app, ["--count", "3"]).output
    assert "3 questions" in got
    assert "GeoNames" in got
    own = tmp_path / "mine.csv"
    own.write_text("question,key\n[red]Why\x1b[2J?,Because\n")
    shown = CliRunner().invoke(app, ["--file", str(own)]).output
    assert "Because" in shown
    assert "[red]" in shown
    assert "\x1b[2J" not in shown


def test_an_unknown_stratum_is_refused() -> None:
    got = CliRunner().invoke(app, ["--stratum", "trivia"])
    assert isinstance(got.exception, InputError)
    with pytest.raises(InputError, match="stratum must be computed, lure, recall"):
        raise got.exception
