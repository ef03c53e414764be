"""Listeners: real sockets, from `bind` to the port being free again."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme

from keyfront.errors import KeyfrontError
from keyfront.web.draining import Drain
from keyfront.web.serving import TLS, Listener, PortError, bind, bind_loopback
from keyfront.web.types import ASGIApp, Receive, Send


async def echo(scope: Any, receive: Receive, send: Send) -> None:
    """Answers with what it was asked for, to the byte."""
    body = f"{scope['method']} {scope['scheme']} ".encode() + scope["raw_path"] + b"?" + scope["query_string"]
    headers = [(b"content-length", str(len(body)).encode()), (b"server", b"CloudFront")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def listening(app: ASGIApp = echo, host: str = "127.0.0.1", tls: TLS | None = None) -> AsyncIterator[Listener]:
    listener = Listener(app, bind(host, 0), tls=tls)
    listener.start()
    try:
        yield listener
    finally:
        await listener.stop()


async def ask(port: int, request: bytes, host: str = "127.0.0.1", context: ssl.SSLContext | None = None) -> bytes:
    """The whole answer to `request`, sent as it is."""
    name = "localhost" if context else None
    reader, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=name)
    writer.write(request)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


async def connect_for_ever(port: int) -> None:
    while True:
        # Whoever waits in the queue of a port that closes is reset; the next one is refused.
        with contextlib.suppress(ConnectionResetError):
            (await asyncio.open_connection("127.0.0.1", port))[1].close()


GET = b"GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def test_port_0_is_any_free_port_and_is_known_before_the_start() -> None:
    async def run() -> None:
        async with listening() as first, listening() as second:
            assert 0 < first.port != second.port > 0
            for listener in (first, second):
                assert (await ask(listener.port, GET % b"/a")).endswith(b"GET http /a?")

    asyncio.run(run())


@pytest.mark.parametrize(
    "target",
    [
        b"/a%20b/%C3%BC?c=%20+&d",
        b"/%7e/%7E/%2F/%2e%2e/..",
        b"//a///b/./c?",
        b"/it's?it's=%27",
        b"/?Policy=a~b-c_&Key-Pair-Id=K",
        b"/a;b=c,d!$&()*+:@[]|^",
    ],
)
def test_the_application_sees_the_target_as_it_was_sent(target: bytes) -> None:
    async def run() -> None:
        async with listening() as listener:
            answer = await ask(listener.port, GET % target)
            assert answer.endswith(b"GET http " + (target if b"?" in target else target + b"?"))

    asyncio.run(run())


def test_the_applications_own_headers_are_kept() -> None:
    async def run() -> None:
        async with listening() as listener:
            head = (await ask(listener.port, GET % b"/")).partition(b"\r\n\r\n")[0].lower()
            assert b"server: cloudfront" in head
            assert head.count(b"server:") == 1

    asyncio.run(run())


def test_many_requests_share_a_connection_and_many_connections_a_listener() -> None:
    async def run() -> None:
        async with listening() as listener, httpx.AsyncClient() as client:
            url = f"http://127.0.0.1:{listener.port}"
            answers = await asyncio.gather(*(client.get(f"{url}/{number}") for number in range(60)))
            assert [answer.text for answer in answers] == [f"GET http /{number}?" for number in range(60)]

    asyncio.run(run())


def test_ipv6() -> None:
    try:
        bind("::1", 0).close()
    except PortError:
        pytest.skip("this machine has no IPv6 loopback")

    async def run() -> None:
        async with listening(host="::1") as listener:
            assert (await ask(listener.port, GET % b"/six", host="::1")).endswith(b"/six?")

    asyncio.run(run())


def test_tls_with_a_local_authoritys_certificate(tmp_path: Path) -> None:
    authority = trustme.CA()
    issued = authority.issue_cert("localhost")
    tls = TLS(tmp_path / "certificate.pem", tmp_path / "key.pem")
    tls.certificate.write_bytes(b"".join(part.bytes() for part in issued.cert_chain_pems))
    tls.key.write_bytes(issued.private_key_pem.bytes())
    context = ssl.create_default_context()
    authority.configure_trust(context)

    async def run() -> None:
        async with listening(tls=tls) as listener:
            assert (await ask(listener.port, GET % b"/tls", context=context)).endswith(b"GET https /tls?")
            with pytest.raises(ssl.SSLCertVerificationError):
                await ask(listener.port, GET % b"/", context=ssl.create_default_context())

    asyncio.run(run())


def test_stop_frees_the_port() -> None:
    async def run() -> None:
        async with listening() as listener:
            port = listener.port
            await ask(port, GET % b"/")
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
        again = bind("127.0.0.1", port)
        again.close()

    asyncio.run(run())


def test_an_answer_under_way_is_finished_before_the_listener_stops() -> None:
    async def run() -> None:
        asked, go_on = asyncio.Event(), asyncio.Event()

        async def slow(scope: Any, receive: Receive, send: Send) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"10")]})
            await send({"type": "http.response.body", "body": b"first", "more_body": True})
            asked.set()
            await go_on.wait()
            await send({"type": "http.response.body", "body": b"later"})

        listener = Listener(slow, bind("127.0.0.1", 0))
        listener.start()
        answer = asyncio.create_task(ask(listener.port, GET % b"/"))
        await asked.wait()
        stopping = asyncio.create_task(listener.stop())
        with pytest.raises(ConnectionRefusedError):
            await connect_for_ever(listener.port)
        await asyncio.wait({stopping}, timeout=2)  # a silence for which an idle connection would be closed
        assert not answer.done()
        assert not stopping.done()
        go_on.set()
        await stopping
        assert (await answer).endswith(b"firstlater")

    asyncio.run(run())


def test_an_answer_that_never_ends_is_broken_off() -> None:
    async def run() -> None:
        asked = asyncio.Event()

        async def endless(scope: Any, receive: Receive, send: Send) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"10")]})
            asked.set()
            await asyncio.Event().wait()

        listener = Listener(endless, bind("127.0.0.1", 0))
        listener.start()
        answer = asyncio.create_task(ask(listener.port, GET % b"/"))
        await asked.wait()
        await listener.stop(Drain(0.1))
        bind("127.0.0.1", listener.port).close()
        assert b"200" not in await answer

    asyncio.run(run())


def test_a_drain_that_is_hurried_waits_for_no_answer() -> None:
    async def run() -> None:
        asked = asyncio.Event()

        async def endless(scope: Any, receive: Receive, send: Send) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"10")]})
            await send({"type": "http.response.body", "body": b"first", "more_body": True})
            asked.set()
            await asyncio.Event().wait()

        listener, drain = Listener(endless, bind("127.0.0.1", 0)), Drain(3600)
        listener.start()
        answer = asyncio.create_task(ask(listener.port, GET % b"/"))
        await asked.wait()
        stopping = asyncio.create_task(listener.stop(drain))
        with pytest.raises(ConnectionRefusedError):
            await connect_for_ever(listener.port)
        assert not stopping.done()
        drain.hurry()
        await asyncio.wait_for(stopping, 20)
        assert (await asyncio.wait_for(answer, 20)).endswith(b"first")

    asyncio.run(run())


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET / HTTP/1.1\r\nHos",
        GET.replace(b"Connection: close\r\n", b"") % b"/",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0",
    ],
    ids=["nothing", "half a head", "between two requests", "HTTP/2 without a request"],
)
def test_a_connection_with_no_answer_under_way_is_not_waited_for(sent: bytes) -> None:
    async def run() -> None:
        listener = Listener(echo, bind("127.0.0.1", 0))
        listener.start()
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(sent)
        if sent and sent[-3:] != b"Hos":
            await reader.read(1024)
        await ask(listener.port, GET % b"/")  # so that granian has taken the connection before
        await asyncio.wait_for(listener.stop(Drain(3600)), 20)
        with contextlib.suppress(ConnectionError):
            await asyncio.wait_for(reader.read(), 20)
        writer.close()

    asyncio.run(run())


def test_what_a_slow_viewer_has_not_read_yet_is_waited_for() -> None:
    """The application is done with the answer long before the viewer is."""
    size = 32 * 1024 * 1024  # far more than the system keeps for both ends
    viewer = socket.socket()
    viewer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)

    async def large(scope: Any, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % size)]})
        await send({"type": "http.response.body", "body": bytes(size)})

    async def run() -> None:
        listener = Listener(large, bind("127.0.0.1", 0))
        listener.start()
        viewer.connect(("127.0.0.1", listener.port))
        reader, writer = await asyncio.open_connection(sock=viewer, limit=1024)
        writer.write(GET % b"/")
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"200" in head
        stopping = asyncio.create_task(listener.stop(Drain(3600)))
        await asyncio.wait({stopping}, timeout=3)  # longer than an idle connection is given
        assert not stopping.done()
        received = 0
        while block := await reader.read(65536):
            received += len(block)
        assert received == size
        await asyncio.wait_for(stopping, 20)
        writer.close()

    asyncio.run(run())


@pytest.mark.parametrize("started", [False, True])
def test_a_listener_may_stop_before_it_answered_anything(started: bool) -> None:
    async def run() -> None:
        listener = Listener(echo, bind("127.0.0.1", 0))
        if started:
            listener.start()
        await listener.stop()
        await listener.stop()
        bind("127.0.0.1", listener.port).close()

    asyncio.run(run())


def test_a_port_in_use_is_a_clear_error() -> None:
    taken = socket.create_server(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    with taken, pytest.raises(PortError) as refused:
        bind("127.0.0.1", port, option="another --port")
    says = f"cannot listen on 127.0.0.1 port {port}: another program is listening there; choose another --port"
    assert str(refused.value) == says
    assert isinstance(refused.value, KeyfrontError)


@pytest.mark.parametrize(
    ("host", "port", "says"),
    [
        ("127.0.0.1", 65536, "not between 0 and 65535"),
        ("127.0.0.1", -1, "not between 0 and 65535"),
        ("192.0.2.1", 0, "this machine has no such address"),
        ("no-such-host.invalid", 0, "cannot listen on no-such-host.invalid port 0"),
    ],
)
def test_what_cannot_be_listened_on_is_a_clear_error(host: str, port: int, says: str) -> None:
    with pytest.raises(PortError) as refused:
        bind(host, port)
    assert says in str(refused.value)


def test_both_loopback_addresses_get_one_port() -> None:
    bound = bind_loopback(0)
    try:
        assert len({each.getsockname()[1] for each in bound}) == 1
        assert bound[0].getsockname()[0] == "127.0.0.1"
        with pytest.raises(PortError):
            bind_loopback(bound[0].getsockname()[1])
    finally:
        for each in bound:
            each.close()
