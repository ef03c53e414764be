"""Where a rotation writes: read, written whole, and what cannot be written."""

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from keyfront import SigningKey
from keyfront.errors import InputError, KeyLoadError, ServiceError
from keyfront.keystore import Address, KMSReference, SignerDocument, open_keystore
from keyfront.keystore.places import Place, open_place

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_ssm import SSMClient


@pytest.fixture(params=["file", "ssm", "secretsmanager"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    name = f"{request.node.name.partition('[')[0]}"
    return {
        "file": f"file:{tmp_path / 'signer.json'}",
        "ssm": f"ssm:/places/{name}",
        "secretsmanager": f"secretsmanager:places/{name}",
    }[request.param]


@pytest.fixture
def place(address: str, ssm: "SSMClient", secretsmanager: "SecretsManagerClient") -> Place:
    return open_place(address, ssm=ssm, secretsmanager=secretsmanager)


@pytest.mark.usefixtures("by_environment")
def test_what_is_written_is_read_and_signs(place: Place, address: str, ecdsa_key: SigningKey) -> None:
    assert place.read() is None
    place.write(SignerDocument("KONE", KMSReference("alias/first"), "SHA256", 1))
    place.write(SignerDocument("KTWO", ecdsa_key, "SHA1", 2))
    found = place.read()
    assert found is not None
    assert (found.key_pair_id, found.version) == ("KTWO", 2)
    assert open_keystore(address).signer().key_pair_id == "KTWO"


def test_a_parameter_keeps_its_tier_and_is_encrypted(ssm: "SSMClient", ecdsa_key: SigningKey) -> None:
    open_place("ssm:/places/kind", ssm=ssm).write(SignerDocument("KONE", ecdsa_key))
    assert ssm.get_parameter(Name="/places/kind")["Parameter"]["Type"] == "SecureString"


def test_a_file_is_for_its_owner_alone_and_nothing_is_left_beside_it(tmp_path: Path, ecdsa_key: SigningKey) -> None:
    path = tmp_path / "signer.json"
    path.write_text("{}")
    path.chmod(0o644)
    open_place(f"file:{path}").write(SignerDocument("KONE", ecdsa_key))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(ServiceError, match="cannot be written: No such file"):
        open_place(f"file:{tmp_path / 'none' / 'x'}").write(SignerDocument("KONE", ecdsa_key))


def test_a_pem_alone_is_read_with_its_id(tmp_path: Path, ecdsa_key: SigningKey) -> None:
    private, _ = ecdsa_key.write(tmp_path)
    found = open_place(f"file:{private}", "KPEM").read()
    assert found is not None
    assert found.key_pair_id == "KPEM"
    with pytest.raises(KeyLoadError, match="no key-pair id"):
        open_place(f"file:{private}").read()


def test_a_file_that_another_user_could_have_written_is_not_read(tmp_path: Path, ecdsa_key: SigningKey) -> None:
    place = open_place(f"file:{tmp_path / 'signer.json'}")
    place.write(SignerDocument("KONE", ecdsa_key))
    (tmp_path / "signer.json").chmod(0o620)
    with pytest.raises(InputError, match=r"may write to .*signer\.json"):
        place.read()
    if os.geteuid() == 0:
        (tmp_path / "signer.json").chmod(0o600)
        os.chown(tmp_path / "signer.json", 12345, 12345)
        with pytest.raises(InputError, match=r"signer\.json belongs to another user, uid 12345"):
            place.read()


@pytest.mark.parametrize("address", ["env:KEY", "kms:alias/shop"])
def test_what_cannot_be_written_says_so(address: str) -> None:
    with pytest.raises(InputError, match=f"{address} cannot hold a signer's document"):
        open_place(address)


def test_a_version_cannot_be_written(ssm: "SSMClient") -> None:
    with pytest.raises(InputError, match="version or a label"):
        open_place("ssm:/shop/key:3", ssm=ssm)


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
