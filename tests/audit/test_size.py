"""Does a large log end in a small page, within the memory that was foretold?"""

import duckdb
import numpy as np
import pytest

from limitset.core import parquet
from limitset.core.columns import coded
from limitset.core.ends import Ends
from limitset.core.errors import InputError
from limitset.core.items import Items
from limitset.core.tallies import tallied
from limitset.instruments.truth.traps import find_traps
from limitset.logs import memory_plan as plans
from limitset.logs.memory_plan import BASE, ROW, TEXT, memory_plan, require_memory
from limitset.report.bounded import (
    ALL_NUMBERS,
    MOST_NUMBERS,
    MOST_ROWS,
    bounded,
    bounded_numbers,
    keep_numbers,
    share_of,
)
from limitset.report.page import Page, Table, render
from limitset.studies import panel_audit


def page_with(rows, numbers=()):
    table = Table(title="Pairs", columns=("pair", "value"), rows=tuple(rows))
    return Page(title="t", scope="s", date="d", headline=("h",), tables=(table,), numbers=tuple(numbers))


def number(instrument, value, **axes):
    fixed = {"low": value, "high": value, "n": 1.0, "version": 1, "confidence": 0.95, "level": "answer"}
    words = {"null_kind": "", "blank_reason": "", "interval_method": "", "notes": []}
    return {"instrument": instrument, **axes, "value": value, **fixed, **words}


def test_a_long_table_keeps_its_extremes_and_says_so():
    values = np.random.default_rng(0).permutation(9_000) / 9_000
    (table,) = bounded(page_with((f"p{row}", float(value)) for row, value in enumerate(values))).tables
    shown = [value for _, value in table.rows]
    half = MOST_ROWS // 2
    assert sorted(shown) == sorted(values)[:half] + sorted(values)[-half:]
    # the rows stay in the order of the table
    assert [name for name, _ in table.rows] == sorted((n for n, _ in table.rows), key=lambda n: int(n[1:]))
    assert f"{half:,} lowest and the {half:,} highest values of 9,000 rows" in table.note


def test_a_small_page_is_left_alone():
    page = page_with((f"p{row}", 0.5) for row in range(50))
    assert bounded(page).tables == page.tables


def test_blank_values_are_no_extremes():
    rows = [("a", 0.1), ("b", float("nan")), ("c", None), *((f"p{row}", 0.5) for row in range(MOST_ROWS))]
    (table,) = bounded(page_with(rows)).tables
    assert "b" not in [name for name, _ in table.rows]
    assert table.rows[0] == ("a", 0.1)


def test_small_tables_stay_whole_beside_large_ones():
    assert share_of([3, 5, 1_000, 1_000], most=108) == 50
    assert share_of([], most=10) == 0


def test_every_instrument_keeps_numbers_on_the_page_and_the_file_has_all(tmp_path):
    records = [number("many", row / 9_999, pair=f"p{row}") for row in range(9_999)]
    records += [number("few", 0.25, k=k) for k in range(3)]
    kept, note = bounded_numbers(records)
    assert len(kept) <= MOST_NUMBERS
    assert sum(record["instrument"] == "few" for record in kept) == 3
    assert "of 10,002" in note
    assert ALL_NUMBERS in note
    keep_numbers(records, tmp_path)
    asked = f"SELECT count(*), sum(value), count(k), min(pair) FROM '{tmp_path / ALL_NUMBERS}'"
    assert duckdb.sql(asked).fetchall() == [(10_002, pytest.approx(4_999 + 0.75), 3, "p0")]
    html = render(page_with([], numbers=records))
    assert note.split(".")[0] in html
    assert len(html) < 2_000_000
    keep_numbers(records[:5], tmp_path)
    assert not (tmp_path / ALL_NUMBERS).exists()


def wide_log(path, models, questions, runs):
    """Every model right on most questions; on each tenth all give one wrong answer."""
    duckdb.connect().execute(
        f"COPY (SELECT 'question-' || q AS item, 'model-' || m AS model, s AS seed, 'A' AS key, "
        f"CASE WHEN q % 10 = 0 THEN 'B' WHEN hash(q, m, s) % 100 < 60 THEN 'A' "
        f"ELSE chr((66 + hash(m, q) % 3)::INTEGER) END AS answer "
        f"FROM range({questions}) a(q), range({models}) b(m), range({runs}) c(s)) TO '{path}' (FORMAT parquet)"
    )
    return path


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_many_systems_end_in_a_small_page(tmp_path):
    done = panel_audit.run_audit(
        wide_log(tmp_path / "r.parquet", 120, 200, 2), tmp_path / "out", date="2026-11-22"
    )
    assert done.path.stat().st_size < 2_000_000
    assert (tmp_path / "out" / ALL_NUMBERS).exists()
    asked = f"SELECT count(*) FROM '{tmp_path / 'out' / ALL_NUMBERS}'"
    assert duckdb.sql(asked).fetchall() == [(len(done.page.numbers),)]


