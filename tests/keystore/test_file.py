"""`file:`: read by its owner alone, and replaced in one step."""

import os
import stat
from pathlib import Path

import pytest

from keyfront import SigningKey
from keyfront.errors import InputError, ServiceError
from keyfront.keystore import KeyFile, MissingError, SignerDocument, open_keystore, open_writable

MARKER = "MARKERsecretMARKER"


def test_a_file_is_read_anew_each_time(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.touch(mode=0o600)
    path.write_text("one")
    source = KeyFile(path)
    assert source.read() == "one"
    path.write_text("two")
    assert source.read() == "two"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "none.pem"
    with pytest.raises(MissingError, match=rf"{path} cannot be read: No such file"):
        KeyFile(path).read()


def test_a_file_that_is_not_text_says_so(tmp_path: Path) -> None:
    path = tmp_path / "key.der"
    path.touch(mode=0o600)
    path.write_bytes(b"\x30\x82\xff\xfe")
    with pytest.raises(ServiceError, match="is not text"):
        KeyFile(path).read()


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o660, 0o602])
def test_a_file_that_others_can_read_or_change_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key.pem"
    path.write_text(MARKER)
    path.chmod(mode)
    with pytest.raises(InputError, match=rf"mode {mode:04o}.*chmod 600 {path}") as caught:
        KeyFile(path).read()
    assert MARKER not in str(caught.value)


def test_a_key_that_others_can_read_is_no_key_to_sign_with_and_none_to_rotate(
    tmp_path: Path, ecdsa_key: SigningKey
) -> None:
    path = tmp_path / "signer.json"
    SignerDocument("KONE", ecdsa_key).save(open_writable(f"file:{path}"))
    path.chmod(0o644)
    for read in (open_keystore(f"file:{path}").signer, open_writable(f"file:{path}").read):
        with pytest.raises(InputError, match=rf"mode 0644.*chmod 600 {path}"):
            read()


def test_a_file_is_for_its_owner_alone_and_nothing_is_left_beside_it(tmp_path: Path, ecdsa_key: SigningKey) -> None:
    path = tmp_path / "signer.json"
    path.write_text("{}")
    path.chmod(0o644)
    SignerDocument("KONE", ecdsa_key).save(open_writable(f"file:{path}"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(ServiceError, match="cannot be written: No such file"):
        SignerDocument("KONE", ecdsa_key).save(open_writable(f"file:{tmp_path / 'none' / 'x'}"))


def test_a_file_that_another_user_could_have_written_is_not_replaced(tmp_path: Path, ecdsa_key: SigningKey) -> None:
    source = open_writable(f"file:{tmp_path / 'signer.json'}")
    SignerDocument("KONE", ecdsa_key).save(source)
    (tmp_path / "signer.json").chmod(0o620)
    with pytest.raises(InputError, match=r"may write to .*signer\.json"):
        source.read()
    if os.geteuid() == 0:
        (tmp_path / "signer.json").chmod(0o600)
        os.chown(tmp_path / "signer.json", 12345, 12345)
        with pytest.raises(InputError, match=r"signer\.json belongs to another user, uid 12345"):
            source.read()
