"""`keyfront edge`: an edge alone, before an account or before files that describe one."""

import asyncio
import contextlib
import json
import signal
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from keyfront.controlplane.propagation import Propagation
from keyfront.edge.locations import Location
from keyfront.edge.observation.access_log import AccessLog
from keyfront.edge.settings import EdgeSettings
from keyfront.inventory.files import read_files
from keyfront.serving import Listener, bind_loopback
from keyfront.stack import admin
from keyfront.stack.edges import EdgePorts, Edges


@dataclass(frozen=True)
class EdgeOptions:
    """What `keyfront edge` can be told. A port of 0 is any that is free."""

    files: tuple[Path, ...] = ()
    """What the AWS CLI prints of an account; without any the account is followed through the CloudFront API."""
    keys: Path | None = None
    origins: Mapping[str, str] = field(default_factory=dict)
    endpoint_url: str | None = None
    region: str = "us-east-1"
    http_port: int = 8080
    https_port: int = 8443
    admin_port: int | None = None
    workers: int = 1
    log_decisions: bool = False
    access_logs: Path | None = None
    directory: Path = Path(".keyfront")
    json: bool = False


@dataclass(frozen=True)
class _Running:
    edge: EdgePorts
    admin: str | None
    hosts: Mapping[str, tuple[str, ...]]


def run(options: EdgeOptions) -> None:
    """Run until SIGINT or SIGTERM. Raises `KeyfrontError` for files that cannot be used and ports that are taken."""
    asyncio.run(_run(options))


async def _run(options: EdgeOptions) -> None:
    stopped, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with contextlib.AsyncExitStack() as stack:
        starting = asyncio.create_task(_start(options, stack))
        waiting = asyncio.create_task(stopped.wait())
        try:
            await asyncio.wait({starting, waiting}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                _show(starting.result(), as_json=options.json)
                await waiting
        finally:
            starting.cancel()
            waiting.cancel()
            await asyncio.gather(starting, waiting, return_exceptions=True)


async def _start(options: EdgeOptions, stack: contextlib.AsyncExitStack) -> _Running:
    hosts: dict[str, tuple[str, ...]] = {}
    if options.files:
        # Here too, since a mistake in them has to be said before anything listens.
        found = await asyncio.to_thread(read_files, options.files, keys=options.keys, origins=options.origins)
        hosts = {each.id: each.aliases or (f"{each.id.lower()}.cloudfront.localhost",) for each in found.distributions}
    if options.access_logs is not None:
        AccessLog(options.access_logs, domain_name=str).close()
    places = [Location(number, options.workers) for number in range(1, options.workers + 1)]
    edges = Edges(places, http_port=options.http_port, https_port=options.https_port)
    stack.push_async_callback(edges.stop)
    metrics, sockets = None, list[socket.socket]()
    if options.admin_port is not None:
        sockets = bind_loopback(options.admin_port, option="another with --admin-port")
        for bound in sockets:
            stack.callback(bound.close)
        metrics = Path(stack.enter_context(TemporaryDirectory(prefix="keyfront-metrics-")))
    settings = EdgeSettings(
        endpoint_url=options.endpoint_url,
        region=options.region,
        files=tuple(path.absolute() for path in options.files),
        keys=options.keys.absolute() if options.keys else None,
        origins=options.origins,
        log_decisions=options.log_decisions,
        access_logs=options.access_logs.absolute() if options.access_logs else None,
        directory=options.directory / "authority",
    )
    ports = await edges.start(settings, Propagation(), metrics=metrics)
    if metrics is not None:
        app = admin.application(metrics, alive=edges.alive, ready=edges.ready)
        for bound in sockets:
            listener = Listener(app, bound)
            listener.start()
            stack.push_async_callback(listener.stop)
    where = f"http://127.0.0.1:{sockets[0].getsockname()[1]}" if sockets else None
    return _Running(ports, where, hosts)


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
    console.print("\nThe edge decides as CloudFront does:\n", style="bold")
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
