"""The edge as a server: its listeners, its certificate, and the account that it follows."""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from keyfront.edge.cache.invalidations import Invalidation
from keyfront.edge.clock import steady_clock
from keyfront.edge.configuration import CLOSED, EMPTY, Configuration
from keyfront.edge.functions.lambda_edge import LAMBDA_EDGE_REGION, LambdaFunctions, invoke_with
from keyfront.edge.functions.logs import FUNCTION_LOGS_REGION, FunctionLogs
from keyfront.edge.observation.watching import Observation
from keyfront.edge.origin.client import Origins
from keyfront.edge.pipeline import Edge
from keyfront.edge.server.certificates import Authority
from keyfront.edge.server.listeners import Listeners
from keyfront.edge.server.locations import ALONE
from keyfront.edge.server.refresh import OnApplied, Refresher
from keyfront.edge.server.settings import EdgeSettings
from keyfront.edge.server.sources import Account, Files, Source
from keyfront.edge.server.standing import Keeper, Standing
from keyfront.errors import KeyfrontError
from keyfront.inventory import read
from keyfront.inventory.files import read_files
from keyfront.inventory.functions import key_value_store_client
from keyfront.web.draining import Drain, Ending

if TYPE_CHECKING:
    from boto3 import Session
    from botocore.config import Config
    from mypy_boto3_cloudfront import CloudFrontClient
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient

_log = logging.getLogger(__name__)

OnStanding = Callable[[Standing], None]
"""Called with each new standing of the configuration."""

_API_SECONDS: Final = 5
_APPLY_SECONDS: Final = 30
_LAMBDA_SECONDS: Final = 60
"""Longer than the longest timeout of a Lambda@Edge function, 30 seconds."""


@dataclass(frozen=True)
class Addresses:
    """Where viewers reach the edge, and the file of the authority that signed its certificate."""

    http: int | None
    https: int | None
    authority: Path
    location: str = ALONE.name
    """The edge location's name, as in `X-Amz-Cf-Pop`."""


class EdgeServer:
    """An edge with its listeners, from `start` to `stop`, in one event loop."""

    def __init__(
        self,
        settings: EdgeSettings,
        *,
        on_applied: OnApplied | None = None,
        on_standing: OnStanding | None = None,
    ) -> None:
        """`on_applied` and `on_standing` are called in threads of their own."""
        self._settings = settings
        self._on_applied = on_applied
        self._on_standing = on_standing
        self._refresher: Refresher | None = None
        self._using = threading.Lock()
        self._configuration = EMPTY
        self._closed = False

    async def start(self) -> Addresses:
        """Listen, and begin to read the account.

        Returns when viewers can connect. Until the account has been read, the edge knows no host.
        Raises `PortError` and `InputError`.
        """
        settings = self._settings
        self._loop = asyncio.get_running_loop()
        place = settings.place
        session = await asyncio.to_thread(_session, settings)
        authority = await asyncio.to_thread(
            Authority,
            settings.directory,
            server=f"server-{place.number}" if place.number > 1 else "server",
            aliases=partial(_aliases, session, settings),
            renew=settings.renew_authority,
        )
        source = await asyncio.to_thread(_source, session, settings)
        kinesis = partial(_kinesis, session, settings) if settings.endpoint_url else None
        seen = self._observation = Observation.of(settings, self._domain_name, lambda: self._configuration, kinesis)
        # In an account of Amazon's, CloudFront itself writes to these log groups.
        self._function_logs = FunctionLogs(partial(_logs, session, settings)) if settings.endpoint_url else None
        lambdas = LambdaFunctions(invoke_with(cache(partial(_lambda, session, settings))))
        self._origins = Origins(
            endpoint_url=settings.endpoint_url,
            credentials=session.get_credentials,
            region=settings.region,
            authorities=settings.origin_authorities,
            on_answer=seen.on_answer,
            around=lambdas.around,
        )
        self.edge = Edge(
            self._origins,
            cache_bytes=settings.cache_bytes,
            object_bytes=settings.object_bytes,
            disk_bytes=settings.disk_bytes,
            disk_directory=settings.directory / "objects",
            countries=settings.countries,
            location=place.name,
            steady=steady_clock(),
            explains=settings.explain,
            on_decision=seen.on_decision,
            lambdas=lambdas,
            on_log=self._function_logs.publish if self._function_logs else None,
        )
        self._listeners = Listeners(
            self.edge,
            authority,
            desk=seen.desk,
            dedicated=settings.addressing == "port",
            use="shared" if settings.shared_ports else "alone",
            drain_seconds=settings.drain_seconds,
        )
        try:
            await self._listeners.open(
                _given(settings.http_port, settings.own_http_port),
                _given(settings.https_port, settings.own_https_port),
            )
        except BaseException:
            await self._close_functions()
            await self._origins.aclose()
            raise
        self._refresher = Refresher(
            source,
            self._apply_from_thread,
            self._purge_from_thread,
            Keeper(settings.stale_seconds, self._stands, every=settings.refresh_seconds),
            seconds=settings.refresh_seconds,
            location=place,
            on_applied=self._on_applied,
        )
        self._refresher.start()
        http, https = (next(iter(numbers), None) for numbers in (self._listeners.http, self._listeners.https))
        return Addresses(http, https, authority.certificate, place.name)

    async def stop(self, drain: Drain | None = None) -> None:
        """Stop reading, accept no more connections, and let responses under way end as long as `drain` allows."""
        refresher, self._refresher = self._refresher, None
        if refresher is None:
            return
        drain = drain or Drain(self._settings.drain_seconds)
        stopping = asyncio.ensure_future(asyncio.to_thread(refresher.stop))
        await self._listeners.close(drain)
        await stopping
        await self._close_functions()
        await self._origins.aclose()
        self._observation.close()

    async def reload(self) -> None:
        """Read the configuration and the certificate again. Connections and responses under way continue."""
        _log.warning("the configuration and the certificate are read again")
        await self.read_now()
        if self._refresher is not None:
            await self._listeners.certify()

    async def read_now(self) -> None:
        """Start to read the configuration now, without waiting for it."""
        if self._refresher is not None:
            self._refresher.read_now()

    async def apply(self, configuration: Configuration) -> frozenset[str]:
        """Serve `configuration` from now on. Return the distributions whose ports could not be opened."""
        with self._using:
            self._configuration = configuration
            self._observation.follow(configuration)
            self.edge.on_decision = self._observation.on_decision
            self._use()
        return await self._listeners.follow(configuration)

    async def purge(self, invalidation: Invalidation) -> None:
        """Remove the objects of `invalidation` from the cache."""
        self.edge.cache.purge(invalidation.matcher())

    async def _close_functions(self) -> None:
        await self.edge.aclose()
        if self._function_logs is not None:
            await asyncio.to_thread(self._function_logs.close)

    def _domain_name(self, distribution_id: str) -> str:
        distribution = self.edge.configuration.distributions.get(distribution_id)
        return distribution.domain_name if distribution else ""

    def _use(self) -> None:
        self.edge.configuration = CLOSED if self._closed else self._configuration

    def _stands(self, standing: Standing) -> None:
        with self._using:
            self._closed = standing.closed
            self._use()
        self._observation.configured(standing)
        if self._on_standing is not None:
            self._on_standing(standing)

    def _purge_from_thread(self, invalidation: Invalidation) -> None:
        asyncio.run_coroutine_threadsafe(self.purge(invalidation), self._loop).result(_APPLY_SECONDS)

    def _apply_from_thread(self, configuration: Configuration) -> frozenset[str]:
        return asyncio.run_coroutine_threadsafe(self.apply(configuration), self._loop).result(_APPLY_SECONDS)


