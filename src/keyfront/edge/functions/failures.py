"""A function that could not run, or whose result cannot be used."""


class FunctionFailedError(Exception):
    """A function could not run, or its result cannot be used."""

    def __init__(self, status: int, why: str) -> None:
        """`why` is the text of CloudFront's page."""
        super().__init__(why)
        self.status = status


def invalid(what: str) -> FunctionFailedError:
    """Return the failure of a result that has an invalid value."""
    return FunctionFailedError(502, f"The CloudFront function returned an invalid value: {what}.")
