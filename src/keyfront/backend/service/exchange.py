"""Requests and responses as plain values, the same for both adapters (ASGI and Lambda)."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import ParamSpec, Protocol, TypeVar

T = TypeVar("T")
P = ParamSpec("P")


class Run(Protocol):
    """Runs a function that blocks: in a thread if there is an event loop, or directly if requests come one by one."""

    def __call__(self, function: Callable[P, T], /, *args: P.args, **options: P.kwargs) -> Awaitable[T]:
        """Return the function's result. Raises `ServiceError` if that takes too long."""


class HeaderValues(Protocol):
    """Headers by name; letter case does not matter."""

    def get(self, key: str, default: str, /) -> str:
        """Return the header's value, or `default`."""

    def getlist(self, key: str, /) -> list[str]:
        """Return every value of the header, in order."""

    def __contains__(self, key: object, /) -> bool: ...


class Fields:
    """Headers in their original order; a name may occur several times."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name.lower(), []).append(value)

    def get(self, key: str, default: str = "", /) -> str:
        """Return the first value of the header, or `default`."""
        return self._values.get(key.lower(), [default])[0]

    def getlist(self, key: str, /) -> list[str]:
        """Return every value of the header."""
        return list(self._values.get(key.lower(), ()))

    def __contains__(self, key: object, /) -> bool:
        return isinstance(key, str) and key.lower() in self._values


class State(Protocol):
    """An object that accepts any attribute."""

    def __setattr__(self, name: str, value: object, /) -> None: ...


class Request(Protocol):
    """A request, from either adapter."""

    @property
    def method(self) -> str:
        """The request's method, in capitals."""

    @property
    def path(self) -> str:
        """The decoded path, without the prefix of a mount, a stage or a mapping."""

    @property
    def headers(self) -> HeaderValues:
        """The request's headers."""

    @property
    def address(self) -> str:
        """The viewer's address; empty if it is not known."""

    @property
    def state(self) -> State:
        """Facts about the request: `customer`, once the customer is identified."""

    async def read(self, most: int, /) -> bytes:
        """Return the body; if it is longer than `most` bytes, at least that many of them."""


@dataclass(frozen=True, slots=True)
class WholeRequest:
    """A request with its whole body."""

    method: str
    path: str
    """As `Request.path`."""
    headers: HeaderValues
    body: bytes = field(default=b"", repr=False)
    claims: Mapping[str, object] | None = field(default=None, repr=False)
    """The claims of a token that a gateway has checked; `None` without a gateway."""
    address: str = ""
    """As `Request.address`. The gateway in front limits rates, so nobody asks."""
    state: SimpleNamespace = field(default_factory=SimpleNamespace, repr=False)

    async def read(self, _: int, /) -> bytes:
        """Return the body."""
        return self.body


@dataclass(frozen=True, slots=True)
class ServiceResponse:
    """A response with its whole body."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    """Names in lower case."""
    body: bytes = field(default=b"", repr=False)
    outcome: str = ""
    """The outcome of a download: `redirect`, `link`, `cookies`, or a refusal's slug."""
