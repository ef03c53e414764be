"""The signature on a request to S3 or to a function URL: AWS Signature Version 4, made by botocore."""

from hashlib import sha256
from typing import Final

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from keyfront.edge.origin.addresses import Address
from keyfront.edge.response.pages import Headers

UNSIGNED: Final = "UNSIGNED-PAYLOAD"
"""Stands in a signature for the hash of a body that is streamed. S3 accepts it, Lambda does not."""
NO_BODY: Final = sha256(b"").hexdigest()
_HASH: Final = "X-Amz-Content-SHA256"


class _S3(S3SigV4Auth):
    def payload(self, request: AWSRequest) -> str:
        return str(request.context["hash"])


class _Lambda(SigV4Auth):
    def payload(self, request: AWSRequest) -> str:
        return str(request.context["hash"])


def signature(
    where: Address, method: str, target: str, credentials: Credentials, default_region: str, body_hash: str
) -> Headers:
    """Return the headers (in lower case) that sign `method` and `target` (path and query as they are sent).

    `body_hash` is the SHA-256 of the body in hexadecimal, or `UNSIGNED`.
    """
    headers = {"host": where.host_header, _HASH: body_hash}
    request = AWSRequest(method, where.base + target, headers=headers)
    request.context["hash"] = body_hash
    region = where.region or default_region
    signer = _Lambda(credentials, "lambda", region) if where.service == "lambda" else _S3(credentials, "s3", region)
    signer.add_auth(request)
    return [
        (name.lower().encode("ascii"), str(value).encode("ascii"))
        for name, value in request.headers.items()
        if name.lower() != "host"
    ]
