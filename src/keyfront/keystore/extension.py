"""AWS's parameters-and-secrets extension for Lambda: SSM and Secrets Manager over plain HTTP on localhost, cached.

Without it a function's first signature waits for boto3's import, which takes longer than everything else. As with
`direct`, every program that opens `ssm:` or `secretsmanager:` in a function uses this.
Source: Systems Manager User Guide, "Using Parameter Store parameters in Lambda functions".
"""

import json
import os
import socket
from typing import Final
from urllib.parse import quote

from keyfront.errors import ServiceError

SECONDS: Final = 5.0
_DEFAULT_PORT: Final = 2773
_PIECE: Final = 64 * 1024


def is_here() -> bool:
    """Return whether this process is a Lambda function with the extension's layer."""
    # The layer is recognised by its own variables or, if only defaults are used, by its file.
    if "AWS_SESSION_TOKEN" not in os.environ or "AWS_LAMBDA_FUNCTION_NAME" not in os.environ:
        return False
    return "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT" in os.environ or os.path.lexists(
        "/opt/extensions/AWSParametersAndSecretsLambdaExtension"
    )


def parameter(parameter: str, *, name: str, seconds: float = SECONDS) -> str:
    """Return the decrypted value of an SSM parameter: a name, `name:version`, or an ARN. Raises `ServiceError`.

    `seconds` limits the wait for each piece of the response.
    """
    wanted, version = _versioned(parameter)
    query = f"name={quote(wanted, safe='')}&withDecryption=true" + (f"&{version}" if version else "")
    try:
        value = _get(f"/systemsmanager/parameters/get?{query}", name, seconds)["Parameter"]["Value"]
    except (KeyError, TypeError):
        raise ServiceError(f"{name} could not be read: the extension's response is not SSM's") from None
    return str(value)


def secret(secret: str, *, name: str, seconds: float = SECONDS) -> str:
    """Return the current text of a secret. Raises `ServiceError`. `seconds` is as for `parameter`."""
    try:
        value = _get(f"/secretsmanager/get?secretId={quote(secret, safe='')}", name, seconds)["SecretString"]
    except (KeyError, TypeError):
        raise ServiceError(f"{name} holds no text, or the extension's response is not Secrets Manager's") from None
    return str(value)


def _versioned(parameter: str) -> tuple[str, str]:
    """Return a parameter's name, and its version or label as the extension's query has it."""
    if parameter.startswith("arn:"):
        return parameter, ""
    wanted, _, version = parameter.partition(":")
    if not version:
        return wanted, ""
    return wanted, f"{'version' if version.isdigit() else 'label'}={quote(version, safe='')}"


def _get(target: str, name: str, seconds: float) -> dict[str, dict[str, str]]:
    port = int(os.environ.get("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT") or _DEFAULT_PORT)
    try:
        status, body = _answer(target, port, seconds)
    except (OSError, ValueError, IndexError) as error:
        raise ServiceError(
            f"{name} could not be read: the parameters-and-secrets extension does not answer at localhost:{port} "
            f"({type(error).__name__})"
        ) from None
    if status != 200:
        raise ServiceError(f"{name} could not be read: {_refused(status, body)}")
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ServiceError(f"{name} could not be read: the extension's response is not a JSON object")
    return found


def _answer(target: str, port: int, seconds: float) -> tuple[int, bytes]:
    """Return status and body.

    It uses HTTP/1.0, where the response ends with the connection, because `http.client` takes 12 ms to import.
    """
    token = os.environ["AWS_SESSION_TOKEN"]
    asked = f"GET {target} HTTP/1.0\r\nHost: localhost:{port}\r\nX-Aws-Parameters-Secrets-Token: {token}\r\n\r\n"
    answer = bytearray()
    with socket.socket() as connection:
        connection.settimeout(seconds)
        connection.connect(("localhost", port))
        connection.sendall(asked.encode("ascii"))
        while piece := connection.recv(_PIECE):
            answer += piece
    head, _, body = bytes(answer).partition(b"\r\n\r\n")
    return int(head.split(b" ", 2)[1]), body


def _refused(status: int, body: bytes) -> str:
    text = body.decode("utf-8", "replace")
    if "AccessDenied" in text:
        return (
            f"the extension says {status}, AccessDenied: allow ssm:GetParameter or secretsmanager:GetSecretValue on "
            "it, and kms:Decrypt on the KMS key that encrypts it"
        )
    for code in ("ParameterNotFound", "ResourceNotFoundException"):
        if code in text:
            return f"the extension says {status}, {code}: check the name and the region"
    return f"the extension says {status}"
