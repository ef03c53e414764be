"""The observers that an edge's settings ask for. Others are not imported, and cost nothing."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from keyfront.edge.observation.desk import Desk
from keyfront.edge.observation.record import Observer
from keyfront.edge.server.standing import Standing

if TYPE_CHECKING:
    from keyfront.edge.observation.metrics import Metrics
    from keyfront.edge.server.settings import EdgeSettings


class Observation:
    """The desk of one edge, or `None` if there are no observers, and its metrics."""

    def __init__(self, desk: Desk | None, metrics: Metrics | None) -> None:
        self.desk = desk
        self._metrics = metrics

    @classmethod
    def of(cls, settings: EdgeSettings, domain_name: Callable[[str], str]) -> Observation:
        """Make the observers for `settings`. `domain_name` takes a distribution's id. `InputError`: a bad folder."""
        observers: list[Observer] = []
        metrics: Metrics | None = None
        if settings.log_decisions:
            from keyfront.edge.observation.decision_log import DecisionLog

            observers.append(DecisionLog(sys.stderr))
        if settings.report_decisions:
            from keyfront.edge.observation.decision_report import DecisionReport

            observers.append(DecisionReport(sys.stdout))
        if settings.access_logs is not None:
            from keyfront.edge.observation.access_log import AccessLog

            observers.append(AccessLog(settings.access_logs, domain_name=domain_name))
        if settings.metrics:
            from keyfront.edge.observation.metrics import Metrics

            observers.append(metrics := Metrics(settings.place.name))
        return cls(Desk(settings.place.name, observers) if observers else None, metrics)

    def configured(self, standing: Standing) -> None:
        """Record the standing of the configuration."""
        if self._metrics is not None:
            age = standing.age(time.monotonic())
            read_at = None if standing.read_at is None else time.time() - age
            self._metrics.configured(read_at, closed=standing.closed, keyless=len(standing.keyless))

    @property
    def on_answer(self) -> Callable[[float, str], None] | None:
        """The function to call after each request to an origin, with the seconds and the status or `error`."""
        return self._metrics.origin if self._metrics is not None else None

    def close(self) -> None:
        """Close the observers."""
        if self.desk is not None:
            self.desk.close()
