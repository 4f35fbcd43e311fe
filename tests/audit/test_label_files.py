"""Does a list of labels come back from people and spreadsheets as what they meant, or is it refused by line?"""

import csv
import io
from dataclasses import replace

import numpy as np
import pytest

from limitset.core.ends import Ends
from limitset.core.errors import InputError
from limitset.core.items import Items
from limitset.core.tallies import tallied
from limitset.datasets.planted import mixture_world, planted_panel
from limitset.logs.label_file import panel_hash, read_plan, shown_question
from limitset.logs.labels import read_labels
from limitset.report.audit.label_state import scope_with_labels, unknown_labels
from limitset.report.audit.labels import labels_section
from limitset.studies.baseline import panel_of
from limitset.studies.labelling import (
    check_labels,
    keep_labels,
    unanchored,
    without_keys,
    write_label_plan,
)

SAID = {
    "au": ("Capital of Australia?", ["Sydney", "Sydney", "Sydney", "Canberra"]),
    "uk": ("Capital of Ukraine?", ["Kyiv", "Kyiv", "Kiev", "Odesa"]),
    "fr": ("Capital of France?", ["Paris", "Paris", "Paris", "Paris"]),
    "ve": ("Is the proof right?", ["Wrong", "Wrong", "Right", "Wrong"]),
    "no": ("=2+3 is, in digits", ["5", "5", "4", "3"]),
    "ti": ("Two, or three?", ["2", "2", "3", "3"]),
}


def panel(**more):
    said = SAID | more
    ends = Ends.of(
        item=[item for item in said for _ in range(4)],
        system=["a", "b", "c", "d"] * len(said),
        end=[answer for _, answers in said.values() for answer in answers],
    )
    return ends, Items.of(item=list(said), text=[text for text, _ in said.values()])


@pytest.fixture
def plan(tmp_path):
    """A list of all questions, nothing filled in."""
    return written(tmp_path / "plan.csv")


def written(path, *, shows="blind", given=None, **options):
    ends, items = given or panel()
    write_label_plan(path, ends, items, shows=shows, half_width=0.01, **options)
    return path


def rows_of(path):
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))


def filled(path, labels, *, change=lambda rows: rows, delimiter=",", encoding="utf-8", end="\n"):
    rows = rows_of(path)
    names = list(rows[0])
    for row in rows:
        row["label"] = labels.get(row["item"], "")
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, names, delimiter=delimiter, lineterminator=end)
    writer.writeheader()
    writer.writerows(change(rows))
    path.write_bytes(out.getvalue().encode(encoding))
    return path


def said_right(path, given=None):
    """Item to what each of its answers was called: 1, 0 or None."""
    ends, items = given or panel()
    tallies = tallied(ends, items)
    labels = read_labels(path, tallies, items)
    found = {}
    for place, question in enumerate(tallies.class_item):
        item = str(tallies.items[question])
        if labels.labelled[question]:
            value = labels.class_right[place]
            found.setdefault(item, {})[str(tallies.class_name[place])] = None if np.isnan(value) else value
    return found


def test_the_list_holds_every_column_and_no_count(plan):
    rows = rows_of(plan)
    assert list(rows[0]) == ["item", "question", "answers", "label", "stratum", "weight", "plan"]
    assert sorted(row["item"] for row in rows) == sorted(SAID)
    by_item = {row["item"]: row for row in rows}
    assert set(by_item["au"]["answers"].split(" | ")) == {"Sydney", "Canberra"}
    assert by_item["no"]["question"] == "'=2+3 is, in digits"
    assert not any(character.isdigit() for character in by_item["uk"]["answers"])
    assert {row["stratum"] for row in rows} <= set("ABCD")
    assert not any(row["label"] for row in rows)
    assert plan.read_bytes().startswith(b"\xef\xbb\xbf")


def test_answers_are_shuffled_and_counts_shown_when_wanted(tmp_path):
    given = panel(**{f"q{n}": (f"Question {n}?", ["x", "x", "x", "y"]) for n in range(40)})
    blind = [
        row["answers"] for row in rows_of(written(tmp_path / "a.csv", given=given)) if row["item"][0] == "q"
    ]
    assert {"x | y", "y | x"} == set(blind)
    open_list = written(tmp_path / "b.csv", shows="counts", given=given)
    shown = {row["item"]: row["answers"] for row in rows_of(open_list)}
    assert (shown["q1"], shown["au"]) == ("x (3) | y (1)", "Sydney (3) | Canberra (1)")
    with pytest.raises(InputError, match="blind or counts"):
        written(tmp_path / "c.csv", shows="all")


