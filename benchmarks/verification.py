"""Decisions per second of CPU time: `verify`, with all its checks, compared with the bare check of a signature."""

from collections.abc import Callable, Iterator
from hashlib import sha1
from typing import Literal

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from benchmarks import openssl
from benchmarks.contest import Aim, Peer, Row, loop, race, rows
from benchmarks.signing import EXPIRES, FOLDER, KEY_PAIR_ID, RAW, URL
from keyfront import Policy, PublicKey, Signer, SigningKey, ViewerRequest, verify
from keyfront.core import credentials as presented
from keyfront.core import verification

_TITLES: dict[Literal["rsa", "ecdsa"], str] = {
    "rsa": "Verification, RSA 2048 with SHA-1",
    "ecdsa": "Verification, ECDSA P-256 with SHA-1",
}
_AIMS = {"keyfront verify, URL, canned": Aim(0.75), "keyfront verify, URL, custom": Aim(0.60)}


def run(seconds: float, rounds: int) -> Iterator[Row]:
    """Measure every form of a signature with an RSA and an ECDSA key."""
    for algorithm, title in _TITLES.items():
        key = SigningKey.generate(algorithm)
        peers = [Peer(RAW, loop(_raw(key))), *_ours(key), openssl.peer(algorithm, "verify")]
        yield from rows(title, "/s of CPU", race(peers, seconds, rounds), against=RAW, aims=_AIMS)


def _ours(key: SigningKey) -> Iterator[Peer]:
    signer = Signer(KEY_PAIR_ID, key)
    cookies = signer.sign_cookies(FOLDER, expires=EXPIRES)
    requests = {
        "URL, canned": ViewerRequest(signer.sign_url(URL, expires=EXPIRES), ip="192.0.2.7"),
        "URL, custom": ViewerRequest(
            signer.sign_url(URL, expires=EXPIRES, starts=1, ip="192.0.2.0/24", resource=FOLDER), ip="192.0.2.7"
        ),
        "cookies": ViewerRequest(URL, "; ".join(f"{name}={value}" for name, value in cookies.items())),
    }
    trusted = {KEY_PAIR_ID: key.public_key}
    for name, request in requests.items():
        assert verify(request, trusted, EXPIRES - 1).allowed
        yield Peer(f"keyfront verify, {name}", loop(as_new(request, trusted)))
    again = requests["URL, canned"]
    yield Peer("keyfront verify, seen before", loop(lambda: verify(again, trusted, EXPIRES - 1)))
    forged = ViewerRequest(requests["URL, canned"].url.replace("books", "boots"))
    assert not verify(forged, trusted, EXPIRES - 1).allowed
    yield Peer("keyfront verify, refused", loop(as_new(forged, trusted)))


def as_new(request: ViewerRequest, trusted: dict[str, PublicKey]) -> Callable[[], object]:
    """Return a function that checks `request` as if it had never been seen."""

    def check() -> object:
        # Each request counts as new: the caches would skip the parsing and the signature.
        verification._remember_genuine.cache_clear()
        presented._remembered.cache_clear()
        return verify(request, trusted, EXPIRES - 1)

    return check


def _raw(key: SigningKey) -> Callable[[], None]:
    policy = Policy(URL, EXPIRES).to_bytes()
    signature = key.sign(policy)
    public = serialization.load_pem_public_key(key.public_key.pem.encode())
    if isinstance(public, rsa.RSAPublicKey):
        verify_rsa, pkcs1, algorithm = public.verify, padding.PKCS1v15(), hashes.SHA1()
        return lambda: verify_rsa(signature, policy, pkcs1, algorithm)
    assert isinstance(public, ec.EllipticCurvePublicKey)
    verify_ecdsa, prehashed = public.verify, ec.ECDSA(Prehashed(hashes.SHA1()))
    return lambda: verify_ecdsa(signature, sha1(policy).digest(), prehashed)
