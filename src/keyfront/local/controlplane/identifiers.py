"""Ids, ETags and ARNs in CloudFront's forms."""

import hashlib
import re
import secrets
import string
import uuid

_ALPHABET = string.ascii_uppercase + string.digits
_ETAG = re.compile("E[A-Z0-9]{13}")


def _random(letter: str) -> str:
    return letter + "".join(secrets.choice(_ALPHABET) for _ in range(13))


def new_public_key_id() -> str:
    """Return a new id of a public key, such as `K2JCJMDEHXQW5F`: the key-pair id of signed URLs and cookies."""
    return _random("K")


def new_key_group_id() -> str:
    """Return a new id of a key group: a UUID."""
    return str(uuid.uuid4())


def new_policy_id() -> str:
    """Return a new id of a cache policy, origin request policy or response headers policy: a UUID."""
    return str(uuid.uuid4())


def new_id() -> str:
    """Return a new id of a distribution, origin access identity or origin access control: `EDFDVBD6EXAMPLE`."""
    return _random("E")


def canonical_user_id(identity_id: str) -> str:
    """Return an origin access identity's canonical user in S3: 96 hexadecimal digits, always the same for an id."""
    return hashlib.sha384(identity_id.encode()).hexdigest()


def new_encryption_config_id() -> str:
    """Return a new id of a configuration for field-level encryption, such as `C3KM2WVD605UAY`."""
    return _random("C")


def new_encryption_profile_id() -> str:
    """Return a new id of a profile for field-level encryption, such as `PPK0UOSIF5WSVX`."""
    return _random("P")


def new_vpc_origin_id() -> str:
    """Return a new id of a VPC origin, such as `vo_BQwjxxQxjCaBcQLzJUFkDM`."""
    return "vo_" + "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(22))


def new_invalidation_id() -> str:
    """Return a new id of an invalidation, such as `I2J0I21PCUYOIK`."""
    return _random("I")


def new_etag() -> str:
    """Return a new ETag, the version of a resource, such as `E2QWRUHEXAMPLE`."""
    return _random("E")


def is_etag(text: str) -> bool:
    """Return whether `text` has the form of keyfront's ETags."""
    return _ETAG.fullmatch(text) is not None


def function_arn(account: str, name: str) -> str:
    """Return a function's ARN: `arn:aws:cloudfront::123456789012:function/name`."""
    return f"arn:aws:cloudfront::{account}:function/{name}"


def key_value_store_arn(account: str, identifier: str) -> str:
    """Return a key value store's ARN: `arn:aws:cloudfront::123456789012:key-value-store/` and a UUID."""
    return f"arn:aws:cloudfront::{account}:key-value-store/{identifier}"


def realtime_log_config_arn(account: str, name: str) -> str:
    """Return a real-time log configuration's ARN: `arn:aws:cloudfront::123456789012:realtime-log-config/name`."""
    return f"arn:aws:cloudfront::{account}:realtime-log-config/{name}"


def vpc_origin_arn(account: str, identifier: str) -> str:
    """Return a VPC origin's ARN: `arn:aws:cloudfront::123456789012:vpcorigin/vo_…`."""
    return f"arn:aws:cloudfront::{account}:vpcorigin/{identifier}"


def distribution_arn(account: str, distribution_id: str) -> str:
    """Return a distribution's ARN: `arn:aws:cloudfront::123456789012:distribution/EDFDVBD6EXAMPLE`."""
    return f"arn:aws:cloudfront::{account}:distribution/{distribution_id}"
