"""The pairs of key value stores: the API `cloudfront-keyvaluestore`, which speaks JSON under `/key-value-stores/`.

Sources: service model, and Developer Guide, "Quotas on key value stores". Each change has the ETag of the last one.
Assumed: the texts of errors, which error an outdated ETag gets, and that a missing key cannot be deleted.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, unquote

from keyfront.local.controlplane.identifiers import key_value_store_arn, new_etag
from keyfront.local.controlplane.store import Resource
from keyfront.local.controlplane.writing import APIResponse

if TYPE_CHECKING:
    from keyfront.local.controlplane.account import LocalAccount
    from keyfront.local.controlplane.shapes import KeyValueStoreConfig

PATH: Final = "/key-value-stores/"
_KEY_BYTES: Final = 512
_VALUE_BYTES: Final = 1024
_STORE_BYTES: Final = 5 * 1024 * 1024
_CHANGES: Final = 50
_CHANGE_BYTES: Final = 3 * 1024 * 1024
_PAGE: Final = 50
_STATUSES: Final = {
    "ValidationException": 400,
    "ServiceQuotaExceededException": 402,
    "AccessDeniedException": 403,
    "ResourceNotFoundException": 404,
    "ConflictException": 409,
}

Pairs = dict[str, str]


class PairsError(Exception):
    """A refused request."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True)
class _Request:
    account: LocalAccount
    store: Resource[KeyValueStoreConfig]
    pairs: Resource[Pairs]
    key: str
    query: Mapping[str, list[str]]
    if_match: str
    body: Mapping[str, Any]


def handle(
    account: LocalAccount, method: str, raw_path: str, query: str, headers: Mapping[str, str], body: bytes
) -> APIResponse:
    """Return the response to a request. Raises only what a journal raises."""
    identity = {"x-amzn-RequestId": str(uuid.uuid4()), "Content-Type": "application/json"}
    try:
        with account.store.transaction():
            output, etag = _performed(account, method, raw_path, query, headers, body)
    except PairsError as error:
        content = json.dumps({"Message": error.message}).encode()
        return APIResponse(_STATUSES[error.code], {**identity, "x-amzn-ErrorType": error.code}, content)
    named = {**identity, "ETag": etag} if etag else identity
    return APIResponse(200, named, json.dumps(output).encode())


def pairs_of(account: LocalAccount, arn: str) -> Pairs:
    """Return the pairs of the store with this ARN. Raises `PairsError` if it does not exist."""
    return dict(_pairs(account, _store(account, arn)).config)


def checked(pairs: Iterable[tuple[str, str]]) -> Pairs:
    """Return pairs within the quotas. Raises `PairsError`."""
    found: Pairs = {}
    for key, value in pairs:
        if not isinstance(key, str) or not isinstance(value, str):
            raise PairsError("ValidationException", "A key and a value must be strings.")
        if not 1 <= len(key.encode()) <= _KEY_BYTES:
            raise PairsError("ValidationException", f"A key must have 1 to {_KEY_BYTES} bytes: {key[:60]!r}.")
        if len(value.encode()) > _VALUE_BYTES:
            raise PairsError("ValidationException", f"The value of the key {key[:60]!r} has over {_VALUE_BYTES} bytes.")
        if key in found:
            raise PairsError("ValidationException", f"The key {key[:60]!r} is named twice.")
        found[key] = value
    if _size(found) > _STORE_BYTES:
        raise PairsError("ServiceQuotaExceededException", f"A key value store may have {_STORE_BYTES} bytes.")
    return found


def _performed(
    account: LocalAccount, method: str, raw_path: str, query: str, headers: Mapping[str, str], body: bytes
) -> tuple[Mapping[str, object], str]:
    parts = [unquote(part) for part in raw_path.removeprefix(PATH).split("/")]
    kind = (method, *("keys" if place == 1 else "" for place, _ in enumerate(parts[1:], 1)))
    operation = _OPERATIONS.get(kind) if parts[1:2] in ([], ["keys"]) else None
    if operation is None:
        raise PairsError("ValidationException", f"There is no operation {method} at this path.")
    store = _store(account, parts[0])
    lowered = {name.lower(): value for name, value in headers.items()}
    try:
        content = json.loads(body) if body else {}
    except ValueError:
        raise PairsError("ValidationException", "The body is not JSON.") from None
    if not isinstance(content, dict):
        raise PairsError("ValidationException", "The body is not a JSON object.")
    key = parts[2] if len(parts) > 2 else ""
    if_match = lowered.get("if-match", "").strip('"')
    return operation(_Request(account, store, _pairs(account, store), key, parse_qs(query), if_match, content))


