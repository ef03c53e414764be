"""`keyfront authz`."""

from __future__ import annotations

import http.client
import json
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from tests.waiting import wait_until

from keyfront.core.keys import SigningKey
from keyfront.core.signing import Signer

if TYPE_CHECKING:
    from tests.cli.conftest import Service

Run = Callable[..., tuple[int, str, str]]
ID = "K2JCJMDEHXQW5F"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., tuple[subprocess.Popen[str], int]]]:
    """The real executable with these arguments, and the port that it says it answers on."""
    running: list[subprocess.Popen[str]] = []

    def start(*arguments: str | Path) -> tuple[subprocess.Popen[str], int]:
        command = [str(Path(sys.executable).with_name("keyfront")), "authz", "--port", "0", *map(str, arguments)]
        with (tmp_path / "stderr").open("w") as stderr:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True, cwd=tmp_path)
        running.append(process)
        assert process.stdout is not None
        assert select.select([process.stdout], [], [], 60)[0], "it did not start"
        line = process.stdout.readline()
        assert "keyfront authz answers" in line, (tmp_path / "stderr").read_text()
        return process, int(line.partition(";")[0].rpartition(":")[2])

    yield start
    for process in running:
        if process.poll() is None:
            process.kill()
        process.wait(60)
        assert process.stdout is not None
        process.stdout.close()


def judge(port: int, url: str) -> int:
    """What Traefik would be answered for a viewer who asks for `url`."""
    scheme, _, rest = url.partition("://")
    host, _, target = rest.partition("/")
    headers = {"X-Forwarded-Method": "GET", "X-Forwarded-Proto": scheme, "X-Forwarded-Host": host}
    headers |= {"X-Forwarded-Uri": f"/{target}", "X-Forwarded-For": "192.0.2.1"}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", "/authz", headers=headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_it_answers_until_it_is_told_to_stop(start: Any, ecdsa: Path, end: signal.Signals) -> None:
    process, port = start("--front", "traefik", "--trust", f"{ID}={ecdsa / 'public_key.pem'}", "--protect", "/p/*")
    signer = Signer(ID, SigningKey.load(ecdsa / "private_key.pem"))
    assert judge(port, signer.sign_url("https://a.example.com/p/x", expires=timedelta(hours=1))) == 200
    assert judge(port, "https://a.example.com/p/x") == 403
    assert judge(port, "https://a.example.com/q/x") == 200
    process.send_signal(end)
    assert process.wait(30) == 0


def test_the_served_folder_says_whether_case_counts(start: Any, run: Run, ecdsa: Path, tmp_path: Path) -> None:
    trust = ("--front", "traefik", "--trust", f"{ID}={ecdsa / 'public_key.pem'}", "--protect", "/p/*")
    (tmp_path / "served").mkdir()
    _, port = start(*trust, "--root", tmp_path / "served")  # Nothing in it shows that case counts.
    assert judge(port, "https://a.example.com/P/x") == 403
    assert "may read /PRIVATE/x as /private/x" in (tmp_path / "stderr").read_text()
    status, _, err = run("authz", *trust, "--root", tmp_path / "served", "--match-case")
    assert status == 2
    assert "--match-case: " in err
    (tmp_path / "served" / "p").mkdir()
    _, port = start(*trust, "--root", tmp_path / "served")
    assert judge(port, "https://a.example.com/P/x") == 200
    _, port = start(*trust, "--ignore-case")
    assert judge(port, "https://a.example.com/P/x") == 403


def test_a_hangup_reads_keys_anew_and_a_key_that_is_gone_is_not_trusted(
    start: Any, ecdsa: Path, tmp_path: Path
) -> None:
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / f"{ID}.pem").write_text((ecdsa / "public_key.pem").read_text())
    process, port = start("--front", "traefik", "--keys", keys, "--refresh", "3600")
    url = Signer(ID, SigningKey.load(ecdsa / "private_key.pem")).sign_url(
        "https://a.example.com/x", expires=timedelta(hours=1)
    )
    assert (judge(port, url), readiness(port)) == (200, (200, "ok\n"))
    keys.rename(tmp_path / "elsewhere")
    process.send_signal(signal.SIGHUP)
    wait_until(lambda: judge(port, url) == 403)
    wait_until(lambda: readiness(port)[0] == 503)
    assert "since they have no key" in readiness(port)[1]
    (tmp_path / "elsewhere").rename(keys)
    process.send_signal(signal.SIGHUP)
    wait_until(lambda: judge(port, url) == 200)
    wait_until(lambda: readiness(port) == (200, "ok\n"))


def readiness(port: int) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


@dataclass
class Protected:
    """A distribution of an account, and a link that it lets in until its key is revoked."""

    id: str
    signer: Signer
    link: str
    revoke: Callable[[], object]


