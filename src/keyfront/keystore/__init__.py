"""Where a signer's key comes from: sources, the document they hold, and one cache above them all."""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from keyfront.keystore.addresses import Address
    from keyfront.keystore.checking import CloudFrontCheck
    from keyfront.keystore.document import SignerDocument
    from keyfront.keystore.kms import KMSKey, KMSReference, WrappedKey, new_wrapped_key
    from keyfront.keystore.refreshing import Counts, Refreshing
    from keyfront.keystore.sources import EnvironmentVariable, KeyFile, Secret, Source, SSMParameter
    from keyfront.keystore.store import KeyStore, open_keystore

__all__ = [
    "Address",
    "CloudFrontCheck",
    "Counts",
    "EnvironmentVariable",
    "KMSKey",
    "KMSReference",
    "KeyFile",
    "KeyStore",
    "Refreshing",
    "SSMParameter",
    "Secret",
    "SignerDocument",
    "Source",
    "WrappedKey",
    "new_wrapped_key",
    "open_keystore",
]

# Loaded when first used: a function on Lambda starts without what its own kind of key does not need.
_ROOMS: Final = {
    "Address": "addresses",
    "CloudFrontCheck": "checking",
    "Counts": "refreshing",
    "EnvironmentVariable": "sources",
    "KMSKey": "kms",
    "KMSReference": "kms",
    "KeyFile": "sources",
    "KeyStore": "store",
    "Refreshing": "refreshing",
    "SSMParameter": "sources",
    "Secret": "sources",
    "SignerDocument": "document",
    "Source": "sources",
    "WrappedKey": "kms",
    "new_wrapped_key": "kms",
    "open_keystore": "store",
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