def _describe(request: _Request) -> tuple[Mapping[str, object], str]:
    arn = key_value_store_arn(request.account.number, request.store.config["Id"])
    created, modified = request.store.created.timestamp(), request.pairs.modified.timestamp()
    output = {**_totals(request.pairs.config), "KvsARN": arn, "Created": created, "LastModified": modified}
    return {**output, "Status": "READY"}, request.pairs.etag


def _get(request: _Request) -> tuple[Mapping[str, object], str]:
    pairs = request.pairs.config
    if request.key not in pairs:
        raise PairsError("ResourceNotFoundException", f"The key {request.key[:60]!r} does not exist.")
    return {"Key": request.key, "Value": pairs[request.key], **_totals(pairs)}, ""


def _list(request: _Request) -> tuple[Mapping[str, object], str]:
    asked, after = request.query.get("MaxResults", [str(_PAGE)])[0], request.query.get("NextToken", [""])[0]
    if not asked.isascii() or not asked.isdigit() or not 1 <= int(asked) <= _PAGE:
        raise PairsError("ValidationException", f"MaxResults must be a number from 1 to {_PAGE}.")
    rest = sorted(key for key in request.pairs.config if key > after)
    shown = rest[: int(asked)]
    output: dict[str, object] = {"Items": [{"Key": key, "Value": request.pairs.config[key]} for key in shown]}
    return ({**output, "NextToken": shown[-1]} if len(rest) > len(shown) else output), ""


def _put(request: _Request) -> tuple[Mapping[str, object], str]:
    return _changed(request, [(request.key, request.body.get("Value"))], [])


def _delete(request: _Request) -> tuple[Mapping[str, object], str]:
    return _changed(request, [], [request.key])


def _update(request: _Request) -> tuple[Mapping[str, object], str]:
    puts, deletes = request.body.get("Puts") or [], request.body.get("Deletes") or []
    if not isinstance(puts, list) or not isinstance(deletes, list):
        raise PairsError("ValidationException", "Puts and Deletes must be lists.")
    if not all(isinstance(each, dict) for each in (*puts, *deletes)):
        raise PairsError("ValidationException", "Each of Puts and Deletes must be an object.")
    return _changed(
        request, [(each.get("Key"), each.get("Value")) for each in puts], [each.get("Key") for each in deletes]
    )


def _changed(request: _Request, puts: list[tuple[Any, Any]], deletes: list[Any]) -> tuple[Mapping[str, object], str]:
    if not request.if_match:
        raise PairsError("ValidationException", "If-Match is missing: give the store's ETag.")
    if request.if_match != request.pairs.etag:
        raise PairsError("ConflictException", "The store has changed: its ETag is not the one in If-Match.")
    new = checked(puts)
    if len(puts) + len(deletes) > _CHANGES or _size(new) > _CHANGE_BYTES:
        message = f"One request may change {_CHANGES} keys and {_CHANGE_BYTES} bytes."
        raise PairsError("ValidationException", message)
    if both := sorted(new.keys() & {key for key in deletes if isinstance(key, str)}):
        raise PairsError("ValidationException", f"The key {both[0][:60]!r} is put and deleted.")
    pairs = dict(request.pairs.config)
    for key in deletes:
        if key not in pairs:
            raise PairsError("ResourceNotFoundException", f"The key {str(key)[:60]!r} does not exist.")
        del pairs[key]
    kept = checked({**pairs, **new}.items())
    changed = replace(request.pairs, config=kept, etag=_new_etag(), modified=request.account.clock())
    request.account.store.key_value_pairs.put(changed)
    return _totals(kept), changed.etag


_OPERATIONS: Final[Mapping[tuple[str, ...], Callable[[_Request], tuple[Mapping[str, object], str]]]] = {
    ("GET",): _describe,
    ("GET", "keys"): _list,
    ("POST", "keys"): _update,
    ("GET", "keys", ""): _get,
    ("PUT", "keys", ""): _put,
    ("DELETE", "keys", ""): _delete,
}


def _store(account: LocalAccount, arn: str) -> Resource[KeyValueStoreConfig]:
    for store in account.store.key_value_stores:
        if key_value_store_arn(account.number, store.config["Id"]) == arn:
            return store
    raise PairsError("ResourceNotFoundException", f"The key value store does not exist: {arn[:200]}.")


def _pairs(account: LocalAccount, store: Resource[KeyValueStoreConfig]) -> Resource[Pairs]:
    known = account.store.key_value_pairs.get(store.id)
    return known or Resource(store.id, store.etag, {}, store.created, store.created)


def _new_etag() -> str:
    return f"KV{new_etag()[2:]}"


def _totals(pairs: Pairs) -> dict[str, object]:
    return {"ItemCount": len(pairs), "TotalSizeInBytes": _size(pairs)}


def _size(pairs: Pairs) -> int:
    return sum(len(key.encode()) + len(value.encode()) for key, value in pairs.items())
