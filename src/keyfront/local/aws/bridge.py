"""Carries requests from our event loop to moto's WSGI applications, and their responses back.

a2wsgi would work for small responses. But it keeps a thread while a client reads, so ten slow downloads would block
every other service. It also loses parts of S3 keys and metadata names (`%2F`, underscores). Here a thread runs only
until moto has returned. Then the event loop sends the file from disk.
"""

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any, Final

from keyfront.local.aws.addressing import Target
from keyfront.local.aws.deferred import DEFERRED
from keyfront.local.aws.file_window import CHUNK, WINDOW, Window
from keyfront.local.aws.responses import AWSError, EndpointResponse, RefusedError
from keyfront.web.types import Message, Receive, Scope, Send

Environ = dict[str, Any]
WSGIApplication = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

_log = logging.getLogger(__name__)

_THREADS: Final = 16
_FILE_THREADS: Final = 4
_METADATA: Final = "x-amz-meta-"
_HOP_BY_HOP: Final = frozenset({"connection", "keep-alive", "transfer-encoding", "upgrade"})
_STOPPING: Final = AWSError(503, "ServiceUnavailable", "The endpoint is stopping.")
_UNSENDABLE: Final = AWSError(400, "InvalidArgument", "Header value cannot be represented using ISO-8859-1.")


class Bridge:
    """An ASGI adapter for one WSGI application, until `close`."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application
        self._threads = ThreadPoolExecutor(_THREADS, "keyfront-aws")
        self._files = ThreadPoolExecutor(_FILE_THREADS, "keyfront-files")
        self._streams: set[asyncio.Task[None]] = set()
        self._closed = False

    async def __call__(
        self, target: Target, headers: dict[str, str], scope: Scope, receive: Receive, send: Send
    ) -> None:
        body = await read_body(receive)
        if body is None:
            return
        if self._closed:
            await send_answer(_STOPPING.answer(headers, target.service), scope, send)
            return
        environ = _environ(target, scope, body)
        del body
        loop = asyncio.get_running_loop()
        answer = await loop.run_in_executor(self._threads, self._ask, environ, headers, target.service)
        later: Callable[[], Awaitable[EndpointResponse]] | None = environ.pop(DEFERRED, None)
        if later is not None:
            answer = await later()
        window: Window | None = environ.pop(WINDOW, None)
        if window is not None and self._closed:
            answer, window = _STOPPING.answer(headers, target.service), None
        if window is None:
            await send_answer(answer, scope, send)
            return
        await send(_start(answer))
        stream = asyncio.create_task(self._stream(window, receive, send))
        self._streams.add(stream)
        try:
            await asyncio.wait([stream])
            if not stream.cancelled() and (error := stream.exception()):
                _log.warning("a response was broken off: %s", error)
        finally:
            stream.cancel()
            self._streams.discard(stream)

    def close(self) -> None:
        """Abort downloads, and refuse new requests. Requests that moto already handles are completed."""
        self._closed = True
        for stream in self._streams:
            stream.cancel()
        for pool in (self._threads, self._files):
            pool.shutdown(wait=False)

    def _ask(self, environ: Environ, headers: dict[str, str], service: str | None) -> EndpointResponse:
        try:
            answer = _measured(_run(self._application, environ), environ)
            if service not in (None, "s3") and _is_nobodys(answer, environ):
                raise NotImplementedError("moto does not implement this operation")
        except RefusedError as refusal:
            return refusal.error.answer(headers, service)
        except NotImplementedError as error:
            said = str(error) or "moto does not implement this"
            _log.warning("%s %s: not implemented: %s", environ["REQUEST_METHOD"], environ["PATH_INFO"], said)
            return AWSError(501, "NotImplemented", said).answer(headers, service)
        except Exception as error:  # noqa: BLE001 (the client gets a response whatever fails in moto)
            message = f"moto failed with {type(error).__name__}: {error}"
            traced = _log.isEnabledFor(logging.DEBUG)
            _log.warning("%s %s: %s", environ["REQUEST_METHOD"], environ["PATH_INFO"], message, exc_info=traced)
            return AWSError(500, "InternalError", message).answer(headers, service)
        try:
            "".join(value for _, value in answer.headers).encode("latin-1")
        except UnicodeEncodeError:
            environ.pop(WINDOW, None)
            return _UNSENDABLE.answer(headers, service)
        return answer

    async def _stream(self, window: Window, receive: Receive, send: Send) -> None:
        loop = asyncio.get_running_loop()
        gone = loop.create_task(_gone(receive))
        try:
            for offset in range(0, len(window), CHUNK):
                chunk = await loop.run_in_executor(self._files, window.read, offset)
                if gone.done():
                    return
                if not chunk:
                    raise OSError("the file changed while it was sent")
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            gone.cancel()


async def send_answer(answer: EndpointResponse, scope: Scope, send: Send) -> None:
    """Send a whole response, without its body if the method is `HEAD`."""
    await send(_start(answer))
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else answer.body})


def _run(application: WSGIApplication, environ: Environ) -> EndpointResponse:
    status, headers = "", list[tuple[str, str]]()

    def start_response(given: str, named: list[tuple[str, str]], _: object = None) -> None:
        nonlocal status, headers
        status, headers = given, [pair for pair in named if pair[0].lower() not in _HOP_BY_HOP]

    chunks = application(environ, start_response)
    try:
        body = b"".join(chunks)
    finally:
        if close := getattr(chunks, "close", None):
            close()
    return EndpointResponse(int(status.split(" ", 1)[0]), headers, body)


def _is_nobodys(answer: EndpointResponse, environ: Environ) -> bool:
    """Return whether moto has no such operation: the response is the web framework's error page, or empty."""
    if answer.status not in (404, 405) or environ["REQUEST_METHOD"] == "HEAD":
        return False
    return not answer.body or answer.body.startswith(b"<!doctype html>")


