"""Operations on an account's public keys."""

import uuid
from typing import TYPE_CHECKING, NamedTuple

from keyfront.account.api_errors import explaining
from keyfront.account.key_groups import key_groups, twice
from keyfront.core.keys import PublicKey

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient


class Comment(NamedTuple):
    """A public key's comment, and the ETag with which it can be changed."""

    text: str
    etag: str


def upload_key(client: "CloudFrontClient", key: PublicKey, name: str, comment: str = "") -> str:
    """Upload a public key, and return its id."""
    config = {"CallerReference": str(uuid.uuid4()), "Name": name, "EncodedKey": key.pem, "Comment": comment}
    return client.create_public_key(PublicKeyConfig=config)["PublicKey"]["Id"]  # type: ignore[arg-type]


def read_comment(client: "CloudFrontClient", key_id: str) -> Comment:
    """Return a public key's comment."""
    answer = client.get_public_key_config(Id=key_id)
    return Comment(answer["PublicKeyConfig"].get("Comment", ""), answer["ETag"])


def change_comment(client: "CloudFrontClient", key_id: str, comment: Comment) -> None:
    """Replace a public key's comment, if its ETag is still `comment.etag`. A key's other members never change."""
    config = client.get_public_key_config(Id=key_id)["PublicKeyConfig"]
    client.update_public_key(Id=key_id, IfMatch=comment.etag, PublicKeyConfig={**config, "Comment": comment.text})


def delete_key(client: "CloudFrontClient", key_id: str) -> None:
    """Delete a public key. Raises `RefusedError`, which names the key's groups, while a group holds it."""

    def attempt() -> None:
        etag = client.get_public_key(Id=key_id)["ETag"]
        client.delete_public_key(Id=key_id, IfMatch=etag)

    def in_use() -> str:
        holders = [group for group in key_groups(client) if key_id in group.keys]
        named = ", ".join(f"{group.name} ({group.id})" for group in holders) or "something else"
        first = f"; remove it first: keyfront groups remove {holders[0].name} {key_id}" if holders else ""
        return f"the key {key_id} is still in {named}{first}"

    with explaining("PublicKeyInUse", in_use):
        twice(attempt)
