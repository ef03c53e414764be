"""Reading: every format, broken rows, files that are cut off or bombs, and pruning by names."""

import gzip
import hashlib
import json
import threading
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.account.logs.days import AGENT, DISTRIBUTION, DOMAIN, ID, NOON, Log, sign

from keyfront.account.logs import loading, reading
from keyfront.account.logs.analysis import Options, read_logs
from keyfront.account.logs.engine import opened
from keyfront.account.logs.files import wanted
from keyfront.account.logs.formats import column, named_fields
from keyfront.account.logs.values import Count, Window
from keyfront.edge.observation.log_fields import FIELDS
from keyfront.errors import InputError

HOUR = 3600


def three() -> Log:
    log = Log()
    for each in range(3):
        log.add(sign("/a/b.epub", NOON + HOUR), NOON + each, size=100)
    return log


def keys_of(*sources: Path, options: Options | None = None) -> tuple[list[tuple[str, str, int, int]], Count]:
    with read_logs([str(each) for each in sources], "keys", options or Options(), now=NOON) as logs:
        return [(use.key_pair_id, use.distribution, use.requests, use.bytes) for use in logs.key_uses], logs.count


def cells(log: Log) -> list[dict[str, str]]:
    return [dict(zip(FIELDS, row.rstrip("\n").split("\t"), strict=True)) for row in log.rows]


def test_every_format_gives_the_same(tmp_path: Path) -> None:
    log = three()
    log.write(tmp_path / "legacy")
    rows = cells(log)
    chosen = [name for name in FIELDS if name not in ("x-edge-location", "c-port")]
    w3c = "#Version: 1.0\n#Fields: " + " ".join(chosen) + "\n"
    w3c += "".join("\t".join(row[name] for name in chosen) + "\n" for row in rows)
    (tmp_path / f"{DISTRIBUTION}.2030-05-01-12.w3c").write_text(w3c)
    lines = "".join(json.dumps(row | {"DistributionId": DISTRIBUTION}) + "\n" for row in rows)
    (tmp_path / "log.json.gz").write_bytes(gzip.compress(lines.encode()))
    columns = ", ".join(f'? AS "{column(name)}"' for name in FIELDS)
    query = " UNION ALL ".join([f"SELECT {columns}, '{DISTRIBUTION}' AS distributionid"] * 3)
    connection = duckdb.connect()
    connection.execute(
        f"COPY ({query}) TO '{tmp_path / 'log.parquet'}' (FORMAT parquet)", [v for row in rows for v in row.values()]
    )
    expected = [(ID, DISTRIBUTION, 3, 300)]
    for source in (
        tmp_path / "legacy",
        tmp_path / f"{DISTRIBUTION}.2030-05-01-12.w3c",
        tmp_path / "log.json.gz",
        tmp_path / "log.parquet",
    ):
        found, count = keys_of(source)
        assert found == expected
        assert (count.rows, count.broken, count.unread) == (3, 0, [])
    # All of them at once: files of different shapes are read one after the other.
    found, count = keys_of(tmp_path)
    assert found == [(ID, DISTRIBUTION, 12, 1200)]
    assert count.files == 4


@pytest.mark.parametrize("variable", ["DistributionId", "distributionid"])
def test_hive_compatible_folders_name_the_distribution_and_the_time(tmp_path: Path, variable: str) -> None:
    log = three()
    for row in log.rows[:]:
        log.rows.append(row.replace(DOMAIN, "-"))
    for folder in ("2030/month=05/day=01/hour=12", "2030/month=03/day=01/hour=12"):
        log.write(tmp_path / f"{variable}={DISTRIBUTION}/year={folder}", "a.gz")
    found, count = keys_of(tmp_path, options=Options(Window(NOON)))
    assert found == [(ID, DISTRIBUTION, 6, 600)]
    assert (count.files, count.skipped_files) == (1, 1)


