"""The code that `docs/findings.md` shows runs, or at least is code, in each of its languages."""

import base64
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from tests.keys import shared_rsa

import keyfront
from keyfront import verify
from keyfront.core.keys import SigningKey
from keyfront.core.signing import Signer
from keyfront.core.verification import ViewerRequest
from keyfront.explain.recipes import RECIPES

ID = "K2JCJMDEHXQW5F"
URL = "https://media.example.com/course/42/book.epub"
_NODE_PACKAGES = Path(__file__).parents[2] / "benchmarks" / "node"
_WITH_CLIENT = {"trusted-group", "host", "origin-access", "kms-key", "regional-origin"}
"""Recipes that talk to an account."""

_ANSWERS = {
    "GetKeyGroupConfig": b"<KeyGroupConfig><Name>links</Name><Items><PublicKey>K1</PublicKey></Items></KeyGroupConfig>",
    "GetDistributionConfig": b"<DistributionConfig><Enabled>true</Enabled><Aliases><Quantity>0</Quantity></Aliases>"
    b"<CustomErrorResponses><Quantity>0</Quantity></CustomErrorResponses><WebACLId></WebACLId><Restrictions>"
    b"<GeoRestriction><RestrictionType>none</RestrictionType><Quantity>0</Quantity></GeoRestriction></Restrictions>"
    b"</DistributionConfig>",
    "GetBucketLocation": b"<LocationConstraint>eu-central-1</LocationConstraint>",
    "GetKeyPolicy": b'{"Policy": "{\\"Version\\": \\"2012-10-17\\", \\"Statement\\": []}"}',
    "PutKeyPolicy": b"{}",
}


class _Body:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self._data


