"""Requests to origins: HTTP/1.1 to web servers and S3, streamed both ways, with the origins' timeouts and attempts.

Source: Developer Guide, "Request and response behavior for custom origins" and "… for Amazon S3 origins".
"""

import asyncio
import os
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import certifi
from botocore.credentials import Credentials

from keyfront.edge.behaviors import Behavior
from keyfront.edge.origin.addresses import Address, address
from keyfront.edge.origin.connection import Received
from keyfront.edge.origin.endpoint_headers import SOURCE_ARN, SOURCE_HOST, SOURCE_SERVICE
from keyfront.edge.origin.failures import BrokenBodyError, OriginError
from keyfront.edge.origin.messages import ExchangeError, Patience, Place, Sent
from keyfront.edge.origin.pool import Pool
from keyfront.edge.origin.signature import NO_BODY, UNSIGNED, signature
from keyfront.edge.request.viewer import Request
from keyfront.edge.response.pages import Headers
from keyfront.inventory import Origin

_IDEMPOTENT: Final = ("GET", "HEAD")
_S3_READ_TIMEOUT: Final = 30
_TOLD: Final = frozenset(name.encode("ascii") for name in (SOURCE_ARN, SOURCE_HOST, SOURCE_SERVICE))
"""Only the edge may set these."""


@dataclass(slots=True)
class OriginRequest:
    """A request to an origin. `path` and `query` are raw. `body` is `None` if there is no body."""

    method: str
    path: str
    query: str
    headers: Headers
    body: AsyncIterator[bytes] | None = None
    content_length: str = ""
    host: str = ""
    """The Host header that a Lambda@Edge function wrote; empty if none did."""


class Made:
    """A response that no origin sent."""

    def __init__(self, status: int, headers: Headers, body: bytes, x_cache: bytes = b"") -> None:
        """`x_cache`: see `OriginResponse.x_cache`."""
        self.status, self.headers, self.x_cache, self._body = status, headers, x_cache, body

    @property
    def is_read(self) -> bool:
        """Whether the body was read."""
        return not self._body

    async def read(self) -> bytes:
        """Return the body, and then none."""
        body, self._body = self._body, b""
        return body

    def close(self) -> None:
        """Drop the body."""
        self._body = b""


class OriginResponse:
    """A response whose body has not been read yet. Always close it, read or not."""

    __slots__ = ("_deadline", "_received", "complete_is_known", "fields", "headers", "length", "status", "x_cache")

    def __init__(self, received: Received | Made, deadline: float | None = None) -> None:
        """`deadline`: until when the body must arrive, in the event loop's time."""
        self._received = received
        self._deadline = deadline
        self.status = received.status
        self.x_cache = received.x_cache if isinstance(received, Made) else b""
        """The X-Cache of a response that a function made; empty for others."""
        self.headers: Headers = received.headers
        fields: dict[str, str] = {}
        for name, value in self.headers:
            text, key = value.decode("latin-1"), name.decode("latin-1")
            fields[key] = f"{fields[key]}, {text}" if key in fields else text
        self.fields = fields
        """Headers by name in lower case. Repeated ones are joined."""
        # RFC 9112, section 6.3: with Transfer-Encoding, Content-Length means nothing.
        length = "" if "transfer-encoding" in fields else fields.get("content-length", "")
        self.length: int | None = int(length) if length.isdecimal() else None
        self.complete_is_known = self.length is not None or "transfer-encoding" in fields or self.status == 204
        """Whether a body that was cut off can be detected."""

    def changed(self, status: int, headers: Headers) -> "OriginResponse":
        """Return this response with another status and other headers."""
        self._received.status, self._received.headers = status, headers
        return OriginResponse(self._received, self._deadline)

    @property
    def is_read(self) -> bool:
        """Whether the whole body has been read."""
        return self._received.is_read

    async def read(self) -> bytes:
        """Return the next bytes of the body, not decoded; none at its end.

        Raises `BrokenBodyError` if the body ends too early or stalls.
        """
        try:
            if self._deadline is None:
                return await self._received.read()
            async with asyncio.timeout_at(self._deadline):
                return await self._received.read()
        except TimeoutError as error:
            raise BrokenBodyError(504, "the origin's response did not arrive completely in time") from error
        except ExchangeError as error:
            raise BrokenBodyError(504 if error.timed_out else 502, f"the origin's body broke off: {error}") from error

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the rest of the body as it arrives. Raises `BrokenBodyError` as `read` does."""
        while data := await self.read():
            yield data

    def close(self) -> None:
        """Return the connection to the pool, or end it if the body was not read."""
        self._received.close()


Ask = Callable[[Origin, Behavior, Request, OriginRequest], Awaitable[OriginResponse]]
"""Sends a request to an origin. Raises `OriginError`."""

Around = Callable[[Behavior, Request, OriginRequest, Ask], Awaitable[OriginResponse]]
"""Asks a behavior's origin with an `Ask`, and runs the functions before and after it."""

