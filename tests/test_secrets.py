"""A private key in the wrong place: refused with a clear word, and never to be read in any error, `repr` or traceback.

Every public class and function that takes a key has a row here; `test_whatever_takes_a_key_is_tried` finds a new one.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import pkgutil
import re
import traceback
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import keyfront
from keyfront import PublicKey, Signer, SigningKey, Site, ViewerRequest, verify
from keyfront.backend.service.settings import Settings
from keyfront.cli import main
from keyfront.core.grants import Reuse
from keyfront.errors import KeyfrontError
from keyfront.integrations import aio
from keyfront.integrations.botocore import CloudFrontSigner
from keyfront.integrations.django.settings import faults
from keyfront.integrations.middleware.trust import trust
from keyfront.integrations.streams import sign_manifest, sign_stream, stream_cookies
from keyfront.integrations.streams.asgi import StreamEndpoint, anyone
from keyfront.integrations.tables import TableTerms
from keyfront.integrations.tables.spark import BatchSigner
from keyfront.inventory.values import TrustedKey
from keyfront.keystore import open_keystore
from keyfront.keystore.addresses import Address
from keyfront.keystore.document import SignerDocument

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

KEY = SigningKey.generate("rsa")
PEM = KEY.pem()
BODY = "".join(PEM.splitlines()[1:-1])
PKCS1 = KEY._key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
SECRETS: dict[str, Any] = {
    "PEM text": PEM,
    "PEM bytes": PEM.encode(),
    "PKCS#1 bytes": PKCS1,
    "a bytearray": bytearray(PEM.encode()),
    "a memoryview": memoryview(PEM.encode()),
    "one line": PEM.replace("\n", "\\n"),
    "its base64 alone": BODY,
    "a path that is the key": Path(PEM),
    "cryptography's own": KEY._key,
}
ID = "K2JCJMDEHXQW5F"
URL = "https://d111111abcdef8.cloudfront.net/a.m3u8"
HOUR = timedelta(hours=1)
SIGNER = Signer(ID, KEY)

# What is tried with each secret. What takes text may take it; what it prints must not hold it.
_NONE: Any = None
PLACES: dict[str, Callable[[Any], object]] = {
    "core.signing.Signer": lambda secret: Signer(ID, secret),
    "core.signing.Signer, swapped": lambda secret: Signer(secret, KEY),
    "core.signing.Signer, third": lambda secret: Signer(ID, KEY, secret),
    "core.keys.SigningKey": lambda secret: SigningKey(_NONE if secret is KEY._key else secret),
    "core.keys.SigningKey.generate": lambda secret: SigningKey.generate(secret),
    "core.keys.SigningKey.load": lambda secret: SigningKey.load(secret),
    "core.keys.PublicKey": lambda secret: PublicKey(secret),
    "core.keys.PublicKey.load": lambda secret: PublicKey.load(secret),
    "integrations.site.Site": lambda secret: Site(secret, "media.example.com"),
    "integrations.site.Site, swapped": lambda secret: Site(SIGNER, secret),
    "integrations.site.Site, alias": lambda secret: Site(SIGNER, "media.example.com", aliases=[secret]),
    "integrations.botocore.CloudFrontSigner": lambda secret: CloudFrontSigner(ID, secret),
    "integrations.botocore.CloudFrontSigner, swapped": lambda secret: CloudFrontSigner(secret, KEY),
    "integrations.aio.sign_url": lambda secret: asyncio.run(aio.sign_url(secret, URL, expires=HOUR)),
    "integrations.aio.sign_cookies": lambda secret: asyncio.run(aio.sign_cookies(secret, URL, expires=HOUR)),
    "integrations.aio.sign_object": lambda secret: asyncio.run(
        aio.sign_object(secret, "a", domain="a.example", expires=HOUR)
    ),
    "core.grants.Reuse": lambda secret: Reuse(HOUR).grant(secret, URL),
    "integrations.streams.sign_manifest": lambda secret: sign_manifest("#EXTM3U\n", URL, secret, expires=HOUR),
    "integrations.streams.sign_manifest, swapped": lambda secret: sign_manifest(
        "#EXTM3U\n", secret, SIGNER, expires=HOUR
    ),
    "integrations.streams.sign_stream": lambda secret: sign_stream(URL, secret, read_text=str, expires=HOUR),
    "integrations.streams.stream_cookies": lambda secret: stream_cookies("#EXTM3U\n", URL, secret, expires=HOUR),
    "integrations.streams.asgi.StreamEndpoint": lambda secret: StreamEndpoint(secret, allow=anyone, lifetime=HOUR),
    "core.signing.Signer.sign_url": lambda secret: SIGNER.sign_url(secret, expires=HOUR),
    "core.signing.Signer.sign_cookies": lambda secret: SIGNER.sign_cookies(secret, expires=HOUR),
    "core.verification.verify": lambda secret: verify(
        ViewerRequest(SIGNER.sign_url(URL, expires=HOUR)), {ID: secret}, now=0.0
    ),
    "inventory.values.TrustedKey": lambda secret: TrustedKey("K1", "shop", secret),
    "middleware.trust.trust": lambda secret: trust({ID: secret}),
    "middleware.trust.trust, swapped": lambda secret: trust({str(secret): ID}),
    "middleware.trust.trust, bare": lambda secret: trust(secret),
    "keystore.document.SignerDocument": lambda secret: SignerDocument(ID, secret),
    "keystore.document.SignerDocument, swapped": lambda secret: SignerDocument(secret, KEY),
    "keystore.addresses.Address.parse": lambda secret: Address.parse(secret),
    "keystore.addresses.Address.parse, file": lambda secret: Address.parse(f"file:{_text(secret)}"),
    "keystore.open_keystore": lambda secret: open_keystore(_text(secret), ID),
    "keystore.open_keystore, id": lambda secret: open_keystore("env:NOWHERE", _text(secret)).signer(),
    "tables.spark.BatchSigner": lambda secret: BatchSigner(_text(secret), TableTerms(url_column="u", expires=HOUR)),
    "tables.spark.BatchSigner, file": lambda secret: BatchSigner(
        f"file:{_text(secret)}", TableTerms(url_column="u", expires=HOUR)
    ),
    "django.settings.faults": lambda secret: list(faults({"SIGNER": secret, "DOMAIN": "media.example.com"})),
    "backend.settings.Settings": lambda secret: Settings("https://d1.cloudfront.net", _text(secret)),
    "backend.settings.Settings, file": lambda secret: Settings("https://d1.cloudfront.net", f"file:{_text(secret)}"),
    "backend.settings.Settings, JWT_KEY": lambda secret: Settings.from_environment(
        {"CLOUDFRONT_DOMAIN": "d1.cloudfront.net", "SIGNER": "env:KEY", "JWT_KEY": _text(secret)}
        | {"JWT_ISSUER": "https://login.example.com/", "JWT_AUDIENCE": "shop"}
    ),
}
# What must be refused with a word of ours, and not fail with Python's.
REFUSED = [
    name
    for name in PLACES
    if name.split(",")[0] in ("core.signing.Signer", "integrations.site.Site", "core.keys.SigningKey")
] + [
    "integrations.botocore.CloudFrontSigner",
    "inventory.values.TrustedKey",
    "keystore.document.SignerDocument",
    "integrations.streams.asgi.StreamEndpoint",
    "core.verification.verify",
]


def _text(secret: Any) -> str:
    return secret.decode() if isinstance(secret, bytes | bytearray) else PEM if secret is KEY._key else str(secret)


def _holds_it(text: str) -> bool:
    """Whether 16 characters on end of the key's base64 are in `text`, which nothing else has."""
    plain = re.sub(r"\\n|\s", "", text)
    bodies = (BODY, "".join(PKCS1.decode().splitlines()[1:-1]))
    return any(body[at : at + 16] in plain for body in bodies for at in range(40, len(body) - 16, 4))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
