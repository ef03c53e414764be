"""Starts everything on one machine: the AWS endpoint, the edge and the shop."""

import asyncio
import contextlib
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, Literal

from keyfront.console.ports import bind_console
from keyfront.core.keys import PRIVATE_KEY, PUBLIC_KEY
from keyfront.edge.server.locations import Location
from keyfront.edge.server.settings import EdgeSettings
from keyfront.errors import ServiceError
from keyfront.local import domain_names
from keyfront.local.admin import AdminPort, ObservationOptions
from keyfront.local.api_port import apis_alone, bind_api_port, certificate
from keyfront.local.aws import Endpoint, ServicesState
from keyfront.local.clients import CREDENTIALS, REGION, Clients, clients
from keyfront.local.console_port import Console
from keyfront.local.controlplane import ControlPlane, Journal
from keyfront.local.controlplane.asgi import application as control_plane_app
from keyfront.local.edge_fleet import EdgeFleet, EdgePorts
from keyfront.local.edge_functions import lambda_refusal, read_object, run_function
from keyfront.local.own_keys import key_pair
from keyfront.local.provision import Provisioned, provision
from keyfront.local.shop import Shop, load_shop
from keyfront.local.shop_port import LocalShop
from keyfront.local.state_directory import StateDirectory
from keyfront.web.draining import DRAIN_SECONDS, Drain
from keyfront.web.local import LocalOnly
from keyfront.web.serving import TLS, Listener, bind_loopback
from keyfront.web.types import ASGIApp

_DEPLOY_SECONDS: Final = 30
_REFRESH_SECONDS: Final = 5.0
"""The edge hears of each change at once. It also looks by itself, in case it missed one."""
_TO_KEEP: Final = {"Content-Disposition": "attachment"}
"""Browsers save the files, instead of opening them in the window."""


@dataclass(frozen=True)
class Options:
    """The options of `keyfront up`. Port 0 takes any free port."""

    content: Path | None = None
    """The folder with the files to sell. If not given, the bundled shop is used."""
    port: int = 4566
    http_port: int = 8080
    https_port: int = 8443
    backend_port: int = 8000
    console_port: int | None = None
    """If not given, the port after the endpoint's, or any free port."""
    addressing: Literal["host", "port"] = "host"
    edges: int = 1
    """The number of edge locations. Each is a process."""
    propagation_delay: float = 0.0
    """Seconds until a change has reached the last location."""
    countries: Mapping[str, str] = field(default_factory=dict)
    """The countries of networks, for geo restrictions."""
    drain_seconds: float = DRAIN_SECONDS
    """How long running responses may continue at the end."""
    observing: ObservationOptions = field(default_factory=ObservationOptions)
    """The edge's logs and admin port."""
    explain: bool = True
    """Whether refusals name their finding."""
    allowed_hosts: tuple[str, ...] = ()
    """More names than localhost that the endpoint accepts as `Host`."""
    allowed_origins: tuple[str, ...] = ()
    """Origins whose web pages may call the endpoint."""
    enforce_iam: bool = False
    """Whether roles and users may do only what their policies allow."""
    node_sdk: Path | None = None
    """The folder with Amazon's clients for Node.js functions."""
    renew_authority: bool = False
    """Whether to make a new authority if the saved one may not sign for an alias."""
    json: bool = False
    directory: Path = Path(".keyfront")
    """The folder that keeps the key pair and the certificate authority between runs."""
    state: Path | None = None
    """A folder to keep them in instead, with the endpoint's state. If not given, the state is lost at the end."""

    @property
    def home(self) -> Path:
        """The folder with the key pair and the certificate authority."""
        return self.state or self.directory


@dataclass(frozen=True)
class Running:
    """The addresses and files of a running machine."""

    endpoint: str
    console_url: str
    """With the token that opens the console."""
    shop_url: str
    edge: EdgePorts
    admin: str | None
    """The URL of the admin port, if there is one."""
    private_key: Path
    public_key: Path
    provisioned: Provisioned
    shop: Shop

    @property
    def http_url(self) -> str:
        """The distribution's URL over plain HTTP, without a slash at the end."""
        return domain_names.plain(self.provisioned.domain_name, self.edge.http)


