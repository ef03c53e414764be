"""Puts a CloudFront function to work: stores it, tests it, publishes it, and associates it with a cache behavior."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from keyfront.edge.functions.trial import TrialResult
from keyfront.errors import InputError

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

_DEFAULT: Final = "*"


@dataclass(frozen=True, slots=True)
class Publication:
    """A function's name and settings, and where it runs."""

    name: str
    runtime: str
    distribution: str
    """The distribution's id."""
    event_type: str
    pattern: str = ""
    """The path pattern of the cache behavior. If empty: those that run it already, or else the default one."""
    store: str = ""
    """The ARN of its key value store, if it has one."""


def publish(client: "CloudFrontClient", what: Publication, code: str, event: Mapping[str, Any]) -> TrialResult:
    """Store the function and test it on `event`. If viewers would get no error, publish and associate it.

    Returns the result of the test. Raises `InputError` for a behavior that the distribution does not have.
    """
    etag, arn = _stored(client, what, code)
    given = json.dumps(event).encode()
    tested = client.test_function(Name=what.name, IfMatch=etag, EventObject=given)["TestResult"]
    output = json.loads(tested.get("FunctionOutput") or "{}")
    result = TrialResult(
        output.get("request", output.get("response")),
        tested.get("FunctionErrorMessage", ""),
        tuple(tested.get("FunctionExecutionLogs", ())),
        int(tested.get("ComputeUtilization", "0") or 0),
        0.0,
    )
    if not result.error:
        client.publish_function(Name=what.name, IfMatch=etag)
        _associate(client, what, arn)
    return result


def _stored(client: "CloudFrontClient", what: Publication, code: str) -> tuple[str, str]:
    """Create or update the function. Return its ETag and ARN."""
    config: Any = {"Comment": "", "Runtime": what.runtime}
    if what.store:
        config["KeyValueStoreAssociations"] = {"Quantity": 1, "Items": [{"KeyValueStoreARN": what.store}]}
    try:
        described = client.describe_function(Name=what.name)
    except client.exceptions.NoSuchFunctionExists:
        made = client.create_function(Name=what.name, FunctionConfig=config, FunctionCode=code.encode())
        return made["ETag"], made["FunctionSummary"]["FunctionMetadata"]["FunctionARN"]
    summary = described["FunctionSummary"]
    config = {**config, **summary["FunctionConfig"], **{key: config[key] for key in config if key != "Comment"}}
    changed = client.update_function(
        Name=what.name, IfMatch=described["ETag"], FunctionConfig=config, FunctionCode=code.encode()
    )
    return changed["ETag"], summary["FunctionMetadata"]["FunctionARN"]


def _associate(client: "CloudFrontClient", what: Publication, arn: str) -> None:
    """Let the behavior run the function, in place of another function of the same event type."""
    answer = client.get_distribution_config(Id=what.distribution)
    config: Any = answer["DistributionConfig"]
    behavior = _behavior(config, what)
    wanted = {"EventType": what.event_type, "FunctionARN": arn}
    counted = [behavior] if what.pattern else [config["DefaultCacheBehavior"], *_listed(config)]
    if any(wanted in _associations(each) for each in counted):
        return
    items = [*(each for each in _associations(behavior) if each["EventType"] != what.event_type), wanted]
    behavior["FunctionAssociations"] = {"Quantity": len(items), "Items": items}
    client.update_distribution(Id=what.distribution, IfMatch=answer["ETag"], DistributionConfig=config)


def _behavior(config: Mapping[str, Any], what: Publication) -> dict[str, Any]:
    if what.pattern in ("", _DEFAULT):
        default: dict[str, Any] = config["DefaultCacheBehavior"]
        return default
    for behavior in _listed(config):
        if behavior["PathPattern"].removeprefix("/") == what.pattern.removeprefix("/"):
            return behavior
    known = ", ".join(repr(each["PathPattern"]) for each in (*_listed(config), {"PathPattern": _DEFAULT}))
    raise InputError(f"{what.distribution} has no cache behavior {what.pattern!r}: choose one of {known}")


def _listed(config: Mapping[str, Any]) -> list[dict[str, Any]]:
    return list(config.get("CacheBehaviors", {}).get("Items", []))


def _associations(behavior: Mapping[str, Any]) -> list[dict[str, str]]:
    return list(behavior.get("FunctionAssociations", {}).get("Items", []))
