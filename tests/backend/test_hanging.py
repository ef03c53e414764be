"""Parts that accept a connection and never answer, or byte by byte: a request ends, and the next after it succeeds."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import Engine
from tests.backend.conftest import BOUGHT, ITEMS, KEY_PAIR_ID, MARA, TOMAS, Issuer
from tests.backend.postgres import Postgres
from tests.keystore.parts import Mode, Part, part
from tests.waiting import wait_until

from keyfront.backend import Settings, TokenSettings, connect, create_app, seed
from keyfront.core.keys import SigningKey
from keyfront.errors import ServiceError
from keyfront.keystore import KeyStore
from keyfront.web.types import ASGIApp

Serve = Callable[[ASGIApp], AbstractContextManager[httpx.Client]]

WAIT = 2
SLOWEST = WAIT + 8.0
"""The bound, and what a machine with other work needs beside it."""
HANGING: tuple[Mode, ...] = ("hangs", "trickles")


@contextmanager
def within(seconds: float = SLOWEST) -> Iterator[None]:
    begun = time.monotonic()
    yield
    assert time.monotonic() - begun < seconds


@contextmanager
def closing_pool(engine: Engine) -> Iterator[None]:
    yield
    # A thread that was given up may still wait for its connection.
    wait_until(lambda: engine.pool.checkedout() == 0)  # type: ignore[attr-defined]
    engine.dispose()


class Shop:
    """A client that downloads as Mara."""

    def __init__(self, client: httpx.Client, issuer: Issuer) -> None:
        self.client = client
        self._headers = {"Authorization": f"Bearer {issuer.token()}"}

    def download(self) -> httpx.Response:
        return self.client.get("/download/lamps", headers=self._headers)

    def refuses(self, *, hanging: str) -> None:
        """A download is 503 in time, the process is alive, and `/readyz` names what hangs."""
        with within():
            answer = self.download()
        assert (answer.status_code, answer.json()["error"]) == (503, "unavailable")
        assert answer.headers["retry-after"] == "5"
        with within(2):
            assert self.client.get("/healthz").status_code == 200
        with within():
            ready = self.client.get("/readyz")
        told = ready.json()
        assert ready.status_code == 503
        assert [name for name in ("database", "key", "tokens") if not told[name]] == [hanging]


@pytest.fixture
def database(postgres: Postgres) -> Iterator[Part]:
    """PostgreSQL behind a part, with the shop's tables."""
    engine = connect(postgres.url)
    seed(engine, ITEMS, (MARA, TOMAS), BOUGHT)
    engine.dispose()
    with part(str(postgres.folder / ".s.PGSQL.5432")) as made:
        yield made


@pytest.fixture
def shop(database: Part, settings: Settings, keystore: KeyStore, issuer: Issuer, serve: Serve) -> Iterator[Shop]:
    engine = connect(f"postgresql://postgres@127.0.0.1:{database.port}/postgres", seconds=WAIT)
    app = create_app(replace(settings, wait_seconds=WAIT), engine=engine, keystore=keystore)
    with serve(app) as client, closing_pool(engine):
        yield Shop(client, issuer)


@pytest.mark.parametrize("mode", HANGING)
@pytest.mark.parametrize("from_the_start", [True, False])
def test_postgresql_that_hangs_is_503_and_the_next_download_after_it_succeeds(
    mode: Mode, from_the_start: bool, shop: Shop, database: Part
) -> None:
    if not from_the_start:
        assert shop.download().status_code == 303
    database.mode = mode
    shop.refuses(hanging="database")
    database.mode = "answers"
    with within():
        assert shop.download().status_code == 303


def test_many_downloads_that_hang_leave_threads_and_connections_for_the_next(shop: Shop, database: Part) -> None:
    assert shop.download().status_code == 303
    database.mode = "hangs"
    with ThreadPoolExecutor(60) as pool, within(SLOWEST + 5):
        assert {answer.status_code for answer in pool.map(lambda _: shop.download(), range(60))} == {503}
    database.mode = "answers"
    with within():
        assert shop.download().status_code == 303


