"""Keys against access logs: trusted and unused, or used and not trusted any more."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.account.logs.days import ID, NOON, OLD, SITE, Log, account, sign

from keyfront.account.audit import Evidence, Settings, judge
from keyfront.account.audit.key_log import key_log
from keyfront.account.logs.analysis import Options, read_logs
from keyfront.errors import InputError
from keyfront.inventory import KeyGroup

SETTINGS = Settings(datetime(2030, 6, 1, tzinfo=UTC))


def findings(log: Log, folder: Path, *, held: tuple[str, ...] = (ID,)) -> dict[str, tuple[str, str]]:
    inventory = replace(account(), key_groups={"g1": KeyGroup("g1", "shop-signers", held)})
    log.write(folder)
    with read_logs([str(folder)], "keys", Options(), now=NOON, account=inventory) as logs:
        seen = key_log(logs)
    report = judge(Evidence(inventory, SETTINGS, key_log=seen))
    return {each.rule.id: (each.resource, each.evidence) for each in report.findings if each.rule.id.startswith("key-")}


def test_a_used_key_has_no_finding(tmp_path: Path) -> None:
    log = Log()
    log.add(sign("/a", NOON + 3600), NOON)
    log.add(f"{SITE}/a?Expires=1&Signature=x&Key-Pair-Id=KFORGED", NOON, 403)
    log.add(f"{SITE}/public/a?Expires=9999999999&Signature=x&Key-Pair-Id=KFORGED", NOON)
    assert {"key-trusted-unused", "key-used-untrusted"}.isdisjoint(findings(log, tmp_path))


def test_a_trusted_key_that_nobody_used(tmp_path: Path) -> None:
    log = Log()
    log.add(sign("/a", NOON + 3600), NOON)
    log.add(sign("/a", NOON + 3600, old=True), NOON + 60, 403)
    key, told = findings(log, tmp_path, held=(ID, OLD))["key-trusted-unused"]
    assert key == OLD
    assert "No request with shop-2029 was allowed from 2030-05-01 12:00 to 2030-05-01 12:01 UTC" in told
    assert "no cookies" in told


def test_a_key_that_is_used_and_not_trusted_any_more(tmp_path: Path) -> None:
    log = Log()
    log.add(sign("/a", NOON + 3600), NOON)
    log.add(sign("/a", NOON + 3600, old=True), NOON + 60)
    log.add(sign("/a", NOON + 3600, old=True), NOON + 120, 403)
    key, told = findings(log, tmp_path)["key-used-untrusted"]
    assert key == OLD
    assert told == (
        "2 requests named shop-2029, the last one at 2030-05-01 12:02 UTC, the last one that was allowed at "
        "2030-05-01 12:01 UTC."
    )


def test_logs_without_requests_are_refused(tmp_path: Path) -> None:
    Log().write(tmp_path)
    with read_logs([str(tmp_path)], "keys", Options(), now=NOON) as logs, pytest.raises(InputError, match="no request"):
        key_log(logs)
