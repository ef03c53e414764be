"""Many URLs at once: order, laziness, errors at their place, no threads left."""

import threading
from collections.abc import Iterator
from itertools import count, islice

import pytest

from keyfront import Signer, SigningKey
from keyfront.errors import InputError, URLError

EXPIRES = 1_900_000_000
URLS = [f"https://d111111abcdef8.cloudfront.net/{n}.ts" for n in range(100)]


@pytest.fixture(scope="module", params=["rsa", "ecdsa"])
def signer(request: pytest.FixtureRequest) -> Signer:
    return Signer("K2JCJMDEHXQW5F", SigningKey.generate(request.param), clock=lambda: EXPIRES - 60)


def _threads() -> list[str]:
    return [each.name for each in threading.enumerate() if each.name.startswith("keyfront-sign")]


def test_order_is_kept_and_every_url_is_signed_once(signer: Signer) -> None:
    signed = [str(each) for each in signer.sign_many(URLS, expires=EXPIRES)]
    assert [each.partition("?")[0] for each in signed] == URLS
    if signer.key.algorithm == "rsa":
        assert signed == [signer.sign_url(url, expires=EXPIRES) for url in URLS]


def test_an_endless_input_is_read_only_a_little_ahead_and_closing_leaves_no_thread(signer: Signer) -> None:
    read = count()
    endless = (f"https://d111111abcdef8.cloudfront.net/{n}" for n in read)
    signing = signer.sign_many(endless, expires=EXPIRES)
    assert len(list(islice(signing, 5))) == 5
    assert isinstance(signing, Iterator)
    signing.close()  # type: ignore[attr-defined]
    assert next(read) < 5_000
    assert not _threads()


def test_an_error_is_raised_at_its_place(signer: Signer) -> None:
    signing = signer.sign_many([*URLS[:40], "ftp://x/y", *URLS], expires=EXPIRES)
    assert len(list(islice(signing, 40))) == 40
    with pytest.raises(URLError, match="ftp"):
        next(signing)
    assert not _threads()


def test_an_error_can_stand_at_its_place(signer: Signer) -> None:
    told = list(signer.sign_many([URLS[0], "ftp://x/y", URLS[1]], expires=EXPIRES, on_error="yield"))
    assert [type(each) for each in told] == [str, URLError, str]


def test_an_input_that_fails_is_told_behind_what_came_before(signer: Signer) -> None:
    def failing() -> Iterator[str]:
        yield from URLS[:64]
        raise OSError("the disk is gone")

    signing = signer.sign_many(failing(), expires=EXPIRES)
    assert len(list(islice(signing, 64))) == 64
    with pytest.raises(OSError, match="the disk is gone"):
        next(signing)


def test_one_text_in_place_of_a_list_is_refused(signer: Signer) -> None:
    with pytest.raises(InputError, match="one text"):
        signer.sign_many(URLS[0], expires=EXPIRES)
