"""A part of the service that can be made to hang: a TCP server in front of the real one."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal

Mode = Literal["answers", "hangs", "trickles"]


class Part:
    """Passes bytes on to `upstream` (an address, or the path of a socket) and back, as its `mode` says.

    A connection over which something came while it hung stays dead when the part answers again, as after a crash: only
    new ones are served.
    """

    def __init__(self, upstream: tuple[str, int] | str) -> None:
        self.mode: Mode = "answers"
        self.accepted = 0
        self._upstream = upstream
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=200)
        self._open: list[socket.socket] = []
        self._closed = threading.Event()
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """End all connections."""
        self._closed.set()
        for each in (self._listener, *self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                viewer, _ = self._listener.accept()
                self.accepted += 1
                self._open.append(viewer)
                threading.Thread(target=self._serve, args=(viewer,), daemon=True).start()

    def _serve(self, viewer: socket.socket) -> None:
        behind: socket.socket | None = None
        with suppress(OSError):
            while data := viewer.recv(65536):
                if self.mode == "hangs":
                    self._closed.wait()
                elif self.mode == "trickles":
                    self._trickle(viewer)
                if behind is None:
                    behind = self._connect(viewer)
                behind.sendall(data)
        for each in (viewer, behind):
            if each is not None:
                each.close()

    def _connect(self, viewer: socket.socket) -> socket.socket:
        if isinstance(self._upstream, str):
            behind = socket.socket(socket.AF_UNIX)
            behind.connect(self._upstream)
        else:
            behind = socket.create_connection(self._upstream)
        self._open.append(behind)
        threading.Thread(target=self._back, args=(behind, viewer), daemon=True).start()
        return behind

    def _back(self, behind: socket.socket, viewer: socket.socket) -> None:
        with suppress(OSError):
            while data := behind.recv(65536):
                viewer.sendall(data)
            viewer.shutdown(socket.SHUT_RDWR)

    def _trickle(self, viewer: socket.socket) -> None:
        # The beginning of an answer: a header that never ends, or the longest notice of PostgreSQL.
        endless = b"HTTP/1.1 200 OK\r\nX-Long: " if self.port_speaks_http else b"N\x7f\xff\xff\xff"
        for byte in endless:
            viewer.sendall(bytes([byte]))
        while not self._closed.wait(0.05):
            viewer.sendall(b"x")

    @property
    def port_speaks_http(self) -> bool:
        return not isinstance(self._upstream, str)


@contextmanager
def part(upstream: tuple[str, int] | str) -> Iterator[Part]:
    """A part in front of `upstream`, until the end of the block."""
    made = Part(upstream)
    try:
        yield made
    finally:
        made.close()
