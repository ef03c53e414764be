"""CloudFront's access check for WSGI applications: Flask, Django and others."""

import time
from collections.abc import Callable, Iterable
from typing import Any

from keyfront.core.urls import without_signing_parameters
from keyfront.core.verification import error_body
from keyfront.integrations.middleware.protection import Asked, Protection
from keyfront.integrations.middleware.targets import RewrittenPathError, SentPath, sent_path
from keyfront.integrations.middleware.trust import Keys

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
WSGIApp = Callable[[Environ, StartResponse], Iterable[bytes]]

_RAW_TARGETS = ("REQUEST_URI", "RAW_URI")
"""Servers' names for the raw request target: mod_wsgi, uWSGI, Werkzeug, Waitress; Gunicorn."""


class TrustedKeyGroups:
    """Lets a request through to `app` only if CloudFront would: signed by a trusted key, for this URL, not expired.

    The application does not see the signing parameters; other parameters keep their order and bytes.
    `environ["keyfront.decision"]` is the `Decision`, or `None` for a public path.

    WSGI guarantees only the decoded path. If the server also gives `REQUEST_URI` or `RAW_URI`, that is checked. If it
    gives neither, a protected path is let in only if it consists of unreserved characters (letters, digits, `-._~`) and
    slashes. Any other character may have been sent in more than one way, so it is refused.
    """

    def __init__(
        self,
        app: WSGIApp,
        keys: Keys | Callable[[], Keys],
        protect: Iterable[str] = ("*",),
        *,
        public: Iterable[str] = (),
        public_url: str | None = None,
        on_refused: WSGIApp | None = None,
        ignore_case: bool | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Protect `app`. Arguments as in `middleware.asgi.TrustedKeyGroups`; `on_refused` is a WSGI application."""
        self._app = app
        self._protection = Protection(keys, protect, public, public_url, clock, ignore_case=ignore_case)
        self._on_refused = on_refused

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        decision = self._protection.judge(_asked(environ))
        judged = {**environ, "keyfront.decision": decision}
        if decision is None:
            return self._app(judged, start_response)
        if decision.allowed:
            judged["QUERY_STRING"] = without_signing_parameters(environ.get("QUERY_STRING", ""))
            for name in _RAW_TARGETS:
                if name in judged:
                    judged[name] = _without_signature(judged[name])
            return self._app(judged, start_response)
        if self._on_refused is not None:
            return self._on_refused(judged, start_response)
        body = error_body(decision.code or "AccessDenied", decision.message or "Access denied")
        start_response("403 Forbidden", [("Content-Type", "text/xml"), ("Content-Length", str(len(body)))])
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]


def _asked(environ: Environ) -> Asked:
    return Asked(
        scheme=environ["wsgi.url_scheme"],
        host=environ.get("HTTP_HOST", ""),
        path=_path(environ),
        query=environ.get("QUERY_STRING", ""),
        cookie=environ.get("HTTP_COOKIE", ""),
        ip=environ.get("REMOTE_ADDR", ""),
    )


def _path(environ: Environ) -> SentPath | None:
    mount = environ.get("SCRIPT_NAME", "").rstrip("/")
    raw = next((environ[name] for name in _RAW_TARGETS if environ.get(name)), None)
    path = mount + environ.get("PATH_INFO", "") or "/"
    try:
        return sent_path(
            None if raw is None else raw.encode("latin-1"), path, mount, lambda data: data.decode("latin-1")
        )
    except (RewrittenPathError, UnicodeEncodeError):
        return None


def _without_signature(target: str) -> str:
    path, mark, query = target.partition("?")
    own = without_signing_parameters(query)
    return f"{path}{mark}{own}" if own else path
