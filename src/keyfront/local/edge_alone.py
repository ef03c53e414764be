"""`keyfront edge`: only an edge, for an account or for files that describe one."""

import asyncio
import contextlib
import json
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from keyfront.edge.server.locations import Location
from keyfront.edge.server.settings import EdgeSettings
from keyfront.edge.server.standing import STALE_SECONDS
from keyfront.garbage import keep_loaded
from keyfront.inventory.files import read_files
from keyfront.local.admin import AdminPort, ObservationOptions
from keyfront.local.controlplane.propagation import Propagation
from keyfront.local.edge_fleet import EdgeFleet, EdgePorts
from keyfront.ownership import own_folder
from keyfront.web.draining import DRAIN_SECONDS, Ending, on_hangup


@dataclass(frozen=True)
class EdgeOptions:
    """The options of `keyfront edge`. Port 0 takes any free port."""

    files: tuple[Path, ...] = ()
    """Output of the AWS CLI for an account. If not given, the edge reads the account through the CloudFront API."""
    keys: Path | None = None
    origins: Mapping[str, str] = field(default_factory=dict)
    endpoint_url: str | None = None
    region: str = "us-east-1"
    http_port: int = 8080
    https_port: int = 8443
    workers: int = 1
    stale_seconds: float = STALE_SECONDS
    """How many seconds to use a configuration that cannot be read again."""
    drain_seconds: float = DRAIN_SECONDS
    """How many seconds running responses may continue at the end."""
    countries: Mapping[str, str] = field(default_factory=dict)
    """The countries of networks, for geo restrictions."""
    observing: ObservationOptions = field(default_factory=ObservationOptions)
    directory: Path = Path(".keyfront")
    renew_authority: bool = False
    json: bool = False


@dataclass(frozen=True)
class _Running:
    edge: EdgePorts
    admin: str | None
    hosts: Mapping[str, tuple[str, ...]]


def run(options: EdgeOptions) -> None:
    """Run until SIGINT or SIGTERM. SIGHUP reads the configuration and the certificate again.

    Raises `KeyfrontError` for files that cannot be used and ports in use.
    """
    asyncio.run(_run(options))


async def _run(options: EdgeOptions) -> None:
    ending = Ending(options.drain_seconds)
    ending.on(signal.SIGINT, signal.SIGTERM)
    async with contextlib.AsyncExitStack() as stack:
        starting = asyncio.create_task(_start(options, ending, stack))
        waiting = asyncio.create_task(ending.asked.wait())
        try:
            await asyncio.wait({starting, waiting}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                keep_loaded()
                _show(starting.result(), as_json=options.json)
                await waiting
        finally:
            starting.cancel()
            waiting.cancel()
            await asyncio.gather(starting, waiting, return_exceptions=True)


async def _start(options: EdgeOptions, ending: Ending, stack: contextlib.AsyncExitStack) -> _Running:
    hosts: dict[str, tuple[str, ...]] = {}
    if options.files:
        # Read the files here too, to report errors in them before anything listens.
        found = await asyncio.to_thread(read_files, options.files, keys=options.keys, origins=options.origins)
        hosts = {each.id: each.aliases or (f"{each.id.lower()}.cloudfront.localhost",) for each in found.distributions}
    places = [Location(number, options.workers) for number in range(1, options.workers + 1)]
    edges = EdgeFleet(places, http_port=options.http_port, https_port=options.https_port)
    stack.push_async_callback(edges.stop, ending.drain)
    on_hangup(edges.reload, ending)
    watched = options.observing
    port = AdminPort(watched.admin_port, stack) if watched.admin_port is not None else None
    settings = EdgeSettings(
        endpoint_url=options.endpoint_url,
        region=options.region,
        files=tuple(path.absolute() for path in options.files),
        keys=options.keys.absolute() if options.keys else None,
        origins=options.origins,
        stale_seconds=options.stale_seconds,
        drain_seconds=options.drain_seconds,
        countries=options.countries,
        directory=own_folder(options.directory) / "authority",
        renew_authority=options.renew_authority,
    )
    ports = await edges.start(watched.settings(settings), Propagation(), metrics=port.metrics if port else None)
    if port is not None:
        port.start(edges)
    return _Running(ports, port.url if port else None, hosts)


def _show(running: _Running, *, as_json: bool) -> None:
    edge = running.edge
    if as_json:
        said = {
            "http": edge.http,
            "https": edge.https,
            "authority": str(edge.authority.absolute()),
            "admin": running.admin,
            "distributions": {name: list(hosts) for name, hosts in running.hosts.items()},
        }
        print(json.dumps(said), flush=True)  # noqa: T201
        return
    console = Console(highlight=False, soft_wrap=True)
    console.print("\nThe edge allows and refuses as CloudFront does:\n", style="bold")
    rows = [
        ("HTTP", f"http://127.0.0.1:{edge.http}", ""),
        ("HTTPS", f"https://127.0.0.1:{edge.https}", "curl --cacert with the authority"),
        ("Authority", str(edge.authority), "signs its certificate"),
    ]
    rows += [("Distribution", name, ", ".join(hosts)) for name, hosts in running.hosts.items()]
    rows += [("Admin", running.admin, "/metrics, /healthz, /readyz")] if running.admin else []
    for name, where, remark in rows:
        console.print(f"  [bold]{name:<13}[/bold] {where:<40} [dim]{remark}[/dim]")
    console.print("\nCtrl-C stops it.", style="bold")
