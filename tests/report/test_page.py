import base64
import hashlib
import json
import math
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from limitset.charts.shown import visible
from limitset.core.errors import InputError
from limitset.report.page import Figure, Table, cell, formula, inlined_json, render, sentence, write_page


class Outline(HTMLParser):
    """Collect elements, their attributes, headings and the texts of scripts and styles."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.tags, self.headings, self.raw, self.words, self._open = [], [], {}, [], None

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._open = tag
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))

    def handle_data(self, data):
        if self._open in {"script", "style"}:
            self.raw.setdefault(self._open, []).append(data)
        else:
            self.words.append(data)

    def handle_endtag(self, tag):
        self._open = None


@pytest.fixture(scope="module")
def html(page):
    return render(page)


@pytest.fixture(scope="module")
def outline(html):
    parser = Outline()
    parser.feed(html)
    return parser


def _policy(outline):
    return next(a["content"] for tag, a in outline.tags if a.get("http-equiv") == "Content-Security-Policy")


def _hash(text):
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def test_policy_names_exactly_the_scripts_and_the_style_of_the_page(html, outline):
    scripts = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL).group(1)
    policy = _policy(outline)
    assert len(scripts) == 2
    assert f"script-src {_hash(scripts[0])} {_hash(scripts[1])};" in policy
    assert f"style-src {_hash(style)};" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_changed_script_would_break_its_hash(html, outline):
    scripts = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    assert _hash(scripts[1] + " ") not in _policy(outline)


def test_nothing_is_loaded_and_no_markup_carries_style_or_events(outline):
    for tag, attributes in outline.tags:
        assert tag not in {"iframe", "object", "embed", "base", "img", "form", "video", "audio"}
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            assert name != "style", (tag, value)
            if name in {"src", "href", "srcset", "action"}:
                assert value.startswith(("#", "data:image/svg+xml;base64,")), (tag, name, value)


def test_style_and_own_script_name_no_address(html):
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL).group(1)
    own = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)[1]
    assert "http" not in style
    assert "url(" not in style
    assert "@import" not in style
    assert "http" not in own
    assert "eval" not in own.replace("No request, no eval", "")


def test_hostile_texts_are_text(page, outline):
    words = "".join(outline.words)
    for trap in page.tables[0].rows:
        for value in trap:
            assert visible(str(value))[:100] in words.replace("\u00a0", " ")
    assert [tag for tag, _ in outline.tags].count("script") == 3
    assert "\u202e" not in words
    assert "\x00" not in words


def test_hostile_texts_in_every_other_place(page):
    bad = "</script><script>alert(1)</script>\u202e{{7*7}}"
    table = Table(title=bad, columns=(bad,), rows=((bad,),), note=bad)
    figure = replace(page.figures[0], title=bad, caption=bad, table=table)
    parser = Outline()
    text = render(
        replace(
            page,
            title=bad,
            scope=bad,
            date=bad,
            headline=(bad,),
            decisions=(bad,),
            figures=(figure,),
            tables=(table, table),
            provenance={bad: bad},
            attributions=(bad,),
            limits=(bad,),
            numbers=(),
        )
    )
    parser.feed(text)
    assert [tag for tag, _ in parser.tags].count("script") == 3
    assert "<script>alert" not in text
    assert "\u202e" not in text
    assert "49" not in text.split("<style>")[0]
    assert "{{7*7}}" in "".join(parser.words)


def test_charts_json_is_whole_and_cannot_close_its_element(page, html):
    inside = re.search(r'<script type="application/json" id="charts">(.*?)</script>', html, re.DOTALL).group(
        1
    )
    assert "<" not in inside
    assert set(json.loads(inside)) == {figure.name for figure in page.figures}
    assert json.loads(inlined_json({"a": "</script>\u2028<!--"})) == {"a": "</script>\u2028<!--"}
    assert "\u2028" not in inlined_json("\u2028")


def test_nan_in_a_chart_is_refused():
    with pytest.raises(ValueError, match="Out of range float values"):
        inlined_json({"value": math.nan})


def test_headings_make_an_outline(outline):
    assert outline.headings[0] == 1
    assert outline.headings.count(1) == 1
    assert all(
        later - earlier <= 1 for earlier, later in zip(outline.headings, outline.headings[1:], strict=False)
    )


def test_order_and_content_of_the_first_screen(page, html):
    html = html[html.index("<body>") :]
    places = [
        html.index(word)
        for word in (
            "2 small models",
            "One run is wrong",
            "What to do",
            'id="survival"',
            "Five traps",
            'id="agreed"',
            "Words and formulas",
            "Where these numbers come from",
            "Every number",
        )
    ]
    assert places == sorted(places)


def test_long_text_is_clipped_with_more_and_kept_whole(html):
    assert "long long" in html
    assert '<span class="more">more</span>' in html
    assert re.search(r'<bdi class="full">(long )+end of the long text</bdi>', html)


def test_every_number_shows_interval_n_and_reason(html):
    numbers = html[html.index('id="every-number"') :]
    assert "fewer than 5 wrong questions" in numbers
    assert "[0.41, 0.52]" in numbers
    assert "at most" not in numbers or "0.12" in numbers


def test_page_without_charts_or_tables_renders(page):
    html = render(replace(page, figures=(), tables=(), decisions=(), numbers=(), provenance={}))
    assert "What to do" not in html
    assert "Every number" not in html


def test_five_thousand_points_stay_under_two_megabytes(page):
    import altair as alt

    rows = [
        {"x": i, "y": i * 0.37 % 1, "question": f"What is the capital of country {i}?"} for i in range(5000)
    ]
    chart = alt.Chart(alt.InlineData(values=rows)).mark_point().encode(x="x:Q", y="y:Q", tooltip="question:N")
    table = Table(title="Data", columns=("x", "y"), rows=tuple((row["x"], row["y"]) for row in rows[:50]))
    figure = Figure(name="many", title="Many", chart=chart, caption="n = 5000", table=table)
    assert len(render(replace(page, figures=(*page.figures, figure))).encode()) < 2_000_000


def test_too_many_points_are_refused(page):
    import altair as alt

    rows = [{"x": i} for i in range(20_001)]
    chart = alt.Chart(alt.InlineData(values=rows)).mark_point().encode(x="x:Q")
    figure = replace(page.figures[0], chart=chart)
    with pytest.raises(InputError, match="20001 in survival"):
        render(replace(page, figures=(figure,)))


def test_figure_names_must_be_distinct_words(page):
    with pytest.raises(InputError, match="distinct words"):
        render(replace(page, figures=(page.figures[0], page.figures[0])))
    with pytest.raises(InputError, match="distinct words"):
        render(replace(page, figures=(replace(page.figures[0], name='x" onload="'),)))


def test_write_page_leaves_nothing_else_and_is_repeatable(page, tmp_path):
    path = tmp_path / "report.html"
    write_page(page, path)
    first = path.read_bytes()
    write_page(page, path)
    assert path.read_bytes() == first
    assert list(tmp_path.iterdir()) == [path]


def test_sentence_sets_intervals_apart_and_keeps_units():
    assert str(sentence("wrong 46 % [41, 51] <b>")) == (
        'wrong 46\u00a0%\u00a0<span class="interval">[41, 51]</span> &lt;b&gt;'
    )


def test_formula_sets_indices_and_escapes():
    assert str(formula("e_{n} < x^{2}")) == "e<sub>n</sub> &lt; x<sup>2</sup>"


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (True, "yes"), (False, "no"), (3, "3"), (math.inf, "never"), ("50 %", "50\u00a0%")],
)
def test_cells(value, text):
    assert cell(value) == text


def test_bundle_comes_from_the_cache_folder_and_is_made_once(tmp_path, monkeypatch):
    from limitset.report import bundle

    monkeypatch.setenv("LIMITSET_CACHE", str(tmp_path))
    made = []
    monkeypatch.setattr(bundle, "_bundled", lambda: made.append(1) or "window.vegaEmbed=1;")
    bundle.javascript.cache_clear()
    try:
        assert bundle.javascript() == "window.vegaEmbed=1;"
        bundle.javascript.cache_clear()
        bundle.javascript()
        assert made == [1]
        assert [path.suffix for path in tmp_path.iterdir()] == [".js"]
    finally:
        bundle.javascript.cache_clear()


def test_bundle_fits_the_specs_of_altair():
    import altair
    import vl_convert

    def parts(version):
        return tuple(int(part) for part in re.findall(r"\d+", version)[:2])

    assert parts(max(vl_convert.get_vegalite_versions(), key=parts)) >= parts(altair.SCHEMA_VERSION)
