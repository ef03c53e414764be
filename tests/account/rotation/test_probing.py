"""The probe's requests: what is temporary is an answer, and what waiting cannot change is an error."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from tests.servers import Quiet, http_server

from keyfront import Signer, SigningKey
from keyfront.account.rotation.probing import ask
from keyfront.errors import InputError

SIGNER = Signer("K2JCJMDEHXQW5F", SigningKey.generate("ecdsa"))
HERE = "laptop.cloudfront.localhost"


class _Allows(Quiet):
    def do_GET(self) -> None:
        self.answer(200, b"ok")


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def url(authority: trustme.CA) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HERE, "127.0.0.1").configure_cert(context)
    with http_server(_Allows, tls=context) as port:
        yield f"https://{HERE}:{port}/film.mp4"


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_laptops_authority_is_found_in_the_folder(url: str, authority: trustme.CA, tmp_path: Path) -> None:
    (tmp_path / ".keyfront" / "authority").mkdir(parents=True, mode=0o700)
    authority.cert_pem.write_to_path(str(tmp_path / ".keyfront" / "authority" / "ca.pem"))
    assert ask(SIGNER, url) == ""


@pytest.mark.parametrize("host", [HERE, "127.0.0.1"])
def test_a_certificate_that_is_not_trusted_ends_the_waiting(url: str, host: str) -> None:
    with pytest.raises(InputError, match=re.escape(host)) as raised:
        ask(SIGNER, url.replace(HERE, host))
    assert "is not trusted: unable to get local issuer certificate" in str(raised.value)
    assert "SSL_CERT_FILE" in str(raised.value)


def test_an_authority_that_others_may_write_to_is_not_used(url: str, authority: trustme.CA, tmp_path: Path) -> None:
    (tmp_path / ".keyfront" / "authority").mkdir(parents=True, mode=0o700)
    planted = tmp_path / ".keyfront" / "authority" / "ca.pem"
    authority.cert_pem.write_to_path(str(planted))
    planted.chmod(0o666)
    with pytest.raises(InputError, match=r"ca\.pem"):
        ask(SIGNER, url)


def test_nobody_who_listens_is_worth_another_try() -> None:
    assert "could not be requested" in ask(SIGNER, f"http://{HERE}:9/film.mp4")
