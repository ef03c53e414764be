"""Tags of distributions, functions, key value stores and VPC origins: operations and rules."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from keyfront.local.controlplane.account import LocalAccount, Operation
from keyfront.local.controlplane.faults import APIError
from keyfront.local.controlplane.identifiers import distribution_arn, function_arn, key_value_store_arn, vpc_origin_arn
from keyfront.local.controlplane.store import Resource

if TYPE_CHECKING:
    from keyfront.local.controlplane.shapes import Tags, TagsRequest

_ARN = re.compile(
    r"arn:aws(?:-cn)?:cloudfront::([0-9]+):"
    r"(?:distribution/([A-Z0-9]+)|function/([A-Za-z0-9_-]+)|key-value-store/([a-f0-9-]+)"
    r"|vpcorigin/(vo_[A-Za-z0-9]+))"
)


def list_all(account: LocalAccount, request: TagsRequest) -> Mapping[str, object]:
    """ListTagsForResource."""
    tags = of(account, _tagged(account, request["Resource"]))
    return {"Tags": {"Items": [{"Key": key, "Value": value} for key, value in tags.items()]}}


def add(account: LocalAccount, request: TagsRequest) -> Mapping[str, object]:
    """TagResource: an existing key gets the new value."""
    tagged = _tagged(account, request["Resource"])
    put(account, tagged, of(account, tagged) | checked(request["Tags"]))
    return {}


def remove(account: LocalAccount, request: TagsRequest) -> Mapping[str, object]:
    """UntagResource: missing keys are ignored."""
    tagged = _tagged(account, request["Resource"])
    gone = request["TagKeys"].get("Items", [])
    left = {key: value for key, value in of(account, tagged).items() if key not in gone}
    put(account, tagged, left)
    return {}


OPERATIONS: Mapping[str, Operation] = {
    "ListTagsForResource": list_all,
    "TagResource": add,
    "UntagResource": remove,
}


@dataclass(frozen=True)
class Tagged:
    """A resource that can have tags. `kind` is the part of its ARN before the last slash (`distribution`)."""

    arn: str
    kind: str
    tags: Mapping[str, str]


def everything(account: LocalAccount) -> list[Tagged]:
    """Return every resource that can have tags, with or without tags."""
    number, store = account.number, account.store
    stores = [each.config["Id"] for each in store.key_value_stores]
    return [
        *(Tagged(distribution_arn(number, d.id), "distribution", of(account, d.id)) for d in store.distributions),
        *(Tagged(function_arn(number, f.id), "function", of(account, of_function(f.id))) for f in store.functions),
        *(
            Tagged(key_value_store_arn(number, each), "key-value-store", of(account, of_key_value_store(each)))
            for each in stores
        ),
        *(
            Tagged(vpc_origin_arn(number, v.id), "vpcorigin", of(account, of_vpc_origin(v.id)))
            for v in store.vpc_origins
        ),
    ]


def of_function(name: str) -> str:
    """Return a function's key in the table of tags. A distribution's key is its id, which never has a slash."""
    return f"function/{name}"


def of_key_value_store(identifier: str) -> str:
    """Return a key value store's key in the table of tags, for its id."""
    return f"key-value-store/{identifier}"


def of_vpc_origin(identifier: str) -> str:
    """Return a VPC origin's key in the table of tags, for its id."""
    return f"vpc-origin/{identifier}"


def of(account: LocalAccount, tagged: str) -> dict[str, str]:
    """Return the tags for a distribution id, or for a key from `of_function` and the functions like it."""
    tags = account.store.tags.get(tagged)
    return tags.config if tags else {}


def forget(account: LocalAccount, tagged: str) -> None:
    """Remove the tags of a deleted resource."""
    if account.store.tags.get(tagged) is not None:
        account.store.tags.remove(tagged)


def put(account: LocalAccount, tagged: str, tags: dict[str, str]) -> None:
    """Set the tags of a resource. Raise `APIError` `InvalidTagging` if there are more than the quota."""
    quota, now = account.quotas.tags_per_resource, account.clock()
    if len(tags) > quota:
        message = f"A resource may have {quota} tags; this one would have {len(tags)}."
        raise APIError("InvalidTagging", message)
    before = account.store.tags.get(tagged) or Resource(tagged, "", {}, now, now)
    account.store.tags.put(replace(before, config=tags, modified=now))


def checked(tags: Tags) -> dict[str, str]:
    """Return the keys and values of a request. Raise `APIError` `InvalidTagging` for invalid ones."""
    given: dict[str, str] = {}
    for tag in tags.get("Items", []):
        key, value = tag["Key"], tag.get("Value", "")
        for text in (key, value):
            if bad := next((character for character in text if not _allowed(character)), None):
                raise APIError("InvalidTagging", f"A tag cannot have the character {bad!r}: {text[:100]!r}.")
        if key.lower().startswith("aws:"):
            raise APIError("InvalidTagging", f"Tag keys that begin with aws: are reserved: {key!r}.")
        if key in given:
            raise APIError("InvalidTagging", f"The tag key {key!r} is given twice.")
        given[key] = value
    return given


def _tagged(account: LocalAccount, arn: str) -> str:
    """Return the key in the table of tags for an ARN. Other families cannot have tags."""
    named = _ARN.fullmatch(arn)
    if named and named[1] == account.number:
        if named[2] and account.store.distributions.get(named[2]):
            return named[2]
        if named[3] and account.store.functions.get(named[3]):
            return of_function(named[3])
        if named[4] and any(store.config["Id"] == named[4] for store in account.store.key_value_stores):
            return of_key_value_store(named[4])
        if named[5] and account.store.vpc_origins.get(named[5]):
            return of_vpc_origin(named[5])
    raise APIError("NoSuchResource", f"A resource that was specified is not valid: {arn[:200]}.")


def _allowed(character: str) -> bool:
    """Return whether the API model allows the character: letters, separators, numbers and some punctuation."""
    return character in "_.:/=+-@" or unicodedata.category(character)[0] in "LZN"
