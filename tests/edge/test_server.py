"""The edge as a server: it follows an account through the real API, opens and closes ports, and speaks HTTPS."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from keyfront.core.keys import SigningKey
from keyfront.core.signing import Signer
from keyfront.edge.server.server import Addresses, EdgeServer
from keyfront.edge.server.settings import EdgeSettings
from keyfront.errors import InputError
from keyfront.web.serving import PortError, bind_loopback

if TYPE_CHECKING:
    from tests.edge.conftest import Account, Reply, Viewer
    from tests.servers import Loop

HOST = "d1.cloudfront.localhost"
Wait = Callable[[Callable[[], object]], None]


class Running:
    """An edge that follows an account."""

    def __init__(self, loop: Loop, account: Account, viewer: type[Viewer], settings: EdgeSettings) -> None:
        self._loop = loop
        self._viewer = viewer
        self.applied: list[dict[str, str]] = []

        def report(etags: Any) -> None:
            self.applied.append(dict(etags))
            account.plane.propagation.applied("edge", etags)

        self.server = EdgeServer(settings, on_applied=report)
        self.addresses: Addresses = loop.run(self.server.start())

    def get(self, target: str, *, port: int | None = None, **options: Any) -> Reply:
        return self._viewer(port or self.addresses.http or 0).get(target, **options)

    def stop(self) -> None:
        self._loop.run(self.server.stop())


class Start(Protocol):
    def __call__(self, **settings: Any) -> Running: ...


@pytest.fixture
def start(loop: Loop, account: Account, viewer_class: type[Viewer], tmp_path: Path) -> Iterator[Start]:
    running: list[Running] = []

    def make(**settings: Any) -> Running:
        defaults: dict[str, Any] = {
            "endpoint_url": account.url,
            "access_key_id": "test",
            "secret_access_key": "test",
            "http_port": 0,
            "https_port": 0,
            "directory": tmp_path / "authority",
            "refresh_seconds": 0.02,
        }
        made = Running(loop, account, viewer_class, EdgeSettings(**{**defaults, **settings}))
        running.append(made)
        return made

    yield make
    for each in running:
        each.stop()


def free_pair() -> int:
    """A port that is free, and the one after it."""
    while True:
        sockets = bind_loopback(0)
        port = int(sockets[0].getsockname()[1])
        try:
            sockets += bind_loopback(port + 1)
        except (PortError, OverflowError):
            continue
        finally:
            for each in sockets:
                each.close()
        return port


def handshake(port: int, name: str, authority: Path) -> Any:
    """The certificate that a client which trusts `authority` accepts for `name`."""
    context = ssl.create_default_context(cafile=str(authority))
    with (
        socket.create_connection(("127.0.0.1", port), timeout=20) as connection,
        context.wrap_socket(connection, server_hostname=name) as secure,
    ):
        return secure.getpeercert()


def greets(port: int, name: str, authority: Path) -> bool:
    """Whether a handshake succeeds; one that a listener is leaving ends without an answer."""
    with contextlib.suppress(ssl.SSLEOFError, ConnectionError):
        return bool(handshake(port, name, authority))
    return False


def over_https(port: int, name: str, authority: Path, target: str, host: str) -> bytes:
    context = ssl.create_default_context(cafile=str(authority))
    with (
        socket.create_connection(("127.0.0.1", port), timeout=20) as connection,
        context.wrap_socket(connection, server_hostname=name) as secure,
    ):
        secure.sendall(f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        received = b""
        while block := secure.recv(65536):
            received += block
        return received


def test_a_distribution_is_served_changed_and_gone_as_the_account_says(
    start: Start, account: Account, eventually: Wait
) -> None:
    account.origin.answer("/a", b"a")
    running = start()
    assert running.get("/a").status == 403
    made = account.create()
    eventually(lambda: account.is_deployed(made))
    assert running.get("/a").body == b"a"
    account.update(made, Enabled=False)
    eventually(lambda: account.is_deployed(made))
    assert running.get("/a").status == 403
    etag = account.client.get_distribution(Id=made)["ETag"]
    assert running.applied[-1] == {made: etag}
    account.client.delete_distribution(Id=made, IfMatch=etag)
    account.create("d2.cloudfront.localhost:8443")
    eventually(lambda: running.get("/a", host="d2.cloudfront.localhost").body == b"a")
    assert running.get("/a").status == 403


def test_keys_come_and_go_with_their_group(start: Start, account: Account, eventually: Wait) -> None:
    account.origin.answer("/a", b"a")
    key, other = SigningKey.generate("ecdsa"), SigningKey.generate("ecdsa")
    ids = []
    for number, each in enumerate((key, other)):
        config: Any = {"CallerReference": str(number), "Name": f"k{number}", "EncodedKey": each.public_key.pem}
        ids.append(account.client.create_public_key(PublicKeyConfig=config)["PublicKey"]["Id"])
    group = account.client.create_key_group(KeyGroupConfig={"Name": "g", "Items": ids})
    trusted = {"Enabled": True, "Quantity": 1, "Items": [group["KeyGroup"]["Id"]]}
    made = account.create(behavior={"TrustedKeyGroups": trusted})
    running = start()
    eventually(lambda: account.is_deployed(made))

    def status(key_id: str, signing: SigningKey) -> int:
        url = Signer(key_id, signing).sign_url(f"http://{HOST}/a", expires=timedelta(hours=1))
        return running.get(url.removeprefix(f"http://{HOST}")).status

    assert (status(ids[0], key), status(ids[1], other), running.get("/a").status) == (200, 200, 403)
    account.client.update_key_group(
        Id=group["KeyGroup"]["Id"], IfMatch=group["ETag"], KeyGroupConfig={"Name": "g", "Items": ids[1:]}
    )
    eventually(lambda: status(ids[0], key) == 403)
    assert status(ids[1], other) == 200


def test_the_last_good_configuration_stays_while_the_api_is_away(
    start: Start, account: Account, eventually: Wait, caplog: pytest.LogCaptureFixture
) -> None:
    account.origin.answer("/a", b"a")
    made = account.create()
    running = start()
    eventually(lambda: account.is_deployed(made))
    account.leave()
    eventually(lambda: "the last good configuration stays in use" in caplog.text)
    assert running.get("/a").body == b"a"
    account.arrive()
    eventually(lambda: "the account can be read again" in caplog.text)
    account.update(made, Enabled=False)
    eventually(lambda: running.get("/a").status == 403)
    assert caplog.text.count("the last good configuration stays in use") == 1


def test_everything_is_refused_when_the_api_is_away_for_too_long(
    start: Start, account: Account, eventually: Wait, caplog: pytest.LogCaptureFixture
) -> None:
    account.origin.answer("/a", b"a")
    made = account.create()
    running = start(stale_seconds=0.5)
    eventually(lambda: account.is_deployed(made))
    account.leave()
    eventually(lambda: running.get("/a").status == 503)
    assert "everything is refused until it can" in caplog.text
    account.arrive()
    eventually(lambda: running.get("/a").body == b"a")


def test_an_edge_that_starts_before_the_api_waits_for_it(start: Start, account: Account, eventually: Wait) -> None:
    account.origin.answer("/a", b"a")
    made = account.create()
    account.leave()
    running = start()
    assert running.get("/a").status == 403
    account.arrive()
    eventually(lambda: account.is_deployed(made))
    assert running.get("/a").body == b"a"


def test_a_reading_that_fails_half_way_changes_nothing(
    start: Start,
    account: Account,
    eventually: Wait,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The API answers distributions, and then no key groups: half of an account must not be served."""
    account.origin.answer("/a", b"a")
    made = account.create()
    running = start()
    eventually(lambda: account.is_deployed(made))
    before, handle = running.server.edge.configuration, account.plane.handle

    def without_groups(method: str, path: str, *rest: Any) -> Any:
        return handle(method, "/no-such-thing" if "key-group" in path else path, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(account.plane, "handle", without_groups)
        account.update(made, Enabled=False)
        eventually(lambda: "the last good configuration stays in use" in caplog.text)
        assert running.get("/a").body == b"a"
        assert running.server.edge.configuration is before
    eventually(lambda: running.get("/a").status == 403)


def test_an_invalidation_is_completed_once_the_edge_has_dropped_its_objects(
    start: Start, account: Account, eventually: Wait
) -> None:
    account.origin.answer("/a", b"old", headers={"Cache-Control": "max-age=600"})
    account.origin.answer("/b", b"old", headers={"Cache-Control": "max-age=600"})
    running = start()
    made = account.create(behavior={"CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6"})
    eventually(lambda: account.is_deployed(made))
    assert [running.get(path).body for path in ("/a", "/b")] == [b"old", b"old"]
    account.origin.answer("/a", b"new", headers={"Cache-Control": "max-age=600"})
    account.origin.answer("/b", b"new", headers={"Cache-Control": "max-age=600"})
    assert running.get("/a").body == b"old"

    batch: Any = {"Paths": {"Quantity": 1, "Items": ["/a*"]}, "CallerReference": "one"}
    asked = account.client.create_invalidation(DistributionId=made, InvalidationBatch=batch)["Invalidation"]
    assert asked["Status"] == "InProgress"
    eventually(
        lambda: (
            account.client.get_invalidation(DistributionId=made, Id=asked["Id"])["Invalidation"]["Status"]
            == "Completed"
        )
    )
    assert [running.get(path).body for path in ("/a", "/b")] == [b"new", b"old"]


def test_port_addressing_opens_a_distributions_ports_and_closes_them_with_it(
    start: Start, account: Account, eventually: Wait
) -> None:
    account.origin.answer("/a", b"a")
    running = start(addressing="port")
    secure = free_pair()
    made = account.create(f"localhost:{secure}", behavior={"ViewerProtocolPolicy": "redirect-to-https"})
    eventually(lambda: account.is_deployed(made))
    redirected = running.get("/a", port=secure + 1, host=f"localhost:{secure + 1}")
    assert redirected.headers["location"] == f"https://localhost:{secure}/a"
    answer = over_https(secure, "localhost", running.addresses.authority, "/a", f"localhost:{secure}")
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"a")
    assert running.get("/a", port=secure + 1, host="evil.example").status == 403
    account.delete(made)
    eventually(lambda: not is_open(secure) and not is_open(secure + 1))


