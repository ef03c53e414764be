"""`keyfront up --state DIR` on a full disk: it starts with what is there, and refuses changes until there is room."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from tests.waiting import wait_until

KEYFRONT = Path(sys.executable).with_name("keyfront")


def client(up: Any, service: str) -> Any:
    return boto3.client(  # type: ignore[call-overload]
        service,
        endpoint_url=up.printed["endpoint"],
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )


def test_what_was_set_up_starts_on_a_full_disk_and_takes_changes_when_there_is_room(
    start: Callable[..., Any], tmp_path: Path, small_disk: Callable[[int], Any]
) -> None:
    disk = small_disk(16384)
    state = ["--state", str(disk.path / "state")]
    with start(tmp_path, *state) as before:
        client(before, "ssm").put_parameter(Name="/mine", Type="String", Value="kept")
    disk.fill()
    with start(tmp_path, *state) as up:
        assert up.printed["key_group"] == before.printed["key_group"]
        assert up.curl(up.sign(up.url(up.printed["items"][0]["path"])))[0] == 200
        ssm, cloudfront = client(up, "ssm"), client(up, "cloudfront")
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
        assert client(after, "ssm").get_parameter(Name="/mine")["Parameter"]["Value"] == "new"
        assert client(after, "cloudfront").get_key_group(Id=up.printed["key_group"])["ETag"] == etag


def _is_kept(ssm: Any) -> bool:
    try:
        ssm.put_parameter(Name="/mine", Type="String", Value="new", Overwrite=True)
    except ClientError:
        return False
    return True


@pytest.mark.parametrize("kilobytes", [0, 8, 32])
def test_a_start_without_room_is_one_clear_line_and_the_next_one_works(
    start: Callable[..., Any], tmp_path: Path, small_disk: Callable[[int], Any], kilobytes: int
) -> None:
    disk = small_disk(4096)
    disk.fill(leave=kilobytes * 1024)
    free = ["--port", "0", "--http-port", "0", "--https-port", "0", "--backend-port", "0"]
    state = ["--state", str(disk.path / "state")]
    got = subprocess.run([KEYFRONT, "up", *free, *state], capture_output=True, text=True, cwd=tmp_path, timeout=120)
    assert (got.returncode, got.stdout) == (2, ""), got
    assert "Traceback" not in got.stderr
    assert "move it away" not in got.stderr
    assert got.stderr.splitlines()[-1].startswith("error: ")
    disk.empty()
    if kilobytes == 8:
        with start(tmp_path, *state) as up:
            assert up.curl(up.sign(up.url(up.printed["items"][0]["path"])))[0] == 200