@pytest.mark.parametrize("place", PLACES)
def test_a_key_in_the_wrong_place_is_never_printed(place: str, secret: Any) -> None:
    made, error = _tried(place, secret)
    printed = f"{made!r} {made!s}" if error is None else _printed(error)
    assert not _holds_it(printed), place
    if place in REFUSED and not (secret is KEY._key and place == "integrations.botocore.CloudFrontSigner"):
        assert isinstance(error, KeyfrontError), printed[:300]


def _tried(place: str, secret: Any) -> tuple[object, Exception | None]:
    try:
        return PLACES[place](secret), None
    except Exception as error:  # noqa: BLE001  whatever it is, it is looked through
        return None, error


def _printed(error: Exception) -> str:
    """All that a traceback of `error` says, and what a log that writes `args` or its facts would."""
    lines = traceback.format_exception(error, limit=0)  # no source lines: those of this test hold no key
    return "".join(lines) + f"{error!r} {error.args} {vars(error)}"


def test_the_oracle_sees_a_key_that_is_printed() -> None:
    assert _holds_it(f"the key is {PEM!r}")
    assert _holds_it(repr(PEM.encode()))
    assert not _holds_it(repr(SIGNER) + KEY.public_key.fingerprint)


@pytest.mark.parametrize("secret", [PEM, PEM.encode()])
def test_a_signer_says_how_its_key_is_loaded(secret: Any) -> None:
    with pytest.raises(KeyfrontError, match=r"needs a SigningKey, .*SigningKey\.load\(pem\)"):
        Signer(ID, secret)


