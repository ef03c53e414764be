"""An account's public keys and key groups as values, and changes to a group that others may change too."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, TypeVar

from keyfront.errors import InputError, KeyLoadError, ServiceError

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from mypy_boto3_cloudfront import CloudFrontClient
    from mypy_boto3_cloudfront.type_defs import KeyGroupConfigOutputTypeDef

STALE: Final = ("PreconditionFailed", "InvalidIfMatchVersion")
"""The API's error codes for a change that another client made in between."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class UploadedKey:
    """A public key in CloudFront."""

    id: str
    name: str
    comment: str
    created: datetime
    algorithm: str
    """`rsa`, `ecdsa`, or `other` for keys that cannot verify signed URLs (such as those for field-level encryption)."""
    fingerprint: str


@dataclass(frozen=True, slots=True)
class KeyGroup:
    """A key group and the ids of its keys."""

    id: str
    name: str
    comment: str
    modified: datetime
    keys: tuple[str, ...]


def public_keys(client: "CloudFrontClient") -> Iterator[UploadedKey]:
    """Yield every public key of the account."""
    from keyfront.core.keys import PublicKey

    marker = ""
    while True:
        page = client.list_public_keys(**({"Marker": marker} if marker else {}))["PublicKeyList"]
        _check(page)
        for item in page.get("Items", []):
            try:
                key = PublicKey.load(item["EncodedKey"])
                algorithm, fingerprint = str(key.algorithm), key.fingerprint
            except KeyLoadError:
                algorithm, fingerprint = "other", ""
            yield UploadedKey(
                item["Id"], item["Name"], item.get("Comment", ""), item["CreatedTime"], algorithm, fingerprint
            )
        marker = page.get("NextMarker", "")
        if not marker:
            return


def key_groups(client: "CloudFrontClient") -> list[KeyGroup]:
    """Return every key group of the account, sorted by name."""
    return sorted(_key_groups(client), key=lambda group: group.name)


def _key_groups(client: "CloudFrontClient") -> Iterator[KeyGroup]:
    marker = ""
    while True:
        page = client.list_key_groups(**({"Marker": marker} if marker else {}))["KeyGroupList"]
        _check(page)
        for item in page.get("Items", []):
            group = item["KeyGroup"]
            config = group["KeyGroupConfig"]
            yield KeyGroup(
                group["Id"],
                config["Name"],
                config.get("Comment", ""),
                group["LastModifiedTime"],
                tuple(config["Items"]),
            )
        marker = page.get("NextMarker", "")
        if not marker:
            return


def find_group(client: "CloudFrontClient", wanted: str) -> KeyGroup:
    """Return the key group with the id or, if no id matches, the name `wanted`. Raises `InputError`."""
    groups = key_groups(client)
    for group in groups:
        if group.id == wanted:
            return group
    for group in groups:
        if group.name == wanted:
            return group
    there = ", ".join(f"{group.name} ({group.id})" for group in groups) or "none"
    raise InputError(f"there is no key group {wanted!r}; there are: {there}")


def change_keys(
    client: "CloudFrontClient", group_id: str, change: Callable[[list[str]], list[str]]
) -> tuple[str, list[str], bool]:
    """Replace the group's keys by the result of `change`. Return its name, its keys, and whether they changed."""

    def attempt() -> tuple[str, list[str], bool]:
        answer = client.get_key_group_config(Id=group_id)
        config: KeyGroupConfigOutputTypeDef = answer["KeyGroupConfig"]
        before = list(config["Items"])
        after = change(before)
        if after == before:
            return config["Name"], before, False
        client.update_key_group(Id=group_id, IfMatch=answer["ETag"], KeyGroupConfig={**config, "Items": after})
        return config["Name"], after, True

    return twice(attempt)


def twice(attempt: Callable[[], Result]) -> Result:
    """Return the result of `attempt`, which reads and writes. Try again if another client wrote in between."""
    import botocore.exceptions

    try:
        return attempt()
    except botocore.exceptions.ClientError as error:
        if code_of(error) not in STALE:
            raise
    return attempt()


def code_of(error: "ClientError") -> str:
    """Return the API's error code."""
    return str(error.response.get("Error", {}).get("Code", ""))


def distributions_that_trust(client: "CloudFrontClient", group_id: str) -> Iterator[str]:
    """Yield the ids of the distributions with a cache behavior that trusts the group."""
    marker = ""
    while True:
        page = client.list_distributions(**({"Marker": marker} if marker else {}))["DistributionList"]
        _check(page)
        for item in page.get("Items", []):
            behaviors = [item["DefaultCacheBehavior"], *item.get("CacheBehaviors", {}).get("Items", [])]
            if any(group_id in behavior.get("TrustedKeyGroups", {}).get("Items", []) for behavior in behaviors):
                yield item["Id"]
        marker = page.get("NextMarker", "")
        if not marker:
            return


def _check(page: Mapping[str, object]) -> None:
    """Raise `ServiceError` unless the page has a quantity, as CloudFront's pages always do.

    botocore makes an empty list of any response with status 200.
    """
    if "Quantity" not in page:
        raise ServiceError("the response is not from CloudFront: check the endpoint URL")
