"""Every command that the README, docs/ and `--help` show is run, against an account on this machine where it needs one.

To add an example: write it in a ```console block behind `$ ` (or into a command's docstring). If this file then says
that it fails: it fails for a reader as well, or it needs a file that `desk` does not have (add it there), or it cannot
run here (add a row to ELSEWHERE, with the reason and the test that runs it).
"""

from __future__ import annotations

import asyncio
import csv
import gzip
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest
import typer.main
from tests import needs
from tests.account.logs.days import Log
from tests.shown import Shown, in_help, in_pages

from keyfront import Signer, SigningKey
from keyfront.cli import main
from keyfront.cli.app import application
from keyfront.keystore import SignerDocument
from keyfront.local.aws import Endpoint
from keyfront.local.controlplane import ControlPlane
from keyfront.local.controlplane.asgi import application as cloudfront
from keyfront.web.serving import Listener, bind

if TYPE_CHECKING:
    from collections.abc import Iterator

HOST: Final = "d111111abcdef8.cloudfront.net"
BOOK: Final = f"https://{HOST}/book.epub"
PLACEHOLDER: Final = "K2JCJMDEHXQW5F"
POLICY: Final = {
    "Statement": [
        {
            "Resource": "https://media.example.com/42/*",
            "Condition": {"DateLessThan": {"AWS:EpochTime": 1893459600}},
        }
    ]
}
HOW: Final = "how an example is added, and what it may use: the first lines of tests/test_examples.py"

# These serve until they are stopped. Their options are read here; the tests that are named run them.
SERVERS: Final = {
    "backend": "tests/backend/test_ends.py and test_deployment.py",
    "up": "tests/local/up",
    "edge": "tests/edge/test_process.py",
    "console": "tests/console/test_serving.py",
    "authz": "tests/cli/test_authz.py, and before real front doors tests/edge/authz/test_nginx.py",
}
# What cannot run here, by the words it begins with or holds, and why.
ELSEWHERE: Final = {
    "rotate start .* --wait": "waits for hours; tests/account/rotation runs it with a clock of its own",
    "rotate abort": "needs a rotation that was begun in an account with an edge: tests/account/rotation",
    "rotate continue": "needs a rotation that was begun in an account with an edge: tests/account/rotation",
    "^docker ": "needs Docker: tests/backend/test_deployment.py runs the image's command",
    "^sudo ": "changes this machine: tests/backend/test_deployment.py checks the unit",
    "lambda package": "builds from the package index: tests/backend/aws_lambda",
    "functions watch": "needs a function at a running edge: tests/local/up/test_distributions.py",
    "pytest --keyfront-trust": "runs inside pytest: tests/testing/test_plugin.py",
    "aws lambda create-function": "the AWS CLI's: tests/account/rotation",
    "CURL_CA_BUNDLE": "sets a variable for curl: tests/terraform/examples",
    "^curl ": "needs what Terraform made: tests/terraform/examples",
    r"\| source": "for fish: tests/cli/test_terraform.py",
    "pbpaste": "for macOS: the same from standard input is in tests/cli/test_policies.py",
}
# A status other than 0 that the example is there to show.
STATUSES: Final = {
    r"audit": {0, 1},
    r"policy lint": {0, 1},
    r"functions test first.js": {1},  # it shows what the engine does not know
    r"verify .*--at 2030": {1},  # the link of the test expires earlier
    r"explain": {0, 1, 3},
    r"rotate": {0, 3},  # it goes on later
}


def test_pages_and_help_have_examples() -> None:
    assert len(list(in_pages())) > 40
    assert len(list(in_help())) > 30


_ASKS_AWS: Final = re.compile(
    r"keys (?:upload|store|list|delete)|groups|rotate|audit|--signer|--distribution|shop.json|s3://|--account"
)


@dataclass(frozen=True, slots=True)
class Account:
    """A CloudFront API with the rest of AWS beside it."""

    url: str
    endpoint: Endpoint
    plane: list[ControlPlane]
    clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        if service not in self.clients:
            session = boto3.Session("test", "test", region_name="us-east-1")
            self.clients[service] = session.client(service, endpoint_url=self.url)  # type: ignore[call-overload]
        return self.clients[service]


@pytest.fixture(scope="module")
def key() -> SigningKey:
    return SigningKey.generate("rsa")


@pytest.fixture(scope="module")
def endpoint(drawer: Path) -> Iterator[Account]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    plane = [ControlPlane()]

    async def now(scope: Any, receive: Any, send: Any) -> None:
        await cloudfront(plane[0])(scope, receive, send)

    made = Endpoint(now, now)

    async def listen() -> Listener:
        listener = Listener(made, bind("127.0.0.1", 0))
        listener.start()
        return listener

    listener = asyncio.run_coroutine_threadsafe(listen(), loop).result(30)
    account = Account(f"http://127.0.0.1:{listener.port}", made, plane)
    s3 = account.client("s3")
    s3.create_bucket(Bucket="my-logs")
    s3.upload_file(str(drawer / "logs" / "access.log"), "my-logs", "shop/access.log")
    yield account

    async def stop() -> None:
        await made.stop()
        await listener.stop()

    asyncio.run_coroutine_threadsafe(stop(), loop).result(30)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(30)
    loop.close()


