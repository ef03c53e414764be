"""Decides by access logs when the old key can be removed, and when it can be deleted.

A log shows only links that were opened. So it shortens the grace only if it shows the old key at all, and lengthens it
if it shows a link that outlives the grace.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Protocol

from keyfront.account.rotation.outcomes import Wait
from keyfront.account.rotation.state import State
from keyfront.core.keys import PublicKey
from keyfront.errors import InputError

_PAUSE: Final = 15.0
"""Seconds until logs that do not reach far enough are read again. CloudFront delivers them several times an hour."""


class KeyUses(Protocol):
    """What access logs show of a key. Times are seconds since the epoch."""

    @property
    def newest(self) -> int | None:
        """The last request of any kind: how far the logs reach."""

    @property
    def last_allowed(self) -> int | None:
        """The last request with the key that was allowed."""

    @property
    def latest_expiry(self) -> int | None:
        """The latest expiry among requests that were allowed."""

    @property
    def missed(self) -> int:
        """Requests with valid links that were refused, because the key is not trusted any more."""

    @property
    def missed_until(self) -> int | None:
        """The latest expiry among those."""


ReadLogs = Callable[[str, str, PublicKey | None, float], KeyUses]
"""Takes the logs' address, a key-pair id, its public key, and the time from which on requests count."""


def may_remove(state: State, seen: KeyUses, now: float) -> Wait | None:
    """Return what the removal from the group must wait for; `None` if the logs show that nobody needs the key."""
    grace, unused = state.removable_at, state.unused_at
    assert grace is not None
    assert unused is not None
    if seen.latest_expiry is not None and now < seen.latest_expiry:
        text = f"the access logs show a link of {state.old_id} that is valid until {_clock(seen.latest_expiry)}"
        return Wait(text, seen.latest_expiry)
    if now >= grace:
        return None
    if seen.last_allowed is None:
        return Wait(f"the access logs show no link of {state.old_id}, so the whole grace must pass", grace)
    if seen.latest_expiry is None:
        return Wait(f"the access logs do not show when links of {state.old_id} expire, so the grace must pass", grace)
    reached = max(unused, seen.latest_expiry)
    if seen.newest is None or seen.newest < reached:
        return Wait(f"the access logs must reach {_clock(reached)}", min(grace, now + _PAUSE))
    return None


def may_delete(state: State, seen: KeyUses, now: float) -> Wait | None:
    """Return what the deletion of the key must wait for, after it left the group; `None` if nobody misses it.

    Raises `InputError` if somebody does: the key can then be put back.
    """
    if seen.missed and seen.missed_until is not None and now < seen.missed_until:
        raise InputError(
            f"{state.old_id} is still used: {seen.missed:,} valid links were refused since it left the group. "
            f"It is not deleted. Put it back with keyfront groups add {state.plan.group} {state.old_id}, or continue "
            f"after {_clock(seen.missed_until)}, when the last of these links expires"
        )
    if state.removed_at is None:
        return None
    everywhere = state.removed_at + state.plan.propagation
    if now < everywhere:
        return Wait(f"the edge locations are learning that {state.old_id} is not trusted", everywhere)
    reached = seen.newest is not None and seen.newest >= everywhere
    if not reached and now < everywhere + state.plan.grace:
        text = f"the access logs must reach {_clock(everywhere)} to show that nobody misses {state.old_id}"
        return Wait(text, min(now + _PAUSE, everywhere + state.plan.grace))
    return None


def _clock(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
