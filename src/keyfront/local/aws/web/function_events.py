"""The events that functions receive for requests.

Source: API Gateway Developer Guide, "Create AWS Lambda proxy integrations for HTTP APIs" (formats 1.0 and 2.0); Lambda
Developer Guide, "Invoking Lambda function URLs" (2.0). Assumed: the path is as the client sent it, not decoded.
"""

import base64
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

from keyfront.local.aws.web.requests import WebRequest, several

_TEXT: Final = ("text/", "application/json", "application/xml", "application/javascript")

Event = dict[str, Any]


@dataclass(frozen=True)
class EventSource:
    """The route of an API or the function URL that was called."""

    account: str
    api_id: str
    stage: str = "$default"
    route_key: str = "$default"
    path_parameters: Mapping[str, str] = field(default_factory=dict)
    stage_variables: Mapping[str, str] = field(default_factory=dict)
    authorizer: Mapping[str, Any] | None = None
    request_id: str = field(default_factory=lambda: uuid4().hex[:15] + "=")


def version_2(request: WebRequest, called: EventSource) -> Event:
    """Return the event in payload format 2.0."""
    headers = {name: value for name, value in request.headers.items() if name != "cookie"}
    context: Event = {
        "accountId": called.account,
        "apiId": called.api_id,
        **({"authorizer": called.authorizer} if called.authorizer else {}),
        "domainName": request.host,
        "domainPrefix": request.host.partition(".")[0],
        "http": {
            "method": request.method,
            "path": request.path,
            "protocol": request.protocol,
            "sourceIp": request.client,
            "userAgent": headers.get("user-agent", ""),
        },
        "requestId": called.request_id,
        "routeKey": called.route_key,
        "stage": called.stage,
        "time": _time(),
        "timeEpoch": int(time.time() * 1000),
    }
    joined = {name: ",".join(values) for name, values in several(request.parameters).items()}
    event: Event = {
        "version": "2.0",
        "routeKey": called.route_key,
        "rawPath": request.path,
        "rawQueryString": request.query,
        "headers": _forwarded(headers, request),
        "requestContext": context,
        **({"cookies": request.cookies} if request.cookies else {}),
        **({"queryStringParameters": joined} if joined else {}),
        **({"pathParameters": dict(called.path_parameters)} if called.path_parameters else {}),
        **({"stageVariables": dict(called.stage_variables)} if called.stage_variables else {}),
    }
    body, encoded = _body(request)
    return {**event, **({"body": body} if request.body else {}), "isBase64Encoded": encoded}


def version_1(request: WebRequest, called: EventSource, resource: str) -> Event:
    """Return the event in payload format 1.0. `resource` is the route's path, or its key if it has no path."""
    parameters = several(request.parameters)
    headers = _forwarded(request.headers, request)
    claims = (called.authorizer or {}).get("jwt")
    body, encoded = _body(request)
    return {
        "version": "1.0",
        "resource": resource,
        "path": request.path,
        "httpMethod": request.method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()} | dict(several(request.pairs)),
        "queryStringParameters": {name: values[-1] for name, values in parameters.items()} or None,
        "multiValueQueryStringParameters": dict(parameters) or None,
        "requestContext": {
            "accountId": called.account,
            "apiId": called.api_id,
            "authorizer": claims,
            "domainName": request.host,
            "domainPrefix": request.host.partition(".")[0],
            "extendedRequestId": called.request_id,
            "httpMethod": request.method,
            "identity": {"sourceIp": request.client, "userAgent": headers.get("user-agent", "")},
            "path": request.path,
            "protocol": request.protocol,
            "requestId": called.request_id,
            "requestTime": _time(),
            "requestTimeEpoch": int(time.time() * 1000),
            "resourceId": called.route_key,
            "resourcePath": resource,
            "stage": called.stage,
        },
        "pathParameters": dict(called.path_parameters) or None,
        "stageVariables": dict(called.stage_variables) or None,
        "body": body if request.body else None,
        "isBase64Encoded": encoded,
    }


def of_rest_api(request: WebRequest, called: EventSource, resource: str) -> Event:
    """Return the event of a REST API: format 1.0 without its version, and header names as browsers write them.

    Assumed: API Gateway keeps the names as clients send them. Here they are in lower case (HTTP/2), so each word gets a
    capital letter, as in most functions' code. `request` has the path without the stage.
    """
    event = version_1(request, called, resource)
    del event["version"]
    for member in ("headers", "multiValueHeaders"):
        event[member] = {name.title(): value for name, value in event[member].items()}
    event["requestContext"]["path"] = f"/{called.stage}{request.path}"
    return event


def _forwarded(headers: Mapping[str, str], request: WebRequest) -> dict[str, str]:
    """Return the headers with those that a proxy adds about the client."""
    before = f"{headers['x-forwarded-for']}, " if "x-forwarded-for" in headers else ""
    # Who names the endpoint's port speaks HTTP with it. The edge and Amazon's clients use HTTPS.
    is_direct = headers.get("host", "").rpartition(":")[2] == request.port
    told = {
        "x-forwarded-for": f"{before}{request.client}",
        "x-forwarded-port": request.port if is_direct else "443",
        "x-forwarded-proto": "http" if is_direct else "https",
    }
    return {**headers, **told}


def _body(request: WebRequest) -> tuple[str, bool]:
    kind = request.headers.get("content-type", "").lower()
    if kind.startswith(_TEXT) or not request.body:
        try:
            return request.body.decode(), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(request.body).decode(), True


def _time() -> str:
    return datetime.now(UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")
