"""Keeps web pages away from the endpoint. It takes any credentials, and every page can send requests to 127.0.0.1.

The rules for `Host` and for browsers are those of every port: see `keyfront.web.local`. Three things are the
endpoint's own:

- Browsers may read S3 objects by presigned URL, as they do at Amazon; the bucket's CORS rules say what a page sees.
- Pages of origins that the user names may call every service, for an application in development.
- Calls in a query string (`/?Action=…`) change things by GET, which any link can send. They need an Authorization
  header, which no link has. A presigned one may only read.

The names of HTTP APIs and function URLs are for browsers, and lead to functions alone: see `Endpoint`.
"""

import re
from collections.abc import Collection
from typing import Final
from urllib.parse import parse_qs

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
    """Who may call the endpoint's services."""

    def __init__(self, *, hosts: Collection[str] = (), origins: Collection[str] = ()) -> None:
        """`hosts` are more names to answer to (`.name`: all below it); `origins` are pages that may call."""
        self._names = frozenset(host.lower() for host in hosts if not host.startswith("."))
        self._zones = (".localhost", *(host.lower() for host in hosts if host.startswith(".")))
        self._origins = frozenset(origins)

    def host_refusal(self, headers: Headers) -> str | None:
        """Why the request's `Host` is refused; `None` when it is not."""
        return host_refusal(headers, self._serves)

    def refusal(self, scope: Scope, target: Target) -> AWSError | None:
        """Why a request for a service is refused, once its `Host` is not; `None` when it is taken."""
        query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        reason = browser_refusal(scope["headers"])
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
        """The origin of the page that asks, if the user has named it."""
        origins = [value for name, value in scope["headers"] if name == b"origin"]
        return origins[0] if len(origins) == 1 and origins[0].decode("latin-1") in self._origins else None

    def _serves(self, name: str) -> bool:
        return (name in self._names or name.endswith(self._zones)) and not name.endswith(_THE_EDGES)


def preflight(scope: Scope) -> EndpointResponse | None:
    """The answer to a preflight request of an allowed origin's page; `None` for any other request."""
    asked = {name: value.decode("latin-1") for name, value in scope["headers"]}
    method = asked.get(b"access-control-request-method")
    if scope["method"] != "OPTIONS" or method is None:
        return None
    allowed = [("Access-Control-Allow-Methods", method), ("Access-Control-Max-Age", "600")]
    if wanted := asked.get(b"access-control-request-headers"):
        allowed.append(("Access-Control-Allow-Headers", wanted))
    return EndpointResponse(200, allowed, b"")


def readable_by(origin: bytes, send: Send) -> Send:
    """`send`, with the headers that let pages of `origin` read the answer."""

    async def send_readable(message: Message) -> None:
        if message["type"] == "http.response.start":
            decided = (_CORS + b"allow-origin", _CORS + b"expose-headers", _CORS + b"allow-credentials")
            kept = [pair for pair in message["headers"] if pair[0].lower() not in decided]
            ours = [(_CORS + b"allow-origin", origin), (_CORS + b"expose-headers", b"*"), (b"vary", b"Origin")]
            message = {**message, "headers": [*kept, *ours]}
        await send(message)

    return send_readable


def _reads_object(method: str, query: dict[str, list[str]], target: Target) -> bool:
    """Whether a request reads an S3 object by presigned URL, or is the preflight of one that does."""
    if method not in ("GET", "HEAD", "OPTIONS") or target.service not in (None, "s3") or "Action" in query:
        return False
    return presigned.claims({name: values[0] for name, values in query.items()})


def _may_call(query: dict[str, list[str]], headers: Headers) -> bool:
    if any(name == b"authorization" and _SIGNED.match(value.decode("latin-1")) for name, value in headers):
        return True
    return "X-Amz-Signature" in query and all(_READ.fullmatch(action) for action in query["Action"])
