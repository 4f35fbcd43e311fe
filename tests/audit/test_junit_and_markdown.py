"""Can a continuous integration read the gates, whatever somebody named a model or a gate?"""

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limitset.core.ends import Ends
from limitset.core.items import Items
from limitset.report.audit.gates_page import with_gates
from limitset.report.audit.gating import judge
from limitset.report.junit import junit_xml
from limitset.report.markdown_summary import escaped, markdown_summary
from limitset.report.page import Page, Table, render
from limitset.studies.baseline import panel_of
from limitset.studies.gating import gates_of

HOSTILE = '"><script>alert(1)</script>]]> @org/team #12 |`*_[x](http://evil.example)\x00\x1b[31m\u202e\ud800'
HOSTILE = HOSTILE.encode("utf-8", "replace").decode()


def panel(system="a"):
    items = [f"q{q}" for q in range(100)]
    ends = Ends.of(item=items, system=system, end=["y"] * 70 + ["n"] * 30, right=[1] * 70 + [0] * 30)
    return panel_of(ends, Items.of(item=items, text=items, accepted=[["y"]] * 100))


def report(*texts, system="a", **options):
    return judge(gates_of(texts).gates, panel(system), **options)


def page(**values):
    return Page(
        **{"title": "audit", "scope": "a · 100 questions", "date": "22 Nov 2026", "headline": ("Seen.",)}
        | values
    )


THREE = ("accuracy(a) >= 0.5", "accuracy(a) >= 0.68", "accuracy(a) >= 0.9")


def test_a_gate_is_a_case_and_what_cannot_be_told_is_an_error():
    root = ElementTree.fromstring(junit_xml(report(*THREE).judged, scope="a · 100 questions"))
    (suite,) = root
    assert suite.attrib == {"name": "limitset", "tests": "3", "failures": "1", "errors": "1", "skipped": "0"}
    assert suite.find("properties/property").attrib == {"name": "scope", "value": "a · 100 questions"}
    cases = suite.findall("testcase")
    assert [case.get("name") for case in cases] == list(THREE)
    kinds = [[one.tag for one in case if one.tag != "properties"] for case in cases]
    assert kinds == [[], ["error"], ["failure"]]
    told = {one.get("name"): one.get("value") for one in cases[2].iter("property")}
    assert (told["verdict"], told["value"], told["n"], told["confidence"]) == ("FAIL", "0.7", "100", "0.95")
    assert float(told["low"]) < 0.7 < float(told["high"]) < 0.9
    assert cases[2].find("failure").get("message").startswith("accuracy(a) >= 0.9: 70 % [")


def test_any_name_gives_xml_that_parses():
    found = report("accuracy(a) >= 0.9")
    (one,) = found.judged

    @settings(max_examples=100, deadline=None)
    @given(st.text(max_size=40))
    def parses(name):
        gate = type(one.gate)(**{**vars(one.gate), "name": name})
        named = type(one)(gate=gate, measurement=one.measurement, verdict=one.verdict)
        root = ElementTree.fromstring(junit_xml([named], scope=name))
        assert len(root.findall(".//testcase")) == 1
        lines = markdown_summary(page(), report=_with(found, named)).split("\n")
        (line,) = [row for row in lines if "FAIL |" in row]
        assert len(re.findall(r"(?<!\\)\|", line.replace("\\\\", ""))) == 6

    parses()


def _with(found, one):
    return type(found)(judged=(one,), confidence=found.confidence, corrected=found.corrected)


def test_a_hostile_system_stays_text():
    quoted = HOSTILE.replace("\\", "\\\\").replace('"', '\\"')
    found = report(f'accuracy("{quoted}") >= 0.9', system=HOSTILE)
    text = markdown_summary(page(scope=HOSTILE), report=found)
    assert "<script" not in text
    assert not re.search(r"(?<!\\)\]\(", text)
    assert "http:" not in text
    assert not re.search(r"@\w|(?<!&)#\d|\x00|\x1b|\u202e", text)
    assert "alert(1)" in text  # shown, not dropped
    root = ElementTree.fromstring(junit_xml(found.judged, scope=HOSTILE))
    assert "<script>" in root.find(".//testcase").get("name")
    html = render(with_gates(page(scope=HOSTILE), found))
    assert "<script>alert" not in html


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a | b", "a \\| b"),
        ("- item", "\\- item"),
        ("1. item", "1\\. item"),
        ("---", "\\---"),
        ("-23 points [-34, -12]", "-23 points \\[-34, -12\\]"),
        ("1.5 [1.0, 2.8]", "1.5 \\[1.0, 2.8\\]"),
        ("x <= 5 & y", "x &lt;= 5 &amp; y"),
        ("two\nlines", "two ⏎ lines"),
        ("$x$ www.a.b ftp://c", "&#36;x&#36; www&#46;a.b ftp&#58;//c"),
        ("@a #1", "@\u200ba #\u200b1"),
    ],
)
def test_markdown_shows_text_as_it_is(text, wanted):
    assert escaped(text) == wanted


def test_the_summary_holds_the_first_screen_the_gates_and_the_traps():
    traps = Table(
        title="Traps", columns=("question", "runs say"), rows=tuple((f"q{n}", "x") for n in range(12))
    )
    text = markdown_summary(page(decisions=("Stop at 3.",), tables=(traps,)), report=report(*THREE))
    assert "**■ FAIL**: 1 fails, 1 cannot be told, 1 passes, of 3 gates." in text
    assert "| ● PASS | accuracy(a) &gt;= 0.5 | 70 % \\[60, 79\\] | 100 |  |" in text
    assert "- Stop at 3." in text
    assert (
        text.index("**Seen.**")
        < text.index("| verdict |")
        < text.index("### What to do")
        < text.index("### Traps")
    )
    assert text.count("| q") == 11  # the column "question", ten rows
    assert "2 more on the page." in text
    assert "verdict" not in markdown_summary(page())


def test_gates_stand_first_on_the_page():
    found = with_gates(page(), report(*THREE))
    assert (found.standings[0].word, found.standings[0].tone) == ("FAIL", "wrong")
    assert [one.standing.word for one in found.lead[0].entries] == ["PASS", "INCONCLUSIVE", "FAIL"]
    assert "would settle it" in found.lead[0].entries[1].text
    assert [one["verdict"] for one in found.numbers] == ["PASS", "INCONCLUSIVE", "FAIL"]
    assert "each has its own 95 %" in found.limits[-1]
    html = render(found)
    assert html.index("FAIL:") < html.index("accuracy(a) &gt;= 0.5")
    assert with_gates(page(), judge([], panel())) == page()