def test_real_time_logs_have_the_fields_that_they_are_given(tmp_path: Path) -> None:
    url = sign("/a/b.epub", NOON + HOUR)
    path, query = url.partition(DOMAIN)[2].split("?")
    row = [f"{NOON}.123", "192.0.2.1", "200", "100", "shop.example", DOMAIN, f"{path}?{query}", "GET"]
    (tmp_path / "records").write_text("\t".join(row) + "\n" + "\t".join(row[:-1]) + "\n")
    with pytest.raises(InputError, match=r"has no #Fields line.*--fields"):
        keys_of(tmp_path)
    fields = named_fields("timestamp,c-ip,sc-status,sc-bytes,cs-host,x-host-header,cs-uri-stem,cs-method")
    found, count = keys_of(tmp_path, options=Options(fields=fields))
    assert found == [(ID, DOMAIN, 1, 100)]
    assert (count.rows, count.broken) == (1, 1)
    for wrong, told in (("a b", "not the name of a field"), ("timestamp", "sc-status"), ("sc-status", "no time")):
        with pytest.raises(InputError, match=f"--fields: .*{told}"):
            named_fields(wrong)


def test_a_har_is_a_log_too(tmp_path: Path) -> None:
    entry = {
        "startedDateTime": "2030-05-01T12:00:00Z",
        "request": {
            "method": "GET",
            "url": sign("/a/b.epub", NOON + HOUR),
            "headers": [{"name": "Cookie", "value": "a=1"}],
        },
        "response": {"status": 200, "headers": [], "content": {"text": "12345"}},
    }
    (tmp_path / "saved.har").write_text(json.dumps({"log": {"entries": [entry]}}))
    assert keys_of(tmp_path)[0] == [(ID, DOMAIN, 1, 5)]
    (tmp_path / "saved.har").write_text('{"log": {"entries": [{"request": 1}]}}')
    with pytest.raises(InputError, match="not a HAR file"):
        keys_of(tmp_path)


def test_broken_rows_are_counted_and_shown_and_cost_nothing_else(tmp_path: Path) -> None:
    log = three()
    log.rows[1:1] = ["2030-05-01\t12:00\n", log.rows[0].rstrip("\n") + "\tmore\n", "é\x01é\n", "x" * 400_000 + "\n"]
    log.rows.append(log.rows[0].replace("12:00:00", "25:00:00"))
    path = log.write(tmp_path)
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()) + b"\xff\xfe\n"))
    found, count = keys_of(tmp_path)
    assert found == [(ID, DISTRIBUTION, 3, 300)]
    assert (count.rows, count.broken) == (3, 6)
    samples = " ".join(text for _, text in count.samples)
    assert "columns" in samples
    assert "Signature" not in samples
    assert "192.0.2.10" not in samples


