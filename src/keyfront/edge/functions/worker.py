"""The worker process: `python -m keyfront.edge.functions.worker FD` runs functions in turn (see `frames`)."""

import json
import resource
import signal
import socket
import sys
from typing import Final

from keyfront.edge.functions.frames import HEAD, SIZE
from keyfront.edge.functions.isolate import Isolate

_HARD_SECONDS: Final = 0.1
"""The processor time of a run after which the system ends this process, even in the engine's own C code."""
_ADDRESS_BYTES: Final = 1024**3


def main() -> int:
    """Serve the socket until its other side closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_BYTES, _ADDRESS_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    isolates: dict[int, Isolate] = {}
    with socket.socket(fileno=int(sys.argv[1])) as edge, edge.makefile("rwb") as stream:
        while len(head := stream.read(HEAD.size)) == HEAD.size:
            kind, number, length = HEAD.unpack(head)
            content = stream.read(length)
            if kind == b"L":
                isolates[number] = Isolate(**json.loads(content))
            elif kind == b"F":
                isolates.pop(number, None)
            else:
                signal.setitimer(signal.ITIMER_PROF, _HARD_SECONDS)  # SIGPROF ends the process
                result = isolates[number].run(content.decode()).encode("utf-8", "replace")
                signal.setitimer(signal.ITIMER_PROF, 0)
                stream.write(SIZE.pack(len(result)) + result)
                stream.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
