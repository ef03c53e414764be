"""Key value stores for CloudFront functions. Their pairs have an API of their own (see `key_value_pairs`)."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from keyfront.errors import KeyfrontError
from keyfront.local.controlplane import tags
from keyfront.local.controlplane.account import LocalAccount, Operation, check_version, found
from keyfront.local.controlplane.faults import APIError
from keyfront.local.controlplane.identifiers import key_value_store_arn, new_etag
from keyfront.local.controlplane.key_value_pairs import PairsError, checked
from keyfront.local.controlplane.model import location
from keyfront.local.controlplane.paging import short_page
from keyfront.local.controlplane.store import Resource

if TYPE_CHECKING:
    from keyfront.local.controlplane.shapes import (
        FunctionConfig,
        ImportSource,
        KeyValueStoreConfig,
        KeyValueStoreRequest,
        ListKeyValueStoresRequest,
    )

_READY = "READY"
"""A store is ready at once. On Amazon it is `PROVISIONING` for some seconds."""
_OBJECT_ARN = re.compile(r"arn:aws[a-z-]*:s3:::([^/]+)/(.+)")
_ONE = 1
"""How many key value stores a function may have (Developer Guide, "Quotas")."""
_RUNTIME = "cloudfront-js-2.0"
"""The only runtime that can read a key value store (Developer Guide, "Amazon CloudFront KeyValueStore")."""


def create(account: LocalAccount, request: KeyValueStoreRequest) -> Mapping[str, object]:
    """CreateKeyValueStore: names are unique."""
    name, stores = request["Name"], account.store.key_value_stores
    if stores.get(name):
        raise APIError("EntityAlreadyExists", f"A key value store with the same name already exists: {name}.")
    if len(stores) >= account.quotas.key_value_stores:
        quota = account.quotas.key_value_stores
        message = f"This account has {quota} key value stores, which is the quota: delete one first."
        raise APIError("EntityLimitExceeded", message)
    config: KeyValueStoreConfig = {"Id": str(uuid.uuid4())}
    if "Comment" in request:
        config["Comment"] = request["Comment"]
    now = account.clock()
    store = Resource(name, new_etag(), config, now, now)
    stores.put(store)
    if "ImportSource" in request:
        pairs = _imported(account, request["ImportSource"])
        account.store.key_value_pairs.put(Resource(name, new_etag(), pairs, now, now))
    if "Tags" in request:
        tags.put(account, tags.of_key_value_store(config["Id"]), tags.checked(request["Tags"]))
    return {
        "KeyValueStore": _describe(account, store),
        "ETag": store.etag,
        "Location": location(f"key-value-store/{config['Id']}"),
    }


def describe(account: LocalAccount, request: KeyValueStoreRequest) -> Mapping[str, object]:
    """DescribeKeyValueStore."""
    store = _find(account, request["Name"])
    return {"KeyValueStore": _describe(account, store), "ETag": store.etag}


def list_all(account: LocalAccount, request: ListKeyValueStoresRequest) -> Mapping[str, object]:
    """ListKeyValueStores: the stores with one status, or all."""
    wanted = request.get("Status", _READY)
    listed = [store for store in account.store.key_value_stores if wanted == _READY]
    return {"KeyValueStoreList": short_page(listed, request, lambda store: _describe(account, store))}


def update(account: LocalAccount, request: KeyValueStoreRequest) -> Mapping[str, object]:
    """UpdateKeyValueStore: only the comment can change."""
    store = _find(account, request["Name"])
    check_version(store, request.get("IfMatch"))
    config: KeyValueStoreConfig = {**store.config, "Comment": request["Comment"]}
    changed = replace(store, config=config, etag=new_etag(), modified=account.clock())
    account.store.key_value_stores.put(changed)
    return {"KeyValueStore": _describe(account, changed), "ETag": changed.etag}


def delete(account: LocalAccount, request: KeyValueStoreRequest) -> Mapping[str, object]:
    """DeleteKeyValueStore: refused while a function is associated with the store."""
    store = _find(account, request["Name"])
    check_version(store, request.get("IfMatch"))
    arn = key_value_store_arn(account.number, store.config["Id"])
    stages = (account.store.functions, account.store.published_functions)
    if using := sorted({f.id for stage in stages for f in stage if arn in associated(f.config["FunctionConfig"])}):
        message = f"Cannot delete the key value store while functions are associated with it: {', '.join(using)}."
        raise APIError("CannotDeleteEntityWhileInUse", message)
    tags.forget(account, tags.of_key_value_store(store.config["Id"]))
    account.store.key_value_stores.remove(store.id)
    if account.store.key_value_pairs.get(store.id):
        account.store.key_value_pairs.remove(store.id)
    return {}


OPERATIONS: Mapping[str, Operation] = {
    "CreateKeyValueStore": create,
    "DescribeKeyValueStore": describe,
    "ListKeyValueStores": list_all,
    "UpdateKeyValueStore": update,
    "DeleteKeyValueStore": delete,
}


def associated(config: FunctionConfig) -> list[str]:
    """Return the ARNs of the key value stores that a function is associated with."""
    if "KeyValueStoreAssociations" not in config:
        return []
    return [association["KeyValueStoreARN"] for association in config["KeyValueStoreAssociations"].get("Items", [])]


def check_associations(account: LocalAccount, config: FunctionConfig) -> None:
    """Raise `APIError` `InvalidArgument` for a key value store that is missing, or that the function cannot read."""
    arns = associated(config)
    known = {key_value_store_arn(account.number, store.config["Id"]) for store in account.store.key_value_stores}
    if missing := [arn for arn in arns if arn not in known]:
        raise APIError("InvalidArgument", f"The key value store does not exist: {missing[0][:200]}.")
    if len(arns) > _ONE:
        message = f"A function may have {_ONE} key value store; this one would have {len(arns)}."
        raise APIError("InvalidArgument", message)
    if arns and config["Runtime"] != _RUNTIME:
        message = f"A function with a key value store needs the runtime {_RUNTIME}; it has {config['Runtime']}."
        raise APIError("InvalidArgument", message)


def _imported(account: LocalAccount, source: ImportSource) -> dict[str, str]:
    """Return the pairs in a file on S3: `{"data": [{"key": …, "value": …}]}`.

    Source: Developer Guide, "File format for key-value pairs". Raises `APIError`.
    """
    arn = source["SourceARN"]
    found = _OBJECT_ARN.fullmatch(arn)
    if source["SourceType"] != "S3" or found is None or account.read_object is None:
        raise APIError("InvalidArgument", f"The ImportSource cannot be read: {arn[:200]}. It must be an object in S3.")
    try:
        content = json.loads(account.read_object(found[1], found[2]))
        return checked((each["key"], each["value"]) for each in content["data"])
    except KeyfrontError as error:
        raise APIError("InvalidArgument", f"The ImportSource cannot be read: {error}.") from None
    except PairsError as error:
        raise APIError("InvalidArgument", f"The ImportSource cannot be used: {error}") from None
    except (ValueError, TypeError, KeyError, RecursionError):
        message = 'The ImportSource is not in the right format: {"data": [{"key": "…", "value": "…"}]}.'
        raise APIError("InvalidArgument", message) from None


def _find(account: LocalAccount, name: str) -> Resource[KeyValueStoreConfig]:
    return found(account.store.key_value_stores, name, "EntityNotFound", "key value store")


def _describe(account: LocalAccount, store: Resource[KeyValueStoreConfig]) -> Mapping[str, object]:
    return {
        "Name": store.id,
        "Id": store.config["Id"],
        "Comment": store.config.get("Comment"),
        "ARN": key_value_store_arn(account.number, store.config["Id"]),
        "Status": _READY,
        "LastModifiedTime": store.modified,
    }
