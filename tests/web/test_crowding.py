"""More connections than a process may hold: a server of its own, with few files, and a crowd of idle viewers."""

from __future__ import annotations

import contextlib
import http.client
import select
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SERVER = """
import asyncio, logging, resource
import uvloop
from keyfront.web.serving import Listener, bind_loopback

async def app(scope, receive, send):
    if scope["raw_path"] == b"/go":
        go_on.set()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"10")]})
    await send({"type": "http.response.body", "body": b"first", "more_body": True})
    if scope["raw_path"] == b"/slow":
        await go_on.wait()
    await send({"type": "http.response.body", "body": b"later"})

async def main():
    global go_on
    go_on = asyncio.Event()
    bound = bind_loopback(0)
    for each in bound:
        Listener(app, each).start()
    print(bound[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()

logging.basicConfig(level=logging.WARNING)
resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
uvloop.run(main())
"""


class Server:
    """The process, and its port."""

    def __init__(self, log: Path) -> None:
        self._log = log
        with log.open("w") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-c", _SERVER], stdout=subprocess.PIPE, stderr=stderr, text=True
            )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    @property
    def said(self) -> str:
        return self._log.read_text()

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)

    def ask(self, path: str, seconds: float = 60) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        connection.request("GET", path)
        return connection

    def stop(self) -> None:
        self.process.kill()
        self.process.wait(20)
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path / "stderr")
    yield made
    made.stop()


def is_closed(connection: socket.socket) -> bool:
    """Whether the server has closed it."""
    if not select.select([connection], [], [], 0)[0]:
        return False
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True


def test_the_longest_idle_make_room_for_new_viewers_and_nobody_who_is_answered(server: Server) -> None:
    limit = "each port holds at most 64 connections at once, a quarter of the 256 files"
    assert limit in server.said
    with contextlib.ExitStack() as stack:
        slow = server.ask("/slow")
        stack.callback(slow.close)
        answer = slow.getresponse()
        stack.callback(answer.close)
        assert answer.read(5) == b"first"
        idle = [stack.enter_context(server.connect()) for _ in range(300)]
        # By its timeouts alone granian would take it after two minutes.
        new = server.ask("/go", seconds=25)
        stack.callback(new.close)
        reply = new.getresponse()
        assert reply.read() == b"firstlater"
        assert answer.read() == b"later"
        # The system may hand a few connections over later than they were made, and so in another order.
        wait_until(lambda: sum(is_closed(each) for each in idle) > 200)
        assert sum(is_closed(each) for each in idle[:150]) > sum(is_closed(each) for each in idle[150:])
    assert server.said.count("connections are open, the most allowed: closing idle ones, the longest idle first") == 1


def test_a_few_idle_viewers_stay(server: Server) -> None:
    with contextlib.ExitStack() as stack:
        idle = [stack.enter_context(server.connect()) for _ in range(20)]
        for _ in range(40):
            new = server.ask("/")
            reply = new.getresponse()
            assert reply.read() == b"firstlater"
            new.close()
        assert not any(map(is_closed, idle))
