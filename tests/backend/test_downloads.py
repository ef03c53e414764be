"""The download over HTTP: 303 to a link that verifies, or a refusal that says why."""

import json
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx
import pytest
from joserfc.jwk import RSAKey
from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.routing import Mount
from tests.backend.conftest import ITEMS, KEY_PAIR_ID, MARA, Issuer
from tests.backend.postgres import Postgres

from keyfront.backend import Customer, Item, Settings, connect, create_app, seed
from keyfront.core.keys import SigningKey
from keyfront.core.verification import ViewerRequest, verify
from keyfront.errors import InputError
from keyfront.keystore import KeyFile, KeyStore
from keyfront.web.types import ASGIApp

Serve = Callable[[ASGIApp], AbstractContextManager[httpx.Client]]


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def verifies(url: str, key: SigningKey, now: float) -> bool:
    return verify(ViewerRequest(url), {KEY_PAIR_ID: key.public_key}, now).allowed


def expires_of(url: str) -> int:
    query = dict(part.split("=", 1) for part in urlsplit(url).query.split("&"))
    return int(query["Expires"])


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_buyer_is_sent_to_a_link_that_verifies_for_a_minute(
    method: str, client: httpx.Client, issuer: Issuer, signing_key: SigningKey
) -> None:
    answer = client.request(method, "/download/lamps", headers=bearer(issuer.token()))
    assert answer.status_code == 303
    assert answer.content == b""
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    url = answer.headers["location"]
    assert url.startswith("https://d111111abcdef8.cloudfront.net/lamps.epub?")
    end = expires_of(url)
    assert verifies(url, signing_key, end - 1)
    assert verifies(url, signing_key, end - 59)
    assert not verifies(url, signing_key, end)


def test_a_key_with_spaces_and_unicode_is_encoded_as_s3_reads_it(
    client: httpx.Client, issuer: Issuer, signing_key: SigningKey
) -> None:
    url = client.get("/download/guide", headers=bearer(issuer.token())).headers["location"]
    path = urlsplit(url).path
    assert path == "/guides/F%C3%BC%C3%9Fe%20%26%20%E7%81%AF%20%2B%20100%25%2A.pdf"
    assert unquote(path)[1:] == next(item.key for item in ITEMS if item.id == "guide")
    assert verifies(url, signing_key, expires_of(url) - 1)


def test_a_link_as_json(client: httpx.Client, issuer: Issuer, signing_key: SigningKey) -> None:
    answer = client.post("/api/links", json={"item": "lamps"}, headers=bearer(issuer.token()))
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert set(body) == {"item", "url", "expires", "expires_at"}
    assert body["item"] == "lamps"
    assert body["expires"] == expires_of(body["url"])
    assert verifies(body["url"], signing_key, body["expires"] - 1)
    assert body["expires_at"].endswith("Z")


def test_the_life_of_a_link_is_a_setting(
    engine: Engine, keystore: KeyStore, issuer: Issuer, settings: Settings, serve: Serve
) -> None:
    short = Settings("http://localhost:10001", "ssm:/p", link_seconds=7, tokens=settings.tokens)
    present = int(time.time())
    app = create_app(short, engine=engine, keystore=keystore, now=lambda: present + 0.25)
    token = issuer.token(iat=present - 1000, exp=present + 1000)
    with serve(app) as client:
        url = client.get("/download/lamps", headers=bearer(token)).headers["location"]
    assert url.startswith(f"http://localhost:10001/lamps.epub?Expires={present + 8}&")


def test_nobody_is_asked_to_sign_in(client: httpx.Client) -> None:
    answer = client.get("/download/lamps")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="downloads"'
    assert answer.json()["error"] == "sign_in_needed"


def test_what_was_not_bought_is_refused_and_no_link_is_made(client: httpx.Client, issuer: Issuer) -> None:
    answer = client.get("/download/lamps", headers=bearer(issuer.token(sub="tomas")))
    assert answer.status_code == 403
    assert answer.json()["error"] == "not_bought"
    assert "location" not in answer.headers
    assert "Signature" not in answer.text


