"""Key stores: one class for each kind, the document that a store holds, and one cache for all kinds."""

from typing import TYPE_CHECKING, Final

from keyfront.lazy import names

if TYPE_CHECKING:
    from keyfront.keystore.addresses import Address, open_writable
    from keyfront.keystore.cloudfront_check import CloudFrontCheck
    from keyfront.keystore.document import SignerDocument
    from keyfront.keystore.env import EnvironmentVariable
    from keyfront.keystore.file import KeyFile
    from keyfront.keystore.kms import KMSKey, KMSReference, WrappedKey, new_wrapped_key
    from keyfront.keystore.refreshing import Counts, Refreshing
    from keyfront.keystore.secretsmanager import Secret
    from keyfront.keystore.source import MissingError, Opening, Source, WritableSource
    from keyfront.keystore.ssm import SSMParameter
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
    "MissingError",
    "Opening",
    "Refreshing",
    "SSMParameter",
    "Secret",
    "SignerDocument",
    "Source",
    "WrappedKey",
    "WritableSource",
    "new_wrapped_key",
    "open_keystore",
    "open_writable",
]

# Loaded when first used: a function on Lambda loads only the modules that its kind of key needs.
_MODULES: Final = {
    "Address": "addresses",
    "CloudFrontCheck": "cloudfront_check",
    "Counts": "refreshing",
    "EnvironmentVariable": "env",
    "KMSKey": "kms",
    "KMSReference": "kms",
    "KeyFile": "file",
    "KeyStore": "store",
    "MissingError": "source",
    "Opening": "source",
    "Refreshing": "refreshing",
    "SSMParameter": "ssm",
    "Secret": "secretsmanager",
    "SignerDocument": "document",
    "Source": "source",
    "WrappedKey": "kms",
    "WritableSource": "source",
    "new_wrapped_key": "kms",
    "open_keystore": "store",
    "open_writable": "addresses",
}

__getattr__, __dir__ = names(globals(), _MODULES)
