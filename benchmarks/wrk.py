"""wrk, the load generator: its requests and its figures."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.contest import PeerError

CONNECTIONS = 50
_SCRIPT = Path(__file__).with_name("requests.lua")
_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}
_BYTES = {"B": 1, "KB": 1024, "MB": 1024**2, "GB": 1024**3}


@dataclass(frozen=True)
class Target:
    """The requests for wrk: an address, and for each request its target and headers."""

    url: str
    requests: list[tuple[str, dict[str, str]]]

    @classmethod
    def of(cls, url: str, requests: list[tuple[str, dict[str, str]]]) -> "Target":
        """Return requests for whole URLs on `url`'s host, sent to this machine.

        Few programs resolve the names of an edge's distributions.
        """
        parts = urlsplit(url)
        named = [(asked.partition(parts.netloc)[2], {"Host": parts.netloc, **headers}) for asked, headers in requests]
        return cls(f"{parts.scheme}://127.0.0.1:{parts.port}", named)

    def write(self, file: Path) -> Path:
        """Write the requests in the format of `requests.lua`. Return the file."""
        lines = ("\t".join([asked, *(f"{key}: {value}" for key, value in its.items())]) for asked, its in self.requests)
        file.write_text("\n".join(lines) + "\n")
        return file


@dataclass(frozen=True)
class Load:
    """wrk's figures: requests, requests and bytes per second, and in seconds the times of 50 % and 99 % of them."""

    count: int
    rate: float
    transfer: float
    p50: float
    p99: float


def program() -> str | None:
    """Return the path of wrk, or `None`."""
    return shutil.which("wrk")


def load(url: str, file: Path, seconds: float, connections: int = CONNECTIONS, pace: float | None = None) -> Load:
    """Run wrk for whole seconds with the requests of a file in turn. Raises `PeerError` if a response is an error.

    `pace` is the most requests per second over all connections; if not given, there is no limit.
    """
    command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--latency", "--timeout", "30s"]
    command += ["-s", str(_SCRIPT), url]
    pause = [str(connections / pace * 1000)] if pace else []
    told = subprocess.run([*command, "--", str(file), *pause], capture_output=True, text=True).stdout
    bad = re.search(r"Non-2xx or 3xx responses: \d+|Socket errors: .*", told)
    count = re.search(r"(\d+) requests in", told)
    if count is None or bad is not None or count[1] == "0":
        raise PeerError(bad[0] if bad else "wrk got no response")
    return Load(
        int(count[1]),
        _told(told, r"Requests/sec:\s+([\d.]+)()", {"": 1}),
        _told(told, r"Transfer/sec:\s+([\d.]+)([KMG]?B)", _BYTES),
        _told(told, r"50%\s+([\d.]+)([a-z]+)", _SECONDS),
        _told(told, r"99%\s+([\d.]+)([a-z]+)", _SECONDS),
    )


def _told(text: str, pattern: str, units: dict[str, float] | dict[str, int]) -> float:
    found = re.search(pattern, text)
    if found is None:
        raise PeerError("wrk printed no figures")
    return float(found[1]) * units[found[2]]
