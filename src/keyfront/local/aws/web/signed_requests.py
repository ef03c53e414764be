"""Checks signed requests to function URLs with the auth type AWS_IAM.

The endpoint accepts every credential, so it does not verify the signature itself. It checks everything else: that the
request is signed for Lambda, that the signature covers the body, and that policies allow the caller to call the URL.
Sources: Lambda Developer Guide, "Control access to Lambda function URLs"; CloudFront Developer Guide, "Restrict access
to an AWS Lambda function URL origin" (Lambda does not support unsigned payloads).
"""

from dataclasses import dataclass
from hashlib import sha256
from types import SimpleNamespace
from typing import Any, Final, Self

from keyfront.edge.origin.endpoint_headers import SOURCE_ARN
from keyfront.local.aws.addressing import signed_service
from keyfront.local.aws.web.requests import WebRequest
from keyfront.local.lambdas.function import Function

ACTION: Final = "lambda:InvokeFunctionUrl"
NOT_ITS_BODY: Final = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)


@dataclass(frozen=True)
class SignedRequest:
    """A request that is signed for Lambda."""

    access_key: str
    distribution: str | None
    """The ARN of the distribution that CloudFront acts for, or `None` for other callers."""
    covers_body: bool
    """Whether the signature covers the body."""

    @classmethod
    def of(cls, request: WebRequest) -> Self | None:
        """Return the signed request, or `None` if it is not signed, or for another service."""
        headers = request.headers
        authorization = headers.get("authorization", "")
        if signed_service(authorization, request.query.encode("latin-1")) != "lambda":
            return None
        told = headers.get("x-amz-content-sha256")
        covers_body = told == sha256(request.body).hexdigest() if told else not request.body
        credential = authorization.partition("Credential=")[2] or dict(request.parameters).get("X-Amz-Credential", "")
        return cls(credential.partition("/")[0], headers.get(SOURCE_ARN), covers_body)

    def authorizer(self, account: str) -> dict[str, Any]:
        """Return what the function's event says of the caller. Assumed for CloudFront."""
        named = {"accessKey": self.access_key, "accountId": account, "callerId": self.access_key}
        user = self.distribution or f"arn:aws:iam::{account}:root"
        return {"iam": {**named, "cognitoIdentity": None, "principalOrgId": None, "userArn": user, "userId": account}}


def may_call(request: WebRequest, function: Function) -> bool:
    """Return whether the policies of the caller's identity allow the call. Imports moto; blocks."""
    from keyfront.local.aws import enforcement
    from keyfront.local.aws.permissions import Permission

    enforcement.use(True)
    headers = {name.title(): value for name, value in request.headers.items()}
    query = {name: [value] for name, value in request.parameters}
    asked = SimpleNamespace(
        headers=headers, querystring=query, current_account=function.account, region=function.region
    )
    return enforcement.may(asked, Permission(ACTION, function.arn))
