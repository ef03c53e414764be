"""Real-time log configurations: which fields of how many requests CloudFront writes to a Kinesis stream.

Sources: the API model; Developer Guide, "Use real-time access logs", "Quotas". A configuration has no ETag. Clients
name it by its name or its ARN.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from keyfront.local.controlplane.account import LocalAccount, Operation, check_length
from keyfront.local.controlplane.faults import APIError
from keyfront.local.controlplane.identifiers import realtime_log_config_arn
from keyfront.local.controlplane.paging import page
from keyfront.local.controlplane.store import Resource
from keyfront.local.controlplane.trust import distributions_with_realtime_log

if TYPE_CHECKING:
    from keyfront.local.controlplane.shapes import EndPoint, RealtimeLogConfig, RealtimeLogRequest

FIELDS: Final = (
    *("timestamp", "c-ip", "s-ip", "time-to-first-byte", "sc-status", "sc-bytes", "cs-method", "cs-protocol"),
    *("cs-host", "cs-uri-stem", "cs-bytes", "x-edge-location", "x-edge-request-id", "x-host-header", "time-taken"),
    *("cs-protocol-version", "c-ip-version", "cs-user-agent", "cs-referer", "cs-cookie", "cs-uri-query"),
    *("x-edge-response-result-type", "x-forwarded-for", "ssl-protocol", "ssl-cipher", "x-edge-result-type"),
    *("fle-encrypted-fields", "fle-status", "sc-content-type", "sc-content-len", "sc-range-start", "sc-range-end"),
    *("c-port", "x-edge-detailed-result-type", "c-country", "cs-accept-encoding", "cs-accept"),
    *("cache-behavior-path-pattern", "cs-headers", "cs-header-names", "cs-headers-count", "primary-distribution-id"),
    *("primary-distribution-dns-name", "origin-fbl", "origin-lbl", "asn", "cmcd-encoded-bitrate"),
    *("cmcd-buffer-length", "cmcd-buffer-starvation", "cmcd-content-id", "cmcd-object-duration", "cmcd-deadline"),
    *("cmcd-measured-throughput", "cmcd-next-object-request", "cmcd-next-range-request", "cmcd-object-type"),
    *("cmcd-playback-rate", "cmcd-requested-maximum-throughput", "cmcd-streaming-format", "cmcd-session-id"),
    *("cmcd-stream-type", "cmcd-startup", "cmcd-top-bitrate", "cmcd-version", "edge-mqcs", "r-host", "sr-reason"),
)
"""The fields, in the order of the guide, which is their order in a record. Assumed: other names are refused."""

_NAME = re.compile(r"[A-Za-z0-9_-]+")
"""Assumed: the characters of a name. It is part of an ARN."""
_STREAM = re.compile(r"arn:aws[a-z-]*:kinesis:[a-z0-9-]+:[0-9]{12}:stream/[A-Za-z0-9_.-]{1,128}")
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/.+")
_NAME_CHARACTERS = 128


def create(account: LocalAccount, request: RealtimeLogRequest) -> Mapping[str, object]:
    """CreateRealtimeLogConfig: names are unique."""
    name, table, quota = request["Name"], account.store.realtime_log_configs, account.quotas.realtime_log_configs
    config = _checked(request)
    check_length(name, "Name", _NAME_CHARACTERS, 1)
    if not _NAME.fullmatch(name):
        message = f"The parameter Name must have only letters, digits, hyphens and underscores; it is {name[:200]!r}."
        raise APIError("InvalidArgument", message)
    if table.get(name):
        message = f"A real-time log configuration named {name!r} already exists. You must provide a unique name."
        raise APIError("RealtimeLogConfigAlreadyExists", message)
    if len(table) >= quota:
        message = f"This account has {quota} real-time log configurations, which is the quota: delete one first."
        raise APIError("TooManyRealtimeLogConfigs", message)
    now = account.clock()
    made = Resource(name, "", config, now, now)
    table.put(made)
    return {"RealtimeLogConfig": _describe(account, made)}


def get(account: LocalAccount, request: RealtimeLogRequest) -> Mapping[str, object]:
    """GetRealtimeLogConfig."""
    return {"RealtimeLogConfig": _describe(account, _find(account, request))}


def list_all(account: LocalAccount, request: RealtimeLogRequest) -> Mapping[str, object]:
    """ListRealtimeLogConfigs."""
    listing = page(account.store.realtime_log_configs, request, lambda each: _describe(account, each))
    return {"RealtimeLogConfigs": {name: value for name, value in listing.items() if name != "Quantity"}}


def update(account: LocalAccount, request: RealtimeLogRequest) -> Mapping[str, object]:
    """UpdateRealtimeLogConfig: replaces everything except the name."""
    before = _find(account, request)
    if missing := [name for name in ("EndPoints", "Fields", "SamplingRate") if name not in request]:
        # Assumed. API Reference: "You cannot update some parameters independent of others."
        raise APIError("InvalidArgument", f"The parameter {missing[0]} is required: an update replaces everything.")
    changed = replace(before, config=_checked(request), modified=account.clock())
    account.store.realtime_log_configs.put(changed)
    return {"RealtimeLogConfig": _describe(account, changed)}


def delete(account: LocalAccount, request: RealtimeLogRequest) -> Mapping[str, object]:
    """DeleteRealtimeLogConfig: refused while a cache behavior uses it."""
    found = _find(account, request)
    if using := distributions_with_realtime_log(account.store, _arn(account, found)):
        users = ", ".join(each.id for each in using)
        message = f"Cannot delete the real-time log configuration because it is attached to cache behaviors of {users}."
        raise APIError("RealtimeLogConfigInUse", message)
    account.store.realtime_log_configs.remove(found.id)
    return {}


OPERATIONS: Mapping[str, Operation] = {
    "CreateRealtimeLogConfig": create,
    "GetRealtimeLogConfig": get,
    "ListRealtimeLogConfigs": list_all,
    "UpdateRealtimeLogConfig": update,
    "DeleteRealtimeLogConfig": delete,
}


def check_exists(account: LocalAccount, arn: str, behavior: str) -> None:
    """Raise `APIError` for the ARN of a configuration that does not exist, or that belongs to another account.

    `behavior` names the cache behavior in the message.
    """
    if arn in {_arn(account, each) for each in account.store.realtime_log_configs}:
        return
    owner = arn.split(":")[4:5]
    code = "NoSuchRealtimeLogConfig" if owner in ([], [account.number]) else "RealtimeLogConfigOwnerMismatch"
    raise APIError(code, f"The RealtimeLogConfigArn of the cache behavior {behavior} does not exist: {arn[:200]!r}.")


def by_name_or_arn(account: LocalAccount, name: str, arn: str) -> Resource[RealtimeLogConfig]:
    """Return the configuration with this name, or with this ARN if the name is empty (API model).

    Raises `APIError`: `InvalidArgument` if both are empty, `NoSuchRealtimeLogConfig`.
    """
    if not name and not arn:
        raise APIError("InvalidArgument", "Specify the Name or the ARN of a real-time log configuration.")
    for each in account.store.realtime_log_configs:
        if (each.id == name) if name else (_arn(account, each) == arn):
            return each
    message = f"The real-time log configuration does not exist: {(name or arn)[:200]!r}."
    raise APIError("NoSuchRealtimeLogConfig", message)


def _find(account: LocalAccount, request: RealtimeLogRequest) -> Resource[RealtimeLogConfig]:
    return by_name_or_arn(account, request.get("Name", ""), request.get("ARN", ""))


def _arn(account: LocalAccount, config: Resource[RealtimeLogConfig]) -> str:
    return realtime_log_config_arn(account.number, config.id)


def _describe(account: LocalAccount, config: Resource[RealtimeLogConfig]) -> Mapping[str, object]:
    return {"ARN": _arn(account, config), "Name": config.id, **config.config}


def _checked(request: RealtimeLogRequest) -> RealtimeLogConfig:
    """Return the part of a request that is stored, with the fields in their order."""
    fields, rate = request["Fields"], request["SamplingRate"]
    if not 1 <= rate <= 100:
        raise APIError("InvalidArgument", f"The parameter SamplingRate must be 1 to 100; it is {rate}.")
    if not fields:
        raise APIError("InvalidArgument", "The parameter Fields must have at least one field.")
    if unknown := [name for name in fields if name not in FIELDS]:
        raise APIError("InvalidArgument", f"The parameter Fields contains {unknown[0][:100]!r}, which is not a field.")
    if len(set(fields)) < len(fields):
        raise APIError("InvalidArgument", "The parameter Fields has the same field twice.")
    if len(request["EndPoints"]) != 1:
        message = f"The parameter EndPoints must have one end point; it has {len(request['EndPoints'])}."
        raise APIError("InvalidArgument", message)
    _check_end_point(request["EndPoints"][0])
    return {"EndPoints": request["EndPoints"], "Fields": sorted(fields, key=FIELDS.index), "SamplingRate": rate}


def _check_end_point(end_point: EndPoint) -> None:
    stream = end_point.get("KinesisStreamConfig")
    if end_point["StreamType"] != "Kinesis" or stream is None:
        message = "An end point must have the StreamType 'Kinesis' and a KinesisStreamConfig; "
        raise APIError("InvalidArgument", f"{message}its type is {end_point['StreamType'][:50]!r}.")
    for member, arn, form in (("StreamARN", stream["StreamARN"], _STREAM), ("RoleARN", stream["RoleARN"], _ROLE)):
        if not form.fullmatch(arn):
            raise APIError("InvalidArgument", f"The parameter {member} is not valid: {arn[:200]!r}.")
