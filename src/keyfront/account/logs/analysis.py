"""Reads the access logs of one or several sources, and gives the answers from them."""

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from keyfront.account.logs import buckets, files, keys, refusals
from keyfront.account.logs import sharing as shared_links
from keyfront.account.logs.engine import MEMORY, VIEWS, Engine, opened, sql
from keyfront.account.logs.judging import Logged, LogJudge
from keyfront.account.logs.loading import PART_BYTES, PART_FILES, Loader
from keyfront.account.logs.notices import Notice, notices
from keyfront.account.logs.patterns import replaced_columns
from keyfront.account.logs.values import Count, LogFile, Progress, Window
from keyfront.errors import InputError
from keyfront.inventory import Inventory

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_HOURS: Final = ("hour", "bytes", "key_pair_id", "maybe_refused", "allowed")
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "keys": keys.COLUMNS,
    "refused": refusals.COLUMNS,
    "sharing": shared_links.COLUMNS,
    "summary": tuple(dict.fromkeys([*keys.COLUMNS, *refusals.COLUMNS, *shared_links.COLUMNS, *_HOURS])),
}
"""The columns of `requests` that each question needs."""


@dataclass(frozen=True, slots=True)
class Options:
    """How logs are read."""

    window: Window = field(default_factory=Window)
    fields: tuple[str, ...] = ()
    """The columns of real-time logs, which have no header."""
    full_addresses: bool = False
    """Whether to tell viewers apart by their addresses, and to show them, instead of their networks."""
    memory: str = MEMORY
    may_be_empty: bool = False
    """Whether to go on without any file of the wanted time."""


class AccessLogs:
    """What was read, and the answers from it. Each is worked out when it is first asked for."""

    def __init__(
        self, engine: Engine, count: Count, account: Inventory | None, now: int, *, full_addresses: bool = False
    ) -> None:
        self._engine, self._account, self._full = engine, account, full_addresses
        self._judge = LogJudge(account)
        self.count = count
        self.now = now
        """The time of the reading, in seconds since the epoch."""

    @cached_property
    def span(self) -> tuple[int, int] | None:
        """Return the times of the first and the last request; `None` if there is none."""
        ((first, last),) = self._engine.rows('SELECT min("at"), max("at") FROM requests')
        return (first, last) if isinstance(first, int) and isinstance(last, int) else None

    @cached_property
    def has_cookies(self) -> bool:
        """Return whether the log has cookies: CloudFront logs them only where cookie logging is on."""
        return bool(self._engine.rows("SELECT 1 FROM requests WHERE credentials = 'cookie' LIMIT 1"))

    @cached_property
    def key_uses(self) -> list[keys.KeyUse]:
        """Return who used which key."""
        return keys.key_uses(self._engine)

    @cached_property
    def key_verdicts(self) -> list[keys.KeyVerdict]:
        """Return from when on each key is not needed."""
        return keys.key_verdicts(self.key_uses, self.now, self._account)

    @cached_property
    def reasons(self) -> list[refusals.Reason]:
        """Return why requests were refused."""
        refusals.judge_refusals(self._engine, self._judge)
        return refusals.reasons(self._engine, self._judge, full_addresses=self._full)

    @cached_property
    def sharing(self) -> shared_links.Sharing:
        """Return who shares links."""
        return shared_links.sharing(self._engine)

    @cached_property
    def hours(self) -> list[tuple[int, ...]]:
        """Return each hour's requests: all, signed, allowed, refused, and bytes."""
        rows = self._engine.rows('SELECT * FROM hours ORDER BY "hour"')
        return [tuple(each if isinstance(each, int) else 0 for each in row) for row in rows]

    @cached_property
    def notices(self) -> list[Notice]:
        """Return what deserves a look."""
        refused = self.reasons
        return notices(
            refused, self.sharing, self.key_uses, refusals.unsigned_viewers_with_cookies(self._engine)
        )  # fmt: skip

    def write_parquet(self, folder: Path) -> list[Path]:
        """Write the views as Parquet files into `folder`, and return them. Raises `InputError`."""
        _ = self.reasons, self.sharing
        written = []
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{str(folder)!r} cannot be made: {error.strerror}") from None
        for name in VIEWS:
            path = folder / f"{name}.parquet"
            self._engine.connection.execute(f"COPY (SELECT * FROM {name}) TO ? (FORMAT parquet)", [str(path)])  # noqa: S608
            written.append(path)
        return written

    def rows(self, query: str, values: list[object]) -> list[tuple[object, ...]]:
        """Run a query over `requests`, and return its rows."""
        return self._engine.rows(query, values)

    def refused_with(self, key_pair_id: str, most: int) -> list[tuple[Logged, int | None]]:
        """Return refused requests that name a key, the latest ones, and the expiry of each."""
        return refusals.refused_with(self._engine, key_pair_id, most)


