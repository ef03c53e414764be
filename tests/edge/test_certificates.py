"""The authority that people are asked to trust: how little it can sign for, for how long, and who can change it."""

from __future__ import annotations

import logging
import os
import re
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from keyfront.edge.configuration import EMPTY
from keyfront.edge.origin.client import Origins
from keyfront.edge.pipeline import Edge
from keyfront.edge.server.certificates import ALWAYS_NAMED, Authority
from keyfront.edge.server.issuing import Issued, issue, new_authority
from keyfront.edge.server.listeners import Listeners
from keyfront.errors import InputError
from keyfront.web.serving import TLS

if TYPE_CHECKING:
    from tests.servers import Loop

FILMS = "films.example.com"
NEW = "a new certificate authority"
NeedTool = Callable[[str], Path]
Client = Callable[[Path, str, TLS], bool]
"""Whether a program that trusts the authority takes a server with that certificate for the one of the name."""


@dataclass
class Clock:
    """A clock that tests move."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.now


def ca_of(folder: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())


def kept(folder: Path) -> Issued:
    """The authority with its key, as a thief would have it."""
    return Issued.load((folder / "ca.pem").read_bytes(), (folder / "ca-key.pem").read_bytes())


def names_of(tls: TLS) -> set[str]:
    found = x509.load_pem_x509_certificate(tls.certificate.read_bytes()).extensions
    value = found.get_extension_for_class(x509.SubjectAlternativeName).value
    return {*value.get_values_for_type(x509.DNSName), *map(str, value.get_values_for_type(x509.IPAddress))}


def end_of(tls: TLS) -> datetime:
    return x509.load_pem_x509_certificate(tls.certificate.read_bytes()).not_valid_after_utc


def permitted(folder: Path) -> set[str]:
    constraints = ca_of(folder).extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    return {str(each.value) for each in constraints.value.permitted_subtrees or []}


class TestKeeping:
    """What is in the folder from one start to the next."""

    def test_the_authority_stays_the_same(self, tmp_path: Path) -> None:
        first = Authority(tmp_path, aliases=lambda: [FILMS])
        tls = first.server([FILMS])
        written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
        again = Authority(tmp_path)
        assert again.server([FILMS]) == tls
        assert again.server([]) == tls, "a name that is no longer needed does no harm"
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == written
        assert sorted(written) == ["ca-key.pem", "ca.pem", "server-key.pem", "server.pem"]

    @pytest.mark.parametrize("umask", [0o000, 0o077, 0o777])
    def test_keys_are_their_owners_alone_whatever_the_umask(self, tmp_path: Path, umask: int) -> None:
        before = os.umask(umask)
        try:
            Authority(tmp_path / "home" / "authority").server([])
        finally:
            os.umask(before)
        for folder in (tmp_path / "home", tmp_path / "home" / "authority"):
            assert folder.stat().st_mode & 0o777 == 0o700, folder
        modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "home" / "authority").iterdir()}
        assert modes == {"ca-key.pem": 0o600, "server-key.pem": 0o600, "ca.pem": 0o644, "server.pem": 0o644}

    def test_a_folder_of_an_earlier_version_is_closed_to_others(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o755)
        Authority(tmp_path)
        assert tmp_path.stat().st_mode & 0o777 == 0o700

    @pytest.mark.parametrize("name", ["ca.pem", "ca-key.pem"])
    def test_what_others_may_write_to_is_refused(self, tmp_path: Path, name: str) -> None:
        Authority(tmp_path)
        (tmp_path / name).chmod(0o666)
        with pytest.raises(InputError, match=rf"may write to .*{name}.*chmod -R go-w"):
            Authority(tmp_path)

    def test_a_key_that_others_may_read_is_refused(self, tmp_path: Path) -> None:
        Authority(tmp_path)
        (tmp_path / "ca-key.pem").chmod(0o644)
        with pytest.raises(InputError, match=r"ca-key\.pem has mode 0644.*chmod 600"):
            Authority(tmp_path)

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
    def test_another_users_authority_is_refused_also_while_the_edge_runs(self, tmp_path: Path) -> None:
        running = Authority(tmp_path)
        for each in (tmp_path, tmp_path / "ca.pem", tmp_path / "ca-key.pem"):
            os.chown(each, 12345, 12345)
        for use in (lambda: Authority(tmp_path), lambda: running.server([])):
            with pytest.raises(InputError, match=rf"{re.escape(str(tmp_path))} belongs to another user, uid 12345"):
                use()

    def test_a_damaged_authority_or_a_folder_that_is_none_is_an_error_that_says_what_to_do(
        self, tmp_path: Path
    ) -> None:
        Authority(tmp_path)
        (tmp_path / "ca-key.pem").write_text("nonsense")
        with pytest.raises(InputError, match=r"is damaged.*delete it"):
            Authority(tmp_path)
        (tmp_path / "file").touch()
        with pytest.raises(InputError, match="name another directory"):
            Authority(tmp_path / "file")

    def test_several_processes_make_one(self, tmp_path: Path) -> None:
        made: list[bytes] = []
        threads = [
            threading.Thread(
                target=lambda number=number: made.append(
                    Authority(tmp_path, server=f"server-{number}").server([]).certificate.read_bytes()
                )
            )
            for number in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(made)) == 8
        for each in made:
            x509.load_pem_x509_certificate(each).verify_directly_issued_by(ca_of(tmp_path))


class TestBounds:
    """What a thief of the key could not do with it."""

    def test_openssl_shows_them(self, tmp_path: Path, need_tool: NeedTool) -> None:
        Authority(tmp_path, aliases=lambda: [FILMS, "*.shop.example", "www.shop.example"])
        command = [str(need_tool("openssl")), "x509", "-in", str(tmp_path / "ca.pem"), "-noout", "-text"]
        said = " ".join(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())
        assert "X509v3 Basic Constraints: critical CA:TRUE, pathlen:0 X509v3" in said
        assert "X509v3 Key Usage: critical Certificate Sign X509v3" in said
        assert (
            "X509v3 Name Constraints: critical Permitted: DNS:films.example.com DNS:localhost DNS:shop.example "
            "IP:127.0.0.0/255.0.0.0 IP:0:0:0:0:0:0:0:1/FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF X509v3" in said
        )
        assert "TLS Web Server Authentication" in said

    def test_it_lives_for_398_days_and_the_servers_certificate_for_30(self, tmp_path: Path) -> None:
        clock = Clock()
        tls, ca = Authority(tmp_path, now=clock).server([]), ca_of(tmp_path)
        assert timedelta(days=397) < ca.not_valid_after_utc - ca.not_valid_before_utc < timedelta(days=398)
        assert timedelta(days=397) < ca.not_valid_after_utc - clock.now < timedelta(days=398)
        assert timedelta(days=29, hours=23) < end_of(tls) - clock.now <= timedelta(days=30)

    @pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1", "d1.cloudfront.localhost", FILMS])
    def test_clients_accept_what_it_signs_for_its_names(self, visit: Visit, name: str) -> None:
        assert visit(visit.ours, name)

    @pytest.mark.parametrize("name", ["login.example.com", "example.com", "notlocalhost", "10.0.0.1", "2001:db8::1"])
    def test_clients_refuse_what_its_key_signs_for_other_names(self, visit: Visit, name: str) -> None:
        assert not visit(visit.stolen(name), name)

    def test_clients_refuse_a_certificate_that_names_one_more(self, visit: Visit) -> None:
        assert not visit(visit.stolen("localhost", "login.example.com"), "localhost")
        assert visit(visit.stolen("localhost"), "localhost")

    def test_node_does_as_well(self, tmp_path: Path, need_tool: NeedTool) -> None:
        visit = Visit(tmp_path / "authority", _node(need_tool))
        assert visit(visit.ours, "d1.cloudfront.localhost")
        assert not visit(visit.stolen("login.example.com"), "login.example.com")

    def test_chromium_does_as_well(self, tmp_path: Path, chromium: Path, need_tool: NeedTool) -> None:
        with _chromium(chromium, need_tool, tmp_path) as client:
            visit = Visit(tmp_path / "authority", client)
            for name in ("localhost", "d1.cloudfront.localhost", FILMS):
                assert visit(visit.ours, name), name
            for name in ("login.example.com", "notlocalhost"):
                assert not visit(visit.stolen(name), name), name
            assert not visit(visit.below("localhost"), "localhost")

    def test_clients_refuse_an_authority_below_it(self, visit: Visit) -> None:
        assert not visit(visit.below("localhost"), "localhost")


class Visit:
    """`visit(server, name)`: whether a client that trusts the authority takes the server for `name`."""

    def __init__(self, folder: Path, client: Client) -> None:
        self._folder = folder
        self._client = client
        self._authority = Authority(folder, aliases=lambda: [FILMS])
        self.ours = self._authority.server([FILMS])

    def __call__(self, server: TLS, name: str) -> bool:
        return self._client(self._authority.certificate, name, server)

    def stolen(self, *names: str) -> TLS:
        """What a thief signs with the authority's key."""
        return self._written("stolen", issue(kept(self._folder), names, datetime.now(UTC)))

    def below(self, name: str) -> TLS:
        """What an authority signs that a thief signed."""
        above, now, key = kept(self._folder), datetime.now(UTC), ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "below")])
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(above.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(above.certificate.extensions.get_extension_for_class(x509.KeyUsage).value, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(above.key, hashes.SHA256())
        )
        between = Issued(made, key)
        leaf = issue(between, [name], now)
        tls = self._written("below", leaf)
        tls.certificate.write_bytes(leaf.certificate_pem + between.certificate_pem)
        return tls

    def _written(self, name: str, issued: Issued) -> TLS:
        tls = TLS(self._folder / f"{name}.pem", self._folder / f"{name}-key.pem")
        tls.certificate.write_bytes(issued.certificate_pem)
        tls.key.write_bytes(issued.key_pem)
        return tls


@contextmanager
def serving(tls: TLS) -> Iterator[int]:
    """A port on which connections are greeted with a certificate, and get an answer of HTTP."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls.certificate, tls.key)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    connection = listening.accept()[0]
                except OSError:
                    return
                with connection, suppress(OSError), context.wrap_socket(connection, server_side=True) as secure:
                    secure.recv(65536)
                    secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")

        thread = threading.Thread(target=serve)
        thread.start()
        yield int(listening.getsockname()[1])
        listening.shutdown(socket.SHUT_RDWR)
    thread.join()


def _python(need_tool: NeedTool) -> Client:
    del need_tool

    def visit(authority: Path, name: str, server: TLS) -> bool:
        context = ssl.create_default_context(cafile=str(authority))
        with serving(server) as port, socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            try:
                with context.wrap_socket(connection, server_hostname=name):
                    return True
            except ssl.SSLCertVerificationError:
                return False

    return visit


def _openssl(need_tool: NeedTool) -> Client:
    openssl = need_tool("openssl")

    def visit(authority: Path, name: str, server: TLS) -> bool:
        kind = "-verify_ip" if ":" in name or name.replace(".", "").isdigit() else "-verify_hostname"
        trust = ["-no-CApath", "-CAfile", str(authority), "-untrusted", str(server.certificate)]
        done = subprocess.run(
            [openssl, "verify", "-purpose", "sslserver", *trust, kind, name, server.certificate], capture_output=True
        )
        assert (done.returncode == 0) == (b": OK" in done.stdout), done
        return done.returncode == 0

    return visit


def _curl(need_tool: NeedTool) -> Client:
    curl = need_tool("curl")

    def visit(authority: Path, name: str, server: TLS) -> bool:
        host = f"[{name}]" if ":" in name else name
        with serving(server) as port:
            own = ["--noproxy", "*", "--cacert", str(authority), "--connect-to", f"::127.0.0.1:{port}"]
            done = subprocess.run([curl, "-sS", "--max-time", "20", *own, f"https://{host}/"], capture_output=True)
        assert done.returncode in (0, 60), done.stderr  # 60: the certificate is not trusted
        return done.returncode == 0

    return visit


_NODE = """
const [name, port, file] = process.argv.slice(1);
const options = {host: "127.0.0.1", port, ca: require("fs").readFileSync(file)};
const check = (_, certificate) => require("tls").checkServerIdentity(name, certificate);
const socket = require("tls").connect({...options, checkServerIdentity: check}, () => {
  console.log("accepted"); socket.destroy();
});
socket.on("error", (error) => console.log("refused", error.code));
"""


def _node(need_tool: NeedTool) -> Client:
    node = need_tool("node")

    def visit(authority: Path, name: str, server: TLS) -> bool:
        with serving(server) as port:
            command = [str(node), "-e", _NODE, name, str(port), str(authority)]
            said = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout
        assert re.match("accepted|refused", said), said
        return said.startswith("accepted")

    return visit


@contextmanager
def _chromium(chromium: Path, need_tool: NeedTool, folder: Path) -> Iterator[Client]:
    """One browser for all visits: it starts at the first, because it reads at its start whom it trusts."""
    from playwright.sync_api import BrowserContext, Error, sync_playwright

    certutil, home = need_tool("certutil"), folder / "home"
    own = ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * 127.0.0.1"]

    def trust(authority: Path) -> None:
        for known in (".pki/nssdb", ".local/share/pki/nssdb"):  # versions differ in where they look
            (home / known).mkdir(parents=True)
            database = ["-d", f"sql:{home / known}"]
            subprocess.run([certutil, "-N", "--empty-password", *database], check=True)
            subprocess.run([certutil, "-A", *database, "-n", "keyfront", "-t", "C,,", "-i", authority], check=True)

    with sync_playwright() as playwright:
        started: list[BrowserContext] = []

        def visit(authority: Path, name: str, server: TLS) -> bool:
            if not started:
                trust(authority)
                environment: dict[str, str | float | bool] = {**os.environ, "HOME": str(home)}
                started.append(
                    playwright.chromium.launch_persistent_context(
                        folder / "profile", executable_path=chromium, args=own, env=environment
                    )
                )
            with serving(server) as port:
                page = started[0].new_page()
                try:
                    page.goto(f"https://{name}:{port}/")
                except Error as error:
                    if "ERR_CERT_INVALID" not in error.message:
                        raise
                    return False
                assert page.inner_text("body") == "ok"
                return True

        yield visit
        for context in started:
            context.close()


_CLIENTS = {"python": _python, "openssl": _openssl, "curl": _curl}


@pytest.fixture(params=list(_CLIENTS))
def visit(request: pytest.FixtureRequest, tmp_path: Path, need_tool: NeedTool) -> Visit:
    return Visit(tmp_path / "authority", _CLIENTS[request.param](need_tool))


class TestAliases:
    """A name outside the constraints is for the user to decide."""

    def test_those_that_there_are_when_it_is_made_are_among_its_names(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        aliases = [FILMS, "*.shop.example", "www.shop.example", "müller.example"]
        tls = Authority(tmp_path, aliases=lambda: aliases).server(aliases)
        assert {name for name in permitted(tmp_path) if "/" not in name} == {
            *("localhost", FILMS, "shop.example", "xn--mller-kva.example")
        }
        expected = {*ALWAYS_NAMED, FILMS, "*.shop.example", "www.shop.example", "xn--mller-kva.example"}
        assert names_of(tls) == expected
        assert caplog.text == ""

    def test_they_are_not_asked_for_where_there_is_an_authority(self, tmp_path: Path) -> None:
        Authority(tmp_path)
        Authority(tmp_path, aliases=lambda: pytest.fail("that reads the account"))

    def test_a_new_one_within_its_names_gets_a_new_server_certificate(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        authority = Authority(tmp_path, aliases=lambda: ["*.shop.example"])
        tls, trusted = authority.server([]), (tmp_path / "ca.pem").read_bytes()
        before = tls.certificate.read_bytes()
        authority.server(["shop.example", "cdn.media.localhost"])
        assert tls.certificate.read_bytes() != before
        assert names_of(tls) == {*ALWAYS_NAMED, "shop.example", "cdn.media.localhost"}
        assert (tmp_path / "ca.pem").read_bytes() == trusted
        assert caplog.text == ""

    def test_a_new_one_outside_is_left_out_and_named_once_with_what_to_do(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        authority = Authority(tmp_path)
        trusted = (tmp_path / "ca.pem").read_bytes()
        for _ in range(3):
            assert names_of(authority.server([FILMS, "*.shop.example"])) == set(ALWAYS_NAMED)
        assert (tmp_path / "ca.pem").read_bytes() == trusted
        (said,) = [record.getMessage() for record in caplog.records]
        assert "*.shop.example, films.example.com" in said
        assert "--renew-authority" in said
        authority.server([FILMS, "music.example.com"])
        assert len(caplog.records) == 2
        assert "names music.example.com:" in caplog.records[1].getMessage()

    def test_one_process_of_several_speaks_of_it(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        Authority(tmp_path, server="server-2").server([FILMS, "a_b.example.com"])
        assert caplog.text == ""

    def test_with_the_option_it_gets_a_new_authority_that_keeps_the_old_ones_names(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        authority = Authority(tmp_path, aliases=lambda: ["old.example.com"], renew=True)
        before = ca_of(tmp_path)
        tls = authority.server([FILMS])
        assert names_of(tls) == {*ALWAYS_NAMED, FILMS}
        assert {name for name in permitted(tmp_path) if "/" not in name} == {"localhost", "old.example.com", FILMS}
        with pytest.raises((ValueError, InvalidSignature)):
            x509.load_pem_x509_certificate(tls.certificate.read_bytes()).verify_directly_issued_by(before)
        (said,) = [record.getMessage() for record in caplog.records]
        assert said.startswith(NEW)
        assert "may not sign for films.example.com" in said
        authority.server([FILMS, "old.example.com"])
        assert len(caplog.records) == 1

    @pytest.mark.parametrize(
        "alias", ["a_b.example.com", "-a.example.com", "a..b", "x" * 70 + ".example.com", "*.com", "com"]
    )
    def test_one_that_no_certificate_can_name_is_left_out_and_logged_once(
        self, tmp_path: Path, alias: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        authority = Authority(tmp_path, renew=True)
        before = authority.server([]).certificate.read_bytes()
        for _ in range(2):
            assert authority.server([alias]).certificate.read_bytes() == before
        (said,) = [record.getMessage() for record in caplog.records]
        assert f"{alias} cannot be in a certificate" in said


class TestEnds:
    """Nothing lives on for ever, and nothing is replaced without a word."""

    def _replaced(self, folder: Path, caplog: pytest.LogCaptureFixture, **options: Any) -> str:
        """What is said when the next start finds what is in the folder."""
        before = (folder / "ca.pem").read_bytes()
        Authority(folder, **options)
        assert (folder / "ca.pem").read_bytes() != before
        Authority(folder, **options)
        (said,) = [record.getMessage() for record in caplog.records]
        assert said.startswith(NEW)
        assert str(folder / "ca.pem") in said
        return said

    @pytest.mark.parametrize(("days", "verb"), [(399, "ended"), (390, "ends")])
    def test_one_that_has_ended_or_soon_will_is_replaced(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture, days: int, verb: str
    ) -> None:
        clock = Clock()
        Authority(tmp_path, aliases=lambda: ["gone.example.com"], now=clock)
        ends = ca_of(tmp_path).not_valid_after_utc
        clock.now += timedelta(days=days)
        assert f"{verb} on {ends:%Y-%m-%d}" in self._replaced(tmp_path, caplog, now=clock, aliases=lambda: [FILMS])
        assert {name for name in permitted(tmp_path) if "/" not in name} == {"localhost", FILMS}

    def test_until_then_it_stays_and_only_the_servers_certificate_is_renewed(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        clock = Clock()
        authority = Authority(tmp_path, now=clock)
        trusted, last = (tmp_path / "ca.pem").read_bytes(), datetime.now(UTC)
        for _ in range(38):  # 380 days
            tls = authority.server([])
            assert end_of(tls) - clock.now >= timedelta(days=10)
            last = max(last, end_of(tls))
            clock.now += timedelta(days=10)
        assert (tmp_path / "ca.pem").read_bytes() == trusted
        assert last <= ca_of(tmp_path).not_valid_after_utc
        assert caplog.text == ""
        clock.now += timedelta(days=10)
        tls = authority.server([])
        x509.load_pem_x509_certificate(tls.certificate.read_bytes()).verify_directly_issued_by(ca_of(tmp_path))
        assert "ends on" in caplog.text

    def test_one_of_an_earlier_version_is_replaced(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        old = trustme.CA(organization_name="keyfront", organization_unit_name="local edge")
        self._plant(tmp_path, old.cert_pem.bytes(), old.private_key_pem.bytes())
        assert "would have been valid until 30" in self._replaced(tmp_path, caplog)

    @pytest.mark.parametrize("left_out", ["constraints", "path length", "key usage"])
    def test_one_that_is_not_bound_is_replaced(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture, left_out: str
    ) -> None:
        now, bound = datetime.now(UTC), new_authority([], datetime.now(UTC))
        name = bound.certificate.subject
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(bound.key.public_key())
            .serial_number(1)
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=300))
        )
        for extension in bound.certificate.extensions:
            value: Any = extension.value
            if left_out == "path length" and isinstance(value, x509.BasicConstraints):
                value = x509.BasicConstraints(ca=True, path_length=9)
            if left_out == "constraints" and isinstance(value, x509.NameConstraints):
                continue
            if left_out == "key usage" and isinstance(value, x509.KeyUsage):
                continue
            builder = builder.add_extension(value, critical=extension.critical)
        made = Issued(builder.sign(bound.key, hashes.SHA256()), bound.key)
        self._plant(tmp_path, made.certificate_pem, made.key_pem)
        assert "could sign for any name" in self._replaced(tmp_path, caplog)

    def test_one_whose_key_is_anothers_is_replaced(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        one, other = new_authority([], datetime.now(UTC)), new_authority([], datetime.now(UTC))
        self._plant(tmp_path, one.certificate_pem, other.key_pem)
        assert "had the key of another" in self._replaced(tmp_path, caplog)

    def test_the_first_one_is_no_news(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        Authority(tmp_path)
        assert caplog.text == ""

    def test_a_servers_certificate_of_another_authority_is_issued_anew(self, tmp_path: Path) -> None:
        tls = Authority(tmp_path).server([])
        before = tls.certificate.read_bytes()
        (tmp_path / "ca.pem").unlink()
        Authority(tmp_path).server([])
        assert tls.certificate.read_bytes() != before

    def _plant(self, folder: Path, certificate: bytes, key: bytes) -> None:
        (folder / "ca.pem").write_bytes(certificate)
        (folder / "ca-key.pem").write_bytes(key)
        (folder / "ca-key.pem").chmod(0o600)


class TestRunning:
    """An edge that runs for longer than its certificate."""

    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    @pytest.fixture
    def running(self, loop: Loop, tmp_path: Path, clock: Clock) -> Iterator[Listeners]:
        async def start() -> tuple[Origins, Listeners]:
            origins = Origins()
            listeners = Listeners(Edge(origins), Authority(tmp_path, now=clock), dedicated=False, look_seconds=0.05)
            await listeners.open([], [0])
            return origins, listeners

        origins, listeners = loop.run(start())
        yield listeners
        loop.run(listeners.close())
        loop.run(origins.aclose())

    def _shown(self, listeners: Listeners) -> x509.Certificate:
        """What a viewer is greeted with."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        while True:
            with (
                suppress(ssl.SSLEOFError, ConnectionError),  # a listener that is being replaced
                socket.create_connection(("127.0.0.1", listeners.https[0]), timeout=20) as connection,
                context.wrap_socket(connection) as secure,
            ):
                return x509.load_der_x509_certificate(secure.getpeercert(binary_form=True) or b"")

    def test_it_renews_the_certificate_in_time(
        self, running: Listeners, clock: Clock, eventually: Callable[[Callable[[], object]], None]
    ) -> None:
        first = self._shown(running)
        assert first.not_valid_after_utc - clock.now > timedelta(days=29)
        clock.now += timedelta(days=21)
        eventually(lambda: self._shown(running).not_valid_after_utc - clock.now > timedelta(days=29))

    def test_it_takes_up_an_authority_that_another_process_made(
        self, running: Listeners, tmp_path: Path, eventually: Callable[[Callable[[], object]], None]
    ) -> None:
        Authority(tmp_path, server="server-2", renew=True).server([FILMS])
        trusted = ca_of(tmp_path).subject
        assert trusted.rfc4514_string()
        eventually(lambda: self._shown(running).issuer == trusted)

    def test_a_folder_that_cannot_be_trusted_any_more_is_said_once_and_the_edge_goes_on(
        self,
        running: Listeners,
        loop: Loop,
        tmp_path: Path,
        caplog: pytest.LogCaptureFixture,
        eventually: Callable[[Callable[[], object]], None],
    ) -> None:
        first = self._shown(running)
        with caplog.at_level(logging.WARNING):
            tmp_path.chmod(0o777)
            eventually(lambda: "may write to" in caplog.text)
            assert loop.run(running.follow(EMPTY)) == frozenset()
            loop.run(running.certify())
        assert caplog.text.count("may write to") == 1
        assert self._shown(running) == first


def test_the_names_that_are_always_there_are_this_machines() -> None:
    assert set(ALWAYS_NAMED) == {"localhost", "127.0.0.1", "::1", "*.cloudfront.localhost"}
