"""Where a signer's key comes from: sources, the document they hold, and one cache above them all."""

from keyfront.keystore.document import SignerDocument
from keyfront.keystore.refreshing import Refreshing
from keyfront.keystore.sources import KeyFile, Source, SSMParameter
from keyfront.keystore.store import KeyStore

__all__ = ["KeyFile", "KeyStore", "Refreshing", "SSMParameter", "SignerDocument", "Source"]