def _client(service: Any, asked: list[Any]) -> Any:
    """A real client, which checks every name and parameter against Amazon's model; its requests go nowhere."""
    client = boto3.client(service, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")

    def answer(request: Any, event_name: str, **_: object) -> AWSResponse:
        asked.append(request)
        body: Any = _Body(_ANSWERS.get(event_name.rpartition(".")[2], b""))
        headers: Any = {"ETag": "e1"}
        return AWSResponse(request.url, 200, headers, body)

    client.meta.events.register("before-send", answer)
    return client


class _Headers(list[tuple[str, str]]):
    def append(self, name: str, value: str) -> None:  # type: ignore[override]
        super().append((name, value))


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SigningKey:
    """In the folder, and in the environment, as the recipes find it."""
    key = shared_rsa()
    key.write(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KEY_PAIR_ID", ID)
    return key


def _opens(link: str, key: SigningKey, cookie: str = "") -> bool:
    return verify(ViewerRequest(link, cookie, "192.0.2.7"), {ID: key.public_key}, time.time()).allowed


@pytest.mark.parametrize("name", RECIPES)
def test_the_python_runs_and_its_links_open(name: str, key: SigningKey, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    headers = _Headers()
    names: dict[str, Any] = {
        **{each: getattr(keyfront, each) for each in ("Signer", "SigningKey", "Policy")},
        "Path": Path,
        "timedelta": timedelta,
        "base64": base64,
        "json": json,
        "os": os,
        "time": time,
        "signer": Signer(ID, key),
        "key": key,
        "key_pair_id": ID,
        "url": URL,
        "data": b"??>",
        "policy": b"{}",
        "bucket": "files",
        "distribution_arn": "arn:aws:cloudfront::1:distribution/E1",
        "group_id": "g",
        "distribution_id": "E1",
        "key_id": "1a2b3c4d",
        "response": type("Response", (), {"headers": headers})(),
        "boto3": type("boto3", (), {"client": staticmethod(lambda service: _client(service, asked))}),
    }
    if name in _WITH_CLIENT:
        names |= {"client": _client("cloudfront", asked), "s3": _client("s3", asked), "kms": _client("kms", asked)}
    exec(RECIPES[name].python, names)
    for made in ("link", "either", "open_ended"):
        assert made not in names or _opens(names[made], key), made
    if "open_ended" in names:
        assert _opens(names["open_ended"] + "&utm_source=mail", key)
    if name in ("sign-cookies", "cookies-raw", "cookie-domain"):
        assert len(headers) == 3
        cookie = "; ".join(value.partition(";")[0] for _, value in headers)
        assert _opens("https://media.example.com/course/1", key, cookie)
    assert (name in _WITH_CLIENT) == bool(asked)
    if name == "encoding":
        assert names["text"] == "Pz8-"


_PRELUDE = """
import { readFileSync } from "node:fs";
%(imports)s
const cookies_ = {};
const given = {
  keyPairId: "K2JCJMDEHXQW5F", privateKey: readFileSync("private_key.pem", "utf8"), url: "https://media.example.com/course/42/book.epub",
  dateLessThan: new Date(Date.now() + 3600_000), key: "books/my file (1)'.pdf", data: Buffer.from("??>"),
  policy: JSON.stringify({ Statement: [{ Resource: "https://media.example.com/*",
    Condition: { DateLessThan: { "AWS:EpochTime": Math.floor(Date.now() / 1000) + 60 } } }] }),
  res: { cookie: (name, value, options) => { cookies_[name] = (options.encode ?? encodeURIComponent)(value); } },
};
%(given)s
%(block)s
let link_, text_;
try { link_ = link } catch {}
try { text_ = text } catch {}
console.log(JSON.stringify({ link: link_, text: text_, cookies: cookies_ }));
"""
_IMPORTS = {
    "getSignedUrl": "@aws-sdk/cloudfront-signer",
    "getSignedCookies": "@aws-sdk/cloudfront-signer",
    "createSign": "node:crypto",
}
_GIVEN = ("keyPairId", "privateKey", "url", "dateLessThan", "key", "data", "policy", "res")


def _script(block: str) -> str:
    """The block with whatever it takes for granted before it."""
    own = set(re.findall(r"\b(?:const|let)\s+(\w+)", block))
    for names in re.findall(r"(?:const|import) \{([^}=]+)\}", block):
        own |= {name.strip() for name in names.split(",")}
    used = [name for name in _IMPORTS if name not in own and re.search(rf"\b{name}\b", block)]
    imports = "\n".join(f'import {{ {name} }} from "{_IMPORTS[name]}";' for name in used)
    given = "\n".join(f"const {name} = given.{name};" for name in _GIVEN if name not in own)
    if re.search(r"\b(?:createSign|sign)\(", block):
        given = given.replace("const key = given.key;", "const key = given.privateKey;")
    if "KEY_PAIR_ID" in block or "PRIVATE_KEY" in block:
        given = f"process.env.PRIVATE_KEY = given.privateKey;\n{given}"
    head = "\n".join(re.findall(r"^import .*$", block, re.MULTILINE))
    body = re.sub(r"^import .*$", "", block, flags=re.MULTILINE)
    return _PRELUDE % {"imports": f"{head}\n{imports}", "given": given, "block": body}


def test_the_node_runs_and_its_links_open(
    key: SigningKey, tmp_path: Path, npm: Callable[[Path, Path], None], need_tool: Callable[[str], Path]
) -> None:
    node = need_tool("node")
    for file in ("package.json", "package-lock.json"):
        shutil.copy(_NODE_PACKAGES / file, tmp_path)
    npm(tmp_path, tmp_path / "node_modules")

    def run(name: str) -> tuple[str, subprocess.CompletedProcess[str]]:
        file = tmp_path / f"{name}.mjs"
        file.write_text(_script(RECIPES[name].node) if name not in _WITH_CLIENT else RECIPES[name].node, "utf-8")
        # What talks to an account needs packages that are not locked here: its syntax alone is looked at.
        check = ["--check"] if name in _WITH_CLIENT else []
        return name, subprocess.run([node, *check, file], capture_output=True, text=True, cwd=tmp_path, timeout=60)

    with ThreadPoolExecutor(2) as pool:
        done = dict(pool.map(run, RECIPES))
    assert {name: each.stderr for name, each in done.items() if each.returncode} == {}
    for name, each in done.items():
        made = json.loads(each.stdout) if name not in _WITH_CLIENT else {}
        if made.get("link"):
            assert _opens(made["link"], key), (name, made["link"])
        if made.get("cookies"):
            cookie = "; ".join(f"{one}={value}" for one, value in made["cookies"].items())
            assert _opens("https://media.example.com/a", key, cookie), name
        if name == "encoding":
            assert made["text"] == "Pz8-"
        assert name not in ("sign-url", "query-added") or made["link"], name
        assert name not in ("sign-cookies", "cookies-raw", "cookie-domain") or len(made["cookies"]) == 3, name


def test_the_php_parses(tmp_path: Path, need_tool: Callable[[str], Path]) -> None:
    php = need_tool("php")
    for name, recipe in RECIPES.items():
        file = tmp_path / f"{name}.php"
        file.write_text(f"<?php\n{recipe.php}\n", "utf-8")
        done = subprocess.run([php, "-l", file], capture_output=True, text=True)
        assert done.returncode == 0, (name, done.stdout)


def test_the_terraform_is_formatted(tmp_path: Path, terraform_program: Path) -> None:
    for name, recipe in RECIPES.items():
        (tmp_path / f"{name}.tf").write_text(f"{recipe.terraform}\n", "utf-8")
    done = subprocess.run(
        [terraform_program, "fmt", "-check", "-diff", tmp_path], capture_output=True, text=True, cwd=tmp_path
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
