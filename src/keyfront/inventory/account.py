"""Reads a whole account through the CloudFront API."""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from keyfront.core.keys import PublicKey
from keyfront.errors import NO_CREDENTIALS, KeyLoadError, ServiceError
from keyfront.inventory.continuous_deployment import DeploymentPolicy, deployment_policy
from keyfront.inventory.documents import parse_distribution
from keyfront.inventory.policies import Document, cache_policy, origin_request_policy
from keyfront.inventory.realtime_logs import RealtimeLog, realtime_log
from keyfront.inventory.response_headers import ResponseHeadersPolicy, response_headers_policy
from keyfront.inventory.values import (
    CachePolicy,
    Distribution,
    Inventory,
    KeyGroup,
    OriginAccessControl,
    OriginAccessIdentity,
    OriginRequestPolicy,
    TrustedKey,
)

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from mypy_boto3_cloudfront import CloudFrontClient

_log = logging.getLogger("keyfront.inventory")


Refused = Callable[["ClientError"], bool]
"""Called when the API refuses a request. Returns whether to continue without the response."""


def _stop(_: "ClientError") -> bool:
    return False


def read(client: "CloudFrontClient", previous: Inventory | None = None, *, refused: Refused = _stop) -> Inventory:
    """Return the current account behind `client`. Raises `ServiceError` if the API refuses or does not answer.

    With `previous`, a distribution's configuration is fetched again only if its ETag changed (or its LastModifiedTime,
    if the listing has no ETag), and only new keys are parsed.

    Distributions are read before the groups they name, and groups before their keys. A configuration names only things
    that were made before it, so they are found.

    An edge must not run with half an account, so a refusal is an error. Callers that need less can give `refused`.
    """
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

    previous = previous or Inventory()
    try:
        distributions = tuple(_distributions(client, previous, refused))
        policies = _policies(client, distributions, refused)
        groups = [item["KeyGroup"] for item in _pages(client.list_key_groups, "KeyGroupList", refused)]
        keys, unusable = _keys(_pages(client.list_public_keys, "PublicKeyList", refused), previous)
        controls = _pages(client.list_origin_access_controls, "OriginAccessControlList", refused)
        identities = _pages(
            client.list_cloud_front_origin_access_identities, "CloudFrontOriginAccessIdentityList", refused
        )
        return Inventory(
            distributions=distributions,
            key_groups={
                item["Id"]: KeyGroup(item["Id"], item["KeyGroupConfig"]["Name"], tuple(item["KeyGroupConfig"]["Items"]))
                for item in groups
            },
            keys=keys,
            unusable_keys=unusable,
            access_controls={
                item["Id"]: OriginAccessControl(
                    item["Id"], item["Name"], item["SigningBehavior"], item["OriginAccessControlOriginType"]
                )
                for item in controls
            },
            access_identities={item["Id"]: OriginAccessIdentity(item["Id"], item["Comment"]) for item in identities},
            cache_policies=policies.cache,
            origin_request_policies=policies.origin_request,
            response_headers_policies=policies.response_headers,
            deployment_policies=_deployment_policies(client, distributions, refused),
            realtime_logs=_realtime_logs(client, distributions, refused),
        )
    except NoCredentialsError:
        raise ServiceError(NO_CREDENTIALS) from None
    except (BotoCoreError, ClientError) as error:
        raise ServiceError(f"cannot read the account through the CloudFront API: {error}") from error


def _distributions(client: "CloudFrontClient", previous: Inventory, refused: Refused) -> Iterator[Distribution]:
    known = {distribution.id: distribution for distribution in previous.distributions}
    for summary in _pages(client.list_distributions, "DistributionList", refused):
        before = known.get(summary["Id"])
        if before and _unchanged(before, summary):
            yield replace(before, status=summary["Status"])
            continue
        try:
            yield parse_distribution(client.get_distribution(Id=summary["Id"]))
        except client.exceptions.NoSuchDistribution:
            continue  # deleted since it was listed
        except client.exceptions.ClientError as error:
            if not refused(error):
                raise


def _unchanged(before: Distribution, summary: Document) -> bool:
    if summary.get("ETag"):
        return bool(summary["ETag"] == before.etag)
    return bool(summary["LastModifiedTime"] == before.last_modified)


