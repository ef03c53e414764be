"""The events of Lambda@Edge, and what a function's result makes of the request or response.

Sources: Developer Guide, "Lambda@Edge event structure", "Work with requests and responses", "Restrictions on
Lambda@Edge". Assumed: the texts after "failed validation", and that names of headers are shown in title case.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Final

from keyfront.edge.functions.events import PATH, valid_path
from keyfront.edge.functions.failures import FunctionFailedError
from keyfront.edge.functions.headers import LAMBDA_ALSO_READ_ONLY, Fields, InvalidHeaderError, check_custom
from keyfront.inventory import CustomOrigin, Origin

_TLS: Final = ["TLSv1", "TLSv1.1", "TLSv1.2"]
_NOT_JSON: Final = "The Lambda function returned invalid json: The json output"
_BAD_BODY: Final = "The body is not a string, is not an object, or exceeds the maximum size."
_MOST_RESPONSE: Final = {"viewer-request": 40 * 1024, "origin-request": 1024 * 1024, "origin-response": 1024 * 1024}
"""The size of a response that a function makes, with its headers. Source: as below."""
MOST_BODY: Final = {"viewer-request": 40 * 1024, "origin-request": 1024 * 1024}
"""How much of a request's body a function sees. Source: Developer Guide, "Quotas on Lambda@Edge"."""


def record(
    event_type: str, config: Mapping[str, str], request: Mapping[str, Any], response: Mapping[str, Any] | None = None
) -> bytes:
    """Return an event as JSON. `config` has the distribution's id and domain name, and the request's id."""
    one: dict[str, Any] = {"config": {**config, "eventType": event_type}, "request": request}
    if response is not None:
        one["response"] = response
    return json.dumps({"Records": [{"cf": one}]}).encode()


def headers_shown(fields: Fields) -> dict[str, list[dict[str, str]]]:
    """Return headers as an event has them."""
    return {
        name: [{"key": "-".join(map(str.capitalize, name.split("-"))), "value": value} for value in values]
        for name, values in fields.values.items()
    }


def body_shown(content: bytes, *, truncated: bool) -> dict[str, Any]:
    """Return the body of a request as an event has it."""
    data = base64.b64encode(content).decode()
    return {"inputTruncated": truncated, "action": "read-only", "encoding": "base64", "data": data}


def origin_shown(origin: Origin) -> dict[str, Any]:
    """Return the origin of an origin request."""
    headers = {name.lower(): [{"key": name, "value": value}] for name, value in origin.custom_headers}
    if origin.custom is None:
        method = "origin-access-identity" if origin.access_identity else "none"
        region = origin.domain_name.split(".s3.")[-1].split(".")[0] if ".s3." in origin.domain_name else ""
        return {
            "s3": {
                "authMethod": method,
                "customHeaders": headers,
                "domainName": origin.domain_name,
                "path": origin.path,
                "region": "us-east-1" if region in ("", "amazonaws") else region,
            }
        }
    secure = origin.custom.protocol_policy != "http-only"
    return {
        "custom": {
            "customHeaders": headers,
            "domainName": origin.domain_name,
            "keepaliveTimeout": 5,
            "path": origin.path,
            "port": origin.custom.https_port if secure else origin.custom.http_port,
            "protocol": "https" if secure else "http",
            "readTimeout": origin.custom.read_timeout,
            "sslProtocols": _TLS,
        }
    }


def changed_origin(before: Origin, shown: Any) -> Origin:
    """Return the origin that an origin request function chose. Raises `FunctionFailedError`."""
    if shown == origin_shown(before):
        return before
    kind = next((each for each in ("custom", "s3") if isinstance(shown, dict) and each in shown), None)
    settings = shown[kind] if kind else None
    if not isinstance(settings, dict) or not isinstance(settings.get("domainName"), str):
        raise refused("The origin must be an object with custom or s3, which has a domainName.")
    name, path = settings["domainName"], settings.get("path", "")
    if not name.isascii() or not name.isprintable() or not name or set(name) & set(' /:@?#"'):
        raise refused("The domainName of the origin is not valid.")
    if not isinstance(path, str) or (path and not PATH.fullmatch(path)):
        raise refused("The path of the origin must begin with a slash, and be URL-encoded.")
    own = tuple(_pairs(settings.get("customHeaders") or {}))
    try:
        for header, value in own:
            check_custom(header, value)
    except InvalidHeaderError as error:
        raise refused(f"The function {error}") from None
    origin = replace(before, domain_name=name, path=path.rstrip("/"), custom_headers=own)
    if kind == "s3":
        signed = settings.get("authMethod", "none") != "none"
        return replace(origin, custom=None, access_identity=origin.access_identity if signed else "")
    port, protocol = settings.get("port", 443), settings.get("protocol", "https")
    if protocol not in ("http", "https") or isinstance(port, bool) or not isinstance(port, int) or not 0 < port < 65536:
        raise refused("The protocol of the origin must be http or https, and its port a number.")
    custom = before.custom or CustomOrigin()
    if protocol == "https":
        custom = replace(custom, protocol_policy="https-only", https_port=port)
    else:
        custom = replace(custom, protocol_policy="http-only", http_port=port)
    return replace(origin, custom=custom, access_control="", access_identity="")


