"""Are BibTeX, subjects, oppositions, levels and tags read off the words as the rules say?"""

import datetime as dt
import importlib.util
from pathlib import Path

import pytest

from library.planted_folder import NOTE
from limitset.core.errors import InputError
from limitset.core.levels import Level
from limitset.library.holdings.library import BUILTIN, Library
from limitset.library.holdings.reading import note_of
from limitset.library.holdings.records import Source
from limitset.library.holdings.shelf import Shelf
from limitset.library.ingest.bibtex import authors_of, read_bibtex, unlatexed
from limitset.library.ingest.overlap import LEAST, Holdings, opposition, subject
from limitset.library.ingest.sentences import statements_of
from limitset.library.ingest.vocabulary import Vocabulary
from limitset.library.ingest.writing import keep_note, keep_sources, note_text, source_text, with_links


def note(name="n", **changes):
    fields = {"id": name, "text": "Loops settle.", "created": "2026-01-01", "status": "current"}
    text = NOTE.format(**{**fields, "contradicts": "", "supersedes": "", **changes})
    return note_of(text, Path(f"{name}.md"))


# ---- BibTeX


def one(text):
    (entry,) = read_bibtex(text, name="x.bib")
    return entry


def test_values_in_braces_in_quotes_bare_and_joined():
    entry = one(
        '@STRING{j = "Journal"} junk @string(k = {of Loops})\n'
        '@Article( key:1 , Title = {A {B} c}, note = "x {"} y", year = 2020, month = JAN,'
        ' journal = j # " " # k , )'
    )
    assert (entry.key, entry.type) == ("key:1", "article")
    assert dict(entry.fields) == {
        "title": "A {B} c",
        "note": 'x {"} y',
        "year": "2020",
        "month": "jan",
        "journal": "Journal of Loops",
    }


def test_comments_and_preambles_are_left_out():
    text = '% @article{no\n@comment{@article{not, title={x}}}\n@preamble{ "x" # {y} }\n@misc{a, title={x}}'
    with pytest.raises(InputError, match=r"x\.bib:1 must hold"):
        read_bibtex(text, name="x.bib")  # BibTeX knows no % comments: what looks like an entry is one
    assert one(text.split("\n", 1)[1]).key == "a"


def test_the_first_of_two_fields_counts_and_lines_are_counted():
    entries = read_bibtex("\n\n@misc{a, title={x}, title={y}}\n@misc{b, title={z}}", name="x.bib")
    assert [(entry.plain("title"), entry.line) for entry in entries] == [("x", 3), ("z", 4)]


@pytest.mark.parametrize(
    ("latex", "plain"),
    [
        (r"{\'e}t{\'{e}} na\"{\i}ve", "été naïve"),
        (r"Erd{\H o}s, {\v{S}}t\v{e}p\'an, \c{C}a", "Erdős, Štěpán, Ça"),
        (r"\O re, \ss\ and {\L}\'od\'z", "Øre, ß and Łódź"),
        (r"50\% \& \$3 \emph{very} \textbf{big}", "50% & $3 very big"),
        (r"a $x_{1}^{2}$ b", "a $x_{1}^{2}$ b"),
        ("a~b--c---d ``q''", "a b–c—d “q”"),
        ("two\n  lines", "two lines"),
    ],
)
def test_latex_becomes_plain_text(latex, plain):
    assert unlatexed(latex) == plain


@pytest.mark.parametrize(
    ("field", "names"),
    [
        ("Smith, Ann B. and Bob C. Jones", ("A. B. Smith", "B. C. Jones")),
        ("Ludwig van Beethoven and de la Fontaine, Jean", ("L. van Beethoven", "J. de la Fontaine")),
        ("{Research and Development Team} and others", ("Research and Development Team", "and others")),
        ("Plato", ("Plato",)),
        ("King, Jr., Martin Luther", ("M. L. King",)),
        ("", ()),
    ],
)
def test_authors_become_initials_and_surname(field, names):
    assert authors_of(field) == names


# ---- subjects and oppositions


