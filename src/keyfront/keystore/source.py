"""The interface of a kind of key store: it reads the text of a signer's document, and some kinds also write it.

A kind is one class in one file, with `open` (from an address), `read` and perhaps `write`. `registry` lists the kinds.
A kind does not handle documents, caches or signers: other modules do, the same way for all kinds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from keyfront.core.key_ids import checked_key_pair_id
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
        """Its name in log lines and errors, such as `SSM parameter /shop/signing-key`."""

    def read(self) -> str:
        """Return the current text. Blocks.

        Raises `MissingError` if nothing is there, and another `KeyfrontError` if it cannot be read. No error holds
        the text.
        """


class WritableSource(Source, Protocol):
    """A source that a rotation can write to."""

    def write(self, text: str) -> None:
        """Replace the text in one step, so that every reader gets the whole old or the whole new text.

        Raises `KeyfrontError`, without the text.
        """


class MissingError(ServiceError):
    """Nothing is stored at this address."""


@dataclass(frozen=True, slots=True)
class Opening:
    """The options for opening a source. Each kind uses those that it needs."""

    key_pair_id: str | None = None
    """The public key's id in CloudFront, if it is given in addition to the address."""
    seconds: float = SECONDS
    """How long one `read` may take."""
    connect: Connect | None = None
    """Makes the AWS clients. If not given, boto3's own rules for region, credentials and endpoint apply."""
    writing: bool = False
    """Whether the source will be written. If writing cannot work, opening must fail."""

    def __post_init__(self) -> None:
        if self.key_pair_id is not None:
            checked_key_pair_id(self.key_pair_id)


class Kind(Protocol):
    """A kind's class, as the registry finds it."""

    def open(self, name: str, opening: Opening, /) -> Source:
        """Return the source that an address names (`name` is the part after the prefix). Reads nothing yet.

        Raises `InputError` for a name that cannot be right.
        """
