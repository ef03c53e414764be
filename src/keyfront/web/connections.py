"""The connections that viewers hold open to this process, as the system lists them.

granian accepts connections in Rust, does not report them, and closes idle ones only by a timeout. But they are files of
this process: the system lists them, and knows how long each has been quiet.
"""

import contextlib
import fcntl
import os
import resource
import socket
import stat
import struct
import sys
import termios
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

Peer = tuple[str, int]
"""Address and port."""

_LISTED: Final = Path("/proc/self/fd" if sys.platform == "linux" else "/dev/fd")
_FEW: Final = 4096
"""Up to this number, descriptors are tried one by one: listing them needs a descriptor, and none may be free."""
_QUIET_FROM: Final = 44
"""The offset in Linux's `struct tcp_info` of four numbers: milliseconds since data and acknowledgements were sent and
received."""


@dataclass(frozen=True, slots=True)
class Connection:
    """An accepted, open connection."""

    descriptor: int
    family: int
    port: int
    """This process's port."""
    peer: Peer
    quiet: float
    """Seconds since the last byte in either direction; infinite if the system does not say."""
    pending: bool
    """Whether bytes wait to be read here or by the peer."""

    def is_idle(self, quiet: float) -> bool:
        """Return whether no request is running on it, and no byte has passed for `quiet` seconds."""
        return not answering[self.peer] and not self.pending and self.quiet >= quiet

    def cut(self) -> bool:
        """Close it for both sides. Return false if it is another connection by now."""
        try:
            # A duplicate: granian may close its descriptor at any moment, and another file may get the number.
            with socket.socket(fileno=os.dup(self.descriptor)) as held:
                if _peer(held) != self.peer or held.getsockname()[1] != self.port:
                    return False
                held.shutdown(socket.SHUT_RDWR)
        except OSError:
            return False
        return True


answering: Final[Counter[Peer]] = Counter()
"""The number of running requests of each viewer. The server keeps it up to date."""


def count_files() -> int:
    """Return the number of files that this process has open, or more."""
    return len(descriptors())


def connections(ports: Iterable[int]) -> list[Connection]:
    """Return the open connections at these ports of this process. Empty if the system does not list open files."""
    wanted = frozenset(ports)
    return [found for descriptor in descriptors() if (found := _connection(descriptor, wanted)) is not None]


def descriptors() -> Sequence[int]:
    """Return the numbers of this process's open files, or more."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if 0 <= most <= _FEW:
        return range(most)
    try:
        return [int(each.name) for each in _LISTED.iterdir()]
    except OSError:
        return range(_FEW)


def _connection(descriptor: int, ports: frozenset[int]) -> Connection | None:
    with contextlib.suppress(OSError), _borrowed(descriptor) as found:
        if found is None or found.family not in (socket.AF_INET, socket.AF_INET6):
            return None
        port = int(found.getsockname()[1])
        if port in ports:
            return Connection(descriptor, found.family, port, _peer(found), _quiet(found), _pending(descriptor))
    return None


@contextlib.contextmanager
def _borrowed(descriptor: int) -> Iterator[socket.socket | None]:
    """Give the socket of a descriptor, without owning it."""
    if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
        yield None
        return
    found = socket.socket(fileno=descriptor)
    try:
        yield found
    finally:
        found.detach()


def _peer(found: socket.socket) -> Peer:
    host, port = found.getpeername()[:2]
    return host, port


def _quiet(found: socket.socket) -> float:
    if sys.platform != "linux":
        return float("inf")
    sent, _, received, _ = struct.unpack_from(
        "=4I", found.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _QUIET_FROM + 16), _QUIET_FROM
    )
    return float(min(sent, received)) / 1000


def _pending(descriptor: int) -> bool:
    return bool(_count(descriptor, termios.FIONREAD) or _count(descriptor, termios.TIOCOUTQ))


def _count(descriptor: int, request: int) -> int:
    with contextlib.suppress(OSError):
        return int(struct.unpack("=i", fcntl.ioctl(descriptor, request, b"\0\0\0\0"))[0])
    return 0
