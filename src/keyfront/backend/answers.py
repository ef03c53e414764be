"""Refusals as answers: JSON for programs, a page for people."""

import logging
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from keyfront.backend.pages import Pages
from keyfront.backend.refusals import Refusal, RefusedError, broken, of_status, unavailable
from keyfront.errors import KeyfrontError, ServiceError

_log = logging.getLogger(__name__)

Refuse = Callable[[Request, Refusal], Response]


def refuse_with(pages: Pages) -> Refuse:
    """How a refusal is answered: by the request's Accept header as a page or as JSON."""

    def refuse(request: Request, refusal: Refusal) -> Response:
        if wants_page(request.headers.get("accept", "")):
            response: Response = pages.show(request, "refused.html", refusal.status, values={"refusal": refusal})
        else:
            body = {"error": refusal.error, "message": refusal.message}
            response = JSONResponse(body, refusal.status)
        response.headers.update(refusal.headers)
        response.headers.add_vary_header("Accept")
        return response

    return refuse


def handle_errors(app: Starlette, refuse: Refuse) -> None:
    """Answer every exception of `app` by a refusal; what an operator must know goes into the log, and only there."""

    def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, RefusedError)
        return refuse(request, error.refusal)

    def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return refuse(request, of_status(error.status_code, error.headers))

    def service(request: Request, error: Exception) -> Response:
        _log.error("%s %s: %s", request.method, request.url.path, error)
        return refuse(request, unavailable())

    def setup(request: Request, error: Exception) -> Response:
        _log.error("%s %s cannot be answered: %s", request.method, request.url.path, error)
        return refuse(request, broken())

    def bug(request: Request, _: Exception) -> Response:
        # Starlette raises it again behind this answer, so that the server logs it with its traceback.
        return refuse(request, broken())

    app.add_exception_handler(RefusedError, refused)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(ServiceError, service)
    app.add_exception_handler(KeyfrontError, setup)
    app.add_exception_handler(Exception, bug)


def wants_page(accept: str) -> bool:
    """Whether an Accept header prefers HTML to JSON. One that has no preference gets JSON: browsers always have one."""
    return _quality(accept, "text", "html") > _quality(accept, "application", "json")


def _quality(accept: str, kind: str, subtype: str) -> float:
    """The weight of a media type: RFC 9110, section 12.5.1; the most specific range counts."""
    found = {}
    for part in accept.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        weight = next((piece[2:] for piece in parameters if piece.startswith("q=")), "1")
        try:
            found[name] = min(max(float(weight), 0.0), 1.0)
        except ValueError:
            continue
    for name in (f"{kind}/{subtype}", f"{kind}/*", "*/*"):
        if name in found:
            return found[name]
    return 0.0
