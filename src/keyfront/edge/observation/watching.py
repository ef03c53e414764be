"""The observers that an edge's settings and its configuration ask for. Others are not imported, and cost nothing."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from keyfront.edge.configuration import Configuration
from keyfront.edge.exchange import Outcome
from keyfront.edge.observation.desk import Desk
from keyfront.edge.observation.record import Observer
from keyfront.edge.request.geography import Country, countries
from keyfront.edge.server.standing import Standing

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

    from keyfront.edge.observation.metrics import Metrics
    from keyfront.edge.server.settings import EdgeSettings

_log = logging.getLogger(__name__)

CurrentConfiguration = Callable[[], Configuration]
Kinesis = Callable[[str], "KinesisClient"]
"""Returns a client for a region."""


class Observation:
    """The desk of one edge, and its metrics."""

    def __init__(
        self,
        desk: Desk,
        metrics: Metrics | None,
        configuration: CurrentConfiguration,
        kinesis: Kinesis | None,
        country_of: Country,
    ) -> None:
        self.desk = desk
        self._country_of = country_of
        self._metrics = metrics
        self._configuration, self._kinesis = configuration, kinesis
        self._follows_logs = False

    @classmethod
    def of(
        cls,
        settings: EdgeSettings,
        domain_name: Callable[[str], str],
        configuration: CurrentConfiguration,
        kinesis: Kinesis | None,
    ) -> Observation:
        """Make the observers for `settings`. `domain_name` takes a distribution's id.

        `kinesis` is `None` if the edge must not write real-time logs. Raises `InputError` for a bad folder.
        """
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
        desk = Desk(settings.place.name, observers)
        return cls(desk, metrics, configuration, kinesis, countries(settings.countries))

    def follow(self, configuration: Configuration) -> None:
        """Begin to write real-time logs when a behavior has one."""
        behaviors = [each for distribution in configuration.distributions.values() for each in distribution.behaviors]
        if self._follows_logs or not any(behavior.realtime_log for behavior in behaviors):
            return
        self._follows_logs = True
        if self._kinesis is None:
            _log.warning("real-time logs are not written here: the edge writes only to a laptop's streams")
            return
        from keyfront.edge.observation.realtime_log import RealtimeLogs

        self.desk.add(RealtimeLogs(self._configuration, self._kinesis, self._country_of))

    @property
    def on_decision(self) -> Callable[[Outcome], None] | None:
        """The function to call with the outcome of each request. `None` if nobody observes."""
        return self.desk.decided if self.desk.is_watching else None

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
        self.desk.close()
