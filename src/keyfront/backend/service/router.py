"""The service's router: it finds the address that answers a request, and applies the rules for all requests."""

import logging
import traceback
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final, Generic, TypeVar

from keyfront.backend.service.exchange import Request, ServiceResponse
from keyfront.backend.service.page import refusal_page
from keyfront.backend.service.refusal_responses import Page, refusal_of, refused
from keyfront.backend.service.refusals import RefusedError, cross_site, no_such_page, of_status
from keyfront.backend.service.security import MAX_BODY_BYTES, SAFE_METHODS, SECURITY_HEADERS, is_ours
from keyfront.errors import KeyfrontError

_log = logging.getLogger(__name__)

R = TypeVar("R", bound=Request)

_ITEM: Final = "{item}"


@dataclass(frozen=True)
class Address(Generic[R]):
    """One path with one method, and its handler. `{item}` in the path matches an item's name, including slashes."""

    path: str
    method: str
    answer: Callable[[R, str, bytes], Awaitable[ServiceResponse]]
    """Takes the request, the item's name (empty if the path has no `{item}`) and the body. Raises `RefusedError`."""


class Router(Generic[R]):
    """Answers every request, with one of `addresses` or with a refusal. `page` shows refusals to people.

    The first path that matches decides, even if it does not have the method.
    """

    def __init__(self, addresses: Iterable[Address[R]], page: Page[R] = refusal_page) -> None:
        self._page = page
        self._paths: dict[str, dict[str, Address[R]]] = {}
        for address in addresses:
            methods = self._paths.setdefault(address.path, {})
            methods[address.method] = address
            if address.method == "GET":
                methods["HEAD"] = address

    async def answer(self, request: R) -> ServiceResponse:
        """Return the response, with the security headers. Never raises."""
        try:
            answer = await self._answered(request)
        except Exception as error:  # noqa: BLE001  every request gets a response
            if not isinstance(error, KeyfrontError | RefusedError):
                # Without the error's text, which may contain a secret.
                where = "".join(traceback.format_tb(error.__traceback__))
                _log.error("%s %s: an unexpected %s\n%s", request.method, request.path, type(error).__name__, where)
            answer = refused(request, refusal_of(error, request.method, request.path), self._page)
        names = {name for name, _ in answer.headers}
        added = (field for field in SECURITY_HEADERS if field[0] not in names)
        return replace(answer, headers=(*answer.headers, *added))

    async def _answered(self, request: R) -> ServiceResponse:
        if request.method not in SAFE_METHODS and not is_ours(request.headers):
            raise RefusedError(cross_site())
        for path, methods in self._paths.items():
            item = _item(path, request.path)
            if item is None:
                continue
            address = methods.get(request.method)
            if address is None:
                raise RefusedError(of_status(405, {"allow": ", ".join(sorted(methods))}))
            body = await request.read(MAX_BODY_BYTES + 1) if address.method == "POST" else b""
            if len(body) > MAX_BODY_BYTES:
                raise RefusedError(of_status(413))
            return await address.answer(request, item, body)
        raise RefusedError(no_such_page())


def _item(path: str, asked: str) -> str | None:
    """Return the item's name in `asked`, empty if `path` has no `{item}`; `None` if the path does not match."""
    before, marker, after = path.partition(_ITEM)
    if not marker:
        return "" if asked == path else None
    fits = len(asked) >= len(before) + len(after) and asked.startswith(before) and asked.endswith(after)
    return asked[len(before) : len(asked) - len(after)] if fits else None