def test_a_key_of_somebody_elses_is_not_printed_by_its_signer() -> None:
    class Chatty:
        algorithm = "rsa"
        public_key = KEY.public_key

        def sign(self, data: bytes, hash_algorithm: str) -> bytes:
            return KEY.sign(data)

        def __repr__(self) -> str:
            return PEM

    assert repr(Signer(ID, Chatty())) == f"Signer({ID}, Chatty, SHA1)"  # type: ignore[arg-type]


def test_what_has_a_signature_in_it_does_not_show_it() -> None:
    text = "#EXTM3U\n1.ts\n"
    stream = sign_stream(URL, SIGNER, read_text=lambda _: text, expires=HOUR)
    cookies = SIGNER.sign_cookies(URL, expires=HOUR)
    grant = SIGNER.grant(f"{URL}*", expires=HOUR)
    for each in (
        stream,
        next(iter(stream.manifests.values())),
        cookies,
        grant,
        stream_cookies(text, URL, SIGNER, expires=HOUR),
    ):
        assert "Signature=" not in repr(each) + str(each)
        assert all(value not in repr(each) for value in cookies.values() if len(value) > 20)


@pytest.mark.parametrize(
    "arguments",
    [
        ("sign", URL, "--expires", "1h", "--key-id", ID, "--private-key", PEM),
        ("sign", URL, "--expires", "1h", "--key-id", PEM, "--private-key", "private_key.pem"),
        ("sign", URL, "--expires", "1h", "--signer", PEM),
        ("sign", URL, "--expires", "1h", "--signer", f"file:{PEM}", "--key-id", ID),
        ("sign", PEM, "--expires", "1h", "--key-id", ID, "--private-key", "private_key.pem"),
        ("sign", URL, "--expires", PEM, "--key-id", ID, "--private-key", "private_key.pem"),
        ("sign-cookies", PEM, "--expires", "1h", "--key-id", ID, "--private-key", "private_key.pem"),
        ("verify", URL, "--trust", PEM),
        ("verify", URL, "--trust", f"{ID}={PEM}"),
        ("explain", URL, "--public-key", PEM),
        ("keys", "upload", PEM, "--name", "shop"),
    ],
    ids=lambda arguments: " ".join(each[:20].strip() for each in arguments if each != URL)[:60],
)
def test_a_key_on_the_command_line_is_not_repeated(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    KEY.write(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main(list(arguments)) != 0
    out, err = capsys.readouterr()
    assert err
    assert "Traceback" not in err
    assert not _holds_it(out + err)


_TAKES_A_KEY = re.compile(r"\b(PrivateKey|SigningKey|PublicKey|Signer|SignerSource|HasSigner|Key)\b")
_OPEN = (
    "core.signing",
    "core.keys",
    "integrations.site",
    "integrations.aio",
    "core.grants",
    "core.many",
    "core.verification",
    "integrations.boto3",
    "integrations.botocore",
    "integrations.streams",
    "keystore.document",
)


def _public() -> Iterator[tuple[str, Any]]:
    """The public classes and functions of the modules that an application imports."""
    for module in _modules(keyfront.__path__, "keyfront."):
        name = module.removeprefix("keyfront.")
        if not any(name == each or name.startswith(f"{each}.") for each in _OPEN):
            continue
        for each, value in vars(importlib.import_module(module)).items():
            if not each.startswith("_") and getattr(value, "__module__", "") == module and callable(value):
                yield f"{name}.{each}", value


def _modules(path: Iterable[str], prefix: str) -> Iterator[str]:
    for found in pkgutil.iter_modules(path, prefix):
        # The CDK starts Node.js when it is imported. Its constructs take public keys alone.
        if found.name == "keyfront.integrations.cdk":
            continue
        yield found.name
        if found.ispkg:
            yield from _modules(importlib.import_module(found.name).__path__, f"{found.name}.")


# Not tried: they take a key by another name of the table's, or nothing that is printed.
ELSEWHERE = {
    "integrations.aio.off_loop": "what aio.sign_url calls",
    "core.many.sign_many": "a method of Signer's, which has its key",
    "integrations.boto3.from_boto3": "asks AWS first; the signer's address is keystore.addresses.Address",
    "integrations.streams.manifests.sign_manifest": "integrations.streams.sign_manifest",
    "integrations.streams.whole.sign_stream": "integrations.streams.sign_stream",
    "integrations.streams.whole.stream_cookies": "integrations.streams.stream_cookies",
}


def test_whatever_takes_a_key_is_tried() -> None:
    tried = {place.split(",")[0] for place in PLACES}
    missing = []
    for name, value in _public():
        if inspect.isclass(value) and (getattr(value, "_is_protocol", False) or issubclass(value, Exception)):
            continue
        try:
            annotations = [str(each.annotation) for each in inspect.signature(value).parameters.values()]
        except (TypeError, ValueError):
            continue
        if any(_TAKES_A_KEY.search(each) for each in annotations) and name not in tried | ELSEWHERE.keys():
            missing.append(name)
    assert not missing, f"give {missing} a row in PLACES: a private key in its place must not be printed"
