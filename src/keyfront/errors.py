"""keyfront's errors.

Every error is a `KeyfrontError`. Its text is one or two sentences for a person: what was wrong, with the value (never
a secret), and what to do. A command prints that text without a traceback. Programs decide by the attributes of an
`InputError`, never by its text.
"""

from typing import ClassVar, Final

NO_CREDENTIALS: Final = (
    "no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, sign in with `aws sso login`, or choose a "
    "profile with AWS_PROFILE; for keyfront up, use the `export` line that it prints (any values work there)"
)
NO_REGION: Final = "no AWS region: set AWS_DEFAULT_REGION (us-east-1 for keyfront up)"


class KeyfrontError(Exception):
    """Something that keyfront refuses or could not do. Its text can be shown to a person."""


class InputError(KeyfrontError, ValueError):
    """A value that cannot be used. The caller must change it."""

    usual_reason: ClassVar = "input-unusable"

    def __init__(self, text: str, *, reason: str = "", member: str = "", value: object = None) -> None:
        super().__init__(text)
        self.reason = reason or self.usual_reason
        """A stable slug: the id of the finding (docs/findings.md) where there is one, else one of docs/errors.md."""
        self.member = member
        """The argument or the policy's member that is wrong; empty if there is no single one."""
        self.value = value
        """The given value, as far as it may be shown: without keys, query strings and passwords."""


class KeyLoadError(InputError):
    """Bytes that are not a key CloudFront accepts, or a key that cannot be opened."""

    usual_reason = "key-unusable"


class URLError(InputError):
    """A URL that cannot be signed: CloudFront would refuse every request for it."""

    usual_reason = "url-malformed"


class PolicyError(InputError):
    """A policy that is malformed for CloudFront, or that could never allow a request."""

    usual_reason = "policy-malformed"


class EncodingError(InputError):
    """Text that is not CloudFront's form of base64."""

    usual_reason = "encoding-malformed"


class ServiceError(KeyfrontError):
    """Another service (an AWS API, an origin, a database) that refused or did not answer."""


class RefusedError(KeyfrontError):
    """A service that refuses a valid request."""
