"""`keyfront logs` beside plain DuckDB, goaccess and gzip | awk, for more and more rows. Runs only on request.

python -m benchmarks --only logs             # 250,000 to a million rows
KEYFRONT_LOG_ROWS=10000000 python -m benchmarks --only logs
"""

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.contest import Aim, Row

_SECTION: Final = "Access logs, rows per second of CPU time"
_MEMORY: Final = "Access logs, most memory"
_DOMAIN: Final = "d111111abcdef8.cloudfront.net"
_FILES: Final = 24
_AGENTS: Final = 20

_LINES: Final = """
SELECT concat_ws(chr(9),
  '2030-05-01', strftime(TIMESTAMP '2030-05-01' + to_seconds(CAST(floor(i * 86400.0 / {rows}) AS BIGINT)), '%H:%M:%S'),
  'FRA56-P1', CAST(1000 + hash(i) % 5000000 AS BIGINT),
  '10.' || (hash(link) % 250) || '.' || (hash(link * 7) % 250) || '.' || (hash(i) % 100),
  'GET', '{domain}', '/books/' || CAST(floor(2000 * pow((hash(link * 3) % 10000) / 10000.0, 3)) AS INTEGER) || '.epub',
  CASE WHEN hash(i * 11) % 50 = 0 THEN '403' ELSE '206' END,
  CASE WHEN hash(link * 5) % 4 = 0 THEN '-' ELSE 'https://shop.example/orders' END,
  'Mozilla/5.0%20(X11;%20Linux%20x86_64)%20Kind/' || (hash(link * 13) % {agents}),
  'Expires=' || (1903867200 + link % 86400) || '&Signature=' || replace(replace(replace(to_base64(unhex(
    sha256(link || 'a') || sha256(link || 'b') || sha256(link || 'c') || sha256(link || 'd')
    || sha256(link || 'e') || sha256(link || 'f') || sha256(link || 'g') || sha256(link || 'h'))),
    '+', '-'), '/', '%7E'), '=', '_') || '&Key-Pair-Id=K' || (link % 3) || 'JCJMDEHXQW5F',
  '-', CASE WHEN hash(i * 11) % 50 = 0 THEN 'Error' ELSE 'Hit' END, 'id', '{domain}', 'https', '420', '0.120', '-',
  'TLSv1.3', 'TLS_AES_128_GCM_SHA256', 'Hit', 'HTTP/2.0', '-', '-', '51234', '0.010', 'Hit', 'application/epub+zip',
  '123456', '-', '-')
FROM (SELECT i, i // 3 AS link FROM range({first}, {last}) AS t(i))
"""
"""Each link is requested three times, as readers fetch a book in parts. Paths are unevenly popular, 2% are refused."""

_PLAIN: Final = """
import sys, duckdb
names = sys.argv[2].split()
columns = {{name: "VARCHAR" for name in names}}
connection = duckdb.connect()
connection.execute("SET memory_limit = '512MB'")
connection.execute(
    "CREATE TEMP TABLE t AS SELECT {columns} FROM read_csv(?, delim='\\t', quote='', escape='', header=false, skip=2, "
    "nullstr='-', auto_detect=false, columns=" + repr(columns) + ")", [sys.argv[1] + "/*.gz"])
"""
_COUNT: Final = "match($12, /Key-Pair-Id=[A-Z0-9]+/) { k[substr($12, RSTART + 12, RLENGTH - 12)]++ }"
_READ: Final = (
    *("date", "time", "cs(Host)", "cs-uri-stem", "sc-status", "sc-bytes", "cs-uri-query", "cs(Cookie)"),
    "x-edge-result-type",
)
"""The fields that `keyfront logs keys` needs."""


@dataclass(frozen=True)
class _Used:
    cpu: float
    megabytes: float


