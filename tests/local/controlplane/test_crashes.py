"""A thousand changes by four clients at once, killed at any moment, under a clock that jumps hours both ways.

Afterwards every change that was acknowledged is there, as it was acknowledged; of the one under way all or nothing is.
"""

from __future__ import annotations

import itertools
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from keyfront.local.controlplane import ControlPlane, Journal

if TYPE_CHECKING:
    from collections.abc import Callable

SERVE: Final = """
import asyncio, random, sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from keyfront.local.controlplane import ControlPlane, Journal
from keyfront.local.controlplane.asgi import application
from keyfront.web.serving import Listener, bind

def clock():
    return datetime.now(UTC) + timedelta(hours=random.randint(-48, 48))

async def serve():
    plane = ControlPlane(journal=Journal.open(Path(sys.argv[1])), clock=clock)
    listener = Listener(application(plane), bind("127.0.0.1", 0))
    listener.start()
    print(listener.port, flush=True)
    await asyncio.Event().wait()

asyncio.run(serve())
"""


SESSION: Final = boto3.Session("t", "t", region_name="us-east-1")


@dataclass
class Subject:
    """What one client knows of what it changes. `trying` is the change whose answer has not come."""

    acknowledged: int = 0
    trying: Any = None


@dataclass
class Updates(Subject):
    """One distribution, updated over and over: its comment is a number."""

    id: str = ""
    etag: str = ""
    number: int = 0

    def work(self, client: Any) -> None:
        got = client.get_distribution(Id=self.id)
        self.etag = got["ETag"]
        for number in itertools.count(int(got["Distribution"]["DistributionConfig"]["Comment"]) + 1):
            self.trying = number
            config = {**got["Distribution"]["DistributionConfig"], "Comment": str(number)}
            self.etag = client.update_distribution(Id=self.id, IfMatch=self.etag, DistributionConfig=config)["ETag"]
            self.number, self.trying = number, None
            self.acknowledged += 1

    def check(self, plane: ControlPlane) -> None:
        got: Any = plane.perform("GetDistribution", {"Id": self.id})
        number = int(got["Distribution"]["DistributionConfig"]["Comment"])
        assert number in (self.number, self.trying)
        assert number == self.trying or got["ETag"] == self.etag
        assert got["Distribution"]["Status"] == "Deployed"
        self.number, self.trying = number, None


@dataclass
class Keys(Subject):
    """Public keys that come into a group, and go: three changes that depend on each other."""

    pem: str = ""
    group: str = ""
    items: list[str] = field(default_factory=list)
    known: dict[str, str] = field(default_factory=dict)

    def work(self, client: Any) -> None:
        got = client.get_key_group(Id=self.group)
        etag, config = got["ETag"], got["KeyGroup"]["KeyGroupConfig"]
        for number in itertools.count():
            name = f"{time.time_ns()}-{number}"
            self.trying = ("create", name)
            made = client.create_public_key(
                PublicKeyConfig={"Name": name, "CallerReference": name, "EncodedKey": self.pem}
            )["PublicKey"]["Id"]
            self.known[made], self.trying = name, ("group", [made])
            etag = client.update_key_group(
                Id=self.group, IfMatch=etag, KeyGroupConfig={"Name": config["Name"], "Items": [made]}
            )["ETag"]
            self.items = [made]
            self.acknowledged += 2
            for unused in [key for key in self.known if key != made]:
                self.trying = ("delete", unused)
                client.delete_public_key(Id=unused, IfMatch=client.get_public_key(Id=unused)["ETag"])
                del self.known[unused]
                self.acknowledged += 1
            self.trying = None

    def check(self, plane: ControlPlane) -> None:
        listed: Any = plane.perform("ListPublicKeys", {})
        there = {item["Id"]: item["Name"] for item in listed["PublicKeyList"]["Items"]}
        group: Any = plane.perform("GetKeyGroup", {"Id": self.group})
        what, subject = self.trying or ("nothing", None)
        lost, more = self.known.keys() - there.keys(), there.keys() - self.known.keys()
        assert lost <= ({subject} if what == "delete" else set())
        assert {there[key] for key in more} <= ({subject} if what == "create" else set())
        items = group["KeyGroup"]["KeyGroupConfig"]["Items"]
        assert items in ([self.items, subject] if what == "group" else [self.items])
        assert set(items) <= there.keys()
        self.known, self.items, self.trying = there, items, None


@dataclass
class Invalidations(Subject):
    """Invalidations of one distribution, by their caller references."""

    id: str = ""
    known: dict[str, str] = field(default_factory=dict)

    def _batch(self, reference: str) -> dict[str, Any]:
        return {"CallerReference": reference, "Paths": {"Quantity": 1, "Items": [f"/{reference}/*"]}}

    def work(self, client: Any) -> None:
        if self.known:  # whoever asks again gets the invalidation that there is
            reference, made = random.choice(list(self.known.items()))
            again = client.create_invalidation(DistributionId=self.id, InvalidationBatch=self._batch(reference))
            assert again["Invalidation"]["Id"] == made
        for number in itertools.count(len(self.known)):
            self.trying = f"{number}-{time.time_ns()}"
            made = client.create_invalidation(DistributionId=self.id, InvalidationBatch=self._batch(self.trying))
            self.known[self.trying], self.trying = made["Invalidation"]["Id"], None
            self.acknowledged += 1

    def check(self, plane: ControlPlane) -> None:
        rows = [row for row in plane._account.store.invalidations if row.parent == self.id]
        there = {row.config["CallerReference"]: row.id for row in rows}
        assert len(there) == len(rows)
        assert self.known.items() <= there.items()
        assert there.keys() - self.known.keys() <= {self.trying}
        assert all(row.config == self._batch(row.config["CallerReference"]) for row in rows)
        self.known, self.trying = there, None


