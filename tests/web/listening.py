"""The sockets on which a process and its children listen, as Linux sees them: none can be forgotten."""

from pathlib import Path
from typing import Final

_LISTEN: Final = "0A"


def ports(pid: int) -> dict[int, set[str]]:
    """Each TCP port that the process or one of its descendants listens on, and the addresses (hexadecimal)."""
    inodes = {inode for each in _tree(pid) for inode in _sockets(each)}
    found: dict[int, set[str]] = {}
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == _LISTEN and words[9] in inodes:
                address, _, port = words[1].partition(":")
                found.setdefault(int(port, 16), set()).add(address)
    return found


def _tree(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task").glob("*/children")
    below = [int(child) for each in children for child in each.read_text().split()]
    return [pid, *(each for child in below for each in _tree(child))]


def _sockets(pid: int) -> set[str]:
    links = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            links.add(str(link.readlink()))
        except OSError:
            continue
    return {link[8:-1] for link in links if link.startswith("socket:[")}