def protected(ecdsa: Path) -> Protected:
    client: Any = boto3.client("cloudfront", region_name="us-east-1")
    pem = (ecdsa / "public_key.pem").read_text()
    key = client.create_public_key(PublicKeyConfig={"CallerReference": "1", "Name": "k", "EncodedKey": pem})
    key_id = key["PublicKey"]["Id"]
    other = SigningKey.generate("ecdsa").public_key.pem
    spare = client.create_public_key(PublicKeyConfig={"CallerReference": "2", "Name": "s", "EncodedKey": other})
    config = {"Name": "g", "Items": [key_id]}
    group = client.create_key_group(KeyGroupConfig=config)
    origin = {
        "HTTPPort": 80,
        "HTTPSPort": 443,
        "OriginProtocolPolicy": "https-only",
        "OriginSslProtocols": {"Quantity": 1, "Items": ["TLSv1.2"]},
    }
    made = client.create_distribution(
        DistributionConfig={
            "CallerReference": "1",
            "Comment": "",
            "Enabled": True,
            "Origins": {
                "Quantity": 1,
                "Items": [{"Id": "o", "DomainName": "origin.example.com", "CustomOriginConfig": origin}],
            },
            "DefaultCacheBehavior": {
                "TargetOriginId": "o",
                "ViewerProtocolPolicy": "redirect-to-https",
                "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
                "TrustedKeyGroups": {"Enabled": True, "Quantity": 1, "Items": [group["KeyGroup"]["Id"]]},
            },
        }
    )["Distribution"]
    signer = Signer(key_id, SigningKey.load(ecdsa / "private_key.pem"))
    link = signer.sign_url(f"https://{made['DomainName']}/x", expires=timedelta(hours=1))
    revoke = partial(
        client.update_key_group,
        Id=group["KeyGroup"]["Id"],
        IfMatch=group["ETag"],
        KeyGroupConfig={"Name": "g", "Items": [spare["PublicKey"]["Id"]]},
    )
    return Protected(made["Id"], signer, link, revoke)


def test_an_account_that_is_away_for_too_long_lets_nobody_in(start: Any, service: Service, ecdsa: Path) -> None:
    made = protected(ecdsa)
    _, port = start("--front", "traefik", "--distribution", made.id, "--refresh", "0.05", "--stale", "2s")
    assert judge(port, made.link) == 200
    service.fail(503, "ServiceUnavailable")
    wait_until(lambda: "s old and cannot be read" in readiness(port)[1])
    wait_until(lambda: judge(port, made.link) == 503)
    assert readiness(port)[0] == 503
    service.before = None
    wait_until(lambda: judge(port, made.link) == 200)


def test_a_distribution_is_followed(start: Any, service: Service, ecdsa: Path, tmp_path: Path) -> None:
    made = protected(ecdsa)
    _, port = start("--front", "traefik", "--distribution", made.id, "--refresh", "0.05")
    url = made.link
    assert judge(port, url) == 200
    assert judge(port, url.partition("?")[0]) == 403
    assert judge(port, url.replace("https:", "http:")) == 301
    assert judge(port, made.signer.sign_url("https://elsewhere.example.com/x", expires=timedelta(hours=1))) == 403

    made.revoke()
    wait_until(lambda: judge(port, url) == 403)
    service.fail(503, "ServiceUnavailable")
    wait_until(lambda: "the last good configuration stays in use" in (tmp_path / "stderr").read_text())
    assert judge(port, url) == 403


def test_a_key_that_is_pasted_for_its_file_is_not_shown(run: Run, ecdsa: Path) -> None:
    pasted = (ecdsa / "private_key.pem").read_text()
    _, out, err = run("authz", "--port", "0", "--front", "nginx", "--trust", pasted)
    assert "is not ID=FILE" in err
    assert not [line for line in pasted.splitlines()[1:-1] if line in out + err]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "--front"),
        (["--front", "apache"], "apache"),
        (["--front", "nginx"], "no key is trusted"),
        (["--front", "nginx", "--trust", "{public}"], "write the key's id and its file"),
        (["--front", "nginx", "--trust", "K1=nowhere.pem"], "cannot read the public key file nowhere.pem"),
        (["--front", "nginx", "--trust", "K1={private}"], "found a private key"),
        (["--front", "nginx", "--trust", "K1={public}", "--trust", "K1={public}"], "K1 is given twice"),
        (["--front", "nginx", "--keys", "nowhere"], "nowhere is not a folder"),
        (["--front", "nginx", "--keys", "{empty}"], "no key is trusted"),
        (["--front", "nginx", "--trust", "K1={public}", "--protect", ""], "'' is not a path pattern"),
        (["--front", "nginx", "--trust", "K1={public}", "--proxies", "1"], "--proxies is for X-Forwarded-For"),
        (["--front", "nginx", "--trust", "K1={public}", "--host", "localhost"], "--host localhost is not an address"),
        (["--front", "nginx", "--distribution", "E1", "--protect", "/x"], "--distribution decides what is protected"),
        (["--front", "nginx", "--trust", "K1={public}", "--host", "192.0.2.77"], "this machine has no such address"),
    ],
)
def test_bad_input_is_one_clear_line(
    run: Run, ecdsa: Path, tmp_path: Path, arguments: list[str], complaint: str
) -> None:
    private, public = ecdsa / "private_key.pem", ecdsa / "public_key.pem"
    filled = [argument.format(private=private, public=public, empty=tmp_path) for argument in arguments]
    status, out, err = run("authz", "--port", "0", *filled, "--json")
    assert (status, out) == (2, "")
    assert complaint in json.loads(err.splitlines()[-1])["error"]


def test_a_distribution_that_is_not_there_is_told(run: Run, service: Service) -> None:
    status, out, err = run("authz", "--front", "nginx", "--distribution", "E1NOWHERE")
    assert (status, out) == (2, "")
    assert "there is no distribution E1NOWHERE; there are: none" in err


def test_it_knows_the_countries_that_a_file_names(run: Run, ecdsa: Path, tmp_path: Path) -> None:
    trust = ("--front", "traefik", "--trust", f"{ID}={ecdsa / 'public_key.pem'}")
    file = tmp_path / "countries.json"
    for text, said in (
        (None, "cannot read --countries"),
        ("[]", "is not a JSON object"),
        ("{", "is not a JSON object"),
        ('{"nowhere": "DE"}', "'nowhere'"),
        ('{"192.0.2.0/24": 49}', "two letters"),
    ):
        if text is not None:
            file.write_text(text)
        status, _, err = run("authz", *trust, "--countries", file)
        assert (status, said in err) == (2, True), err
