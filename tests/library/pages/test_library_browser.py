"""The library's pages in a real browser, from disk, with the network off."""

import datetime as dt

import pytest

from limitset.library.pages.writing import write_answer_page, write_library_pages

pytestmark = pytest.mark.browser
TODAY = dt.date(2026, 11, 22)
PAGES = (
    "index",
    "after",
    "before",
    "hostile",
    "claims/06a",
    "claims/24a",
    "claims/05a",
    "claims/12a",
    "claims/06b",
)


@pytest.fixture(scope="module")
def folder(library, tmp_path_factory):
    return tmp_path_factory.mktemp("pages")


@pytest.fixture
def opened(chromium, folder, library, before, after, hostile):
    """Open a page; return it with all that it said and asked for."""
    if not (folder / "index.html").is_file():
        write_library_pages(library, folder, today=TODAY)
        write_answer_page(before, folder / "before.html", library=library, pages="claims/")
        write_answer_page(after, folder / "after.html", before=before, library=library, pages="claims/")
        write_answer_page(hostile, folder / "hostile.html", library=library, pages="claims/")
    contexts = []

    def open_page(name, width=1280, **options):
        context = chromium.new_context(offline=True, viewport={"width": width, "height": 860}, **options)
        contexts.append(context)
        view = context.new_page()
        view.said, view.asked = [], []
        view.on("console", lambda message: view.said.append(message.text))
        view.on("pageerror", lambda error: view.said.append(str(error)))
        view.on("dialog", lambda dialog: (view.said.append("dialog"), dialog.dismiss()))
        view.on("request", lambda request: view.asked.append(request.url))
        view.goto((folder / f"{name}.html").as_uri())
        view.wait_for_function(
            "document.querySelectorAll('.chart[data-drawn]').length === document.querySelectorAll('.chart').length"
        )
        return view

    yield open_page
    for context in contexts:
        context.close()


@pytest.mark.parametrize("name", PAGES)
def test_pages_say_nothing_ask_for_nothing_and_fit(opened, name):
    for width in (380, 768, 1280):
        view = opened(name, width=width)
        assert view.said == []
        assert [url for url in view.asked if not url.startswith(("file:", "data:"))] == []
        assert view.evaluate("document.documentElement.scrollWidth") == width
        cut = view.evaluate("""() => [...document.querySelectorAll('.chart')].flatMap(box => {
          const edge = box.getBoundingClientRect();
          return [...box.querySelectorAll('svg text')].filter(text => {
            const own = text.getBoundingClientRect();
            return own.width && (own.right > edge.right + 1 || own.left < edge.left - 1);
          }).map(text => box.dataset.chart + ': ' + text.textContent);
        })""")
        assert cut == [], (name, width)


@pytest.mark.parametrize("name", ["after", "index", "claims/24a"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_have_contrast(opened, name, scheme):
    view = opened(name, color_scheme=scheme)
    ratios = view.evaluate("""() => {
      const parse = c => c.match(/[\\d.]+/g).slice(0, 3).map(Number);
      const lum = c => { const [r, g, b] = parse(c).map(v => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; }); return .2126 * r + .7152 * g + .0722 * b; };
      const ground = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (c !== 'rgba(0, 0, 0, 0)') return c; } };
      const ratio = e => { const a = [lum(getComputedStyle(e).color), lum(ground(e))].sort((x, y) => y - x); return (a[0] + .05) / (a[1] + .05); };
      return [...document.querySelectorAll('h1 span, .said li, .cite, .flag, .word, .intro, .about span, .title a, code, .kind, .when')].map(ratio);
    }""")
    assert min(ratios) >= 4.5


def test_first_screen_holds_question_labels_what_is_known_and_its_curve(opened):
    view = opened("after")
    for selector in ("h1", "#known li", "#known .foot", "#changed", "#curve h2"):
        box = view.locator(selector).first.bounding_box()
        assert box["y"] + min(box["height"], 40) < 860, selector
    assert (
        view.locator("h1 .standing")
        .all_inner_texts()[1]
        .replace("\n", " ")
        .split(":")[0]
        .endswith("Partial in toy models; one abstract read beside")
    )


def test_citation_leads_to_its_source(opened):
    view = opened("after")
    view.locator("#answer .cite", has_text="labovich-2026").first.click()
    assert view.evaluate("document.querySelector(':target').id") == "s-labovich-2026"


def test_prompt_and_commands_are_copied_whole(opened, after):
    view = opened("after", permissions=["clipboard-read", "clipboard-write"])
    view.locator("#prompt button.copy").click()
    view.locator("#prompt button.copy", has_text="Copied").wait_for()
    assert view.evaluate("navigator.clipboard.readText()").strip() == after.prompt.strip()
    view.locator("#next button.copy").first.click()
    view.locator("#next button.copy", has_text="Copied").wait_for()
    assert view.evaluate("navigator.clipboard.readText()") == "limitset claims test 06a"


def test_filters_show_only_what_fits(opened):
    view = opened("index")
    levels = view.locator("section[id^=level-] .entry:visible")
    # nothing fails that does not stand above: the levels are closed, and a filter opens them
    assert levels.count() == 0
    view.locator("[data-kind=verdict-fails]").click()
    assert levels.count() == 1
    view.locator("[data-kind=verdict-holds]").click()
    assert levels.count() == 2
    assert view.locator("#filters-count").inner_text() == "2 shown"
    view.locator("[data-kind=level-weights]").click()
    assert levels.all_inner_texts()[0].count("Fine-tuning") == 1
    assert view.locator("#level-hidden").is_hidden()
    for name in ("verdict-fails", "verdict-holds", "level-weights"):
        view.locator(f"[data-kind={name}]").click()
    assert levels.count() == 6


def test_without_script_levels_open_by_hand_and_no_button_is_shown(opened):
    view = opened("index", java_script_enabled=False)
    for summary in view.locator("section[id^=level-] summary").all():
        summary.click()
    assert view.locator("section[id^=level-] .entry:visible").count() == 6
    assert view.locator(".filters").is_hidden()
    assert view.locator("button:visible").count() == 0


def test_from_the_index_to_a_claim_and_back(opened):
    view = opened("index")
    view.locator("#contradicted .title a").click()
    view.wait_for_load_state()
    assert "Fails on toy models" in view.locator("h1").inner_text()
    view.locator(".brand a").click()
    view.wait_for_load_state()
    assert view.url.endswith("/index.html")