def test_a_subject_has_no_empty_words_and_no_numbers():
    assert subject("The 12 loops of the first founding essay are settling") == {"loop", "=settling"}
    # words of the field for one thing are that thing; a longer phrase goes first
    assert subject("post-norm and a re-injected input") == {"=normalization", "=input injection"}
    assert subject("Abruptly it jumps") == {"=discontinuity"}


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        ("Loops settle.", "Loops do not settle.", "one denies what the other states"),
        ("Loops never settle.", "No loop settles.", ""),  # both deny
        ("Diversity rises with scale.", "Diversity falls with scale.", "rises against falls"),
        ("Diversity falls with scale.", "Diversity rises with scale.", "falls against rises"),
        ("It rises and falls.", "It falls.", ""),  # both words on one side: no direction to oppose
        ("Models are alike.", "Models are diverse.", "alike against diverse"),
        ("In 4 of 10 runs.", "In 9 of 11 runs.", "other numbers: 10, 4 against 11, 9"),
        ("In 4 of 10 runs.", "In 10 runs.", ""),  # one number in common
        ("Published in 2024.", "Published in 2026.", ""),  # years say nothing
        ("Loss fell by .5.", "Loss fell by 0.7.", "other numbers: .5 against 0.7"),
        ("Loops settle.", "Loops settle.", ""),
    ],
)
def test_opposition_is_a_denial_an_opposite_word_or_another_number(first, second, why):
    assert opposition(first, second) == why


def test_overlap_is_a_cosine_that_weighs_rare_stems():
    index = Holdings([note(f"n{place}", text=f"Loops settle with kind{place}.") for place in range(5)])
    stems = subject("Loops settle with kind1.")
    assert index.overlap(stems, stems) == pytest.approx(1)
    assert index.overlap(stems, frozenset()) == 0
    common, rare = frozenset({"loop", "=settling"}), frozenset({"loop", "kind1"})
    # log(1 + 5/6) for a stem of all five statements, log(1 + 5/2) for one of a single statement
    heavy, light = 1.2527629684953681, 0.6061358035703156
    length = (heavy**2 + 2 * light**2) ** 0.5
    assert index.overlap(stems, common) == pytest.approx(2 * light**2 / (length * (2 * light**2) ** 0.5))
    assert index.overlap(stems, rare) > index.overlap(stems, common)


def test_the_nearest_statement_comes_first_and_the_far_ones_not_at_all():
    index = Holdings(
        [note("same", text="Loops settle slowly in deep nets."), note("far", text="Cats purr at night.")]
    )
    (near,) = index.near("Loops settle in deep nets.", least=LEAST)
    assert (near.note.id, near.why) == ("same", "")
    assert near.overlap > 0.8
    assert index.near("Loops settle in deep nets.", least=0.99) == []
    assert Holdings([]).near("Loops settle.") == []


def test_one_stem_in_common_is_a_subject_only_where_there_is_no_other():
    index = Holdings([note(text="Loops purr.")])
    assert index.near("Loops bark.", least=0.1) == []
    assert len(index.near("Loops!", least=0.1)) == 1


# ---- vocabulary


def test_level_and_tags_come_from_what_is_held():
    held = [
        note("a", text="Loops settle at fixed points of hidden states."),
        note("b", text="Votes agree on wrong answers.").model_copy(
            update={"level": Level.ANSWER, "tags": ("votes", "wrong-answers", "erratum")}
        ),
    ]
    vocabulary = Vocabulary(held)
    assert vocabulary.level("Fixed points of hidden loops") == "hidden"
    assert vocabulary.level("Votes and answers") == "answer"
    assert vocabulary.tags("Wrong answers and an erratum of loops") == ("loops", "wrong-answers")
    assert Vocabulary([]).level("Anything") == "answer"
    assert Vocabulary([]).tags("Anything") == ()


def test_contradictions_of_the_shelf_that_ships_are_proposed_as_often_as_the_docs_say():
    path = Path(__file__).parents[2] / "runs" / "library" / "proposals.py"
    spec = importlib.util.spec_from_file_location("proposals", path)
    run = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(run)
    notes = Library((Shelf(BUILTIN, builtin=True),)).notes
    chosen = sorted(name for name, one in notes.items() if one.contradicts)[::4]
    opposed = {name: set(notes[name].contradicts) for name in chosen}
    proposed = {name: run.found(notes[name], notes) for name in chosen}
    hit, said, there = run.counts(proposed, opposed, set(chosen), LEAST)
    # a quarter of the notes: 0.67 and 0.54 over all of them, with room for the small number
    assert hit / there > 0.45
    assert hit / said > 0.3


