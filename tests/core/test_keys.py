"""Keys: every form in which a PEM arrives, what is refused and why, and OpenSSL as the second opinion."""

import base64
import copy
import json
import os
import pickle
import re
import subprocess
import traceback
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import given, settings
from hypothesis import strategies as st

from keyfront import PublicKey, SigningKey
from keyfront.core.keys import Algorithm, HashAlgorithm
from keyfront.errors import InputError, KeyfrontError, KeyLoadError

PASSPHRASE = "correct horse ü"
MESSAGE = b'{"Statement":[]}'

OpenSSL = Callable[..., bytes]

OTHER = {"rsa": SigningKey.generate("rsa"), "ecdsa": SigningKey.generate("ecdsa")}


@dataclass(frozen=True)
class Written:
    """A private key as OpenSSL wrote it, and its public key."""

    private: bytes
    public: bytes
    passphrase: str | None = None


@pytest.fixture(scope="session")
def openssl(need_tool: Callable[[str], Path]) -> OpenSSL:
    program = need_tool("openssl")

    def run(*arguments: str, stdin: bytes = b"") -> bytes:
        return subprocess.run([program, *arguments], input=stdin, capture_output=True, check=True).stdout

    return run


@pytest.fixture(scope="session")
def written(openssl: OpenSSL) -> dict[str, Written]:
    """One RSA and one ECDSA key in every form that OpenSSL's commands write."""
    rsa_key = openssl("genrsa", "2048")
    ec_key = openssl("ecparam", "-name", "prime256v1", "-genkey")
    rsa_public = openssl("pkey", "-pubout", stdin=rsa_key)
    ec_public = openssl("pkey", "-pubout", stdin=ec_key)
    out = ("-passout", f"pass:{PASSPHRASE}")
    return {
        "rsa PKCS#8": Written(openssl("pkcs8", "-topk8", "-nocrypt", stdin=rsa_key), rsa_public),
        "rsa PKCS#1": Written(openssl("rsa", "-traditional", stdin=rsa_key), rsa_public),
        "rsa PKCS#8 encrypted": Written(openssl("pkcs8", "-topk8", *out, stdin=rsa_key), rsa_public, PASSPHRASE),
        "rsa PKCS#8 3DES": Written(
            openssl("pkcs8", "-topk8", "-v1", "PBE-SHA1-3DES", *out, stdin=rsa_key), rsa_public, PASSPHRASE
        ),
        "rsa PKCS#1 AES": Written(
            openssl("rsa", "-aes256", "-traditional", *out, stdin=rsa_key), rsa_public, PASSPHRASE
        ),
        "rsa PKCS#1 3DES": Written(
            openssl("rsa", "-des3", "-traditional", *out, stdin=rsa_key), rsa_public, PASSPHRASE
        ),
        "ec SEC1 with parameters": Written(ec_key, ec_public),
        "ec SEC1": Written(openssl("ec", stdin=ec_key), ec_public),
        "ec PKCS#8": Written(openssl("pkcs8", "-topk8", "-nocrypt", stdin=ec_key), ec_public),
        "ec PKCS#8 encrypted": Written(openssl("pkcs8", "-topk8", *out, stdin=ec_key), ec_public, PASSPHRASE),
        "ec SEC1 AES": Written(openssl("ec", "-aes128", *out, stdin=ec_key), ec_public, PASSPHRASE),
    }


FORMS = [
    "rsa PKCS#8",
    "rsa PKCS#1",
    "rsa PKCS#8 encrypted",
    "rsa PKCS#8 3DES",
    "rsa PKCS#1 AES",
    "rsa PKCS#1 3DES",
    "ec SEC1 with parameters",
    "ec SEC1",
    "ec PKCS#8",
    "ec PKCS#8 encrypted",
    "ec SEC1 AES",
]

