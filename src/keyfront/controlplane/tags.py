"""Tags of distributions: the operations, and their rules."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from keyfront.controlplane.account import Account, Operation
from keyfront.controlplane.faults import APIError
from keyfront.controlplane.store import Resource

if TYPE_CHECKING:
    from keyfront.controlplane.shapes import Tags, TagsRequest

_ARN = re.compile(r"arn:aws(?:-cn)?:cloudfront::([0-9]+):distribution/([A-Z0-9]+)")


def list_all(account: Account, request: TagsRequest) -> Mapping[str, object]:
    """ListTagsForResource."""
    tags = of(account, _distribution(account, request["Resource"]))
    return {"Tags": {"Items": [{"Key": key, "Value": value} for key, value in tags.items()]}}


def add(account: Account, request: TagsRequest) -> Mapping[str, object]:
    """TagResource: a key that is there already gets the new value."""
    distribution = _distribution(account, request["Resource"])
    put(account, distribution, of(account, distribution) | checked(request["Tags"]))
    return {}


def remove(account: Account, request: TagsRequest) -> Mapping[str, object]:
    """UntagResource: keys that are not there do no harm."""
    distribution = _distribution(account, request["Resource"])
    gone = request["TagKeys"].get("Items", [])
    left = {key: value for key, value in of(account, distribution).items() if key not in gone}
    put(account, distribution, left)
    return {}


OPERATIONS: Mapping[str, Operation] = {
    "ListTagsForResource": list_all,
    "TagResource": add,
    "UntagResource": remove,
}


def of(account: Account, distribution: str) -> dict[str, str]:
    """The tags of the distribution with that id."""
    tags = account.store.tags.get(distribution)
    return tags.config if tags else {}


def put(account: Account, distribution: str, tags: dict[str, str]) -> None:
    """Set a distribution's tags; `APIError` `InvalidTagging` when they are more than the quota."""
    quota, now = account.quotas.tags_per_distribution, account.clock()
    if len(tags) > quota:
        message = f"A distribution may have {quota} tags; this one would have {len(tags)}."
        raise APIError("InvalidTagging", message)
    before = account.store.tags.get(distribution) or Resource(distribution, "", {}, now, now)
    account.store.tags.put(replace(before, config=tags, modified=now))


def checked(tags: Tags) -> dict[str, str]:
    """The keys and values of a request; `APIError` `InvalidTagging` for those that no tag may have."""
    given: dict[str, str] = {}
    for tag in tags.get("Items", []):
        key, value = tag["Key"], tag.get("Value", "")
        for text in (key, value):
            if bad := next((character for character in text if not _allowed(character)), None):
                raise APIError("InvalidTagging", f"A tag may not hold the character {bad!r}: {text[:100]!r}.")
        if key.lower().startswith("aws:"):
            raise APIError("InvalidTagging", f"Tag keys that begin with aws: are reserved: {key!r}.")
        if key in given:
            raise APIError("InvalidTagging", f"The tag key {key!r} is given twice.")
        given[key] = value
    return given


def _distribution(account: Account, arn: str) -> str:
    """The id of the distribution that `arn` names: the only resource here that can have tags."""
    named = _ARN.fullmatch(arn)
    if named and named[1] == account.number and account.store.distributions.get(named[2]):
        return named[2]
    raise APIError("NoSuchResource", f"A resource that was specified is not valid: {arn[:200]}.")


def _allowed(character: str) -> bool:
    """The API model's pattern for keys and values: letters, separators, numbers and some punctuation."""
    return character in "_.:/=+-@" or unicodedata.category(character)[0] in "LZN"
