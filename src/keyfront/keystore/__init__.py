"""Where a signer's key comes from: sources, the document they hold, and one cache above them all."""

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
