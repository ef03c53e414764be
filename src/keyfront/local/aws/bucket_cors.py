"""CORS of a bucket: what S3 lets a web page of another origin read.

Source: Amazon S3 User Guide, "Using cross-origin resource sharing (CORS)" and "Elements of a CORS configuration": the
first rule that matches the origin, the method and every requested header counts. Assumed: the texts of refusals, and
`Vary`, as public traces show them. moto uses every rule, whatever the method and the requested headers, and takes an
origin for allowed that only begins with an allowed one.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from moto.s3.exceptions import AccessForbidden, BadRequest
from moto.s3.models import CorsRule

_VARY: Final = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"
_NO_CONFIGURATION: Final = "CORSResponse: CORS is not enabled for this bucket."
_NOT_ALLOWED: Final = (
    "CORSResponse: This CORS request is not allowed. This is usually because the evaluation of Origin, request method "
    "/ Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec."
)


def preflight(rules: Sequence[CorsRule], headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of the response to a preflight request. Raises moto's `S3ClientError` if no rule allows it."""
    origin, method = headers.get("Origin"), headers.get("Access-Control-Request-Method")
    if not origin:
        raise BadRequest("Insufficient information. Origin request header needed.")
    if method not in ("GET", "PUT", "HEAD", "POST", "DELETE"):
        raise BadRequest(f"Invalid Access-Control-Request-Method: {method or 'null'}")
    if not rules:
        raise AccessForbidden(_NO_CONFIGURATION)
    asked = [name.strip().lower() for name in headers.get("Access-Control-Request-Headers", "").split(",")]
    asked = [name for name in asked if name]
    for rule in rules:
        allowed = [name.lower() for name in rule.allowed_headers or ()]
        if _allows(rule, origin, method) and all(_matches(name, allowed) for name in asked):
            return _headers(rule, origin) | ({"Access-Control-Allow-Headers": ", ".join(asked)} if asked else {})
    raise AccessForbidden(_NOT_ALLOWED)


def applied(rules: Iterable[CorsRule], origin: str | None, method: str) -> dict[str, str]:
    """Return the headers that the rules add to a response, none if no rule matches."""
    matching = (rule for rule in rules if origin and _allows(rule, origin, method))
    rule = next(matching, None)
    return _headers(rule, origin) if rule is not None and origin else {}


def _allows(rule: CorsRule, origin: str, method: str) -> bool:
    return method in (rule.allowed_methods or ()) and _matches(origin, rule.allowed_origins or ())


def _matches(text: str, patterns: Iterable[str]) -> bool:
    """Return whether one of the patterns, each with at most one `*`, matches the whole text."""
    return any(re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text) for pattern in patterns)


def _headers(rule: CorsRule, origin: str) -> dict[str, str]:
    everybody = "*" in rule.allowed_origins
    optional: dict[str, Any] = {
        "Access-Control-Allow-Credentials": None if everybody else "true",
        "Access-Control-Expose-Headers": ", ".join(rule.exposed_headers or ()),
        "Access-Control-Max-Age": rule.max_age_seconds,
    }
    return {
        "Access-Control-Allow-Origin": "*" if everybody else origin,
        "Access-Control-Allow-Methods": ", ".join(rule.allowed_methods),
        "Vary": _VARY,
        **{name: str(value) for name, value in optional.items() if value},
    }
