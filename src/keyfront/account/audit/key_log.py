"""What access logs show of each key, for the audit. Needs the extra `logs`."""

from datetime import UTC, datetime

from keyfront.account.audit.values import KeyLog, LoggedUse
from keyfront.account.logs.analysis import AccessLogs
from keyfront.account.logs.keys import KeyUse
from keyfront.errors import InputError


def key_log(logs: AccessLogs) -> KeyLog:
    """Return the use of keys in logs that were read for the question `keys`. Raises `InputError` if they are empty."""
    if logs.span is None:
        raise InputError("the access logs hold no request: give logs of the time to check")
    first, last = (datetime.fromtimestamp(each, UTC) for each in logs.span)
    by_key: dict[str, list[KeyUse]] = {}
    for use in logs.key_uses:
        by_key.setdefault(use.key_pair_id, []).append(use)
    return KeyLog(first, last, {key: _use(found) for key, found in by_key.items()}, logs.has_cookies)


def _use(found: list[KeyUse]) -> LoggedUse:
    allowed = max((each.last_allowed for each in found if each.last_allowed is not None), default=None)
    return LoggedUse(
        sum(each.requests for each in found),
        datetime.fromtimestamp(max(each.last_seen for each in found), UTC),
        None if allowed is None else datetime.fromtimestamp(allowed, UTC),
    )
