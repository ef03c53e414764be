"""What access logs show of one key: what a rotation waits for before it removes the key."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from keyfront.account.logs.judging import Logged
from keyfront.core.keys import PublicKey
from keyfront.core.verification import verify

if TYPE_CHECKING:
    from keyfront.account.logs.analysis import AccessLogs

_MOST_JUDGED: Final = 10_000


@dataclass(frozen=True, slots=True)
class KeyEvidence:
    """The uses of a key in access logs. Times are seconds since the epoch."""

    newest: int | None
    """The last request of any kind: how far the logs reach. `None` if they hold none."""
    last_allowed: int | None = None
    latest_expiry: int | None = None
    """The latest expiry among requests that were allowed."""
    missed: int = 0
    """Requests with valid links that were refused, because the key is not trusted any more."""
    missed_until: int | None = None
    """The latest expiry among those."""


def evidence(logs: "AccessLogs", key_pair_id: str, key: PublicKey | None) -> KeyEvidence:
    """Return what logs, read for the question `refused`, show of a key. `key` is its public key, if it still exists."""
    newest = logs.span[1] if logs.span else None
    ((used, expiry),) = logs.rows(
        'SELECT max("at"), max(expires) FROM requests WHERE key_pair_id = ? AND allowed', [key_pair_id]
    )
    missed = [each for each in logs.refused_with(key_pair_id, _MOST_JUDGED) if _was_valid(each[0], key_pair_id, key)]
    until = max((expires for _, expires in missed if expires is not None), default=None)
    return KeyEvidence(newest, _number(used), _number(expiry), len(missed), until)


def _was_valid(logged: Logged, key_pair_id: str, key: PublicKey | None) -> bool:
    """Return whether the request would have been allowed if the key were trusted.

    Without the signature or the key, only its terms count. Anybody can write those, so this errs to the safe side.
    """
    decision = verify(logged.request, {} if key is None else {key_pair_id: key}, logged.at - logged.taken)
    unknown = ("signature", "trusted-key") if logged.hidden or key is None else ()
    return all(check.ok or check.name in unknown for check in decision.checks)


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None