def _measured(answer: EndpointResponse, environ: Environ) -> EndpointResponse:
    """Return the response with its real length (Flask measured the empty body) and, if the file is short, its body."""
    window: Window | None = environ.get(WINDOW)
    if window is None:
        return answer
    named = [pair for pair in answer.headers if pair[0].lower() != "content-length"]
    named.append(("content-length", str(len(window))))
    body = window.read(0) if len(window) <= CHUNK else b""
    if len(body) == len(window):
        del environ[WINDOW]
    return EndpointResponse(answer.status, named, body)


def _start(answer: EndpointResponse) -> Message:
    named = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    return {"type": "http.response.start", "status": answer.status, "headers": named}


async def read_body(receive: Receive) -> bytes | None:
    """Return the whole request body, which moto needs, or `None` if the client disconnected before its end."""
    chunks: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(chunks)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _environ(target: Target, scope: Scope, body: bytes) -> Environ:
    """Return a WSGI environ that also has the path as sent, and metadata names with underscores, for moto."""
    server, port = scope.get("server") or ("localhost", 80)
    raw = target.path.decode("latin-1")
    path = scope["path"].encode().decode("latin-1")
    environ: Environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": str(server),
        "SERVER_PORT": str(port),
        "REMOTE_ADDR": (scope.get("client") or ("127.0.0.1",))[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **_header_variables(scope["headers"]),
        "CONTENT_LENGTH": str(len(body)),
    }
    if target.service in (None, "s3"):
        # moto would find a bucket in hosts without one (`s3.localhost`), and miss it in some hosts that have one.
        environ["HTTP_HOST"] = f"localhost:{port}"
        if target.bucket is not None:
            raw, environ["PATH_INFO"] = f"/{target.bucket}{raw}", f"/{target.bucket}{path}"
    environ["RAW_URI"] = environ["REQUEST_URI"] = raw
    return environ


def _header_variables(headers: Iterable[tuple[bytes, bytes]]) -> Environ:
    """Return the headers as variables. Names with underscores are ambiguous, so only those of metadata are kept."""
    plain: dict[str, str] = {}
    preserved: dict[str, str] = {}
    names: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        variable = name.upper().replace("-", "_")
        if name != "content-type":
            variable = f"HTTP_{variable}"
        if "_" not in name:
            plain[variable] = f"{plain[variable]},{value}" if variable in plain else value
        elif name.startswith(_METADATA):
            names[variable] = name
            preserved[variable] = value
    for dropped in ("HTTP_CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING"):
        plain.pop(dropped, None)
    kept = {variable: name for variable, name in names.items() if variable not in plain}
    return {**preserved, **plain, "moto.preserved_header_names": kept}
