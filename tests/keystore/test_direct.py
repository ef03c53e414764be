"""SSM asked without an SDK: signed as botocore signs, and left to boto3 wherever that knows better."""

import json
import ssl
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from keyfront.errors import ServiceError
from keyfront.keystore import SSMParameter, direct

LAMBDA = {
    "AWS_LAMBDA_FUNCTION_NAME": "shop",
    "AWS_REGION": "eu-central-1",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    "AWS_SESSION_TOKEN": "token",
}


@pytest.fixture
def function(aws_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables of a Lambda function, whose SSM is moto's."""
    for name in direct.FOR_BOTO3:
        monkeypatch.delenv(name, raising=False)
    for name, value in (LAMBDA | {"AWS_ENDPOINT_URL_SSM": aws_url}).items():
        monkeypatch.setenv(name, value)


def test_a_request_is_signed_as_botocore_signs_it() -> None:
    body = b'{"Name": "/shop/k\xc3\xa4y", "WithDecryption": true}'
    host = "ssm.eu-central-1.amazonaws.com"
    ours = direct.signed(host, body, "eu-central-1", LAMBDA, 1_800_000_000.9)
    request = AWSRequest("POST", f"https://{host}/", data=body)
    for name in ("content-type", "host", "x-amz-date", "x-amz-security-token", "x-amz-target"):
        request.headers[name] = ours[name]
    request.context["timestamp"] = ours["x-amz-date"]
    credentials = Credentials(LAMBDA["AWS_ACCESS_KEY_ID"], LAMBDA["AWS_SECRET_ACCESS_KEY"], "token")
    auth = SigV4Auth(credentials, "ssm", "eu-central-1")
    text = auth.string_to_sign(request, auth.canonical_request(request))
    assert ours["x-amz-date"] == "20270115T080000Z"
    assert ours["authorization"].endswith(f"Signature={auth.signature(text, request)}")
    assert f"SignedHeaders={auth.signed_headers(auth.headers_to_sign(request))}," in ours["authorization"]


@pytest.mark.usefixtures("function")
def test_a_lambda_function_gets_its_parameter_without_importing_boto3(ssm: Any) -> None:
    ssm.put_parameter(Name="/direct/key", Value="the key", Type="SecureString")
    code = (
        "import sys; from keyfront.keystore import SSMParameter; print(SSMParameter('/direct/key').read(), "
        "any(name.partition('.')[0] in ('boto3', 'botocore') for name in sys.modules))"
    )
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert seen.stdout.split("\n")[0] == "the key False"


@pytest.mark.usefixtures("function")
def test_what_ssm_refuses_is_told_by_boto3() -> None:
    assert direct.parameter("/direct/nothing") is None
    with pytest.raises(ServiceError, match="ParameterNotFound: there is no such parameter"):
        SSMParameter("/direct/nothing").read()


@pytest.mark.usefixtures("function")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AWS_LAMBDA_FUNCTION_NAME", ""),
        ("AWS_SESSION_TOKEN", ""),
        ("AWS_PROFILE", "shop"),
        ("HTTPS_PROXY", "http://proxy:3128"),
        ("AWS_USE_FIPS_ENDPOINT", "true"),
        ("AWS_ENDPOINT_URL_SSM", "http://127.0.0.1:1"),
        ("AWS_ENDPOINT_URL_SSM", "ftp://127.0.0.1"),
        ("AWS_ENDPOINT_URL_SSM", "http://127.0.0.1:1/ssm"),
        ("AWS_ENDPOINT_URL_SSM", "http://[::1"),
    ],
)
def test_where_boto3_knows_better_it_is_asked(name: str, value: str, ssm: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ssm.put_parameter(Name="/direct/key", Value="the key", Type="SecureString", Overwrite=True)
    assert direct.parameter("/direct/key") == "the key"
    monkeypatch.setenv(name, value)
    assert direct.parameter("/direct/key") is None


@pytest.mark.usefixtures("function")
def test_over_https_only_a_server_that_is_trusted_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str | None] = []

    class Server(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.headers["X-Amz-Target"])
            body = json.dumps({"Parameter": {"Value": "the key"}}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with HTTPServer(("localhost", 0), Server) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", f"https://localhost:{server.server_port}")
        monkeypatch.delenv("SSL_CERT_FILE", raising=False)
        assert direct.parameter("/direct/key") is None
        assert asked == []
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        assert direct.parameter("/direct/key") == "the key"
        assert asked == ["AmazonSSM.GetParameter"]
        server.shutdown()
