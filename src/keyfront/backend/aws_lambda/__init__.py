"""The download service as an AWS Lambda function: `keyfront.backend.aws_lambda.handler`.

It works behind an HTTP API (payload 2.0), a function URL, a REST API or a load balancer. Settings come from the
environment, as for the ASGI service. The API's JWT authorizer or a bearer token identifies the customer.
"""

import gc
import os
from functools import cache
from typing import TYPE_CHECKING, Final

_ON_LAMBDA: Final = "AWS_LAMBDA_RUNTIME_API" in os.environ

if _ON_LAMBDA:
    # Loaded modules do not become garbage: looking for garbage would take a twentieth of the time to start.
    gc.disable()

from keyfront.backend.aws_lambda.function import Function  # noqa: E402  this import takes the time

if TYPE_CHECKING:
    from collections.abc import Mapping

    from keyfront.backend.aws_lambda.observing import Context


@cache
def _function() -> Function:
    return Function.from_environment(os.environ)


def handler(event: object, context: "Context") -> "Mapping[str, object]":
    """Return the response to an event, in the sender's format. Lambda calls this. Never raises."""
    return _function()(event, context)


# While a container starts, Lambda gives it a whole processor, whatever its memory. In a test there is no runtime.
if _ON_LAMBDA:
    _function()
    # A SnapStart snapshot is used for weeks: neither a key nor a connection stays valid so long.
    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") != "snap-start":
        _function().prepare()
    gc.freeze()
    gc.enable()
