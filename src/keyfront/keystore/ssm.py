"""`ssm:NAME`: a document or a PEM in a parameter of SSM Parameter Store, decrypted by SSM."""

from typing import TYPE_CHECKING, cast

from keyfront.errors import InputError
from keyfront.keystore import direct, extension
from keyfront.keystore.refreshing import SECONDS
from keyfront.keystore.services import asked, client, connected
from keyfront.keystore.source import Opening

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient


class SSMParameter:
    """A SecureString, by its name, a name with a version or label (`/shop/key:3`), or an ARN.

    If no `client` is given, it uses Lambda's parameters-and-secrets extension if that runs, or SSM without boto3
    (`keystore.direct`). Otherwise the first read makes a client by boto3's own rules for region, credentials and
    endpoint. `seconds` limits a read in all these cases.
    """

    def __init__(self, parameter: str, client: "SSMClient | None" = None, *, seconds: float = SECONDS) -> None:
        self._parameter = parameter
        self._client = client
        self._seconds = seconds
        self.name = f"SSM parameter {parameter}"

    @classmethod
    def open(cls, name: str, opening: Opening) -> "SSMParameter":
        """Return the parameter `name`. Raises `InputError` if a version or label would be written."""
        if opening.writing and ":" in name.removeprefix("arn:").rpartition("parameter")[2]:
            raise InputError(f"ssm:{name} names a version or a label, which cannot be written: give the bare name")
        return cls(
            name, cast("SSMClient | None", connected("ssm", f"SSM parameter {name}", opening)), seconds=opening.seconds
        )

    def read(self) -> str:
        """Return the decrypted value. Raises `ServiceError` with the error's code and the missing IAM action."""
        if self._client is None and extension.is_here():
            return extension.parameter(self._parameter, name=self.name, seconds=self._seconds / 3)
        if self._client is None and (value := direct.parameter(self._parameter, seconds=self._seconds / 3)) is not None:
            return value
        ssm = self._connected()
        answer = asked(
            self.name, "ssm:GetParameter", lambda: ssm.get_parameter(Name=self._parameter, WithDecryption=True)
        )
        return answer["Parameter"]["Value"]

    def write(self, text: str) -> None:
        """Put a new version of the SecureString; tier and KMS key do not change. Raises `ServiceError`."""
        ssm = self._connected()
        asked(
            self.name,
            "ssm:PutParameter",
            lambda: ssm.put_parameter(Name=self._parameter, Value=text, Type="SecureString", Overwrite=True),
        )

    def _connected(self) -> "SSMClient":
        self._client = self._client or client("ssm", self.name, seconds=self._seconds)
        return self._client
