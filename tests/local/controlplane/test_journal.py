"""The account on the disk: what comes back after a stop, a crash and damage, and what is said when nothing can."""

from __future__ import annotations

import itertools
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from keyfront.local.controlplane import ControlPlane, Journal
from keyfront.local.controlplane.journal import FORMAT, JournalError
from keyfront.local.controlplane.store import Table

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

ROUNDS = 6


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "cloudfront.db"


def _rows(plane: ControlPlane) -> dict[str, Any]:
    return {name: t.rows() for name, t in vars(plane._account.store).items() if isinstance(t, Table)}


def _read(file: Path) -> dict[str, Any]:
    journal = Journal.open(file)
    try:
        return _rows(ControlPlane(journal=journal))
    finally:
        journal.close()


def test_an_account_with_something_of_everything_comes_back_as_it_was(
    with_plane: Callable[..., ControlPlane],
    cloudfront: CloudFrontClient,
    make_group: Callable[..., str],
    trusting: Callable[..., str],
    make_key: Callable[[], str],
    file: Path,
) -> None:
    journal = Journal.open(file)
    plane = with_plane(journal=journal)
    distribution, unused = trusting(make_group()), make_key()
    batch: Any = {"CallerReference": "1", "Paths": {"Quantity": 1, "Items": ["/für/*"]}}
    cloudfront.create_invalidation(DistributionId=distribution, InvalidationBatch=batch)
    arn = cloudfront.get_distribution(Id=distribution)["Distribution"]["ARN"]
    cloudfront.tag_resource(Resource=arn, Tags={"Items": [{"Key": "owner", "Value": "Zoë"}]})
    about: Any = {"Comment": "", "Runtime": "cloudfront-js-2.0"}
    code = b"function handler(event) { return event.request; } // \x00\xff"
    made = cloudfront.create_function(Name="f", FunctionConfig=about, FunctionCode=code)
    cloudfront.publish_function(Name="f", IfMatch=made["ETag"])
    cloudfront.create_monitoring_subscription(
        DistributionId=distribution,
        MonitoringSubscription={"RealtimeMetricsSubscriptionConfig": {"RealtimeMetricsSubscriptionStatus": "Enabled"}},
    )
    cloudfront.delete_public_key(Id=unused, IfMatch=cloudfront.get_public_key(Id=unused)["ETag"])
    before = cloudfront.get_distribution(Id=distribution)
    journal.close()

    assert _read(file) == _rows(plane)
    assert sum(len(rows) for rows in _read(file).values()) == 8
    assert file.stat().st_mode & 0o777 == 0o600

    journal = Journal.open(file)
    with_plane(journal=journal)
    after = cloudfront.get_distribution(Id=distribution)
    assert (after["ETag"], after["Distribution"]) == (before["ETag"], before["Distribution"])
    assert cloudfront.get_function(Name="f", Stage="LIVE")["FunctionCode"].read() == code
    journal.close()


def test_a_refused_change_is_not_in_the_file(
    with_plane: Callable[..., ControlPlane], make_key: Callable[[], str], refused: Any, cloudfront: Any, file: Path
) -> None:
    journal = Journal.open(file)
    with_plane(journal=journal)
    key = make_key()
    config = cloudfront.get_public_key_config(Id=key)["PublicKeyConfig"]
    assert refused(cloudfront.create_public_key, PublicKeyConfig=config)[0] == "PublicKeyAlreadyExists"
    journal.close()
    assert list(_read(file)["public_keys"]) == [key]


def test_a_change_that_the_disk_does_not_take_is_refused_and_not_made(
    with_plane: Callable[..., ControlPlane], make_key: Callable[[], str], refused: Any, cloudfront: Any, file: Path
) -> None:
    journal = Journal.open(file)
    plane = with_plane(journal=journal)
    key = make_key()
    etag, config = (got := cloudfront.get_public_key_config(Id=key))["ETag"], got["PublicKeyConfig"]
    pages = journal._connection.execute("PRAGMA page_count").fetchone()[0]
    journal._connection.execute(f"PRAGMA max_page_count = {pages}")  # a disk that is full

    def fill() -> None:
        for number in range(100):
            other = {**config, "Name": f"n{number}", "CallerReference": f"r{number}", "Comment": "x" * 128}
            cloudfront.create_public_key(PublicKeyConfig=other)

    code, _, message = refused(fill)
    assert (code, "was not made" in message) == ("InternalError", True)
    full = _rows(plane)
    journal._connection.execute("PRAGMA max_page_count = 1000000")
    cloudfront.update_public_key(Id=key, IfMatch=etag, PublicKeyConfig=config | {"Comment": "there is room again"})
    after = _rows(plane)
    assert {**full["public_keys"], key: after["public_keys"][key]} == after["public_keys"]
    journal.close()
    assert _read(file) == after


def test_a_restored_distribution_is_deployed_when_the_edges_have_it(
    with_plane: Callable[..., ControlPlane], make_distribution: Callable[..., str], cloudfront: Any, file: Path
) -> None:
    journal = Journal.open(file)
    with_plane(journal=journal)
    distribution = make_distribution()
    journal.close()

    def status() -> str:
        return str(cloudfront.get_distribution(Id=distribution)["Distribution"]["Status"])

    journal = Journal.open(file)
    plane = with_plane(journal=journal)
    plane.propagation.register("edge")
    plane.redeploy()
    assert status() == "InProgress"
    plane.propagation.applied("edge", {distribution: cloudfront.get_distribution(Id=distribution)["ETag"]})
    assert status() == "Deployed"
    journal.close()


