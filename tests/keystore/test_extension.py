"""Lambda's parameters-and-secrets extension: asked over plain HTTP, in its own words, without boto3."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.servers import Quiet, http_server

from keyfront.errors import ServiceError
from keyfront.keystore import Secret, SSMParameter


class Extension:
    """What the extension answers, and what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, list[str]], str | None]] = []
        self.status = 200
        self.body: Any = {}


@pytest.fixture
def extension(monkeypatch: pytest.MonkeyPatch) -> Iterator[Extension]:
    seen = Extension()

    class Handler(Quiet):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            seen.asked.append((parts.path, parse_qs(parts.query), self.headers["X-Aws-Parameters-Secrets-Token"]))
            body = seen.body if isinstance(seen.body, bytes) else json.dumps(seen.body).encode()
            self.answer(seen.status, body)

    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "shop")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    with http_server(Handler, "localhost") as port:
        monkeypatch.setenv("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", str(port))
        yield seen


@pytest.mark.parametrize(
    ("parameter", "query"),
    [
        ("/shop/key", {"name": ["/shop/key"]}),
        ("/shop/key:3", {"name": ["/shop/key"], "version": ["3"]}),
        ("/shop/key:live", {"name": ["/shop/key"], "label": ["live"]}),
        ("arn:aws:ssm:eu-central-1:1:parameter/k", {"name": ["arn:aws:ssm:eu-central-1:1:parameter/k"]}),
    ],
)
def test_a_parameter_is_asked_of_the_extension(
    extension: Extension, parameter: str, query: dict[str, list[str]]
) -> None:
    extension.body = {"Parameter": {"Value": "the key"}}
    assert SSMParameter(parameter).read() == "the key"
    path = "/systemsmanager/parameters/get"
    assert extension.asked == [(path, {**query, "withDecryption": ["true"]}, "token")]


def test_a_secret_is_asked_of_the_extension(extension: Extension) -> None:
    extension.body = {"SecretString": "the key"}
    assert Secret("shop/key").read() == "the key"
    assert extension.asked == [("/secretsmanager/get", {"secretId": ["shop/key"]}, "token")]


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (400, b"an unexpected error occurred: AccessDeniedException: User is not", "allow ssm:GetParameter"),
        (400, b"ParameterNotFound MARKER", "400, ParameterNotFound: check the name"),
        (500, b"MARKER", "says 500"),
        (200, b"MARKER", "is not a JSON object"),
        (200, b'{"Parameter": "MARKER"}', "is not SSM's"),
    ],
)
def test_a_failure_says_what_to_do_and_not_what_was_answered(
    extension: Extension, status: int, body: bytes, said: str
) -> None:
    extension.status, extension.body = status, body
    with pytest.raises(ServiceError) as caught:
        SSMParameter("/shop/key").read()
    assert said in str(caught.value)
    assert "MARKER" not in str(caught.value)


def test_an_extension_that_does_not_answer_is_named(extension: Extension, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", "1")
    with pytest.raises(ServiceError, match="does not answer at localhost:1"):
        SSMParameter("/shop/key").read()


@pytest.mark.usefixtures("extension")
def test_the_way_to_a_signature_imports_no_boto3(extension: Extension) -> None:
    extension.body = {"Parameter": {"Value": "the key"}}
    code = (
        "import sys; from keyfront.keystore import SSMParameter; SSMParameter('/k').read(); "
        "print(any(name.partition('.')[0] in ('boto3', 'botocore') for name in sys.modules))"
    )
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert seen.stdout.strip() == "False"
