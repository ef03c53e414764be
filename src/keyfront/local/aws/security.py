"""Keeps web pages away from the endpoint, which accepts any credentials. Every page can send requests to 127.0.0.1.

The rules for `Host` and for browsers are the same on every port: see `keyfront.web.local`. The endpoint adds four:

- Browsers may read S3 objects through presigned URLs, as at Amazon. The bucket's CORS rules decide what a page sees.
- The edges hand on what browsers ask of a bucket, `Origin` included, which the bucket's CORS rules need.
- Pages of origins that the user allows may call every service, for an application in development.
- Calls in a query string (`/?Action=…`) make changes with GET, which any link can send. They need an Authorization
  header, which a link cannot have. A presigned call may only read.

HTTP APIs and function URLs have their own names, which are open to browsers and reach only functions: see `Endpoint`.
"""

import re
from collections.abc import Collection
from typing import Final
from urllib.parse import parse_qs

from keyfront.edge.origin.endpoint_headers import SOURCE_SERVICE
from keyfront.local.aws import presigned
from keyfront.local.aws.addressing import Target
from keyfront.local.aws.responses import AWSError, EndpointResponse
from keyfront.web.local import browser_refusal, host_refusal
from keyfront.web.types import Headers, Message, Scope, Send

_SIGNED: Final = re.compile(r"AWS4-\S+\s.*Credential=.+|AWS \S+:\S+", re.DOTALL)
_READ: Final = re.compile(r"(?:Describe|List)[A-Z]\w*|GetCallerIdentity")
_THE_EDGES: Final = ".cloudfront.localhost"
_CORS: Final = b"access-control-"


class EndpointSecurity:
    """The rules for callers of the endpoint's services."""

    def __init__(self, *, hosts: Collection[str] = (), origins: Collection[str] = ()) -> None:
        """Allow more names as `Host` (`.name`: all below it), and pages of these origins."""
        self._names = frozenset(host.lower() for host in hosts if not host.startswith("."))
        self._zones = (".localhost", *(host.lower() for host in hosts if host.startswith(".")))
        self._origins = frozenset(origins)

    def host_refusal(self, headers: Headers) -> str | None:
        """Return why the request's `Host` is refused, or `None` if it is allowed."""
        return host_refusal(headers, self._serves)

    def refusal(self, scope: Scope, target: Target) -> AWSError | None:
        """Return the error for a request to a service, if it is refused for anything but its `Host`, or else `None`."""
        query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        for_bucket = target.service in (None, "s3") and "Action" not in query
        reason = None if for_bucket and _from_an_edge(scope["headers"]) else browser_refusal(scope["headers"])
        if reason and self.allowed_origin(scope) is None and not _reads_object(scope["method"], query, target):
            return AWSError(403, "AccessDenied", f"{reason} --allow-origin lets the pages of one origin in.")
        if scope["method"] != "POST" and "Action" in query and not _may_call(query, scope["headers"]):
            return AWSError(
                403,
                "AccessDenied",
                f"{query['Action'][0]!r} is called in a query string without an Authorization header, as a link on a "
                "web page could. Sign the request in its headers, or send it as POST.",
            )
        return None

    def allowed_origin(self, scope: Scope) -> bytes | None:
        """Return the origin of the page that sends the request, if the user allowed it."""
        if _from_an_edge(scope["headers"]):
            return None  # The page called the edge, so CloudFront's policies and the bucket's CORS rules decide.
        origins = [value for name, value in scope["headers"] if name == b"origin"]
        return origins[0] if len(origins) == 1 and origins[0].decode("latin-1") in self._origins else None

    def _serves(self, name: str) -> bool:
        return (name in self._names or name.endswith(self._zones)) and not name.endswith(_THE_EDGES)


def preflight(scope: Scope) -> EndpointResponse | None:
    """Return the response to a preflight request from an allowed origin, or `None` for other requests."""
    asked = {name: value.decode("latin-1") for name, value in scope["headers"]}
    method = asked.get(b"access-control-request-method")
    if scope["method"] != "OPTIONS" or method is None:
        return None
    allowed = [("Access-Control-Allow-Methods", method), ("Access-Control-Max-Age", "600")]
    if wanted := asked.get(b"access-control-request-headers"):
        allowed.append(("Access-Control-Allow-Headers", wanted))
    return EndpointResponse(200, allowed, b"")


def readable_by(origin: bytes, send: Send) -> Send:
    """Return `send` with added headers that let pages of `origin` read the response."""

    async def send_readable(message: Message) -> None:
        if message["type"] == "http.response.start":
            decided = (_CORS + b"allow-origin", _CORS + b"expose-headers", _CORS + b"allow-credentials")
            kept = [pair for pair in message["headers"] if pair[0].lower() not in decided]
            ours = [(_CORS + b"allow-origin", origin), (_CORS + b"expose-headers", b"*"), (b"vary", b"Origin")]
            message = {**message, "headers": [*kept, *ours]}
        await send(message)

    return send_readable


def _from_an_edge(headers: Headers) -> bool:
    """Return whether an edge sends a request. Pages cannot: their own preflight would be refused.

    Pages of the endpoint itself need no preflight, but browsers mark their requests with Fetch Metadata.
    """
    names = {name for name, _ in headers}
    return SOURCE_SERVICE.encode("ascii") in names and not any(name.startswith(b"sec-fetch-") for name in names)


def _reads_object(method: str, query: dict[str, list[str]], target: Target) -> bool:
    """Return whether a request reads an S3 object through a presigned URL, or is the preflight of such a request."""
    if method not in ("GET", "HEAD", "OPTIONS") or target.service not in (None, "s3") or "Action" in query:
        return False
    return presigned.claims({name: values[0] for name, values in query.items()})


def _may_call(query: dict[str, list[str]], headers: Headers) -> bool:
    if any(name == b"authorization" and _SIGNED.match(value.decode("latin-1")) for name, value in headers):
        return True
    return "X-Amz-Signature" in query and all(_READ.fullmatch(action) for action in query["Action"])
