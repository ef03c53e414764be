"""One function in one JavaScript context, with limits for its time and memory. It runs in the worker process alone.

A context is used for many requests if nothing that one request does can be seen by the next: the built-in objects are
frozen, and the function's own top level runs again for each request, as on Amazon. A function that changes built-in
objects (`String.prototype.x = …`) gets a new context for each request.
"""

import json
import re
import time
from importlib.resources import files
from typing import Any, Final

import quickjs  # type: ignore[import-untyped]

from keyfront.edge.functions.syntax import SECOND, unsupported

MEMORY_BYTES: Final = 2 * 1024 * 1024
"""Developer Guide, "Quotas on CloudFront Functions"."""
STACK_BYTES: Final = 256 * 1024
CPU_SECONDS: Final = 0.05
"""The processor time after which a function is stopped. Amazon does not publish its own limit."""
_MOST_JOBS: Final = 10_000
_PRELUDE: Final = files("keyfront.edge.functions").joinpath("prelude.js").read_text("utf-8")
_LINES_BEFORE: Final = 100_000
"""So that line numbers in errors tell a function's lines from the prelude's."""

_IMPORT: Final = re.compile(
    r"^(?P<start>[ \t]*)import\s+(?P<names>[\w$]+|\{[^}]*\}|\*\s*as\s+[\w$]+)\s+from\s+"
    r"(?P<module>'[^'\n]*'|\"[^\"\n]*\")[ \t]*;?",
    re.MULTILINE,
)
_BORROWS: Final = re.compile(r"\bprototype\s*\.\s*[\w$]+\s*\.\s*(?:call|apply|bind)\b")
_CHANGES_BUILT_INS: Final = re.compile(
    r"prototype|__proto__|definePropert|setPrototypeOf|__define|\\u|"
    r"\b(?:Object|Array|String|Math|JSON|Number|Date|RegExp|Promise|Function|Error|Buffer|console|globalThis)\s*"
    r"(?:\.\s*[\w$]+|\[[^\]]*\])\s*=(?!=)"
)


class Isolate:
    """A loaded function. Raises nothing: each result says what went wrong."""

    def __init__(self, code: str, runtime: str, store: str | None) -> None:
        """`store` is the key value store as JSON (see `prelude.js`), or `None`."""
        self._code, self._runtime, self._store = code, runtime, store
        self._unsupported = unsupported(code, runtime)
        self._reused = _CHANGES_BUILT_INS.search(_BORROWS.sub("", code)) is None
        self._ready: tuple[Any, Any, Any] | None = None
        self._failure = ""

    def run(self, event: str) -> str:
        """Run the function on an event (JSON). Return the result as a JSON object.

        Members: `cpu` (seconds), `logs`, and `value` (what the function returned) or `error`; `origin` if it changed
        the origin.
        """
        if self._ready is None:
            self._ready = self._loaded()
        if self._ready is None:
            return json.dumps({"cpu": 0.0, "logs": [], "error": self._failure})
        context, run, take = self._ready
        began = time.thread_time()
        try:
            run(event)
            jobs = 0
            while context.execute_pending_job():
                jobs += 1
                if jobs >= _MOST_JOBS or time.thread_time() - began > CPU_SECONDS:
                    raise TimeoutError
            result: str = take()
        except TimeoutError:
            return self._stopped(began, _TOO_LONG)
        except Exception as error:  # noqa: BLE001  whatever the engine raises is the function's
            return self._stopped(began, _explained(error))
        cpu = time.thread_time() - began
        if not self._reused or result.startswith('"clean":false'):
            self._ready = None
        return f'{{"cpu":{cpu:.6f},{result}}}'

    def _stopped(self, began: float, why: str) -> str:
        self._ready = None  # a context that was stopped in its middle is not used again
        return json.dumps({"cpu": time.thread_time() - began, "logs": [], "error": why})

    def _loaded(self) -> tuple[Any, Any, Any] | None:
        if self._unsupported is not None:
            self._failure = str(self._unsupported)
            return None
        context = quickjs.Context()
        context.set_max_stack_size(STACK_BYTES)
        start = context.eval("\n" * _LINES_BEFORE + _PRELUDE)
        interface = start(self._runtime == SECOND, self._reused, self._store)
        used = context.memory()["malloc_size"]
        context.set_memory_limit(used + MEMORY_BYTES)
        context.set_time_limit(CPU_SECONDS)
        pick = context.eval("(interface, name) => (...given) => interface[name](...given)")
        try:
            pick(interface, "load")(context.eval(_factory(self._code)))
        except Exception as error:  # noqa: BLE001  whatever the engine raises is the function's
            self._failure = _explained(error)
            return None
        return context, pick(interface, "run"), pick(interface, "take")


_TOO_LONG: Final = "The function used more than the maximum of processor time and was stopped."


def _factory(code: str) -> str:
    """Return an expression for a function that runs the code's top level and returns its handler. Lines stay.

    Source of the strict mode: Developer Guide, "JavaScript runtime 2.0 features for CloudFront Functions".
    """
    body = _IMPORT.sub(_as_require, code)
    return f"(function () {{ 'use strict'; {body}\n; return typeof handler === 'undefined' ? undefined : handler; }})"


def _as_require(found: re.Match[str]) -> str:
    names, lines = found["names"], "\n" * found[0].count("\n")
    names = re.sub(r"\*\s*as\s+", "", names)
    names = re.sub(r"([\w$]+)\s+as\s+", r"\1: ", names) if names.startswith("{") else names
    return f"{found['start']}const {names.replace(chr(10), ' ')} = require({found['module']});{lines}"


def _explained(error: Exception) -> str:
    text = str(error).strip()
    if "InternalError: interrupted" in text:
        return _TOO_LONG
    if "out of memory" in text:
        return f"The function used more than {MEMORY_BYTES // 1024 // 1024} MB of memory and was stopped."
    first = text.split("\n", 1)[0]
    line = re.search(r"<input>:(\d+)", text)
    return f"{first} at line {line[1]}" if line and int(line[1]) < _LINES_BEFORE else first
