"""Writes what functions log to CloudWatch Logs, as CloudFront does: `/aws/cloudfront/function/NAME` in us-east-1.

Source: Developer Guide, "Edge function logs" (group and region; each run is framed by START and END with the request's
id). The name of the log stream is assumed.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from uuid import uuid4

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_logs.type_defs import InputLogEventTypeDef

_log = logging.getLogger(__name__)

FUNCTION_LOGS_REGION: Final = "us-east-1"
_GROUP: Final = "/aws/cloudfront/function/"
_MOST_WAITING: Final = 10_000
_CLOSE_SECONDS: Final = 5


class FunctionLogs:
    """The log groups of functions. A thread writes to them until `close`, so that no viewer waits."""

    def __init__(self, client: Callable[[], "CloudWatchLogsClient"]) -> None:
        """`client` is called in the thread, when there is something to write."""
        self._client = client
        self._stream = f"{datetime.now(UTC):%Y/%m/%d}/{uuid4().hex}"
        self._waiting: queue.Queue[tuple[str, list[InputLogEventTypeDef]] | None] = queue.Queue(_MOST_WAITING)
        self._thread: threading.Thread | None = None
        self._streams: set[str] = set()

    def publish(self, name: str, request_id: str, distribution_id: str, lines: Iterable[str]) -> None:
        """Write the lines of one run later. If too many wait, these are lost."""
        now = int(time.time() * 1000)
        texts = [f"{request_id} START DistributionID: {distribution_id}"]
        texts += [f"{request_id} {line}" for line in lines]
        texts.append(f"{request_id} END")
        if self._thread is None:
            self._thread = threading.Thread(target=self._write_all, name="keyfront-function-logs", daemon=True)
            self._thread.start()
        with suppress(queue.Full):
            self._waiting.put_nowait((name, [{"timestamp": now, "message": text} for text in texts]))

    def close(self) -> None:
        """Write what waits, and end."""
        if self._thread is not None:
            with suppress(queue.Full):
                self._waiting.put(None, timeout=_CLOSE_SECONDS)
            self._thread.join(_CLOSE_SECONDS)

    def _write_all(self) -> None:
        client = self._client()
        while (item := self._waiting.get()) is not None:
            name, events = item
            try:
                self._write(client, _GROUP + name, events)
            except Exception as error:  # noqa: BLE001  a log that cannot be written stops nothing
                _log.warning("the log of the function %s cannot be written: %s", name, error)

    def _write(self, client: "CloudWatchLogsClient", group: str, events: "list[InputLogEventTypeDef]") -> None:
        if group not in self._streams:
            with suppress(client.exceptions.ResourceAlreadyExistsException):
                client.create_log_group(logGroupName=group)
            with suppress(client.exceptions.ResourceAlreadyExistsException):
                client.create_log_stream(logGroupName=group, logStreamName=self._stream)
            self._streams.add(group)
        client.put_log_events(logGroupName=group, logStreamName=self._stream, logEvents=events)
