"""A folder of the user's as objects in a bucket."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from keyfront.errors import InputError
from keyfront.local.aws.content_folder import content_type, contents, find, root_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from tests.local.aws.conftest import CommandLine, Headers, Running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "content"
    (folder / "audio").mkdir(parents=True)
    (folder / "book.epub").write_bytes(b"book")
    (folder / "audio" / "chapter 1+2%2F.mp3").write_bytes(bytes(range(256)))
    (folder / "empty.txt").write_bytes(b"")
    return folder


@pytest.fixture
def published(endpoint: "Running", s3: "S3Client", folder: Path) -> "S3Client":
    assert endpoint.endpoint.publish_folder("shop", folder) == ["audio/chapter 1+2%2F.mp3", "book.epub", "empty.txt"]
    return s3


def listed(s3: "S3Client", **more: Any) -> list[str]:
    return [entry["Key"] for entry in s3.list_objects_v2(Bucket="shop", **more).get("Contents", [])]


def read(s3: "S3Client", key: str, **more: Any) -> bytes:
    return s3.get_object(Bucket="shop", Key=key, **more)["Body"].read()


def code_of(call: Callable[..., object], **arguments: str) -> str:
    with pytest.raises(ClientError) as raised:
        call(Bucket="shop", **arguments)
    return str(raised.value.response["Error"]["Code"])


def test_files_are_objects(published: "S3Client", folder: Path) -> None:
    assert listed(published) == ["audio/chapter 1+2%2F.mp3", "book.epub", "empty.txt"]
    assert listed(published, Prefix="audio/") == ["audio/chapter 1+2%2F.mp3"]
    got = published.get_object(Bucket="shop", Key="book.epub")
    assert got["Body"].read() == b"book"
    assert got["ContentType"] == "application/epub+zip"
    assert int(got["LastModified"].timestamp()) == int((folder / "book.epub").stat().st_mtime)
    assert got["ETag"].endswith('-1"')
    head = published.head_object(Bucket="shop", Key="book.epub")
    entry = next(e for e in published.list_objects_v2(Bucket="shop")["Contents"] if e["Key"] == "book.epub")
    for name in ("ETag", "LastModified"):
        assert got[name] == head[name] == entry[name]
    assert (head["ContentLength"], entry["Size"]) == (4, 4)


def test_an_empty_file_is_an_object(published: "S3Client") -> None:
    assert read(published, "empty.txt") == b""
    assert code_of(published.get_object, Key="empty.txt", Range="bytes=0-") == "InvalidRange"


def test_ranges_and_conditions_work_on_files(published: "S3Client", folder: Path) -> None:
    key = "audio/chapter 1+2%2F.mp3"
    assert read(published, key, Range="bytes=250-") == bytes(range(250, 256))
    etag = published.head_object(Bucket="shop", Key=key)["ETag"]
    assert code_of(published.get_object, Key=key, IfNoneMatch=etag) == "304"
    assert code_of(published.get_object, Key=key, IfMatch='"other"') == "PreconditionFailed"
    assert read(published, key, IfMatch=etag, Range="bytes=0-0") == b"\0"


def test_files_are_as_private_as_objects(endpoint: "Running", published: "S3Client") -> None:
    assert endpoint.send("GET", "/shop/book.epub").status == 403
    assert endpoint.send("GET", "/shop/none.epub").status == 403


def test_a_prefix_comes_before_the_names(endpoint: "Running", s3: "S3Client", folder: Path) -> None:
    assert endpoint.endpoint.publish_folder("shop", folder / "audio", "books/") == ["books/chapter 1+2%2F.mp3"]
    assert listed(s3) == ["books/chapter 1+2%2F.mp3"]
    assert len(read(s3, "books/chapter 1+2%2F.mp3")) == 256
    assert code_of(s3.get_object, Key="chapter 1+2%2F.mp3") == "NoSuchKey"


def test_two_folders_share_a_bucket_with_what_was_put_there(
    endpoint: "Running", s3: "S3Client", folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "second").mkdir()
    (tmp_path / "second" / "book.epub").write_bytes(b"second")
    (tmp_path / "second" / "other.epub").write_bytes(b"other")
    s3.put_object(Bucket="shop", Key="put", Body=b"put")
    endpoint.endpoint.publish_folder("shop", folder)
    endpoint.endpoint.publish_folder("shop", tmp_path / "second")
    assert listed(s3) == ["audio/chapter 1+2%2F.mp3", "book.epub", "empty.txt", "other.epub", "put"]
    assert (read(s3, "book.epub"), read(s3, "other.epub"), read(s3, "put")) == (b"book", b"other", b"put")


def test_a_changed_file_is_served_as_it_is_now(published: "S3Client", folder: Path) -> None:
    before = published.head_object(Bucket="shop", Key="book.epub")
    (folder / "book.epub").write_bytes(b"second edition")
    after = published.get_object(Bucket="shop", Key="book.epub")
    assert after["Body"].read() == b"second edition"
    assert (after["ContentLength"], after["ETag"] != before["ETag"]) == (14, True)
    assert code_of(published.get_object, Key="book.epub", IfMatch=before["ETag"]) == "PreconditionFailed"


def test_a_new_file_appears(published: "S3Client", folder: Path) -> None:
    (folder / "new").mkdir()
    (folder / "new" / "one.pdf").write_bytes(b"1")
    assert read(published, "new/one.pdf") == b"1"
    (folder / "new" / "two.pdf").write_bytes(b"2")
    assert [key for key in listed(published) if key.startswith("new/")] == ["new/one.pdf", "new/two.pdf"]


def test_a_deleted_file_is_gone(published: "S3Client", folder: Path) -> None:
    (folder / "book.epub").unlink()
    assert code_of(published.get_object, Key="book.epub") == "NoSuchKey"
    shutil.rmtree(folder / "audio")
    assert listed(published) == ["empty.txt"]
    (folder / "book.epub").write_bytes(b"back")
    assert read(published, "book.epub") == b"back"


def test_a_folder_that_vanishes_takes_its_objects_with_it(published: "S3Client", folder: Path) -> None:
    shutil.rmtree(folder)
    assert listed(published) == []


def test_deleting_and_overwriting_objects_leaves_the_files(published: "S3Client", folder: Path) -> None:
    published.delete_object(Bucket="shop", Key="book.epub")
    published.put_object(Bucket="shop", Key="empty.txt", Body=b"no longer")
    deleted = published.delete_objects(Bucket="shop", Delete={"Objects": [{"Key": "audio/chapter 1+2%2F.mp3"}]})
    assert len(deleted["Deleted"]) == 1
    assert listed(published) == ["empty.txt"]
    assert code_of(published.head_object, Key="book.epub") == "404"
    assert read(published, "empty.txt") == b"no longer"
    published.delete_object(Bucket="shop", Key="empty.txt")
    published.delete_bucket(Bucket="shop")
    assert (folder / "book.epub").read_bytes() == b"book"
    assert (folder / "empty.txt").read_bytes() == b""
    assert (folder / "audio" / "chapter 1+2%2F.mp3").stat().st_size == 256


def test_an_object_that_was_put_keeps_its_place_before_a_file(
    endpoint: "Running", s3: "S3Client", folder: Path
) -> None:
    s3.put_object(Bucket="shop", Key="book.epub", Body=b"put")
    endpoint.endpoint.publish_folder("shop", folder)
    assert read(s3, "book.epub") == b"put"
    s3.delete_object(Bucket="shop", Key="book.epub")
    assert "book.epub" not in listed(s3)


def test_a_file_can_be_copied_to_an_object(published: "S3Client") -> None:
    published.copy_object(Bucket="shop", Key="copy", CopySource={"Bucket": "shop", "Key": "book.epub"})
    assert read(published, "copy") == b"book"


def test_a_file_too_large_for_memory_is_not_copied(published: "S3Client", folder: Path) -> None:
    with (folder / "large.bin").open("wb") as file:
        file.truncate(2 * 1024**3)
    with pytest.raises(ClientError, match="too many to copy in memory"):
        published.copy_object(Bucket="shop", Key="copy", CopySource={"Bucket": "shop", "Key": "large.bin"})
    assert published.head_object(Bucket="shop", Key="large.bin")["ContentLength"] == 2 * 1024**3


def test_versions_of_files_are_listed_without_reading_them(published: "S3Client", folder: Path) -> None:
    with (folder / "large.bin").open("wb") as file:
        file.truncate(2 * 1024**3)
    versions = published.list_object_versions(Bucket="shop")["Versions"]
    assert [(v["Key"], v["Size"]) for v in versions][2:] == [("empty.txt", 0), ("large.bin", 2 * 1024**3)]


def test_versioning_hides_a_deleted_file_behind_a_marker(endpoint: "Running", s3: "S3Client", folder: Path) -> None:
    s3.put_bucket_versioning(Bucket="shop", VersioningConfiguration={"Status": "Enabled"})
    endpoint.endpoint.publish_folder("shop", folder)
    version = s3.head_object(Bucket="shop", Key="book.epub")["VersionId"]
    s3.delete_object(Bucket="shop", Key="book.epub")
    assert code_of(s3.get_object, Key="book.epub") == "NoSuchKey"
    assert read(s3, "book.epub", VersionId=version) == b"book"
    (folder / "book.epub").unlink()
    assert code_of(s3.get_object, Key="book.epub", VersionId=version) == "NoSuchVersion"


def test_tags_and_metadata_of_a_file_live_with_its_object(published: "S3Client") -> None:
    published.put_object_tagging(Bucket="shop", Key="book.epub", Tagging={"TagSet": [{"Key": "price", "Value": "9"}]})
    got = published.get_object(Bucket="shop", Key="book.epub")
    assert (got["TagCount"], got["Body"].read()) == (1, b"book")


def test_publishing_again_changes_nothing(endpoint: "Running", published: "S3Client", folder: Path) -> None:
    assert endpoint.endpoint.publish_folder("shop", folder) == listed(published)
    published.delete_object(Bucket="shop", Key="book.epub")
    endpoint.endpoint.publish_folder("shop", folder)
    assert "book.epub" not in listed(published)


def test_a_file_changed_while_it_is_sent_breaks_off(published: "S3Client", folder: Path) -> None:
    large = folder / "large.bin"
    with large.open("wb") as file:
        file.truncate(256 * 1024**2)
    body = published.get_object(Bucket="shop", Key="large.bin")["Body"]
    body.read(1000)
    with large.open("r+b") as file:
        file.write(b"changed")
    with pytest.raises(Exception, match=r"IncompleteRead|Connection broken"):
        body.read()


def test_a_file_exchanged_while_it_is_sent_arrives_as_it_was(published: "S3Client", folder: Path) -> None:
    large = folder / "large.bin"
    with large.open("wb") as file:
        file.truncate(64 * 1024**2)
    body = published.get_object(Bucket="shop", Key="large.bin")["Body"]
    first = body.read(1000)
    (folder / "other.bin").write_bytes(b"other")
    (folder / "other.bin").replace(large)
    assert len(first + body.read()) == 64 * 1024**2
    assert read(published, "large.bin") == b"other"


def odd_folder(root: Path) -> set[str]:
    """Fills `root` with what is content and what is not; the names of the former."""
    outside = root.parent / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    (root / ".git").mkdir()
    (root / ".git" / "config").write_bytes(b"token")
    (root / ".env").write_bytes(b"token")
    (root / "sub").mkdir()
    (root / "sub" / ".hidden").write_bytes(b"token")
    (root / "sub" / "real").write_bytes(b"real")
    (root / "inside").symlink_to(root / "sub" / "real")
    (root / "relative").symlink_to("sub/real")
    (root / "out").symlink_to(outside / "secret")
    (root / "out-relative").symlink_to("../outside/secret")
    (root / "to-hidden").symlink_to(root / ".env")
    (root / "to-folder").symlink_to(root / "sub")
    (root / "to-outside").symlink_to(outside)
    (root / "loop").symlink_to("loop")
    (root / "dangling").symlink_to("nothing")
    (root / "control\x01").write_bytes(b"")
    os.mkfifo(root / "pipe")
    Path(os.fsdecode(os.fsencode(root) + b"/latin-\xe4")).touch()
    return {"sub/real", "inside", "relative"}


def test_only_visible_files_of_the_folder_are_content(tmp_path: Path) -> None:
    (root := tmp_path / "root").mkdir()
    expected = odd_folder(root)
    found = contents(root_of(root))
    assert set(found.files) == expected
    for name in ("out", "to-hidden", "pipe", "loop", "dangling", ".git", ".env", "to-folder"):
        assert found.left_out[root / name]
    assert {name for name in expected if find(root, name)} == expected


@pytest.mark.parametrize(
    "name",
    [
        *(
            "",
            ".",
            "..",
            "/",
            "../outside/secret",
            "sub/../../outside/secret",
            "sub/../sub/real",
            "/etc/passwd",
            "//sub/real",
        ),
        *(
            ".env",
            ".git/config",
            "sub/.hidden",
            "out",
            "out-relative",
            "to-hidden",
            "to-folder/real",
            "to-outside/secret",
        ),
        *(
            "sub",
            "sub/",
            "sub//real",
            "pipe",
            "loop",
            "dangling",
            "control\x01",
            "sub/real\0",
            "sub/real/x",
            "n" * 5000,
        ),
    ],
)
def test_no_name_leads_elsewhere(tmp_path: Path, name: str) -> None:
    (root := tmp_path / "root").mkdir()
    odd_folder(root)
    assert find(root_of(root), name) is None


def test_no_request_leads_elsewhere(endpoint: "Running", s3: "S3Client", tmp_path: Path, signed_for: "Headers") -> None:
    (root := tmp_path / "root").mkdir()
    names = odd_folder(root)
    assert endpoint.endpoint.publish_folder("shop", root) == sorted(names)
    for path in (
        "out",
        ".env",
        "../outside/secret",
        "..%2Foutside%2Fsecret",
        "sub/..%2f..%2foutside/secret",
        "%2e%65nv",
    ):
        assert endpoint.send("GET", f"/shop/{path}", headers=signed_for("s3")).status == 404


def test_a_file_that_becomes_a_link_out_is_content_no_more(published: "S3Client", folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    (folder / "book.epub").unlink()
    (folder / "book.epub").symlink_to(tmp_path / "secret")
    assert code_of(published.get_object, Key="book.epub") == "NoSuchKey"


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.write_bytes(b"")], ids=["missing", "a file"])
def test_what_is_no_folder_is_refused_by_name(
    endpoint: "Running", s3: "S3Client", tmp_path: Path, make: Callable[[Path], object]
) -> None:
    make(tmp_path / "content")
    with pytest.raises(InputError, match="content"):
        endpoint.endpoint.publish_folder("shop", tmp_path / "content")


def test_a_bucket_that_does_not_exist_is_refused_by_name(endpoint: "Running", tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"'nothing'.*create it first"):
        endpoint.endpoint.publish_folder("nothing", tmp_path)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.epub", "application/epub+zip"),
        ("A.PDF", "application/pdf"),
        ("a.mp4", "video/mp4"),
        ("a.m4b", "audio/mp4"),
        ("a.html", "text/html"),
        ("a.tar.gz", "application/gzip"),
        ("a.svgz", "application/gzip"),
        ("a", "binary/octet-stream"),
        ("a.unknown-ending", "binary/octet-stream"),
    ],
)
def test_the_content_type_follows_the_ending(name: str, expected: str) -> None:
    assert content_type(name) == expected


def test_the_command_line_syncs_a_folder_down(
    endpoint: "Running", published: "S3Client", folder: Path, tmp_path: Path, aws: "CommandLine"
) -> None:
    aws("s3", "sync", "s3://shop", str(tmp_path / "copy"))
    compared = subprocess.run(["diff", "-r", folder, tmp_path / "copy"], capture_output=True, text=True)
    assert compared.stdout == ""
