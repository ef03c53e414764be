"""Assertions on what the edge decides. A failure prints the explanation of `keyfront explain`."""

from collections.abc import Mapping

from keyfront.explain import Response, explain
from keyfront.explain.plain_text import plain_text
from keyfront.testing.cloudfront import running
from keyfront.testing.viewer import Reply


def assert_allowed(url: str, *, cookies: Mapping[str, str] | None = None) -> Reply:
    """Assert that the edge lets a request for `url` in, and return the response.

    Raises `AssertionError` with the explanation, and `InputError` if no CloudFront runs.
    """
    __tracebackhide__ = True
    reply = running().get(url, cookies=cookies)
    if not reply.allowed:
        raise AssertionError(f"refused ({reply.status}, {reply.reason}), and it should be allowed\n{_explained(reply)}")
    return reply


def assert_refused(url: str, reason: str = "", *, cookies: Mapping[str, str] | None = None) -> Reply:
    """Assert that the edge refuses a request for `url`, for this `reason` if it is given, and return the response.

    `reason` is the reason of the decision (`expired`) or the id of a finding (`link-expired`). Raises as
    `assert_allowed` does.
    """
    __tracebackhide__ = True
    reply = running().get(url, cookies=cookies)
    if reply.allowed:
        raise AssertionError(f"allowed ({reply.status}), and it should be refused\n{_explained(reply)}")
    found = reply.headers.get("x-keyfront-finding", "")
    if reason and reason not in (reply.reason, found):
        raise AssertionError(f"refused as {reply.reason} ({found}), and not as {reason}\n{_explained(reply)}")
    return reply


def _explained(reply: Reply) -> str:
    cloudfront = running()
    report = explain(
        reply.request,
        now=cloudfront.clock(),
        trusted_keys=cloudfront.trusted_keys,
        response=Response(reply.status, dict(reply.headers), reply.text),
    )
    return plain_text(report)
