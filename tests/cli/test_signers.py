"""`--signer`: the commands take a key from where it lives, and say which of their options do not go together."""

import base64
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws

from keyfront.core.keys import PublicKey, SigningKey
from keyfront.core.verification import ViewerRequest, verify
from keyfront.keystore import SignerDocument

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


def test_a_key_file_that_others_can_read_neither_signs_nor_is_rotated(
    run: Run, service: "Service", no_aws: pytest.MonkeyPatch, document: Path
) -> None:
    no_aws.delenv("AWS_ENDPOINT_URL")
    no_aws.setenv("AWS_ENDPOINT_URL_CLOUDFRONT", service.url)
    no_aws.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    client = boto3.client("cloudfront")
    key = {"CallerReference": "r", "Name": "n", "EncodedKey": KEY.public_key.pem, "Comment": ""}
    made = client.create_public_key(PublicKeyConfig=key)["PublicKey"]["Id"]  # type: ignore[arg-type]
    client.create_key_group(KeyGroupConfig={"Name": "shop", "Items": [made]})
    document.write_text(SignerDocument(made, KEY).to_json())
    document.chmod(0o644)
    signer = ("--signer", f"file:{document}")
    plan = ("--grace", "1h", "--longest-life", "1h", "--probe-url", URL)
    for command in (("sign", URL, *signer, "--expires", "1h"), ("rotate", "start", "--group", "shop", *signer, *plan)):
        with mock_aws():
            status, out, err = run(*command)
        assert (status, out) == (2, "")
        assert f"the key file {document} has mode 0644" in err
        assert f"chmod 600 {document}" in err


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


def test_the_environment_stands_for_options_and_options_win(
    run: Run, no_aws: pytest.MonkeyPatch, document: Path, tmp_path: Path
) -> None:
    no_aws.setenv("KEYFRONT_SIGNER", f"file:{document}")
    status, out, err = run("sign", URL, "--expires", "1h")
    assert (status, err) == (0, "")
    assert allowed(out.strip(), KEY.public_key)

    other = SigningKey.generate("ecdsa")
    other.write(tmp_path / "other")
    file = tmp_path / "other" / "private_key.pem"
    status, out, err = run("sign", URL, "--expires", "1h", "--private-key", str(file), "--key-id", ID)
    assert (status, err) == (0, "")
    assert allowed(out.strip(), other.public_key)

    no_aws.delenv("KEYFRONT_SIGNER")
    no_aws.setenv("KEYFRONT_PRIVATE_KEY", str(file))
    assert "needs --key-id" in run("sign", URL, "--expires", "1h")[2]
    no_aws.setenv("KEYFRONT_KEY_PAIR_ID", ID)
    assert allowed(run("sign", URL, "--expires", "1h")[1].strip(), other.public_key)

    no_aws.setenv("KEYFRONT_SIGNER", f"file:{document}")
    status, out, err = run("sign", URL, "--expires", "1h")
    assert (status, out) == (2, "")
    assert "set one of KEYFRONT_PRIVATE_KEY and KEYFRONT_SIGNER" in err


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
        ([], "give either --private-key FILE"),
        (["--signer", "ssm:/a", "--private-key", "b"], "give either --private-key FILE"),
        (["--private-key", "b"], "needs --key-id"),
        (["--signer", "kms:alias/shop"], "give its id as well"),
        (["--signer", "shop"], "begins with"),
        (["--signer", "ssm:/a", "--hash", "sha256"], "--hash need --private-key"),
        (["--private-key", "b", "--key-id", ID, "--check"], "--check needs --signer"),
    ],
)
def test_options_that_do_not_go_together(run: Run, no_aws: None, options: list[str], complaint: str) -> None:
    status, out, err = run("sign", URL, "--expires", "1h", *options)
    assert (status, out) == (2, "")
    assert complaint in err
    assert "Traceback" not in err


def test_a_stored_key_is_what_signs(run: Run, aws: None, tmp_path: Path) -> None:
    private, _ = KEY.write(tmp_path / "keys")
    for address in ("ssm:/shop/key", "secretsmanager:shop/key", f"file:{tmp_path / 'signer.json'}"):
        store = ("keys", "store", address, "--key-id", ID, "--private-key", private)
        status, out, err = run(*store)
        assert (status, err) == (0, "")
        assert f"now signs as {ID}: {KEY.public_key.fingerprint}, SHA1" in out
        assert run(*store)[0] == 0
        signed = run("sign", URL, "--signer", address, "--expires", "1h")[1]
        assert allowed(signed.strip(), KEY.public_key)
        status, _, err = run(*store[:4], "KOTHER", *store[5:])
        assert status == 2
        assert f"has the key {ID}: use `keyfront rotate`" in err
        assert run(*store[:4], "KOTHER", *store[5:], "--replace")[0] == 0
    assert (tmp_path / "signer.json").stat().st_mode & 0o777 == 0o600


def test_a_kms_key_is_stored_by_name_and_asked_first(run: Run, aws: None) -> None:
    kms = boto3.client("kms")
    made = kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    status, out, _ = run("keys", "store", "ssm:/shop/key", "--key-id", ID, "--kms-key", made, "--json")
    assert status == 0
    assert '"hash": "SHA256"' in out
    status, _, err = run("keys", "store", "ssm:/shop/other", "--key-id", ID, "--kms-key", "alias/none")
    assert status == 2
    assert "alias/none" in err
    assert [each["Name"] for each in boto3.client("ssm").describe_parameters()["Parameters"]] == ["/shop/key"]


def test_what_is_no_document_is_not_overwritten_unasked(run: Run, tmp_path: Path) -> None:
    private, _ = KEY.write(tmp_path)
    status, _, err = run("keys", "store", f"file:{private}", "--key-id", ID, "--private-key", private)
    assert status == 2
    assert "has other content, which --replace overwrites" in err
    assert private.read_text() == KEY.pem()


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ([], "give either --private-key FILE"),
        (["--private-key", "a", "--kms-key", "b"], "give either --private-key FILE"),
        (["--kms-key", "b", "--hash", "sha1"], "KMS cannot sign SHA-1"),
    ],
)
def test_what_cannot_be_stored(run: Run, no_aws: None, tmp_path: Path, options: list[str], complaint: str) -> None:
    status, _, err = run("keys", "store", f"file:{tmp_path}/signer.json", "--key-id", ID, *options)
    assert status == 2
    assert complaint in err
