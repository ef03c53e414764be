"""HTTP_PROXY integrations: sends the request to a server, and returns the server's response."""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from keyfront.local.aws.responses import EndpointResponse
from keyfront.local.aws.web.function_results import message
from keyfront.local.aws.web.requests import WebRequest

if TYPE_CHECKING:
    import httpx

_log = logging.getLogger(__name__)

_LEFT_OUT: Final = frozenset({"connection", "content-length", "host", "keep-alive", "transfer-encoding", "upgrade"})


class Proxy:
    """An HTTP client, from its first request to `close`."""

    def __init__(self) -> None:
        self._client: httpx.AsyncClient | None = None

    async def answer(
        self, uri: str, method: str, request: WebRequest, parameters: Mapping[str, str]
    ) -> EndpointResponse:
        """Return the response of the server at `uri`, with each `{name}` replaced by its parameter."""
        import httpx

        if self._client is None:
            self._client = httpx.AsyncClient(follow_redirects=False, trust_env=False, timeout=None)  # noqa: S113
        for name, given in parameters.items():
            # The route's values are decoded. Unescaped, one could end the path or name another server.
            value = quote(given, safe="/")
            uri = uri.replace(f"{{{name}}}", value).replace(f"{{{name}+}}", value)
        headers = [pair for pair in request.pairs if pair[0] not in _LEFT_OUT]
        target = f"{uri}?{request.query}" if request.query else uri
        verb = request.method if method == "ANY" else method
        try:
            got = await self._client.request(verb, target, headers=headers, content=request.body)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            _log.warning("the integration %s cannot be reached: %s", uri, type(error).__name__)
            return message(503, "Service Unavailable")
        named = [(name, value) for name, value in got.headers.multi_items() if name not in _LEFT_OUT]
        # httpx has already decoded these.
        named = [pair for pair in named if pair[0] != "content-encoding"]
        return EndpointResponse(got.status_code, [*named, ("content-length", str(len(got.content)))], got.content)

    async def close(self) -> None:
        """Close its connections."""
        if self._client is not None:
            await self._client.aclose()