def run(_seconds: float, _rounds: int) -> Iterator[Row]:
    """Read logs of several sizes with each peer."""
    from keyfront.edge.observation.log_fields import FIELDS

    most = int(os.environ.get("KEYFRONT_LOG_ROWS", "1000000"))
    for rows in (most // 4, most // 2, most):
        with TemporaryDirectory(prefix="keyfront-bench-") as name:
            folder = Path(name)
            # In a process of its own, since what this one holds would count as its children's memory.
            maker = get_context("spawn").Process(target=_make, args=(folder, rows, FIELDS))
            maker.start()
            maker.join()
            yield from _rows(folder, rows, FIELDS)


def _rows(folder: Path, rows: int, fields: Sequence[str]) -> Iterator[Row]:
    python, logs = sys.executable, str(folder)
    keyfront = [python, "-m", "keyfront", "logs"]
    columns = ", ".join(f'"{name}"' for name in _READ)
    awk = f"{_COUNT} END {{ for (i in k) print i, k[i] }}"
    plain = _measured([python, "-c", _PLAIN.format(columns=columns.replace('"', '\\"')), logs, " ".join(fields)])
    name = f"duckdb read_csv of the same columns, {rows:,} rows"
    yield Row(_SECTION, name, "rows/s", rows / plain.cpu)
    yield Row(_MEMORY, name, "MB", plain.megabytes)
    for question, aim in (("keys", Aim(0.5)), ("summary", None)):
        used = _measured([*keyfront, question, logs, "--json"])
        told = f"keyfront logs {question}, {rows:,} rows"
        yield Row(_SECTION, told, "rows/s", rows / used.cpu, name, plain.cpu / used.cpu, aim)
        yield Row(_MEMORY, told, "MB", used.megabytes)
    used = _measured(["sh", "-c", f"gzip -dc {logs}/*.gz | awk -F '\\t' '{awk}'"])
    yield Row(_SECTION, f"gzip | awk, one count, {rows:,} rows", "rows/s", rows / used.cpu, name, plain.cpu / used.cpu)
    if not shutil.which("goaccess"):
        yield Row(_SECTION, f"goaccess, {rows:,} rows", "rows/s", missing="goaccess is not installed")
        return
    command = f"gzip -dc {logs}/*.gz | goaccess - --log-format=CLOUDFRONT --no-progress -o {logs}/report.json"
    used = _measured(["sh", "-c", command])
    yield Row(_SECTION, f"goaccess, {rows:,} rows", "rows/s", rows / used.cpu, name, plain.cpu / used.cpu)
    yield Row(_MEMORY, f"goaccess, {rows:,} rows", "MB", used.megabytes)


def _make(folder: Path, rows: int, fields: Sequence[str]) -> None:
    import gzip

    import duckdb

    head = gzip.compress(f"#Version: 1.0\n#Fields: {' '.join(fields)}\n".encode())
    connection = duckdb.connect()
    connection.execute("SET enable_progress_bar = false")
    for number in range(_FILES):
        first, last = rows * number // _FILES, rows * (number + 1) // _FILES
        query = _LINES.format(rows=rows, domain=_DOMAIN, agents=_AGENTS, first=first, last=last)
        body = folder / "body"
        options = "FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\x01', COMPRESSION gzip"
        connection.execute(f"COPY ({query}) TO '{body}' ({options})")
        # Two gzip files in a row are one.
        path = folder / f"E1AAAAAAAAAAAA.2030-05-01-{number:02d}.abcd0001.gz"
        with path.open("wb") as file, body.open("rb") as rest:
            file.write(head)
            shutil.copyfileobj(rest, file)
        body.unlink()


def _measured(command: Sequence[str]) -> _Used:
    """Run a command, and return its CPU time with that of its children, and the most memory of one of them."""
    process = os.posix_spawnp(
        command[0], list(command), os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    )
    _, status, usage = os.wait4(process, 0)
    if status:
        raise RuntimeError(f"{command[0]} failed: {command[-1][:200]}")
    return _Used(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
