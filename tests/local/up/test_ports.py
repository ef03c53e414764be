"""Every port that `keyfront up` opens is on loopback, and answers to nobody else's name."""

import http.client
import io
import json
import ssl
import sys
from collections.abc import Iterator
from typing import Any
from zipfile import ZipFile

import boto3
import pytest
from tests.web.listening import ports

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's /proc to see every socket")

LOOPBACK = {"0100007F", "00000000000000000000000001000000"}
NOBODYS = [
    *("evil.example", "0.0.0.0", "[::]", "[::ffff:127.0.0.1]", "2130706433", "127.1", "0177.0.0.1", "localhost."),
    *("localhost.evil.example", "shop.s3.eu-central-1.amazonaws.com", "evil.localhost.localstack.cloud", ""),
]


@pytest.fixture(scope="module")
def machine(start: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with start(tmp_path_factory.mktemp("ports"), "--admin-port", "0", "--edges", "2", "--addressing", "port") as up:
        run_function(up)
        yield up


def run_function(up: Any) -> None:
    """Deploy a function and run it, so that the port is open from which its process takes events."""

    def client(service: str) -> Any:
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
        return boto3.client(service, endpoint_url=up.printed["endpoint"], **keys)  # type: ignore[call-overload]

    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
    policy = json.dumps({"Version": "2012-10-17", "Statement": trust})
    role = client("iam").create_role(RoleName="runs", AssumeRolePolicyDocument=policy)["Role"]["Arn"]
    held = io.BytesIO()
    with ZipFile(held, "w") as package:
        package.writestr("app.py", "def handler(event, context): return 1")
    functions = client("lambda")
    functions.create_function(
        FunctionName="one", Code={"ZipFile": held.getvalue()}, Runtime="python3.12", Role=role, Handler="app.handler"
    )
    functions.get_waiter("function_active_v2").wait(FunctionName="one")
    assert functions.invoke(FunctionName="one")["Payload"].read() == b"1"


def statuses(port: int, host: str, headers: dict[str, str], path: str = "/") -> set[int]:
    """What a port answers over HTTP and HTTPS, whichever it speaks."""
    trusting = ssl._create_unverified_context()
    found = set()
    for connection in (
        http.client.HTTPConnection("127.0.0.1", port, timeout=60),
        http.client.HTTPSConnection("127.0.0.1", port, timeout=60, context=trusting),
    ):
        try:
            connection.request("GET", path, headers={"Host": host, **headers})
            found.add(connection.getresponse().status)
        except (OSError, http.client.HTTPException):
            continue
        finally:
            connection.close()
    return found


def test_every_port_is_on_loopback_alone(machine: Any) -> None:
    open_ports = ports(machine.process.pid)
    # Endpoint, shop, admin, the function's, and at the least HTTP and HTTPS of two edge locations and a distribution.
    assert len(open_ports) >= 4 + 4 + 2
    assert set().union(*open_ports.values()) == LOOPBACK


@pytest.mark.parametrize("host", NOBODYS)
def test_no_port_answers_to_a_name_that_is_not_ours(machine: Any, host: str) -> None:
    for port in ports(machine.process.pid):
        asked = statuses(port, f"{host}:{port}" if host else "", {})
        assert asked, f"port {port} does not answer at all"
        assert asked <= {400, 403}, f"port {port}"


@pytest.mark.parametrize(
    "said", [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "http://localhost:3000"}]
)
def test_no_port_but_the_edges_and_the_shops_answers_a_browser(machine: Any, said: dict[str, str]) -> None:
    edges = machine.printed["edge"]
    of_edges = {edges["http"], edges["https"]} if isinstance(edges["http"], int) else set()
    programs = {int(machine.printed[name].rpartition(":")[2]) for name in ("endpoint", "admin")}
    assert not programs & of_edges
    for port in programs:
        for path in ("/", "/metrics", "/readyz", "/2020-05-31/key-group", "/2018-06-01/runtime/invocation/next"):
            assert statuses(port, f"127.0.0.1:{port}", said, path) == {403}
    # The console is for browsers that have its token.
    console = int(machine.printed["console"].partition("/?")[0].rpartition(":")[2])
    for path in ("/", "/keys", "/live"):
        assert statuses(console, f"127.0.0.1:{console}", said, path) <= {401, 403}
    for port in ports(machine.process.pid):
        runtime = statuses(port, f"127.0.0.1:{port}", said, "/2018-06-01/runtime/restore/next")
        assert runtime <= {401, 403, 404, 405}, f"port {port}"
