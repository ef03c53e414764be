"""The ports for viewers: HTTP and HTTPS for all, and with port addressing two for each distribution.

They follow the configuration: a distribution's ports open and close with it, and a new alias gets a new certificate. A
certificate is replaced before it expires.
"""

import asyncio
import logging
from collections.abc import Iterable
from typing import Final
from weakref import WeakSet

from keyfront.edge.configuration import EMPTY, Configuration, Distribution
from keyfront.edge.observation import Desk
from keyfront.edge.pipeline import Edge
from keyfront.edge.request.admission import Door
from keyfront.edge.server.asgi import application
from keyfront.edge.server.certificates import Authority
from keyfront.errors import KeyfrontError
from keyfront.web.draining import DRAIN_SECONDS, Drain
from keyfront.web.serving import TLS, Listener, PortError, Use, bind_loopback
from keyfront.web.types import ASGIApp

_log = logging.getLogger(__name__)

_BEYOND_SECONDS: Final = 5.0
"""How long a listener may take to break off its connections after its time is over."""


class OpenPort:
    """A port with an application, over IPv4 and, if available, IPv6, until it is closed."""

    def __init__(
        self,
        app: ASGIApp,
        port: int,
        *,
        option: str = "another port",
        use: Use = "alone",
        drain_seconds: float = DRAIN_SECONDS,
    ) -> None:
        """Take `port` (0: any free port) without answering yet. Raises `PortError`.

        `drain_seconds`: how long responses under way may take after their certificate was replaced.
        """
        self._app = app
        self._drain_seconds = drain_seconds
        self._sockets = bind_loopback(port, option=option, use=use)
        self._listeners: list[Listener] = []
        self._retiring: set[asyncio.Task[None]] = set()
        self._drains: WeakSet[Drain] = WeakSet()
        self.number = int(self._sockets[0].getsockname()[1])

    def listen(self, tls: TLS | None = None) -> None:
        """Begin to answer. When called again, new connections get the new certificate.

        Connections with the old one have as long to end as if the port closed.
        """
        before, self._listeners = self._listeners, []
        for bound in self._sockets:
            listener = Listener(self._app, bound.dup(), tls=tls)
            listener.start()
            self._listeners.append(listener)
        self._retire(before, Drain(self._drain_seconds), alone=False)

    async def close(self, drain: Drain | None = None) -> None:
        """Free the port, and let responses under way end, for as long as `drain` allows."""
        for bound in self._sockets:
            bound.close()
        drain = drain or Drain(self._drain_seconds)
        self._retire(self._listeners, drain, alone=True)
        self._listeners = []
        ending = asyncio.gather(*self._retiring)
        if not await drain.wait(ending, beyond=_BEYOND_SECONDS):
            for each in self._drains:
                each.hurry()
        await ending

    def _retire(self, listeners: list[Listener], drain: Drain, *, alone: bool) -> None:
        self._drains.add(drain)
        for listener in listeners:
            task = asyncio.ensure_future(listener.stop(drain, alone=alone))
            self._retiring.add(task)
            task.add_done_callback(self._retiring.discard)


