"""A key, and what it signs for the applications behind the middlewares."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from socketserver import ThreadingMixIn
from typing import Any, Protocol
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest

from keyfront import Signer, SigningKey
from keyfront.core.keys import PublicKey

ID = "K2JCJMDEHXQW5F"


class Sign(Protocol):
    def __call__(self, url: str, **policy: Any) -> str: ...


@pytest.fixture(scope="session")
def key() -> SigningKey:
    return SigningKey.generate("ecdsa")


@pytest.fixture(scope="session")
def keys(key: SigningKey) -> Mapping[str, PublicKey]:
    return {ID: key.public_key}


@pytest.fixture(scope="session")
def signer(key: SigningKey) -> Signer:
    return Signer(ID, key)


@pytest.fixture(scope="session")
def sign(signer: Signer) -> Sign:
    """A URL, signed for an hour unless `policy` says otherwise."""

    def sign(url: str, **policy: Any) -> str:
        return signer.sign_url(url, **{"expires": timedelta(hours=1), **policy})

    return sign


@pytest.fixture(scope="session")
def cookies(signer: Signer) -> Callable[[str], str]:
    """A Cookie header that opens a resource for an hour."""

    def cookies(resource: str) -> str:
        made = signer.sign_cookies(resource, expires=timedelta(hours=1))
        return "; ".join(f"{name}={value}" for name, value in made.items())

    return cookies


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
        pass


class _Threaded(ThreadingMixIn, WSGIServer):
    daemon_threads = True


@pytest.fixture
def serve() -> Iterator[Callable[[Any], int]]:
    """A WSGI server of the standard library, which hands on no raw path: the port it answers on."""
    servers = []

    @contextmanager
    def running(app: Any) -> Iterator[int]:
        server = make_server("127.0.0.1", 0, app, server_class=_Threaded, handler_class=_Quiet)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def start(app: Any) -> int:
        context = running(app)
        port = context.__enter__()
        servers.append(context)
        return port

    yield start
    for context in servers:
        context.__exit__(None, None, None)


@pytest.fixture(scope="session")
def django_site() -> None:
    """Django, set up with one view that tells what it saw."""
    import django
    from django.conf import settings
    from django.http import HttpRequest, JsonResponse
    from django.urls import re_path

    def tell(request: HttpRequest) -> JsonResponse:
        scope = getattr(request, "scope", None)
        decision = scope["keyfront"] if scope else request.META["keyfront.decision"]
        seen = {"path": request.path, "query": request.META["QUERY_STRING"], "reason": decision and decision.reason}
        return JsonResponse(seen)

    settings.configure(
        ALLOWED_HOSTS=["*"], SECRET_KEY="of a test", ROOT_URLCONF=(re_path(".*", tell),), DEBUG=False, USE_TZ=True
    )
    django.setup()
