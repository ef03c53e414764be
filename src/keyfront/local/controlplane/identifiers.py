"""Ids, ETags and ARNs in the forms that CloudFront gives them."""

import re
import secrets
import string
import uuid

_ALPHABET = string.ascii_uppercase + string.digits
_ETAG = re.compile("E[A-Z0-9]{13}")


def _random(letter: str) -> str:
    return letter + "".join(secrets.choice(_ALPHABET) for _ in range(13))


def new_public_key_id() -> str:
    """`K2JCJMDEHXQW5F`: also the key-pair id of signed URLs and cookies."""
    return _random("K")


def new_key_group_id() -> str:
    """A UUID."""
    return str(uuid.uuid4())


def new_policy_id() -> str:
    """A UUID: a cache policy, an origin request policy, a response headers policy."""
    return str(uuid.uuid4())


def new_id() -> str:
    """`EDFDVBD6EXAMPLE`: a distribution, an origin access identity, an origin access control."""
    return _random("E")


def new_invalidation_id() -> str:
    """`I2J0I21PCUYOIK`."""
    return _random("I")


def new_etag() -> str:
    """`E2QWRUHEXAMPLE`: a version of a resource."""
    return _random("E")


def is_etag(text: str) -> bool:
    """Whether `text` has the form of an ETag of ours."""
    return _ETAG.fullmatch(text) is not None


def function_arn(account: str, name: str) -> str:
    """`arn:aws:cloudfront::123456789012:function/name`."""
    return f"arn:aws:cloudfront::{account}:function/{name}"


def key_value_store_arn(account: str, identifier: str) -> str:
    """`arn:aws:cloudfront::123456789012:key-value-store/` and a UUID."""
    return f"arn:aws:cloudfront::{account}:key-value-store/{identifier}"


def distribution_arn(account: str, distribution_id: str) -> str:
    """`arn:aws:cloudfront::123456789012:distribution/EDFDVBD6EXAMPLE`."""
    return f"arn:aws:cloudfront::{account}:distribution/{distribution_id}"
