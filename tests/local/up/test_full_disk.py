"""`keyfront up --state DIR` on a full disk: it starts with what is there, and refuses changes until there is room."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.local.up.conftest import FREE_PORTS, KEYFRONT
from tests.waiting import wait_until


def test_what_was_set_up_starts_on_a_full_disk_and_takes_changes_when_there_is_room(
    start: Callable[..., Any], tmp_path: Path, small_disk: Callable[[int], Any]
) -> None:
    disk = small_disk(16384)
    state = ["--state", str(disk.path / "state")]
    disk.fill(leave=8 * 1024)
    _cannot_start(tmp_path, state)
    disk.empty()
    with start(tmp_path, *state) as before:
        before.client("ssm").put_parameter(Name="/mine", Type="String", Value="kept")
    disk.fill()
    with start(tmp_path, *state) as up:
        assert up.printed["key_group"] == before.printed["key_group"]
        assert up.curl(up.sign(up.url(up.printed["items"][0]["path"])))[0] == 200
        ssm, cloudfront = up.client("ssm"), up.client("cloudfront")
        assert ssm.get_parameter(Name="/mine")["Parameter"]["Value"] == "kept"
        with pytest.raises(ClientError, match=r"InternalServerError.*was not made"):
            ssm.put_parameter(Name="/mine", Type="String", Value="lost", Overwrite=True)
        got = cloudfront.get_key_group(Id=up.printed["key_group"])
        group = {"Id": up.printed["key_group"], "KeyGroupConfig": got["KeyGroup"]["KeyGroupConfig"]}
        with pytest.raises(ClientError, match=r"InternalError.*was not made"):
            cloudfront.update_key_group(**group, IfMatch=got["ETag"])
        assert cloudfront.get_key_group(Id=up.printed["key_group"])["ETag"] == got["ETag"]
        disk.empty()
        # A write that failed is tried again about every second.
        wait_until(lambda: _is_kept(ssm))
        etag = cloudfront.update_key_group(**group, IfMatch=got["ETag"])["ETag"]
    with start(tmp_path, *state) as after:
        assert after.client("ssm").get_parameter(Name="/mine")["Parameter"]["Value"] == "new"
        assert after.client("cloudfront").get_key_group(Id=up.printed["key_group"])["ETag"] == etag


def _is_kept(ssm: Any) -> bool:
    try:
        ssm.put_parameter(Name="/mine", Type="String", Value="new", Overwrite=True)
    except ClientError:
        return False
    return True


@pytest.mark.parametrize("kilobytes", [0, 32])
def test_a_start_without_room_is_one_clear_line(
    tmp_path: Path, small_disk: Callable[[int], Any], kilobytes: int
) -> None:
    disk = small_disk(4096)
    disk.fill(leave=kilobytes * 1024)
    _cannot_start(tmp_path, ["--state", str(disk.path / "state")])


def _cannot_start(folder: Path, state: list[str]) -> None:
    command = [str(KEYFRONT), "up", *FREE_PORTS, *state]
    got = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=120)
    assert (got.returncode, got.stdout) == (2, ""), got
    assert "Traceback" not in got.stderr
    assert "move it away" not in got.stderr
    assert got.stderr.splitlines()[-1].startswith("error: ")
