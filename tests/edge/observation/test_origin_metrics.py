"""How origins answer, as metrics."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from keyfront.inventory import CustomOrigin

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.edge.conftest import Lay


def test_an_origins_answers_and_failures_are_told(lay: Lay, eventually: Callable[..., None]) -> None:
    told: list[tuple[float, str]] = []
    laid = lay(on_answer=lambda seconds, outcome: told.append((seconds, outcome)))
    laid.origin.answer("/here", b"x")
    laid.serve()
    for path in ("/here", "/missing"):
        laid.viewer.get(path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = CustomOrigin(http_port=taken.getsockname()[1], protocol_policy="http-only")
    laid.serve(origins=(laid.web(custom=nobody),))
    laid.viewer.get("/nobody")
    eventually(lambda: len(told) == 3)
    assert [outcome for _, outcome in told] == ["200", "404", "error"]
    assert all(seconds >= 0 for seconds, _ in told)