def test_a_postgresql_that_is_stopped_and_goes_on(
    postgres: Postgres, settings: Settings, keystore: KeyStore, issuer: Issuer, serve: Serve
) -> None:
    engine = connect(postgres.url, seconds=WAIT)
    seed(engine, ITEMS, (MARA, TOMAS), BOUGHT)
    app = create_app(replace(settings, wait_seconds=WAIT), engine=engine, keystore=keystore)
    with serve(app) as client, closing_pool(engine):
        shop = Shop(client, issuer)
        assert shop.download().status_code == 303
        with postgres.frozen():
            shop.refuses(hanging="database")
        with within():
            assert shop.download().status_code == 303


def test_a_postgresql_that_was_started_again_is_asked_again_at_once(
    postgres: Postgres, settings: Settings, keystore: KeyStore, issuer: Issuer, serve: Serve
) -> None:
    engine = connect(postgres.url)
    seed(engine, ITEMS, (MARA, TOMAS), BOUGHT)
    with serve(create_app(settings, engine=engine, keystore=keystore)) as client, closing_pool(engine):
        shop = Shop(client, issuer)
        with ThreadPoolExecutor(8) as pool:
            assert {answer.status_code for answer in pool.map(lambda _: shop.download(), range(40))} == {303}
        postgres.stop()
        assert shop.download().status_code == 503
        postgres.start()
        assert [shop.download().status_code for _ in range(20)] == [303] * 20


@pytest.fixture
def keys(issuer: Issuer) -> Iterator[Part]:
    """The issuer's key set behind a part."""
    with part(("127.0.0.1", urlsplit(issuer.url).port or 0)) as made:
        yield made


def behind(issuer: Issuer, keys: Part) -> TokenSettings:
    tokens = TokenSettings("https://login.example.com/", ("shop",), jwks_url=issuer.url)
    return replace(tokens, jwks_url=f"http://127.0.0.1:{keys.port}/jwks.json")


@pytest.mark.parametrize("mode", HANGING)
def test_an_issuer_that_hangs_is_503_and_the_next_download_after_it_succeeds(
    mode: Mode, keys: Part, engine: Engine, settings: Settings, keystore: KeyStore, issuer: Issuer, serve: Serve
) -> None:
    keys.mode = mode
    settings = replace(settings, tokens=behind(issuer, keys), wait_seconds=WAIT)
    with serve(create_app(settings, engine=engine, keystore=keystore)) as client:
        shop = Shop(client, issuer)
        shop.refuses(hanging="tokens")
        keys.mode = "answers"
        with within():
            assert shop.download().status_code == 303


class Source:
    """A key source that can be made to hang, as SSM may, until it is told to go on."""

    name = "the source"

    def __init__(self, url: str) -> None:
        self._url = url

    def read(self) -> str:
        try:
            return httpx.get(self._url, timeout=60, trust_env=False).text
        except httpx.HTTPError as error:
            raise ServiceError(f"the source could not be read: {type(error).__name__}") from None


@pytest.mark.parametrize("mode", HANGING)
def test_a_key_source_that_hangs_is_503_and_the_next_download_after_it_succeeds(
    mode: Mode, engine: Engine, settings: Settings, signing_key: SigningKey, issuer: Issuer, serve: Serve
) -> None:
    issuer_port = urlsplit(issuer.url).port or 0
    with part(("127.0.0.1", issuer_port)) as source:
        source.mode = mode
        store = KeyStore(Source(f"http://127.0.0.1:{source.port}/"), KEY_PAIR_ID, seconds=WAIT)
        tokens = TokenSettings("https://login.example.com/", ("shop",), public_key=issuer.pem())
        settings = replace(settings, tokens=tokens, wait_seconds=WAIT)
        with serve(create_app(settings, engine=engine, keystore=store)) as client:
            shop = Shop(client, issuer)
            shop.refuses(hanging="key")
            issuer.body = signing_key.pem().encode()
            source.mode = "answers"
            with within():
                assert shop.download().status_code == 303
