"""Checks whether the query of an S3 request is a complete S3 signature, and whether it has expired.

The laptop does not check credentials, but a URL that only looks signed must not open a private object. For example, a
URL signed for CloudFront has a `Signature` too. Source: Amazon S3 API Reference, "Authenticating Requests: Using
Query Parameters (AWS Signature Version 4)" and "(Signature Version 2)".
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from keyfront.local.aws.responses import AWSError

_V4: Final = (
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Signature",
    "X-Amz-Date",
    "X-Amz-SignedHeaders",
    "X-Amz-Expires",
)
_V4_LONGEST: Final = 7 * 24 * 3600
_V2: Final = ("Signature", "Expires", "AWSAccessKeyId")

_EXPIRED: Final = AWSError(403, "AccessDenied", "Request has expired")
_V4_INCOMPLETE: Final = AWSError(
    400,
    "AuthorizationQueryParametersError",
    "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, "
    "X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
)
_V4_TOO_LONG: Final = AWSError(
    400,
    "AuthorizationQueryParametersError",
    "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 "
    "seconds",
)
_V2_INCOMPLETE: Final = AWSError(
    403,
    "AccessDenied",
    "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters",
)


def claims(query: Mapping[str, str]) -> bool:
    """Return whether `query` has all parameters of a signature, valid or not."""
    return all(query.get(name) for name in _V4) or all(query.get(name) for name in _V2)


def is_signed(query: Mapping[str, str], now: float) -> bool | AWSError:
    """Return whether `query` has a signature that is valid at `now` (epoch seconds), or the error if it is refused."""
    if "X-Amz-Signature" in query or "X-Amz-Algorithm" in query:
        return _version_4(query, now)
    if "Signature" in query or "AWSAccessKeyId" in query:
        return _version_2(query, now)
    return False


def _version_4(query: Mapping[str, str], now: float) -> bool | AWSError:
    if not all(query.get(name) for name in _V4):
        return _V4_INCOMPLETE
    try:
        begun = datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
        lasts = int(query["X-Amz-Expires"])
    except ValueError:
        return _V4_INCOMPLETE
    if not 0 < lasts <= _V4_LONGEST:
        return _V4_TOO_LONG
    return _EXPIRED if now > begun + lasts else True


def _version_2(query: Mapping[str, str], now: float) -> bool | AWSError:
    if not all(query.get(name) for name in _V2):
        return _V2_INCOMPLETE
    try:
        return _EXPIRED if now > int(query["Expires"]) else True
    except ValueError:
        return _V2_INCOMPLETE