TRAVELS: dict[str, Callable[[bytes], bytes]] = {
    "as it is": lambda pem: pem,
    "CRLF": lambda pem: pem.replace(b"\n", b"\r\n"),
    "CR": lambda pem: pem.replace(b"\n", b"\r"),
    r"\n in an environment variable": lambda pem: pem.replace(b"\n", rb"\n"),
    r"\r\n in an environment variable": lambda pem: pem.replace(b"\n", rb"\r\n"),
    r"\\n, escaped twice": lambda pem: pem.replace(b"\n", rb"\\n"),
    r"\\r\\n, escaped twice": lambda pem: pem.replace(b"\n", rb"\\r\\n"),
    r"\\\\n, escaped three times": lambda pem: pem.replace(b"\n", rb"\\\\n"),
    "a JSON text in a JSON text": lambda pem: json.dumps(json.dumps(pem.decode())).encode(),
    "lines that a shell continues": lambda pem: pem.replace(b"\n", b"\\\n"),
    "percent-encoded line ends": lambda pem: pem.replace(b"\n", b"%0A"),
    "as a JSON text": lambda pem: json.dumps(pem.decode()).encode(),
    "line breaks lost": lambda pem: pem.replace(b"\n", b""),
    "line breaks turned into spaces": lambda pem: pem.replace(b"\n", b" "),
    "no newline at the end": lambda pem: pem.rstrip(),
    "indented": lambda pem: b"".join(b"    " + line for line in pem.splitlines(keepends=True)),
    "byte order mark": lambda pem: b"\xef\xbb\xbf" + pem,
    "text around it": lambda pem: b"Bag Attributes\n  friendlyName: k\xe9y\n" + pem + b"\nthe end\n",
}


@pytest.fixture(scope="session", params=["rsa", "ecdsa"])
def key(request: pytest.FixtureRequest) -> SigningKey:
    return SigningKey.generate(request.param)


# Loading


@pytest.mark.parametrize("travel", TRAVELS)
@pytest.mark.parametrize("form", FORMS)
def test_a_private_key_loads_in_every_form(form: str, travel: str, written: dict[str, Written]) -> None:
    key = written[form]
    loaded = SigningKey.load(TRAVELS[travel](key.private), key.passphrase)
    assert loaded.public_key == PublicKey.load(key.public)
    assert loaded.algorithm == ("rsa" if form.startswith("rsa") else "ecdsa")


@pytest.mark.parametrize("form", FORMS)
def test_a_private_key_loads_from_text_and_from_a_file(form: str, written: dict[str, Written], tmp_path: Path) -> None:
    key = written[form]
    path = tmp_path / "key.pem"
    path.write_bytes(key.private)
    from_file = SigningKey.load(path, key.passphrase.encode() if key.passphrase else None)
    assert from_file.public_key == SigningKey.load(key.private.decode(), key.passphrase).public_key


@pytest.mark.parametrize("travel", TRAVELS)
@pytest.mark.parametrize("form", ["rsa PKCS#8", "ec PKCS#8"])
def test_a_public_key_loads_however_it_travelled(form: str, travel: str, written: dict[str, Written]) -> None:
    public = written[form].public
    assert PublicKey.load(TRAVELS[travel](public)) == PublicKey.load(public.decode())


def test_a_passphrase_that_is_not_needed_is_no_mistake(written: dict[str, Written]) -> None:
    assert SigningKey.load(written["rsa PKCS#1"].private, "unused").algorithm == "rsa"


