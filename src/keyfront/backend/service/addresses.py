"""The service's addresses and their responses, the same for both adapters."""

import json
import logging
from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import Final, Generic, TypeVar

from keyfront.backend.service.downloads import Downloads
from keyfront.backend.service.exchange import Request, ServiceResponse
from keyfront.backend.service.identity import BearerToken
from keyfront.backend.service.refusal_responses import as_json
from keyfront.backend.service.refusals import RefusedError, bad_request, of_status
from keyfront.backend.service.router import Address
from keyfront.errors import KeyfrontError

_log = logging.getLogger(__name__)

R = TypeVar("R", bound=Request)

# A link is for this viewer and this minute: it must not be stored, and no other site may read it.
_PRIVATE: Final = (("cache-control", "no-store"), ("referrer-policy", "no-referrer"))
_JSON: Final = ("content-type", "application/json")


class Service(Generic[R]):
    """The addresses that answer with `downloads`."""

    def __init__(self, downloads: Downloads[R]) -> None:
        self._downloads = downloads
        self.addresses = (
            Address("/download/{item}", "GET", self.download),
            Address("/open/{item}", "GET", self.open),
            Address("/api/links", "POST", self.links),
            Address("/healthz", "GET", self.alive),
            Address("/readyz", "GET", self.ready),
        )

    async def download(self, request: R, item_id: str, _: bytes) -> ServiceResponse:
        """Return 303 to a signed link."""
        _item, link = await self._downloads.link(request, item_id)
        return ServiceResponse(303, (("location", link.url), *_PRIVATE), outcome="redirect")

    async def open(self, request: R, item_id: str, _: bytes) -> ServiceResponse:
        """Return signed cookies for the item's area, and 303 to the item in it."""
        opened = await self._downloads.cookies(request, item_id)
        cookies = (("set-cookie", line) for line in opened.set_cookie)
        return ServiceResponse(303, (("location", opened.url), *cookies, *_PRIVATE), outcome="cookies")

    async def links(self, request: R, _: str, body: bytes) -> ServiceResponse:
        """Return a signed link as JSON."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise RefusedError(of_status(415, {"Accept": "application/json"}))
        item, link = await self._downloads.link(request, _wanted(body), for_program=True)
        expires_at = datetime.fromtimestamp(link.expires, UTC).isoformat().replace("+00:00", "Z")
        told = {"item": item.id, "url": link.url, "expires": link.expires, "expires_at": expires_at}
        return ServiceResponse(200, (_JSON, *_PRIVATE), as_json(told).encode(), "link")

    async def alive(self, _: R, __: str, ___: bytes) -> ServiceResponse:
        """Return 200: the process runs."""
        return ServiceResponse(200, (_JSON,), as_json({"status": "ok"}).encode())

    async def ready(self, _: R, __: str, ___: bytes) -> ServiceResponse:
        """Return 200 if a link could be made: the purchases can be read, and there are keys. Return 503 otherwise."""
        downloads = self._downloads
        parts = {"database": downloads.run(downloads.entitlements.check), "key": downloads.run(downloads.signer)}
        for identity in downloads.identities:
            if isinstance(identity, BearerToken):
                parts["tokens"] = identity.check()
        answers = await downloads.together(*map(_answers, parts.values()))
        good = all(answers)
        told = {"status": "ok" if good else "unavailable", **dict(zip(parts, answers, strict=True))}
        return ServiceResponse(200 if good else 503, (_JSON,), as_json(told).encode())


async def _answers(part: Awaitable[object]) -> bool:
    """Return whether a part answers."""
    try:
        await part
    except KeyfrontError as error:
        _log.error("not ready: %s", error)
        return False
    return True


def _wanted(body: bytes) -> str:
    """Return the item that a JSON body asks for."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        raise RefusedError(bad_request('The body is not JSON: send {"item": "…"}.')) from None
    item = said.get("item") if isinstance(said, dict) else None
    if not isinstance(item, str):
        raise RefusedError(bad_request('The body has no "item": send {"item": "…"}.'))
    return item
