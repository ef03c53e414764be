"""Requests for what no service has: each service answers in its own format, which its clients read."""

from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
from botocore import parsers

from keyfront.local.aws.responses import AWSError
from keyfront.local.aws.service_models import failure, writes_json

if TYPE_CHECKING:
    from tests.local.aws.conftest import Headers, Reply, Running

SERVICES = (
    *("lambda", "apigatewayv2", "s3", "kms", "iam", "sts", "sqs", "ssm", "secretsmanager", "logs", "dynamodb"),
    *("route53", "events", "appstream", "sesv2"),
)
MODELS = botocore.session.Session()


def read(protocol: str, status: int, headers: dict[str, str], body: bytes) -> Any:
    """What a client of that protocol reads of an error."""
    parser: Any = parsers.create_parser(protocol)
    return parser.parse({"status_code": status, "headers": headers, "body": body}, None)["Error"]


def parsed(reply: "Reply", protocol: str) -> Any:
    headers = {name.lower(): value for name, value in reply.headers.items()}
    return read(protocol, reply.status, headers, reply.body)


@pytest.mark.parametrize("name", SERVICES)
def test_a_path_that_no_service_has_is_answered_in_the_services_format(
    endpoint: "Running", signed_for: "Headers", name: str
) -> None:
    model = MODELS.get_service_model(name)
    protocol = model.metadata.get("protocols", [model.metadata["protocol"]])[-1]
    if name == "sesv2":
        # It shares its name in signatures with the first version.
        protocol = "query"
    headers = signed_for(model.signing_name)
    for method, path in (("GET", "/no/such/path"), ("POST", "/2015-03-31/nothing"), ("DELETE", "/x?y=z")):
        reply = endpoint.send(method, path, headers=headers)
        error = parsed(reply, protocol)
        assert reply.status >= 400
        assert error["Code"] not in ("", str(reply.status), None), reply.body
        assert error["Message"]
        assert b"<!doctype" not in reply.body.lower()


def test_a_client_that_speaks_cbor_gets_cbor(endpoint: "Running", signed_for: "Headers") -> None:
    headers = signed_for("appstream", smithy_protocol="rpc-v2-cbor", content_type="application/cbor")
    reply = endpoint.send("POST", "/service/PhotonAdminProxyService/operation/None", b"\xa0", headers)
    assert reply.headers["smithy-protocol"] == "rpc-v2-cbor"
    assert parsed(reply, "smithy-rpc-v2-cbor")["Code"] == "NotImplemented"


def test_the_format_of_a_service_is_in_its_model() -> None:
    assert [writes_json(name) for name in ("lambda", "monitoring", "iotsecuredtunneling")] == [True] * 3
    assert not any(writes_json(name) for name in (None, "s3", "sts", "cloudfront", "nothing"))
    assert failure("kms") == ("KMSInternalException", 500)
    assert failure("nothing") == ("ServiceUnavailable", 503)


@pytest.mark.parametrize("said", ["", "é" * 300])
def test_a_text_of_any_length_is_written_in_cbor(said: str) -> None:
    answer = AWSError(400, "Refused", said).answer({"smithy-protocol": "rpc-v2-cbor"}, "appstream")
    error = read("smithy-rpc-v2-cbor", answer.status, dict(answer.headers), answer.body)
    assert (error["Code"], error["Message"]) == ("Refused", said)
