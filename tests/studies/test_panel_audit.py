"""Does a file of replies end in the same page, with keys and without?"""

import json

import numpy as np
import pytest

import limitset
from limitset.cli import main
from limitset.core.exits import ExitStatus


@pytest.fixture
def panel(tmp_path):
    """Three judges, forty questions, five runs: ten questions are traps that all fall into."""
    rng = np.random.default_rng(0)
    rows = ["question,model,answer,key"]
    for question in range(40):
        for model in ("a", "b", "c"):
            for _ in range(5):
                right = rng.random() < (0.15 if question < 10 else 0.85)
                wrong = "lure" if question < 10 else f"other{rng.integers(4)}"
                rows.append(f"Q{question}?,{model},{'yes' if right else wrong},yes")
    file = tmp_path / "panel.csv"
    file.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return file


def audited(file, out, *more):
    return main.status_of(["audit", str(file), "--out", str(out), "--json", *more])


def test_audit_writes_the_page_and_the_numbers(panel, tmp_path, capsys):
    assert audited(panel, tmp_path / "out") == ExitStatus.DONE
    found = json.loads(capsys.readouterr().out)
    assert "3 models" in found["scope"]
    assert found["headline"][0].startswith("Your three models are worth 1.")
    assert found["headline"][0].endswith(
        "one run each, and one once the chance of a single run is taken out."
    )
    assert any("%" in one for one in found["headline"])
    instruments = {number["instrument"] for number in found["numbers"]}
    assert len(instruments) >= 8
    assert (tmp_path / "out" / "report.html").stat().st_size < 2_000_000


DESCRIPTIVE = {"traps.check_first", "traps.concentration", "best_subset", "paired_comparison.needed"}
"""A ranking of these very questions, the error of a subset where it was chosen (it stands beside the honest
one), and projections: there is nothing to infer, and the notes say so."""


def test_every_number_has_interval_null_or_reason(panel, tmp_path, capsys):
    audited(panel, tmp_path / "out")
    bare = {
        number["instrument"]
        for number in json.loads(capsys.readouterr().out)["numbers"]
        if (number["low"] is None or number["high"] is None)
        and not number["null_kind"]
        and not number["blank_reason"]
    }
    assert bare == DESCRIPTIVE


def test_without_keys_nothing_is_called_right(panel, tmp_path, capsys):
    text = panel.read_text(encoding="utf-8").splitlines()
    bare = tmp_path / "bare.csv"
    bare.write_text("\n".join(line.rsplit(",", 1)[0] for line in text), encoding="utf-8")
    assert audited(bare, tmp_path / "out") == ExitStatus.DONE
    found = json.loads(capsys.readouterr().out)
    said = " ".join(found["headline"] + found["decisions"]).lower()
    assert "nothing here checks an answer" in said
    assert not any(number["instrument"].startswith("wrong") for number in found["numbers"])


RESAMPLED = {
    "surviving_error",
    "traps.concentration_split",
    "unanimity_nulls",
    "condorcet",
    "condorcet.equivalent",
    "same_wrong.panel",
    "voting_gain",
    "voting_gain.change",
    "member_value",
    "member_value.together",
    "best_subset",
    "best_subset.gain",
    "paired_comparison",
    "paired_comparison.needed",
    "paired_comparison.standings",
    "calibration",
    "confidence.ranking",
    "omega_total",
    "pass_at_k",
}


def test_seed_moves_what_is_resampled_and_nothing_else(panel, tmp_path, capsys):
    audited(panel, tmp_path / "a")
    first = json.loads(capsys.readouterr().out)["numbers"]
    audited(panel, tmp_path / "b", "--seed", "5")
    second = json.loads(capsys.readouterr().out)["numbers"]
    moved = {one["instrument"] for one, other in zip(first, second, strict=True) if one != other}
    assert {"surviving_error", "unanimity_nulls"} <= moved <= RESAMPLED


def test_python_gives_the_same_numbers(panel, tmp_path, capsys):
    audited(panel, tmp_path / "a")
    shown = json.loads(capsys.readouterr().out)
    found = limitset.audit(panel, out=tmp_path / "b")
    assert found.summary()["headline"] == shown["headline"]


def test_a_bad_file_leaves_nothing(tmp_path, capsys):
    bad = tmp_path / "bad.csv"
    bad.write_text("question,answer\nq,a\n", encoding="utf-8")
    assert audited(bad, tmp_path / "out") == ExitStatus.BAD_INPUT
    assert "no model" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_bad_map_is_explained(panel, tmp_path, capsys):
    assert audited(panel, tmp_path / "out", "--map", "answer") == ExitStatus.BAD_INPUT
    assert "OURS=YOURS" in capsys.readouterr().err


def test_keys_without_a_single_answer_are_still_keys(tmp_path, capsys):
    silent = tmp_path / "silent.csv"
    rows = [f"Q{n}?,m,I don't know,yes" for n in range(12)]
    silent.write_text("question,model,answer,key\n" + "\n".join(rows), encoding="utf-8")
    assert audited(silent, tmp_path / "out") == ExitStatus.DONE
    found = json.loads(capsys.readouterr().out)
    assert "12 questions with known answers" in found["scope"]
    assert not any("No anchor" in sentence for sentence in found["headline"])


def test_a_negative_seed_is_bad_input(panel, tmp_path):
    assert audited(panel, tmp_path / "out", "--seed", "-1") == ExitStatus.BAD_INPUT
