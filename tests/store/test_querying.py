"""SQL reads a study, and can do nothing else."""

import math
import shutil

import numpy as np
import pytest

from limitset.core.errors import InputError
from limitset.core.items import Items
from limitset.store import StudyFolder, query


def test_tables_are_there_by_name(toy, finished):
    answer = query(
        finished, "select system, count(*) as runs, max(steps) as most from ends group by all order by 1"
    )
    assert answer["system"].tolist() == ["a", "b"]
    assert answer["runs"].tolist() == [toy.TASKS, toy.TASKS]
    assert answer["most"].tolist() == [math.inf, toy.TASKS - 1]
    assert query(finished, "select count(*) n from orbits")["n"][0] > 10
    assert query(finished, "show tables")["name"].tolist() == ["ends", "orbits"]


def test_rows_come_in_the_order_of_the_tasks(finished):
    items = query(finished, "select item from ends where system = 'a'")["item"]
    assert items.tolist() == [f"q{i}" for i in range(len(items))]


def test_nothing_is_none_or_nan(finished):
    answer = query(finished, 'select "end", "right", null::int as whole from ends limit 2')
    assert answer["end"].tolist() == ["it's 0", None]
    assert np.isnan(answer["right"][0])
    assert answer["whole"].tolist() == [None, None]
    joined = query(
        finished, "select o.step from ends e left join orbits o on e.item = o.item and o.step > 99 limit 1"
    )
    assert np.isnan(joined["step"]).all()


def test_two_columns_of_one_name_both_come(finished):
    assert len(query(finished, "select 1 as a, 2 as a")) == 2


def test_items_join(toy, tmp_path):
    with toy.open_toy(tmp_path / "s") as folder:
        folder.write_items(Items.of(item=["q0"], text=["Why?"]))
        task = folder.claim(folder.owner, 60)
        folder.finish(task, toy.rows_of(task))
    answer = query(tmp_path / "s", "select distinct i.text from ends join items i using (item)")
    assert answer["text"].tolist() == ["Why?"]


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("selct 1", r"syntax error at or near .selct"),
        ("select itm from ends", r"itm.*Candidate bindings: .*item"),
        ("select * from end_s", r"end_s does not exist.*Its tables are ends, orbits"),
        ("select avg(right) from ends", r'Write the columns "end" and "right" in double quotes'),
        ("select end from ends", r'Write the columns "end" and "right" in double quotes'),
        ('select "end", "right" from end_s', r"Its tables are ends, orbits"),
        ("", r"one SELECT; got nothing"),
        ("select 1; select 2", r"got SELECT, SELECT"),
        ("create table t as select 1", r"got CREATE"),
        ("copy ends to 'out.csv'", r"got COPY"),
        ("explain analyze copy ends to 'out.csv'", r"got EXPLAIN"),
        ("set enable_external_access = true", r"got SET"),
        ("attach 'x.db'", r"got ATTACH"),
        ("install httpfs", r"got LOAD"),
        ("pragma database_list", r"got PRAGMA"),
    ],
)
def test_mistakes_and_anything_but_a_select_are_refused(finished, sql, told):
    with pytest.raises(InputError, match=told):
        query(finished, sql)


def test_files_outside_the_study_are_out_of_reach(finished, tmp_path):
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    for source in (f"read_csv('{secret}')", f"read_text('{secret}')", f"glob('{tmp_path}/*')"):
        with pytest.raises(InputError, match=r"Permission Error"):
            query(finished, f"select * from {source}")
    with pytest.raises(InputError, match=r"must be SQL"):
        query(finished, f"select * from '{secret}'")
    with pytest.raises(InputError, match=r"Permission Error"):
        query(finished, f"select * from read_text('{finished}/results/../study.toml')")


def test_nothing_is_loaded_from_the_network(finished):
    answer = query(
        finished, "select name, value from duckdb_settings() where name like 'auto%known_extensions'"
    )
    assert dict(zip(answer["name"], answer["value"], strict=True)) == {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    }


def test_a_study_without_rows_and_one_with_a_lost_part_say_so(toy, finished, tmp_path):
    toy.open_toy(tmp_path / "s").close()
    with pytest.raises(InputError, match=r"got no finished task\. Run the study first"):
        query(tmp_path / "s", "select 1")
    shutil.copytree(finished, tmp_path / "t")
    with StudyFolder.open(tmp_path / "t") as folder:
        folder.part_paths("ends")[0].unlink()
    with pytest.raises(InputError, match=r"got no file .*part-"):
        query(tmp_path / "t", "select 1")


def test_a_path_with_a_quote_works(toy, finished, tmp_path):
    shutil.copytree(finished, tmp_path / "it's")
    assert query(tmp_path / "it's", "select count(*) n from ends")["n"][0] == 2 * toy.TASKS
