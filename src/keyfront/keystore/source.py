"""What every kind of key store offers: the text of a signer's document, read and, where the kind can, written.

A kind is one class in one file, with `open` (from an address), `read` and perhaps `write`; `registry` lists them. It
knows nothing of documents, caches or signers: those stand above it, the same for all kinds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from keyfront.errors import ServiceError
from keyfront.keystore.refreshing import SECONDS

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_ssm import SSMClient

Service = Literal["ssm", "secretsmanager", "kms"]
Connect = Callable[[Service], "SSMClient | SecretsManagerClient | KMSClient"]
"""Returns a client of an AWS service, such as a boto3 session's `client`."""


class Source(Protocol):
    """Holds the text of a signer's document, or a PEM (see `keyfront.keystore.document`)."""

    @property
    def name(self) -> str:
        """What log lines and errors call it, such as `SSM parameter /shop/signing-key`."""

    def read(self) -> str:
        """The text as it is now. Blocks.

        Raises `MissingError` if nothing is there, and another `KeyfrontError` if it cannot be read. No error holds
        the text.
        """


class WritableSource(Source, Protocol):
    """A source that a rotation can write to."""

    def write(self, text: str) -> None:
        """Replaces the text in one step, so that every reader gets the old or the new one whole.

        Raises `KeyfrontError`, without the text.
        """


class MissingError(ServiceError):
    """Nothing is stored at this address."""


@dataclass(frozen=True, slots=True)
class Opening:
    """How a source is opened. Each kind takes what it needs."""

    key_pair_id: str | None = None
    """The public key's id in CloudFront, given beside the address."""
    seconds: float = SECONDS
    """How long one `read` may take."""
    connect: Connect | None = None
    """Makes the AWS clients. If not given, boto3's own rules for region, credentials and endpoint hold."""
    writing: bool = False
    """Whether the source will be written: what would fail then must fail when it is opened."""


class Kind(Protocol):
    """A kind's class, as the registry finds it."""

    def open(self, name: str, opening: Opening, /) -> Source:
        """The source that an address names (`name` is what follows the prefix). Reads nothing yet.

        Raises `InputError` for a name that cannot be right.
        """
