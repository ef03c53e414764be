"""Through the laptop's edge: a signer found by boto3, and a browser that got its cookies from a framework."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from fastapi import FastAPI, Response
from flask import Flask, make_response
from playwright.sync_api import Browser
from werkzeug.serving import make_server

import keyfront
import keyfront.integrations.fastapi
import keyfront.integrations.flask
from keyfront import Signer, SigningKey, Site
from keyfront.errors import InputError, ServiceError
from keyfront.web.serving import Listener, bind

MINUTE = timedelta(minutes=1)
# Cookies know no ports: both the site and the distribution are below this name.
PARENT = "cloudfront.localhost"


@contextmanager
def fastapi_site(site: Site) -> Iterator[int]:
    app = FastAPI()
    keyfront.integrations.fastapi.install(app, site)

    @app.get("/in")
    async def sign_in(response: Response) -> str:
        cookies = await site.sign_cookies_async("/*", expires=MINUTE)
        keyfront.integrations.fastapi.set_signed_cookies(response, cookies, domain=PARENT)
        return "welcome"

    @app.get("/out")
    async def sign_out(response: Response) -> str:
        keyfront.integrations.fastapi.delete_signed_cookies(response, domain=PARENT)
        return "bye"

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> Listener:
        listener = Listener(app, bind("127.0.0.1", 0))
        listener.start()
        return listener

    listener = asyncio.run_coroutine_threadsafe(start(), loop).result(30)
    yield listener.port
    asyncio.run_coroutine_threadsafe(listener.stop(), loop).result(30)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(30)
    loop.close()


@contextmanager
def flask_site(site: Site) -> Iterator[int]:
    app = Flask("shop")
    keyfront.integrations.flask.Keyfront(app, site=site)

    @app.get("/in")
    def sign_in() -> Any:
        response = make_response("welcome")
        keyfront.integrations.flask.set_signed_cookies(response, site.sign_cookies("/*", expires=MINUTE), domain=PARENT)
        return response

    @app.get("/out")
    def sign_out() -> Any:
        response = make_response("bye")
        keyfront.integrations.flask.delete_signed_cookies(response, domain=PARENT)
        return response

    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.port
    server.shutdown()
    thread.join(30)
    server.server_close()


@pytest.mark.parametrize("framework", [fastapi_site, flask_site])
def test_a_browser_brings_a_frameworks_cookies_to_the_edge(laptop: Any, browser: Browser, framework: Any) -> None:
    bucket = laptop.session().resource("s3", endpoint_url=laptop.printed["endpoint"]).Bucket(laptop.printed["bucket"])
    bucket.put_object(Key="members/note.txt", Body=b"for members", ContentType="text/plain")
    context = browser.new_context()
    page = context.new_page()
    with framework(Site(laptop.signer, laptop.base_url)) as port:
        own = f"http://shop.{PARENT}:{port}"

        def seen(visit: str) -> tuple[int, str]:
            # A query of each visit's own: what the browser has cached tells nothing.
            answer = page.goto(f"{laptop.base_url}/members/note.txt?{visit}")
            assert answer is not None
            return answer.status, answer.text()

        assert seen("before")[0] == 403
        page.goto(f"{own}/in")
        assert seen("signed-in") == (200, "for members")
        page.goto(f"{own}/out")
        assert seen("signed-out")[0] == 403
    context.close()


@pytest.mark.parametrize("signer", ["ssm", "Signer"])
@pytest.mark.parametrize("name", ["id", "domain", "key group"])
def test_from_boto3_gives_a_signer_whose_links_open(at_laptop: Any, signer: str, name: str) -> None:
    printed = at_laptop.printed
    address: Any = f"ssm:{printed['parameter']}" if signer == "ssm" else at_laptop.signer
    known = {
        "id": {"distribution": printed["distribution"]["id"]},
        "domain": {"distribution": printed["distribution"]["domain_name"]},
        "key group": {"key_group": printed["key_group"]},
    }
    site = keyfront.from_boto3(at_laptop.session(), address, **known[name], key_pair_id=at_laptop.key_pair_id)
    item = printed["items"][0]
    url = site.sign_object(item["key"], expires=MINUTE)
    assert url.startswith(f"https://{printed['distribution']['domain_name']}/")
    # The same site over plain HTTP, whose authority needs no trust.
    plain = Site(site.signer(), at_laptop.base_url).sign_object(item["key"], expires=MINUTE)
    assert fetch(plain) == Path(item["file"]).read_bytes()


def fetch(url: str) -> bytes:
    import http.client
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    connection = http.client.HTTPConnection("127.0.0.1", parts.port or 80, timeout=30)
    connection.request("GET", f"{parts.path}?{parts.query}", headers={"Host": parts.netloc})
    answer = connection.getresponse()
    assert answer.status == 200
    body = answer.read()
    connection.close()
    return body


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({}, "give a distribution"),
        ({"distribution": "E1", "key_group": "shop"}, "give a distribution"),
        ({"distribution": "ENOSUCH"}, "no distribution 'ENOSUCH'"),
        ({"distribution": "media.example.com"}, "has the name 'media.example.com'"),
        ({"key_group": "nobody"}, "no key group 'nobody'"),
    ],
)
def test_from_boto3_says_what_is_not_there(at_laptop: Any, arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(InputError, match=text):
        keyfront.from_boto3(at_laptop.session(), at_laptop.signer, **arguments)


def test_from_boto3_refuses_a_key_that_the_distribution_does_not_trust(at_laptop: Any) -> None:
    other = Signer("KOTHER", SigningKey.generate("ecdsa"))
    with pytest.raises(InputError, match=r"does not trust the key KOTHER.*key-not-trusted"):
        keyfront.from_boto3(at_laptop.session(), other, at_laptop.printed["distribution"]["id"])


def test_from_boto3_says_when_aws_does_not_answer(monkeypatch: pytest.MonkeyPatch, laptop: Any) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    session = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name="us-east-1")
    with pytest.raises(ServiceError, match="could not be read through the CloudFront API"):
        keyfront.from_boto3(session, laptop.signer, "E1")


def test_from_boto3_finds_a_distribution_by_its_aliases(at_laptop: Any) -> None:
    """The last test of this file: the shop's key group is trusted by two distributions from here on."""
    client, printed = at_laptop.session().client("cloudfront"), at_laptop.printed
    config = client.get_distribution_config(Id=printed["distribution"]["id"])["DistributionConfig"]
    aliases = ["media.example.com", "*.films.example.com"]
    config |= {"CallerReference": "another", "Aliases": {"Quantity": 2, "Items": aliases}}
    config["ViewerCertificate"] = {
        "ACMCertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/1b1b1b1b-0000-4000-8000-000000000000",
        "SSLSupportMethod": "sni-only",
        "MinimumProtocolVersion": "TLSv1.2_2021",
    }
    made = client.create_distribution(DistributionConfig=config)["Distribution"]

    def found(**arguments: Any) -> Site:
        return keyfront.from_boto3(at_laptop.session(), at_laptop.signer, **arguments)

    assert found(distribution=made["Id"]).base_url == "https://media.example.com"
    assert found(distribution="Media.example.com").base_url == "https://media.example.com"
    assert found(distribution="a.films.example.com").base_url == "https://a.films.example.com"
    assert found(distribution=made["DomainName"]).hosts >= {"media.example.com", made["DomainName"]}
    for name in ("*.films.example.com", "films.example.com"):
        with pytest.raises(InputError, match=r"wildcard|has the name"):
            found(distribution=name)
    with pytest.raises(InputError, match="must be trusted by exactly one distribution"):
        found(key_group=printed["key_group"])
