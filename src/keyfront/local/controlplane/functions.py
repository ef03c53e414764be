"""CloudFront functions: their code is stored, published and associated. The edge runs them.

A function has two stages. Create and Update write `DEVELOPMENT`. Publish copies it to `LIVE`, the stage for cache
behaviors. Each stage has its own ETag.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from keyfront.local.controlplane import key_value_stores, tags
from keyfront.local.controlplane.account import (
    COMMENT_CHARACTERS,
    LocalAccount,
    Operation,
    check_length,
    check_version,
    found,
)
from keyfront.local.controlplane.faults import APIError
from keyfront.local.controlplane.identifiers import function_arn, new_etag
from keyfront.local.controlplane.model import location
from keyfront.local.controlplane.paging import short_page
from keyfront.local.controlplane.store import Resource
from keyfront.local.controlplane.trust import distributions_with_function

if TYPE_CHECKING:
    from keyfront.local.controlplane.shapes import FunctionRequest, FunctionVersion, ListFunctionsRequest

DEVELOPMENT, _LIVE = "DEVELOPMENT", "LIVE"
"""The stages."""
_CONTENT_TYPE = "application/octet-stream"
"""The content type of GetFunction's response (AWS CLI Reference, get-function)."""


def create(account: LocalAccount, request: FunctionRequest) -> Mapping[str, object]:
    """CreateFunction: a function in development. It cannot be associated before it is published."""
    name, functions = request["Name"], account.store.functions
    if functions.get(name):
        message = f"A function with the same name already exists in this account: {name}."
        raise APIError("FunctionAlreadyExists", message)
    if len(functions) >= account.quotas.functions:
        message = f"This account has {account.quotas.functions} functions, which is the quota: delete one first."
        raise APIError("TooManyFunctions", message)
    now = account.clock()
    function = Resource(name, new_etag(), _version(account, request), now, now)
    functions.put(function)
    if "Tags" in request:
        tags.put(account, tags.of_function(name), tags.checked(request["Tags"]))
    return {
        "FunctionSummary": summary(account, function, DEVELOPMENT),
        "ETag": function.etag,
        "Location": location(f"function/{name}"),
    }


def describe(account: LocalAccount, request: FunctionRequest) -> Mapping[str, object]:
    """DescribeFunction: one stage. Default: development."""
    stage = request.get("Stage", DEVELOPMENT)
    function = find(account, request["Name"], stage)
    return {"FunctionSummary": summary(account, function, stage), "ETag": function.etag}


def get(account: LocalAccount, request: FunctionRequest) -> Mapping[str, object]:
    """GetFunction: the exact bytes of the code."""
    function = find(account, request["Name"], request.get("Stage", DEVELOPMENT))
    return {"FunctionCode": function.config["FunctionCode"], "ETag": function.etag, "ContentType": _CONTENT_TYPE}


def update(account: LocalAccount, request: FunctionRequest) -> Mapping[str, object]:
    """UpdateFunction: changes the configuration and code of the development stage. The live stage stays."""
    function = find(account, request["Name"], DEVELOPMENT)
    check_version(function, request.get("IfMatch"))
    version = _version(account, request)
    changed = replace(function, config=version, etag=new_etag(), modified=account.clock())
    account.store.functions.put(changed)
    return {"FunctionSummary": summary(account, changed, DEVELOPMENT), "ETag": changed.etag}


def publish(account: LocalAccount, request: FunctionRequest) -> Mapping[str, object]:
    """PublishFunction: the development stage goes live, in every cache behavior with the function."""
    function = find(account, request["Name"], DEVELOPMENT)
    check_version(function, request.get("IfMatch"))
    before, now = account.store.published_functions.get(function.id), account.clock()
    if before and before.config == function.config:
        live = before
    else:
        live = replace(function, etag=new_etag(), created=before.created if before else now, modified=now)
    account.store.published_functions.put(live)
    return {"FunctionSummary": summary(account, live, _LIVE)}


