"""The ports that viewers connect to: HTTP and HTTPS for all, and with port addressing two for each distribution.

They follow the configuration: a distribution's ports open and close with it, and an alias gets a new certificate.
"""

import asyncio
import logging

from keyfront.edge.admission import Door
from keyfront.edge.asgi import application
from keyfront.edge.certificates import Authority
from keyfront.edge.configuration import Configuration, Site
from keyfront.edge.pipeline import Edge
from keyfront.serving import TLS, ASGIApp, Listener, PortError, bind_loopback

_log = logging.getLogger(__name__)


class OpenPort:
    """A port on which an application answers, over IPv4 and IPv6 where there is one, until it is closed."""

    def __init__(self, app: ASGIApp, port: int, *, option: str = "another port") -> None:
        """Take `port` (0: any that is free) without answering yet. Raises `PortError`."""
        self._app = app
        self._sockets = bind_loopback(port, option=option)
        self._listeners: list[Listener] = []
        self._retiring: set[asyncio.Task[None]] = set()
        self.number = int(self._sockets[0].getsockname()[1])

    def listen(self, tls: TLS | None = None) -> None:
        """Answer from now on. Called again, new connections get the new certificate.

        What goes on over the old one has as long to end as a listener that stops waits for it.
        """
        before, self._listeners = self._listeners, []
        for bound in self._sockets:
            listener = Listener(self._app, bound.dup(), tls=tls)
            listener.start()
            self._listeners.append(listener)
        self._retire(before)

    async def close(self) -> None:
        """Free the port, and let answers under way end (as long as a listener waits for them)."""
        for bound in self._sockets:
            bound.close()
        self._retire(self._listeners)
        self._listeners = []
        await asyncio.gather(*self._retiring)

    def _retire(self, listeners: list[Listener]) -> None:
        for listener in listeners:
            task = asyncio.ensure_future(listener.stop())
            self._retiring.add(task)
            task.add_done_callback(self._retiring.discard)


class Listeners:
    """Every port of an edge."""

    def __init__(self, edge: Edge, authority: Authority, *, dedicated: bool) -> None:
        """`dedicated`: whether distributions have ports of their own."""
        self._edge = edge
        self._authority = authority
        self._dedicated = dedicated
        self._http: OpenPort | None = None
        self._https: OpenPort | None = None
        self._own: dict[tuple[str, int], tuple[OpenPort, OpenPort]] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._chain = b""
        self._tls: TLS | None = None

    @property
    def http(self) -> int | None:
        """The port for HTTP, once it is open."""
        return self._http.number if self._http else None

    @property
    def https(self) -> int | None:
        """The port for HTTPS, once it is open."""
        return self._https.number if self._https else None

    async def open(self, http: int | None, https: int | None) -> None:
        """Listen on both (0: any that is free, `None`: not at all). Raises `PortError`, and then none is open."""
        try:
            if https is not None:
                # Its door is for HTTPS alone, where nothing is sent elsewhere for HTTPS.
                self._https = OpenPort(application(self._edge, Door()), https, option="another HTTPS port")
            if http is not None:
                self._http = OpenPort(application(self._edge, Door(self.https)), http, option="another HTTP port")
        except PortError:
            await self.close()
            raise
        await self._certify(Configuration({}, {}))
        if self._http:
            self._http.listen()

    async def follow(self, configuration: Configuration) -> frozenset[str]:
        """Open, close and certify what `configuration` needs. Returns the distributions whose ports are taken."""
        await self._certify(configuration)
        if not self._dedicated:
            return frozenset()
        wanted = {(site.id, site.port): site for site in configuration.sites.values() if site.port is not None}
        for gone in self._own.keys() - wanted.keys():
            for port in self._own.pop(gone):
                self._close_later(port)
        failing = set()
        for key, site in wanted.items():
            if key not in self._own:
                try:
                    self._own[key] = self._open_own(site, key[1])
                except PortError as error:
                    _log.warning("distribution %s (%s) is not served: %s", site.id, site.domain_name, error)
                    failing.add(site.id)
        return frozenset(failing)

    async def close(self) -> None:
        """Close every port."""
        ports = [port for port in (self._http, self._https) if port]
        ports += [port for pair in self._own.values() for port in pair]
        self._http = self._https = None
        self._own.clear()
        await asyncio.gather(*(port.close() for port in ports), *self._closing)

    def _open_own(self, site: Site, number: int) -> tuple[OpenPort, OpenPort]:
        secure = OpenPort(application(self._edge, Door(site_id=site.id)), number)
        try:
            plain = OpenPort(application(self._edge, Door(number, site.id)), number + 1)
        except PortError:
            self._close_later(secure)
            raise
        secure.listen(self._tls)
        plain.listen()
        return secure, plain

    async def _certify(self, configuration: Configuration) -> None:
        """Take a certificate into use that names every alias, unless the one in use does."""
        tls = await asyncio.to_thread(self._authority.server, configuration.aliases)
        chain = await asyncio.to_thread(tls.certificate.read_bytes)
        if chain == self._chain:
            return
        self._tls, self._chain = tls, chain
        for port in [self._https, *(secure for secure, _ in self._own.values())]:
            if port:
                port.listen(tls)

    def _close_later(self, port: OpenPort) -> None:
        task = asyncio.ensure_future(port.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