def test_labels_are_read_as_keys_are(plan):
    filled(plan, {"au": "canberra", "uk": "Kyiv|Kiev", "fr": "Lyon", "no": "none", "ti": "2.0"})
    assert said_right(plan) == {
        "au": {"Sydney": 0, "Canberra": 1},
        "uk": {"Kyiv": 1, "Kiev": 1, "Odesa": 0},
        "fr": {"Paris": 0},
        "no": {"5": 0, "4": 0, "3": 0},
        "ti": {"2": 1, "3": 0},
    }


def test_verdicts_speak_of_the_commonest_answer(tmp_path):
    path = written(tmp_path / "plan.csv", shows="counts")
    filled(path, {"au": "wrong", "fr": "Right"})
    assert said_right(path) == {"au": {"Sydney": 0, "Canberra": None}, "fr": {"Paris": 1}}
    ends, items = panel()
    labels = read_labels(path, tallied(ends, items), items)
    assert (labels.verdicts, labels.unmatched, int(labels.labelled.sum())) == (1, 0, 2)


def test_labels_that_nobody_gave_are_named(plan):
    filled(plan, {"au": "Canbera", "fr": "Lyon", "uk": "Lyon"})
    ends, items = panel()
    labels = read_labels(plan, tallied(ends, items), items)
    # the commonest first; a near answer of the same question is named with it
    assert labels.unknown == (("Lyon", 2, ""), ("Canbera", 1, "Canberra"))
    (told,) = unknown_labels(labels)
    assert told.startswith(
        "3 labels name an answer that nobody gave (Lyon 2; Canbera 1, like Canberra): check them for typing"
    )
    assert scope_with_labels("m · 7 questions without an anchor", labels).startswith(
        "m · 7 questions, labels on 3 of "
    )


def test_a_list_without_labels_says_so(plan):
    ends, items = panel()
    found = panel_of(ends, items)
    (first, *_) = labels_section(found, read_labels(plan, found.tallies, items)).advice
    assert first.startswith("No label is filled in yet")
    assert labels_section(found).advice[0].startswith("Label ")


def test_answers_that_are_reserved_words_are_spelled_out(plan):
    filled(plan, {"ve": "answer: wrong"})
    assert said_right(plan) == {"ve": {"Wrong": 1, "Right": 0}}


@pytest.mark.parametrize(
    ("label", "told"),
    [
        ({"ve": "wrong"}, r"'wrong' at line \d+\. Write `answer: wrong`"),
        ({"au": "right"}, r"one answer, where counts are not shown; got 'right' at line \d+"),
        ({"au": "not sure"}, r"got 'not sure' at line \d+\. Leave it empty"),
        ({"au": "?"}, r"got '\?' at line \d+"),
    ],
)
def test_labels_that_are_none_are_refused_with_their_line(plan, label, told):
    with pytest.raises(InputError, match=told):
        said_right(filled(plan, label))


def test_a_tie_has_no_commonest_answer(tmp_path):
    path = filled(written(tmp_path / "plan.csv", shows="counts"), {"ti": "right"})
    with pytest.raises(InputError, match="one commonest answer"):
        said_right(path)


@pytest.mark.parametrize(
    "save",
    [
        {"delimiter": ";", "encoding": "utf-8-sig", "end": "\r\n"},
        {"delimiter": "\t", "encoding": "utf-16", "end": "\r\n"},
        {"change": lambda rows: rows[::-1]},
        {"change": lambda rows: rows[:3] + rows[4:] + rows[3:4]},
        {"end": "\r"},
    ],
)
def test_what_spreadsheets_do_to_a_file_is_read(plan, save):
    filled(plan, {"au": "Canberra"}, **save)
    assert said_right(plan) == {"au": {"Sydney": 0, "Canberra": 1}}


def test_empty_rows_own_columns_and_a_separator_line_are_read(plan):
    filled(plan, {"au": "Canberra"}, delimiter=";")
    head, *rest = plan.read_text().splitlines()
    rest = [f"{line};Anna" for line in rest]
    plan.write_text("\n".join(["sep=;", f"{head};labeller", *rest, ";;;;;;;"]) + "\n")
    assert said_right(plan) == {"au": {"Sydney": 0, "Canberra": 1}}


def test_an_id_that_a_spreadsheet_wrote_anew_is_known_by_its_question(tmp_path):
    given = panel(**{"123456e78901": ("Capital of Peru?", ["Lima", "Lima", "Cusco", "Lima"])})
    path = written(tmp_path / "plan.csv", given=given)

    def as_number(rows):
        return [row | {"item": "1.23E+11"} if row["item"] == "123456e78901" else row for row in rows]

    filled(path, {"123456e78901": "Lima"}, change=as_number)
    assert said_right(path, given) == {"123456e78901": {"Lima": 1, "Cusco": 0}}


