"""CloudFront functions and the key value stores that they read, as values."""

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from keyfront.errors import ServiceError

if TYPE_CHECKING:
    from boto3 import Session
    from mypy_boto3_cloudfront import CloudFrontClient

_log = logging.getLogger("keyfront.inventory")

_REFUSED: Final = (403, 404, 501)
"""An account that may not list functions, and an API that has none."""
_ACCOUNT: Final = re.compile(r"//[0-9]{12}\.")
CLOUDFRONT_FUNCTION: Final = ":function/"
"""What the ARN of a CloudFront function contains. A Lambda function's has `:function:`."""


@dataclass(frozen=True, slots=True)
class FunctionAssociation:
    """A function that a cache behavior runs: a CloudFront function or a Lambda function, by its ARN."""

    event_type: str
    """`viewer-request`, `viewer-response`, `origin-request` or `origin-response`."""
    arn: str
    include_body: bool = False
    """Whether a Lambda function gets the request's body."""

    @property
    def is_lambda(self) -> bool:
        """Whether it is a Lambda function."""
        return CLOUDFRONT_FUNCTION not in self.arn


@dataclass(frozen=True, slots=True)
class KeyValues:
    """The content of a key value store at one version."""

    id: str
    etag: str
    created: str
    modified: str
    """ISO 8601."""
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class EdgeFunction:
    """A CloudFront function's live stage."""

    arn: str
    name: str
    runtime: str
    """`cloudfront-js-1.0` or `cloudfront-js-2.0`."""
    code: str
    version: str
    """Changes with each publication."""
    store: KeyValues | None = None


def read_functions(
    client: "CloudFrontClient", stores: Callable[[], Any], arns: Iterable[str], previous: Mapping[str, EdgeFunction]
) -> dict[str, EdgeFunction]:
    """Return the live CloudFront functions among `arns`, by ARN. One that does not exist or cannot be read is left out.

    `stores` returns a boto3 client for `cloudfront-keyvaluestore`. With `previous`, only changes are read.
    Raises `ServiceError`.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    wanted = {arn for arn in arns if CLOUDFRONT_FUNCTION in arn}
    if not wanted:
        return {}
    try:
        summaries = [each for each in _live(client) if each["FunctionMetadata"]["FunctionARN"] in wanted]
        return {function.arn: function for function in (_read(client, stores, each, previous) for each in summaries)}
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] not in _REFUSED:
            raise ServiceError(f"cannot read the CloudFront functions: {error}") from error
        # Other behaviors need no function. Those that do are refused, since a function may be what protects them.
        _log.warning("the CloudFront functions cannot be read, so requests that need one get 503: %s", error)
        return {}
    except BotoCoreError as error:
        raise ServiceError(f"cannot read the CloudFront functions: {error}") from error


def _live(client: "CloudFrontClient") -> Iterator[Any]:
    marker: dict[str, Any] = {}
    while True:
        page = client.list_functions(Stage="LIVE", **marker)["FunctionList"]
        yield from page.get("Items", ())
        if not page.get("NextMarker"):
            return
        marker = {"Marker": page["NextMarker"]}


def _read(
    client: "CloudFrontClient", stores: Callable[[], Any], summary: Any, previous: Mapping[str, EdgeFunction]
) -> EdgeFunction:
    name, config, metadata = summary["Name"], summary["FunctionConfig"], summary["FunctionMetadata"]
    before = previous.get(metadata["FunctionARN"])
    version = f"{metadata['LastModifiedTime'].isoformat()} {config['Runtime']}"
    associated = [each["KeyValueStoreARN"] for each in config.get("KeyValueStoreAssociations", {}).get("Items", ())]
    store = _key_values(stores(), associated[0], before.store if before else None) if associated else None
    if before is not None and before.version == version:
        code = before.code
    else:
        code = client.get_function(Name=name, Stage="LIVE")["FunctionCode"].read().decode("utf-8", "replace")
    return EdgeFunction(metadata["FunctionARN"], name, config["Runtime"], code, version, store)


def _key_values(stores: Any, arn: str, before: KeyValues | None) -> KeyValues | None:
    """Return the content of a store; `None` if this Python cannot sign requests for it (`botocore[crt]`)."""
    from botocore.exceptions import MissingDependencyException

    try:
        described = stores.describe_key_value_store(KvsARN=arn)
    except MissingDependencyException as error:
        _log.warning("the key value store %s cannot be read, so its function fails: %s", arn, error)
        return None
    if before is not None and before.etag == described["ETag"]:
        return before
    found: list[tuple[str, str]] = []
    for page in stores.get_paginator("list_keys").paginate(KvsARN=arn):
        found += [(each["Key"], each["Value"]) for each in page.get("Items", ())]
    created, modified = described["Created"], described.get("LastModified", described["Created"])
    return KeyValues(arn.rpartition("/")[2], described["ETag"], _iso(created), _iso(modified), tuple(found))


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def key_value_store_client(session: "Session", endpoint_url: str | None) -> Any:
    """Return a boto3 client for the pairs of key value stores.

    Amazon wants SigV4A, which needs `botocore[crt]`. At an endpoint of your own, SigV4 is enough, and the account
    number that the SDK puts before the host name is left out, since such a name seldom resolves.
    """
    from botocore.config import Config

    config = Config(signature_version="v4", proxies={}) if endpoint_url else None
    client = session.client("cloudfront-keyvaluestore", endpoint_url=endpoint_url, config=config)
    if endpoint_url:
        client.meta.events.register("before-call.cloudfront-keyvaluestore.*", _without_account)
    return client


def _without_account(params: dict[str, Any], **_: Any) -> None:
    params["url"] = _ACCOUNT.sub("//", params["url"], count=1)
