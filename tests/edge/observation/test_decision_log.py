"""The log of decisions, from requests that a real edge answered."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest

from keyfront.edge.observation.decision_log import DecisionLog

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.edge.conftest import Laid, Lay


@pytest.fixture
def log() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def laid(lay: Lay, log: io.StringIO) -> Laid:
    made = lay(observers=[DecisionLog(log)])
    made.origin.answer("/book.epub", b"content", headers={"Cache-Control": "max-age=60"})
    made.serve(made.behavior(trusted_key_groups=("g1",)))
    return made


def test_an_allowed_request_has_its_key_and_what_the_cache_had(
    laid: Laid, log: io.StringIO, eventually: Callable[..., None]
) -> None:
    target = laid.signed("/book.epub")
    laid.viewer.get(target)
    eventually(lambda: "\n" in log.getvalue())
    laid.viewer.get(target)
    eventually(lambda: log.getvalue().count("\n") == 2)
    first, second = log.getvalue().splitlines()
    assert first.split()[1:] == ["127.0.0.1", "200", "Miss", "K1", "allowed", "GET", first.split()[-1]]
    assert second.split()[3] == "Hit"
    assert first.endswith("http://d1.cloudfront.localhost/book.epub")


def test_a_refused_request_has_the_exact_reason(laid: Laid, log: io.StringIO, eventually: Callable[..., None]) -> None:
    laid.viewer.get("/book.epub")
    laid.viewer.get(laid.signed("/book.epub").replace("Key-Pair-Id=K1", "Key-Pair-Id=K9"))
    laid.viewer.get(laid.signed("/book.epub").replace("/book.epub?", "/book.epub?page=2&"))
    late = laid.signed("/book.epub")
    laid.clock.ahead = 3600
    laid.viewer.get(late)
    eventually(lambda: log.getvalue().count("\n") == 4)
    reasons = [line.split()[5] for line in log.getvalue().splitlines()]
    assert reasons == ["missing-key-pair-id", "unknown-key", "signature-mismatch", "expired"]


def test_a_signature_is_never_in_it(laid: Laid, log: io.StringIO, eventually: Callable[..., None]) -> None:
    target = laid.signed("/book.epub")
    laid.viewer.get(target)
    eventually(lambda: "\n" in log.getvalue())
    assert "Signature" not in log.getvalue()
    assert target.partition("Signature=")[2][:20] not in log.getvalue()


def test_what_a_viewer_sends_cannot_steer_the_terminal(
    laid: Laid, log: io.StringIO, eventually: Callable[..., None]
) -> None:
    laid.viewer.get("/a?Key-Pair-Id=%1b[2J%0afaked&Expires=1&Signature=a")
    eventually(lambda: "\n" in log.getvalue())
    assert log.getvalue().count("\n") == 1
    assert "\x1b" not in log.getvalue()


def test_colour_is_for_terminals(lay: Lay, eventually: Callable[..., None]) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    made: Any = lay(observers=[DecisionLog(terminal)])
    made.serve()
    made.viewer.get("/missing")
    eventually(lambda: "\n" in terminal.getvalue())
    assert terminal.getvalue().startswith("\x1b[31m")


def test_a_download_that_breaks_off_says_so(laid: Laid, log: io.StringIO, eventually: Callable[..., None]) -> None:
    def lie(request: Any) -> None:
        request.send_response_only(200)
        request.send_header("Content-Length", "100")
        request.end_headers()
        request.wfile.write(b"ten bytes.")
        request.wfile.flush()
        request.close_connection = True

    laid.origin.handle("/lies.bin", lie)
    assert not laid.viewer.get(laid.signed("/lies.bin")).complete
    eventually(lambda: "\n" in log.getvalue())
    assert "(broken off)" in log.getvalue()
