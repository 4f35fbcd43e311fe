"""Does `limitset demo` say what it found and end with the right status?"""

import json
from types import SimpleNamespace

import pytest

from limitset.cli.main import status_of
from limitset.core.verdicts import Verdict
from limitset.studies import demo


@pytest.fixture
def called(monkeypatch):
    """Replace the training by a note of how it was called."""
    calls = []

    def run_demo(**given):
        calls.append(given)
        return SimpleNamespace(summary=lambda: {"verdict": "x"}, verdict=verdicts[0], page=None, path=None)

    verdicts = [Verdict.HOLDS]
    monkeypatch.setattr(demo, "run_demo", run_demo)
    return SimpleNamespace(calls=calls, verdicts=verdicts)


@pytest.mark.parametrize(
    ("verdict", "status"), [(Verdict.HOLDS, 0), (Verdict.FAILS, 1), (Verdict.CANT_TELL, 3)]
)
def test_status_and_options(called, capsys, verdict, status):
    called.verdicts[0] = verdict
    assert status_of(["demo", "--json", "--seed", "7", "--nets", "4", "--out", "somewhere"]) == status
    assert json.loads(capsys.readouterr().out) == {"verdict": "x"}
    (given,) = called.calls
    assert (given["seed"], given["nets"], str(given["out"])) == (7, 4, "somewhere")


def test_help_shows_an_example(capsys):
    assert status_of(["demo", "--help"]) == 0
    shown = capsys.readouterr().out
    assert "limitset demo --seed 7" in shown
    assert "--json" in shown


def test_too_few_nets_is_bad_input(called, capsys):
    assert status_of(["demo", "--nets", "1"]) == 2
    assert not called.calls
    assert "nets" in capsys.readouterr().err


def test_without_torch_one_line_says_what_to_install(called, capsys, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert status_of(["demo"]) == 2
    assert "pip install 'limitset[models]'" in capsys.readouterr().err
