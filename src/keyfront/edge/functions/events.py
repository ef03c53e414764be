"""The event of a CloudFront function, and what its result makes of the request or response.

Sources: Developer Guide, "CloudFront Functions event structure" and "Restrictions on CloudFront Functions". Assumed,
since no source says it: a URL's path and query string are handed over as sent, with the signature; `multiValue` counts
before `value`; an invalid result is 502, as a read-only header is; names of members that the guide does not have are
ignored.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from keyfront.core.urls import MAX_URL_BYTES
from keyfront.edge.configuration import Distribution
from keyfront.edge.functions.headers import (
    Fields,
    ForbiddenHeaderError,
    InvalidHeaderError,
    served,
    without_length,
)
from keyfront.edge.request.viewer import Request
from keyfront.edge.response.pages import GENERATED, EdgeResponse, Headers

Shown = dict[str, dict[str, Any]]
"""Names with `value` and, if there are several values, `multiValue`."""

_TARGET: Final = re.compile(r"[\x21-\x7e]*")
_PATH: Final = re.compile(r"/(?:[!\"$&->@-~]|%(?!00))*")
"""A path that is written in a URL as it is."""
_COOKIE: Final = re.compile(r"[\x20-\x3a\x3c-\x7e]*")
_ATTRIBUTES: Final = re.compile(r"[\x20-\x7e]*")
_NO_COOKIES: Final = ("cookie",)
_GENERATED_BYTES: Final = 40 * 1024
"""The maximum of a generated response. Assumed: as of a response that Lambda@Edge makes for a viewer's request."""


class FunctionFailedError(Exception):
    """A function could not run, or its result cannot be used."""

    def __init__(self, status: int, why: str) -> None:
        """`why` is the text of CloudFront's page."""
        super().__init__(why)
        self.status = status


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
        "querystring": _grouped(_pairs(viewer.query, "&")),
        "headers": _shown(_request_fields(viewer)),
        "cookies": _grouped(_pairs(viewer.header(b"cookie"), ";")),
    }


