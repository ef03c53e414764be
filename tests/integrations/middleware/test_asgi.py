"""The ASGI middleware before Starlette, FastAPI and Django, and on a real server."""

from __future__ import annotations

import asyncio
import http.client
import os
import time
import warnings
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import fastapi
import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from keyfront.core.keys import PublicKey, SigningKey
from keyfront.core.signing import Signer
from keyfront.errors import InputError
from keyfront.integrations.middleware.asgi import TrustedKeyGroups
from keyfront.web.serving import Listener, bind

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Starlette would rather have httpx2, which is not what the edge uses
    from fastapi.testclient import TestClient as FastAPIClient
    from starlette.testclient import TestClient

if TYPE_CHECKING:
    from tests.integrations.middleware.conftest import Sign

SITE = "http://media.example.com"
REFUSED = '<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
MISSING = REFUSED.format(code="MissingKey", message="Missing Key-Pair-Id query parameter or cookie value")
DENIED = REFUSED.format(code="AccessDenied", message="Access denied")


async def tell(request: Request) -> Response:
    """What the application saw."""
    decision = request.scope["keyfront"]
    return JSONResponse(
        {
            "path": request.url.path,
            "query": request.scope["query_string"].decode(),
            "reason": decision and decision.reason,
            "key": decision and decision.key_pair_id,
        }
    )


async def stream(request: Request) -> Response:
    chunks = [chunk async for chunk in request.stream()]

    async def body() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk.upper()
        yield b"!"

    return StreamingResponse(body())


