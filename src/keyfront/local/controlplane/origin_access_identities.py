"""Origin access identities, the older way to let a distribution alone read a bucket: operations and rules."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from keyfront.local.controlplane.faults import APIError
from keyfront.local.controlplane.identifiers import new_etag, new_id
from keyfront.local.controlplane.model import location
from keyfront.local.controlplane.paging import page
from keyfront.local.controlplane.resources import (
    COMMENT_CHARACTERS,
    Account,
    Operation,
    check_length,
    check_version,
    found,
)
from keyfront.local.controlplane.store import Resource
from keyfront.local.controlplane.trust import distributions_with_identity

if TYPE_CHECKING:
    from keyfront.local.controlplane.shapes import ListRequest, OriginAccessIdentityConfig, OriginAccessIdentityRequest


def create(account: Account, request: OriginAccessIdentityRequest) -> Mapping[str, object]:
    """CreateCloudFrontOriginAccessIdentity: the same request again gets the identity that it made before."""
    config = request["CloudFrontOriginAccessIdentityConfig"]
    _check_config(config)
    for identity in account.store.origin_access_identities:
        if identity.config["CallerReference"] == config["CallerReference"]:
            if identity.config == config:
                return _created(identity)
            raise APIError(
                "CloudFrontOriginAccessIdentityAlreadyExists",
                "The caller reference you are using to create the CloudFront origin access identity, "
                f"{config['CallerReference']!r}, is associated with another identity: {identity.id}.",
            )
    if len(account.store.origin_access_identities) >= account.quotas.origin_access_identities:
        quota = account.quotas.origin_access_identities
        message = f"This account may have {quota} origin access identities, and has them: delete one first."
        raise APIError("TooManyCloudFrontOriginAccessIdentities", message)
    now = account.clock()
    identity = Resource(new_id(), new_etag(), config, now, now)
    account.store.origin_access_identities.put(identity)
    return _created(identity)


def get(account: Account, request: OriginAccessIdentityRequest) -> Mapping[str, object]:
    """GetCloudFrontOriginAccessIdentity."""
    identity = _find(account, request["Id"])
    return {"CloudFrontOriginAccessIdentity": _describe(identity), "ETag": identity.etag}


def get_config(account: Account, request: OriginAccessIdentityRequest) -> Mapping[str, object]:
    """GetCloudFrontOriginAccessIdentityConfig."""
    identity = _find(account, request["Id"])
    return {"CloudFrontOriginAccessIdentityConfig": identity.config, "ETag": identity.etag}


def list_all(account: Account, request: ListRequest) -> Mapping[str, object]:
    """ListCloudFrontOriginAccessIdentities."""
    listing = page(account.store.origin_access_identities, request, _summarise)
    return {"CloudFrontOriginAccessIdentityList": listing}


def update(account: Account, request: OriginAccessIdentityRequest) -> Mapping[str, object]:
    """UpdateCloudFrontOriginAccessIdentity: the comment alone can change."""
    identity, config = _find(account, request["Id"]), request["CloudFrontOriginAccessIdentityConfig"]
    check_version(identity, request.get("IfMatch"))
    _check_config(config)
    if config["CallerReference"] != identity.config["CallerReference"]:
        raise APIError("IllegalUpdate", "The CallerReference of an origin access identity cannot be updated.")
    changed = replace(identity, config=config, etag=new_etag(), modified=account.clock())
    account.store.origin_access_identities.put(changed)
    return {"CloudFrontOriginAccessIdentity": _describe(changed), "ETag": changed.etag}


def delete(account: Account, request: OriginAccessIdentityRequest) -> Mapping[str, object]:
    """DeleteCloudFrontOriginAccessIdentity: not while a distribution uses it."""
    identity = _find(account, request["Id"])
    check_version(identity, request.get("IfMatch"))
    if using := [d.id for d in distributions_with_identity(account.store, identity.id)]:
        message = f"The Origin Access Identity specified is already in use by {', '.join(using)}."
        raise APIError("CloudFrontOriginAccessIdentityInUse", message)
    account.store.origin_access_identities.remove(identity.id)
    return {}


OPERATIONS: Mapping[str, Operation] = {
    "CreateCloudFrontOriginAccessIdentity": create,
    "GetCloudFrontOriginAccessIdentity": get,
    "GetCloudFrontOriginAccessIdentityConfig": get_config,
    "ListCloudFrontOriginAccessIdentities": list_all,
    "UpdateCloudFrontOriginAccessIdentity": update,
    "DeleteCloudFrontOriginAccessIdentity": delete,
}


def _find(account: Account, identifier: str) -> Resource[OriginAccessIdentityConfig]:
    table = account.store.origin_access_identities
    return found(table, identifier, "NoSuchCloudFrontOriginAccessIdentity", "origin access identity")


def _created(identity: Resource[OriginAccessIdentityConfig]) -> Mapping[str, object]:
    return {
        "CloudFrontOriginAccessIdentity": _describe(identity),
        "ETag": identity.etag,
        "Location": location(f"origin-access-identity/cloudfront/{identity.id}"),
    }


def _describe(identity: Resource[OriginAccessIdentityConfig]) -> Mapping[str, object]:
    return {
        "Id": identity.id,
        "S3CanonicalUserId": _canonical_user(identity.id),
        "CloudFrontOriginAccessIdentityConfig": identity.config,
    }


def _summarise(identity: Resource[OriginAccessIdentityConfig]) -> Mapping[str, object]:
    return {
        "Id": identity.id,
        "S3CanonicalUserId": _canonical_user(identity.id),
        "Comment": identity.config["Comment"],
    }


def _canonical_user(identifier: str) -> str:
    """The identity's canonical user in S3: 96 hexadecimal digits that stay the same for an id."""
    return hashlib.sha384(identifier.encode()).hexdigest()


def _check_config(config: OriginAccessIdentityConfig) -> None:
    check_length(config["CallerReference"], "CallerReference", COMMENT_CHARACTERS, 1)
    check_length(config["Comment"], "Comment", COMMENT_CHARACTERS)
