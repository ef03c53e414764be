"""How an origin can fail: no answer, or one that breaks off."""

from keyfront.errors import ServiceError


class OriginError(ServiceError):
    """An origin that could not be reached or did not answer; `status` is what the viewer gets."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class BrokenBodyError(ServiceError):
    """A body that ended before its end; `status` is for a viewer who was told nothing yet."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
