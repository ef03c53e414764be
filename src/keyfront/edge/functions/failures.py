"""A function that could not run, or whose result cannot be used."""


class FunctionFailedError(Exception):
    """A function could not run, or its result cannot be used."""

    def __init__(self, status: int, why: str, *, told: str = "") -> None:
        """`why` is the text of CloudFront's page, `told` that of the function's log (if not given, `why`)."""
        super().__init__(why)
        self.status = status
        self.told = told or why


class ThrottledError(FunctionFailedError):
    """Lambda refused a call, since there are too many at once. `told` is its text."""

    def __init__(self, told: str) -> None:
        text = "The Lambda function associated with the CloudFront distribution was throttled."
        super().__init__(503, text, told=told)


def invalid(what: str) -> FunctionFailedError:
    """Return the failure of a result that has an invalid value."""
    return FunctionFailedError(502, f"The CloudFront function returned an invalid value: {what}.")
