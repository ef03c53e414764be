"""Private content on Amazon CloudFront, from a key to a download."""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from keyfront.aws import from_boto3
    from keyfront.diagnosis import Report, explain
    from keyfront.errors import KeyfrontError
    from keyfront.keys import PublicKey, SigningKey
    from keyfront.policy import Policy
    from keyfront.signing import SignedCookies, Signer, SigningWarning
    from keyfront.site import Site
    from keyfront.verification import Decision, ViewerRequest, verify

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
    "explain",
    "from_boto3",
    "verify",
]

# Loaded when first used: a command that needs no keys starts without the time that cryptography takes to load.
_ROOMS: Final = {
    "Decision": "verification",
    "KeyfrontError": "errors",
    "Policy": "policy",
    "PublicKey": "keys",
    "Report": "diagnosis",
    "SignedCookies": "signing",
    "Signer": "signing",
    "SigningKey": "keys",
    "SigningWarning": "signing",
    "Site": "site",
    "ViewerRequest": "verification",
    "explain": "diagnosis",
    "from_boto3": "aws",
    "verify": "verification",
}


def __getattr__(name: str) -> object:
    room = _ROOMS.get(name)
    if room is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{room}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