def test_the_key_is_found_behind_a_certificate(openssl: OpenSSL, written: dict[str, Written], tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(written["rsa PKCS#8"].private)
    certificate = openssl("req", "-x509", "-key", str(path), "-subj", "/CN=test", "-days", "1")
    assert SigningKey.load(certificate + path.read_bytes()).public_key == PublicKey.load(written["rsa PKCS#8"].public)


# Writing


def test_what_is_written_is_what_openssl_writes(key: SigningKey, openssl: OpenSSL) -> None:
    assert key.pem().encode() == openssl("pkcs8", "-topk8", "-nocrypt", stdin=key.pem().encode())
    assert key.public_key.pem.encode() == openssl("pkey", "-pubout", stdin=key.pem().encode())
    assert SigningKey.load(key.pem()).public_key == key.public_key


def test_a_passphrase_encrypts_what_is_written(key: SigningKey, openssl: OpenSSL) -> None:
    pem = key.pem(PASSPHRASE)
    assert "ENCRYPTED" in pem
    opened = openssl("pkey", "-passin", f"pass:{PASSPHRASE}", "-pubout", stdin=pem.encode())
    assert PublicKey.load(opened) == key.public_key == SigningKey.load(pem, PASSPHRASE).public_key


@pytest.fixture(params=[0o000, 0o022, 0o277])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def test_the_private_key_file_is_its_owners_alone_whatever_the_umask(
    key: SigningKey, tmp_path: Path, umask: int
) -> None:
    private, public = key.write(tmp_path)
    assert private.stat().st_mode & 0o777 == 0o600
    assert public.stat().st_mode & 0o777 == 0o644
    assert SigningKey.load(private).public_key == PublicKey.load(public.read_bytes()) == key.public_key


def test_writing_makes_the_directory(key: SigningKey, tmp_path: Path) -> None:
    private, public = key.write(tmp_path / "new" / "keys")
    assert (private.name, public.name) == ("private_key.pem", "public_key.pem")


@pytest.mark.parametrize("name", ["private_key.pem", "public_key.pem"])
def test_a_key_on_disk_is_never_overwritten(key: SigningKey, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("precious")
    with pytest.raises(InputError, match=f"{name} exists"):
        key.write(tmp_path)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["precious"]


def test_a_link_to_nowhere_is_not_followed(key: SigningKey, tmp_path: Path) -> None:
    (tmp_path / "private_key.pem").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="exists"):
        key.write(tmp_path)
    assert not (tmp_path / "elsewhere").exists()


def test_a_file_in_the_place_of_the_directory_is_a_clear_error(key: SigningKey, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot write keys"):
        key.write(tmp_path / "file")


# Signing and verifying


@pytest.mark.parametrize("hash_algorithm", ["SHA1", "SHA256"])
def test_openssl_accepts_our_signatures_and_we_accept_openssls(
    key: SigningKey, hash_algorithm: HashAlgorithm, openssl: OpenSSL, tmp_path: Path
) -> None:
    private, public = key.write(tmp_path)
    signature = tmp_path / "signature"
    signature.write_bytes(key.sign(MESSAGE, hash_algorithm))
    digest = f"-{hash_algorithm.lower()}"
    seen = openssl("dgst", digest, "-verify", str(public), "-signature", str(signature), stdin=MESSAGE)
    assert seen == b"Verified OK\n"
    theirs = openssl("dgst", digest, "-sign", str(private), stdin=MESSAGE)
    assert key.public_key.verify(MESSAGE, theirs, hash_algorithm)


@settings(deadline=None, max_examples=40)
@given(data=st.binary(max_size=300), hash_algorithm=st.sampled_from(["SHA1", "SHA256"]))
def test_a_signature_is_good_for_its_data_its_hash_and_its_key_alone(
    key: SigningKey, data: bytes, hash_algorithm: HashAlgorithm
) -> None:
    signature = key.sign(data, hash_algorithm)
    assert key.public_key.verify(data, signature, hash_algorithm)
    assert not key.public_key.verify(data + b"x", signature, hash_algorithm)
    assert not key.public_key.verify(data, signature, "SHA1" if hash_algorithm == "SHA256" else "SHA256")
    assert not OTHER[key.algorithm].public_key.verify(data, signature, hash_algorithm)


def test_any_flipped_bit_of_a_signature_is_noticed(key: SigningKey) -> None:
    signature = key.sign(MESSAGE)
    for place in range(len(signature) * 8):
        changed = bytearray(signature)
        changed[place // 8] ^= 1 << place % 8
        assert not key.public_key.verify(MESSAGE, bytes(changed)), f"bit {place}"


@settings(deadline=None)
@given(signature=st.binary(max_size=300))
def test_no_signature_makes_verifying_raise(key: SigningKey, signature: bytes) -> None:
    assert not key.public_key.verify(MESSAGE, signature)
    assert not key.public_key.verify(MESSAGE, signature, "MD5")  # type: ignore[arg-type]


def test_an_ecdsa_signature_in_raw_form_is_refused() -> None:
    key = OTHER["ecdsa"]
    r, s = decode_dss_signature(key.sign(MESSAGE))
    assert not key.public_key.verify(MESSAGE, r.to_bytes(32, "big") + s.to_bytes(32, "big"))


# What is refused


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("rsa 1024", "RSA key of 1024 bits"),
        ("rsa 4096", "RSA key of 4096 bits"),
        ("P-384", "curve secp384r1"),
        ("secp256k1", "curve secp256k1"),
        ("ed25519", "Ed25519"),
    ],
)
def test_other_keys_are_refused_with_what_was_found_and_what_is_needed(kind: str, says: str, openssl: OpenSSL) -> None:
    arguments = {
        "rsa 1024": ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"),
        "rsa 4096": ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:4096"),
        "P-384": ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"),
        "secp256k1": ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"),
        "ed25519": ("-algorithm", "ed25519"),
    }[kind]
    private = openssl("genpkey", *arguments)
    public = openssl("pkey", "-pubout", stdin=private)
    for load, text in ((SigningKey.load, private), (PublicKey.load, public)):
        with pytest.raises(KeyLoadError, match=says) as refused:
            load(text)
        assert "RSA 2048" in str(refused.value)
        assert "P-256" in str(refused.value)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("", "nothing at all"),
        (b"  \n ", "nothing at all"),
        (None, r"nothing at all \(None\)"),
        (OTHER["rsa"].pem().splitlines()[0], "only the first line of a PEM.*quotation marks"),
        ('"-----BEGIN EC PRIVATE KEY-----', "only the first line"),
        (b"-----BEGIN RSA PRIVATE KEY-----\r\n", "only the first line"),
        ("-----BEGIN", "only the first line"),
        ("garbage", "no PEM block"),
        (b"\x00\xff\xfe", "no PEM block"),
        ("\ud800", "no PEM block"),
        ("private_key.pem", "looks like a file name"),
        (b"\x30\x82\x04\xbc\x02\x01\x00", "binary DER"),
        ("ssh-rsa AAAAB3Nza me@here", "OpenSSH public key"),
        ("LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQo=", "base64 again"),
        ("-----BEGIN PRIVATE KEY-----\nMIIE\n", "cut off or damaged"),
        ("-----BEGIN PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "cut off or damaged"),
        ("-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----", "damaged"),
        ("-----BEGIN RSA PRIVATE KEY-----\n%%\n-----END RSA PRIVATE KEY-----", "damaged"),
        ("-----BEGIN PRIVATE KEY-----\n\ud800é\n-----END PRIVATE KEY-----", "damaged"),
        ("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----", "damaged"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----", "ssh-keygen -p"),
        ("-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----", "certificate"),
        ("-----BEGIN DSA PRIVATE KEY-----\nMIIC\n-----END DSA PRIVATE KEY-----", "DSA PRIVATE KEY"),
        (OTHER["rsa"].public_key.pem, "public key"),
    ],
)
def test_what_is_no_private_key_is_refused_saying_what_it_is(source: Any, says: str) -> None:
    with pytest.raises(KeyLoadError, match=says):
        SigningKey.load(source)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("", "nothing at all"),
        ("garbage", "no PEM block"),
        (b"\x30\x82\x01\x22", "binary DER"),
        ("ssh-rsa AAAAB3Nza me@here", "ssh-keygen -e -m PKCS8"),
        ("-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----", "cannot be read"),
        ("-----BEGIN RSA PUBLIC KEY-----\nMIIB\n-----END RSA PUBLIC KEY-----", "openssl rsa -RSAPublicKey_in"),
        ("-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----", "openssl x509 -pubkey"),
        (OTHER["rsa"].pem(), "private key; needed: a public key"),
    ],
)
def test_what_is_no_public_key_is_refused_saying_what_it_is(source: str | bytes, says: str) -> None:
    with pytest.raises(KeyLoadError, match=says):
        PublicKey.load(source)


