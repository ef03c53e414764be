"""Before a key is used: is its public half the one that CloudFront has under the id?"""

import json
import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config
from botocore.stub import Stubber

from keyfront import SigningKey
from keyfront.errors import KeyLoadError
from keyfront.keystore import CloudFrontCheck, KeyFile, KeyStore

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_cloudfront import CloudFrontClient


@pytest.fixture(scope="session")
def cloudfront(session: boto3.session.Session) -> "CloudFrontClient":
    return session.client("cloudfront", endpoint_url="http://127.0.0.1:1")


@pytest.fixture
def stubbed(cloudfront: "CloudFrontClient") -> Iterator[Stubber]:
    with Stubber(cloudfront) as stubber:
        yield stubber


def has(stubbed: Stubber, key: SigningKey) -> None:
    config = {"CallerReference": "c", "Name": "n", "EncodedKey": key.public_key.pem}
    stubbed.add_response("get_public_key", {"PublicKey": {"Id": "KONE", "CreatedTime": 0, "PublicKeyConfig": config}})


def test_a_key_that_fits_is_used(
    stubbed: Stubber, cloudfront: "CloudFrontClient", rsa_key: SigningKey, tmp_path: "Path"
) -> None:
    has(stubbed, rsa_key)
    private, _ = rsa_key.write(tmp_path)
    store = KeyStore(KeyFile(private), "KONE", check=CloudFrontCheck(cloudfront), ttl=0)
    store.signer()
    store.signer()  # checked once: a second question has no answer
    stubbed.assert_no_pending_responses()


def test_another_key_is_an_error_that_names_both_fingerprints(
    stubbed: Stubber, cloudfront: "CloudFrontClient", rsa_key: SigningKey, ecdsa_key: SigningKey
) -> None:
    has(stubbed, ecdsa_key)
    with pytest.raises(KeyLoadError) as caught:
        CloudFrontCheck(cloudfront)("KONE", rsa_key.public_key)
    said = str(caught.value)
    assert "not that of KONE" in said
    assert rsa_key.public_key.fingerprint in said
    assert ecdsa_key.public_key.fingerprint in said


def test_an_id_that_cloudfront_does_not_know_is_an_error(
    stubbed: Stubber, cloudfront: "CloudFrontClient", rsa_key: SigningKey
) -> None:
    stubbed.add_client_error("get_public_key", service_error_code="NoSuchPublicKey", http_status_code=404)
    with pytest.raises(KeyLoadError, match=r"has no public key KONE.*keyfront keys upload"):
        CloudFrontCheck(cloudfront)("KONE", rsa_key.public_key)


@pytest.mark.parametrize(
    ("code", "level", "said"),
    [
        ("AccessDenied", logging.INFO, "allow cloudfront:GetPublicKey"),
        ("Throttling", logging.WARNING, "CloudFront says Throttling"),
    ],
)
def test_what_cannot_be_checked_is_used_and_said(
    code: str,
    level: int,
    said: str,
    stubbed: Stubber,
    cloudfront: "CloudFrontClient",
    rsa_key: SigningKey,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "keyfront")
    stubbed.add_client_error("get_public_key", service_error_code=code)
    CloudFrontCheck(cloudfront)("KONE", rsa_key.public_key)
    record = next(each for each in caplog.records if each.name.startswith("keyfront"))
    assert record.levelno == level
    assert said in record.getMessage()


def test_a_service_that_is_out_of_reach_stops_nobody(
    cloudfront: "CloudFrontClient", rsa_key: SigningKey, caplog: pytest.LogCaptureFixture
) -> None:
    quick = boto3.session.Session(
        aws_access_key_id="testing", aws_secret_access_key="testing", region_name="us-east-1"
    ).client(
        "cloudfront",
        endpoint_url="http://127.0.0.1:1",
        config=Config(retries={"total_max_attempts": 1}),
    )
    CloudFrontCheck(quick)("KONE", rsa_key.public_key)
    assert "was not checked: EndpointConnectionError" in caplog.text
    assert json.dumps(rsa_key.pem())[30:60] not in caplog.text
