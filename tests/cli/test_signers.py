"""`--signer`: the commands take a key from where it lives, and say which of their options do not go together."""

import base64
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws

from keyfront.keys import PublicKey, SigningKey
from keyfront.keystore import SignerDocument
from keyfront.verification import ViewerRequest, verify

if TYPE_CHECKING:
    from tests.cli.conftest import Service

Run = Callable[..., tuple[int, str, str]]

URL = "https://d111111abcdef8.cloudfront.net/book.epub"
ID = "K2JCJMDEHXQW5F"
KEY = SigningKey.generate("ecdsa")


@pytest.fixture
def aws(no_aws: pytest.MonkeyPatch) -> Iterator[None]:
    no_aws.setenv("AWS_ACCESS_KEY_ID", "test")
    no_aws.setenv("AWS_SECRET_ACCESS_KEY", "test")
    no_aws.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():
        yield


@pytest.fixture
def document(tmp_path: Path) -> Path:
    file = tmp_path / "signer.json"
    file.write_text(SignerDocument(ID, KEY, "SHA256").to_json())
    file.chmod(0o600)
    return file


def allowed(url: str, key: PublicKey) -> bool:
    return verify(ViewerRequest(url), {ID: key}, time.time()).allowed


def test_a_document_says_id_key_and_hash(run: Run, document: Path) -> None:
    status, out, err = run("sign", URL, "--signer", f"file:{document}", "--expires", "1h")
    assert (status, err) == (0, "")
    assert "Hash-Algorithm=SHA256" in out
    assert allowed(out.strip(), KEY.public_key)


def test_cookies_too(run: Run, document: Path) -> None:
    status, out, _ = run("sign-cookies", URL, "--signer", f"file:{document}", "--expires", "1h")
    assert status == 0
    assert out.count("Set-Cookie: ") == 4


def test_a_parameter_and_a_key_in_kms_sign(run: Run, aws: None) -> None:
    ssm = boto3.client("ssm")
    ssm.put_parameter(Name="/shop/key", Type="SecureString", Value=SignerDocument(ID, KEY).to_json())
    status, out, err = run("sign", URL, "--signer", "ssm:/shop/key", "--expires", "1h")
    assert (status, err) == (0, "")
    assert allowed(out.strip(), KEY.public_key)

    kms = boto3.client("kms")
    made = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    status, out, err = run("sign", URL, "--signer", f"kms:{made}", "--key-id", ID, "--expires", "1h")
    assert (status, err) == (0, "")
    der = base64.b64encode(kms.get_public_key(KeyId=made)["PublicKey"]).decode()
    assert allowed(out.strip(), PublicKey.load(f"-----BEGIN PUBLIC KEY-----\n{der}\n-----END PUBLIC KEY-----\n"))


@pytest.mark.parametrize("same", [True, False])
def test_check_asks_cloudfront_for_the_key_of_that_id(run: Run, service: "Service", tmp_path: Path, same: bool) -> None:
    there = KEY if same else SigningKey.generate("ecdsa")
    client = boto3.client("cloudfront", region_name="us-east-1")
    config = {"CallerReference": "r", "Name": "n", "EncodedKey": there.public_key.pem, "Comment": ""}
    made = client.create_public_key(PublicKeyConfig=config)["PublicKey"]["Id"]  # type: ignore[arg-type]
    file = tmp_path / "signer.json"
    file.write_text(SignerDocument(made, KEY).to_json())
    file.chmod(0o600)
    status, out, err = run("sign", URL, "--signer", f"file:{file}", "--expires", "1h", "--check")
    if same:
        assert (status, err) == (0, "")
        assert f"Key-Pair-Id={made}" in out
    else:
        assert (status, out) == (2, "")
        assert f"the private key is not that of {made}" in err


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ([], "say where the private key is, once"),
        (["--signer", "ssm:/a", "--private-key", "b"], "say where the private key is, once"),
        (["--private-key", "b"], "give --key-id as well"),
        (["--signer", "kms:alias/shop"], "give its id as well"),
        (["--signer", "shop"], "begins with"),
        (["--signer", "ssm:/a", "--hash", "sha256"], "--hash go with --private-key"),
        (["--private-key", "b", "--key-id", ID, "--check"], "--check goes with --signer"),
    ],
)
def test_options_that_do_not_go_together(run: Run, no_aws: None, options: list[str], complaint: str) -> None:
    status, out, err = run("sign", URL, "--expires", "1h", *options)
    assert (status, out) == (2, "")
    assert complaint in err
    assert "Traceback" not in err
