"""AWS and the extension that accept a connection and never answer, or answer byte by byte."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from tests.keystore.parts import Mode, Part, part

from keyfront.backend.service.dynamodb import DynamoTable
from keyfront.core.keys import SigningKey
from keyfront.errors import ServiceError
from keyfront.keystore import (
    CloudFrontCheck,
    KeyStore,
    Refreshing,
    Secret,
    SignerDocument,
    SSMParameter,
    direct,
    open_keystore,
)
from keyfront.keystore.kms import KMSKey
from keyfront.keystore.services import client

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_ssm import SSMClient
    from tests.keystore.conftest import Clock, Fetch

SECONDS = 3.0
SLOWEST = SECONDS + 12.0
"""The bound, and what a machine with other work needs beside it."""
HANGING: tuple[Mode, ...] = ("hangs", "trickles")


@contextmanager
def within(seconds: float) -> Iterator[None]:
    begun = time.monotonic()
    yield
    assert time.monotonic() - begun < seconds


@pytest.fixture
def aws(aws_url: str, by_environment: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Part]:
    """moto's AWS behind a part, to which boto3's own rules lead."""
    parts = urlsplit(aws_url)
    with part((parts.hostname or "", parts.port or 0)) as made:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{made.port}")
        yield made


@pytest.fixture
def stored(ssm: "SSMClient", secretsmanager: "SecretsManagerClient", ecdsa_key: SigningKey) -> None:
    document = SignerDocument("K2JCJMDEHXQW5F", ecdsa_key).to_json()
    ssm.put_parameter(Name="/hanging/key", Value=document, Type="SecureString", Overwrite=True)
    try:
        secretsmanager.create_secret(Name="hanging/key", SecretString=document)
    except secretsmanager.exceptions.ResourceExistsException:
        secretsmanager.put_secret_value(SecretId="hanging/key", SecretString=document)


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize("mode", HANGING)
@pytest.mark.parametrize("address", ["ssm:/hanging/key", "secretsmanager:hanging/key"])
def test_a_source_that_hangs_fails_in_time_and_the_next_signer_after_it_is_there(
    mode: Mode, address: str, aws: Part
) -> None:
    store = open_keystore(address, seconds=SECONDS)
    aws.mode = mode
    for _ in range(2):
        with within(SLOWEST), pytest.raises(ServiceError, match=r"did not answer within|could not be read"):
            store.signer()
    aws.mode = "answers"
    with within(SLOWEST):
        assert store.signer().key_pair_id == "K2JCJMDEHXQW5F"


@pytest.mark.parametrize("source", [SSMParameter, Secret])
def test_a_fetch_ends_by_itself(source: Any, aws: Part) -> None:
    aws.mode = "hangs"
    with within(SLOWEST), pytest.raises(ServiceError, match=r"could not be read: ReadTimeoutError"):
        source("hanging", seconds=SECONDS).read()


def test_kms_that_hangs_fails_in_time_and_signs_again_after_it(kms: "KMSClient", aws: Part) -> None:
    made = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    key = KMSKey(made, client("kms", "KMS", seconds=SECONDS))
    assert key.sign(b"policy")
    aws.mode = "hangs"
    with within(SLOWEST), pytest.raises(ServiceError, match=r"could not be read: ReadTimeoutError"):
        key.sign(b"policy")
    aws.mode = "answers"
    assert key.sign(b"policy")


def test_dynamodb_that_hangs_fails_in_time(aws: Part) -> None:
    aws.mode = "hangs"
    with within(SLOWEST), pytest.raises(ServiceError, match="the DynamoDB table sales could not be read"):
        DynamoTable("sales", seconds=SECONDS).entitlement("mara", "lamps")


def test_cloudfront_that_hangs_does_not_keep_the_key_from_signing(
    aws: Part, ecdsa_key: SigningKey, caplog: pytest.LogCaptureFixture
) -> None:
    class Kept:
        name = "the source"

        def read(self) -> str:
            return SignerDocument("K2JCJMDEHXQW5F", ecdsa_key).to_json()

    aws.mode = "hangs"
    store = KeyStore(Kept(), check=CloudFrontCheck(seconds=SECONDS), seconds=10 * SECONDS)
    with within(SLOWEST):
        assert store.signer().key_pair_id == "K2JCJMDEHXQW5F"
    assert "was not checked: ReadTimeoutError" in caplog.text


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Lambda function's environment."""
    for name in ("AWS_LAMBDA_FUNCTION_NAME", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    for name in direct.FOR_BOTO3:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("function")
def test_a_function_asks_ssm_that_hangs_once_and_not_again_with_boto3(aws: Part) -> None:
    aws.mode = "hangs"
    with within(SLOWEST), pytest.raises(ServiceError, match="did not answer within 1 s"):
        SSMParameter("/hanging/key", seconds=SECONDS).read()
    assert aws.accepted == 1


@pytest.mark.usefixtures("function")
@pytest.mark.parametrize("source", [SSMParameter, Secret])
def test_an_extension_that_hangs_fails_in_time(source: Any, aws: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", str(aws.port))
    aws.mode = "hangs"
    with within(SLOWEST), pytest.raises(ServiceError, match="extension does not answer"):
        source("hanging", seconds=SECONDS).read()


def test_a_fetch_that_hangs_is_given_up_and_still_counts_when_it_ends(fetch: "Fetch", clock: "Clock") -> None:
    value = Refreshing(fetch, name="the value", ttl=60, seconds=0.3, clock=clock)
    fetch.hold()
    with pytest.raises(ServiceError, match=r"the value did not answer within 0\.3 s"):
        value.get()
    clock.pass_by(1)
    with pytest.raises(ServiceError, match=r"the value did not answer within 0\.3 s"):
        value.get()
    assert (fetch.calls, value.counts.failures) == (2, 1)
    fetch.release()
    assert value.get().startswith("value ")
    assert not value.counts.stale


def test_fetches_that_hang_are_bounded_in_number(fetch: "Fetch", clock: "Clock") -> None:
    value = Refreshing(fetch, name="the value", ttl=60, seconds=0.05, clock=clock)
    fetch.hold()
    for _ in range(20):
        with pytest.raises(ServiceError):
            value.get()
        clock.pass_by(1)
    assert fetch.calls <= 8
    fetch.release()


def test_a_caller_is_not_told_of_a_failure_from_before_it_came() -> None:
    entered, go_on, calls = threading.Event(), threading.Event(), []

    def fetch() -> str:
        calls.append(1)
        if len(calls) > 1:
            return "value 2"
        entered.set()
        assert go_on.wait(30)
        raise ServiceError("the service is down")

    value = Refreshing(fetch, name="the value", ttl=60, seconds=20)
    with ThreadPoolExecutor(2) as pool:
        early = pool.submit(value.get)
        assert entered.wait(30)
        late = pool.submit(value.get)
        go_on.set()
        assert late.result(30) == "value 2"
        # Told of the failure, or of what the late one's fetch brought meanwhile.
        early.exception(30)


def test_a_value_that_may_be_served_is_waited_with_half_a_second_at_most(fetch: "Fetch", clock: "Clock") -> None:
    value = Refreshing(fetch, name="the value", ttl=60, seconds=10, clock=clock)
    value.get()
    clock.pass_by(600)
    fetch.hold()
    with within(5):
        assert value.get() == "value 1"
    fetch.release()
