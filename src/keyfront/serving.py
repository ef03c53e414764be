"""Listening sockets and the HTTP server behind them: ASGI applications on granian, inside our own event loop.

One process can hold many listeners (HTTP, HTTPS, a port a distribution), open them while it runs and close
them again. Sockets are bound here rather than by granian, so that port 0 works and a port in use is a clear
error before anything has started.
"""

import asyncio
import contextlib
import errno
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from granian._granian import SocketHolder
from granian.constants import Interfaces, SSLProtocols
from granian.http import HTTP1Settings
from granian.server.embed import Server

from keyfront.errors import KeyfrontError

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
ASGIApp = Callable[[Scope, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]

_BACKLOG = 1024
_STOP_SECONDS = 5


class PortError(KeyfrontError):
    """A port that cannot be listened on."""


@dataclass(frozen=True)
class TLS:
    """A certificate chain and its key (PEM; the key in PKCS#8), as paths."""

    certificate: Path
    key: Path


def bind(host: str, port: int, *, option: str = "another port") -> socket.socket:
    """A socket bound to `host` and `port` (0: any free one).

    `option` names what the user can change, for the error: `PortError` when the port is taken or forbidden.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        bound = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        why = {
            errno.EADDRINUSE: "another program is listening there",
            errno.EACCES: "ports below 1024 need more rights than this user has",
            errno.EADDRNOTAVAIL: "this machine has no such address",
        }.get(error.errno or 0, error.strerror or str(error))
        raise PortError(f"cannot listen on {host} port {port}: {why}; choose {option}") from None
    except OverflowError:
        raise PortError(f"port {port} is not between 0 and 65535; choose {option}") from None
    bound.setblocking(False)
    # Accepted connections inherit it; without it an answer in two writes can wait 40 ms for an acknowledgement.
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return bound


def bind_loopback(port: int, *, option: str = "another port") -> list[socket.socket]:
    """Sockets on `127.0.0.1` and, where this machine has it, `::1`, with one port for both (0: any that is free).

    `localhost` means either, and which comes first is up to the viewer. Raises as `bind`.
    """
    if not _has_ipv6_loopback():
        return [bind("127.0.0.1", port, option=option)]
    while True:
        first = bind("127.0.0.1", port, option=option)
        try:
            return [first, bind("::1", int(first.getsockname()[1]), option=option)]
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


class _Embedded(Server):
    """granian in our event loop, on a socket that is already bound."""

    def __init__(self, app: ASGIApp, bound: socket.socket, **settings: Any) -> None:
        self._bound = bound
        super().__init__(
            app,
            interface=Interfaces.ASGINL,
            log_enabled=False,
            websockets=False,
            **settings,
        )
        self.workers_kill_timeout = _STOP_SECONDS

    def _init_shared_socket(self) -> None:
        self._ssp = None
        # granian closes the descriptor that it is given, at a moment of its own: one of its own it gets.
        self._shd = SocketHolder(self._bound.dup().detach(), False, _BACKLOG)  # type: ignore[call-arg,assignment]


class Listener:
    """An ASGI application answering on one socket, from `start` to `stop`."""

    def __init__(
        self, app: ASGIApp, bound: socket.socket, *, tls: TLS | None = None, header_bytes: int = 64 * 1024
    ) -> None:
        self._socket = bound
        secure = (
            {"ssl_cert": tls.certificate, "ssl_key": tls.key, "ssl_protocol_min": SSLProtocols.tls12} if tls else {}
        )
        self._server = _Embedded(app, bound, http1_settings=HTTP1Settings(max_buffer_size=header_bytes), **secure)
        self._task: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """The port that viewers connect to."""
        return int(self._socket.getsockname()[1])

    def start(self) -> None:
        """Answer from now on; needs a running event loop."""
        self._task = asyncio.get_running_loop().create_task(self._server.serve())

    async def stop(self) -> None:
        """Take no more connections, let answers under way end (five seconds at most), and free the port."""
        if self._task is not None:
            self._server.stop()  # type: ignore[no-untyped-call]
            with contextlib.suppress(TimeoutError):  # an answer that is still under way is broken off
                await self._task
            self._task = None
        self._socket.close()
