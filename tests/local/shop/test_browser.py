"""The storefront in Chromium: a purchase and a download from end to end, at the width of a phone and of a desk."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from time import time

import httpx
import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from tests.backend.conftest import KEY_PAIR_ID

from keyfront.backend import Settings
from keyfront.core.keys import SigningKey
from keyfront.core.verification import ViewerRequest, verify
from keyfront.keystore import KeyStore
from keyfront.local.shop.app import shop_app
from keyfront.web.types import ASGIApp


@pytest.fixture
def shop(
    serve: Callable[[ASGIApp], AbstractContextManager[httpx.Client]],
    settings: Settings,
    engine: Engine,
    keystore: KeyStore,
    signing_key: SigningKey,
) -> Iterator[str]:
    """The shop's address. Its links lead to a judge on another port, which tells what it decided."""

    async def judge(request: Request) -> Response:
        url = f"http://{request.headers['host']}{request.scope['raw_path'].decode()}?{request.url.query}"
        decision = verify(ViewerRequest(url), {KEY_PAIR_ID: signing_key.public_key}, time())
        return PlainTextResponse(f"{decision.reason} {request.url.path}", decision.status)

    with serve(Starlette(routes=[Route("/{path:path}", judge)])) as edge:
        there = replace(settings, base_url=str(edge.base_url))
        with serve(shop_app(there, engine, keystore=keystore, title="Lamp & Key")) as client:
            yield str(client.base_url).rstrip("/")


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 320, "height": 800}, java_script_enabled=False)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    yield page
    context.close()
    # The browser also notes every refusal's status there.
    assert not [text for text in complaints if "the server responded with a status of" not in text]


def fits(page: Page) -> bool:
    """Whether nothing sticks out to the side, at the width of a desk, of a phone and of a small one."""
    wide = []
    for width in (1280, 390, 320):
        page.set_viewport_size({"width": width, "height": 800})
        wide.append(int(page.evaluate("document.documentElement.scrollWidth")) > width)
    return not any(wide)


def test_sign_in_see_what_is_yours_buy_and_download_without_any_script(page: Page, shop: str) -> None:
    page.goto(shop)
    assert fits(page)
    page.get_by_role("link", name="Sign in to get it Night Watch").click()
    page.get_by_role("button", name="Sign in as Tomas Okafor").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Night Watch"
    assert fits(page)
    page.get_by_role("button", name="Get it Night Watch for free").click()
    assert page.get_by_role("status").inner_text().startswith("“Night Watch” is yours.")
    page.get_by_role("link", name="Your library").click()
    assert fits(page)
    assert [heading.inner_text() for heading in page.get_by_role("heading", level=2).all()] == [
        "Harbour Lights",
        "Night Watch",
    ]
    page.get_by_role("link", name="Download Harbour Lights").click()
    assert page.inner_text("body") == "allowed /guides/Füße & 灯 + 100%*.pdf"


def test_trying_what_is_not_yours_shows_why_and_offers_the_way_out(page: Page, shop: str) -> None:
    page.goto(f"{shop}/download/lamps")
    assert page.get_by_role("heading", level=1).inner_text() == "Please sign in first"
    assert fits(page)
    page.get_by_role("main").get_by_role("link", name="Sign in").click()
    page.get_by_role("button", name="Sign in as Tomas Okafor").click()
    page.get_by_text("What happens when you press Download?").click()
    page.get_by_role("link", name="try to download it anyway").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Not in your library"
    assert fits(page)
    page.get_by_role("button", name="Buy The Keeper of Small Lights for €6.50").click()
    page.get_by_role("link", name="Download The Keeper of Small Lights").click()
    assert page.inner_text("body") == "allowed /lamps.epub"


def test_everything_can_be_reached_and_seen_from_the_keyboard(page: Page, shop: str) -> None:
    page.goto(f"{shop}/sign-in")
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "Skip to the content"
    assert page.locator(":focus").bounding_box() is not None
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert "Mara Lindqvist" in page.locator(":focus").inner_text()
    page.keyboard.press("Enter")
    page.wait_for_url(f"{shop}/")
    assert page.get_by_role("button", name="Sign out").is_visible()
