"""`keyfront console` as a command: it prints its address, serves, and ends."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from keyfront.cli import main
from keyfront.web.serving import bind

KEYFRONT = Path(sys.executable).with_name("keyfront")


@pytest.fixture
def saved(tmp_path: Path, config: Callable[..., dict[str, Any]]) -> Path:
    file = tmp_path / "distribution.json"
    file.write_text(json.dumps({"DistributionConfig": config()}))
    return file


@pytest.mark.large
def test_it_serves_a_saved_configuration_read_only_until_it_is_told_to_stop(saved: Path) -> None:
    command: list[str | Path] = [KEYFRONT, "console", "--config", saved, "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = ""
        while not told.endswith("}\n"):
            line = process.stdout.readline()
            assert line, "the console ended"
            told += line
        with httpx.Client(follow_redirects=True) as client:
            opened = client.get(json.loads(told)["console"])
            assert opened.status_code == 200
            assert ">read-only<" in opened.text
            assert "distribution.json" in opened.text
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0


def test_what_cannot_be_served_is_an_error_of_the_command(
    saved: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with bind("127.0.0.1", 0) as taken:
        port = str(taken.getsockname()[1])
        assert main(["console", "--config", str(saved), "--port", port]) == 2
        assert f"port {port}: another program is listening there; choose another with --port" in capsys.readouterr().err
    assert main(["console", "--keys", str(tmp_path)]) == 2
    assert "--keys needs --config" in capsys.readouterr().err
    assert main(["console", "--config", str(tmp_path / "missing.json")]) == 2
    assert "cannot be read" in capsys.readouterr().err
