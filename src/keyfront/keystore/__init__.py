"""Where a signer's key comes from: sources, the document they hold, and one cache above them all."""

from typing import TYPE_CHECKING, Final

from keyfront.lazy import names

if TYPE_CHECKING:
    from keyfront.keystore.addresses import Address
    from keyfront.keystore.cloudfront_check import CloudFrontCheck
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
_MODULES: Final = {
    "Address": "addresses",
    "CloudFrontCheck": "cloudfront_check",
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

__getattr__, __dir__ = names(globals(), _MODULES)
