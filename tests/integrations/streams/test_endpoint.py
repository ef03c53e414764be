"""The endpoint that serves manifests with fresh signatures, asked as a server asks it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from keyfront import Signer, SigningKey, Site
from keyfront.errors import InputError, ServiceError
from keyfront.integrations.streams.asgi import CORS, StreamEndpoint, anyone

SIGNER = Signer("K2JCJMDEHXQW5F", SigningKey.generate("ecdsa"))
SITE = Site(SIGNER, "media.example.com")
HOUR = timedelta(hours=1)
TEXT = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow/index.m3u8\n#EXTINF:4,\n1.ts\n"


def endpoint(**settings: Any) -> StreamEndpoint:
    return StreamEndpoint(SITE, **{"allow": anyone, "lifetime": HOUR, "origin": lambda path: TEXT, **settings})


def ask(
    served: StreamEndpoint, path: str = "/film/master.m3u8", method: str = "GET", **headers: str
) -> tuple[int, dict[str, str], str]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        raise AssertionError("nobody reads a body")

    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "headers": named}
    asyncio.run(served(scope, receive, send))
    fields = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], fields, sent[1]["body"].decode()


def test_a_manifest_leads_to_cloudfront_and_its_playlists_back_here() -> None:
    status, headers, body = ask(endpoint())
    assert status == 200
    assert headers["content-type"] == "application/vnd.apple.mpegurl"
    assert headers["cache-control"] == "private, no-store"
    playlist, segment = (line for line in body.split() if not line.startswith("#"))
    assert playlist == "low/index.m3u8"
    assert segment.startswith("https://media.example.com/film/1.ts?Policy=")


def test_head_has_the_headers_and_no_body() -> None:
    whole, head = ask(endpoint()), ask(endpoint(), method="HEAD")
    assert (head[0], head[2]) == (200, "")
    assert head[1].keys() == whole[1].keys()


def test_a_signature_is_used_again_for_a_while() -> None:
    served, one_by_one = endpoint(), endpoint(reuse=timedelta(0))
    assert ask(served)[2] == ask(served)[2]
    assert ask(one_by_one)[2] != ask(one_by_one)[2]


def test_a_key_that_was_fetched_anew_keeps_its_signature_and_a_rotated_key_signs_anew() -> None:
    class Fetched:
        key_pair_id = "K2JCJMDEHXQW5F"

        def signer(self) -> Signer:
            return Signer(self.key_pair_id, SIGNER.key)

        async def signer_async(self) -> Signer:
            return self.signer()

    keys = Fetched()
    served = StreamEndpoint(Site(keys, "media.example.com"), allow=anyone, lifetime=HOUR, origin=lambda path: TEXT)
    first = ask(served)[2]
    assert ask(served)[2] == first
    keys.key_pair_id = "K3NEW"
    assert "Key-Pair-Id=K3NEW" in ask(served)[2]


def test_the_endpoints_own_bound_on_lifetimes_counts() -> None:
    status, _, _ = ask(endpoint(max_lifetime=timedelta(minutes=30)))
    assert status == 502


def refuse(_scope: Any, _path: str) -> bool:
    return False


def missing(path: str) -> str:
    raise FileNotFoundError(path)


def failing(path: str) -> str:
    raise ServiceError("the origin is down")


class _Away:
    def signer(self) -> Signer:
        raise ServiceError("KMS did not answer")

    async def signer_async(self) -> Signer:
        return self.signer()


@pytest.mark.parametrize(
    ("settings", "asked", "status", "told"),
    [
        ({"allow": refuse}, {}, 403, "you may not play this"),
        ({"allow": lambda scope, path: "yes"}, {}, 403, "you may not play this"),
        ({"origin": missing}, {}, 404, "there is no such manifest"),
        ({"origin": failing}, {}, 502, "the manifest cannot be fetched at the moment"),
        ({"origin": lambda path: "hello"}, {}, 502, "the manifest cannot be fetched at the moment"),
        ({"origin": lambda path: b"\xff"}, {}, 502, "the manifest cannot be fetched at the moment"),
        ({}, {"path": "/film/1.ts"}, 404, "there are only manifests here"),
        ({}, {"path": "/film/../x.m3u8"}, 404, "there are only manifests here"),
        ({}, {"path": "/film/%2e%2e/x.m3u8"}, 404, "there are only manifests here"),
        ({}, {"path": "/film/%252e%252e/x.m3u8"}, 404, "there are only manifests here"),
        ({}, {"method": "POST"}, 405, "only GET and HEAD work for manifests"),
    ],
)
def test_what_is_refused_tells_the_caller_no_more_than_it_has_to(
    settings: dict[str, Any], asked: dict[str, str], status: int, told: str
) -> None:
    answer = ask(endpoint(**settings), **asked)
    assert (answer[0], told in answer[2]) == (status, True)
    assert "Signature" not in answer[2]


def test_a_key_that_cannot_be_had_is_503_and_asks_to_come_again() -> None:
    served = StreamEndpoint(Site(_Away(), "media.example.com"), allow=anyone, lifetime=HOUR, origin=lambda path: TEXT)
    status, headers, body = ask(served)
    assert (status, headers["retry-after"], body) == (503, "5", "links cannot be made at the moment: try again later\n")


def test_manifests_are_read_from_a_folder_and_never_from_beside_it(tmp_path: Path) -> None:
    folder = tmp_path / "films"
    folder.mkdir()
    (folder / "a.m3u8").write_text(TEXT)
    (tmp_path / "secret.m3u8").write_text(TEXT)
    (folder / "link.m3u8").symlink_to(tmp_path / "secret.m3u8")
    served = endpoint(origin=folder)
    assert [ask(served, f"/{name}.m3u8")[0] for name in ("a", "none", "link")] == [200, 404, 404]


def test_pages_of_other_origins_read_it_where_they_are_named() -> None:
    served = endpoint(cors=CORS(["https://www.example.com"], credentials=True, headers=["Authorization"]))
    headers = ask(served, origin="https://www.example.com")[1]
    assert headers["access-control-allow-origin"] == "https://www.example.com"
    assert headers["access-control-allow-credentials"] == "true"
    assert "access-control-allow-origin" not in ask(served, origin="https://evil.example")[1]
    status, headers, _ = ask(served, method="OPTIONS", origin="https://www.example.com")
    assert (status, headers["access-control-allow-headers"]) == (204, "Authorization")


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: endpoint(lifetime=timedelta(0)), "give a timedelta, such as timedelta"),
        (lambda: endpoint(reuse=HOUR), "fresh must be shorter"),
        (lambda: CORS("https://a.example"), "origins and headers are lists"),
        (lambda: CORS(["https://a.example/"]), "is not an origin: write only scheme and host"),
        (lambda: CORS(["*"], credentials=True), "credentials cannot be allowed for every origin"),
    ],
)
def test_settings_that_cannot_be_meant_are_told(make: Any, told: str) -> None:
    with pytest.raises(InputError, match=told):
        make()
