"""What went wrong, as the pages show it: a heading, the error's own text, and the status of the response."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from starlette.responses import JSONResponse, Response

from keyfront.account.api_errors import DeniedError, ExpiredError, StaleError, ThrottledError, UnreachableError
from keyfront.errors import InputError, KeyfrontError, RefusedError, ServiceError

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that could not be done or read."""

    title: str
    text: str
    status: int
    action: str = ""
    """The IAM action that is missing."""


_KINDS: Final[tuple[tuple[type[KeyfrontError], str, int], ...]] = (
    (DeniedError, "Not allowed", 403),
    (ExpiredError, "The session has expired", 403),
    (ThrottledError, "CloudFront asks to wait", 429),
    (StaleError, "Someone else changed it", 409),
    (UnreachableError, "The endpoint does not answer", 502),
    (RefusedError, "Refused", 409),
    (InputError, "This cannot be done", 400),
)


def problem_of(error: KeyfrontError) -> Problem:
    """Return the problem that an error is."""
    title, status = next(((title, status) for kind, title, status in _KINDS if isinstance(error, kind)), ("Error", 502))
    text = str(error)
    return Problem(title, f"{text[:1].upper()}{text[1:]}.", status, getattr(error, "action", ""))


class Gaps:
    """Reads the parts of a page. A part that the service refuses becomes a gap, and the other parts are shown."""

    def __init__(self) -> None:
        self.found: list[Problem] = []

    def get(self, read: Callable[[], Result], otherwise: Result) -> Result:
        """Return the result of `read`, or `otherwise` if a service refuses it.

        Raises `UnreachableError` if the endpoint does not answer, since there is nothing to show then.
        """
        try:
            return read()
        except UnreachableError:
            raise
        except (RefusedError, ServiceError) as error:
            problem = problem_of(error)
            if problem not in self.found:
                self.found.append(problem)
            return otherwise


def as_json(make: Callable[[], Mapping[str, object]]) -> Response:
    """Return the result of `make` as JSON. If it raises a `KeyfrontError`, the JSON holds its text as `error`."""
    return attempt(lambda: JSONResponse(make()), lambda problem: JSONResponse({"error": problem.text}, problem.status))


def attempt(action: Callable[[], Result], otherwise: Callable[[Problem], Result]) -> Result:
    """Return the result of `action`. If it raises a `KeyfrontError`, return what `otherwise` makes of the problem."""
    try:
        return action()
    except KeyfrontError as error:
        return otherwise(problem_of(error))