class Listeners:
    """Every port of an edge."""

    def __init__(
        self,
        edge: Edge,
        authority: Authority,
        *,
        dedicated: bool,
        use: Use = "alone",
        desk: Desk | None = None,
        look_seconds: float = 30.0,
        drain_seconds: float = DRAIN_SECONDS,
    ) -> None:
        """Make the listeners without opening a port.

        `dedicated`: whether distributions have ports of their own. `use`: how ports are taken. `look_seconds`: how
        often the certificate is checked, since another process may replace the authority. `drain_seconds`: how long
        responses under way may take after their port was closed or their certificate replaced.
        """
        self._look_seconds = look_seconds
        self._drain_seconds = drain_seconds
        self._closed = False
        self._desk = desk
        self._edge = edge
        self._authority = authority
        self._dedicated = dedicated
        self._use: Use = use
        self._http: list[OpenPort] = []
        self._https: list[OpenPort] = []
        self._own: dict[tuple[str, int], tuple[OpenPort, OpenPort]] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._drains: WeakSet[Drain] = WeakSet()
        self._configuration = EMPTY
        self._certifying = asyncio.Lock()
        self._failed = ""
        self._chain = b""
        self._tls: TLS | None = None
        self._looking: asyncio.Task[None] | None = None

    @property
    def http(self) -> tuple[int, ...]:
        """The open HTTP ports."""
        return tuple(port.number for port in self._http)

    @property
    def https(self) -> tuple[int, ...]:
        """The open HTTPS ports."""
        return tuple(port.number for port in self._https)

    async def open(self, http: Iterable[int], https: Iterable[int]) -> None:
        """Listen on all ports (0: any free port). Redirects to HTTPS lead to the first HTTPS port.

        Raises `PortError` after closing every port.
        """
        try:
            # This door is for HTTPS, which needs no redirect to HTTPS.
            secure = application(self._edge, Door(), self._desk)
            for number in https:
                self._https.append(self._port(secure, number, option="another HTTPS port"))
            plain = application(self._edge, Door(next(iter(self.https), None)), self._desk)
            for number in http:
                self._http.append(self._port(plain, number, option="another HTTP port"))
        except PortError:
            await self.close()
            raise
        await self._certify()
        for port in self._http:
            port.listen()
        self._looking = asyncio.create_task(self._look())

    async def follow(self, configuration: Configuration) -> frozenset[str]:
        """Open and close ports and certify aliases for `configuration`.

        Return the distributions whose ports could not be opened.
        """
        self._configuration = configuration
        await self.certify()
        if not self._dedicated or self._closed:
            return frozenset()
        wanted = {
            (distribution.id, distribution.port): distribution
            for distribution in configuration.distributions.values()
            if distribution.port is not None
        }
        for gone in self._own.keys() - wanted.keys():
            for port in self._own.pop(gone):
                self._close_later(port)
        failing = set()
        for key, distribution in wanted.items():
            if key not in self._own:
                try:
                    self._own[key] = self._open_own(distribution, key[1])
                except PortError as error:
                    _log.warning(
                        "distribution %s (%s) is not served: %s", distribution.id, distribution.domain_name, error
                    )
                    failing.add(distribution.id)
        return frozenset(failing)

    async def certify(self) -> None:
        """Check the authority and the certificate again, and use a new certificate if one is needed.

        If it cannot be read or written, that is logged once, and the certificate in use stays. The rest of a change
        must not wait for a disk, since it may remove a key.
        """
        try:
            await self._certify()
        except (OSError, KeyfrontError) as error:
            if str(error) != self._failed:
                _log.warning("a new certificate cannot be stored (%s); the one in use stays", error)
            self._failed = str(error)
        else:
            self._failed = ""

    async def close(self, drain: Drain | None = None) -> None:
        """Close every port at once, and let responses under way end, for as long as `drain` allows."""
        self._closed = True
        if self._looking is not None:
            self._looking.cancel()
        ports = [*self._http, *self._https, *(port for pair in self._own.values() for port in pair)]
        self._http, self._https = [], []
        self._own.clear()
        drain = drain or Drain(self._drain_seconds)
        ending = asyncio.gather(*(port.close(drain) for port in ports), *self._closing)
        if not await drain.wait(ending, beyond=_BEYOND_SECONDS):
            for each in self._drains:
                each.hurry()
        await ending

    def _port(self, app: ASGIApp, number: int, *, option: str = "another port") -> OpenPort:
        return OpenPort(app, number, option=option, use=self._use, drain_seconds=self._drain_seconds)

    def _open_own(self, distribution: Distribution, number: int) -> tuple[OpenPort, OpenPort]:
        secure = self._port(application(self._edge, Door(distribution_id=distribution.id), self._desk), number)
        try:
            plain = self._port(application(self._edge, Door(number, distribution.id), self._desk), number + 1)
        except PortError:
            self._close_later(secure)
            raise
        secure.listen(self._tls)
        plain.listen()
        return secure, plain

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(self._look_seconds)
            await self.certify()

    async def _certify(self) -> None:
        """Use a certificate that names every alias, unless the current one does."""
        async with self._certifying:
            tls = await asyncio.to_thread(self._authority.server, self._configuration.aliases)
            chain = await asyncio.to_thread(tls.certificate.read_bytes)
            if chain == self._chain:
                return
            self._tls, self._chain = tls, chain
            for port in [*self._https, *(secure for secure, _ in self._own.values())]:
                port.listen(tls)

    def _close_later(self, port: OpenPort) -> None:
        drain = Drain(self._drain_seconds)
        self._drains.add(drain)
        task = asyncio.ensure_future(port.close(drain))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
