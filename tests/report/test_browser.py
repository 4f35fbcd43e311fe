"""The page in a real browser, from disk, with the network off."""

import importlib.util
import sys
from base64 import b64encode
from pathlib import Path

import pytest

from limitset.report.page import Figure, Table, write_page

_spec = importlib.util.spec_from_file_location(
    "planted_trace_figures", Path(__file__).parents[1] / "charts" / "test_trace_figures.py"
)
planted_trace = importlib.util.module_from_spec(_spec)
sys.modules["planted_trace_figures"] = planted_trace
_spec.loader.exec_module(planted_trace)

pytestmark = pytest.mark.browser


@pytest.fixture
def opened(chromium, written):
    """Open the page; return it with all that it said and asked for."""
    contexts = []

    def open_page(path=written, **options):
        context = chromium.new_context(offline=True, **options)
        contexts.append(context)
        view = context.new_page()
        view.said, view.asked = [], []
        view.on("console", lambda message: view.said.append(message.text))
        view.on("pageerror", lambda error: view.said.append(str(error)))
        view.on("dialog", lambda dialog: (view.said.append("dialog"), dialog.dismiss()))
        view.on("request", lambda request: view.asked.append(request.url))
        view.goto(path.as_uri())
        view.wait_for_function(
            "document.querySelectorAll('.chart[data-drawn]').length === document.querySelectorAll('.chart').length"
        )
        return view

    yield open_page
    for context in contexts:
        context.close()


def test_all_charts_drawn_without_message_or_request(opened, page):
    view = opened(viewport={"width": 1280, "height": 900})
    assert view.locator(".chart svg").count() == len(page.figures)
    assert view.said == []
    assert [url for url in view.asked if not url.startswith(("file:", "data:"))] == []


def test_hover_shows_the_row(opened):
    view = opened(viewport={"width": 1280, "height": 900})
    view.locator("#survival .mark-symbol path").nth(3).hover(force=True)
    tip = view.locator("#vg-tooltip-element.visible")
    tip.wait_for()
    assert "plurality is wrong" in tip.inner_text()
    assert "%" in tip.inner_text()
    assert view.said == []


def test_hostile_text_is_inert_and_visible(opened):
    view = opened(viewport={"width": 1280, "height": 900})
    text = view.locator(".shown table").inner_text()
    assert "<script>alert(1)</script>" in text
    assert "</script><img src=x onerror=alert(2)>" in text
    assert r"\u202e" in text
    assert view.locator("main script, main img, main iframe").count() == 0
    assert view.locator("a[href^='javascript']").count() == 0
    assert view.said == []


def test_policy_stops_a_script_that_would_get_in(opened):
    view = opened(viewport={"width": 1280, "height": 900})
    view.evaluate(
        "() => { const s = document.createElement('script'); s.textContent = 'window.broken = 1'; document.body.append(s); }"
    )
    assert view.evaluate("window.broken") is None
    assert any("Content Security Policy" in said for said in view.said)


@pytest.mark.parametrize("width", [380, 768, 1280])
def test_no_sideways_scroll(opened, width):
    view = opened(viewport={"width": width, "height": 760})
    assert view.evaluate("document.documentElement.scrollWidth") == width
    for box in view.locator(".chart").all():
        inside = box.evaluate(
            "box => box.querySelector('svg').getBoundingClientRect().right - box.getBoundingClientRect().right"
        )
        assert inside <= 1


def test_charts_follow_the_width(opened):
    view = opened(viewport={"width": 1280, "height": 900})
    before = view.locator("#agreed svg").bounding_box()["width"]
    view.set_viewport_size({"width": 420, "height": 900})
    view.wait_for_function(
        f"document.querySelector('#agreed svg').getBoundingClientRect().width < {before} - 100"
    )
    assert view.said == []


def test_dark_and_light_have_contrast_everywhere(opened):
    script = """() => {
      const parse = c => c.match(/[\\d.]+/g).slice(0, 3).map(Number);
      const lum = c => { const [r, g, b] = parse(c).map(v => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; }); return .2126 * r + .7152 * g + .0722 * b; };
      const paper = getComputedStyle(document.body).backgroundColor;
      const ratio = c => { const a = [lum(c), lum(paper)].sort((x, y) => y - x); return (a[0] + .05) / (a[1] + .05); };
      const words = [...document.querySelectorAll('h1, h1 .interval, h2, .scope, figcaption, .note, td, th, dt, dd, .more, summary')];
      const marks = [...document.querySelectorAll('.mark-text text')].filter(t => getComputedStyle(t).fill !== 'none' && t.textContent && !t.closest('#outcomes'));
      return [...words.map(w => ratio(getComputedStyle(w).color)), ...marks.map(t => ratio(getComputedStyle(t).fill) + 0.75)];
    }"""
    papers = set()
    for scheme in ("light", "dark"):
        view = opened(viewport={"width": 1280, "height": 900}, color_scheme=scheme)
        papers.add(view.evaluate("getComputedStyle(document.body).backgroundColor"))
        assert min(view.evaluate(script)) >= 4.5
        assert view.said == []
    assert len(papers) == 2


def test_marks_change_with_the_scheme(opened):
    fills = [
        opened(viewport={"width": 1280, "height": 900}, color_scheme=scheme)
        .locator("#unanimity .mark-symbol path")
        .first.evaluate("mark => getComputedStyle(mark).fill")
        for scheme in ("light", "dark")
    ]
    assert fills[0] != fills[1]


def test_long_text_opens_with_the_keyboard(opened):
    view = opened(viewport={"width": 1280, "height": 900})
    clip = view.locator(".shown details.clip").first
    assert not clip.locator(".full").is_visible()
    clip.locator("summary").focus()
    view.keyboard.press("Enter")
    assert clip.locator(".full").is_visible()
    assert clip.locator(".full").inner_text().endswith("end of the long text")