def delete(account: LocalAccount, request: FunctionRequest) -> Mapping[str, object]:
    """DeleteFunction: both stages. Refused while a cache behavior uses the function."""
    function = find(account, request["Name"], DEVELOPMENT)
    check_version(function, request.get("IfMatch"))
    if using := _users(account, function.id):
        message = f"Cannot delete function, it is in use by {len(using)} distributions: {', '.join(using[:10])}."
        raise APIError("FunctionInUse", message)
    account.store.functions.remove(function.id)
    if account.store.published_functions.get(function.id):
        account.store.published_functions.remove(function.id)
    tags.forget(account, tags.of_function(function.id))
    return {}


def list_all(account: LocalAccount, request: ListFunctionsRequest) -> Mapping[str, object]:
    """ListFunctions: the functions of one stage. Default: both stages, so a published function is listed twice."""
    stages = [request["Stage"]] if "Stage" in request else [DEVELOPMENT, _LIVE]
    # Page by name. Otherwise a page could end between the two stages of a function.
    staged = [(function, stage) for stage in stages for function in _stage(account, stage)]
    names = {function.id: function for function, _ in staged}
    listing = short_page([names[name] for name in sorted(names)], request, lambda function: function.id)
    shown = listing.pop("Items", [])
    items = [
        summary(account, function, stage)
        for name in (shown if isinstance(shown, list) else [])
        for function, stage in staged
        if function.id == name
    ]
    return {"FunctionList": {**listing, "Quantity": len(items), **({"Items": items} if items else {})}}


OPERATIONS: Mapping[str, Operation] = {
    "CreateFunction": create,
    "DescribeFunction": describe,
    "GetFunction": get,
    "UpdateFunction": update,
    "PublishFunction": publish,
    "DeleteFunction": delete,
    "ListFunctions": list_all,
}


def _stage(account: LocalAccount, stage: str) -> list[Resource[FunctionVersion]]:
    return list(account.store.functions if stage == DEVELOPMENT else account.store.published_functions)


def find(account: LocalAccount, name: str, stage: str) -> Resource[FunctionVersion]:
    """Return a stage of a function. Raises `APIError` if it does not exist."""
    table = account.store.functions if stage == DEVELOPMENT else account.store.published_functions
    return found(table, name, "NoSuchFunctionExists", f"function in the stage {stage}")


def _users(account: LocalAccount, name: str) -> list[str]:
    return [d.id for d in distributions_with_function(account.store, function_arn(account.number, name))]


def _version(account: LocalAccount, request: FunctionRequest) -> FunctionVersion:
    """Return the checked configuration and code of a request."""
    config, code, quota = request["FunctionConfig"], request["FunctionCode"], account.quotas.function_bytes
    check_length(config["Comment"], "Comment", COMMENT_CHARACTERS)
    if len(code) > quota:
        message = f"The function has {len(code)} bytes; the maximum is {quota}."
        raise APIError("FunctionSizeLimitExceeded", message)
    key_value_stores.check_associations(account, config)
    return {"FunctionConfig": config, "FunctionCode": code}


def summary(account: LocalAccount, function: Resource[FunctionVersion], stage: str) -> Mapping[str, object]:
    """Return the function's summary, as the API has it."""
    return {
        "Name": function.id,
        "Status": _status(account, function, stage),
        "FunctionConfig": function.config["FunctionConfig"],
        "FunctionMetadata": {
            "FunctionARN": function_arn(account.number, function.id),
            "Stage": stage,
            "CreatedTime": function.created,
            "LastModifiedTime": function.modified,
        },
    }


def _status(account: LocalAccount, function: Resource[FunctionVersion], stage: str) -> str:
    """Return the status. Assumed, except the values. `UNPUBLISHED`: development differs from the live stage."""
    live = account.store.published_functions.get(function.id)
    if stage == DEVELOPMENT and (live is None or live.config != function.config):
        return "UNPUBLISHED"
    using = distributions_with_function(account.store, function_arn(account.number, function.id))
    if not using:
        return "UNASSOCIATED"
    under_way = any(account.propagation.under_way(d.id, d.etag) for d in using)
    return "IN_PROGRESS" if under_way else "DEPLOYED"
