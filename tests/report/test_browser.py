"""The page in a real browser, from disk, with the network off."""

import pytest

pytestmark = pytest.mark.browser


@pytest.fixture
def opened(chromium, written):
    """Open the page; return it with all that it said and asked for."""
    contexts = []

    def open_page(**options):
        context = chromium.new_context(offline=True, **options)
        contexts.append(context)
        view = context.new_page()
        view.said, view.asked = [], []
        view.on("console", lambda message: view.said.append(message.text))
        view.on("pageerror", lambda error: view.said.append(str(error)))
        view.on("dialog", lambda dialog: (view.said.append("dialog"), dialog.dismiss()))
        view.on("request", lambda request: view.asked.append(request.url))
        view.goto(written.as_uri())
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
