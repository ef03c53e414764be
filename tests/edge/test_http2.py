"""HTTP/2 to viewers, over HTTPS, with the real curl."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from keyfront.edge.request.admission import Door
from keyfront.edge.server.asgi import application
from keyfront.edge.server.certificates import Authority
from keyfront.web.serving import Listener, bind

if TYPE_CHECKING:
    from tests.edge.conftest import Laid
    from tests.servers import Loop

HOST = "d1.cloudfront.localhost"
Ask = Callable[..., str]


@pytest.fixture
def ask(laid: Laid, loop: Loop, tmp_path: Path, need_tool: Callable[[str], Path]) -> Iterator[Ask]:
    """Ask the edge for a target over HTTP/2; the answer with its head."""
    curl, authority = need_tool("curl"), Authority(tmp_path)

    async def start() -> Listener:
        listener = Listener(application(laid.edge, Door()), bind("127.0.0.1", 0), tls=authority.server([]))
        listener.start()
        return listener

    listener = loop.run(start())

    def run(target: str, *options: str) -> str:
        own = ("--http2", "--path-as-is", "--cacert", str(authority.certificate), "--noproxy", "*")
        resolve = ("--resolve", f"{HOST}:{listener.port}:127.0.0.1")
        url = f"https://{HOST}:{listener.port}{target}"
        asked = [str(curl), "-sSi", "--max-time", "20", *own, *resolve, *options, url]
        return subprocess.run(asked, check=True, capture_output=True, text=True).stdout.replace("\r", "")

    run.port = listener.port  # type: ignore[attr-defined]
    yield run
    loop.run(listener.stop())


def test_objects_are_served_and_cached(ask: Ask, laid: Laid) -> None:
    laid.origin.answer("/a", b"hello", headers={"Cache-Control": "max-age=60", "Connection": "keep-alive"})
    first, second = ask("/a"), ask("/a", "--http1.1")
    assert first.startswith("HTTP/2 200")
    assert first.endswith("\n\nhello")
    assert "x-cache: Miss from cloudfront" in first
    assert second.startswith("HTTP/1.1 200")
    assert "x-cache: Hit from cloudfront" in second


def test_the_url_judged_is_that_of_the_authority(ask: Ask, laid: Laid) -> None:
    laid.serve(laid.behavior(trusted_key_groups=("g1",)))
    laid.origin.answer("/a", b"hello")
    port = ask.port  # type: ignore[attr-defined]
    url = laid.signer.sign_url(f"https://{HOST}:{port}/a", expires=int(laid.clock()) + 60)
    target = url.removeprefix(f"https://{HOST}:{port}")
    assert ask(target).endswith("\n\nhello")
    assert "<Code>MissingKey</Code>" in ask("/a")
    assert "<Code>AccessDenied</Code>" in ask(f"{target}&x=1")
    cookies = laid.signer.sign_cookies(f"https://{HOST}:{port}/*", expires=int(laid.clock()) + 60)
    assert ask("/a", "-H", "Cookie: " + "; ".join(f"{name}={value}" for name, value in cookies.items())).endswith(
        "hello"
    )


def test_bodies_pass_and_refusals_do_not_name_the_connection(ask: Ask, laid: Laid) -> None:
    laid.serve(laid.behavior(allowed_methods=("GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE")))
    laid.origin.answer("/in", b"taken")
    assert ask("/in", "--data", "x" * 100_000).endswith("taken")
    assert laid.origin.asked[0].body == b"x" * 100_000
    refused = ask("/a", "-H", f"X-Filler: {'x' * 21_000}")
    assert refused.startswith("HTTP/2 413")
    assert "connection:" not in refused


def test_no_spelling_of_a_private_path_is_public(ask: Ask, laid: Laid) -> None:
    laid.serve(laid.behavior("/private/*", trusted_key_groups=("g1",)), laid.behavior())
    for target in ("/public/../private/x", "//private/x", "/private%2fx"):
        assert ask(target).startswith("HTTP/2 403")
    assert laid.origin.asked == []
