"""Reads a request to a function's address from an ASGI scope."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import parse_qsl, unquote

from keyfront.local.aws.addressing import host_name, raw_path
from keyfront.web.types import Scope


@dataclass(frozen=True)
class WebRequest:
    """A request as the client sent it. `path` is not decoded. Header names are in lower case and can repeat."""

    method: str
    path: str
    query: str
    pairs: tuple[tuple[str, str], ...]
    body: bytes
    client: str
    protocol: str
    port: str

    @classmethod
    def of(cls, scope: Scope, body: bytes) -> Self:
        """Return the request of an ASGI scope."""
        pairs = tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"])
        return cls(
            method=scope["method"],
            path=raw_path(scope).decode("latin-1"),
            query=scope["query_string"].decode("latin-1"),
            pairs=pairs,
            body=body,
            client=str((scope.get("client") or ("127.0.0.1",))[0]),
            protocol=f"HTTP/{scope['http_version']}",
            port=str((scope.get("server") or ("", 80))[1]),
        )

    @property
    def headers(self) -> dict[str, str]:
        """The headers. Several values of one name are joined with commas."""
        return {name: ",".join(values) for name, values in several(self.pairs).items()}

    @property
    def host(self) -> str:
        """The host's name, without its port."""
        return host_name(self.headers.get("host", ""))

    @property
    def cookies(self) -> list[str]:
        """The cookies as sent, each `name=value`."""
        sent = ";".join(value for name, value in self.pairs if name == "cookie")
        return [each.strip() for each in sent.split(";") if each.strip()]

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """The query's parameters, decoded."""
        return parse_qsl(self.query, keep_blank_values=True, encoding="utf-8", errors="replace")

    def select(self, source: str) -> str | None:
        """Return the value of an identity source (`$request.header.NAME`, `$request.querystring.NAME`), or `None`."""
        kind, _, name = source.removeprefix("$request.").partition(".")
        if kind == "header":
            return self.headers.get(name.lower())
        if kind == "querystring":
            return dict(self.parameters).get(name)
        return None


def several(pairs: Iterable[tuple[str, str]]) -> Mapping[str, list[str]]:
    """Return all values of each name, in order."""
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def decoded(text: str) -> str:
    """Return a part of a path, decoded as a parameter."""
    return unquote(text, errors="replace")
