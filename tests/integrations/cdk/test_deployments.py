"""The real `cdk` against `keyfront up`: bootstrap, deploy, rotate without a refused request, destroy."""

from __future__ import annotations

import os
import ssl
import subprocess
import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from http.client import HTTPResponse, HTTPSConnection
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from tests.integrations.cdk.conftest import Synthesised
from tests.integrations.conftest import Laptop

from keyfront import Signer, SigningKey
from keyfront.keystore import SignerDocument, open_keystore, open_writable

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
        return self.get(path, signer).status

    def get(self, path: str, signer: Signer | None = None) -> HTTPResponse:
        """The response without its body."""
        base = f"https://{self._host}"
        url = signer.sign_url(base + path, expires=timedelta(hours=1)) if signer else base + path
        connection = HTTPSConnection("127.0.0.1", self._port, timeout=30, context=self._trust)
        try:
            connection.request("GET", url.removeprefix(base), headers={"Host": self._host})
            return connection.getresponse()
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
    _client(laptop, "s3").put_object(Bucket=outputs["Bucket"], Key="public/new.txt", Body=b"bytes")
    rewritten = viewer.get("/public/old.txt")
    assert (rewritten.status, rewritten.headers["x-mark"]) == (200, "lambda"), "both functions ran"
    # Again without a change.
    assert "(no changes)" in deploy("old")

    _keys_in_stores_sign(laptop, viewer, synthesised, outputs)

    # Rotate: add the new key, move the signers, remove the old key. Each key is asked for from the moment at which its
    # id is known.
    ids = _Ids(laptop)
    signers = {"old": lambda: old, "new": lambda: ids.signer(synthesised.new)}
    with _asking(viewer, signers) as statuses:
        deploy("both")
        _wait_until(lambda: statuses["new"][-1:] == [200])
    assert set(statuses["old"]) == {200}
    assert _changes(statuses["new"]) in ([200], [403, 200]), "once it is trusted, it stays so"
    new = ids.signer(synthesised.new)
    assert new is not None
    assert _outputs(laptop)["KeyId"] == new.key_pair_id != old.key_pair_id
    with _asking(viewer, signers) as statuses:
        # By the API, because a start of the CDK's program costs seconds. The assets are there already.
        _update(laptop, synthesised.folders["new"] / "Shop.template.json")
        _wait_until(lambda: statuses["old"][-1:] == [403])
    assert set(statuses["new"]) == {200}
    assert _changes(statuses["old"]) == [200, 403], "until it is removed, it is trusted"
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


def _update(laptop: Laptop, template: Path) -> None:
    bucket = "cdk-hnb659fds-assets-123456789012-us-east-1"
    _client(laptop, "s3").upload_file(str(template), bucket, template.name)
    cloudformation = _client(laptop, "cloudformation")
    cloudformation.update_stack(
        StackName="Shop",
        TemplateURL=f"https://{bucket}.s3.us-east-1.amazonaws.com/{template.name}",
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    cloudformation.get_waiter("stack_update_complete").wait(StackName="Shop", WaiterConfig={"Delay": 1})


def _keys_in_stores_sign(laptop: Laptop, viewer: Viewer, synthesised: Synthesised, outputs: Mapping[str, str]) -> None:
    """Sign with the key of each kind of `SigningKey`: in the secret, in the parameter, and in KMS."""

    def connect(service: str, **given: Any) -> Any:
        return laptop.session().client(service, endpoint_url=laptop.printed["endpoint"], **given)  # type: ignore[call-overload]

    document = SignerDocument(outputs["KeyId"], synthesised.old)
    for output in ("SecretAddress", "ParameterAddress"):
        document.save(open_writable(outputs[output], connect=connect))
    ids = {"SecretAddress": None, "ParameterAddress": None, "VaultAddress": outputs["VaultKeyId"]}
    for output, key_pair_id in ids.items():
        signer = open_keystore(outputs[output], key_pair_id=key_pair_id, connect=connect).signer()
        assert viewer.status("/private/a.txt", signer) == 200, outputs[output]


class _Ids:
    """Finds the ids of keys in CloudFront by their bytes."""

    def __init__(self, laptop: Laptop) -> None:
        self._cloudfront = _client(laptop, "cloudfront")
        self._known: dict[str, Signer] = {}

    def signer(self, key: SigningKey) -> Signer | None:
        """The signer of a key, once CloudFront has its public half."""
        pem = key.public_key.pem
        if pem not in self._known:
            listed = self._cloudfront.list_public_keys()["PublicKeyList"]["Items"]
            for each in listed:
                if each["EncodedKey"].strip() == pem.strip():
                    self._known[pem] = Signer(each["Id"], key)
        return self._known.get(pem)


class _asking:  # noqa: N801  it reads as a statement
    """Asks again and again while a block runs, with each signer that there is, and gives the statuses by its name."""

    def __init__(self, viewer: Viewer, signers: Mapping[str, Callable[[], Signer | None]]) -> None:
        self._viewer, self._signers = viewer, signers
        self._statuses: dict[str, list[int]] = {name: [] for name in signers}
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> dict[str, list[int]]:
        self._thread.start()
        return self._statuses

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._end.wait(0.2):
            for name, find in self._signers.items():
                if signer := find():
                    self._statuses[name].append(self._viewer.status("/private/a.txt", signer))


def _changes(statuses: list[int]) -> list[int]:
    """Leave out what repeats."""
    return [each for each, _ in groupby(statuses)]


def _wait_until(holds: Callable[[], bool]) -> None:
    for _ in range(300):
        if holds():
            return
        threading.Event().wait(0.1)
    raise AssertionError("it did not happen within 30 s")
