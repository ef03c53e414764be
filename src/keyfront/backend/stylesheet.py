"""What pages refer to: the stylesheet, over ASGI."""

import os
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope


class Assets(StaticFiles):
    """The stylesheet: kept by browsers, and asked for again each time, so that a new version is never half seen."""

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """The file, or 304."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["Cache-Control"] = "no-cache"
        return response


def assets() -> Assets:
    """For mounting at `/assets`."""
    return Assets(directory=Path(__file__).parent / "assets")
