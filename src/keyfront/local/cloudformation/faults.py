"""The errors of CloudFormation at this endpoint."""

from moto.core.exceptions import ServiceException


class StackError(ServiceException):
    """A request that CloudFormation refuses, with the error code of its API."""

    def __init__(self, message: str, code: str = "ValidationError") -> None:
        super().__init__(code, message)


class ResourceError(Exception):
    """A resource that could not be created, changed or deleted. The text is the reason in the stack's events."""

    def __init__(self, reason: str, physical_id: str = "") -> None:
        super().__init__(reason)
        self.reason, self.physical_id = reason, physical_id


class NotYetKnownError(Exception):
    """A value that only exists once a resource is created."""