def response_shown(status: int, headers: Headers) -> dict[str, Any]:
    """Return the `response` of an event."""
    return {
        "statusCode": status,
        "statusDescription": _phrase(status),
        "headers": _shown(Fields.of(headers, without=("set-cookie",))),
        "cookies": _set_cookies(headers),
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
        query = asked if isinstance(asked, str) else "&".join(_joined(_flat(asked, "request.querystring")))
        if not _TARGET.fullmatch(query) or "#" in query:
            raise invalid("request.querystring has a character that is not URL-encoded")
    if len(path) + len(query) > MAX_URL_BYTES:
        raise invalid(f"the URL is longer than {MAX_URL_BYTES} bytes")
    headers, made = viewer.headers, viewer.made
    if value.get("headers", {}) != before["headers"]:
        headers, made = _changed_headers(viewer, value.get("headers", {}))
    if value.get("cookies", {}) != before["cookies"]:
        cookie = "; ".join(
            f"{name}={each['value']}" for name, each in _flat(value.get("cookies", {}), "request.cookies")
        )
        if not all(_COOKIE.fullmatch(each) for each in cookie.split("; ")):
            raise invalid("request.cookies has a character that a cookie cannot have")
        headers = [item for item in headers if item[0] != b"cookie"]
        headers += [(b"cookie", cookie.encode())] if cookie else []
    changed = viewer.with_target(path, query, headers)
    changed.made = made
    return changed


def generated(value: Mapping[str, Any]) -> EdgeResponse:
    """Return the response that a viewer request function made. Raises `FunctionFailedError`."""
    status = _status(value)
    fields = _fields(value.get("headers", {}), "response.headers")
    _check(fields, Fields({}), "viewer-response")
    headers = fields.written([]) + _written_cookies(value)
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
    fields = _fields(value.get("headers", {}), "response.headers")
    _check(fields, Fields.of(before, without=("set-cookie",)), "viewer-response")
    kept = [item for item in before if item[0] == b"set-cookie"]
    if value.get("cookies", {}) != shown["cookies"]:
        kept = _written_cookies(value)
    headers = fields.written([item for item in before if item[0] != b"set-cookie"]) + kept
    length = next((item for item in before if item[0] == b"content-length"), None)
    headers = without_length(headers)
    if body is not None:
        headers.append((b"content-length", b"%d" % len(body)))
    elif length is not None:
        headers.append(length)  # it is the body's, whatever the function says
    return status, headers, body


def invalid(what: str) -> FunctionFailedError:
    """Return the failure of a result that has an invalid value."""
    return FunctionFailedError(502, f"The CloudFront function returned an invalid value: {what}.")


def _changed_headers(viewer: Request, shown: Any) -> tuple[Headers, Mapping[str, str]]:
    """Return the headers that a function wrote, with the viewer's cookies, and those about the viewer apart."""
    fields = _fields(shown, "request.headers")
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


def _pairs(text: str, separator: str) -> list[tuple[str, str]]:
    if not text:
        return []
    parts = [part.strip() if separator == ";" else part for part in text.split(separator)]
    return [(name, value) for name, _, value in (part.partition("=") for part in parts if part)]


def _grouped(pairs: Iterable[tuple[str, str]]) -> Shown:
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return {name: _valued(values) for name, values in found.items()}


def _shown(fields: Fields) -> Shown:
    return {name: _valued(values) for name, values in fields.values.items()}


def _valued(values: Sequence[str]) -> dict[str, Any]:
    if len(values) == 1:
        return {"value": values[0]}
    return {"value": values[0], "multiValue": [{"value": each} for each in values]}


def _set_cookies(headers: Headers) -> Shown:
    found: dict[str, list[dict[str, str]]] = {}
    for name, value in headers:
        if name == b"set-cookie":
            pair, _, attributes = value.decode("latin-1").partition(";")
            cookie, _, content = pair.strip().partition("=")
            one = {"value": content} | ({"attributes": attributes.strip()} if attributes.strip() else {})
            found.setdefault(cookie, []).append(one)
    return {
        name: dict(values[0]) | ({"multiValue": values} if len(values) > 1 else {}) for name, values in found.items()
    }


def _flat(shown: Any, where: str) -> list[tuple[str, Mapping[str, Any]]]:
    """Return each value of an object of names, in order. Raises `FunctionFailedError`."""
    if not isinstance(shown, dict):
        raise invalid(f"{where} must be an object")
    found: list[tuple[str, Mapping[str, Any]]] = []
    for name, one in shown.items():
        listed = one.get("multiValue") if isinstance(one, dict) else None
        for each in listed if isinstance(listed, list) and listed else [one]:
            if not isinstance(each, dict) or not isinstance(each.get("value"), str):
                raise invalid(f"{where}[{name[:60]!r}] must be an object with a value that is a string")
            found.append((name, each))
    return found


def _joined(pairs: Iterable[tuple[str, Mapping[str, Any]]]) -> list[str]:
    return [f"{name}={each['value']}" if each["value"] else name for name, each in pairs]


def _fields(shown: Any, where: str) -> Fields:
    found: dict[str, tuple[str, ...]] = {}
    for name, each in _flat(shown, where):
        if name != name.lower():
            raise invalid(f"{where} must have header names in lower case")
        found[name] = (*found.get(name, ()), each["value"])
    return Fields(found)


def valid_path(uri: str) -> str | None:
    """Return the path of a request for the `uri` that a function wrote; `None` if it is not a path."""
    if _PATH.fullmatch(uri):
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


def _written_cookies(value: Mapping[str, Any]) -> Headers:
    written: Headers = []
    for name, each in _flat(value.get("cookies", {}), "response.cookies"):
        pair, attributes = f"{name}={each['value']}", each.get("attributes", "")
        if not _COOKIE.fullmatch(pair) or not isinstance(attributes, str) or not _ATTRIBUTES.fullmatch(attributes):
            raise invalid("response.cookies has a character that a cookie cannot have")
        line = f"{pair}; {attributes}" if attributes else pair
        written.append((b"set-cookie", line.encode("ascii")))
    return written


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else ""
