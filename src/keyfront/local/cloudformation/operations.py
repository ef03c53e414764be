"""Runs the operations on stacks, each in a thread of its own, as the service does after it has answered.

A request waits a moment for its operation, so that a small stack is complete with the response.
"""

import contextvars
import logging
import threading
from collections.abc import Callable
from typing import Final

from keyfront.local.cloudformation.stack import Stack
from keyfront.local.lambdas import calls

_log = logging.getLogger(__name__)

_PATIENCE: Final = 10.0
"""Seconds that a request waits for its operation."""
_running: Final[dict[str, threading.Thread]] = {}
"""The operations under way, by stack id."""


def start(stack: Stack, work: Callable[[], None]) -> None:
    """Run `work`, which changes `stack`, and wait a moment for it."""
    runner = calls.current()

    def run() -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001  a stack must never stay in progress
            _log.exception("an operation on stack %s failed", stack.name)
            stack.become(_failed(stack), f"Internal Failure: {type(error).__name__}: {error}")
        finally:
            _running.pop(stack.id, None)
            # The last events come after the last request, and must be kept as well.
            runner.perform(lambda: None, changes=True)

    thread = threading.Thread(target=contextvars.copy_context().run, args=(run,), name="keyfront-stack", daemon=True)
    _running[stack.id] = thread
    thread.start()
    thread.join(_PATIENCE)


def settle(stack: Stack) -> None:
    """End an operation that the endpoint's last run left under way."""
    if stack.is_busy and stack.id not in _running:
        stack.become(_failed(stack), "The endpoint stopped during this operation.")


def _failed(stack: Stack) -> str:
    for start, status in (("UPDATE_ROLLBACK", "UPDATE_ROLLBACK_FAILED"), ("ROLLBACK", "ROLLBACK_FAILED")):
        if stack.status.startswith(start):
            return status
    return f"{stack.status.partition('_')[0]}_FAILED"
