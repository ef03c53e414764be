"""The console's pages over a large account: 200 distributions, 500 public keys, 100 key groups. Runs on request."""

import asyncio
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
import httpx
from botocore.config import Config

from benchmarks.contest import Aim, Row
from keyfront.console.accounts import LiveAccount
from keyfront.console.application import console
from keyfront.console.decisions import Decisions
from keyfront.console.events import Stopping
from keyfront.console.gate import Secrets
from keyfront.core.keys import SigningKey
from keyfront.local.controlplane import ControlPlane, Quotas
from keyfront.local.controlplane.asgi import application
from keyfront.web.serving import Listener, bind
from keyfront.web.types import ASGIApp

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

_SECTION = "Console, a page over 200 distributions, 500 keys and 100 key groups"
_DISTRIBUTIONS, _KEYS, _GROUPS = 200, 500, 100
_PAGES = {"public keys (the first page)": "/keys", "key groups": "/groups", "distributions": "/distributions"}
_FIRST = Aim(200, of="figure", at_most=True)


def run(_seconds: float, rounds: int) -> Iterator[Row]:
    """Load each page `rounds` times, and yield the median, with the time of the API's own answers in it."""
    known = Secrets()
    plane = ControlPlane(quotas=Quotas(public_keys=_KEYS, key_groups=_GROUPS))
    with _served(application(plane)) as api:
        client = _client(api)
        _fill(client)
        account = LiveAccount("benchmark", lambda: client, lambda _: None)
        app = console(account, known, read_only=False, stopping=Stopping(), decisions=Decisions())
        with _served(app) as url, httpx.Client(base_url=url, follow_redirects=True, timeout=60) as browser:
            browser.get(f"/?token={known.token}")
            for number, (name, path) in enumerate(_PAGES.items()):
                times = [_milliseconds(browser, path) for _ in range(rounds)]
                yield Row(_SECTION, name, "ms", statistics.median(times), aim=None if number else _FIRST)


def _milliseconds(browser: httpx.Client, path: str) -> float:
    begun = time.perf_counter()
    browser.get(path).raise_for_status()
    return (time.perf_counter() - begun) * 1000


def _client(url: str) -> "CloudFrontClient":
    session = boto3.Session("test", "test", region_name="us-east-1")
    return session.client("cloudfront", endpoint_url=url, config=Config(retries={"total_max_attempts": 1}))


def _fill(client: "CloudFrontClient") -> None:
    pems = [SigningKey.generate("ecdsa").public_key.pem for _ in range(20)]
    keys = []
    for number in range(_KEYS):
        named = {"CallerReference": f"{number}", "Name": f"key-{number}", "EncodedKey": pems[number % len(pems)]}
        keys.append(client.create_public_key(PublicKeyConfig=named)["PublicKey"]["Id"])  # type: ignore[arg-type]
    groups = []
    for number in range(_GROUPS):
        group = {"Name": f"group-{number}", "Items": keys[number * 5 : number * 5 + 5]}
        groups.append(client.create_key_group(KeyGroupConfig=group)["KeyGroup"]["Id"])  # type: ignore[arg-type]
    for number in range(_DISTRIBUTIONS):
        client.create_distribution(DistributionConfig=_distribution(number, groups[number % _GROUPS]))


def _distribution(number: int, group: str) -> Any:
    behavior = {
        "TargetOriginId": "web",
        "ViewerProtocolPolicy": "https-only",
        "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
    }
    trusting = {**behavior, "TrustedKeyGroups": {"Enabled": True, "Quantity": 1, "Items": [group]}}
    origin = {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "https-only"}
    ordered = [{**trusting, "PathPattern": f"/private/{each}/*"} for each in range(4)]
    return {
        "CallerReference": f"{number}",
        "Comment": f"distribution {number}",
        "Enabled": True,
        "Origins": {
            "Quantity": 1,
            "Items": [{"Id": "web", "DomainName": "www.example.com", "CustomOriginConfig": origin}],
        },
        "DefaultCacheBehavior": behavior,
        "CacheBehaviors": {"Quantity": len(ordered), "Items": ordered},
    }


@contextmanager
def _served(app: ASGIApp) -> Iterator[str]:
    """Serve an application in an event loop of its own, and give its URL."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> Listener:
        listener = Listener(app, bind("127.0.0.1", 0))
        listener.start()
        return listener

    listener = asyncio.run_coroutine_threadsafe(start(), loop).result(30)
    try:
        yield f"http://127.0.0.1:{listener.port}"
    finally:
        asyncio.run_coroutine_threadsafe(listener.stop(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
