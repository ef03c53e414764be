"""The origin of a `CloudFront`: a web server for the files of its distributions."""

import hashlib
import mimetypes
from collections.abc import Mapping

from keyfront.web.types import ASGIApp, Receive, Scope, Send


class Files:
    """Contents by path. A path begins with the distribution's own prefix."""

    def __init__(self) -> None:
        self._contents: dict[str, bytes] = {}

    def add(self, prefix: str, files: Mapping[str, bytes]) -> None:
        """Serve `files`, by their names, below `prefix`."""
        self._contents |= {f"{prefix}/{name.lstrip('/')}": content for name, content in files.items()}

    def clear(self) -> None:
        """Serve nothing any more."""
        self._contents.clear()

    def application(self) -> ASGIApp:
        """Return the application that serves them, to GET and HEAD."""

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            del receive
            if scope["type"] != "http":
                return
            content = self._contents.get(scope["path"])
            status, body, headers = 404, b"There is no such file.\n", {"content-type": "text/plain"}
            if content is not None:
                kind = mimetypes.guess_type(scope["path"])[0] or "application/octet-stream"
                status, body = 200, content
                headers = {"content-type": kind, "etag": f'"{hashlib.sha256(content).hexdigest()[:32]}"'}
            headers["content-length"] = str(len(body))
            pairs = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
            await send({"type": "http.response.start", "status": status, "headers": pairs})
            await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

        return app
