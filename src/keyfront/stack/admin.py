"""What the laptop's parts tell each other, under `/_keyfront/` at the endpoint: health, and what an edge has applied.

It is no part of CloudFront's API. It carries no secret and changes nothing but a distribution's status.
"""

from collections.abc import Callable, Mapping

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

PREFIX = "/_keyfront"


def application(applied: Callable[[str, Mapping[str, str]], None]) -> Starlette:
    """An ASGI app. `applied(edge, {distribution id: ETag})` is called with each edge's report."""

    async def health(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def report(request: Request) -> Response:
        try:
            etags = await request.json()
        except ValueError:
            etags = None
        if not isinstance(etags, dict) or not all(isinstance(etag, str) for etag in etags.values()):
            return JSONResponse({"error": "send a JSON object of distribution ids and ETags"}, status_code=400)
        applied(request.path_params["edge"], etags)
        return Response(status_code=204)

    return Starlette(
        routes=[
            Route(f"{PREFIX}/health", health),
            Route(f"{PREFIX}/edges/{{edge}}/applied", report, methods=["POST"]),
        ]
    )
