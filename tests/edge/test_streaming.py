"""Bodies of any size pass with flat memory; nobody reads on for a viewer who is gone; slow viewers hold no memory."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from keyfront.inventory import CustomOrigin

if TYPE_CHECKING:
    from tests.edge.conftest import Laid

HOST = "d1.cloudfront.localhost"
TWO_GIB = 2 * 1024**3
HALF_A_GIB = TWO_GIB // 4
MIB = 1024 * 1024
ALL_METHODS = ("GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE")

# An edge in a process of its own, whose memory is its own. It prints its port and stops with its input.
CHILD = """
import asyncio, sys
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
    edge = Edge(Origins())
    distribution = Distribution("E1", "d1.cloudfront.localhost", behavior, origins=(origin,))
    edge.configuration = configure(Inventory((distribution,)))
    listener = Listener(application(edge, Door()), bind("127.0.0.1", 0))
    listener.start()
    print(listener.port, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await listener.stop()

asyncio.run(main(int(sys.argv[1])))
"""


class Child:
    """The process, its port, and how much memory it ever held."""

    def __init__(self, origin_port: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(origin_port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    @property
    def most_memory(self) -> int:
        """Bytes; the kernel's high-water mark."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) * 1024

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)

    def stop(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(20)
        assert self.process.stdout is not None
        self.process.stdout.close()


class Sparse:
    """An origin that gives out, and takes in, as many zeros as one likes, without holding them."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / "sparse"
        with self._file.open("wb") as file:
            file.truncate(TWO_GIB)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.taken_in = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                head += connection.recv(65536)
            head, _, body = head.partition(b"\r\n\r\n")
            if head.startswith(b"POST"):
                self.taken_in = len(body)
                buffer = bytearray(MIB)
                while self.taken_in < HALF_A_GIB:
                    self.taken_in += connection.recv_into(buffer)
                connection.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                return
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % TWO_GIB)
            with self._file.open("rb") as file:
                connection.sendfile(file)


@pytest.fixture
def sparse(tmp_path: Path) -> Sparse:
    return Sparse(tmp_path)


@pytest.mark.large
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is measured through /proc")
def test_two_gigabytes_pass_to_the_viewer_with_flat_memory(sparse: Sparse) -> None:
    child = Child(sparse.port)
    try:
        read_all(child, b"GET /warm-up HTTP/1.1", 1000)
        before = child.most_memory
        assert read_all(child, b"GET /two-gigabytes HTTP/1.1", TWO_GIB) == TWO_GIB
        assert child.most_memory - before < 64 * MIB
    finally:
        child.stop()
        sparse.close()


@pytest.mark.large
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is measured through /proc")
def test_an_upload_of_half_a_gigabyte_passes_to_the_origin_with_flat_memory(sparse: Sparse) -> None:
    child = Child(sparse.port)
    try:
        read_all(child, b"GET /warm-up HTTP/1.1", 1000)
        before = child.most_memory
        with child.connect() as connection:
            connection.sendall(f"POST /in HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {HALF_A_GIB}\r\n\r\n".encode())
            zeros = memoryview(bytes(MIB))
            for _ in range(HALF_A_GIB // MIB):
                connection.sendall(zeros)
            assert connection.recv(100).startswith(b"HTTP/1.1 201")
        assert sparse.taken_in == HALF_A_GIB
        assert child.most_memory - before < 64 * MIB
    finally:
        child.stop()
        sparse.close()


def read_all(child: Child, request: bytes, at_most: int) -> int:
    """Bytes of body that came, up to `at_most`."""
    with child.connect() as connection:
        connection.sendall(request + f"\r\nHost: {HOST}\r\n\r\n".encode())
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(65536)
        assert head.startswith(b"HTTP/1.1 200")
        got = len(head.partition(b"\r\n\r\n")[2])
        buffer = bytearray(4 * MIB)
        while got < at_most and (read := connection.recv_into(buffer)):
            got += read
        return got


def endless(sent: list[int], ended: threading.Event) -> Callable[[BaseHTTPRequestHandler], None]:
    """An answer without an end, which counts what it gets rid of."""

    def handler(request: BaseHTTPRequestHandler) -> None:
        request.send_response_only(200)
        request.send_header("Content-Length", str(10**12))
        request.end_headers()
        block = bytes(MIB)
        try:
            while True:
                request.wfile.write(block)
                sent[0] += len(block)
        except OSError:
            request.close_connection = True
        finally:
            ended.set()

    return handler


def test_a_viewer_that_does_not_read_holds_the_origin_back_and_one_that_leaves_ends_the_fetch(laid: Laid) -> None:
    sent, ended = [0], threading.Event()
    laid.origin.handle("/endless", endless(sent, ended))
    with laid.viewer.connect() as connection:
        connection.sendall(f"GET /endless HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
        held_back(sent)
    assert ended.wait(20), "the origin was read on for nobody"


def held_back(sent: list[int]) -> None:
    """Wait until nothing more is taken; what fits into the sockets of three programs is far below 64 MiB."""
    before = -1
    while before != sent[0]:
        before = sent[0]
        threading.Event().wait(0.3)
    assert 0 < before < 64 * MIB


def test_a_viewer_that_leaves_before_the_origin_answers_ends_the_fetch(laid: Laid) -> None:
    arrived, ended = threading.Event(), threading.Event()

    def wait(request: BaseHTTPRequestHandler) -> None:
        arrived.set()
        # Nothing is sent; the end of the connection is what arrives.
        request.connection.settimeout(20)
        if request.rfile.read(1) == b"":
            ended.set()
        request.close_connection = True

    laid.origin.handle("/slow", wait)
    connection = laid.viewer.connect()
    connection.sendall(f"GET /slow HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
    assert arrived.wait(20)
    connection.close()
    assert ended.wait(20)
    assert laid.viewer.get("/else").status == 404


def test_a_viewer_that_breaks_its_upload_off_breaks_it_off_at_the_origin(laid: Laid) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        custom = CustomOrigin(http_port=listening.getsockname()[1], protocol_policy="http-only")
        laid.serve(laid.behavior(allowed_methods=ALL_METHODS), origins=(laid.web(custom=custom),))
        connection = laid.viewer.connect()
        connection.sendall(f"POST /in HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 1000\r\n\r\nhalf".encode())
        accepted, _ = listening.accept()
        with accepted:
            accepted.settimeout(20)
            received = b""
            while not received.endswith(b"half"):
                received += accepted.recv(65536)
            connection.close()
            assert accepted.recv(65536) == b""


def test_bytes_arrive_as_the_origin_sends_them(laid: Laid) -> None:
    go_on = threading.Event()

    def slowly(request: BaseHTTPRequestHandler) -> None:
        request.send_response_only(200)
        request.send_header("Content-Length", "10")
        request.end_headers()
        request.wfile.write(b"first")
        request.wfile.flush()
        go_on.wait(20)
        request.wfile.write(b"after")

    laid.origin.handle("/slowly", slowly)
    with laid.viewer.connect() as connection:
        connection.sendall(f"GET /slowly HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        received = b""
        while not received.endswith(b"first"):
            received += connection.recv(65536)
        go_on.set()
        while not received.endswith(b"after"):
            received += connection.recv(65536)


def test_many_viewers_miss_at_once_and_all_get_the_whole(laid: Laid) -> None:
    body = os.urandom(300_000)
    laid.origin.answer("/a", body, headers={"Cache-Control": "max-age=60"})

    async def ask() -> bool:
        return (await asyncio.to_thread(laid.viewer.get, "/a")).body == body

    async def all_of_them() -> list[bool]:
        return await asyncio.gather(*(ask() for _ in range(40)))

    assert all(asyncio.run(all_of_them()))
    assert laid.viewer.get("/a").cache == "Hit"
