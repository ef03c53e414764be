"""The edge as a server: its listeners, its certificate, and the account that it keeps up with."""

import asyncio
import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import urlsplit

from keyfront.edge.certificates import Authority
from keyfront.edge.configuration import Configuration
from keyfront.edge.exchange import Outcome
from keyfront.edge.invalidations import Invalidation
from keyfront.edge.listeners import Listeners
from keyfront.edge.locations import ALONE, Location
from keyfront.edge.origins import Origins
from keyfront.edge.pipeline import Edge
from keyfront.edge.refresh import OnApplied, Refresher
from keyfront.errors import InputError
from keyfront.serving import CAN_SHARE_PORTS

if TYPE_CHECKING:
    from boto3 import Session
    from mypy_boto3_cloudfront import CloudFrontClient

_log = logging.getLogger(__name__)

MOST_LOCATIONS: Final = 64
"""Each is a process with a cache of its own."""

_API_SECONDS: Final = 5
_APPLY_SECONDS: Final = 30


@dataclass(frozen=True)
class EdgeSettings:
    """What an edge can be told. A port of 0 is any that is free; `None` is no such listener."""

    endpoint_url: str | None = None
    """Where the CloudFront API and S3 answer; `None`: where boto3's own rules find them."""
    region: str = "us-east-1"
    access_key_id: str | None = None
    """Of the account; `None`: what boto3's own rules find."""
    secret_access_key: str | None = field(default=None, repr=False)
    http_port: int | None = 8080
    https_port: int | None = 8443
    addressing: Literal["host", "port"] = "host"
    """`port`: a distribution whose domain name is `localhost:PORT` gets HTTPS there, and HTTP on the next port."""
    location: int = 1
    """Which of `locations` edge locations this is, counted from 1."""
    locations: int = 1
    propagation_seconds: float = 0.0
    """How long a change is under way until the last location has it (see `locations`)."""
    shared_ports: bool = False
    """Whether other processes of this user listen on the same ports: the system spreads connections over them."""
    own_http_port: int | None = None
    """Another port, by which a viewer can choose this location where it shares the others."""
    own_https_port: int | None = None
    directory: Path = Path(".keyfront")
    """Where the certificate authority is kept."""
    refresh_seconds: float = 1.0
    cache_bytes: int = 256 * 1024 * 1024
    object_bytes: int = 8 * 1024 * 1024
    """Larger objects are passed on and not kept."""
    origin_authorities: Path | None = None
    """A PEM file of authorities that HTTPS origins may be signed by, beside the public ones."""

    def __post_init__(self) -> None:
        if self.endpoint_url is not None:
            parts = urlsplit(self.endpoint_url)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise InputError(f"the endpoint URL {self.endpoint_url!r} is none: write http://host:port")
        for name in ("directory", "origin_authorities"):
            if not isinstance(getattr(self, name), Path | None):
                raise InputError(f"{name} is {getattr(self, name)!r}: give a path")
        if self.addressing not in ("host", "port"):
            raise InputError(f"addressing is {self.addressing!r}: choose 'host' or 'port'")
        if not isinstance(self.refresh_seconds, int | float) or not 0 < self.refresh_seconds < 86_400:
            raise InputError(f"refresh_seconds is {self.refresh_seconds!r}: give more than 0, and at most a day")
        for name in ("http_port", "https_port", "own_http_port", "own_https_port"):
            self._whole_number(name, 65_535, optional=True)
        for name in ("cache_bytes", "object_bytes"):
            self._whole_number(name, 1 << 50, optional=False)
        for name in ("location", "locations"):
            self._whole_number(name, MOST_LOCATIONS, optional=False)
        if not isinstance(self.propagation_seconds, int | float):
            raise InputError(f"propagation_seconds is {self.propagation_seconds!r}: give a number")
        if self.shared_ports and not CAN_SHARE_PORTS:
            raise InputError(f"shared_ports is true: processes cannot share ports on {sys.platform}; leave it out")
        _ = self.place

    @property
    def place(self) -> Location:
        """This edge's location. Raises `InputError` for one that cannot be."""
        return Location(self.location, self.locations, self.propagation_seconds)

    def _whole_number(self, name: str, limit: int, *, optional: bool) -> None:
        value = getattr(self, name)
        if optional and value is None:
            return
        if not isinstance(value, int) or not 0 <= value <= limit:
            raise InputError(f"{name} is {value!r}: give a whole number from 0 to {limit:,}")


@dataclass(frozen=True)
class Addresses:
    """Where viewers reach the edge, and the file of the authority that signed its certificate."""

    http: int | None
    https: int | None
    authority: Path
    location: str = ALONE.name
    """Its name, as `X-Amz-Cf-Pop` has it."""


