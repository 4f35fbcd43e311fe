"""Do mutations of real logs and of tables end in a panel or in the one named error, whichever reader they meet?"""

import contextlib
import json
import random
import zipfile

import pytest

from limitset.core import parquet
from limitset.core.errors import InputError
from limitset.core.tallies import tallied
from limitset.logs.reading import read_panel
from logs.real_logs import FIXTURES, INSPECT, LM_EVAL, eval_logs, members, samples

VALUES = (
    *(
        None,
        True,
        False,
        0,
        -1,
        1,
        5,
        0.5,
        1e308,
        10**400,
        float("nan"),
        float("inf"),
        "",
        " ",
        "C",
        "N",
        "nan",
    ),
    *("attachment://0", "attachment://x", "\x00", "\u2028", "é" * 300, "a\nb", [], [[]], ["A", "B"], {}),
    *({"value": "C"}, [{"role": "user", "content": [{"text": 1}]}], "[1, 'a'", "['a', 2]", "2024-01-01"),
)
BYTES = (
    b"",
    b"\x00",
    b"\xff",
    b'"',
    b"\\",
    b"{",
    b"]",
    b",",
    b"\n",
    b"\\ud800",
    b"9" * 40,
    b"PK\x05\x06",
    b"nan",
)


def replaced(value, rng):
    """Replace, take out or double one place of a JSON value, at any depth."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        name = rng.choice(sorted(value))
        if rng.random() < 0.1:
            return {key: one for key, one in value.items() if key != name}
        return value | {name: replaced(value[name], rng)}
    if isinstance(value, list) and value and rng.random() < 0.9:
        at = rng.randrange(len(value))
        if rng.random() < 0.1:
            return [*value[:at], value[at], *value[at:]]
        return [*value[:at], replaced(value[at], rng), *value[at + 1 :]]
    return rng.choice(VALUES)


def torn(raw, rng):
    """Overwrite, insert, take out or cut off bytes at one to four places."""
    found = bytearray(raw)
    for _ in range(rng.randrange(1, 5)):
        at, piece = rng.randrange(len(found) + 1), rng.choice(BYTES)
        found[at : at + rng.choice((0, len(piece), 3))] = piece
    return bytes(found[: rng.randrange(len(found) + 1)] if rng.random() < 0.1 else found)


def of_eval(path):
    """Mutate the JSON of a member, or the bytes of the whole."""
    contents, whole = members(path), path.read_bytes()

    def mutated(folder, rng):
        file = folder / path.name
        if rng.random() < 0.2:
            file.write_bytes(torn(whole, rng))
            return [file]
        name = rng.choice(["header.json", "summaries.json", rng.choice(sorted(contents))])
        value = json.loads(contents[name])
        for _ in range(rng.randrange(1, 4)):
            value = replaced(value, rng)
        with zipfile.ZipFile(file, "w") as archive:
            for one, raw in contents.items():
                archive.writestr(one, json.dumps(value) if one == name else raw)
        return [file]

    return mutated


def of_texts(*paths):
    """Mutate lines of JSON, or bytes, of one of some files that are read together."""
    wholes = {path: path.read_bytes() for path in paths}

    def mutated(folder, rng):
        chosen = rng.choice(paths)
        for path, whole in wholes.items():
            raw = whole
            if path is chosen and rng.random() < 0.3:
                raw = torn(raw, rng)
            elif path is chosen:
                # a results file or a log of one object is one line
                lines = [raw.decode()] if path.suffix == ".json" else raw.decode().splitlines()
                at = rng.randrange(len(lines))
                lines[at] = json.dumps(replaced(json.loads(lines[at]), rng))
                raw = "\n".join(lines).encode()
            (folder / path.name).write_bytes(raw)
        return [folder]

    return mutated


def rows(rng):
    """Return replies with every column that is known, one to three cells of them odd."""
    found = [
        {
            "question": f"What is {n % 4}?",
            "model": "ab"[n % 2],
            "answer": str(n % 3),
            "key": "1",
            "right": "",
            "score": str(n % 5),
            "confidence": "0.5",
            "seed": str(n),
            "temperature": "0.7",
            "stratum": "s",
        }
        for n in range(12)
    ]
    for _ in range(rng.randrange(1, 4)):
        found[rng.randrange(12)][rng.choice(sorted(found[0]))] = rng.choice(VALUES)
    gone = rng.choice([*found[0], "none", "none", "none", "none"])
    return [{name: one for name, one in row.items() if name != gone} for row in found]


def table(kind):
    """Write replies as one kind of file, with odd cells, and sometimes with torn bytes."""

    def mutated(folder, rng):
        file, found = folder / f"r.{kind}", rows(rng)
        if kind == "jsonl":
            file.write_text("\n".join(map(json.dumps, found)), encoding="utf-8")
        else:
            cut = {"csv": ",", "tsv": "\t", "parquet": ","}[kind]
            told = [list(found[0]), *(list(row.values()) for row in found)]
            text = "\n".join(cut.join(str(one) for one in row) for row in told)
            (folder / "r.txt" if kind == "parquet" else file).write_bytes(text.encode())
        if kind == "parquet":
            typed = rng.choice(["true", "false"])
            source = f"read_csv('{folder / 'r.txt'}', all_varchar={typed}, ignore_errors=true, header=true)"
            connection = parquet.connect()
            with contextlib.closing(connection):
                connection.execute(f"COPY (SELECT * FROM {source}) TO '{file}' (FORMAT parquet)")
            (folder / "r.txt").unlink()
        if rng.random() < 0.3:
            file.write_bytes(torn(file.read_bytes(), rng))
        return [file]

    return mutated


HARNESS = LM_EVAL / "a"
READERS = {
    "harness, generated": (of_texts(samples("a", "capitals"), *HARNESS.rglob("results_*.json")), None),
    "harness, choices": (of_texts(samples("a", "capitals_choice"), samples("b", "capitals_choice")), None),
    "harness, repeats": (of_texts(samples("a", "capitals_repeated")), None),
    "inspect": (of_eval(eval_logs("capitals")[0]), None),
    "inspect, choices": (of_eval(eval_logs("capitals-choice")[0]), None),
    "inspect, json": (of_texts(*INSPECT.glob("*.json")), None),
    "inspect, chunked": (of_eval(next((FIXTURES / "chunked").glob("*.eval"))), None),
    "inspect, grades": (of_eval(next((FIXTURES / "judges").glob("*_graded_*.eval"))), "human"),
    "inspect, verdicts": (of_eval(next((FIXTURES / "judges").glob("*_checked_*.eval"))), "none"),
    **{kind: (table(kind), None) for kind in ("csv", "tsv", "jsonl", "parquet")},
}


def fuzzed(reader, folder, *, count, start=0):
    """Return how many of some mutations were read and how many refused; another error ends the test."""
    mutated, judges = READERS[reader]
    refused = 0
    # DuckDB is started for every column of every Parquet file
    count = count // 5 if reader == "parquet" else count
    for seed in range(start, start + count):
        own = folder / str(seed)
        own.mkdir()
        paths = mutated(own, random.Random(seed))
        lines: list[str] = []
        try:
            got, _ = read_panel(paths, judges=judges)
            tallied(got.ends, got.items)
        except InputError as error:
            refused += 1
            lines = str(error).splitlines()
        except Exception as error:
            error.add_note(f"{reader}, mutation {seed}")
            raise
        assert len(lines) <= 1, f"{reader}, mutation {seed}"
    return count - refused, refused


@pytest.mark.parametrize("reader", sorted(READERS))
def test_mutations_are_read_or_refused_by_name(tmp_path, reader):
    read, refused = fuzzed(reader, tmp_path, count=25)
    assert read > 0
    assert refused > 0


@pytest.mark.slow
@pytest.mark.parametrize("reader", sorted(READERS))
def test_hundreds_of_mutations_are_read_or_refused_by_name(tmp_path, reader):
    read, refused = fuzzed(reader, tmp_path, count=400, start=1_000)
    assert read > 10
    assert refused > 10
