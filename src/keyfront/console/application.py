"""The console as one ASGI application."""

from collections.abc import Callable, Sequence
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from keyfront.account.api_errors import UnreachableError
from keyfront.console.accounts import Account
from keyfront.console.context import Context
from keyfront.console.decisions import Decisions
from keyfront.console.distribution_pages import DistributionPages
from keyfront.console.events import Stopping
from keyfront.console.gate import ASSETS as ASSETS_PATH
from keyfront.console.gate import Gate, Secrets
from keyfront.console.group_pages import GroupPages
from keyfront.console.key_pages import KeyPages
from keyfront.console.link_pages import LinkPages
from keyfront.console.live_pages import LivePages
from keyfront.console.log_summary import LogReader
from keyfront.console.pages import ASSETS, Pages
from keyfront.console.problems import Problem, problem_of
from keyfront.console.rotation_pages import RotationPages
from keyfront.console.trust_pages import TrustPages
from keyfront.console.why_pages import WhyPages
from keyfront.errors import KeyfrontError
from keyfront.web.local import LocalOnly
from keyfront.web.types import ASGIApp

_PAGES: Final = (KeyPages, GroupPages, DistributionPages, TrustPages, LinkPages, WhyPages, LivePages, RotationPages)


def console(
    account: Account,
    known: Secrets,
    *,
    read_only: bool,
    stopping: Stopping,
    decisions: Decisions | None = None,
    addresses: Callable[[str], Sequence[str]] | None = None,
    signer: str = "",
    logs: LogReader | None = None,
) -> ASGIApp:
    """Return the application. It serves programs and browsers of this machine that know the token.

    `stopping` ends the streams of events. The other arguments are those of `Context`.
    """
    pages = Pages(account.name, known.csrf, read_only=read_only)
    seen = decisions.last_used if decisions else logs.last_used if logs else None
    given = {"addresses": addresses, "last_used": seen}
    context = Context(
        account=account,
        pages=pages,
        read_only=read_only,
        decisions=decisions,
        stopping=stopping,
        signer=signer,
        logs=logs,
        **{name: value for name, value in given.items() if value is not None},  # type: ignore[arg-type]
    )

    def failed(request: Request, error: Exception) -> Response:
        assert isinstance(error, KeyfrontError)
        gone = isinstance(error, UnreachableError)
        return pages.html(request, "problem.html", {"gone": gone}, problem=problem_of(error))

    def missing(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        text = f"The console has nothing at {request.url.path!r}." if error.status_code == 404 else f"{error.detail}."
        return pages.html(
            request, "problem.html", {"gone": False}, problem=Problem("Not found", text, error.status_code)
        )

    def alive(_: Request) -> Response:
        account.keys_page("")
        return PlainTextResponse("yes")

    app = Starlette(
        routes=[
            Route("/", lambda _: RedirectResponse("/keys", 303)),
            Route("/alive", alive),
            Mount(ASSETS_PATH.rstrip("/"), StaticFiles(directory=ASSETS)),
            *(route for page in _PAGES for route in page(context).routes),
        ],
        exception_handlers={KeyfrontError: failed, HTTPException: missing},
    )
    return LocalOnly(Gate(app, known, read_only=read_only), browsers=True)
