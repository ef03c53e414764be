"""`secretsmanager:NAME`: a document or a PEM in a secret of Secrets Manager."""

from typing import TYPE_CHECKING, cast

from keyfront.errors import ServiceError
from keyfront.keystore import extension
from keyfront.keystore.refreshing import SECONDS
from keyfront.keystore.services import asked, client, connected
from keyfront.keystore.source import Opening

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


class Secret:
    """A secret's current version (`AWSCURRENT`), by its name or ARN.

    If no `client` is given, it uses Lambda's parameters-and-secrets extension if that runs. Otherwise the first read
    makes a client by boto3's own rules. `seconds` limits a read in both cases.
    """

    def __init__(self, secret: str, client: "SecretsManagerClient | None" = None, *, seconds: float = SECONDS) -> None:
        self._secret = secret
        self._client = client
        self._seconds = seconds
        self.name = f"secret {secret}"

    @classmethod
    def open(cls, name: str, opening: Opening) -> "Secret":
        """Return the secret `name`."""
        made = connected("secretsmanager", f"secret {name}", opening)
        return cls(name, cast("SecretsManagerClient | None", made), seconds=opening.seconds)

    def read(self) -> str:
        """Return the secret's text. Raises `ServiceError` with the error's code and the missing IAM action."""
        if self._client is None and extension.is_here():
            return extension.secret(self._secret, name=self.name, seconds=self._seconds / 3)
        manager = self._connected()
        answer = asked(
            self.name, "secretsmanager:GetSecretValue", lambda: manager.get_secret_value(SecretId=self._secret)
        )
        if "SecretString" not in answer:
            raise ServiceError(f"{self.name} holds bytes: store the document as text (SecretString)")
        return answer["SecretString"]

    def write(self, text: str) -> None:
        """Put a new current version. Makes the secret if no secret has this name. Raises `ServiceError`."""
        manager = self._connected()

        def put() -> None:
            try:
                manager.put_secret_value(SecretId=self._secret, SecretString=text)
            except manager.exceptions.ResourceNotFoundException:
                if self._secret.startswith("arn:"):
                    raise
                manager.create_secret(Name=self._secret, SecretString=text)

        asked(self.name, "secretsmanager:PutSecretValue", put)

    def _connected(self) -> "SecretsManagerClient":
        self._client = self._client or client("secretsmanager", self.name, seconds=self._seconds)
        return self._client
