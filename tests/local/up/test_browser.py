"""The shop in a real browser: sign in, download what was bought through the edge, be refused the rest."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page


@pytest.fixture(scope="module")
def signed_in(browser: Browser, up: Any) -> Iterator[BrowserContext]:
    """A browser whose user has signed in."""
    context = browser.new_context(accept_downloads=True)
    page = context.new_page()
    page.goto(up.printed["shop"])
    page.get_by_role("link", name="Sign in").first.click()
    page.get_by_role("button", name="Mara").click()
    yield context
    context.close()


@pytest.fixture
def page(signed_in: BrowserContext, up: Any) -> Page:
    """The one window, at the shop's first page."""
    (page,) = signed_in.pages
    page.goto(up.printed["shop"])
    return page


@pytest.mark.parametrize("ending", [".epub", ".flac"])
def test_what_was_bought_is_downloaded_through_the_edge(page: Page, up: Any, ending: str) -> None:
    book = next(item for item in up.printed["items"] if item["key"].endswith(ending))
    with page.expect_download() as downloading:
        page.locator(f"a[href$='/download/{book['id']}']").first.click()
    download = downloading.value
    assert download.url.startswith(f"{up.printed['edge']['http']}/{book['path']}?Expires=")
    assert download.suggested_filename == book["key"]
    assert Path(download.path()).read_bytes() == Path(book["file"]).read_bytes()


def test_what_was_not_bought_is_refused_with_the_reason(page: Page, up: Any) -> None:
    answer = page.goto(f"{up.printed['shop']}/download/harbour-lights")
    assert answer is not None
    assert answer.status == 403
    assert "has not bought" in page.inner_text("main")


def test_a_link_that_was_tampered_with_is_refused_by_the_edge(page: Page) -> None:
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download").first.click()
    answer = page.goto(downloading.value.url.replace("Expires=1", "Expires=2"))
    assert answer is not None
    assert answer.status == 403
    assert answer.text() == (
        '<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code><Message>Access denied</Message></Error>'
    )


def test_the_page_fits_its_window(page: Page) -> None:
    for width, height in ((1280, 900), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
