"""The edge of `keyfront up`: one process for each location, on ports that all locations share."""

import asyncio
import logging
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from keyfront.edge.server.locations import Location
from keyfront.edge.server.standing import Standing
from keyfront.errors import InputError, KeyfrontError
from keyfront.local.controlplane import Propagation
from keyfront.local.edge_process import EdgeProcess, OnDecided
from keyfront.web.draining import Drain
from keyfront.web.serving import CAN_SHARE_PORTS, bind_loopback

if TYPE_CHECKING:
    from keyfront.edge.server.settings import EdgeSettings

_log = logging.getLogger(__name__)

_PAUSES: Final = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds before an ended process is started again. The next one applies each time it ran less than `_LIVELY`."""
_LIVELY: Final = 60


OnDecidedAt = Callable[[Sequence[Mapping[str, object]], Mapping[str, int], str], None]
"""As `OnDecided`, with the name of the location."""


@dataclass(frozen=True)
class EdgeLocation:
    """One location, and its own ports."""

    name: str
    """The value of `X-Amz-Cf-Pop`."""
    http: int
    https: int


@dataclass(frozen=True)
class EdgePorts:
    """The ports where viewers reach the edge, and the file of the authority that signed its certificates."""

    http: int
    https: int
    authority: Path
    locations: tuple[EdgeLocation, ...]
    delay: float = 0.0
    """Seconds until a change has reached the last location."""


class EdgeFleet:
    """The processes of all locations, from `start` to `stop`. If one ends, it is started again; the others serve on."""

    def __init__(self, places: Sequence[Location], *, http_port: int, https_port: int) -> None:
        """Bind the ports (0: any free port). Raises `PortError`, and `InputError` if this system cannot share ports."""
        if len(places) > 1 and not CAN_SHARE_PORTS:
            raise InputError(f"several edge locations cannot share their ports on {sys.platform}: do not set --edges")
        self._places = places
        self._reserved = ExitStack()
        self._processes: dict[str, EdgeProcess] = {}
        self._keeping: list[asyncio.Task[None]] = []
        try:
            self.http = self._reserve(http_port, "another with --http-port")
            self.https = self._reserve(https_port, "another with --https-port")
            self._locations = tuple(self._location(place) for place in places)
        except BaseException:
            self._reserved.close()
            raise

    async def start(
        self,
        settings: "EdgeSettings",
        propagation: Propagation,
        *,
        metrics: Path | None = None,
        on_decided: OnDecidedAt | None = None,
    ) -> EdgePorts:
        """Start all locations with `settings`, each with its own name and ports. Return when all accept connections.

        `propagation` learns which changes they have applied. `metrics` is the folder for their metrics. `on_decided`
        gets their decisions.
        Raises `KeyfrontError` if one cannot start. Then call `stop` for the others.
        """
        self._propagation = propagation
        self._metrics = metrics
        self._on_decided = on_decided
        each = [self._settings(settings, place, own) for place, own in zip(self._places, self._locations, strict=True)]
        results = await asyncio.gather(*map(self._run, each), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        self._keeping = [asyncio.create_task(self._keep(one)) for one in each]
        first, delay = self._processes[each[0].place.name], each[0].propagation_seconds
        return EdgePorts(self.http, self.https, first.authority, self._locations, delay)

    def alive(self) -> dict[str, bool]:
        """Return whether the process of each location runs, by name."""
        return {name: process.runs for name, process in sorted(self._processes.items())}

    def standings(self) -> dict[str, Standing]:
        """Return the state of each location's configuration, by name."""
        return {name: process.standing for name, process in sorted(self._processes.items())}

    def reload(self) -> None:
        """Make all locations read their configuration and certificate again."""
        for process in self._processes.values():
            process.reload()

    def tell_of_changes(self) -> None:
        """Make all locations read their configuration soon. Any thread may call it."""
        for process in list(self._processes.values()):
            process.tell_of_changes()

    async def stop(self, drain: Drain | None = None) -> None:
        """End all processes once running responses have ended or `drain` is over, and free the ports."""
        drain = drain or Drain()
        for task in self._keeping:
            task.cancel()
        await asyncio.gather(*self._keeping, return_exceptions=True)
        await asyncio.gather(*(process.stop(drain) for process in self._processes.values()))
        self._reserved.close()

    async def _run(self, settings: "EdgeSettings") -> None:
        """Start a location's process. From now on changes wait for it, unless it does not start."""
        name = settings.place.name
        self._propagation.register(name)
        try:
            self._processes[name] = await EdgeProcess.start(
                settings,
                partial(self._propagation.applied, name),
                metrics=self._metrics,
                on_decided=self._deciding(name),
            )
        except KeyfrontError:
            self._propagation.forget(name)
            raise

    async def _keep(self, settings: "EdgeSettings") -> None:
        """Start a location's process again whenever it ends. Changes do not wait for a process that starts slowly."""
        name, pauses = settings.place.name, iter(_PAUSES)
        while True:
            began = time.monotonic()
            status = await self._processes[name].ended()
            _log.warning("edge location %s ended (%s); it is started again", name, _how(status))
            if time.monotonic() - began >= _LIVELY:
                pauses = iter(_PAUSES)
            while True:
                if pause := next(pauses, _PAUSES[-1]):
                    self._propagation.forget(name)
                    await asyncio.sleep(pause)
                try:
                    await self._run(settings)
                except KeyfrontError as error:
                    _log.warning("edge location %s does not start: %s", name, error)
                else:
                    break

    def _deciding(self, name: str) -> OnDecided | None:
        """Return what gets the decisions of the location `name`."""
        take = self._on_decided
        return None if take is None else lambda decisions, counts: take(decisions, counts, name)

    def _settings(self, settings: "EdgeSettings", place: Location, own: EdgeLocation) -> "EdgeSettings":
        return replace(
            settings,
            http_port=self.http,
            https_port=self.https,
            shared_ports=CAN_SHARE_PORTS,
            location=place.number,
            locations=place.of,
            propagation_seconds=place.delay,
            metrics=self._metrics is not None,
            report_decisions=self._on_decided is not None,
            own_http_port=own.http if place.of > 1 else None,
            own_https_port=own.https if place.of > 1 else None,
        )

    def _location(self, place: Location) -> EdgeLocation:
        if place.of == 1:
            return EdgeLocation(place.name, self.http, self.https)
        return EdgeLocation(place.name, self._reserve(0), self._reserve(0))

    def _reserve(self, port: int, option: str = "") -> int:
        """Return a port for the processes to share until `stop`. Where ports cannot be shared, one process binds it."""
        sockets = bind_loopback(port, option=option, use="reserved" if CAN_SHARE_PORTS else "alone")
        for bound in sockets:
            self._reserved.callback(bound.close)
        number = int(sockets[0].getsockname()[1])
        if not CAN_SHARE_PORTS:
            self._reserved.close()
        return number


def _how(status: int) -> str:
    return signal.Signals(-status).name if status < 0 else f"exit status {status}"
