"""Where a rotation writes a signer's document: in one write, after which every reader gets the new one whole."""

import contextlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from keyfront.errors import InputError, ServiceError
from keyfront.keystore.addresses import Address
from keyfront.keystore.document import SignerDocument
from keyfront.keystore.services import asked, client
from keyfront.ownership import check_owner

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_ssm import SSMClient


class Place(Protocol):
    """A place that holds one signer's document."""

    @property
    def name(self) -> str:
        """What log lines and errors call it."""

    def read(self) -> SignerDocument | None:
        """The document; `None` where nothing is. Raises `KeyfrontError`."""

    def write(self, document: SignerDocument) -> None:
        """Put `document` in the place of what is there, in one step. Raises `KeyfrontError`."""


def open_place(
    address: str,
    key_pair_id: str | None = None,
    *,
    ssm: "SSMClient | None" = None,
    secretsmanager: "SecretsManagerClient | None" = None,
) -> Place:
    """The place that `address` names: `ssm:/NAME`, `secretsmanager:NAME` or `file:PATH`.

    `key_pair_id` is the id of a PEM that stands there alone. Clients are made by boto3's own rules where none is
    given. Raises `InputError` for another address: an environment variable or a bare KMS key cannot be written.
    """
    where = Address.parse(address)
    match where.kind:
        case "file":
            return FilePlace(Path(where.name), key_pair_id)
        case "ssm":
            return ParameterPlace(where.name, key_pair_id, ssm)
        case "secretsmanager":
            return SecretPlace(where.name, key_pair_id, secretsmanager)
    raise InputError(
        f"{address} cannot hold a signer's document: use ssm:/NAME, secretsmanager:NAME or file:PATH "
        '(for a key in KMS the document there says "kms_key")'
    )


class FilePlace:
    """A file of mode 0600, replaced by another in one step. One that others may write to is not read."""

    def __init__(self, path: Path, key_pair_id: str | None = None) -> None:
        self._path = path
        self._key_pair_id = key_pair_id
        self.name = f"the key file {path}"

    def read(self) -> SignerDocument | None:
        try:
            with self._path.open(encoding="utf-8") as file:
                check_owner(self._path, os.fstat(file.fileno()))
                text = file.read()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise ServiceError(f"{self.name} cannot be read: {getattr(error, 'strerror', 'it is not text')}") from None
        return SignerDocument.parse(text, source=self.name, key_pair_id=self._key_pair_id)

    def write(self, document: SignerDocument) -> None:
        try:
            descriptor, beside = tempfile.mkstemp(prefix=f".{self._path.name}.", dir=self._path.parent)
            try:
                with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                    file.write(document.to_json())
                    file.flush()
                    os.fsync(file.fileno())
                Path(beside).replace(self._path)
            except BaseException:
                with contextlib.suppress(OSError):
                    Path(beside).unlink()
                raise
            folder = os.open(self._path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise ServiceError(f"{self.name} cannot be written: {error.strerror}") from None


class ParameterPlace:
    """A SecureString of SSM Parameter Store; tier and KMS key stay as they are."""

    def __init__(self, parameter: str, key_pair_id: str | None = None, ssm: "SSMClient | None" = None) -> None:
        if ":" in parameter.removeprefix("arn:").rpartition("parameter")[2]:
            raise InputError(f"ssm:{parameter} names a version or a label: a document is written to the bare name")
        self._parameter = parameter
        self._key_pair_id = key_pair_id
        self.name = f"SSM parameter {parameter}"
        self._ssm = ssm or client("ssm", self.name)

    def read(self) -> SignerDocument | None:
        ssm = self._ssm

        def get() -> str | None:
            try:
                return ssm.get_parameter(Name=self._parameter, WithDecryption=True)["Parameter"]["Value"]
            except ssm.exceptions.ParameterNotFound:
                return None

        text = asked(self.name, "ssm:GetParameter", get)
        if text is None:
            return None
        return SignerDocument.parse(text, source=self.name, key_pair_id=self._key_pair_id)

    def write(self, document: SignerDocument) -> None:
        ssm, text = self._ssm, document.to_json()
        asked(
            self.name,
            "ssm:PutParameter",
            lambda: ssm.put_parameter(Name=self._parameter, Value=text, Type="SecureString", Overwrite=True),
        )


class SecretPlace:
    """A secret of Secrets Manager: the document is its current version."""

    def __init__(
        self, secret: str, key_pair_id: str | None = None, manager: "SecretsManagerClient | None" = None
    ) -> None:
        self._secret = secret
        self._key_pair_id = key_pair_id
        self.name = f"secret {secret}"
        self._manager = manager or client("secretsmanager", self.name)

    def read(self) -> SignerDocument | None:
        manager = self._manager

        def get() -> str | None:
            try:
                return manager.get_secret_value(SecretId=self._secret).get("SecretString")
            except manager.exceptions.ResourceNotFoundException:
                return None

        text = asked(self.name, "secretsmanager:GetSecretValue", get)
        if text is None:
            return None
        return SignerDocument.parse(text, source=self.name, key_pair_id=self._key_pair_id)

    def write(self, document: SignerDocument) -> None:
        manager, text = self._manager, document.to_json()

        def put() -> None:
            try:
                manager.put_secret_value(SecretId=self._secret, SecretString=text)
            except manager.exceptions.ResourceNotFoundException:
                if self._secret.startswith("arn:"):
                    raise
                manager.create_secret(Name=self._secret, SecretString=text)

        asked(self.name, "secretsmanager:PutSecretValue", put)
