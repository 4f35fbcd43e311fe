"""Does the command line say one clear line, with the right status, and quickly?"""

import resource
import subprocess
import sys

import pytest

from limitset.cli import main, output
from limitset.core.exits import ExitStatus

COMMANDS = [
    "run",
    "demo",
    "audit",
    "trace",
    "report",
    "query",
    "pack",
    "models",
    "questions",
    "study",
    "doctor",
    "cite",
]
HELP_SECONDS = 0.2


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command, capsys):
    assert main.status_of([command, "--help"]) == ExitStatus.DONE
    assert f"limitset {command}" in capsys.readouterr().out


def test_help_costs_little_cpu():
    # the least of five: other processes can only make it slower
    costs = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "limitset", "--help"], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        costs.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(costs) < HELP_SECONDS, f"{min(costs):.2f} s of CPU"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["nonsense"], "No such command"),
        (["run", "--modle", "x"], "No such option"),
        (["run", "--model", "no-such-model", "--quick", "--out", "{tmp}/a"], "no-such-model"),
        (["audit", "{tmp}/none.csv"], "none.csv"),
        (["run", "{tmp}/three.toml", "--out", "{tmp}/b"], "temprature"),
        (["query", "{tmp}", "select 1"], "study"),
        (["cite", "nothing"], "nothing"),
    ],
)
def test_bad_input_is_one_line_and_status_2(arguments, word, tmp_path, capsys):
    (tmp_path / "three.toml").write_text(
        'kind = "first_look"\nmodels = []\n[sampling]\nseeds = "four"\ntemprature = 1\n', encoding="utf-8"
    )
    status = main.status_of([argument.format(tmp=tmp_path) for argument in arguments])
    shown = capsys.readouterr()
    assert status == ExitStatus.BAD_INPUT
    assert word in shown.err
    assert "Traceback" not in shown.err
    assert all(line.startswith("limitset: ") for line in shown.err.splitlines())
    assert not (tmp_path / "a").exists(), "nothing may be written for a bad command"


def test_three_mistakes_are_reported_together(tmp_path, capsys):
    file = tmp_path / "three.toml"
    file.write_text(
        'kind = "first_look"\nmodels = []\n[sampling]\nseeds = "four"\ntemprature = 1\n', encoding="utf-8"
    )
    assert main.status_of(["study", "check", str(file)]) == ExitStatus.BAD_INPUT
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert {word for word in ("models", "seeds", "temprature") for line in lines if word in line} == {
        "models",
        "seeds",
        "temprature",
    }


def test_our_own_fault_keeps_its_traceback(monkeypatch, capsys):
    def broken(*_args, **_options):
        raise RuntimeError("planted")

    monkeypatch.setattr(main, "app", broken)
    assert main.status_of(["run"]) == ExitStatus.INTERNAL
    assert "RuntimeError: planted" in capsys.readouterr().err


def test_interrupt_is_not_an_error_of_ours(monkeypatch, capsys):
    def stopped(*_args, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(main, "app", stopped)
    assert main.status_of(["run"]) == main.INTERRUPTED
    assert "the same command goes on" in capsys.readouterr().err


def test_cut_off_weights_are_refused_before_anything_is_written(tmp_path, capsys):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}", encoding="utf-8")
    (folder / "model.safetensors").write_bytes(b"\x10\x00\x00\x00\x00\x00\x00\x00{")
    assert main.status_of(["run", "--quick", "--model", str(folder), "--out", str(tmp_path / "out")]) == 2
    assert "must be a whole safetensors file" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_path_that_is_no_folder_is_not_taken_for_a_hub_model(tmp_path, capsys):
    assert main.status_of(["run", "--quick", "--model", "./nothing", "--out", str(tmp_path / "out")]) == 2
    assert "./nothing must be a folder with a model" in capsys.readouterr().err


def test_ctrl_c_inside_a_command_says_that_nothing_is_lost(monkeypatch, capsys):
    from limitset.studies import panel_audit

    def stopped(*_args, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(panel_audit, "run_audit", stopped)
    assert main.status_of(["audit", "x.csv"]) == main.INTERRUPTED
    assert "what is finished is kept" in capsys.readouterr().err


def test_a_full_disk_is_one_line_also_for_the_page(monkeypatch, tmp_path, capsys):
    from limitset.studies import reporting

    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(reporting, "write_page", full)
    replies = tmp_path / "r.csv"
    rows = [f"Q{n}?,m,{'yes' if n % 3 else 'no'},yes" for n in range(30)]
    replies.write_text("question,model,answer,key\n" + "\n".join(rows), encoding="utf-8")
    assert main.status_of(["audit", str(replies), "--out", str(tmp_path / "out")]) == ExitStatus.BAD_INPUT
    assert "Free some space" in capsys.readouterr().err


def test_a_reader_that_goes_away_does_not_change_the_status(monkeypatch):
    class Out:
        def fileno(self):
            return 1

    turned = []
    monkeypatch.setattr(output.sys, "stdout", Out())
    monkeypatch.setattr(output.os, "dup2", lambda _, there: turned.append(there))
    console = output.console()
    console.on_broken_pipe()  # rich itself exits with 1, the status of a failed gate
    assert console.quiet
    assert turned == [1]
