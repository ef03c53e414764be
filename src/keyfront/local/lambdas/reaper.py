"""Ends the processes of a program that was killed: `python -I -S reaper.py`, with groups on its standard input.

Each line is `+PID` or `-PID`: a process group that starts or has ended. When the input ends, also by `kill -9` of the
writing program, the reaper kills the groups that are left. It runs without the rest of the package.
"""

import contextlib
import os
import signal
import sys


def main() -> None:
    groups = set()
    with contextlib.suppress(KeyboardInterrupt):
        for line in sys.stdin.buffer:
            group = int(line[1:])
            groups.add(group) if line.startswith(b"+") else groups.discard(group)
    for group in groups:
        with contextlib.suppress(OSError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    # Ctrl-C is for the writing program. When it ends, the reaper ends too.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    main()