class EdgeServer:
    """An edge with its listeners, from `start` to `stop`, in one event loop."""

    def __init__(
        self,
        settings: EdgeSettings,
        *,
        on_applied: OnApplied | None = None,
        on_decision: Callable[[Outcome], None] | None = None,
    ) -> None:
        """`on_applied` is called in a thread of its own, `on_decision` in the event loop, for every request."""
        self._settings = settings
        self._on_applied = on_applied
        self._on_decision = on_decision
        self._refresher: Refresher | None = None

    async def start(self) -> Addresses:
        """Listen, and begin to read the account.

        Returns when viewers can connect; until the account has been read, every host is unknown to the edge.
        Raises `PortError` and `InputError`.
        """
        settings = self._settings
        self._loop = asyncio.get_running_loop()
        place = settings.place
        authority = await asyncio.to_thread(
            Authority, settings.directory, server=f"server-{place.number}" if place.number > 1 else "server"
        )
        session = await asyncio.to_thread(_session, settings)
        client = await asyncio.to_thread(_client, session, settings)
        self._origins = Origins(
            s3_endpoint_url=settings.endpoint_url,
            credentials=session.get_credentials,
            region=settings.region,
            authorities=settings.origin_authorities,
        )
        self.edge = Edge(
            self._origins,
            cache_bytes=settings.cache_bytes,
            object_bytes=settings.object_bytes,
            location=place.name,
            on_decision=self._on_decision,
        )
        self._listeners = Listeners(
            self.edge,
            authority,
            dedicated=settings.addressing == "port",
            use="shared" if settings.shared_ports else "alone",
        )
        try:
            await self._listeners.open(
                _given(settings.http_port, settings.own_http_port),
                _given(settings.https_port, settings.own_https_port),
            )
        except BaseException:
            await self._origins.aclose()
            raise
        self._refresher = Refresher(
            client,
            self._apply_from_thread,
            self._purge_from_thread,
            seconds=settings.refresh_seconds,
            location=place,
            on_applied=self._on_applied,
        )
        self._refresher.start()
        http, https = (next(iter(numbers), None) for numbers in (self._listeners.http, self._listeners.https))
        return Addresses(http, https, authority.certificate, place.name)

    async def stop(self) -> None:
        """Read no more, take no more connections, and let answers under way end (five seconds at most)."""
        if self._refresher is None:
            return
        await asyncio.to_thread(self._refresher.stop)
        self._refresher = None
        await self._listeners.close()
        await self._origins.aclose()

    async def apply(self, configuration: Configuration) -> frozenset[str]:
        """Serve `configuration` from now on. Returns the distributions whose ports could not be opened."""
        self.edge.configuration = configuration
        return await self._listeners.follow(configuration)

    async def purge(self, invalidation: Invalidation) -> None:
        """Take what `invalidation` names out of the cache."""
        self.edge.cache.purge(invalidation.matcher())

    def _purge_from_thread(self, invalidation: Invalidation) -> None:
        asyncio.run_coroutine_threadsafe(self.purge(invalidation), self._loop).result(_APPLY_SECONDS)

    def _apply_from_thread(self, configuration: Configuration) -> frozenset[str]:
        return asyncio.run_coroutine_threadsafe(self.apply(configuration), self._loop).result(_APPLY_SECONDS)


async def serve(
    settings: EdgeSettings,
    until: asyncio.Event,
    *,
    on_ready: Callable[[Addresses], None] | None = None,
    on_applied: OnApplied | None = None,
    on_decision: Callable[[Outcome], None] | None = None,
) -> None:
    """Run an edge until the event is set. Raises `PortError` and `InputError` when it cannot start."""
    server = EdgeServer(settings, on_applied=on_applied, on_decision=on_decision)
    addresses = await server.start()
    try:
        if on_ready is not None:
            on_ready(addresses)
        await until.wait()
    finally:
        await server.stop()


def _given(*ports: int | None) -> list[int]:
    return [port for port in ports if port is not None]


def _session(settings: EdgeSettings) -> "Session":
    import boto3

    return boto3.Session(
        aws_access_key_id=settings.access_key_id,
        aws_secret_access_key=settings.secret_access_key,
        region_name=settings.region,
    )


def _client(session: "Session", settings: EdgeSettings) -> "CloudFrontClient":
    from botocore.config import Config

    return session.client(
        "cloudfront",
        endpoint_url=settings.endpoint_url,
        config=Config(
            connect_timeout=_API_SECONDS,
            read_timeout=_API_SECONDS,
            # The next reading is the retry.
            retries={"total_max_attempts": 1},
            # A proxy set for the outside world does not know this machine.
            proxies={} if settings.endpoint_url else None,
        ),
    )