def first(rows, **cells):
    return [rows[0] | cells, *rows[1:]]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda rows: first(rows, item="xx", question="Who?"), r"got 'xx' at line 2\. Take that row out"),
        (lambda rows: first(rows, question="Changed?"), r"a changed one for '\w\w' at line 2"),
        (lambda rows: [*rows, rows[0]], r"got '\w\w' at lines 2 and 8"),
        (lambda rows: first(rows, plan="plan-0000000000"), r"got plan-0000000000 at line 2"),
        (lambda rows: first(rows, plan=""), r"got nothing at line 2"),
    ],
)
def test_rows_that_do_not_belong_are_refused_with_their_line(plan, change, told):
    with pytest.raises(InputError, match=told):
        said_right(filled(plan, {}, change=change))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("item,question,label\n", "plan 0 times"),
        ("item,label,label,question,plan\n", "label 2 times"),
        ("item,question,label,plan\na,b\n", "got 2 at line 2"),
        ('item,question,label,plan\na,"b,c,d', "at line 2"),
        ("", "item 0 times|at least|columns"),
    ],
)
def test_broken_files_are_refused(plan, text, told):
    plan.write_text(text)
    if not text:
        assert said_right(plan) == {}
        return
    with pytest.raises(InputError, match=told):
        said_right(plan)


def test_bytes_that_are_no_text_are_refused(plan):
    plan.write_bytes(plan.read_bytes() + "Zürich".encode("cp1252"))
    with pytest.raises(InputError, match=r"byte 0xfc at line 8\. Save it as CSV UTF-8"):
        said_right(plan)


def test_labels_of_another_panel_are_refused(plan):
    filled(plan, {"fr": "Paris"})
    other = panel(fr=("Capital of France?", ["Paris", "Paris", "Paris", "Lyon"]))
    with pytest.raises(InputError, match=r"labels of another panel \([0-9a-f]{12}\)"):
        said_right(plan, other)
    with pytest.raises(InputError, match="another panel"):
        check_labels(plan, *other)
    asked = panel(fr=("Which is the capital of France?", ["Paris"] * 4))
    assert panel_hash(tallied(*asked), asked[1]) != panel_hash(tallied(*panel()), panel()[1])


def test_the_toml_must_stand_beside_it_unchanged(plan):
    beside = plan.with_suffix(".toml")
    text = beside.read_text()
    beside.write_text(text.replace("threshold = 0.8", "threshold = 0.7"))
    with pytest.raises(InputError, match="a changed one"):
        read_plan(plan)
    beside.write_text("kind = 1\n")
    with pytest.raises(InputError, match="the file that --label-plan wrote; got KeyError"):
        read_plan(plan)
    beside.unlink()
    with pytest.raises(InputError, match=r"plan\.toml must stand beside plan\.csv"):
        read_plan(plan)


def test_labels_are_not_written_over(plan):
    written(plan)
    filled(plan, {"fr": "Paris"})
    with pytest.raises(InputError, match="holds labels"):
        written(plan)
    assert said_right(plan) == {"fr": {"Paris": 1}}
    other = plan.with_name("notes.csv")
    other.write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="must have the columns"):
        written(other)
    assert other.read_text() == "a,b\n1,2\n"
    with pytest.raises(InputError, match=r"is a \.csv file"):
        written(plan.with_name("plan.xlsx"))


def test_a_panel_with_keys_needs_no_labels():
    ends, items = panel()
    keyed = Items.of_rows([row | {"accepted": ("Paris",)} for row in items.rows()])
    with pytest.raises(InputError, match="6 questions with a key or a score"):
        unanchored(ends, keyed)
    with pytest.raises(InputError, match="6 questions with a key or a score"):
        unanchored(ends.with_columns(right=1.0), items)


def test_questions_left_empty_on_the_way_are_counted(tmp_path):
    world = mixture_world(models=5)
    ends, items = without_keys(*planted_panel(world, questions=80, seeds=1, rng=np.random.default_rng(0)))
    path = tmp_path / "plan.csv"
    write_label_plan(path, ends, items)
    names = [row["item"] for row in rows_of(path)]
    strata = {row["item"]: row["stratum"] for row in rows_of(path)}
    own = [name for name in names if strata[name] == "D"]
    filled(path, dict.fromkeys(own[:2] + own[4:6], "none"))
    tallies = tallied(ends, items)
    assert read_labels(path, tallies, items).passed_over == 2
    filled(path, dict.fromkeys(own[:6], "none"))
    assert read_labels(path, tallies, items).passed_over == 0