def is_open(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True


def test_a_distribution_whose_port_is_taken_is_deployed_once_the_port_is_free(
    start: Start, account: Account, eventually: Wait, caplog: pytest.LogCaptureFixture
) -> None:
    account.origin.answer("/a", b"a")
    running = start(addressing="port")
    port = free_pair()
    taken = bind_loopback(port)
    made = account.create(f"localhost:{port}")
    eventually(lambda: f"cannot listen on 127.0.0.1 port {port}" in caplog.text)
    assert not account.is_deployed(made)
    for each in taken:
        each.close()
    eventually(lambda: account.is_deployed(made))
    assert running.get("/a", port=port + 1, host="localhost").body == b"a"


def test_host_addressing_opens_no_ports_of_their_own(start: Start, account: Account, eventually: Wait) -> None:
    start()
    port = free_pair()
    made = account.create(f"localhost:{port}")
    eventually(lambda: account.is_deployed(made))
    assert not is_open(port)


def test_https_names_every_distribution_and_learns_aliases(start: Start, account: Account, eventually: Wait) -> None:
    account.origin.answer("/a", b"a")
    made = account.create()
    running = start(renew_authority=True)
    port, authority = running.addresses.https or 0, running.addresses.authority
    eventually(lambda: account.is_deployed(made))
    named = {value for _, value in handshake(port, HOST, authority)["subjectAltName"]}
    assert named == {"localhost", "127.0.0.1", "0:0:0:0:0:0:0:1", "*.cloudfront.localhost"}
    assert over_https(port, HOST, authority, "/a", f"{HOST}:{port}").endswith(b"\r\n\r\na")
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(port, "films.example.com", authority)
    trusted = authority.read_bytes()
    certificate = "arn:aws:acm:us-east-1:123456789012:certificate/6c5f2e58-0000-4000-8000-000000000000"
    account.update(
        made,
        Aliases={"Quantity": 1, "Items": ["films.example.com"]},
        ViewerCertificate={"ACMCertificateArn": certificate, "SSLSupportMethod": "sni-only"},
    )
    eventually(lambda: account.is_deployed(made))
    eventually(lambda: greets(port, "films.example.com", authority))
    assert over_https(port, "films.example.com", authority, "/a", "films.example.com").endswith(b"\r\n\r\na")
    assert authority.read_bytes() != trusted


def test_a_policy_for_http_does_not_open_https_and_http_goes_to_https(
    start: Start, account: Account, eventually: Wait
) -> None:
    account.origin.answer("/a", b"a")
    made = account.create(behavior={"ViewerProtocolPolicy": "redirect-to-https"})
    running = start()
    eventually(lambda: account.is_deployed(made))
    reply = running.get("/a", host=f"{HOST}:{running.addresses.http}")
    assert reply.headers["location"] == f"https://{HOST}:{running.addresses.https}/a"


def test_both_loopback_addresses_are_served_and_the_viewers_own_is_known(
    start: Start, account: Account, eventually: Wait
) -> None:
    if len(sockets := bind_loopback(0)) < 2:
        pytest.skip("this machine has no IPv6")
    for each in sockets:
        each.close()
    account.origin.answer("/a", b"a")
    made = account.create()
    running = start()
    eventually(lambda: account.is_deployed(made))
    for address in ("127.0.0.1", "::1"):
        with socket.create_connection((address, running.addresses.http or 0), timeout=20) as connection:
            connection.sendall(f"GET /a HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode())
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        assert account.origin.asked[-1].headers["x-forwarded-for"] == address


def test_a_port_in_use_is_an_error_that_names_it_and_nothing_stays_open(start: Start, account: Account) -> None:
    taken = bind_loopback(0)
    port = int(taken[0].getsockname()[1])
    other = free_pair()
    with pytest.raises(PortError, match=rf"port {port}: another program is listening there; choose another HTTP port"):
        start(http_port=port, https_port=other)
    assert not is_open(other)
    for each in taken:
        each.close()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"endpoint_url": "localhost:4566"}, "'localhost:4566' is not an endpoint URL"),
        ({"endpoint_url": "ftp://localhost"}, "write http://host:port"),
        ({"refresh_seconds": 0}, "give more than 0"),
        ({"http_port": 70_000}, "http_port is 70000"),
        ({"https_port": "8443"}, "https_port is '8443'"),
        ({"cache_bytes": -1}, "cache_bytes is -1"),
        ({"addressing": "name"}, "choose 'host' or 'port'"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        EdgeSettings(**settings)


def test_settings_do_not_show_the_secret() -> None:
    assert "hunter2" not in repr(EdgeSettings(access_key_id="AKID", secret_access_key="hunter2"))
