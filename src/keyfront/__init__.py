"""Private content on Amazon CloudFront, from a key to a download."""

from keyfront.errors import KeyfrontError
from keyfront.keys import PublicKey, SigningKey
from keyfront.policy import Policy
from keyfront.signing import SignedCookies, Signer, SigningWarning
from keyfront.verification import Decision, ViewerRequest, verify

__version__ = "0.1.0"

__all__ = [
    "Decision",
    "KeyfrontError",
    "Policy",
    "PublicKey",
    "SignedCookies",
    "Signer",
    "SigningKey",
    "SigningWarning",
    "ViewerRequest",
    "verify",
]
