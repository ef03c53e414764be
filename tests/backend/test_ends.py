"""The service as it is deployed ends at SIGTERM: under load, and while what it asks never answers."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from tests.backend.conftest import BOUGHT, ISSUER, ITEMS, MARA, TOMAS, Issuer
from tests.backend.deployment import Running, deployed, of_unit, wait_until_closed
from tests.waiting import wait_until

from keyfront.backend import connect, seed
from keyfront.core.keys import SigningKey

_HANGS = """
import pathlib, time

def asked(customer, item):
    pathlib.Path(__file__).with_name("asked").touch()
    time.sleep(3600)
"""


_WAITS = """
import pathlib, time, uuid

def asked(customer, item):
    here = pathlib.Path(__file__).parent
    (here / f"asked-{uuid.uuid4()}").touch()
    while not (here / "go").exists():
        time.sleep(0.01)
    return True
"""


@contextmanager
def serving(
    folder: Path, signing_key: SigningKey, issuer: Issuer, **variables: str
) -> Iterator[tuple[Running, httpx.Client]]:
    """The command of the systemd unit, and a client that downloads as Mara."""
    private, _ = signing_key.write(folder / "key")
    environment = {
        "CLOUDFRONT_DOMAIN": "d111111abcdef8.cloudfront.net",
        "SIGNER": f"file:{private}",
        "KEYPAIR_ID": "K2JCJMDEHXQW5F",
        "CHECK_KEY": "false",
        "JWT_KEY": issuer.pem(),
        "JWT_ISSUER": ISSUER,
        "JWT_AUDIENCE": "shop",
    }
    headers = {"Authorization": f"Bearer {issuer.token()}"}
    with (
        deployed(folder, environment | variables, of_unit()) as running,
        httpx.Client(base_url=running.url, headers=headers, timeout=30, trust_env=False) as client,
    ):
        yield running, client


def test_it_ends_under_load(tmp_path: Path, signing_key: SigningKey, issuer: Issuer) -> None:
    url = f"sqlite:///{tmp_path}/shop.db"
    engine = connect(url)
    seed(engine, ITEMS, (MARA, TOMAS), BOUGHT)
    engine.dispose()
    over = threading.Event()
    statuses: list[int] = []

    def download(client: httpx.Client) -> None:
        while not over.is_set():
            try:
                statuses.append(client.get("/download/lamps").status_code)
            except httpx.TransportError:
                over.wait(0.05)

    with serving(tmp_path, signing_key, issuer, DATABASE_URL=url) as (running, client), ThreadPoolExecutor(16) as pool:
        try:
            for _ in range(16):
                pool.submit(download, client)
            wait_until(lambda: len(statuses) > 100)
            assert running.stop() == 0
        finally:
            over.set()
    assert set(statuses) == {303}


def test_requests_under_way_are_answered_and_recorded(tmp_path: Path, signing_key: SigningKey, issuer: Issuer) -> None:
    (tmp_path / "sales.py").write_text(_WAITS)
    variables = {"KEYFRONT_ENTITLEMENTS": "sales:asked", "WAIT_SECONDS": "60", "WEB_CONCURRENCY": "2"}
    with serving(tmp_path, signing_key, issuer, **variables) as (running, client), ThreadPoolExecutor(5) as pool:
        answers = [pool.submit(client.get, "/download/lamps") for _ in range(4)]
        wait_until(lambda: len(list(tmp_path.glob("asked-*"))) == 4)
        stopping = pool.submit(running.stop)
        wait_until_closed(urlsplit(running.url).port or 0)
        assert not any(answer.done() for answer in answers)
        (tmp_path / "go").touch()
        assert [answer.result(30).status_code for answer in answers] == [303] * 4
        assert stopping.result(30) == 0
        recorded = [line for line in running.lines() if line["message"].startswith("link:")]
    assert [(line["customer"], line["item"]) for line in recorded] == [("mara", "lamps")] * 4


def test_it_ends_while_what_it_asks_never_answers(tmp_path: Path, signing_key: SigningKey, issuer: Issuer) -> None:
    (tmp_path / "sales.py").write_text(_HANGS)
    variables = {"KEYFRONT_ENTITLEMENTS": "sales:asked", "WAIT_SECONDS": "1"}
    with serving(tmp_path, signing_key, issuer, **variables) as (running, client), ThreadPoolExecutor(30) as pool:
        answers = [pool.submit(_status, client) for _ in range(30)]
        wait_until((tmp_path / "asked").exists)
        assert {answer.result(30) for answer in answers} == {503}
        assert running.stop() == 0


def _status(client: httpx.Client) -> int:
    return client.get("/download/lamps").status_code
