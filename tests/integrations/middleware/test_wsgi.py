"""The WSGI middleware before Flask and Django, with a raw path and without."""

from __future__ import annotations

import http.client
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

import flask
import pytest
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client

from keyfront.core.keys import PublicKey
from keyfront.integrations.middleware.wsgi import TrustedKeyGroups

if TYPE_CHECKING:
    from tests.integrations.middleware.conftest import Sign

SITE = "http://media.example.com"
MISSING = (
    '<?xml version="1.0" encoding="UTF-8"?><Error><Code>MissingKey</Code>'
    "<Message>Missing Key-Pair-Id query parameter or cookie value</Message></Error>"
)


@pytest.fixture
def app(keys: Mapping[str, PublicKey]) -> flask.Flask:
    made = flask.Flask("shop")

    @made.route("/<path:rest>", methods=["GET", "POST"])
    def tell(rest: str) -> Any:
        request = flask.request
        decision = request.environ["keyfront.decision"]
        return {
            "path": request.path,
            "query": request.query_string.decode(),
            "target": request.environ.get("REQUEST_URI"),
            "reason": decision and decision.reason,
            "body": request.get_data().decode(),
        }

    made.wsgi_app = TrustedKeyGroups(made.wsgi_app, keys, ["/private/*"])  # type: ignore[method-assign]
    return made


def test_flask_lets_in_what_is_signed_and_sees_its_own_parameters_alone(app: flask.Flask, sign: Sign) -> None:
    seen = app.test_client().get(sign(f"{SITE}/private/caf%C3%A9%20(1)?b=%2f&a=1"), base_url=SITE)
    assert seen.get_json() == {
        "path": "/private/café (1)",
        "query": "b=%2f&a=1",
        "target": f"{SITE}/private/caf%C3%A9%20(1)?b=%2f&a=1",
        "reason": "allowed",
        "body": "",
    }
    bare = app.test_client().get(sign(f"{SITE}/private/x"), base_url=SITE)
    assert bare.get_json()["target"] == f"{SITE}/private/x"


def test_flask_gets_public_requests_untouched(app: flask.Flask) -> None:
    seen = app.test_client().get("/public/x?Expires=5", base_url=SITE)
    assert (seen.get_json()["query"], seen.get_json()["reason"]) == ("Expires=5", None)


def test_another_spelling_is_protected_where_case_is_ignored(keys: Mapping[str, PublicKey]) -> None:
    def served(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [])
        return [b"the file"]

    for ignore_case, spelt_otherwise in ((True, 403), (False, 200)):
        client = Client(
            TrustedKeyGroups(served, keys, ["/private/*"], public=["/private/o/*"], ignore_case=ignore_case)
        )
        assert client.get("/PRIVATE/x", base_url=SITE).status_code == spelt_otherwise
        assert client.get("/PRIVATE/o/x", base_url=SITE).status_code == spelt_otherwise
        assert client.get("/private/x", base_url=SITE).status_code == 403
        assert client.get("/private/o/x", base_url=SITE).status_code == 200
        assert client.get("/elsewhere", base_url=SITE).status_code == 200


def test_a_request_without_a_signature_gets_cloudfronts_answer(app: flask.Flask) -> None:
    seen = app.test_client().get("/private/x", base_url=SITE)
    assert (seen.status_code, seen.text, seen.headers["Content-Type"]) == (403, MISSING, "text/xml")
    head = app.test_client().head("/private/x", base_url=SITE)
    assert (head.status_code, head.data, head.headers["Content-Length"]) == (403, b"", str(len(MISSING)))


@pytest.mark.parametrize(
    "target",
    ["/private/y", "/private/%78", "/public/../private/x", "//private/x", "/private%2fx", "/public/..%2fprivate/x"],
)
def test_another_spelling_or_another_path_is_refused(app: flask.Flask, sign: Sign, target: str) -> None:
    query = sign(f"{SITE}/private/x").partition("?")[2]
    assert status(app, target, query) == 403
    assert status(app, "/private/x", query) == 200


def test_cookies_open_what_their_policy_covers(app: flask.Flask, cookies: Callable[[str], str]) -> None:
    asking = app.test_client(use_cookies=False)
    header = {"Cookie": cookies(f"{SITE}/private/42/*")}
    assert asking.get("/private/42/1.ts", base_url=SITE, headers=header).status_code == 200
    assert asking.get("/private/43/1.ts", base_url=SITE, headers=header).status_code == 403


def test_a_body_reaches_the_application(app: flask.Flask, sign: Sign) -> None:
    seen = app.test_client().post(sign(f"{SITE}/private/x"), base_url=SITE, data=b"bought")
    assert seen.get_json()["body"] == "bought"


