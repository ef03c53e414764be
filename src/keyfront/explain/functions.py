"""The functions that a cache behavior runs, in words: where they run, and where their logs are."""

from typing import TYPE_CHECKING, Final

from keyfront.explain import hiding
from keyfront.explain.configuration import Behavior

if TYPE_CHECKING:
    from keyfront.inventory import FunctionAssociation

_ON_REQUESTS: Final = ("viewer-request", "origin-request")


def on_requests(behavior: Behavior | None) -> "tuple[FunctionAssociation, ...]":
    """Return the functions that may change a request: all of them run after the signature check."""
    return tuple(each for each in behavior.associations if each.event_type in _ON_REQUESTS) if behavior else ()


def viewer_request(behavior: Behavior | None) -> "FunctionAssociation | None":
    """Return the function that runs first, or `None`."""
    return next((each for each in on_requests(behavior) if each.event_type == "viewer-request"), None)


def name(function: "FunctionAssociation") -> str:
    """Return the function's name; for a Lambda function with its version."""
    return hiding.name(function.arn.rpartition(":function/" if not function.is_lambda else ":function:")[2])


def told(function: "FunctionAssociation") -> str:
    """Return what to look at: the function's name, its event, and its log group.

    Source: Developer Guide, "Edge function logs".
    """
    if not function.is_lambda:
        log = f"/aws/cloudfront/function/{name(function)} in us-east-1"
    else:
        log = f"/aws/lambda/us-east-1.{name(function).partition(':')[0]} in the region near the viewer"
    return f"{name(function)} ({function.event_type}, log group {log})"
