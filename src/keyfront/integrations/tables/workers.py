# mypy: disable-error-code="import-untyped"
"""Parts of a table signed at the same time: by a process a core, or by threads where the key is not here.

A local ECDSA signature is too short for threads, and Python's part of a row would hold up a second one even with RSA. A
key in KMS is waited for instead, which threads can do.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

import pyarrow as pa

from keyfront.core.keys import HashAlgorithm, PrivateKey, SigningKey
from keyfront.core.signing import Signer
from keyfront.errors import ServiceError
from keyfront.integrations.tables.batches import sign_batch
from keyfront.integrations.tables.notes import listen, listening, noted
from keyfront.integrations.tables.terms import TableTerms
from keyfront.integrations.tables.work import write_part

Submit = Callable[[int, Sequence[pa.RecordBatch]], Future[None]]
"""Begins with a part: its number, its rows. Done when it is on the disk."""

_REMOTE: Final = 8
"""Threads that wait for a key elsewhere."""


@dataclass(frozen=True)
class _Job:
    """What every part has in common."""

    folder: Path
    token: str
    terms: TableTerms
    key_pair_id: str
    hash_algorithm: HashAlgorithm
    now: float
    max_lifetime: timedelta | None
    ipv6: bool | None
    pem: str | None = field(default=None, repr=False)
    """The key, for another process: it goes there through a pipe."""

    def signer(self, key: PrivateKey) -> Signer:
        return Signer(
            self.key_pair_id,
            key,
            self.hash_algorithm,
            clock=lambda: self.now,
            max_lifetime=self.max_lifetime,
            ipv6=self.ipv6,
        )

    def sign(self, signer: Signer, number: int, batches: Sequence[pa.RecordBatch]) -> None:
        with noted() as notes:
            signed = [sign_batch(batch, signer, self.terms) for batch in batches]
        write_part(self.folder, self.token, number, signed, notes.values())


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def workers(
    folder: Path, signer: Signer, terms: TableTerms, *, token: str, now: float, most: int, several: bool
) -> Iterator[tuple[Submit, int]]:
    """What takes parts into `folder`, and how many may wait there. `most` processes sign, if there are `several` parts.

    The time by which expiries are judged stands still at `now`. When the context ends, no worker is left.
    """
    job = _Job(
        folder,
        token,
        terms,
        signer.key_pair_id,
        signer.hash_algorithm,
        now,
        signer.max_lifetime,
        signer.ipv6,
    )
    if not isinstance(signer.key, SigningKey):
        opened = _threads(job, signer.key, _REMOTE if several else 1)
    elif several and most > 1:
        opened = _processes(job, signer.key, most)
    else:
        opened = _threads(job, signer.key, 1)
    with opened as (submit, count):
        yield submit, 2 * count


@contextmanager
def _threads(job: _Job, key: PrivateKey, count: int) -> Iterator[tuple[Submit, int]]:
    signer = job.signer(key)
    pool = ThreadPoolExecutor(count, thread_name_prefix="keyfront-table")
    with listening():
        try:
            yield lambda number, batches: pool.submit(job.sign, signer, number, batches), count
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def _processes(job: _Job, key: SigningKey, count: int) -> Iterator[tuple[Submit, int]]:
    seed = _Job(**{**vars(job), "pem": key.pem()})
    # Not forked: whoever calls may have threads, and their locks would be copied as they are.
    pool = ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), _begin, (seed,))

    def submit(number: int, batches: Sequence[pa.RecordBatch]) -> Future[None]:
        packed = _packed(batches)
        with _ctrl_c_waiting():
            return pool.submit(_sign, number, packed)

    try:
        yield submit, count
    except BrokenProcessPool:
        raise ServiceError(
            "a process that was signing ended before it was done (killed for want of memory? In a script of your own: "
            'call sign_table below `if __name__ == "__main__":`). What is done is kept: the same command goes on'
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _ctrl_c_waiting() -> Iterator[None]:
    # A process that begins here never hears of Ctrl-C: that is its parent's, which lets a part end.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_mine: tuple[_Job, Signer] | None = None


def _begin(job: _Job) -> None:
    """A worker's first act."""
    global _mine
    threading.Thread(target=_end_with_parent, daemon=True).start()
    listen()
    pa.set_cpu_count(1)
    pa.set_memory_pool(pa.system_memory_pool())  # gives back what it need not keep: 10 MB a process
    assert job.pem is not None
    _mine = job, job.signer(SigningKey.load(job.pem))


def _end_with_parent() -> None:
    # A parent that is killed tells nobody, and the pool's queue would be waited at for ever.
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)


def _sign(number: int, packed: bytes) -> None:
    assert _mine is not None
    job, signer = _mine
    with pa.ipc.open_stream(packed) as stream:
        job.sign(signer, number, list(stream))


def _packed(batches: Sequence[pa.RecordBatch]) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batches[0].schema) as stream:
        for batch in batches:
            stream.write_batch(batch)
    return bytes(sink.getvalue())
