"""Measures the memory of a function's processes, and ends them above their limit.

Lambda limits the memory in use. A limit on the address space would not work, because Node.js reserves a gigabyte that
it never uses. So the memory is measured several times a second. A peak between two measurements is not noticed. It
works only on Linux (`/proc`). On other systems there is no limit.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

_PAUSE_SECONDS: Final = 0.05
_KIB: Final = 1024
MIB: Final = 1024 * 1024


def used(pid: int, line: str = "VmRSS") -> int:
    """Return the bytes of a process and its children, or 0 if unknown. With `VmHWM`: the process's own peak."""
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
    """Wait until the processes use more than `limit` bytes, then call `kill`."""
    while used(pid) <= limit:
        await asyncio.sleep(_PAUSE_SECONDS)
    kill()