def test_the_next_list_keeps_the_labels_and_adds_the_best_fifty(tmp_path):
    world = mixture_world(models=5)
    ends, items = planted_panel(world, questions=300, seeds=1, rng=np.random.default_rng(0))
    keys = {row["item"]: row["accepted"][0] for row in items.rows()}
    ends, items = without_keys(ends, items)
    path, then = tmp_path / "plan.csv", tmp_path / "next.csv"
    write_label_plan(path, ends, items, seed=3, threshold=0.6, shows="counts")
    done = [row["item"] for row in rows_of(path)][:70]
    filled(path, {name: keys[name] for name in done})
    further = write_label_plan(then, ends, items, labels=path)
    assert (len(further.plan.items), further.filled) == (120, 70)
    assert (further.plan.threshold, further.plan.shows, further.plan.seed) == (0.6, "counts", 3)
    assert further.summary()["labelled"] == 70
    assert "120 questions, 70 of them labelled; keep next.toml" in further.told
    tallies = tallied(ends, items)
    before, after = (read_labels(one, tallies, items) for one in (path, then))
    np.testing.assert_array_equal(before.class_right, after.class_right)
    # what stands on the first list and is not labelled comes first
    left = [row["item"] for row in rows_of(path)][70:]
    levels = {row["item"]: row["stratum"] for row in rows_of(then)}
    added = [row["item"] for row in rows_of(then)][70:]
    for stratum in {levels[name] for name in added}:
        waiting = [name for name in left if levels.get(name) == stratum]
        mine = [name for name in added if levels[name] == stratum]
        assert mine[: len(waiting)] == waiting[: len(mine)]


def test_hostile_answers_stay_text(tmp_path):
    said = {"x": ("Line one\nline two\u202e", ['=HYPERLINK("http://x")', "-1", "a\x07b", "z" * 900])}
    path = written(tmp_path / "plan.csv", given=panel(**said), shows="counts")
    row = next(row for row in rows_of(path) if row["item"] == "x")
    assert row["answers"].startswith("'")
    assert row["question"] == "Line one line two\\u202e"
    assert "\x07" not in row["answers"]
    assert len(row["answers"]) < 400
    filled(path, {"x": "-1"})
    assert said_right(path, panel(**said))["x"]["-1"] == 1
    assert len(shown_question("x" * 5000)) == 2000


def test_many_answers_are_cut_and_counted(tmp_path):
    ends = Ends.of(
        item=["q"] * 30, system=[f"m{n}" for n in range(30)], end=[f"answer {n}" for n in range(30)]
    )
    items = Items.of(item=["q"], text=["Q?"])
    path = written(tmp_path / "plan.csv", given=(ends, items))
    assert rows_of(path)[0]["answers"].endswith("| … and 18 more")


def test_a_study_keeps_its_labels_until_they_are_left_out(plan, tmp_path):
    filled(plan, {"fr": "Paris"})
    study = tmp_path / "study"
    study.mkdir()
    keep_labels(study, plan)
    assert said_right(study / "labels.csv") == {"fr": {"Paris": 1}}
    keep_labels(study, None)
    assert not list(study.iterdir())
    keep_labels(study, None)


def test_the_order_of_rows_is_not_part_of_a_panel():
    ends, items = panel()
    turned = ends.where(np.arange(len(ends))[::-1])
    assert panel_hash(tallied(turned), items) == panel_hash(tallied(ends), items)
    fewer = replace(tallied(ends), class_name=tallied(ends).class_name[::-1])
    assert panel_hash(fewer, items) != panel_hash(tallied(ends), items)


def damaged(content, rng):
    """Change, add, take out or cut off some bytes."""
    content = bytearray(content)
    for _ in range(rng.integers(1, 4)):
        place, kind = int(rng.integers(0, len(content) + 1)), rng.integers(0, 4)
        if kind == 0:
            content[place : place + 1] = bytes([rng.integers(0, 256)])
        elif kind == 1:
            content[place:place] = (b'"', b"\n", b"\r", b"\x00", b",", b"\xff\xfe", b";;")[rng.integers(0, 7)]
        elif kind == 2:
            del content[place : place + int(rng.integers(1, 60))]
        else:
            content[place:place] = rng.integers(0, 256, 5).astype(np.uint8).tobytes()
    return bytes(content)


def test_damaged_files_are_read_right_or_refused(plan):
    filled(plan, {"fr": "Paris", "au": "Canberra"})
    ends, items = panel()
    tallies = tallied(ends, items)
    rng = np.random.default_rng(0)
    beside = plan.with_suffix(".toml")
    list_, told = plan.read_bytes(), beside.read_bytes()
    read = 0
    for turn in range(200):
        plan.write_bytes(damaged(list_, rng))
        beside.write_bytes(damaged(told, rng) if turn % 4 == 0 else told)
        try:
            labels = read_labels(plan, tallies, items)
        except InputError:
            continue
        read += 1
        assert set(tallies.items[labels.labelled]) <= set(SAID)
    assert 0 < read < 200
