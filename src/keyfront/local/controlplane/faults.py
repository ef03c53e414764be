"""The error for a refused request: an AWS error code, a message and an HTTP status."""

from keyfront.local.controlplane.model import error_statuses

# Error codes that are not in the service model. Seen in the field: MalformedXML (a member that breaks its
# constraints) and MalformedInput (a body that cannot be read). Assumed: the others.
_OUTSIDE_THE_MODEL = {
    "MalformedXML": 400,
    "MalformedInput": 400,
    "InvalidAction": 400,
    "MethodNotAllowed": 405,
    "InvalidationBatchAlreadyExists": 409,
    "RequestEntityTooLarge": 413,
    "InternalError": 500,
    "NotImplemented": 501,
}


class APIError(Exception):
    """A refused request. `code` is CloudFront's error code, which determines the status (API model)."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.status = _OUTSIDE_THE_MODEL.get(code) or error_statuses()[code]
