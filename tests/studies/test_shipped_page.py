"""Does the page of the shipped example open in a browser without a word on its console?"""

from pathlib import Path

import numpy as np
import pytest

from limitset.core import parquet
from limitset.core.ends import Ends
from limitset.core.loops import ORBIT_KINDS
from limitset.datasets.anchored import anchored
from limitset.report.analysis import analyse
from limitset.report.first_page import build_page
from limitset.report.page import write_page

SHIPPED = Path(__file__).parents[2] / "runs" / "first-look"


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    ends = Ends.read(SHIPPED / "ends.parquet")
    items = anchored().items
    kept = np.isin(items.texts("item"), list(set(ends.texts("item"))))
    analysis = analyse(ends, items.where(kept), parquet.read(SHIPPED / "orbits.parquet", ORBIT_KINDS))
    path = tmp_path_factory.mktemp("page") / "report.html"
    write_page(build_page(analysis, title="first look", scope="two models", date="2026-11-22"), path)
    return path


@pytest.mark.browser
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 380)])
def test_real_page_is_quiet_and_drawn(report, chromium, scheme, width):
    context = chromium.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True
    )
    view = context.new_page()
    said: list[str] = []
    view.on("console", lambda message: said.append(message.text))
    view.on("pageerror", lambda error: said.append(str(error)))
    view.goto(report.as_uri())
    view.wait_for_function(
        "document.querySelectorAll('.chart svg').length == document.querySelectorAll('.chart').length"
    )
    assert said == []
    assert view.locator(".chart svg").count() == 7
    assert view.evaluate("document.documentElement.scrollWidth") <= width
    assert report.stat().st_size < 2_000_000
