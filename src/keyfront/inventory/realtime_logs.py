"""Real-time log configurations as values: which fields of how many requests go to which stream.

Source: API model, `RealtimeLogConfig`.
"""

from dataclasses import dataclass

from keyfront.inventory.response_headers import Document


@dataclass(frozen=True, slots=True)
class RealtimeLog:
    """A real-time log configuration."""

    arn: str
    stream_arn: str
    """The ARN of a Kinesis stream."""
    fields: tuple[str, ...]
    """The fields of a record, in their order."""
    percent: int
    """The percentage of requests with a record."""


def realtime_log(item: Document) -> RealtimeLog:
    """Return the configuration in a `RealtimeLogConfig` structure."""
    streams = [each["KinesisStreamConfig"]["StreamARN"] for each in item["EndPoints"] if "KinesisStreamConfig" in each]
    return RealtimeLog(
        arn=item["ARN"],
        stream_arn=streams[0] if streams else "",
        fields=tuple(item["Fields"]),
        percent=int(item["SamplingRate"]),
    )
