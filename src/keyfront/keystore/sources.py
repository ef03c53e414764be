"""Where the text of a signer's document is kept. A source has one method; caching and refresh stand above it.

Each names itself for log lines and errors, and raises a `KeyfrontError` that says what is missing.
"""

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from keyfront.errors import InputError, ServiceError
from keyfront.keystore import direct, extension
from keyfront.keystore.refreshing import SECONDS
from keyfront.keystore.services import asked, client

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_ssm import SSMClient


class Source(Protocol):
    """A place that holds a signer's document (see `keyfront.keystore.document`)."""

    @property
    def name(self) -> str:
        """What log lines and errors call it, such as `SSM parameter /shop/signing-key`."""

    def fetch(self) -> str:
        """The document's text as it is now. Blocks; raises `KeyfrontError`, without the text."""


class KeyFile:
    """A document or a PEM in a file that nobody but its owner may read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.name = f"the key file {path}"

    def fetch(self) -> str:
        """The file's text. `InputError` where others may read it, `ServiceError` when it cannot be read."""
        try:
            with self._path.open(encoding="utf-8") as file:
                mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
                if mode & 0o077:
                    raise InputError(
                        f"{self.name} has mode {mode:04o}, so that others than its owner can read or change it: "
                        f"chmod 600 {self._path}"
                    )
                return file.read()
        except OSError as error:
            raise ServiceError(f"{self.name} cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise ServiceError(f"{self.name} is not text: a PEM or a JSON document is needed") from None


class EnvironmentVariable:
    """A document or a PEM in an environment variable. Other processes of this user can see it; KMS can wrap it."""

    def __init__(self, variable: str, environment: Mapping[str, str] | None = None) -> None:
        self._variable = variable
        self._environment = os.environ if environment is None else environment
        self.name = f"the environment variable {variable}"

    def fetch(self) -> str:
        """The variable's text; `ServiceError` when it is not set."""
        text = self._environment.get(self._variable, "")
        if not text.strip():
            raise ServiceError(f"{self.name} is not set: give it a private key in PEM, or a signer's document")
        return text


class SSMParameter:
    """A document or a PEM in a parameter of SSM Parameter Store, decrypted by SSM.

    `parameter` is a name, a name with a version or label (`/shop/key:3`) or an ARN. Without a `client` Lambda's
    parameters-and-secrets extension is asked where it runs, or SSM without boto3 (`keystore.direct`); else one is made
    at the first fetch, by boto3's own rules for region, credentials and endpoint. `seconds` bounds a fetch by those.
    """

    def __init__(self, parameter: str, client: "SSMClient | None" = None, *, seconds: float = SECONDS) -> None:
        self._parameter = parameter
        self._client = client
        self._seconds = seconds
        self.name = f"SSM parameter {parameter}"

    def fetch(self) -> str:
        """The parameter's decrypted value; `ServiceError` with the error's code and the missing IAM action."""
        if self._client is None and extension.is_here():
            return extension.parameter(self._parameter, name=self.name, seconds=self._seconds / 3)
        if self._client is None and (value := direct.parameter(self._parameter, seconds=self._seconds / 3)) is not None:
            return value
        ssm = self._client = self._client or client("ssm", self.name, seconds=self._seconds)
        answer = asked(
            self.name, "ssm:GetParameter", lambda: ssm.get_parameter(Name=self._parameter, WithDecryption=True)
        )
        return answer["Parameter"]["Value"]


class Secret:
    """A document or a PEM in a secret of Secrets Manager: its current version (`AWSCURRENT`).

    `secret` is a name or an ARN. `client` and `seconds` as with `SSMParameter`.
    """

    def __init__(self, secret: str, client: "SecretsManagerClient | None" = None, *, seconds: float = SECONDS) -> None:
        self._secret = secret
        self._client = client
        self._seconds = seconds
        self.name = f"secret {secret}"

    def fetch(self) -> str:
        """The secret's text; `ServiceError` with the error's code and the missing IAM action."""
        if self._client is None and extension.is_here():
            return extension.secret(self._secret, name=self.name, seconds=self._seconds / 3)
        manager = self._client = self._client or client("secretsmanager", self.name, seconds=self._seconds)
        answer = asked(
            self.name, "secretsmanager:GetSecretValue", lambda: manager.get_secret_value(SecretId=self._secret)
        )
        if "SecretString" not in answer:
            raise ServiceError(f"{self.name} holds bytes: store the document as text (SecretString)")
        return answer["SecretString"]
