"""The CloudFront side of a rotation: adds and removes public keys, and changes the group that trusts them.

Every operation may be repeated: the second time it changes nothing.
"""

from typing import TYPE_CHECKING, Final

from keyfront.account.api_errors import code_of
from keyfront.account.key_groups import KeyGroup, UploadedKey, change_keys, find_group, key_groups, public_keys
from keyfront.core.keys import PublicKey
from keyfront.errors import InputError, KeyfrontError

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

MOST_KEYS: Final = 5
"""Developer Guide, "Quotas": public keys in a key group. The quota is adjustable, so CloudFront decides in the end."""


class QuotaError(KeyfrontError):
    """There is no room for another key in the group or account."""


class Account:
    """An account's keys and groups. API errors stay botocore's: the caller explains them."""

    def __init__(self, client: "CloudFrontClient") -> None:
        self.client = client

    def group(self, wanted: str) -> KeyGroup:
        """Return the group with this id or name. Raises `InputError`."""
        return find_group(self.client, wanted)

    def key(self, key_id: str) -> UploadedKey | None:
        """Return a public key of the account; `None` if there is no such key."""
        return next((each for each in public_keys(self.client) if each.id == key_id), None)

    def public_key(self, key_id: str) -> PublicKey | None:
        """Return a public key of the account to verify signatures with; `None` if there is no such key."""
        from botocore.exceptions import ClientError

        try:
            return PublicKey.load(self.client.get_public_key(Id=key_id)["PublicKey"]["PublicKeyConfig"]["EncodedKey"])
        except ClientError as error:
            if code_of(error) != "NoSuchPublicKey":
                raise
            return None

    def has_room(self, group: KeyGroup) -> None:
        """Raise `QuotaError` if the group is full."""
        if len(group.keys) >= MOST_KEYS:
            raise QuotaError(
                f"{group.name} ({group.id}) holds {len(group.keys)} keys, and CloudFront allows {MOST_KEYS}: "
                f"first remove a key that no signer uses any more, keyfront groups remove {group.id} KEYID"
            )

    def upload(self, name: str, public_key: PublicKey, comment: str) -> str:
        """Upload `public_key` as `name` unless it is there, and return its id. Raises `QuotaError`."""
        from botocore.exceptions import ClientError

        there = next((each for each in public_keys(self.client) if each.name == name), None)
        if there is None:
            config = {
                "CallerReference": name,
                "Name": name,
                "EncodedKey": public_key.pem,
                "Comment": comment[:128],
            }
            try:
                return self.client.create_public_key(PublicKeyConfig=config)["PublicKey"]["Id"]  # type: ignore[arg-type]
            except ClientError as error:
                if code_of(error) == "TooManyPublicKeys":
                    raise QuotaError(
                        "the account has as many public keys as CloudFront allows: delete one that no group holds "
                        "(keyfront keys list), or request a higher quota"
                    ) from None
                if code_of(error) != "PublicKeyAlreadyExists":
                    raise
                there = next((each for each in public_keys(self.client) if each.name == name), None)
        if there is None or there.fingerprint != public_key.fingerprint:
            raise InputError(f"CloudFront has another public key with the name {name}: rename or delete it")
        return there.id

    def add(self, group_id: str, key_id: str) -> None:
        """Add a key to a group. Raises `QuotaError`."""
        from botocore.exceptions import ClientError

        try:
            change_keys(self.client, group_id, lambda keys: keys if key_id in keys else [*keys, key_id])
        except ClientError as error:
            if code_of(error) != "TooManyPublicKeysInKeyGroup":
                raise
            raise QuotaError(f"key group {group_id} is full: remove a key that no signer uses") from None

    def remove(self, group_id: str, key_id: str) -> None:
        """Remove a key from a group. Raises `InputError` for the group's last key."""

        def without(keys: list[str]) -> list[str]:
            if keys == [key_id]:
                raise InputError(f"{key_id} is the last key of {group_id}, and CloudFront allows no empty group")
            return [each for each in keys if each != key_id]

        change_keys(self.client, group_id, without)

    def delete(self, key_id: str) -> list[str]:
        """Delete a public key. If groups hold it, keep it and return those groups."""
        from botocore.exceptions import ClientError

        try:
            etag = self.client.get_public_key(Id=key_id)["ETag"]
            self.client.delete_public_key(Id=key_id, IfMatch=etag)
        except ClientError as error:
            if code_of(error) == "NoSuchPublicKey":
                return []
            if code_of(error) != "PublicKeyInUse":
                raise
            return [f"{each.name} ({each.id})" for each in key_groups(self.client) if key_id in each.keys]
        return []
