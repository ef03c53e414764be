"""Cache behaviors of private content: who signs, where it comes from, and the code that runs for it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_lambda

from keyfront.errors import InputError

_FUNCTION_EVENTS: Final = ("viewer-request", "viewer-response")
_LAMBDA_EVENTS: Final = (*_FUNCTION_EVENTS, "origin-request", "origin-response")
_BODY_EVENTS: Final = ("viewer-request", "origin-request")
"""The events whose functions may see the request's body."""


@dataclass(frozen=True)
class Behavior:
    """A cache behavior. `key_groups` has no default: an empty list makes its paths public, and has to be written."""

    path_pattern: str
    key_groups: Sequence[cloudfront.IKeyGroup]
    origin: str | None = None
    """The name of its origin or origin group. If not given, the default behavior's."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """More settings, by the names of the CDK's `BehaviorOptions`: `cache_policy`, `allowed_methods`, …"""
    response_headers_policy: cloudfront.IResponseHeadersPolicy | None = None
    """If not given, `default_response_headers_policy`."""
    functions: Mapping[str, cloudfront.IFunction] = field(default_factory=dict)
    """CloudFront functions, by event type: `viewer-request` or `viewer-response`."""
    lambda_functions: Mapping[str, aws_lambda.IVersion] = field(default_factory=dict)
    """Versions of Lambda@Edge functions in us-east-1, by event type: also `origin-request` and `origin-response`."""
    include_body: Collection[str] = ()
    """The event types whose Lambda@Edge function sees the request's body."""

    def options(
        self, origin: cloudfront.IOrigin, headers: cloudfront.IResponseHeadersPolicy | None
    ) -> cloudfront.BehaviorOptions:
        """Return the CDK's options. `headers` is the policy of behaviors without one. Raises `InputError`."""
        self._check()
        given: dict[str, Any] = {
            "viewer_protocol_policy": cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
            "compress": True,
            "response_headers_policy": self.response_headers_policy or headers,
            "function_associations": [
                cloudfront.FunctionAssociation(event_type=_event(cloudfront.FunctionEventType, event), function=each)
                for event, each in self.functions.items()
            ],
            "edge_lambdas": [
                cloudfront.EdgeLambda(
                    event_type=_event(cloudfront.LambdaEdgeEventType, event),
                    function_version=each,
                    include_body=True if event in self.include_body else None,
                )
                for event, each in self.lambda_functions.items()
            ],
        }
        return cloudfront.BehaviorOptions(
            origin=origin,
            trusted_key_groups=list(self.key_groups) or None,
            **{**{name: value for name, value in given.items() if value}, **self.settings},
        )

    def _check(self) -> None:
        for name, given, known in (
            ("functions", self.functions, _FUNCTION_EVENTS),
            ("lambda_functions", self.lambda_functions, _LAMBDA_EVENTS),
            ("include_body", self.include_body, _BODY_EVENTS),
        ):
            if wrong := [each for each in given if each not in known]:
                raise InputError(
                    f"{name} of {self.path_pattern} has the event type {wrong[0]!r}: use {' or '.join(known)}"
                )
        if missing := [each for each in self.include_body if each not in self.lambda_functions]:
            raise InputError(f"include_body of {self.path_pattern} has {missing[0]!r}, and lambda_functions has not")
        if both := [each for each in self.functions if each in self.lambda_functions]:
            raise InputError(f"functions and lambda_functions of {self.path_pattern} both have {both[0]!r}: give one")


def _event(kinds: Any, event: str) -> Any:
    """Return the CDK's name of an event type: `VIEWER_REQUEST` for `viewer-request`."""
    return kinds[event.replace("-", "_").upper()]
