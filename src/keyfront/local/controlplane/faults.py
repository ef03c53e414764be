"""The error that refuses a request: AWS's code, a message for a person, an HTTP status."""

from keyfront.local.controlplane.model import error_statuses

# What a client meets below the operations: none of these codes stands in the service model. Seen in the field:
# MalformedXML (a member that breaks its constraints), MalformedInput (a body that cannot be read). Assumed: the rest.
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
    """A request that is refused. `code` is CloudFront's, and the status follows from it (API model)."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.status = _OUTSIDE_THE_MODEL.get(code) or error_statuses()[code]
