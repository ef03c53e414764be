"""Who may talk to a port: by its names, and by what browsers say of themselves."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyfront.web.local import LocalOnly, browser_refusal, foreign_page_refusal, host_name, host_refusal, is_loopback

OURS = [(b"host", b"127.0.0.1:8000")]


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "127.255.0.3", "::1", "0:0:0:0:0:0:0:1"])
def test_loopback(name: str) -> None:
    assert is_loopback(name)


@pytest.mark.parametrize(
    "name",
    [
        *("0.0.0.0", "::", "::ffff:127.0.0.1", "::ffff:7f00:1", "127.1", "127.0.0.01", "0177.0.0.1", "2130706433"),
        *("0x7f.0.0.1", "localhost.", "x.localhost", "::1%lo", "128.0.0.1", "", "127.0.0.1 ", "１27.0.0.1"),
    ],
)
def test_not_loopback(name: str) -> None:
    assert not is_loopback(name)


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (b"LocalHost", "localhost"),
        (b"localhost:80", "localhost"),
        (b"[::1]:80", "::1"),
        (b"[::1]", "::1"),
        (b"", None),
        (b"::1", None),
        (b"[localhost]", None),
        (b"localhost:http", None),
        (b"a@localhost", None),
        (b"localhost, localhost", None),
        (b"localhost\\", None),
        (b"localhost/", None),
    ],
)
def test_the_name_in_a_host_header(header: bytes, name: str | None) -> None:
    assert host_name([(b"host", header)]) == name


def test_two_host_headers_name_nobody() -> None:
    assert host_name([(b"host", b"localhost"), (b"host", b"localhost")]) is None
    assert "exactly one Host" in str(host_refusal([(b"host", b"localhost"), (b"host", b"evil.example")]))


def test_a_port_may_have_names_of_its_own() -> None:
    asked = [(b"host", b"shop.s3.localhost")]
    assert host_refusal(asked) is not None
    assert host_refusal(asked, lambda name: name == "shop.s3.localhost") is None


@given(st.text(max_size=40))
def test_only_loopback_is_answered_by_default(host: str) -> None:
    name = host_name([(b"host", host.encode("utf-8"))])
    if host_refusal([(b"host", host.encode("utf-8"))]) is None:
        assert name is not None
        assert is_loopback(name)


@pytest.mark.parametrize(
    "sent",
    [(b"origin", b"http://localhost"), (b"origin", b"null"), (b"sec-fetch-site", b"none"), (b"sec-fetch-x", b"")],
)
def test_what_says_that_it_is_a_browser_is_one(sent: tuple[bytes, bytes]) -> None:
    assert browser_refusal([*OURS, sent]) is not None
    assert browser_refusal(OURS) is None


@pytest.mark.parametrize(
    ("site", "mode", "dest", "taken"),
    [
        (b"same-origin", b"cors", b"empty", True),
        (b"none", b"navigate", b"document", True),
        (b"cross-site", b"navigate", b"document", True),
        (b"cross-site", b"navigate", b"iframe", False),
        (b"cross-site", b"no-cors", b"image", False),
        (b"same-site", b"cors", b"empty", False),
        (b"same-site", b"no-cors", b"script", False),
    ],
)
def test_a_page_of_another_site_only_links_to_ours(site: bytes, mode: bytes, dest: bytes, taken: bool) -> None:
    asked = [*OURS, (b"sec-fetch-site", site), (b"sec-fetch-mode", mode), (b"sec-fetch-dest", dest)]
    assert (foreign_page_refusal(asked) is None) == taken


@pytest.mark.parametrize(
    ("browsers", "headers", "status"),
    [
        (False, OURS, 200),
        (True, OURS, 200),
        (False, [*OURS, (b"sec-fetch-site", b"none")], 403),
        (True, [*OURS, (b"sec-fetch-site", b"none")], 200),
        (True, [(b"host", b"evil.example")], 403),
        (False, [(b"host", b"0.0.0.0:8000")], 403),
        (False, [], 403),
    ],
)
def test_the_application_behind_is_asked_or_not(
    browsers: bool, headers: list[tuple[bytes, bytes]], status: int
) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(LocalOnly(app, browsers=browsers)({"type": "http", "headers": headers}, receive, send))
    assert sent[0]["status"] == status
