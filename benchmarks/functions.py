"""What a CloudFront function costs: the edge with and without one, and Node.js doing the same rewrite."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import boto3

from benchmarks import servers, warm, wrk
from benchmarks.contest import Aim, Peer, PeerError, Row, race, rows
from benchmarks.signing import EXPIRES
from benchmarks.wrk import Target
from keyfront import Signer, SigningKey

_SECTION = "Edge, a viewer request function that rewrites the path, 1 KiB, one worker, wrk with 50 connections"
_WITHOUT = "keyfront edge, no function"
_OBJECT = "docs/index.html"
_CODE = """async function handler(event) {
  const request = event.request;
  if (request.uri.endsWith('/')) request.uri += 'index.html';
  return request;
}
"""
_NODE = """
const body = Buffer.alloc(1024, 'x');
require('http').createServer((request, response) => {
  let [path, query] = request.url.split('?');
  if (path.endsWith('/')) path += 'index.html';
  response.writeHead(path === '/docs/index.html' ? 200 : 404, { 'content-length': body.length });
  response.end(body);
}).listen(Number(process.argv[1]), '127.0.0.1');
"""


def run(seconds: float, rounds: int) -> Iterator[Row]:
    """Measure signed requests that hit the cache, in turns."""
    if wrk.program() is None:
        yield Row(_SECTION, "all", "requests/s", missing="wrk is not installed")
        return
    with ExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory(prefix="keyfront-bench-")))
        content = directory / "served" / "content"
        (content / "docs").mkdir(parents=True)
        (content / _OBJECT).write_bytes(os.urandom(1024))
        try:
            made = stack.enter_context(servers.keyfront_up(content))
        except PeerError as error:
            yield Row(_SECTION, _WITHOUT, "requests/s", missing=str(error))
            return
        _associate(made)
        signer = Signer(made["key_pair_id"], SigningKey.load(Path(made["private_key"])))
        base = made["edge"]["http"]
        targets = {_WITHOUT: f"{base}/{_OBJECT}", "keyfront edge, cloudfront-js-2.0": f"{base}/docs/"}
        peers = []
        for name, url in targets.items():
            target = Target.of(url, [(signer.sign_url(url, expires=EXPIRES), {})])
            warm.up(target)
            peers.append(_peer(directory, name, target))
        peers.append(_node(stack, directory))
        aims = {"keyfront edge, cloudfront-js-2.0": Aim(0.5)}
        results = race(peers, seconds, min(rounds, 5))
        yield from rows(_SECTION, "requests/s", results, pick=median, against=_WITHOUT, aims=aims)


def _associate(made: dict[str, Any]) -> None:
    """Let a behavior for /docs/ run the function. `/docs/index.html` stays in the default behavior."""
    client = boto3.client(
        "cloudfront", "us-east-1", endpoint_url=made["endpoint"], aws_access_key_id="test", aws_secret_access_key="test"
    )
    config: Any = {"Comment": "", "Runtime": "cloudfront-js-2.0"}
    function = client.create_function(Name="rewrite", FunctionConfig=config, FunctionCode=_CODE.encode())
    client.publish_function(Name="rewrite", IfMatch=function["ETag"])
    arn = function["FunctionSummary"]["FunctionMetadata"]["FunctionARN"]
    found = client.get_distribution_config(Id=made["distribution"]["id"])
    distribution: Any = found["DistributionConfig"]
    behavior = {**distribution["DefaultCacheBehavior"], "PathPattern": "/docs/"}
    items = [{"EventType": "viewer-request", "FunctionARN": arn}]
    behavior["FunctionAssociations"] = {"Quantity": 1, "Items": items}
    distribution["CacheBehaviors"] = {"Quantity": 1, "Items": [behavior]}
    client.update_distribution(Id=made["distribution"]["id"], IfMatch=found["ETag"], DistributionConfig=distribution)
    client.get_waiter("distribution_deployed").wait(
        Id=made["distribution"]["id"], WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )


def _node(stack: ExitStack, directory: Path) -> Peer:
    name = "Node.js, the same rewrite, no check"
    folder = directory / "node"
    folder.mkdir()
    try:
        url = stack.enter_context(servers.node(_NODE, folder))
    except PeerError as error:
        return Peer(name, missing=str(error))
    target = Target(url, [("/docs/", {})])
    return _peer(directory, name, target)


def _peer(directory: Path, name: str, target: Target) -> Peer:
    file = target.write(directory / f"{len(name)}.requests")
    return Peer(name, lambda seconds: wrk.load(target.url, file, seconds, 50).rate)
