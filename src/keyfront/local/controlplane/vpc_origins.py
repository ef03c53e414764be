"""VPC origins, which are load balancers and instances in private subnets. They are stored; the edge cannot reach them.

Source: the API model; Developer Guide, "Restrict access with VPC origins", "Quotas".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from keyfront.local.controlplane import tags
from keyfront.local.controlplane.account import LocalAccount, Operation, check_length, check_version, found
from keyfront.local.controlplane.faults import APIError
from keyfront.local.controlplane.identifiers import new_etag, new_vpc_origin_id, vpc_origin_arn
from keyfront.local.controlplane.model import location
from keyfront.local.controlplane.paging import page
from keyfront.local.controlplane.store import Resource
from keyfront.local.controlplane.trust import distributions_with_vpc_origin

if TYPE_CHECKING:
    from keyfront.local.controlplane.shapes import ListRequest, VPCOriginConfig, VPCOriginRequest

_DEPLOYED = "Deployed"
"""A VPC origin is deployed at once. On Amazon it is `Deploying` for up to 15 minutes."""
_ENDPOINT = re.compile(
    r"arn:aws[a-z-]*:(?:elasticloadbalancing:[a-z0-9-]+:[0-9]{12}:loadbalancer/.+"
    r"|ec2:[a-z0-9-]+:[0-9]{12}:instance/i-[0-9a-f]+)"
)
_NAME_CHARACTERS = 64
"""Assumed: no source documents the maximum length of a name."""


def create(account: LocalAccount, request: VPCOriginRequest) -> Mapping[str, object]:
    """CreateVpcOrigin: names are unique."""
    config, table, quota = request["VpcOriginEndpointConfig"], account.store.vpc_origins, account.quotas.vpc_origins
    _check(account, config)
    if len(table) >= quota:
        message = f"This account has {quota} VPC origins, which is the quota: delete one first."
        raise APIError("EntityLimitExceeded", message)
    now = account.clock()
    origin = Resource(new_vpc_origin_id(), new_etag(), config, now, now)
    table.put(origin)
    if "Tags" in request:
        tags.put(account, tags.of_vpc_origin(origin.id), tags.checked(request["Tags"]))
    return {**_answer(account, origin), "Location": location(f"vpc-origin/{origin.id}")}


def get(account: LocalAccount, request: VPCOriginRequest) -> Mapping[str, object]:
    """GetVpcOrigin."""
    return _answer(account, _find(account, request["Id"]))


def list_all(account: LocalAccount, request: ListRequest) -> Mapping[str, object]:
    """ListVpcOrigins."""
    return {"VpcOriginList": page(account.store.vpc_origins, request, lambda origin: _summary(account, origin))}


def list_users(account: LocalAccount, request: VPCOriginRequest) -> Mapping[str, object]:
    """ListDistributionsByVpcOriginId."""
    users = distributions_with_vpc_origin(account.store, _find(account, request["VpcOriginId"]).id)
    return {"DistributionIdList": page(users, request, lambda distribution: distribution.id)}


def update(account: LocalAccount, request: VPCOriginRequest) -> Mapping[str, object]:
    """UpdateVpcOrigin."""
    origin, config = _find(account, request["Id"]), request["VpcOriginEndpointConfig"]
    check_version(origin, request.get("IfMatch"))
    _check(account, config, origin.id)
    changed = replace(origin, config=config, etag=new_etag(), modified=account.clock())
    account.store.vpc_origins.put(changed)
    return _answer(account, changed)


def delete(account: LocalAccount, request: VPCOriginRequest) -> Mapping[str, object]:
    """DeleteVpcOrigin: refused while a distribution uses it."""
    origin = _find(account, request["Id"])
    check_version(origin, request.get("IfMatch"))
    if using := distributions_with_vpc_origin(account.store, origin.id):
        message = f"The VPC origin {origin.id} is in use by {', '.join(each.id for each in using)}."
        raise APIError("CannotDeleteEntityWhileInUse", message)
    tags.forget(account, tags.of_vpc_origin(origin.id))
    account.store.vpc_origins.remove(origin.id)
    return _answer(account, origin)


OPERATIONS: Mapping[str, Operation] = {
    "CreateVpcOrigin": create,
    "GetVpcOrigin": get,
    "ListVpcOrigins": list_all,
    "ListDistributionsByVpcOriginId": list_users,
    "UpdateVpcOrigin": update,
    "DeleteVpcOrigin": delete,
}


def _find(account: LocalAccount, identifier: str) -> Resource[VPCOriginConfig]:
    return found(account.store.vpc_origins, identifier, "EntityNotFound", "VPC origin")


def _check(account: LocalAccount, config: VPCOriginConfig, identifier: str = "") -> None:
    check_length(config["Name"], "Name", _NAME_CHARACTERS, 1)
    if not _ENDPOINT.fullmatch(config["Arn"]):
        message = "The parameter Arn must be the ARN of a load balancer or an EC2 instance; it is "
        raise APIError("InvalidArgument", f"{message}{config['Arn'][:200]!r}.")
    for name, port in (("HTTPPort", config["HTTPPort"]), ("HTTPSPort", config["HTTPSPort"])):
        if port not in (80, 443) and not 1024 <= port <= 65535:
            raise APIError("InvalidArgument", f"The parameter {name} must be 80, 443 or 1024 to 65535; it is {port}.")
    for other in account.store.vpc_origins:
        if other.id != identifier and other.config["Name"] == config["Name"]:
            raise APIError("EntityAlreadyExists", f"A VPC origin named {config['Name']!r} already exists: {other.id}.")


def _answer(account: LocalAccount, origin: Resource[VPCOriginConfig]) -> Mapping[str, object]:
    described = {**_state(account, origin), "VpcOriginEndpointConfig": origin.config}
    return {"VpcOrigin": described, "ETag": origin.etag}


def _summary(account: LocalAccount, origin: Resource[VPCOriginConfig]) -> Mapping[str, object]:
    named = {"Name": origin.config["Name"], "OriginEndpointArn": origin.config["Arn"]}
    return {**_state(account, origin), **named}


def _state(account: LocalAccount, origin: Resource[VPCOriginConfig]) -> dict[str, object]:
    return {
        "Id": origin.id,
        "Arn": vpc_origin_arn(account.number, origin.id),
        "AccountId": account.number,
        "Status": _DEPLOYED,
        "CreatedTime": origin.created,
        "LastModifiedTime": origin.modified,
    }
