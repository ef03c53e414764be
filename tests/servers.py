"""What tests serve from: an event loop in a thread, and HTTP servers of the standard library."""

import asyncio
import ssl
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar

from keyfront.web.serving import Listener, bind
from keyfront.web.types import ASGIApp

Result = TypeVar("Result")


class Loop:
    """An event loop in a thread, until `close`."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, Result], seconds: float = 60) -> Result:
        """Do `work` in the loop and give what it gives."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(seconds)

    def listen(self, app: ASGIApp, port: int = 0) -> Listener:
        """A listener of `app` on 127.0.0.1; stop it by `loop.run(listener.stop())`."""

        async def start() -> Listener:
            listener = Listener(app, bind("127.0.0.1", port))
            listener.start()
            return listener

        return self.run(start())

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(30)
        self.loop.close()


@contextmanager
def event_loop() -> Iterator[Loop]:
    """A loop until the end of the block."""
    loop = Loop()
    try:
        yield loop
    finally:
        loop.close()


class Quiet(BaseHTTPRequestHandler):
    """A handler that writes no log, and one call for an answer with a body."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        """Send a whole answer; `Content_Type="text/html"` names a header."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def http_server(
    handler: Callable[..., BaseHTTPRequestHandler], host: str = "127.0.0.1", *, tls: ssl.SSLContext | None = None
) -> Iterator[int]:
    """A threading HTTP server until the end of the block; gives its port."""
    server = ThreadingHTTPServer((host, 0), handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join(30)
        server.server_close()
