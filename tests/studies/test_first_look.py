"""Does a study go from models to a page, and does a killed one give the same tables?"""

import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from limitset.cli import main
from limitset.core.ends import Ends
from limitset.core.exits import ExitStatus
from limitset.store.study_folder import StudyFolder
from limitset.studies.asking import GREEDY_KINDS

CAPITALS = {
    "Australia": ("Canberra", "Sydney"),
    "Turkey": ("Ankara", "Istanbul"),
    "Brazil": ("Brasilia", "Rio de Janeiro"),
    "Canada": ("Ottawa", "Toronto"),
    "Morocco": ("Rabat", "Casablanca"),
    "Peru": ("Lima", "Cusco"),
    "France": ("Paris", "Lyon"),
    "Japan": ("Tokyo", "Osaka"),
    "Norway": ("Oslo", "Bergen"),
    "Egypt": ("Cairo", "Giza"),
    "Kenya": ("Nairobi", "Mombasa"),
    "Ghana": ("Accra", "Kumasi"),
    "Chile": ("Santiago", "Valparaiso"),
    "Poland": ("Warsaw", "Krakow"),
    "Vietnam": ("Hanoi", "Saigon"),
}
TRAPS = list(CAPITALS)[:5]


@pytest.fixture
def workplace(tmp_path):
    """Two scripted models, fifteen questions and a study file in one folder."""
    for name, sure in (("one", 0.9), ("two", 0.7)):
        replies = {}
        for country, (right, lure) in CAPITALS.items():
            first, second = (lure, right) if country in TRAPS else (right, lure)
            replies[country] = [[first, sure], [second, 1 - sure]]
        script = {"name": name, "style": "chat", "replies": replies, "default": "I do not know"}
        (tmp_path / f"{name}.json").write_text(json.dumps(script), encoding="utf-8")
    questions = [
        {
            "question": f"What is the capital of {country}?",
            "key": right,
            "lure": lure,
            "stratum": "lure" if country in TRAPS else "recall",
            "item": country,
        }
        for country, (right, lure) in CAPITALS.items()
    ]
    (tmp_path / "q.jsonl").write_text("\n".join(json.dumps(one) for one in questions), encoding="utf-8")
    (tmp_path / "study.toml").write_text(
        f"""
kind = "first_look"
models = ["scripted:{tmp_path}/one.json", "scripted:{tmp_path}/two.json"]
chunk = 4
[questions]
source = "{tmp_path}/q.jsonl"
[sampling]
paraphrases = 2
seeds = 8
[loops]
count = 5
steps = 4
""",
        encoding="utf-8",
    )
    return tmp_path


def run(workplace, out="out"):
    return main.status_of(["run", str(workplace / "study.toml"), "--out", str(workplace / out), "--json"])


def test_from_models_to_a_page(workplace, capsys):
    assert run(workplace) == ExitStatus.DONE
    found = json.loads(capsys.readouterr().out)
    page = (workplace / "out" / "report.html").read_text(encoding="utf-8")
    assert found["headline"]
    assert found["scope"] == "one and two · 15 questions with known answers"
    assert "Istanbul" in page
    with StudyFolder.open(workplace / "out") as folder:
        ends = folder.ends()
        sampled = ends.having(level="answer")
        assert len(sampled) == 15 * 2 * 2 * (8 + 1)  # questions, models, wordings, seeds and one greedy run
        assert len(ends.having(level="text")) == 5 * 2 * 2
        assert len(folder.table("greedy", GREEDY_KINDS)["margin"]) == 15 * 2 * 2


def test_the_headline_is_what_the_rows_say(workplace, capsys):
    run(workplace)
    found = json.loads(capsys.readouterr().out)
    with StudyFolder.open(workplace / "out") as folder:
        answers = folder.ends().having(level="answer")
    drawn = answers.where(answers.numbers("greedy") != 1)
    wrong = 100 * (1 - drawn.numbers("right").mean())
    assert f"{wrong:.0f} %" in found["headline"][0]


def test_the_same_command_again_changes_nothing(workplace, capsys):
    run(workplace)
    first = (workplace / "out" / "report.html").read_bytes()
    run(workplace)
    assert (workplace / "out" / "report.html").read_bytes() == first


def test_another_study_in_the_same_folder_is_refused(workplace, capsys):
    run(workplace)
    text = (workplace / "study.toml").read_text(encoding="utf-8")
    (workplace / "study.toml").write_text(text.replace("seeds = 8", "seeds = 9"), encoding="utf-8")
    assert run(workplace) == ExitStatus.BAD_INPUT
    assert "seeds 8 -> 9" in capsys.readouterr().err


def test_an_unfinished_study_is_not_judged(workplace, capsys):
    run(workplace)
    with StudyFolder.open(workplace / "out") as folder:
        folder._ledger._connection.execute("UPDATE task SET state = 'pending' WHERE position = 0")
    assert main.status_of(["report", str(workplace / "out")]) == ExitStatus.BAD_INPUT
    assert "must be finished before it is judged" in capsys.readouterr().err


def tables(folder):
    with StudyFolder.open(folder) as study:
        return {path.name: path.read_bytes() for path in sorted(study.part_paths("ends"))}, study.ends()


@pytest.mark.slow
def test_five_kills_change_nothing(workplace):
    assert run(workplace, "whole") == ExitStatus.DONE
    whole, ends = tables(workplace / "whole")
    command = [
        sys.executable,
        "-m",
        "limitset",
        "run",
        str(workplace / "study.toml"),
        "--out",
        str(workplace / "killed"),
    ]
    chance = random.Random(0)
    for _ in range(5):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(chance.uniform(0.5, 4.0))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    killed, again = tables(workplace / "killed")
    assert killed == whole
    assert isinstance(again, Ends)
    assert again.texts("end").tolist() == ends.texts("end").tolist()


@pytest.mark.slow
def test_two_processes_share_one_study(workplace):
    assert run(workplace, "whole") == ExitStatus.DONE
    command = [
        sys.executable,
        "-m",
        "limitset",
        "run",
        str(workplace / "study.toml"),
        "--out",
        str(workplace / "both"),
    ]
    both = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for _ in range(2)]
    said = [process.communicate()[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert tables(workplace / "both")[0] == tables(workplace / "whole")[0]


def test_unwritable_folder_is_one_line(workplace, capsys):
    blocked = workplace / "file"
    blocked.write_text("in the way", encoding="utf-8")
    assert run(workplace, "file") == ExitStatus.BAD_INPUT
    assert "Traceback" not in capsys.readouterr().err
    assert blocked.read_text(encoding="utf-8") == "in the way"


def test_a_question_without_its_key_is_refused_by_line(workplace, capsys):
    with (workplace / "q.jsonl").open("a", encoding="utf-8") as file:
        file.write('\n{"question": "What is the capital of Nowhere?"}')
    assert run(workplace) == ExitStatus.BAD_INPUT
    assert "line 16" in capsys.readouterr().err
    assert not (workplace / "out").exists()


def test_two_models_of_one_name_are_refused_before_anything_runs(workplace, capsys):
    (workplace / "twin").mkdir()
    text = (workplace / "one.json").read_text(encoding="utf-8")
    (workplace / "twin" / "one.json").write_text(text, encoding="utf-8")
    study = (workplace / "study.toml").read_text(encoding="utf-8")
    (workplace / "study.toml").write_text(study.replace("/two.json", "/twin/one.json"), encoding="utf-8")
    assert run(workplace) == ExitStatus.BAD_INPUT
    assert "must have different names; got one twice" in capsys.readouterr().err
    assert not (workplace / "out").exists()
