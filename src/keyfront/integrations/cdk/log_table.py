"""The files of access logs as a Glue table. Projection computes the partitions from their names, without a crawler."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

from aws_cdk import Token

from keyfront.errors import InputError

Format = Literal["parquet", "json", "w3c"]
TABLE: Final = "files"
LEGACY_FIELDS: Final = (
    *("date", "time", "x-edge-location", "sc-bytes", "c-ip", "cs-method", "cs(Host)", "cs-uri-stem", "sc-status"),
    *("cs(Referer)", "cs(User-Agent)", "cs-uri-query", "cs(Cookie)", "x-edge-result-type", "x-edge-request-id"),
    *("x-host-header", "cs-protocol", "cs-bytes", "time-taken", "x-forwarded-for", "ssl-protocol", "ssl-cipher"),
    *("x-edge-response-result-type", "cs-protocol-version", "fle-status", "fle-encrypted-fields", "c-port"),
    *("time-to-first-byte", "x-edge-detailed-result-type", "sc-content-type", "sc-content-len", "sc-range-start"),
    "sc-range-end",
)
"""The 33 fields of legacy logs, in their order."""
_READ: Final = (
    *("date", "time", "c-ip", "sc-status", "sc-bytes", "time-taken", "cs-method", "cs-protocol", "cs-uri-stem"),
    *("cs-uri-query", "cs(Host)", "x-host-header", "cs(Cookie)", "cs(Referer)", "cs(User-Agent)"),
    *("x-edge-result-type", "x-edge-detailed-result-type"),
)
"""The fields that the queries read."""
_OPTIONAL: Final = ("timestamp", "timestamp(ms)", "DistributionId", "c-country", "cache-behavior-path-pattern")
"""Fields that a log may lack. The queries name them, so the table has them: they are empty."""
_APART: Final = re.compile(r"[^a-z0-9]+")
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_DISTRIBUTION: Final = re.compile(r"[A-Z0-9]{1,20}")
_HADOOP: Final = "org.apache.hadoop"
_TEXT_INPUT: Final = f"{_HADOOP}.mapred.TextInputFormat"
_TEXT_OUTPUT: Final = f"{_HADOOP}.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
_FILES: Final = {
    "parquet": (
        f"{_HADOOP}.hive.ql.io.parquet.MapredParquetInputFormat",
        f"{_HADOOP}.hive.ql.io.parquet.MapredParquetOutputFormat",
        f"{_HADOOP}.hive.ql.io.parquet.serde.ParquetHiveSerDe",
    ),
    "json": (_TEXT_INPUT, _TEXT_OUTPUT, "org.openx.data.jsonserde.JsonSerDe"),
    "w3c": (_TEXT_INPUT, _TEXT_OUTPUT, f"{_HADOOP}.hive.serde2.lazy.LazySimpleSerDe"),
}
"""How each format is read and written: input, output, and the library for rows."""


@dataclass(frozen=True)
class LogTable:
    """Where log files are, and what they contain. Raises `InputError` if no query could read them."""

    bucket: str
    prefix: str
    format: Format
    fields: Sequence[str]
    distribution_ids: Sequence[str] | None
    partitioned: bool
    first_day: str

    def __post_init__(self) -> None:
        if not _BUCKET.fullmatch(self.bucket) and not Token.is_unresolved(self.bucket):
            raise InputError(f"bucket is {self.bucket!r}: give a bucket's name, without s3:// and without a prefix")
        if self.format not in _FILES:
            raise InputError(f"format is {self.format!r}: use parquet, json or w3c")
        if missing := [each for each in _READ if each not in self.fields]:
            raise InputError(f"fields lacks {', '.join(missing)}: the queries read them")
        if self.distribution_ids is not None and not self.distribution_ids:
            raise InputError("distribution_ids is empty: name the distributions, or leave it out")
        for each in self.distribution_ids or ():
            if not _DISTRIBUTION.fullmatch(each) and not Token.is_unresolved(each):
                raise InputError(
                    f"distribution_ids has {each!r}: give the ids of distributions, such as E1AAAAAAAAAAAA"
                )
        _check_day(self.first_day)

    @property
    def partitions(self) -> list[str]:
        """The names of the partitions, in the order of the folders."""
        return [*(["distributionid"] if self.distribution_ids else []), *(["day"] if self.partitioned else [])]

    @property
    def columns(self) -> list[str]:
        """The names of the columns. For W3C their order is that of the file."""
        ordered = [_column(each) for each in self.fields]
        known = {*ordered, *self.partitions}
        return [*ordered, *(name for name in map(_column, _OPTIONAL) if name not in known)]

    @property
    def location(self) -> str:
        """The address of the files."""
        prefix = self.prefix.strip("/")
        return f"s3://{self.bucket}/{prefix}/" if prefix else f"s3://{self.bucket}/"

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of the table, with those of the projection."""
        found = {"EXTERNAL": "TRUE"}
        if self.format == "w3c":
            found["skip.header.line.count"] = "2"
        if not self.partitions:
            return found
        folders = "/".join(f"${{{name}}}" for name in self.partitions)
        found |= {"projection.enabled": "true", "storage.location.template": f"{self.location}{folders}/"}
        if self.distribution_ids:
            values = {"type": "enum", "values": ",".join(self.distribution_ids)}
            found |= {f"projection.distributionid.{name}": value for name, value in values.items()}
        if self.partitioned:
            days = {"type": "date", "format": "yyyy/MM/dd", "range": f"{self.first_day.replace('-', '/')},NOW"}
            days |= {"interval": "1", "interval.unit": "DAYS"}
            found |= {f"projection.day.{name}": value for name, value in days.items()}
        return found

    def input(self) -> dict[str, Any]:
        """Return Glue's `TableInput`."""
        read, write, library = _FILES[self.format]
        return {
            "name": TABLE,
            "tableType": "EXTERNAL_TABLE",
            "description": "Access logs of CloudFront. All columns are texts, percent-encoded once.",
            "parameters": self.parameters,
            "partitionKeys": [{"name": name, "type": "string"} for name in self.partitions],
            "storageDescriptor": {
                "location": self.location,
                "inputFormat": read,
                "outputFormat": write,
                "serdeInfo": {"serializationLibrary": library, "parameters": self._row_settings()},
                "columns": [{"name": name, "type": "string"} for name in self.columns],
            },
        }

    def where(self, days: int) -> str:
        """Return the condition on the files, and so on the cost. Without partitions, a query reads everything."""
        if not self.partitioned:
            return "true"
        return f"day >= date_format(current_date - INTERVAL '{days}' DAY, '%Y/%m/%d')"

    def _row_settings(self) -> Mapping[str, str]:
        if self.format == "w3c":
            return {"field.delim": "\t", "serialization.format": "\t"}
        if self.format == "json":
            mapping = {f"mapping.{_column(each)}": each for each in (*self.fields, *_OPTIONAL)}
            return {"ignore.malformed.json": "true", **mapping}
        return {}


def _column(field: str) -> str:
    """Return a column's name by the field's: `cs(User-Agent)` is `cs_user_agent`."""
    return _APART.sub("_", field.lower()).strip("_")


def _check_day(day: str) -> None:
    try:
        known = date.fromisoformat(day).isoformat() == day
    except ValueError:
        known = False
    if not known:
        raise InputError(f"first_day is {day!r}: give a day, such as 2030-01-31")
