"""Bytes of any kind get an answer: never a traceback, and never content that the reference decision would refuse.

A bounded run each time; `--hypothesis-profile=fuzz` goes on for minutes.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from keyfront.core import encoding
from keyfront.core.paths import normalise
from keyfront.core.verification import ViewerRequest, verify
from keyfront.edge.request.admission import Door
from keyfront.edge.server.asgi import application
from keyfront.web.types import Scope

if TYPE_CHECKING:
    from tests.edge.conftest import Laid, Lay
    from tests.servers import Loop

HOST = "d1.cloudfront.localhost"
NAMES = ("Expires", "Policy", "Signature", "Key-Pair-Id", "Hash-Algorithm")
# Nothing is kept, and the origin gets everything that a viewer sends.
WHOLE = {
    "cache_policy_id": "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
    "origin_request_policy_id": "216adef6-5c7f-47e4-b989-5492eafa07d3",
}
UNBOUNDED = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large)
RUN = settings().max_examples
"""Of the profile; each test asks for a multiple of it."""

NASTY = (
    *(b"..", b".", b"", b"%2e%2e", b"%2E.", b"%2f", b"%5c", b"%252e", b"%c0%ae%c0%ae", b"%c0%af", b";a=1", b"..;"),
    *(
        b"%00",
        b"%",
        b"%zz",
        b"%e9",
        b"\xe9",
        b"\x00",
        b"\t",
        b"*",
        b"~",
        b"%7E",
        b"#",
        b"?",
        b"\\",
        b"private",
        b"open",
    ),
)
TWISTS = ("keep", "keep", "keep", "flip", "cut", "double", "insert", "quote", "number")


def signed_parameters(laid: Laid, path: str, kind: str) -> list[tuple[str, str]]:
    """What a good signature adds to a request for `path`."""
    end = int(laid.clock()) + 600
    url = f"http://{HOST}{path}"
    statement = f'"Condition":{{"DateLessThan":{{"AWS:EpochTime":{end}}}}}'
    policy = {
        "canned": f'{{"Statement":[{{"Resource":"{url}",{statement}}}]}}',
        "folder": f'{{"Statement":[{{"Resource":"http://{HOST}/private/*",{statement}}}]}}',
        "any": f'{{"Statement":[{{{statement}}}]}}',
    }[kind].encode("latin-1")
    what = ("Expires", str(end)) if kind == "canned" else ("Policy", encoding.encode(policy))
    return [what, ("Signature", encoding.encode(laid.key.sign(policy))), ("Key-Pair-Id", "K1")]


def twisted(value: str, how: str, chance: random.Random) -> str:
    """`value`, changed in one place."""
    place = chance.randrange(len(value) + 1)
    match how:
        case "flip":
            return value[:place] + chr(chance.randrange(256)) + value[place + 1 :]
        case "cut":
            return value[:place]
        case "double":
            return value + value[place:]
        case "insert":
            return (
                value[:place]
                + chance.choice(["%", "%00", "\xff", "=", "&", ";", " ", "+", "\u00e9", "%26"])
                + value[place:]
            )
        case "quote":
            return "".join(f"%{ord(each):02X}" for each in value)
        case "number":
            return chance.choice(["-1", "0", "1e9", "9" * 30, "NaN", "undefined"])
        case _:
            return value


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, bytes, list[bytes], str, list[str], bool, random.Random, list[Any]]:
    """Method, path, own parameters, kind of signature, a twist for each of its parts, whether in cookies; headers."""
    segments = draw(st.lists(st.sampled_from(NASTY) | st.binary(max_size=6), max_size=6))
    path = b"/" + draw(st.sampled_from([b"", b"private/", b"open/", b"private/../"])) + b"/".join(segments)
    own = draw(
        st.lists(st.binary(max_size=8) | st.sampled_from([b"a=1", b"a", b"", b"Expires=1", b"expires=1"]), max_size=3)
    )
    headers = draw(
        st.lists(
            st.tuples(
                st.sampled_from(
                    *[[b"range", b"if-none-match", b"if-modified-since", b"if-range", b"cookie", b"accept-encoding"]]
                )
                | st.sampled_from([b"x-forwarded-for", b"content-type", b"origin", b"te", b"connection", b"via"]),
                st.binary(max_size=20) | st.sampled_from([b"bytes=0-", b"bytes=-1", b"gzip;q=x", b'W/"', b"*"]),
            ),
            max_size=3,
        )
    )
    return (
        draw(st.sampled_from(["GET", "GET", "GET", "HEAD", "OPTIONS", "POST", "\xff"])),
        path.split(b"?")[0].replace(b" ", b"%20"),
        own,
        draw(st.sampled_from(["canned", "folder", "any", "none"])),
        draw(st.lists(st.sampled_from(TWISTS), min_size=3, max_size=3)),
        draw(st.booleans()),
        draw(st.randoms(use_true_random=False)),
        headers,
    )


@dataclass
class Told:
    """What an application told its server."""

    messages: list[Any] = field(default_factory=list)

    async def receive(self) -> Any:
        await asyncio.sleep(3600)

    async def send(self, message: Any) -> None:
        self.messages.append(message)


@contextlib.contextmanager
def no_errors() -> Iterator[None]:
    """Fail for whatever is logged at ERROR."""
    seen: list[str] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(self.format(record))

    ear = Ear(logging.ERROR)
    logging.getLogger().addHandler(ear)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(ear)
    assert seen == []


@pytest.fixture
def guarded(lay: Lay) -> Laid:
    """`/open/*` is public, everything else is not; the origin has something wherever it is asked."""
    laid = lay()
    laid.serve(
        laid.behavior("/open/*", **WHOLE),
        laid.behavior(trusted_key_groups=("g1",), **WHOLE),
    )
    return laid


@settings(max_examples=5 * RUN, deadline=None, suppress_health_check=UNBOUNDED)
@given(made=requests())
def test_a_request_of_any_bytes_gets_an_answer_and_no_content_that_the_judge_refuses(
    guarded: Laid, loop: Loop, made: Any
) -> None:
    method, path, own, kind, twists, in_cookies, chance, headers = made
    text = path.decode("latin-1")
    query = b"&".join(own).replace(b" ", b"+").replace(b"#", b"%23").decode("latin-1")
    sent = []
    if kind != "none":
        clean = "&".join(part for part in query.split("&") if part.partition("=")[0] not in NAMES)
        good = signed_parameters(guarded, f"{text}?{clean}" if clean else text, kind)
        sent = [(name, twisted(value, how, chance)) for (name, value), how in zip(good, twists, strict=True)]
    cookies = "; ".join(f"CloudFront-{name}={value}" for name, value in sent) if in_cookies else ""
    if sent and not in_cookies:
        query = "&".join(filter(None, [query, *(f"{name}={value}" for name, value in sent)]))
    if cookies:
        headers = [*headers, (b"cookie", cookies.encode("latin-1"))]
    scope = {
        "type": "http",
        "method": method,
        "scheme": "http",
        "http_version": "1.1",
        "raw_path": path,
        "query_string": query.encode("latin-1"),
        "client": ("127.0.0.1", 1),
        "headers": [(b"host", HOST.encode()), *headers],
    }
    told = Told()
    guarded.origin.asked.clear()
    with no_errors():
        loop.run(answered(guarded, scope, told))

    starts = [each for each in told.messages if each["type"] == "http.response.start"]
    assert len(starts) == 1
    assert not told.messages[-1].get("more_body")
    event(f"{starts[0]['status']} {kind}")
    event(f"the origin was asked: {bool(guarded.origin.asked)}")
    if guarded.origin.asked:
        header = "; ".join(value.decode("latin-1") for name, value in headers if name == b"cookie")
        reference = ViewerRequest(f"http://{HOST}{text}" + (f"?{query}" if query else ""), header, "127.0.0.1")
        keys = {"K1": guarded.key.public_key}
        is_open = all(each.startswith("/open/") for each in places(text))
        assert is_open or verify(reference, keys, guarded.clock()).allowed
        # Where the behavior itself is public, signing parameters are parameters like any other.
        is_public = normalise(text).startswith("/open/")
        rest = query if is_public else "&".join(p for p in query.split("&") if p.partition("=")[0] not in NAMES)
        assert {each.target for each in guarded.origin.asked} == {f"{text}?{rest}" if rest else text}


async def answered(laid: Laid, scope: Scope, told: Told) -> None:
    await application(laid.edge, Door())(scope, told.receive, told.send)


def places(path: str) -> set[str]:
    """Where origins that read more or less into `path` would look; written without a look at the edge's own."""
    found = set()
    data = path.encode("latin-1")
    for _ in range(3):
        for each in (data, re.sub(rb";[^/]*", b"", data)):
            kept: list[bytes] = []
            for segment in re.split(rb"[/\\]+", each.replace(b"\xc0\xae", b".").replace(b"\xc0\xaf", b"/")):
                if segment == b"..":
                    del kept[-1:]
                elif segment not in (b"", b"."):
                    kept.append(segment)
            found.add("/" + b"/".join(kept).decode("latin-1") + "/")
        data = unquote_to_bytes(data)
    return found


