"""Requests to AWS for keys: explains errors in words, and keeps secrets out of logs and errors."""

import logging
import re
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Literal, TypedDict, TypeVar, overload

from keyfront.errors import NO_CREDENTIALS, NO_REGION, ServiceError
from keyfront.home import install
from keyfront.keystore.refreshing import SECONDS
from keyfront.keystore.source import MissingError, Opening, Service

if TYPE_CHECKING:
    from botocore.config import _RetryDict
    from botocore.exceptions import ClientError
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_ssm import SSMClient

Result = TypeVar("Result")

_CONNECTIONS: Final = 20


class _Bounds(TypedDict):
    connect_timeout: float
    read_timeout: float
    retries: "_RetryDict"


def asked(name: str, action: str, call: Callable[[], Result]) -> Result:
    """Return the response to `call`, a boto3 request.

    `name` is the resource's name in errors. `action` is the IAM action that the request needs. Raises `ServiceError`
    with the error's code and what to do (`MissingError` if nothing is there). No log line or error holds any part of
    the response.
    """
    # Imported late: it takes a third of a second, and only programs that use AWS need it.
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        with _unlogged_answers:
            return call()
    except ClientError as error:
        raise _refusal(name, action, error) from None
    except BotoCoreError as error:
        raise ServiceError(f"{name} could not be {_done(action)}: {_without_answer(error)}") from None


def connected(service: Service, name: str, opening: Opening) -> "SSMClient | SecretsManagerClient | KMSClient | None":
    """Return the client for a source; `None` if the source may use a faster way to read.

    A source that will be written is read from the service itself, because Lambda's extension answers from its cache.
    """
    if opening.connect is not None:
        return opening.connect(service)
    return client(service, name, seconds=opening.seconds) if opening.writing else None


@overload
def client(service: Literal["ssm"], name: str, *, seconds: float = SECONDS) -> "SSMClient": ...
@overload
def client(service: Literal["secretsmanager"], name: str, *, seconds: float = SECONDS) -> "SecretsManagerClient": ...
@overload
def client(service: Literal["kms"], name: str, *, seconds: float = SECONDS) -> "KMSClient": ...
@overload
def client(
    service: Service, name: str, *, seconds: float = SECONDS
) -> "SSMClient | SecretsManagerClient | KMSClient": ...
def client(service: Service, name: str, *, seconds: float = SECONDS) -> "SSMClient | SecretsManagerClient | KMSClient":
    """Return a client by boto3's own rules for region, credentials and endpoint. Errors name `name`.

    A request without a response is sent twice within `seconds`. Raises `ServiceError` without boto3 or a region.
    """
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ModuleNotFoundError:
        raise ServiceError(f"{name} needs boto3: {install('aws')}") from None

    config = Config(**bounds(seconds), max_pool_connections=_CONNECTIONS)
    try:
        # A new session: boto3's default session must not be shared between threads.
        return boto3.session.Session().client(service, config=config)
    except BotoCoreError as error:
        raise ServiceError(f"{name} could not be read: {_without_answer(error)}") from None


def bounds(seconds: float, attempts: int = 2) -> _Bounds:
    """Return botocore's settings for this number of attempts within `seconds`.

    Each of two attempts gets a third, because botocore pauses before the next.
    """
    each = seconds / 3 if attempts > 1 else seconds
    return {
        "connect_timeout": each,
        "read_timeout": each,
        "retries": {"mode": "standard", "total_max_attempts": attempts},
    }


class _UnloggedAnswers(logging.Filter):
    """While it is entered, this thread's responses stay out of botocore's debug log, which prints them in full."""

    def __init__(self) -> None:
        super().__init__()
        self._thread = threading.local()
        # These loggers print responses, and requests that write a secret.
        for each in ("botocore.parsers", "botocore.endpoint", "botocore.hooks", "botocore.client", "botocore.auth"):
            logging.getLogger(each).addFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002  logging's signature
        return not getattr(self._thread, "entered", False)

    def __enter__(self) -> None:
        self._thread.entered = True

    def __exit__(self, *_: object) -> None:
        self._thread.entered = False


_unlogged_answers: Final = _UnloggedAnswers()

_MISSING_ACTION = re.compile(r"not authorized to perform:? ([a-z0-9-]+:[A-Za-z]+)")

_SERVICES: Final = {"ssm": "SSM", "secretsmanager": "Secrets Manager", "kms": "KMS", "cloudfront": "CloudFront"}
_NOT_THERE: Final = "in this account and region; check the name and AWS_DEFAULT_REGION"
_SETTINGS: Final = {"NoCredentialsError": NO_CREDENTIALS, "NoRegionError": NO_REGION}
_MISSING: Final = ("ParameterNotFound", "ResourceNotFoundException")
_ADVICE: Final = {
    "ParameterNotFound": f"there is no such parameter {_NOT_THERE}",
    "ParameterVersionNotFound": "the parameter has no such version or label; check what follows the colon",
    "ResourceNotFoundException": f"there is no such secret {_NOT_THERE}",
    "NotFoundException": f"there is no such key or alias {_NOT_THERE}",
    "InvalidKeyId": "its KMS key is disabled, deleted or not accessible; allow kms:Decrypt on it",
    "DisabledException": "the KMS key is disabled; enable it",
    "KMSInvalidStateException": "the KMS key is not enabled (it may be waiting to be deleted)",
    "InvalidKeyUsageException": "the KMS key is not for SIGN_VERIFY; make one that is",
    "DecryptionFailure": "its KMS key cannot decrypt it; allow kms:Decrypt on it",
    "ExpiredTokenException": "the AWS credentials have expired; renew them",
    "ExpiredToken": "the AWS credentials have expired; renew them",
    "UnrecognizedClientException": "the AWS credentials are not valid; check them",
    "InvalidClientTokenId": "the AWS credentials are not valid; check them",
    "InvalidSignatureException": "the AWS credentials are not valid, or this machine's clock is wrong",
}


def _refusal(name: str, action: str, error: "ClientError") -> ServiceError:
    details = error.response.get("Error", {})
    code, message = details.get("Code", "Unknown"), details.get("Message", "")
    kind = MissingError if code in _MISSING else ServiceError
    return kind(f"{name} could not be {_done(action)}: {code}: {_advice(action, code, message)}")


def _done(action: str) -> str:
    return "written" if ":Put" in action else "read"


def _advice(action: str, code: str, message: str) -> str:
    prefix = action.partition(":")[0]
    service = _SERVICES.get(prefix, prefix)
    if code in ("AccessDeniedException", "AccessDenied"):
        if found := _MISSING_ACTION.search(message):
            return f"the IAM action {found[1]} is missing; allow it, and kms:Decrypt on the KMS key that encrypts it"
        if "ciphertext" in message or ("kms" in message.lower() and service != "KMS"):
            return "the IAM action kms:Decrypt is missing; allow it on the KMS key that encrypts it"
        return f"allow the IAM action {action} on it, and kms:Decrypt on the KMS key that encrypts it"
    if code in ("ThrottlingException", "Throttling", "LimitExceededException"):
        return f"too many requests to {service}; raise the cache's time to live or the quota of {service}"
    return _ADVICE.get(code, message or f"{service} gave no reason")


def _without_answer(error: Exception) -> str:
    """Return the text of a botocore error; for a parser's error only its type, because it quotes the response."""
    kind = type(error).__name__
    if kind in _SETTINGS:
        return _SETTINGS[kind]
    return f"{kind}: {error}" if "Parser" not in kind else f"{kind}: the endpoint's response is not from AWS"
