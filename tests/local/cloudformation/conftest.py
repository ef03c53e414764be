"""A whole endpoint with its control plane, for stacks."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any

import boto3
import pytest
from botocore.config import Config
from tests.servers import Loop, event_loop

from keyfront.local.aws import Endpoint
from keyfront.local.controlplane import ControlPlane
from keyfront.local.controlplane.asgi import application


@dataclass(frozen=True)
class Laptop:
    """An endpoint that answers at `url`."""

    endpoint: Endpoint
    plane: ControlPlane
    url: str

    def client(self, service: str) -> Any:
        """A boto3 client that asks this endpoint."""
        config = Config(retries={"total_max_attempts": 1}, read_timeout=60, s3={"addressing_style": "path"})
        session = boto3.Session("test", "test", region_name="us-east-1")
        return session.client(service, endpoint_url=self.url, config=config)  # type: ignore[call-overload]

    def send(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        """One request that no client signs."""
        connection = HTTPConnection(self.url.removeprefix("http://"), timeout=30)
        try:
            connection.request(method, path, body=body)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def reset(self) -> None:
        """Delete everything."""
        self.endpoint.reset()
        self.plane.reset()


@pytest.fixture(scope="session")
def shared_laptop() -> Iterator[Laptop]:
    with event_loop() as loop:
        plane = ControlPlane()
        endpoint = Endpoint(application(plane), plane=plane)
        listener = loop.listen(endpoint)
        yield Laptop(endpoint, plane, f"http://127.0.0.1:{listener.port}")
        _stop(loop, endpoint, listener)


def _stop(loop: Loop, endpoint: Endpoint, listener: Any) -> None:
    async def stop() -> None:
        await endpoint.stop()
        await listener.stop()

    loop.run(stop())


@pytest.fixture
def laptop(shared_laptop: Laptop) -> Iterator[Laptop]:
    """A running endpoint without resources."""
    yield shared_laptop
    shared_laptop.reset()


class Patient:
    """A client for CloudFormation that waits for the end of each operation, however slow the machine is."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)
        return self._waiting(call) if name in _OPERATIONS else call

    def _waiting(self, call: Any) -> Any:
        def run(**given: Any) -> Any:
            answer = call(**given)
            for _ in range(600):
                found = self._client.list_stacks()["StackSummaries"]
                busy = [each["StackStatus"] for each in found if each["StackStatus"].endswith("_IN_PROGRESS")]
                if all(each == "REVIEW_IN_PROGRESS" for each in busy):
                    return answer
                threading.Event().wait(0.1)
            raise AssertionError(f"the stack is still {busy[0]}")

        return run


_OPERATIONS = (
    *("create_stack", "update_stack", "delete_stack", "execute_change_set"),
    *("rollback_stack", "continue_update_rollback"),
)


@pytest.fixture
def stacks(laptop: Laptop) -> Any:
    """A client for CloudFormation."""
    return Patient(laptop.client("cloudformation"))


@pytest.fixture
def told(stacks: Any) -> Callable[..., list[str]]:
    """The events of a stack, the oldest first, as `STATUS NAME reason`."""

    def read(name: str, *statuses: str) -> list[str]:
        events = stacks.describe_stack_events(StackName=name)["StackEvents"][::-1]
        return [
            f"{each['ResourceStatus']} {each['LogicalResourceId']} {each.get('ResourceStatusReason', '')}".rstrip()
            for each in events
            if not statuses or each["ResourceStatus"] in statuses
        ]

    return read