SERVE = """
import asyncio, sys
from pathlib import Path
from keyfront.local.controlplane import ControlPlane, Journal
from keyfront.local.controlplane.asgi import application
from keyfront.web.serving import Listener, bind

async def serve():
    listener = Listener(application(ControlPlane(journal=Journal.open(Path(sys.argv[1])))), bind("127.0.0.1", 0))
    listener.start()
    print(listener.port, flush=True)
    await asyncio.Event().wait()

asyncio.run(serve())
"""


def _change_until_killed(client: Any, known: dict[str, str], pem: str, number: int) -> None:
    """Make and delete public keys; `known` is what was acknowledged, without the id whose deletion was not."""
    for call in itertools.count():
        name = f"{number}-{call}"
        try:
            if len(known) > 7:  # the quota is ten
                gone, _ = known.popitem()
                client.delete_public_key(Id=gone, IfMatch=client.get_public_key(Id=gone)["ETag"])
            config = {"Name": name, "CallerReference": name, "EncodedKey": pem, "Comment": name}
            known[client.create_public_key(PublicKeyConfig=config)["PublicKey"]["Id"]] = name
        except BotoCoreError:
            return


@pytest.mark.large
def test_no_acknowledged_change_is_lost_when_the_process_is_killed(file: Path, pems: list[str]) -> None:
    known: dict[str, str] = {}
    for number in range(ROUNDS):
        process = subprocess.Popen([sys.executable, "-c", SERVE, file], stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            session = boto3.Session(aws_access_key_id="t", aws_secret_access_key="t", region_name="us-east-1")
            client = session.client(
                "cloudfront",
                endpoint_url=f"http://127.0.0.1:{process.stdout.readline().strip()}",
                config=Config(retries={"total_max_attempts": 1}),
            )
            listed = {key["Id"]: key["Comment"] for key in client.list_public_keys()["PublicKeyList"].get("Items", [])}
            assert known.items() <= listed.items(), f"after round {number}"
            assert len(listed) <= len(known) + 1  # the one whose answer never came
            known = listed
            kill = threading.Timer(random.uniform(0.05, 0.5), process.kill)
            kill.start()
            _change_until_killed(client, known, pems[1], number)
            assert process.wait(10) == -signal.SIGKILL
        finally:
            process.kill()
            process.communicate()
    assert known.items() <= {key.id: key.config["Comment"] for key in _read(file)["public_keys"].values()}.items()
    assert known


@pytest.fixture
def killed(file: Path, tmp_path: Path, make_key: Any, with_plane: Any) -> Path:
    """What a killed process leaves: a database, and changes that are in its log alone."""
    journal = Journal.open(file)
    with_plane(journal=journal)
    for _ in range(3):
        make_key()
    left = tmp_path / "left.db"
    for ending in ("", "-wal"):
        Path(f"{left}{ending}").write_bytes(Path(f"{file}{ending}").read_bytes())
    journal.close()
    return left


@pytest.mark.parametrize("cut", [1, 100, 4096])
def test_a_torn_last_record_costs_that_change_alone(killed: Path, cut: int) -> None:
    log = Path(f"{killed}-wal")
    with log.open("r+b") as opened:
        opened.truncate(log.stat().st_size - cut)
    assert len(_read(killed)["public_keys"]) == 2


def test_a_last_record_with_wrong_bytes_costs_that_change_alone(killed: Path) -> None:
    log = Path(f"{killed}-wal")
    content = bytearray(log.read_bytes())
    content[-2000:] = b"\xaa" * 2000
    log.write_bytes(content)
    assert len(_read(killed)["public_keys"]) == 2


class TestFilesThatCannotBeUsed:
    """Each says what is wrong and what to do, and leaves the file as it is."""

    def _refused(self, file: Path) -> str:
        before = file.read_bytes()
        with pytest.raises(JournalError) as raised:
            _read(file)
        assert file.read_bytes() == before
        assert str(file) in str(raised.value)
        return str(raised.value)

    def test_no_database(self, file: Path) -> None:
        file.write_text("not a database at all, but longer than nothing" * 100)
        assert "damaged" in self._refused(file)

    def test_another_programs_database(self, file: Path) -> None:
        with sqlite3.connect(file) as connection:
            connection.execute("CREATE TABLE mine (x)")
        connection.close()
        assert "another program" in self._refused(file)

    def test_pages_that_were_overwritten(self, killed: Path) -> None:
        _read(killed)  # folds the log into the database
        content = bytearray(killed.read_bytes())
        content[4096:8192] = b"\xaa" * 4096
        killed.write_bytes(content)
        assert "damaged" in self._refused(killed)

    def test_another_format(self, file: Path) -> None:
        _read(file)
        with sqlite3.connect(file) as connection:
            connection.execute(f"PRAGMA user_version = {FORMAT + 1}")
            connection.execute("UPDATE writer SET version = '9.8.7'")
        connection.close()
        said = self._refused(file)
        assert "keyfront 9.8.7" in said
        assert "use that version" in said

    def test_a_kind_of_resource_that_this_version_does_not_know(self, killed: Path) -> None:
        _read(killed)
        with sqlite3.connect(killed) as connection:
            connection.execute("UPDATE resources SET family = 'wormholes'")
        connection.close()
        with pytest.raises(JournalError, match="wormholes"):
            _read(killed)

    def test_one_that_another_process_has_open(self, file: Path) -> None:
        first = Journal.open(file)
        with pytest.raises(JournalError, match="another process"):
            Journal.open(file)
        first.close()