def test_a_customer_whom_the_database_does_not_know_has_bought_nothing(client: httpx.Client, issuer: Issuer) -> None:
    assert client.get("/download/lamps", headers=bearer(issuer.token(sub="stranger"))).status_code == 403


@pytest.mark.parametrize(
    "item", ["nothing", "%00", "..%2f..%2fetc", "lamps%27--", "%ed%a0%80", "l" * 4000, "lamps%20", "LAMPS"]
)
def test_an_unknown_item_is_404_for_whoever_is_signed_in(item: str, client: httpx.Client, issuer: Issuer) -> None:
    answer = client.get(f"/download/{item}", headers=bearer(issuer.token()))
    assert answer.status_code == 404
    assert answer.json()["error"] in ("no_such_item", "no_such_page")


def test_an_unknown_item_is_401_for_whoever_is_not(client: httpx.Client) -> None:
    assert client.get("/download/nothing").status_code == 401


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"{}", "application/json", 400),
        (b'{"item": 7}', "application/json", 400),
        (b'{"item": ["lamps"]}', "application/json; charset=utf-8", 400),
        (b"[" * 50_000, "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b'{"item": "nothing"}', "application/json", 404),
        (b'{"item": "\\ud800"}', "application/json", 404),
        (b"item=lamps", "application/x-www-form-urlencoded", 415),
        (b'{"item": "lamps"}', "text/plain", 415),
        (b'{"item": "' + b"x" * 70_000 + b'"}', "application/json", 413),
    ],
)
def test_a_body_that_asks_for_nothing_gets_a_clear_answer(
    content: bytes, content_type: str, status: int, client: httpx.Client, issuer: Issuer
) -> None:
    headers = bearer(issuer.token()) | {"Content-Type": content_type}
    answer = client.post("/api/links", content=content, headers=headers)
    assert answer.status_code == status
    assert set(answer.json()) == {"error", "message"}


@pytest.mark.parametrize(
    ("accept", "page"),
    [
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", True),
        ("text/html", True),
        ("text/*", True),
        ("*/*", False),
        ("application/json", False),
        ("application/json, text/html;q=0.5", False),
        ("text/html;q=0", False),
        ("text/html;q=nonsense", False),
        ("", False),
    ],
)
def test_a_refusal_is_a_page_or_json_by_the_accept_header(accept: str, page: bool, client: httpx.Client) -> None:
    answer = client.get("/download/lamps", headers={"Accept": accept})
    assert answer.status_code == 401
    assert "Accept" in answer.headers["vary"]
    assert answer.headers["content-type"] == ("text/html; charset=utf-8" if page else "application/json")
    assert ("Please sign in first" in answer.text) == page


def test_every_answer_carries_the_security_headers(client: httpx.Client, issuer: Issuer) -> None:
    for answer in (
        client.get("/healthz"),
        client.get("/download/lamps"),
        client.get("/download/lamps", headers=bearer(issuer.token())),
        client.get("/nowhere"),
    ):
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] in ("no-store", "no-cache")


def test_a_wrong_method_is_405(client: httpx.Client) -> None:
    answer = client.delete("/download/lamps")
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}
    assert answer.json()["error"] == "method_not_allowed"


