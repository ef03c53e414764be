"""Listening sockets and the HTTP server behind them: ASGI applications on granian, in keyfront's event loop.

One process can have many listeners (HTTP, HTTPS, a port for each distribution), and open and close them while it runs.
This module binds the sockets instead of granian, so that port 0 works and a port in use is a clear error before
anything has started.
"""

import asyncio
import contextlib
import errno
import logging
import math
import resource
import socket
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, cast

from granian._granian import SocketHolder
from granian.constants import Interfaces, SSLProtocols
from granian.http import HTTP1Settings, HTTP2Settings
from granian.server.embed import Server

from keyfront.errors import KeyfrontError
from keyfront.web.connections import Peer, answering, connections
from keyfront.web.crowding import Crowd
from keyfront.web.draining import Drain
from keyfront.web.types import ASGIApp, Receive, Scope, Send

_log = logging.getLogger(__name__)

_BACKLOG = 1024
STOP_SECONDS: Final = 5.0
"""How long running responses may take when a listener stops, by default."""
_IDLE_SECONDS: Final = 1.0
"""A listener that stops does not wait for a connection that has been quiet this long."""
_LOOK_SECONDS: Final = 0.1
_ABORT_SECONDS: Final = 2.0
_MOST_CONNECTIONS: Final = 16_384
_FEW_CONNECTIONS: Final = 1024
"""A busy server may need more, so fewer than these give a warning."""


class PortError(KeyfrontError):
    """The process cannot listen on a port."""


@dataclass(frozen=True)
class TLS:
    """The paths of a certificate chain and its key (PEM; the key in PKCS#8)."""

    certificate: Path
    key: Path


CAN_SHARE_PORTS: Final = sys.platform == "linux"
"""Whether the system spreads a port's connections over the processes that share it. Elsewhere one of them gets all."""

Use = Literal["alone", "shared", "reserved"]
"""How a port is used. `alone`: no other process may listen on it. `shared`: other processes of this user may share it.
`reserved`: no process listens yet, and other processes of this user will share it."""


def bind(host: str, port: int, *, option: str = "another port", use: Use = "alone") -> socket.socket:
    """Return a socket bound to `host` and `port` (0: any free port). It listens unless it only reserves.

    `option` is what the user can change, for the error. Raises `PortError` if the port is taken or forbidden.
    """
    if not 0 <= port <= 65535:
        raise PortError(f"port {port} is not between 0 and 65535; choose {option}")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        if use == "reserved":
            bound = _reserve(family, host, port)
        else:
            bound = socket.create_server((host, port), family=family, backlog=_BACKLOG, reuse_port=use == "shared")
    except OSError as error:
        why = {
            errno.EADDRINUSE: "another program is listening there",
            errno.EACCES: "ports below 1024 need more rights than this user has",
            errno.EADDRNOTAVAIL: "this machine has no such address",
        }.get(error.errno or 0, error.strerror or str(error))
        raise PortError(f"cannot listen on {host} port {port}: {why}; choose {option}") from None
    bound.setblocking(False)
    # Accepted connections inherit it. Without it a response in two writes can wait 40 ms for an acknowledgement.
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return bound


