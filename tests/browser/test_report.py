"""The report in a real browser: quiet, self-contained, in view at every width, and readable without scripts."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench.reporting.page import write_report
from tests.reporting.example_run import write_example

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_report(write_example(tmp_path_factory.mktemp("run"))).as_uri()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium")
    assert path, "these tests need Chromium on the PATH: without it they fail, they are not skipped"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Browser, report: str) -> Iterator[Page]:
    opened = browser.new_page(viewport={"width": 1400, "height": 900})
    opened.goto(report)
    yield opened
    opened.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_quiet_and_asks_for_nothing(browser: Browser, report: str, scheme: str) -> None:
    opened = browser.new_page(color_scheme=scheme)
    said: list[str] = []
    asked: list[str] = []
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on("request", lambda request: asked.append(request.url))
    opened.goto(report)
    opened.click("#expand")
    assert said == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert opened.evaluate("window.taken") is None
    opened.close()


@pytest.mark.parametrize("width", [390, 800, 1400])
def test_nothing_overflows_sideways(browser: Browser, report: str, width: int) -> None:
    opened = browser.new_page(viewport={"width": width, "height": 900})
    opened.goto(report)
    opened.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = true))")
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    opened.close()


def test_on_a_telephone_all_four_systems_are_in_view(browser: Browser, report: str) -> None:
    opened = browser.new_page(viewport={"width": 390, "height": 900})
    opened.goto(report)
    ends = opened.eval_on_selector_all(
        "#measures .measures td.number, .heat td", "cells => cells.map(c => c.getBoundingClientRect().right)"
    )
    assert len(ends) > 30
    assert max(ends) <= 390
    opened.close()


def test_a_column_sorts_both_ways(page: Page) -> None:
    def column() -> list[float]:
        values: list[float] = page.eval_on_selector_all(
            ".heat tbody tr", "rows => rows.map(r => parseFloat(r.cells[2].dataset.sort))"
        )
        return values

    before = column()
    assert before not in (sorted(before), sorted(before, reverse=True))
    page.click(".heat thead th:nth-child(3) button")
    assert column() == sorted(before, reverse=True)
    assert page.get_attribute(".heat thead th:nth-child(3)", "aria-sort") == "descending"
    page.click(".heat thead th:nth-child(3) button")
    assert column() == sorted(before)


def test_filters_narrow_the_samples(page: Page) -> None:
    every = page.locator(".sample:visible").count()
    page.select_option("#filter-kind", "refused")
    refused = page.locator(".sample:visible").count()
    assert 0 < refused < every == 60
    assert refused == page.locator('.sample[data-kinds~="refused"]').count()
    assert page.inner_text("#filter-count") == f"{refused} of 60"
    page.select_option("#filter-task", "ticket routing")
    assert (
        page.locator(".sample:visible").count()
        == page.locator('.sample[data-kinds~="refused"][data-task="ticket routing"]').count()
    )
    page.fill("#filter-text", "no sample holds these words")
    assert page.locator(".sample:visible").count() == 0


def test_samples_open_all_at_once(page: Page) -> None:
    page.click("#expand")
    assert page.locator(".sample[open]").count() == 60
    page.click("#expand")
    assert page.locator(".sample[open]").count() == 0


def test_without_scripts_everything_is_there(browser: Browser, report: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    opened = context.new_page()
    opened.goto(report)
    for part in ("h1", "#measures table.measures", ".heat", "#latency table.measures", ".grid svg", ".bars"):
        assert opened.locator(part).first.is_visible(), part
    assert not opened.locator(".filters").is_visible()
    sample = opened.locator(".sample").first
    sample.locator("summary").click()
    assert sample.locator(".sample-body").is_visible()
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_keeps_the_contrast_of_wcag_aa(browser: Browser, report: str, scheme: str) -> None:
    opened = browser.new_page(color_scheme=scheme, viewport={"width": 1400, "height": 900})
    opened.goto(report)
    opened.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = true))")
    worst = opened.evaluate((Path(__file__).parent / "contrast.js").read_text(encoding="utf-8"))
    assert worst["checked"] > 500
    assert worst["ratio"] >= 4.5, worst
    opened.close()


def test_the_print_is_light_and_complete(browser: Browser, report: str) -> None:
    opened = browser.new_page(color_scheme="dark", viewport={"width": 690, "height": 900})
    opened.goto(report)
    opened.emulate_media(media="print", color_scheme="dark")
    assert opened.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert opened.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    assert not opened.locator("nav").is_visible()
    assert opened.locator("details.task table").first.is_visible()
    opened.close()