def test_a_file_that_ends_too_early_counts_up_to_there(tmp_path: Path) -> None:
    log = Log()
    url = sign("/a/1", NOON + HOUR)
    for each in range(3000):
        # Other signatures each time, as in a real log: they do not shrink.
        log.add(url.replace("Signature=", f"Signature={hashlib.sha512(bytes(each)).hexdigest()}"), NOON + each)
    path = log.write(tmp_path)
    good = path.read_bytes()
    path.write_bytes(good[: len(good) // 2])
    three().write(tmp_path, f"{DISTRIBUTION}.2030-05-01-13.whole.gz")
    found, count = keys_of(tmp_path)
    assert count.cut == [path.name]
    assert 500 < count.rows < 3003
    assert count.broken == 0
    assert found[0][2] == count.rows
    # Two gzip files in one are a whole file.
    path.write_bytes(good + good)
    assert keys_of(path)[1].rows == 6000


def test_what_is_no_log_is_named_and_not_read(tmp_path: Path) -> None:
    three().write(tmp_path)
    (tmp_path / "bomb.gz").write_bytes(gzip.compress(b"\0" * 40_000_000))
    (tmp_path / "notes.txt").write_text("bananas\n")
    (tmp_path / "empty").write_text("")
    (tmp_path / "fake.parquet").write_bytes(b"PAR1 and nothing else")
    (tmp_path / "short").write_text("#Fields: date time\n1\t2\n")
    found, count = keys_of(tmp_path)
    assert found == [(ID, DISTRIBUTION, 3, 300)]
    reasons = dict(count.unread)
    assert sorted(reasons) == ["bomb.gz", "empty", "fake.parquet", "notes.txt", "short"]
    assert "250 times its size" in reasons["bomb.gz"]
    assert "sc-status" in reasons["short"]
    with pytest.raises(InputError, match="none of the 1 files"):
        keys_of(tmp_path / "notes.txt")
    with pytest.raises(InputError, match="neither a file nor a folder"):
        keys_of(tmp_path / "missing")


@pytest.mark.parametrize("cut", [False, True])
def test_a_bomb_behind_good_rows_is_stopped(tmp_path: Path, *, cut: bool) -> None:
    three().write(tmp_path)
    log = Log()
    for each in range(600):
        signature = hashlib.sha512(bytes(each)).hexdigest()
        log.add(f"{sign('/a/b.epub', NOON + HOUR)}{signature}", NOON + each)
    bomb = log.write(tmp_path, f"{DISTRIBUTION}.2030-05-01-13.bomb.gz")
    packed = gzip.compress(b"a\n" * 2**20, 9)
    bomb.write_bytes(bomb.read_bytes() + (packed[: len(packed) // 2] if cut else packed))
    found, count = keys_of(tmp_path)
    assert found == [(ID, DISTRIBUTION, 3, 300)]
    ((name, reason),) = count.unread
    assert name == bomb.name
    assert "rows, which no log of its size has" in reason
    assert count.broken == 0


@pytest.mark.parametrize(("length", "compressed"), [(3_000_000, True), (40_000_000, False)])
def test_a_very_long_line_is_counted_and_costs_no_other_row(tmp_path: Path, length: int, compressed: bool) -> None:
    log = three()
    log.rows[1:1] = ["x" * length + "\n", "\t" * 300_000 + "\n"]
    path = log.write(tmp_path)
    if not compressed:
        path.write_bytes(gzip.decompress(path.read_bytes()))
    found, count = keys_of(tmp_path)
    assert found == [(ID, DISTRIBUTION, 3, 300)]
    assert (count.rows, count.broken, count.unread, count.cut) == (3, 2, [], [])
    assert (path.name, "(longer than 256 KiB)") in count.samples


def test_a_line_that_fills_the_memory_is_counted_too(tmp_path: Path) -> None:
    log = three()
    plain = tmp_path / f"{DISTRIBUTION}.2030-05-01-12.plain"
    plain.write_bytes(gzip.decompress(log.write(tmp_path).read_bytes()) + b"x" * 140_000_000)
    found, count = keys_of(plain, options=Options(memory="128MB"))
    assert found == [(ID, DISTRIBUTION, 3, 300)]
    assert (count.rows, count.broken, count.unread, count.cut) == (3, 1, [], [])


def test_a_file_with_very_many_lines_that_are_not_text_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (loading, reading):
        monkeypatch.setattr(module, "MOST_REJECTED", 1000)
    three().write(tmp_path)
    bad = three().write(tmp_path, f"{DISTRIBUTION}.2030-05-01-13.x.gz")
    bad.write_bytes(gzip.compress(gzip.decompress(bad.read_bytes()) + b"\xff\n" * 1000))
    found, count = keys_of(tmp_path)
    assert found == [(ID, DISTRIBUTION, 3, 300)]
    assert count.unread == [(bad.name, "it has 1,000 lines or more that are too long or not UTF-8")]
    assert count.broken == 0


def test_only_the_wanted_time_counts_and_other_files_are_not_opened(tmp_path: Path) -> None:
    three().write(tmp_path)
    (tmp_path / f"{DISTRIBUTION}.2030-04-01-12.x.gz").write_bytes(b"would be an error")
    _, count = keys_of(tmp_path, options=Options(Window(NOON + 1, NOON + 2)))
    assert (count.rows, count.files, count.skipped_files, count.unread) == (1, 1, 1, [])
    with pytest.raises(InputError, match="no file of this time: 2 were left out"):
        keys_of(tmp_path, options=Options(Window(NOON + 90 * 86400)))


@pytest.mark.parametrize(
    ("name", "since", "until", "kept"),
    [
        ("E1.2030-05-01-12.x.gz", NOON - 60, None, True),
        ("E1.2030-05-01-12.x.gz", NOON + 3 * HOUR, None, False),
        ("E1.2030-05-01-12.x.gz", None, NOON - 2 * HOUR, False),
        ("a/E1/year=2030/month=5/day=1/hour=12/f.parquet", None, NOON - 25 * HOUR, False),
        ("a/E1/year=2030/month=05/day=01/hour=12/f.parquet", NOON + 3 * HOUR, None, False),
        # Delivered a day later at most.
        ("a/E1/2030/05/01/12/f.gz", None, NOON - 20 * HOUR, True),
        ("a/E1/2030/05/01/f.gz", NOON + 30 * HOUR, None, False),
        ("a/2030/99/01/f.gz", NOON, None, True),
        ("whatever.gz", NOON, NOON + 1, True),
    ],
)
def test_files_are_left_out_by_their_names(name: str, since: int | None, until: int | None, kept: bool) -> None:
    assert wanted(name, Window(since, until)) is kept


@given(st.integers(0, 2 * 10**9), st.integers(0, 10**6))
def test_no_wanted_request_is_left_out(at: int, late: int) -> None:
    from datetime import UTC, datetime

    hour = datetime.fromtimestamp(at, UTC)
    assert wanted(f"E1.{hour:%Y-%m-%d-%H}.x.gz", Window(at, at + 1))
    delivered = datetime.fromtimestamp(at + late % (24 * HOUR), UTC)
    assert wanted(f"E1/{delivered:%Y/%m/%d/%H}/x.gz" if at > 10**9 else "x", Window(at, at + 1))


def test_ctrl_c_keeps_what_was_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for hour in (10, 11, 12):
        three().write(tmp_path, f"{DISTRIBUTION}.2030-05-01-{hour}.x.gz")
    monkeypatch.setattr(loading, "PART_FILES", 1)
    seen: list[int] = []

    def progress(told: object) -> None:
        seen.append(1)
        if len(seen) == 2:
            raise KeyboardInterrupt

    with read_logs([str(tmp_path)], "keys", Options(), now=NOON, progress=progress) as logs:
        assert logs.count.stopped
        assert logs.key_uses[0].requests == 6


def test_viewers_and_signatures_are_not_stored(tmp_path: Path) -> None:
    log = three()
    log.add(sign("/a/b.epub", NOON + HOUR) + "x", NOON, 403, ip="198.51.100.77")
    log.write(tmp_path)
    with read_logs([str(tmp_path)], "summary", Options(), now=NOON) as logs:
        stored = logs.rows("SELECT * FROM requests WHERE NOT maybe_refused", [])
        assert not any("192.0.2.10" in str(row) or "Signature" in str(row) for row in stored)
        told = repr((logs.reasons, logs.sharing, logs.key_verdicts))
        assert "198.51.100.77" not in told
        assert "198.51.100.0/24" in told
    with read_logs([str(tmp_path)], "refused", Options(full_addresses=True), now=NOON) as logs:
        assert logs.reasons[0].from_networks[0].value == "198.51.100.77"
        assert AGENT in repr(logs.reasons[0].agents)


def test_an_interrupted_query_is_a_ctrl_c() -> None:
    done = threading.Event()
    with opened() as engine:

        def interrupt() -> None:
            while not done.wait(0.01):
                engine.connection.interrupt()

        thread = threading.Thread(target=interrupt)
        thread.start()
        try:
            with pytest.raises(KeyboardInterrupt):
                engine.rows("SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b")
        finally:
            done.set()
            thread.join()
