"""The documented nginx configuration, run by the real nginx with the real service behind it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.waiting import wait_until

from keyfront import Signer
from keyfront.core import encoding
from keyfront.core.keys import SigningKey

if TYPE_CHECKING:
    from tests.edge.authz.conftest import Authoriser, Nginx

    Authorise = Callable[..., Authoriser]
    Front = Callable[..., Nginx]

ID = "K2JCJMDEHXQW5F"
SITE = "http://media.example.com"
ERROR = '<?xml version="1.0" encoding="UTF-8"?><Error><Code>{}</Code><Message>{}</Message></Error>'
MISSING = ERROR.format("MissingKey", "Missing Key-Pair-Id query parameter or cookie value").encode()
DENIED = ERROR.format("AccessDenied", "Access denied").encode()
NAIVE = "$request_uri$http_cookie$remote_addr"
DOCUMENTED = "$remote_addr $request_method $scheme $http_host $request_uri $http_cookie"


@pytest.fixture
def sign(signer: Signer) -> Callable[..., str]:
    """The target of a request that is let in for an hour."""

    def sign(path: str, **policy: object) -> str:
        wanted = {"expires": timedelta(hours=1), **policy}
        return signer.sign_url(SITE + path, **wanted).removeprefix(SITE)  # type: ignore[arg-type]

    return sign


def test_a_public_file_is_served_and_a_signed_one(door: Nginx, sign: Callable[..., str]) -> None:
    assert door.get("/public/x").body == b"/public/x"
    assert door.get(sign("/private/x")).body == b"/private/x"
    assert door.get(sign("/private/42/a%20b?page=2")).body == b"/private/42/a b"
    assert door.get(sign("/private/42/caf%C3%A9")).body == "/private/42/café".encode()


def test_a_refusal_is_cloudfronts_to_the_byte(door: Nginx) -> None:
    for _ in range(2):
        seen = door.get("/private/x")
        assert (seen.status, seen.body) == (403, MISSING)
        assert seen.headers["content-type"] == "text/xml"
        assert seen.headers["server"] == "CloudFront"
        assert seen.headers["x-cache"] == "Error from cloudfront"
        assert not [name for name in seen.headers if name.startswith("x-keyfront")]


@pytest.mark.parametrize(
    ("changed", "body"),
    [
        (lambda target: target.replace("/private/x", "/private/43/x"), DENIED),
        (lambda target: target.replace("?", "?a=1&"), DENIED),
        (lambda target: target.replace(ID, "KOTHER"), ERROR.format("InvalidKey", "Unknown Key").encode()),
        (lambda target: target.replace("Expires=1", "Expires=x"), b"<Code>MalformedPolicy</Code>"),
        (lambda target: target.replace("/private/x", "/private/%78"), DENIED),
    ],
)
def test_a_changed_url_is_refused(
    door: Nginx, sign: Callable[..., str], changed: Callable[[str], str], body: bytes
) -> None:
    seen = door.get(changed(sign("/private/x")))
    assert seen.status == 403
    assert body in seen.body


def test_cookies_and_addresses_are_judged(door: Nginx, signer: Signer, sign: Callable[..., str]) -> None:
    made = signer.sign_cookies(f"{SITE}/private/42/*", expires=timedelta(hours=1))
    cookie = {"Cookie": "a=b; " + "; ".join(f"{name}={value}" for name, value in made.items())}
    assert door.get("/private/42/a%20b", cookie).status == 200
    assert door.get("/private/43/x", cookie).body == DENIED
    assert door.get(sign("/private/x", ip="127.0.0.1")).status == 200
    assert door.get(sign("/private/x", ip="192.0.2.0/24")).body == DENIED


def test_a_link_that_is_over_is_refused(door: Nginx, key: SigningKey) -> None:
    expires = int(time.time()) - 1
    statement = f'{{"Resource":"{SITE}/private/x","Condition":{{"DateLessThan":{{"AWS:EpochTime":{expires}}}}}}}'
    signature = encoding.encode(key.sign(f'{{"Statement":[{statement}]}}'.encode()))
    seen = door.get(f"/private/x?Expires={expires}&Signature={signature}&Key-Pair-Id={ID}")
    assert (seen.status, seen.body) == (403, DENIED)


def test_nginx_serves_ranges_and_heads_and_methods_that_write_are_refused(
    door: Nginx, sign: Callable[..., str]
) -> None:
    target = sign("/private/x")
    part = door.get(target, {"Range": "bytes=1-3"})
    assert (part.status, part.body, part.headers["content-range"]) == (206, b"pri", "bytes 1-3/10")
    head = door.get(target, method="HEAD")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", "10")
    bare = door.get("/private/x", method="HEAD")
    assert (bare.status, bare.body) == (403, b"")
    for method in ("POST", "PUT", "DELETE"):
        seen = door.get(target, method=method, body=b"x=1")
        assert seen.status == 403
        assert b"not configured to allow the HTTP request method" in seen.body


@pytest.mark.parametrize(
    "target",
    [
        "/public/../private/x",
        "/public/%2e%2e/private/x",
        "//private/x",
        "/./private/x",
        "/%70rivate/x",
        "/private%2fx",
        "/private%2Fx",
        "/public/..%2fprivate/x",
        "/public/%2e%2e%2fprivate/x",
        "/private/x#",
        "/secret#",
        "/secret#?a=1",
        "/secre%74",
        "//secret",
        "/public/..%2f..%2fsecret",
        "http://other.example/private/x",
    ],
)
def test_no_spelling_opens_a_private_file(door: Nginx, target: str) -> None:
    seen = door.get(target)
    assert seen.status in (400, 403)
    assert not seen.body.startswith((b"/private", b"/secret"))


@pytest.mark.parametrize("target", ["/private/42/../43/x", "/private/42/..%2f43/x", "/private/42/%2e%2e/43/x"])
def test_a_wildcard_does_not_open_where_its_path_leads(door: Nginx, sign: Callable[..., str], target: str) -> None:
    query = sign("/private/42/a", resource=f"{SITE}/private/42/*").partition("?")[2]
    assert door.get(f"/private/42/a%20b?{query}").status == 200
    assert door.get(f"{target}?{query}").body == DENIED


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Original-URI": "/public/x"},
        {"X-Original-Method": "GET", "X-Original-URI": "/public/x", "X-Real-IP": "192.0.2.1"},
        {"X-Forwarded-Uri": "/public/x", "X-Forwarded-Host": "other"},
        {"X-Keyfront-Reason": "allowed"},
    ],
)
def test_what_a_viewer_writes_into_the_headers_is_not_believed(
    door: Nginx, sign: Callable[..., str], headers: dict[str, str]
) -> None:
    assert door.get("/private/x", headers).body == MISSING
    assert door.get(sign("/private/x", ip="192.0.2.0/24"), headers).body == DENIED


def test_a_folder_without_an_index_is_refused_by_nginx_itself(door: Nginx, sign: Callable[..., str]) -> None:
    assert door.get("/public/").status == 403
    assert door.get("/public/").body == DENIED


def forge(nginx: Nginx) -> list[bytes]:
    """Bodies of `/secret`, asked for by someone who has no signature but fills the cache as they like."""
    for fill, cookie in (
        ("/se", "cret"),
        ("/se ", "cret"),
        ("/se", " cret"),
        ("/se", "cret "),
        ("/se?", "cret"),
        ("/se", "/secret "),
        ("/se", "GET http media.example.com /secret "),
    ):
        nginx.get(fill.strip(), {"Cookie": cookie})
    return [nginx.get("/secret").body, nginx.get("/secret", {"Cookie": " "}).body]


def test_a_decision_for_one_url_cannot_be_used_for_another(
    authorise: Authorise, front: Front, public_key: Path
) -> None:
    """For an hour here, so that no attempt comes too late."""
    authoriser = authorise("--front", "nginx", "--trust", f"{ID}={public_key}", "--protect", "/secret")
    documented = front(authoriser.port, lambda text: text.replace("200 403 1s", "200 403 1h"))
    assert b"/secret" not in forge(documented)
    naive = front(authoriser.port, lambda text: text.replace("200 403 1s", "200 403 1h").replace(DOCUMENTED, NAIVE))
    assert b"/secret" in forge(naive)


def test_each_thing_that_a_decision_reads_is_in_its_key(
    authorise: Authorise, front: Front, public_key: Path, signer: Signer, sign: Callable[..., str]
) -> None:
    authoriser = authorise("--front", "nginx", "--trust", f"{ID}={public_key}")
    nginx = front(authoriser.port, lambda text: text.replace("200 403 1s", "200 403 1h"))
    target = sign("/private/x")
    made = signer.sign_cookies(f"{SITE}/private/*", expires=timedelta(hours=1))
    cookie = {"Cookie": "; ".join(f"{name}={value}" for name, value in made.items())}
    assert nginx.get(target).status == 200
    assert nginx.get(target, method="POST", body=b"").status == 403
    assert nginx.get(target, {"Host": "other.example.com"}).status == 403
    assert nginx.get("/private/x", cookie).status == 200
    assert nginx.get("/private/x").status == 403


def test_decisions_are_cached_and_a_dead_authoriser_lets_nobody_in(
    authorise: Authorise, front: Front, public_key: Path, sign: Callable[..., str]
) -> None:
    authoriser = authorise("--front", "nginx", "--trust", f"{ID}={public_key}")
    cached = front(authoriser.port, lambda text: text.replace("200 403 1s", "200 403 1h"))
    documented = front(authoriser.port)
    target = sign("/private/x")
    assert cached.get(target).status == 200
    assert documented.get(target).status == 200
    assert authoriser.stop() == 0
    assert cached.get(target).body == b"/private/x"
    assert cached.get("/public/x").status == 500
    wait_until(lambda: documented.get(target).status == 500, told=lambda: "a decision was used long after its second")


@pytest.mark.parametrize(
    ("line", "header"),
    [
        ("proxy_set_header X-Original-Method $request_method;", "X-Original-Method"),
        ("proxy_set_header X-Original-URI $request_uri;", "X-Original-Uri"),
        ("proxy_set_header X-Forwarded-Proto $scheme;", "X-Forwarded-Proto"),
        ("proxy_set_header X-Real-IP $remote_addr;", "X-Real-Ip"),
    ],
)
def test_a_line_left_out_of_the_configuration_lets_nobody_in_and_the_log_says_which(
    authorise: Authorise, front: Front, public_key: Path, sign: Callable[..., str], line: str, header: str
) -> None:
    authoriser = authorise("--front", "nginx", "--trust", f"{ID}={public_key}", "--protect", "/private/*")
    nginx = front(authoriser.port, lambda text: text.replace(line, ""))
    # Nor can a viewer fill the gap.
    assert nginx.get("/public/x", {header: "/public/x"}).status == 500
    assert nginx.get(sign("/private/x")).status == 500
    assert f"the header {header} is missing" in authoriser.said
