"""Key-pair ids: checks one before anything is signed with it, and names what was given instead.

A key-pair id is the id that CloudFront gave a public key, or the id of an old key pair of an account (`APKA…`).
Assumed, because no page lists them: the forms of other ids are those of the examples in the guide and in the API
reference. An id that has none of these forms is accepted.
"""

import re
from typing import Final, NamedTuple

from keyfront.core.showing import like_a_key
from keyfront.errors import InputError

NEEDED: Final = "give the public key's id in CloudFront, K…"

_USUAL = re.compile(r"K[A-Z0-9]{1,31}|APKA[A-Z0-9]{16}")
_ID = re.compile(r"[A-Za-z0-9]{1,32}")
_SHOWN: Final = 32  # characters: longer text may be a secret access key or a token
_UNSET: Final = frozenset({"undefined", "null", "None", "nil", "NaN", "false", "true", "[object Object]"})


class Mistake(NamedTuple):
    """Something else that stands where a key-pair id belongs."""

    finding: str
    """Its id in `docs/findings.md`."""
    text: str
    """What follows the value in a sentence, such as `which looks like the id of a key group`."""


_OTHER: Final = "key-pair-id-of-another-kind"
_KINDS: Final = (
    (r"(?:AKIA|ASIA)[A-Z0-9]{16}", "key-pair-id-is-access-key", "which is the id of an IAM access key"),
    (
        r"A(?!PKA)[A-Z]{3}[A-Z0-9]{16,17}",
        _OTHER,
        "which looks like the id of an IAM user, role, group, policy or certificate",
    ),
    (
        r"(?i:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})",
        _OTHER,
        "which looks like the id of a key group (or of a cache policy or a KMS key)",
    ),
    (
        r"(?:origin-access-identity/cloudfront/)?(?i:E[A-Z0-9]{11,14})",
        _OTHER,
        "which looks like the id of a distribution, an origin access control or an origin access identity",
    ),
    (r"d[a-z0-9]{11,14}(?:\.cloudfront\.net/?)?", _OTHER, "which looks like a distribution's domain name"),
    (r"(?:https?://)?[A-Za-z0-9.-]+\.(?:net|com|org|localhost)/?", _OTHER, "which looks like a domain name"),
    (
        r"(?:vo|cg|dt)_[A-Za-z0-9]+",
        _OTHER,
        "which looks like the id of a VPC origin, a connection group or a tenant",
    ),
    (r"[0-9]{4}-?[0-9]{4}-?[0-9]{4}", _OTHER, "which looks like the number of an AWS account"),
    (r"arn:[\w-]+:.+", _OTHER, "which is an ARN"),
    (r"alias/.+|mrk-[0-9a-f]{32}", _OTHER, "which looks like the name of a KMS key"),
    (
        r"SHA256:[A-Za-z0-9+/=]+|(?:[0-9a-fA-F]{2}:){15,31}[0-9a-fA-F]{2}",
        _OTHER,
        "which looks like the fingerprint of a key",
    ),
    (r"(?:.*/)?[\w.-]+\.(?:pem|key|pub|der|json)", _OTHER, "which looks like the name of a file"),
    (r"k[a-z0-9]{11,14}", _OTHER, "which is in lower case, and case matters"),
)


def mistake(key_pair_id: str) -> Mistake | None:
    """Return what `key_pair_id` looks like, if that is something other than a key-pair id."""
    if key_pair_id in _UNSET:
        return Mistake("key-pair-id-unset", "because a variable was not set")
    return next((Mistake(finding, text) for form, finding, text in _KINDS if re.fullmatch(form, key_pair_id)), None)


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
        raise _refused(f"{what} is not a key-pair id (it seems to be the key itself)", reason=_OTHER)
    if found := mistake(value):
        raise _refused(f"{what} is {_shown(value)}, {found.text}", reason=found.finding, value=value[:_SHOWN])
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


def _refused(text: str, *, reason: str, value: str | None = None) -> InputError:
    return InputError(f"{text}: {NEEDED}", reason=reason, member="key_pair_id", value=value)
