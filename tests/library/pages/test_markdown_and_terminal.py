import datetime as dt
import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from limitset.library.inquiry.answer import Label
from limitset.library.pages.markdown import answer_markdown, claim_markdown, code, escaped, fenced
from limitset.library.pages.terminal import show_answer, show_claim

TODAY = dt.date(2026, 11, 22)


def _printed(show, *args, **options):
    out = io.StringIO()
    show(*args, Console(file=out, width=100, color_system=None), **options)
    return out.getvalue()


def test_markdown_answer_has_label_ids_missing_sources_and_next_lines(before):
    text = answer_markdown(before)
    assert text.startswith("# How do normalization")
    assert "**Thin**: nothing is held on input injection or normalization" in text
    assert "*(opinion; source not opened; stale)* `c2-rest#1`" in text
    assert "## What is missing\n\n- input injection\n- normalization" in text
    assert (
        "- `f3` Normalization, input injection and fixed points (fourth founding essay) (2026; not opened"
        in text
    )
    assert "`limitset claims test 06a`" in text
    assert "```text\nYou are a researcher" in text


def test_markdown_compares(before, after):
    text = answer_markdown(after, before=before)
    assert text.index("Before: **Thin**") < text.index("Now: **Partial**")
    assert "*(new)* `v-06a-20261122-1`" in text
    assert "*(new; inference of this library)* `c1-fixed-points#1` `v-06a-20261122-1`" in text
    assert "| input injection | 0 % | 92 % | `v-06a-20261122-1` |" in text
    assert "[Stability and generalization in looped transformers](<https://arxiv.org/abs/2604.15259>)" in text


def test_markdown_of_a_hostile_answer_holds_no_markup_of_its_own(hostile):
    text = answer_markdown(hostile, before=hostile)
    # code spans cannot be left; what stands outside of them is escaped
    outside = re.sub(r"(`+).*?\1", "", re.sub(r"(?s)````*text\n.*?\n```+", "", text))
    assert not re.search(r"(?<!\\)<", outside.replace("\\\\", ""))
    assert not re.search(r"(?<!\\)\]\((?!<https)", outside)
    assert "\u202e" not in text
    assert "](<javascript" not in text


def test_markdown_claim(library):
    text = claim_markdown(library.claim("24a"), library.verdict("24a"))
    assert "**Fails on toy models**: slope of the largest" in text
    assert "1.4 \\[1.2, 1.6\\], above 0.5: **fails**" in text
    assert "```text\nlimitset claims test 24a\n```" in text
    assert "planted contraction (positive): passed" in text
    stale = claim_markdown(library.claim("39a"), library.verdict("39a"), state="expired")
    assert "**Expired.**" in stale
    assert "## What would settle it" in stale
    planned = claim_markdown(library.claim("12a"), None, state="not yet runnable")
    assert "**Not yet runnable**" in planned
    assert "Cost: 15 minutes" in planned
    assert "limitset claims test" not in planned


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("1. one", "1\\. one"),
        ("- one", "\\- one"),
        ("# one", "\\# one"),
        ("a_b & c|d", "a\\_b \\& c\\|d"),
        ("a\nb", "a ⏎ b"),
        ("0.5 of it", "0\\.5 of it"),
    ],
)
def test_escaped(text, shown):
    assert escaped(text) == shown


def test_code_and_fences_cannot_be_left():
    assert code("`a``") == "``` `a`` ```"
    assert code("") == "` `"
    assert fenced("a\n````\nb").splitlines()[0] == "`````text"


def test_terminal_answer(before, after, hostile):
    text = _printed(show_answer, after, before=before)
    assert text.index("before: ■ Thin") < text.index("now: ◐ Partial")
    assert "new  Tested in toy models" in text
    assert "[v-06a-20261122-1]" in text.replace("\n", "")
    assert "input injection" in text
    assert "92 %   before 0 %" in text
    assert max(len(line) for line in text.splitlines() if "█" in line) < 76
    assert "limitset claims test 06a" in text
    assert "(opinion) (source not opened) (stale) [c2-rest#1]" in " ".join(
        _printed(show_answer, before).split()
    )
    shown = _printed(show_answer, replace(hostile, question="[bold]x[/bold]"))
    assert "[bold]x[/bold]" in shown
    assert "\u202e" not in shown


def test_terminal_refusal(before):
    refused = replace(before, label=Label.NONE, sentences=(), sources=(), facets=(), next_lines=())
    assert "31 statements were searched." in _printed(show_answer, refused)


def test_terminal_claim(library):
    text = _printed(show_claim, library.claim("24a"), library.verdict("24a"), state="current", today=TODAY)
    assert "■ Fails on toy models" in text
    assert "all 2 controls passed" in text
    assert "limitset claims test 24a" in text
    void = _printed(show_claim, library.claim("05a"), library.verdict("05a"), state="current", today=TODAY)
    assert "controls missed:" in void
    assert "What would settle it" in void
    plan = _printed(show_claim, library.claim("12a"), None, state="not yet runnable", today=TODAY)
    assert "Cost: 15 minutes" in plan
    assert "limitset claims test" not in plan
