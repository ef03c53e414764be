"""The worker process: `python -m keyfront.edge.functions.worker FD` runs functions in turn (see `frames`)."""

import json
import resource
import signal
import socket
import sys
from collections.abc import Iterator
from typing import Final

from keyfront.edge.functions.frames import HEAD, SIZE
from keyfront.edge.functions.isolate import Isolate

_HARD_SECONDS: Final = 0.1
"""The processor time of a run after which the system ends this process, even in the engine's own C code."""
_CHUNK: Final = 256 * 1024
_ADDRESS_BYTES: Final = 1024**3


def main() -> int:
    """Serve the socket until its other side closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_BYTES, _ADDRESS_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with socket.socket(fileno=int(sys.argv[1])) as edge:
        _serve(edge)
    return 0


def _serve(edge: socket.socket) -> None:
    isolates: dict[int, Isolate] = {}
    buffer = bytearray()
    while data := edge.recv(_CHUNK):
        buffer += data
        answers = b"".join(_answers(buffer, isolates))
        signal.setitimer(signal.ITIMER_PROF, 0)
        if answers:
            edge.sendall(answers)


def _answers(buffer: bytearray, isolates: dict[int, Isolate]) -> Iterator[bytes]:
    """Do what the whole messages in `buffer` say, and yield the answers. They are sent together."""
    while len(buffer) >= HEAD.size:
        kind, number, length = HEAD.unpack_from(buffer)
        end = HEAD.size + length
        if len(buffer) < end:
            return
        content = bytes(buffer[HEAD.size : end])
        del buffer[:end]
        if kind == b"L":
            isolates[number] = Isolate(**json.loads(content))
        elif kind == b"F":
            isolates.pop(number, None)
        else:
            signal.setitimer(signal.ITIMER_PROF, _HARD_SECONDS)  # SIGPROF ends the process
            result = isolates[number].run(content.decode()).encode("utf-8", "replace")
            yield SIZE.pack(len(result)) + result


if __name__ == "__main__":
    sys.exit(main())
