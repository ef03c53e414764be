"""What can be wrong with what a caller gave, and what to do about it.

Every error of ours is a `KeyfrontError`. Its text is one or two sentences for a person: what was wrong, with
the value (never a secret), and what to do. A command prints that text and no traceback.
"""


class KeyfrontError(Exception):
    """Anything keyfront refuses or could not do; its text is ready to be shown."""


class InputError(KeyfrontError, ValueError):
    """A value that cannot be used as it is. The caller has to change it."""


class KeyLoadError(InputError):
    """Bytes that are not a key CloudFront takes, or a key that cannot be opened."""


class URLError(InputError):
    """A URL that cannot be signed so that a viewer's request for it is let in."""


class PolicyError(InputError):
    """A policy that CloudFront would call malformed, or that could never let anybody in."""


class EncodingError(InputError):
    """Text that is not CloudFront's form of base64."""


class ServiceError(KeyfrontError):
    """Another service (an AWS API, an origin, a database) refused or did not answer."""
