"""One container of the function: its setup from the environment, and its responses to events."""

import contextlib
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

from keyfront.backend.aws_lambda.events import Kind, MalformedError, read
from keyfront.backend.aws_lambda.observing import Context, Observer, log
from keyfront.backend.aws_lambda.replies import reply
from keyfront.backend.service.addresses import Service
from keyfront.backend.service.downloads import Downloads
from keyfront.backend.service.entitlements import open_entitlements
from keyfront.backend.service.exchange import Fields, WholeRequest
from keyfront.backend.service.identity import BearerToken, GatewayClaims, Identity
from keyfront.backend.service.refusal_responses import plain
from keyfront.backend.service.refusals import bad_request, broken
from keyfront.backend.service.router import Router
from keyfront.backend.service.settings import Settings
from keyfront.errors import InputError, KeyfrontError
from keyfront.keystore import KeyStore

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

T = TypeVar("T")
P = ParamSpec("P")

_WHO_KNOWS: Final = ("ENTITLEMENTS_TABLE", "DATABASE_URL", "KEYFRONT_ENTITLEMENTS")
_UNKEPT: Final = ("cache-control", "no-store")
_NOWHERE: Final = (
    "no setting says who may download what: set ENTITLEMENTS_TABLE (DynamoDB), DATABASE_URL (PostgreSQL) or "
    "KEYFRONT_ENTITLEMENTS (module:function)"
)


class Function:
    """The service in one container. It answers one event at a time, without an event loop."""

    def __init__(
        self, build: Callable[[], tuple[Service[WholeRequest], KeyStore]], observer: Observer, *, base_path: str = ""
    ) -> None:
        self._observer = observer
        self._base_path = base_path
        self._wrong = ""
        self._keystore: KeyStore | None = None
        try:
            service, self._keystore = build()
            self._router = Router(service.addresses)
        except KeyfrontError as error:
            # Raised here, it would give callers a traceback and a 502. This way they get a clear response.
            self._wrong = str(error)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Function":
        """Return the function with settings from `environment`. If they are wrong, every event logs the error."""
        base_path = environment.get("BASE_PATH", "").strip().strip("/")
        return cls(lambda: _build(environment), Observer(environment), base_path=f"/{base_path}" if base_path else "")

    def prepare(self) -> None:
        """Fetch the key and query the purchases once, so that the first event does not wait for modules to load.

        Errors are logged, here and again at each event that needs the part.
        """
        if not self._wrong:
            finished(self._router.answer(WholeRequest("GET", "/readyz", Fields(()))))

    def __call__(self, event: object, context: Context) -> Mapping[str, object]:
        """Return the response to one event."""
        self._observer.begin(context)
        kind: Kind = "http"
        if self._wrong:
            log().error("the function is set up wrongly and cannot answer: %s", self._wrong)
            said = plain(broken(), _UNKEPT)
            with contextlib.suppress(MalformedError):
                kind = read(event).kind
        else:
            try:
                came = read(event, base_path=self._base_path)
            except MalformedError as error:
                log().error("malformed event: %s", error)
                said = plain(bad_request("The request did not arrive as an HTTP request."), _UNKEPT)
            else:
                kind, said = came.kind, finished(self._router.answer(came.request))
                if came.request.method == "HEAD":
                    said = replace(said, body=b"")
        self._observer.end(said, self._keystore.counts.age if self._keystore else None)
        return reply(said, kind)


def finished(coroutine: Coroutine[object, None, T]) -> T:
    """Return the result of a coroutine that never waits, because all its calls block."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    coroutine.close()
    raise AssertionError("a part of the function waits for an event loop")


async def at_once(function: Callable[P, T], /, *args: P.args, **options: P.kwargs) -> T:
    """Call the blocking `function` directly: there is no other request to serve meanwhile."""
    return function(*args, **options)


class Loop:
    """Runs the user's coroutines, all on one event loop, so that their open connections stay usable."""

    def __init__(self) -> None:
        self._loop: AbstractEventLoop | None = None

    def wait(self, what: Awaitable[T]) -> T:
        """Run a coroutine to its end and return its result."""
        import asyncio

        if self._loop is None:
            self._loop = asyncio.new_event_loop()

        async def awaited() -> T:
            return await what

        return self._loop.run_until_complete(awaited())


def _build(environment: Mapping[str, str]) -> tuple[Service[WholeRequest], KeyStore]:
    settings = Settings.from_environment(environment)
    # No CloudFront check: one more AWS client would take half of the time to the first response.
    store = settings.open_keystore(check=False)
    identities: list[Identity[WholeRequest]] = [GatewayClaims()]
    if settings.tokens is not None:
        from keyfront.backend.service.tokens import TokenChecker

        identities.append(BearerToken(TokenChecker(settings.tokens, seconds=settings.wait_seconds, blocking=True)))
    if not any(environment.get(name, "").strip() for name in _WHO_KNOWS):
        raise InputError(_NOWHERE)
    entitlements = open_entitlements(settings, Loop().wait)
    return Service(Downloads(settings, store.signer, entitlements, identities, time.time, at_once)), store