# ---- writing


SOURCE = Source(
    id="a", title='Quotes " and \\ backslash', authors=("A. B.",), year=2020, kind="paper", access="abstract",
    verified_on=dt.date(2026, 1, 1), verified_how="read", lineage="a",
)  # fmt: skip


def test_a_note_survives_its_file():
    odd = note().model_copy(
        update={"title": 'A "quote", a \\ and\ta tab\u2028?', "body": "Prose.\n\n+++\nmore"}
    )
    assert note_of(note_text(odd, comments=["a\nb"]), Path("n.md")) == odd
    assert "# a b\n" in note_text(odd, comments=["a\nb"])


def test_sources_are_appended_and_replaced_in_place(tmp_path):
    shelf = Shelf(tmp_path)
    other = SOURCE.model_copy(update={"id": "b"})
    keep_sources([SOURCE, other], shelf)
    (tmp_path / "sources.toml").write_text(
        f"# mine\n{source_text(SOURCE)}\n# between\n\n{source_text(other)}", "utf-8"
    )
    changed = SOURCE.model_copy(update={"lineage": "group"})
    keep_sources([changed, other, other.model_copy(update={"id": "c"})], shelf)
    text = (tmp_path / "sources.toml").read_text("utf-8")
    assert list(Shelf(tmp_path).sources.values()) == [changed, other, other.model_copy(update={"id": "c"})]
    assert text.startswith("# mine\n")
    assert "# between" in text


def test_sources_that_would_not_be_sound_are_not_written(tmp_path):
    keep_sources([SOURCE], Shelf(tmp_path))
    before = (tmp_path / "sources.toml").read_text("utf-8")
    with pytest.raises(InputError, match="b twice"):
        keep_sources([SOURCE.model_copy(update={"id": "b"})] * 2, Shelf(tmp_path))
    assert (tmp_path / "sources.toml").read_text("utf-8") == before


def test_a_note_is_not_written_over_and_not_when_it_is_none(tmp_path):
    keep_note(note_text(note()), "n", Shelf(tmp_path))
    with pytest.raises(InputError, match="must be a new note"):
        keep_note(note_text(note()), "n", Shelf(tmp_path))
    with pytest.raises(InputError, match="must begin with"):
        keep_note("nothing", "m", Shelf(tmp_path))
    assert [path.name for path in (tmp_path / "notes").iterdir()] == ["n.md"]


def test_links_that_cannot_be_edited_line_by_line_are_left_to_the_reader():
    text = note_text(note()).replace("contradicts = []", 'contradicts = [\n  "x",\n]')
    edited = with_links(text, Path("n.md"), contradicts=("y",))
    assert note_of(edited, Path("n.md")).contradicts == ("x", "y")
    trap = (
        note_text(note())
        .replace('title = "Do', 'title = """\ncontradicts = []\nDo')
        .replace('settle?"\n', 'settle?"""\n')
    )
    with pytest.raises(InputError, match="must have plain lines"):
        with_links(trap, Path("n.md"), contradicts=("y",))


@pytest.mark.parametrize(
    ("sentence", "kept"),
    [
        ("Code is available at https://x.y.", False),
        ("Our data and models are released on GitHub at https://x.y/z.", False),
        ("The code and weights are publicly available.", False),
        ("Project page: https://x.y shows the models.", False),
        ("The model is available to everyone who pays.", True),
        ("Code models are found to fail at long lists.", True),
        ("Data found on the web is duplicated by half.", True),
    ],
)
def test_where_something_can_be_had_is_no_statement(sentence, kept):
    found = [one.text for one in statements_of(f"Loops settle in 4 of 10 runs. {sentence}")]
    assert found[0] == "Loops settle in 4 of 10 runs."
    assert (sentence in found) is kept
