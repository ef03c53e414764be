"""FastAPI, Starlette and Flask: links from a configured signer, and cookies that arrive as they were made."""

import asyncio
import re
import time
import warnings
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi import Depends, FastAPI
from fastapi import Response as FastAPIResponse
from flask import Flask, render_template_string
from flask import Response as FlaskResponse
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.responses import Response as StarletteResponse
from starlette.routing import Route
from tests.keys import shared_rsa

import keyfront.integrations.fastapi
import keyfront.integrations.flask
from keyfront import Signer, SigningKey, SigningWarning, Site, ViewerRequest, verify
from keyfront.core.cookies import NAMES
from keyfront.errors import InputError, ServiceError, URLError
from keyfront.integrations import aio

with warnings.catch_warnings():
    # Starlette 1.10 asks for httpx2 in place of httpx, and works with both.
    warnings.filterwarnings("ignore", message="Using `httpx`")
    from fastapi.testclient import TestClient
    from starlette.testclient import TestClient as StarletteClient

KEY_ID = "K2JCJMDEHXQW5F"
KEY = shared_rsa()
SITE = Site(Signer(KEY_ID, KEY), "media.example.com", aliases=["d111111abcdef8.cloudfront.net"])
MINUTE = timedelta(minutes=1)
COOKIES = SITE.sign_cookies("/members/*", expires=60 * MINUTE)  # made as the tests are collected, sent minutes later


def allowed(url: str, cookie: str = "") -> bool:
    return verify(ViewerRequest(url, cookie), {KEY_ID: KEY.public_key}, time.time()).allowed


def check(set_cookies: list[str], jar: dict[str, str]) -> None:
    """The headers are ours to the byte, and what the client kept opens the area."""
    assert set_cookies[:3] == COOKIES.set_cookie_headers(domain=".example.com", path="/", same_site="Lax")
    assert {line.partition("=")[0] for line in set_cookies[3:]} == set(NAMES) - set(COOKIES)
    assert all("=; " in line and "Max-Age=0" in line for line in set_cookies[3:])
    kept = {name: value for name, value in jar.items() if name in NAMES}
    assert kept == dict(COOKIES)
    header = "; ".join(f"{name}={value}" for name, value in kept.items())
    assert allowed("https://media.example.com/members/1.mp4", header)


def fastapi_app(site: Site = SITE) -> FastAPI:
    app = FastAPI()
    keyfront.integrations.fastapi.install(app, site)
    SiteOf = Annotated[Site, Depends(keyfront.integrations.fastapi.get_site)]  # noqa: N806  a type

    @app.get("/link/{key:path}")
    async def link(key: str, site: SiteOf) -> str:
        return await site.sign_object_async(key, expires=MINUTE)

    @app.get("/threaded/{key:path}")
    def threaded(key: str, site: SiteOf) -> str:
        return site.sign_object(key, expires=MINUTE)

    @app.get("/in")
    async def sign_in(response: FastAPIResponse) -> str:
        keyfront.integrations.fastapi.set_signed_cookies(response, COOKIES, domain=".example.com", same_site="Lax")
        return "welcome"

    @app.get("/out")
    async def sign_out(response: FastAPIResponse) -> str:
        keyfront.integrations.fastapi.delete_signed_cookies(response, domain=".example.com")
        return "bye"

    return app


def test_fastapi_sets_and_deletes_cookies_as_they_are() -> None:
    with TestClient(fastapi_app(), base_url="https://www.example.com") as client:
        answer = client.get("/in")
        check(answer.headers.get_list("set-cookie"), dict(client.cookies))
        gone = client.get("/out").headers.get_list("set-cookie")
        assert [line.partition("=")[0] for line in gone] == list(NAMES)
        assert not client.cookies


@pytest.mark.parametrize("kind", ["link", "threaded"])
def test_fastapis_dependency_signs(kind: str) -> None:
    with TestClient(fastapi_app()) as client:
        url = client.get(f"/{kind}/videos/1.mp4").json()
    assert url.startswith("https://media.example.com/videos/1.mp4?Expires=")
    assert allowed(url)


class NoKey:
    """A keystore whose source is down."""

    def signer(self) -> Signer:
        raise ServiceError("SSM parameter /shop/key could not be read: ExpiredToken")

    async def signer_async(self) -> Signer:
        return self.signer()


