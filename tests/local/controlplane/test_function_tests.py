"""TestFunction, with the engine that the edge has."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from keyfront.local.edge_functions import run_function

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient
    from tests.local.controlplane.conftest import WithPlane

REQUEST = {"method": "GET", "uri": "/a", "querystring": {}, "headers": {}, "cookies": {}}
EVENT = {"version": "1.0", "context": {"eventType": "viewer-request"}, "viewer": {"ip": "1.2.3.4"}, "request": REQUEST}


class Refusal(Protocol):
    def __call__(self, call: Any, /, **arguments: Any) -> tuple[str, int, str]: ...


@pytest.fixture(autouse=True)
def _runs(with_plane: WithPlane) -> None:
    with_plane(run_function=run_function)


def made(cloudfront: CloudFrontClient, code: str) -> str:
    config: Any = {"Comment": "", "Runtime": "cloudfront-js-2.0"}
    return cloudfront.create_function(Name="f", FunctionConfig=config, FunctionCode=code.encode())["ETag"]


def test_the_development_stage_runs_on_an_event(cloudfront: CloudFrontClient, refused: Refusal) -> None:
    etag = made(
        cloudfront,
        "function handler(e) { console.log('saw ' + e.request.uri);"
        " if (e.request.uri === '/bad') throw new Error('no');"
        " if (e.request.uri === '/none') return; e.request.uri += '/x'; return e.request; }",
    )

    def test(uri: str) -> Any:
        event = {**EVENT, "request": {**REQUEST, "uri": uri}}
        given: Any = {"Name": "f", "IfMatch": etag, "EventObject": json.dumps(event).encode()}
        return cloudfront.test_function(**given)["TestResult"]

    good, bad, none = test("/a"), test("/bad"), test("/none")

    assert json.loads(good["FunctionOutput"]) == {"request": {**REQUEST, "uri": "/a/x"}}
    assert (good["FunctionErrorMessage"], good["FunctionExecutionLogs"]) == ("", ["saw /a"])
    assert 1 <= int(good["ComputeUtilization"]) <= 100
    assert good["FunctionSummary"]["FunctionMetadata"]["Stage"] == "DEVELOPMENT"
    assert bad["FunctionErrorMessage"].endswith("is invalid or could not run. Error: no at line 1")
    assert (bad["FunctionOutput"], bad["FunctionExecutionLogs"]) == ("", ["saw /bad"])
    assert "returned an invalid value" in none["FunctionErrorMessage"]
    event = json.dumps(EVENT).encode()
    call = cloudfront.test_function
    assert refused(call, Name="f", IfMatch=etag, EventObject=b"{")[0] == "InvalidArgument"
    assert refused(call, Name="f", IfMatch=etag, EventObject=b"[]")[0] == "InvalidArgument"
    assert refused(call, Name="f", IfMatch=etag, Stage="LIVE", EventObject=event)[0] == "NoSuchFunctionExists"
    assert refused(call, Name="f", IfMatch="x", EventObject=event)[0] == "InvalidIfMatchVersion"
