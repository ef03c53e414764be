"""Misses: each request goes to an origin. Compared with nginx as a proxy and with the edge's own hits."""

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

from benchmarks import servers, warm, wrk
from benchmarks.contest import Aim, Peer, PeerError, Row, race, rows
from benchmarks.wrk import Target

_SECTION = "Edge, misses of 1 KiB from nginx, one worker, wrk with 50 connections on the same two cores"
HOST = "films.example"
OBJECT = "object.bin"
_CACHE_BYTES = 4 * 1024 * 1024
_DISTINCT = 20_000
"""Many times more URLs than the cache can hold, so each is gone when it is requested again."""
_PROXY = "nginx, proxy_pass, no check and no cache"
_NOT_KEPT = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
"""The managed policy CachingDisabled."""


def run(seconds: float, rounds: int) -> Iterator[Row]:
    """Compare the edge alone (`python -m keyfront.edge`), with nginx as its origin, with nginx as a proxy for it."""
    if wrk.program() is None:
        yield Row(_SECTION, "all", "requests/s", missing="wrk is not installed")
        return
    turns = min(rounds, 5)
    with ExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory(prefix="keyfront-bench-")))
        try:
            peers = list(_peers(stack, directory))
        except PeerError as error:
            yield Row(_SECTION, "all", "requests/s", missing=str(error))
            return
        aims = {name: Aim(3_000, "figure") for name in ("keyfront edge, not kept", "keyfront edge, kept")}
        results = race(peers, max(seconds, turns), turns)
        yield from rows(_SECTION, "requests/s", results, pick=median, against=_PROXY, aims=aims)


def _peers(stack: ExitStack, directory: Path) -> Iterator[Peer]:
    content = directory / "content"
    for folder in (content, content / "live"):
        folder.mkdir()
        (folder / OBJECT).write_bytes(os.urandom(1024))
    origin = stack.enter_context(servers.nginx(content))
    proxy = stack.enter_context(servers.nginx(content, servers.proxy(origin)))
    edge, _ = stack.enter_context(servers.edge(directory, configuration(directory, origin), _CACHE_BYTES))
    named = {"Host": HOST}
    one = Target(edge, [(f"/{OBJECT}", named)])
    distinct = [(f"/{OBJECT}?n={number}", named) for number in range(_DISTINCT)]
    warm.up(one)
    targets = {
        "keyfront edge, not kept": Target(edge, [(f"/live/{OBJECT}", named)]),
        "keyfront edge, kept": Target(edge, distinct),
        "keyfront edge, a hit": one,
        _PROXY: Target(proxy, [(f"/{OBJECT}", {})]),
    }
    for number, (name, target) in enumerate(targets.items()):
        file = target.write(directory / f"{number}.requests")
        yield Peer(name, lambda seconds, url=target.url, file=file: wrk.load(url, file, seconds).rate)  # type: ignore[misc]


def configuration(directory: Path, origin: str) -> list[Path]:
    """Write files as the AWS CLI prints them: a distribution that caches by the whole query, except `/live/*`."""
    custom = {"HTTPPort": urlsplit(origin).port, "HTTPSPort": 443, "OriginProtocolPolicy": "http-only"}
    behavior = {"TargetOriginId": "web", "ViewerProtocolPolicy": "allow-all"}
    counted: dict[str, Any] = {
        "EnableAcceptEncodingGzip": False,
        "EnableAcceptEncodingBrotli": False,
        "HeadersConfig": {"HeaderBehavior": "none"},
        "CookiesConfig": {"CookieBehavior": "none"},
        "QueryStringsConfig": {"QueryStringBehavior": "all"},
    }
    policy = {"Name": "all", "MinTTL": 3600, "ParametersInCacheKeyAndForwardedToOrigin": counted}
    documents = {
        "distribution": {
            "ETag": "E1",
            "DistributionConfig": {
                "CallerReference": "benchmark",
                "Comment": "",
                "Enabled": True,
                "Aliases": {"Quantity": 1, "Items": [HOST]},
                "Origins": {
                    "Quantity": 1,
                    "Items": [{"Id": "web", "DomainName": "127.0.0.1", "CustomOriginConfig": custom}],
                },
                "CacheBehaviors": {
                    "Quantity": 1,
                    "Items": [{**behavior, "PathPattern": "/live/*", "CachePolicyId": _NOT_KEPT}],
                },
                "DefaultCacheBehavior": {**behavior, "CachePolicyId": "all"},
            },
        },
        "policy": {"ETag": "E1", "CachePolicy": {"Id": "all", "CachePolicyConfig": policy}},
    }
    files = []
    for name, document in documents.items():
        files.append(directory / f"{name}.json")
        files[-1].write_text(json.dumps(document))
    return files
