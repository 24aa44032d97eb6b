"""The leaderboard in a real browser: quiet, self-contained, in view at every width, readable in both schemes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.test_report import browser  # noqa: F401
from tests.calling import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser
PAGE = (ROOT / "results" / "leaderboard.html").as_uri()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_quiet_asks_for_nothing_and_keeps_its_contrast(browser: Browser, scheme: str) -> None:  # noqa: F811
    opened = browser.new_page(color_scheme=scheme, viewport={"width": 1400, "height": 900})
    said: list[str] = []
    asked: list[str] = []
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on("request", lambda request: asked.append(request.url))
    opened.goto(PAGE)
    opened.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = true))")
    worst = opened.evaluate((Path(__file__).parent / "contrast.js").read_text(encoding="utf-8"))
    assert worst["checked"] > 50
    assert worst["ratio"] >= 4.5, worst
    assert said == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    opened.close()


@pytest.mark.parametrize("width", [390, 800, 1400])
def test_nothing_overflows_sideways(browser: Browser, width: int) -> None:  # noqa: F811
    opened = browser.new_page(viewport={"width": width, "height": 900})
    opened.goto(PAGE)
    opened.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = true))")
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    opened.close()


def test_the_index_leads_to_every_result(browser: Browser) -> None:  # noqa: F811
    opened = browser.new_page()
    opened.goto(PAGE)
    names = opened.eval_on_selector_all(".index a", "links => links.map(l => l.getAttribute('href'))")
    assert len(names) >= 5
    assert all(opened.locator(name).is_visible() for name in names)
    opened.close()
