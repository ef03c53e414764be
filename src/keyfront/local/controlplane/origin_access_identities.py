"""Origin access identities, the older way to let only CloudFront read a bucket: the family and its rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keyfront.local.controlplane.account import COMMENT_CHARACTERS, LocalAccount, check_length
from keyfront.local.controlplane.family import Family
from keyfront.local.controlplane.faults import APIError
from keyfront.local.controlplane.identifiers import canonical_user_id, new_id
from keyfront.local.controlplane.trust import distributions_with_identity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from keyfront.local.controlplane.shapes import OriginAccessIdentityConfig
    from keyfront.local.controlplane.store import Resource


def _accept(
    _account: LocalAccount, config: OriginAccessIdentityConfig, before: Resource[OriginAccessIdentityConfig] | None
) -> OriginAccessIdentityConfig:
    """Check that only the comment changes."""
    check_length(config["CallerReference"], "CallerReference", COMMENT_CHARACTERS, 1)
    check_length(config["Comment"], "Comment", COMMENT_CHARACTERS)
    if before and config["CallerReference"] != before.config["CallerReference"]:
        raise APIError("IllegalUpdate", "The CallerReference of an origin access identity cannot be updated.")
    return config


def _canonical_user(identity: Resource[OriginAccessIdentityConfig]) -> Mapping[str, object]:
    return {"S3CanonicalUserId": canonical_user_id(identity.id)}


FAMILY: Family[OriginAccessIdentityConfig] = Family(
    noun="CloudFrontOriginAccessIdentity",
    plural="CloudFrontOriginAccessIdentities",
    title="origin access identity",
    path="origin-access-identity/cloudfront",
    table=lambda store: store.origin_access_identities,
    quota=lambda quotas: quotas.origin_access_identities,
    too_many="This account has {quota} origin access identities, which is the quota: delete one first.",
    new_id=new_id,
    accept=_accept,
    unique=("CallerReference",),
    taken="The caller reference you are using to create the CloudFront origin access identity, {value!r}, is "
    "associated with another identity: {id}.",
    repeatable=True,
    users=distributions_with_identity,
    in_use="The Origin Access Identity specified is already in use by {users}.",
    beside=_canonical_user,
    summary=lambda identity: {
        "Id": identity.id,
        **_canonical_user(identity),
        "Comment": identity.config["Comment"],
    },
    markers=True,
)
OPERATIONS = FAMILY.operations()
