"""The account on a disk that is full, fails or goes away: what is refused, and what works all the same."""

from __future__ import annotations

import logging
import resource
from collections.abc import Callable, Iterator
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
    plane.propagation.invalidated("edge", [made["Id"]])
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


def _access_control(name: str) -> dict[str, str]:
    return {
        "Name": name,
        "SigningProtocol": "sigv4",
        "SigningBehavior": "always",
        "OriginAccessControlOriginType": "s3",
    }
