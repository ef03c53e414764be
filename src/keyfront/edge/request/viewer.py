"""A viewer's request, with its values read once from an ASGI scope."""

from collections.abc import Mapping
from itertools import chain
from types import MappingProxyType
from typing import Any, Final

from keyfront.core.urls import split_host
from keyfront.edge.response.pages import request_id
from keyfront.web.types import Scope

_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
_JOINTS: Final = {b"cookie": b"; "}


class Request:
    """What a viewer sent, neither decoded nor normalised. `fields` joins repeated headers."""

    __slots__ = (
        *("as_sent", "authority", "fields", "header_bytes", "headers", "host", "http_version", "id"),
        *("ip", "logs", "made", "method", "path", "port", "query", "scheme"),
    )

    def __init__(self, scope: Scope, id: bytes | None = None) -> None:  # noqa: A002
        self.id = id or request_id()
        """The `X-Amz-Cf-Id` of the response, and of the request to the origin."""
        method: Any = scope["method"]
        self.method: str = method
        self.scheme: str = scope["scheme"]
        self.http_version: str = scope["http_version"]
        self.path: str = scope["raw_path"].decode("latin-1")
        self.as_sent = self.path
        """The path as the viewer sent it. A function may have changed `path`."""
        self.logs: list[str] = []
        """What functions wrote to their logs for this request."""
        self.query: str = scope["query_string"].decode("latin-1")
        client = scope["client"]
        self.ip: str = client[0] if client else ""
        self.port: int = client[1] if client else 0
        self.made: Mapping[str, str] = _NOTHING
        """The `CloudFront-…` headers about the viewer that the behavior uses, with their values."""
        self.headers: list[tuple[bytes, bytes]] = scope["headers"]
        fields = dict(self.headers)
        self.fields = fields if len(fields) == len(self.headers) else _joined(self.headers)
        self.header_bytes = len(b"".join(chain.from_iterable(self.headers))) + 4 * len(self.headers)
        """The size of all header lines, in bytes."""
        self.host: str = self.fields.get(b"host", b"").decode("latin-1")
        """The Host header as sent. Two of them are joined by a comma, which no host name contains."""
        self.authority = split_host(self.host.lower())
        """The name in lower case and the port of `host`; `None` if it is not a host name."""

    def asking_for(self, path: str) -> "Request":
        """Return a plain GET for `path` at the same host, by the same viewer."""
        return Request(
            {
                "method": "GET",
                "scheme": self.scheme,
                "http_version": self.http_version,
                "raw_path": path.encode("ascii"),
                "query_string": b"",
                "client": (self.ip, self.port),
                "headers": [(b"host", self.host.encode("latin-1"))],
            },
            self.id,
        )

    def with_target(self, path: str, query: str, headers: list[tuple[bytes, bytes]]) -> "Request":
        """Return this request for another target and with other headers."""
        changed = Request(
            {
                "method": self.method,
                "scheme": self.scheme,
                "http_version": self.http_version,
                "raw_path": path.encode("ascii"),
                "query_string": query.encode("ascii"),
                "client": (self.ip, self.port),
                "headers": headers,
            },
            self.id,
        )
        changed.as_sent, changed.logs, changed.made = self.as_sent, self.logs, self.made
        return changed

    @property
    def url(self) -> str:
        """The URL as the viewer sent it."""
        bare = f"{self.scheme}://{self.host}{self.path}"
        return f"{bare}?{self.query}" if self.query else bare

    @property
    def has_body(self) -> bool:
        """Whether the request has a body."""
        return b"transfer-encoding" in self.fields or self.fields.get(b"content-length", b"0").strip() not in (
            b"0",
            b"",
        )

    def header(self, name: bytes) -> str:
        """Return a header's value, or an empty text."""
        return self.fields.get(name, b"").decode("latin-1")


def _joined(headers: list[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    fields: dict[bytes, bytes] = {}
    for name, value in headers:
        fields[name] = fields[name] + _JOINTS.get(name, b", ") + value if name in fields else value
    return fields
