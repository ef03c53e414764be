"""The edge as a process of its own: `python -m keyfront.edge`."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    from tests.edge.conftest import Account, Viewer

HOST = "d1.cloudfront.localhost"


class Process:
    """A child, and what it says."""

    def __init__(self, settings: str, *arguments: str) -> None:
        self.child = subprocess.Popen(
            [sys.executable, "-m", "keyfront.edge", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.child.stdin is not None
        self.child.stdin.write(settings)
        self.child.stdin.flush()

    def say(self) -> Any:
        assert self.child.stdout is not None
        return json.loads(self.child.stdout.readline())

    def applied(self) -> set[str]:
        """The distributions that it says it has applied next."""
        while "distributions" not in (said := self.say()):
            pass
        return set(said["distributions"])

    def end(self) -> int:
        """Its exit status, once it has ended; whoever calls this has told it to."""
        return self.child.wait(20)

    def clean_up(self) -> None:
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait(20)
        for pipe in (self.child.stdin, self.child.stdout, self.child.stderr):
            assert pipe is not None
            pipe.close()


class Run(Protocol):
    def __call__(self, settings: str, *arguments: str) -> Process: ...


@pytest.fixture
def run() -> Iterator[Run]:
    processes: list[Process] = []

    def start(settings: str, *arguments: str) -> Process:
        processes.append(Process(settings, *arguments))
        return processes[-1]

    yield start
    for process in processes:
        process.clean_up()


@pytest.fixture
def settings(account: Account, tmp_path: Path) -> dict[str, Any]:
    return {
        "endpoint_url": account.url,
        "access_key_id": "test",
        "secret_access_key": "test",
        "http_port": 0,
        "https_port": 0,
        "directory": str(tmp_path),
        "refresh_seconds": 0.05,
    }


def test_it_says_where_it_is_and_what_it_serves_and_stops_when_its_parent_is_gone(
    run: Run, account: Account, settings: dict[str, Any], viewer_class: type[Viewer]
) -> None:
    account.origin.answer("/a", b"a")
    made = account.create()
    process = run(json.dumps(settings) + "\n")
    ready = process.say()
    assert ready["event"] == "ready"
    assert Path(ready["authority"]).read_text().startswith("-----BEGIN CERTIFICATE-----")
    assert ready["https"] > 0
    etag = account.client.get_distribution(Id=made)["ETag"]
    assert process.say() == {"event": "applied", "distributions": {made: etag}}
    assert viewer_class(ready["http"]).get("/a").body == b"a"
    assert process.child.stdin is not None
    process.child.stdin.close()
    assert process.end() == 0


def test_a_line_on_its_input_makes_it_read_the_account(run: Run, account: Account, settings: dict[str, Any]) -> None:
    first = account.create()
    process = run(json.dumps({**settings, "refresh_seconds": 3600}) + "\n")
    assert process.applied() == {first}
    second = account.create()
    assert process.child.stdin is not None
    process.child.stdin.write("\n")
    process.child.stdin.flush()
    assert process.applied() == {first, second}


def test_it_ignores_an_interrupt_and_stops_when_it_is_told_to(
    run: Run, settings: dict[str, Any], viewer_class: type[Viewer]
) -> None:
    process = run("", json.dumps({**settings, "https_port": None}))
    ready = process.say()
    assert ready["https"] is None
    process.child.send_signal(signal.SIGINT)
    assert viewer_class(ready["http"]).get("/a").status == 403
    process.child.send_signal(signal.SIGTERM)
    assert process.end() == 0


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "settings are not a JSON object"),
        ("[]", "settings are not a JSON object"),
        ("{", "settings are not a JSON object"),
        ('{"htpp_port": 1}', "no setting 'htpp_port'"),
        ('{"http_port": "many"}', "http_port is 'many'"),
        ('{"directory": 5}', "directory is 5"),
        ('{"directory": "/dev/null/x"}', "name another directory"),
    ],
)
def test_settings_that_cannot_be_used_are_an_answer_and_no_traceback(run: Run, text: str, error: str) -> None:
    process = run(text + "\n")
    answer = process.say()
    assert answer["event"] == "failed"
    assert error in answer["error"]
    assert process.end() == 2
    assert process.child.stderr is not None
    assert process.child.stderr.read() == ""


def test_a_port_in_use_is_an_answer_and_no_traceback(run: Run, account: Account, settings: dict[str, Any]) -> None:
    process = run(json.dumps({**settings, "http_port": account.port}) + "\n")
    assert "another program is listening there" in process.say()["error"]
    assert process.end() == 2
