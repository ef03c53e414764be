"""A request to an origin as it is sent, where it goes, and how long to wait for it."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from keyfront.edge.response.pages import Headers
from keyfront.errors import ServiceError

_REPEATABLE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_STATES_A_LENGTH: Final = frozenset({"POST", "PUT", "PATCH"})
# RFC 9112, sections 3 and 5. A server could read any other head as a different request.
_HEAD: Final = re.compile(
    rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+ [!-~]+ HTTP/1\.1\r\n(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\t -~\x80-\xff]*\r\n)+\r\n"
)


class ExchangeError(ServiceError):
    """A request without a response, or a body that broke off."""

    def __init__(self, text: str, *, timed_out: bool = False, connected: bool = True, answered: bool = True) -> None:
        """`connected`: whether there was a connection. `answered`: whether at least one byte came back."""
        super().__init__(text)
        self.timed_out = timed_out
        self.connected = connected
        self.answered = answered


class Place(NamedTuple):
    """Where a connection leads."""

    is_secure: bool
    host: str
    """A host name, or an address without brackets."""
    port: int
    server_name: str = ""
    """The name in TLS, which the certificate must have. If empty, it is `host`."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds to wait for a connection, and for the other side to send or accept the next byte."""

    connect: float
    silence: float


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as it is sent. A `body` without a `length` is sent in chunks."""

    method: str
    head: bytes
    """Everything before the body."""
    body: AsyncIterator[bytes] | None = None
    length: int | None = None

    @classmethod
    def of(
        cls, method: str, target: bytes, headers: Headers, body: AsyncIterator[bytes] | None, length: int | None
    ) -> "Sent":
        """Make a request. `headers` must not contain the body's length. `ExchangeError`: a value is not valid HTTP."""
        if body is not None and length is None:
            headers = [*headers, (b"transfer-encoding", b"chunked")]
        elif body is not None or method in _STATES_A_LENGTH:
            headers = [*headers, (b"content-length", b"%d" % (length or 0))]
        lines = [b"%b: %b\r\n" % (name, value.strip(b" \t")) for name, value in headers]
        head = b"%b %b HTTP/1.1\r\n%b\r\n" % (method.encode("latin-1"), target, b"".join(lines))
        # A line break in a value would make two headers.
        if _HEAD.fullmatch(head) is None or head.count(b"\n") != len(headers) + 2:
            raise ExchangeError("the request has a method, target or header that is not valid in HTTP")
        return cls(method, head, body, length)

    @property
    def is_repeatable(self) -> bool:
        """Whether it may be sent again if its result is unknown (RFC 9110, section 9.2.1)."""
        return self.body is None and self.method in _REPEATABLE