async def serve(
    settings: EdgeSettings,
    ending: Ending,
    *,
    reload: asyncio.Event | None = None,
    changed: asyncio.Event | None = None,
    on_ready: Callable[[Addresses], None] | None = None,
    on_applied: OnApplied | None = None,
    on_standing: OnStanding | None = None,
) -> None:
    """Run an edge until `ending` says so. Raises `PortError` and `InputError` if it cannot start.

    Each time that `reload` is set, it is cleared, and the configuration and the certificate are read again. `changed`
    does so for the configuration alone.
    """
    server = EdgeServer(settings, on_applied=on_applied, on_standing=on_standing)
    addresses = await server.start()
    acts = [(reload, server.reload), (changed, server.read_now)]
    tasks = [asyncio.create_task(_whenever(event, act)) for event, act in acts if event is not None]
    try:
        if on_ready is not None:
            on_ready(addresses)
        await ending.asked.wait()
    finally:
        for task in tasks:
            task.cancel()
        await server.stop(ending.drain)


async def _whenever(wanted: asyncio.Event, act: Callable[[], Awaitable[None]]) -> None:
    while True:
        await wanted.wait()
        wanted.clear()
        await act()


def _given(*ports: int | None) -> list[int]:
    return [port for port in ports if port is not None]


def _session(settings: EdgeSettings) -> "Session":
    import boto3

    return boto3.Session(
        aws_access_key_id=settings.access_key_id,
        aws_secret_access_key=settings.secret_access_key,
        region_name=settings.region,
    )


def _aliases(session: "Session", settings: EdgeSettings) -> frozenset[str]:
    """Return the aliases for a new authority; nothing if the account cannot be read yet."""
    try:
        if settings.files:
            found = read_files(settings.files, keys=settings.keys, origins=settings.origins)
        else:
            found = read(_client(session, settings))
    except KeyfrontError:  # the refresher's first reading logs it
        return frozenset()
    return frozenset(alias.lower() for each in found.distributions for alias in each.aliases)


def _source(session: "Session", settings: EdgeSettings) -> Source:
    if settings.files:
        return Files(settings.files, settings.keys, settings.origins)
    return Account(_client(session, settings), cache(partial(key_value_store_client, session, settings.endpoint_url)))


def _client(session: "Session", settings: EdgeSettings) -> "CloudFrontClient":
    return session.client("cloudfront", endpoint_url=settings.endpoint_url, config=_config(settings))


def _logs(session: "Session", settings: EdgeSettings) -> "CloudWatchLogsClient":
    return session.client(
        "logs", region_name=FUNCTION_LOGS_REGION, endpoint_url=settings.endpoint_url, config=_config(settings)
    )


def _kinesis(session: "Session", settings: EdgeSettings, region: str) -> "KinesisClient":
    return session.client("kinesis", region_name=region, endpoint_url=settings.endpoint_url, config=_config(settings))


def _lambda(session: "Session", settings: EdgeSettings) -> "LambdaClient":
    from botocore.config import Config

    config = _config(settings).merge(Config(read_timeout=_LAMBDA_SECONDS))
    return session.client("lambda", region_name=LAMBDA_EDGE_REGION, endpoint_url=settings.endpoint_url, config=config)


def _config(settings: EdgeSettings) -> "Config":
    from botocore.config import Config

    return Config(
        connect_timeout=_API_SECONDS,
        read_timeout=_API_SECONDS,
        # The next reading retries.
        retries={"total_max_attempts": 1},
        # A proxy for the internet does not reach this machine.
        proxies={} if settings.endpoint_url else None,
    )
