"""Finds what is wrong with an account's private content, and says how to fix each fault."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from keyfront.account.audit.buckets import read_bucket, read_encryption_keys, read_function_urls
from keyfront.account.audit.checks import ALL
from keyfront.account.audit.reading import Client, Notes, read_secrets
from keyfront.account.audit.rules.origins import bucket_of, is_function_url, protected_origins
from keyfront.account.audit.values import Evidence, Finding, LogFacts, NotChecked, Report, Settings, Severity
from keyfront.inventory import Inventory, read

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

__all__ = [
    "Evidence",
    "Finding",
    "NotChecked",
    "Report",
    "Settings",
    "Severity",
    "judge",
    "read_account",
    "saved_account",
]


def read_account(
    cloudfront: "CloudFrontClient", client: Client, settings: Settings, log: LogFacts | None = None
) -> tuple[Evidence, list[NotChecked]]:
    """Return the account behind `cloudfront`, and what could not be read. Raises `ServiceError`."""
    notes = Notes()
    inventory = read(cloudfront, refused=notes.refused)
    account = Evidence(inventory, settings, complete=not notes.found)
    origins = [origin for _, origin in protected_origins(account)]
    names = dict.fromkeys(name for origin in origins if (name := bucket_of(origin)))
    buckets = {name: read_bucket(client, name, notes) for name in names}
    named = [bucket.kms_key for bucket in buckets.values() if bucket.kms_key]
    hosts = [origin.domain_name for origin in origins if is_function_url(origin)]
    found = Evidence(
        inventory,
        settings,
        account.complete,
        buckets,
        {key.id: key for key in read_encryption_keys(client, named, notes)},
        {url.host: url for url in read_function_urls(client, hosts, notes)},
        tuple(read_secrets(client, notes)),
        log,
    )
    return found, list(notes.found)


def saved_account(inventory: Inventory, settings: Settings, log: LogFacts | None = None) -> Evidence:
    """Return the evidence of a saved configuration. It holds no unused keys and groups, and no other services."""
    return Evidence(inventory, settings, complete=True, log=log)


def judge(account: Evidence, not_checked: Iterable[NotChecked] = (), ignored: Iterable[str] = ()) -> Report:
    """Return every finding, most urgent first. `ignored` holds `ID` and `ID:RESOURCE`."""
    left_out = frozenset(ignored)
    every = [finding for check in ALL for finding in check(account)]
    kept = [
        each for each in dict.fromkeys(every)
        if each.rule.id not in left_out and f"{each.rule.id}:{each.resource}" not in left_out
    ]  # fmt: skip
    notes = list(not_checked)
    if account.log is None:
        notes.append(NotChecked("hash algorithm and addresses in signed links", "--access-log FILE"))
    kept.sort(key=lambda each: (-each.severity, each.rule.id, each.resource))
    return Report(tuple(kept), tuple(notes), len(every) - len(kept))
