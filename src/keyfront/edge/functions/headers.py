"""Which headers edge functions see and may change, and the rules for those that they write.

Source: Developer Guide, "Restrictions on all edge functions". Assumed: the order of the checks, and that a header which
is not valid HTTP is an invalid value.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from keyfront.edge.response.pages import Headers

_HIDDEN: Final = frozenset(
    {"connection", "expect", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "trailer"}
    | {"upgrade", "x-accel-buffering", "x-accel-charset", "x-accel-limit-rate", "x-accel-redirect", "x-amzn-auth"}
    | {"x-amzn-cf-billing", "x-amzn-cf-id", "x-amzn-cf-xff", "x-amzn-errortype", "x-amzn-fle-profile"}
    | {"x-amzn-header-count", "x-amzn-header-order", "x-amzn-lambda-integration-tag", "x-amzn-requestid", "x-cache"}
    | {"x-forwarded-proto", "x-real-ip"}
)
_HIDDEN_PREFIXES: Final = ("x-amz-cf-", "x-edge-")
READ_ONLY: Final[Mapping[str, frozenset[str]]] = {
    "viewer-request": frozenset({"cdn-loop", "content-length", "host", "transfer-encoding", "via"}),
    "origin-request": frozenset(
        {"accept-encoding", "cdn-loop", "content-length", "if-modified-since", "if-none-match", "if-range"}
        | {"if-unmodified-since", "transfer-encoding", "via"}
    ),
    "origin-response": frozenset({"transfer-encoding", "via"}),
    "viewer-response": frozenset({"warning", "via"}),
}
LAMBDA_ALSO_READ_ONLY: Final = frozenset({"content-length", "content-encoding", "transfer-encoding"})
"""In viewer responses, for Lambda@Edge alone."""

_NO_CUSTOM: Final = frozenset(
    {"cache-control", "content-length", "cookie", "host", "if-match", "if-modified-since", "if-none-match", "if-range"}
    | {"if-unmodified-since", "max-forwards", "pragma", "range", "request-range", "te", "transfer-encoding", "via"}
)
"""Source: Developer Guide, "Custom headers that CloudFront can't add to origin requests"."""

_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")
_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_MOST_BYTES: Final = 20_480
"""As for a viewer's request. Assumed for what a function writes."""


class InvalidHeaderError(Exception):
    """A function wrote a header that it may not write. The text is CloudFront's."""


class ForbiddenHeaderError(InvalidHeaderError):
    """A function wrote a header that is hidden from functions, or changed one that it may only read."""


@dataclass(frozen=True, slots=True)
class Fields:
    """Headers as functions see them: each name (in lower case) with its values."""

    values: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, headers: Iterable[tuple[bytes, bytes]], *, without: tuple[str, ...] = ()) -> "Fields":
        """Return the headers that a function sees, without those named."""
        found: dict[str, tuple[str, ...]] = {}
        for raw_name, raw_value in headers:
            name = _shown_name(raw_name)
            if name and name not in without:
                value = raw_value.decode("latin-1")
                found[name] = (*found[name], value) if name in found else (value,)
        return cls(found)

    @property
    def size(self) -> int:
        """The bytes of all headers in a message."""
        return sum(len(name) + len(value) + 4 for name, values in self.values.items() for value in values)

    def check(self, before: "Fields", event_type: str, *, also: frozenset[str] = frozenset()) -> None:
        """Raise `InvalidHeaderError` if they cannot replace the headers `before`."""
        for name, values in self.values.items():
            if is_hidden(name):
                raise ForbiddenHeaderError(f"tried to add a disallowed header: {name}")
            if not _NAME.fullmatch(name):
                raise InvalidHeaderError(f"the header name {name[:60]!r} is not valid: it must be in lower case")
            for value in values:
                if not _VALUE.fullmatch(value):
                    raise InvalidHeaderError(f"the value of the header {name[:60]} is not valid")
        for name in READ_ONLY[event_type] | also:
            if self.values.get(name) != before.values.get(name):
                raise ForbiddenHeaderError("tried to add, delete, or change a read-only header.")
        if self.size > _MOST_BYTES:
            raise InvalidHeaderError(f"the headers are larger than {_MOST_BYTES} bytes")

    def written(self, before: Headers) -> Headers:
        """Return the headers of a message, in the order of `before`, with its hidden ones."""
        placed: Headers = []
        done: set[str] = set()
        for raw_name, raw_value in before:
            name = raw_name.decode("latin-1")
            if is_hidden(name):
                placed.append((raw_name, raw_value))
            elif name in self.values and name not in done:
                done.add(name)
                placed += _lines(name, self.values[name])
        return placed + [line for name in self.values if name not in done for line in _lines(name, self.values[name])]


@lru_cache(1024)
def _shown_name(raw_name: bytes) -> str:
    """Return a header's name as functions see it, or an empty text."""
    name = raw_name.decode("latin-1")
    return "" if is_hidden(name) else name


def is_hidden(name: str) -> bool:
    """Return whether functions neither see nor may add the header (its name in lower case)."""
    return name in _HIDDEN or name.startswith(_HIDDEN_PREFIXES)


def check_custom(name: str, value: str) -> None:
    """Raise `InvalidHeaderError` for a custom header that a function may not give an origin."""
    lowered = name.lower()
    if not _NAME.fullmatch(lowered) or not _VALUE.fullmatch(value):
        raise InvalidHeaderError(f"the custom header {name[:60]!r} is not valid")
    if is_hidden(lowered) or lowered in _NO_CUSTOM:
        raise ForbiddenHeaderError(f"tried to add a disallowed custom header: {lowered}")


def without_length(headers: Headers) -> Headers:
    """Return headers without those that describe the size of the body."""
    return [item for item in headers if item[0] not in (b"content-length", b"transfer-encoding")]


def served(headers: Headers) -> Headers:
    """Return the headers of a response that a function made, with `Server` and without the size of the body."""
    kept = without_length(headers)
    return kept if any(name == b"server" for name, _ in kept) else [*kept, (b"server", b"CloudFront")]


def _lines(name: str, values: Iterable[str]) -> Headers:
    return [(name.encode("latin-1"), value.encode("latin-1")) for value in values]
