"""A request and its answer as plain values: what the service's two faces, ASGI and Lambda, have in common."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import ParamSpec, Protocol, TypeVar

T = TypeVar("T")
P = ParamSpec("P")


class Run(Protocol):
    """Runs what blocks: in a thread beside an event loop, or at once where one request is served at a time."""

    def __call__(self, function: Callable[P, T], /, *args: P.args, **options: P.kwargs) -> Awaitable[T]:
        """The function's result; `ServiceError` where that takes too long."""


class HeaderValues(Protocol):
    """Header fields, asked for by name without regard to case."""

    def get(self, key: str, default: str, /) -> str:
        """The field's value, or `default`."""

    def getlist(self, key: str, /) -> list[str]:
        """Every value of the field, in the order they came."""

    def __contains__(self, key: object, /) -> bool: ...


class Fields:
    """Header fields as they came, several of one name included."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name.lower(), []).append(value)

    def get(self, key: str, default: str = "", /) -> str:
        """The first value of the field, or `default`."""
        return self._values.get(key.lower(), [default])[0]

    def getlist(self, key: str, /) -> list[str]:
        """Every value of the field."""
        return list(self._values.get(key.lower(), ()))

    def __contains__(self, key: object, /) -> bool:
        return isinstance(key, str) and key.lower() in self._values


class State(Protocol):
    """Keeps whatever attribute it is given."""

    def __setattr__(self, name: str, value: object, /) -> None: ...


class Request(Protocol):
    """A request, whichever face it came through."""

    @property
    def method(self) -> str:
        """The request's method, in capitals."""

    @property
    def path(self) -> str:
        """The path, decoded, without a mount's, a stage's or a mapping's prefix."""

    @property
    def headers(self) -> HeaderValues:
        """The request's header fields."""

    @property
    def state(self) -> State:
        """What was learnt about the request on its way: `customer`, once somebody was identified."""

    async def read(self, most: int, /) -> bytes:
        """The body; of one that is longer than `most` bytes, at least so many of them."""


@dataclass(frozen=True, slots=True)
class WholeRequest:
    """A request, whole."""

    method: str
    path: str
    """As `Request.path`."""
    headers: HeaderValues
    body: bytes = field(default=b"", repr=False)
    claims: Mapping[str, object] | None = field(default=None, repr=False)
    """What a gateway in front found in a token that it has checked; `None` without one."""
    state: SimpleNamespace = field(default_factory=SimpleNamespace, repr=False)

    async def read(self, _: int, /) -> bytes:
        """The body."""
        return self.body


@dataclass(frozen=True, slots=True)
class ServiceResponse:
    """An answer, whole."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    """Names in lower case."""
    body: bytes = field(default=b"", repr=False)
    outcome: str = ""
    """What became of a download: `redirect`, `link`, `cookies`, or a refusal's slug."""
