"""What can be wrong with a caller's input, and what to do about it.

Every error of ours is a `KeyfrontError`. Its text is one or two sentences for a person: what was wrong, with
the value (never a secret), and what to do. A command prints that text and no traceback. Programs decide by the facts
of an `InputError` and never by its text.
"""

from typing import ClassVar


class KeyfrontError(Exception):
    """Anything keyfront refuses or could not do; its text is ready to be shown."""


class InputError(KeyfrontError, ValueError):
    """A value that cannot be used as it is. The caller has to change it."""

    usual_reason: ClassVar = "input-unusable"

    def __init__(self, text: str, *, reason: str = "", member: str = "", value: object = None) -> None:
        super().__init__(text)
        self.reason = reason or self.usual_reason
        """A stable slug: the id of the finding (docs/findings.md) where there is one, else one of docs/errors.md."""
        self.member = member
        """The argument or the policy's member that is wrong; empty where there is no single one."""
        self.value = value
        """What was given, as far as it may be shown: no key, no query string, no password."""


class KeyLoadError(InputError):
    """Bytes that are not a key CloudFront takes, or a key that cannot be opened."""

    usual_reason = "key-unusable"


class URLError(InputError):
    """A URL that cannot be signed so that a viewer's request for it is let in."""

    usual_reason = "url-malformed"


class PolicyError(InputError):
    """A policy that CloudFront would call malformed, or that could never let anybody in."""

    usual_reason = "policy-malformed"


class EncodingError(InputError):
    """Text that is not CloudFront's form of base64."""

    usual_reason = "encoding-malformed"


class ServiceError(KeyfrontError):
    """Another service (an AWS API, an origin, a database) refused or did not answer."""