def test_the_plan_counts_rows_of_parquet_and_bytes_of_text(tmp_path):
    table = wide_log(tmp_path / "r.parquet", 3, 20, 2)
    text = tmp_path / "r.csv"
    text.write_text("question,model,answer\nQ?,a,x\n", encoding="utf-8")
    assert memory_plan([table]) == 120 * ROW + BASE
    assert memory_plan([table, text]) == 120 * ROW + text.stat().st_size * TEXT + BASE
    broken = tmp_path / "b.parquet"
    broken.write_bytes(b"PAR1 no")
    assert memory_plan([broken, tmp_path / "none.csv"]) == 0


def test_what_does_not_fit_is_refused_before_it_is_read(tmp_path, monkeypatch):
    table = wide_log(tmp_path / "r.parquet", 3, 20, 2)
    monkeypatch.setattr(panel_audit, "free_memory", lambda: 1_000_000)
    with pytest.raises(InputError, match=r"need about 0\.3 GB; got 0\.0 GB free"):
        panel_audit.run_audit(table, tmp_path / "out", date="")
    assert not (tmp_path / "out").exists()


def test_only_large_plans_are_told(tmp_path, monkeypatch):
    assert require_memory(500_000_000, free=None) == ""
    assert require_memory(2_100_000_000, free=None) == "this needs about 2.1 GB of memory"
    told = []
    monkeypatch.setattr(plans, "ROW", 20_000_000)
    table = wide_log(tmp_path / "r.parquet", 2, 20, 2)
    monkeypatch.setattr(panel_audit, "free_memory", lambda: None)
    panel_audit.run_audit(table, tmp_path / "out", date="", say=told.append)
    assert told == ["this needs about 1.9 GB of memory"]


def test_tallies_of_codes_are_those_of_rows():
    rng = np.random.default_rng(5)
    rows = [
        {
            "item": f"q{rng.integers(7)}",
            "system": f"m{rng.integers(3)}",
            "paraphrase": rng.choice(["", None, "p"]),
            "temperature": rng.choice([0.5, None]),
            "seed": float(seed),
            "end": rng.choice(["a", "b", None]),
            "greedy": float(rng.random() < 0.1),
        }
        for seed in range(600)
    ]
    got = tallied(Ends.of_rows(rows))
    kept = [row for row in rows if row["greedy"] == 0]
    cells = list(dict.fromkeys((row["system"], row["paraphrase"] or "", row["temperature"]) for row in kept))
    assert list(zip(got.systems, got.paraphrases, strict=True)) == [cell[:2] for cell in cells]
    for number_of, cell in enumerate(cells):
        own = [row for row in kept if (row["system"], row["paraphrase"] or "", row["temperature"]) == cell]
        for place, name in enumerate(got.items):
            ends = [row["end"] for row in own if row["item"] == name]
            assert got.runs[number_of, place] == len(ends)
            assert got.abstained[number_of, place] == ends.count(None)
            for answer in ("a", "b"):
                at = (got.class_item == place) & (got.class_name == answer)
                assert got.counts[number_of, at].sum() == ends.count(answer)


def test_a_trap_of_an_unknown_item_is_refused():
    ends = Ends.of(item=["q"] * 2, system=["a", "b"], end="x", right=0)
    with pytest.raises(InputError, match="item must be in the table; got q"):
        find_traps(tallied(ends), Items.of(item=["p"], text=["?"]))


def test_texts_are_coded_by_first_appearance(tmp_path):
    names = ["b", None, "a", "b", "c"] * 3
    parquet.write({"t": coded(names)}, {"t": parquet.Kind.TEXT}, tmp_path / "t.parquet")
    connection = parquet.connect()
    got = parquet.text_codes(connection, f"'{tmp_path / 't.parquet'}'", "t")
    connection.close()
    assert got.values == ("b", "a", "c")
    assert got.decoded().tolist() == names
