"""Private content on Amazon CloudFront, from a key to a download."""

from typing import TYPE_CHECKING, Final

from keyfront.lazy import names

if TYPE_CHECKING:
    from keyfront.core.cookies import SignedCookies
    from keyfront.core.keys import PublicKey, SigningKey
    from keyfront.core.misuse import SigningWarning
    from keyfront.core.policy import Policy
    from keyfront.core.signing import Signer
    from keyfront.core.verification import Decision, ViewerRequest, verify
    from keyfront.errors import KeyfrontError
    from keyfront.explain import Report
    from keyfront.integrations.boto3 import from_boto3
    from keyfront.integrations.site import Site

__version__ = "0.1.0"

__all__ = [
    "Decision",
    "KeyfrontError",
    "Policy",
    "PublicKey",
    "Report",
    "SignedCookies",
    "Signer",
    "SigningKey",
    "SigningWarning",
    "Site",
    "ViewerRequest",
    "from_boto3",
    "verify",
]

# Loaded when first used: a command that needs no keys does not wait for cryptography to load.
_MODULES: Final = {
    "Decision": "core.verification",
    "KeyfrontError": "errors",
    "Policy": "core.policy",
    "PublicKey": "core.keys",
    "Report": "explain",
    "SignedCookies": "core.cookies",
    "Signer": "core.signing",
    "SigningKey": "core.keys",
    "SigningWarning": "core.misuse",
    "Site": "integrations.site",
    "ViewerRequest": "core.verification",
    "from_boto3": "integrations.boto3",
    "verify": "core.verification",
}

__getattr__, __dir__ = names(globals(), _MODULES)
