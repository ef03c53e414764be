# mypy: disable-error-code="import-untyped"
"""Sign parts of a table in parallel: in one process per core, or in threads for a remote key.

Threads do not help with a local key: Python's own work on a row blocks the other threads, even with RSA. A key in KMS
means waiting for the network, which threads can do.
"""

import json
import multiprocessing
import os
import signal
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from typing import Any, Final

import pyarrow as pa

from keyfront.core.keys import SigningKey
from keyfront.core.misuse import SigningWarning
from keyfront.core.signing import Signer
from keyfront.errors import ServiceError
from keyfront.integrations.tables.batches import sign_batch
from keyfront.integrations.tables.summary import Seen
from keyfront.integrations.tables.terms import TableTerms

Submit = Callable[[pa.RecordBatch], Future[bytes]]
"""Starts to sign a part. `read_part` reads the result."""

_REMOTE: Final = 8
"""The number of threads for a remote key."""
_SEEN: Final = b"keyfront:seen"


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def workers(signer: Signer, terms: TableTerms, *, now: float, most: int) -> Iterator[tuple[Submit, int]]:
    """Yield a function that takes parts, and the most parts that may wait. `most` processes sign (1: this process).

    Expiry times are checked against the time `now`. All workers end with the context.
    """
    with warnings.catch_warnings():
        if isinstance(signer.key, SigningKey) and most > 1:
            with _processes(signer, signer.key, terms, now, most) as submit:
                yield submit, 2 * most
            return
        count = 1 if isinstance(signer.key, SigningKey) else _REMOTE
        _count_warnings()
        copy = Signer(clock=lambda: now, **_arguments(signer))
        with ThreadPoolExecutor(count, "keyfront-table") as pool:
            try:
                yield lambda part: pool.submit(_sign_part, copy, terms, part), 2 * count
            finally:
                pool.shutdown(cancel_futures=True)


def read_part(part: bytes) -> tuple[pa.RecordBatch, list[Seen]]:
    """Return a part's rows as `sign_batch` returned them, and the warnings."""
    with pa.ipc.open_stream(part) as stream:
        seen = [Seen(**each) for each in json.loads(stream.schema.metadata[_SEEN])]
        return stream.read_next_batch(), seen


def add(seen: dict[str, Seen], more: Iterable[Seen]) -> None:
    """Add the counts of `more` to `seen`."""
    for each in more:
        known = seen.get(each.finding)
        seen[each.finding] = each if known is None else Seen(known.finding, known.text, known.times + each.times)


def _arguments(signer: Signer) -> dict[str, Any]:
    names = ("key_pair_id", "key", "hash_algorithm", "max_lifetime", "ipv6")
    return {name: getattr(signer, name) for name in names}


def _sign_part(signer: Signer, terms: TableTerms, part: pa.RecordBatch) -> bytes:
    _current.seen = seen = dict[str, Seen]()
    try:
        signed = sign_batch(part, signer, terms)
    finally:
        del _current.seen
    notes = json.dumps([asdict(each) for each in seen.values()])
    return _packed(signed.replace_schema_metadata({**(signed.schema.metadata or {}), _SEEN: notes}))


def _packed(batch: pa.RecordBatch) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as stream:
        stream.write_batch(batch)
    return bytes(sink.getvalue())


_current = threading.local()
"""`seen`: the warnings for the part that this thread signs."""


def _count_warnings() -> None:
    """Count a thread's signing warnings while it signs a part: a million rows must not warn a million times."""
    warnings.simplefilter("always", SigningWarning)
    before = warnings.showwarning

    def show(message: Warning | str, *rest: Any, **named: Any) -> None:
        if isinstance(message, SigningWarning) and hasattr(_current, "seen"):
            add(_current.seen, [Seen(message.finding, str(message), 1)])
        else:
            before(message, *rest, **named)

    warnings.showwarning = show


@contextmanager
def _processes(signer: Signer, key: SigningKey, terms: TableTerms, now: float, count: int) -> Iterator[Submit]:
    # Spawned, not forked: a fork would copy locks that the caller's threads hold. The key goes through a pipe.
    begin = partial(_begin, {**_arguments(signer), "key": key.pem()}, terms, now)
    pool = ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), begin)

    def submit(part: pa.RecordBatch) -> Future[bytes]:
        packed = _packed(part)
        # A process that starts here ignores Ctrl-C: the parent handles it and lets the part finish.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            return pool.submit(_sign_packed, packed)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    try:
        yield submit
    except BrokenProcessPool:
        raise ServiceError(
            "a signing process ended too early. If memory ran out, give it more; in your own script, call sign_table "
            'below `if __name__ == "__main__":`. Signed rows are kept: run the same command again to continue'
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


_sign_here: Callable[[pa.RecordBatch], bytes] | None = None


def _begin(arguments: dict[str, Any], terms: TableTerms, now: float) -> None:
    """Set up a worker process."""
    global _sign_here
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _count_warnings()
    pa.set_cpu_count(1)
    pa.set_memory_pool(pa.system_memory_pool())  # returns free memory to the system: 10 MB a process
    signer = Signer(clock=lambda: now, **{**arguments, "key": SigningKey.load(arguments["key"])})
    _sign_here = partial(_sign_part, signer, terms)


def _end_with_parent() -> None:
    # If the parent is killed, this process would wait for the pool's queue forever.
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)


def _sign_packed(packed: bytes) -> bytes:
    assert _sign_here is not None
    with pa.ipc.open_stream(packed) as stream:
        return _sign_here(stream.read_next_batch())
