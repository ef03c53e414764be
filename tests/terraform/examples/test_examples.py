"""Every example: applied by the real Terraform to a running laptop, planned clean, exercised at the edge, destroyed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from keyfront import Signer, SigningKey

pytestmark = pytest.mark.xdist_group("terraform-examples")

_EXAMPLES = ("quickstart", "kms", "rotation", "two-teams", "custom-origin")
_SECONDS = 60
_SHORT = timedelta(minutes=5)


def _key_pair(folder: Path) -> SigningKey:
    """As `keyfront keys generate --out FOLDER` makes it."""
    key = SigningKey.generate("rsa")
    key.write(folder)
    return key


def _until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _SECONDS
    while not what():
        assert time.monotonic() < deadline, "it did not come to that"
        threading.Event().wait(0.05)


def quickstart(laptop: Any, terraform: Any, run_handler: Any) -> None:
    key = _key_pair(terraform.folder / "keys")
    outputs = terraform.apply()
    assert "PRIVATE KEY" not in (terraform.folder / "terraform.tfstate").read_text()

    status, body = laptop.fetch(outputs["url"])
    assert (status, b"<Code>MissingKey</Code>" in body) == (403, True)
    signed = Signer(outputs["key_pair_id"], key).sign_url(outputs["url"], expires=_SHORT)
    assert laptop.fetch(signed) == (200, b"Only with a signature.\n")

    # What the function would do in Lambda: its own sources, its own variables, and the parameter that it may read.
    configured = laptop.client("lambda").get_function_configuration(FunctionName="keyfront-quickstart")
    assert (configured["Runtime"], configured["Handler"]) == ("nodejs22.x", "index.handler")
    variables = configured["Environment"]["Variables"]
    parameter = laptop.client("ssm").get_parameter(Name=variables["PRIVATE_KEY_PARAMETER"], WithDecryption=True)
    answer = run_handler({"rawPath": "/secret.txt"}, parameter["Parameter"]["Value"], variables)
    assert answer["statusCode"] == 303
    assert laptop.fetch(answer["headers"]["location"]) == (200, b"Only with a signature.\n")

    # Another key pair takes the first one's place, in the group and in the parameter, in one apply.
    for file in (terraform.folder / "keys").iterdir():
        file.unlink()
    other = _key_pair(terraform.folder / "keys")
    changed = terraform.apply()
    assert changed["key_pair_id"] != outputs["key_pair_id"]
    signed = Signer(changed["key_pair_id"], other).sign_url(outputs["url"], expires=_SHORT)
    _until(lambda: laptop.fetch(signed)[0] == 200)
    parameter = laptop.client("ssm").get_parameter(Name=variables["PRIVATE_KEY_PARAMETER"], WithDecryption=True)
    document = json.loads(parameter["Parameter"]["Value"])
    assert document["key_pair_id"] == changed["key_pair_id"]
    assert SigningKey.load(document["private_key"]).public_key.pem == other.public_key.pem
    terraform.destroy()


def kms(laptop: Any, terraform: Any, run_handler: Any) -> None:
    outputs = terraform.apply()
    assert laptop.fetch(outputs["url"])[0] == 403
    command = [sys.executable, "sign.py", outputs["url"], outputs["key_pair_id"], outputs["kms_key_arn"]]
    environment = {**os.environ, **terraform.switch}
    made = subprocess.run(command, cwd=terraform.folder, env=environment, capture_output=True, text=True, timeout=60)
    assert made.returncode == 0, made.stderr
    signed = made.stdout.strip()
    assert signed.endswith("&Hash-Algorithm=SHA256")
    assert laptop.fetch(signed) == (200, b"Only with a signature by KMS.\n")
    assert laptop.fetch(signed.removesuffix("&Hash-Algorithm=SHA256"))[0] == 403
    terraform.destroy()


def rotation(laptop: Any, terraform: Any, run_handler: Any) -> None:
    keys = {name: _key_pair(terraform.folder / "keys" / name) for name in ("a", "b")}
    outputs = terraform.apply(phase=1)
    url = outputs["url"]
    assert laptop.fetch(url)[0] == 403
    signers = {"a": Signer(outputs["key_pair_id"], keys["a"])}

    def link(name: str) -> str:
        return signers[name].sign_url(url, expires=_SHORT)

    current, done, answers = "a", threading.Event(), dict.fromkeys("ab", 0)
    refused: list[tuple[str, int]] = []

    def keep_asking() -> None:
        while not done.is_set():
            name = current
            status, body = laptop.fetch(link(name))
            if status == 200 and body.startswith(b"Only with a signature"):
                answers[name] += 1
            else:
                refused.append((name, status))
            done.wait(0.02)

    viewer = threading.Thread(target=keep_asking)
    viewer.start()
    try:
        both = terraform.apply(plan=False, phase=2)
        assert both["key_pair_id"] == outputs["key_pair_id"]
        signers["b"] = Signer(both["key_pair_ids"]["b"], keys["b"])
        # Trusted everywhere before anybody signs with it.
        _until(lambda: laptop.fetch(link("b"))[0] == 200)
        switched = terraform.apply(plan=False, phase=3)
        assert switched["key_pair_id"] == signers["b"].key_pair_id
        assert Path(switched["private_key"]).parent.name == "b"
        current = "b"
        _until(lambda: answers["b"] > 0)
        assert laptop.fetch(link("a"))[0] == 200
        terraform.apply(phase=4)
        _until(lambda: laptop.fetch(link("a"))[0] == 403)
    finally:
        done.set()
        viewer.join()
    assert refused == []
    assert all(answers.values()), answers
    terraform.destroy(phase=4)


def two_teams(laptop: Any, terraform: Any, run_handler: Any) -> None:
    keys = {name: _key_pair(terraform.folder / "keys" / name) for name in ("a", "b")}
    outputs = terraform.apply()
    signers = {name: Signer(outputs["key_pair_ids"][name], key) for name, key in keys.items()}
    for owner in ("a", "b"):
        url = outputs["urls"][owner]
        assert laptop.fetch(url)[0] == 403
        for name, signer in signers.items():
            status, body = laptop.fetch(signer.sign_url(url, expires=_SHORT))
            if name == owner:
                assert (status, body) == (200, f"For team {owner} alone.\n".encode())
            else:
                assert (status, b"<Code>InvalidKey</Code>" in body) == (403, True)
    for signer in signers.values():
        link = signer.sign_url(outputs["urls"]["both"], expires=_SHORT)
        assert laptop.fetch(link) == (200, b"For both teams.\n")
    terraform.destroy()


class _Server(BaseHTTPRequestHandler):
    """Answers only whoever knows the secret, as a server behind CloudFront should."""

    def do_GET(self) -> None:
        known = self.headers.get("X-Origin-Secret") == "between us"
        self.send_response(200 if known else 401)
        self.end_headers()
        self.wfile.write(f"{self.path} from the server\n".encode() if known else b"no")

    def log_message(self, *args: object) -> None:
        """Quiet."""


def custom_origin(laptop: Any, terraform: Any, run_handler: Any) -> None:
    key = _key_pair(terraform.folder / "keys")
    with ThreadingHTTPServer(("127.0.0.1", 0), _Server) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            terraform.variables.update(origin_http_port=server.server_port, origin_secret="between us")
            outputs = terraform.apply()
            assert "between us" not in terraform.said
            url = f"{outputs['url']}/films/42?cut=long"
            assert laptop.fetch(url)[0] == 403
            signed = Signer(outputs["key_pair_id"], key).sign_url(url, expires=_SHORT)
            status, body = laptop.fetch(signed)
            assert (status, body) == (200, b"/films/42 from the server\n")
            terraform.destroy()
        finally:
            server.shutdown()


_SCENARIOS = {
    "quickstart": quickstart,
    "kms": kms,
    "rotation": rotation,
    "two-teams": two_teams,
    "custom-origin": custom_origin,
}


def _inventory(laptop: Any) -> set[str]:
    """Everything in the account that the examples could have left there."""
    cloudfront, kms = laptop.client("cloudfront"), laptop.client("kms")
    usable = [
        key["KeyId"]
        for key in kms.list_keys()["Keys"]
        if kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] != "PendingDeletion"
    ]
    items: list[object] = [
        *(d["Id"] for d in cloudfront.list_distributions()["DistributionList"].get("Items", [])),
        *(g["KeyGroup"]["Id"] for g in cloudfront.list_key_groups()["KeyGroupList"].get("Items", [])),
        *(k["Id"] for k in cloudfront.list_public_keys()["PublicKeyList"].get("Items", [])),
        *(c["Id"] for c in cloudfront.list_origin_access_controls()["OriginAccessControlList"].get("Items", [])),
        *(b["Name"] for b in laptop.client("s3").list_buckets()["Buckets"]),
        *(p["Name"] for p in laptop.client("ssm").describe_parameters()["Parameters"]),
        *(f["FunctionName"] for f in laptop.client("lambda").list_functions()["Functions"]),
        *(r["Arn"] for r in laptop.client("iam").list_roles()["Roles"]),
        *(p["Arn"] for p in laptop.client("iam").list_policies(Scope="Local")["Policies"]),
        *(a["ApiId"] for a in laptop.client("apigatewayv2").get_apis()["Items"]),
        *(g["logGroupName"] for g in laptop.client("logs").describe_log_groups()["logGroups"]),
        *(a["AliasName"] for a in kms.list_aliases()["Aliases"] if not a["AliasName"].startswith("alias/aws/")),
        *usable,
    ]
    return set(map(str, items))


Running = tuple[dict[str, "Future[None]"], set[str]]


@pytest.fixture(scope="session")
def running(laptop: Any, in_folder: Any, run_handler: Any, together: Any) -> Running:
    """All scenarios, started, and what was in the account before."""
    before = _inventory(laptop)

    def play(name: str) -> Callable[[], None]:
        return lambda: _SCENARIOS[name](laptop, in_folder(name), run_handler)

    return together({name: play(name) for name in _SCENARIOS}), before


@pytest.mark.parametrize("example", _EXAMPLES)
def test_an_example_is_applied_planned_clean_exercised_and_destroyed(running: Running, example: str) -> None:
    running[0][example].result()


def test_no_example_leaves_anything_in_the_account(running: Running, laptop: Any) -> None:
    scenarios, before = running
    for scenario in scenarios.values():
        scenario.exception()
    assert _inventory(laptop) == before
