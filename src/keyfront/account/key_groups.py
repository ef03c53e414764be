"""An account's public keys and key groups as values, and the operations on key groups."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from keyfront.account.api_errors import STALE, check_page, code_of, explaining
from keyfront.account.distributions import listed_distributions
from keyfront.errors import InputError, KeyLoadError, RefusedError

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient
    from mypy_boto3_cloudfront.type_defs import KeyGroupConfigOutputTypeDef, PublicKeySummaryTypeDef

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class UploadedKey:
    """A public key in CloudFront."""

    id: str
    name: str
    comment: str
    created: datetime | None
    """`None` if it is not known."""
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
    marker = ""
    while True:
        keys, marker = keys_page(client, marker)
        yield from keys
        if not marker:
            return


def keys_page(client: "CloudFrontClient", marker: str = "") -> tuple[list[UploadedKey], str]:
    """Return one page of the account's public keys, and the next page's marker; empty if it is the last page."""
    page = client.list_public_keys(**({"Marker": marker} if marker else {}))["PublicKeyList"]
    check_page(page)
    return [_uploaded(item) for item in page.get("Items", [])], page.get("NextMarker", "")


def _uploaded(item: "PublicKeySummaryTypeDef") -> UploadedKey:
    from keyfront.core.keys import PublicKey

    try:
        key = PublicKey.load(item["EncodedKey"])
        algorithm, fingerprint = str(key.algorithm), key.fingerprint
    except KeyLoadError:
        algorithm, fingerprint = "other", ""
    return UploadedKey(item["Id"], item["Name"], item.get("Comment", ""), item["CreatedTime"], algorithm, fingerprint)


def key_groups(client: "CloudFrontClient") -> list[KeyGroup]:
    """Return every key group of the account, sorted by name."""
    return sorted(_key_groups(client), key=lambda group: group.name)


def _key_groups(client: "CloudFrontClient") -> Iterator[KeyGroup]:
    marker = ""
    while True:
        page = client.list_key_groups(**({"Marker": marker} if marker else {}))["KeyGroupList"]
        check_page(page)
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


def create_group(client: "CloudFrontClient", name: str, key_ids: list[str], comment: str = "") -> KeyGroup:
    """Create a key group of public keys, and return it."""
    made = client.create_key_group(KeyGroupConfig={"Name": name, "Items": key_ids, "Comment": comment})["KeyGroup"]
    return KeyGroup(made["Id"], name, comment, made["LastModifiedTime"], tuple(made["KeyGroupConfig"]["Items"]))


def add_key(client: "CloudFrontClient", group_id: str, key_id: str) -> tuple[str, list[str], bool]:
    """Add a public key to a group. Return the group's name, its keys, and whether they changed."""
    return change_keys(client, group_id, lambda before: before if key_id in before else [*before, key_id])


def remove_key(client: "CloudFrontClient", group: KeyGroup, key_id: str) -> tuple[str, list[str], bool]:
    """Remove a public key from a group, and return what `add_key` returns.

    Raises `InputError` if the group does not hold it, and `RefusedError` for the group's last key.
    """

    def without(before: list[str]) -> list[str]:
        if key_id not in before:
            raise InputError(f"{key_id} is not in {group.name} ({group.id}), which has {', '.join(before)}")
        if before == [key_id]:
            raise RefusedError(
                f"{key_id} is the last key of {group.name} ({group.id}), and CloudFront allows no empty group: "
                "add another key first, or delete the group"
            )
        return [kept for kept in before if kept != key_id]

    return change_keys(client, group.id, without)


def delete_group(client: "CloudFrontClient", group: KeyGroup) -> None:
    """Delete a key group, but not its keys. Raises `RefusedError` while a distribution trusts it."""

    def attempt() -> None:
        etag = client.get_key_group_config(Id=group.id)["ETag"]
        client.delete_key_group(Id=group.id, IfMatch=etag)

    def in_use() -> str:
        holders = ", ".join(distributions_that_trust(client, group.id)) or "a distribution"
        return (
            f"{group.name} ({group.id}) is still trusted by {holders}: first remove it from the trusted key groups of "
            "every cache behavior"
        )

    with explaining("ResourceInUse", in_use):
        twice(attempt)


def twice(attempt: Callable[[], Result]) -> Result:
    """Return the result of `attempt`, which reads and writes. Try again if another client wrote in between."""
    import botocore.exceptions

    try:
        return attempt()
    except botocore.exceptions.ClientError as error:
        if code_of(error) not in STALE:
            raise
    return attempt()


def distributions_that_trust(client: "CloudFrontClient", group_id: str) -> Iterator[str]:
    """Yield the ids of the distributions with a cache behavior that trusts the group."""
    for each in listed_distributions(client):
        if any(group_id in behavior.trusted_key_groups for behavior in (each.default_behavior, *each.behaviors)):
            yield each.id
