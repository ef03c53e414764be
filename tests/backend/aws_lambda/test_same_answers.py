"""The same request gets the same answer from the ASGI service and from the function's router, header by header."""

import asyncio
import json
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from sqlalchemy import Engine
from tests.keys import shared_rsa

from keyfront.backend import Customer, Item, Settings, TokenSettings, connect, create_app, seed
from keyfront.backend.aws_lambda.function import at_once, finished
from keyfront.backend.service.addresses import Service
from keyfront.backend.service.downloads import Downloads
from keyfront.backend.service.exchange import Fields, WholeRequest
from keyfront.backend.service.identity import BearerToken
from keyfront.backend.service.purchases import Purchases
from keyfront.backend.service.router import Router
from keyfront.backend.service.tokens import TokenChecker
from keyfront.keystore import KeyFile, KeyStore

SECRET = "0123456789abcdef0123456789abcdef"
NOW = float(int(time.time()))
SETTINGS = Settings(
    "media.example.com",
    "ssm:/shop/key",
    "K2JCJMDEHXQW5F",
    cookie_domain="example.com",
    tokens=TokenSettings("https://login.example.com/", ("shop",), secret=SECRET),
)
TOKEN = jwt.encode(
    {"alg": "HS256"},
    {"iss": "https://login.example.com/", "aud": "shop", "sub": "mara", "exp": int(NOW) + 900},
    OctKey.import_key(SECRET),
)
BEARER = {"authorization": f"Bearer {TOKEN}"}
PAGE = {"accept": "text/html"}
JSON = {"content-type": "application/json"}

REQUESTS: tuple[tuple[str, str, dict[str, str], bytes], ...] = (
    ("GET", "/download/lamps", BEARER, b""),
    ("HEAD", "/download/lamps", BEARER, b""),
    ("GET", "/open/lamps", BEARER, b""),
    ("GET", "/download/guide", BEARER, b""),
    ("GET", "/download/guide", BEARER | PAGE, b""),
    ("GET", "/download/nothing", BEARER, b""),
    ("GET", "/download/lamps/more", BEARER, b""),
    ("GET", "/download/", BEARER, b""),
    ("GET", "/download/lamps", {}, b""),
    ("GET", "/download/lamps", PAGE, b""),
    ("GET", "/download/lamps", {"authorization": "Basic x"}, b""),
    ("POST", "/api/links", BEARER | JSON, b'{"item": "lamps"}'),
    ("POST", "/api/links", BEARER | JSON, b"{"),
    ("POST", "/api/links", BEARER, b"item=lamps"),
    ("POST", "/api/links", BEARER | JSON, b'{"item": "' + b"x" * 70_000 + b'"}'),
    ("POST", "/api/links", {"sec-fetch-site": "cross-site"}, b""),
    ("POST", "/api/links", {"origin": ""}, b""),
    ("GET", "/api/links", {}, b""),
    ("DELETE", "/download/lamps", BEARER, b""),
    ("GET", "/healthz", {}, b""),
    ("GET", "/readyz", {}, b""),
    ("GET", "/nowhere", PAGE, b""),
)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = connect(f"sqlite:///{tmp_path_factory.mktemp('shop')}/shop.db")
    items = (Item("lamps", "Small Lights", "books/lamps.epub"), Item("guide", "Harbour Lights", "guide.pdf"))
    seed(engine, items, (Customer("mara", "Mara Lindqvist"),), (("mara", "lamps"),))
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def keystore(tmp_path_factory: pytest.TempPathFactory) -> KeyStore:
    # RSA: its signatures of the same policy are the same.
    private, _ = shared_rsa().write(Path(tmp_path_factory.mktemp("key")) / "key")
    return KeyStore(KeyFile(private), "K2JCJMDEHXQW5F", now=lambda: NOW)


@pytest.mark.parametrize(("method", "path", "headers", "body"), REQUESTS)
def test_a_request_gets_the_same_answer_through_both_faces(
    method: str, path: str, headers: dict[str, str], body: bytes, engine: Engine, keystore: KeyStore
) -> None:
    app = create_app(SETTINGS, engine=engine, keystore=keystore, now=lambda: NOW)

    async def over_asgi() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="https://api.example.com") as client:
            return await client.request(method, path, headers={"accept": "*/*"} | headers, content=body)

    assert SETTINGS.tokens is not None
    checker = TokenChecker(SETTINGS.tokens, clock=lambda: NOW, blocking=True)
    downloads = Downloads[WholeRequest](
        SETTINGS, keystore.signer, Purchases(engine), [BearerToken(checker)], lambda: NOW, at_once
    )
    fields = Fields([("host", "api.example.com"), *({"accept": "*/*"} | headers).items()])
    ours = finished(Router(Service(downloads).addresses).answer(WholeRequest(method, path, fields, body)))
    theirs = asyncio.run(over_asgi())
    assert ours.status == theirs.status_code
    assert theirs.content == (b"" if method == "HEAD" else ours.body)
    assert _comparable(ours.headers) == _comparable(theirs.headers.multi_items())
    if theirs.headers.get("content-type") == "application/json":
        assert json.loads(theirs.content)


def _comparable(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Without the length, which Lambda adds."""
    return sorted((name.lower(), value) for name, value in headers if name.lower() != "content-length")
