"""The shop's page that says why a link is refused."""

from __future__ import annotations

import html
import re
import time
from typing import TYPE_CHECKING

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from tests.backend.conftest import KEY_PAIR_ID

from keyfront.backend import Settings
from keyfront.core.signing import Signer
from keyfront.core.verification import ViewerRequest, error_body, verify
from keyfront.explain.rules import RULES
from keyfront.local.shop.app import shop_app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    import httpx
    from sqlalchemy import Engine
    from starlette.requests import Request

    from keyfront.core.keys import SigningKey
    from keyfront.keystore import KeyStore
    from keyfront.web.types import ASGIApp


class Door:
    """An edge that judges links, and says what a test wants besides."""

    def __init__(self, key: SigningKey) -> None:
        self.key = key
        self.trusted = True
        self.finding = ""
        self.url = ""
        self.asked: list[str] = []

    async def answer(self, request: Request) -> Response:
        self.asked.append(request.url.path)
        if request.url.path == "/moved":
            return RedirectResponse("/elsewhere")
        if request.url.path == "/s3":
            body = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message><RequestId>1</RequestId></Error>"
            return Response(body, 403, media_type="application/xml")
        url = f"http://{request.headers['host']}{request.scope['raw_path'].decode()}?{request.url.query}"
        decision = verify(ViewerRequest(url), {KEY_PAIR_ID: self.key.public_key} if self.trusted else {}, time.time())
        if decision.allowed:
            return PlainTextResponse("the file")
        headers = {"X-Keyfront-Finding": self.finding} if self.finding else {}
        said = error_body(decision.code or "", decision.message or "")
        return Response(said, decision.status, headers, "text/xml")


@pytest.fixture
def door(signing_key: SigningKey) -> Door:
    return Door(signing_key)


@pytest.fixture
def shop(
    serve: Callable[[ASGIApp], AbstractContextManager[httpx.Client]],
    door: Door,
    engine: Engine,
    keystore: KeyStore,
) -> Iterator[httpx.Client]:
    with serve(Starlette(routes=[Route("/{path:path}", door.answer)])) as edge:
        door.url = str(edge.base_url).rstrip("/")
        settings = Settings(door.url, "ssm:/shop/key", KEY_PAIR_ID)
        with serve(shop_app(settings, engine, keystore=keystore)) as client:
            client.headers["Accept"] = "text/html"
            yield client


def _signed(door: Door, path: str = "/lamps.epub", *, at: float | None = None) -> str:
    signer = Signer(KEY_PAIR_ID, door.key, clock=lambda: at or time.time())
    return signer.sign_url(f"{door.url}{path}", expires=int(at or time.time()) + 60)


def _explained(shop: httpx.Client, link: str) -> str:
    reply = shop.post("/refused", data={"link": link})
    assert reply.status_code == 200
    return html.unescape(re.sub(r"<[^>]+>", "", reply.text))


def test_the_page_asks_for_a_link(shop: httpx.Client) -> None:
    page = shop.get("/refused").text
    assert "<textarea" in page
    assert 'href="/refused"' in shop.get("/items/lamps").text


def test_an_expired_link_is_explained_with_what_the_shop_knows(shop: httpx.Client, door: Door) -> None:
    text = _explained(shop, _signed(door, at=time.time() - 3600))
    rule = RULES["expired"]
    assert "403" in text
    assert "AccessDenied" in text
    assert rule.title in text
    assert "2 min" in text or "ago" in text  # the evidence is of this very link
    assert rule.fix.replace("`", "") in text


def test_the_edges_own_finding_comes_first(shop: httpx.Client, door: Door) -> None:
    """Only the edge knows that the key is not trusted any more."""
    door.trusted, door.finding = False, "key-not-trusted"
    reply = shop.post("/refused", data={"link": _signed(door)})
    assert RULES["key-not-trusted"].title in html.unescape(reply.text)
    assert "keyfront explain --about key-not-trusted</code>" in reply.text


def test_a_finding_that_is_none_counts_for_nothing(shop: httpx.Client, door: Door) -> None:
    door.finding = "<script>alert(1)</script>"
    text = _explained(shop, _signed(door).replace("lamps", "lights"))
    assert RULES["signature-does-not-match"].title in text
    assert "alert(1)" not in text


def test_s3s_refusal_is_told_from_cloudfronts(shop: httpx.Client, door: Door) -> None:
    assert RULES["s3-access-denied"].title in _explained(shop, f"{door.url}/s3")


def test_a_link_that_is_let_in_is_said_to_work(shop: httpx.Client, door: Door) -> None:
    assert "This link opens its file" in _explained(shop, f"  {_signed(door)}\n")


def test_redirects_are_not_followed(shop: httpx.Client, door: Door) -> None:
    assert "opens its file" not in _explained(shop, f"{door.url}/moved")
    assert door.asked == ["/moved"]


@pytest.mark.parametrize(
    "link",
    [
        "",
        "no link",
        "http://127.0.0.1:1/a",
        "http://[::1/a",
        "https://{host}/a",
        "http://user@{host}/a",
        "http://{host}.example.com/a",
        "file:///etc/passwd",
        "http://{host}/é",
        "http://{host}/a b",
        "http://{host}/" + "a" * 8200,
    ],
)
def test_nothing_but_the_shops_own_links_is_asked_for(shop: httpx.Client, door: Door, link: str) -> None:
    reply = shop.post("/refused", data={"link": link.replace("{host}", door.url.partition("://")[2])})
    assert (reply.status_code, door.asked) == (400, [])


def test_the_link_is_escaped_where_it_is_shown_again(shop: httpx.Client, door: Door) -> None:
    page = shop.post("/refused", data={"link": f"{door.url}/a?</textarea><b>&Expires=1"}).text
    assert "</textarea><b>" not in page


def test_an_edge_that_does_not_answer_is_said_to_be_unavailable(
    serve: Callable[[ASGIApp], AbstractContextManager[httpx.Client]], engine: Engine, keystore: KeyStore
) -> None:
    settings = Settings("http://127.0.0.1:9", "ssm:/shop/key", KEY_PAIR_ID)
    with serve(shop_app(settings, engine, keystore=keystore)) as client:
        assert client.post("/refused", data={"link": "http://127.0.0.1:9/a"}).status_code == 503
