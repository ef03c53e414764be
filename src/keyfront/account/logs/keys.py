"""Who used which key, and from when on nobody needs it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from keyfront.account.logs.engine import Engine
from keyfront.explain.times import utc
from keyfront.inventory import Inventory

COLUMNS = (
    *("distribution", "pattern", "bytes", "credentials", "key_pair_id", "hash_algorithm", "expires"),
    *("maybe_refused", "allowed"),
)


@dataclass(frozen=True, slots=True)
class KeyUse:
    """The use of one key on one path pattern of a distribution. Times are seconds since the epoch."""

    key_pair_id: str
    distribution: str
    pattern: str
    requests: int
    allowed: int
    refused: int
    bytes: int
    first_seen: int
    last_seen: int
    last_allowed: int | None
    latest_expiry: int | None
    """The latest expiry among requests that were allowed."""
    sha1: int
    sha256: int
    by_url: int
    by_cookie: int


@dataclass(frozen=True, slots=True)
class KeyVerdict:
    """Whether a key can be removed, for all its paths together."""

    key_pair_id: str
    name: str
    """The key's name in the account; empty if it is not known."""
    groups: tuple[str, ...]
    trusted: bool | None
    """Whether a key group of the account holds it; `None` without an account."""
    uses: tuple[KeyUse, ...]
    safe_after: int | None
    """The time from which no link in the log is valid; `None` if the log has no allowed request with it.

    Then the log does not say whether it is needed: it may be a new key, whose links nobody has opened yet.
    """
    because: str

    def safe(self, now: int) -> str:
        """Return in words from when on it is safe to remove; `cannot tell` if the log does not say."""
        if self.safe_after is None:
            return "cannot tell"
        return f"after {utc(self.safe_after)}" if self.safe_after > now else "now"

    @property
    def last_seen(self) -> int | None:
        """Return the time of the last request that named it."""
        return max((each.last_seen for each in self.uses), default=None)


def key_uses(engine: Engine) -> list[KeyUse]:
    """Return the use of every key, the most used first."""
    return engine.records(KeyUse, "SELECT * FROM keys ORDER BY requests DESC, key_pair_id, distribution, pattern")


def key_verdicts(uses: Iterable[KeyUse], now: int, account: Inventory | None = None) -> list[KeyVerdict]:
    """Return a verdict for each key of the log, and for each key of the account that the log does not name."""
    by_id: dict[str, list[KeyUse]] = {}
    for use in uses:
        by_id.setdefault(use.key_pair_id, []).append(use)
    known = account.keys if account else {}
    return [_verdict(key_id, tuple(by_id.get(key_id, ())), now, account) for key_id in dict.fromkeys([*by_id, *known])]


def _verdict(key_id: str, uses: tuple[KeyUse, ...], now: int, account: Inventory | None) -> KeyVerdict:
    groups = tuple(
        each.name for each in (account.key_groups.values() if account else ()) if key_id in each.keys
    )  # fmt: skip
    name = account.keys[key_id].name if account and key_id in account.keys else ""
    trusted = bool(groups) if account else None
    allowed = [use for use in uses if use.last_allowed is not None]
    expiry = max((use.latest_expiry for use in allowed if use.latest_expiry is not None), default=None)
    used = max((use.last_allowed for use in allowed if use.last_allowed is not None), default=None)
    safe = None if used is None else max(used, expiry or used)
    return KeyVerdict(key_id, name, groups, trusted, uses, safe, " ".join(_because(uses, used, expiry, now)))


def _because(uses: tuple[KeyUse, ...], used: int | None, expiry: int | None, now: int) -> Iterator[str]:
    if not uses:
        yield "No request in the log names it."
    elif used is None:
        yield "Every request that named it was refused."
    elif expiry is None:
        yield "The log does not show when its links expire: cookies are logged only where cookie logging is on."
    elif expiry > now:
        yield "A link that was opened is still valid until then."
    else:
        yield "Every link in the log has expired."
    yield "Links that nobody has opened yet are not in a log."
