"""moto's part of a kept state: written to the disk soon after each change, and back at the next start.

What every service has is one file, written anew and exchanged as a whole (`snapshot`); large objects are files of
their own (`contents`). While the state is looked at no request is let in (`gate`), so that what is written was so at
one moment; it goes to the disk afterwards, in a thread of its own.
"""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from keyfront.errors import InputError, KeyfrontError
from keyfront.stack.endpoint import snapshot
from keyfront.stack.endpoint.contents import Contents
from keyfront.stack.endpoint.gate import Gate
from keyfront.stack.endpoint.snapshot import Snapshot
from keyfront.stack.state import check_owner

if TYPE_CHECKING:
    from moto.s3.models import FakeKey

_log = logging.getLogger(__name__)

_PAUSE_SECONDS: Final = 1.0
"""From one look at the state to the next."""
_SETTLE_SECONDS: Final = 0.1
"""From a change to the look: changes come in bursts."""
_QUIET_SECONDS: Final = 0.25
"""How long a look waits for requests under way. Who takes longer waits for somebody else, and changes nothing."""
_TRIES: Final = 10
"""A background job of moto's may change what is looked at; so often in a row something is wrong."""


class ServicesState:
    """What moto's services have, in a directory, from `load` to `close`."""

    def __init__(self, directory: Path) -> None:
        """Make the directory if it is missing; `InputError` when it, or what is in it, cannot be used."""
        self._directory = directory
        try:
            for each in (directory, directory / "contents"):
                each.mkdir(mode=0o700, exist_ok=True)
                check_owner(each, each.stat())
        except OSError as error:
            raise InputError(f"the state cannot be kept in {directory}: {error.strerror}") from None
        self._file, self._contents = directory / "state", Contents(directory / "contents")
        self._kept: Snapshot | None = snapshot.read(self._file)
        self._written = ""
        self._names: WeakKeyDictionary[FakeKey, str] = WeakKeyDictionary()
        """Of the contents of large objects that are on the disk; an object's content never changes."""
        self._left_out: set[str] = set()
        self._gate = Gate()
        self._changed, self._stopping = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="keyfront-state", daemon=True)

    def load(self) -> None:
        """Let moto (which is loaded for it) have what was kept, and keep it from now on.

        Call it once, before any request. `InputError` when something cannot be brought back.
        """
        if self._kept is not None:
            self._restore(self._kept)
            self._kept = None
        self._thread.start()

    @contextmanager
    def request(self, *, changes: bool) -> Iterator[None]:
        """Around a request to moto; `changes`: whether it may change something."""
        with self._gate.passing():
            try:
                yield
            finally:
                if changes:
                    self._changed.set()

    def close(self) -> None:
        """Write what has changed, and keep no more. Blocks; `KeyfrontError` when that cannot be done."""
        if not self._thread.is_alive():
            return
        self._stopping.set()
        self._changed.set()
        self._thread.join()
        for _ in range(_TRIES):
            try:
                self._write()
            except Exception as error:  # noqa: BLE001  moto's objects can fail in any way
                why = error
                time.sleep(_SETTLE_SECONDS)
            else:
                return
        raise KeyfrontError(f"the last changes could not be written to {self._file}: {why}")

    def _restore(self, kept: Snapshot) -> None:
        from keyfront.stack.endpoint import pickling

        try:
            keys = pickling.load(kept.pickled)
        except Exception as error:  # noqa: BLE001  what is run there can fail in any way
            _log.debug("the state cannot be brought back", exc_info=True)
            raise InputError(
                f"{self._file} cannot be brought back ({type(error).__name__}: {error}): move {self._directory} away, "
                "and the services begin anew; CloudFront's part stays"
            ) from None
        for key, name in zip(keys, kept.contents, strict=True):
            key.contentsize = self._contents.copy(name, key._value_buffer)
            self._names[key] = name
        self._written = kept.digest

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            self._changed.wait()
            if self._stopping.wait(_SETTLE_SECONDS):
                return
            self._changed.clear()
            began = time.monotonic()
            try:
                self._write()
            except Exception as error:  # noqa: BLE001  whatever it is: the next one may succeed
                self._changed.set()
                failures += 1
                if failures == (_TRIES if type(error) is RuntimeError else 1):
                    _log.error("the state cannot be written to %s: %s; trying again and again", self._file, error)
            else:
                if failures:
                    _log.warning("the state is in %s again", self._file)
                failures = 0
            took = time.monotonic() - began
            # However long it takes, requests have half of the time.
            self._stopping.wait(max(_PAUSE_SECONDS - took - _SETTLE_SECONDS, took))

    def _write(self) -> None:
        """Write the state, if it is another. `RuntimeError` when it changed under our eyes, `OSError` from the disk."""
        from keyfront.stack.endpoint import pickling

        with ExitStack() as sources:
            with self._gate.shut(_QUIET_SECONDS):
                pickled, large = self._look()
                new = {key: sources.enter_context(pickling.source(key)) for key in large if key not in self._names}
            if Snapshot(pickled).digest == self._written:
                return
            for key, content in new.items():
                self._names[key] = self._contents.put(content)
        if new:
            self._contents.settle()
        now = Snapshot(pickled, tuple(self._names[key] for key in large))
        snapshot.write(self._file, now)
        self._written = now.digest
        self._contents.drop_all_but(set(now.contents))

    def _look(self) -> "tuple[bytes, list[FakeKey]]":
        """What there is; a service with something that nobody can write down must not cost the others."""
        from keyfront.stack.endpoint import pickling

        names = pickling.services().keys() - self._left_out
        try:
            return pickling.dump(names)
        except RuntimeError:
            raise
        except Exception:  # noqa: BLE001  moto's objects can fail in any way
            for name in sorted(names):
                if why := _unwritable(name):
                    self._left_out.add(name)
                    _log.warning("what moto has in %s is not kept: %s", name, why)
        return pickling.dump(names - self._left_out)


def _unwritable(name: str) -> str | None:
    from keyfront.stack.endpoint import pickling

    try:
        pickling.dump({name})
    except RuntimeError:
        raise
    except Exception as error:  # noqa: BLE001  as above
        return f"{type(error).__name__}: {error}"
    return None
