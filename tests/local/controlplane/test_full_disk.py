"""The account on a disk that is full, fails or goes away: what is refused, and what works all the same."""

from __future__ import annotations

import ctypes
import errno
import logging
import platform
import resource
import struct
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from keyfront.local.controlplane import ControlPlane, Journal
from keyfront.local.controlplane.journal import JournalError
from keyfront.local.controlplane.store import Table

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

LOGGER = "keyfront.local.controlplane.journal"


def _rows(plane: ControlPlane) -> dict[str, Any]:
    return {name: t.rows() for name, t in vars(plane._account.store).items() if isinstance(t, Table)}


@pytest.fixture
def disk(small_disk: Callable[[int], Any]) -> Any:
    return small_disk(1024)


@pytest.fixture
def file(disk: Any) -> Path:
    return Path(disk.path / "cloudfront.db")


@pytest.fixture
def journal(file: Path) -> Iterator[Journal]:
    made = Journal.open(file)
    yield made
    made.close()


@pytest.fixture
def plane(with_plane: Callable[..., ControlPlane], journal: Journal) -> ControlPlane:
    return with_plane(journal=journal)


@contextmanager
def _files_of_at_most(size: int) -> Iterator[None]:
    """The kernel refuses writes beyond `size` bytes of any file of this process's: SQLite says `disk I/O error`."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("failure", ["full", "I/O error", "moved away"])
def test_changes_are_refused_while_they_cannot_be_kept_and_nothing_of_them_is_seen(
    failure: str,
    plane: ControlPlane,
    make_distribution: Callable[..., str],
    cloudfront: CloudFrontClient,
    refused: Any,
    disk: Any,
    file: Path,
    caplog: pytest.LogCaptureFixture,
    config: Callable[..., Any],
) -> None:
    plane.propagation.register("edge")
    distribution = make_distribution()
    before, rows = cloudfront.get_distribution(Id=distribution), _rows(plane)
    etag, wanted = before["ETag"], before["Distribution"]["DistributionConfig"]
    batch: Any = {"CallerReference": "1", "Paths": {"Quantity": 1, "Items": ["/*"]}}

    def all_refused() -> None:
        for call, given in (
            (cloudfront.update_distribution, {"Id": distribution, "IfMatch": etag, "DistributionConfig": wanted}),
            (cloudfront.create_invalidation, {"DistributionId": distribution, "InvalidationBatch": batch}),
            (cloudfront.create_distribution, {"DistributionConfig": config()}),
        ):
            code, status, message = refused(call, **given)
            assert (code, status, "was not made" in message) == ("InternalError", 500, True)

    with caplog.at_level(logging.WARNING):
        if failure == "full":
            disk.fill()
            all_refused()
        elif failure == "I/O error":
            with _files_of_at_most(Path(f"{file}-wal").stat().st_size):
                all_refused()
        else:
            file.rename(disk.path / "elsewhere")
            all_refused()
        # Reads work, and show what was; the update that was refused takes nothing from the one that is under way.
        after = cloudfront.get_distribution(Id=distribution)
        assert (after["ETag"], after["Distribution"]) == (etag, before["Distribution"])
        assert after["Distribution"]["Status"] == "InProgress"
        assert _rows(plane) == rows
        assert cloudfront.list_invalidations(DistributionId=distribution)["InvalidationList"]["Quantity"] == 0
        assert [record.levelname for record in caplog.records] == ["ERROR"]
        if failure == "full":
            disk.empty()
        elif failure == "moved away":
            (disk.path / "elsewhere").rename(file)
        made = cloudfront.create_invalidation(DistributionId=distribution, InvalidationBatch=batch)["Invalidation"]
        updated = cloudfront.update_distribution(Id=distribution, IfMatch=etag, DistributionConfig=wanted)
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
    assert [str(file) in record.getMessage() for record in caplog.records] == [True, True]
    plane.propagation.applied("edge", {distribution: updated["ETag"]})
    plane.propagation.applied("edge", {made["Id"]: made["Id"]})
    assert cloudfront.get_distribution(Id=distribution)["Distribution"]["Status"] == "Deployed"


def test_a_delete_that_is_refused_leaves_the_distribution_in_progress(
    plane: ControlPlane, make_distribution: Callable[..., str], cloudfront: CloudFrontClient, disk: Any
) -> None:
    distribution = make_distribution()
    got = cloudfront.get_distribution(Id=distribution)
    disabled: Any = {**got["Distribution"]["DistributionConfig"], "Enabled": False}
    batch: Any = {"CallerReference": "1", "Paths": {"Quantity": 1, "Items": ["/*"]}}
    updated = cloudfront.update_distribution(Id=distribution, IfMatch=got["ETag"], DistributionConfig=disabled)
    plane.propagation.register("edge")
    cloudfront.create_invalidation(DistributionId=distribution, InvalidationBatch=batch)
    disk.fill()
    with pytest.raises(cloudfront.exceptions.ClientError, match="InternalError"):
        cloudfront.delete_distribution(Id=distribution, IfMatch=updated["ETag"])
    assert cloudfront.get_distribution(Id=distribution)["Distribution"]["InProgressInvalidationBatches"] == 1
    disk.empty()
    cloudfront.delete_distribution(Id=distribution, IfMatch=updated["ETag"])


def test_an_account_opens_on_a_full_disk_and_says_what_it_is_when_it_cannot(disk: Any, file: Path) -> None:
    made = Journal.open(file)
    plane = ControlPlane(journal=made)
    plane.perform("CreateOriginAccessControl", {"OriginAccessControlConfig": _access_control("one")})
    before = _rows(plane)
    disk.fill()
    made.close()
    again = Journal.open(file)
    plane = ControlPlane(journal=again)
    assert _rows(plane) == before
    with pytest.raises(JournalError, match="disk is full"):
        plane.perform("CreateOriginAccessControl", {"OriginAccessControlConfig": _access_control("two")})
    again.close()
    with pytest.raises(JournalError, match="not damaged") as raised:
        Journal.open(disk.path / "new.db")
    assert "move it away" not in str(raised.value)
    disk.empty()
    last = Journal.open(file)
    assert _rows(ControlPlane(journal=last)) == before
    last.close()


def test_a_change_whose_flush_fails_does_not_return_after_the_process_is_killed(
    tmp_path: Path, config: Callable[..., Any]
) -> None:
    file = tmp_path / "cloudfront.db"
    journal = Journal.open(file)
    plane = ControlPlane(journal=journal)
    plane.perform("CreateOriginAccessControl", {"OriginAccessControlConfig": _access_control("one")})
    before = _rows(plane)
    tagged = {"DistributionConfig": config(), "Tags": {"Items": [{"Key": "owner", "Value": "x" * 256}]}}

    def refuse() -> None:
        _fail_flushes_of_this_thread()
        for operation, given in (
            ("CreateOriginAccessControl", {"OriginAccessControlConfig": _access_control("two")}),
            ("CreateDistributionWithTags", {"DistributionConfigWithTags": tagged}),
        ):
            with pytest.raises(JournalError, match="was not made: disk I/O error; if the machine loses power"):
                plane.perform(operation, given)
            assert _left_by_a_kill(file) == before

    with ThreadPoolExecutor(1) as thread:
        thread.submit(refuse).result()
    assert _rows(plane) == before
    plane.perform("CreateOriginAccessControl", {"OriginAccessControlConfig": _access_control("three")})
    assert _left_by_a_kill(file) == _rows(plane)
    journal.close()


def _left_by_a_kill(file: Path) -> dict[str, Any]:
    """The account as it is after the process is killed now: read from a copy of its files."""
    copy = file.with_name("copy.db")
    for ending in ("", "-wal"):
        Path(f"{copy}{ending}").write_bytes(Path(f"{file}{ending}").read_bytes())
    journal = Journal.open(copy)
    try:
        return _rows(ControlPlane(journal=journal))
    finally:
        journal.close()


def _fail_flushes_of_this_thread() -> None:
    """From now on the kernel answers EIO to every fsync and fdatasync of this thread (seccomp, BPF)."""
    numbers = {"x86_64": (74, 75), "aarch64": (82, 83)}.get(platform.machine())
    if numbers is None:
        pytest.skip("the numbers of the system calls are not known here")
    load_number, jump_if_equal, leave = 0x20, 0x15, 0x06
    refuse, allow = 0x0005_0000 | errno.EIO, 0x7FFF_0000
    program = b"".join(
        struct.pack("HBBI", *instruction)
        for instruction in (
            (load_number, 0, 0, 0),
            (jump_if_equal, 1, 0, numbers[0]),
            (jump_if_equal, 0, 1, numbers[1]),
            (leave, 0, 0, refuse),
            (leave, 0, 0, allow),
        )
    )
    instructions = ctypes.create_string_buffer(program)
    filters = ctypes.create_string_buffer(struct.pack("HP", 5, ctypes.addressof(instructions)))
    libc, no_new_privileges, set_seccomp, filter_mode = ctypes.CDLL(None), 38, 22, 2
    if libc.prctl(no_new_privileges, 1, 0, 0, 0) or libc.prctl(set_seccomp, filter_mode, filters, 0, 0):
        pytest.skip("the kernel takes no filter of system calls here")


def _access_control(name: str) -> dict[str, str]:
    return {
        "Name": name,
        "SigningProtocol": "sigv4",
        "SigningBehavior": "always",
        "OriginAccessControlOriginType": "s3",
    }
