"""The download service as an AWS Lambda function: `keyfront.backend.aws_lambda.handler`.

Behind an HTTP API (payload 2.0), a function URL, a REST API or a load balancer. Settings come from the environment
as the ASGI service's do; who is asking, from the API's JWT authorizer or a bearer token.
"""

import gc
import os
from functools import cache
from typing import TYPE_CHECKING, Final

_ON_LAMBDA: Final = "AWS_LAMBDA_RUNTIME_API" in os.environ

if _ON_LAMBDA:
    # Nothing that is loaded becomes garbage: looking for it would be a twentieth of the time to start.
    gc.disable()

from keyfront.backend.aws_lambda.function import Function  # noqa: E402  what takes the time

if TYPE_CHECKING:
    from collections.abc import Mapping

    from keyfront.backend.aws_lambda.observing import Context


@cache
def _function() -> Function:
    return Function.from_environment(os.environ)


def handler(event: object, context: "Context") -> "Mapping[str, object]":
    """What Lambda calls with an event; the answer in the form that the event's sender wants. Never raises."""
    return _function()(event, context)


# While a container starts Lambda gives a whole processor, whatever the function's memory; a test has no runtime.
if _ON_LAMBDA:
    _function()
    # A snapshot (SnapStart) is used for weeks: no key lasts so long, and no connection.
    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") != "snap-start":
        _function().prepare()
    gc.freeze()
    gc.enable()
