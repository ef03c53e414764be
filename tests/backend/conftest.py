"""A shop with real parts: HTTP over sockets, SQLite and PostgreSQL, an issuer of tokens, a key in a file."""

import json
import os
import shutil
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, Key, RSAKey
from joserfc.jws import JWSRegistry
from sqlalchemy import Engine
from tests.backend.postgres import Postgres
from tests.servers import Quiet, event_loop, http_server

from keyfront.backend import Customer, Item, Settings, TokenSettings, connect, create_app, seed
from keyfront.core.keys import SigningKey
from keyfront.keystore import KeyFile, KeyStore
from keyfront.web.types import ASGIApp

ISSUER = "https://login.example.com/"
AUDIENCE = "shop"
KEY_PAIR_ID = "K2JCJMDEHXQW5F"

ITEMS = (
    Item("lamps", "The Keeper of Small Lights", "lamps.epub", "book", "Hanne Tolliver", "A story.", 95_000, 650),
    Item("guide", "Harbour Lights", "guides/Füße & 灯 + 100%*.pdf", "document", "", "A guide.", 31_000, 400),
    Item("waltz", "Night Watch", "night watch.flac", "audio", "Skerrow Music Box", "", 774_000, 0),
)
MARA = Customer("mara", "Mara Lindqvist", "mara@example.com")
TOMAS = Customer("tomas", "Tomas Okafor", "tomas@example.com")
BOUGHT = (("mara", "lamps"), ("mara", "guide"), ("tomas", "guide"))


@cache
def made(kid: str) -> RSAKey:
    """A key of that id, made once: it takes a tenth of a second."""
    return RSAKey.generate_key(2048, {"kid": kid})


@dataclass
class Issuer:
    """Somebody who signs tokens and publishes keys over HTTP."""

    url: str = ""
    keys: dict[str, RSAKey | ECKey] = field(default_factory=dict)
    published: list[dict[str, Any]] = field(default_factory=list)
    asked: int = 0
    status: int = 200
    body: bytes | None = None
    gate: threading.Event = field(default_factory=threading.Event)
    now: Callable[[], float] = time.time

    def publish(self, *kids: str) -> None:
        """Publish these keys and no others; new ones are made."""
        for kid in kids:
            self.keys.setdefault(kid, made(kid))
        self.published = [dict(self.keys[kid].as_dict(private=False)) for kid in kids]

    def pem(self, kid: str = "one") -> str:
        """The public half of a key."""
        return self.keys[kid].as_pem(private=False).decode()

    def token(
        self, kid: str = "one", *, header: dict[str, Any] | None = None, key: Key | None = None, **claims: Any
    ) -> str:
        """A token for Mara that counts, but for what is said otherwise; a claim of `None` is left out."""
        now = int(self.now())
        content = {"iss": ISSUER, "aud": AUDIENCE, "sub": "mara", "iat": now, "exp": now + 300} | claims
        given = {name: value for name, value in content.items() if value is not None}
        head = {"alg": "RS256", "kid": kid} | (header or {})
        head = {name: value for name, value in head.items() if value is not None}
        registry = JWSRegistry(algorithms=[head["alg"]], strict_check_header=False)
        with warnings.catch_warnings():
            # EdDSA has another name now, and is still what issuers write.
            warnings.simplefilter("ignore", SecurityWarning)
            return jwt.encode(head, given, key or self.keys[kid], registry=registry)


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    issuer = Issuer()
    issuer.gate.set()
    issuer.publish("one")

    class Handler(Quiet):
        def do_GET(self) -> None:
            issuer.asked += 1
            assert issuer.gate.wait(30)
            body = issuer.body if issuer.body is not None else json.dumps({"keys": issuer.published}).encode()
            headers = {"Location": "/elsewhere"} if issuer.status == 302 else {}
            self.answer(issuer.status, body, **headers)

    with http_server(Handler) as port:
        issuer.url = f"http://127.0.0.1:{port}/jwks.json"
        yield issuer
        issuer.gate.set()


@pytest.fixture(scope="session")
def signing_key() -> SigningKey:
    return SigningKey.generate("ecdsa")


@pytest.fixture
def keystore(signing_key: SigningKey, tmp_path: Path) -> KeyStore:
    private, _ = signing_key.write(tmp_path / "key")
    return KeyStore(KeyFile(private), KEY_PAIR_ID)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = connect(f"sqlite:///{tmp_path}/shop.db")
    seed(engine, ITEMS, (MARA, TOMAS), BOUGHT)
    yield engine
    engine.dispose()


@pytest.fixture
def settings(issuer: Issuer) -> Settings:
    tokens = TokenSettings(ISSUER, (AUDIENCE,), jwks_url=issuer.url)
    return Settings("d111111abcdef8.cloudfront.net", "ssm:/shop/key", KEY_PAIR_ID, tokens=tokens)


@pytest.fixture
def app(settings: Settings, engine: Engine, keystore: KeyStore) -> ASGIApp:
    """The service as it is deployed."""
    return create_app(settings, engine=engine, keystore=keystore)


@contextmanager
def serving(app: ASGIApp) -> Iterator[httpx.Client]:
    """A client of `app`, which answers on a socket until the end of the block. It follows no redirects."""
    with event_loop() as loop:
        listener = loop.listen(app)
        with httpx.Client(
            base_url=f"http://127.0.0.1:{listener.port}", timeout=60, trust_env=False, verify=False
        ) as client:
            yield client
        loop.run(listener.stop())


@pytest.fixture
def serve() -> Callable[[ASGIApp], AbstractContextManager[httpx.Client]]:
    return serving


@pytest.fixture
def client(app: ASGIApp) -> Iterator[httpx.Client]:
    with serving(app) as client:
        yield client


@pytest.fixture(scope="session")
def postgres_server(postgresql: Path) -> Iterator[Postgres]:
    # Not below pytest's own directory, which another user cannot enter.
    with tempfile.TemporaryDirectory(prefix="keyfront-pg-") as name:
        directory = Path(name)
        server = Postgres(postgresql, directory)
        if os.geteuid() == 0:
            shutil.chown(directory, "postgres", "postgres")
        server.create()
        server.start()
        yield server
        server.stop()


@pytest.fixture
def postgres(postgres_server: Postgres) -> Postgres:
    """The server, running and without our tables."""
    postgres_server.empty()
    return postgres_server
