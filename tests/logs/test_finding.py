"""Does every path find its reader, and is the rest left alone?"""

import json
import shutil
import time

import pytest

from limitset.core.errors import InputError
from limitset.logs.finding import find_logs
from logs.real_logs import INSPECT, LM_EVAL, eval_logs, records, samples


def test_folders_of_both_tools():
    found = find_logs([LM_EVAL, INSPECT])
    assert (len(found.lm_eval), len(found.inspect), len(found.tables)) == (8, 5, 0)
    # the results of four runs
    assert found.unrelated == 4
    assert len(found.files) == 13


def test_named_files_go_to_their_reader(tmp_path):
    table = tmp_path / "r.csv"
    table.write_text("a\n", encoding="utf-8")
    found = find_logs(
        [eval_logs("capitals")[0], samples("a", "capitals"), table, next(INSPECT.glob("*.json"))]
    )
    assert (len(found.lm_eval), len(found.inspect), len(found.tables)) == (1, 2, 1)


def test_samples_under_another_name_are_known_by_their_head(tmp_path):
    early = tmp_path / "model_task.jsonl"
    early.write_text(json.dumps(records(samples("a", "capitals")), indent=1), encoding="utf-8")
    plain = tmp_path / "replies.jsonl"
    plain.write_text('{"question": "Q", "model": "m", "answer": "doc_id"}\n', encoding="utf-8")
    assert find_logs([tmp_path]).lm_eval == (early,)
    assert find_logs([plain]).tables == (plain,)


def test_a_path_given_twice_is_read_once(tmp_path):
    assert len(find_logs([LM_EVAL, LM_EVAL, samples("a", "capitals")]).lm_eval) == 8


def test_ten_thousand_unrelated_files_cost_little(tmp_path):
    for number in range(100):
        folder = tmp_path / f"{number}"
        folder.mkdir()
        for other in range(100):
            (folder / f"{other}{('.json', '.txt', '.png', '.csv')[other % 4]}").write_text(
                "{}", encoding="utf-8"
            )
    shutil.copy(eval_logs("capitals")[0], tmp_path / "50" / "x.eval")
    before = time.process_time()
    found = find_logs([tmp_path])
    assert time.process_time() - before < 3
    assert [path.name for path in found.inspect] == ["x.eval"]
    assert found.unrelated == 10_000


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("none", "must be a file or a folder"),
        ("empty", "must hold logs of .*; got no file"),
        ("tables", "got 1 other files, among them r.csv"),
        ("x.docx", "a log must be .eval"),
        ("x.json", "a log must be .eval"),
    ],
)
def test_what_holds_no_log_is_refused(tmp_path, name, match):
    (tmp_path / "empty").mkdir()
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "r.csv").write_text("a", encoding="utf-8")
    for file in ("x.docx", "x.json"):
        (tmp_path / file).write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match=match):
        find_logs([tmp_path / name])


def test_links_out_of_a_folder_are_not_followed(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "loop").symlink_to(tmp_path / "in")
    (tmp_path / "in" / "out").symlink_to(LM_EVAL)
    with pytest.raises(InputError, match="must hold logs"):
        find_logs([tmp_path / "in"])
