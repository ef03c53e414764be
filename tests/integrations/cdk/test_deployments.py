"""The real `cdk` against `keyfront up`: bootstrap, deploy, rotate without a refused request, destroy."""

from __future__ import annotations

import os
import ssl
import subprocess
import threading
from collections.abc import Callable
from datetime import timedelta
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

import pytest
from tests.integrations.cdk.conftest import Synthesised
from tests.integrations.conftest import Laptop

from keyfront import Signer

pytestmark = pytest.mark.large
_HERE = Path(__file__).parent
_PROGRAM = _HERE / "node_modules" / ".bin" / "cdk"
Run = Callable[..., str]


@pytest.fixture(scope="module")
def cdk(laptop: Laptop, npm: Callable[[Path, Path], None], tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs the CDK's command line, and returns what it printed."""
    npm(_HERE, _PROGRAM)
    home = tmp_path_factory.mktemp("home")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    quiet = {"CI": "true", "CDK_DISABLE_CLI_TELEMETRY": "true", "HOME": str(home)}
    environment = {**kept, **laptop.printed["environment"], **quiet}

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [str(_PROGRAM), *arguments, "--no-notices"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            cwd=home,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


class Viewer:
    """Asks the edge by HTTPS, at the address of this machine."""

    def __init__(self, laptop: Laptop, domain: str) -> None:
        self._host, self._port = domain.partition(":")[0], laptop.printed["edge"]["locations"][0]["https"]
        self._trust = ssl.create_default_context(cafile=laptop.printed["authority"])
        # The address is a number, because Python does not resolve names under localhost.
        self._trust.check_hostname = False

    def status(self, path: str, signer: Signer | None = None) -> int:
        """The status of a request for a path, signed or not."""
        base = f"https://{self._host}"
        url = signer.sign_url(base + path, expires=timedelta(hours=1)) if signer else base + path
        connection = HTTPSConnection("127.0.0.1", self._port, timeout=30, context=self._trust)
        try:
            connection.request("GET", url.removeprefix(base), headers={"Host": self._host})
            return connection.getresponse().status
        finally:
            connection.close()


def _outputs(laptop: Laptop) -> dict[str, str]:
    stacks = _client(laptop, "cloudformation").describe_stacks(StackName="Shop")["Stacks"]
    return {each["OutputKey"]: each["OutputValue"] for each in stacks[0]["Outputs"]}


def _client(laptop: Laptop, service: str) -> Any:
    return laptop.session().client(service, endpoint_url=laptop.printed["endpoint"])  # type: ignore[call-overload]


def test_an_app_is_deployed_rotated_and_destroyed(
    laptop: Laptop, cdk: Run, synthesised: Synthesised, tmp_path: Path
) -> None:
    def deploy(name: str) -> str:
        return cdk("deploy", "--app", str(synthesised.folders[name]), "--require-approval", "never")

    cdk("bootstrap", "aws://123456789012/us-east-1")
    deploy("old")
    outputs = _outputs(laptop)
    _client(laptop, "s3").put_object(Bucket=outputs["Bucket"], Key="private/a.txt", Body=b"bytes")
    viewer = Viewer(laptop, outputs["Domain"])
    old = Signer(outputs["KeyId"], synthesised.old)
    assert viewer.status("/private/a.txt") == 403
    assert viewer.status("/private/a.txt", old) == 200
    # Again without a change.
    assert "(no changes)" in deploy("old")

    # Rotate: add the new key, move the signers, remove the old key. A link of the current key is never refused.
    with _asking(viewer, old) as statuses:
        deploy("both")
    assert set(statuses) == {200}
    new = Signer(_outputs(laptop)["KeyId"], synthesised.new)
    assert new.key_pair_id != old.key_pair_id
    _wait_until(lambda: viewer.status("/private/a.txt", new) == 200)
    with _asking(viewer, new) as statuses:
        deploy("new")
    assert set(statuses) == {200}
    _wait_until(lambda: viewer.status("/private/a.txt", old) == 403)
    keys = _client(laptop, "cloudfront").list_public_keys()["PublicKeyList"]["Items"]
    assert old.key_pair_id not in {each["Id"] for each in keys}

    for version in _client(laptop, "s3").list_object_versions(Bucket=outputs["Bucket"])["Versions"]:
        _client(laptop, "s3").delete_object(
            Bucket=outputs["Bucket"], Key=version["Key"], VersionId=version["VersionId"]
        )
    cdk("destroy", "--app", str(synthesised.folders["new"]), "--force")
    left = [each["StackName"] for each in _client(laptop, "cloudformation").describe_stacks()["Stacks"]]
    assert left == ["CDKToolkit"]
    groups = _client(laptop, "cloudfront").list_key_groups()["KeyGroupList"]["Items"]
    assert len(groups) == 1, "only the shop's own"
    assert _client(laptop, "lambda").list_functions()["Functions"] == []


class _asking:  # noqa: N801  it reads as a statement
    """Asks again and again while a block runs, and gives the statuses."""

    def __init__(self, viewer: Viewer, signer: Signer) -> None:
        self._viewer, self._signer = viewer, signer
        self._statuses: list[int] = []
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> list[int]:
        self._thread.start()
        return self._statuses

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            self._statuses.append(self._viewer.status("/private/a.txt", self._signer))
            if self._end.wait(0.2):
                return


def _wait_until(holds: Callable[[], bool]) -> None:
    for _ in range(300):
        if holds():
            return
        threading.Event().wait(0.1)
    raise AssertionError("it did not happen within 30 s")
