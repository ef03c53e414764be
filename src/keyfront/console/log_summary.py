"""What an account's access logs say, read when a page first needs it."""

import contextlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from keyfront.console.accounts import Account
from keyfront.errors import KeyfrontError

if TYPE_CHECKING:
    from keyfront.account.logs.keys import KeyUse
    from keyfront.account.logs.refusals import Reason


@dataclass(frozen=True, slots=True)
class LogSummary:
    """The answers of `keyfront logs`, and the time of the reading."""

    at: float
    requests: int
    hours: Sequence[tuple[int, ...]]
    """Each hour's requests: all, signed, allowed, refused, and bytes."""
    reasons: "Sequence[Reason]"
    keys: "Sequence[KeyUse]"


class LogReader:
    """Reads logs once, and again when asked. Threads can share it."""

    def __init__(self, sources: Sequence[str], account: Account, s3: Callable[[], Any]) -> None:
        """`sources` are files, folders and S3 prefixes, as for `keyfront logs`. `s3` opens a client."""
        self.sources = tuple(sources)
        self._account = account
        self._s3 = s3
        self._reading = threading.Lock()
        self._summary: LogSummary | None = None

    def begin(self) -> None:
        """Read the logs in the background, so that the pages know of them. The page of decisions tells an error."""

        def read() -> None:
            with contextlib.suppress(KeyfrontError):
                self.read()

        threading.Thread(target=read, name="access-logs", daemon=True).start()

    def read(self, *, again: bool = False) -> LogSummary:
        """Return the summary. Blocks while the logs are read. Raises `InputError` and `ServiceError`."""
        with self._reading:
            if self._summary is None or again:
                self._summary = self._read()
            return self._summary

    def last_used(self) -> Mapping[str, float]:
        """Return when each key last signed an allowed request, if the logs were read already."""
        used: dict[str, float] = {}
        for each in self._summary.keys if self._summary else ():
            if each.last_allowed is not None:
                used[each.key_pair_id] = max(each.last_allowed, used.get(each.key_pair_id, 0.0))
        return used

    def _read(self) -> LogSummary:
        from keyfront.account.logs.analysis import Options, read_logs

        now = time.time()
        account = self._account.inventory()
        with read_logs(self.sources, "summary", Options(), now=int(now), account=account, s3=self._s3) as logs:
            return LogSummary(now, logs.count.rows, logs.hours, logs.reasons, logs.key_uses)
