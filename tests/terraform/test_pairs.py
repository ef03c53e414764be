"""Terraform writes the pairs of a key value store, signed with SigV4A."""

from __future__ import annotations

from collections.abc import Callable
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from tests.servers import Quiet, http_server

from keyfront.inventory.functions import key_value_store_client


class _Resolving(Quiet):
    """A proxy that takes every name for this machine: `123456789012.localhost` seldom resolves."""

    def _pass_on(self) -> None:
        target = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        connection = HTTPConnection("127.0.0.1", target.port or 80, timeout=60)
        connection.request(self.command, target._replace(scheme="", netloc="").geturl(), body, dict(self.headers))
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PUT = do_POST = do_DELETE = _pass_on


@pytest.mark.large
def test_pairs_are_applied_and_planned_clean(
    workspace: Callable[..., Any], control_plane_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with http_server(_Resolving) as port:
        terraform = workspace("pairs", "pairs", pairs={"/old": "/new", "b c": "é"})
        with monkeypatch.context() as patch:
            patch.setenv("HTTP_PROXY", f"http://127.0.0.1:{port}")
            assert "Resources: 3 added" in terraform("apply", "-auto-approve")
            terraform("plan", "-detailed-exitcode")
        assert _pairs(control_plane_url) == [{"Key": "/old", "Value": "/new"}, {"Key": "b c", "Value": "é"}]


def _pairs(url: str) -> Any:
    session = boto3.Session("test", "test", region_name="us-east-1")
    stores = session.client("cloudfront", endpoint_url=url)
    arn = stores.describe_key_value_store(Name="redirects")["KeyValueStore"]["ARN"]
    return key_value_store_client(session, url).list_keys(KvsARN=arn)["Items"]
