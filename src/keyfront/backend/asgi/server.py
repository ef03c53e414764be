"""`keyfront backend`: the download service in several processes, with granian as their supervisor and server.

granian starts a process again if it ends, spreads the connections over the processes, and lets responses under way end
at SIGTERM.
"""

import contextlib
import logging
import multiprocessing
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from granian.constants import Interfaces, Loops
from granian.log import LogLevels
from granian.server import Server

from keyfront.backend.asgi.app import create_app
from keyfront.backend.asgi.log_lines import LogFormat, configure_logs, log_configuration
from keyfront.backend.asgi.worker import WorkerOptions, load
from keyfront.backend.service.database_address import weak_encryption
from keyfront.backend.service.entitlements import Verdict, open_entitlements
from keyfront.backend.service.purchases import Purchases
from keyfront.backend.service.settings import Settings
from keyfront.errors import ServiceError
from keyfront.web.forwarded import Network
from keyfront.web.serving import CAN_SHARE_PORTS, Use, bind

_log = logging.getLogger(__name__)

OnReady = Callable[[str, str | None], None]
"""Called once the service answers, with its address, and with that of its metrics."""

_LOOK_SECONDS: Final = 0.05
_METRICS: Final = "PROMETHEUS_MULTIPROC_DIR"


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """The options of `keyfront backend`. Port 0 takes any free port."""

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    trusted: tuple[Network, ...] = ()
    """The networks of proxies whose `X-Forwarded-*` headers are believed."""
    drain_seconds: int = 30
    """How long responses under way may continue at the end."""
    log_format: LogFormat = "text"
    log_requests: bool = False
    metrics_host: str = "127.0.0.1"
    metrics_port: int | None = None


def run(options: ServerOptions, on_ready: OnReady) -> None:
    """Serve until SIGINT or SIGTERM. The settings come from the environment.

    Raises `KeyfrontError` for settings and options that cannot be used, for a port in use, and for a database whose
    schema does not fit.
    """
    configure_logs(options.log_format)
    # As granian's own command does: the module that KEYFRONT_ENTITLEMENTS names may be in this folder.
    sys.path.insert(0, str(Path.cwd()))
    check(Settings.from_environment())
    with contextlib.ExitStack() as stack:
        port = stack.enter_context(_reserved(options))
        metrics = _metrics(options, stack)
        # A forked process would inherit this one's threads' locks.
        multiprocessing.set_start_method("spawn", force=True)
        server = Server(
            "keyfront",
            address=options.host,
            port=port,
            interface=Interfaces.ASGINL,
            loop=Loops.uvloop,
            workers=options.workers,
            websockets=False,
            respawn_failed_workers=True,
            workers_kill_timeout=options.drain_seconds,
            log_level=LogLevels.warning,
            log_dictconfig=log_configuration(options.log_format),
        )
        server.on_startup(lambda: _tell(options.host, port, partial(on_ready, _url(options.host, port), metrics)))
        wanted = WorkerOptions(options.trusted, options.log_requests, options.metrics_port is not None)
        server.serve(target_loader=partial(load, wanted), wrap_loader=False)


def check(settings: Settings) -> None:
    """Check that customers can be identified and that the database's schema fits.

    A database that does not answer is only a warning, because it may come later. Raises `KeyfrontError`.
    """
    create_app(settings)
    uses_sql = settings.entitlements is None and settings.entitlements_table is None
    if uses_sql and (warning := weak_encryption(settings.database_url, os.environ)):
        _log.warning("%s", warning)
    try:
        entitlements = open_entitlements(settings, _never)
        try:
            entitlements.check()
        finally:
            # Each process opens its own connections.
            if isinstance(entitlements, Purchases):
                entitlements.close()
    except ServiceError as error:
        _log.warning("%s: downloads get 503 until it answers", error)


def _never(_: object) -> Verdict:
    raise AssertionError("no customer is asked about")


@contextlib.contextmanager
def _reserved(options: ServerOptions) -> Iterator[int]:
    """Bind the port, so that a port in use is a clear error, and 0 is the same free port for all processes."""
    use: Use = "reserved" if CAN_SHARE_PORTS else "alone"
    with bind(options.host, options.port, option="another with --port or --host", use=use) as bound:
        port = int(bound.getsockname()[1])
        if not CAN_SHARE_PORTS:
            bound.close()
        yield port


def _metrics(options: ServerOptions, stack: contextlib.ExitStack) -> str | None:
    """Serve the metrics of all processes, if wanted, and return their address. Processes begin to count after this."""
    if options.metrics_port is None:
        return None
    folder = stack.enter_context(TemporaryDirectory(prefix="keyfront-metrics-"))
    # Read when prometheus_client is imported, here and in the processes.
    os.environ[_METRICS] = folder
    from keyfront.backend.asgi.metrics import serve_metrics

    port = serve_metrics(Path(folder), options.metrics_host, options.metrics_port)
    return f"{_url(options.metrics_host, port)}/metrics"


def _tell(host: str, port: int, tell: Callable[[], None]) -> None:
    """Call `tell`, in a thread, once a process accepts connections."""
    own = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104

    def wait() -> None:
        while True:
            with contextlib.suppress(OSError), socket.create_connection((own, port), timeout=1):
                return tell()
            time.sleep(_LOOK_SECONDS)

    threading.Thread(target=wait, daemon=True).start()


def _url(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