def _keys(items: Iterable[Document], previous: Inventory) -> tuple[dict[str, TrustedKey], dict[str, str]]:
    """Return keys by id, and why others cannot be used. Public keys never change, so known keys are reused."""
    keys: dict[str, TrustedKey] = {}
    unusable: dict[str, str] = {}
    for item in items:
        key_id = item["Id"]
        if key_id in previous.keys:
            keys[key_id] = previous.keys[key_id]
        elif key_id in previous.unusable_keys:
            unusable[key_id] = previous.unusable_keys[key_id]
        else:
            try:
                keys[key_id] = TrustedKey(
                    key_id, item["Name"], PublicKey.load(item["EncodedKey"]), item.get("CreatedTime")
                )
            except KeyLoadError as error:
                _log.warning("public key %s cannot be used and is not trusted: %s", key_id, error)
                unusable[key_id] = str(error)
    return keys, unusable


def _policies(client: "CloudFrontClient", distributions: Iterable[Distribution], refused: Refused) -> "_Policies":
    """Return the account's own and the managed policies, of each kind that a behavior names.

    If the API does not have a kind of policy, that is not an error: those policies stay unknown.
    """
    behaviors = [each for item in distributions for each in (item.default_behavior, *item.behaviors)]
    found = _Policies({}, {}, {})
    if any(behavior.cache_policy_id for behavior in behaviors):
        for item in _known_pages(client.list_cache_policies, "CachePolicyList", refused):
            caching = cache_policy(item["CachePolicy"])
            found.cache[caching.id] = caching
    if any(behavior.origin_request_policy_id for behavior in behaviors):
        for item in _known_pages(client.list_origin_request_policies, "OriginRequestPolicyList", refused):
            requesting = origin_request_policy(item["OriginRequestPolicy"])
            found.origin_request[requesting.id] = requesting
    if any(behavior.response_headers_policy_id for behavior in behaviors):
        for item in _known_pages(client.list_response_headers_policies, "ResponseHeadersPolicyList", refused):
            answering = response_headers_policy(item["ResponseHeadersPolicy"])
            found.response_headers[answering.id] = answering
    return found


def _deployment_policies(
    client: "CloudFrontClient", distributions: Iterable[Distribution], refused: Refused
) -> dict[str, DeploymentPolicy]:
    """Return the continuous deployment policies, if a distribution names any."""
    if not any(distribution.deployment_policy for distribution in distributions):
        return {}
    pages = _known_pages(client.list_continuous_deployment_policies, "ContinuousDeploymentPolicyList", refused)
    found = [deployment_policy(item["ContinuousDeploymentPolicy"]) for item in pages]
    return {policy.id: policy for policy in found}


def _realtime_logs(
    client: "CloudFrontClient", distributions: Iterable[Distribution], refused: Refused
) -> dict[str, RealtimeLog]:
    """Return the real-time log configurations, if a behavior names any."""
    behaviors = [each for item in distributions for each in (item.default_behavior, *item.behaviors)]
    if not any(behavior.realtime_log for behavior in behaviors):
        return {}
    found = map(realtime_log, _known_pages(client.list_realtime_log_configs, "RealtimeLogConfigs", refused))
    return {log.arn: log for log in found}


def _known_pages(operation: Any, result: str, refused: Refused) -> Iterator[Any]:
    """Yield every item of a listing, or nothing if the API does not have the operation."""
    from botocore.exceptions import ClientError

    try:
        yield from _pages(operation, result, refused)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] not in (404, 501):
            raise
        _log.debug("the API lists no policies: %s", error)


class _Policies(NamedTuple):
    cache: dict[str, CachePolicy]
    origin_request: dict[str, OriginRequestPolicy]
    response_headers: dict[str, ResponseHeadersPolicy]


def _pages(operation: Any, result: str, refused: Refused) -> Iterator[Any]:
    """Yield every item of a listing. Not all of CloudFront's listings have a paginator in boto3."""
    from botocore.exceptions import ClientError

    marker: dict[str, str] = {}
    while True:
        try:
            page = operation(**marker)[result]
        except ClientError as error:
            if not refused(error):
                raise
            return
        yield from page.get("Items", ())
        if not page.get("NextMarker"):
            return
        marker = {"Marker": page["NextMarker"]}
