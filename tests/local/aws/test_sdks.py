"""Functions and their AWS SDKs: clients from a folder, and SDKs that do not know the laptop's endpoint."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.local.aws.functions import zipped

from keyfront.errors import InputError
from keyfront.local.lambdas.runtime_api import Outcome
from keyfront.local.lambdas.sdks import hint, node_sdk, notes

if TYPE_CHECKING:
    from tests.local.aws.conftest import Running, Start

ROLE = "arn:aws:iam::123456789012:role/runs"
IMPORTED = 'import { name } from "@aws-sdk/client-demo";\nexport const handler = async () => name;'
REQUIRED = 'const { name } = require("@aws-sdk/client-demo");\nexports.handler = async () => name;'
OLD_SDK = """
import https, { request } from "node:https";

const options = {
  hostname: "ssm.us-east-1.amazonaws.com",
  method: "POST",
  path: "/",
  agent: new https.Agent({ keepAlive: true }),
  headers: {
    Host: "ssm.us-east-1.amazonaws.com",
    Authorization: "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/ssm/aws4_request, Signature=00",
    "Content-Type": "application/x-amz-json-1.1",
    "X-Amz-Target": "AmazonSSM.GetParameter",
  },
};

const read = (answer) => new Promise((resolve) => {
  let text = "";
  answer.on("data", (piece) => (text += piece));
  answer.on("end", () => resolve([answer.statusCode, text]));
});

export const handler = async () => {
  const [, text] = await new Promise((resolve, reject) => {
    const asked = request(options, (answer) => resolve(read(answer)));
    asked.on("error", reject);
    asked.end(JSON.stringify({ Name: "/greeting" }));
  });
  const [status, object] = await new Promise((resolve, reject) => {
    const url = "https://films.s3.us-east-1.amazonaws.com/film";
    https.get(url, (answer) => resolve(read(answer))).on("error", reject);
  });
  return [JSON.parse(text).Parameter.Value, status, object];
};
"""


def create_role(endpoint: Running) -> None:
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
    iam = endpoint.client("iam")
    with suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName="runs", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))


def run(endpoint: Running, name: str, file: str, source: str) -> tuple[Any, list[str]]:
    """A Node.js function's result, and its log."""
    create_role(endpoint)
    api = endpoint.client("lambda")
    code = {"ZipFile": zipped({file: source})}
    api.create_function(FunctionName=name, Runtime="nodejs20.x", Role=ROLE, Handler="index.handler", Code=code)
    result = json.loads(api.invoke(FunctionName=name)["Payload"].read())
    logged = endpoint.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
    return result, [event["message"] for event in logged]


@pytest.fixture(scope="module")
def with_sdk(
    start_endpoint: Start, tmp_path_factory: pytest.TempPathFactory, need_tool: Callable[[str], Path]
) -> Iterator[Running]:
    """An endpoint whose Node.js functions have one client."""
    need_tool("node")
    folder = tmp_path_factory.mktemp("sdk")
    package = folder / "node_modules" / "@aws-sdk" / "client-demo"
    package.mkdir(parents=True)
    (package / "package.json").write_text('{"name": "@aws-sdk/client-demo", "main": "index.js"}')
    (package / "index.js").write_text('exports.name = "demo";')
    endpoint = start_endpoint(node_sdk=folder)
    yield endpoint
    endpoint.endpoint.reset()


@pytest.mark.parametrize(("name", "file", "source"), [("m", "index.mjs", IMPORTED), ("c", "index.cjs", REQUIRED)])
def test_a_function_finds_the_clients_of_the_folder(with_sdk: Running, name: str, file: str, source: str) -> None:
    assert run(with_sdk, name, file, source)[0] == "demo"


def test_an_sdk_that_does_not_know_the_endpoint_reaches_it(with_sdk: Running) -> None:
    with_sdk.client("ssm").put_parameter(Name="/greeting", Value="hello", Type="String")
    s3 = with_sdk.client("s3")
    s3.create_bucket(Bucket="films", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.put_object(Bucket="films", Key="film", Body=b"film", ACL="public-read")
    result, log = run(with_sdk, "old", "index.mjs", OLD_SDK)
    assert result == ["hello", 200, "film"]
    assert sum("ssm.us-east-1.amazonaws.com is the laptop's endpoint here" in line for line in log) == 1


def test_without_the_folder_the_log_says_how_to_make_it(endpoint: Running, need_tool: Callable[[str], Path]) -> None:
    need_tool("node")
    result, log = run(endpoint, "needy", "index.mjs", IMPORTED)
    assert result["errorType"] == "Runtime.ImportModuleError"
    assert (
        "keyfront: Amazon's clients for Node.js are not on the laptop. Run npm install --prefix sdk "
        "@aws-sdk/client-demo, then keyfront up --node-sdk sdk."
    ) in log


def test_a_folder_without_clients_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has no node_modules/@aws-sdk: .* npm install --prefix"):
        node_sdk(tmp_path)


def test_a_python_sdk_that_is_too_old_is_noted(tmp_path: Path) -> None:
    for name in ("botocore-1.31.0.dist-info", "botocore-1.29.165.dist-info", "boto3-1.26.0.dist-info"):
        (tmp_path / name).mkdir()
    (line,) = notes(tmp_path, tmp_path / "none")
    assert "botocore-1.29.165 in the package does not read AWS_ENDPOINT_URL" in line


@pytest.mark.parametrize(
    ("said", "error", "line"),
    [
        (b"Error: Cannot find module '@aws-sdk/lib-storage'", "E", "npm install --prefix sdk @aws-sdk/lib-storage,"),
        (b"Error: Cannot find module 'aws-sdk'", "E", "do not contain aws-sdk (version 2): pack it"),
        (b"Error: Cannot find module 'express'", "E", None),
        (b"Cannot find module '@aws-sdk/lib-storage'", None, None),
    ],
)
def test_only_a_missing_sdk_gets_a_hint(said: bytes, error: str | None, line: str | None) -> None:
    told = hint(Outcome(said, error))
    assert (told is None) == (line is None)
    assert line is None or (told is not None and line in told)
