# mypy: disable-error-code="import-untyped"
"""Rows per second and memory of `keyfront sign-table`, Parquet to Parquet with ECDSA on all cores."""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event

import pyarrow as pa
import pyarrow.parquet

from benchmarks.contest import Aim, Peer, PeerError, Result, Row, race, rows
from benchmarks.signing import KEY_PAIR_ID, URL
from keyfront import SigningKey
from keyfront.integrations.tables.pool import cores

_RAW = "raw cryptography, a process a core"
_OURS = "keyfront sign-table"
_A_SECOND = 100_000
"""Rows of the table for each second of a peer's working time."""
_TURNS = 2
_LIMIT_MB = 300.0
_READINGS = 0.02
_ROOT = Path(__file__).parent.parent
# The program of a raw peer's process: the raw signature of `benchmarks.signing`, until the same moment for all.
_LOOP = """
import json, sys, time
from benchmarks.signing import _raw
from keyfront import SigningKey
sign, count = _raw(SigningKey.load(json.loads(sys.stdin.readline()))), 0
print("ready", flush=True)
until, begun = float(sys.stdin.readline()), time.process_time()
while time.time() < until:
    sign()
    count += 1
print(count, time.process_time() - begun)
"""


def run(seconds: float, rounds: int) -> Iterator[Row]:
    """Measure a table of 100,000 rows for each of `seconds`."""
    yield from _measured(max(1, int(seconds * _A_SECOND)), seconds, min(rounds, _TURNS))


def run_million(seconds: float, _rounds: int) -> Iterator[Row]:
    """Measure a table of a million rows, once."""
    yield from _measured(1_000_000, seconds, 1)


def _measured(count: int, seconds: float, turns: int) -> Iterator[Row]:
    key = SigningKey.generate("ecdsa")
    cpu: dict[str, list[float]] = {_RAW: [], _OURS: []}
    peaks: list[float] = []
    with TemporaryDirectory(prefix="keyfront-bench-") as name:
        folder = Path(name)
        key.write(folder)
        _write(folder / "in.parquet", count)

        def raw(_: float) -> float:
            signatures, spent, of_cpu = _raw(key, max(0.2, seconds / turns))
            cpu[_RAW].append(signatures / of_cpu)
            return signatures / spent

        def table(_: float) -> float:
            spent, of_cpu, peak = _sign(folder)
            cpu[_OURS].append(count / of_cpu)
            peaks.append(peak)
            return count / spent

        peers = [Peer(_RAW, raw, turns=turns), Peer(_OURS, table, turns=turns)]
        results = race(peers, seconds, turns)
    section = f"Tables, ECDSA P-256, {count:,} rows, Parquet to Parquet, {cores()} cores"
    yield from rows(section, "/s", results, against=_RAW)
    by_cpu = [Result(each.peer, cpu[each.peer.name]) for each in results]
    yield from rows(section, "/s of CPU", by_cpu, against=_RAW)
    most = max(peaks, default=0.0)
    if most:
        aim = Aim(_LIMIT_MB, "figure", at_most=True)
        yield Row(section, f"{_OURS}, most memory of all its processes", "MB", most, aim=aim)


def _write(path: Path, count: int) -> None:
    schema = pa.schema([("id", pa.int64()), ("url", pa.string())])
    with pyarrow.parquet.ParquetWriter(path, schema) as writer:
        for start in range(0, count, _A_SECOND):
            ids = range(start, min(count, start + _A_SECOND))
            writer.write_table(pa.table({"id": list(ids), "url": [f"{URL}?copy={each}" for each in ids]}, schema))


def _sign(folder: Path) -> tuple[float, float, float]:
    """Run the command. Return its seconds, its CPU seconds, and the peak memory of its processes in MB."""
    program = str(Path(sys.executable).with_name("keyfront"))
    command = [program, "sign-table", "in.parquet", "out.parquet", "--url-column", "url", "--expires", "1h", "--force"]
    key = ["--key-id", KEY_PAIR_ID, "--private-key", "private_key.pem"]
    begun, before = time.perf_counter(), _cpu()
    with subprocess.Popen([*command, *key], cwd=folder, stderr=subprocess.PIPE, text=True) as process:
        ended = Event()
        with ThreadPoolExecutor(1) as pool:
            watching = pool.submit(_most, process.pid, ended)
            told = process.communicate()[1]
            spent = time.perf_counter() - begun
            ended.set()
            peak = watching.result()
    if process.returncode:
        raise PeerError(told.strip())
    return spent, _cpu() - before, peak


def _cpu() -> float:
    """Return the CPU seconds of all child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _most(process: int, ended: Event) -> float:
    most = 0.0
    while not ended.wait(_READINGS):
        most = max(most, sum(_memory(each) for each in _family(process)))
    return most


def _family(process: int) -> Iterator[int]:
    yield process
    try:
        children = " ".join(each.read_text() for each in Path(f"/proc/{process}/task").glob("*/children"))
    except OSError:
        return
    for child in children.split():
        yield from _family(int(child))


def _memory(process: int) -> float:
    """Return the process's share of memory in MB (shared pages are divided); 0 if the kernel does not report it."""
    try:
        told = Path(f"/proc/{process}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) * 1024 / 1e6 for line in told.splitlines() if line.startswith("Pss:")), 0.0)


def _raw(key: SigningKey, seconds: float) -> tuple[int, float, float]:
    """Sign on all cores at once. Return the number of signatures, the seconds, and the CPU seconds."""
    command = [sys.executable, "-c", _LOOP]
    processes = [
        subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(cores())
    ]
    for process in processes:
        assert process.stdin
        process.stdin.write(json.dumps(key.pem()) + "\n")
        process.stdin.flush()
    for process in processes:
        assert process.stdout
        if not process.stdout.readline():
            raise PeerError("a process for raw signatures did not start")
    until = time.time() + seconds
    for process in processes:  # start all of them before waiting for the first
        assert process.stdin
        process.stdin.write(f"{until}\n")
        process.stdin.flush()
    told = [process.communicate()[0].split() for process in processes]
    return sum(int(each[0]) for each in told), seconds, sum(float(each[1]) for each in told)