def _reserve(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind((host, port))
        # Only after bind: earlier, it would have joined any other process that shares the port.
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    except BaseException:
        bound.close()
        raise
    return bound


def bind_loopback(port: int, *, option: str = "another port", use: Use = "alone") -> list[socket.socket]:
    """Return sockets on `127.0.0.1` and, if this machine has it, `::1`, with the same port (0: any free port).

    `localhost` means either address, and the viewer chooses which comes first. Raises as `bind` does.
    """
    if not _has_ipv6_loopback():
        return [bind("127.0.0.1", port, option=option, use=use)]
    while True:
        first = bind("127.0.0.1", port, option=option, use=use)
        try:
            return [first, bind("::1", int(first.getsockname()[1]), option=option, use=use)]
        except PortError:
            first.close()
            if port:
                raise


def _has_ipv6_loopback() -> bool:
    try:
        bind("::1", 0).close()
    except (PortError, OSError):
        return False
    return True


def most_connections() -> int:
    """Return how many connections a listener holds at once. Beyond that, `keyfront.web.crowding` closes idle ones.

    It is a quarter of the files that this process may open, because each connection may need another to an origin, and
    an edge keeps objects in files.
    """
    return max(1, min(_MOST_CONNECTIONS, most_files() // 4))


def most_files() -> int:
    """Return how many files this process may open. Raises the soft limit as far as useful, as other servers do."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4 * _MOST_CONNECTIONS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return wanted if soft == resource.RLIM_INFINITY else soft


@cache
def _tell_limit(most: int, files: int) -> None:
    """Log once how many connections are allowed, and why."""
    _log.log(
        logging.WARNING if most < _FEW_CONNECTIONS else logging.INFO,
        "each port holds at most %d connections at once, a quarter of the %d files that this process may open "
        "(ulimit -n); if more come, idle ones are closed, the longest idle first",
        most,
        files,
    )


class _Embedded(Server):
    """granian in keyfront's event loop, on a socket that is already bound."""

    def __init__(self, app: ASGIApp, **settings: Any) -> None:
        self.descriptor = -1
        super().__init__(
            app,
            interface=Interfaces.ASGINL,
            log_enabled=False,
            websockets=False,
            # granian's default is 128: that many idle viewers would block everyone else.
            backpressure=most_connections(),
            **settings,
        )

    def _init_shared_socket(self) -> None:
        self._ssp = None
        self._shd = SocketHolder(self.descriptor, False, _BACKLOG)  # type: ignore[call-arg,assignment]


class Listener:
    """An ASGI application that serves one socket, from `start` to `stop`."""

    def __init__(
        self,
        app: ASGIApp,
        bound: socket.socket,
        *,
        tls: TLS | None = None,
        header_bytes: int = 64 * 1024,
        header_seconds: float = 30,
    ) -> None:
        """`header_seconds`: how long a viewer may take for a request's head after the previous response."""
        self.port = int(bound.getsockname()[1])
        """The port that viewers connect to."""
        self._app = app
        self._answers: dict[asyncio.Task[Any], Peer] = {}
        self._socket = bound
        self._family = bound.family
        secure = (
            {"ssl_cert": tls.certificate, "ssl_key": tls.key, "ssl_protocol_min": SSLProtocols.tls12} if tls else {}
        )
        http1 = HTTP1Settings(header_read_timeout=int(header_seconds * 1000), max_buffer_size=header_bytes)
        http2 = HTTP2Settings(max_headers_size=header_bytes)
        self._server = _Embedded(self._answer, http1_settings=http1, http2_settings=http2, **secure)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start to serve. Needs a running event loop."""
        # granian closes its descriptor at an unknown time, so it gets a duplicate.
        self._server.descriptor = self._socket.dup().detach()
        self._task = asyncio.get_running_loop().create_task(self._server.serve())
        _tell_limit(most_connections(), most_files())
        self._crowd = Crowd.of_this_loop(most_connections(), most_files())
        self._crowd.join((self._family, self.port))

    async def stop(self, drain: Drain | None = None, *, alone: bool = True) -> None:
        """Accept no more connections, let running responses end (`drain`; by default 5 seconds), and free the port.

        Closes idle connections. `alone`: whether no other listener of this process has the port, so that every
        connection to it belongs to this listener.
        """
        # This socket first: while it is open, the system accepts connections that would get no response.
        self._socket.close()
        task, self._task = self._task, None
        if task is None:
            return
        self._crowd.leave((self._family, self.port))
        drain = drain or Drain(STOP_SECONDS)
        # granian's own limit must be later than this one: granian would leave connections open.
        self._server.workers_kill_timeout = math.ceil(drain.left + 2 * _ABORT_SECONDS)
        self._server.stop()  # type: ignore[no-untyped-call]
        while not await drain.wait(task, at_most=_LOOK_SECONDS) and drain.left:
            # granian closes a connection between two requests, but not one with an incomplete first request.
            self._cut(_IDLE_SECONDS, alone=alone)
        for answer in self._answers:
            answer.cancel()
        if not task.done():
            await asyncio.wait({task}, timeout=_LOOK_SECONDS)
            # Responses that viewers do not read to the end.
            self._cut(None, alone=alone)
            await asyncio.wait({task}, timeout=_ABORT_SECONDS)
        if not task.done():
            task.cancel()
        with contextlib.suppress(TimeoutError, asyncio.CancelledError):
            await asyncio.shield(task)

    def _cut(self, quiet: float | None, *, alone: bool) -> None:
        """Close the connections to the port that have been quiet for `quiet` seconds; if `None`, all."""
        if not alone:
            return
        for each in connections({self.port}):
            if each.family == self._family and (quiet is None or each.is_idle(quiet)):
                each.cut()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        # When granian stops, it leaves running responses and their connections open, so `stop` must know them.
        answer = cast("asyncio.Task[Any]", asyncio.current_task())
        host, port = scope["client"]
        self._answers[answer] = peer = (host, int(port))  # granian gives the port as text
        answering[peer] = answering.get(peer, 0) + 1
        try:
            await self._app(scope, receive, send)
        finally:
            del self._answers[answer]
            answering[peer] -= 1
            if not answering[peer]:
                del answering[peer]
