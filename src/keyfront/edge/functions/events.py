"""The event of a CloudFront function, and what its result makes of the request or response.

Sources: Developer Guide, "CloudFront Functions event structure" and "Restrictions on CloudFront Functions". Assumed,
since no source says it: a URL's path and query string are handed over as sent, with the signature; an invalid result is
502, as a read-only header is; names of members that the guide does not have are ignored.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from keyfront.core.urls import MAX_URL_BYTES
from keyfront.edge.configuration import Distribution
from keyfront.edge.functions.failures import FunctionFailedError, invalid
from keyfront.edge.functions.headers import (
    Fields,
    ForbiddenHeaderError,
    InvalidHeaderError,
    served,
    without_length,
)
from keyfront.edge.functions.multi_values import (
    COOKIE,
    fields_of,
    flat,
    grouped,
    joined,
    pairs,
    shown_cookies,
    shown_fields,
    written_cookies,
)
from keyfront.edge.request.viewer import Request
from keyfront.edge.response.pages import GENERATED, EdgeResponse, Headers

_TARGET: Final = re.compile(r"[\x21-\x7e]*")
PATH: Final = re.compile(r"/(?:[!\"$&->@-~]|%(?!00))*")
"""A path that is written in a URL as it is."""
_NO_COOKIES: Final = ("cookie",)
_GENERATED_BYTES: Final = 40 * 1024
"""The maximum of a generated response. Assumed: as of a response that Lambda@Edge makes for a viewer's request."""


def event(event_type: str, viewer: Request, distribution: Distribution) -> dict[str, Any]:
    """Return the event for a viewer's request, still without a response."""
    return {
        "version": "1.0",
        "context": {
            "distributionDomainName": distribution.domain_name.partition(":")[0],
            "distributionId": distribution.id,
            "eventType": event_type,
            "requestId": viewer.id.decode("ascii"),
        },
        "viewer": {"ip": viewer.ip},
        "request": request_shown(viewer),
    }


def request_shown(viewer: Request) -> dict[str, Any]:
    """Return the `request` of an event."""
    return {
        "method": viewer.method,
        "uri": viewer.path,
        "querystring": grouped(pairs(viewer.query, "&")),
        "headers": shown_fields(_request_fields(viewer)),
        "cookies": grouped(pairs(viewer.header(b"cookie"), ";")),
    }


def response_shown(status: int, headers: Headers) -> dict[str, Any]:
    """Return the `response` of an event."""
    return {
        "statusCode": status,
        "statusDescription": _phrase(status),
        "headers": shown_fields(Fields.of(headers, without=("set-cookie",))),
        "cookies": shown_cookies(headers),
    }


def is_response(value: Any) -> bool:
    """Return whether a viewer request function returned a response in place of the request."""
    return isinstance(value, dict) and "statusCode" in value


def changed_request(viewer: Request, before: Mapping[str, Any], value: Any) -> Request:
    """Return the request that a function made of `viewer`. `before` is what it got. Raises `FunctionFailedError`."""
    if not isinstance(value, dict) or not isinstance(value.get("uri"), str):
        raise invalid("the function must return the request or a response")
    if value == before:
        return viewer
    if value.get("method", viewer.method) != viewer.method:
        raise invalid("request.method is read-only")
    path, query = valid_path(value["uri"]), viewer.query
    if path is None:
        raise invalid("request.uri must begin with a slash and be a path without blanks and query string")
    asked = value.get("querystring", {})
    if asked != before["querystring"]:
        # A string is not in the guide, but in Amazon's own examples (normalize-query-string-parameters).
        query = asked if isinstance(asked, str) else "&".join(joined(flat(asked, "request.querystring")))
        if not _TARGET.fullmatch(query) or "#" in query:
            raise invalid("request.querystring has a character that is not URL-encoded")
    if len(path) + len(query) > MAX_URL_BYTES:
        raise invalid(f"the URL is longer than {MAX_URL_BYTES} bytes")
    headers, made = viewer.headers, viewer.made
    if value.get("headers", {}) != before["headers"]:
        headers, made = _changed_headers(viewer, value.get("headers", {}))
    if value.get("cookies", {}) != before["cookies"]:
        cookie = "; ".join(
            f"{name}={each['value']}" for name, each in flat(value.get("cookies", {}), "request.cookies")
        )
        if not all(COOKIE.fullmatch(each) for each in cookie.split("; ")):
            raise invalid("request.cookies has a character that a cookie cannot have")
        headers = [item for item in headers if item[0] != b"cookie"]
        headers += [(b"cookie", cookie.encode())] if cookie else []
    changed = viewer.with_target(path, query, headers)
    changed.made = made
    return changed


