"""S3 objects through the endpoint, to the byte."""

import gzip
import hashlib
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from tests.local.aws.conftest import Headers, Running

MEBIBYTE = 1024 * 1024
KEYS = [
    "plain.txt",
    "a/b/c.txt",
    "with space.txt",
    "plus+and&and=.txt",
    "percent%2Fencoded%20.txt",
    "ünïcode ☃ 日本.txt",
    "double//slash",
    "/leading",
    "trailing/",
    "a/../b",
    "./dot",
    "question?mark#hash",
    "semi;colon",
    "quote\"'<>.txt",
]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("addressing", ["path", "virtual"])
def test_a_key_of_any_spelling_comes_back(endpoint: "Running", s3: "S3Client", key: str, addressing: str) -> None:
    client = endpoint.client(
        "s3", endpoint_url=f"http://localhost:{endpoint.port}", s3={"addressing_style": addressing}
    )
    if addressing == "virtual":
        # What a resolver for *.localhost does; Python has none.
        client.meta.events.register_last("before-send.s3", Readdressed(endpoint).send)
    client.put_object(Bucket="shop", Key=key, Body=key.encode())
    assert client.get_object(Bucket="shop", Key=key)["Body"].read() == key.encode()
    assert client.head_object(Bucket="shop", Key=key)["ContentLength"] == len(key.encode())
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket="shop")["Contents"]] == [key]
    client.delete_object(Bucket="shop", Key=key)
    assert s3.list_objects_v2(Bucket="shop")["KeyCount"] == 0


class Readdressed:
    """Sends a request to where the endpoint listens, under the host it was made for."""

    def __init__(self, endpoint: "Running") -> None:
        from botocore.httpsession import URLLib3Session

        self.session, self.endpoint = URLLib3Session(), endpoint

    def send(self, request: Any, **_: Any) -> Any:
        host = request.url.split("/")[2]
        assert host.startswith("shop.")
        request.url = request.url.replace(host, f"127.0.0.1:{self.endpoint.port}", 1)
        request.headers["Host"] = host
        return self.session.send(request)


