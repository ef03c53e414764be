"""Measures the memory of a function's processes, and ends them above their limit.

Lambda limits what is in use. A limit on the address space would not do: Node.js alone reserves a gigabyte that it
never touches. So the memory is measured several times a second; a peak between two measurements is not noticed.
It works on Linux alone (`/proc`): elsewhere nothing is limited.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

_PAUSE_SECONDS: Final = 0.05
_KIB: Final = 1024
MIB: Final = 1024 * 1024


def used(pid: int, line: str = "VmRSS") -> int:
    """Bytes of a process and those that it started; 0 when nobody tells. `VmHWM` instead: its own most so far."""
    total, waiting = 0, [pid]
    while waiting:
        place = Path("/proc") / str(waiting.pop())
        try:
            status = (place / "status").read_text()
            for thread in (place / "task").iterdir():
                waiting += map(int, (thread / "children").read_text().split())
        except OSError:
            continue
        found = next((text for text in status.splitlines() if text.startswith(f"{line}:")), "")
        total += int(found.split()[1]) * _KIB if found else 0
    return total


async def watch(pid: int, limit: int, kill: Callable[[], None]) -> None:
    """Call `kill` once the processes have more than `limit` bytes. Goes on until it is cancelled."""
    while used(pid) <= limit:
        await asyncio.sleep(_PAUSE_SECONDS)
    kill()
