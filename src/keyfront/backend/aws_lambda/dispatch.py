"""A request to the service, answered without a web framework: the same addresses, guards and refusals as over ASGI."""

import logging
import traceback
from collections.abc import Sequence
from functools import cache
from typing import Final

from keyfront.backend.service.addresses import Address
from keyfront.backend.service.exchange import Answer, Asked, Request
from keyfront.backend.service.refusal_responses import refusal_of, refused
from keyfront.backend.service.refusals import Refusal, RefusedError, cross_site, no_such_page, of_status
from keyfront.backend.service.security import MAX_BODY_BYTES, SAFE_METHODS, SECURITY_HEADERS, is_ours
from keyfront.errors import KeyfrontError

_log = logging.getLogger(__name__)

_STYLESHEET: Final = "/assets/shop.css"


async def answer(asked: Asked, addresses: Sequence[Address[Asked]], *, shop: str = "Downloads") -> Answer:
    """What one of `addresses` answers; never raises. `shop` is the name on pages."""

    def page(request: Request, path: str, refusal: Refusal) -> str:
        # Late: only people see pages, and a program's first link need not wait for Jinja.
        from keyfront.backend.service.pages import Pages

        customer = getattr(request.state, "customer", None)
        return Pages(shop, storefront=False).html("refused.html", customer, path, {"refusal": refusal})

    try:
        said = await _answered(asked, addresses)
    except Exception as error:  # noqa: BLE001  somebody waits for an answer
        if not isinstance(error, KeyfrontError | RefusedError):
            # Not the error's own text: nobody has vouched that it holds no secret.
            where = "".join(traceback.format_tb(error.__traceback__))
            _log.error("%s %s: an unexpected %s\n%s", asked.method, asked.path, type(error).__name__, where)
        said = refused(asked, asked.path, refusal_of(error, asked.method, asked.path), page)
    return _headed(said, bodiless=asked.method == "HEAD")


async def _answered(asked: Asked, addresses: Sequence[Address[Asked]]) -> Answer:
    if asked.method not in SAFE_METHODS and not is_ours(asked.headers):
        raise RefusedError(cross_site())
    if len(asked.body) > MAX_BODY_BYTES:
        raise RefusedError(of_status(413))
    if asked.path == _STYLESHEET and asked.method in ("GET", "HEAD"):
        return Answer(200, (("content-type", "text/css; charset=utf-8"), ("cache-control", "no-cache")), _stylesheet())
    allowed: list[str] = []
    for address in addresses:
        item = address.item(asked.path)
        if item is None:
            continue
        if asked.method in address.methods:
            return await address.answer(asked, item, asked.body)
        allowed += address.methods
    raise RefusedError(of_status(405, {"Allow": ", ".join(sorted(allowed))}) if allowed else no_such_page())


def _headed(answer: Answer, *, bodiless: bool) -> Answer:
    names = {name.lower() for name, _ in answer.headers}
    added = tuple((name.lower(), value) for name, value in SECURITY_HEADERS.items() if name.lower() not in names)
    return Answer(answer.status, (*answer.headers, *added), b"" if bodiless else answer.body, answer.outcome)


@cache
def _stylesheet() -> bytes:
    from keyfront.backend.service.pages import STYLESHEET

    return STYLESHEET.read_bytes()