OnAnswer = Callable[[float, str], None]
"""Takes the seconds until an origin's response headers arrived, and the status as text, or `error`."""


class Origins:
    """Connections to origins, kept alive between requests."""

    def __init__(
        self,
        *,
        endpoint_url: str | None = None,
        credentials: Callable[[], Credentials | None] = lambda: None,
        region: str = "us-east-1",
        authorities: Path | None = None,
        on_answer: OnAnswer | None = None,
        around: Around | None = None,
    ) -> None:
        """`credentials` returns those for signed requests. `authorities` is a PEM file of more authorities to trust.

        `endpoint_url` is a laptop's endpoint, which stands in for S3, API Gateway and Lambda.
        """
        self._on_answer = on_answer
        self._around = around
        self._pool = Pool(_trusting(authorities))
        self._endpoint_url = endpoint_url
        self._credentials = credentials
        self._region = region

    async def ask(self, origin: Origin, behavior: Behavior, viewer: Request, asked: OriginRequest) -> OriginResponse:
        """Send `asked`, and return when the response's headers have arrived. Raises `OriginError`.

        A failed connection is retried as often as the origin's configuration says. So is a GET or HEAD that gets no
        response.
        """
        functions = behavior.functions
        if functions is None or functions.origin_request is functions.origin_response is None or self._around is None:
            return await self._timed(origin, behavior, viewer, asked)
        return await self._around(behavior, viewer, asked, self._timed)

    async def _timed(self, origin: Origin, behavior: Behavior, viewer: Request, asked: OriginRequest) -> OriginResponse:
        began, outcome = time.monotonic(), "error"
        try:
            response = await self._ask(origin, behavior, viewer, asked)
            outcome = str(response.status)
        finally:
            if self._on_answer is not None:
                self._on_answer(time.monotonic() - began, outcome)
        return response

    async def _ask(self, origin: Origin, behavior: Behavior, viewer: Request, asked: OriginRequest) -> OriginResponse:
        try:
            place, sent = self._request(origin, behavior, viewer, asked)
        except ExchangeError as error:
            raise _error(origin, error) from error
        patience = Patience(origin.connection_timeout, _silence(origin))
        attempts, deadline = origin.connection_attempts, None
        if origin.completion_timeout is not None:
            deadline = asyncio.get_running_loop().time() + origin.completion_timeout
        for attempt in range(1, attempts + 1):
            try:
                if deadline is None:
                    return OriginResponse(await self._pool.ask(place, sent, patience))
                async with asyncio.timeout_at(deadline):
                    return OriginResponse(await self._pool.ask(place, sent, patience), deadline)
            except TimeoutError as error:
                what = f"origin {origin.id} ({origin.domain_name}) did not respond in {origin.completion_timeout} s"
                raise OriginError(504, what) from error
            except ExchangeError as error:
                again = not error.connected or (asked.body is None and asked.method in _IDEMPOTENT)
                if not again or attempt == attempts:
                    raise _error(origin, error) from error
        raise AssertionError("an origin has at least one attempt")

    async def aclose(self) -> None:
        """Close all connections."""
        await self._pool.aclose()

    def _request(self, origin: Origin, behavior: Behavior, viewer: Request, asked: OriginRequest) -> tuple[Place, Sent]:
        where = address(origin, viewer.scheme, self._endpoint_url)
        target = where.prefix + asked.path + (f"?{asked.query}" if asked.query else "")
        own = [(name.lower().encode("utf-8"), value.encode("utf-8")) for name, value in origin.custom_headers]
        overridden = {b"host", *_TOLD, *(name for name, _ in own)}
        headers = [(name, value) for name, value in asked.headers if name not in overridden] + own
        if where.is_endpoint and where.service == "s3":
            headers = _from_the_edge(headers)
        host = where.host_header.encode("ascii")
        if "host" in behavior.rules.sent_headers:
            if where.is_endpoint:
                headers.append((SOURCE_HOST.encode("ascii"), viewer.host.encode("latin-1")))
            else:
                host = viewer.host.encode("latin-1")
        if (chosen := asked.host or behavior.host_header) and not where.is_endpoint:
            host = chosen.encode("latin-1")
        authorized = any(name == b"authorization" for name, _ in headers)
        signs = behavior.signing == "always" or (behavior.signing == "no-override" and not authorized)
        if signs and (credentials := self._credentials()):
            body_hash = _body_hash(where, viewer, asked)
            headers = [item for item in headers if item[0] not in (b"authorization", b"x-amz-content-sha256")]
            if where.is_endpoint and behavior.acts_for:
                headers.append((SOURCE_ARN.encode("ascii"), behavior.acts_for.encode("ascii")))
            headers += signature(where, asked.method, target, credentials, self._region, body_hash)
        length = int(asked.content_length) if asked.content_length.isdecimal() else None
        sent = Sent.of(asked.method, target.encode("latin-1"), [(b"host", host), *headers], asked.body, length)
        server_name = "" if where.is_endpoint else behavior.server_name or behavior.host_header
        return Place(where.scheme == "https", where.host.strip("[]"), where.port, server_name), sent


