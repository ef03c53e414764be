"""Checks of keys and key groups: unused, old, full, or trusted in too many places."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from keyfront.account.audit.rules.behaviors import in_order
from keyfront.account.audit.values import Evidence, Finding, Rule, Severity, Stage

_UNUSED: Final = Rule(
    "key-in-no-group",
    "A public key is in no key group",
    "It gives no access, counts towards the quota, and invites mistakes.",
    Stage.REMOVE,
)
_UNTRUSTED: Final = Rule(
    "group-untrusted",
    "No behavior trusts a key group",
    "Its keys give no access.",
    Stage.REMOVE,
)
_OLD: Final = Rule(
    "key-old",
    "A trusted key is old",
    "The longer a private key exists, the more copies of it there may be.",
)
_FULL: Final = Rule(
    "group-full",
    "A key group is at its quota",
    "A rotation begins by adding a key, and this group has no room for one.",
)
_QUOTA: Final = Rule(
    "quota-near",
    "An account quota is nearly used up",
    "A rotation needs room for one more.",
)
_SHARED: Final = Rule(
    "key-shared",
    "One key opens several distributions",
    "A signer for one of them can sign for all. A policy without a full Resource opens them all.",
)
_UNUSABLE: Final = Rule(
    "key-unusable",
    "A public key cannot be used",
    "CloudFront refuses every signature that names it.",
)
RULES: Final = (_UNUSED, _UNTRUSTED, _OLD, _FULL, _QUOTA, _SHARED, _UNUSABLE)


def _groups(account: Evidence) -> Iterator[Finding]:
    inventory, most = account.inventory, account.settings.keys_per_group_quota
    trusted = {group for each in inventory.distributions for b in in_order(each) for group in b.trusted_key_groups}
    for group in inventory.key_groups.values():
        if account.complete and group.id not in trusted:
            yield Finding(
                _UNTRUSTED, Severity.LOW, group.id, f"No cache behavior names {group.name}.",
                f"keyfront groups delete {group.id}", marks=(group.id,),
            )  # fmt: skip
        if len(group.keys) >= most:
            yield Finding(
                _FULL, Severity.MEDIUM, group.id, f"{group.name} holds {len(group.keys)} of {most} keys.",
                f"keyfront groups remove {group.id} {group.keys[0]} (when nothing signed with it is still valid)",
                marks=(group.id,),
            )  # fmt: skip


def _keys(account: Evidence) -> Iterator[Finding]:
    inventory, settings = account.inventory, account.settings
    held = {key for group in inventory.key_groups.values() for key in group.keys}
    for key in inventory.keys.values():
        if key.id not in held:
            if account.complete:
                yield Finding(
                    _UNUSED, Severity.LOW, key.id, f"{key.name} is in no key group.", f"keyfront keys delete {key.id}",
                    marks=(key.id,),
                )  # fmt: skip
        elif key.created and (age := settings.now - key.created) > timedelta(days=settings.max_key_age):
            group = next(each.id for each in inventory.key_groups.values() if key.id in each.keys)
            yield Finding(
                _OLD, Severity.MEDIUM, key.id, f"{key.name} is {age.days} days old; at most {settings.max_key_age}.",
                f"keyfront rotate start --group {group} --signer ADDRESS", marks=(key.id,),
            )  # fmt: skip
    for key_id, why in inventory.unusable_keys.items():
        if key_id in held:
            yield Finding(_UNUSABLE, Severity.LOW, key_id, why, "upload an RSA 2048 or ECDSA P-256 public key instead")


def _quotas(account: Evidence) -> Iterator[Finding]:
    inventory, settings = account.inventory, account.settings
    for what, used, most in (
        ("public keys", len(inventory.keys) + len(inventory.unusable_keys), settings.public_keys_quota),
        ("key groups", len(inventory.key_groups), settings.key_groups_quota),
    ):
        if used >= most * 0.9:
            yield Finding(
                _QUOTA, Severity.MEDIUM if used >= most else Severity.LOW, f"account/{what.replace(' ', '-')}",
                f"{used} of {most} {what}.", "delete what is unused, or ask for more in Service Quotas (CloudFront)",
            )  # fmt: skip


def _sharing(account: Evidence) -> Iterator[Finding]:
    opens: dict[str, set[str]] = defaultdict(set)
    for distribution in account.inventory.distributions:
        for behavior in in_order(distribution):
            for key in account.inventory.trusted_keys(behavior):
                opens[key].add(distribution.id)
    for key, found in opens.items():
        if len(found) > 1:
            yield Finding(
                _SHARED, Severity.MEDIUM, key, f"Trusted by {', '.join(sorted(found))}.",
                "give each distribution its own key and group (modules signing-key and trusted-key-group)",
                marks=(key,),
            )  # fmt: skip


CHECKS: Final = (_groups, _keys, _quotas, _sharing)
