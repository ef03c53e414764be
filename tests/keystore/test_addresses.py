"""An address opens the source that it names; what a rotation can write to is read, and written whole."""

from pathlib import Path

import boto3
import pytest

from keyfront import SigningKey
from keyfront.errors import InputError, KeyLoadError
from keyfront.keystore import Address, KMSReference, SignerDocument, open_keystore, open_writable


@pytest.fixture(params=["file", "ssm", "secretsmanager"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    name = "".join(letter if letter.isalnum() else "-" for letter in request.node.name)
    return {
        "file": f"file:{tmp_path / 'signer.json'}",
        "ssm": f"ssm:/addresses/{name}",
        "secretsmanager": f"secretsmanager:addresses/{name}",
    }[request.param]


@pytest.mark.usefixtures("by_environment")
@pytest.mark.parametrize("own_clients", [True, False])
def test_what_is_written_is_read_and_signs(
    address: str, own_clients: bool, session: boto3.session.Session, aws_url: str, ecdsa_key: SigningKey
) -> None:
    connect = None if own_clients else lambda service: session.client(service, endpoint_url=aws_url)
    source = open_writable(address, connect=connect)
    assert SignerDocument.load(source) is None
    SignerDocument("KONE", KMSReference("alias/first"), "SHA256", 1).save(source)
    SignerDocument("KTWO", ecdsa_key, "SHA1", 2).save(source)
    found = SignerDocument.load(source)
    assert found is not None
    assert (found.key_pair_id, found.version) == ("KTWO", 2)
    assert open_keystore(address, connect=connect).signer().key_pair_id == "KTWO"


def test_a_pem_alone_says_that_its_id_is_missing(tmp_path: Path, ecdsa_key: SigningKey) -> None:
    private, _ = ecdsa_key.write(tmp_path)
    assert open_keystore(f"file:{private}", "KPEM").signer().key_pair_id == "KPEM"
    with pytest.raises(KeyLoadError, match="no key-pair id"):
        SignerDocument.load(open_writable(f"file:{private}"))


@pytest.mark.parametrize("address", ["env:KEY", "kms:alias/shop"])
def test_what_cannot_be_written_says_so(address: str) -> None:
    with pytest.raises(InputError, match=f"{address} cannot hold a signer's document"):
        open_writable(address)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("/shop/key", "begins with '/shop/key'"),
        ("s3:x", "begins with 's3'"),
        ("ssm:", "names nothing"),
        ("-----BEGIN PRIVATE KEY-----MARKER", "begins with something else"),
    ],
)
def test_an_address_that_is_none_is_not_repeated_if_it_may_be_a_key(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        Address.parse(text)
    assert "MARKER" not in str(caught.value)
