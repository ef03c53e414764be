"""Key-pair ids: checks one before anything is signed with it, and names what was given instead.

A key-pair id is the id that CloudFront gave a public key, or the id of an old key pair of an account (`APKA…`).
Assumed, because no page lists them: the forms of other ids are those of the examples in the guide and in the API
reference. An id that has none of these forms is accepted.
"""

import re
from typing import Final

from keyfront.core.showing import like_a_key
from keyfront.errors import InputError

NEEDED: Final = "give the public key's id in CloudFront, K…"

_USUAL = re.compile(r"K[A-Z0-9]{1,31}|APKA[A-Z0-9]{16}")
_ID = re.compile(r"[A-Za-z0-9]{1,32}")
_SHOWN: Final = 32  # characters: longer text may be a secret access key or a token
_UNSET: Final = frozenset({"undefined", "null", "None", "nil", "NaN", "false", "true", "[object Object]"})

_KINDS: Final = (
    (r"A(?!PKA|KIA|SIA)[A-Z]{3}[A-Z0-9]{16,17}", "a user, a role or another resource of IAM"),
    (r"(?i:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", "a key group"),
    (
        r"(?:origin-access-identity/cloudfront/)?(?i:E[A-Z0-9]{11,14})",
        "a distribution, an origin access control or an origin access identity",
    ),
    (r"d[a-z0-9]{11,14}(?:\.cloudfront\.net/?)?|[a-z0-9.-]+\.cloudfront\.net", "a distribution (its domain name)"),
    (r"(?:https?://)?[A-Za-z0-9.-]+\.(?:net|com|org|localhost)/?", "a host (its domain name)"),
    (r"(?:vo|cg|dt)_[A-Za-z0-9]+", "a VPC origin, a connection group or a tenant"),
    (r"[0-9]{4}-?[0-9]{4}-?[0-9]{4}", "an AWS account"),
    (r"arn:.*", "something in AWS (an ARN)"),
    (r"alias/.+|mrk-[0-9a-f]{32}", "a KMS key (its name)"),
    (r"SHA256:.*|(?:[0-9a-fA-F]{2}:){15,31}[0-9a-fA-F]{2}", "a key (its fingerprint)"),
    (r"(?:.*/)?[\w.-]+\.(?:pem|key|pub|der|json)", "a file (its name)"),
)
_ACCESS_KEY: Final = r"(?:AKIA|ASIA)[A-Z0-9]{16}"
_SMALL: Final = r"(?=.*[a-z])[kK][A-Za-z0-9]{11,14}"


def another_kind(text: str) -> str:
    """Return what has the id `text`, such as `a key group`, if that is not a public key; empty if it may be one."""
    return next((kind for form, kind in _KINDS if re.fullmatch(form, text)), "")


def is_access_key(text: str) -> bool:
    """Return whether `text` is the id of an IAM access key."""
    return re.fullmatch(_ACCESS_KEY, text) is not None


def in_small_letters(text: str) -> bool:
    """Return whether `text` looks like a key-pair id with small letters. CloudFront's have none."""
    return re.fullmatch(_SMALL, text) is not None


def checked_key_pair_id(value: object, what: str = "the key-pair id") -> str:
    """Return `value` if it can be a key-pair id. Raises `InputError`, which says what was given instead.

    `what` names the setting in the error. A long or unusual value is not shown, because it may be a secret.
    """
    if not isinstance(value, str):
        kind = "None" if value is None else f"a {type(value).__name__}"
        raise _refused(f"{what} is missing or not text ({kind})", reason="key-pair-id-missing")
    if _USUAL.fullmatch(value):
        return value
    if not value.strip():
        raise _refused(f"{what} is missing or not text (it is empty)", reason="key-pair-id-missing")
    if like_a_key(value):
        raise _refused(
            f"{what} is not a key-pair id (it seems to be the key itself)", reason="key-pair-id-of-another-kind"
        )
    if value in _UNSET:
        text = f"{what} is {value!r}, because a variable was not set"
        raise _refused(text, reason="key-pair-id-unset", value=value)
    if is_access_key(value):
        raise _refused(f"{what} is the id of an IAM access key", reason="key-pair-id-is-access-key")
    if in_small_letters(value):
        raise _of_another_kind(f"{what} is {value}, which has small letters, and case matters", value)
    if kind := another_kind(value):
        raise _of_another_kind(f"{what} is {_shown(value)}, which looks like the id of {kind}", value)
    if not _ID.fullmatch(value):
        raise _refused(f"{what} is not a key-pair id ({_malformed(value)})", reason="key-pair-id-malformed")
    return value


def _shown(value: str) -> str:
    return ascii(value if len(value) <= 2 * _SHOWN else f"{value[: 2 * _SHOWN]}…")


def _malformed(value: str) -> str:
    if value != value.strip():
        return "it begins or ends with white space or a line end"
    if value.strip("\"'") != value:
        return "it begins or ends with a quotation mark"
    if len(value) > _SHOWN:
        return f"its {len(value)} characters are not shown, in case they are a secret"
    return f"{value!a} has characters that are neither letters nor digits"


def _of_another_kind(text: str, value: str) -> InputError:
    return _refused(text, reason="key-pair-id-of-another-kind", value=value[:_SHOWN])


def _refused(text: str, *, reason: str, value: str | None = None) -> InputError:
    return InputError(f"{text}: {NEEDED}", reason=reason, member="key_pair_id", value=value)
