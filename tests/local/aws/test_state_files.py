"""The files of moto's kept state: what is refused, and how; what is kept and what is let go."""

import json
import logging
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from keyfront.errors import InputError, KeyfrontError
from keyfront.local.aws import ServicesState
from keyfront.local.aws.mutations import may_change
from keyfront.local.aws.snapshot_lock import SnapshotLock


class Kept:
    """An endpoint whose state is kept, stopped and started again in this process: moto is emptied between."""

    def __init__(self, start: Callable[..., Any], directory: Path) -> None:
        self._start, self.directory = start, directory
        self._running: Any = None
        self._state: ServicesState | None = None

    def start(self) -> Any:
        """A running endpoint, with what was kept. Raises what `ServicesState` does."""
        self._state = ServicesState(self.directory)
        self._running = self._start(state=self._state)
        self._running.endpoint._services.load()
        return self._running

    def stop(self) -> None:
        """Write what there is, and forget it."""
        running, state, self._state = self._running, self._state, None
        if state is None:
            return
        running.stop().result(30)
        try:
            state.close()
        finally:
            running.endpoint.reset()

    def give_up(self) -> None:
        """Forget what came back before it was refused."""
        from moto.moto_api._internal.models import moto_api_backend

        moto_api_backend.reset()
        self._state = None

    def restart(self) -> Any:
        self.stop()
        return self.start()


@pytest.fixture
def kept(start_endpoint: Callable[..., Any], tmp_path: Path) -> Iterator[Kept]:
    made = Kept(start_endpoint, tmp_path / "services")
    yield made
    made.stop()


