"""The signature on a request to S3: AWS Signature Version 4, made by botocore."""

from hashlib import sha256
from typing import Final

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from keyfront.edge.origin.addresses import Address
from keyfront.edge.response.pages import Headers

_NO_BODY: Final = sha256(b"").hexdigest()


class _Signer(S3SigV4Auth):
    """Leaves the body out of the signature, since it is streamed and its hash is not known in advance."""

    def payload(self, request: AWSRequest) -> str:
        return "UNSIGNED-PAYLOAD" if request.context["has_body"] else _NO_BODY


def signature(
    where: Address, method: str, target: str, credentials: Credentials, default_region: str, *, has_body: bool
) -> Headers:
    """Return the headers (in lower case) that sign `method` and `target` (path and query as they are sent)."""
    request = AWSRequest(method, where.base + target, headers={"host": where.host_header})
    request.context["has_body"] = has_body
    _Signer(credentials, "s3", where.region or default_region).add_auth(request)
    return [
        (name.lower().encode("ascii"), str(value).encode("ascii"))
        for name, value in request.headers.items()
        if name.lower() != "host"
    ]