def test_without_a_key_fastapi_answers_503_and_says_nothing_of_it() -> None:
    with TestClient(fastapi_app(Site(NoKey(), "media.example.com"))) as client:
        answer = client.get("/link/a")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "SSM" not in answer.text


def test_an_application_without_a_signer_says_what_to_do() -> None:
    app = FastAPI()

    @app.get("/")
    async def link(site: Annotated[Site, Depends(keyfront.integrations.fastapi.get_site)]) -> str:
        return site.base_url

    with TestClient(app) as client, pytest.raises(InputError, match="install"):
        client.get("/")
    with Flask("bare").app_context(), pytest.raises(InputError, match="init_app"):
        keyfront.integrations.flask.get_site()


def test_starlette_takes_the_same() -> None:
    async def sign_in(request: Request) -> StarletteResponse:
        site = keyfront.integrations.fastapi.get_site(request)
        response = PlainTextResponse(await site.sign_url_async("/a.mp4", expires=MINUTE))
        keyfront.integrations.fastapi.set_signed_cookies(response, COOKIES, domain=".example.com", same_site="Lax")
        return response

    app = Starlette(routes=[Route("/in", sign_in)])
    keyfront.integrations.fastapi.install(app, SITE)
    with StarletteClient(app, base_url="https://www.example.com") as client:
        answer = client.get("/in")
        assert allowed(answer.text)
        check(answer.headers.get_list("set-cookie"), dict(client.cookies))


def flask_app(**config: Any) -> Flask:
    app = Flask("shop")
    app.config.update(config)
    keyfront.integrations.flask.Keyfront(app, site=None if config else SITE)

    @app.get("/in")
    def sign_in() -> FlaskResponse:
        response = FlaskResponse("welcome")
        keyfront.integrations.flask.set_signed_cookies(response, COOKIES, domain=".example.com", same_site="Lax")
        return response

    @app.get("/out")
    def sign_out() -> FlaskResponse:
        response = FlaskResponse("bye")
        keyfront.integrations.flask.delete_signed_cookies(response, domain=".example.com")
        return response

    @app.get("/page")
    def page() -> str:
        return render_template_string("<a href='{{ signed_url('öl 1.mp4') }}'>{{ signed_url(url, '1m') }}</a>", url=URL)

    @app.get("/unset")
    def unset() -> str:
        return render_template_string("{{ signed_url(None) }}")

    @app.get("/link")
    def link() -> str:
        return keyfront.integrations.flask.get_site().sign_object("a.mp4", expires=MINUTE)

    return app


URL = "https://d111111abcdef8.cloudfront.net/a.mp4"


def test_flask_sets_and_deletes_cookies_as_they_are() -> None:
    client = flask_app().test_client()
    answer = client.get("/in", base_url="https://www.example.com")
    jar = {name: found.value for name in NAMES if (found := client.get_cookie(name, ".example.com"))}
    check(answer.headers.getlist("Set-Cookie"), jar)
    client.get("/out", base_url="https://www.example.com")
    assert not any(client.get_cookie(name, ".example.com") for name in NAMES)


def test_flasks_templates_sign_keys_and_urls() -> None:
    client = flask_app().test_client()
    found = re.fullmatch("<a href='(.*)'>(.*)</a>", client.get("/page").get_data(as_text=True).replace("&amp;", "&"))
    assert found
    assert allowed(found[1])
    assert allowed(found[2])
    lives = [int(parse_qs(urlsplit(url).query)["Expires"][0]) - time.time() for url in found.groups()]
    assert lives == [pytest.approx(3600, abs=5), pytest.approx(60, abs=5)]
    assert allowed(client.get("/link").get_data(as_text=True))


def test_a_template_without_a_key_says_so() -> None:
    app = flask_app()
    app.testing = True
    with pytest.raises(InputError, match="signed_url got None: give an object's key or a URL"):
        app.test_client().get("/unset")