async def greet(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text(f"{socket.scope['keyfront'].reason} {socket.scope['query_string'].decode()}")
    await socket.close()


ROUTES = [
    Route("/public/{rest:path}", tell),
    Route("/private/stream", stream, methods=["POST"]),
    WebSocketRoute("/private/socket", greet),
    Route("/{rest:path}", tell),
]


def client(keys: Mapping[str, PublicKey], base_url: str = SITE, **options: Any) -> TestClient:
    options.setdefault("protect", ["/private/*"])
    app = Starlette(routes=ROUTES)
    app.add_middleware(TrustedKeyGroups, keys=keys, **options)
    return TestClient(app, base_url=base_url)


def test_what_is_not_protected_is_passed_on_untouched(keys: Mapping[str, PublicKey]) -> None:
    seen = client(keys).get("/public/x?Expires=1&a=%20b&Signature=own")
    assert seen.json() == {"path": "/public/x", "query": "Expires=1&a=%20b&Signature=own", "reason": None, "key": None}


def test_a_signed_url_is_let_in_and_the_application_sees_its_own_parameters_alone(
    keys: Mapping[str, PublicKey], sign: Sign
) -> None:
    seen = client(keys).get(sign(f"{SITE}/private/x?b=%2f&a=1&b=+~&flag"))
    assert seen.json() == {
        "path": "/private/x",
        "query": "b=%2f&a=1&b=+~&flag",
        "reason": "allowed",
        "key": "K2JCJMDEHXQW5F",
    }


def test_a_request_without_a_signature_gets_cloudfronts_answer(keys: Mapping[str, PublicKey]) -> None:
    seen = client(keys).get("/private/x")
    assert (seen.status_code, seen.text, seen.headers["content-type"]) == (403, MISSING, "text/xml")
    head = client(keys).head("/private/x")
    assert (head.status_code, head.content, head.headers["content-length"]) == (403, b"", str(len(MISSING)))


@pytest.mark.parametrize(
    "change",
    [
        lambda url: url.replace("/private/x", "/private/y"),
        lambda url: url.replace("?", "?more=1&"),
        lambda url: url.replace("Expires=1", "Expires=2"),
        lambda url: url.replace("media.", "other."),
        lambda url: url.replace("/private/x", "/private/%78"),
    ],
)
def test_a_url_that_was_changed_after_signing_is_refused(
    keys: Mapping[str, PublicKey], sign: Sign, change: Callable[[str], str]
) -> None:
    url = sign(f"{SITE}/private/x")
    assert client(keys).get(url).status_code == 200
    changed = change(url)
    assert changed != url
    seen = client(keys).get(changed)
    assert (seen.status_code, seen.text) == (403, DENIED)


def test_the_time_is_judged_on_every_request(keys: Mapping[str, PublicKey], sign: Sign) -> None:
    now = time.time()
    clock = [now]
    asking = client(keys, clock=lambda: clock[0])
    url = sign(f"{SITE}/private/x", expires=int(now) + 60)
    assert asking.get(url).status_code == 200
    clock[0] += 60
    assert asking.get(url).text == DENIED


def test_cookies_open_what_their_policy_covers(keys: Mapping[str, PublicKey], cookies: Callable[[str], str]) -> None:
    header = {"Cookie": "theme=dark; " + cookies(f"{SITE}/private/42/*")}
    asking = client(keys)
    assert asking.get("/private/42/1.ts?v=2", headers=header).json()["query"] == "v=2"
    assert asking.get("/private/43/1.ts", headers=header).status_code == 403


def test_the_viewers_address_is_that_of_the_connection(keys: Mapping[str, PublicKey], sign: Sign) -> None:
    app = TrustedKeyGroups(Starlette(routes=ROUTES), keys)
    url = sign(f"{SITE}/private/x", ip="192.0.2.0/24")
    inside = TestClient(app, base_url=SITE, client=("192.0.2.7", 1))
    outside = TestClient(app, base_url=SITE, client=("198.51.100.7", 1))
    assert inside.get(url).status_code == 200
    assert outside.get(url, headers={"X-Forwarded-For": "192.0.2.7"}).status_code == 403


@pytest.mark.parametrize(
    "target",
    [
        "/public/../private/x",
        "/public/%2e%2e/private/x",
        "//private/x",
        "/%70rivate/x",
        "/private%2fx",
        "/private%252fx",
        "/public/..%2fprivate/x",
        "/public/..%5cprivate/x",
        "/private;v=1/x",
        "/public/%c0%ae%c0%ae/private/x",
    ],
)
def test_no_spelling_of_a_private_path_is_public(keys: Mapping[str, PublicKey], target: str) -> None:
    assert ask(TrustedKeyGroups(Starlette(routes=ROUTES), keys, ["/private/*"]), target).status == 403


@pytest.mark.parametrize("target", ["/user/42/../43/x", "/user/42/..%2f43/x", "/user/42/..;/43/x"])
def test_a_wildcard_does_not_open_where_its_path_may_lead(
    keys: Mapping[str, PublicKey], sign: Sign, target: str
) -> None:
    query = sign(f"{SITE}/user/42/x", resource=f"{SITE}/user/42/*").partition("?")[2]
    app = TrustedKeyGroups(Starlette(routes=ROUTES), keys)
    assert ask(app, f"/user/42/x?{query}").status == 200
    assert ask(app, f"{target}?{query}").status == 403


@pytest.mark.parametrize("target", ["/private/x%00", "/public/x%00"])
def test_a_path_that_something_in_it_may_end_early_is_refused(keys: Mapping[str, PublicKey], target: str) -> None:
    assert ask(TrustedKeyGroups(Starlette(routes=ROUTES), keys, ["/private/*"]), target).status == 403


@pytest.mark.parametrize(
    "host", ["", "media.example.com/private/42/?", "media.example.com, other", "user@media.example.com", "a b"]
)
def test_a_host_that_is_none_cannot_move_the_url_that_is_judged(
    keys: Mapping[str, PublicKey], sign: Sign, host: str
) -> None:
    query = sign(f"{SITE}/private/42/x", resource=f"{SITE}/private/42/*").partition("?")[2]
    app = TrustedKeyGroups(Starlette(routes=ROUTES), keys, ["/private/*"])
    assert ask(app, f"/private/43?{query}", host=host).status == 403
    assert ask(app, "/public/x", host=host).status == 200


def test_two_host_headers_are_no_host(keys: Mapping[str, PublicKey], sign: Sign) -> None:
    path = sign(f"{SITE}/private/x").removeprefix(SITE)
    app = TrustedKeyGroups(Starlette(routes=ROUTES), keys)
    assert ask(app, path, host="media.example.com").status == 200
    assert ask(app, path, host="media.example.com", more=[(b"host", b"media.example.com")]).status == 403


def test_the_public_url_counts_where_one_is_given(keys: Mapping[str, PublicKey], sign: Sign) -> None:
    asking = client(keys, "http://10.0.0.7:8000", public_url="https://media.example.com/v1", protect=["/v1/private/*"])
    path = sign("https://media.example.com/v1/private/x").removeprefix("https://media.example.com/v1")
    assert asking.get(path).json()["reason"] == "allowed"
    assert asking.get("/private/x").status_code == 403
    assert asking.get("/elsewhere").json()["reason"] is None


@pytest.mark.parametrize(
    ("path", "raw", "root", "status"),
    [
        ("/app/private/x", b"/app/private/x", "/app", 200),
        ("/private/x", b"/private/x", "/app", 200),
        ("/app/private/x", b"/private/x", "/app", 200),
        ("/app/private/x", None, "/app", 200),
        ("/app/private/x", b"/app/private/x", "", 200),
        ("/app/private/y", b"/app/private/x", "/app", 403),
        ("/private/x", b"/app/private/x", "", 403),
    ],
)
def test_the_path_is_the_public_one_wherever_the_application_is_mounted(
    keys: Mapping[str, PublicKey], sign: Sign, path: str, raw: bytes | None, root: str, status: int
) -> None:
    query = sign(f"{SITE}/app/private/x").partition("?")[2].encode()
    app = TrustedKeyGroups(Starlette(routes=ROUTES), keys, ["/app/private/*"])
    scope: dict[str, Any] = {"path": path, "raw_path": raw, "root_path": root, "query_string": query}
    assert run(app, {key: value for key, value in scope.items() if value is not None}).status == status


def test_an_application_under_a_mount_is_judged_by_the_whole_path(keys: Mapping[str, PublicKey], sign: Sign) -> None:
    inner = TrustedKeyGroups(Starlette(routes=ROUTES), keys, ["/app/private/*"])
    asking = TestClient(Starlette(routes=[Mount("/app", inner)]), base_url=SITE)
    assert asking.get(sign(f"{SITE}/app/private/x")).status_code == 200
    assert asking.get("/app/private/x").status_code == 403
    assert asking.get("/app/other").status_code == 200


def test_without_a_raw_path_only_a_path_with_one_form_is_judged(keys: Mapping[str, PublicKey], sign: Sign) -> None:
    app = TrustedKeyGroups(Starlette(routes=ROUTES), keys, ["/private/*"])
    for path, sent, status in (
        ("/private/a-b_c.~1", "/private/a-b_c.~1", 200),
        ("/private/a b", "/private/a%20b", 403),
        ("/private/é", "/private/%C3%A9", 403),
        ("/private/(1)", "/private/(1)", 403),
        ("/public/é (1)", None, 200),
    ):
        query = sign(SITE + sent).partition("?")[2].encode() if sent else b""
        assert run(app, {"path": path, "query_string": query}).status == status, path
        if sent and status == 403:
            assert run(app, {"path": path, "raw_path": sent.encode(), "query_string": query}).status == 200


def test_public_patterns_come_before_protected_ones(keys: Mapping[str, PublicKey]) -> None:
    asking = client(keys, protect=["*"], public=["/public/*", "/login"])
    assert asking.get("/login").status_code == 200
    assert asking.get("/login/x").status_code == 403
    assert asking.get("/public/..%2fprivate/x").status_code == 403


def test_bodies_stream_through_in_both_directions(keys: Mapping[str, PublicKey], sign: Sign) -> None:
    seen = client(keys).post(sign(f"{SITE}/private/stream"), content=iter([b"one ", b"two"]))
    assert (seen.status_code, seen.content) == (200, b"ONE TWO!")


def test_a_websocket_is_judged_like_a_get(keys: Mapping[str, PublicKey], sign: Sign) -> None:
    asking = client(keys)
    target = sign(f"{SITE}/private/socket?room=7").replace("http:", "ws:")
    with asking.websocket_connect(target) as socket:
        assert socket.receive_text() == "allowed room=7"
    with pytest.raises(WebSocketDisconnect), asking.websocket_connect("/private/socket"):
        pass


def test_a_refused_websocket_gets_the_body_where_the_server_can_send_it(keys: Mapping[str, PublicKey]) -> None:
    scope = {"type": "websocket", "scheme": "ws", "path": "/private/socket", "raw_path": b"/private/socket"}
    app = TrustedKeyGroups(Starlette(routes=ROUTES), keys)
    seen = run(app, {**scope, "extensions": {"websocket.http.response": {}}})
    assert (seen.status, seen.body.decode()) == (403, MISSING)
    assert run(app, scope).sent == [{"type": "websocket.close", "code": 1008}]


def test_the_applications_own_page_replaces_cloudfronts(keys: Mapping[str, PublicKey]) -> None:
    async def page(scope: Any, receive: Any, send: Any) -> None:
        await PlainTextResponse(f"please buy it: {scope['keyfront'].reason}", 402)(scope, receive, send)

    seen = client(keys, on_refused=page).get("/private/x")
    assert (seen.status_code, seen.text) == (402, "please buy it: missing-key-pair-id")


def test_lifespan_reaches_the_application(keys: Mapping[str, PublicKey]) -> None:
    seen: list[str] = []

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, str]]:
        seen.append("up")
        yield {"name": "state"}
        seen.append("down")

    async def state(request: Request) -> Response:
        return PlainTextResponse(request.state.name)

    app = TrustedKeyGroups(Starlette(routes=[Route("/", state)], lifespan=lifespan), keys, ["/private/*"])
    with TestClient(app, base_url=SITE) as asking:
        assert asking.get("/").text == "state"
    assert seen == ["up", "down"]


