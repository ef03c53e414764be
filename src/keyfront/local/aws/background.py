"""Logs errors in moto's threads, instead of tracebacks on the user's terminal."""

import logging
import threading
from typing import Final

_log = logging.getLogger(__name__)
_others: Final = threading.excepthook


def install() -> None:
    """Log the errors of moto's threads. Errors of other threads are handled as before."""
    threading.excepthook = _take


def _take(failed: threading.ExceptHookArgs) -> None:
    if failed.exc_value is None or not _is_motos(failed):
        _others(failed)
        return
    traced = failed.exc_value if _log.isEnabledFor(logging.DEBUG) else None
    kind = type(failed.exc_value).__name__
    _log.warning("moto failed in the background with %s: %s", kind, failed.exc_value, exc_info=traced)


def _is_motos(failed: threading.ExceptHookArgs) -> bool:
    frame = failed.exc_traceback
    while frame is not None:
        if str(frame.tb_frame.f_globals.get("__name__", "")).partition(".")[0] == "moto":
            return True
        frame = frame.tb_next
    # Or a thread of moto that runs our function.
    return type(failed.thread).__module__.partition(".")[0] == "moto"