def test_the_redirect_leads_to_the_distribution_whatever_the_request_says(client: httpx.Client, issuer: Issuer) -> None:
    headers = bearer(issuer.token()) | {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    answer = client.get("/download/lamps?next=//evil.example&url=http://evil.example/", headers=headers)
    assert urlsplit(answer.headers["location"]).netloc == "d111111abcdef8.cloudfront.net"
    for path in ("//evil.example/%2e%2e", "/download/lamps/", "/download//evil.example/", "/assets", "/healthz/"):
        answer = client.get(f"{str(client.base_url).rstrip('/')}{path}", headers=headers)
        assert answer.status_code == 404
        assert "location" not in answer.headers


def test_the_laptops_shop_is_not_there(client: httpx.Client) -> None:
    for path in ("/", "/sign-in", "/library", "/items/lamps", "/refused", "/assets/shop.css"):
        assert client.get(path).status_code == 404
    assert client.post("/sign-in", data={"customer": "mara"}).status_code == 404
    assert client.post("/items/lamps/buy").status_code == 404
    environment = {
        "CLOUDFRONT_DOMAIN": "d1.cloudfront.net",
        "PRIVATE_KEY_PARAMETER": "/p",
        "DEMO": "1",
        "KEYFRONT_DEMO": "true",
    }
    with pytest.raises(InputError, match="there is no way to identify customers: set JWKS_URL"):
        create_app(Settings.from_environment(environment))


def test_the_service_answers_below_the_path_where_another_application_mounts_it(
    app: ASGIApp, issuer: Issuer, serve: Serve
) -> None:
    with serve(Starlette(routes=[Mount("/shop", app)])) as client:
        assert client.get("/shop/download/lamps", headers=bearer(issuer.token())).status_code == 303
        assert client.get("/shop/healthz").json() == {"status": "ok"}
        assert client.get("/shop/shop/healthz").json()["error"] == "no_such_page"


def test_a_public_key_in_the_settings_does_without_a_key_set(
    engine: Engine, keystore: KeyStore, issuer: Issuer, serve: Serve
) -> None:
    settings = Settings.from_environment(
        {
            "CLOUDFRONT_DOMAIN": "d1.cloudfront.net",
            "PRIVATE_KEY_PARAMETER": "/p",
            "JWT_KEY": issuer.keys["one"].as_pem(private=False).decode().replace("\n", "\\n"),
            "JWT_ISSUER": "https://login.example.com/",
            "JWT_AUDIENCE": "other, shop",
        }
    )
    with serve(create_app(settings, engine=engine, keystore=keystore)) as client:
        assert client.get("/download/lamps", headers=bearer(issuer.token())).status_code == 303
        forged = issuer.token(key=RSAKey.generate_key(2048))
        assert client.get("/download/lamps", headers=bearer(forged)).status_code == 401
    assert issuer.asked == 0


def test_a_hundred_buyers_at_once_cost_one_fetch_of_the_key_and_one_of_the_key_set(
    settings: Settings, engine: Engine, signing_key: SigningKey, issuer: Issuer, serve: Serve
) -> None:
    class Counted:
        name = "the counted key"
        calls = 0

        def read(self) -> str:
            self.calls += 1
            return signing_key.pem()

    source = Counted()
    app = create_app(settings, engine=engine, keystore=KeyStore(source, KEY_PAIR_ID))
    headers = bearer(issuer.token())
    with serve(app) as client, ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: client.get("/download/lamps", headers=headers), range(100)))
    assert {answer.status_code for answer in answers} == {303}
    assert source.calls == 1
    assert issuer.asked == 1