def test_keys_that_a_callable_returns_are_rotated_without_a_restart(
    sign: Sign, key: SigningKey, tmp_path: Path
) -> None:
    file = tmp_path / "K.pem"
    file.write_text(SigningKey.generate("ecdsa").public_key.pem)
    asking = client(lambda: {"K2JCJMDEHXQW5F": file})  # type: ignore[arg-type]
    url = sign(f"{SITE}/private/x")
    assert asking.get(url).status_code == 403
    file.write_text(key.public_key.pem + "\n")
    assert asking.get(url).status_code == 200


def test_a_key_of_a_callable_that_is_gone_or_unreadable_is_not_trusted_and_the_others_are(
    sign: Sign, key: SigningKey, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file, other = tmp_path / "K.pem", tmp_path / "other.pem"
    for each in (file, other):
        each.write_text(key.public_key.pem)
    asking = client(lambda: {"K2JCJMDEHXQW5F": file, "KOTHER": other})  # type: ignore[arg-type]
    url = sign(f"{SITE}/private/x")
    assert asking.get(url).status_code == 200
    other.unlink()
    assert asking.get(url).status_code == 200
    other.write_text("junk")
    assert asking.get(url).status_code == 200
    file.write_text("junk")
    assert [asking.get(url).status_code for _ in range(3)] == [403, 403, 403]
    assert caplog.text.count("the public key of K2JCJMDEHXQW5F") == 1
    assert caplog.text.count("the public key of KOTHER") == 2  # gone, then junk
    assert caplog.text.count("no key is trusted") == 1
    file.write_text(key.public_key.pem)
    assert asking.get(url).status_code == 200
    before = file.stat()
    file.write_text("x" * before.st_size)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert asking.get(url).status_code == 403


def test_keys_are_taken_as_pem_and_as_files(sign: Sign, key: SigningKey, tmp_path: Path) -> None:
    (tmp_path / "public_key.pem").write_text(key.public_key.pem)
    for given in (key.public_key, key.public_key.pem, key.public_key.pem.encode(), tmp_path / "public_key.pem"):
        app = TrustedKeyGroups(Starlette(routes=ROUTES), {"K2JCJMDEHXQW5F": given})
        assert TestClient(app, base_url=SITE).get(sign(f"{SITE}/private/x")).status_code == 200


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"keys": {}}, "keys is empty"),
        ({"keys": {"K1": Path("nowhere.pem")}}, "the public key of K1: cannot read nowhere.pem"),
        ({"keys": {"K1": "public_key.pem"}}, "give a file as a pathlib.Path"),
        ({"protect": "/private/*"}, "protect is the text '/private/\\*'"),
        ({"protect": []}, "nothing would be protected"),
        ({"protect": [""]}, "1 to 255 ASCII characters"),
        ({"public": ["/café"]}, "1 to 255 ASCII characters"),
        ({"public_url": "media.example.com"}, "has no scheme"),
        ({"public_url": "https://media.example.com/?a=1"}, "leave out the query string"),
    ],
)
def test_settings_that_cannot_be_used_are_refused_at_once(
    keys: Mapping[str, PublicKey], options: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(InputError, match=complaint):
        TrustedKeyGroups(Starlette(), **{"keys": keys, **options})


def test_a_private_key_is_no_key_to_trust(key: SigningKey) -> None:
    with pytest.raises(InputError, match="found a private key") as caught:
        TrustedKeyGroups(Starlette(), {"K1": key.pem()})
    assert "PRIVATE KEY-----" not in str(caught.value)


def test_fastapi(keys: Mapping[str, PublicKey], sign: Sign) -> None:
    app = fastapi.FastAPI()
    app.add_middleware(TrustedKeyGroups, keys=keys, protect=["/videos/*"], public=["/videos/trailer"])

    @app.get("/videos/{name}")
    async def video(name: str, request: Request, quality: str = "low") -> dict[str, Any]:
        return {"name": name, "quality": quality, "query": str(request.query_params)}

    asking = FastAPIClient(app, base_url=SITE)
    seen = asking.get(sign(f"{SITE}/videos/a%20b?quality=high"))
    assert seen.json() == {"name": "a b", "quality": "high", "query": "quality=high"}
    assert asking.get("/videos/trailer").json()["name"] == "trailer"
    assert asking.get("/videos/x").text == MISSING


def test_django(keys: Mapping[str, PublicKey], sign: Sign, django_site: Any) -> None:
    from django.core.asgi import get_asgi_application

    app = TrustedKeyGroups(get_asgi_application(), keys, ["/private/*"])

    async def ask_all() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url=SITE) as asking:
            urls = ["/private/x", sign(f"{SITE}/private/x%20y?a=1"), "/public/x"]
            return [await asking.get(url) for url in urls]

    refused, allowed, public = asyncio.run(ask_all())
    assert (refused.status_code, refused.text) == (403, MISSING)
    assert allowed.json() == {"path": "/private/x y", "query": "a=1", "reason": "allowed"}
    assert public.json()["reason"] is None