@st.composite
def raw_requests(draw: st.DrawFn) -> tuple[str, list[tuple[str, float, bytes]]]:
    """A kind of signature, and what is done to the bytes of a good request that carries it: how, where, with what."""
    pieces = [b"\r\n", b"\n", b"\r", b"\x00", b" ", b"\t", b":", b"Host: x\r\n", b"Content-Length: 5\r\n", b"\r\n\r\n"]
    pieces += [b"Transfer-Encoding: chunked\r\n", b"GET /private/b HTTP/1.1\r\n", b"\xff", b"HTTP/1.0", b"/../", b"%2e"]
    change = st.tuples(
        st.sampled_from(["insert", "replace", "cut"]), st.floats(0, 1), st.sampled_from(pieces) | st.binary(max_size=9)
    )
    return draw(st.sampled_from(["canned", "folder", "none"])), draw(st.lists(change, min_size=1, max_size=4))


@settings(max_examples=3 * RUN, deadline=None, suppress_health_check=UNBOUNDED)
@given(made=raw_requests())
def test_bytes_of_any_kind_on_the_wire_fetch_nothing_but_what_was_signed(guarded: Laid, made: Any) -> None:
    kind, changes = made
    guarded.origin.asked.clear()
    good = signed_parameters(guarded, "/private/a", kind) if kind != "none" else []
    query = "&".join(f"{name}={value}" for name, value in good)
    data = f"GET /private/a?{query} HTTP/1.1\r\nHost: {HOST}\r\nCookie: a=b\r\nAccept: */*\r\n\r\n".encode()
    for how, where, piece in changes:
        place = int(where * len(data))
        data = data[:place] + (b"" if how == "cut" else piece) + data[place + (0 if how == "insert" else len(piece)) :]
    last = f"GET /last HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode()
    with no_errors(), contextlib.suppress(ConnectionError), guarded.viewer.connect() as connection:
        connection.sendall(data + last)
        connection.settimeout(0.5)
        with contextlib.suppress(TimeoutError):
            while connection.recv(65536):
                pass
    fetched = {each.target for each in guarded.origin.asked if not each.target.startswith("/open/")}
    if kind == "canned":
        assert fetched <= {"/private/a"}
    elif kind == "folder":
        assert all(each.startswith("/private/") and ".." not in each for each in fetched)
    else:
        assert fetched == set()
    assert guarded.viewer.get("/last").status == 403
