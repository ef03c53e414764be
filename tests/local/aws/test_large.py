"""Large content passes with flat memory, and does not keep the endpoint from stopping."""

import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from tests.local.aws.conftest import Headers, Running, Start

GIBIBYTE = 1024**3
MEBIBYTE = 1024**2
PIECE = 256 * MEBIBYTE
"""What is read at a time: a process that held it would be found out."""

# An endpoint with one bucket, `shop`, in which the folder of its first argument is published.
PROGRAM = """
import asyncio, sys
from pathlib import Path
import boto3
from keyfront.web.serving import Listener, bind
from keyfront.local.aws import Endpoint


async def main():
    endpoint = Endpoint(None)
    listener = Listener(endpoint, bind("127.0.0.1", 0))
    listener.start()
    s3 = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{listener.port}", region_name="us-east-1",
                      aws_access_key_id="test", aws_secret_access_key="test")
    await asyncio.to_thread(s3.create_bucket, Bucket="shop")
    await asyncio.to_thread(endpoint.publish_folder, "shop", Path(sys.argv[1]))
    print(listener.port, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "small.bin").write_bytes(b"small")
    for name, size in (("whole.bin", PIECE), ("large.bin", 2 * GIBIBYTE + PIECE)):
        with (tmp_path / name).open("wb") as file:
            file.truncate(size)
            file.seek(-4, 2)
            file.write(b"last")
    return tmp_path


@pytest.fixture
def process(folder: Path) -> Iterator[tuple[int, int]]:
    """The process id and the port of an endpoint in a process of its own."""
    with subprocess.Popen([sys.executable, "-c", PROGRAM, folder], stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout
        try:
            yield program.pid, int(program.stdout.readline())
        finally:
            program.kill()


def peak(pid: int) -> int:
    """The most bytes of memory that a process has had so far."""
    found = re.search(r"VmHWM:\s*(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) * 1024


def drain(port: int, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
    """How many bytes came, and the last of them."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path, headers=headers)
    response, buffer, count, last = connection.getresponse(), bytearray(MEBIBYTE), 0, b""
    while size := response.readinto(buffer):
        count, last = count + size, bytes(buffer[max(0, size - 4) : size])
    connection.close()
    return count, last


@pytest.mark.large
@pytest.mark.skipif(sys.platform != "linux", reason="a process's peak memory is read from /proc")
def test_large_content_passes_with_flat_memory_whole_and_from_beyond_two_gigabytes(
    process: tuple[int, int], signed_for: "Headers"
) -> None:
    pid, port = process
    assert drain(port, "/shop/small.bin", signed_for("s3"))[0] == 5
    before = peak(pid)
    assert drain(port, "/shop/whole.bin", signed_for("s3")) == (PIECE, b"last")
    assert drain(port, "/shop/large.bin", signed_for("s3", Range=f"bytes={2 * GIBIBYTE}-")) == (PIECE, b"last")
    assert peak(pid) - before < 64 * MEBIBYTE


@pytest.mark.large
@pytest.mark.skipif(sys.platform != "linux", reason="a process's peak memory is read from /proc")
def test_readers_that_stop_reading_cost_little_memory_and_no_thread(
    process: tuple[int, int], signed_for: "Headers"
) -> None:
    pid, port = process
    request = (
        f"GET /shop/large.bin HTTP/1.1\r\nHost: localhost\r\nAuthorization: {signed_for('s3')['Authorization']}\r\n\r\n"
    )
    drain(port, "/shop/small.bin", signed_for("s3"))
    before, readers = peak(pid), []
    for _ in range(40):
        reader = socket.create_connection(("127.0.0.1", port), timeout=30)
        reader.sendall(request.encode())
        assert reader.recv(1000).startswith(b"HTTP/1.1 200")
        readers.append(reader)
    assert drain(port, "/shop/small.bin", signed_for("s3"))[0] == 5
    assert peak(pid) - before < 40 * 5 * MEBIBYTE
    for reader in readers:
        reader.close()


def test_a_download_does_not_keep_the_endpoint_from_stopping(
    start_endpoint: "Start", endpoint: "Running", s3: "S3Client", folder: Path, signed_for: "Headers"
) -> None:
    stopping = start_endpoint()
    stopping.endpoint.publish_folder("shop", folder)
    connection = HTTPConnection("127.0.0.1", stopping.port, timeout=30)
    connection.request("GET", "/shop/large.bin", headers=signed_for("s3"))
    response = connection.getresponse()
    assert response.read(1) == b"\0"
    stopping.stop().result(30)
    with pytest.raises(Exception, match=r"IncompleteRead|reset"):
        response.read()
    connection.close()


def test_what_moto_was_asked_before_a_stop_is_answered(
    start_endpoint: "Start", endpoint: "Running", monkeypatch: pytest.MonkeyPatch
) -> None:
    from moto.kms.models import KmsBackend

    begun, released, create = threading.Event(), threading.Event(), KmsBackend.create_key

    def create_slowly(*arguments: Any, **named: Any) -> Any:
        begun.set()
        assert released.wait(30)
        return create(*arguments, **named)

    monkeypatch.setattr(KmsBackend, "create_key", create_slowly)
    stopping = start_endpoint()
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(stopping.client("kms").create_key)
        assert begun.wait(30)
        stopped = stopping.stop()
        released.set()
        assert answer.result(30)["KeyMetadata"]["KeyState"] == "Enabled"
        stopped.result(30)


def test_a_request_whose_body_ends_after_a_stop_is_told_so(
    start_endpoint: "Start", endpoint: "Running", s3: "S3Client", signed_for: "Headers"
) -> None:
    stopping = start_endpoint()
    head = "PUT /shop/key HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nExpect: 100-continue\r\n"
    head += f"Authorization: {signed_for('s3')['Authorization']}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", stopping.port), timeout=30) as connection:
        connection.sendall(head.encode())
        assert connection.recv(4096).startswith(b"HTTP/1.1 100 ")
        stopping.loop.call_soon_threadsafe(stopping.endpoint.close)
        connection.sendall(b"hello")
        assert connection.recv(4096).startswith(b"HTTP/1.1 503 ")
