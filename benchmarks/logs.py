"""`keyfront logs` beside plain DuckDB, goaccess and gzip | awk, for more and more rows. Runs only on request.

python -m benchmarks --only logs --json > logs.json                   # 1,250,000 to ten million rows
KEYFRONT_LOG_ROWS=1000000 python -m benchmarks --only logs            # fewer
python -m benchmarks.log_plot logs.json                               # draws logs.svg
"""

import gzip
import os
import shutil
import sys
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.contest import Aim, Row

_SECTION: Final = "Access logs, rows per second of CPU time"
_MEMORY: Final = "Access logs, most memory"
_DOMAIN: Final = "d111111abcdef8.cloudfront.net"
_FILES: Final = 24
_AGENTS: Final = 20

_HOUR: Final = 3600
_START: Final = 1903867200
_DOTTED: Final = bytes.maketrans(b"+/=", b"-~_")

_PLAIN_NAME: Final = "duckdb read_csv of the same columns"
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
    """Read three, six, twelve and all 24 hours of a day with each peer."""
    from keyfront.edge.observation.log_fields import FIELDS

    most = int(os.environ.get("KEYFRONT_LOG_ROWS", "10000000"))
    with TemporaryDirectory(prefix="keyfront-bench-") as name:
        day = Path(name) / "day"
        day.mkdir()
        # In a process of its own, since what this one holds would count as its children's memory.
        maker = get_context("spawn").Process(target=write_day, args=(day, most, FIELDS))
        maker.start()
        maker.join()
        yield from _rows(day, most, FIELDS)


def _rows(day: Path, most: int, fields: Sequence[str]) -> Iterator[Row]:
    for hours in (3, 6, 12, _FILES):
        folder = day.parent / f"hours-{hours}"
        folder.mkdir()
        for path in sorted(day.iterdir())[:hours]:
            os.link(path, folder / path.name)
        rows = most * hours // _FILES
        plain = _measured(_plain(folder, fields))
        against = f"{_PLAIN_NAME}, {rows:,} rows"
        yield Row(_SECTION, against, "rows/s", rows / plain.cpu)
        yield Row(_MEMORY, against, "MB", plain.megabytes)
        for peer, command in _peers(folder).items():
            name = f"{peer}, {rows:,} rows"
            if not shutil.which(peer.partition(" ")[0]) and not peer.startswith("keyfront"):
                yield Row(_SECTION, name, "rows/s", missing=f"{peer} is not installed")
            elif peer != "goaccess" or hours == 3:  # goaccess would take hours for a whole day
                used = _measured(command)
                aim = Aim(0.5) if peer == "keyfront logs keys" else None
                yield Row(_SECTION, name, "rows/s", rows / used.cpu, against, plain.cpu / used.cpu, aim)
                yield Row(_MEMORY, name, "MB", used.megabytes)


def _plain(folder: Path, fields: Sequence[str]) -> list[str]:
    columns = ", ".join(f'\\"{name}\\"' for name in _READ)
    return [sys.executable, "-c", _PLAIN.format(columns=columns), str(folder), " ".join(fields)]


def _peers(folder: Path) -> dict[str, list[str]]:
    keyfront = [sys.executable, "-m", "keyfront", "logs"]
    unpacked = f"gzip -dc {folder}/*.gz"
    goaccess = f"goaccess - --log-format=CLOUDFRONT --no-progress -o {folder.parent}/report.json"
    awk = f"{_COUNT} END {{ for (i in k) print i, k[i] }}"
    return {
        "keyfront logs keys": [*keyfront, "keys", str(folder), "--json"],
        "keyfront logs summary": [*keyfront, "summary", str(folder), "--json"],
        "gzip | awk, one count": ["sh", "-c", f"{unpacked} | awk -F '\\t' '{awk}'"],
        "goaccess": ["sh", "-c", f"{unpacked} | {goaccess}"],
    }


def write_day(folder: Path, rows: int, fields: Sequence[str]) -> None:
    """Write a day of logs, a file for each hour, as CloudFront names them."""
    head = f"#Version: 1.0\n#Fields: {' '.join(fields)}\n".encode()
    for hour in range(_FILES):
        # Level 1 takes a third of the time, and the files are only a little larger.
        with gzip.open(folder / f"E1AAAAAAAAAAAA.2030-05-01-{hour:02d}.abcd0001.gz", "wb", compresslevel=1) as file:
            file.write(head)
            lines = _lines(hour, rows * hour // _FILES, rows * (hour + 1) // _FILES)
            while part := "".join(islice(lines, 1000)):
                file.write(part.encode())


def _lines(hour: int, first: int, last: int) -> Iterator[str]:
    """Yield the rows of an hour.

    Each link is requested three times, as readers fetch a book in parts. Paths are unevenly popular, a tenth of the
    viewers uses IPv6, and 2% of the requests are refused. Signatures are random, so they do not shrink.
    """
    chance = Random(hour)
    for row in range(first, last):
        if (row - first) % 3 == 0:
            signature = b64encode(chance.randbytes(256)).translate(_DOTTED).decode().replace("~", "%7E")
            query = (
                f"Expires={_START + chance.randrange(86400)}&Signature={signature}&Key-Pair-Id=K{row % 2}JCJMDEHXQW5F"
            )
            path = f"/books/{int(2000 * chance.random() ** 3)}.epub"
            net = f"{chance.randrange(250)}"
            viewer = f"10.{net}.{row % 250}" if chance.random() < 0.9 else f"2001:db8:{net}:"
            agent = f"Mozilla/5.0%20(X11;%20Linux%20x86_64)%20Kind/{chance.randrange(_AGENTS)}"
            referrer = "-" if chance.random() < 0.25 else "https://shop.example/orders"
        address = f"{viewer}{':' if ':' in viewer else '.'}{chance.randrange(100)}"
        second = _HOUR * (row - first) // (last - first)
        status, result = ("403", "Error") if chance.random() < 0.02 else ("206", "Hit")
        size = chance.randrange(1000, 5000000)
        time = f"{hour:02d}:{second // 60:02d}:{second % 60:02d}"
        yield (
            f"2030-05-01\t{time}\tFRA56-P1\t{size}\t{address}\tGET\t{_DOMAIN}\t{path}\t{status}\t{referrer}\t{agent}\t"
            f"{query}\t-\t{result}\tid\t{_DOMAIN}\thttps\t420\t0.120\t-\tTLSv1.3\tTLS_AES_128_GCM_SHA256\tHit\t"
            "HTTP/2.0\t-\t-\t51234\t0.010\tHit\tapplication/epub+zip\t123456\t-\t-\n"
        )


def _measured(command: Sequence[str]) -> _Used:
    """Run a command, and return its CPU time with that of its children, and the most memory of one of them."""
    process = os.posix_spawnp(
        command[0], list(command), os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    )
    _, status, usage = os.wait4(process, 0)
    if status:
        raise RuntimeError(f"{command[0]} failed: {command[-1][:200]}")
    return _Used(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
