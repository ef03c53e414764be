"""Checks of keys against access logs: trusted and unused, or used and not trusted any more."""

from collections.abc import Iterator
from typing import Final

from keyfront.account.audit.rules.behaviors import in_order
from keyfront.account.audit.values import Evidence, Finding, KeyLog, Rule, Severity, Stage

_UNUSED: Final = Rule(
    "key-trusted-unused",
    "A trusted key was not used",
    "Whoever has a copy of its private key can sign with it, and nobody would miss it.",
    Stage.REMOVE,
)
_MISSED: Final = Rule(
    "key-used-untrusted",
    "A key is used that is not trusted any more",
    "A signer or old links still use it, and their viewers are refused.",
    Stage.RESTORE,
)
RULES: Final = (_UNUSED, _MISSED)


def _trusted(account: Evidence) -> dict[str, str]:
    """Return the keys that any behavior trusts, each with a group that holds it."""
    inventory = account.inventory
    groups = (name for each in inventory.distributions for b in in_order(each) for name in b.trusted_key_groups)
    found = (inventory.key_groups[name] for name in dict.fromkeys(groups) if name in inventory.key_groups)
    return {key: group.id for group in found for key in group.keys}


def _unused(account: Evidence) -> Iterator[Finding]:
    log = account.key_log
    if log is None:
        return
    for key, group in _trusted(account).items():
        known = account.inventory.keys.get(key)
        new = known is not None and known.created is not None and known.created > log.first
        use = log.uses.get(key)
        if (use is None or use.last_allowed is None) and not new:
            name = known.name if known else key
            cookies = "" if log.cookies else " The logs have no cookies, so uses of signed cookies are not in them."
            yield Finding(
                _UNUSED, Severity.LOW, key, f"No request with {name} was allowed {_span(log)}.{cookies}",
                f"keyfront groups remove {group} {key} (when no signer uses it and its links have expired)",
                marks=(key,),
            )  # fmt: skip


def _missed(account: Evidence) -> Iterator[Finding]:
    log = account.key_log
    if log is None or not account.complete:
        return
    trusted = _trusted(account)
    for key, use in log.uses.items():
        # Anybody can write any id into a URL: it counts if the account knows the key, or a request was allowed with it.
        if key in trusted or (key not in account.inventory.keys and use.last_allowed is None):
            continue
        name = account.inventory.keys[key].name if key in account.inventory.keys else "a deleted key"
        allowed = (
            f", the last one that was allowed at {use.last_allowed:%Y-%m-%d %H:%M} UTC" if use.last_allowed else ""
        )
        yield Finding(
            _MISSED, Severity.MEDIUM, key,
            f"{use.requests:,} requests named {name}, the last one at {use.last_seen:%Y-%m-%d %H:%M} UTC{allowed}.",
            f"switch its signers to a trusted key; if its links must work, keyfront groups add GROUP {key}",
            marks=(key,),
        )  # fmt: skip


def _span(log: KeyLog) -> str:
    return f"from {log.first:%Y-%m-%d %H:%M} to {log.last:%Y-%m-%d %H:%M} UTC"


CHECKS: Final = (_unused, _missed)
