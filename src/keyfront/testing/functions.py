"""A CloudFront function in a test: a file that is called with events."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from keyfront.edge.functions.trial import Trial
from keyfront.errors import InputError, KeyfrontError

_VIEWER: Final = {"ip": "198.51.100.11"}


class FunctionFailed(KeyfrontError):  # noqa: N818  an outcome that a test expects or not
    """The function failed on an event: viewers would get 502 or 503. The text says why."""


class FunctionUnderTest:
    """A function. Call it with an event, or with the path of a GET; it returns the request or the response."""

    def __init__(
        self, file: str | Path, *, runtime: str = "cloudfront-js-2.0", pairs: Mapping[str, str] | None = None
    ) -> None:
        """`pairs` is the content of its key value store. Raises `InputError` if the file cannot be read."""
        try:
            code = Path(file).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{file} cannot be read: {error}") from None
        self._trial = Trial(code, runtime=runtime, pairs=pairs)
        self.logs: tuple[str, ...] = ()
        """What it wrote to its log in the last call."""

    def __call__(self, event: Mapping[str, Any] | str) -> Any:
        """Run it. Raises `FunctionFailed`, and `InputError` for what is not an event."""
        result = self._trial.run(_get(event) if isinstance(event, str) else event)
        self.logs = result.logs
        if result.error:
            raise FunctionFailed(result.error)
        return result.value

    def close(self) -> None:
        """End its process."""
        self._trial.close()


def _get(path: str) -> dict[str, Any]:
    request = {"method": "GET", "uri": path, "querystring": {}, "headers": {}, "cookies": {}}
    return {"version": "1.0", "context": {"eventType": "viewer-request"}, "viewer": _VIEWER, "request": request}