@pytest.fixture(scope="module")
def link(key: SigningKey) -> str:
    return Signer(PLACEHOLDER, key).sign_url(BOOK, expires=timedelta(hours=1))


@pytest.fixture(scope="module")
def drawer(key: SigningKey, link: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that each desk begins with."""
    drawer = tmp_path_factory.mktemp("drawer")
    key.write(drawer)
    key.write(drawer / "keys")
    (drawer / "keys" / f"{PLACEHOLDER}.pem").write_text(key.public_key.pem)
    (drawer / "policy.json").write_text(json.dumps(POLICY))
    (drawer / "rewrite.js").write_text("function handler(event) { return event.request; }")
    with (drawer / "links.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["url"], [BOOK], [f"{BOOK}?edition=2"]])
    _write_parquet(drawer / "links.parquet")
    (drawer / "items.csv").write_text("id,key,title,price\nlog,guides/log.pdf,Night Log,2.50\n")
    (drawer / "purchases.csv").write_text("customer,item,name\nmara,lamps,Mara Lindqvist\n")
    (drawer / "first.js").write_text(
        "function handler(event) {\n  for (const name of []) {}\n  return event.request;\n}"
    )
    (drawer / "answer.xml").write_text("<Error><Code>AccessDenied</Code><Message>Access denied</Message></Error>")
    with gzip.open(drawer / "E1.2026-11-24-03.gz", "wt") as log:
        log.write("\n".join(_ACCESS_LOG))
    today = Log()
    today.add(link, int(time.time()) - 60)
    today.write(drawer / "logs", "access.log")
    return drawer


@pytest.fixture
def desk(key: SigningKey, link: str, drawer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what examples name: keys, a policy, tables, a saved configuration, an access log, an answer."""
    shutil.copytree(drawer, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("URL", link)
    typed = io.BytesIO(f"curl '{link}'".encode())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(typed, "utf-8"))
    cookies = Signer(PLACEHOLDER, key).sign_cookies("https://media.example.com/42/*", expires=timedelta(hours=1))
    monkeypatch.setenv("COOKIE", "; ".join(f"{name}={value}" for name, value in cookies.items()))
    return tmp_path


_ACCESS_LOG = (
    "#Version: 1.0",
    "#Fields: date time x-edge-location c-ip cs-method cs(Host) cs-uri-stem sc-status cs(User-Agent) cs-uri-query",
    "\t".join(["2026-11-24", "03:00:00", "FRA2", "192.0.2.1", "GET", HOST, "/book.epub", "403", "-", "-"]),
    "",
)


def _write_parquet(path: Path) -> None:
    import pyarrow as pa  # type: ignore[import-untyped]
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    pq.write_table(pa.table({"url": [BOOK]}), path)


@pytest.fixture
def account(endpoint: Account, desk: Path, key: SigningKey, monkeypatch: pytest.MonkeyPatch) -> Account:
    """An account of its own, to which the environment points, with the names that examples use."""
    endpoint.plane[0] = ControlPlane()
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in {
        "AWS_ENDPOINT_URL": endpoint.url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": str(desk / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(desk / "none"),
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("KEY_ID", _fill(endpoint, key, desk))
    return endpoint


def _fill(account: Account, key: SigningKey, desk: Path) -> str:
    """A key, its group, a distribution that trusts it, and where signers find the private half; the key's id."""
    cloudfront = account.client("cloudfront")
    pem = key.public_key.pem
    config = {"CallerReference": "1", "Name": "shop-2026", "EncodedKey": pem}
    key_id: str = cloudfront.create_public_key(PublicKeyConfig=config)["PublicKey"]["Id"]
    group = cloudfront.create_key_group(KeyGroupConfig={"Name": "shop-signers", "Items": [key_id]})["KeyGroup"]["Id"]
    made = cloudfront.create_distribution(DistributionConfig=_distribution(group))["Distribution"]
    saved = cloudfront.get_distribution_config(Id=made["Id"])
    (desk / "shop.json").write_text(json.dumps(saved, default=str))
    (desk / "keys" / f"{PLACEHOLDER}.pem").rename(desk / "keys" / f"{key_id}.pem")
    document = SignerDocument(key_id, key).to_json()
    account.client("ssm").put_parameter(
        Name="/shop/signing-key", Value=document, Type="SecureString", Overwrite=True, Tier="Advanced"
    )
    kms = account.client("kms")
    if not any(each["AliasName"] == "alias/shop" for each in kms.list_aliases()["Aliases"]):
        made_key = kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
        kms.create_alias(AliasName="alias/shop", TargetKeyId=made_key)
    return key_id


def _distribution(group: str) -> dict[str, Any]:
    behavior = {
        "TargetOriginId": "files",
        "ViewerProtocolPolicy": "redirect-to-https",
        "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
        "TrustedKeyGroups": {"Enabled": True, "Quantity": 1, "Items": [group]},
    }
    origin = {
        "Id": "files",
        "DomainName": "files.example.com",
        "CustomOriginConfig": {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "https-only"},
    }
    return {
        "CallerReference": "1",
        "Comment": "shop",
        "Enabled": True,
        "Origins": {"Quantity": 1, "Items": [origin]},
        "DefaultCacheBehavior": behavior,
    }


def _reason(line: str) -> str | None:
    return next((why for words, why in ELSEWHERE.items() if re.search(words, line)), None)


def _server(line: str) -> bool:
    words = line.split()
    return words[0] == "keyfront" and words[1] in SERVERS


ALL: Final = list({each.line: each for each in (*in_help(), *in_pages())}.values())
"""Each command once, although several pages and a help may show it."""
RUN: Final = [each for each in ALL if not _server(each.line) and _reason(each.line) is None]


@pytest.mark.parametrize("shown", RUN, ids=str)
def test_it_runs(shown: Shown, desk: Path, request: pytest.FixtureRequest, capfd: pytest.CaptureFixture[str]) -> None:
    line = _made_true(shown.line, desk)
    if _ASKS_AWS.search(line):
        line = _in_an_account(line, request.getfixturevalue("account"), desk)
    status = _run(line)
    out, err = capfd.readouterr()
    expected = next((statuses for words, statuses in STATUSES.items() if re.search(words, line)), {0})
    assert status in expected, f"{shown} ended with {status}\n{out}{err}\n{HOW}"
    assert "Traceback" not in err


def _made_true(line: str, desk: Path) -> str:
    """The line, in a folder that does not have what it would make."""
    for made in re.findall(r"--out (\S+)", line):
        path = desk / made
        if path.is_dir():
            shutil.rmtree(path)
        path.parent.mkdir(parents=True, exist_ok=True)
    if "keyfront shop" in line and "items add" not in line:
        _fill_shop(desk)
    if line.endswith("keys generate"):
        for name in ("private_key.pem", "public_key.pem"):
            (desk / name).unlink()
    if "--keys keys/" in line:  # there it is a folder of public keys, by their ids
        for name in ("private_key.pem", "public_key.pem"):
            (desk / "keys" / name).unlink()
    return line


def _fill_shop(desk: Path) -> None:
    """A database where examples look for it, with the items and the purchase that they name."""
    from keyfront.backend import Customer, Item, connect, seed

    engine = connect(f"sqlite:///{desk}/keyfront.db")
    items = [Item(name, name, f"{name}.pdf") for name in ("lamps", "guide")]
    seed(engine, items, [Customer("auth0|5f7c8ec7", "Mara")], [("auth0|5f7c8ec7", "guide")])
    engine.dispose()


def _in_an_account(line: str, account: Account, desk: Path) -> str:
    """The line with the account's own ids, in an account that does not have what it would make."""
    if "keys upload" in line or "groups create" in line:
        account.plane[0] = ControlPlane()
    if "groups create" in line:
        config = {"CallerReference": "1", "Name": "shop", "EncodedKey": (desk / "public_key.pem").read_text()}
        made_key = account.client("cloudfront").create_public_key(PublicKeyConfig=config)["PublicKey"]["Id"]
        return line.replace(PLACEHOLDER, made_key)
    if "--kms-key" in line or "kms:" in line or "keys store" in line:
        return line.replace(PLACEHOLDER, os.environ["KEY_ID"])
    listed = account.client("cloudfront").list_distributions()["DistributionList"].get("Items", [])
    return re.sub(r"\bE2[A-Z0-9]+\b", listed[0]["Id"], line) if listed else line


def _run(line: str) -> int:
    """In this process where the line is one command; what needs a shell is given to one."""
    if not line.startswith("keyfront ") or re.search(r"[|>;]|\$\(", re.sub("'[^']*'", "", line)):
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        return subprocess.run(
            [needs.program("bash"), "-ec", line], env={**os.environ, "PATH": path}, timeout=60, check=False
        ).returncode
    return main([os.path.expandvars(word) for word in shlex.split(line)[1:]])


@pytest.mark.parametrize("shown", [each for each in ALL if _server(each.line)], ids=str)
def test_the_options_of_a_server_are_known(shown: Shown, desk: Path) -> None:
    """It serves until it is stopped: here its options are read, and the named tests run it."""
    (desk / "shop.json").write_text("{}")
    words = [os.path.expandvars(word) for word in shlex.split(shown.line.removesuffix(" &"))[1:]]
    command: Any = typer.main.get_command(application(words))
    context = command.make_context("keyfront", words)
    below, arguments = command.commands[words[0]], words[1:]
    below.make_context(words[0], arguments, parent=context)


@pytest.mark.parametrize("words", ELSEWHERE)
def test_what_is_not_run_here_is_still_shown(words: str) -> None:
    """A row that no example needs any more goes."""
    assert any(re.search(words, each.line) for each in ALL), f"no example has {words!r}: remove it from ELSEWHERE"
