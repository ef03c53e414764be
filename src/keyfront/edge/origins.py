"""Asking origins: HTTP/1.1 to web servers and S3, streamed both ways, with their timeouts and attempts.

Source: Developer Guide, "Request and response behavior for custom origins" and "… for Amazon S3 origins".
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
from botocore.credentials import Credentials

from keyfront.edge.addresses import address
from keyfront.edge.answers import Headers
from keyfront.edge.configuration import Behavior
from keyfront.edge.failures import BrokenBodyError, OriginError
from keyfront.edge.s3 import signature
from keyfront.edge.viewer import ViewerRequest
from keyfront.inventory import Origin

_IDEMPOTENT: Final = ("GET", "HEAD")
_S3_READ_TIMEOUT: Final = 30
_KEEPALIVE_SECONDS: Final = 5
_MOST_IDLE: Final = 64


@dataclass(slots=True)
class OriginRequest:
    """What is asked of an origin. `path` and `query` are raw; `body` is `None` for a request without one."""

    method: str
    path: str
    query: str
    headers: Headers
    body: AsyncIterator[bytes] | None = None
    content_length: str = ""


class OriginResponse:
    """An answer whose body is still to be read. Close it, read or not."""

    __slots__ = ("_deadline", "_response", "_stream", "complete_is_known", "fields", "headers", "length", "status")

    def __init__(self, response: httpx.Response, deadline: float | None = None) -> None:
        """`deadline`: when the body has to be there, in the event loop's time."""
        self._response = response
        assert isinstance(response.stream, httpx.AsyncByteStream)
        self._stream = response.stream
        self._deadline = deadline
        self.status = response.status_code
        self.headers: Headers = [(name.lower(), value) for name, value in response.headers.raw]
        fields: dict[str, str] = {}
        for name, value in self.headers:
            text, key = value.decode("latin-1"), name.decode("latin-1")
            fields[key] = f"{fields[key]}, {text}" if key in fields else text
        self.fields = fields
        """Headers by name in lower case; those that stand twice are joined."""
        # RFC 9112, section 6.3: with Transfer-Encoding the length that is said beside it means nothing.
        length = "" if "transfer-encoding" in fields else fields.get("content-length", "")
        self.length: int | None = int(length) if length.isdecimal() else None
        self.complete_is_known = self.length is not None or "transfer-encoding" in fields or self.status == 204
        """Whether a body that was cut off can be told from a whole one."""

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes, not decoded. Raises `BrokenBodyError` when it ends too early or stalls."""
        chunks = aiter(self._stream)
        try:
            while True:
                async with asyncio.timeout_at(self._deadline):
                    chunk = await anext(chunks, None)
                if chunk is None:
                    break
                yield chunk
            if _said_more(self._stream):
                await self._response.extensions["network_stream"].aclose()
            await self._response.aclose()
        except TimeoutError as error:
            raise BrokenBodyError(504, "the origin's answer was not there whole in time") from error
        except httpx.HTTPError as error:
            status = 504 if isinstance(error, httpx.TimeoutException) else 502
            raise BrokenBodyError(status, f"the origin's body broke off: {_text(error)}") from error

    async def aclose(self) -> None:
        """Give the connection back, or end it if the body was not read."""
        await self._response.aclose()


OnAnswer = Callable[[float, str], None]
"""Takes the seconds until an origin's headers were there, and its status as text, or `error`."""


