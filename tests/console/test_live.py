"""Decisions as they happen, and what access logs say."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.console.conftest import Browser, Open, Served, plain

from keyfront.console.accounts import LiveAccount
from keyfront.console.decisions import KEPT, MINUTES, Decisions
from keyfront.console.log_summary import LogReader

DECIDED = {
    "at": 1_893_456_000.5,
    "distribution_id": "E1",
    "ip": "192.0.2.1",
    "method": "GET",
    "url": "https://d1.cloudfront.net/<b>.pdf",
    "status": 403,
    "cache": "Error",
    "reason": "expired",
    "key_pair_id": "K1",
    "finding": "expired",
}


def test_a_decision_is_shown_and_explained(page: Browser, decisions: Decisions) -> None:
    decisions.take([DECIDED], {}, "LOC")
    shown = page.get("/live").text
    assert "https://d1.cloudfront.net/&lt;b&gt;.pdf" in shown
    assert 'href="/live/1"' in shown
    explained = plain(page.get("/live/1"))
    assert "keyfront explain --about expired" in explained
    assert "Fix:" in explained
    assert page.get("/live/99").status_code == 400


def test_new_decisions_are_sent_to_an_open_page(page: Browser, decisions: Decisions, served: Served) -> None:
    with page.client.stream("GET", "/live/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.iter_lines()
        assert next(lines) == "event: ready"
        served.loop.loop.call_soon_threadsafe(decisions.take, [DECIDED], {}, "LOC")
        told = next(line for line in lines if line == "event: decision")
        assert told
        assert "&lt;b&gt;.pdf" in json.loads(next(lines).removeprefix("data: "))


def test_counts_are_by_the_minute_and_bounded() -> None:
    now = [1_893_456_000.0]
    decisions = Decisions(clock=lambda: now[0])
    for number in range(KEPT + 50):
        decisions.take([{**DECIDED, "at": now[0], "reason": "allowed"}], {"expired K2": 3})
        now[0] += 60 if number % 2 else 0
    assert len(decisions.latest()) == KEPT
    minutes = decisions.minutes()
    assert len(minutes) == MINUTES
    assert minutes[0].reasons == {"allowed": 2, "expired": 6}
    assert minutes[0].keys == {"K1": 2, "K2": 6}
    assert decisions.last_used() == {"K1": now[0] - 60}


def test_keys_are_shown_as_used_when_the_edge_allowed_them(
    page: Browser, decisions: Decisions, make_key: Callable[[], str]
) -> None:
    key = make_key()
    assert "not seen" in page.text("/keys")
    decisions.take([{**DECIDED, "reason": "allowed", "key_pair_id": key, "status": 200}], {})
    assert "not seen" not in page.text("/keys")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    fields = "date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) "
    fields += "cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol"
    query = "Expires=1893459600&Signature=abc&Key-Pair-Id=KUSED"
    rows = [
        f"2030-01-01\t0{hour}:00:00\tFRA\t100\t192.0.2.1\tGET\td1.cloudfront.net\t/a.pdf\t{status}\t-\tcurl\t{query}\t-\t{kind}\tid{hour}\td1.cloudfront.net\thttps"
        for hour, status, kind in ((0, 200, "Hit"), (1, 403, "Error"))
    ]
    file = tmp_path / "E1.2030-01-01-00.abc.gz"
    file.write_bytes(gzip.compress("\n".join(["#Version: 1.0", f"#Fields: {fields}", *rows, ""]).encode()))
    return file


@pytest.mark.large
def test_an_account_s_access_logs_are_summed_up(open_console: Open, cloudfront: Any, log: Path) -> None:
    pytest.importorskip("duckdb")
    account = LiveAccount("an account", lambda: cloudfront, lambda _: None)
    page = open_console(account, decisions=None, logs=LogReader([str(log)], account, lambda: None))
    assert str(log) in page.get("/live").text
    summed = plain(page.get("/live/logs"))
    assert "2 requests" in summed
    assert "KUSED" in summed
    missing = open_console(account, decisions=None, logs=LogReader(["/nowhere"], account, lambda: None))
    assert missing.get("/live/logs").status_code == 400


def test_without_logs_an_account_says_what_to_give(open_console: Open) -> None:
    assert "--access-log" in open_console(decisions=None).get("/live").text
