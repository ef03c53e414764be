"""Answers and refusals as Starlette's responses."""

from collections.abc import Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from keyfront.backend.service.exchange import Answer
from keyfront.backend.service.exchange import Request as Asking
from keyfront.backend.service.pages import Pages
from keyfront.backend.service.refusal_responses import refusal_of, refused
from keyfront.backend.service.refusals import Refusal, RefusedError, of_status
from keyfront.errors import KeyfrontError

Refuse = Callable[[Request, Refusal], Response]


def as_response(answer: Answer) -> Response:
    """The response that says what `answer` does."""
    response = Response(answer.body, answer.status)
    for name, value in answer.headers:
        response.headers.append(name, value)
    return response


def refuse_with(pages: Pages) -> Refuse:
    """How a refusal is answered: by the request's Accept header as a page or as JSON."""

    def page(request: Asking, path: str, refusal: Refusal) -> str:
        return pages.html("refused.html", getattr(request.state, "customer", None), path, {"refusal": refusal})

    def refuse(request: Request, refusal: Refusal) -> Response:
        return as_response(refused(request, request.url.path, refusal, page))

    return refuse


def handle_errors(app: Starlette, refuse: Refuse) -> None:
    """Answer every exception of `app` by a refusal."""

    def answer(request: Request, error: Exception) -> Response:
        # Starlette raises a bug again behind this answer, so that the server logs it with its traceback.
        return refuse(request, refusal_of(error, request.method, request.url.path))

    def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return refuse(request, of_status(error.status_code, error.headers))

    for kind in (RefusedError, KeyfrontError, Exception):
        app.add_exception_handler(kind, answer)
    app.add_exception_handler(HTTPException, http)