def test_flask_is_configured_by_an_address(tmp_path: Any) -> None:
    private, _ = KEY.write(tmp_path)
    app = flask_app(KEYFRONT_SIGNER=f"file:{private}", KEYFRONT_DOMAIN="media.example.com", KEYFRONT_KEY_PAIR_ID=KEY_ID)
    assert allowed(app.test_client().get("/link").get_data(as_text=True))


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({"KEYFRONT_DOMAIN": "media.example.com"}, "KEYFRONT_SIGNER is not set"),
        ({"KEYFRONT_SIGNER": "file:key.json"}, "KEYFRONT_DOMAIN is not set"),
        ({"KEYFRONT_SIGNER": "key.json", "KEYFRONT_DOMAIN": "a"}, "address"),
        (
            {"KEYFRONT_SIGNER": "file:k.pem", "KEYFRONT_DOMAIN": "a", "KEYFRONT_KEY_PAIR_ID": "E1ABCDEFGHIJKL"},
            "the id of a distribution",
        ),
        (
            {"KEYFRONT_SIGNER": "env:NO_KEY", "KEYFRONT_DOMAIN": "a", "KEYFRONT_KEY_PAIR_ID": "AKIAIOSFODNN7EXAMPLE"},
            "KEYFRONT_KEY_PAIR_ID",
        ),
        ({"KEYFRONT_LIFETIME": "an hour"}, "KEYFRONT_LIFETIME is 'an hour'"),
        ({"KEYFRONT_MAX_LIFETIME": True}, "KEYFRONT_MAX_LIFETIME is True"),
        ({"KEYFRONT_MAX_LIFETIME": 600}, "KEYFRONT_LIFETIME is 1:00:00, but KEYFRONT_MAX_LIFETIME is 0:10:00"),
    ],
)
def test_what_flasks_configuration_lacks_is_told(config: dict[str, str], text: str) -> None:
    with pytest.raises(InputError, match=text):
        flask_app(**config)


def test_flask_finds_what_breaks_the_first_link_when_it_starts(tmp_path: Path) -> None:
    private, _ = KEY.write(tmp_path)
    fine = {"KEYFRONT_SIGNER": f"file:{private}", "KEYFRONT_DOMAIN": "media.example.com"}
    with pytest.raises(InputError, match="KEYFRONT_KEY_PAIR_ID is not set: set it to the id that `keyfront keys list`"):
        flask_app(**fine)
    with pytest.raises(ServiceError, match=r"missing\.pem cannot be read: No such file"):
        flask_app(**fine | {"KEYFRONT_SIGNER": f"file:{tmp_path}/missing.pem", "KEYFRONT_KEY_PAIR_ID": KEY_ID})
    with pytest.warns(SigningWarning, match="lives for 30 days"):
        flask_app(**fine, KEYFRONT_KEY_PAIR_ID=KEY_ID, KEYFRONT_LIFETIME="30d")
    private.chmod(0o644)
    with pytest.raises(InputError, match=r"has mode 0644.*chmod 600"):
        flask_app(**fine, KEYFRONT_KEY_PAIR_ID=KEY_ID)


@pytest.mark.parametrize("url", ["https://media.example.org/a", "https://media.example.com:8443/a"])
def test_a_site_signs_no_other_host(url: str) -> None:
    for sign in (SITE.sign_url, SITE.sign_cookies):
        with pytest.raises(URLError, match="host-differs"):
            sign(url, expires=MINUTE)


@pytest.mark.parametrize("algorithm", ["rsa", "ecdsa"])
def test_coroutines_sign_what_everybody_signs(algorithm: Any) -> None:
    key = SigningKey.generate(algorithm)
    signer = Signer(KEY_ID, key)

    async def sign() -> list[str]:
        cookies = await aio.sign_cookies(signer, "https://media.example.com/a*", expires=MINUTE)
        made = [
            await aio.sign_url(signer, URL, expires=MINUTE),
            await aio.sign_object(signer, "a b", domain="media.example.com", expires=MINUTE),
        ]
        header = "; ".join(f"{name}={value}" for name, value in cookies.items())
        assert verify(
            ViewerRequest("https://media.example.com/a", header), {KEY_ID: key.public_key}, time.time()
        ).allowed
        return made

    for url in asyncio.run(sign()):
        assert verify(ViewerRequest(url), {KEY_ID: key.public_key}, time.time()).allowed


class Held:
    """A key that signs only once the event loop has gone on: it would wait forever in the loop itself."""

    algorithm = "rsa"
    public_key = KEY.public_key

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def sign(self, data: bytes, hash_algorithm: Any) -> bytes:
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0), self._loop).result(10)
        return KEY.sign(data, hash_algorithm)


def test_the_event_loop_goes_on_while_rsa_signs() -> None:
    async def sign() -> str:
        signer = Signer(KEY_ID, Held(asyncio.get_running_loop()))  # type: ignore[arg-type]
        return await aio.sign_url(signer, URL, expires=MINUTE)

    assert allowed(asyncio.run(sign()))
