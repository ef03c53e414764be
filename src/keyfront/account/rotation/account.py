"""The CloudFront side of a rotation: public keys that come and go, and the group that trusts them.

Whatever is done here may be done again: what is there already stays as it is.
"""

from typing import TYPE_CHECKING, Final

from keyfront.account.key_groups import KeyGroup, UploadedKey, change_keys, code_of, find_group, key_groups, public_keys
from keyfront.core.keys import PublicKey
from keyfront.errors import InputError, KeyfrontError

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

MOST_KEYS: Final = 5
"""Developer Guide, "Quotas": public keys in a key group (adjustable, so that CloudFront has the last word)."""


class QuotaError(KeyfrontError):
    """There is no room for another key."""


class Account:
    """An account's keys and groups. Errors of the API are botocore's, to be told by whoever asks."""

    def __init__(self, client: "CloudFrontClient") -> None:
        self.client = client

    def group(self, wanted: str) -> KeyGroup:
        """The group with this id or name. Raises `InputError`."""
        return find_group(self.client, wanted)

    def key(self, key_id: str) -> UploadedKey | None:
        """A public key of the account."""
        return next((each for each in public_keys(self.client) if each.id == key_id), None)

    def has_room(self, group: KeyGroup) -> None:
        """Raises `QuotaError` for a group that is full."""
        if len(group.keys) >= MOST_KEYS:
            raise QuotaError(
                f"{group.name} ({group.id}) holds {len(group.keys)} keys, and CloudFront allows {MOST_KEYS}: "
                f"take one that nobody signs with any more out of it first, keyfront groups remove {group.id} KEYID"
            )

    def upload(self, name: str, public_key: PublicKey, comment: str) -> str:
        """The id of `public_key`, which is uploaded as `name` unless it is there. Raises `QuotaError`."""
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
                        "(keyfront keys list), or have the quota raised"
                    ) from None
                if code_of(error) != "PublicKeyAlreadyExists":
                    raise
                there = next((each for each in public_keys(self.client) if each.name == name), None)
        if there is None or there.fingerprint != public_key.fingerprint:
            raise InputError(f"CloudFront has another public key of the name {name}: rename or delete that")
        return there.id

    def add(self, group_id: str, key_id: str) -> None:
        """Trust a key. Raises `QuotaError`."""
        from botocore.exceptions import ClientError

        try:
            change_keys(self.client, group_id, lambda keys: keys if key_id in keys else [*keys, key_id])
        except ClientError as error:
            if code_of(error) != "TooManyPublicKeysInKeyGroup":
                raise
            raise QuotaError(f"key group {group_id} is full: take a key out of it that nobody signs with") from None

    def remove(self, group_id: str, key_id: str) -> None:
        """Trust a key no longer. Raises `InputError` for a group's last key."""

        def without(keys: list[str]) -> list[str]:
            if keys == [key_id]:
                raise InputError(f"{key_id} is the last key of {group_id}, and CloudFront keeps no empty group")
            return [each for each in keys if each != key_id]

        change_keys(self.client, group_id, without)

    def delete(self, key_id: str) -> list[str]:
        """Delete a public key, unless groups hold it: then it stays, and they are returned."""
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
