"""TestFunction: a stage of a function runs once, on an event of the caller's.

Source: Developer Guide, "Test functions", and API Reference, "TestFunction". As on Amazon, a read-only header that the
function changed is not noticed here. Assumed: the texts of `FunctionErrorMessage` after the first sentence.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from keyfront.local.controlplane import functions, key_value_pairs, key_value_stores
from keyfront.local.controlplane.account import FunctionTest, LocalAccount, Operation, check_version
from keyfront.local.controlplane.faults import APIError

if TYPE_CHECKING:
    from keyfront.local.controlplane.shapes import TestFunctionRequest


def test(account: LocalAccount, request: TestFunctionRequest) -> Mapping[str, object]:
    """TestFunction: the development stage, if no stage is given."""
    stage = request.get("Stage", functions.DEVELOPMENT)
    function = functions.find(account, request["Name"], stage)
    check_version(function, request.get("IfMatch"))
    if account.run_function is None:
        raise APIError("UnsupportedOperation", "Functions do not run here.")
    config = function.config["FunctionConfig"]
    stores = key_value_stores.associated(config)
    test = FunctionTest(
        name=function.id,
        runtime=config["Runtime"],
        code=function.config["FunctionCode"].decode("utf-8", "replace"),
        event=_event(request["EventObject"]),
        store_id=stores[0].rpartition("/")[2] if stores else "",
        pairs=key_value_pairs.pairs_of(account, stores[0]) if stores else {},
    )
    result = account.run_function(test)
    return {
        "TestResult": {
            "FunctionSummary": functions.summary(account, function, stage),
            "ComputeUtilization": str(result.utilization),
            "FunctionExecutionLogs": list(result.logs),
            "FunctionErrorMessage": result.error,
            "FunctionOutput": result.output,
        }
    }


OPERATIONS: Mapping[str, Operation] = {"TestFunction": test}


def _event(content: bytes) -> Mapping[str, object]:
    try:
        event = json.loads(content)
    except (ValueError, RecursionError):
        raise APIError("InvalidArgument", "The event object is not JSON.") from None
    if not isinstance(event, dict) or not isinstance(event.get("request"), dict):
        raise APIError("InvalidArgument", "The event object must be a JSON object with a request.")
    kind = event["context"].get("eventType") if isinstance(event.get("context"), dict) else None
    if kind not in ("viewer-request", "viewer-response"):
        message = "The event object's context.eventType must be viewer-request or viewer-response."
        raise APIError("InvalidArgument", message)
    if kind == "viewer-response" and not isinstance(event.get("response"), dict):
        raise APIError("InvalidArgument", "The event object of a viewer response must have a response.")
    return event
