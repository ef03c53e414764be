"""The garbage collector stays away from what a program has imported."""

import subprocess
import sys

_COMMAND = """
import atexit, gc, sys
looks = []
gc.callbacks.append(lambda phase, facts: looks.append(facts["generation"]))
atexit.register(lambda: print(gc.get_freeze_count() > 0))  # registered first, so it runs last
from keyfront.cli import main
sys.argv = ["keyfront", "keys", "--help"]
before = len(looks)
main()
print(len(looks) - before)
"""
_SERVER = """
import gc
from keyfront.garbage import keep_loaded
loaded = [[] for _ in range(1000)]
keep_loaded()
print(gc.get_freeze_count() >= 1000)
ring = []
ring.append(ring)
del ring
print(gc.collect())
"""


def _lines(program: str) -> list[str]:
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return ran.stdout.splitlines()


def test_a_command_starts_and_ends_without_a_look_for_garbage() -> None:
    assert _lines(_COMMAND)[-2:] == ["0", "True"]


def test_a_server_looks_only_for_garbage_that_is_newer_than_its_start() -> None:
    assert _lines(_SERVER) == ["True", "1"]
