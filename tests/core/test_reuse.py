"""Signatures that are used again: as seldom made as promised, and never given out too old."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from keyfront import Signer, SigningKey
from keyfront.core.grants import Reuse
from keyfront.core.keys import HashAlgorithm, PublicKey
from keyfront.core.verification import ViewerRequest, verify
from keyfront.errors import InputError, PolicyError, ServiceError

FOLDER = "https://d111111abcdef8.cloudfront.net/books/*"
FILE = "https://d111111abcdef8.cloudfront.net/books/1.epub"
MINUTE = timedelta(minutes=1)


class Counted:
    """A private key that counts its signatures, and may be slow or fail, as one in KMS."""

    algorithm = "ecdsa"

    def __init__(self) -> None:
        self._key = SigningKey.generate("ecdsa")
        self.signatures = 0
        self.failure: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()

    @property
    def public_key(self) -> PublicKey:
        return self._key.public_key

    def sign(self, message: bytes, hash_algorithm: HashAlgorithm) -> bytes:
        assert self.gate.wait(30)
        self.signatures += 1
        if self.failure:
            raise self.failure
        return self._key.sign(message, hash_algorithm)


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def key() -> Counted:
    return Counted()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def signer(key: Counted, clock: Clock) -> Signer:
    return Signer("K1", key, clock=clock)  # type: ignore[arg-type]


def test_one_signature_for_half_of_its_life(signer: Signer, key: Counted, clock: Clock) -> None:
    reuse = Reuse(MINUTE)
    urls = set()
    for _ in range(120):
        url = reuse.grant(signer, FOLDER).url("1.epub")
        urls.add(url)
        assert verify(ViewerRequest(url), {"K1": key.public_key}, clock.now).allowed
        assert verify(ViewerRequest(url), {"K1": key.public_key}, clock.now + 29).allowed
        clock.now += 1
    assert key.signatures == len(urls) == 4


def test_a_file_of_its_own_is_a_canned_policy(signer: Signer) -> None:
    url = Reuse(MINUTE).grant(signer, FILE).url(FILE)
    assert "Expires=" in url
    assert "Policy=" not in url


def test_another_signer_or_resource_has_its_own(signer: Signer, key: Counted, clock: Clock) -> None:
    reuse = Reuse(MINUTE)
    other = Signer("K2", key, clock=clock)  # type: ignore[arg-type]
    assert "Key-Pair-Id=K1" in reuse.grant(signer, FOLDER).url("1.epub")
    assert "Key-Pair-Id=K2" in reuse.grant(other, FOLDER).url("1.epub")
    reuse.grant(signer, FILE)
    assert key.signatures == 3


def test_all_who_wait_get_the_one_signature(signer: Signer, key: Counted) -> None:
    reuse = Reuse(MINUTE)
    key.gate.clear()
    with ThreadPoolExecutor(16) as pool:
        waiting = [pool.submit(reuse.grant, signer, FOLDER) for _ in range(16)]
        assert reuse.kept(signer, FOLDER) is None
        time.sleep(0)
        key.gate.set()
        grants = {id(each.result()) for each in waiting}
    assert len(grants) == key.signatures == 1
    assert reuse.kept(signer, FOLDER) is not None


def test_a_failure_is_told_and_not_kept(signer: Signer, key: Counted) -> None:
    reuse = Reuse(MINUTE)
    key.failure = ServiceError("KMS says no")
    with pytest.raises(ServiceError, match="KMS says no"):
        reuse.grant(signer, FOLDER)
    key.failure = None
    assert reuse.grant(signer, FOLDER).url("1.epub")


def test_it_keeps_those_that_were_asked_for_last(signer: Signer, key: Counted) -> None:
    reuse = Reuse(MINUTE, most=2)
    for name in ("a", "b", "a", "c", "a"):
        reuse.grant(signer, f"https://d111111abcdef8.cloudfront.net/{name}/*")
    assert key.signatures == 3
    reuse.grant(signer, "https://d111111abcdef8.cloudfront.net/b/*")
    assert key.signatures == 4


def test_it_gives_no_longer_life_than_the_signer(key: Counted, clock: Clock) -> None:
    bound = Signer("K1", key, clock=clock, max_lifetime=timedelta(days=7))  # type: ignore[arg-type]
    with pytest.raises(PolicyError, match="long-lived"):
        Reuse(timedelta(days=30)).grant(bound, FOLDER)
    meant = Signer("K1", key, clock=clock, max_lifetime=timedelta(days=30))  # type: ignore[arg-type]
    assert Reuse(timedelta(days=30)).grant(meant, FOLDER).seconds_left() == 30 * 86_400


@pytest.mark.parametrize("fresh", [timedelta(minutes=1), timedelta(minutes=-1)])
def test_it_cannot_give_out_what_has_expired(fresh: timedelta) -> None:
    with pytest.raises(InputError, match="fresh must be shorter"):
        Reuse(MINUTE, fresh=fresh)