def test_an_answer_is_not_gathered(keys: Mapping[str, PublicKey], sign: Sign) -> None:
    asked = []

    def parts(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [])

        def each() -> Iterator[bytes]:
            for number in range(3):
                asked.append(number)
                yield b"part"

        return each()

    url = sign(f"{SITE}/x")
    body = iter(TrustedKeyGroups(parts, keys)(environ("/x", url.partition("?")[2]), lambda *_: None))
    next(body)
    assert asked == [0]


def test_an_application_under_a_mount_is_judged_by_the_whole_path(keys: Mapping[str, PublicKey], sign: Sign) -> None:
    seen: list[tuple[str, str]] = []

    def inner(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.append((environ["SCRIPT_NAME"], environ["PATH_INFO"]))
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"in"]

    mounted = DispatcherMiddleware(inner, {"/app": TrustedKeyGroups(inner, keys, ["/app/private/*"])})
    asking = Client(mounted)
    assert asking.get(sign(f"{SITE}/app/private/a%20b"), base_url=SITE).status_code == 200
    assert seen == [("/app", "/private/a b")]
    assert asking.get("/app/private/a%20b", base_url=SITE).status_code == 403


def test_a_raw_path_that_leads_elsewhere_is_refused(keys: Mapping[str, PublicKey], sign: Sign) -> None:
    app = TrustedKeyGroups(hello, keys, ["/private/*"])
    query = sign(f"{SITE}/private/x").partition("?")[2]
    for name in ("REQUEST_URI", "RAW_URI"):
        assert ask(app, {**environ("/private/x", query), name: f"/private/x?{query}"}) == 200
        assert ask(app, {**environ("/private/x", query), name: f"{SITE}/private/x?{query}"}) == 200
        assert ask(app, {**environ("/private/y", query), name: f"/private/x?{query}"}) == 403
        assert ask(app, {**environ("/private/y", query), name: "/public/y"}) == 403


def test_the_applications_own_page_replaces_cloudfronts(keys: Mapping[str, PublicKey]) -> None:
    def page(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("402 Payment Required", [])
        return [environ["keyfront.decision"].reason.encode()]

    seen = Client(TrustedKeyGroups(hello, keys, on_refused=page)).get("/x")
    assert (seen.status_code, seen.data) == (402, b"missing-key-pair-id")


def test_django_on_a_server_without_raw_paths(
    keys: Mapping[str, PublicKey], sign: Sign, django_site: Any, serve: Callable[[Any], int]
) -> None:
    from django.core.wsgi import get_wsgi_application

    port = serve(TrustedKeyGroups(get_wsgi_application(), keys, ["/private/*"]))
    site = f"http://127.0.0.1:{port}"

    def get(target: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("GET", target)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    seen = get(sign(f"{site}/private/a-b.epub?page=3").removeprefix(site))
    assert seen == (200, b'{"path": "/private/a-b.epub", "query": "page=3", "reason": "allowed"}')
    assert get("/private/a-b.epub") == (403, MISSING.encode())
    # Here nobody can tell what was sent: refused, however well it is signed.
    assert get(sign(f"{site}/private/a%20b").removeprefix(site))[0] == 403
    assert get(sign(f"{site}/private/(a)").removeprefix(site))[0] == 403
    assert get("/public/caf%C3%A9")[0] == 200
    assert get("/public/..%2fprivate/x")[0] == 403


def test_a_pattern_that_depends_on_the_form_refuses_what_may_fall_under_it(
    keys: Mapping[str, PublicKey], sign: Sign
) -> None:
    """`/a???` covers `/a%28` as it was sent, and not what a server makes of it."""
    app = TrustedKeyGroups(hello, keys, ["/a???"])
    assert ask(app, environ("/a(")) == 403
    assert ask(app, {**environ("/a("), "REQUEST_URI": "/a("}) == 200
    assert ask(app, {**environ("/a("), "REQUEST_URI": "/a%28"}) == 403
    assert ask(app, environ("/b")) == 200


def hello(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]


def environ(path: str, query: str = "") -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "HTTP_HOST": "media.example.com",
        "REMOTE_ADDR": "192.0.2.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
    }


def ask(app: Any, environ: dict[str, Any]) -> int:
    seen: list[str] = []
    list(app(environ, lambda status, headers: seen.append(status)))
    return int(seen[0].split(" ")[0])


def status(app: flask.Flask, target: str, query: str) -> int:
    """What a server that hands on the raw target makes of it."""

    path = unquote_to_bytes(target).decode("latin-1")
    return ask(
        app.wsgi_app,
        {**environ(path, query), "REQUEST_URI": f"{target}?{query}", "SERVER_NAME": "s", "SERVER_PORT": "80"},
    )
