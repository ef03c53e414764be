"""Signs many URLs in order and lazily, on all cores if threads help.

RSA in `cryptography` runs without the interpreter's lock, and KMS means waiting: both use threads. A local ECDSA
signature takes too little time (two threads were measured no faster than one), so the caller's thread makes it.
"""

import os
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING, Final, Literal, Protocol, Unpack

from keyfront.core.keys import PrivateKey, SigningKey
from keyfront.core.options import URLTerms
from keyfront.errors import InputError, KeyfrontError

if TYPE_CHECKING:
    from concurrent.futures import Future

OnError = Literal["raise", "yield"]

_CHUNK: Final = 32
"""URLs that a thread signs at a time: about 20 ms of RSA. The queue's cost is negligible beside that."""
_AHEAD: Final = 2
"""Chunks in progress for each thread. Together with `_CHUNK` it limits how far ahead URLs are read."""


class _Signer(Protocol):
    @property
    def key(self) -> PrivateKey: ...

    def sign_url(self, url: str, **terms: Unpack[URLTerms]) -> str: ...


def sign_many(
    signer: _Signer, urls: Iterable[str], terms: URLTerms, *, on_error: OnError = "raise"
) -> Iterator[str | KeyfrontError]:
    """Yield the signed `urls` in their order. See `Signer.sign_many`."""
    if on_error not in ("raise", "yield"):
        raise InputError(f"on_error is {on_error!r}: choose 'raise' or 'yield'")
    if isinstance(urls, str | bytes):
        raise InputError("urls is one text value: give a list or another iterable of URLs")
    local = isinstance(signer.key, SigningKey) and signer.key.algorithm == "ecdsa"
    outcomes = (_attempt(signer, url, terms) for url in urls) if local else _threaded(signer, urls, terms)
    return _delivered(outcomes, on_error)


def _delivered(outcomes: Generator[str | Exception, None, None], on_error: OnError) -> Iterator[str | KeyfrontError]:
    # Closed explicitly: an error that is raised here keeps its frames, and they would keep the threads.
    with closing(outcomes):
        for outcome in outcomes:
            if isinstance(outcome, str) or (on_error == "yield" and isinstance(outcome, KeyfrontError)):
                yield outcome
            else:
                raise outcome


def _threaded(signer: _Signer, urls: Iterable[str], terms: URLTerms) -> Generator[str | Exception, None, None]:
    # Imported late: signing single URLs does not need it.
    from concurrent.futures import ThreadPoolExecutor

    def work(chunk: list[str]) -> list[str | Exception]:
        return [_attempt(signer, url, terms) for url in chunk]

    workers = os.cpu_count() or 1
    chunks = _chunks(iter(urls))
    waiting: deque[Future[list[str | Exception]]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="keyfront-sign")
    broken: Exception | None = None
    try:
        while True:
            while broken is None and len(waiting) < workers * _AHEAD:
                try:
                    chunk = next(chunks, None)
                except Exception as error:  # noqa: BLE001  raised below, after the URLs that came before it
                    broken = error
                    break
                if chunk is None:
                    break
                waiting.append(pool.submit(work, chunk))
            if not waiting:
                break
            yield from waiting.popleft().result()
        if broken is not None:
            raise broken
    finally:
        # Also when the caller closes the iterator: no thread stays behind.
        pool.shutdown(wait=True, cancel_futures=True)


def _chunks(urls: Iterator[str]) -> Iterator[list[str]]:
    while chunk := list(islice(urls, _CHUNK)):
        yield chunk


def _attempt(signer: _Signer, url: str, terms: URLTerms) -> str | Exception:
    try:
        return signer.sign_url(url, **terms)
    except Exception as error:  # noqa: BLE001  raised or yielded when the URL's turn comes
        return error
