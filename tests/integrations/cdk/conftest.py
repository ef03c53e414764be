"""The app that the tests of constructs share, synthesised once, with the keys before, during and after a rotation."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests import needs
from tests.needs import Workers

from keyfront import SigningKey

FUNCTION = Path(__file__).with_name("function")
REWRITE = """import cf from 'cloudfront';
const paths = cf.kvs();
async function handler(event) {
  event.request.uri = await paths.get(event.request.uri);
  return event.request;
}"""
MARK = """def handler(event, context):
    response = event["Records"][0]["cf"]["response"]
    response["headers"]["x-mark"] = [{"key": "X-Mark", "value": "lambda"}]
    return response
"""


@dataclass(frozen=True)
class Synthesised:
    """The folders that `cdk deploy --app` takes, the one of docs/infrastructure.md, and the keys."""

    folders: Mapping[str, Path]
    page: Path
    old: SigningKey
    new: SigningKey

    def template(self, name: str) -> dict[str, Any]:
        """The template of the stack in one of the folders."""
        found: dict[str, Any] = json.loads((self.folders[name] / "Shop.template.json").read_text())
        return found


@pytest.fixture(scope="session")
def cdk_library() -> Iterator[Any]:
    """aws_cdk, which takes seconds to import."""
    needs.cdk()
    import aws_cdk

    yield aws_cdk
    from jsii._kernel import Kernel

    # The library runs in Node.js, and jsii ends that process only with the program.
    Kernel().provider._process.stop()


@pytest.fixture(scope="session")
def stack_of(cdk_library: Any) -> Callable[..., Any]:
    """Makes an app with an empty stack: `app, stack = stack_of(folder)`."""

    def make(folder: Path) -> Any:
        app = cdk_library.App(outdir=str(folder), analytics_reporting=False)
        place = cdk_library.Environment(account="123456789012", region="us-east-1")
        return app, cdk_library.Stack(app, "Shop", env=place)

    return make


@pytest.fixture(scope="session")
def synthesised(
    request: pytest.FixtureRequest, workers: Workers, tmp_path_factory: pytest.TempPathFactory
) -> Synthesised:
    """The same stack with the old key, with both keys, and with the new key, and the page's. Workers share them."""

    def make() -> dict[str, Any]:
        cdk, stack_of = (request.getfixturevalue(name) for name in ("cdk_library", "stack_of"))
        old, new = SigningKey.generate(), SigningKey.generate()
        one, two = old.public_key.pem, new.public_key.pem
        base = tmp_path_factory.mktemp("cdk")
        folders = {
            "old": _synthesise(cdk, stack_of, base / "old", {"a": one}, "a"),
            "both": _synthesise(cdk, stack_of, base / "both", {"a": one.replace("\n", "\r\n"), "b": two}, "b"),
            "new": _synthesise(cdk, stack_of, base / "new", {"b": two}, "b"),
        }
        folders["page"] = _as_on_the_page(cdk, base / "page")
        return {**{name: str(folder) for name, folder in folders.items()}, "keys": [old.pem(), new.pem()]}

    made = workers.once("cdk", make)
    old, new = map(SigningKey.load, made["keys"])
    return Synthesised({name: Path(made[name]) for name in ("old", "both", "new")}, Path(made["page"]), old, new)


def _synthesise(cdk: Any, stack_of: Callable[..., Any], folder: Path, keys: Mapping[str, str], current: str) -> Path:
    app, stack = stack_of(folder)
    for name, value in everything(stack, keys, current).items():
        cdk.CfnOutput(stack, name, value=value)
    app.synth()
    return folder


def _as_on_the_page(cdk: Any, folder: Path) -> Path:
    """Run the app of docs/infrastructure.md in a folder with a public key."""
    page = (Path(__file__).parents[3] / "docs" / "infrastructure.md").read_text("utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    folder.mkdir()
    (folder / "public_key.pem").write_text(SigningKey.generate("ecdsa").public_key.pem)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(cdk, "App", partial(cdk.App, outdir=str(folder / "cdk.out"), analytics_reporting=False))
        exec(code, {})
    return folder / "cdk.out"


def everything(stack: Any, keys: Mapping[str, str], current: str) -> dict[str, str]:
    """Put every construct into a stack, and give what its outputs shall be."""
    from aws_cdk import RemovalPolicy, aws_lambda

    from keyfront.integrations.cdk import (
        Behavior,
        DownloadEndpoint,
        LogQueries,
        PrivateContent,
        SigningKey,
        TrustedKeyGroup,
    )

    destroy = RemovalPolicy.DESTROY
    vault = SigningKey(stack, "Vault", name="shop/vault", removal_policy=destroy, kms_deletion_window_days=7)
    stored = SigningKey(stack, "Stored", name="shop/stored", kind="secret", removal_policy=destroy)
    named = SigningKey(stack, "Named", name="shop/named", kind="parameter")
    group = TrustedKeyGroup(stack, "Keys", keys=keys, kms_keys={"vault": str(vault.kms_key_arn)}, current=current)
    rewrite, marked = _edge_functions(stack)
    content = PrivateContent(
        stack,
        "Content",
        key_groups=[group.key_group],
        behaviors=[Behavior("/public/*", [], functions={"viewer-request": rewrite}, lambda_functions=marked)],
        access_logs=True,
        removal_policy=destroy,
    )
    downloads = DownloadEndpoint(
        stack,
        "Downloads",
        package=aws_lambda.Code.from_asset(str(FUNCTION)),
        handler="index.handler",
        cloudfront_domain=content.domain_name,
        signing_key=vault,
        key_pair_id=group.key_ids["vault"],
    )
    assert content.bucket is not None
    assert content.log_bucket is not None
    logs = content.log_bucket.bucket_name
    queries = LogQueries(stack, "Queries", name="shop-logs", bucket=logs, partitioned=False, removal_policy=destroy)
    return {
        "Bucket": content.bucket.bucket_name,
        "Domain": content.domain_name,
        "KeyId": group.current_key_id,
        "VaultKeyId": group.key_ids["vault"],
        "Url": downloads.url,
        "SecretAddress": stored.signer,
        "ParameterAddress": named.signer,
        "VaultAddress": vault.signer,
        "LogBucket": logs,
        "WhoUsedWhichKey": queries.queries["keys"],
    }


def _edge_functions(stack: Any) -> tuple[Any, dict[str, Any]]:
    """A CloudFront function that takes the path from a key value store, and a Lambda@Edge function by event type."""
    from aws_cdk import aws_cloudfront, aws_iam, aws_lambda

    pairs = json.dumps({"data": [{"key": "/public/old.txt", "value": "/public/new.txt"}]})
    store = aws_cloudfront.KeyValueStore(stack, "Paths", source=aws_cloudfront.ImportSource.from_inline(pairs))
    rewrite = aws_cloudfront.Function(
        stack,
        "Rewrite",
        code=aws_cloudfront.FunctionCode.from_inline(REWRITE),
        runtime=aws_cloudfront.FunctionRuntime.JS_2_0,
        key_value_store=store,
    )
    mark = aws_lambda.Function(
        stack,
        "Mark",
        code=aws_lambda.Code.from_inline(MARK),
        handler="index.handler",
        runtime=aws_lambda.Runtime.PYTHON_3_13,
        role=aws_iam.Role(stack, "MarkRole", assumed_by=aws_iam.ServicePrincipal("lambda.amazonaws.com")),
    )
    return rewrite, {"origin-response": mark.current_version}
