"""Is a user's file read as meant, and refused with its line where it cannot be?"""

import json
from pathlib import Path

import pytest

from limitset.core.errors import InputError
from limitset.datasets.user_questions import read_questions


def written(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_csv_with_all_columns(tmp_path: Path) -> None:
    text = (
        "item,question,key,lure,stratum,form,wording2,wording3,anchor,anchor_error\n"
        'au,Capital of Australia?,Canberra|Kanberra,Sydney,hard,name,"Tell me, which?",Name it.,atlas,0.01\n'
    )
    asked = read_questions(written(tmp_path, "mine.csv", text))
    one = asked.question("au")
    assert one.accepted == ("Canberra", "Kanberra")
    assert one.wordings == ("Capital of Australia?", "Tell me, which?", "Name it.")
    assert (one.lure, one.stratum, one.form, one.anchor) == ("Sydney", "hard", "name", "atlas")
    assert one.anchor_error == 0.01


def test_jsonl_with_few_columns(tmp_path: Path) -> None:
    lines = [{"question": "2+2?", "key": 4}, {"question": "3+3?", "accepted": ["6", "six"]}]
    text = "\n".join(json.dumps(line) for line in lines) + "\n\n"
    asked = read_questions(written(tmp_path, "sums.jsonl", text))
    ones = list(asked.questions.values())
    assert [one.accepted for one in ones] == [("4",), ("6", "six")]
    assert ones[0].item != ones[1].item
    assert ones[0].anchor == "sums.jsonl"
    assert len(set(ones[0].wordings)) == 3
    assert str(asked.prompt(ones[0].item, wording=0, style="few_shot")).endswith("Q: 2+2?\nA:")


def test_without_a_key_column_nothing_is_anchored(tmp_path: Path) -> None:
    asked = read_questions(written(tmp_path, "open.csv", "question\nWhy?\nHow?\n"))
    assert not asked.items.has_anchor().any()


def test_a_missing_key_is_refused_unless_allowed(tmp_path: Path) -> None:
    for name, text in (
        ("gap.jsonl", '{"question": "a?", "key": "b"}\n{"question": "c?"}\n'),
        ("gap.csv", "question,key\na?,b\nc?,\n"),
    ):
        path = written(tmp_path, name, text)
        with pytest.raises(InputError, match=r"line [23]: every question needs a key.*allow_missing_keys"):
            read_questions(path)
        asked = read_questions(path, allow_missing_keys=True)
        assert asked.items.has_anchor().tolist() == [True, False]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.jsonl", '{"question": "a?", "key": "b"}\n{"question": "c?", "ke', "line 2: every line must be one whole"),
        ("a.jsonl", "[1]\n", "line 1: every line must be a JSON object"),
        ("a.jsonl", '{"question": "a?", "keys": "b"}\n', "line 1: columns may be .* got keys"),
        ("a.jsonl", '{"key": "b"}\n', "line 1: every row needs a question"),
        ("a.jsonl", "\n", "must hold a question"),
        ("a.jsonl", '{"question": "a?", "key": "b"}\n' * 2, "line 2: every question must stand .* line 1"),
        ("a.jsonl", '{"question": "a?", "key": "b", "lure": "b"}', "line 1: the lure must be a wrong answer"),
        ("a.jsonl", '{"question": "a?", "key": "b", "form": "essay"}', "line 1: form must be one of"),
        ("a.jsonl", '{"question": "a?", "key": "b", "anchor_error": 7}', "line 1: anchor_error must be a share"),
        ("a.jsonl", '{"question": "a?", "key": "b", "anchor_error": "x"}', "line 1: anchor_error must be a share"),
        ("a.jsonl", '{"question": "a?", "key": "b", "wording2": "a?"}', "line 1: the three wordings must differ"),
        ("a.jsonl", b'{"question": "a?", "key": "b"}\n{"question": "\xff"}\n', "line 2: the file must be UTF-8"),
        ("a.csv", "question,key\na?,b,c\n", "line 2: every line must have as many cells"),
        ("a.csv", 'question,key\n"a?,b\n', "the file must be CSV"),
        ("a.txt", "a", "must end in .jsonl, .ndjson or .csv"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(tmp_path: Path, name: str, text: str | bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_questions(written(tmp_path, name, text))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="must be a file that can be read"):
        read_questions(tmp_path / "none.csv")


def test_braces_and_marks_in_a_question_are_kept(tmp_path: Path) -> None:
    text = "\ufeff" + json.dumps({"question": "What is {x}? \u2028", "key": "y"}) + "\n"
    asked = read_questions(written(tmp_path, "odd.jsonl", text))
    assert next(iter(asked.questions.values())).wordings[1] == "Please answer this question. What is {x}?"


def test_a_worked_example_that_is_asked_is_not_shown(tmp_path: Path) -> None:
    path = written(tmp_path, "hamlet.csv", "question,key\nWho wrote Hamlet?,Shakespeare\n")
    asked = read_questions(path)
    assert len(asked.exemplars["user"]) == 2
