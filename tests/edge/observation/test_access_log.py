"""Access logs in CloudFront's standard format, from requests that a real edge answered."""

from __future__ import annotations

import gzip
import hashlib
import logging
import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from tests.waiting import wait_until

from keyfront.account.logs.analysis import Options, read_logs
from keyfront.edge.observation.access_log import AccessLog
from keyfront.edge.observation.log_fields import FIELDS
from keyfront.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.edge.conftest import Laid, Lay

    from keyfront.edge.observation.record import Record


class Counter:
    """Knows how many requests have ended."""

    def __init__(self) -> None:
        self.ended = 0

    def observe(self, _: object) -> None:
        self.ended += 1

    def close(self) -> None:
        """Nothing is held."""


class Logged:
    """An edge whose access logs go to a folder."""

    def __init__(self, laid: Laid, log: AccessLog, counter: Counter, folder: Path) -> None:
        self.laid, self.log, self._counter, self.folder = laid, log, counter, folder

    def wait(self, ended: int) -> None:
        """Until so many requests have ended."""
        wait_until(lambda: self._counter.ended >= ended)

    def lines(self, after: int = 1) -> list[dict[str, str]]:
        """Close the log once so many requests have ended, and read what is there."""
        self.wait(after)
        self.log.close()
        rows = []
        for path in sorted(self.folder.glob("*.gz")):
            version, fields, *lines = gzip.decompress(path.read_bytes()).decode("ascii").splitlines()
            assert version == "#Version: 1.0"
            assert fields == "#Fields: " + " ".join(FIELDS)
            rows += [dict(zip(FIELDS, line.split("\t"), strict=True)) for line in lines]
        return rows


@pytest.fixture
def logged(lay: Lay, tmp_path: Path) -> Iterator[Callable[..., Logged]]:
    made: list[Logged] = []

    def make(**options: Any) -> Logged:
        log = AccessLog(tmp_path / "logs", domain_name=lambda name: f"{name.lower()}.example", **options)
        counter = Counter()
        laid = lay(observers=[log, counter])
        laid.origin.answer(
            "/film%201.mp4", b"0123456789", headers={"Cache-Control": "max-age=60", "Content-Type": "video/mp4"}
        )
        laid.serve(laid.behavior(trusted_key_groups=("g1",)))
        made.append(Logged(laid, log, counter, tmp_path / "logs"))
        return made[-1]

    yield make
    for each in made:
        each.log.close()


def test_there_are_33_fields_in_the_standard_order() -> None:
    assert len(FIELDS) == 33
    assert FIELDS[:5] == ("date", "time", "x-edge-location", "sc-bytes", "c-ip")
    assert FIELDS[-1] == "sc-range-end"