def result_of(payload: bytes) -> dict[str, Any]:
    """Return a function's result. Raises `FunctionFailedError` if it is not an object."""
    try:
        value = json.loads(payload)
    except (ValueError, RecursionError):
        raise FunctionFailedError(502, f"{_NOT_JSON} is not parsable.") from None
    if not isinstance(value, dict):
        raise FunctionFailedError(502, f"{_NOT_JSON} must be an object type.")
    return value


def fields_of(value: Mapping[str, Any], before: Fields, event_type: str) -> Fields:
    """Return the headers of a result. Raises `FunctionFailedError` if they cannot replace `before`."""
    found: dict[str, tuple[str, ...]] = {}
    for name, line in _pairs(value.get("headers") or {}):
        found[name.lower()] = (*found.get(name.lower(), ()), line)
    fields = Fields(found)
    try:
        fields.check(before, event_type, also=LAMBDA_ALSO_READ_ONLY if event_type == "viewer-response" else frozenset())
    except InvalidHeaderError as error:
        raise refused(f"The function {error}") from None
    return fields


def target_of(value: Mapping[str, Any]) -> tuple[str, str]:
    """Return path and query string of a request in a result. Raises `FunctionFailedError`."""
    uri, query = value.get("uri"), value.get("querystring", "")
    if not isinstance(uri, str) or (path := valid_path(uri)) is None:
        raise refused("The uri must begin with a slash and be a path without a query string.")
    if not isinstance(query, str) or not query.isascii() or not query.isprintable() or set(query) & set(" #"):
        raise refused("The querystring must be URL-encoded.")
    return path, query


def status_of(value: Mapping[str, Any]) -> int:
    """Return the status of a response in a result. Raises `FunctionFailedError`."""
    text = str(value.get("status", ""))
    if not text.isascii() or not text.isdecimal() or not 200 <= int(text) <= 599:
        raise refused("The status must be a number from 200 to 599.")
    return int(text)


def response_body(value: Mapping[str, Any], fields: Fields, event_type: str) -> bytes | None:
    """Return the body of a response in a result, or `None`. Raises `FunctionFailedError`.

    Source of the rule about 204: Developer Guide, "Generate HTTP responses in request triggers", "Errors".
    """
    body = value.get("body")
    content = None if body is None else _decoded(body, value.get("bodyEncoding", "text"))
    size = fields.size + len(content or b"")
    if size > (most := _MOST_RESPONSE[event_type]):
        told = (
            "Validation error: The Lambda function returned an invalid response, the length of the body size and "
            f"header was {size} bytes which exceeded the CloudFront limit of {most} bytes"
        )
        raise refused(_BAD_BODY, told=told)
    if content and event_type == "viewer-request" and status_of(value) == HTTPStatus.NO_CONTENT:
        raise refused("A response with the status 204 cannot have a body.")
    return content


def request_body(value: Mapping[str, Any], most: int) -> bytes | None:
    """Return the body that replaces the request's, or `None`. Raises `FunctionFailedError`."""
    body = value.get("body")
    if not isinstance(body, dict) or body.get("action") != "replace":
        return None
    content = _decoded(body.get("data", ""), body.get("encoding", "base64"))
    if len(content) > most:
        raise refused(_BAD_BODY)
    return content


def response_shown(status: int, fields: Fields) -> dict[str, Any]:
    """Return a response as an event has it."""
    phrase = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else ""
    return {"status": str(status), "statusDescription": phrase, "headers": headers_shown(fields)}


def refused(what: str, *, told: str = "") -> FunctionFailedError:
    """Return the failure of a result that is not valid. `told` is the text of the function's log."""
    return FunctionFailedError(502, f"The Lambda function result failed validation: {what}", told=told)


def _pairs(shown: Any) -> list[tuple[str, str]]:
    if not isinstance(shown, dict):
        raise refused("The headers must be an object.")
    found: list[tuple[str, str]] = []
    for name, entries in shown.items():
        for each in entries if isinstance(entries, list) else [None]:
            if not isinstance(each, dict) or not isinstance(each.get("value"), str):
                raise FunctionFailedError(
                    502,
                    "The Lambda function returned an invalid entry in the headers object: "
                    "Each header entry in the headers object must be an array.",
                )
            found.append((name, each["value"]))
    return found


def _decoded(data: Any, encoding: Any) -> bytes:
    if not isinstance(data, str) or encoding not in ("text", "base64"):
        raise refused(_BAD_BODY)
    try:
        return data.encode("utf-8", "replace") if encoding == "text" else base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise refused("The body is not base64.") from None