@pytest.mark.parametrize(
    "host",
    [
        "my.shop.s3.localhost:4566",
        "my.shop.s3.eu-central-1.localhost:4566",
        "my.shop.s3.localhost.localstack.cloud:4566",
        "my.shop.s3.eu-central-1.amazonaws.com",
        "my.shop.localhost:4566",
    ],
)
def test_the_host_may_name_the_bucket(
    foreign_names: "Running", s3: "S3Client", signed_for: "Headers", host: str
) -> None:
    s3.create_bucket(Bucket="my.shop", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.put_object(Bucket="my.shop", Key="key", Body=b"1")
    assert foreign_names.send("GET", "/key", headers=signed_for("s3", Host=host)).body == b"1"


@pytest.mark.parametrize(
    "host", ["s3.localhost:4566", "s3.eu-central-1.localhost", "[::1]:4566", "localhost.localstack.cloud"]
)
def test_the_path_names_the_bucket_otherwise(
    foreign_names: "Running", s3: "S3Client", signed_for: "Headers", host: str
) -> None:
    s3.put_object(Bucket="shop", Key="key", Body=b"1")
    assert foreign_names.send("GET", "/shop/key", headers=signed_for("s3", Host=host)).body == b"1"


def test_other_services_are_reached_under_their_own_hosts(endpoint: "Running", signed_for: "Headers") -> None:
    call = signed_for("sts", Host="sts.localhost:4566", Content_Type="application/x-www-form-urlencoded")
    reply = endpoint.send("POST", "/", b"Action=GetCallerIdentity&Version=2011-06-15", headers=call)
    assert b"<Account>123456789012</Account>" in reply.body


def test_metadata_names_keep_their_underscores(endpoint: "Running", s3: "S3Client") -> None:
    s3.put_object(Bucket="shop", Key="key", Metadata={"with_underscore": "1", "with-dash": "2"})
    assert s3.head_object(Bucket="shop", Key="key")["Metadata"] == {"with_underscore": "1", "with-dash": "2"}


def test_an_underscore_does_not_stand_in_for_a_dash(endpoint: "Running", s3: "S3Client", signed_for: "Headers") -> None:
    s3.put_object(Bucket="shop", Key="key", Body=b"1")
    reply = endpoint.send("GET", "/shop/key", headers={"X_Amz_Copy_Source": "x", "Authorization_": "AWS x"})
    assert reply.status == 403
    spoofed = signed_for("s3") | {"x-amz-meta-a-b": "dash", "x-amz-meta-a_b": "underscore"}
    endpoint.send("PUT", "/shop/spoofed", b"1", headers=spoofed)
    assert s3.head_object(Bucket="shop", Key="spoofed")["Metadata"] == {"a-b": "dash"}


@pytest.mark.parametrize("size", [0, 1, 20 * MEBIBYTE])
def test_a_body_of_any_size_comes_back(s3: "S3Client", size: int) -> None:
    body = os.urandom(size)
    put = s3.put_object(Bucket="shop", Key="key", Body=body)
    got = s3.get_object(Bucket="shop", Key="key")
    assert got["Body"].read() == body
    assert put["ETag"] == got["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
    assert s3.head_object(Bucket="shop", Key="key")["ContentLength"] == size


def test_a_multipart_upload_becomes_one_object(s3: "S3Client", tmp_path: Path) -> None:
    body = os.urandom(17 * MEBIBYTE)
    (tmp_path / "file").write_bytes(body)
    parts = TransferConfig(multipart_threshold=MEBIBYTE, multipart_chunksize=5 * MEBIBYTE)
    s3.upload_file(str(tmp_path / "file"), "shop", "key", Config=parts)
    head = s3.head_object(Bucket="shop", Key="key")
    s3.download_file("shop", "key", str(tmp_path / "back"))
    assert head["ETag"].endswith('-4"')
    assert (tmp_path / "back").read_bytes() == body


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
def test_a_body_in_signed_chunks_with_a_trailing_checksum_is_unwrapped(
    endpoint: "Running", s3: "S3Client", signed_for: "Headers", algorithm: str
) -> None:
    chunks = b"5\r\nhello\r\n6\r\n world\r\n0\r\nx-amz-checksum-%s:AAAAAA==\r\n\r\n" % algorithm.lower().encode()
    headers = signed_for("s3", Content_Encoding="aws-chunked", X_Amz_Trailer=f"x-amz-checksum-{algorithm.lower()}")
    headers |= {"x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "x-amz-decoded-content-length": "11"}
    assert endpoint.send("PUT", "/shop/key", chunks, headers=headers).status == 200
    got = s3.get_object(Bucket="shop", Key="key")
    assert got["Body"].read() == b"hello world"
    assert "ContentEncoding" not in got


def test_a_body_in_chunks_with_signatures_is_unwrapped(
    endpoint: "Running", s3: "S3Client", signed_for: "Headers"
) -> None:
    chunks = b"5;chunk-signature=00\r\nhello\r\n0;chunk-signature=00\r\n\r\n"
    headers = signed_for("s3", Content_Encoding="aws-chunked")
    headers |= {"x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "x-amz-decoded-content-length": "5"}
    assert endpoint.send("PUT", "/shop/key", chunks, headers=headers).status == 200
    assert s3.get_object(Bucket="shop", Key="key")["Body"].read() == b"hello"


def test_a_body_without_a_length_arrives_whole(endpoint: "Running", s3: "S3Client", signed_for: "Headers") -> None:
    pieces = [os.urandom(MEBIBYTE) for _ in range(5)]
    assert endpoint.send("PUT", "/shop/key", iter(pieces), headers=signed_for("s3")).status == 200
    assert s3.get_object(Bucket="shop", Key="key")["Body"].read() == b"".join(pieces)


def test_a_client_that_waits_for_permission_gets_it(endpoint: "Running", s3: "S3Client", signed_for: "Headers") -> None:
    head = "PUT /shop/key HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nExpect: 100-continue\r\n"
    head += f"Authorization: {signed_for('s3')['Authorization']}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", endpoint.port), timeout=60) as connection:
        connection.sendall(head.encode())
        assert connection.recv(4096).startswith(b"HTTP/1.1 100 ")
        connection.sendall(b"hello")
        assert connection.recv(4096).startswith(b"HTTP/1.1 200 ")
    assert s3.get_object(Bucket="shop", Key="key")["Body"].read() == b"hello"


def test_a_body_that_looks_like_a_form_is_content_all_the_same(
    endpoint: "Running", s3: "S3Client", signed_for: "Headers"
) -> None:
    headers = signed_for("s3", Content_Type="application/x-www-form-urlencoded")
    endpoint.send("PUT", "/shop/key", b"key=value&file=1", headers=headers)
    assert s3.get_object(Bucket="shop", Key="key")["Body"].read() == b"key=value&file=1"


def test_a_presigned_upload_of_any_type_is_content(endpoint: "Running", s3: "S3Client") -> None:
    body = b"\xff\xfe binary"
    for query in ("AWSAccessKeyId=test&Signature=x&Expires=4000000000", None):
        url = s3.generate_presigned_url("put_object", Params={"Bucket": "shop", "Key": "key"})
        target = f"/shop/key?{query}" if query else url.removeprefix(endpoint.url)
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        assert endpoint.send("PUT", target, body, headers=headers).status == 200
        assert s3.get_object(Bucket="shop", Key="key")["Body"].read() == body
        s3.delete_object(Bucket="shop", Key="key")


def test_compressed_content_is_stored_as_it_was_sent(s3: "S3Client") -> None:
    body = gzip.compress(b"text")
    s3.put_object(Bucket="shop", Key="key", Body=body, ContentEncoding="gzip", ContentType="text/plain")
    got = s3.get_object(Bucket="shop", Key="key")
    assert (got["Body"].read(), got["ContentEncoding"], got["ContentType"]) == (body, "gzip", "text/plain")


def test_a_connection_serves_one_request_after_the_other(
    endpoint: "Running", s3: "S3Client", signed_for: "Headers"
) -> None:
    s3.put_object(Bucket="shop", Key="small", Body=b"1")
    s3.put_object(Bucket="shop", Key="large", Body=bytes(9 * MEBIBYTE))
    connection = HTTPConnection("127.0.0.1", endpoint.port, timeout=30)
    connection.connect()
    first = connection.sock
    for method, key, length in [
        ("HEAD", "large", 0),
        ("GET", "large", 9 * MEBIBYTE),
        ("GET", "none", None),
        ("GET", "small", 1),
    ]:
        connection.request(method, f"/shop/{key}", headers=signed_for("s3"))
        body = connection.getresponse().read()
        assert length is None or len(body) == length
        assert connection.sock is first
    connection.close()


def test_a_hundred_requests_at_a_time_are_all_answered(
    endpoint: "Running", s3: "S3Client", signed_for: "Headers"
) -> None:
    def one(number: int) -> bool:
        path, body = f"/shop/{number}", str(number).encode() * 1000
        put = endpoint.send("PUT", path, body, headers=signed_for("s3"))
        return put.status == 200 and endpoint.send("GET", path, headers=signed_for("s3")).body == body

    with ThreadPoolExecutor(100) as pool:
        assert all(pool.map(one, range(200)))


@pytest.fixture(params=[100, 9 * MEBIBYTE], ids=["in memory", "on the disk"])
def content(request: pytest.FixtureRequest, s3: "S3Client") -> bytes:
    """An object `key`, of a size that moto answers from memory, or that we send from the disk."""
    body = os.urandom(request.param)
    s3.put_object(Bucket="shop", Key="key", Body=body, ContentType="video/mp4", Metadata={"title": "t"})
    return body


RANGES = [
    ("bytes=0-0", slice(0, 1)),
    ("bytes=10-19", slice(10, 20)),
    ("bytes=90-", slice(90, None)),
    ("bytes=-5", slice(-5, None)),
    ("bytes=-999999999", slice(0, None)),
    ("bytes=50-999999999", slice(50, None)),
]


@pytest.mark.parametrize(("header", "expected"), RANGES)
def test_a_range_is_cut_out(s3: "S3Client", content: bytes, header: str, expected: slice) -> None:
    got = s3.get_object(Bucket="shop", Key="key", Range=header)
    start, stop, _ = expected.indices(len(content))
    assert got["Body"].read() == content[expected]
    assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert got["ContentRange"] == f"bytes {start}-{stop - 1}/{len(content)}"
    assert got["ContentLength"] == stop - start
    assert got["ContentType"] == "video/mp4"


@pytest.mark.parametrize("header", ["bytes=999999999-", "bytes=-0"])
def test_a_range_past_the_end_cannot_be_satisfied(
    endpoint: "Running", content: bytes, signed_for: "Headers", header: str
) -> None:
    reply = endpoint.send("GET", "/shop/key", headers=signed_for("s3", Range=header))
    assert reply.status == 416
    assert b"<Code>InvalidRange</Code>" in reply.body
    assert b"<ActualObjectSize>%d</ActualObjectSize>" % len(content) in reply.body


@pytest.mark.parametrize(
    "header", ["bytes", "bytes=a-b", "bytes=5-2", "bytes=0-1,5-6", "lines=1-2", "bytes=1=2", "bytes=-"]
)
def test_a_range_that_cannot_be_read_gets_the_whole(
    endpoint: "Running", content: bytes, signed_for: "Headers", header: str
) -> None:
    reply = endpoint.send("GET", "/shop/key", headers=signed_for("s3", Range=header))
    assert (reply.status, reply.body) == (200, content)


def test_conditions_are_judged(endpoint: "Running", s3: "S3Client", content: bytes, signed_for: "Headers") -> None:
    etag = s3.head_object(Bucket="shop", Key="key")["ETag"]
    past, future = "Mon, 01 Jan 2001 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"
    for method in ("GET", "HEAD"):
        for conditions, status in [
            ({"If-None-Match": etag}, 304),
            ({"If-None-Match": '"other"'}, 200),
            ({"If-Match": etag}, 200),
            ({"If-Match": '"other"'}, 412),
            ({"If-Modified-Since": future}, 304),
            ({"If-Modified-Since": past}, 200),
            ({"If-Unmodified-Since": past}, 412),
            ({"If-Unmodified-Since": future}, 200),
            ({"If-None-Match": '"other"', "If-Modified-Since": future}, 200),
            ({"If-Match": etag, "If-Unmodified-Since": past}, 200),
            ({"If-Modified-Since": "yesterday"}, 200),
            ({"If-None-Match": etag, "Range": "bytes=0-1"}, 304),
        ]:
            reply = endpoint.send(method, "/shop/key", headers=signed_for("s3") | conditions)
            assert (reply.status, method, conditions) == (status, method, conditions)
            assert reply.body == (content if (method, status) == ("GET", 200) else reply.body if status == 412 else b"")


def test_headers_are_the_same_for_get_and_head(
    endpoint: "Running", s3: "S3Client", content: bytes, signed_for: "Headers"
) -> None:
    get = endpoint.send("GET", "/shop/key", headers=signed_for("s3"))
    head = endpoint.send("HEAD", "/shop/key", headers=signed_for("s3"))
    for name in ("content-length", "content-type", "etag", "last-modified", "accept-ranges", "x-amz-meta-title"):
        assert get.headers[name] == head.headers[name] != None  # noqa: E711
    assert (get.headers["content-length"], head.body) == (str(len(content)), b"")


def test_a_presigned_url_renames_the_download(endpoint: "Running", s3: "S3Client", content: bytes) -> None:
    overrides = {"ResponseContentDisposition": 'attachment; filename="a b.mp4"', "ResponseContentType": "text/plain"}
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "shop", "Key": "key", **overrides})
    reply = endpoint.send("GET", url.removeprefix(endpoint.url))
    assert reply.body == content
    assert reply.headers["content-disposition"] == 'attachment; filename="a b.mp4"'
    assert reply.headers["content-type"] == "text/plain"


def test_a_header_that_cannot_be_sent_is_refused(endpoint: "Running", s3: "S3Client", content: bytes) -> None:
    params = {"Bucket": "shop", "Key": "key", "ResponseContentDisposition": "attachment; filename=☃"}
    reply = endpoint.send("GET", s3.generate_presigned_url("get_object", Params=params).removeprefix(endpoint.url))
    assert reply.status == 400
    assert b"cannot be represented using ISO-8859-1" in reply.body


def test_an_object_deleted_while_it_is_sent_arrives_whole(endpoint: "Running", s3: "S3Client") -> None:
    body = os.urandom(64 * MEBIBYTE)
    s3.put_object(Bucket="shop", Key="key", Body=body)
    got = s3.get_object(Bucket="shop", Key="key")["Body"]
    first = got.read(1000)
    s3.delete_object(Bucket="shop", Key="key")
    assert first + got.read() == body
    with pytest.raises(ClientError, match="NoSuchKey"):
        s3.get_object(Bucket="shop", Key="key")