def generated(value: Mapping[str, Any]) -> EdgeResponse:
    """Return the response that a viewer request function made. Raises `FunctionFailedError`."""
    status = _status(value)
    fields = fields_of(value.get("headers", {}), "response.headers")
    _check(fields, Fields({}), "viewer-response")
    headers = fields.written([]) + written_cookies(value)
    body = _body(value) or b""
    if len(body) > _GENERATED_BYTES:
        raise invalid(f"response.body is larger than {_GENERATED_BYTES} bytes")
    headers = served(headers)
    return EdgeResponse(status, headers, body, GENERATED, "function-response")


def changed_response(before: Headers, shown: Mapping[str, Any], value: Any) -> tuple[int, Headers, bytes | None]:
    """Return status, headers and (if it was replaced) body after a viewer response function.

    Raises `FunctionFailedError`.
    """
    if not isinstance(value, dict) or "statusCode" not in value:
        raise invalid("the function must return the response")
    status, body = _status(value), _body(value)
    fields = fields_of(value.get("headers", {}), "response.headers")
    _check(fields, Fields.of(before, without=("set-cookie",)), "viewer-response")
    kept = [item for item in before if item[0] == b"set-cookie"]
    if value.get("cookies", {}) != shown["cookies"]:
        kept = written_cookies(value)
    headers = fields.written([item for item in before if item[0] != b"set-cookie"]) + kept
    length = next((item for item in before if item[0] == b"content-length"), None)
    headers = without_length(headers)
    if body is not None:
        headers.append((b"content-length", b"%d" % len(body)))
    elif length is not None:
        headers.append(length)  # it is the body's, whatever the function says
    return status, headers, body


def _changed_headers(viewer: Request, shown: Any) -> tuple[Headers, Mapping[str, str]]:
    """Return the headers that a function wrote, with the viewer's cookies, and those about the viewer apart."""
    fields = fields_of(shown, "request.headers")
    _check(fields, _request_fields(viewer), "viewer-request")
    made = {name: ", ".join(fields.values[name]) for name in viewer.made if name in fields.values}
    rest = Fields({name: values for name, values in fields.values.items() if name not in viewer.made})
    cookies = [item for item in viewer.headers if item[0] == b"cookie"]
    own = [item for item in viewer.headers if item[0] != b"cookie"]
    return [*(item for item in rest.written(own) if item[0] != b"cookie"), *cookies], made


def _check(fields: Fields, before: Fields, event_type: str) -> None:
    try:
        fields.check(before, event_type)
    except ForbiddenHeaderError as error:
        raise FunctionFailedError(502, f"The CloudFront function {error}") from None
    except InvalidHeaderError as error:
        raise invalid(str(error)) from None


def _request_fields(viewer: Request) -> Fields:
    own = [item for item in viewer.headers if not item[0].startswith(b"cloudfront-")]
    if viewer.made:
        own += [(name.encode("ascii"), value.encode("latin-1")) for name, value in viewer.made.items()]
    return Fields.of(own, without=_NO_COOKIES)


def valid_path(uri: str) -> str | None:
    """Return the path of a request for the `uri` that a function wrote; `None` if it is not a path."""
    if PATH.fullmatch(uri):
        return uri
    if not uri.startswith("/") or any(ord(character) <= 0x20 or ord(character) == 0x7F for character in uri):
        return None
    if "?" in uri or "#" in uri or "%00" in uri:
        return None
    return quote(uri, safe="".join(map(chr, range(0x21, 0x7F))), errors="replace")


def _status(value: Mapping[str, Any]) -> int:
    status = value["statusCode"]
    if isinstance(status, bool) or not isinstance(status, int) or not 200 <= status <= 599:
        raise invalid("response.statusCode must be a number from 200 to 599")
    return status


def _body(value: Mapping[str, Any]) -> bytes | None:
    body = value.get("body")
    if isinstance(body, dict):
        data, encoding = body.get("data"), body.get("encoding", "text")
    else:
        data, encoding = body, "text"
    if body is None:
        return None
    if not isinstance(data, str) or encoding not in ("text", "base64"):
        raise invalid("response.body must be a string, or an object with data and encoding (text or base64)")
    if encoding == "text":
        return data.encode("utf-8", "replace")
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise invalid("response.body is not base64") from None


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else ""