@pytest.mark.parametrize("algorithm", ["rsa", "ecdsa"])
def test_halves_that_do_not_belong_together_are_a_damaged_key(algorithm: Algorithm) -> None:
    whole, another = SigningKey.generate(algorithm), SigningKey.generate(algorithm)
    theirs, ours = (
        base64.b64decode("".join(key.public_key.pem.splitlines()[1:-1]))[-60:-8] for key in (another, whole)
    )
    der = base64.b64decode("".join(whole.pem().splitlines()[1:-1]))
    assert der.count(ours) == 1
    mixed = base64.encodebytes(der.replace(ours, theirs)).decode()
    with pytest.raises(KeyLoadError, match="the private key cannot be read: the key is damaged"):
        SigningKey.load(f"-----BEGIN PRIVATE KEY-----\n{mixed}-----END PRIVATE KEY-----\n")


@pytest.mark.parametrize("form", [form for form in FORMS if re.search("encrypted|AES|3DES", form)])
def test_a_missing_and_a_wrong_passphrase_are_told_apart(form: str, written: dict[str, Written]) -> None:
    with pytest.raises(KeyLoadError, match="encrypted: its passphrase is needed"):
        SigningKey.load(written[form].private)
    with pytest.raises(KeyLoadError, match="encrypted: its passphrase is needed"):
        SigningKey.load(written[form].private, "")
    with pytest.raises(KeyLoadError, match="passphrase is wrong") as refused:
        SigningKey.load(written[form].private, "wrong-passphrase")
    assert "wrong-passphrase" not in str(refused.value)


