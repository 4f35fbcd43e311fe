"""Does ``limitset models`` list, fetch and show, without loading torch for its help?"""

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from limitset.cli.models import app
from limitset.core.errors import DependencyError, InputError

runner = CliRunner()


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("LIMITSET_CACHE", str(tmp_path / "cache"))


def test_list():
    result = runner.invoke(app, ["list"])
    assert result.exit_code == 0
    assert "smollm2-135m-instruct" in result.stdout
    assert "not here: limitset models get gemma-3-270m" in result.stdout


def test_list_as_json():
    records = json.loads(runner.invoke(app, ["list", "--json"]).stdout)
    assert [record["name"] for record in records] == ["smollm2-135m-instruct", "gemma-3-270m"]
    assert [record["here"] for record in records] == [False, False]


def test_get_writes_the_folder_to_stdout(monkeypatch, tmp_path):
    def get(name, *, accept_licence, on_progress):
        on_progress("downloading", 0.5)
        on_progress("downloading", 1.0)
        return tmp_path / f"{name}-{accept_licence}"

    monkeypatch.setattr("limitset.models.getting.get", get)
    result = runner.invoke(app, ["get", "toy", "--json"])
    assert json.loads(result.stdout) == {"name": "toy", "folder": str(tmp_path / "toy-False")}
    result = runner.invoke(app, ["get", "toy", "--accept-licence"])
    assert result.stdout.split() == ["toy", "is", "in", str(tmp_path / "toy-True")]


def test_errors_go_up_to_the_main_program():
    result = runner.invoke(app, ["get", "gemma-3-270m"])
    assert isinstance(result.exception, InputError)
    assert "--accept-licence" in str(result.exception)
    assert isinstance(runner.invoke(app, ["show", "org/name"]).exception, DependencyError)


def test_show(tmp_path):
    record = json.loads(runner.invoke(app, ["show", "gemma-3-270m", "--json"]).stdout)
    assert record["terms"] == "https://ai.google.dev/gemma/terms"
    path = tmp_path / "toy.json"
    path.write_text('{"name": "toy", "replies": {"q": "a"}}')
    result = runner.invoke(app, ["show", f"scripted:{path}"])
    assert result.exit_code == 0
    assert "toy@scripted:" in result.stdout


@pytest.mark.parametrize("command", [[], ["list"], ["get"], ["show"]])
def test_help_has_examples(command):
    result = runner.invoke(app, [*command, "--help"])
    assert result.exit_code == 0
    assert not command or "Example" in result.stdout


def test_list_loads_no_torch():
    code = (
        "import sys; from typer.testing import CliRunner; from limitset.cli.models import app;"
        "CliRunner().invoke(app, ['list']); CliRunner().invoke(app, ['show', 'gemma-3-270m']);"
        "print(sorted({'torch', 'transformers', 'rich.progress'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
