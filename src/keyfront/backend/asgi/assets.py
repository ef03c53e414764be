"""What pages refer to: the stylesheet, over ASGI."""

import hashlib

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keyfront.backend.service.pages import STYLESHEET


def stylesheet() -> Route:
    """Answers at `/assets/shop.css`.

    Browsers keep it, and ask for it again each time: a new version is never half seen. It is read here, because to
    serve it from the file would need a thread for each request.
    """
    style = STYLESHEET.read_bytes()
    headers = {"Cache-Control": "no-cache", "ETag": f'"{hashlib.sha256(style).hexdigest()[:32]}"'}

    async def answer(request: Request) -> Response:
        known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
        if headers["ETag"] in known:
            return Response(status_code=304, headers=headers)
        return Response(style, headers=headers, media_type="text/css")

    return Route("/assets/shop.css", answer, name="assets")
