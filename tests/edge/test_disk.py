"""Large objects, which are kept on disk."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from keyfront.edge.cache.invalidations import Invalidation

if TYPE_CHECKING:
    from tests.edge.conftest import Laid, Lay

BODY = bytes(range(256)) * 8192
HOUR = {"Cache-Control": "max-age=3600", "ETag": '"v1"'}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "objects"


@pytest.fixture
def disk(lay: Lay, folder: Path) -> Laid:
    """An edge that keeps objects over 100 kB on disk: three of 2 MiB at most."""
    laid = lay(object_bytes=100_000, cache_bytes=1_000_000, disk_bytes=3 * len(BODY), disk_directory=folder)
    laid.serve()
    return laid


def chunked(body: bytes, *, end: bytes = b"0\r\n\r\n") -> Callable[[BaseHTTPRequestHandler], None]:
    def handler(request: BaseHTTPRequestHandler) -> None:
        head = b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n"
        request.wfile.write(head)
        for start in range(0, len(body), 65536):
            piece = body[start : start + 65536]
            request.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        request.wfile.write(end)
        request.close_connection = not end

    return handler


def test_a_large_object_is_kept_and_comes_whole_and_in_parts(disk: Laid, folder: Path) -> None:
    disk.origin.answer("/a", BODY, headers=HOUR)
    for result in ("Miss", "Hit", "Hit"):
        reply = disk.viewer.get("/a")
        assert (reply.cache, reply.body == BODY, reply.headers["content-length"]) == (result, True, str(len(BODY)))
    part = disk.viewer.get("/a", headers={"Range": "bytes=1000000-1999999"})
    assert (part.cache, part.body == BODY[1_000_000:2_000_000]) == ("Hit", True)
    assert len(disk.origin.asked) == 1
    assert disk.edge.cache.disk_size == len(BODY)
    assert disk.edge.cache.size < 100_000
    assert list(folder.iterdir()) == [], "a file without a name is gone with the process"


def test_a_large_object_without_a_length_is_kept_too(disk: Laid) -> None:
    disk.origin.handle("/a", chunked(BODY))
    assert disk.viewer.get("/a").body == BODY
    again = disk.viewer.get("/a")
    assert (again.cache, again.body == BODY) == ("Hit", True)
    assert disk.edge.cache.disk_size == len(BODY)


def test_the_disk_is_bounded_and_the_longest_unused_goes(disk: Laid) -> None:
    for name in "abc":
        disk.origin.answer(f"/{name}", BODY, headers=HOUR)
        disk.viewer.get(f"/{name}")
    assert disk.viewer.get("/a").cache == "Hit"
    disk.origin.answer("/d", BODY, headers=HOUR)
    disk.viewer.get("/d")
    assert disk.edge.cache.disk_size <= 3 * len(BODY)
    assert [disk.viewer.get(f"/{name}").cache for name in "acd"] == ["Hit", "Hit", "Hit"]
    assert disk.viewer.get("/b").cache == "Miss"


@pytest.mark.parametrize("how", ["length", "chunked"])
def test_what_is_larger_than_the_disk_passes_and_is_not_kept(disk: Laid, how: str) -> None:
    body = BODY * 4
    if how == "length":
        disk.origin.answer("/a", body, headers=HOUR)
    else:
        disk.origin.handle("/a", chunked(body))
    for _ in range(2):
        reply = disk.viewer.get("/a")
        assert (reply.body == body, reply.complete, reply.cache) == (True, True, "Miss")
    assert disk.edge.cache.disk_size == 0


def test_what_breaks_off_is_not_passed_off_as_whole_later(disk: Laid) -> None:
    def dying(request: BaseHTTPRequestHandler) -> None:
        head = f'HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nETag: "v1"\r\nContent-Length: {len(BODY)}\r\n\r\n'
        request.wfile.write(head.encode() + BODY[:1_000_000])
        request.wfile.flush()
        request.connection.shutdown(socket.SHUT_RDWR)
        request.close_connection = True

    disk.origin.handle("/a", dying)
    disk.origin.handle("/b", chunked(BODY, end=b""))
    assert not disk.viewer.get("/a").complete
    assert not disk.viewer.get("/b").complete
    disk.origin.answer("/a", BODY, headers=HOUR)
    disk.origin.answer("/b", BODY, headers=HOUR)
    for name in ("/a", "/b"):
        reply = disk.viewer.get(name)
        assert (reply.body == BODY, reply.cache) == (True, "Miss")


def test_an_expired_object_on_disk_is_confirmed(disk: Laid) -> None:
    disk.origin.answer("/a", BODY, headers=HOUR)
    disk.viewer.get("/a")
    disk.clock.ahead = 4000
    disk.origin.answer("/a", status=304, headers={"ETag": '"v1"', "Cache-Control": "max-age=60"})
    reply = disk.viewer.get("/a")
    assert (reply.cache, reply.body == BODY) == ("RefreshHit", True)
    assert (disk.viewer.get("/a").cache, disk.edge.cache.disk_size) == ("Hit", len(BODY))


def test_invalidations_free_the_disk(disk: Laid) -> None:
    disk.origin.answer("/films/a", BODY, headers=HOUR)
    disk.viewer.get("/films/a")
    disk.edge.cache.purge(Invalidation("I1", "E1", ("/films/*",)).matcher())
    assert disk.edge.cache.disk_size == 0
    assert disk.viewer.get("/films/a").cache == "Miss"


def test_a_folder_that_cannot_be_written_costs_the_caching_alone(
    lay: Lay, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "taken").write_bytes(b"")
    laid = lay(object_bytes=1000, disk_bytes=1 << 30, disk_directory=tmp_path / "taken" / "objects")
    laid.serve()
    laid.origin.answer("/a", BODY, headers=HOUR)
    assert [(laid.viewer.get("/a").body == BODY, laid.viewer.get("/a").cache) for _ in range(2)] == [(True, "Miss")] * 2
    assert "large objects cannot be cached" in caplog.text


@pytest.mark.parametrize("how", ["length", "chunked"])
@pytest.mark.parametrize("room", [0, 1024 * 1024], ids=["no room", "room for half"])
def test_on_a_full_disk_viewers_get_everything_and_it_is_said_once_each_way(
    lay: Lay,
    small_disk: Callable[[int], Any],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    how: str,
    room: int,
) -> None:
    monkeypatch.setattr("keyfront.edge.cache.bodies._CALM_SECONDS", 3.0)
    disk = small_disk(8192)
    laid = lay(object_bytes=1_500_000, disk_bytes=1 << 30, disk_directory=disk.path / "objects")
    laid.serve()
    if how == "length":
        laid.origin.answer("/a", BODY, headers=HOUR)
    else:
        laid.origin.handle("/a", chunked(BODY))
    disk.fill(leave=room)

    def said() -> list[str]:
        return [record.getMessage() for record in caplog.records if record.name == "keyfront.edge.cache.bodies"]

    with caplog.at_level(logging.WARNING, "keyfront"):
        for _ in range(2):
            reply = laid.viewer.get("/a")
            assert (reply.status, reply.cache, reply.body == BODY) == (200, "Miss", True)
        with ThreadPoolExecutor(4) as together:
            replies = list(together.map(laid.viewer.get, ["/a"] * 4))
        assert [reply.body == BODY for reply in replies] == [True] * 4
        assert ["No space left on device" in line for line in said()] == [True]
        disk.empty()
        assert laid.viewer.get("/a").body == BODY
        assert (laid.viewer.get("/a").cache, laid.viewer.get("/a").body == BODY) == ("Hit", True)
        laid.origin.answer("/b", BODY[:1_600_000], headers=HOUR | {"Cache-Control": "max-age=0"})
        deadline = time.monotonic() + 60
        while len(said()) == 1:
            assert time.monotonic() < deadline
            assert laid.viewer.get("/b").status == 200
    assert ["again" in line for line in said()] == [False, True]