def _from_the_edge(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return a request's headers for a laptop's S3: without those of Fetch Metadata, which S3 ignores.

    A browser always sends them to a laptop, so without them, and with the header that no page of another site can set,
    the endpoint knows that an edge asks.
    """
    kept = [(name, value) for name, value in headers if not name.startswith(b"sec-fetch-")]
    return [*kept, (SOURCE_SERVICE.encode("ascii"), b"cloudfront")]


def _body_hash(where: Address, viewer: Request, asked: OriginRequest) -> str:
    """Return the hash for the signature of a request. The body is streamed, so it is not known in advance.

    Lambda needs it, so viewers must send it. Source: Developer Guide, "Restrict access to an AWS Lambda function URL
    origin". Assumed: CloudFront reads the header whatever the behavior hands on.
    """
    if asked.body is None:
        return NO_BODY
    return (viewer.header(b"x-amz-content-sha256") if where.service == "lambda" else "") or UNSIGNED


def _trusting(authorities: Path | None) -> ssl.SSLContext:
    """Return a context that trusts public authorities (or those in OpenSSL's variables), and `authorities`."""
    named = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    file, folder = named if any(named) else (certifi.where(), None)
    context = ssl.create_default_context(cafile=file, capath=folder)
    if authorities:
        context.load_verify_locations(authorities)
    return context


def _silence(origin: Origin) -> float:
    return origin.custom.read_timeout if origin.custom else _S3_READ_TIMEOUT


def _error(origin: Origin, error: ExchangeError) -> OriginError:
    """Return 504 for a timeout, 502 for everything else. Source: Developer Guide, "Troubleshoot … status codes"."""
    if error.timed_out:
        return OriginError(504, f"origin {origin.id} ({origin.domain_name}) did not answer in time: {error}")
    return OriginError(502, f"the request to origin {origin.id} ({origin.domain_name}) failed: {error}")