def test_on_a_real_server_the_bytes_that_were_sent_are_judged(keys: Mapping[str, PublicKey], signer: Signer) -> None:
    app = TrustedKeyGroups(Starlette(routes=ROUTES), keys, ["/private/*"])

    async def ask_all() -> list[tuple[int, bytes]]:
        listener = Listener(app, bind("127.0.0.1", 0))
        listener.start()
        site = f"http://127.0.0.1:{listener.port}"
        signed = signer.sign_url(f"{site}/private/caf%C3%A9%20(1)?a=1", expires=int(time.time()) + 60)
        targets = [signed.removeprefix(site), "/private/x", signed.removeprefix(site).replace("%C3", "%c3"), "/public"]

        def get(target: str) -> tuple[int, bytes]:
            connection = http.client.HTTPConnection("127.0.0.1", listener.port, timeout=10)
            try:
                connection.request("GET", target)
                answer = connection.getresponse()
                return answer.status, answer.read()
            finally:
                connection.close()

        try:
            return [await asyncio.to_thread(get, target) for target in targets]
        finally:
            await listener.stop()

    allowed, missing, changed, public = asyncio.run(ask_all())
    assert allowed[0] == 200
    assert b'"query":"a=1"' in allowed[1]
    assert missing == (403, MISSING.encode())
    assert changed == (403, DENIED.encode())
    assert public[0] == 200


class Seen:
    """What an application sent."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    @property
    def status(self) -> int:
        return next(int(message["status"]) for message in self.sent if "status" in message)

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)


def run(app: Any, scope: dict[str, Any]) -> Seen:
    """One request, as a server that hands on just this would."""
    seen = Seen()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        seen.sent.append(message)

    defaults = {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "query_string": b"",
        "headers": [(b"host", b"media.example.com")],
        "client": ("192.0.2.1", 1),
    }
    asyncio.run(app({**defaults, **scope}, receive, send))
    return seen


def ask(app: Any, target: str, *, host: str = "media.example.com", more: Any = ()) -> Seen:
    path, _, query = target.partition("?")
    headers = [(b"host", host.encode()), *more]
    return run(
        app, {"path": unquote(path), "raw_path": path.encode(), "query_string": query.encode(), "headers": headers}
    )