def test_no_key_is_503_that_says_nothing_and_a_log_line_that_says_all(
    settings: Settings,
    engine: Engine,
    issuer: Issuer,
    serve: Serve,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = create_app(settings, engine=engine, keystore=KeyStore(KeyFile(tmp_path / "gone.pem"), "KONE"))
    with serve(app) as client:
        answer = client.get("/download/lamps", headers=bearer(issuer.token()))
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "5"
        assert "gone.pem" not in answer.text
        assert client.get("/healthz").json() == {"status": "ok"}
        ready = client.get("/readyz")
    assert (ready.status_code, ready.json()) == (
        503,
        {"status": "unavailable", "database": True, "key": False, "tokens": True},
    )
    assert "gone.pem cannot be read: No such file" in caplog.text


def test_a_parameter_without_a_key_is_500_and_a_log_line(
    settings: Settings, engine: Engine, issuer: Issuer, serve: Serve, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "key.pem").write_text("MARKERsecret")
    (tmp_path / "key.pem").chmod(0o600)
    app = create_app(settings, engine=engine, keystore=KeyStore(KeyFile(tmp_path / "key.pem"), "KONE"))
    with serve(app) as client:
        answer = client.get("/download/lamps", headers=bearer(issuer.token()))
    assert (answer.status_code, answer.json()["error"]) == (500, "broken")
    assert "holds no usable private key" in caplog.text
    assert "MARKER" not in caplog.text + answer.text


def test_a_bug_is_a_500_without_a_traceback_in_the_answer(
    settings: Settings, engine: Engine, keystore: KeyStore, issuer: Issuer, serve: Serve
) -> None:
    class Buggy:
        async def identify(self, _: object) -> Customer | None:
            raise ZeroDivisionError("MARKER")

    app = create_app(settings, engine=engine, keystore=keystore, identities=[Buggy()])
    with serve(app) as client:
        answer = client.get("/download/lamps")
    assert (answer.status_code, answer.json()["error"]) == (500, "broken")
    assert "MARKER" not in answer.text


def test_a_database_that_is_down_is_503_and_comes_back(
    settings: Settings,
    keystore: KeyStore,
    issuer: Issuer,
    serve: Serve,
    postgres: Postgres,
    caplog: pytest.LogCaptureFixture,
) -> None:
    engine = connect(postgres.url)
    seed(engine, ITEMS, (MARA,), [("mara", "lamps")])
    headers = bearer(issuer.token())
    with serve(create_app(settings, engine=engine, keystore=keystore)) as client:
        assert client.get("/download/lamps", headers=headers).status_code == 303
        assert client.get("/readyz").json() == {"status": "ok", "database": True, "key": True, "tokens": True}
        postgres.stop()
        try:
            answer = client.get("/download/lamps", headers=headers)
            ready = client.get("/readyz")
        finally:
            postgres.start()
        assert (answer.status_code, answer.json()["error"]) == (503, "unavailable")
        assert ready.json()["database"] is False
        assert client.get("/download/lamps", headers=headers).status_code == 303
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert errors
    assert all("\n" not in record.getMessage() and record.exc_info is None for record in errors)
    engine.dispose()


def test_a_database_that_was_never_there_is_503(
    settings: Settings, keystore: KeyStore, issuer: Issuer, serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    engine = connect("postgresql://shop:MARKERsecret@127.0.0.1:1/shop")
    with serve(create_app(settings, engine=engine, keystore=keystore)) as client:
        answer = client.get("/download/lamps", headers=bearer(issuer.token()))
    assert answer.status_code == 503
    assert "the purchases database did not answer: OperationalError" in caplog.text
    assert "MARKER" not in caplog.text + answer.text


def test_the_log_tells_who_got_what_and_holds_no_link_and_no_token(
    client: httpx.Client, issuer: Issuer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "keyfront")
    token = issuer.token()
    url = client.get("/download/lamps", headers=bearer(token)).headers["location"]
    client.get("/download/lamps", headers=bearer(token + "x"))
    client.get("/download/lamps", headers=bearer(issuer.token(sub="tomas")))
    assert "link: customer 'mara', item 'lamps', for 60 s" in caplog.text
    assert "refused: customer 'tomas' has not bought item 'lamps'" in caplog.text
    signature = url.partition("Signature=")[2].partition("&")[0]
    for secret in (signature, token, token.split(".")[2]):
        assert secret not in caplog.text


def test_an_item_whose_row_was_spoilt_is_500_and_not_a_link(
    settings: Settings, keystore: KeyStore, engine: Engine, issuer: Issuer, serve: Serve
) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE items SET key = '../secret' WHERE id = 'lamps'")
    with serve(create_app(settings, engine=engine, keystore=keystore)) as client:
        answer = client.get("/download/lamps", headers=bearer(issuer.token()))
    assert (answer.status_code, json.loads(answer.text)["error"]) == (500, "broken")


def test_an_item_added_while_the_service_runs_is_there(client: httpx.Client, engine: Engine, issuer: Issuer) -> None:
    headers = bearer(issuer.token())
    assert client.get("/download/new", headers=headers).status_code == 404
    seed(engine, [Item("new", "New", "new.bin")], [], [("mara", "new")])
    assert client.get("/download/new", headers=headers).status_code == 303
