"""Signatures per second of CPU time: `Signer` compared with the primitive that it calls and with other signers."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from hashlib import sha1
from time import time
from typing import Literal

import rsa as pure_python_rsa
from botocore.signers import CloudFrontSigner
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from benchmarks import npm, openssl
from benchmarks.contest import Aim, Peer, Row, loop, race, rows
from keyfront import Policy, Signer, SigningKey
from keyfront.core.keys import PrivateKey

KEY_PAIR_ID = "K2JCJMDEHXQW5F"
URL = "https://d111111abcdef8.cloudfront.net/books/the-keeper-of-small-lights.epub"
FOLDER = "https://d111111abcdef8.cloudfront.net/books/*"
EXPIRES = int(time()) + 6 * 86_400
RAW = "raw cryptography"

_TITLES: dict[Literal["rsa", "ecdsa"], tuple[str, float]] = {
    "rsa": ("Signing, RSA 2048 with SHA-1", 0.98),
    "ecdsa": ("Signing, ECDSA P-256 with SHA-1", 0.80),
}
_OF_OPENSSL = {
    "keyfront sign_url, canned": Aim(0.85),
    "keyfront sign_url, custom": Aim(0.80),
    "keyfront sign_cookies": Aim(0.80),
}


def run(seconds: float, rounds: int) -> Iterator[Row]:
    """Measure every signer with an RSA and an ECDSA key."""
    for algorithm, (title, limit) in _TITLES.items():
        key = SigningKey.generate(algorithm)
        with npm.peers(key.pem(), KEY_PAIR_ID, URL, EXPIRES) as packages:
            peers = [
                Peer(RAW, loop(_raw(key))),
                *ours(key),
                *_botocore(key),
                *packages,
                openssl.peer(algorithm, "sign"),
            ]
            results = race(peers, seconds, rounds)
        aims = {peer.name: Aim(limit) for peer in ours(key)}
        yield from rows(title, "/s of CPU", results, against=RAW, aims=aims)
        if algorithm == "ecdsa":
            shown = [
                result for result in results if result.peer.name in aims or result.peer.name.startswith(openssl.NAME)
            ]
            against = shown[-1].peer.name
            yield from rows(f"{title}, beside OpenSSL's own", "/s of CPU", shown, against=against, aims=_OF_OPENSSL)


def ours(key: PrivateKey) -> list[Peer]:
    """Return keyfront's peers: a canned policy, a custom policy with all members, and cookies for a folder."""
    signer = Signer(KEY_PAIR_ID, key)
    return [
        Peer("keyfront sign_url, canned", loop(lambda: signer.sign_url(URL, expires=EXPIRES))),
        Peer(
            "keyfront sign_url, custom",
            loop(lambda: signer.sign_url(URL, expires=EXPIRES, starts=1, ip="192.0.2.0/24", resource=FOLDER)),
        ),
        Peer("keyfront sign_cookies", loop(lambda: signer.sign_cookies(FOLDER, expires=EXPIRES))),
    ]


def _raw(key: SigningKey) -> Callable[[], bytes]:
    """Return the cheapest way to sign a policy in Python: the bytes are ready, every object is made beforehand."""
    policy = Policy(URL, EXPIRES).to_bytes()
    private = _private(key)
    if isinstance(private, rsa.RSAPrivateKey):
        sign_rsa, pkcs1, algorithm = private.sign, padding.PKCS1v15(), hashes.SHA1()
        return lambda: sign_rsa(policy, pkcs1, algorithm)
    sign_ecdsa, prehashed = private.sign, ec.ECDSA(Prehashed(hashes.SHA1()))
    return lambda: sign_ecdsa(sha1(policy).digest(), prehashed)


def _botocore(key: SigningKey) -> Iterator[Peer]:
    """Yield botocore's signer as in its documentation: the caller's function makes the signature."""
    private = _private(key)
    if not isinstance(private, rsa.RSAPrivateKey):
        return
    slow_key = pure_python_rsa.PrivateKey.load_pkcs1(pkcs1(key))
    until = datetime.fromtimestamp(EXPIRES, UTC)
    fast = CloudFrontSigner(KEY_PAIR_ID, lambda message: private.sign(message, padding.PKCS1v15(), hashes.SHA1()))
    slow = CloudFrontSigner(KEY_PAIR_ID, lambda message: pure_python_rsa.sign(message, slow_key, "SHA-1"))
    yield Peer("botocore with cryptography", loop(lambda: fast.generate_presigned_url(URL, date_less_than=until)))
    yield Peer("botocore with rsa", loop(lambda: slow.generate_presigned_url(URL, date_less_than=until)))


def pkcs1(key: SigningKey) -> bytes:
    """Return an RSA key in the only format that the `rsa` package and the AWS CLI read."""
    return _private(key).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )


def _private(key: SigningKey) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    private = serialization.load_pem_private_key(key.pem().encode(), None)
    assert isinstance(private, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey)
    return private