@contextmanager
def read_logs(
    sources: Sequence[str],
    question: str,
    options: Options,
    *,
    now: int,
    account: Inventory | None = None,
    s3: "Callable[[], S3Client] | None" = None,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Iterator[AccessLogs]:
    """Read files, folders and S3 prefixes for one of the questions in `COLUMNS`, and yield the answers.

    The temporary tables are deleted at the end of the block. `s3` opens a client if a source is in S3. Raises
    `InputError` if a source does not exist or nothing in it can be read, and `ServiceError` if S3 refuses.
    """
    with opened(options.memory) as engine:
        loader = Loader(
            engine,
            options.window,
            columns=COLUMNS[question],
            fields=options.fields,
            replaced=replaced_columns(account, full_addresses=options.full_addresses),
            progress=progress,
        )
        _load(loader, engine, sources, options.window, s3)
        count = loader.finish()
        if count.unread or not options.may_be_empty:
            _check(count, sources)
        _make_views(engine, question)
        yield AccessLogs(engine, count, account, now, full_addresses=options.full_addresses)


def _make_views(engine: Engine, question: str) -> None:
    wanted = {
        "keys": ("keys",),
        "refused": (),
        "sharing": ("visits", "links", "lives", "referrers"),
        "summary": tuple(name for name in VIEWS if name != "refused"),
    }[question]
    for name in wanted:
        engine.connection.execute(f"CREATE VIEW {name} AS {sql(name)}")


def _load(
    loader: Loader, engine: Engine, sources: Iterable[str], window: Window, s3: "Callable[[], S3Client] | None"
) -> None:
    here: list[LogFile] = []
    stored: list[buckets.StoredLog] = []
    client = None
    for source in sources:
        if buckets.is_address(source):
            if s3 is None:
                raise InputError(f"{source} is in S3, which cannot be reached here")
            client = client or s3()
            more, left_out = buckets.find(client, source, window)
            stored += more
        else:
            found, left_out = files.find(Path(source), window)
            here += found
        loader.count.skipped_files += left_out
    size = sum(each.size for each in here) + sum(each.size for each in stored)
    loader.load(here, size)
    for part in _parts(stored):
        if loader.count.stopped or client is None:
            return
        folder = engine.folder / "fetched"
        try:
            loader.load(list(buckets.fetch(client, part, folder)), size)
        except KeyboardInterrupt:
            loader.count.stopped = True
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _parts(stored: Iterable[buckets.StoredLog]) -> Iterator[list[buckets.StoredLog]]:
    part: list[buckets.StoredLog] = []
    size = 0
    for each in stored:
        part.append(each)
        size += each.size
        if size >= PART_BYTES or len(part) >= PART_FILES:
            yield part
            part, size = [], 0
    if part:
        yield part


def _check(count: Count, sources: Iterable[str]) -> None:
    if count.files or count.stopped:
        return
    named = ", ".join(sources)
    if count.unread:
        name, reason = count.unread[0]
        raise InputError(f"none of the {len(count.unread):,} files in {named} is an access log: {name}: {reason}")
    if count.skipped_files:
        raise InputError(f"{named} holds no file of this time: {count.skipped_files:,} were left out by their names")
    raise InputError(f"{named} holds no files")
