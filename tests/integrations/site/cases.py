"""Django's tests, for a process of their own (see `test_django.py`): Django is configured once for good."""

import asyncio
import copy
import html
import pickle
import re
import time
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.integrations.site.project import HOST, KEY, KEY_ID, KEYS, configured

configured()

from django.contrib.auth import get_user_model  # noqa: E402
from django.core.checks import run_checks  # noqa: E402
from django.core.exceptions import ImproperlyConfigured  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.template import Context, Template  # noqa: E402
from django.test import AsyncClient, Client, override_settings  # noqa: E402
from storages.backends.s3 import S3Storage  # noqa: E402

from keyfront import Signer, SigningKey, ViewerRequest, verify  # noqa: E402
from keyfront.core.cookies import NAMES  # noqa: E402
from keyfront.errors import InputError, PolicyError  # noqa: E402
from keyfront.integrations.botocore import CloudFrontSigner  # noqa: E402
from keyfront.integrations.django import get_site  # noqa: E402
from keyfront.integrations.django.settings import faults  # noqa: E402
from keyfront.integrations.django.storage import cloudfront_signer  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def tables() -> None:
    call_command("migrate", verbosity=0)
    for name in ("mara", "tomas"):
        get_user_model().objects.create_user(name)


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let the clock that the cookies are made by go forward."""
    real, ahead = time.time, [0.0]
    monkeypatch.setattr("time.time", lambda: real() + ahead[0])
    return lambda seconds: ahead.__setitem__(0, seconds)


def held(cookies: SimpleCookie) -> dict[str, str]:
    return {name: cookies[name].value for name in NAMES if name in cookies and cookies[name].value}


def reason(cookies: dict[str, str], path: str) -> str:
    header = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return verify(ViewerRequest(f"https://{HOST}{path}", header), {KEY_ID: KEY.public_key}, time.time()).reason


def test_nobody_gets_no_cookies(client: Client) -> None:
    assert not held(client.get("/").cookies)


def test_signing_in_brings_cookies_that_open_the_area_and_nothing_else(client: Client) -> None:
    answer = client.get("/in/mara")
    cookies = held(answer.cookies)
    assert reason(cookies, "/members/1.mp4") == "allowed"
    assert reason(cookies, "/other/1.mp4") != "allowed"
    sent = answer.cookies["CloudFront-Policy"]
    assert (sent["domain"], sent["path"], sent["secure"], sent["httponly"]) == (".example.com", "/", True, True)
    assert "max-age" not in sent.output().lower()
    # An earlier expiry or hash algorithm would make them wrong.
    assert answer.cookies["CloudFront-Expires"]["max-age"] == 0
    assert answer.cookies["CloudFront-Hash-Algorithm"]["max-age"] == 0
    assert "private" in answer.headers["Cache-Control"]
    assert "Cookie" in answer.headers["Vary"]


def test_values_travel_byte_for_byte(client: Client) -> None:
    answer = client.get("/in/mara")
    for name, value in held(answer.cookies).items():
        assert answer.cookies[name].output(header="").strip().startswith(f"{name}={value};")


def test_cookies_are_renewed_at_half_their_life_and_not_before(client: Client, later: Any) -> None:
    client.get("/in/mara")
    assert not client.get("/").cookies
    later(490)
    assert not client.get("/").cookies
    later(510)
    assert reason(held(client.get("/").cookies), "/members/1.mp4") == "allowed"
    assert not client.get("/").cookies


def test_another_user_gets_cookies_of_their_own(client: Client) -> None:
    client.get("/in/mara")
    assert held(client.get("/in/tomas").cookies)


def test_a_forged_note_renews(client: Client) -> None:
    client.get("/in/mara")
    (note,) = [name for name in client.cookies if name.startswith("keyfront-")]
    client.cookies[note] = "forged:note:here"
    assert held(client.get("/").cookies)


def test_signing_out_deletes_the_cookies_where_they_were_set(client: Client) -> None:
    client.get("/in/mara")
    answer = client.get("/out")
    for name in NAMES:
        gone = answer.cookies[name]
        assert (gone.value, gone["max-age"], gone["domain"], gone["path"]) == ("", 0, ".example.com", "/")
    assert set(client.get("/").cookies) <= {"sessionid"}


def test_a_session_that_ended_elsewhere_loses_its_cookies_at_the_next_page(client: Client) -> None:
    client.get("/in/mara")
    client.session.flush()
    assert client.get("/").cookies["CloudFront-Signature"]["max-age"] == 0


def test_a_key_that_cannot_be_fetched_leaves_the_page(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(KEYS, "failing", True)
    answer = client.get("/in/mara")
    assert answer.status_code == 200
    assert not held(answer.cookies)
    monkeypatch.undo()
    assert held(client.get("/").cookies)


def test_a_decorated_view_sets_its_own_and_the_middleware_leaves_them_alone(client: Client) -> None:
    assert not held(client.get("/course/1").cookies)
    client.get("/in/mara")
    answer = client.get("/course/1")
    assert reason(held(answer.cookies), "/course/1/a.mp4") == "allowed"
    assert reason(held(answer.cookies), "/members/1.mp4") != "allowed"
    assert answer.cookies["CloudFront-Policy"]["path"] == "/course"
    assert not client.get("/course/2").cookies


def test_a_coroutine_view_and_asgi_give_the_same() -> None:
    async def visit() -> tuple[Any, Any, Any]:
        visitor = AsyncClient()
        signed_in = await visitor.get("/in/mara")
        return signed_in, await visitor.get("/own"), await visitor.get("/async")

    signed_in, own, home = asyncio.run(visit())
    assert reason(held(signed_in.cookies), "/members/1.mp4") == "allowed"
    user = get_user_model().objects.get(username="mara")
    assert reason(held(own.cookies), f"/user/{user.pk}/a") == "allowed"
    assert reason(held(own.cookies), "/user/999/a") != "allowed"
    assert not home.cookies


def test_the_template_tag_signs_keys_and_urls(client: Client) -> None:
    text = client.get("/page", {"key": "öl & gas #1.mp4"}).content.decode()
    found = re.fullmatch('<a href="(.*)">(.*)</a>', text)
    assert found
    for url, life in ((html.unescape(found[1]), 600), (found[2], 60)):
        assert verify(ViewerRequest(url), {KEY_ID: KEY.public_key}, time.time()).allowed
        assert abs(int(parse_qs(urlsplit(url).query)["Expires"][0]) - time.time() - life) < 5
    assert "/%C3%B6l%20%26%20gas%20%231.mp4?" in found[1]


def test_get_site_signs(client: Client) -> None:
    url = get_site().sign_object("a.mp4", expires=time.time() + 60)
    assert verify(ViewerRequest(url), {KEY_ID: KEY.public_key}, time.time()).allowed


@pytest.mark.parametrize(
    ("signer", "key"),
    [
        (CloudFrontSigner(KEY_ID, KEY), KEY),
        (cloudfront_signer(), KEY),
        (CloudFrontSigner(KEY_ID, rsa := SigningKey.generate("rsa")), rsa),
    ],
    ids=["ecdsa", "of the setting", "rsa"],
)
def test_django_storages_signs_with_it(signer: CloudFrontSigner, key: SigningKey) -> None:
    storage = S3Storage(bucket_name="shop", custom_domain=HOST, cloudfront_signer=signer, location="media")
    url = storage.url(
        "öl 1.mp4", parameters={"response-content-disposition": 'attachment; filename="a b.mp4"'}, expire=90
    )
    parts = urlsplit(url)
    assert parts.netloc + parts.path == f"{HOST}/media/%C3%B6l%201.mp4"
    assert parse_qs(parts.query)["response-content-disposition"] == ['attachment; filename="a b.mp4"']
    assert abs(int(parse_qs(parts.query)["Expires"][0]) - datetime.now(UTC).timestamp() - 90) < 5
    assert verify(ViewerRequest(url), {KEY_ID: key.public_key}, time.time()).allowed
    hour = int(parse_qs(urlsplit(storage.url("a")).query)["Expires"][0])
    assert abs(hour - time.time() - 3600) < 5


def test_django_storages_own_rsa_signer_gives_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    class Frozen(datetime):
        @classmethod
        def utcnow(cls) -> Any:
            return datetime(2030, 1, 1)  # noqa: DTZ001  as django-storages asks

    monkeypatch.setattr("storages.backends.s3.datetime", Frozen)
    key = SigningKey.generate("rsa")
    theirs = S3Storage(custom_domain=HOST, cloudfront_key_id=KEY_ID, cloudfront_key=key.pem())
    with pytest.warns(UserWarning, match="long-lived"):
        ours = S3Storage(custom_domain=HOST, cloudfront_signer=CloudFrontSigner(KEY_ID, key)).url("a b.txt")
    assert theirs.url("a b.txt") == ours


def test_a_storage_survives_a_copy() -> None:
    storage = S3Storage(custom_domain=HOST, cloudfront_signer=cloudfront_signer())
    copied = pickle.loads(pickle.dumps(copy.deepcopy(storage)))
    assert verify(ViewerRequest(copied.url("a")), {KEY_ID: KEY.public_key}, time.time()).allowed


FINE: dict[str, Any] = {"SIGNER": "ssm:/shop/key", "DOMAIN": HOST}
WRONG = [
    (None, "E001"),
    ("ssm:/shop/key", "E001"),
    ({"DOMAIN": HOST}, "E002"),
    ({**FINE, "SIGNER": "ssn:/shop/key"}, "E002"),
    ({**FINE, "DOMAIN": ""}, "E003"),
    ({**FINE, "DOMAIN": "media example"}, "E003"),
    ({**FINE, "LIFETIME": "an hour"}, "E004"),
    ({**FINE, "LIFETIME": 0}, "E004"),
    ({**FINE, "LIFETIME": 1893456000}, "E004"),
    ({**FINE, "MAX_LIFETIME": "7 days"}, "E004"),
    ({**FINE, "LIFETIME": "2h", "MAX_LIFETIME": "1h"}, "E013"),
    ({**FINE, "LIFETIME": 7200, "MAX_LIFETIME": 3600}, "E013"),
    ({**FINE, "COOKIES": {"RESOURCE": "/*", "LIFETIME": 7200}, "MAX_LIFETIME": 3600}, "E013"),
    ({**FINE, "COOKIES": "/members/*"}, "E005"),
    ({**FINE, "COOKIES": {}}, "E006"),
    ({**FINE, "COOKIES": {"RESOURCE": "shop.views.nowhere"}}, "E006"),
    ({**FINE, "COOKIES": {"RESOURCE": "/*", "PATH": "members"}}, "E007"),
    ({**FINE, "COOKIES": {"RESOURCE": "/*", "SAME_SITE": "None", "SECURE": False}}, "E007"),
    ({**FINE, "COOKIES": {"RESOURCE": "/*", "DOMAIN": "example.org"}}, "E008"),
    ({**FINE, "DOMAIN": "d1.cloudfront.net", "COOKIES": {"RESOURCE": "/*"}}, "E009"),
    ({**FINE, "DOMAINS": HOST}, "E010"),
    ({**FINE, "COOKIES": {"RESOURCE": "/*", "HTTPONLY": True}}, "E010"),
    ({**FINE, "KEY_PAIR_ID": "b3ee3859-7e14-4235-abdb-195ff195395c"}, "E014"),
    ({**FINE, "KEY_PAIR_ID": "E1ABCDEFGHIJKL"}, "E014"),
    ({**FINE, "KEY_PAIR_ID": "AKIAIOSFODNN7EXAMPLE"}, "E014"),
    ({**FINE, "KEY_PAIR_ID": ""}, "E014"),
    ({**FINE, "KEY_PAIR_ID": 7}, "E014"),
    ({**FINE, "SIGNER": "kms:alias/shop"}, "E002"),
]


@pytest.mark.parametrize(("given", "fault"), WRONG)
def test_what_is_wrong_with_the_setting_is_told_by_the_checks(given: Any, fault: str) -> None:
    assert [each.id for each in faults(given)] == [f"keyfront.{fault}"]
    with override_settings(KEYFRONT=given):
        assert f"keyfront.{fault}" in [message.id for message in run_checks()]
        with pytest.raises(ImproperlyConfigured, match=fault):
            get_site()


def test_a_key_on_this_machine_is_read_by_the_checks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    private, _ = KEY.write(tmp_path)
    at = {**FINE, "SIGNER": f"file:{private}"}
    [fault] = faults(at)
    assert fault.id == "keyfront.E002"
    assert "KEYFRONT['KEY_PAIR_ID'] is not set" in fault.text
    assert not list(faults({**at, "KEY_PAIR_ID": KEY_ID}))
    private.chmod(0o644)
    [fault] = faults({**at, "KEY_PAIR_ID": KEY_ID})
    assert (fault.id, "chmod 600" in fault.text) == ("keyfront.E002", True)
    monkeypatch.setenv("SHOP_KEY", KEY.pem().splitlines()[0])
    [fault] = faults({**FINE, "SIGNER": "env:SHOP_KEY", "KEY_PAIR_ID": KEY_ID})
    assert "only the first line" in fault.text


def test_a_missing_key_file_and_a_long_life_are_warnings(tmp_path: Path) -> None:
    given = {**FINE, "SIGNER": f"file:{tmp_path}/of-the-server.pem", "KEY_PAIR_ID": KEY_ID, "LIFETIME": "30d"}
    with override_settings(KEYFRONT=given):
        told = {message.id: message for message in run_checks()}
        assert "of-the-server.pem cannot be read: No such file" in told["keyfront.W002"].msg
        assert "KEYFRONT['LIFETIME'] is 30 days" in told["keyfront.W003"].msg
        assert not told["keyfront.W002"].is_serious()
        get_site()
    assert not list(faults({**FINE, "LIFETIME": "30d", "MAX_LIFETIME": timedelta(days=30)}))


def test_a_template_takes_a_span() -> None:
    template = Template('{% load keyfront %}{% signed_url "a.mp4" expires="1h" as url %}{{ url|safe }}')
    url = template.render(Context())
    assert int(parse_qs(urlsplit(url).query)["Expires"][0]) - time.time() == pytest.approx(3600, abs=5)
    with pytest.raises(InputError, match="expires is 'an hour', which is not a lifetime: give a timedelta, seconds"):
        Template('{% load keyfront %}{% signed_url "a.mp4" expires="an hour" %}').render(Context())


def test_the_longest_life_of_the_setting_is_that_of_everything_signed() -> None:
    with override_settings(
        KEYFRONT={"SIGNER": Signer(KEY_ID, KEY), "DOMAIN": HOST, "LIFETIME": 60, "MAX_LIFETIME": 600}
    ):
        assert get_site().sign_url("/a.pdf", expires=timedelta(minutes=10))
        with pytest.raises(PolicyError, match="max_lifetime is 0:10:00"):
            get_site().sign_url("/a.pdf", expires=timedelta(minutes=11))


def test_a_fine_setting_passes() -> None:
    assert not list(faults(FINE))
    assert not run_checks()


def test_the_middleware_stands_behind_the_user_and_has_its_settings() -> None:
    here = "keyfront.integrations.django.middleware.SignedCookiesMiddleware"
    with override_settings(MIDDLEWARE=[here], KEYFRONT=FINE):
        assert [message.id for message in run_checks()] == ["keyfront.E011", "keyfront.E012"]
        with pytest.raises(ImproperlyConfigured, match="COOKIES"):
            Client().get("/")