class Origins:
    """Connections to origins, kept alive between requests."""

    def __init__(
        self,
        *,
        s3_endpoint_url: str | None = None,
        credentials: Callable[[], Credentials | None] = lambda: None,
        region: str = "us-east-1",
        authorities: Path | None = None,
        on_answer: OnAnswer | None = None,
    ) -> None:
        """`credentials` gives those that S3 requests are signed with; `authorities` is a PEM file to trust too."""
        self._on_answer = on_answer
        context = httpx.create_ssl_context()
        if authorities:
            context.load_verify_locations(authorities)
        self._transport = httpx.AsyncHTTPTransport(
            verify=context,
            limits=httpx.Limits(
                max_connections=None, max_keepalive_connections=_MOST_IDLE, keepalive_expiry=_KEEPALIVE_SECONDS
            ),
        )
        self._s3_endpoint_url = s3_endpoint_url
        self._credentials = credentials
        self._region = region

    async def ask(
        self, origin: Origin, behavior: Behavior, viewer: ViewerRequest, asked: OriginRequest
    ) -> OriginResponse:
        """Send `asked`, and return when the answer's headers are there. Raises `OriginError`.

        A connection that cannot be made is tried again as often as the origin's configuration says; so is a GET
        or HEAD that gets no answer in time.
        """
        began, outcome = time.monotonic(), "error"
        try:
            response = await self._ask(origin, behavior, viewer, asked)
            outcome = str(response.status)
        finally:
            if self._on_answer is not None:
                self._on_answer(time.monotonic() - began, outcome)
        return response

    async def _ask(
        self, origin: Origin, behavior: Behavior, viewer: ViewerRequest, asked: OriginRequest
    ) -> OriginResponse:
        request = self._request(origin, behavior, viewer, asked)
        attempts, deadline = origin.connection_attempts, None
        if origin.completion_timeout is not None:
            deadline = asyncio.get_running_loop().time() + origin.completion_timeout
        for attempt in range(1, attempts + 1):
            try:
                async with asyncio.timeout_at(deadline):
                    return OriginResponse(await self._transport.handle_async_request(request), deadline)
            except TimeoutError as error:
                what = f"origin {origin.id} ({origin.domain_name}) gave no answer in {origin.completion_timeout} s"
                raise OriginError(504, what) from error
            except httpx.HTTPError as error:
                again = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
                again = again or (asked.body is None and asked.method in _IDEMPOTENT)
                if not again or attempt == attempts:
                    raise _error(origin, error) from error
        raise AssertionError("an origin has at least one attempt")

    async def aclose(self) -> None:
        """Close all connections."""
        await self._transport.aclose()

    def _request(
        self, origin: Origin, behavior: Behavior, viewer: ViewerRequest, asked: OriginRequest
    ) -> httpx.Request:
        where = address(origin, viewer.scheme, self._s3_endpoint_url)
        target = where.prefix + asked.path + (f"?{asked.query}" if asked.query else "")
        own = [(name.lower().encode("utf-8"), value.encode("utf-8")) for name, value in origin.custom_headers]
        overridden = {b"host", *(name for name, _ in own)}
        headers = [(name, value) for name, value in asked.headers if name not in overridden] + own
        if "host" not in behavior.rules.sent_headers or origin.custom is None:
            host = where.host_header.encode("ascii")
        else:
            host = viewer.host.encode("latin-1")
        if asked.body is not None and asked.content_length:
            headers.append((b"content-length", asked.content_length.encode("ascii")))
        authorized = any(name == b"authorization" for name, _ in headers)
        signs = behavior.signing == "always" or (behavior.signing == "no-override" and not authorized)
        if signs and (credentials := self._credentials()):
            headers = [item for item in headers if item[0] != b"authorization"]
            if self._s3_endpoint_url and behavior.acts_for:
                # Amazon's S3 knows CloudFront when it sees it. An endpoint on a laptop is told, and judges the bucket
                # policy by it.
                headers.append((b"x-amz-source-arn", behavior.acts_for.encode("ascii")))
            has_body = asked.body is not None
            headers += signature(where, asked.method, target, credentials, self._region, has_body=has_body)
        return httpx.Request(
            asked.method,
            httpx.URL(scheme=where.scheme, host=where.host.strip("[]"), port=where.port, path="/"),
            headers=[(b"host", host), *headers],
            content=asked.body,
            extensions={"target": target.encode("latin-1"), "timeout": _timeouts(origin)},
        )


def _timeouts(origin: Origin) -> dict[str, float | None]:
    read = origin.custom.read_timeout if origin.custom else _S3_READ_TIMEOUT
    return {"connect": origin.connection_timeout, "read": read, "write": read, "pool": None}


def _error(origin: Origin, error: httpx.HTTPError) -> OriginError:
    """504 for silence, 502 for everything else. Source: Developer Guide, "Troubleshoot … status codes"."""
    what = _text(error)
    if isinstance(error, httpx.TimeoutException):
        return OriginError(504, f"origin {origin.id} ({origin.domain_name}) did not answer in time: {what}")
    return OriginError(502, f"origin {origin.id} ({origin.domain_name}) cannot be asked: {what}")


def _said_more(stream: httpx.AsyncByteStream) -> bool:
    """Whether an origin sent more than its answer, which would be taken for its answer to the next request.

    httpx has no name for what h11 was left with, so it is asked for by the names inside; where they are not there,
    every connection counts as one that cannot be trusted again.
    """
    try:
        connection = stream._httpcore_stream._stream._connection  # type: ignore[attr-defined]
        return bool(connection._h11_state.trailing_data[0])
    except AttributeError:
        return True


def _text(error: httpx.HTTPError) -> str:
    return str(error) or type(error).__name__
