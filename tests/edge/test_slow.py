"""Slow and idle viewers: memory stays bounded, others are served, and who does not finish a request is let go."""

from __future__ import annotations

import contextlib
import resource
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from keyfront.edge.request.admission import Door
from keyfront.edge.server.asgi import application
from keyfront.web.serving import Listener, bind

if TYPE_CHECKING:
    from tests.edge.conftest import Laid, Viewer, WebServer
    from tests.servers import Loop

HOST = "d1.cloudfront.localhost"
MIB = 1024 * 1024
MANY = 2000

# An edge in a process of its own, whose memory is its own. It prints its port and stops with its input.
CHILD = """
import asyncio, resource, sys
from keyfront.edge.request.admission import Door
from keyfront.edge.server.asgi import application
from keyfront.edge.configuration import configure
from keyfront.edge.origin.client import Origins
from keyfront.edge.pipeline import Edge
from keyfront.inventory import CacheBehavior, CustomOrigin, Distribution, Inventory, Origin
from keyfront.web.serving import Listener, bind

async def main(port):
    methods = ("GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE")
    behavior = CacheBehavior("*", "o", cache_policy_id="658327ea-f89d-4fab-a63d-7e88639e58f6", allowed_methods=methods)
    origin = Origin("o", "127.0.0.1", custom=CustomOrigin(http_port=port, protocol_policy="http-only"))
    edge = Edge(Origins(), cache_bytes=4 * 1024 * 1024, object_bytes=1024 * 1024)
    distribution = Distribution("E1", "d1.cloudfront.localhost", behavior, origins=(origin,))
    edge.configuration = configure(Inventory((distribution,)))
    listener = Listener(application(edge, Door()), bind("127.0.0.1", 0))
    listener.start()
    print(listener.port, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await listener.stop()

resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[2]),) * 2)
asyncio.run(main(int(sys.argv[1])))
"""
pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is measured through /proc")


class Child:
    """The process, its port, and the memory that it holds."""

    def __init__(self, origin_port: int, files: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(origin_port), str(files)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    @property
    def memory(self) -> int:
        """Bytes that are resident."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) * 1024

    def stop(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def child(origin: WebServer) -> Iterator[Child]:
    """An edge that may hold all the connections that a test opens, and so may the test."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = 4 * MANY + 200
    if hard != resource.RLIM_INFINITY and hard < files:
        pytest.skip(f"this user may open {hard} files; {files} are needed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, files), hard))
    made = Child(origin.port, files)
    try:
        yield made
    finally:
        made.stop()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextlib.contextmanager
def held(port: int, count: int, data: bytes, *, receive: int = 0) -> Iterator[list[socket.socket]]:
    """So many connections that have sent `data` and go no further; `receive` bounds what their system takes in."""
    with contextlib.ExitStack() as stack:
        opened = []
        for _ in range(count):
            connection = stack.enter_context(socket.socket())
            if receive:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
            connection.settimeout(20)
            connection.connect(("127.0.0.1", port))
            connection.sendall(data)
            opened.append(connection)
        yield opened


HELD = {
    "that say nothing": (MANY, b""),
    "in the middle of a header": (MANY, f"GET /a HTTP/1.1\r\nHost: {HOST}\r\nX-Slow: ".encode()),
    "in the middle of a huge header": (200, f"GET /a HTTP/1.1\r\nHost: {HOST}\r\nX-Slow: {'a' * 60_000}".encode()),
    "in the middle of a body": (200, f"POST /a HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 9\r\n\r\nhalf".encode()),
    "that keep alive": (MANY, f"GET /a HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()),
}


@pytest.mark.parametrize(("count", "data"), HELD.values(), ids=HELD)
def test_others_are_served_beside_connections(
    child: Child, origin: WebServer, viewer_class: type[Viewer], count: int, data: bytes
) -> None:
    """What one costs is bounded: 32 KiB (128 KiB with one to the origin), and twice what it has sent."""
    origin.answer("/a", b"a" * 1000, headers={"Cache-Control": "max-age=600"})
    viewer = viewer_class(child.port)
    assert viewer.get("/a").status == 200
    before, each = child.memory, (128 if data.startswith(b"POST") else 32) * 1024
    with held(child.port, count, data):
        assert [viewer.get("/a").cache for _ in range(20)] == ["Hit"] * 20
        assert child.memory - before < count * (each + 2 * len(data)) + 8 * MIB
    assert viewer.get("/a").cache == "Hit"


def test_viewers_who_do_not_read_a_download_hold_little_of_it(
    child: Child, origin: WebServer, viewer_class: type[Viewer]
) -> None:
    """Fifty of 64 MiB each, beside the cache's own limit of 4 MiB."""
    block = bytes(MIB)

    def big(request: BaseHTTPRequestHandler) -> None:
        request.send_response_only(200)
        request.send_header("Content-Length", str(64 * MIB))
        request.end_headers()
        for _ in range(64):
            request.wfile.write(block)

    origin.answer("/a", b"a", headers={"Cache-Control": "max-age=600"})
    viewer = viewer_class(child.port)
    assert viewer.get("/a").status == 200
    before = child.memory
    with contextlib.ExitStack() as stack:
        for number in range(50):
            path = f"/big{number}"
            origin.handle(path, big)
            request = f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
            [connection] = stack.enter_context(held(child.port, 1, request, receive=4096))
            assert connection.recv(12).startswith(b"HTTP/1.1 200")
        assert [viewer.get("/a").cache for _ in range(20)] == ["Hit"] * 20
        # The kernel's buffers are not the process's; what is, is a few pieces a viewer.
        assert child.memory - before < 50 * 3 * MIB


def test_who_does_not_finish_a_head_in_time_is_let_go_and_so_is_who_asks_nothing_more(
    laid: Laid, loop: Loop, eventually: Callable[..., None]
) -> None:
    async def start() -> Listener:
        listener = Listener(application(laid.edge, Door()), bind("127.0.0.1", 0), header_seconds=1)
        listener.start()
        return listener

    listener = loop.run(start())
    try:
        whole = f"GET /a HTTP/1.1\r\nHost: {HOST}\r\n"
        for data in (whole.encode(), (whole + "\r\n").encode(), b"G"):
            with held(listener.port, 1, data) as [connection]:
                while connection.recv(65536):
                    pass
    finally:
        loop.run(listener.stop())