def test_a_key_that_is_used_twice_is_parsed_once_and_held_by_nobody_else(tmp_path: Path) -> None:
    private, _ = SigningKey.generate("ecdsa").write(tmp_path)
    text = private.read_text()
    key = SigningKey.load(private)
    assert [SigningKey.load(each) is key for each in (private, text, text.encode())] == [True] * 3
    seen = weakref.ref(key)
    del key
    assert seen() is None


def test_an_encrypted_key_asks_for_its_passphrase_each_time() -> None:
    text = SigningKey.generate("ecdsa").pem("secret")
    held = SigningKey.load(text, "secret")
    for passphrase in (None, "wrong"):
        with pytest.raises(KeyLoadError, match="passphrase"):
            SigningKey.load(text, passphrase)
    assert SigningKey.load(text, "secret").public_key == held.public_key


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyLoadError, match=re.escape(f"{tmp_path}: Is a directory")):
        SigningKey.load(tmp_path)
    with pytest.raises(KeyLoadError, match=r"missing\.pem: No such file"):
        SigningKey.load(tmp_path / "missing.pem")


def test_an_unknown_type_is_refused_when_generating() -> None:
    with pytest.raises(InputError, match="choose 'rsa' or 'ecdsa'"):
        SigningKey.generate("dsa")  # type: ignore[arg-type]


@settings(deadline=None)
@given(st.one_of(st.binary(max_size=200), st.text(max_size=200)))
def test_nothing_makes_loading_raise_anything_but_our_own_error(source: bytes | str) -> None:
    for load in (SigningKey.load, PublicKey.load):
        with pytest.raises(KeyLoadError):
            load(source)


@settings(deadline=None)
@given(
    label=st.sampled_from(["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "PUBLIC KEY"]),
    body=st.one_of(st.text(max_size=100), st.from_regex(r"[A-Za-z0-9+/\n]{0,200}={0,2}", fullmatch=True)),
)
def test_no_block_makes_loading_raise_anything_but_our_own_error(label: str, body: str) -> None:
    for load in (SigningKey.load, PublicKey.load):
        with pytest.raises(KeyLoadError):
            load(f"-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")


# Secrets


def secrets_of(key: SigningKey) -> list[str]:
    return [line for line in key.pem().splitlines() if "-----" not in line]


def test_a_private_key_shows_its_fingerprint_only(key: SigningKey) -> None:
    for shown in (repr(key), str(key), f"{key}", repr([key]), repr({"key": key}), f"{key!a}"):
        assert key.public_key.fingerprint in shown
        assert not any(secret in shown for secret in secrets_of(key))
    assert repr(key).startswith("SigningKey(")
    assert repr(key.public_key).startswith("PublicKey(")


def test_a_private_key_cannot_be_pickled(key: SigningKey) -> None:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises((TypeError, pickle.PicklingError)) as refused:
            pickle.dumps(key, protocol)
        assert not any(secret in str(refused.value) for secret in secrets_of(key))


def test_a_refused_key_is_in_no_message_and_no_traceback() -> None:
    lines = OTHER["rsa"].pem().splitlines()
    lines[5] = lines[5][:-4] + "AAAA"
    damaged = "\n".join(lines)
    with pytest.raises(KeyLoadError) as refused:
        SigningKey.load(damaged)
    told = "".join(traceback.format_exception(refused.value))
    assert not any(line in told for line in lines if "-----" not in line)
    assert refused.value.__cause__ is None


def test_equal_public_keys_are_equal_values(key: SigningKey) -> None:
    again = PublicKey.load(key.public_key.pem)
    assert again == key.public_key
    assert {again: 1} == {key.public_key: 1}
    assert again != OTHER[key.algorithm].public_key
    assert again != "a text"
    assert copy.copy(key).public_key == key.public_key


def test_the_fingerprint_is_the_digest_of_the_public_key(key: SigningKey, openssl: OpenSSL) -> None:
    der = openssl("pkey", "-pubin", "-outform", "DER", stdin=key.public_key.pem.encode())
    digest = openssl("base64", "-A", stdin=openssl("dgst", "-sha256", "-binary", stdin=der)).decode()
    assert key.public_key.fingerprint == f"SHA256:{digest.rstrip('=')}"


def test_our_errors_are_one_family() -> None:
    assert issubclass(KeyLoadError, InputError)
    assert issubclass(InputError, KeyfrontError)
    assert issubclass(InputError, ValueError)
