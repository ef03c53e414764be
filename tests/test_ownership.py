"""What keyfront wrote earlier is believed only where nobody else could have written it."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from keyfront.core.keys import SigningKey
from keyfront.errors import InputError
from keyfront.local.own_keys import key_pair
from keyfront.local.state_directory import StateDirectory
from keyfront.ownership import check_below, check_secret, own_folder

STRANGER = 12345
Give = Callable[[Path], None]

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to another user")


@pytest.fixture(params=[0o000, 0o022, 0o077, 0o777], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder as `keyfront up` leaves it."""
    folder = tmp_path / ".keyfront"
    for each in (folder, folder / "next"):
        each.mkdir(mode=0o700)
        SigningKey.generate("ecdsa").write(each)
    (folder / "authority").mkdir(mode=0o700)
    (folder / "authority" / "ca.pem").touch(0o644)
    return folder


def give(path: Path) -> None:
    os.chown(path, STRANGER, STRANGER, follow_symlinks=False)


@pytest.mark.usefixtures("umask")
def test_folders_and_keys_are_made_for_their_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    key_pair(tmp_path / "a" / "b" / "next")
    for folder in ("a", "a/b", "a/b/next"):
        assert (tmp_path / folder).stat().st_mode & 0o777 == 0o700, folder
    assert (tmp_path / "a" / "b" / "next" / "private_key.pem").stat().st_mode & 0o077 == 0


def test_what_this_user_made_is_believed(home: Path) -> None:
    assert own_folder(home) == home
    home.chmod(0o755)
    assert own_folder(home) == home
    assert key_pair(home).public_key == key_pair(home).public_key


@pytest.mark.parametrize("part", [".", "private_key.pem", "next", "next/public_key.pem", "authority/ca.pem"])
@pytest.mark.parametrize("mode", [0o720, 0o702])
def test_what_others_may_write_to_is_refused_with_the_command_that_changes_it(home: Path, part: str, mode: int) -> None:
    (home / part).chmod(mode)
    name = re.escape(str(home / part))
    for use in (own_folder, key_pair, StateDirectory):
        with pytest.raises(InputError, match=rf"may write to {name}: .* chmod -R go-w {name}"):
            use(home)


@as_root
@pytest.mark.parametrize("part", [".", "private_key.pem", "next", "next/public_key.pem", "authority/ca.pem"])
def test_what_another_user_owns_is_refused_with_path_and_owner(home: Path, part: str) -> None:
    give(home / part)
    for use in (own_folder, key_pair, StateDirectory):
        with pytest.raises(InputError) as raised:
            use(home)
        assert str(raised.value).startswith(f"{home / part} belongs to another user, uid {STRANGER}: ")
        assert str(raised.value).endswith("Move it away, or name another directory")


def test_another_user_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pwd

    user = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: user + 1)
    with pytest.raises(InputError, match=rf"another user, {pwd.getpwuid(user).pw_name} \(uid {user}\)"):
        own_folder(home)


@as_root
@pytest.mark.parametrize("part", [".keyfront", "authority", "ca.pem"])
def test_a_link_that_another_user_made_is_refused_wherever_it_leads(tmp_path: Path, home: Path, part: str) -> None:
    """Also to what is ours: they choose which of it counts."""
    place = {".keyfront": home, "authority": home / "authority", "ca.pem": home / "authority" / "ca.pem"}[part]
    place.rename(tmp_path / "ours")
    place.symlink_to(tmp_path / "ours")
    assert own_folder(home) == home
    give(place)
    with pytest.raises(InputError, match=rf"{re.escape(str(place))} is a link to .*ours, made by another user, uid"):
        own_folder(home)


@as_root
def test_a_link_of_ours_over_one_of_another_users_is_refused(tmp_path: Path, home: Path) -> None:
    (tmp_path / "theirs").symlink_to(home)
    give(tmp_path / "theirs")
    (tmp_path / "mine").symlink_to("theirs")
    with pytest.raises(InputError, match=r"/theirs is a link to"):
        own_folder(tmp_path / "mine")
    with pytest.raises(InputError, match=r"/theirs is a link to"):
        own_folder(tmp_path / "mine" / "next")


@as_root
def test_a_link_of_ours_to_what_is_another_users_is_refused(tmp_path: Path, home: Path) -> None:
    (tmp_path / "planted").mkdir()
    give(tmp_path / "planted")
    (home / "authority" / "more").symlink_to(tmp_path / "planted")
    with pytest.raises(InputError, match=r"authority/more belongs to another user"):
        own_folder(home)


def test_links_that_lead_nowhere_or_in_a_circle_are_no_way_out(home: Path) -> None:
    (home / "round").symlink_to(home)
    assert own_folder(home) == home
    (home / "gone").symlink_to("nothing")
    (home / "itself").symlink_to("itself")
    with pytest.raises(InputError, match="cannot use"):
        own_folder(home)


def test_a_file_in_the_folders_place_is_an_error_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"file: Not a directory; name another directory"):
        own_folder(tmp_path / "file")
    with pytest.raises(InputError, match=r"Not a directory; name another directory"):
        own_folder(tmp_path / "file" / "below")


def test_a_key_that_others_may_read_is_refused(home: Path) -> None:
    check_secret(home / "private_key.pem")
    (home / "private_key.pem").chmod(0o640)
    for use in (lambda: check_secret(home / "private_key.pem"), lambda: key_pair(home)):
        with pytest.raises(InputError, match=r"private_key\.pem has mode 0640.*chmod 600"):
            use()


def test_what_goes_away_meanwhile_is_passed_over(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "object-1").touch(0o600)
    listed = os.scandir

    def scandir(path: Path) -> "os._ScandirIterator[str]":
        entries = listed(path)
        (home / "object-1").unlink(missing_ok=True)
        return entries

    monkeypatch.setattr(os, "scandir", scandir)
    check_below(home)