def test_a_download_is_one_line(logged: Callable[..., Logged]) -> None:
    made = logged()
    reply = made.laid.viewer.get(
        made.laid.signed("/film%201.mp4?a=b%20c"),
        headers={"User-Agent": "A browser\t(x)", "Referer": "https://shop.example/?q=1"},
    )
    (row,) = made.lines()
    assert (row["cs-method"], row["sc-status"], row["cs-protocol"]) == ("GET", "200", "http")
    assert row["cs(Host)"] == "e1.example"
    assert row["x-host-header"] == "d1.cloudfront.localhost"
    assert row["cs-uri-stem"] == "/film%25201.mp4"
    assert row["cs(User-Agent)"] == "A%20browser%09(x)"
    assert row["cs(Referer)"] == "https://shop.example/?q=1"
    assert (row["x-edge-result-type"], row["x-edge-response-result-type"]) == ("Miss", "Miss")
    assert row["x-edge-request-id"] == reply.headers["x-amz-cf-id"]
    assert row["sc-content-type"] == "video/mp4"
    assert row["sc-content-len"] == "10"
    assert int(row["sc-bytes"]) > 10
    assert int(row["cs-bytes"]) > 100
    assert row["cs-protocol-version"] == "HTTP/1.1"
    assert 0 <= float(row["time-to-first-byte"]) <= float(row["time-taken"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", row["date"])
    assert re.fullmatch(r"\d\d:\d\d:\d\d", row["time"])
    assert int(row["c-port"]) > 0
    assert row["ssl-protocol"] == row["cs(Cookie)"] == row["sc-range-start"] == "-"


def test_nobody_can_use_a_link_out_of_it(logged: Callable[..., Logged]) -> None:
    made = logged(include_cookies=lambda _: True)
    target = made.laid.signed("/film%201.mp4?page=2")
    made.laid.viewer.get(target, headers={"Cookie": "a=1; CloudFront-Signature=secret~; b=2"})
    (row,) = made.lines()
    assert re.fullmatch(r"page=2&Expires=\d+&Signature=hidden-[0-9a-f]{16}&Key-Pair-Id=K1", row["cs-uri-query"])
    assert re.fullmatch(r"a=1;%20CloudFront-Signature=hidden-[0-9a-f]{16};%20b=2", row["cs(Cookie)"])


def test_keyfront_logs_knows_a_signature_again_and_why_a_request_was_refused(logged: Callable[..., Logged]) -> None:
    made = logged(include_cookies=lambda _: True)
    target = made.laid.signed("/film%201.mp4?page=2")
    signature = re.search(r"Signature=([^&]+)", target)
    assert signature is not None
    made.laid.viewer.get(target)
    made.laid.viewer.get(target)
    made.laid.viewer.get("/film%201.mp4")
    made.wait(3)
    made.log.close()
    with read_logs([str(made.folder)], "summary", Options(), now=0) as logs:
        assert (logs.count.rows, logs.count.broken) == (3, 0)
        ((link, requests),) = logs.rows("SELECT link, sum(requests) FROM visits GROUP BY link", [])
        assert [(each.id, each.requests) for each in logs.reasons] == [("not-signed", 1)]
        assert [(use.key_pair_id, use.allowed) for use in logs.key_uses] == [("K1", 2)]
    assert link == hashlib.sha256(signature[1][-64:].encode()).hexdigest()[:16]
    assert requests == 2


def test_a_range_has_its_ends(logged: Callable[..., Logged]) -> None:
    made = logged()
    target = made.laid.signed("/film%201.mp4")
    made.laid.viewer.get(target)
    made.wait(1)  # a viewer may have its answer before the edge has done with it
    made.laid.viewer.get(target, headers={"Range": "bytes=2-5"})
    row = made.lines(2)[1]
    assert (row["sc-status"], row["sc-range-start"], row["sc-range-end"]) == ("206", "2", "5")
    assert row["x-edge-result-type"] == "Hit"


def test_a_refusal_is_an_error(logged: Callable[..., Logged]) -> None:
    made = logged()
    made.laid.viewer.get("/film%201.mp4")
    (row,) = made.lines()
    assert (row["sc-status"], row["x-edge-result-type"], row["x-edge-detailed-result-type"]) == (
        "403",
        "Error",
        "Error",
    )


def test_a_host_that_nobody_has_is_in_nobodys_log(logged: Callable[..., Logged]) -> None:
    made = logged()
    made.laid.viewer.get("/film%201.mp4", host="elsewhere.example")
    assert made.lines() == []


def test_a_full_file_is_compressed_and_the_next_begun(logged: Callable[..., Logged]) -> None:
    made = logged(max_bytes=600)
    for _ in range(5):
        made.laid.viewer.get("/film%201.mp4")
    assert len(made.lines(5)) == 5
    names = sorted(path.name for path in made.folder.iterdir())
    assert len(names) > 1
    assert all(re.fullmatch(r"E1\.\d{4}-\d\d-\d\d-\d\d\.[0-9a-f]{8}\.gz", name) for name in names)


def test_a_folder_that_is_none_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="access logs cannot be written to"):
        AccessLog(tmp_path / "file", domain_name=str)


@pytest.fixture
def record(logged: Callable[..., Logged]) -> Record:
    """What a real edge says of a request that it answered."""
    seen: list[Record] = []
    made = logged()
    made.log.observe = seen.append  # type: ignore[method-assign, assignment]
    made.laid.viewer.get(made.laid.signed("/film%201.mp4"))
    made.wait(1)
    return seen[0]


def _records(record: Record, log: AccessLog, numbers: range) -> None:
    """Observe a record for each number, which is its time taken."""
    for number in numbers:
        log.observe(record._replace(taken=float(number)))


def _numbers(folder: Path) -> list[int]:
    """Of the records that are in the folder's files; every line is whole."""
    rows = [
        line.split("\t")
        for path in folder.glob("E1.*")
        for line in (gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes())
        .decode("ascii")
        .splitlines()
        if not line.startswith("#")
    ]
    assert all(len(row) == len(FIELDS) for row in rows)
    return sorted(int(float(row[FIELDS.index("time-taken")])) for row in rows)


def test_a_full_disk_stops_nobody_cuts_no_line_and_is_said_once_each_way(
    small_disk: Callable[[int], Any],
    record: Record,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("keyfront.edge.observation.access_log._FLUSH_SECONDS", -1.0)
    monkeypatch.setattr("keyfront.edge.observation.access_log._MOST_WAITING", 20_000)
    disk = small_disk(64)
    log = AccessLog(disk.path, domain_name=str)
    with caplog.at_level(logging.WARNING, "keyfront"):
        _records(record, log, range(3))
        disk.fill()
        _records(record, log, range(3, 100))  # more than what is left of the file's last page, and than may wait
        (file,) = disk.path.glob("E1.*")
        assert file.read_bytes().endswith(b"\n")
        written = _numbers(disk.path)
        assert written == list(range(len(written)))
        assert [record.levelname for record in caplog.records] == ["ERROR"]
        assert "No space left on device" in caplog.text
        disk.empty()
        _records(record, log, range(100, 102))
        assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
        kept = _numbers(disk.path)
        assert f"{102 - len(kept)} lines were lost" in caplog.text
        assert {0, 1, 2, 3, 4, 101} <= set(kept)
        log.close()
        assert _numbers(disk.path) == kept
    assert len(caplog.records) == 2


def test_a_stop_on_a_full_disk_says_what_is_lost(
    small_disk: Callable[[int], Any],
    record: Record,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("keyfront.edge.observation.access_log._FLUSH_SECONDS", 3600.0)
    disk = small_disk(64)
    log = AccessLog(disk.path, domain_name=str)
    _records(record, log, range(1))
    disk.fill()
    with caplog.at_level(logging.WARNING, "keyfront"):
        _records(record, log, range(1, 31))
        log.close()
    assert "30 lines of access logs could not be written" in caplog.text


def test_a_folder_that_was_taken_away_and_comes_back(
    tmp_path: Path, record: Record, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keyfront.edge.observation.access_log._FLUSH_SECONDS", -1.0)
    folder = tmp_path / "logs"
    log = AccessLog(folder, domain_name=str)
    with caplog.at_level(logging.WARNING, "keyfront"):
        _records(record, log, range(2))
        shutil.rmtree(folder)
        _records(record, log, range(2, 5))
        folder.mkdir()
        _records(record, log, range(5, 7))
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
    assert _numbers(folder) == [2, 3, 4, 5, 6]
    log.close()
    assert _numbers(folder) == [2, 3, 4, 5, 6]