@dataclass
class Lives(Subject):
    """Distributions that are made with tags, used and deleted: each change is of several rows."""

    config: dict[str, Any] = field(default_factory=dict)
    there: set[str] = field(default_factory=set)

    def work(self, client: Any) -> None:
        for identifier in sorted(self.there):
            self._end(client, identifier)
        while True:
            config = {**self.config, "CallerReference": f"life-{time.time_ns()}"}
            tagged = {"DistributionConfig": config, "Tags": {"Items": [{"Key": "life", "Value": "short"}]}}
            self.trying = "create"
            made = client.create_distribution_with_tags(DistributionConfigWithTags=tagged)["Distribution"]["Id"]
            self.there.add(made)
            self.trying = made
            client.create_invalidation(DistributionId=made, InvalidationBatch=Invalidations()._batch("1"))
            self.acknowledged += 2
            self._end(client, made)

    def _end(self, client: Any, identifier: str) -> None:
        self.trying = identifier
        got = client.get_distribution(Id=identifier)
        client.delete_distribution(Id=identifier, IfMatch=got["ETag"])
        self.there.discard(identifier)
        self.trying = None
        self.acknowledged += 1

    def check(self, plane: ControlPlane) -> None:
        store = plane._account.store
        there = {row.id for row in store.distributions if row.config["CallerReference"].startswith("life-")}
        assert self.there - there <= {self.trying}
        assert len(there - self.there) <= (self.trying == "create")
        every = {row.id for row in store.distributions}
        tags = {row.id.rpartition("/")[2]: row.config for row in store.tags}
        assert tags.keys() == every
        assert all(tags[identifier] == {"life": "short"} for identifier in there)
        assert {row.parent for row in store.invalidations} <= every
        self.there, self.trying = there, None


def _client(port: str) -> Any:
    config = Config(retries={"total_max_attempts": 1}, parameter_validation=False)
    return SESSION.client("cloudfront", endpoint_url=f"http://127.0.0.1:{port}", config=config)


def _left(file: Path, folder: Path) -> ControlPlane:
    """The account as a killed process left it, read from a copy, so that the next process recovers it for itself."""
    for ending in ("", "-wal"):
        if Path(f"{file}{ending}").exists():
            shutil.copyfile(f"{file}{ending}", folder / f"copy{ending}")
    journal = Journal.open(folder / "copy")
    try:
        return ControlPlane(journal=journal)
    finally:
        journal.close()


def _run_until_killed(file: Path, subjects: list[Any], changes: int) -> None:
    """Let each client change its own until so many changes were acknowledged; then kill the process at once."""
    process = subprocess.Popen([sys.executable, "-c", SERVE, file], stdout=subprocess.PIPE, text=True)
    wrong: list[BaseException] = []

    def work(subject: Any, client: Any) -> None:
        try:
            with suppress(BotoCoreError):
                subject.work(client)
        except (ClientError, AssertionError) as error:
            wrong.append(error)
            process.kill()

    try:
        assert process.stdout is not None
        client = _client(process.stdout.readline().strip())
        before = sum(subject.acknowledged for subject in subjects)
        threads = [threading.Thread(target=work, args=(subject, client)) for subject in subjects]
        for thread in threads:
            thread.start()
        while sum(subject.acknowledged for subject in subjects) < before + changes and process.poll() is None:
            time.sleep(random.uniform(0, 0.002))
        process.kill()
        for thread in threads:
            thread.join(30)
        assert wrong == []
        assert process.wait(10) == -signal.SIGKILL
    finally:
        process.kill()
        process.communicate()


def _prove(file: Path, subjects: list[Any], rounds: int, changes: int) -> None:
    for number in range(rounds):
        _run_until_killed(file, subjects, random.randint(changes // 2, changes * 3 // 2))
        folder = file.with_name(f"round-{number}")
        folder.mkdir()
        plane = _left(file, folder)
        for subject in subjects:
            subject.check(plane)
        shutil.rmtree(folder)
    assert all(subject.acknowledged for subject in subjects)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "cloudfront.db"


@pytest.fixture
def subjects(file: Path, config: Callable[..., Any], pems: list[str]) -> list[Any]:
    """What the four clients change, each its own."""
    journal = Journal.open(file)
    plane = ControlPlane(journal=journal)

    def distribution(**settings: Any) -> str:
        made: Any = plane.perform("CreateDistribution", {"DistributionConfig": config(**settings)})
        return str(made["Distribution"]["Id"])

    first: Any = plane.perform(
        "CreatePublicKey", {"PublicKeyConfig": {"Name": "0", "CallerReference": "0", "EncodedKey": pems[0]}}
    )
    key = first["PublicKey"]["Id"]
    group: Any = plane.perform("CreateKeyGroup", {"KeyGroupConfig": {"Name": "group", "Items": [key]}})
    made = [
        Updates(id=distribution(Comment="0")),
        Keys(pem=pems[0], group=group["KeyGroup"]["Id"], items=[key], known={key: "0"}),
        Invalidations(id=distribution()),
        Lives(config=config(Enabled=False)),
    ]
    journal.close()
    return made


def test_no_acknowledged_change_is_lost_and_none_is_half_done(file: Path, subjects: list[Any]) -> None:
    _prove(file, subjects, rounds=2, changes=100)


@pytest.mark.large
def test_no_acknowledged_change_of_a_thousand_is_lost_and_none_is_half_done(file: Path, subjects: list[Any]) -> None:
    _prove(file, subjects, rounds=5, changes=200)
    assert sum(subject.acknowledged for subject in subjects) >= 500