class Machine:
    """Everything that `keyfront up` starts. Call `start` once, then `stop`, also if `start` failed."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._stack = contextlib.AsyncExitStack()
        self._edges: EdgeFleet | None = None
        self._console: Console | None = None
        self._facing: list[Listener] = []
        """The listeners for people, besides the edges."""

    async def start(self) -> Running:
        """Start everything, provision it, and wait until the edge serves the distribution.

        Raises `KeyfrontError` if a port is in use, the folder has no files to sell, or a key or the state is damaged.
        """
        options = self._options
        shop = load_shop(options.content)
        state = self._open_state()
        key, standby = key_pair(options.home), key_pair(options.home / "next")
        endpoint_sockets = self._bind(options.port, "--port")
        backend_sockets = self._bind(options.backend_port, "--backend-port")
        console_sockets = self._keep(
            bind_console(options.console_port, options.port and options.port + 1, "--console-port")
        )

        places = [Location(number, options.edges, options.propagation_delay) for number in range(1, options.edges + 1)]
        edges = self._edges = EdgeFleet(places, http_port=options.http_port, https_port=options.https_port)
        watched = options.observing
        admin = AdminPort(watched.admin_port, self._stack) if watched.admin_port is not None else None
        control_plane = ControlPlane(
            run_function=run_function,
            read_object=partial(read_object, f"http://127.0.0.1:{_port(endpoint_sockets)}"),
            lambda_refusal=partial(lambda_refusal, f"http://127.0.0.1:{_port(endpoint_sockets)}"),
            domain_name=_domain_names(options, edges.https, state),
            journal=self._open_journal(state) if state else None,
            on_change=edges.tell_of_changes,
        )
        for place in places:
            control_plane.propagation.register(place.name)
        control_plane.redeploy()
        services = self._open_services(state) if state else None
        endpoint = Endpoint(
            control_plane_app(control_plane),
            plane=control_plane,
            hosts=options.allowed_hosts,
            origins=options.allowed_origins,
            enforce_iam=options.enforce_iam,
            node_sdk=options.node_sdk,
            state=services,
        )
        url = f"http://127.0.0.1:{_port(endpoint_sockets)}"
        self._listen(endpoint, endpoint_sockets)
        self._stack.push_async_callback(endpoint.stop)

        settings, metrics = watched.settings(self._edge_settings(url)), admin.metrics if admin else None
        console = self._console = Console(url, edges.http)
        starting = edges.start(settings, control_plane.propagation, metrics=metrics, on_decided=console.decisions.take)
        edge, _ = await asyncio.gather(starting, endpoint.warm_up())
        if admin is not None:
            admin.start(edges)
        aws = await asyncio.to_thread(clients, url)
        made = await asyncio.to_thread(
            provision,
            aws,
            key,
            standby.public_key,
            partial(endpoint.publish_folder, folder=shop.folder, headers=_TO_KEEP),
        )
        running = Running(
            endpoint=url,
            console_url=console.address(_port(console_sockets)),
            shop_url=f"http://localhost:{_port(backend_sockets)}",
            edge=edge,
            admin=admin.url if admin else None,
            private_key=options.home / PRIVATE_KEY,
            public_key=options.home / PUBLIC_KEY,
            provisioned=made,
            shop=shop,
        )
        sockets = self._keep(bind_api_port())
        if sockets and (tls := await asyncio.to_thread(certificate, options.home / "authority")):
            self._listen(apis_alone(endpoint, _port(endpoint_sockets)), sockets, tls)
        # Browsers do not trust the machine's authority, so the shop's links use http.
        store = LocalShop(shop, options.content, base_url=running.http_url, parameter=made.parameter, ssm=aws.ssm)
        self._stack.callback(store.stop)
        self._facing = [
            *self._listen(LocalOnly(store, browsers=True), backend_sockets),
            *self._listen(console, console_sockets),
        ]
        patience = _DEPLOY_SECONDS + options.propagation_delay
        await asyncio.to_thread(_wait_until_deployed, aws, made.distribution_id, patience)
        return running

    async def stop(self, drain: Drain | None = None) -> None:
        """Stop everything. Running responses may end first, for as long as `drain` allows."""
        drain = drain or Drain(self._options.drain_seconds)
        if self._console is not None:
            self._console.stop()
        stops = [partial(listener.stop, drain) for listener in self._facing]
        if self._edges is not None:
            stops.append(partial(self._edges.stop, drain))
        try:
            # Stop these together, before the endpoint, which is their origin.
            await asyncio.gather(*(stop() for stop in stops))
        finally:
            await self._stack.aclose()

    def _open_state(self) -> StateDirectory | None:
        if self._options.state is None:
            return None
        state = StateDirectory(self._options.state)
        self._stack.callback(state.close)
        return state

    def _open_journal(self, state: StateDirectory) -> Journal:
        journal = Journal.open(state.journal)
        self._stack.callback(journal.close)
        return journal

    def _open_services(self, state: StateDirectory) -> ServicesState:
        services = ServicesState(state.services)
        self._stack.push_async_callback(asyncio.to_thread, services.close)
        return services

    def _bind(self, port: int, option: str) -> list[socket.socket]:
        return self._keep(bind_loopback(port, option=f"another with {option}"))

    def _keep(self, sockets: list[socket.socket]) -> list[socket.socket]:
        """Close the sockets at the end."""
        for bound in sockets:
            self._stack.callback(bound.close)
        return sockets

    def _listen(self, app: ASGIApp, sockets: list[socket.socket], tls: TLS | None = None) -> list[Listener]:
        listeners = [Listener(app, bound, tls=tls) for bound in sockets]
        for listener in listeners:
            listener.start()
            self._stack.push_async_callback(listener.stop)
        return listeners

    def _edge_settings(self, endpoint: str) -> EdgeSettings:
        return EdgeSettings(
            endpoint_url=endpoint,
            region=REGION,
            access_key_id=CREDENTIALS[0],
            secret_access_key=CREDENTIALS[1],
            addressing=self._options.addressing,
            directory=self._options.home / "authority",
            drain_seconds=self._options.drain_seconds,
            countries=self._options.countries,
            renew_authority=self._options.renew_authority,
            explain=self._options.explain,
            refresh_seconds=_REFRESH_SECONDS,
        )


def _domain_names(options: Options, https_port: int, state: StateDirectory | None) -> domain_names.DomainNames:
    if options.addressing == "port" and state:
        return domain_names.by_port(https_port + 1, state.ports(), state.keep_ports)
    if options.addressing == "port":
        return domain_names.by_port(https_port + 1)
    return domain_names.by_host(https_port)


def _port(sockets: list[socket.socket]) -> int:
    return int(sockets[0].getsockname()[1])


def _wait_until_deployed(aws: Clients, distribution_id: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while aws.cloudfront.get_distribution(Id=distribution_id)["Distribution"]["Status"] != "Deployed":
        if time.monotonic() > deadline:
            raise ServiceError(f"the edge did not apply distribution {distribution_id} within {seconds:g} seconds")
        time.sleep(0.05)
