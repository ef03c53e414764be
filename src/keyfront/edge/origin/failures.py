"""The failures of an origin: no response, or one that breaks off."""

from keyfront.errors import ServiceError


class OriginError(ServiceError):
    """The origin could not be reached or did not answer. `status` is for the viewer."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class BrokenBodyError(ServiceError):
    """A body broke off. `status` is for a viewer who was not sent anything yet."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
