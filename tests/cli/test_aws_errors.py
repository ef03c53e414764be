"""What AWS, or the way to it, can say no with: one clear line each, and what to do."""

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from keyfront.core.keys import SigningKey

Run = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize(
    ("status", "code", "complaint"),
    [
        (403, "AccessDenied", "not allowed: this needs the IAM action cloudfront:ListPublicKeys (said the test)"),
        (403, "ExpiredToken", "the AWS session has expired: sign in again"),
        (403, "InvalidClientTokenId", "AWS does not accept these credentials"),
        (403, "SignatureDoesNotMatch", "AWS does not accept these credentials"),
        (400, "Throttling", "CloudFront is throttling requests: try again in a minute"),
        (501, "NotImplemented", "said the test (NotImplemented)"),
        (500, "InternalError", "said the test (InternalError)"),
    ],
)
def test_a_refusal_says_what_to_do(run: Run, service: Any, status: int, code: str, complaint: str) -> None:
    service.fail(status, code)
    answer, out, err = run("keys", "list")
    assert (answer, out) == (1, "")
    assert err.startswith(f"error: {complaint}")
    assert err.count("\n") == 1
    answer, out, err = run("keys", "list", "--json")
    assert (answer, out) == (1, "")
    assert json.loads(err)["error"].startswith(complaint)


def test_who_may_not_list_still_learns_that_the_key_is_in_use(run: Run, service: Any, ecdsa: Path) -> None:
    key = run("keys", "upload", ecdsa / "public_key.pem", "--name", "shop")[1].strip()
    run("groups", "create", "shop", key)

    def forbid(method: str, path: str) -> tuple[int, str] | None:
        if path.endswith("/key-group"):
            return 403, "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>"
        return None

    service.before = forbid
    status, _, err = run("keys", "delete", key)
    assert status == 1
    assert "PublicKeyInUse" in err


def test_no_credentials_for_amazon(run: Run, no_aws: pytest.MonkeyPatch) -> None:
    # Found missing before anything is sent.
    status, out, err = run("groups", "list", "--endpoint-url", "https://cloudfront.invalid")
    assert (status, out) == (2, "")
    assert err.startswith("error: no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
    assert "for keyfront up, use the `export` line" in err
    no_aws.setenv("AWS_DEFAULT_REGION", "us-east-1")
    for command in (
        ["audit", "--endpoint-url", "https://cloudfront.invalid"],
        ["sign", "https://example.com/a", "--signer", "ssm:/shop/key"],
    ):
        status, out, said = run(*command, *(["--expires", "1h"] if command[0] == "sign" else []))
        assert (status, out) == (2, "")
        assert "no AWS credentials: set AWS_ACCESS_KEY_ID" in said


def test_half_of_the_credentials(run: Run, service: Any, no_aws: pytest.MonkeyPatch) -> None:
    no_aws.delenv("AWS_SECRET_ACCESS_KEY")
    status, _, err = run("groups", "list")
    assert status == 2
    assert "missing: AWS_SECRET_ACCESS_KEY" in err


def test_an_unknown_profile(run: Run, service: Any) -> None:
    status, _, err = run("groups", "list", "--profile", "nobody")
    assert (status, err) == (2, "error: The config profile (nobody) could not be found\n")


@pytest.mark.parametrize("url", ["127.0.0.1:4566", "nonsense", "http://"])
def test_an_endpoint_that_is_no_url(run: Run, service: Any, url: str) -> None:
    status, _, err = run("groups", "list", "--endpoint-url", url)
    assert status == 2
    assert f"Invalid endpoint: {url}: write the whole URL, such as http://127.0.0.1:4566" in err


def test_nobody_answers(run: Run, service: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    status, _, err = run("groups", "list", "--endpoint-url", f"http://127.0.0.1:{port}")
    assert status == 2
    assert f"Could not connect to the endpoint URL: http://127.0.0.1:{port}/" in err
    assert err.endswith("is it running, and is the endpoint URL right?\n")


def test_the_answer_is_no_cloudfront(run: Run, service: Any) -> None:
    service.before = lambda method, path: (200, "<html>hello</html>")
    status, out, err = run("groups", "list")
    assert (status, out) == (2, "")
    assert err.count("\n") == 1
    service.before = lambda method, path: (404, "not here")
    status, out, err = run("groups", "list")
    assert (status, out) == (1, "")
    assert err.count("\n") == 1


def test_an_algorithm_that_cloudfront_once_took_is_listed_as_other(run: Run, service: Any, ecdsa: Path) -> None:
    """Field-level encryption has keys of its own in the same list; this one is an RSA key of 1024 bits."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    small = rsa.generate_private_key(public_exponent=65537, key_size=1024).public_key()
    pem = small.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    right = SigningKey.load(ecdsa / "private_key.pem").public_key
    page = (
        "<PublicKeyList><MaxItems>100</MaxItems><Quantity>2</Quantity><Items>"
        + "".join(
            f"<PublicKeySummary><Id>{name}</Id><Name>{name}</Name><CreatedTime>2024-05-06T07:08:09.123Z</CreatedTime>"
            f"<EncodedKey>{text}</EncodedKey></PublicKeySummary>"
            for name, text in (("KOLD", pem), ("KNEW", right.pem))
        )
        + "</Items></PublicKeyList>"
    )
    service.before = lambda method, path: (200, page) if path.endswith("/public-key") else None
    status, out, _ = run("keys", "list")
    assert status == 0
    assert [line.split() for line in out.splitlines()[1:]] == [
        ["KOLD", "KOLD", "other", "-", "2024-05-06", "07:08", "-"],
        ["KNEW", "KNEW", "ecdsa", right.fingerprint[:19], "2024-05-06", "07:08", "-"],
    ]