def test_first_tab_reaches_the_skip_link(opened):
    view = opened(viewport={"width": 1280, "height": 900})
    view.keyboard.press("Tab")
    assert view.evaluate("document.activeElement.className") == "skip"


def test_copy_as_csv_keeps_whole_texts_and_disarms_formulas(opened, chromium):
    view = opened(viewport={"width": 1280, "height": 900}, permissions=["clipboard-read", "clipboard-write"])
    view.locator("button[data-table='shown-1']").click()
    view.wait_for_function(
        "[...document.querySelectorAll('button.copy')].some(button => button.textContent === 'Copied')"
    )
    csv = view.evaluate("navigator.clipboard.readText()")
    assert csv.splitlines()[0] == "question,key,runs say,share,replies"
    assert "end of the long text" in csv
    assert "more" not in csv
    assert "'=HYPERLINK" in csv
    assert len(csv.splitlines()) == 7


def test_print_is_light_and_hides_what_cannot_be_printed(opened):
    view = opened(viewport={"width": 800, "height": 1000}, color_scheme="dark")
    view.emulate_media(media="print", color_scheme="dark")
    assert view.locator("button.copy").first.is_hidden()
    assert view.locator("details.data").first.is_hidden()
    assert (
        view.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--paper').trim()")
        == "#ffffff"
    )
    assert view.locator("#survival svg").is_visible()


WIDE = Table(
    title="Wide", columns=tuple(f"column {place}" for place in range(14)), rows=(("0.123456",) * 14,)
)


@pytest.fixture
def traced(page, tmp_path):
    """A page with the figures of a trace, and a table that is wider than any screen tried."""
    figures = tuple(
        Figure(name=name, title=name, chart=chart(), caption="n = 300.", table=WIDE, shown=(WIDE,))
        for name, chart in planted_trace.CHARTS.items()
    )
    path = tmp_path / "trace.html"
    write_page(
        type(page)(title="limitset trace", scope="x", date="x", headline=("x",), figures=figures), path
    )
    return path


@pytest.mark.parametrize("width", [380, 768, 1200])
def test_figures_of_a_trace_are_drawn_whole(opened, traced, width):
    view = opened(traced, viewport={"width": width, "height": 900})
    assert view.locator(".chart svg").count() == len(planted_trace.CHARTS)
    assert view.evaluate("document.documentElement.scrollWidth") == width
    cut = view.evaluate("""() => [...document.querySelectorAll('.chart')].flatMap(box => {
      const edge = box.getBoundingClientRect();
      return [...box.querySelectorAll('svg text')].filter(text => {
        const own = text.getBoundingClientRect();
        return own.width && (own.right > edge.right + 1 || own.left < edge.left - 1);
      }).map(text => box.dataset.chart + ': ' + text.textContent);
    })""")
    assert cut == []
    assert view.said == []


@pytest.mark.parametrize("width", [320, 380, 768, 1200])
def test_the_unit_circle_is_round_at_every_width(opened, traced, width):
    view = opened(traced, viewport={"width": width, "height": 900})
    box = view.locator("#eigenvalues .mark-line path").first.bounding_box()
    assert box["width"] == pytest.approx(box["height"], rel=0.005)
    assert box["width"] > 200


def test_labels_of_an_axis_do_not_collide_on_a_narrow_screen(opened, traced):
    view = opened(traced, viewport={"width": 380, "height": 900})
    gaps = view.evaluate("""() => ['settled', 'same-place'].map(name => {
      const ticks = [...document.querySelectorAll('#' + name + ' .role-axis-label')].map(group =>
        [...group.querySelectorAll('text')].filter(text => text.getAttribute('opacity') !== '0' && getComputedStyle(text).opacity !== '0')
          .map(text => text.getBoundingClientRect()));
      const across = ticks.find(boxes => boxes.length > 3 && Math.abs(boxes[0].top - boxes[1].top) < 1).sort((a, b) => a.left - b.left);
      return Math.min(...across.slice(1).map((box, place) => box.left - across[place].right));
    })""")
    assert min(gaps) >= 2
    plot = view.locator("#settled .mark-line path").first.bounding_box()["width"]
    assert plot > 0.5 * view.locator("#settled .chart").bounding_box()["width"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_wide_table_shows_that_it_goes_on(opened, traced, scheme):
    """The last pixels of the box are shaded until the table is scrolled to its end."""
    view = opened(traced, viewport={"width": 380, "height": 900}, color_scheme=scheme)
    scroll = view.locator("#settled .under .scroll").first
    before = scroll.screenshot()
    scroll.evaluate("box => { box.scrollLeft = box.scrollWidth; }")
    after = scroll.screenshot()
    right_before, right_after = (_brightness(view, image, -2) for image in (before, after))
    left_before, left_after = (_brightness(view, image, 1) for image in (before, after))
    assert abs(right_before - right_after) > 20
    assert abs(left_before - left_after) > 20
    # shaded at first at the right, in the end at the left; never at the side where the table ends
    assert left_before == right_after


def _brightness(view, image, column):
    """Brightness of one pixel of a picture, near the bottom, where no word stands."""
    return view.evaluate(
        """async ([data, column]) => {
          const image = new Image();
          image.src = 'data:image/png;base64,' + data;
          await image.decode();
          const canvas = document.createElement('canvas');
          canvas.width = image.width;
          canvas.height = image.height;
          const pen = canvas.getContext('2d');
          pen.drawImage(image, 0, 0);
          return pen.getImageData(column < 0 ? image.width + column : column, image.height - 5, 1, 1).data[1];
        }""",
        [b64encode(image).decode(), column],
    )