@pytest.fixture
def left(kept: Kept) -> Path:
    """The directory after an endpoint with a parameter and a large object."""
    running = kept.start()
    running.client("ssm").put_parameter(Name="/p", Type="String", Value="v")
    s3 = running.client("s3")
    s3.create_bucket(Bucket="shop", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.put_object(Bucket="shop", Key="large", Body=b"x" * 100_000)
    kept.stop()
    return kept.directory


def _header(file: Path) -> dict[str, Any]:
    header: dict[str, Any] = json.loads(file.read_bytes().partition(b"\n")[0])
    return header


def _rewrite(file: Path, **members: Any) -> None:
    _, _, rest = file.read_bytes().partition(b"\n")
    file.write_bytes(json.dumps(_header(file) | members).encode() + b"\n" + rest)


class TestRefusals:
    """Each says which file and what to do, and leaves everything as it is."""

    def _refused(self, directory: Path, kept: Kept) -> str:
        before = {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}
        with pytest.raises(InputError) as raised:
            kept.start()
        kept.give_up()
        assert {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()} == before
        assert str(directory) in str(raised.value)
        return str(raised.value)

    @pytest.mark.parametrize(
        ("member", "value", "said"),
        [
            ("moto", "4.9.9", "use moto 4.9.9"),
            ("python", "3.10", "use Python 3.10"),
        ],
    )
    def test_a_file_that_another_version_wrote(
        self, left: Path, kept: Kept, member: str, value: str, said: str
    ) -> None:
        _rewrite(left / "state", **{member: value})
        assert said in self._refused(left, kept)

    def test_a_file_in_another_format(self, left: Path, kept: Kept) -> None:
        _rewrite(left / "state", format="2", keyfront="7.0.0")
        assert "use keyfront 7.0.0" in self._refused(left, kept)

    def test_a_cut_file(self, left: Path, kept: Kept) -> None:
        with (left / "state").open("r+b") as file:
            file.truncate(file.seek(0, os.SEEK_END) - 1)
        assert "damaged" in self._refused(left, kept)

    def test_a_changed_file(self, left: Path, kept: Kept) -> None:
        content = bytearray((left / "state").read_bytes())
        content[-100] ^= 1
        (left / "state").write_bytes(content)
        assert "damaged" in self._refused(left, kept)

    def test_something_else(self, left: Path, kept: Kept) -> None:
        (left / "state").write_text("{}\n")
        assert "damaged" in self._refused(left, kept)

    def test_a_content_that_is_gone(self, left: Path, kept: Kept) -> None:
        (content,) = (left / "contents").iterdir()
        content.unlink()
        assert content.name in self._refused(left, kept)

    def test_a_content_that_was_changed(self, left: Path, kept: Kept) -> None:
        (content,) = (left / "contents").iterdir()
        content.write_bytes(b"y" * 100_000)
        assert "damaged" in self._refused(left, kept)

    @pytest.mark.parametrize("part", [".", "state", "contents"])
    def test_what_others_may_write_to(self, left: Path, kept: Kept, part: str) -> None:
        (left / part).chmod(0o770)
        assert "chmod -R go-w" in self._refused(left, kept)

    def test_what_another_user_owns(self, left: Path, kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
        user = os.geteuid()
        monkeypatch.setattr(os, "geteuid", lambda: user + 1)
        assert "another user" in self._refused(left, kept)


def test_files_are_for_their_owner_alone(left: Path) -> None:
    modes = {path.relative_to(left).as_posix(): path.stat().st_mode & 0o777 for path in left.rglob("*")}
    assert set(modes.values()) == {0o700, 0o600}, modes
    assert left.stat().st_mode & 0o777 == 0o700


def test_a_large_content_is_written_once_and_let_go_with_its_object(left: Path, kept: Kept) -> None:
    (content,) = (left / "contents").iterdir()
    before = content.stat().st_ino
    running = kept.start()
    running.client("ssm").put_parameter(Name="/q", Type="String", Value="v")
    running.client("s3").copy_object(Bucket="shop", Key="twin", CopySource="shop/large")
    running = kept.restart()
    assert [path.stat().st_ino for path in (left / "contents").iterdir()] in ([before], [content.stat().st_ino])
    assert running.client("s3").get_object(Bucket="shop", Key="twin")["Body"].read() == b"x" * 100_000
    for name in ("large", "twin"):
        running.client("s3").delete_object(Bucket="shop", Key=name)
    kept.stop()
    assert list((left / "contents").iterdir()) == []


def test_what_did_not_change_is_not_written_again(left: Path, kept: Kept) -> None:
    kept.start()
    kept.stop()
    before = (left / "state").stat().st_ino
    running = kept.start()
    running.client("ssm").get_parameter(Name="/p")
    kept.stop()
    assert (left / "state").stat().st_ino == before


def test_an_object_that_cannot_be_written_down_costs_its_service_alone(
    kept: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    running = kept.start()
    running.client("ssm").put_parameter(Name="/p", Type="String", Value="v")
    running.client("sqs").create_queue(QueueName="q")
    from moto.sqs.models import sqs_backends

    sqs_backends["123456789012"]["us-east-1"].in_use = (number for number in range(1))  # type: ignore[attr-defined]
    with caplog.at_level(logging.WARNING):
        running = kept.restart()
    assert [("moto.sqs" in record.message, "not kept" in record.message) for record in caplog.records] == [(True, True)]
    assert running.client("ssm").get_parameter(Name="/p")["Parameter"]["Value"] == "v"
    assert "QueueUrls" not in running.client("sqs").list_queues()


def test_a_disk_that_takes_nothing_is_said_and_the_last_state_stays(
    left: Path, kept: Kept, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    running, before = kept.start(), (left / "state").read_bytes()
    said = threading.Event()

    def full(*_: object) -> None:
        said.set()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("keyfront.local.aws.snapshot.write_atomically", full)
    monkeypatch.setattr("keyfront.local.aws.services_state._TRIES", 2)
    with caplog.at_level(logging.ERROR):
        running.client("ssm").put_parameter(Name="/q", Type="String", Value="v")
        assert said.wait(30)
        with pytest.raises(KeyfrontError, match="No space left"):
            kept.stop()
    assert "No space left" in caplog.text
    assert (left / "state").read_bytes() == before


class TestPublishedFolders:
    """The files of a folder are objects again, as S3 left them: never their bytes."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        folder = tmp_path / "content"
        folder.mkdir()
        for name in ("stays", "deleted", "overwritten"):
            (folder / name).write_text(f"{name} on the disk")
        return folder

    @pytest.fixture
    def again(self, kept: Kept, folder: Path) -> Callable[[], Any]:
        """Publish, change what S3 can change, and start again."""
        running = kept.start()
        s3 = running.client("s3")
        s3.create_bucket(Bucket="shop", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        running.endpoint.publish_folder("shop", folder, headers={"Cache-Control": "no-store"})
        s3.delete_object(Bucket="shop", Key="deleted")
        s3.put_object(Bucket="shop", Key="overwritten", Body=b"by a client")
        return kept.restart

    def _objects(self, running: Any) -> dict[str, bytes]:
        s3 = running.client("s3")
        keys = [item["Key"] for item in s3.list_objects_v2(Bucket="shop").get("Contents", [])]
        return {key: s3.get_object(Bucket="shop", Key=key)["Body"].read() for key in keys}

    def test_published_again(self, again: Callable[[], Any], folder: Path) -> None:
        running = again()
        (folder / "stays").write_text("changed")
        (folder / "new").write_text("new")
        running.endpoint.publish_folder("shop", folder, headers={"Cache-Control": "no-store"})
        assert self._objects(running) == {"stays": b"changed", "overwritten": b"by a client", "new": b"new"}
        (folder / "stays").unlink()
        assert set(self._objects(running)) == {"overwritten", "new"}

    def test_another_folder_in_its_place(self, again: Callable[[], Any], tmp_path: Path) -> None:
        running, other = again(), tmp_path / "other"
        other.mkdir()
        for name in ("deleted", "more"):
            (other / name).write_text(f"{name} in the other")
        running.endpoint.publish_folder("shop", other)
        assert self._objects(running) == {
            "overwritten": b"by a client",
            "deleted": b"deleted in the other",
            "more": b"more in the other",
        }

    def test_the_files_bytes_are_not_kept(self, again: Callable[[], Any], kept: Kept, folder: Path) -> None:
        (folder / "large").write_bytes(os.urandom(1_000_000))
        running = again()
        running.endpoint.publish_folder("shop", folder)
        kept.stop()
        assert list((kept.directory / "contents").iterdir()) == []
        assert (kept.directory / "state").stat().st_size < 500_000


class TestGate:
    def test_whoever_shuts_it_waits_for_those_inside(self) -> None:
        lock, inside, leave = SnapshotLock(), threading.Event(), threading.Event()

        def request() -> None:
            with lock.shared():
                inside.set()
                leave.wait(10)

        thread = threading.Thread(target=request)
        thread.start()
        inside.wait(10)
        threading.Timer(0.05, leave.set).start()
        with lock.exclusive(10) as empty:
            assert empty
            assert leave.is_set()
        thread.join()

    def test_nobody_gets_in_while_it_is_shut(self) -> None:
        lock, seen = SnapshotLock(), list[str]()

        def request() -> None:
            with lock.shared():
                seen.append("request")

        with lock.exclusive(1):
            thread = threading.Thread(target=request)
            thread.start()
            seen.append("look")
        thread.join(10)
        assert seen == ["look", "request"]

    def test_a_request_that_waits_for_another_one_stops_nobody_for_good(self) -> None:
        lock = SnapshotLock()

        def called() -> None:
            with lock.shared():
                pass

        with lock.shared():
            with lock.exclusive(0.05) as empty:
                assert not empty
                thread = threading.Thread(target=called)
                thread.start()
            thread.join(10)
            assert not thread.is_alive()


@pytest.mark.parametrize(
    ("method", "target", "query", "form", "changes"),
    [
        ("GET", None, "", "", False),
        ("HEAD", None, "list-type=2", "", False),
        ("PUT", None, "", "", True),
        ("DELETE", None, "", "", True),
        ("POST", None, "uploads", "", True),
        ("POST", "AmazonSSM.GetParameter", "", "", False),
        ("POST", "AmazonSSM.PutParameter", "", "", True),
        ("POST", "TrentService.Sign", "", "", False),
        ("POST", "TrentService.ScheduleKeyDeletion", "", "", True),
        ("POST", "AWSCognitoIdentityProviderService.SignUp", "", "", True),
        ("POST", "DynamoDB_20120810.Scan", "", "", False),
        ("POST", "DynamoDB_20120810.BatchWriteItem", "", "", True),
        ("POST", "AmazonSQS.ReceiveMessage", "", "", True),
        ("POST", None, "", "Action=ListUsers&Version=2010-05-08", False),
        ("POST", None, "", "Action=CreateUser&UserName=x", True),
        ("GET", None, "Action=CreateUser&UserName=x", "", True),
        ("POST", None, "", "nothing=known", True),
    ],
)
def test_what_may_change_something(method: str, target: str | None, query: str, form: str, changes: bool) -> None:
    from io import BytesIO

    environ: dict[str, Any] = {"REQUEST_METHOD": method, "QUERY_STRING": query, "wsgi.input": BytesIO(form.encode())}
    if target:
        environ["HTTP_X_AMZ_TARGET"] = target
    if form:
        environ["CONTENT_TYPE"] = "application/x-www-form-urlencoded; charset=utf-8"
    assert may_change(environ) is changes
    assert environ["wsgi.input"].read() == form.encode()
