"""Where the text of a signer's document is kept. A source has one method; caching and refresh stand above it.

Each names itself for log lines and errors, and raises a `KeyfrontError` that says what is missing.
"""

import logging
import re
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from keyfront.errors import ServiceError

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from mypy_boto3_ssm import SSMClient


class Source(Protocol):
    """A place that holds a signer's document (see `keyfront.keystore.document`)."""

    @property
    def name(self) -> str:
        """What log lines and errors call it, such as `SSM parameter /shop/signing-key`."""

    def fetch(self) -> str:
        """The document's text as it is now. Blocks; raises `KeyfrontError`, without the text."""


class KeyFile:
    """A document or a PEM in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.name = f"the key file {path}"

    def fetch(self) -> str:
        """The file's text; `ServiceError` when it cannot be read."""
        try:
            return self._path.read_text("utf-8")
        except OSError as error:
            raise ServiceError(f"{self.name} cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise ServiceError(f"{self.name} is not text: a PEM or a JSON document is needed") from None


class SSMParameter:
    """A document or a PEM in a parameter of SSM Parameter Store, decrypted by SSM.

    `parameter` is a name, a name with a version or label (`/shop/key:3`) or an ARN. Without a `client` one is made
    at the first fetch, by boto3's own rules for region, credentials and endpoint.
    """

    def __init__(self, parameter: str, client: "SSMClient | None" = None) -> None:
        self._parameter = parameter
        self._client = client
        self.name = f"SSM parameter {parameter}"

    def fetch(self) -> str:
        """The parameter's decrypted value; `ServiceError` with the error's code and the missing IAM action."""
        # Imported late: a third of a second, which only who uses SSM should pay.
        try:
            from botocore.exceptions import BotoCoreError, ClientError
        except ModuleNotFoundError:
            raise ServiceError(f"{self.name} needs boto3: pip install 'keyfront[aws]'") from None

        try:
            if self._client is None:
                self._client = _client()
            with _unlogged_answers:
                answer = self._client.get_parameter(Name=self._parameter, WithDecryption=True)
        except ClientError as error:
            raise ServiceError(self._refusal(error)) from None
        except BotoCoreError as error:
            raise ServiceError(f"{self.name} could not be read: {_without_answer(error)}") from None
        return answer["Parameter"]["Value"]

    def _refusal(self, error: "ClientError") -> str:
        details = error.response.get("Error", {})
        code, message = details.get("Code", "Unknown"), details.get("Message", "")
        return f"{self.name} could not be read: {code}: {_advice(code, message)}"


class _UnloggedAnswers(logging.Filter):
    """While it is entered, this thread's answers stay out of botocore's debug log, which prints them whole."""

    def __init__(self) -> None:
        super().__init__()
        self._thread = threading.local()
        logging.getLogger("botocore.parsers").addFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002  logging's signature
        return not getattr(self._thread, "entered", False)

    def __enter__(self) -> None:
        self._thread.entered = True

    def __exit__(self, *_: object) -> None:
        self._thread.entered = False


_unlogged_answers: Final = _UnloggedAnswers()

_MISSING_ACTION = re.compile(r"not authorized to perform:? ([a-z0-9-]+:[A-Za-z]+)")

_ADVICE: Final = {
    "ParameterNotFound": (
        "there is no such parameter in this account and region; check PRIVATE_KEY_PARAMETER and AWS_DEFAULT_REGION"
    ),
    "ParameterVersionNotFound": "the parameter has no such version or label; check what follows the colon",
    "InvalidKeyId": "its KMS key is disabled, deleted or out of reach; allow kms:Decrypt on it",
    "ThrottlingException": "too many requests to SSM; raise the cache's time to live or SSM's throughput quota",
    "ExpiredTokenException": "the AWS credentials have expired; renew them",
    "UnrecognizedClientException": "the AWS credentials are not valid; check them",
    "InvalidSignatureException": "the AWS credentials are not valid, or this machine's clock is wrong",
}


def _advice(code: str, message: str) -> str:
    if code in ("AccessDeniedException", "AccessDenied"):
        if found := _MISSING_ACTION.search(message):
            return f"the IAM action {found[1]} is missing; allow it on the parameter and its KMS key"
        if "ciphertext" in message or "kms" in message.lower():
            return "the IAM action kms:Decrypt is missing; allow it on the parameter's KMS key"
        return "allow the IAM actions ssm:GetParameter on the parameter and kms:Decrypt on its KMS key"
    return _ADVICE.get(code, message or "SSM gave no reason")


def _client() -> "SSMClient":
    import boto3
    from botocore.config import Config

    # Somebody waits for a download while this runs, and there is a last good key: better early than late.
    config = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 2})
    # A session of its own: boto3's default one must not be shared between threads.
    return boto3.session.Session().client("ssm", config=config)


def _without_answer(error: Exception) -> str:
    """The text of an error of botocore's; of a parser's only its kind, because it quotes the answer."""
    kind = type(error).__name__
    if kind == "NoRegionError":
        return "NoRegionError: no AWS region is set; set AWS_DEFAULT_REGION"
    return f"{kind}: {error}" if "Parser" not in kind else f"{kind}: the endpoint's answer is not SSM's"
